"""A pass: one reading of a source, landed in Postgres.

Dagster's assets, the demo's back-fill and the tests all call the same functions; none of them knows Dagster.
"""
