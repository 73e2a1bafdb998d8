"""Passes over 100, 1,000 and 10,000 servers: CPU and memory as a curve, and beside pydactyl and STIV's loop.

A simulated panel in processes of its own answers at once, and its limits are out of the way, so that what is measured
is what we do. CPU is that of the process that makes the pass and of Postgres; memory is the peak of that process.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pydactyl import PterodactylClient
from requests import HTTPError

from benchmarks.frame.checkout import ours
from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import CpuMeter, postmaster_pid
from pteroassets.clock import ManualClock
from pteroassets.landing.context import Landing
from pteroassets.landing.sources import PASSES
from pteroassets.platform.environment import located
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import ConnectionSettings
from pteroassets.warehouse.migrate import ensure_database, upgrade

SERVERS = {Size.SHORT: (100, 1_000, 10_000), Size.FULL: (100, 300, 1_000, 3_000, 10_000)}
_SERVERS_A_NODE = 100
_ANCHOR = datetime(2026, 10, 28, 12, tzinfo=UTC)
NO_LIMIT = ("--application-limit", "10000000", "--client-limit", "10000000")
_START_SECONDS = 120
# STIV's loop rests so many seconds after each server, and after each round
_STIV_REST, _STIV_BREAK = 1, 10
_COMPARED_SERVERS = 100
_LATENCY = 0.02
_MOST_IN_SHORT, _LONG = 1_000, {"entities, nothing new", "samples by the panel"}  # left out of the short size

# what is measured: the name of the pass, whether the nodes are asked, and how often it was made before
_PASSES = {
    "entities, all new": ("entities", False),
    "entities, nothing new": ("entities", False),
    "samples by the panel": ("utilization", False),
    "samples by the nodes": ("utilization", True),
}
_MEASURED = "import sys; from benchmarks.sizes import make_pass; make_pass(*sys.argv[1:])"  # in a process of its own


@contextmanager
def simulated_panel(*options: str) -> Iterator[dict[str, Any]]:
    """Serve a panel in processes of its own; give what its state file says."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state.json")
        command = [sys.executable, "-m", "pteroassets.simulator", "--seed", "11", "--anchor", _ANCHOR.isoformat()]
        command += ["--clock", "manual", "--state-file", str(state), *options]
        process = subprocess.Popen(command)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not state.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("a simulated panel did not start: its last words stand above")
                time.sleep(0.05)
            yield json.loads(state.read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _wide(servers: int) -> tuple[str, ...]:
    """Return the options of a panel with so many servers."""
    return "--servers", str(servers), "--nodes", str(max(servers // _SERVERS_A_NODE, 1))


def make_pass(name: str, by_nodes: str, minutes: str, home: str, panel: str, warehouse: str) -> None:
    """Make the pass called *name*, so many *minutes* after the anchor, and print what it cost as JSON."""
    address = ConnectionSettings(**json.loads(warehouse))
    access = json.loads(panel)
    landing = Landing(
        settings=located(
            Settings.model_validate(
                {
                    "pterodactyl_url": access["panel_url"],
                    "pterodactyl_app_key": access["application_key"],
                    "pterodactyl_cli_key": access["client_key"],
                    "pteroassets_node_access": bool(by_nodes),
                    "pteroassets_pii_key": "a key of the benchmarks, long enough",
                }
            ),
            warehouse=address,
            home=Path(home),
        ),
        clock=ManualClock(_ANCHOR + timedelta(minutes=int(minutes))),
    )
    meter = CpuMeter([postmaster_pid(address)])
    with landing.connect() as connection:
        with meter.measured() as costs:
            reports = [*PASSES[name].read(landing, connection, timedelta(minutes=5))]
        problems = [problem for report in reports for problem in report.problems]
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    print(
        json.dumps(
            {
                "cpu": costs[0].cpu,
                "wall": costs[0].wall,
                "megabytes": int(peak.split()[1]) / 1000,
                "rows": {report.table: report.rows_read for report in reports},
                "problems": problems[:3],
            }
        )
    )


def measure(size: Size) -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(prefix="pteroassets-bench-") as home, EmbeddedPostgres.temporary() as server:
        for servers in SERVERS[size]:
            with simulated_panel(*_wide(servers), "--processes", "2", *NO_LIMIT) as panel:
                yield from _points(servers, panel, server, home, size)
        yield from _beside_pydactyl(server, home)


def _points(
    servers: int, panel: dict[str, Any], server: ConnectionSettings, home: str, size: Size
) -> Iterator[Measurement]:
    warehouse = new_warehouse(server, f"of_{servers}")
    at: dict[str, Any] = {"x": servers, "x_unit": "servers"}
    for number, (what, (name, by_nodes)) in enumerate(_PASSES.items()):
        if size is Size.SHORT and servers > _MOST_IN_SHORT and what in _LONG:
            continue
        found = pass_over(name, panel, warehouse, home, minutes=number, by_nodes=by_nodes)
        rows = found["rows"].get("raw_pterodactyl.servers", found["rows"].get("raw_pterodactyl.utilization_samples"))
        if rows != servers:
            why = f"{rows:,} servers were read: {found['problems']}"
            yield Measurement.missing(f"a pass of {what}", "CPU-s", why=why, **at)
            continue
        note = f"{found['wall']:.1f} s by the clock"
        yield Measurement(claim=f"a pass of {what}", unit="CPU-s", ours=found["cpu"], note=note, **at)
        yield Measurement(claim=f"memory of a pass of {what}", unit="MB", ours=found["megabytes"], **at)


def _beside_pydactyl(server: ConnectionSettings, home: str) -> Iterator[Measurement]:
    """Sample a hundred servers, each answer as late as over a network, within the limits of a panel."""
    with simulated_panel(*_wide(_COMPARED_SERVERS), "--latency", str(_LATENCY)) as panel:
        warehouse = new_warehouse(server, "compared")
        identifiers = _identifiers(panel)
        sequential = _sequentially(panel, identifiers)
        stiv = sequential + len(identifiers) * _STIV_REST + _STIV_BREAK
        for way, by_nodes in (("panel", False), ("nodes", True)):
            found = pass_over("utilization", panel, warehouse, home, minutes=10 + by_nodes, by_nodes=by_nodes)
            for baseline, seconds in (("sequential pydactyl", sequential), ("STIV's loop, computed", stiv)):
                yield Measurement(
                    claim=f"a pass of samples by the {way}, to landed rows",
                    unit="s",
                    ours=found["wall"],
                    baseline=baseline,
                    baseline_value=seconds,
                    note=f"{len(identifiers)} servers, {_LATENCY * 1000:.0f} ms each answer; theirs lands nothing",
                )


def _identifiers(panel: dict[str, Any]) -> list[str]:
    client = PterodactylClient(panel["panel_url"], panel["application_key"])
    pages = client.servers.list_servers()
    return [server["attributes"]["identifier"] for page in pages for server in page]


def _sequentially(panel: dict[str, Any], identifiers: list[str]) -> float:
    """Return the seconds that pydactyl takes to ask for one server after the other."""
    client = PterodactylClient(panel["panel_url"], panel["client_key"])
    started = time.perf_counter()
    for identifier in identifiers:
        try:
            client.client.servers.get_server_utilization(identifier)
        except HTTPError as error:  # a suspended server, of which the panel tells nothing, took as long
            if error.response.status_code != HTTPStatus.CONFLICT:
                raise
    return time.perf_counter() - started


def new_warehouse(server: ConnectionSettings, name: str) -> str:
    settings = server.with_database(name)
    ensure_database(settings, name)
    upgrade(settings)
    fields = ("host", "port", "username", "password", "database")
    return json.dumps({field: getattr(settings, field) for field in fields})


def pass_over(
    name: str, panel: dict[str, Any], warehouse: str, home: str, *, minutes: int, by_nodes: bool
) -> dict[str, Any]:
    flag = "yes" if by_nodes else ""
    access = json.dumps({name: panel[name] for name in ("panel_url", "application_key", "client_key")})
    found: dict[str, Any] = ours().json(_MEASURED, name, flag, str(minutes), home, access, warehouse)
    return found
