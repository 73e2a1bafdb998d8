"""Dagster's storage on a real Postgres, for what uses an instance."""

from tests.dagster_instance import make_instance

__all__ = ["make_instance"]
