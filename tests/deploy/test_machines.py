"""Units of systemd and manifests of Kubernetes: what can be said about them without either."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pteroassets.cli import main
from pteroassets.platform.health import PORTS
from pteroassets.settings import CHECKOUT, SECRET_FILES, Settings
from tests.deploy.proxies import CONFIGURATION, TOOLS, needed

UNITS = CHECKOUT / "deploy" / "systemd"
MANIFESTS = CHECKOUT / "deploy" / "kubernetes"
KUBERNETES = "1.33"
SERVICES = ("code-server", "daemon", "webserver", "guests", "site", "outbox", "bot", "collector")
COMMAND = "/srv/pteroassets/.venv/bin/pteroassets"
KNOWN = {*(name.upper() for name in Settings.model_fields), *SECRET_FILES}


def documents() -> list[dict[str, Any]]:
    return [one for path in sorted(MANIFESTS.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]


def pods() -> dict[str, dict[str, Any]]:
    found = [one for one in documents() if one["kind"] in {"StatefulSet", "Deployment"}]
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in found}


def containers() -> list[tuple[str, dict[str, Any]]]:
    return [(name, one) for name, pod in pods().items() for one in (*pod.get("initContainers", []), *pod["containers"])]


def be_a_command(arguments: list[str]) -> None:
    """Fail if the command line does not take *arguments*."""
    command, *rest = arguments
    main.commands[command].make_context(command, rest)


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The units as they would be installed, with programs that this machine has."""
    made = []
    for path in UNITS.iterdir():
        names = (
            [f"pteroassets@{name}.service" for name in SERVICES] if path.name == "pteroassets@.service" else [path.name]
        )
        for name in names:
            text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(), flags=re.MULTILINE)
            (tmp_path / name).write_text(text)
            made.append(tmp_path / name)
    return made


def test_systemd_takes_the_units_as_they_are(installed: list[Path]) -> None:
    analyze = needed(shutil.which("systemd-analyze"), "needs systemd")
    result = subprocess.run([analyze, "verify", *installed], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    broken = installed[0].parent / "pteroassets.service"
    broken.write_text(broken.read_text().replace("ProtectSystem=strict", "ProtectSistem=strict"))
    result = subprocess.run([analyze, "verify", broken], capture_output=True, text=True, check=False)
    assert "ProtectSistem" in result.stderr


@pytest.mark.parametrize("name", sorted(path.name for path in UNITS.glob("*.service")))
def test_a_unit_may_do_little_on_its_machine(installed: list[Path], name: str) -> None:
    analyze = needed(shutil.which("systemd-analyze"), "needs systemd")
    unit = installed[0].parent / name.replace("@.", "@site.")
    # from 0, safe, to 10; 2.0 is written 20
    command = [analyze, "security", "--offline=yes", "--no-pager", "--threshold=20", unit]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout.splitlines()[-1]


def test_units_run_commands_that_there_are_with_secrets_in_files() -> None:
    for path in UNITS.glob("*.service"):
        text = path.read_text()
        (command,) = re.findall(r"^ExecStart=(.*)$", text, flags=re.MULTILINE)
        loaded = set(re.findall(r"^LoadCredential=(\w+):/etc/pteroassets/secrets/\1$", text, flags=re.MULTILINE))
        assert len(loaded) == text.count("LoadCredential=")
        if path.name == "pteroassets-proxy.service":
            asked = {
                name
                for one in CONFIGURATION.glob("*.conf")
                for name in re.findall(r"PROXY_FILES\}/(\w+)", one.read_text())
            }
            assert loaded == asked
            continue
        program, *arguments = command.split()
        assert program == COMMAND
        for name in SERVICES if "%i" in arguments else ("",):
            be_a_command([name if argument == "%i" else argument for argument in arguments])
        given = dict(re.findall(r"^Environment=(\w+)=(\S+)$", text, flags=re.MULTILINE))
        assert given.keys() <= KNOWN
        files = {name: value for name, value in given.items() if name in SECRET_FILES}
        assert {f"%d/{name}" for name in loaded} == set(files.values())
        assert all(value == f"%d/{name.removesuffix('_FILE').lower()}" for name, value in files.items())


def test_the_manifests_follow_the_schemas_of_kubernetes(tmp_path: Path) -> None:
    validate = needed(TOOLS / "kubernetes-validate", "needs make tools")
    files = [path for path in sorted(MANIFESTS.glob("*.yaml")) if path.name != "kustomization.yaml"]
    command = [validate, "--strict", "--kubernetes-version", KUBERNETES]
    result = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    broken = tmp_path / "proxy.yaml"
    broken.write_text((MANIFESTS / "proxy.yaml").read_text().replace("runAsNonRoot", "runAsNonroot"))
    result = subprocess.run([*command, broken], capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "runAsNonroot" in result.stdout + result.stderr


def test_all_manifests_are_applied_with_images_of_ones_own() -> None:
    listed = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())
    assert sorted(listed["resources"]) == sorted(
        path.name for path in MANIFESTS.glob("*.yaml") if path.name != "kustomization.yaml"
    )
    named = {one["name"] for one in listed["images"]}
    assert named == {one["image"] for _, one in containers()}
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (CHECKOUT / "deploy" / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert named == {"pteroassets" if stage == "platform" else f"pteroassets-{stage}" for stage in stages[1:]}


def test_no_container_may_become_root_or_write_its_image() -> None:
    for name, pod in pods().items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod["automountServiceAccountToken"]
    for name, one in containers():
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert "memory" in one["resources"]["limits"]


def test_each_container_of_ours_is_a_command_with_settings_that_there_are() -> None:
    settings = {one["metadata"]["name"]: one["data"] for one in documents() if one["kind"] == "ConfigMap"}
    assert settings["platform"].keys() <= KNOWN
    assert not [name for name in settings["platform"] if f"{name}_FILE" in SECRET_FILES], "a secret stands in a file"
    ours = [(pod, one) for pod, one in containers() if one["image"] == "pteroassets"]
    assert {one["name"] for _, one in ours} == {*SERVICES, "migrate", "worker"}
    for _, one in ours:
        be_a_command(one["args"])
        assert one["envFrom"] == [{"configMapRef": {"name": "platform"}}]
        if one["name"] in SERVICES:
            for probe in ("startupProbe", "livenessProbe"):
                program, *arguments = one[probe]["exec"]["command"]
                assert (program, arguments) == ("pteroassets", ["service", one["name"], "--healthy"])
    texts = [(CONFIGURATION / name).read_text() for name in ("apache.conf", "oidc.conf")]
    asked = {name for text in texts for name in re.findall(r"\$\{(PROXY_\w+)\}", text)}
    assert asked - settings["proxy"].keys() == {"PROXY_CONF", "PROXY_PORT", "PROXY_RUN", "PROXY_FILES"}, "of the image"


def test_the_platform_is_reached_through_the_proxy_alone() -> None:
    services = {one["metadata"]["name"]: one["spec"] for one in documents() if one["kind"] == "Service"}
    assert [name for name, one in services.items() if one.get("type", "ClusterIP") != "ClusterIP"] == ["proxy"]
    policies = {one["metadata"]["name"]: one["spec"] for one in documents() if one["kind"] == "NetworkPolicy"}
    assert policies["nothing-by-default"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    (rule,) = policies["platform-from-the-proxy"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app": "proxy"}}}]
    assert [one["port"] for one in rule["ports"]] == [PORTS["webserver"], PORTS["guests"], PORTS["site"]]
    assert {one["port"] for one in services["platform"]["ports"]} == {
        PORTS["webserver"],
        PORTS["guests"],
        PORTS["site"],
    }
