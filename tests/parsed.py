"""dbt for tests: imported once, and the project parsed once for all databases and all processes of the tests.

Another name in the connection has dbt parse the whole project again, which takes eleven seconds of a core: more than
most builds of tests. A run by the command takes five seconds before it does anything; one that is forked from a
process which imported dbt and holds what was parsed takes one.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pteroassets.defs.dbt_project import (
    CONNECTION,
    DBT_PROJECT,
    DIGEST_NAME,
    DbtFailedError,
    digest_of_project,
)

# Any warning fails a test. dbt's driver does not know the type uuid by name, which it says where nobody sees it.
WARNINGS_ARE_ERRORS = {"DBT_WARN_ERROR_OPTIONS": '{"error": "all", "warn": ["TypeCodeNotFound"]}'}
# dbt looks through the whole environment for secrets in each line that it says, and it says twenty thousand in a build
_INHERITED = {"HOME", "LANG", "PATH", "TMPDIR"}
_kept: list[tempfile.TemporaryDirectory[str]] = []
# not forked from the test's own process, which has threads
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.dbt_process"])


@cache
def kept() -> Path:
    """Return the folder of this process in which dbt's targets are kept until it ends."""
    _kept.append(tempfile.TemporaryDirectory(prefix="pteroassets-parsed-"))
    return Path(_kept[0].name)


def run_dbt(arguments: list[str], environment: Mapping[str, str], *, target: Path | None = None) -> None:
    """Run dbt on the project, in the folder below *target* that the database's name has; by default in `kept`.

    Raises:
        DbtFailedError: dbt failed; the message ends with its last output.
    """
    folder = (target or kept()) / environment.get("POSTGRES_DATABASE", "pteroassets")
    # the manifest would be written as it stands
    options = ["--no-write-json"] if (folder / "manifest.json").exists() else []
    _run([*options, *arguments], environment, folder)


def prepare_target(environment: Mapping[str, str], target: Path) -> None:
    """Put into *target* what `prepare_manifest` would for the connection that *environment* names."""
    target.mkdir(parents=True, exist_ok=True)
    _run(["parse"], environment, target, is_kept=True)
    connection = " ".join(environment.get(name, "") for name in CONNECTION)
    (target / DIGEST_NAME).write_text(digest_of_project(DBT_PROJECT, connection))


def _run(command: list[str], environment: Mapping[str, str], target: Path, *, is_kept: bool = False) -> None:
    with tempfile.NamedTemporaryFile("r", prefix="pteroassets-dbt-") as output:
        given = (
            command,
            {name: os.environ[name] for name in _INHERITED & os.environ.keys()} | dict(environment),
            target,
            output.name,
        )
        run = _FORKS.Process(target=_invoke, args=given, kwargs={"is_kept": is_kept})
        run.start()
        run.join()
        if run.exitcode != 0:
            tail = "\n".join(output.read().splitlines()[-25:])
            raise DbtFailedError(f"dbt {' '.join(command)} ended with {run.exitcode}:\n{tail}")


def _invoke(command: list[str], environment: Mapping[str, str], target: Path, output: str, *, is_kept: bool) -> None:
    from tests.dbt_process import invoke  # noqa: PLC0415 - in the process of a test it would be seconds

    invoke(command, environment, target, output, is_kept=is_kept)
