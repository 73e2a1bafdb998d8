"""Who was in and who was not: the warehouse tells the same of a log as the log tool."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pteroassets.logtool import DateRules, parse_paths
from pteroassets.warehouse.connection import Connection
from tests.landing.test_log_order import Host

pytestmark = pytest.mark.postgres

GOLDEN = Path(__file__).parents[1] / "fixtures" / "minecraft" / "golden"


@pytest.mark.parametrize(
    ("name", "refused", "fakes", "is_proxy"),
    [
        ("bungeecord-refused", 2, 0, True),
        ("velocity-2026", 1, 0, True),
        ("fabric-bots", 0, 2, False),
        ("bedrock-split_screen", 0, 0, False),
        ("paper-2026", 0, 0, False),
        ("folia-unnamed", 0, 0, False),
    ],
)
def test_the_warehouse_and_the_log_tool_tell_alike_who_was_in(
    name: str,
    refused: int,
    fakes: int,
    is_proxy: bool,  # noqa: FBT001 - a case
    warehouse: Connection,
    tmp_path: Path,
) -> None:
    host = Host(folder=tmp_path, connection=warehouse, now=datetime(2026, 5, 3, 23, tzinfo=UTC))
    host.logs.mkdir()
    host.latest.write_bytes((GOLDEN / f"{name}.log").read_bytes())
    host._touch(host.latest)
    host.collect()
    assert host.landed() == host.read()
    report = parse_paths([str(host.logs)], dates=DateRules(zone=host.zone, by_modification=True))
    runs = warehouse.execute(
        "select software, refused_entries, fake_players, is_proxy from derived_minecraft.server_runs "
        "order by started_at"
    ).fetchall()
    assert runs == [(run.software, run.refused_entries, run.fake_players, is_proxy) for run in report.runs]
    assert warehouse.execute("select software, is_proxy from raw_minecraft.log_files").fetchall() == [
        (report.files[0].software, is_proxy)
    ]
    summary = report.summary
    assert (summary.refused_entries, summary.fake_players, summary.is_proxy) == (refused, fakes, is_proxy)
    assert sum(run[1] for run in runs) == refused
    assert summary.players == len({row[0] for row in host.landed()})
