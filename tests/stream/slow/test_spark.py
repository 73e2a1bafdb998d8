"""The job on Spark, where `make spark` has been run and Java is there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from pteroassets.settings import CHECKOUT
from pteroassets.stream.broker import Broker, ensure_topics
from tests.stream.brokers import started_broker
from tests.stream.made import numbered, poison, produce

PYTHON = CHECKOUT / ".tools" / "spark" / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists() or shutil.which("java") is None, reason="needs make spark and Java 17"
)


def run(broker: Broker, folder: Path) -> None:
    command = [
        PYTHON, "-m", "pteroassets.stream.spark.job", "--brokers", broker.servers, "--topic", broker.topic,
        "--source", "python", "--format", "parquet", "--lake", folder / "lake", "--checkpoint", folder / "checkpoint",
        "--most", "900", "--once",
    ]  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "PYSPARK_PYTHON": str(PYTHON),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false --conf spark.sql.shuffle.partitions=1 "
        "pyspark-shell",
    }
    result = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert result.returncode == 0, result.stderr[-4_000:]


def read(folder: Path, table: str) -> list[dict[str, object]]:
    """The rows of a table, of the files that Spark says are its own."""
    files = [
        entry.split('"path":"')[1].split('"')[0].removeprefix("file://")
        for log in (folder / "lake" / table / "_spark_metadata").iterdir() if not log.name.startswith(".")
        for entry in log.read_text().splitlines() if '"path":"' in entry
    ]  # fmt: skip
    base = str(folder / "lake" / table)
    return ds.dataset(sorted({*files}), partitioning="hive", partition_base_dir=base).to_table().to_pylist()  # type: ignore[no-any-return]


def test_the_job_makes_of_each_message_what_the_writer_makes(tmp_path: Path) -> None:
    with started_broker(tmp_path / "broker") as one:
        broker = one.topic()
        ensure_topics(broker)
        produce(broker, [*(numbered(n) for n in range(1_200)), numbered(3, type="fly"), numbered(7)])
        poison(broker, b"{", None)
        run(broker, tmp_path)
        produce(broker, [numbered(n) for n in range(1_200, 1_300)])
        run(broker, tmp_path)
    events = read(tmp_path, "events")
    assert Counter(str(row["event_id"]) for row in events) == Counter(
        numbered(n)["event_id"] for n in [*range(1_300), 7]
    )
    assert {(str(row["day"]), row["event_type"]) for row in events} == {
        (f"2026-03-0{day}", kind) for day in (1, 2) for kind in ("kill_enemy", "take_damage", "transaction")
    }
    (row,) = [row for row in events if row["event_id"] == numbered(9)["event_id"]]
    assert (row["player_id"], row["game"], row["session_id"]) == ("p-9", "arena", None)
    letters = read(tmp_path, "dead_letters")
    assert Counter(row["reason"] for row in letters) == Counter(unknown_type=1, not_a_record=2)
