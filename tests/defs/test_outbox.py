"""That a silent alarm path is noticed: the check of the outbox, and the sensor that makes it."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from pydantic import SecretStr

from pteroassets.alarms.delivery_rows import note_alive, prune_deliveries, prune_messages
from pteroassets.alarms.outbox import Message, put
from pteroassets.clock import ManualClock
from pteroassets.defs.outbox import state, verdict, watch_outbox
from pteroassets.landing.context import Landing
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings

pytestmark = pytest.mark.postgres
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def landing(warehouse_settings: ConnectionSettings) -> Landing:
    settings = Settings(
        _env_file=None,
        postgres_host=warehouse_settings.host,
        postgres_port=warehouse_settings.port,
        postgres_username=warehouse_settings.username,
        postgres_password=SecretStr(warehouse_settings.password),
        postgres_database=warehouse_settings.database,
        pteroassets_discord_token=SecretStr("a token"),
    )
    return Landing(settings=settings, clock=ManualClock(NOON))


def judged(landing: Landing, *, minutes: float) -> tuple[bool, str, str]:
    assert isinstance(landing.clock, ManualClock)
    landing.clock.move_to(NOON + timedelta(minutes=minutes))
    found = verdict(state(landing))
    return found.passed, found.severity.value, found.description or ""


def test_a_message_that_waits_a_way_without_a_sign_and_a_dead_letter_are_noticed(
    landing: Landing, warehouse: Connection
) -> None:
    assert judged(landing, minutes=0)[2] == "nobody looks after discord: is the service outbox running?"
    note_alive(warehouse, "discord", NOON)
    assert judged(landing, minutes=4) == (True, "WARN", "")
    assert judged(landing, minutes=6)[0] is False, "the last sign is too old"
    put(warehouse, Message(key="one", target="discord:1", content="x"), at=NOON)
    note_alive(warehouse, "discord", NOON + timedelta(minutes=9))
    assert judged(landing, minutes=9) == (True, "WARN", "")
    passed, severity, said = judged(landing, minutes=11)
    assert (passed, severity) == (False, "ERROR")
    assert said == "1 message waits, the oldest since 2026-03-01 12:00 UTC: pteroassets outbox list says why"
    warehouse.execute("update ops.outbox set dead_at = %s, dead_of = 'target', dead_reason = 'no'", (NOON,))
    passed, severity, said = judged(landing, minutes=12)
    assert (passed, severity) == (False, "WARN")
    assert said.startswith("1 refused for good within a day")


def test_the_sensor_writes_down_what_changed_and_once_an_hour(landing: Landing, warehouse: Connection) -> None:
    assert isinstance(landing.clock, ManualClock)
    cursor: str | None = None
    said = []
    with dg.DagsterInstance.ephemeral() as instance:
        for minutes in (0, 2, 4, 6, 64, 66):
            landing.clock.move_to(NOON + timedelta(minutes=minutes))
            if minutes in (2, 4, 6):
                note_alive(warehouse, "discord", landing.clock.now())
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            result = watch_outbox(context, landing=landing)
            assert isinstance(result, dg.SensorResult)
            cursor = result.cursor
            said += [(minutes, event.passed) for event in result.asset_events]  # type: ignore[union-attr]
    assert said == [(0, False), (2, True), (64, False)]


def test_old_messages_are_forgotten_but_not_those_that_wait(warehouse: Connection) -> None:
    for key in ("sent", "waits", "dead", "young"):
        at = NOON if key == "young" else NOON - timedelta(days=40)
        put(warehouse, Message(key=key, target="discord:1", content="x"), at=at)
    warehouse.execute("update ops.outbox set sent_version = version where key in ('sent', 'young')")
    warehouse.execute(
        "update ops.outbox set dead_at = now(), dead_of = 'target', dead_reason = 'no' where key = 'dead'"
    )
    warehouse.execute(
        """
        insert into ops.outbox_deliveries (outbox_id, key, target, version, outcome, began_at, seconds)
        select 1, 'x', 'discord:1', 1, 'sent', %s - make_interval(days => days), 0 from generate_series(0, 9) as days
        """,
        (NOON,),
    )
    assert prune_messages(warehouse, NOON - timedelta(days=30)) == 2
    assert prune_deliveries(warehouse, NOON) == 2
    assert warehouse.execute("select key from ops.outbox order by key").fetchall() == [("waits",), ("young",)]
