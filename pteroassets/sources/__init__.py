"""Extract: plain Python from bytes to typed rows; uses no Dagster, SQL or environment."""
