"""Reuse connections to Dagster's database, which dagster-postgres opens anew for each statement.

A run stores an event for each asset and check, planned and made, with two or three connections each.
PostgreSQL starts a process for each connection, which takes longer than the statements.
"""

from __future__ import annotations

from typing import Any

from dagster_postgres import DagsterPostgresStorage

from pteroassets.defs.private import share_connections


class PooledPostgresStorage(DagsterPostgresStorage):
    """Dagster's storage in PostgreSQL with one pool of connections for runs, events and schedules.

    A connection closed by the server is replaced before it is used, so that a restart of PostgreSQL between two events
    does no harm, as without a pool.
    """

    @classmethod
    def from_config_value(  # type: ignore[override] # its loader expects a storage, not this class
        cls, inst_data: Any, config_value: Any
    ) -> DagsterPostgresStorage:
        """Return dagster-postgres' own storage as *config_value* describes it, with one pool."""
        storage = super().from_config_value(inst_data, config_value)
        share_connections(storage, config_value)
        return storage
