"""Say whether one service of the platform does its work: ``pteroassets service NAME --healthy``.

It is asked every half minute, so that it imports next to nothing.
"""

from __future__ import annotations

import socket
import time
import urllib.request
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from pteroassets.warehouse.connection import ConnectionSettings

StandaloneName = Literal["code-server", "daemon", "webserver", "guests", "site", "outbox", "bot", "collector", "build"]
#: Where each service that others ask listens, unless it is told otherwise.
PORTS: Final[dict[StandaloneName, int]] = {
    "code-server": 4000,
    "webserver": 3000,
    "guests": 3001,
    "site": 8080,
    "collector": 8600,
}
#: Below this path the webserver of guests answers, so that one proxy can have both.
GUESTS_PREFIX: Final = "/guests"
#: File in the data folder that the bot touches while it is connected and keeps its cards.
BOT_SIGN: Final = "bot.alive"
_HOST = "127.0.0.1"
_PATHS: dict[StandaloneName, str] = {
    "webserver": "/server_info",
    "guests": f"{GUESTS_PREFIX}/server_info",
    "site": "/pages/",
    "collector": "/health",
}
_ANSWER_SECONDS = 5
_HEARTBEAT_SECONDS = 180  # each thread of the daemon gives a sign every 30 seconds
_DAEMONS = ["SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR"]


def ill(name: StandaloneName, port: int | None = None) -> str | None:
    """Return why the service called *name* on this machine does not do its work, or None if it does.

    Those of the daemon and the outbox show only in the database: :func:`silent_daemon`, :func:`silent_ways`; the bot's
    in its data folder: :func:`silent_bot`.
    """
    port = port or PORTS[name]
    if name == "code-server":
        try:
            socket.create_connection((_HOST, port), timeout=_ANSWER_SECONDS).close()
        except OSError as error:
            return f"nothing listens on port {port}: {error}"
        return None
    path = _PATHS[name]
    return None if answers(f"http://{_HOST}:{port}{path}") else f"nothing answers on port {port} at {path}"


def silent_daemon(dagster_database: ConnectionSettings) -> str | None:
    """Return which parts of the daemon gave no sign of late, or None if all did.

    Raises:
        psycopg.OperationalError: The database does not answer.
    """
    from pteroassets.warehouse.connection import connect  # noqa: PLC0415 - the other services do without

    with connect(dagster_database, autocommit=True) as connection:
        late = connection.execute(
            """
            select daemon from unnest(%s::text[]) as daemon
            where not exists (
                select from daemon_heartbeats
                where daemon_type = daemon and timestamp > localtimestamp - make_interval(secs => %s)
            )
            """,
            (_DAEMONS, _HEARTBEAT_SECONDS),
        ).fetchall()
    names = ", ".join(name for (name,) in late)
    return f"the daemon gave no sign of {names} for {_HEARTBEAT_SECONDS} seconds" if late else None


def silent_ways(warehouse: ConnectionSettings, ways: Collection[str]) -> str | None:
    """Return which *ways* out of the outbox nobody looked after of late, or None if somebody did.

    Raises:
        psycopg.OperationalError: The database does not answer.
    """
    from pteroassets.warehouse.connection import connect  # noqa: PLC0415 - the other services do without

    with connect(warehouse, autocommit=True) as connection:
        alive = connection.execute(
            "select way from ops.outbox_ways where alive_at > now() - make_interval(secs => %s)", (_HEARTBEAT_SECONDS,)
        ).fetchall()
    silent = sorted({*ways} - {way for (way,) in alive})
    return f"nobody looked after {', '.join(silent)} for {_HEARTBEAT_SECONDS} seconds" if silent else None


def silent_bot(home: Path) -> str | None:
    """Return why the bot with the data folder *home* does not do its work, or None if it gave a sign of late."""
    sign = home / BOT_SIGN
    age = time.time() - sign.stat().st_mtime if sign.exists() else None
    if age is not None and age < _HEARTBEAT_SECONDS:
        return None
    return f"the bot gave no sign for {_HEARTBEAT_SECONDS} seconds: its connection to Discord or its cards stand still"


def answers(address: str) -> bool:
    """Return whether a server gives what is at *address*."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the environment's cannot reach it
    try:
        with opener.open(address, timeout=_ANSWER_SECONDS) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's word for it
    except OSError:
        return False
