"""A pass over 10,000 servers at 100 nodes, each answer 20 ms late: requests, and seconds from start to landed rows.

The simulated panel runs in two processes on this machine, at a clock that stands still; its nodes have their reports
ready from a pass before, which is not counted, as real nodes have them in memory. Within the seconds are the list of
servers, the nodes' tokens, their reports and the load. What the panel allows is not measured but planned.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import requests

from benchmarks.frame.measurement import Measurement, Size
from benchmarks.sizes import NO_LIMIT, new_warehouse, pass_over, simulated_panel
from pteroassets.landing.pterodactyl.utilization import Circumstances, plan_sampling
from pteroassets.platform.postgres.embedded import EmbeddedPostgres

SERVERS, NODES = 10_000, 100
_LATENCY = 0.02
_SHARE = 0.8
_LIMIT = 720
_FIVE_MINUTES = 300


def measure(size: Size) -> Iterator[Measurement]:
    options = ("--servers", str(SERVERS), "--nodes", str(NODES), "--latency", str(_LATENCY), "--processes", "2")
    rounds = 1 if size is Size.SHORT else 3
    note = f"{SERVERS:,} servers on {NODES} nodes, {_LATENCY * 1000:.0f} ms each answer"
    with (
        tempfile.TemporaryDirectory(prefix="pteroassets-bench-") as home,
        EmbeddedPostgres.temporary() as server,
        simulated_panel(*options, *NO_LIMIT) as panel,
    ):
        warehouse = new_warehouse(server, "by_nodes")
        pass_over("utilization", panel, warehouse, home, minutes=0, by_nodes=True)
        found = []
        for number in range(rounds):
            _requests(panel, "delete")
            found.append(pass_over("utilization", panel, warehouse, home, minutes=number + 1, by_nodes=True))
        counts = _requests(panel, "get")["counts"]
        best = min(found, key=lambda each: each["wall"])
        if best["rows"]["raw_pterodactyl.utilization_samples"] != SERVERS or best["problems"]:
            yield Measurement.missing("a pass by the nodes", "s", why=f"not all was sampled: {best['problems']}")
            return
        yield Measurement(
            claim="requests to nodes in a pass",
            unit="requests",
            ours=counts["node_servers"],
            baseline="one request a server",
            baseline_value=SERVERS,
            target=NODES,
            judged="ours",
            note=note,
        )
        yield Measurement(
            claim="a pass by the nodes, from start to landed rows",
            unit="s",
            ours=best["wall"],
            baseline="one request a server after the other, their latency alone",
            baseline_value=SERVERS * _LATENCY,
            target=3.0,
            judged="ours",
            note=f"{note}; {best['cpu']:.1f} CPU-s; requests to the panel: {counts['list']} for the list, "
            f"{counts['configuration']} for tokens",
        )
    for servers in (100, 1_000, 5_000, SERVERS):
        yield _planned(servers)


def _planned(servers: int) -> Measurement:
    """Return the interval that a panel with the usual limit allows, against one request a second after another."""
    plan = plan_sampling(
        Circumstances(
            servers=servers,
            nodes=max(servers // NODES, 1),
            node_access=False,
            client_limit=_LIMIT,
            application_limit=240,
            share=_SHARE,
            others_per_minute=0,
            wanted_seconds=_FIVE_MINUTES,
            schedule_seconds=_FIVE_MINUTES,
        )
    )
    return Measurement(
        claim="least interval of samples by the panel, planned",
        unit="s",
        ours=plan.least_seconds,
        baseline="STIV's loop, computed",
        baseline_value=servers + 10,  # it rests a second after each server, and ten after a round
        x=servers,
        x_unit="servers",
        note=f"{_LIMIT} requests a minute, of which {_SHARE:g} are used; {plan.interval_seconds} s are kept",
    )


def _requests(panel: dict[str, Any], method: str) -> dict[str, Any]:
    answer = requests.request(
        method,
        f"{panel['control_url']}/requests",
        headers={"Authorization": f"Bearer {panel['control_token']}"},
        timeout=30,
    )
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
