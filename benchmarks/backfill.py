"""All logs that the servers still have, fetched, parsed and derived, against an older build.

The command of the product is run on an empty warehouse each time, in turns, and both builds must find the same
sessions. The panel is simulated, in processes whose CPU does not count, and its limits are out of the way.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.frame.checkout import BASELINE_NAME, Checkout, UnavailableError, baseline, ours
from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import CpuMeter, postmaster_pid
from benchmarks.frame.turns import in_turns, median, median_ratio, median_wall, median_wall_ratio
from benchmarks.sizes import NO_LIMIT, simulated_panel
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.warehouse.connection import ConnectionSettings, connect

WORLD = {
    Size.SHORT: ("--size", "sampler", "--history-days", "14"),
    Size.FULL: ("--size", "truth", "--history-days", "28"),
}
_ROUNDS = 2
_TIMES_FASTER = 3


class Backfill:
    """The command of one build, on a new warehouse each time."""

    def __init__(self, checkout: Checkout, server: ConnectionSettings, panel: dict[str, Any], name: str) -> None:
        self._checkout, self._server, self._panel, self._name = checkout, server, panel, name
        self._turn = 0
        self.found: tuple[int, int, int] = (0, 0, 0)
        """Bytes of logs, events and sessions of the last run."""

    def run(self) -> None:
        """Fetch, parse and derive everything."""
        self._turn += 1
        settings = self._server.with_database(f"{self._name}_{self._turn}")
        with tempfile.TemporaryDirectory(prefix="pteroassets-bench-") as home:
            environment = {
                **settings.environment(),
                "PTEROASSETS_HOME": home,
                "PTERODACTYL_URL": self._panel["panel_url"],
                "PTERODACTYL_APP_KEY": self._panel["application_key"],
                "PTERODACTYL_CLI_KEY": self._panel["client_key"],
                "PTEROASSETS_PII_KEY": "a key of the benchmarks, long enough",
                "PTEROASSETS_LOG_TIMEZONES": json.dumps(self._panel["log_timezones"]),
            }
            self._checkout.module("pteroassets.cli", "logs", "backfill", env=environment)
        with connect(settings) as connection:
            # the older build keeps sessions in another schema
            ((table,),) = connection.execute(
                "select oid::regclass::text from pg_class where relname = 'player_sessions' and relkind = 'r'"
            )
            ((size, events, sessions),) = connection.execute(
                "select (select sum(parsed_bytes) from raw_minecraft.log_files), "
                f"(select count(*) from raw_minecraft.events), (select count(*) from {table})"
            )
        self.found = int(size), events, sessions


def measure(size: Size) -> Iterator[Measurement]:
    claim, unit = "a first back-fill", "MB/s"
    with simulated_panel(*WORLD[size], *NO_LIMIT) as panel, EmbeddedPostgres.temporary() as server:
        try:
            with baseline() as old:
                new, before = (Backfill(one, server, panel, f"fill{n}") for n, one in enumerate((ours(), old)))
                meter = CpuMeter([postmaster_pid(server)], without=[panel["process_id"]])
                costs = in_turns({"ours": new.run, "baseline": before.run}, rounds=_ROUNDS, meter=meter)
        except UnavailableError as error:
            yield Measurement.missing(claim, unit, why=str(error), baseline=BASELINE_NAME, target=_TIMES_FASTER)
            return
    if new.found[1:] != before.found[1:]:
        raise RuntimeError(f"ours found {new.found} (bytes, events, sessions), the older build {before.found}")
    megabytes = new.found[0] / 1e6
    note = f"{megabytes:.0f} MB, {new.found[1]:,} events, {new.found[2]:,} sessions"
    compared = partial(Measurement, baseline=BASELINE_NAME, note=note)
    yield compared(
        claim=f"{claim}, by the clock",
        unit=unit,
        ours=megabytes / median_wall(costs["ours"]),
        baseline_value=megabytes / median_wall(costs["baseline"]),
        ratio=median_wall_ratio(costs["baseline"], costs["ours"]),
        target=_TIMES_FASTER,
        direction="at least",
    )
    yield compared(
        claim=claim,
        unit="CPU-s",
        ours=median(costs["ours"]),
        baseline_value=median(costs["baseline"]),
        ratio=median_ratio(costs["ours"], costs["baseline"]),
    )
