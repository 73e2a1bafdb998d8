"""A player is forgotten: no table, stored log, page or edition names them afterwards, nor what is read later."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console

from pteroassets.dashboards.store import Store
from pteroassets.landing.events.passes import tally
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.erasure import erase, find_person
from pteroassets.landing.minecraft.passes import reparse
from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.players import Forgotten, run_forget
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, connect
from tests.dbt.pushed import Pushed, push
from tests.end_to_end.conftest import ANCHOR, NewPlatform
from tests.end_to_end.slow.test_secrets import held_by
from tests.harness import Platform, table_rows
from tests.parsed import run_dbt

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]

FIRST = ANCHOR - timedelta(hours=18)
# what is played and when is nobody's name
FIGURES = """
    select
        (select row(count(*), sum(player_hours), sum(distinct_players)) from marts.fct_server_daily)::text,
        (select count(*) from marts.dim_players),
        (select count(*) from marts.fct_player_events),
        (select row(count(*), count(distinct player_id)) from marts.fct_network_sessions)::text
"""


@pytest.fixture(scope="module")
def platform(new_platform_of_module: NewPlatform) -> Platform:
    platform = new_platform_of_module(history=timedelta(days=2))
    platform.clock.move_to(FIRST)
    platform.everything()
    model(platform)
    return platform


def model(platform: Platform) -> None:
    run_dbt(["run"], platform.environment())


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with connect(platform.settings, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def player(platform: Platform) -> tuple[str, str]:
    """Somebody who plays before the erasure and after it, on several servers, and is known by an account's UUID."""
    with connect(platform.settings, autocommit=True) as connection:
        known = connection.execute(
            "select player_name, player_uuid::text from marts.dim_players where identity_kind = 'account_uuid' "
            "order by servers_total desc, player_name"
        ).fetchall()
    later = {one.player_name for one in platform.simulation.truth.sessions(ANCHOR) if one.joined_at > FIRST}
    names = [name for name, _ in known]
    # a name within another one would be found although it is not there
    alone = {one for one in names if sum(one.lower() in other.lower() for other in names) == 1}
    found = next((name, account) for name, account in known if name in later & alone)
    push_events_of(platform, found)
    return found


def push_events_of(platform: Platform, player: tuple[str, str]) -> None:
    """Let a game tell of the player, as models and dead letters then do, too."""
    name, account = player
    event = Pushed(player=name, name=name, minecraft=account, at=FIRST, session=f"{name}-1", properties={"by": name})
    with connect(platform.settings, autocommit=True) as connection:
        push(connection, [event])
        connection.execute(
            "insert into raw_events.dead_letters (game, received_at, reason, detail, body) "
            "values ('arena', %s, 'not_json', '', %s)",
            (event.received_at, name.encode()),
        )
        tally(platform.landing, connection)
    run_dbt(["run", "--select", "source:events+"], platform.environment())


def settings_of(platform: Platform) -> Settings:
    return platform.landing.settings.model_copy(update={"pteroassets_home": platform.folder})


def forget(platform: Platform, who: str, **options: Any) -> Forgotten:
    return run_forget(settings_of(platform), Console(quiet=True), who, **{"server": None, "do_erase": True, **options})


def naming(platform: Platform, connection: Connection, player: tuple[str, str]) -> dict[str, int]:
    """Return how often each table, the log store and the pages name the player."""
    name, account = player
    texts = [name, account, account.replace("-", "")]
    tables = connection.execute(
        "select table_schema, table_name from information_schema.tables "
        "where table_schema not in ('pg_catalog', 'information_schema')"
    ).fetchall()
    found = {}
    for schema, table in tables:
        if held := held_by(connection, f'"{schema}"."{table}"', texts, texts):
            found[f"{schema}.{table}"] = sum(int(str(row[2])) for row in held)
    word = re.compile("|".join(texts).encode())
    for place, contents in (("logs", stored(platform)), ("pages", pages(platform))):
        if count := sum(word.search(content) is not None for content in contents):
            found[place] = count
    return found


def stored(platform: Platform) -> Iterator[bytes]:
    for path in (platform.folder / "log_store").rglob("*"):
        if path.is_file():
            yield gzip.decompress(path.read_bytes())


def pages(platform: Platform) -> Iterator[bytes]:
    for path in (platform.folder / "pages").rglob("*.html"):
        yield path.read_bytes()


def test_the_plan_says_what_is_there_and_changes_nothing(
    platform: Platform, connection: Connection, player: tuple[str, str]
) -> None:
    page = f'<td>{player[0]}</td><script type="application/json">{{"a": "\\u003c{player[0]}"}}</script>'.encode()
    Store(str(platform.folder / "pages")).put({"security.html": page, "security@2026-10-01.html": page})
    before = naming(platform, connection, player)
    told = forget(platform, player[0], do_erase=False)
    assert {line.place for line in told.lines} >= {
        "raw_minecraft.event_rows",
        "marts.dim_players",
        "log store",
        "raw_events.events",
        "intermediate.int_game_events",
    }
    assert {line.place: line.before for line in told.lines}["pages and editions"] == 2
    assert naming(platform, connection, player) == before
    assert before.keys() >= {"logs", "pages", "intermediate.int_minecraft__sessions", "ops.row_changes"}


def test_without_the_key_nobody_is_forgotten_and_the_message_names_it(platform: Platform) -> None:
    settings = settings_of(platform).model_copy(update={"pteroassets_pii": "drop", "pteroassets_pii_key": None})
    with pytest.raises(RuntimeFault, match="set PTEROASSETS_PII_KEY"):
        run_forget(settings, Console(quiet=True), "Nobody_7", server=None, do_erase=True)


class _Full(LogStore):
    """A store whose disk is full."""

    def put(self, content: bytes) -> str:
        raise OSError(f"no space left for {len(content)} bytes")


def test_an_interrupted_erasure_brings_nothing_back_and_is_ended_by_the_next(
    platform: Platform, connection: Connection, player: tuple[str, str]
) -> None:
    figures = connection.execute(FIGURES).fetchone()
    landing = platform.landing
    person = find_person(connection, player[0])
    assert str(next(iter(person.accounts))) == player[1]
    with pytest.raises(OSError, match="no space left"):
        erase(connection, _Full(platform.folder / "log_store"), landing.opt_outs, person, at=FIRST)
    assert naming(platform, connection, player)["logs"] > 0
    reparse(landing, lambda _done, _of: None)
    assert "raw_minecraft.events" not in naming(platform, connection, player)

    told = forget(platform, player[1])
    assert told.is_done
    assert not told.waits
    assert naming(platform, connection, player) == {}
    assert connection.execute(FIGURES).fetchone() == figures
    assert any(line.place == "log store" and line.before > 0 for line in told.lines)
    assert any(line.place == "marts.dim_players" and line.before > 0 for line in told.lines)
    again = forget(platform, player[0])
    assert again.lines == []


def test_what_is_read_later_does_not_name_the_player_and_continues_what_was_known(
    platform: Platform, connection: Connection, player: tuple[str, str]
) -> None:
    platform.clock.move_to(ANCHOR)
    platform.everything()
    push_events_of(platform, player)
    model(platform)
    assert naming(platform, connection, player) == {}
    truth = platform.simulation.truth.sessions(ANCHOR)
    row = connection.execute(
        "select count(*), count(*) filter (where player_name like '\\_%') from marts.fct_player_sessions"
    ).fetchone()
    assert row == (len(truth), sum(one.player_name == player[0] for one in truth))
    split = "select server_uuid, path from raw_minecraft.log_files where is_listed group by 1, 2 having count(*) > 1"
    assert connection.execute(split).fetchall() == []
    # read again from the store, the same history comes of it
    tables = ("raw_minecraft.events", "derived_minecraft.player_sessions", "derived_minecraft.name_sightings")
    before = [table_rows(connection, table) for table in tables]
    reparse(platform.landing, lambda _done, _of: None)
    assert [table_rows(connection, table) for table in tables] == before
    assert naming(platform, connection, player) == {}


def test_no_address_of_the_player_is_left(platform: Platform, connection: Connection) -> None:
    rows = connection.execute(
        "select count(*), count(*) filter (where detail ? 'address') from raw_minecraft.events "
        "where player_name like '\\_%' and kind = 'player_login'"
    ).fetchone()
    assert rows is not None
    assert rows[0] > 0
    assert rows[1] == 0
    modelled = connection.execute(
        "select count(*), count(address) from intermediate.int_minecraft__logins "
        "where login_kind = 'login' and player_name like '\\_%'"
    ).fetchone()
    assert modelled == (rows[0], 0)
    logs = b"\n".join(stored(platform))
    logins = [line for line in logs.split(b"\n") if re.search(rb"\b_\w+\[/", line)]
    assert logins
    assert not any(re.search(rb"\[/[\d.]*[1-9]", line) for line in logins)


def test_another_key_than_the_lists_is_refused(platform: Platform) -> None:
    settings = settings_of(platform).model_copy(update={"pteroassets_pii_key": SecretStr("another")})
    with pytest.raises(RuntimeFault, match="made with another PTEROASSETS_PII_KEY"):
        run_forget(settings, Console(quiet=True), "Nobody_7", server=None, do_erase=True)


def test_a_name_that_is_no_single_word_is_refused_with_what_can_be(platform: Platform) -> None:
    with pytest.raises(RuntimeFault, match="cannot be told from other words"):
        forget(platform, "No One")
