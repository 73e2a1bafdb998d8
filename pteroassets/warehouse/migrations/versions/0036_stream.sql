-- What the loader of the lake knows, written in the transaction of the rows that it loads. Run by 0036_stream.py.

create table ops.lake_offsets (
    lake_table text not null,
    topic text not null,
    topic_partition integer not null,
    next_offset bigint not null,            -- all before it are loaded
    snapshot_id bigint not null,            -- the snapshot that they were read from
    _loaded_at timestamptz not null default now(),
    primary key (lake_table, topic, topic_partition)
);

-- Who put something into a topic past the collector did not say whose it is.
alter table raw_events.dead_letters alter column game drop not null;
