"""Run dbt in a process that is forked from one in which dbt is imported and the project is parsed.

The fork server of `tests.parsed` imports this module once and so holds what was parsed; its forks begin with that.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from dbt.adapters import postgres as postgres  # noqa: PLC0414 - imported for the forks, as is the next
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import ManifestLoader, extended_mashumaro_encoder
from dbt.task import build as build  # noqa: PLC0414

from pteroassets.defs.dbt_project import CONNECTION, DBT_PROJECT, DIGEST_NAME, digest_of_project
from pteroassets.settings import CHECKOUT
from tests.parsed import WARNINGS_ARE_ERRORS

PARSED_FOR = "pteroassets"
"""The database in whose name the project is parsed: the one that it names before any setting is made."""
_CACHE = CHECKOUT / ".pytest_cache" / "dbt"


def _parsed() -> Manifest | None:
    """Parse the project, or read what was parsed of it as it stands; None if a warning or an error kept dbt from it."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    note, digest = _CACHE / DIGEST_NAME, digest_of_project(DBT_PROJECT, PARSED_FOR)
    before = dict(os.environ)
    # without settings on purpose: the project parses offline, before any is made
    for name in CONNECTION:
        os.environ.pop(name, None)
    os.environ.update(WARNINGS_ARE_ERRORS)
    try:
        with (_CACHE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (note.exists() and note.read_text() == digest):
                # in a process of its own: where a parse failed, dbt keeps a lock for which every later one would wait
                process = os.fork()
                if process == 0:
                    os._exit(0 if _parse("--no-partial-parse") is not None else 1)
                if os.waitpid(process, 0)[1] != 0:
                    return None
                note.write_text(digest)
            return _parse()
    finally:
        os.environ.clear()
        os.environ.update(before)


def _parse(*options: str) -> Manifest | None:
    given = ["--quiet", "--no-write-json", "--log-path", str(_CACHE), "parse", *options, *_places(_CACHE)]
    result = dbtRunner().invoke(given).result
    return result if isinstance(result, Manifest) else None


def _places(target: Path) -> list[str]:
    project = str(DBT_PROJECT)
    return ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target)]


def _name(manifest: Manifest, database: str) -> None:
    """Let *manifest* be one that was parsed for *database*."""
    disabled = chain.from_iterable(manifest.disabled.values())
    relations = (model.node_relation for model in manifest.semantic_models.values())
    named: Any  # of some kinds that have no database
    for named in chain(manifest.nodes.values(), manifest.sources.values(), disabled, relations):
        if getattr(named, "database", None) == PARSED_FOR:
            named.database = database
            if named.relation_name:
                named.relation_name = f'"{database}"' + named.relation_name.removeprefix(f'"{PARSED_FOR}"')


def _read_kept(loader: Any) -> Manifest | None:
    """Return what dbt would read from its file, had it parsed for this connection; dbt then looks for changed files.

    Of the checks that let dbt parse anew only that of the connection is left out: the project uses its database alone.
    """
    if _PARSED is None:
        return None
    _name(_PARSED, os.environ.get("POSTGRES_DATABASE", PARSED_FOR))
    _PARSED.state_check.profile_hash = loader.manifest.state_check.profile_hash
    return _PARSED if loader.is_partial_parsable(_PARSED)[0] else None


def invoke(command: list[str], environment: Mapping[str, str], target: Path, output: str, *, is_kept: bool) -> None:
    """Run dbt with *command* in this process and end it; what dbt prints is in the file *output*.

    Args:
        command: For dbt.
        environment: The whole of it.
        target: The folder in which dbt works.
        output: Path of a file.
        is_kept: Whether what was parsed is put into *target* as well, from where other processes read it.
    """
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(DBT_PROJECT)
    file = os.open(output, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    ManifestLoader.read_manifest_for_partial_parse = _read_kept  # type: ignore[assignment, method-assign]
    # nobody reads its log, which holds all that it asked of Postgres
    options = ["--no-use-colors", "--log-level-file", "none"]
    result = dbtRunner().invoke([*options, *command, *_places(target)])
    if is_kept and isinstance(result.result, Manifest):
        (target / "partial_parse.msgpack").write_bytes(result.result.to_msgpack(extended_mashumaro_encoder))
    if result.exception is not None:
        print(result.exception)
    sys.stdout.flush()
    sys.exit(0 if result.success else 1)


_PARSED = _parsed()
