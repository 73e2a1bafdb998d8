"""The bot through the real library on the fake Discord: who may do what, what is written down, what survives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from pteroassets.alarms.outbox import Button, Message, put
from pteroassets.bot.cards.keeping import keep, place, wake
from pteroassets.bot.cards.rules import UpdateRules
from pteroassets.bot.permissions import Roles
from pteroassets.bot.pressing import OTHER_GUILD, READ_ONLY
from pteroassets.clock import ManualClock
from pteroassets.simulator.discord.serve import FakeDiscord
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.databases import copied

from .discord_bot import LAG, NOW, SERVER, PanelRoute, config_of, deliver, panel_route, running, until
from .world import SERVERS

RULES = UpdateRules()


@pytest.fixture(scope="module")
def copy(built_settings: ConnectionSettings) -> Iterator[ConnectionSettings]:
    with copied(built_settings) as found:
        yield found


@pytest.fixture
def settings(copy: ConnectionSettings) -> ConnectionSettings:
    """The built warehouse, without what the bot wrote in another test."""
    with connect(copy, autocommit=True) as connection:
        connection.execute("truncate ops.discord_cards, ops.outbox, raw_discord.actions, ops.incidents cascade")
    return copy


@pytest.fixture
def books(settings: ConnectionSettings) -> Iterator[Connection]:
    with connect(settings, autocommit=True) as connection:
        yield connection


@pytest.fixture
def fake() -> Iterator[FakeDiscord]:
    with FakeDiscord() as found:
        yield found


@pytest.fixture
def route() -> Iterator[PanelRoute]:
    with panel_route() as found:
        yield found


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


def card_in(books: Connection, fake: FakeDiscord, server: object = SERVER) -> int:
    """Place the card of a server, and return its message."""
    placed = place(
        books,
        guild_id=fake.guild_id,
        channel_id=fake.channels["status"],
        kind="server",
        subject=str(server),
        user_id=1,
        at=NOW,
    )
    keep(books, NOW, rules=RULES, log_lag=LAG)
    return deliver(books, fake)[placed.key]


def said(answer: Any) -> str:
    (message,) = answer["messages"]
    assert answer["is_private"], "nobody else sees it"
    return str(message["content"])


def click(fake: FakeDiscord, message: int, label: str, *, as_: str = "operator") -> Any:
    return fake.ask("click", as_=as_, message=message, label=label)


def ask(fake: FakeDiscord, message: int, label: str, *, as_: str = "operator") -> int:
    """Press a button that asks back, and return the message with the question."""
    (question,) = click(fake, message, label, as_=as_)["messages"]
    return int(question["id"])


def confirm(fake: FakeDiscord, question: int, label: str, *, as_: str = "operator") -> str:
    """Press the button of a question, and return what stands there in the end."""
    click(fake, question, label, as_=as_)

    def answer() -> str | None:
        (message,) = (one for one in fake.ask("messages", channel="status") if one["id"] == str(question))
        assert message["private_to"] == as_, "nobody else sees it"
        assert message["components"] == [], "a second press is not offered"
        return None if message["content"] == "Sending it …" else str(message["content"])

    return str(until(answer))


def actions(books: Connection) -> list[tuple[Any, ...]]:
    return books.execute(
        "select user_name, command, outcome, players_online, is_confirmed, panel_status from raw_discord.actions "
        "order by _loaded_at"
    ).fetchall()


def test_a_member_places_a_card_from_the_menu_and_an_operator_restarts_the_server_by_it(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    with running(config_of(fake, route), settings, fake, clock):
        (totals,) = fake.ask("slash", as_="player", channel="status", command="server_status")["messages"]
        assert totals["embeds"][0]["title"] == "6 servers"
        assert "3 running" in totals["embeds"][0]["description"]
        fake.ask("select", as_="player", message=int(totals["id"]), values=[f"server:{SERVER}"])
        until(lambda: "The card of **Server 1** will appear here." in str(fake.ask("messages", channel="status")))
        until(lambda: books.execute("select 1 from ops.outbox where key like 'card/%'").fetchone())
        ((key, message),) = deliver(books, fake).items()
        assert key.startswith(f"card/{fake.guild_id}/{fake.channels['status']}/{SERVER}/")

        clock.move_to(NOW + timedelta(seconds=5))
        question = click(fake, message, "Restart")
        assert "1 player is online (by its log" in said(question)
        assert route.sent == [], "nothing is sent before it is confirmed"
        answer = confirm(fake, int(question["messages"][0]["id"]), "Restart anyway")

        assert answer == "Restart was sent to **Server 1**; its card shows what comes of it."
        assert route.sent == [(str(SERVER), "restart")]
        assert actions(books) == [
            ("player", "place", "done", None, False, None),
            ("operator", "restart", "done", 1, True, 204),
        ]
        body = until(
            lambda: books.execute("select body from ops.outbox where version = 2 and key = %s", (key,)).fetchone()
        )
        assert "Restart sent by <@" in str(body)


def test_a_card_that_is_placed_again_takes_the_place_of_the_older_one(books: Connection, fake: FakeDiscord) -> None:
    first, second = card_in(books, fake), card_in(books, fake)

    rows = books.execute("select message_id, withdrawn_at is null from ops.outbox order by id").fetchall()
    assert rows == [(str(first), False), (str(second), True)]
    assert books.execute("select count(*) from ops.discord_cards").fetchone() == (1,)


def test_who_lacks_the_role_or_is_of_another_guild_is_refused_and_written_down(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    message = card_in(books, fake)
    other = config_of(fake, route, guild_id=fake.guild_id)
    with running(other, settings, fake, clock):
        for label in ("Stop", "Restart", "Show Address"):
            assert f"it takes <@&{fake.roles['operators']}>" in said(click(fake, message, label, as_="player"))
        assert "203.0.113.10:25565" in said(click(fake, message, "Show Address"))
    assert route.sent == []
    assert [(row[0], row[1], row[2]) for row in actions(books)] == [
        ("player", "stop", "refused"),
        ("player", "restart", "refused"),
        ("player", "address", "refused"),
        ("operator", "address", "done"),
    ]


def test_a_button_in_another_guild_does_nothing(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    state = fake.ask("state")
    (guild,) = (one for one in state["guilds"] if one["name"] == "Another guild")
    channel = int(next(iter(guild["channels"].values())))
    placed = place(
        books, guild_id=int(guild["id"]), channel_id=channel, kind="server", subject=str(SERVER), user_id=1, at=NOW
    )
    keep(books, NOW, rules=RULES, log_lag=LAG)
    message = deliver(books, fake)[placed.key]
    with running(config_of(fake, route), settings, fake, clock):
        assert said(click(fake, message, "Restart", as_="stranger")) == OTHER_GUILD
    assert route.sent == []
    assert [(row[1], row[2]) for row in actions(books)] == [("restart", "refused")]


def test_roles_of_a_server_take_the_place_of_those_of_its_egg_and_of_all(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    one, two = card_in(books, fake), card_in(books, fake, SERVERS["b"])
    roles = Roles(
        {
            None: [fake.roles["players"]],
            "Paper": [fake.roles["moderators"]],
            str(SERVER): [fake.roles["operators"]],
        }
    )
    with running(config_of(fake, route, roles=roles), settings, fake, clock):
        refused = {
            (server, who): "You may not" in said(click(fake, message, "Show Address", as_=who))
            for server, message in (("one", one), ("two", two))
            for who in ("operator", "moderator", "player")
        }
    assert refused == {
        ("one", "operator"): False,
        ("one", "moderator"): True,
        ("one", "player"): True,
        ("two", "operator"): True,
        ("two", "moderator"): False,
        ("two", "player"): True,
    }


def test_of_two_people_at_once_one_wins_and_the_other_is_told_who_did(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    message = card_in(books, fake)
    route.seconds = 1.0
    roles = Roles({None: [fake.roles["operators"], fake.roles["moderators"]]})
    with running(config_of(fake, route, roles=roles), settings, fake, clock):
        found: dict[str, str] = {}
        asked = {who: ask(fake, message, "Stop", as_=who) for who in ("operator", "moderator")}

        def press(who: str) -> None:
            found[who] = confirm(fake, asked[who], "Stop anyway", as_=who)

        threads = [threading.Thread(target=press, args=(who,)) for who in asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = confirm(fake, ask(fake, message, "Stop"), "Stop anyway")
    assert route.sent == [(str(SERVER), "stop")]
    (winner,) = [who for who, text in found.items() if text.startswith("Stop was sent")]
    (loser,) = set(found) - {winner}
    assert "is already sending stop" in found[loser]
    assert "the next signal is taken" in after, "the server cools down"
    assert sorted(row[2] for row in actions(books)) == ["done", "refused", "refused"]


def test_a_number_of_players_that_is_not_known_is_said(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    message = card_in(books, fake, SERVERS["f"])
    with running(config_of(fake, route), settings, fake, clock):
        question = said(click(fake, message, "Restart"))
        clock.sleep(2 * LAG.total_seconds())
        asked = {"as_": "player", "channel": "commands", "options": {"server": f"server:{SERVERS['f']}"}}
        (who,) = fake.ask("slash", command="who", **asked)["messages"]
    assert "How many players are online is not known (its state is not known)" in question
    assert route.sent == []
    assert who["embeds"][0]["title"] == "Who is online is not known"
    assert who["embeds"][0]["description"].startswith("unknown: ")


def test_a_question_is_answered_by_who_was_asked_within_a_minute(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    message = card_in(books, fake)
    with running(config_of(fake, route), settings, fake, clock):
        question = ask(fake, message, "Stop")
        clock.move_to(NOW + timedelta(seconds=61))
        assert "The time to confirm is over" in confirm(fake, question, "Stop anyway")
    assert route.sent == []


@pytest.mark.parametrize(
    ("status", "seconds", "text", "outcome"),
    [
        (403, 0.0, "failed: the key of PTEROASSETS_DISCORD_POWER_KEY may not do this", "failed"),
        (409, 0.0, "failed: the panel refuses it in the state that the server or its node is in", "failed"),
        (504, 0.0, "It is not known whether **Server 1** got the signal", "unanswered"),
        (204, 2.5, "the panel did not answer within 1 s; it may have got the signal", "unanswered"),
    ],
)
def test_what_the_panel_says_is_told_and_a_signal_is_sent_once(
    settings: ConnectionSettings,
    books: Connection,
    fake: FakeDiscord,
    route: PanelRoute,
    clock: ManualClock,
    status: int,
    seconds: float,
    text: str,
    outcome: str,
) -> None:
    message = card_in(books, fake)
    route.status, route.seconds = status, seconds
    with running(config_of(fake, route, power_seconds=1.0), settings, fake, clock):
        assert text in confirm(fake, ask(fake, message, "Stop"), "Stop anyway")
    assert route.sent == [(str(SERVER), "stop")]
    assert [(row[1], row[2], row[5]) for row in actions(books)] == [
        ("stop", outcome, None if seconds else status),
    ]


def test_without_a_power_key_the_bot_only_reads(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    message = card_in(books, fake)
    with running(config_of(fake, route, power_key=None), settings, fake, clock):
        assert said(click(fake, message, "Restart")) == READ_ONLY
        assert "203.0.113.10:25565" in said(click(fake, message, "Show Address"))
    assert route.sent == []


def test_buttons_outlive_a_lost_gateway_and_a_restart_which_changes_no_card(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    message = card_in(books, fake)
    config = config_of(fake, route)
    with running(config, settings, fake, clock):
        fake.ask("fault", drop=4000)
        until(lambda: fake.ask("state")["gateway"]["resumes"] == 1 and fake.ask("state")["gateway"]["connected"])
        assert "203.0.113.10" in said(click(fake, message, "Show Address"))
    books.execute(
        """
        insert into raw_discord.actions (action_id, guild_id, user_id, user_name, command, server_uuid, asked_at)
        values (gen_random_uuid(), 1, 7, 'killed', 'restart', %s, %s)
        """,
        (SERVER, NOW - timedelta(minutes=5)),
    )
    clock.move_to(NOW + timedelta(minutes=1))
    with running(config, settings, fake, clock):
        assert "203.0.113.10" in said(click(fake, message, "Show Address"))
        until(lambda: ("killed", "restart", "interrupted", None, False, None) in actions(books))
    assert books.execute("select version from ops.outbox").fetchall() == [(1,)]


def test_a_card_goes_with_its_message_or_its_channel(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    def cards() -> int:
        row = books.execute("select count(*) from ops.discord_cards").fetchone()
        assert row is not None
        return int(row[0])

    message = card_in(books, fake)
    card_in(books, fake, SERVERS["b"])
    with running(config_of(fake, route), settings, fake, clock):
        fake.ask("delete", message=message)
        until(lambda: cards() == 1)
        fake.ask("delete", channel="status")
        until(lambda: cards() == 0)


def test_a_bot_whose_roles_do_not_exist_names_all_of_them_and_tries_again_later(
    settings: ConnectionSettings,
    fake: FakeDiscord,
    route: PanelRoute,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = Roles({None: [111], "Paper": [222]})
    told = "the guild has no role 222: correct PTEROASSETS_DISCORD_POWER_ROLES or PTEROASSETS_DISCORD_ROLES_OF"
    with running(config_of(fake, route, roles=wrong), settings, fake, clock, ready=lambda: caplog.text.count(told) > 1):
        assert "the guild has no role 111" in caplog.text
    assert fake.ask("state")["gateway"]["identifies"] == 0


def test_a_wrong_token_is_told_without_being_shown(
    settings: ConnectionSettings,
    fake: FakeDiscord,
    route: PanelRoute,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = replace(config_of(fake, route), token=SecretStr("wrong-and-secret"))
    told = "Discord does not know the token of PTEROASSETS_DISCORD_TOKEN"
    with running(config, settings, fake, clock, ready=lambda: told in caplog.text):
        pass
    assert "wrong-and-secret" not in caplog.text


def test_commands_answer_from_the_marts(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    def answer(command: str, **options: object) -> Any:
        (message,) = fake.ask("slash", as_="player", channel="commands", command=command, options=options)["messages"]
        return message

    with running(config_of(fake, route), settings, fake, clock):
        who = answer("who", server=f"server:{SERVER}")["embeds"][0]
        assert who["title"] == "1 player online"
        assert "Player0 since <t:" in who["description"]
        top = answer("top", days=30)["embeds"][0]
        assert top["title"] == "Most played in the last 30 days"
        assert top["description"].startswith("1. **Player0** ")
        assert answer("incidents")["embeds"][0]["title"]
        assert "No server is called nothing" in answer("who", server="nothing")["content"]
        assert "Only who may manage messages" in answer("purge")["content"]
        found = fake.ask(
            "autocomplete",
            as_="player",
            channel="commands",
            command="server_status",
            focused="server",
            options={"server": "server 2"},
        )
        assert "Server 2" in str(found)
        assert "Server 1" not in str(found)
        card_in(books, fake)
        assert "1 card will be written anew" in answer("refresh")["content"]
        wake(books)


def test_an_incident_is_acknowledged_and_snoozed_by_its_buttons_and_by_who_may(
    settings: ConnectionSettings, books: Connection, fake: FakeDiscord, route: PanelRoute, clock: ManualClock
) -> None:
    books.execute(
        """
        insert into ops.incidents
            (incident_id, kind, subject_kind, subject_key, subject_name, severity, opened_at, noticed_at, cause)
        values (7, 'node_down', 'node', 'one', 'one', 'critical', %(now)s, %(now)s, 'it does not answer')
        """,
        {"now": NOW - timedelta(minutes=10)},
    )
    buttons = (
        Button(custom_id="incident:ack:7", label="Acknowledge"),
        Button(custom_id="incident:snooze:7:60", label="Snooze"),
    )
    target = f"discord:{fake.channels['status']}"
    put(books, Message(key="incident/7", target=target, content="one is down", buttons=(buttons,)), at=NOW)
    message = deliver(books, fake)["incident/7"]
    with running(config_of(fake, route), settings, fake, clock):
        listed = fake.ask("slash", as_="player", channel="commands", command="incidents")["messages"][0]["embeds"][0]
        assert listed["title"] == "1 open incident"
        assert "#7 **one** node down, critical" in listed["description"]
        assert "Only who may press the buttons of a card" in said(click(fake, message, "Acknowledge", as_="player"))
        assert said(click(fake, message, "Acknowledge")).startswith("Acknowledged: ")
        assert said(click(fake, message, "Acknowledge")) == "operator has acknowledged it already."
        assert said(click(fake, message, "Snooze")).startswith("Snoozed for ")
    assert [(row[0], row[1], row[2]) for row in actions(books)] == [
        ("player", "acknowledge", "refused"),
        ("operator", "acknowledge", "done"),
        ("operator", "acknowledge", "done"),
        ("operator", "snooze", "done"),
    ]


def test_one_reading_feeds_all_cards_and_the_number_of_statements_does_not_grow_with_them(
    settings: ConnectionSettings,
) -> None:
    def selects(cards: int) -> int:
        with connect(settings, autocommit=True) as connection:
            connection.execute("truncate ops.discord_cards")
            for channel in range(cards):
                place(connection, guild_id=1, channel_id=channel, kind="server", subject=str(SERVER), user_id=1, at=NOW)
            keep(connection, NOW, rules=RULES, log_lag=LAG)
            counted: list[str] = []
            real = connection.execute

            def execute(query: Any, *arguments: Any, **options: Any) -> Any:
                counted.append(str(query))
                return real(query, *arguments, **options)

            connection.execute = execute  # type: ignore[method-assign]
            keep(connection, NOW + timedelta(minutes=1), rules=RULES, log_lag=LAG)
            return len(counted)

    assert selects(1) == selects(8)
