"""Pushed events that arrive while models stand: seen at once, each once, and as a build from nothing has them."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.retention import OldDay, drop_events
from tests.databases import copied
from tests.parsed import run_dbt

from .conftest import dbt_environment
from .pushed import START, Pushed, copies_of, events_of_a_month, push, tally_events

pytestmark = pytest.mark.postgres
BUILT = ("intermediate.int_game_events",)
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """What the models had of events at each step.

    Attributes:
        told: Each event once.
        again: Copies of some of them.
        first: Rows of the models after a build with a part of the events.
        hot: What was told of all, by key, before the others were built.
        incremental: Rows of the models after they were built.
        full: After a build from nothing.
        drops: What became of the days of the first week when old ones were dropped.
        dropped: After that, another copy of `again` and a build from what is left.
    """

    told: list[Pushed]
    again: list[Pushed]
    first: Rows
    hot: dict[tuple[str, uuid.UUID], tuple[Any, ...]]
    incremental: Rows
    full: Rows
    drops: list[OldDay]
    dropped: Rows


def rows(connection: Connection) -> Rows:
    """What the models have, but for how far they are, which after a build from nothing is one time."""
    return {
        relation: connection.execute(
            f"select (to_jsonb(row) - 'taken_in_until')::text as told from {relation} as row order by 1"
        ).fetchall()
        for relation in BUILT
    }


def told_now(connection: Connection) -> dict[tuple[str, uuid.UUID], tuple[Any, ...]]:
    found = connection.execute(
        "select game, event_id, event_type, player_id, player_name, minecraft_uuid::text, session_id, occurred_at, "
        "properties, copies from marts.fct_game_events"
    ).fetchall()
    assert len(found) == len({row[:2] for row in found})
    return {row[:2]: row[2:] for row in found}


@pytest.fixture(scope="module")
def warehouse_of_events(migrated_template: ConnectionSettings) -> Iterator[ConnectionSettings]:
    with copied(migrated_template) as settings:
        yield settings


@pytest.fixture(scope="module")
def events(warehouse_of_events: ConnectionSettings) -> Iterator[Connection]:
    with connect(warehouse_of_events, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def arrived(events: Connection, warehouse_of_events: ConnectionSettings, dbt_target: Path) -> Arrived:
    def build(*flags: str) -> Rows:
        selected = ["stg_ops__loads", "source:events+"]
        run_dbt(["build", "--select", *selected, *flags], dbt_environment(warehouse_of_events), target=dbt_target)
        return rows(events)

    told = [*events_of_a_month(7)]
    # of all days a part comes late, between what was there
    early, late = told[::2], told[1::2]
    push(events, early)
    tally_events(events)
    first = build()
    again = copies_of(early, 3)
    push(events, [*again, *late])
    hot = told_now(events)
    tally_events(events)
    incremental = build()
    full = build("--full-refresh")
    # a day with a copy that is not built yet stays, and its event is of a day that goes
    push(events, again[:1])
    drops = [*drop_events(events, START + timedelta(days=9), 1)]
    tally_events(events)
    return Arrived(
        told=told, again=again, first=first, hot=hot, incremental=incremental, full=full, drops=drops,
        dropped=build("--full-refresh"),
    )  # fmt: skip


def test_what_arrived_is_told_before_it_is_built_and_each_once(arrived: Arrived) -> None:
    copies = Counter((one.game, one.id) for one in (*arrived.told, *arrived.again))
    assert max(copies.values()) > 2
    assert arrived.hot == {
        (one.game, one.id): (
            one.type, one.player, one.name, one.minecraft, one.session, one.at, one.properties,
            copies[one.game, one.id],
        )
        for one in arrived.told
    }  # fmt: skip


def test_builds_by_what_arrived_leave_what_a_build_from_nothing_leaves(arrived: Arrived) -> None:
    for relation in BUILT:
        assert arrived.first[relation] != arrived.incremental[relation], relation
        assert arrived.incremental[relation] == arrived.full[relation], relation


def test_days_that_are_dropped_change_nothing_that_was_made_of_them(arrived: Arrived, events: Connection) -> None:
    assert {one.waits_for for one in arrived.drops} == {None, "intermediate.int_game_events"}
    ((left,),) = events.execute("select count(*) from raw_events.events").fetchall()
    assert left < len(arrived.told) / 2
    late = str(arrived.again[0].id)
    for relation in BUILT:
        expected = keyed(arrived.full[relation])
        expected[late]["copies"] += 1
        assert keyed(arrived.dropped[relation]) == expected, relation


def keyed(told: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {row["event_id"]: row for (text,) in told for row in (json.loads(text),)}
