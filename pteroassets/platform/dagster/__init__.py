"""RUN: plug-ins of Dagster's instance, named in ``dagster.yaml``."""
