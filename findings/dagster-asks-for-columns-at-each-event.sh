#!/bin/sh
# dagster 1.13.27: storing an event of an asset asks the database anew which columns the table of assets has.
#
# Seen: of ten materializations reported one after the other through one instance, each reflects the table asset_keys
# again before it writes (`has_asset_key_col` in dagster/_core/storage/event_log/sql_event_log.py, to tell a schema of years
# ago from today's), although the schema cannot change under a running instance. dagster-postgres inherits it, and there a
# reflection is several queries of the catalogue for each of the materializations and checks of a run. Keeping the
# answer for the life of the process takes them away.
# Exits 0 while dagster does so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "dagster==1.13.27"
cd "$folder"
DAGSTER_DISABLE_TELEMETRY=1 "$folder/venv/bin/python" - <<'P'
import sys

import dagster as dg
from sqlalchemy import Engine, event

EVENTS = 10
asked = []


@event.listens_for(Engine, "before_cursor_execute")
def note(_connection, _cursor, statement, *_):
    if "table_xinfo" in statement or "table_info" in statement:
        asked.append(statement)


with dg.instance_for_test() as instance:
    instance.report_runless_asset_event(dg.AssetMaterialization("first"))  # what is asked once is asked here
    asked.clear()
    for _ in range(EVENTS):
        instance.report_runless_asset_event(dg.AssetMaterialization("first"))
of_assets = [statement for statement in asked if "asset_keys" in statement]
print(f"dagster {dg.__version__}: {EVENTS} materializations, {len(of_assets)} questions for the columns of asset_keys")
sys.exit(0 if len(of_assets) >= EVENTS else 1)
P
