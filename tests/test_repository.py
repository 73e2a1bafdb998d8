"""The repository itself: locks that agree with what was asked for, and nothing that only holds on one machine."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from pteroassets.settings import CHECKOUT
from tests.conftest import pytest_ignore_collect

REQUIREMENTS = CHECKOUT / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("*.txt"))
PLATFORMS = [
    {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": system,
        "platform_system": "Darwin" if system == "darwin" else "Linux",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    for version in ("3.11", "3.12", "3.13")
    for system in ("linux", "darwin")
]
LINES_OF_A_PIN = re.compile(
    r"^(?P<pin>[A-Za-z0-9][^\n\\]*?) *\\\n(?P<hashes>(?: +--hash=sha256:[0-9a-f]{64}(?: *\\)?\n)+)", re.MULTILINE
)


def pins(lock: Path) -> list[Requirement]:
    return [Requirement(match["pin"]) for match in LINES_OF_A_PIN.finditer(lock.read_text())]


def pinned_on(lock: Path, platform: dict[str, str]) -> dict[str, Version]:
    found: dict[str, Version] = {}
    for pin in pins(lock):
        if pin.marker is None or pin.marker.evaluate(platform):
            (specifier,) = pin.specifier
            assert canonicalize_name(pin.name) not in found, f"{pin.name} is pinned twice on {platform}"
            found[canonicalize_name(pin.name)] = Version(specifier.version)
    return found


def unmet(wanted: list[str], lock: Path) -> list[str]:
    missing = []
    for platform in PLATFORMS:
        found = pinned_on(lock, platform)
        for text in wanted:
            requirement = Requirement(text)
            if requirement.marker is not None and not requirement.marker.evaluate(platform):
                continue
            version = found.get(canonicalize_name(requirement.name))
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                missing.append(f"{text}: {version} on {platform['sys_platform']} {platform['python_version']}")
    return missing


def tracked_files() -> list[Path]:
    if shutil.which("git") is None or not (CHECKOUT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    return [CHECKOUT / name for name in listed.split("\0") if name and (CHECKOUT / name).is_file()]


def tracked_texts() -> dict[Path, str]:
    texts = {}
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content:
            texts[path.relative_to(CHECKOUT)] = content.decode(errors="replace")
    return texts


def project() -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text())


def test_the_lock_holds_everything_that_pyproject_asks_for() -> None:
    asked = [*project()["project"]["dependencies"], *project()["dependency-groups"]["dev"]]
    assert unmet(asked, REQUIREMENTS / "dev.txt") == []
    assert unmet(project()["build-system"]["requires"], REQUIREMENTS / "build.txt") == []


@pytest.mark.parametrize("asked", sorted(REQUIREMENTS.glob("*.in")), ids=lambda path: path.stem)
def test_the_lock_of_a_tool_holds_what_is_asked_for(asked: Path) -> None:
    lines = [line for line in asked.read_text().splitlines() if line and not line.startswith("#")]
    assert lines
    assert unmet(lines, asked.with_suffix(".txt")) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_line_of_a_lock_is_a_pin_with_its_hashes(lock: Path) -> None:
    rest = LINES_OF_A_PIN.sub("", lock.read_text())
    assert rest.strip() == ""
    assert all(re.fullmatch(r"==[^*]+", str(pin.specifier)) for pin in pins(lock))


def test_what_is_installed_is_what_the_lock_says_and_needs_nothing_else() -> None:
    locked = pinned_on(REQUIREMENTS / "dev.txt", {"extra": ""})
    wrong = []
    for name, version in locked.items():
        installed = importlib.metadata.distribution(name)
        if Version(installed.version) != version:
            wrong.append(f"{name} is {installed.version} instead of {version}")
        for text in installed.requires or []:
            needed = Requirement(text)
            if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
                continue
            found = locked.get(canonicalize_name(needed.name))
            if found is None and canonicalize_name(needed.name) == "setuptools":
                continue  # of build.txt
            if found is None or not needed.specifier.contains(found, prereleases=True):
                wrong.append(f"{name} needs {text}, and the lock has {found}")
    assert wrong == []


def test_a_file_for_pip_says_nothing_about_where_packages_come_from() -> None:
    options = re.compile(r"://|--(index-url|extra-index-url|find-links|trusted-host)|(^|\s)-[if] ", re.MULTILINE)
    for path in REQUIREMENTS.iterdir():
        assert options.search(path.read_text()) is None, path


def test_no_file_names_the_host_of_a_package_registry() -> None:
    # put together here, so that this file does not name them either
    hosts = [
        ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))
    ]
    found = [(str(path), host) for path, text in tracked_texts().items() for host in hosts if host in text]
    assert found == []


def test_no_file_names_a_folder_of_this_machine() -> None:
    folders = [path for path in (CHECKOUT, Path.home(), Path(sys.prefix)) if len(path.parts) > 2 or path == Path.home()]
    found = [
        (str(path), str(folder))
        for path, text in tracked_texts().items()
        for folder in folders
        if len(folder.parts) > 1 and re.search(rf"(?<![\w.~-]){re.escape(str(folder))}(?![\w-])", text)
    ]
    assert found == []


def test_no_file_holds_what_looks_like_a_real_key_of_the_panel() -> None:
    key = re.compile(r"ptl[ac]_[A-Za-z0-9]{43}\b")
    found = [(str(path), match) for path, text in tracked_texts().items() for match in key.findall(text)]
    varied = [(path, match) for path, match in found if len(set(match)) > 15]  # not one made of a repeated letter
    assert varied == []


def test_no_file_holds_what_a_notebook_showed() -> None:
    assert [path for path in tracked_files() if path.suffix == ".ipynb" or ".ipynb_checkpoints" in path.parts] == []
    outputs = re.compile(r'"(?:outputs|execution_count)"\s*:')
    assert [
        str(path) for path, text in tracked_texts().items() if "notebooks" in path.parts and outputs.search(text)
    ] == []


def test_the_licence_stands_in_the_repository_and_in_the_metadata() -> None:
    metadata = project()["project"]
    assert metadata["license"] == "MIT"
    (name,) = metadata["license-files"]
    text = (CHECKOUT / name).read_text()
    assert text.startswith("MIT License\n\nCopyright (c) ")
    assert metadata["authors"][0]["name"] in text.splitlines()[2]


def test_what_make_offers_is_what_it_explains() -> None:
    text = (CHECKOUT / "Makefile").read_text()
    explained = set(re.findall(r'@echo "make ([a-z-]+) ', text))
    assert explained == {
        "demo", "demo-stream", "up", "test", "test-quick", "test-slow", "check", "audit", "bench", "accuracy", "lock",
        "properties", "notebook", "spark",
    }  # fmt: skip
    assert explained <= set(re.findall(r"^([a-z-]+):", text, flags=re.MULTILINE))


def test_what_ci_calls_can_be_called() -> None:
    for name in ("run", "check", "part", "tests", "interpreter"):
        assert os.access(CHECKOUT / ".ci" / name, os.X_OK), name
        assert subprocess.run(["sh", "-n", CHECKOUT / ".ci" / name], check=False).returncode == 0, name


def test_ci_runs_a_changes_tests_within_8_minutes_and_the_rest_within_12_more() -> None:
    text = (CHECKOUT / ".ci" / "run").read_text()
    parts = {name: int(seconds) for name, seconds in re.findall(r"^part ([\w-]+) (\d+)", text, flags=re.MULTILINE)}
    assert {"install", "checks", "test-quick", "test-slow"} <= parts.keys()
    assert len(parts) == len(re.findall(r"^part ", text, flags=re.MULTILINE)), "each part has a budget"
    assert 0 < parts["test-quick"] <= 8 * 60
    assert 0 < parts["test-slow"] <= 12 * 60
    assert sum(parts.values()) <= 20 * 60


def test_each_file_of_tests_is_in_one_part_and_alone_only_where_a_test_of_it_is() -> None:
    def chosen(part: str, marks: str) -> set[Path]:
        options = {"part": part, "markexpr": marks}
        config = SimpleNamespace(getoption=options.__getitem__)
        return {path for path in files if not pytest_ignore_collect(path, cast("pytest.Config", config))}

    files = set((CHECKOUT / "tests").rglob("test_*.py"))
    slow = {path for path in files if path.parent.name == "slow"}
    assert {path.parent.parent.name for path in slow} >= {"end_to_end"}
    assert chosen("slow", "not alone") == slow
    assert chosen("quick", "not alone") == files - slow
    assert {path.name for path in chosen("slow", "alone")} == {"test_killed_workers.py"}
    assert {path.name for path in chosen("quick", "alone")} == {"test_services.py"}
    # put together here, so that this file is none of them
    properties = {path for path in files if "@" + "given(" in path.read_text()}
    assert len(properties) > 10
    assert properties <= chosen("deep", "not alone") < files - slow


def choose_interpreter(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CHECKOUT / ".ci" / "interpreter"],
        env={"PATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_interpreter_that_only_pretends_to_be_there_is_passed_over(tmp_path: Path) -> None:
    good = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    for name, script in {
        "python3.13": "#!/bin/sh\necho 'version not chosen' >&2\nexit 127\n",
        "python3.12": good,
        "python3": good,
    }.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    assert choose_interpreter(tmp_path).stdout.strip() == str(tmp_path / "python3.12")
    assert choose_interpreter(tmp_path, PYTHON="python3").stdout.strip() == str(tmp_path / "python3")
    (tmp_path / "python3.12").unlink()
    (tmp_path / "python3").unlink()
    answer = choose_interpreter(tmp_path)
    assert answer.returncode == 1
    assert "no Python from 3.11 to 3.13" in answer.stderr


def test_a_part_over_twice_its_budget_fails_where_ci_runs_it() -> None:
    command = [str(CHECKOUT / ".ci" / "part"), "nap", "0", "sleep", "1.1"]
    for ci, status in (("true", 1), ("", 0)):
        # what it prints is not to be counted among the parts of a run that these tests are a part of
        answer = subprocess.run(
            command, env={**os.environ, "CI": ci, "PARTS": ""}, capture_output=True, text=True, check=False
        )
        assert answer.returncode == status
        assert "over its budget" in answer.stdout


def test_a_slower_machine_has_as_much_more_time_and_a_faster_one_no_less(tmp_path: Path) -> None:
    def ends(slowness: str) -> int:
        return subprocess.run(
            [str(CHECKOUT / ".ci" / "part"), "nap", "1", "sleep", "3.1"],
            env={**os.environ, "CI": "true", "PARTS": "", "SLOWNESS": slowness},
            capture_output=True,
            check=False,
            cwd=tmp_path,  # without an interpreter by which how slow it is now could be asked for
        ).returncode

    assert [ends(slowness) for slowness in ("100", "250")] == [1, 0]
    said = subprocess.run(
        [sys.executable, str(CHECKOUT / ".ci" / "slowness.py")], capture_output=True, text=True, check=True
    ).stdout
    assert int(said) >= 100


def test_dagster_sends_nothing_and_covers_nothing_and_frees_what_a_dead_run_held() -> None:
    settings = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text())
    assert settings["telemetry"] == {"enabled": False}
    assert settings["nux"] == {"enabled": False}
    monitoring = settings["run_monitoring"]
    assert monitoring["enabled"]
    assert monitoring["poll_interval_seconds"] + monitoring["free_slots_after_run_end_seconds"] < 15
    assert settings["run_retries"]["enabled"]


def test_how_many_examples_a_property_is_tried_on_is_said_once() -> None:
    setter = re.compile(r"max_examples\s*=")
    assert [
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "tests").rglob("*.py")
        if setter.search(path.read_text())
    ] == ["tests/conftest.py"]


def test_the_entrance_hall_holds_five_modules_at_most() -> None:
    package = CHECKOUT / "pteroassets"
    modules = sorted(path.stem for path in package.glob("*.py") if path.stem != "__init__")
    assert len(modules) <= 5, f"give each of {modules} a room, see docs/architecture.md"
