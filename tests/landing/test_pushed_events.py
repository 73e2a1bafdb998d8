"""The pass over pushed events counts each row once, and old days go."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from pteroassets.clock import ManualClock
from pteroassets.defs.events import pushed_events
from pteroassets.landing.context import Landing
from pteroassets.landing.events.passes import MADE_EVERY, PASSES, TABLES, nothing_came, tally
from pteroassets.platform.environment import located
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.retention import drop_events

pytestmark = pytest.mark.postgres
EVERY = timedelta(minutes=5)


@pytest.fixture
def landing(warehouse_settings: ConnectionSettings, tmp_path: object) -> Landing:
    settings = located(Settings(_env_file=None), warehouse=warehouse_settings, home=tmp_path)  # type: ignore[call-arg,arg-type]
    return Landing(settings=settings, clock=ManualClock(datetime.now(UTC)))


def push(connection: Connection, *, received_at: datetime | None = None, table: str = "events") -> None:
    at = received_at or datetime.now(UTC)
    connection.execute("select raw_events.ensure_day(%s)", (at.astimezone(UTC).date(),))
    if table == "events":
        connection.execute(
            "insert into raw_events.events (game, event_id, event_type, version, player_id, occurred_at, received_at, "
            "record) values ('arena', %s, 'kill_enemy', 1, 'p', %s, %s, '{}')",
            (uuid.uuid4(), at, at),
        )
    else:
        connection.execute(
            "insert into raw_events.dead_letters (game, received_at, reason, detail, body) "
            "values ('arena', %s, 'not_json', '', '')",
            (at,),
        )


def test_each_row_is_counted_once(landing: Landing, warehouse: Connection) -> None:
    push(warehouse)
    push(warehouse)
    push(warehouse, table="dead_letters")
    assert {report.table: report.rows_added for report in tally(landing, warehouse)} == dict(
        zip(TABLES, (1, 2), strict=True)
    )
    push(warehouse)
    assert [report.rows_added for report in tally(landing, warehouse)] == [0, 1]
    assert [report.rows_added for report in tally(landing, warehouse)] == [0, 0]


def test_a_row_that_is_committed_late_is_counted_by_the_next_tally_and_by_no_other(
    landing: Landing, warehouse: Connection, warehouse_settings: ConnectionSettings
) -> None:
    push(warehouse)
    with connect(warehouse_settings) as slow:
        slow.execute("select now()")  # its transaction begins before the tally
        assert tally(landing, warehouse)[1].rows_added == 1
        push(slow)
        slow.commit()
    assert [tally(landing, warehouse)[1].rows_added for _ in range(2)] == [1, 0]


def test_a_tally_waits_for_what_is_being_written(
    landing: Landing, warehouse: Connection, warehouse_settings: ConnectionSettings
) -> None:
    push(warehouse)
    counted: list[int] = []

    def count() -> None:
        with landing.connect() as connection:
            counted.append(tally(landing, connection)[1].rows_added)

    with connect(warehouse_settings) as slow:
        push(slow)
        counting = threading.Thread(target=count)
        counting.start()
        counting.join(timeout=0.5)
        assert counted == []
        slow.commit()
    counting.join()
    assert [*counted, tally(landing, warehouse)[1].rows_added] == [2, 0]


def test_a_table_that_is_written_for_long_is_left_out_and_counted_the_next_time(
    landing: Landing, warehouse: Connection, warehouse_settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.landing.events.passes._PATIENCE", "50ms")
    push(warehouse)
    with connect(warehouse_settings) as slow:
        push(slow)
        letters, events = tally(landing, warehouse)
        assert (letters.is_complete, events.is_complete, events.rows_added) == (True, False, 0)
        assert str(events.problems[0]["reason"]).startswith("left out: raw_events.events was written, or locked, for ")
        slow.commit()
    assert [tally(landing, warehouse)[1].rows_added for _ in range(2)] == [2, 0]


def test_rows_are_counted_once_though_the_clock_of_postgres_goes_back(landing: Landing, warehouse: Connection) -> None:
    push(warehouse)
    tally(landing, warehouse)
    # as if it had been an hour later then
    warehouse.execute("update raw_events.events set _loaded_at = _loaded_at + interval '1 hour'")
    warehouse.execute("update ops.loads set _loaded_at = _loaded_at + interval '1 hour'")
    assert nothing_came(landing, warehouse, EVERY) is None
    taken_in = []
    for came in (2, 0, 1):
        for _ in range(came):
            push(warehouse)
        since = newest_tally(warehouse)
        report = tally(landing, warehouse)[1]
        assert report.rows_added == came
        assert str(report.problems[0]["reason"]).startswith("the clock of Postgres went back: it is ")
        taken_in += warehouse.execute(
            "select event_id from raw_events.events where _loaded_at >= %s and _loaded_at < %s",
            (since, newest_tally(warehouse)),
        ).fetchall()
    assert len(set(taken_in)) == len(taken_in) == 3
    # the clock is as late again as it was, and one came before
    warehouse.execute("update raw_events.events set _loaded_at = _loaded_at - interval '2 hours'")
    warehouse.execute("update ops.loads set _loaded_at = _loaded_at - interval '1 hour'")
    push(warehouse)
    warehouse.execute(
        "update raw_events.events set _loaded_at = now() - interval '1 day' where _loaded_at > %s",
        (newest_tally(warehouse),),
    )
    push(warehouse)
    last = tally(landing, warehouse)[1]
    assert (last.rows_added, last.problems) == (2, ())
    assert tally(landing, warehouse)[1].rows_added == 0


def newest_tally(connection: Connection) -> datetime:
    ((newest,),) = connection.execute(
        "select max(_loaded_at) from ops.loads where table_name = 'raw_events.events'"
    ).fetchall()
    assert isinstance(newest, datetime)
    return newest


def test_a_tick_before_which_nothing_came_is_left_out(landing: Landing, warehouse: Connection) -> None:
    assert nothing_came(landing, warehouse, EVERY) is None  # there was no tally yet
    tally(landing, warehouse)
    assert str(nothing_came(landing, warehouse, EVERY)).startswith("no event came since ")
    for table in ("dead_letters", "events"):
        push(warehouse, table=table)
        assert nothing_came(landing, warehouse, EVERY) is None
        tally(landing, warehouse)
    assert isinstance(landing.clock, ManualClock)
    landing.clock.move_to(landing.clock.now() + MADE_EVERY)
    assert nothing_came(landing, warehouse, EVERY) is None


def test_the_assets_tell_what_came(landing: Landing, warehouse: Connection) -> None:
    push(warehouse)
    result = dg.materialize([pushed_events], resources={"landing": landing})
    shown = {
        event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    assert {name: metadata["dagster/row_count"].value for name, metadata in shown.items()} == {
        "events/events": 1,
        "events/dead_letters": 0,
    }


def test_the_pass_runs_where_a_game_has_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = PASSES
    assert not one.is_on(Settings(_env_file=None))  # type: ignore[call-arg]
    monkeypatch.setenv("PTEROASSETS_EVENT_KEYS", "arena:0123456789abcdef")
    assert one.is_on(Settings(_env_file=None))  # type: ignore[call-arg]


def test_old_days_are_dropped_where_a_setting_says_so_once_a_model_has_their_events(warehouse: Connection) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    for days in range(5):
        push(warehouse, received_at=now - timedelta(days=days))
        push(warehouse, received_at=now - timedelta(days=days), table="dead_letters")
    assert list(drop_events(warehouse, now, None)) == []
    waits = "raw_events.events_2026_03_07 is kept until intermediate.int_game_events has taken in its events"
    assert list(map(str, drop_events(warehouse, now, 2))) == [
        "dropped raw_events.dead_letters_2026_03_06",
        "dropped raw_events.dead_letters_2026_03_07",
        waits.replace("07", "06"),
        waits,
    ]
    warehouse.execute("create schema if not exists intermediate")
    warehouse.execute("create table intermediate.int_game_events as select clock_timestamp() as taken_in_until")
    push(warehouse, received_at=now - timedelta(days=3))  # after the build
    assert list(map(str, drop_events(warehouse, now, 2))) == [
        "dropped raw_events.dead_letters_2026_03_07",  # made with the other
        "dropped raw_events.events_2026_03_06",
        waits,
    ]
    warehouse.execute("update intermediate.int_game_events set taken_in_until = clock_timestamp()")
    assert list(map(str, drop_events(warehouse, now, 2))) == ["dropped raw_events.events_2026_03_07"]
    assert warehouse.execute("select count(*), min(received_at) from raw_events.events").fetchall() == [
        (3, now - timedelta(days=2))
    ]
    assert list(drop_events(warehouse, now, 2)) == []


def test_a_day_that_an_analyst_reads_is_kept_and_the_next_ones_go(
    warehouse: Connection, warehouse_settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.warehouse.retention._PATIENCE", "50ms")
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    for days in (5, 6):
        push(warehouse, received_at=now - timedelta(days=days), table="dead_letters")
    with connect(warehouse_settings) as analyst:
        analyst.execute("select from raw_events.dead_letters_2026_03_04")
        kept, *dropped = map(str, drop_events(warehouse, now, 4))
        assert kept.startswith("raw_events.dead_letters_2026_03_04 is kept until the next time: a query or a load ")
        push(warehouse)  # nobody waits
    assert dropped == [
        "dropped raw_events.dead_letters_2026_03_05",
        "dropped raw_events.events_2026_03_04",
        "dropped raw_events.events_2026_03_05",
    ]
    assert list(map(str, drop_events(warehouse, now, 4))) == ["dropped raw_events.dead_letters_2026_03_04"]
