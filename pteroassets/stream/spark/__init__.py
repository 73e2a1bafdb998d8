"""The stream on Spark: what one process cannot carry, with the same contracts.

It runs in an environment of its own (``make spark``), knows neither Postgres nor the settings, and is started as
``python -m pteroassets.stream.spark.job``; ``--help`` says the rest.
"""
