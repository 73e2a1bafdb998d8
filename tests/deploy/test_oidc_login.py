"""The proxy with a provider of logins: whose mail address counts, and that nobody can do without the provider."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
import requests

from pteroassets.platform.loopback import HOST, free_port
from tests.deploy.proxies import TOOLS, Proxy, needed, reached, running_proxy, wait_for

PEOPLE = {
    "operator": {"email": "operator@staff.example.com", "email_verified": True},
    "gast": {"email": "gast@STAFF.example.com", "email_verified": True},
    "unconfirmed": {"email": "new@staff.example.com", "email_verified": False},
    "lookalike": {"email": "mal@staffXexample.com", "email_verified": True},
    "longer": {"email": "mal@evil-staff.example.com", "email_verified": True},
    "continued": {"email": "mal@staff.example.com.evil.org", "email_verified": True},
    "operator-elsewhere": {"email": "oncall@elsewhere.example", "email_verified": True},
    "without": {},
}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("oidc")
    program = needed(TOOLS / "oidc-provider-mock", "needs make tools")
    port = free_port()
    command = [program, "--port", str(port)]
    for name, claims in PEOPLE.items():
        command += ["--user-claims", json.dumps({"sub": name, **claims})]
    (folder / "proxy_oidc").write_text(
        f"OIDCClientID pteroassets\nOIDCClientSecret of-the-client\nOIDCCryptoPassphrase {'0' * 32}\n"
    )
    log = folder / "provider.log"
    with log.open("wb") as output:
        provider = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for(port, provider, log)
        variables = {
            "PROXY_OPERATORS": "operator@staff.example.com oncall@elsewhere.example",
            "PROXY_MAIL_DOMAIN": "staff.example.com",
            "PROXY_OIDC_ISSUER": f"http://{HOST}:{port}",
        }
        with running_proxy(folder / "proxy", "oidc", **variables) as running:
            yield running
    finally:
        provider.terminate()
        provider.wait(30)


def log_in(proxy: Proxy, name: str, path: str = "/pages/") -> tuple[requests.Session, requests.Response]:
    """Ask for *path*, say at the provider that one is *name*, and come back."""
    session = proxy.session()
    form = session.get(proxy.address + path, timeout=30)
    assert "/oauth2/authorize" in form.url
    said = session.post(form.url, data={"sub": name}, allow_redirects=False, timeout=30)
    return session, session.get(said.headers["Location"], timeout=30)


def test_without_a_login_one_is_sent_to_the_provider(proxy: Proxy) -> None:
    for path in ("/", "/graphql", "/pages/", "/docs/", "/guests/", "/login/other"):
        answer = proxy.get(path)
        assert answer.status_code == 302
        assert "/oauth2/authorize?" in answer.headers["Location"]
        assert "code_challenge_method=S256" in answer.headers["Location"]
    # what a page asks for in the background is told so instead
    assert proxy.get("/graphql", **{"X-Requested-With": "XMLHttpRequest"}).status_code == 401


def test_an_operator_comes_back_to_the_page_that_was_asked_for(proxy: Proxy) -> None:
    session, answer = log_in(proxy, "operator", "/runs")
    assert answer.url == f"{proxy.address}/runs"
    said = answer.json()
    assert said["name"] == "webserver"
    assert {"cookie", "authorization"} & said["headers"].keys() == set()
    assert not any(name.startswith("oidc") for name in said["headers"])
    (cookie,) = session.cookies
    assert cookie.secure
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"


def test_who_has_an_address_of_the_domain_reads_and_changes_nothing(proxy: Proxy) -> None:
    session, answer = log_in(proxy, "gast")
    assert answer.json()["name"] == "site"
    assert session.get(f"{proxy.address}/guests/", timeout=30).json()["name"] == "guests"
    for path in ("/", "/graphql"):
        assert session.get(proxy.address + path, timeout=30).status_code == 403
    forged = {"X-Forwarded-User": "operator@staff.example.com", "OIDC_CLAIM_email": "operator@staff.example.com"}
    assert session.get(f"{proxy.address}/graphql", headers=forged, timeout=30).status_code == 403


@pytest.mark.parametrize("name", sorted(PEOPLE.keys() - {"operator", "gast"}))
def test_nobody_else_reads_anything(proxy: Proxy, name: str) -> None:
    session, answer = log_in(proxy, name)
    assert reached(answer) is None
    assert answer.status_code in {401, 403} or "Remote user could not be set" in answer.text
    for path in ("/", "/docs/", "/guests/"):
        assert reached(session.get(proxy.address + path, timeout=30)) is None


def test_an_answer_that_no_provider_gave_is_refused(proxy: Proxy) -> None:
    assert proxy.get("/login/answer?code=x&state=y").status_code == 400
    session, _ = log_in(proxy, "operator")
    stolen = {"Cookie": f"mod_auth_openidc_session={'0' * 27}"}
    assert proxy.get("/runs", **stolen).status_code == 302
    assert (
        session.get(f"{proxy.address}/runs", headers={"Origin": "https://evil.example"}, timeout=30).status_code == 403
    )


def test_the_log_holds_neither_the_answer_nor_the_secret(proxy: Proxy) -> None:
    log_in(proxy, "operator")
    text = proxy.logged('operator@staff.example.com "GET /login/answer" 302')
    assert "code=" not in text
    assert "of-the-client" not in text
