"""Extract: plain Python from bytes to typed rows; knows no Dagster, no SQL and no environment."""
