"""The dbt project without Dagster: where it is, how to run it, and when to parse it again."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from pteroassets.settings import CHECKOUT

DBT_PROJECT = CHECKOUT / "dbt_project"
# beside the interpreter: the PATH of a service or a test may lead elsewhere
DBT_EXECUTABLE = str(Path(sys.executable).with_name("dbt"))
DBT_TARGET_VARIABLE = "DBT_TARGET_PATH"  # dagster-dbt's name: there it puts its builds and looks for what was parsed
DIGEST_NAME = "parsed.txt"  # in a target folder: digest of the dbt project when it was parsed
_SOURCES = ("*.yml", "models/**/*", "macros/**/*", "seeds/**/*", "tests/**/*")
_LOCK_NAME = "parsing.lock"  # in a target folder: lock of the process that parses into it
CONNECTION = ("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DATABASE", "POSTGRES_USERNAME")


class DbtFailedError(Exception):
    """A command of dbt failed; the message ends with its last output."""


def target_folder() -> Path:
    """Return dbt's target folder; each platform has its own, since it holds names of databases."""
    return DBT_PROJECT / os.environ.get(DBT_TARGET_VARIABLE, "target")


def run_dbt(
    arguments: list[str], variables: Mapping[str, str], *, target: Path | None = None, project: Path = DBT_PROJECT
) -> None:
    """Run dbt on the project, or on another state of it in the folder *project*, and wait for it.

    Raises:
        DbtFailedError: dbt failed; the message ends with its last output.
    """
    command = [
        DBT_EXECUTABLE,
        "--no-use-colors",
        *arguments,
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(project),
    ]
    if target is not None:
        command += ["--target-path", str(target)]
    result = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False, cwd=project
    )
    if result.returncode != 0:
        tail = "\n".join(result.stdout.splitlines()[-25:])
        raise DbtFailedError(f"dbt {' '.join(arguments)} failed:\n{tail}\n{result.stderr}")


def prepare_manifest() -> Path:
    """Parse the dbt project if it or the connection changed since it was last parsed; return the manifest."""
    manifest = target_folder() / "manifest.json"
    note = manifest.with_name(DIGEST_NAME)
    digest = digest_of_project(DBT_PROJECT, " ".join(os.environ.get(name, "") for name in CONNECTION))
    manifest.parent.mkdir(parents=True, exist_ok=True)
    # of two processes that load the definitions at once, one would read a half-written file
    with manifest.with_name(_LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (manifest.exists() and note.exists()) or note.read_text() != digest:
            # dbt 1.11 forgets description and meta of a singular test whose SQL changed when it parses only that file
            run_dbt(["parse", "--no-partial-parse"], {}, target=manifest.parent)
            note.write_text(digest)
    return manifest


def digest_of_project(folder: Path, connection: str) -> str:
    """Return a digest of the dbt project in *folder*, the *connection* and dbt's version.

    A removed or restored file changes it too, which file times do not show. dbt parses everything again, in each
    build, if the connection is not the last one.
    """
    digest = hashlib.sha256(f"{connection} {version('dbt-core')}".encode())
    for path in sorted({path for pattern in _SOURCES for path in folder.glob(pattern) if path.is_file()}):
        content = path.read_bytes()
        digest.update(f"\n{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
