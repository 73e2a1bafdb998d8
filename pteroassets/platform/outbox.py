"""``pteroassets outbox``: deliver messages, list those that wait or are dead, try dead ones again."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pteroassets.alarms.discord_transport import DiscordBot, DiscordWebhook
from pteroassets.alarms.service import OutboxService, UnusableWayError, ways_of
from pteroassets.alarms.ways import DeliveryError
from pteroassets.clock import SystemClock
from pteroassets.landing.context import Landing
from pteroassets.platform.environment import RuntimeFault, landing_of
from pteroassets.platform.finding import Finding
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection

_LISTED = 200


def become_outbox(settings: Settings) -> None:
    """Deliver messages until SIGTERM or Ctrl-C.

    Raises:
        RuntimeFault: No way out is set, or an address is of no use.
        MissingSettingError: POSTGRES_HOST is not set.
    """
    landing = Landing(settings=settings)
    landing.require("postgres_host")  # the embedded one belongs to the process that starts it
    if not settings.ways():
        raise RuntimeFault(
            "no way out for messages is set: set PTEROASSETS_DISCORD_TOKEN, PTEROASSETS_DISCORD_WEBHOOKS, "
            "PTEROASSETS_CHANNELS or PTEROASSETS_ALARM_WEBHOOK; docs/discord.md says what they are"
        )
    clock = SystemClock()
    try:
        ways = ways_of(settings, clock)
    except UnusableWayError as error:
        raise RuntimeFault(str(error)) from None
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("apprise").setLevel(
        logging.CRITICAL
    )  # what it says of a failure is in the outbox, without secrets
    url = settings.pteroassets_heartbeat_url
    service = OutboxService(
        warehouse=landing.warehouse,
        ways=ways,
        heartbeat_url=None if url is None else url.get_secret_value(),
        clock=clock,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stopping.set())
    service.run()


def check_ways(settings: Settings) -> Iterator[Finding]:
    """Yield of each way out for messages whether it can be used; of mail and the like only whether it is understood."""
    subjects = {"discord": "PTEROASSETS_DISCORD_TOKEN", "webhook": "PTEROASSETS_DISCORD_WEBHOOKS"}
    try:
        ways = ways_of(settings, SystemClock())
    except UnusableWayError as error:
        yield Finding(
            subject="PTEROASSETS_CHANNELS", status="fault", detail=str(error), remedy="write it as apprise's pages say"
        )
        return
    for name, way in ways.items():
        subject = subjects.get(name.partition(":")[0], name)
        try:
            known_as = (
                f"Discord knows it as {way.introduce()}" if isinstance(way, DiscordBot | DiscordWebhook) else "set"
            )
        except DeliveryError as error:
            yield Finding(subject=subject, status="fault", detail=f"{name}: {error}", remedy="docs/discord.md")
        else:
            yield Finding(subject=subject, status="ok", detail=f"{name}: {known_as}")
        finally:
            way.close()


def list_messages(settings: Settings, console: Console, *, dead: bool, home: Path | None) -> int:
    """Print the messages that wait, or those that are dead, with the reason; return how many there are."""
    with _connected(settings, home) as connection:
        found = connection.execute(
            """
            select
                outbox.id, outbox.key, outbox.target, outbox.severity, to_char(changed_at, 'YYYY-MM-DD HH24:MI:SS'),
                attempts::text, coalesce(dead_reason, (
                    select deliveries.reason from ops.outbox_deliveries as deliveries
                    where deliveries.outbox_id = outbox.id order by delivery_number desc limit 1
                ), '')
            from ops.outbox
            where sent_version is distinct from version and (dead_at is not null) = %s
            order by changed_at desc limit %s
            """,
            (dead, _LISTED),
        ).fetchall()
    table = Table("Id", "Message", "Target", "Severity", "Since (UTC)", "Attempts", "Why", box=None)
    for row in found:
        table.add_row(*map(str, row))
    if found:
        console.print(table)
    else:
        console.print("no message is dead" if dead else "no message waits")
    return len(found)


def retry_messages(settings: Settings, *, ids: tuple[int, ...], home: Path | None) -> int:
    """Have dead messages tried again, those with the given ids or all; return how many."""
    with _connected(settings, home) as connection:
        return revive(connection, ids)


def revive(connection: Connection, ids: tuple[int, ...]) -> int:
    """Make dead messages wait again, those with the given ids or, without any, all; return how many."""
    return connection.execute(
        """
        with revived as (
            update ops.outbox
            set dead_at = null, dead_of = null, dead_reason = null, attempts = 0, not_before = null
            where dead_at is not null and (%(all)s or id = any(%(ids)s))
            returning target
        )
        select pg_notify('outbox', target) from revived
        """,
        {"ids": list(ids), "all": not ids},
    ).rowcount


@contextmanager
def _connected(settings: Settings, home: Path | None) -> Iterator[Connection]:
    changed = settings if home is None else settings.model_copy(update={"pteroassets_home": home})
    with landing_of(changed) as landing, landing.connect() as connection:
        yield connection
