"""Fill tables by day and type from the topics of pushed events, with Spark's Structured Streaming."""

from __future__ import annotations

import argparse
from typing import Final

OPTION: Final = "kafka."
"""Before the name of an option of the client, as for Spark's own connector."""


def _pair(text: str) -> tuple[str, str]:
    name, is_pair, value = text.partition("=")
    if not is_pair:
        raise argparse.ArgumentTypeError(f"{text!r} is not name=value")
    return (name if name.startswith(OPTION) else f"{OPTION}{name}"), value


def arguments_of(given: list[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m pteroassets.stream.spark.job", description=__doc__)
    parser.add_argument("--brokers", required=True, help="addresses of brokers, as host:port separated by commas")
    parser.add_argument(
        "--topic", default="pteroassets.events", help="of the events; what was refused is in its .refused"
    )
    parser.add_argument("--option", action="append", type=_pair, default=[], help="name=value of the client of Kafka")
    parser.add_argument("--source", choices=["kafka", "python"], default="kafka", help="Spark's connector, or ours")
    parser.add_argument("--format", choices=["iceberg", "parquet"], default="iceberg", help="of the tables")
    parser.add_argument("--lake", required=True, help="catalogue and namespace of Iceberg, or the folder of Parquet")
    parser.add_argument("--checkpoint", required=True, help="folder or URL in which Spark notes how far it is")
    parser.add_argument("--most", type=int, default=1_000_000, help="messages of a batch")
    parser.add_argument("--every", default="30 seconds", help="time between two batches")
    parser.add_argument("--once", action="store_true", help="end once all is there that the topics had at the start")
    return parser.parse_args(given)
