"""Replays of Arma 3, as assets: all tables are one step, since a replay is replaced whole in one transaction."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from pteroassets.alarms.replays import tell_replays
from pteroassets.defs.metadata import materializations
from pteroassets.defs.raw import raw_tables
from pteroassets.landing.arma3.by_hand import load_replays
from pteroassets.landing.arma3.passes import read_sites
from pteroassets.landing.arma3.ratings import RATINGS, rate_players
from pteroassets.landing.arma3.tables import TABLES
from pteroassets.landing.context import Landing


class ReplaysConfig(dg.Config):
    """What an operator may say when reading replays by hand."""

    numbers: list[int] = Field(
        default=[], description="Numbers of replays of one site: these are read, due or not, and no others."
    )
    site: str = Field(default="", description="Host of that site; of the first one where it is empty.")


@dg.multi_asset(name="arma3_replays", specs=[raw_tables()[table].spec() for table in TABLES], pool="arma3")
def replays(
    context: dg.AssetExecutionContext, config: ReplaysConfig, landing: dg.ResourceParam[Landing]
) -> Iterator[dg.MaterializeResult]:
    """Read the lists of the sites and every replay that is new or due, and have the digests told."""
    with landing.connect() as connection:
        reports = (
            load_replays(landing, connection, config.numbers, site=config.site or None)
            if config.numbers
            else read_sites(landing, connection)
        )
        for report in reports:
            for problem in report.problems:
                context.log.warning("%s: %s", problem["scope"], problem["reason"])
        settings = landing.settings
        told = tell_replays(
            connection,
            settings.replay_targets(),
            least_players=settings.pteroassets_replay_least_players,
            language=settings.pteroassets_replay_language,
            now=landing.clock.now(),
        )
        context.log.info("digests given: %s", ", ".join(told) or "none")
        yield from materializations(connection, reports)


@dg.asset(
    key=raw_tables()[RATINGS].key, deps=[["arma3", "replays"]], **raw_tables()[RATINGS].definition(), pool="arma3"
)
def ratings(landing: dg.ResourceParam[Landing]) -> dg.MaterializeResult:
    """Rate all players anew if games came or were corrected since the last time, else leave the ratings."""
    with landing.connect() as connection:
        (result,) = materializations(connection, rate_players(landing, connection))
        return result


@dg.asset_check(
    asset=["arma3", "replays"], description="Every replay that its site has was read, or waits for its next try."
)
def listed_replays_are_read(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Warn of replays that failed several times in a row; one that is not out yet may fail once or twice.

    What the site does not have is no failure of reading: a number that it never listed, and a game that it took back.
    """
    is_gone = "coalesce(last_outcome, outcome) = 'not_found' and (landed_at is not null or not is_listed)"
    with landing.connect() as connection:
        failing = connection.execute(
            "select site, replay_id, coalesce(last_outcome, outcome), coalesce(last_reason, reason) "
            f"from raw_arma3.replays where tries > 2 and not ({is_gone}) order by site, site_number"
        ).fetchall()
        gone = connection.execute(
            "select count(*) filter (where landed_at is not null), count(*) filter (where landed_at is null) "
            f"from raw_arma3.replays where {is_gone}"
        ).fetchone()
    taken_back, never_there = gone or (0, 0)
    return dg.AssetCheckResult(
        passed=not failing,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "failing": len(failing),
            "first": dg.JsonMetadataValue([list(map(str, row)) for row in failing[:20]]),
            "taken back by the site": taken_back,
            "never there": never_there,
        },
    )


defs = dg.Definitions(assets=[replays, ratings], asset_checks=[listed_replays_are_read])
