"""A source that is added by the guide, to the letter, in a copy of the tree: what runs and shows it by itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pteroassets.clock import ManualClock
from pteroassets.settings import CHECKOUT
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.warehouse.connection import ConnectionSettings

pytestmark = pytest.mark.postgres

GUIDE = CHECKOUT / "docs" / "adding-a-source.md"
ANCHOR = datetime(2026, 10, 28, 12, tzinfo=UTC)
# what a source may bring beside assets, and lose where definitions are not merged whole
_BROUGHT = '''

@dg.asset_check(asset=["arena", "matches"], description="Every match of the arena has a winner.")
def every_match_has_a_winner() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.sensor(target=matches, default_status=dg.DefaultSensorStatus.RUNNING)
def new_matches(context: dg.SensorEvaluationContext) -> None:
    """Look for new files."""


nightly = dg.define_asset_job("arena_again", [matches])
defs = dg.Definitions(
    assets=[matches],
    asset_checks=[every_match_has_a_winner],
    jobs=[nightly],
    sensors=[new_matches],
    schedules=[dg.ScheduleDefinition(name="arena_nightly", job=nightly, cron_schedule="0 4 * * *")],
)
'''
_ASK = """
import json, sys
from datetime import datetime, timedelta
import dagster as dg
from rich.console import Console
from pteroassets.definitions import defs
from pteroassets.landing.context import Landing
from pteroassets.clock import ManualClock
from pteroassets.platform.backfill import run_backfill
from pteroassets.platform.check import check_settings
from pteroassets.platform.demo import make_history
from pteroassets.defs.dbt_project import run_dbt, target_folder
from pteroassets.settings import read_settings
from pteroassets.warehouse.migrate import upgrade
from tests.harness import RAW_TABLES

settings = read_settings()
given = json.loads(sys.argv[1])


class Moved(ManualClock):
    pass


landing = Landing(settings=settings, clock=Moved(datetime.fromisoformat(given["start"])))
upgrade(landing.warehouse)
made = make_history(
    landing,
    lambda done, of: None,
    start=datetime.fromisoformat(given["start"]),
    until=datetime.fromisoformat(given["until"]),
    steps={"utilization": timedelta(hours=12), "logs": timedelta(days=2)},
)
run_dbt(["build", "--select", "source:arena+"], {}, target=target_folder())
run_backfill(settings, Console(file=sys.stderr), "arena")
repository = defs().get_repository_def()
graph = repository.asset_graph
keys = [dg.AssetKey(["arena", "matches"]), dg.AssetKey(["staging", "stg_arena__matches"])]
with landing.connect() as connection:
    rows = connection.execute("select * from staging.stg_arena__matches order by 1, 2").fetchall()
    loads = connection.execute("select count(*) from ops.loads where table_name = 'raw_arena.matches'").fetchone()
json.dump(
    {
        "made": made,
        "rows": [[str(value) for value in row] for row in rows],
        "loads": loads[0],
        "jobs": {
            name: sorted(key.to_user_string() for key in repository.get_job(name).asset_layer.executable_asset_keys)
            for name in ("arena", "everything", "daily_views_and_checks", "arena_again")
        },
        "schedules": {one.name: [one.cron_schedule, one.default_status.value] for one in repository.schedule_defs},
        "sensors": [one.name for one in repository.sensor_defs],
        "checks": [key.name for key in graph.asset_check_keys if key.asset_key in keys],
        "fresh": [graph.get(key).freshness_policy is not None for key in keys],
        "described": [graph.get(key).description for key in keys],
        "owners": [graph.get(key).owners for key in keys],
        "compared_by_tests": "raw_arena.matches" in RAW_TABLES,
    },
    sys.stdout,
)
"""


def blocks() -> list[tuple[str, str]]:
    """Return the file and the code of each block of the guide."""
    found = re.findall(r"^[^\n]*?`([^`\n]+)`[^\n]*:\n\n```\w+\n(.*?)```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return [(path, code) for path, code in found]


def follow_the_guide(tree: Path) -> tuple[set[str], set[str]]:
    """Do what the guide says in *tree*; return the files that are new, and those that were edited."""
    versions = tree / "pteroassets" / "warehouse" / "migrations" / "versions"
    newest = max(int(path.name[:4]) for path in versions.glob("[0-9]*.py"))
    new, edited = set(), set()
    for name, text in blocks():
        path = name.replace("<number>", f"{newest + 1:04}")
        code = text.replace("<number>", f"{newest + 1:04}").replace("<newest>", f"{newest:04}")
        file = tree / path
        if path == "pteroassets/landing/sources.py":
            imported, entry = code.split("\n\n")
            source = file.read_text()
            source = source.replace("\nfrom pteroassets.landing.", f"\n{imported}\nfrom pteroassets.landing.", 1)
            source = re.sub(r"(SOURCES: .*?)\n}", rf"\1\n{entry.rstrip()}\n}}", source, count=1, flags=re.DOTALL)
            file.write_text(source)
            edited.add(path)
        elif path == "pteroassets/settings/__init__.py":
            file.write_text(file.read_text().replace("\n    @field_validator", f"\n{code}\n    @field_validator", 1))
            (tree / ".env.example").write_text((tree / ".env.example").read_text() + "PTEROASSETS_ARENA_FOLDER=\n")
            edited |= {path, ".env.example"}
        else:
            assert not file.exists(), path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(code)
            new.add(path)
    return new, edited


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tree")
    ignored = shutil.ignore_patterns("__pycache__", "fixtures")
    for name in ("pteroassets", "dbt_project", "tests"):
        shutil.copytree(CHECKOUT / name, made / name, ignore=ignored)
    for made_by_dbt in ("target", "logs"):
        shutil.rmtree(made / "dbt_project" / made_by_dbt, ignore_errors=True)
    for name in (".env.example", "pyproject.toml", "dagster.yaml", "workspace.yaml"):
        shutil.copy(CHECKOUT / name, made / name)
    return made


@pytest.fixture(scope="module")
def followed(tree: Path) -> tuple[set[str], set[str]]:
    return follow_the_guide(tree)


@pytest.fixture(scope="module")
def environment(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("arena")
    (folder / "match-2026-10-27.json").write_text(
        '[{"started_at": "2026-10-27T18:30:00+00:00", "winner": "Nora_7"}, '
        '{"started_at": "2026-10-27T19:30:00+00:00", "winner": "Kai"}]'
    )
    (folder / "match-2026-10-28.json").write_text('[{"started_at": "2026-10')
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PTERO", "POSTGRES"))},
        "PYTHONPATH": str(tree),
        "PTEROASSETS_ARENA_FOLDER": str(folder),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def test_the_guide_counts_the_files_that_it_takes(followed: tuple[set[str], set[str]]) -> None:
    new, edited = followed
    numbers = {"nine": 9, "one": 1, "two": 2}
    sentence = r"You write (\w+) files and edit (\w+); a setting of its own means (\w+) more edits"
    said = re.search(sentence, GUIDE.read_text())
    assert said is not None
    files, edits, with_setting = (numbers[word] for word in said.groups())
    assert len(new) == files
    assert len(edited) == edits + with_setting


def test_a_source_of_the_guide_is_loaded_scheduled_fresh_and_in_the_demo(
    tree: Path,
    followed: tuple[set[str], set[str]],
    environment: dict[str, str],
    warehouse_settings: ConnectionSettings,
) -> None:
    assert followed
    with (tree / "pteroassets/defs/arena.py").open("a") as module:
        module.write(_BROUGHT)
    world = World.create(seed=11, anchor=ANCHOR, size=WorldSize.TINY, history=timedelta(days=1))
    with Simulation(world, ManualClock(ANCHOR)) as simulation:
        result = run(
            tree,
            ["-c", _ASK, json.dumps({"start": (ANCHOR - timedelta(days=1)).isoformat(), "until": ANCHOR.isoformat()})],
            {
                **environment,
                **warehouse_settings.environment(),
                "PTERODACTYL_URL": simulation.panel_url,
                "PTERODACTYL_APP_KEY": simulation.application_key,
                "PTERODACTYL_CLI_KEY": simulation.client_key,
                "PTEROASSETS_PII": "drop",
                "PTEROASSETS_LOG_STORE": str(tree / "log_store"),
            },
        )
    found: dict[str, Any] = json.loads(result)
    assert found["made"] == {"entities": 3, "utilization": 3, "upkeep": 1, "logs": 1, "arena": 3}
    assert found["loads"] == 4  # with the back-fill
    assert [row[0:2] + row[3:5] for row in found["rows"]] == [
        ["match-2026-10-27.json", "1", "Nora_7", "ok"],
        ["match-2026-10-27.json", "2", "Kai", "ok"],
        ["match-2026-10-28.json", "0", "None", "unreadable"],
    ]
    # a view holds nothing, so a pass leaves it as it is
    assert found["jobs"]["arena"] == ["arena/matches"]
    assert {"arena/matches", "staging/stg_arena__matches"} <= set(found["jobs"]["everything"])
    assert "staging/stg_arena__matches" in found["jobs"]["daily_views_and_checks"]
    assert found["schedules"]["arena_schedule"] == ["20 * * * *", "RUNNING"]
    assert found["fresh"] == [True, True]
    assert all(description.startswith("One row") for description in found["described"])
    assert all(found["owners"])
    assert found["compared_by_tests"] is True
    # what it brought beside its assets
    assert found["jobs"]["arena_again"] == ["arena/matches"]
    assert found["schedules"]["arena_nightly"] == ["0 4 * * *", "STOPPED"]
    assert "new_matches" in found["sensors"]
    assert {"every_match_has_a_winner", "not_null_stg_arena__matches_file_name"} <= set(found["checks"])


def test_the_tests_of_the_tree_take_a_source_of_the_guide(
    tree: Path, followed: tuple[set[str], set[str]], environment: dict[str, str]
) -> None:
    assert followed
    run(
        tree,
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", "tests/sources/test_arena.py",
         "tests/dbt/test_project.py", "tests/test_settings.py"],
        environment,
    )  # fmt: skip


def run(tree: Path, arguments: list[str], variables: dict[str, str]) -> str:
    result = subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=variables, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, textwrap.shorten(result.stderr[-6000:] + result.stdout[-6000:], 12_000)
    return result.stdout
