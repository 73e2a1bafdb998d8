"""Keep the connections to Dagster's database that dagster-postgres makes anew for each statement.

A run stores an event for each asset and check that it plans and for each that it makes, in two or three connections
each. PostgreSQL starts a process for each connection, which takes longer than all that is asked through it.
"""

from __future__ import annotations

from typing import Any

from dagster_postgres import DagsterPostgresStorage

from pteroassets.defs.private import share_connections


class PooledPostgresStorage(DagsterPostgresStorage):
    """Dagster's storage in PostgreSQL, whose runs, events and schedules share the connections of one pool.

    A connection that the server has closed since it was last used is replaced before anything is asked through it, so
    that a restart of PostgreSQL between two events goes unnoticed, as it does without a pool.
    """

    @classmethod
    def from_config_value(  # type: ignore[override] # who loads it asks for a storage, not for this class
        cls, inst_data: Any, config_value: Any
    ) -> DagsterPostgresStorage:
        """Return dagster-postgres' own storage as *config_value* describes it, with one pool."""
        storage = super().from_config_value(inst_data, config_value)
        share_connections(storage, config_value)
        return storage
