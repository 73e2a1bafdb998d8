"""What pages and the cookbook ask, by the clock, and questions over all history against the raw tables.

The history is made up (`made_history`). Each notebook is run once, for its first page, and each of its queries is then
asked alone, as each recipe of the cookbook is; a query's time is the median of five, with all rows fetched. The raw
tables are asked the same question, in turns with the mart.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.frame.measurement import Measurement, Size
from benchmarks.made_history import UNTIL, History, made_history
from pteroassets.dashboards.context import CONTEXT_VARIABLE, Context, reading_variables
from pteroassets.dashboards.notebook import notebooks
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.warehouse.connection import Connection, connect

# of the full size 105 million samples and 9.3 million sessions
SERVERS, DAYS = {Size.SHORT: 10, Size.FULL: 1000}, {Size.SHORT: 90, Size.FULL: 365}
_TIMES = 5
_MOST_MILLISECONDS = 100
_TIMES_FASTER = 50
_RECIPE = re.compile(r"^### (?P<question>.+)\n(?:(?!^### ).*\n)*?```sql\n(?P<query>(?:.*\n)*?)```", re.MULTILINE)


class Question(NamedTuple):
    """The same question, of a mart and of the raw tables."""

    mart: str
    raw: str


QUESTIONS = {
    "CPU hours of each server, ever": Question(
        "select server_uuid, sum(cpu_core_hours) from marts.fct_server_daily group by 1",
        "select server_uuid, sum(cpu_percent * interval_seconds) / 360000 from raw_pterodactyl.utilization_samples "
        "group by 1",
    ),
    "the day of most memory of each server and month, by its 95th percentile": Question(
        "select server_uuid, date_trunc('month', local_date) as month, max(memory_p95_mebibytes) "
        "from marts.fct_server_daily group by 1, 2",
        """
        select server_uuid, date_trunc('month', day) as month, max(memory_p95)
        from (
            select server_uuid, sampled_at::date as day,
                percentile_cont(0.95) within group (order by memory_bytes / 1048576.0) as memory_p95
            from raw_pterodactyl.utilization_samples group by 1, 2
        ) as days
        group by 1, 2
        """,
    ),
    "who was active on the host in the thirty days before each day": Question(
        "select local_date, active_players_30d from marts.fct_active_players_daily where scope = 'host'",
        """
        with days as materialized (
            select distinct coalesce(player_uuid::text, player_name) as player, joined_at::date as day
            from derived_minecraft.player_sessions where not is_proxy
        )
        select local_date, count(distinct player)
        from generate_series((select min(day) from days), (select max(day) from days), interval '1 day') as local_date
        left join days on day > local_date - interval '30 days' and day <= local_date
        group by 1
        """,
    ),
    "the most players that each server ever had at once": Question(
        "select server_uuid, max(peak_concurrent_players) from marts.fct_concurrency_peaks "
        "where scope = 'server' group by 1",
        """
        select server_uuid, max(online)
        from (
            select server_uuid, sum(change) over (partition by server_uuid order by at, change) as online
            from (
                select server_uuid, joined_at as at, 1 as change from derived_minecraft.player_sessions
                union all
                select server_uuid, coalesce(left_at, left_at_upper), -1 from derived_minecraft.player_sessions
                where coalesce(left_at, left_at_upper) is not null
            ) as changes
        ) as counted
        group by 1
        """,
    ),
    "each server's most loyal player, ever": Question(
        "select server_uuid, player_id, play_hours from marts.dim_servers cross join lateral ("
        "select player_id, play_hours from marts.fct_player_servers as most "
        "where most.server_uuid = dim_servers.server_uuid order by play_hours desc limit 1) as most",
        "select distinct on (server_uuid) server_uuid, player_name, sum(left_at - joined_at) as played "
        "from derived_minecraft.player_sessions group by 1, 2 order by server_uuid, played desc nulls last",
    ),
}


def measure(size: Size) -> Iterator[Measurement]:
    """Yield the slowest query of each page and of the cookbook, and a row for each question."""
    with made_history(SERVERS[size], DAYS[size]) as history:
        history.dbt("run", threads=2)
        history.keep_house()
        with connect(history.settings, autocommit=True) as connection:
            ((samples, sessions),) = connection.execute(
                "select (select count(*) from raw_pterodactyl.utilization_samples), "
                "(select count(*) from marts.fct_player_sessions)"
            )
            note = f"{samples:,} samples, {sessions:,} sessions"
            for name, times in {**_pages(history), "cookbook": _cookbook(history)}.items():
                query, slowest = max(times.items(), key=lambda item: item[1])
                claim = "the slowest recipe of the cookbook" if name == "cookbook" else f"the slowest query of {name}"
                yield Measurement(
                    claim=claim, unit="ms", ours=slowest, target=_MOST_MILLISECONDS, judged="ours",
                    note=f"{note}; of {len(times)}, median {median(times.values()):.0f} ms; {_short(query)}",
                )  # fmt: skip
            connection.execute("set search_path = marts")
            yield from _against_raw(connection, note)


def _against_raw(connection: Connection, note: str) -> Iterator[Measurement]:
    for name, question in QUESTIONS.items():
        # by turns, since the cache of the operating system serves both
        turns = [[_once(connection, query) for query in question] for _ in range(_TIMES + 1)][1:]
        yield Measurement(
            claim=name, unit="ms", ours=median(ours for ours, _ in turns), baseline="the raw tables",
            baseline_value=median(raw for _, raw in turns), ratio=median(ours / raw for ours, raw in turns),
            target=1 / _TIMES_FASTER, note=note,
        )  # fmt: skip


def _cookbook(history: History) -> dict[str, float]:
    """Return the milliseconds of each recipe."""
    text = (CHECKOUT / "docs" / "cookbook.md").read_text()
    recipes = {found["question"]: found["query"] for found in _RECIPE.finditer(text)}
    if not recipes:
        raise RuntimeError("docs/cookbook.md has no recipe that can be read")
    with connect(history.settings, autocommit=True) as connection:
        connection.execute("set search_path = marts")
        return {question: _milliseconds(connection, query) for question, query in recipes.items()}


def _milliseconds(connection: Connection, query: str) -> float:
    return median([_once(connection, query) for _ in range(_TIMES + 1)][1:])


def _once(connection: Connection, query: str) -> float:
    begun = time.perf_counter()
    connection.execute(query).fetchall()
    return (time.perf_counter() - begun) * 1000


def _pages(history: History) -> dict[str, dict[str, float]]:
    """Return for each notebook the milliseconds of each query of its first page, asked in a process as pages are."""
    from pteroassets.defs.pages import ages, metrics_of_project  # noqa: PLC0415 - dagster takes seconds to import

    context = Context(now=UNTIL, metrics=metrics_of_project(), passes=ages(Settings(_env_file=None)))
    context = replace(context, pages=tuple(notebooks()))
    with tempfile.TemporaryDirectory(prefix="pteroassets-bench-") as folder:
        path = Path(folder) / "context.json"
        path.write_text(json.dumps(context.as_json()))
        environment = {
            **os.environ,
            **reading_variables(history.settings, seconds=600),
            CONTEXT_VARIABLE: str(path),
            "PYTHONWARNINGS": "ignore",
        }
        ended = subprocess.run(
            [sys.executable, "-m", "benchmarks.reading"],
            env=environment, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    found: dict[str, dict[str, float]] = json.loads(ended.stdout.splitlines()[-1])
    return {f"the page {name}": times for name, times in found.items()}


def _short(query: str) -> str:
    words = " ".join(query.split())
    return words if len(words) <= 80 else f"{words[:80]}…"


def _asked_by_pages() -> dict[str, dict[str, float]]:
    """Run the first page of each notebook, and time each of its queries."""
    from pteroassets.dashboards import reading  # noqa: PLC0415 - pandas, for this process alone
    from pteroassets.dashboards.execute import cells_of, pages_of, shown_by  # noqa: PLC0415 - the same

    asked: dict[str, Mapping[str, Any] | None] = {}
    ask = reading.ask

    def noting(query: str, parameters: Mapping[str, Any] | None = None) -> Any:
        asked[query] = parameters
        return ask(query, parameters)

    reading.ask = noting
    found: dict[str, dict[str, float]] = {}
    for name, notebook in notebooks().items():
        asked.clear()
        page = next(iter(pages_of(notebook)), None)
        if page is None:
            continue  # a set of pages of something that the history lacks, such as replays
        shown_by(cells_of(notebook), page["values"])
        times: dict[str, list[float]] = {}
        for query, parameters in asked.items():
            for _ in range(_TIMES):
                begun = time.perf_counter()
                with reading.connection().cursor() as cursor:
                    cursor.execute(query.encode(), parameters)
                    cursor.fetchall()
                times.setdefault(query, []).append((time.perf_counter() - begun) * 1000)
        found[name] = {query: median(each) for query, each in times.items()}
    return found


if __name__ == "__main__":
    print(json.dumps(_asked_by_pages()))
