"""Load: Postgres alone."""
