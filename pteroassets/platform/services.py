"""The services of the platform: Dagster's three processes, the site, the outbox, the bot and the collector."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from pteroassets.platform.dagster.worker_socket import SOCKET_VARIABLE, ask
from pteroassets.platform.loopback import HOST, is_open
from pteroassets.platform.supervisor import Service, Supervisor, answers
from pteroassets.warehouse.connection import ConnectionSettings

_PARENT = "dagster-code-server"  # of the webserver and the daemon, too
_READY_SECONDS = 120
#: Name of the service that is the bot of Discord.
BOT = "discord-bot"
#: Name of the service that takes in events of games.
COLLECTOR = "event-collector"


@dataclass(frozen=True, slots=True, kw_only=True)
class DagsterPlace:
    """Where Dagster finds its settings, its database and its files.

    *checkout* has ``dagster.yaml`` and ``workspace.yaml``; *artifacts* is created if missing.
    *code_server_host* is where the code server is asked.
    """

    checkout: Path
    warehouse: ConnectionSettings
    database: str
    artifacts: Path
    code_server_port: int
    code_server_host: str = HOST

    @property
    def run_socket(self) -> Path:
        """Where the process that executes the runs is asked to."""
        return self.artifacts / "run.socket"

    def environment(self) -> dict[str, str]:
        """Return the variables that ``dagster.yaml`` and ``workspace.yaml`` name; the password is one of them."""
        self.artifacts.mkdir(mode=0o700, parents=True, exist_ok=True)
        return {
            **self.warehouse.environment(),
            "DAGSTER_HOME": str(self.checkout),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "PTEROASSETS_DAGSTER_DATABASE": self.database,
            "PTEROASSETS_ARTIFACTS": str(self.artifacts),
            "PTEROASSETS_CODE_SERVER_HOST": self.code_server_host,
            "PTEROASSETS_CODE_SERVER_PORT": str(self.code_server_port),
            SOCKET_VARIABLE: str(self.run_socket),
            "PYTHONUNBUFFERED": "1",
        }


def dagster_code_server(place: DagsterPlace, *, module: str = "pteroassets.definitions", listen: str = HOST) -> Service:
    """Load the definitions once for all runs, which are its child processes as are the webserver and the daemon.

    Args:
        place: Where Dagster is.
        module: Holds the definitions.
        listen: Address on which other processes of Dagster ask it.
    """
    command = [sys.executable, "-m", "pteroassets.platform.dagster.code_server", "--module", module]
    return Service(
        name=_PARENT,
        command=[*command, "--port", str(place.code_server_port), "--socket", place.run_socket, "--host", listen],
        environment={
            **place.environment(),
            # a thread for each core, which would be lost where it is forked, and no pass multiplies matrices
            "OPENBLAS_NUM_THREADS": "1",
            # otherwise the daemon looks for failed runs to retry each 5 seconds; work should resume soon after a
            # killed worker
            "DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": "2",
            # otherwise the daemon reads each half minute when each asset was last made; none gets stale in less than
            # several minutes
            "FRESHNESS_DAEMON_INTERVAL_SECONDS": "60",
        },
        folder=place.checkout,
        ready=lambda: is_open(place.code_server_port),
        ready_seconds=300,  # it parses the dbt project, on a machine that may have much else to do
    )


def begin_webserver(supervisor: Supervisor, place: DagsterPlace, *, port: int) -> None:
    """Have the code server's process serve Dagster's UI on *port* of 127.0.0.1; return when it answers.

    Raises:
        ServiceError: It did not answer in time, or a service ended.
    """
    arguments = webserver_arguments(place, host=HOST, port=port)
    ask(place.run_socket, {"action": "begin", "program": "dagster-webserver", "arguments": arguments})
    supervisor.wait_for(
        _PARENT, answers(f"http://{HOST}:{port}/server_info"), seconds=_READY_SECONDS, what="the Dagster webserver"
    )


def webserver_arguments(place: DagsterPlace, *, host: str, port: int) -> list[str]:
    """Return the arguments of ``dagster-webserver``."""
    arguments = ["--host", host, "--port", str(port), "--workspace", str(place.checkout / "workspace.yaml")]
    return [*arguments, "--dagster-log-level", "warning"]


def daemon_arguments(place: DagsterPlace) -> list[str]:
    """Return the arguments of ``dagster-daemon``."""
    return ["run", "--workspace", str(place.checkout / "workspace.yaml")]


def begin_daemon(place: DagsterPlace) -> None:
    """Have the code server's process run schedules, sensors, the queue of runs and their monitoring."""
    ask(place.run_socket, {"action": "begin", "program": "dagster-daemon", "arguments": daemon_arguments(place)})


def docs_server(directory: Path, *, port: int, pages: str | None = None, listen: str = HOST) -> Service:
    """Serve the dbt docs in *directory* and the *pages*, from where they are published, on *port* of *listen*."""
    module = "pteroassets.platform.docs_site"
    command = [sys.executable, "-m", module, "--directory", str(directory), "--port", str(port), "--host", listen]
    command += [] if pages is None else ["--pages", pages]
    return Service(name="dbt-docs", command=command, ready=answers(f"http://{HOST}:{port}/"))


def discord_bot() -> Service:
    """Serve a guild of Discord; it goes on by itself when Discord, Postgres or the panel is away for a while."""
    return Service(name=BOT, command=[sys.executable, "-m", "pteroassets.cli", "bot"])


def event_collector(port: int) -> Service:
    """Take in events of games on *port* of 127.0.0.1, by the keys that the settings in the environment name."""
    command = [sys.executable, "-m", "pteroassets.cli", "collector", "--port", str(port)]
    return Service(name=COLLECTOR, command=command, ready=answers(f"http://{HOST}:{port}/health"))


def event_stream() -> tuple[Service, ...]:
    """Bring events from the brokers to the lake, and from there to Postgres, as the settings in the environment say."""
    return tuple(
        Service(name=f"stream-{what}", command=[sys.executable, "-m", "pteroassets.cli", "stream", what])
        for what in ("write", "load")
    )


def outbox_service() -> Service:
    """Deliver messages by the ways that the settings in the environment name."""
    return Service(name="outbox", command=[Path(sys.executable).parent / "pteroassets", "outbox"], ready=None)
