"""The bot as a process: killed while the panel answers, and begun where Discord does not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pteroassets.bot.cards.keeping import keep, kept_cards, place
from pteroassets.bot.cards.rules import UpdateRules
from pteroassets.simulator.discord.serve import FakeDiscord
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.databases import copied

from .discord_bot import LAG, SERVER, PanelRoute, deliver, is_serving, panel_route, until


@pytest.fixture
def settings(built_settings: ConnectionSettings) -> Iterator[ConnectionSettings]:
    with copied(built_settings) as found:
        yield found


@pytest.fixture
def books(settings: ConnectionSettings) -> Iterator[Connection]:
    with connect(settings, autocommit=True) as connection:
        yield connection


@contextmanager
def begun(
    warehouse: ConnectionSettings, fake: FakeDiscord, route: PanelRoute, home: Path, *, api: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Begin ``pteroassets bot``; it is killed at the end if it still runs."""
    ours = ("PTEROASSETS_", "PTERODACTYL_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= warehouse.environment() | {
        "PTERODACTYL_URL": route.url,
        "PTEROASSETS_DISCORD_TOKEN": fake.token,
        "PTEROASSETS_DISCORD_API": api or fake.url,
        "PTEROASSETS_DISCORD_GUILD": str(fake.guild_id),
        "PTEROASSETS_DISCORD_POWER_ROLES": str(fake.roles["operators"]),
        "PTEROASSETS_DISCORD_POWER_KEY": "ptlc_" + "p" * 43,
        "PTEROASSETS_DISCORD_POWER_SECONDS": "1",
        "PTEROASSETS_HOME": str(home),
    }
    command = [Path(sys.executable).parent / "pteroassets", "bot"]
    with (home / "bot.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, cwd=home, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_who_is_killed_while_the_panel_answers_leaves_the_action_open_and_the_next_one_closes_it(
    settings: ConnectionSettings, books: Connection, tmp_path: Path
) -> None:
    with FakeDiscord() as fake, panel_route() as route:
        now = datetime.now(UTC)
        placed = place(
            books,
            guild_id=fake.guild_id,
            channel_id=fake.channels["status"],
            kind="server",
            subject=str(SERVER),
            user_id=1,
            at=now,
        )
        keep(books, now, rules=UpdateRules(), log_lag=LAG)
        message = deliver(books, fake)[placed.key]
        route.seconds = 3.0
        with begun(settings, fake, route, tmp_path) as bot:
            until(lambda: is_serving(fake, 0))
            pressing = threading.Thread(
                target=fake.ask, args=("click",), kwargs={"as_": "operator", "message": message, "label": "Start"}
            )
            pressing.start()
            until(lambda: route.sent)
            bot.send_signal(signal.SIGKILL)
            bot.wait()
        assert outcomes(books) == [None]
        # older than a signal can be under way
        books.execute("update raw_discord.actions set asked_at = asked_at - interval '5 minutes'")
        route.seconds = 0.0
        with begun(settings, fake, route, tmp_path) as bot:
            until(lambda: outcomes(books) == ["interrupted"])
            until(lambda: is_serving(fake, 1))
            fake.ask("click", as_="operator", message=message, label="Start")
            until(lambda: outcomes(books) == ["interrupted", "done"])
            bot.send_signal(signal.SIGTERM)
            assert bot.wait(30) == 0
        pressing.join(30)
        assert route.sent == [(str(SERVER), "start")] * 2
        assert [card.place for card in kept_cards(books)] == [placed], "the card stands where it stood"
        cards = [one for one in fake.ask("messages", channel="status") if not one.get("private_to")]
        assert [one["id"] for one in cards] == [str(message)]


def test_a_bot_begun_without_a_network_says_so_and_serves_when_there_is_one(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    with socket.socket() as held, FakeDiscord() as fake, panel_route() as route:
        held.bind(("127.0.0.1", 0))  # nobody listens there
        with begun(settings, fake, route, tmp_path, api=f"http://127.0.0.1:{held.getsockname()[1]}") as bot:
            until(lambda: "again in 5 s" in (tmp_path / "bot.log").read_text())
            assert bot.poll() is None, "it goes on trying"
            bot.send_signal(signal.SIGTERM)
            assert bot.wait(30) == 0
    assert fake.token not in (tmp_path / "bot.log").read_text()


def outcomes(books: Connection) -> list[str | None]:
    return [
        outcome
        for (outcome,) in books.execute(
            "select outcome from raw_discord.actions where command = 'start' order by _loaded_at"
        )
    ]
