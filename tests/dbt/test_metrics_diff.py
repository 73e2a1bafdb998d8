"""What a change of a definition changes: two states of the project on the raw rows of one warehouse."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import pytest
from rich.console import Console

from pteroassets.defs.dbt_project import DBT_PROJECT
from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.loopback import free_port
from pteroassets.platform.metrics_diff import Line, diff, show
from pteroassets.warehouse.connection import ConnectionSettings, connect

pytestmark = pytest.mark.postgres

USERS = "dbt_project/models/marts/estate/dim_users"
# of the earlier commit: a model that counts otherwise, a metric that means something else, one of another name
EARLIER = (
    (f"{USERS}__metrics.yml", "expr: is_active::int", "expr: (is_active and not has_two_factor)::int"),
    (f"{USERS}__metrics.yml", "  - name: owners_active\n    label", "  - name: owners_then\n    label"),
    (f"{USERS}.sql", "coalesce(owned.servers_owned, 0)", "10 + coalesce(owned.servers_owned, 0)"),
)


def git(checkout: Path, *arguments: str) -> None:
    named = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "-C", str(checkout), *named, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of now over a commit called ``earlier``, in which dim_users and its metrics are others."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("dbt_project.yml", "profiles.yml", "models", "macros", "tests"):
        copy = shutil.copytree if (DBT_PROJECT / name).is_dir() else shutil.copyfile
        (folder / "dbt_project").mkdir(exist_ok=True)
        copy(DBT_PROJECT / name, folder / "dbt_project" / name)
    written = {name: (folder / name).read_text() for name, _, _ in EARLIER}
    for name, now, earlier in EARLIER:
        text = (folder / name).read_text()
        assert text.count(now) == 1, name
        (folder / name).write_text(text.replace(now, earlier))
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "earlier")
    git(folder, "tag", "earlier")
    for name, text in written.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def lines(built_settings: ConnectionSettings, checkout: Path) -> dict[str, Line]:
    before = notes(built_settings)
    found = diff(built_settings, "earlier", Console(file=io.StringIO()), checkout=checkout)
    assert notes(built_settings) == before, "the comparison took work from the platform"
    return {line.name: line for line in found}


def notes(warehouse: ConnectionSettings) -> list[object]:
    with connect(warehouse) as connection:
        tables = ("changes_taken", "row_changes", "incremental_builds", "days_to_build", "builds_to_test")
        counted = ", ".join(f"(select count(*) from ops.{table})" for table in tables)
        return [
            *connection.execute(f"select {counted}").fetchall(),
            *connection.execute("select datname from pg_database order by 1").fetchall(),
        ]


def computed(lines: dict[str, Line]) -> set[str]:
    return {name for name, line in lines.items() if line.what != "not computed"}


def test_a_changed_definition_and_a_changed_model_are_seen_side_by_side(lines: dict[str, Line]) -> None:
    changed = {name: line for name, line in lines.items() if line.what != "not computed"}
    # both users have a second factor, one of them owns the three servers that are there
    assert changed["users_active"] == Line(
        name="users_active", old={None: 0.0}, now={None: 2.0}, what="definition and models"
    )
    owned = changed["servers_owned"]
    assert owned.what == "models"
    assert owned.old is not None
    assert owned.now is not None
    assert (owned.old[None] or 0) - (owned.now[None] or 0) == 20
    assert (changed["owners_then"].what, changed["owners_then"].now) == ("only old", None)
    assert (changed["owners_active"].what, changed["owners_active"].old) == ("only now", None)


def test_what_did_not_change_is_not_computed(lines: dict[str, Line]) -> None:
    assert lines["player_hours"] == Line(name="player_hours", old=None, now=None, what="not computed")
    assert lines["servers_shared"].differing == []
    # those of users and of what is made of users
    assert 7 <= len(computed(lines)) < len(lines) / 4


def test_the_lines_are_printed_with_what_was_left_out(lines: dict[str, Line]) -> None:
    console = Console(file=io.StringIO(), width=120)
    show([*lines.values()], "earlier", console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    (row,) = [row.split() for row in printed.splitlines() if row.split()[:1] == ["users_active"]]
    assert row == ["users_active", "0", "2", "+2", "definition", "and", "models"]
    assert f"{len(lines) - len(computed(lines))} metrics have the same definition" in printed


def test_days_that_differ_are_printed_and_an_unknown_one_is_no_zero() -> None:
    days = [date(2026, 1, day) for day in (1, 2, 3)]
    line = Line(
        name="stays", old={days[0]: 1.0, days[1]: 2.0}, now={days[0]: 1.0, days[1]: None, days[2]: 4.5}, what="models"
    )
    assert line.differing == days[1:]
    console = Console(file=io.StringIO(), width=120)
    show([line], "main", console, "day")
    rows = [row.split() for row in console.file.getvalue().splitlines()[1:]]  # type: ignore[attr-defined]
    assert rows == [
        ["stays", "2026-01-02", "2", "not", "known", "models"],
        ["stays", "2026-01-03", "not", "known", "4.5", "models"],
    ]


def test_what_stands_in_the_way_is_said(
    built_settings: ConnectionSettings, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = Console(file=io.StringIO())
    with pytest.raises(RuntimeFault, match=r"--output is no commit of .*: name a branch, a tag or a commit"):
        diff(built_settings, "--output", quiet, checkout=checkout)
    with pytest.raises(RuntimeFault, match="not a git repository"):
        diff(built_settings, "earlier", quiet, checkout=tmp_path)
    with pytest.raises(psycopg.OperationalError):
        diff(replace(built_settings, port=free_port()), "earlier", quiet, checkout=checkout)
    with connect(built_settings) as held:
        held.execute("select pg_advisory_lock(hashtext('pteroassets metrics diff'))")
        with pytest.raises(RuntimeFault, match="another comparison"):
            diff(built_settings, "earlier", quiet, checkout=checkout)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeFault, match="git is not installed"):
        diff(built_settings, "earlier", quiet, checkout=checkout)
