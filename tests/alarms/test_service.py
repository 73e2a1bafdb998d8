"""The service as a process: killed at any moment, beside another one, stopped, and its commands."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from pteroassets.alarms.discord_transport import DiscordBot
from pteroassets.alarms.outbox import Embed, Message, put
from pteroassets.alarms.service import OutboxService
from pteroassets.cli import main
from pteroassets.clock import SystemClock
from pteroassets.platform.health import silent_ways
from pteroassets.platform.outbox import check_ways
from pteroassets.settings import Settings
from pteroassets.simulator.discord.rates import Rate
from pteroassets.simulator.discord.serve import FakeDiscord
from pteroassets.warehouse.connection import Connection, ConnectionSettings

pytestmark = pytest.mark.postgres
FAST = {
    "POST /channels/{channel}/messages": Rate(40, 1.0),
    "PATCH /channels/{channel}/messages/{message}": Rate(40, 1.0),
}


def begin(warehouse: ConnectionSettings, fake: FakeDiscord, home: Path) -> subprocess.Popen[bytes]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PTEROASSETS_", "PTERODACTYL_"))
    }
    environment |= warehouse.environment() | {
        "PTEROASSETS_DISCORD_TOKEN": fake.token,
        "PTEROASSETS_DISCORD_API": fake.url,
        "PTEROASSETS_HOME": str(home),
    }
    return subprocess.Popen(
        [Path(sys.executable).parent / "pteroassets", "outbox"], env=environment, cwd=home, stderr=subprocess.PIPE
    )


def wait_until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def left(warehouse: Connection) -> int:
    row = warehouse.execute("select count(*) from ops.outbox where sent_version is distinct from version").fetchone()
    assert row is not None
    return int(row[0])


def fill(warehouse: Connection, fake: FakeDiscord, count: int, text: str = "v1") -> None:
    channels = [*fake.channels.values()]
    for number in range(count):
        message = Message(
            key=f"{number}", target=f"discord:{channels[number % 3]}", content=text, embeds=(Embed(title=f"{number}"),)
        )
        put(warehouse, message, at=datetime.now(UTC))


def shown(fake: FakeDiscord) -> list[tuple[str, str]]:
    return [
        (one["embeds"][0]["title"], one["content"])
        for channel in ("status", "alarms", "streams")
        for one in fake.ask("messages", channel=channel)
    ]


def test_who_is_killed_again_and_again_loses_no_message_and_sends_none_twice(
    warehouse: Connection, warehouse_settings: ConnectionSettings, tmp_path: Path
) -> None:
    moments = random.Random(7)
    with FakeDiscord(rates=FAST) as fake:
        # most of the time a call is under way, so that most kills fall into one
        fake.ask("fault", requests={"route": "^(POST|PATCH)", "slow": 0.1})
        fill(warehouse, fake, 24)
        for kill in range(3):
            process = begin(warehouse_settings, fake, tmp_path)
            goal = left(warehouse) - 6
            wait_until(lambda goal=goal: left(warehouse) <= goal)  # type: ignore[misc]
            time.sleep(moments.uniform(0, 0.1))
            process.kill()
            process.communicate()
            if kill == 1:
                fill(warehouse, fake, 24, "last")
        assert left(warehouse) > 0
        process = begin(warehouse_settings, fake, tmp_path)
        wait_until(lambda: left(warehouse) == 0)
        assert silent_ways(warehouse_settings, ["discord"]) is None
        assert "channel:x" in str(silent_ways(warehouse_settings, ["discord", "channel:x"]))
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
        assert Counter(shown(fake)) == Counter({(f"{number}", "last"): 1 for number in range(24)})


def test_two_services_send_nothing_twice_and_the_second_takes_over(
    warehouse: Connection, warehouse_settings: ConnectionSettings
) -> None:
    with FakeDiscord(rates=FAST) as fake:
        services = [
            OutboxService(
                warehouse=warehouse_settings,
                ways={"discord": DiscordBot(fake.token, clock=SystemClock(), base=fake.url)},
            )
            for _ in range(2)
        ]
        threads = [threading.Thread(target=service.run) for service in services]
        for thread in threads:
            thread.start()
        fill(warehouse, fake, 40)
        wait_until(lambda: left(warehouse) == 0)
        routes = fake.ask("state")["routes"]
        assert routes == {"POST /channels/{channel}/messages": 40}
        for service, thread in zip(services, threads, strict=True):
            service.stopping.set()
            thread.join(30)
            if service is services[0]:
                fill(warehouse, fake, 40, "v2")
                wait_until(lambda: left(warehouse) == 0)
        assert Counter(shown(fake)) == Counter({(f"{number}", "v2"): 1 for number in range(40)})


def test_a_message_is_at_its_target_soon_after_it_was_put(
    warehouse: Connection, warehouse_settings: ConnectionSettings
) -> None:
    with FakeDiscord(rates=FAST) as fake:
        bot = DiscordBot(fake.token, clock=SystemClock(), base=fake.url)
        service = OutboxService(warehouse=warehouse_settings, ways={"discord": bot})
        thread = threading.Thread(target=service.run)
        thread.start()
        wait_until(lambda: warehouse.execute("select way from ops.outbox_ways").fetchone() == ("discord",))
        time.sleep(0.3)
        fill(warehouse, fake, 1)
        begun = time.monotonic()
        wait_until(lambda: left(warehouse) == 0)
        service.stopping.set()
        thread.join(30)
    assert time.monotonic() - begun < 30


def test_dead_messages_are_listed_with_their_reason_and_tried_again_by_command(
    warehouse: Connection, warehouse_settings: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("first", "second"):
        put(warehouse, Message(key=key, target="discord:1", content="x"), at=datetime.now(UTC))
    warehouse.execute(
        "update ops.outbox set dead_at = now(), dead_of = 'target', dead_reason = 'the channel is gone' "
        "where key = 'first'"
    )
    monkeypatch.chdir(tmp_path)
    environment = {**warehouse_settings.environment(), "COLUMNS": "200", "PTEROASSETS_HOME": str(tmp_path)}

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["outbox", *arguments], env=environment)
        return f"{result.exit_code} {result.output}"

    assert "second" in run("list")
    assert "first" not in run("list")
    dead = run("list", "--dead")
    assert "first" in dead
    assert "the channel is gone" in dead
    row = warehouse.execute("select id from ops.outbox where key = 'first'").fetchone()
    assert row is not None
    assert run("retry").startswith("2 ")
    assert run("retry", str(row[0])) == "0 1 message will be tried again\n"
    assert run("retry", "--all") == "0 0 messages will be tried again\n"
    assert run("list", "--dead") == "0 no message is dead\n"


def test_without_a_way_the_service_says_what_to_set(
    warehouse_settings: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {**warehouse_settings.environment(), "PTEROASSETS_HOME": str(tmp_path)}
    result = CliRunner().invoke(main, ["outbox"], env=environment)
    assert result.exit_code == 1
    assert "no way out for messages is set: set PTEROASSETS_DISCORD_TOKEN" in result.output
    channels = {**environment, "PTEROASSETS_CHANNELS": '{"mail": "nonsense://secret"}'}
    refused = CliRunner().invoke(main, ["outbox"], env=channels)
    assert "the address of 'mail' in PTEROASSETS_CHANNELS: it is no URL that apprise knows" in refused.output
    assert "secret" not in refused.output


def test_the_check_says_of_each_way_whether_it_can_be_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with FakeDiscord() as fake:
        webhook = fake.ask("webhooks", channel="alarms", name="night watch")
        given = {
            "PTEROASSETS_DISCORD_API": fake.url,
            "PTEROASSETS_DISCORD_TOKEN": fake.token,
            "PTEROASSETS_DISCORD_WEBHOOKS": json.dumps({"watch": webhook["url"]}),
            "PTEROASSETS_CHANNELS": '{"mail": "mailto://user:pass@mail.example.com"}',
        }

        def found(**changes: str) -> list[tuple[str, str, str]]:
            for name, value in {**given, **changes}.items():
                monkeypatch.setenv(name, value)
            return [(one.subject, one.status, one.detail) for one in check_ways(Settings())]

        assert found() == [
            ("PTEROASSETS_DISCORD_TOKEN", "ok", "discord: Discord knows it as pteroassets"),
            ("PTEROASSETS_DISCORD_WEBHOOKS", "ok", "webhook:watch: Discord knows it as night watch"),
            ("channel:mail", "ok", "channel:mail: set"),
        ]
        fake.ask("delete", webhook=webhook["id"])
        wrong = found(PTEROASSETS_DISCORD_TOKEN="wrong")
        assert [status for _, status, _ in wrong] == ["fault", "fault", "ok"]
        assert "Discord does not accept the token" in wrong[0][2]
        assert webhook["token"] not in str(wrong)
        (unknown,) = found(PTEROASSETS_CHANNELS='{"mail": "nonsense://secret"}')
        assert unknown[:2] == ("PTEROASSETS_CHANNELS", "fault")
        assert "secret" not in unknown[2]
