"""Two checkouts to compare: this one, and the commit that ratios are against, each run in processes of its own."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from pteroassets.settings import CHECKOUT

BASELINE_COMMIT = "7b2c3ca176a543915f72e11c0a19f00814f5b5d7"
BASELINE_NAME = f"commit {BASELINE_COMMIT[:7]}"
"""What a measurement against the older build calls it."""

_HANDED_DOWN = "PTEROASSETS_BENCH_BASELINE"
_LOCKS = ("requirements/dev.txt", "requirements/build.txt")
_PIN = re.compile(r"^([A-Za-z0-9][^\n\\]*?==[^\n\\]*?) *\\?$", re.MULTILINE)
_PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--quiet")


class UnavailableError(Exception):
    """What a measurement needs is not on this machine; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A tree of the project at *path*, and the *python* that has what it depends on."""

    path: Path
    python: Path

    def environment(self, others: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the variables by which processes find the modules of this tree and the programs beside Python."""
        return {
            **os.environ,
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.path),
            **(others or {}),
        }

    def run(
        self, code: str, *arguments: str, env: Mapping[str, str] | None = None, seconds: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run *code* in a new process of this tree and wait for it.

        Raises:
            RuntimeError: It failed; the text is the end of what it said.
            subprocess.TimeoutExpired: It did not end in so many *seconds*.
        """
        return self._wait([str(self.python), "-c", code, *arguments], env, seconds)

    def module(
        self, name: str, *arguments: str, env: Mapping[str, str] | None = None, seconds: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the module *name* as ``python -m`` does; the errors are those of `run`."""
        return self._wait([str(self.python), "-m", name, *arguments], env, seconds)

    def json(
        self, code: str, *arguments: str, env: Mapping[str, str] | None = None, seconds: float | None = None
    ) -> Any:
        """Run *code* and return what the last line that it printed holds as JSON; the errors are those of `run`."""
        printed = self.run(code, *arguments, env=env, seconds=seconds).stdout.strip()
        if not printed:
            raise RuntimeError("nothing was printed, and the last line was to be JSON")
        return json.loads(printed.splitlines()[-1])

    def start(self, *command: str, env: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        """Start *command* in this tree, for what outlives a single call; who starts it ends it."""
        return subprocess.Popen(command, cwd=self.path, env=self.environment(env), text=True, **options)

    def _wait(
        self, command: list[str], env: Mapping[str, str] | None, seconds: float | None
    ) -> subprocess.CompletedProcess[str]:
        answer = subprocess.run(
            command,
            cwd=self.path,
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if answer.returncode != 0:
            said = "\n".join((answer.stdout + answer.stderr).strip().splitlines()[-30:])
            raise RuntimeError(f"{self.path.name} ended with status {answer.returncode}: {said}")
        return answer


def ours() -> Checkout:
    """Return this tree, with the Python that runs now."""
    return Checkout(CHECKOUT, Path(sys.executable))


@contextmanager
def prepared_baseline() -> Iterator[Checkout]:
    """Lay the baseline's tree and Python into a temporary folder, for this process and all that it starts.

    Raises:
        UnavailableError: The commit is not in this clone, or what it depends on cannot be installed.
    """
    with tempfile.TemporaryDirectory(prefix="pteroassets-bench-") as folder:
        # others may go through it: Postgres gives up root and reads the folder that it stands in
        Path(folder).chmod(0o755)
        made = _lay_out(Path(folder))
        os.environ[_HANDED_DOWN] = json.dumps([str(made.path), str(made.python)])
        try:
            yield made
        finally:
            del os.environ[_HANDED_DOWN]


@contextmanager
def baseline() -> Iterator[Checkout]:
    """Give the tree of `BASELINE_COMMIT`: the one that the runner prepared, else one for the block.

    Raises:
        UnavailableError: As `prepared_baseline`.
    """
    handed = os.environ.get(_HANDED_DOWN)
    if handed is None:
        with prepared_baseline() as made:
            yield made
    else:
        path, python = json.loads(handed)
        yield Checkout(Path(path), Path(python))


def _lay_out(folder: Path) -> Checkout:
    if shutil.which("git") is None:
        raise UnavailableError("git is not installed (Debian: apt-get install git), so there is no baseline")
    command = ["git", "archive", "--format=tar", BASELINE_COMMIT]
    archive = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=False)
    if archive.returncode != 0:
        raise UnavailableError(
            f"commit {BASELINE_COMMIT} is not in this clone, so there is no baseline: git fetch --unshallow brings it"
        )
    tree = folder / f"baseline-{BASELINE_COMMIT[:7]}"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(tree, filter="data")
    if not differing_packages((tree / lock).read_text() for lock in _LOCKS):
        return Checkout(tree, Path(sys.executable))
    return Checkout(tree, _install(tree, folder / "venv"))


def differing_packages(locks: Iterable[str]) -> list[str]:
    """Return the pins of *locks* that are not what is installed here; pins for other systems do not count."""
    differing = []
    for pin in (Requirement(pin) for lock in locks for pin in _PIN.findall(lock)):
        if pin.marker is not None and not pin.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = importlib.metadata.version(pin.name)
        except importlib.metadata.PackageNotFoundError:
            installed = "none"
        if f"=={installed}" != str(pin.specifier):
            differing.append(f"{pin.name}{pin.specifier} (installed: {installed})")
    return differing


def _install(tree: Path, environment: Path) -> Path:
    """Make a virtual environment of what the locks of *tree* name, and return its Python."""
    python = environment / "bin" / "python"
    wanted = [part for lock in _LOCKS for part in ("--requirement", lock)]
    for command in (
        [sys.executable, "-m", "venv", str(environment)],
        [str(python), *_PIP, "--require-hashes", *wanted],
        [str(python), *_PIP, "--no-deps", "--no-build-isolation", "--editable", "."],
    ):
        answer = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            said = answer.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise UnavailableError(f"what the baseline depends on could not be installed: {said[0]}")
    return python
