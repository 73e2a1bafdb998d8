"""Streams and clips are landed and told through the outbox: each once, and none too often."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
import yaml
from PIL import Image
from pydantic import SecretStr

from pteroassets.alarms import streams as notices
from pteroassets.clock import ManualClock
from pteroassets.defs.dbt_project import DBT_PROJECT
from pteroassets.defs.twitch import Followed, client_of, definitions, follow
from pteroassets.landing.context import Landing
from pteroassets.settings import Settings
from pteroassets.simulator.twitch.serve import FakeTwitch
from pteroassets.warehouse.connection import Connection, ConnectionSettings

pytestmark = pytest.mark.postgres

START = datetime(2026, 10, 28, 20, 0, tzinfo=UTC)
TARGET = "channel:streams"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def twitch(clock: ManualClock) -> Iterator[FakeTwitch]:
    with FakeTwitch(clock) as running:
        for login in ("nora", "piet"):
            running.twitch.add_user(login)
        yield running


@pytest.fixture
def landing(warehouse_settings: ConnectionSettings, twitch: FakeTwitch, clock: ManualClock) -> Landing:
    settings = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={
            "postgres_host": warehouse_settings.host,
            "postgres_port": warehouse_settings.port,
            "postgres_username": warehouse_settings.username,
            "postgres_password": SecretStr(warehouse_settings.password),
            "postgres_database": warehouse_settings.database,
            "pteroassets_twitch_client_id": twitch.client_id,
            "pteroassets_twitch_client_secret": SecretStr(twitch.twitch.client_secret),
            "pteroassets_twitch_streamers": "Nora, piet,nora",
            "pteroassets_twitch_targets": TARGET,
            "pteroassets_twitch_mention": "here",
            "pteroassets_twitch_api": twitch.url,
        }
    )
    return Landing(settings=settings, clock=clock)


@pytest.fixture
def read(landing: Landing, warehouse: Connection) -> Callable[[], Followed]:
    client = client_of(landing)
    return lambda: follow(landing, client, warehouse)


def told(connection: Connection) -> dict[str, dict[str, Any]]:
    rows = connection.execute("select key, body from ops.outbox order by id").fetchall()
    return dict(rows)


def test_who_goes_live_is_told_once_with_a_picture(
    twitch: FakeTwitch, warehouse: Connection, clock: ManualClock, read: Callable[[], Followed]
) -> None:
    assert read().notices == ()
    twitch.twitch.go_live("nora", title="Castles & *towers*")
    clock.sleep(60)
    done = read()
    assert (done.notices, done.problems) == ((f"stream/nora/{START.isoformat()}",), ())
    (body,) = told(warehouse).values()
    embed = body["embeds"][0]
    assert embed["title"] == "Nora is live"
    assert embed["description"] == r"Castles & \*towers\*"
    assert body["mentions"] == ["here"]
    png = warehouse.execute(
        "select png from ops.outbox_images where digest = %s", (body["images"][embed["image"]],)
    ).fetchone()
    assert png is not None
    assert Image.open(io.BytesIO(png[0])).size == (854, 480)
    for _ in range(3):
        clock.sleep(60)
        assert read().notices == ()
    assert twitch.twitch.requests["GET /previews/nora-854x480.jpg"] == 1
    rows = warehouse.execute("select record ->> 'title', last_seen_at from raw_twitch.streams").fetchall()
    assert rows == [("Castles & *towers*", clock.now())]


def test_who_begins_again_within_eight_hours_is_not_told_again(
    twitch: FakeTwitch, warehouse: Connection, clock: ManualClock, read: Callable[[], Followed]
) -> None:
    twitch.twitch.go_live("nora")
    assert len(read().notices) == 1
    twitch.twitch.end("nora")
    clock.sleep(7.9 * 3600)
    twitch.twitch.go_live("nora")
    twitch.twitch.go_live("piet")
    assert [key.split("/")[1] for key in read().notices] == [
        "piet",
        "nora",
    ]  # one begins, the other's notice says it is over
    assert "was live" in told(warehouse)[f"stream/nora/{START.isoformat()}"]["embeds"][0]["title"]
    reasons = warehouse.execute("select login, reason from ops.stream_notices where not told").fetchall()
    assert reasons == [("nora", "a notice of nora was given at 2026-10-28T20:00+00:00")]
    twitch.twitch.end("nora")
    clock.sleep(0.2 * 3600)
    twitch.twitch.go_live("nora")
    assert [key.split("/")[1] for key in read().notices] == ["nora"]


def test_a_stream_of_many_hours_is_told_once_and_its_end_is_an_edit(
    twitch: FakeTwitch, warehouse: Connection, clock: ManualClock, read: Callable[[], Followed]
) -> None:
    twitch.twitch.go_live("nora")
    read()
    for _ in range(13):
        clock.sleep(3600)
        assert read().notices == ()
    twitch.twitch.end("nora")
    clock.sleep(notices.ENDED_AFTER.total_seconds() - 1)
    assert read().notices == ()
    clock.sleep(2)
    assert len(read().notices) == 1
    clock.sleep(600)
    assert read().notices == ()
    (body,) = told(warehouse).values()
    assert body["embeds"][0]["fields"][1]["value"] == "13 h 0 min"
    assert "images" not in body
    assert warehouse.execute("select version from ops.outbox").fetchall() == [(2,)]


def test_the_models_call_a_stream_over_when_its_notice_does() -> None:
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text())
    assert timedelta(minutes=project["vars"]["stream_over_minutes"]) == notices.ENDED_AFTER


def test_clips_are_told_once_late_ones_too_but_not_what_was_made_before(
    twitch: FakeTwitch, warehouse: Connection, clock: ManualClock, read: Callable[[], Followed]
) -> None:
    twitch.twitch.add_clip("nora", "before", created_at=START - timedelta(hours=1))
    assert read().notices == ()
    clock.sleep(120)
    first = twitch.twitch.add_clip("nora", "at once")
    assert read().notices == (f"clip/{first['id']}",)
    clock.sleep(20 * 3600)
    late = twitch.twitch.add_clip("nora", "late", created_at=START + timedelta(minutes=5))
    twitch.twitch.clips[1]["view_count"] = 500
    assert read().notices == (f"clip/{late['id']}",)
    assert read().notices == ()
    assert told(warehouse)[f"clip/{late['id']}"]["embeds"][0]["url"] == late["url"]
    counts = warehouse.execute("select count(*), max((record ->> 'view_count')::int) from raw_twitch.clips").fetchone()
    assert counts == (3, 500)


def test_clips_that_were_made_while_nobody_read_are_told(
    twitch: FakeTwitch, clock: ManualClock, read: Callable[[], Followed]
) -> None:
    read()
    clock.sleep(3 * 86400)
    clip = twitch.twitch.add_clip("piet", "meanwhile", created_at=START + timedelta(hours=2))
    assert read().notices == (f"clip/{clip['id']}",)


def test_a_reading_that_fails_half_way_leaves_nothing_and_the_next_makes_up_for_it(
    twitch: FakeTwitch,
    warehouse: Connection,
    read: Callable[[], Followed],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twitch.twitch.go_live("nora")
    twitch.twitch.add_clip("nora", "x")
    with monkeypatch.context() as patch:
        patch.setattr(notices, "_of_clips", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            read()
    for table in ("raw_twitch.streams", "ops.stream_notices", "ops.outbox", "ops.loads"):
        assert warehouse.execute(f"select count(*) from {table}").fetchone() == (0,), table
    assert len(read().notices) == 2


def test_what_cannot_be_read_is_named(
    twitch: FakeTwitch, warehouse: Connection, clock: ManualClock, landing: Landing
) -> None:
    settings = landing.settings.model_copy(update={"pteroassets_twitch_streamers": "nora,nobody"})
    other = Landing(settings=settings, clock=clock)
    client = client_of(other)
    assert follow(other, client, warehouse).problems == ("Twitch knows no nobody",)
    assert follow(other, client, warehouse).problems == ("Twitch knows no nobody",)
    stream = twitch.twitch.go_live("nora")
    stream["thumbnail_url"] = f"{twitch.url}/nothing"
    done = follow(other, client, warehouse)
    assert len(done.notices) == 1
    assert done.problems[1].startswith("nora: no preview")


def test_the_sensor_says_what_it_did(twitch: FakeTwitch, landing: Landing) -> None:
    assert definitions(Settings(_env_file=None)).sensors == []  # type: ignore[call-arg]
    (sensor,) = definitions(landing.settings).sensors or ()
    assert isinstance(sensor, dg.SensorDefinition)
    twitch.twitch.go_live("piet")

    def tick() -> Any:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(instance=instance, resources={"landing": landing})
            return sensor.evaluate_tick(context)

    first = tick()
    assert "notices given: stream/piet/" in str(first.skip_message)
    assert {event.asset_key.to_user_string() for event in first.asset_events} == {"twitch/users", "twitch/streams"}
    tick()
    assert twitch.twitch.requests["POST /oauth2/token"] == 1
    twitch.twitch.refused_with = [503]
    assert str(tick().skip_message) == "Twitch was not read: /helix/streams answered 503 a fault that was asked for"
