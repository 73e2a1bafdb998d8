"""Orchestrate: thin Dagster definitions, one flat module a step."""
