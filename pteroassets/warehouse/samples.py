"""What a sample has, and when it cannot be stored (decision 21)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

SAMPLES: Final = "raw_pterodactyl.utilization_samples"
SAMPLE_COLUMNS: Final = {
    "server_uuid": "uuid",
    "pass_at": "timestamptz",
    "sampled_at": "timestamptz",
    "interval_seconds": "int4",
    "node_name": "text",
    "outcome": "text",
    "state": "text",
    "cpu_percent": "float8",
    "memory_bytes": "int8",
    "disk_bytes": "int8",
    "network_rx_bytes": "int8",
    "network_tx_bytes": "int8",
    "uptime_milliseconds": "int8",
    "is_suspect": "bool",
    "reason": "text",
}
STEP = timedelta(seconds=10)
"""Passes begin at a multiple of it."""


class ManyLoadsError(Exception):
    """A pass was loaded anew so often that there is no number left to tell its loads apart."""
