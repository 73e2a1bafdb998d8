"""Routes of earlier games: a deed by its path alone, without a key, where a setting names the game."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pteroassets.collector.compatibility import DEEDS, player_of
from pteroassets.collector.http import Compatibility
from pteroassets.collector.reference import TABLES, read_reference
from pteroassets.collector.senders import WINDOW_SECONDS, Rates
from pteroassets.settings import CHECKOUT
from pteroassets.sources.events.contracts import TYPES
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.collector.serving import Client, event, served
from tests.databases import copied

pytestmark = pytest.mark.postgres
REFERENCE = read_reference(CHECKOUT / "dbt_project" / "seeds" / "events")
HOST = "user1.comcast.com"


@pytest.fixture(scope="module")
def shared(migrated_template: ConnectionSettings) -> Iterator[ConnectionSettings]:
    with copied(migrated_template) as settings:
        yield settings


@pytest.fixture(scope="module")
def client(shared: ConnectionSettings) -> Iterator[Client]:
    # an id is text, whatever it looks like
    guilds = {**REFERENCE["guilds"], "007": {"guild_id": "007", "name": "Zeros"}}
    guilds["98765432109876543210"] = {"guild_id": "98765432109876543210", "name": "Large"}
    given = Compatibility(game="arena", reference={**REFERENCE, "guilds": guilds})
    with served(shared, compatibility=given) as client:
        yield client


@pytest.fixture
def stored(shared: ConnectionSettings) -> Iterator[Connection]:
    with connect(shared, autocommit=True) as connection:
        connection.execute("truncate raw_events.events, raw_events.dead_letters")
        yield connection


def one(stored: Connection) -> tuple[Any, ...]:
    (row,) = stored.execute("select game, event_type, player_id, record -> 'properties' from raw_events.events")
    return row


@pytest.mark.parametrize(
    ("method", "path", "said", "kind", "properties"),
    [
        ("GET", "/join_a_guild/3", "Joined Guild!", "join_a_guild", REFERENCE["guilds"]["3"]),
        ("GET", "/join_a_guild/007", "Joined Guild!", "join_a_guild", {"guild_id": "007", "name": "Zeros"}),
        ("GET", "/join_a_guild/98765432109876543210", "Joined Guild!", "join_a_guild",
         {"guild_id": "98765432109876543210", "name": "Large"}),
        ("GET", "/kill_enemy/49", "kill_enemy!", "kill_enemy", REFERENCE["enemies"]["49"]),
        ("GET", "/take_damage/8", "Took Damage!", "take_damage", REFERENCE["damage_sources"]["8"]),
        ("GET", "/accepted_a_quest/14", "Quest Accepted!", "accepted_a_quest", REFERENCE["quests"]["14"]),
        ("GET", "/transaction/14", "Transaction Complete!", "transaction",
         {"inventory_id": "14", "category": "Bow", "item_name": "Sacred Bow", "store_id": "5", "total_cost": 1500,
          "on_hand_qty": 7}),
        ("POST", "/purchase_a_sword/dark%20blue/3", "Sword Purchased!", "purchase_a_sword",
         {"color": "dark blue", "quantity": 3}),
        ("POST", "/purchase_a_horse/30/large/2", "Horse Purchased!", "purchase_a_horse",
         {"speed": 30, "size": "large", "quantity": 2}),
        ("POST", "/guild/leave", "Guild Action Done!", "guild_action", {"action": "leave"}),
        ("POST", "/", "Default Response!", "default", {}),
    ],
)  # fmt: skip
def test_a_deed_is_stored_as_an_event_of_who_did_it(
    client: Client, stored: Connection, method: str, path: str, said: str, kind: str, properties: Any
) -> None:
    answer = client.ask(method, path, Host=HOST, User_Agent="ApacheBench/2.3", Accept="*/*", Cookie="a secret")
    assert (answer.status, answer.text, answer.headers["cache-control"]) == (200, f"{said}\n", "no-store")
    assert one(stored) == ("arena", kind, HOST, properties)
    ((headers, fresh, skew, record),) = stored.execute(
        "select record -> 'headers', occurred_at between now() - interval '1 minute' and now(), "
        "clock_skew_milliseconds, record::text from raw_events.events"
    ).fetchall()
    assert (headers, fresh, skew) == ({"Host": HOST, "User-Agent": "ApacheBench/2.3", "Accept": "*/*"}, True, None)
    assert "a secret" not in record


@pytest.mark.parametrize(
    ("method", "path", "status", "reason", "words"),
    [
        ("GET", "/join_a_guild/40", 404, "unknown_id", "reference data guilds has the guild_id '40'"),
        ("GET", "/kill_enemy/01", 404, "unknown_id", "'01'"),
        ("GET", "/kill_enemy/-1", 404, "unknown_id", "'-1'"),
        ("GET", "/take_damage/9", 404, "unknown_id", "damage_sources"),
        ("GET", "/transaction/1%20or%201=1", 404, "unknown_id", "'1 or 1=1'"),
        ("GET", "/accepted_a_quest/%00%ff", 404, "unknown_id", "quest_id"),
        ("GET", f"/kill_enemy/{'9' * 5000}", 404, "unknown_id", "999"),
        ("POST", "/purchase_a_horse/30/huge/2", 400, "wrong_fields", "$.size"),
        ("POST", "/purchase_a_horse/30/small/-2", 400, "wrong_fields", "$.quantity"),
        ("POST", "/purchase_a_horse/-30/small/2", 400, "wrong_fields", "$.speed"),
        ("POST", "/purchase_a_sword/red/many", 400, "wrong_fields", "$.quantity"),
        ("POST", "/purchase_a_sword/red/99999999999999999999", 400, "wrong_fields", "$.quantity"),
        ("POST", f"/purchase_a_sword/{'r' * 300}/1", 400, "wrong_fields", "$.color"),
        ("POST", "/purchase_a_sword/%00/1", 400, "nul_character", "u0000"),
        ("POST", "/guild/fly", 400, "wrong_fields", "$.action"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_reference_data_or_not_as_its_contract_says_is_kept_apart(
    client: Client, stored: Connection, method: str, path: str, status: int, reason: str, words: str
) -> None:
    answer = client.ask(method, path)
    assert (answer.status, answer.text.partition(":")[0], answer.headers["cache-control"]) == (
        status, reason, "no-store",
    )  # fmt: skip
    assert words in answer.text
    ((game, kept, body),) = stored.execute("select game, reason, body from raw_events.dead_letters").fetchall()
    assert (game, kept) == ("arena", reason)
    assert json.loads(bytes(body))["type"] in path or path == "/guild/fly"
    assert stored.execute("select from raw_events.events").fetchall() == []


def test_the_player_is_who_is_named_else_the_host_that_is_asked(client: Client, stored: Connection) -> None:
    assert client.ask("GET", "/kill_enemy/1", Host=HOST, X_Player="Zo\u00eb".encode()).status == 200  # type: ignore[arg-type]
    assert one(stored)[2] == "Zo\u00eb"
    assert player_of({b"player": b"nora", b"host": b"h:80"}) == "nora"
    assert player_of({b"x-player": b" ", b"host": b"127.0.0.1:8600"}) == "127.0.0.1"
    assert player_of({b"x-player": b"\xeb"}) == "\u00eb"
    answer = client.ask("GET", "/kill_enemy/1", X_Player="x" * 101)
    assert (answer.status, "$.player_id" in answer.text) == (400, True)
    assert client.ask("GET", "/kill_enemy/1", Host="").status == 400, "nobody"


def test_who_looks_does_nothing(client: Client, stored: Connection) -> None:
    for method, path in (("HEAD", "/kill_enemy/1"), ("POST", "/kill_enemy/1"), ("GET", "/"), ("GET", "/guild/join")):
        assert client.ask(method, path).status == 405
    assert client.ask("GET", "/kill_enemy/").status == 404
    assert stored.execute("select from raw_events.events").fetchall() == []


def test_they_are_not_there_unless_they_are_asked_for(warehouse_settings: ConnectionSettings) -> None:
    with served(warehouse_settings) as client:
        for deed in DEEDS:
            assert client.ask(deed.method, deed.path.replace("{", "").replace("}", "")).status == 404
        assert not {deed.path for deed in DEEDS} & client.ask("GET", "/openapi.json").json["paths"].keys()


def test_they_have_the_rate_of_their_game(
    warehouse_settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.collector.senders.monotonic", lambda: 1_000.0)
    given = Compatibility(game="arena", reference=REFERENCE)
    with served(warehouse_settings, compatibility=given, rates=Rates(games={"arena": 1})) as client:
        assert [client.ask("GET", "/kill_enemy/1").status for _ in range(WINDOW_SECONDS)] == [200] * WINDOW_SECONDS
        answer = client.ask("GET", "/kill_enemy/1")
        assert (answer.status, "retry-after" in answer.headers) == (429, True)
        assert client.post(event()).status == 202, "a key of the game is counted apart"


def test_each_type_is_one_that_there_is() -> None:
    assert {deed.event_type for deed in DEEDS} <= TYPES
    assert {deed.table for deed in DEEDS if deed.table is not None} <= {*TABLES}
    assert {name: len(rows) for name, rows in REFERENCE.items()} == {
        "guilds": 40, "enemies": 50, "damage_sources": 9, "quests": 15, "inventory": 15, "stores": 5,
    }  # fmt: skip
