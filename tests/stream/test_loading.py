"""From the lake into Postgres."""

from __future__ import annotations

from collections import Counter

import pytest

from pteroassets.stream import loading
from pteroassets.stream.broker import Broker
from pteroassets.stream.lake import Lake
from pteroassets.stream.loading import Loader
from pteroassets.stream.writing import Pace, Writer
from pteroassets.warehouse.connection import Connection
from tests.collector.serving import refusing
from tests.stream.made import AT, numbered, poison, produce

pytestmark = pytest.mark.postgres


def write(topics: Broker, lake: Lake) -> None:
    Writer(topics, lake, pace=Pace(seconds=0.3)).run(until_idle=True)


def ids(connection: Connection) -> Counter[str]:
    return Counter(str(one) for (one,) in connection.execute("select event_id from raw_events.events"))


def reasons(connection: Connection) -> dict[tuple[str | None, str], int]:
    return {
        (game, reason): count
        for game, reason, count in connection.execute(
            "select game, reason, count(*) from raw_events.dead_letters group by game, reason"
        )
    }


def expected(*numbers: int) -> Counter[str]:
    return Counter(numbered(one)["event_id"] for one in numbers)


def test_each_row_of_the_lake_is_loaded_once_as_the_collector_stores_it(
    topics: Broker, lake: Lake, warehouse: Connection
) -> None:
    whole = numbered(0, session_id="s-1", sent_at="2026-03-01T23:58:58+00:00", note="ü")
    produce(topics, [whole, *(numbered(one) for one in range(1, 700)), numbered(3, type="fly")])
    poison(topics, b"{")
    write(topics, lake)
    loader = Loader(lake, at_once=50)  # in several transactions
    assert loader.load() == 702
    assert loader.load() == 0
    assert ids(warehouse) == expected(*range(700))
    assert reasons(warehouse) == {("arena", "unknown_type"): 1, (None, "not_a_record"): 1}
    ((game, kind, version, player, session, occurred, received, skew, record),) = warehouse.execute(
        "select game, event_type, version, player_id, session_id, occurred_at, received_at, clock_skew_milliseconds, "
        "record from raw_events.events where event_id = %s",
        (whole["event_id"],),
    ).fetchall()
    assert (game, kind, version, player, session) == ("arena", "kill_enemy", 1, "p-0", "s-1")
    assert (occurred, received, skew, record) == (AT, AT, 2_000, whole)
    produce(topics, [numbered(one) for one in range(600, 800)])
    write(topics, lake)
    assert loader.load() == 200
    assert ids(warehouse) == expected(*range(800), *range(600, 700))


def test_what_postgres_refuses_is_a_dead_letter_and_the_rest_is_loaded(
    topics: Broker, lake: Lake, warehouse: Connection
) -> None:
    produce(topics, [numbered(one, player_id="poison") if one in (3, 77) else numbered(one) for one in range(100)])
    write(topics, lake)
    with refusing(warehouse, "poison"):
        assert Loader(lake).load() == 100
    assert ids(warehouse) == expected(*({*range(100)} - {3, 77}))
    assert reasons(warehouse) == {("arena", "refused_by_postgres"): 2}


def test_a_loader_that_breaks_off_loads_nothing_of_its_transaction(
    topics: Broker, lake: Lake, warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    produce(topics, [numbered(one) for one in range(300)])
    write(topics, lake)
    with monkeypatch.context() as patch:

        def dies(*_args: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(loading, "_note", dies)
        with pytest.raises(KeyboardInterrupt):
            Loader(lake).load()
    assert ids(warehouse) == Counter()
    assert Loader(lake).load() == 300
    assert ids(warehouse) == expected(*range(300))
