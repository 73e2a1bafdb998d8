-- Samples of old months go into files, and come back when they are asked for (decision 36). Run by 0021_archive.py.

create table ops.archived_samples (
    file text primary key,                  -- its name in the archive
    month date not null,                    -- its first day; months are those of UTC
    samples bigint not null,
    checksum text not null,                 -- of all rows, whatever their order; the file says the same
    archived_at timestamptz not null default now()
);

-- What was read back from the archive, a partition a month. No model reads it, and retention leaves it alone.
create table raw_pterodactyl.restored_samples (
    server_uuid uuid not null,
    pass_at timestamptz not null,
    sampled_at timestamptz not null,
    interval_seconds integer not null,
    node_name text,
    outcome text not null,
    state text,
    cpu_percent double precision,
    memory_bytes bigint,
    disk_bytes bigint,
    network_rx_bytes bigint,
    network_tx_bytes bigint,
    uptime_milliseconds bigint,
    is_suspect boolean not null,
    reason text,
    _load_id uuid not null,
    _loaded_at timestamptz not null
) partition by range (pass_at);
create index restored_samples_time on raw_pterodactyl.restored_samples using brin (pass_at) with (pages_per_range = 16);

-- people who restore a month are those who read the marts
grant usage on schema raw_pterodactyl to analyst;
grant select on raw_pterodactyl.restored_samples to analyst;
