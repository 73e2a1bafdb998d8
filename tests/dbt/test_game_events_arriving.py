"""Pushed events that arrive while models stand: seen at once, each once, and as a build from nothing has them."""

from __future__ import annotations

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.retention import OldDay, drop_events
from tests.dashboards.pages import table_of
from tests.databases import copied
from tests.parsed import run_dbt

from .conftest import dbt_environment
from .pushed import END, HOSTILE, START, Pushed, copies_of, deeds_of_other_games, events_of_weeks, push, tally_events
from .pushed_answers import answers_of
from .pushed_pages import make_pages
from .pushed_truth import PURCHASE, by_player, cost_of, days_of, sessions_of, steps_of
from .replay_pages import figures_of
from .test_cookbook import recipes_of

pytestmark = pytest.mark.postgres
BUILT = (
    "intermediate.int_game_events", "intermediate.int_game_players", "marts.fct_game_sessions",
    "marts.fct_game_player_days", "marts.fct_game_players", "marts.fct_game_funnel", "marts.fct_game_spend_daily",
    "marts.fct_game_abuse", "marts.fct_game_active_players", "marts.fct_game_retention",
)  # fmt: skip
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """What the models had of events at each step.

    Attributes:
        told: Each event once.
        again: Copies of some of them.
        without: The pages before anything came.
        pages: The pages after all builds.
        first: Rows of the models after a build with a part of the events.
        hot: What was told of all, by key, before the others were built.
        incremental: Rows of the models after they were built.
        full: After a build from nothing.
        drops: What became of the days of the first week when old ones were dropped.
        dropped: After that, another copy of `again` and a build from what is left.
    """

    told: list[Pushed]
    again: list[Pushed]
    without: dict[str, BeautifulSoup]
    pages: dict[str, BeautifulSoup]
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
def arrived(
    events: Connection,
    warehouse_of_events: ConnectionSettings,
    dbt_target: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Arrived:
    def build(*flags: str) -> Rows:
        selected = ["stg_ops__loads", "+dim_players", "source:events+", "path:seeds/events"]
        left_out = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
        arguments = ["build", *left_out, "--select", *selected, *flags]
        run_dbt(arguments, dbt_environment(warehouse_of_events), target=dbt_target)
        return rows(events)

    def pages() -> dict[str, BeautifulSoup]:
        return make_pages(
            warehouse_of_events,
            dbt_target / warehouse_of_events.database / "manifest.json",
            tmp_path_factory.mktemp("pages"),
        )

    build()
    without = pages()
    told = [*events_of_weeks(7)]
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
    drops = [*drop_events(events, START + timedelta(days=20), 1)]
    tally_events(events)
    return Arrived(
        told=told, again=again, without=without, pages=pages(), first=first, hot=hot,
        incremental=incremental, full=full, drops=drops, dropped=build("--full-refresh"),
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
        assert arrived.first[relation] != arrived.incremental[relation] or relation == "marts.fct_game_abuse", relation
        assert arrived.incremental[relation] == arrived.full[relation], relation


def test_days_that_are_dropped_change_nothing_that_was_made_of_them(arrived: Arrived, events: Connection) -> None:
    assert {one.waits_for for one in arrived.drops} == {None, "intermediate.int_game_events"}
    ((left,),) = events.execute("select count(*) from raw_events.events").fetchall()
    assert left < len(arrived.told) / 2
    copied, *others = BUILT
    expected = keyed(arrived.full[copied])
    expected[str(arrived.again[0].id)]["copies"] += 1
    assert keyed(arrived.dropped[copied]) == expected
    for relation in others:
        assert arrived.dropped[relation] == arrived.full[relation], relation


def keyed(told: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {row["event_id"]: row for (text,) in told for row in (json.loads(text),)}


def test_sessions_are_those_of_the_game_or_end_with_a_gap(arrived: Arrived, events: Connection) -> None:
    found = events.execute(
        "select game, player_id, session_id, started_at, ended_at, events, events_by_type, spent "
        "from marts.fct_game_sessions"
    ).fetchall()
    true = sessions_of(arrived.told)
    assert {one.session_id is None for one in true} == {True, False}
    assert len(true) > len(by_player(arrived.told)) * 2
    assert sorted(found, key=str) == sorted([one.told for one in true], key=str)


def test_players_come_as_far_and_spend_as_much_as_their_events_say(arrived: Arrived, events: Connection) -> None:
    found = events.execute(
        "select game, player_id, step_number, purchases, spent, first_purchase_at, last_purchase_at, player_name, "
        "minecraft_uuid::text from marts.fct_game_players"
    ).fetchall()
    expected = []
    for player, own in by_player(arrived.told).items():
        bought = [one.at for one in own if one.type == PURCHASE]
        expected.append(
            (
                *player, steps_of(own), len(bought), cost_of(own), min(bought, default=None), max(bought, default=None),
                own[0].name, own[0].minecraft,
            )
        )  # fmt: skip
    assert {row[2] for row in expected} == {1, 2, 3, 4}
    assert sorted(found) == sorted(expected)
    funnel = events.execute(
        "select game, step_number, sum(players_reached) from marts.fct_game_funnel group by 1, 2 order by 1, 2"
    ).fetchall()
    assert funnel == [
        (game, step, sum(row[0] == game and row[2] >= step for row in expected))
        for game in ("arena", "quarry")
        for step in (1, 2, 3, 4)
    ]


def test_what_is_spent_and_who_is_active_is_so_on_each_day(arrived: Arrived, events: Connection) -> None:
    days, bought = days_of(arrived.told), defaultdict(list)
    for one in arrived.told:
        if one.type == PURCHASE:
            bought[one.game, one.at.date()].append(one)
    found = events.execute(
        "select game, local_date, active_players, paying_players, purchases, revenue from marts.fct_game_spend_daily"
    ).fetchall()
    there = Counter((game, day) for (game, _), on in days.items() for day in on)
    assert sorted(found) == sorted(
        (*key, count, len({one.player for one in bought[key]}), len(bought[key]), cost_of(bought[key]))
        for key, count in there.items()
    )
    actives = events.execute(
        "select scope_key, local_date, active_players_1d, active_players_7d from marts.fct_game_active_players"
    ).fetchall()
    assert {day for _, day, *_ in actives} >= {END.date()}
    for game, day, of_day, of_week in actives:
        assert of_day == there[game, day]
        week = {day - timedelta(days=number) for number in range(7)}
        if of_week is not None:
            assert of_week == sum(one == game and bool(on & week) for (one, _), on in days.items())
    assert sum(of_week or 0 for *_, of_week in actives) > 100


def test_who_comes_back_is_counted_from_when_newcomers_are_known(arrived: Arrived, events: Connection) -> None:
    found = events.execute(
        "select cohort_start, players_counted, players_returned, retention_low from marts.fct_game_retention "
        "where scope_key = 'arena' and cohort_grain = 'day' and kind = 'classic' and days_later = 1 "
        "and reason is null order by 1"
    ).fetchall()
    cohorts = defaultdict(list)
    own = {player: on for player, on in days_of(arrived.told).items() if player[0] == "arena"}
    for on in own.values():
        cohorts[min(on)].append(min(on) + timedelta(days=1) in on)
    known_from = min(cohorts) + timedelta(days=7)
    expected = [(day, len(back), sum(back)) for day, back in sorted(cohorts.items()) if day >= known_from]
    assert [row[:3] for row in found] == expected
    assert sum(back for *_, back in expected) > 0
    assert all(0 <= low < back / count for _, count, back, low in found if back)


def test_where_no_event_came_the_pages_say_so(arrived: Arrived) -> None:
    assert set(arrived.without) == {"product.html", "purchases.html"}
    for page in arrived.without.values():
        assert "no game has pushed an event" in page.get_text()
        assert not page.select("figure.table tbody tr")
        assert {one["data-value"] for one in page.select(".figure")} <= {""}
        assert "None found" not in page.get_text()


def test_the_pages_tell_what_the_events_come_to(arrived: Arrived) -> None:
    told = arrived.told
    began = [one.events[0].at.date() for one in sessions_of(told)]
    product, purchases = arrived.pages["product.html"], arrived.pages["purchases.html"]
    assert figures_of(product)["pushed_players"] == len(by_player(told))
    assert figures_of(product)["pushed_known_in_minecraft"] == 0  # no log has shown the one who says who he is
    rows = {(row[0], row[1]): int(row[2]) for row in table_of(product, "Events by type")}
    assert rows == Counter((one.type, one.game) for one in told)
    assert {row[0] for row in table_of(product, "Sessions of the last")} == {"arena", "quarry"}
    assert sum(int(row[1].split()[0]) for row in table_of(product, "Sessions of the last")) == sum(
        day > max(began) - timedelta(days=30) for day in began
    )
    steps = {(row[0], row[1]): int(row[2]) for row in table_of(product, "Steps, each")}
    assert steps["quarry", "bought something"] == sum(
        steps_of(own) == 4 for (game, _), own in by_player(told).items() if game == "quarry"
    )
    for game, spent, players, paying, *_ in table_of(purchases, "What players ever paid"):
        own = {player: all_ for player, all_ in by_player(told).items() if player[0] == game}
        assert Decimal(spent.replace(",", "")) == cost_of(one for one in told if one.game == game)
        assert (int(players), int(paying)) == (
            len(own),
            sum(any(e.type == PURCHASE for e in all_) for all_ in own.values()),
        )
    assert "None found." in purchases.get_text()


def test_names_that_would_do_harm_are_text(arrived: Arrived) -> None:
    for page in arrived.pages.values():
        assert not page.select("img[src=x]")
        assert HOSTILE not in str(page.head)
    assert HOSTILE in arrived.pages["product.html"].get_text()
    assert f"Player 7{HOSTILE}" in arrived.pages["product.html"].get_text()


QUESTIONS = {one.question: one for one in recipes_of((CHECKOUT / "docs" / "event-questions.md").read_text())}


@pytest.fixture(scope="module")
def answers(arrived: Arrived, warehouse_of_events: ConnectionSettings) -> dict[str, list[tuple[Any, ...]]]:
    """The answer to each question of the document as an analyst gets it, with events of other games besides."""
    assert arrived
    told = {}
    with connect(warehouse_of_events) as connection:
        # the first days were dropped from the raw table, and the models have them
        push(connection, deeds_of_other_games())
        connection.execute("set local role analyst")
        for question, recipe in QUESTIONS.items():
            answer = connection.execute(recipe.query)
            assert [column.name for column in answer.description or ()] == recipe.columns, question
            assert [len(line) for line in recipe.lines] == [len(recipe.columns)], question
            told[question] = answer.fetchall()
        connection.rollback()
    return told


def test_each_question_has_an_answer(answers: dict[str, list[tuple[Any, ...]]]) -> None:
    assert len(answers) >= 14
    assert [question for question, rows_ in answers.items() if not rows_] == []


def test_the_questions_answer_what_they_ask(arrived: Arrived, answers: dict[str, list[tuple[Any, ...]]]) -> None:
    told = [*arrived.told, *deeds_of_other_games()]
    for question, expected in answers_of(told).items():
        found = answers[question]
        # rows that share the first place are in no order
        assert (sorted(found) if "At which level" in question else found) == expected, question
    assert answers["What do the newest events look like?"][0][2] == max(one.received_at for one in told)
    least = [times for _, times in answers["Whose quests are accepted least often?"]]
    assert least == sorted(least)
