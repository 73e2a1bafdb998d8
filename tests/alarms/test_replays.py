"""Digests of replays: word by word, each told once, edited on a correction, and never of what is small or old."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from pteroassets.alarms.outbox import Body, Message
from pteroassets.alarms.parts import parts_of
from pteroassets.alarms.replay_digests import Language, counted, digest_message
from pteroassets.alarms.replays import TOLD_WITHIN, tell_replays
from pteroassets.clock import ManualClock
from pteroassets.defs.arma3 import replays
from pteroassets.landing.arma3.by_hand import load_replays
from pteroassets.landing.arma3.passes import read_sites
from pteroassets.landing.context import Landing
from pteroassets.settings import Settings
from pteroassets.simulator.arma3.game import Player, play
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.databases import copied
from tests.parsed import run_dbt

KILL = {
    "second": 95, "victim": "D'Artagnan", "victim_vehicle": None, "killer": "[BRM]Heron", "killer_vehicle": None,
    "weapon": "AK-12", "distance_metres": 241, "is_team_kill": False, "is_suicide": False,
}  # fmt: skip
ROW: dict[str, Any] = {
    "site": "stats.test", "replay_id": "3405", "url": "https://stats.test/games/3405/", "timezone": "Europe/Moscow",
    "played_date": datetime(2026, 1, 17, tzinfo=UTC).date(),
    "started_at": datetime(2026, 1, 17, 20, 10, 5, tzinfo=UTC), "ended_at": datetime(2026, 1, 17, 21, 25, tzinfo=UTC),
    "duration_seconds": 4505, "mission_name": "Night {mission}", "island_name": None, "players": 187, "slots": 190,
    "winner_side": "WEST", "players_east": 2, "players_west": 21, "players_guer": None, "players_civ": 0,
    "commander_east": "[BRM]Heron", "commander_west": None, "commander_guer": None, "commander_civ": None,
    "survivors_east": 1, "survivors_west": None, "survivors_guer": 0, "survivors_civ": 0,
    "best_players": [{"place": 1, "player": "[BRM]Heron", "kills": 4}, {"place": 2, "player": "Otter", "kills": 1}],
    "most_team_kills": [], "first_kill": KILL, "last_kill": {**KILL, "second": 90_000, "killer": None},
    "longest_kill": None,
    "vehicles": [{"class": "car", "name": "Offroad", "vehicles": 3}, {"class": "heli", "name": None, "vehicles": 1},
                 {"class": "new", "name": "Rover", "vehicles": 1}],
}  # fmt: skip


def blocks(message: Message) -> list[tuple[str, dict[str, str]]]:
    return [(embed.title, {one.name: one.value for one in embed.fields}) for embed in message.embeds]


def test_a_digest_says_in_english_what_happened() -> None:
    message = digest_message("k", "discord:7", ROW, "en")
    assert message.content == "✉ A new replay is out"
    general, personal, outstanding, vehicles, link = blocks(message)
    assert general == (
        "General statistics",
        {
            "Information": "Date: 17.01.2026\nMission: Night {mission}\nIsland: unknown",
            "Sides and commanders": "🟥 **EAST**: 2 players, commander \\[BRM\\]Heron\n"
            "🟦 **WEST**: 21 players, commander unknown",
            "Players": "187 of 190",
            "Time": "Start: 23:10\nEnd: 00:25\nLength: 1:15:05",
            "Result": "Won: 🟦 WEST",
            "Survived to the end": "🟥 EAST: 1\n🟦 WEST: unknown",
        },
    )
    assert personal == (
        "Personal statistics",
        {"Best players": "\\[BRM\\]Heron: **4**\nOtter: **1**", "Most team kills": "There was no team kill"},
    )
    assert outstanding == (
        "Outstanding kills",
        {
            "First": "0:01:35 \\[BRM\\]Heron killed D'Artagnan\n241 metres, AK-12",
            "Last": "25:00:00 D'Artagnan was killed; by whom is unknown",
            "Longest": "There was none",
        },
    )
    assert vehicles == ("Vehicles", {"Cars": "3x Offroad", "Helicopters": "1x unknown", "Others": "1x Rover"})
    assert (link[0], message.embeds[-1].description) == ("Replay", "Watch the replay: https://stats.test/games/3405/")
    assert "Best players: [BRM]Heron: 4; Otter: 1" in message.text
    assert "**" not in message.text


def test_where_nobody_knows_the_slots_players_stand_alone() -> None:
    general = dict(blocks(digest_message("k", "discord:7", {**ROW, "slots": None}, "en")))["General statistics"]
    assert general["Players"] == "187"


def test_of_a_source_that_tells_of_no_kills_nobody_is_said_to_have_killed_none() -> None:
    unknown = dict.fromkeys(("best_players", "most_team_kills", "vehicles", "first_kill", "last_kill", "longest_kill"))
    _, *told, _ = blocks(digest_message("k", "discord:7", {**ROW, **unknown}, "en"))
    for title, fields in told:
        assert {*fields.values()} == {"unknown"}, title


def test_russian_words_follow_their_numbers() -> None:
    assert [counted("ru", "heads", count) for count in (0, 1, 2, 5, 11, 21, 22, 112)] == [
        "0 игроков", "1 игрок", "2 игрока", "5 игроков", "11 игроков", "21 игрок", "22 игрока", "112 игроков",
    ]  # fmt: skip
    said = str(blocks(digest_message("k", "discord:7", {**ROW, "most_team_kills": ROW["best_players"][:0]}, "ru")))
    assert "2 игрока" in said
    assert "21 игрок," in said
    assert "Тимкиллов не было" in said
    assert re.search(r"241 метр\b", said)


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    text = files("pteroassets.alarms").joinpath("replay_words.toml").read_text(encoding="utf-8")
    words = tomllib.loads(text)

    def values(of: Mapping[str, Any]) -> dict[str, Any]:
        plural = {"heads", "kills", "metres"}
        return {name: sorted(set(re.findall(r"\{(\w+)\}", str(value)))) for name, value in of.items()} | {
            name: sorted(set(re.findall(r"\{(\w+)\}", str(of[name])))) for name in plural
        }

    assert values(words["en"]) == values(words["ru"])
    assert words["en"]["classes"].keys() == words["ru"]["classes"].keys()
    assert {*words["ru"]["heads"]} == {"one", "few", "many", "other"}


def test_a_game_with_more_vehicles_than_a_message_holds_is_told_in_several_without_a_loss() -> None:
    names = [f"Offroad of convoy {number:03}" for number in range(300)]
    classes = ("car", "truck", "heli")
    vehicles = [{"class": classes[at % 3], "name": name, "vehicles": 2} for at, name in enumerate(names)]
    message = digest_message("k", "discord:7", {**ROW, "vehicles": vehicles}, "en")
    parts = [part.payload["embeds"] for part in parts_of(Body(content=message.content, embeds=message.embeds), {})]
    assert 1 < len(parts) <= 5
    said = [field["value"] for embeds in parts for embed in embeds for field in embed.get("fields", [])]
    assert max(map(len, said)) <= 1_024
    for embeds in parts:
        assert all(len(embed.get("fields", [])) <= 25 for embed in embeds)
        assert len(str(embeds)) < 12_000
    lines = [line for value in said for line in value.splitlines()]
    assert Counter(line.removeprefix("2x ") for line in lines if line.startswith("2x")) == Counter(names)


# ---------------------------------------------------------------------- what is told

EVENING = datetime(2026, 1, 17, 20, 50, tzinfo=UTC)
GAME = play(1, 1, EVENING)
SMALL = play(2, 2, EVENING, players=8)
TARGET = "channel:replays"
FEEDS = ["+compat_arma3__messages"]


@pytest.fixture(scope="module")
def with_models(migrated_template: ConnectionSettings) -> Iterator[Any]:
    with copied(migrated_template) as settings:
        run_dbt(["run", "--select", *FEEDS], settings.environment())
        yield settings


@pytest.fixture
def own(with_models: ConnectionSettings) -> Iterator[ConnectionSettings]:
    with copied(with_models) as settings:
        yield settings


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(EVENING + timedelta(hours=4))


@pytest.fixture
def site(clock: ManualClock) -> Iterator[FakeReplaySites]:
    with FakeReplaySites(clock) as running:
        running.sites.publish(GAME)
        running.sites.publish(SMALL)
        yield running


@pytest.fixture
def landing(own: ConnectionSettings, site: FakeReplaySites, clock: ManualClock, tmp_path: Path) -> Landing:
    settings = Settings(_env_file=None).model_copy(
        update={
            "postgres_host": own.host,
            "postgres_port": own.port,
            "postgres_username": own.username,
            "postgres_password": SecretStr(own.password),
            "postgres_database": own.database,
            "pteroassets_log_store": str(tmp_path),
            "pteroassets_replay_sites": f"wog:{site.url}",
        }
    )
    return Landing(settings=settings, clock=clock)


@pytest.fixture
def connection(own: ConnectionSettings) -> Iterator[Connection]:
    with connect(own, autocommit=True) as opened:
        yield opened


@pytest.fixture
def tell(connection: Connection, clock: ManualClock) -> Callable[..., list[str]]:
    def told(targets: tuple[str, ...] = (TARGET,), language: Language = "en") -> list[str]:
        return tell_replays(connection, targets, least_players=15, language=language, now=clock.now())

    return told


def notices(connection: Connection) -> dict[int, tuple[bool, str | None]]:
    rows = connection.execute(
        "select site_number, told, notices.reason from ops.replay_notices as notices "
        "inner join raw_arma3.replays using (replay_key) order by 1"
    ).fetchall()
    return {number: (told, reason) for number, told, reason in rows}


def versions(connection: Connection) -> list[tuple[str, int]]:
    return connection.execute("select key, version from ops.outbox order by id").fetchall()


@pytest.mark.postgres
def test_each_game_is_told_once_and_a_small_one_is_only_landed(
    landing: Landing, connection: Connection, tell: Callable[..., list[str]]
) -> None:
    read_sites(landing, connection)
    (key,) = tell()
    assert key.endswith("/1")
    assert notices(connection) == {1: (True, None), 2: (False, "9 players are fewer than 15")}
    assert (tell(), versions(connection)) == ([], [(key, 1)])
    assert connection.execute("select replay_number, posted from arma3.messages order by 1").fetchall() == [
        (1, True),
        (2, False),
    ]
    ((message, data),) = connection.execute(
        "select message, text_data::json ->> 'mission_name' from arma3.messages where replay_number = 1"
    ).fetchall()
    assert "A new replay is out" in message
    assert data == GAME.mission


@pytest.mark.postgres
def test_one_run_lands_a_game_and_has_it_told(landing: Landing, connection: Connection) -> None:
    told = landing.settings.model_copy(
        update={"pteroassets_replay_targets": "discord:77", "pteroassets_replay_least_players": 15}
    )
    run = dataclasses.replace(landing, settings=told)
    assert dg.materialize([replays], resources={"landing": run}).success
    rows = connection.execute("select target, version from ops.outbox").fetchall()
    assert rows == [("discord:77", 1)]
    assert dg.materialize([replays], resources={"landing": run}).success
    assert connection.execute("select target, version from ops.outbox").fetchall() == rows


@pytest.mark.postgres
def test_apostrophes_and_what_looks_like_sql_are_words(
    landing: Landing, site: FakeReplaySites, connection: Connection, tell: Callable[..., list[str]]
) -> None:
    mission = "Farmer's '); drop table raw_arma3.kills; --"
    commanders = {side: Player(player_id=7, name="O'Brien'") for side in GAME.commanders}
    site.sites.publish(dataclasses.replace(GAME, mission=mission, island="O'Hara", commanders=commanders))
    read_sites(landing, connection)
    assert len(tell()) == 1
    ((body,),) = connection.execute("select body::text from ops.outbox").fetchall()
    for said in ("Farmer's", "drop table raw", "O'Hara", "O'Brien'"):
        assert said in body.replace("\\", "")
    assert connection.execute("select mission, island from raw_arma3.replays where site_number = 1").fetchall() == [
        (mission, "O'Hara")
    ]
    assert connection.execute("select count(*) > 5 from raw_arma3.kills").fetchone() == (True,)


@pytest.mark.postgres
def test_a_correction_edits_the_message_and_adds_none(
    landing: Landing, site: FakeReplaySites, connection: Connection, clock: ManualClock, tell: Callable[..., list[str]]
) -> None:
    read_sites(landing, connection)
    (key,) = tell()
    site.sites.publish(dataclasses.replace(GAME, winner="CIV"))
    clock.sleep(3600)
    read_sites(landing, connection)
    assert tell() == [key]
    assert versions(connection) == [(key, 2)]
    ((body,),) = connection.execute("select body::text from ops.outbox").fetchall()
    assert "🟪 CIV" in body


@pytest.mark.postgres
def test_a_game_of_which_nobody_is_known_is_not_one_of_no_players(
    landing: Landing, connection: Connection, tell: Callable[..., list[str]]
) -> None:
    read_sites(landing, connection)
    connection.execute("update raw_arma3.replays set players = null")
    connection.execute("delete from raw_arma3.units")
    assert tell() == []
    reason = "how many played is not known, and at least 15 are asked for"
    assert notices(connection) == {1: (False, reason), 2: (False, reason)}


@pytest.mark.postgres
def test_a_game_with_a_long_name_is_told_and_holds_up_no_other(
    landing: Landing, connection: Connection, tell: Callable[..., list[str]]
) -> None:
    read_sites(landing, connection)
    connection.execute("update raw_arma3.replays set replay_id = repeat('x', 240) || site_number, players = 100")
    assert len(set(tell())) == 2
    assert (tell(), len(versions(connection))) == ([], 2)


@pytest.mark.postgres
def test_history_that_is_read_later_is_not_told(
    landing: Landing, connection: Connection, clock: ManualClock, tell: Callable[..., list[str]]
) -> None:
    clock.move_to(EVENING + TOLD_WITHIN + timedelta(hours=1))
    load_replays(landing, connection, [1])
    assert (tell(), versions(connection)) == ([], [])
    assert notices(connection) == {1: (False, "it was played long before it was read")}


@pytest.mark.postgres
def test_without_a_target_nothing_is_told_later_either(
    landing: Landing, connection: Connection, tell: Callable[..., list[str]]
) -> None:
    read_sites(landing, connection)
    assert tell(()) == []
    assert notices(connection)[1] == (False, "no target is set")
    assert (tell(), versions(connection)) == ([], [])


@pytest.mark.postgres
def test_before_the_models_are_built_it_waits(warehouse: Connection) -> None:
    assert tell_replays(warehouse, [TARGET], least_players=0, language="en", now=EVENING) == []


@pytest.mark.postgres
def test_a_message_that_breaks_off_is_told_by_the_next_call(
    landing: Landing, connection: Connection, tell: Callable[..., list[str]]
) -> None:
    read_sites(landing, connection)
    connection.execute("alter table ops.outbox add constraint broken check (key not like 'replay/%') not valid")
    with pytest.raises(Exception, match="broken"):
        tell()
    assert 1 not in notices(connection)
    connection.execute("alter table ops.outbox drop constraint broken")
    assert len(tell()) == 1
    assert len(versions(connection)) == 1
