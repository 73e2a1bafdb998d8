"""RUN: a Postgres server of our own, on a folder."""
