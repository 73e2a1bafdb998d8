"""The proxy with names and passwords: nothing is reached without a login, and nobody pretends to be someone else."""

from __future__ import annotations

import http.client
import re
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Iterator

import pytest

from tests.deploy.proxies import CONFIGURATION, GUEST, OPERATOR, Proxy, needed, reached, running_proxy

PAGES = ("/pages/", "/docs/", "/guests/", "/guests/graphql", "/pages")
OF_OPERATORS = ("/", "/graphql", "/runs", "/pagesx", "/docsx", "/login/answer", "/assets/x")
OF_APACHE = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Server", "X-Forwarded-Proto")  # it sets them itself
DETOURS = (
    "/pages/../graphql", "/pages/%2e%2e/graphql", "/pages/..%2fgraphql", "//graphql", "/docs/../graphql",
    "/guests/../../graphql", "/guests/..;/graphql", "/guests%2f..%2fgraphql", "/pages/./../graphql", "/PAGES/",
)  # fmt: skip
FORGED = (
    "Forwarded", "Proxy", "Proxy-Authorization", "Remote-User", "X-Auth-Request-Email", "X-Auth-Request-Groups",
    "X-Auth-Request-User", "X-Forwarded-Access-Token", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Port",
    "X-Forwarded-Preferred-Username", "X-Forwarded-Prefix", "X-Forwarded-User", "X-Real-IP", "X-Remote-User",
    "X-WebAuth-User", "Cookie",
)  # fmt: skip


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("basic")
    htpasswd = needed("/usr/bin/htpasswd", "needs Debian's package apache2-utils")
    users = folder / "proxy_users"
    users.touch()
    for name, password in (OPERATOR, GUEST):
        subprocess.run([htpasswd, "-i", "-B", "-C", "4", users, name], input=password.encode(), check=True)
    with running_proxy(folder / "proxy", "basic", PROXY_OPERATORS="operator ben") as running:
        yield running


@pytest.mark.parametrize("path", [*PAGES, *OF_OPERATORS, "/docs/../", "/server_info", "/.well-known/x"])
def test_nothing_is_reached_without_a_login(proxy: Proxy, path: str) -> None:
    for login in (None, ("operator", "wrong"), ("nobody", OPERATOR[1]), ("ben", "")):
        answer = proxy.get(path, login)
        assert answer.status_code == 401, answer.text
        assert reached(answer) is None


@pytest.mark.parametrize("path", [*DETOURS, *OF_OPERATORS])
def test_a_guest_comes_to_no_service_of_operators(proxy: Proxy, path: str) -> None:
    answer = proxy.get(path, GUEST)
    assert answer.status_code in {400, 403, 404} or reached(answer) == "guests", answer.text


@pytest.mark.parametrize(
    ("path", "service", "asked"),
    [
        ("/", "webserver", "/"),
        ("/graphql?x=1", "webserver", "/graphql?x=1"),
        ("/guests/graphql", "guests", "/guests/graphql"),
        ("/pages/fleet.html", "site", "/pages/fleet.html"),
        ("/docs/", "site", "/"),
    ],
)
def test_each_path_leads_to_its_service(proxy: Proxy, path: str, service: str, asked: str) -> None:
    said = proxy.get(path, OPERATOR).json()
    assert (said["name"], said["path"]) == (service, asked)
    if service != "webserver":
        assert proxy.get(path, GUEST).json()["name"] == service
    assert proxy.get("/docs", GUEST).headers["Location"].endswith("/docs/")


def test_who_asked_is_not_taken_from_the_request_and_the_password_goes_no_further(proxy: Proxy) -> None:
    said = proxy.get("/graphql", OPERATOR, **dict.fromkeys((*FORGED, *OF_APACHE), "root"))
    headers = said.json()["headers"]
    assert {name.lower() for name in (*FORGED, "Authorization")} & headers.keys() == set()
    assert headers["x-forwarded-for"] in {"127.0.0.1", "::1"}
    assert headers["x-forwarded-proto"] == "https"
    assert "root" not in str(headers)


def test_every_header_that_the_configuration_removes_is_tried_here() -> None:
    text = (CONFIGURATION / "apache.conf").read_text()
    removed = re.findall(r"^RequestHeader unset (\S+)$", text, flags=re.MULTILINE)
    assert sorted(removed) == sorted({*FORGED, *OF_APACHE, "Authorization"} - {"X-Forwarded-Proto"})


def test_another_site_cannot_use_the_login_that_a_browser_has(proxy: Proxy) -> None:
    for path in ("/graphql", "/guests/graphql", "/"):
        assert proxy.get(path, OPERATOR, Origin="https://evil.example").status_code == 403
        assert proxy.get(path, OPERATOR, Origin="null").status_code == 403
        assert proxy.get(path, OPERATOR, Origin=proxy.address).status_code == 200
    # a picture of another site's page: no origin is sent, and the UI's service would do what the query says
    assert proxy.get("/graphql?query=mutation", OPERATOR, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert proxy.get("/graphql?query=mutation", OPERATOR, **{"Sec-Fetch-Site": "same-origin"}).status_code == 200
    # a link on another site leads to the UI all the same
    assert proxy.get("/runs/1", OPERATOR, **{"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_what_the_ui_follows_live_passes_with_a_login_alone(proxy: Proxy) -> None:
    login = {"Authorization": basic(GUEST)}
    for headers, status in (({}, 401), ({**login, "Origin": "https://evil.example"}, 403), (login, 101)):
        context = ssl.create_default_context(cafile=proxy.certificate)
        connection = http.client.HTTPSConnection("localhost", proxy.port, context=context, timeout=30)
        wanted = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        connection.request("GET", "/guests/graphql", headers={**wanted, "Sec-WebSocket-Key": "eA==", **headers})
        assert connection.getresponse().status == status
        connection.close()


def basic(login: tuple[str, str]) -> str:
    return "Basic " + b64encode(":".join(login).encode()).decode()


def test_the_log_names_who_and_what_but_no_query_and_no_password(proxy: Proxy) -> None:
    proxy.get("/runs?token=of-somebody", OPERATOR)
    text = proxy.logged('operator "GET /runs" 200')
    assert "of-somebody" not in text
    assert OPERATOR[1] not in text


def test_the_proxy_speaks_tls_alone(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("localhost", proxy.port, timeout=30)
    connection.request("GET", "/pages/")
    assert connection.getresponse().status == 400
    answer = proxy.get("/pages/", GUEST)
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert answer.headers["X-Frame-Options"] == "DENY"
