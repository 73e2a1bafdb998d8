"""Events that games push, as assets: the collector lands them, and a pass tells what came."""

from collections.abc import Iterator

import dagster as dg

from pteroassets.defs.metadata import materializations
from pteroassets.defs.raw import raw_tables
from pteroassets.landing.context import Landing
from pteroassets.landing.events.passes import TABLES, tally


@dg.multi_asset(name="pushed_events", specs=[raw_tables()[table].spec() for table in TABLES])
def pushed_events(landing: dg.ResourceParam[Landing]) -> Iterator[dg.MaterializeResult]:
    """Count what the collector landed since the last time; it lands events whether or not this runs."""
    with landing.connect() as connection:
        yield from materializations(connection, tally(landing, connection))


defs = dg.Definitions(assets=[pushed_events])
