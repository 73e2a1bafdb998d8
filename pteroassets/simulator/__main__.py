"""Serve a simulated panel until told to stop: ``python -m pteroassets.simulator``."""

from __future__ import annotations

import argparse
import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pteroassets.simulator.control import Control, ControlClock
from pteroassets.simulator.ports import told_to_stop, write_state
from pteroassets.simulator.processes import SharedSimulation
from pteroassets.simulator.serve import APPLICATION_LIMIT, CLIENT_LIMIT
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.world.plans import wide_plan


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError("the instant needs an offset, such as +00:00")
    return instant.astimezone(UTC)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pteroassets.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="which world")
    parser.add_argument("--anchor", type=_instant, required=True, help="instant at which its prepared history ends")
    parser.add_argument("--size", type=WorldSize, choices=list(WorldSize), default=WorldSize.DEMO)
    parser.add_argument("--servers", type=int, help="instead of a size: a wide world of so many servers without logs")
    parser.add_argument("--nodes", type=int, default=100, help="of a wide world")
    parser.add_argument("--processes", type=int, default=1, help="that answer together, each for its share of nodes")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds by which every answer is late")
    parser.add_argument(
        "--history-days", type=float, default=14, help="days between the world's beginning and the anchor"
    )
    parser.add_argument(
        "--state-file", type=Path, required=True, help="where addresses and keys are written (mode 0600)"
    )
    parser.add_argument("--clock", choices=["wall", "manual"], default="wall")
    parser.add_argument("--now", type=_instant, default=None, help="where a manual clock stands; the anchor by default")
    parser.add_argument("--panel-port", type=int, default=None)
    parser.add_argument("--application-limit", type=int, default=APPLICATION_LIMIT, help="requests a minute")
    parser.add_argument("--client-limit", type=int, default=CLIENT_LIMIT, help="requests a minute")
    return parser.parse_args()


def _ports_kept(path: Path) -> dict[str, int]:
    """Return the ports that an earlier process had, so that the world's addresses stay the same where they can."""
    try:
        ports = json.loads(path.read_text())["ports"]
    except (OSError, ValueError, KeyError):
        return {}  # no earlier process, or one that was cut off: any port will do
    return {str(name): int(port) for name, port in ports.items()}


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _arguments()
    stopped = told_to_stop()
    size = wide_plan(arguments.servers, arguments.nodes) if arguments.servers else arguments.size
    world = World.create(arguments.seed, arguments.anchor, size, timedelta(days=arguments.history_days))
    manual = arguments.clock == "manual"
    clock = ControlClock((arguments.now or world.anchor) if manual else None)
    ports = _ports_kept(arguments.state_file.with_suffix(".ports"))
    if arguments.panel_port is not None:
        ports["panel"] = arguments.panel_port
    simulation = SharedSimulation(
        world,
        clock,
        application_limit=arguments.application_limit,
        client_limit=arguments.client_limit,
        ports=ports,
        processes=arguments.processes,
    )
    if arguments.latency:
        simulation.faults.latency(arguments.latency, route="/api/")
    token = secrets.token_urlsafe(24)
    simulation.add_app("control", Control(simulation, clock, token))
    with simulation:
        write_state(arguments.state_file.with_suffix(".ports"), {"ports": simulation.ports})
        write_state(
            arguments.state_file,
            {
                "panel_url": simulation.panel_url,
                "application_key": simulation.application_key,
                "client_key": simulation.client_key,
                "keys": simulation.keys,
                "control_url": f"http://127.0.0.1:{simulation.ports['control']}",
                "control_token": token,
                "log_timezones": simulation.log_timezones,
                "process_id": os.getpid(),
            },
        )
        stopped.wait()
    arguments.state_file.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
