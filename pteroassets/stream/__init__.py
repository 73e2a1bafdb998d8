"""The outgrown path of pushed events: a broker that speaks Kafka, tables of Iceberg, and from them rows in Postgres.

Path of the data::

    collector --sink--> Kafka --writing--> Iceberg (the lake) --loading--> raw_events
                          `----spark/------> Parquet, with the same contracts

Each step goes on where it stopped: the writer by the offsets in the newest snapshot of its table, the loader by those
that it committed with its rows.
"""
