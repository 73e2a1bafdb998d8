"""dbt for tests: what was parsed for a database serves the next one of that name, and dbt is imported once.

Another name in the connection has dbt parse the whole project again, which takes eleven seconds of a core: more than
most builds of tests. So databases are named alike one after another, and each name has a target folder of its own.
A run by the command takes five seconds before it does anything; one that is forked from a process which imported
dbt and that does not write the manifest again takes two.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pteroassets.defs.dbt_project import DBT_PROJECT, DbtFailedError

_kept: list[tempfile.TemporaryDirectory[str]] = []
# not forked from the test's own process, which has threads
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["dbt.cli.main", "dbt.adapters.postgres", "dbt.task.build", __name__])


@cache
def kept() -> Path:
    """Return the folder of this process in which what was parsed is kept until it ends."""
    _kept.append(tempfile.TemporaryDirectory(prefix="pteroassets-parsed-"))
    return Path(_kept[0].name)


def run_dbt(arguments: list[str], environment: Mapping[str, str], *, target: Path | None = None) -> None:
    """Run dbt on the project, in the folder below *target* that the database's name has; by default in `kept`.

    Raises:
        DbtFailedError: dbt failed; the message ends with its last output.
    """
    folder = (target or kept()) / environment["POSTGRES_DATABASE"]
    command = ["--no-use-colors", *arguments, "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    command += ["--target-path", str(folder)]
    if (folder / "manifest.json").exists():
        command.insert(0, "--no-write-json")  # it would be written as it stands
    with tempfile.NamedTemporaryFile("r", prefix="pteroassets-dbt-") as output:
        run = _FORKS.Process(target=_invoke, args=(command, {**os.environ, **environment}, output.name))
        run.start()
        run.join()
        if run.exitcode != 0:
            tail = "\n".join(output.read().splitlines()[-25:])
            raise DbtFailedError(f"dbt {' '.join(arguments)} ended with {run.exitcode}:\n{tail}")


def _invoke(command: list[str], environment: Mapping[str, str], output: str) -> None:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - in the process of a test it would be two seconds

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(DBT_PROJECT)
    file = os.open(output, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    result = dbtRunner().invoke(command)
    if result.exception is not None:
        print(result.exception)
    sys.stdout.flush()
    sys.exit(0 if result.success else 1)
