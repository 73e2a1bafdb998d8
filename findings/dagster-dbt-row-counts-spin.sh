#!/bin/sh
# dagster-dbt 0.29.27 (dagster 1.13.27): fetch_row_counts() and fetch_column_metadata() wait for dbt in a busy loop.
#
# Seen: while the stream of a dbt invocation has no event yet (dbt works on a long model, say),
# `stream().fetch_row_counts()` takes a whole core: three seconds of waiting take nearly three of CPU. On two cores dbt
# and the database lose half the machine to the process that waits for them. `imap` of dagster/_core/utils.py, through
# which both methods go, looks again at once when its queue is empty. Waiting for the stream first, and looking up rows
# and columns then, takes nothing.
# Exits 0 while dagster-dbt does so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "dagster-dbt==0.29.27" "dagster==1.13.27" "dbt-core==1.11.16"
"$folder/venv/bin/python" - <<'P'
import sys
import time
from types import SimpleNamespace

from dagster import __version__
from dagster_dbt.core.dbt_event_iterator import DbtEventIterator

WAIT = 3.0


def no_event_yet():
    time.sleep(WAIT)
    yield from ()


def cpu_of(wait):
    before = time.process_time()
    wait()
    return time.process_time() - before


invocation = SimpleNamespace(is_fusion=False, adapter=None, postprocessing_threadpool_num_threads=4)
plain = cpu_of(lambda: list(DbtEventIterator(no_event_yet(), invocation)))
counted = cpu_of(lambda: list(DbtEventIterator(no_event_yet(), invocation).fetch_row_counts()))
print(f"dagster {__version__}: CPU seconds of waiting {WAIT:.0f} s for an event")
print(f"stream():                    {plain:.2f}")
print(f"stream().fetch_row_counts(): {counted:.2f}")
# on a busy machine the loop gets a part of a core
sys.exit(not (plain < 0.1 and counted > 0.5))
P
