"""A code location without anything in it."""

import dagster as dg

defs = dg.Definitions()
