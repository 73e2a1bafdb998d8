"""What deploy/stream says of brokers, the writer, the loader and Spark: all that can be said without any of them."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import yaml

from pteroassets.cli import main
from pteroassets.settings import CHECKOUT, SECRET_FILES, Settings
from pteroassets.stream.broker import MOST_RECORD_BYTES
from pteroassets.stream.spark.arguments import arguments_of
from tests.deploy.proxies import TOOLS, needed
from tests.deploy.test_containers import COMPOSE as PLATFORM
from tests.deploy.test_machines import KUBERNETES

FOLDER = CHECKOUT / "deploy" / "stream"
VALUES = {"KAFKA_IMAGE": "kafka:4", "KAFKA_CLUSTER_ID": "an-id", "PTEROASSETS_IMAGE": "pteroassets"}
TEXT = re.sub(r"\$\{(\w+)(?::[-?][^}]*)?\}", lambda match: VALUES[match[1]], (FOLDER / "compose.yaml").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BROKERS = ("kafka-1", "kafka-2", "kafka-3")
KNOWN = {*(name.upper() for name in Settings.model_fields), *SECRET_FILES}


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def test_the_compose_file_follows_the_specification() -> None:
    python = needed(TOOLS / "python", "needs make tools")
    # what it changes of the platform's services has neither an image nor what builds one
    own = {name: {**one} for name, one in SERVICES.items() if "image" in one}
    assert SERVICES.keys() - own.keys() <= PLATFORM["services"].keys()
    for one in own.values():
        one["depends_on"] = {name: how for name, how in one.get("depends_on", {}).items() if name in own}
    plain = {
        "services": own,
        "volumes": {**COMPOSE["volumes"], "data": None},
        "networks": {"back": PLATFORM["networks"]["back"]},
        "secrets": {"postgres_password": PLATFORM["secrets"]["postgres_password"]},
    }
    check = "import sys, compose_spec as c; c.PyCompose.from_json(sys.stdin.read()).validate()"

    def refusal(text: str) -> str:
        result = subprocess.run([python, "-c", check], input=text, capture_output=True, text=True, check=False)
        return result.stderr if result.returncode else ""

    assert refusal(json.dumps(plain)) == ""
    assert "helthcheck" in refusal(json.dumps(plain).replace('"healthcheck"', '"helthcheck"', 1))


def test_what_is_answered_with_202_is_on_two_disks_at_least() -> None:
    voters = {f"{number}@{name}:9093" for number, name in enumerate(BROKERS, start=1)}
    for number, name in enumerate(BROKERS, start=1):
        said = SERVICES[name]["environment"]
        assert (said["KAFKA_NODE_ID"], {*said["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",")}) == (str(number), voters)
        assert said["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{name}:9092"
        assert (said["KAFKA_DEFAULT_REPLICATION_FACTOR"], said["KAFKA_MIN_INSYNC_REPLICAS"]) == ("3", "2")
        assert said["KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE"] == "false"
        assert int(said["KAFKA_MESSAGE_MAX_BYTES"]) >= MOST_RECORD_BYTES
        assert SERVICES[name]["volumes"] == [f"{name}:{said['KAFKA_LOG_DIRS']}"]
        assert "ports" not in SERVICES[name]


def test_the_writer_and_the_loader_are_commands_with_settings_that_there_are() -> None:
    pods = [one["spec"]["template"]["spec"]["containers"] for one in documents("kubernetes.yaml")]
    commands = [SERVICES[name]["command"] for name in ("stream-write", "stream-load")]
    assert commands == [one["args"] for (one,) in pods] == [["stream", "write"], ["stream", "load"]]
    for group, command in commands:
        assert command in main.commands[group].commands  # type: ignore[attr-defined]
    for name, one in SERVICES.items():
        if name not in BROKERS:
            assert one["environment"].keys() <= KNOWN, name
            assert {*one.get("networks", [])} <= PLATFORM["networks"].keys()
            assert {*one.get("secrets", [])} <= PLATFORM["secrets"].keys()
    said = {name: one["environment"] for name, one in SERVICES.items()}
    assert said["collector"]["PTEROASSETS_EVENT_BROKERS"] == ",".join(f"{one}:9092" for one in BROKERS)
    assert said["code-server"]["PTEROASSETS_LAKE"] == said["stream-write"]["PTEROASSETS_LAKE"]


def test_the_manifests_follow_the_schemas_of_kubernetes() -> None:
    validate = needed(TOOLS / "kubernetes-validate", "needs make tools")
    files = [FOLDER / "kubernetes.yaml", FOLDER / "spark.yaml"]
    command = [validate, "--strict", "--kubernetes-version", KUBERNETES]
    result = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    for one in [*documents("kubernetes.yaml"), *documents("spark.yaml")]:
        if one["kind"] == "Deployment":
            pod = one["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"]
            assert all("memory" in container["resources"]["limits"] for container in pod["containers"])


def test_the_driver_starts_the_job_and_executors_find_it() -> None:
    found = {(one["kind"], one["metadata"]["name"]): one for one in documents("spark.yaml")}
    data = found["ConfigMap", "spark"]["data"]
    said = dict(line.split(maxsplit=1) for line in data["spark-defaults.conf"].splitlines())
    (driver,) = found["Deployment", "spark-driver"]["spec"]["template"]["spec"]["containers"]
    ports = {str(one["port"]) for one in found["Service", "spark-driver"]["spec"]["ports"]}
    assert ports == {said["spark.driver.port"], said["spark.driver.blockManager.port"]}
    assert said["spark.driver.host"].startswith("spark-driver.")
    assert said["spark.kubernetes.container.image"] == driver["image"]
    template = yaml.safe_load(data[said["spark.kubernetes.executor.podTemplateFile"].removeprefix("/etc/spark/")])
    assert template["spec"]["securityContext"]["runAsNonRoot"]
    program = "/srv/pteroassets/pteroassets/stream/spark/job.py"
    at = driver["args"].index(program)
    assert (CHECKOUT / program.removeprefix("/srv/pteroassets/")).exists()
    arguments = arguments_of(driver["args"][at + 1 :])
    assert (arguments.source, arguments.format, arguments.lake.split(".")[0]) == ("kafka", "iceberg", "lake")
    assert "password" not in " ".join(driver["args"]).replace("jdbc.password=$(LAKE_PASSWORD)", "").lower()


def test_the_image_of_spark_is_as_the_linter_wants_it_and_holds_what_the_job_imports() -> None:
    hadolint = needed(TOOLS / "hadolint", "needs make tools")
    result = subprocess.run([hadolint, FOLDER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")
    text = (FOLDER / "Dockerfile").read_text()
    lines = re.findall(r"^COPY (pteroassets.*) \S+$", text, flags=re.MULTILINE)
    copied = {one for line in lines for one in line.split()}
    assert all((CHECKOUT / one).exists() for one in copied)
    stream = CHECKOUT / "pteroassets" / "stream"
    for path in [*(stream / "spark").glob("*.py"), stream / "rows.py"]:
        for module in re.findall(r"^from (pteroassets\.[\w.]+) import", path.read_text(), flags=re.MULTILINE):
            place = module.replace(".", "/")
            assert any(place == one.removesuffix(".py") or place.startswith(f"{one}/") for one in copied), module
