"""The collector: a service that games push events to.

Path of the data::

    POST /v1/events --http--> sources.events.envelope --batching--> one COPY for all that wait --> raw_events
                                                      `-- 202 once Postgres has committed

It stands alone: it needs Postgres, and neither Dagster nor dbt.
"""
