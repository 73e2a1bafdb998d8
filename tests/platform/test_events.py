"""A game that is made up against a real collector: what it sent is kept, and a person is told what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pteroassets.cli import main
from pteroassets.platform.loopback import free_port
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.collector.serving import KEY, served, served_app
from tests.databases import copied

pytestmark = pytest.mark.postgres


@pytest.fixture
def warehouse(migrated_template: ConnectionSettings) -> Iterator[ConnectionSettings]:
    with copied(migrated_template) as settings:
        yield settings


UNTIL = ("--until", "2026-03-01")


def generate(url: str, folder: Path, *arguments: str, key: str = KEY) -> tuple[int, str]:
    told = CliRunner().invoke(
        main, ["events", "generate", "--url", url, "--totals", str(folder / "totals.json"), *arguments],
        env={"PTEROASSETS_EVENT_KEYS": f"arena:{key}"},
    )  # fmt: skip
    return told.exit_code, told.output


def counted(connection: Connection) -> tuple[Any, ...]:
    ((events, different, letters),) = connection.execute(
        "select (select count(*) from raw_events.events), (select count(distinct event_id) from raw_events.events), "
        "(select count(*) from raw_events.dead_letters)"
    ).fetchall()
    return events, different, letters


def test_what_is_sent_is_stored_and_its_totals_are_kept(warehouse: ConnectionSettings, tmp_path: Path) -> None:
    arguments = ("--events", "700", "--duplicates", "0.1", "--late", "0.1", "--malformed", "0.02", "--batch", "90")
    with served(warehouse) as client:
        url = f"http://127.0.0.1:{client.port}"
        status, output = generate(url, tmp_path, *arguments, *UNTIL)
    assert status == 0, output
    assert "stored 770 events, copies included, and 14 dead letters" in output
    told = json.loads((tmp_path / "totals.json").read_text())
    assert told["game"] == "arena"
    assert (told["totals"]["events"], told["totals"]["copies"], told["totals"]["late"]) == (700, 70, 70)
    with connect(warehouse, autocommit=True) as connection:
        assert counted(connection) == (770, 700, 14)
        reasons = dict(connection.execute("select reason, count(*) from raw_events.dead_letters group by 1").fetchall())
    assert reasons == told["totals"]["dead_letters"]


def test_a_live_stream_takes_its_time(warehouse: ConnectionSettings, tmp_path: Path) -> None:
    with served(warehouse) as client:
        status, output = generate(f"http://127.0.0.1:{client.port}", tmp_path, "--events", "30", "--rate", "60")
    assert status == 0, output
    with connect(warehouse, autocommit=True) as connection:
        ((most, requests),) = connection.execute(
            "select max(abs(clock_skew_milliseconds)), count(distinct received_at) from raw_events.events"
        ).fetchall()
    assert most < 10_000
    assert requests > 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--rate", "1e-9"), "--rate 1e-09 would take more than 3,650 days"),
        (("--rate", "5", "--events", "1" + 400 * "0"), "more than 3,650 days"),
        (("--rate", "5", "--events", "-1" + 400 * "0"), "to 1,000,000"),
        (("--rate", "nan"), "nan is no number"),
        (("--rate", "inf"), "inf is no number"),
        (("--days", "nan"), "nan is no number"),
        (("--late", "nan"), "late has to be from 0 to 1"),
        (("--until", "0001-01-01"), "from 1970 to 9998, and is 1"),
        (("--until", "9999-12-31", "--late", "1"), "from 1970 to 9998, and is 9999"),
        (("--players", "1" + 400 * "0"), "to 1,000,000"),
        (("--mix", "kill_enemy"), "'kill_enemy' is not TYPE=WEIGHT"),
        (("--mix", "kill_enemies=1"), "no type of event is called 'kill_enemies'"),
        (("--events", "0"), "0 events"),
        (("--rate", "5", "--days", "2"), "leave them"),
        (("--shops", "--mix", "default=1"), "leave --mix"),
        (("--game", "other"), "there is no key of other; there are keys of arena"),
        ((), "no collector answers at"),
    ],
)
def test_what_cannot_be_done_is_told(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    status, output = generate(f"http://127.0.0.1:{free_port()}", tmp_path, *arguments)
    assert status != 0
    assert words in " ".join(output.split())
    assert not (tmp_path / "totals.json").exists()


def test_a_wrong_key_is_told_and_not_shown(warehouse: ConnectionSettings, tmp_path: Path) -> None:
    with served(warehouse) as client:
        status, output = generate(f"http://127.0.0.1:{client.port}", tmp_path, key="a-key-that-nobody-knows")
    assert status == 1
    assert "401" in output
    assert "nobody-knows" not in output


def push(kept: Path, *arguments: str, keys: str | None = None) -> tuple[int, str]:
    told = CliRunner().invoke(
        main, ["events", "generate", "--events", "5", "--totals", str(kept), *arguments],
        env={"PTEROASSETS_EVENT_KEYS": keys, "PTEROASSETS_EVENT_PORT": None if keys is None else str(free_port())},
    )  # fmt: skip
    return told.exit_code, " ".join(told.output.split())


@pytest.mark.parametrize("keys", [None, f"theirs:{KEY}-of-a-real-game"])
def test_a_demo_that_is_named_is_pushed_to_whatever_is_set(
    warehouse: ConnectionSettings, tmp_path: Path, keys: str | None
) -> None:
    home = ("--home", str(tmp_path))
    kept = tmp_path / "totals.json"
    status, output = push(kept, *home, keys=keys)
    assert (status, "holds no demo" in output, "arena.key" in output) == (1, True, True), output
    (tmp_path / "arena.key").write_text(f"{KEY}\n")
    status, output = push(kept, *home, keys=keys)
    assert (status, "collector.port cannot be read" in output) == (1, True), output
    (tmp_path / "collector.port").write_text("none\n")
    status, output = push(kept, *home, keys=keys)
    assert (status, "collector.port holds no port" in output) == (1, True), output
    with served(warehouse) as client:
        (tmp_path / "collector.port").write_text(f"{client.port}\n")
        status, output = push(kept, *home, keys=keys)
        assert (status, "stored 5 events" in output) == (0, True), output
        (tmp_path / "collector.port").unlink()
        status, output = push(kept, *home, "--url", f"http://127.0.0.1:{client.port}", keys=keys)
        assert (status, "stored 5 events" in output) == (0, True), output
    assert json.loads(kept.read_text())["game"] == "arena"


def test_without_a_key_the_usual_demo_is_pushed_to(
    warehouse: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.platform.events.demo_home_of", lambda _settings: tmp_path)
    status, output = push(tmp_path / "totals.json")
    assert (status, "holds no demo" in output, "PTEROASSETS_EVENT_KEYS is not set" in output) == (1, True, True)
    (tmp_path / "arena.key").write_text(KEY)
    with served(warehouse) as client:
        (tmp_path / "collector.port").write_text(str(client.port))
        status, output = push(tmp_path / "totals.json")
    assert (status, "stored 5 events" in output) == (0, True), output


def test_where_totals_cannot_be_kept_nothing_is_sent(warehouse: ConnectionSettings, tmp_path: Path) -> None:
    with served(warehouse) as client:
        status, output = generate(f"http://127.0.0.1:{client.port}", tmp_path / "nodir")
    assert (status, "so nothing was sent" in output) == (1, True), output
    with connect(warehouse, autocommit=True) as connection:
        assert counted(connection) == (0, 0, 0)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"detail": "the body is no gzip"}'),
        (202, "[3]"),
        (202, '{"accepted": "many", "refused": 0}'),
        (202, '{"accepted": 0, "refused": 1, "refusals": [3]}'),
        (400, "<html>of a proxy</html>"),
        (200, '{"accepted": 1000, "refused": 0}'),
    ],
)
def test_what_is_no_answer_of_a_collector_is_told(status: int, body: str, tmp_path: Path) -> None:
    async def answer(_request: Request) -> Response:
        return Response(body, status)

    with served_app(Starlette(routes=[Route("/v1/events", answer, methods=["POST"])])) as client:
        url = f"http://127.0.0.1:{client.port}"
        code, output = generate(url, tmp_path)
    assert code == 1
    assert f"at {url} answered {status}, and not what became of the events: {body}" in " ".join(output.split())
