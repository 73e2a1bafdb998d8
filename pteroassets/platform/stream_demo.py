"""``pteroassets stream demo``: both paths of pushed events side by side, with the same stream and the same figures.

All of it listens on 127.0.0.1 and lies in one folder, which is removed at the end.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from pteroassets.platform.loopback import HOST, free_port, is_open
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.platform.stream import StreamFault, needing_the_extra
from pteroassets.platform.supervisor import Service, Supervisor, answers, unwinding
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.simulator.events.reference import Reference
from pteroassets.simulator.events.sending import send
from pteroassets.simulator.events.stream import Recipe, Sent, stream
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.migrate import ensure_database, upgrade

if TYPE_CHECKING:
    from pteroassets.stream.figures import Figures

_KEY: Final = "a-key-of-the-demo-on-loopback-alone"
_SMALL: Final = "small"
_OUTGROWN: Final = "outgrown"
_PATIENCE_SECONDS: Final = 120
_REFERENCE: Final = CHECKOUT / "dbt_project" / "seeds" / "events"


def stream_of_the_demo(seed: int, events: int) -> list[Sent]:
    """Return the stream that is pushed, with events that come twice, come late or are none."""
    recipe = Recipe(
        seed=seed,
        begins_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        span=timedelta(hours=6),
        events=events,
        duplicates=0.05,
        late=0.03,
        malformed=0.02,
    )
    return stream(recipe, Reference.of(_REFERENCE))


def run_stream_demo(settings: Settings, console: Console, *, once: bool, seed: int, events: int) -> bool:
    """Show both paths until Ctrl-C, or end *once* the figures are there; return whether they are the same.

    Raises:
        StreamFault: The broker of the demo, or what speaks to it, is not installed.
        ServiceError: A service did not start.
    """
    program = broker_program()
    with needing_the_extra():
        from pteroassets.stream.figures import figures_of  # noqa: PLC0415 - it needs an extra
    sent = stream_of_the_demo(seed, events)
    with (
        unwinding(),
        EmbeddedPostgres.temporary(bindir=settings.pteroassets_postgres_bindir) as postgres,
        tempfile.TemporaryDirectory(prefix="pteroassets-stream-") as folder,
        Supervisor(Path(folder) / "logs") as supervisor,
    ):
        warehouses = {name: postgres.with_database(name) for name in (_SMALL, _OUTGROWN)}
        for name, warehouse in warehouses.items():
            ensure_database(warehouse, name)
            upgrade(warehouse)
        urls = _start(supervisor, warehouses, program, Path(folder), console)
        for name in warehouses:
            send(sent, urls[name], _KEY)
            console.print(f"pushed {len(sent):,} things to {urls[name]}/v1/events, the {name} path", highlight=False)
        found: dict[str, Figures] = {}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            supervisor.check()
            for name, warehouse in warehouses.items():
                with connect(warehouse, autocommit=True) as connection:
                    found[name] = figures_of(connection)
            if all(one.rows >= len(sent) for one in found.values()):
                break
            time.sleep(0.2)
        _show(console, found)
        is_same = found[_SMALL] == found[_OUTGROWN]
        if not once:
            _tell(console, urls, warehouses, Path(folder))
            supervisor.wait()
    return is_same


def broker_program() -> Path:
    """Return the broker of the demo.

    Raises:
        StreamFault: It is not installed.
    """
    found = importlib.util.find_spec("noida_db")
    if found is None or found.origin is None:
        raise StreamFault(
            "the demo needs the broker noida-db, which make install installs: pip install noida-db==0.2.3"
        )
    # not the command of that name: it is a script, which would end on its own and leave the broker
    return Path(found.origin).with_name("noida-db")


def _start(
    supervisor: Supervisor,
    warehouses: Mapping[str, ConnectionSettings],
    program: Path,
    folder: Path,
    console: Console,
) -> dict[str, str]:
    """Start the broker, both collectors, the writer and the loader; return the addresses."""
    ports = {name: free_port() for name in (*warehouses, "broker")}
    keys = {"PTEROASSETS_EVENT_KEYS": f"arena:{_KEY}"}
    lake = {
        **warehouses[_OUTGROWN].environment(),
        "PTEROASSETS_EVENT_BROKERS": f"{HOST}:{ports['broker']}",
        "PTEROASSETS_LAKE": str(folder / "lake"),
    }
    console.print("starting the broker, the collectors, the writer and the loader")
    broker_command: list[str | Path] = [program, "start", "--only", "kafka", "--kafka-port", str(ports["broker"])]
    broker = Service(
        name="broker",
        command=[*broker_command, "--data-dir", folder / "broker"],
        ready=lambda: is_open(ports["broker"]),
    )
    supervisor.start(broker)
    supervisor.start(
        _collector("collector", ports[_SMALL], {**warehouses[_SMALL].environment(), **keys}),
        _collector("collector-into-kafka", ports[_OUTGROWN], {**lake, **keys}),
        *(
            Service(name=f"stream-{name}", command=_command("stream", name, "--seconds", "1"), environment=lake)
            for name in ("write", "load")
        ),
    )
    return {name: f"http://{HOST}:{port}" for name, port in ports.items()} | {"broker": f"{HOST}:{ports['broker']}"}


def _collector(name: str, port: int, environment: Mapping[str, str]) -> Service:
    return Service(
        name=name,
        command=_command("collector", "--port", str(port)),
        environment=environment,
        ready=answers(f"http://{HOST}:{port}/health"),
    )


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pteroassets.cli", *arguments]


def _show(console: Console, found: Mapping[str, Figures]) -> None:
    small, outgrown = found[_SMALL], found[_OUTGROWN]
    table = Table("", "one Postgres", "Kafka, lake, Postgres", "", box=None)

    def row(what: str, one: Any, other: Any) -> None:
        table.add_row(what, f"{one:,}", f"{other:,}", "same" if one == other else "[red]different[/]")

    for what in ("events", "copies", "players"):
        row(what, getattr(small, what), getattr(outgrown, what))
    for name in ("by_type", "dead_letters"):
        one, other = getattr(small, name), getattr(outgrown, name)
        for key in sorted({*one, *other}):
            row(f"{name.replace('_', ' ')}: {key}", one.get(key, 0), other.get(key, 0))
    table.add_row("every byte", "", "", "same" if small.digest == outgrown.digest else "[red]different[/]")
    console.print(table)


def _tell(
    console: Console, urls: Mapping[str, str], warehouses: Mapping[str, ConnectionSettings], folder: Path
) -> None:
    said = {
        "collector into Postgres": urls[_SMALL],
        "collector into Kafka": urls[_OUTGROWN],
        "its metrics": f"{urls[_OUTGROWN]}/metrics",
        "broker, which speaks Kafka": urls["broker"],
        "lake": str(folder / "lake"),
        "key": _KEY,
        **{f"Postgres, {name}": f"{one.host}:{one.port}/{name}" for name, one in warehouses.items()},
    }
    for what, where in said.items():
        console.print(f"{what + ':':28}{where}", highlight=False, soft_wrap=True)
    console.print("what you push to the second collector is in raw_events within seconds; Ctrl-C ends it")
