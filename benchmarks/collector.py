"""Events that games push: taken in and stored, against a server that stores nothing and one that waits for nobody.

Each server has a core of its own; Postgres or the broker share the other one with wrk, which asks.
"""

from __future__ import annotations

import os
import secrets
import shutil
import statistics
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.event_servers import BATCH, Answers, ask, collector, echo, on_core, scripts, seed
from benchmarks.frame.checkout import UnavailableError
from benchmarks.frame.measurement import Measurement, Size
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.migrate import ensure_database, upgrade

_SECONDS = {Size.SHORT: 3, Size.FULL: 10}
_ROUNDS = {Size.SHORT: 3, Size.FULL: 5}
_CONNECTIONS, _CONNECTIONS_OF_BATCHES = 256, 16


def measure(size: Size) -> Iterator[Measurement]:
    """Send single events and batches to each server in turn."""
    names = ("single events taken in", "batches of 100 events taken in")
    lacking = _lacking()
    if lacking is not None:
        yield Measurement.missing(names[0], "requests/s", why=lacking, target=0.8, direction="at least")
        yield Measurement.missing(
            names[1], "events/CPU-s", why=lacking, target=100_000, direction="at least", judged="ours"
        )
        return
    key, rounds, seconds = secrets.token_hex(16), _ROUNDS[size], _SECONDS[size]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with on_core(1):
            postgres = stack.enter_context(EmbeddedPostgres.temporary())
        warehouse = postgres.with_database("events")
        ensure_database(warehouse, "events")
        upgrade(warehouse)
        single, batch = scripts(folder, key)
        servers = {
            "ours": stack.enter_context(collector(warehouse, key, folder)),
            "rated": stack.enter_context(collector(warehouse, key, folder, PTEROASSETS_EVENT_RATE="9999999")),
            "echo": stack.enter_context(echo()),
        }
        no_seed = ""
        try:
            servers["seed"] = stack.enter_context(seed(folder))
        except UnavailableError as error:
            no_seed = str(error)
        found: dict[str, list[Answers]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name, server in servers.items():
                found[name].append(ask(server, single, connections=_CONNECTIONS, seconds=seconds))
        batches = [
            ask(servers["ours"], batch, connections=_CONNECTIONS_OF_BATCHES, seconds=seconds) for _ in range(rounds)
        ]
        _require_stored(warehouse, found["ours"] + found["rated"], batches)
    note = f"{_CONNECTIONS} connections, {rounds} times {seconds} s, each server on one core"
    yield _against(found, "echo", names[0], "a bare ASGI echo that stores nothing", 0.8, note)
    if no_seed:
        yield Measurement.missing(
            f"{names[0]} against Flask with a Kafka producer", "requests/s", why=no_seed, target=8, direction="at least"
        )
    else:
        yield _against(found, "seed", names[0], "Flask's own server with a Kafka producer, not waiting", 8, note)
    # who else uses the machine slows the echo and the collector by turns; this says what each costs
    yield _cost_beside(found, "ours", "echo", "single events taken in, by what they cost", "the echo", None, note)
    yield _cost_beside(found, "rated", "ours", "single events of a key with a rate", "without a rate", 0.95, note)
    yield Measurement(
        claim="99 of 100 single events are answered within",
        unit="ms",
        ours=_median(one.p99_milliseconds for one in found["ours"]),
        baseline="the echo",
        baseline_value=_median(one.p99_milliseconds for one in found["echo"]),
        note=note,
    )
    note = f"{_CONNECTIONS_OF_BATCHES} connections, {rounds} times {seconds} s, on one core"
    yield Measurement(
        claim=names[1],
        unit="events/CPU-s",
        ours=_median(one.requests * BATCH / one.cpu_seconds for one in batches),
        target=100_000,
        direction="at least",
        judged="ours",
        note=f"{note}; {_median(one.per_second * BATCH for one in batches):,.0f} events/s",
    )
    yield Measurement(
        claim="99 of 100 batches are answered within",
        unit="ms",
        ours=_median(one.p99_milliseconds for one in batches),
        note=note,
    )


def _lacking() -> str | None:
    if shutil.which("wrk") is None:
        return "wrk is not installed (Debian: apt-get install wrk)"
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        return "it needs Linux and two cores: one for the server, one for who asks"
    return None


def _against(
    found: Mapping[str, Sequence[Answers]], name: str, claim: str, baseline: str, target: float, note: str
) -> Measurement:
    pairs = [*zip(found["ours"], found[name], strict=True)]
    return Measurement(
        claim=claim,
        unit="requests/s",
        ours=_median(one.per_second for one, _ in pairs),
        baseline=baseline,
        baseline_value=_median(other.per_second for _, other in pairs),
        ratio=_median(one.per_second / other.per_second for one, other in pairs),
        target=target,
        direction="at least",
        note=note,
    )


def _cost_beside(
    found: Mapping[str, Sequence[Answers]], name: str, other: str, claim: str, baseline: str, target: float | None,
    note: str,
) -> Measurement:  # fmt: skip
    ours, theirs = ([one.requests / one.cpu_seconds for one in found[each]] for each in (name, other))
    return Measurement(
        claim=claim,
        unit="requests/CPU-s",
        ours=_median(ours),
        baseline=baseline,
        baseline_value=_median(theirs),
        ratio=_median(one / its for one, its in zip(ours, theirs, strict=True)),
        target=target,
        direction="at least",
        note=note,
    )


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def _require_stored(warehouse: ConnectionSettings, singles: Sequence[Answers], batches: Sequence[Answers]) -> None:
    """Look whether all that was answered is there.

    Raises:
        RuntimeError: Something is not.
    """
    answered = sum(one.requests for one in singles) + BATCH * sum(one.requests for one in batches)
    with connect(warehouse) as connection:
        ((stored,),) = connection.execute("select count(*) from raw_events.events").fetchall()
    if stored < answered:
        raise RuntimeError(f"{answered} events were answered, and {stored} are there")
