"""Keep the connections to Dagster's database that dagster-postgres makes anew for each statement.

A run stores an event for each asset and check that it plans and for each that it makes, in two or three connections
each. PostgreSQL starts a process for each connection, which takes longer than all that is asked through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.auth import PgTokenProvider
from dagster_postgres.utils import create_pg_engine, get_token_provider_from_config, pg_url_from_config


class PooledPostgresStorage(DagsterPostgresStorage):
    """Dagster's storage in PostgreSQL, whose runs, events and schedules share the connections of one pool.

    A connection that the server has closed since it was last used is replaced before anything is asked through it, so
    that a restart of PostgreSQL between two events goes unnoticed, as it does without a pool.
    """

    def __init__(self, postgres_url: str, *, token_provider: PgTokenProvider | None = None, **options: Any) -> None:
        super().__init__(postgres_url, token_provider=token_provider, **options)
        # as many as are asked for at once, of which a process keeps one; the isolation is that of their own engines
        engine = create_pg_engine(
            postgres_url,
            token_provider,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=-1,
            pool_pre_ping=True,
        )
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = engine  # noqa: SLF001 no option of theirs sets it

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Make what *config_value* describes, as dagster-postgres does for its own class."""
        return cls(
            inst_data=inst_data,
            postgres_url=pg_url_from_config(config_value),
            token_provider=get_token_provider_from_config(config_value),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
        )
