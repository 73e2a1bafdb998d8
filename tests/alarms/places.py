"""An outbox, a fake Discord and the delivery between them, all on one clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pteroassets.alarms.delivery import Delivery
from pteroassets.alarms.discord_transport import DiscordBot
from pteroassets.alarms.outbox import Embed, Message, put
from pteroassets.alarms.ways import Way
from pteroassets.clock import ManualClock
from pteroassets.simulator.discord.serve import FakeDiscord
from pteroassets.warehouse.connection import Connection

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(kw_only=True)
class Place:
    """What a test of the delivery works with; *way* is the bot unless it is changed."""

    fake: FakeDiscord
    clock: ManualClock
    warehouse: Connection
    way: Way
    name: str = "discord"

    def target(self, channel: str = "alarms") -> str:
        return f"discord:{self.fake.channels[channel]}"

    def put(self, key: str = "one", *, channel: str = "alarms", **options: Any) -> int:
        given = {"embeds": (Embed(title=key),), **options}
        return put(self.warehouse, Message(key=key, target=self.target(channel), **given), at=self.clock.now())

    def delivery(self) -> Delivery:
        return Delivery(connection=self.warehouse, name=self.name, way=self.way, clock=self.clock)

    def deliver(self, *, for_: timedelta = timedelta(minutes=10), delivery: Delivery | None = None) -> timedelta:
        """Make passes until nothing waits or the time is up; return how long that took on the clock."""
        begun = self.clock.now()
        delivery = delivery or self.delivery()
        while self.clock.now() - begun < for_:
            if delivery.make_pass():
                continue
            due = delivery.next_at()
            if due is None:
                break
            self.clock.move_to(max(due, self.clock.now() + timedelta(milliseconds=1)))
        return self.clock.now() - begun

    def shown(self, channel: str = "alarms") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.fake.ask("messages", channel=channel)
        return found

    def titles(self, channel: str = "alarms") -> list[str]:
        return [one["embeds"][0]["title"] if one["embeds"] else one["content"] for one in self.shown(channel)]

    def column(self, columns: str, key: str = "one") -> Any:
        row = self.warehouse.execute(f"select {columns} from ops.outbox where key = %s", (key,)).fetchone()
        assert row is not None
        return row[0] if len(row) == 1 else row

    def outcomes(self, key: str = "one") -> list[str]:
        rows = self.warehouse.execute(
            "select outcome from ops.outbox_deliveries where key = %s order by delivery_number", (key,)
        )
        return [outcome for (outcome,) in rows]

    def fault(self, **requests: Any) -> None:
        self.fake.ask("fault", requests=requests)


@contextmanager
def place_with(warehouse: Connection, **options: Any) -> Iterator[Place]:
    """Give a fake Discord, and the bot that delivers to it."""
    clock = ManualClock(NOON)
    with FakeDiscord(clock, seconds=lambda: clock.now().timestamp(), **options) as fake:
        bot = DiscordBot(fake.token, clock=clock, base=fake.url)
        yield Place(fake=fake, clock=clock, warehouse=warehouse, way=bot)
        bot.close()
