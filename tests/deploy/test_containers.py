"""The Dockerfile and the Compose file: what they say can be read without a container engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from pteroassets.cli import main
from pteroassets.platform.health import PORTS
from pteroassets.platform.loopback import HOST, free_port
from pteroassets.settings import CHECKOUT, SECRET_FILES, Settings, read_secret
from tests.deploy.proxies import CONFIGURATION, TOOLS, needed, wait_for
from tests.test_repository import pins, project, unmet

DEPLOY = CHECKOUT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
PINNED = re.compile(r"[a-z0-9./-]+:[a-z0-9.-]*\d[a-z0-9.-]*@sha256:[0-9a-f]{64}")
ONE_SHOT = {"migrate", "build"}
VALUES = {
    "PROXY_ADDRESS": "dagster.example.com",
    "PROXY_OPERATORS": "operator",
    "PTERODACTYL_URL": "https://panel.example.com",
}


def interpolated(text: str) -> str:
    """*text* with its variables as Compose replaces them: a value, a default, or a fault."""

    def value(match: re.Match[str]) -> str:
        name, how, rest = match.groups()
        if how == ":?":
            return VALUES[name]
        assert how == ":-", match[0]
        return VALUES.get(name, rest)

    return re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", value, text)


COMPOSE: dict[str, Any] = yaml.safe_load(interpolated((DEPLOY / "compose.yaml").read_text()))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, one in SERVICES.items() if one.get("build", {}).get("target") == "platform")


def stages() -> dict[str, str]:
    """Each stage of the Dockerfile by its name."""
    found = re.split(r"^FROM (\S+) AS (\w+)\n", DOCKERFILE, flags=re.MULTILINE)
    return dict(zip(found[2::3], found[3::3], strict=True))


def test_the_dockerfile_is_as_the_linter_wants_it() -> None:
    hadolint = needed(TOOLS / "hadolint", "needs make tools")
    result = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_every_image_from_elsewhere_is_named_by_tag_and_digest() -> None:
    bases = re.findall(r"^ARG \w+=(\S+)$", DOCKERFILE, flags=re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, flags=re.MULTILINE)) == {"${PYTHON}", "${DEBIAN}"}
    elsewhere = [one["image"] for one in SERVICES.values() if "build" not in one]
    assert len(bases) == 2
    assert elsewhere
    assert [image for image in (*bases, *elsewhere) if not PINNED.fullmatch(image)] == []


def test_each_image_runs_as_somebody_who_is_not_root() -> None:
    made = {one["build"]["target"] for one in SERVICES.values() if "build" in one}
    assert made == stages().keys() - {"built"}
    for name in made:
        users = re.findall(r"^USER (.*)$", stages()[name], flags=re.MULTILINE)
        assert users == ["10001:10001"], name
        # what follows is not done as root either
        assert "RUN" not in stages()[name].rpartition("USER")[2]


def test_the_image_holds_what_the_lock_names_and_no_more_than_is_needed() -> None:
    assert "--require-hashes" in stages()["built"]
    assert "dev.txt" not in DOCKERFILE
    locked = {pin.name: str(pin) for pin in pins(CHECKOUT / "requirements" / "platform.txt")}
    all_locked = {str(pin) for pin in pins(CHECKOUT / "requirements" / "dev.txt")}
    assert {"dagster", "dbt-core", "celery"} <= locked.keys()
    assert not {"pytest", "mypy", "playwright"} & locked.keys()
    # the very versions that are tested; a marker may name another platform
    tested = {re.split(r" ?;", pin)[0] for pin in all_locked}
    assert [pin for pin in locked.values() if re.split(r" ?;", pin)[0] not in tested] == []
    wanted = project()["project"]
    asked = [
        *wanted["dependencies"],
        *wanted["optional-dependencies"]["celery"],
        *wanted["optional-dependencies"]["archive"],
    ]
    assert unmet(asked, CHECKOUT / "requirements" / "platform.txt") == []


def test_only_what_runs_goes_into_the_image() -> None:
    lines = [
        line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] not in {"", "#"}
    ]
    assert lines[0] == "*"
    wanted = {line[1:] for line in lines if line.startswith("!")}
    assert wanted >= {"pteroassets", "dbt_project", "requirements", "dagster.yaml", "workspace.yaml", "pyproject.toml"}
    assert not any(path.startswith((".", "deploy/secrets", "tests")) for path in wanted)
    copied = {
        path for line in re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, flags=re.MULTILINE) for path in line.split()
    }
    for path in copied - {"."}:
        assert (CHECKOUT / path).exists()
        assert any(path == one or path.startswith(f"{one}/") for one in wanted), path


def test_the_compose_file_follows_the_specification() -> None:
    python = needed(TOOLS / "python", "needs make tools")
    plain = {key: value for key, value in COMPOSE.items() if not key.startswith("x-")}
    # the checker takes an image to have either a tag or a digest
    text = re.sub(r"@sha256:[0-9a-f]{64}", "", json.dumps(plain))
    check = "import sys, compose_spec as c; c.PyCompose.from_json(sys.stdin.read()).validate()"

    def refusal(document: str) -> str:
        result = subprocess.run([python, "-c", check], input=document, capture_output=True, text=True, check=False)
        return result.stderr if result.returncode else ""

    assert refusal(text) == ""
    assert "helthcheck" in refusal(text.replace('"healthcheck"', '"helthcheck"', 1))


def test_only_a_proxy_with_a_login_has_a_port_outside() -> None:
    published = {name for name, one in SERVICES.items() if "ports" in one}
    assert published == {"proxy-basic", "proxy-oidc"}
    for name in published:
        login = name.removeprefix("proxy-")
        assert SERVICES[name]["profiles"] == [login]
        assert SERVICES[name]["command"] == ["-D", login]
        assert f"<IfDefine {login}>" in (CONFIGURATION / "apache.conf").read_text()
    assert all("network_mode" not in one for one in SERVICES.values())
    reached = {net for name in published for net in SERVICES[name]["networks"]}
    assert {name for name, one in SERVICES.items() if reached & {*one["networks"]}} - published == {
        "webserver", "guests", "site", "build",
    }  # fmt: skip
    assert "postgres" not in {name for name, one in SERVICES.items() if "out" in one["networks"]}
    assert COMPOSE["networks"]["front"] == COMPOSE["networks"]["back"] == {"internal": True}


def test_the_proxy_is_told_all_that_its_configuration_asks_for() -> None:
    for login in ("basic", "oidc"):
        texts = [(CONFIGURATION / name).read_text() for name in ("apache.conf", f"{login}.conf")]
        asked = {name for text in texts for name in re.findall(r"\$\{(PROXY_\w+)\}", text)}
        one = SERVICES[f"proxy-{login}"]
        image = set(re.findall(r"(PROXY_\w+)=", stages()["proxy"]))
        assert asked == {*one["environment"], *image}
        files = {name for text in texts for name in re.findall(r"\$\{PROXY_FILES\}/(\w+)", text)}
        assert files == set(one["secrets"])
    for name, service in (("WEBSERVER", "webserver"), ("GUESTS", "guests"), ("SITE", "site")):
        assert one["environment"][f"PROXY_{name}"] == f"{service}:{PORTS[service]}"  # type: ignore[index]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_service_has_bounds_and_says_how_it_is(name: str) -> None:
    one = SERVICES[name]
    limits = one["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory", "pids"}
    assert "no-new-privileges:true" in one["security_opt"]
    assert one["logging"]["options"]["max-size"]
    assert {*one.get("secrets", [])} <= COMPOSE["secrets"].keys()
    for other, how in one.get("depends_on", {}).items():
        condition = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert how == {"condition": condition}
    if name not in ONE_SHOT | {"worker"}:
        assert one["restart"] == "unless-stopped"
        assert one["healthcheck"]["test"][0] == "CMD"
    if name != "postgres":  # its own image gives up root after it has made its folder
        assert one["read_only"]
        assert one["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", OURS)
def test_each_service_of_ours_is_a_command_with_settings_that_there_are(name: str) -> None:
    one = SERVICES[name]
    commands = [one["command"]]
    if (health := one.get("healthcheck")) is not None:
        assert health["test"][1] == "pteroassets"
        assert health["test"][2:4] == ["service", name]
        commands.append(health["test"][2:])
    for command, *arguments in commands:
        context = main.commands[command].make_context(command, list(arguments))
        for service in ("code_server", "webserver"):
            host, port = context.params.get(service) or ("127.0.0.1", 0)
            assert host in {"127.0.0.1", *SERVICES}
            assert host == "127.0.0.1" or port == PORTS[host]
    known = {*(field.upper() for field in Settings.model_fields), *SECRET_FILES}
    assert one["environment"].keys() <= known
    for variable, value in one["environment"].items():
        if variable in SECRET_FILES and value:
            assert Path(value).parent == Path("/run/secrets")
            assert Path(value).name in one["secrets"]
    assert not [field for field in one["environment"] if f"{field}_FILE" in SECRET_FILES], "a secret stands in a file"


def test_secrets_are_made_once_and_for_their_reader_alone(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    script = DEPLOY / "make-secrets"
    said = subprocess.run([script, folder], capture_output=True, text=True, check=True).stdout
    made = {path.name: path.read_text() for path in folder.iterdir()}
    asked = {name for name in COMPOSE["secrets"] if f"{name}:" in said}
    assert made.keys() | asked == COMPOSE["secrets"].keys()
    assert made.keys() & asked == set()
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.iterdir()])
    for name in ("postgres_password", "pteroassets_pii_key"):
        assert len(read_secret(folder / name)) >= 32
    broker = made["broker_password"].strip().removeprefix("requirepass ")
    assert read_secret(folder / "pteroassets_celery_broker") == f"redis://:{broker}@broker:6379/0"
    filled = [value for value in made.values() if value.strip()]
    assert len(set(filled)) == len(filled) == 4
    subprocess.run([script, folder], capture_output=True, check=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


def test_the_broker_lets_nobody_in_without_its_password(tmp_path: Path) -> None:
    program = needed(shutil.which("redis-server"), "needs Debian's package redis-server")
    password = tmp_path / "broker_password"
    password.write_text("requirepass of-the-broker\n")
    (tmp_path / "data").mkdir()
    text = (DEPLOY / "celery" / "container.conf").read_text()
    assert "bind *" in text, "other containers ask it"
    text = text.replace("/run/secrets/broker_password", str(password)).replace(
        "/var/lib/broker", str(tmp_path / "data")
    )
    (tmp_path / "redis.conf").write_text(text.replace("bind * -::*", f"bind {HOST}"))
    port = free_port()
    log = tmp_path / "log"
    with log.open("wb") as output:
        server = subprocess.Popen([program, tmp_path / "redis.conf", "--port", str(port)], stdout=output)
    try:
        wait_for(port, server, log)
        with redis.Redis(HOST, port) as stranger, pytest.raises(redis.exceptions.AuthenticationError):
            stranger.ping()
        with redis.Redis(HOST, port, password="of-the-broker") as known:
            assert known.ping()
            assert known.config_get("appendonly") == {"appendonly": "yes"}
    finally:
        server.terminate()
        server.wait(30)
