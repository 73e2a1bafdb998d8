"""Streams and clips of Twitch: read once a minute by a sensor, landed, and told through the outbox.

A sensor and no pass: a pass is a run, and a run each minute would cost seconds of a core where this costs two requests.
The token lives as long as the code server, which evaluates sensors in its own process.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from pteroassets.alarms.streams import give_notices
from pteroassets.defs.raw import raw_tables
from pteroassets.landing import twitch as landed
from pteroassets.landing.context import Landing
from pteroassets.settings import Settings
from pteroassets.sources.twitch.client import API, IDENTITY, TwitchClient, TwitchError
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport

TABLES = (landed.USERS, landed.STREAMS, landed.CLIPS, "ops.stream_notices")
_EVERY_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What one reading did: a report a table, the keys of the notices given, and what could not be read."""

    reports: tuple[LoadReport, ...]
    notices: tuple[str, ...]
    problems: tuple[str, ...]


def client_of(landing: Landing) -> TwitchClient:
    """Return the application's access to Twitch, as the settings say."""
    settings = landing.settings
    landing.require("pteroassets_twitch_client_id", "pteroassets_twitch_client_secret", "pteroassets_twitch_streamers")
    secret = settings.pteroassets_twitch_client_secret
    return TwitchClient(
        str(settings.pteroassets_twitch_client_id),
        secret.get_secret_value() if secret is not None else "",
        clock=landing.clock,
        api=settings.pteroassets_twitch_api or API,
        identity=settings.pteroassets_twitch_api or IDENTITY,
    )


def follow(landing: Landing, client: TwitchClient, connection: Connection) -> Followed:
    """Read what the streamers of the settings do, land it, and give the notices that are due, all in one transaction.

    Raises:
        TwitchError: The list of streams could not be read; nothing is landed.
    """
    settings, now = landing.settings, landing.clock.now()
    logins = settings.twitch_streamers()
    problems: list[str] = []
    known = landed.known_users(connection, logins, now)
    unknown = [login for login in logins if login not in known]
    users = client.users(unknown) if unknown else []
    found = known | {one.login: one.user_id for one in users}
    problems += [f"Twitch knows no {login}" for login in logins if login not in found]
    streams = client.streams(list(found)) if found else []
    pictures = dict(_pictures(client, landed.new_streams(connection, streams), problems))
    clips = {}
    for user_id in found.values():
        try:
            clips[user_id] = client.clips(user_id, landed.clips_since(connection, user_id, now))
        except TwitchError as error:
            # the next reading looks back as far as this one was to
            problems.append(f"clips of {user_id}: {error}")
            if error.wait_seconds:
                break
    with connection.transaction():
        reports = (
            landed.land_users(connection, users, now),
            landed.land_streams(connection, streams, now),
            landed.land_clips(connection, clips, now),
        )
        notices = give_notices(
            connection,
            settings.twitch_targets(),
            now=now,
            mentions=settings.twitch_mentions(),
            pictures=pictures,
        )
    return Followed(reports=reports, notices=tuple(notices), problems=tuple(problems))


def _pictures(client: TwitchClient, streams: list[Any], problems: list[str]) -> Iterator[tuple[str, bytes]]:
    for one in streams:
        try:
            yield one.stream_id, client.picture(str(one.record["thumbnail_url"]))
        except TwitchError as error:
            problems.append(f"{one.login}: {error}")


def streams_sensor() -> dg.SensorDefinition:
    """Return the sensor that follows the streamers; it keeps its client, and so its token, between two ticks."""
    kept: dict[str, TwitchClient] = {}

    @dg.sensor(
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_EVERY_SECONDS,
        description="Reads the streams and clips of the followed streamers, lands them and has each told once.",
    )
    def follow_streams(context: dg.SensorEvaluationContext, landing: dg.ResourceParam[Landing]) -> dg.SensorResult:
        """Make one reading."""
        client = kept.setdefault("client", client_of(landing))
        try:
            with landing.connect() as connection:
                done = follow(landing, client, connection)
        except TwitchError as error:
            context.log.warning("Twitch was not read: %s", error)
            return dg.SensorResult(skip_reason=f"Twitch was not read: {error}")
        for problem in done.problems:
            context.log.warning("%s", problem)
        events = [
            dg.AssetMaterialization(
                asset_key=raw_tables()[report.table].key,
                metadata={"rows_added": report.rows_added, "rows_changed": report.rows_changed},
            )
            for report in done.reports
            if report.rows_added or report.rows_changed
        ]
        told = f"notices given: {', '.join(done.notices)}" if done.notices else "nothing to tell"
        return dg.SensorResult(asset_events=events, skip_reason=told)

    return follow_streams


def definitions(settings: Settings) -> dg.Definitions:
    """Return the tables, and the sensor where the settings name an application and streamers."""
    is_on = settings.pteroassets_twitch_client_id is not None and settings.pteroassets_twitch_streamers is not None
    return dg.Definitions(
        assets=[raw_tables()[table].spec() for table in TABLES],
        sensors=[streams_sensor()] if is_on else [],
    )
