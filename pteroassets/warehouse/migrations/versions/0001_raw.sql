-- Raw schemas, the ledger of loads and the request budget. Run by 0001_raw.py.
create schema ops;
create schema raw_pterodactyl;
create schema raw_minecraft;

-- One row for each load of one table. Freshness reads it, since unchanged rows do not change.
create table ops.loads (
    load_id uuid primary key,
    table_name text not null,               -- schema-qualified: raw_pterodactyl.servers
    observed_at timestamptz not null,       -- the injected clock when the reading began
    is_complete boolean not null,           -- every page of every list was read
    rows_read bigint not null,
    rows_expected bigint,                   -- the panel's meta.total; null where the route has none
    rows_added bigint not null,
    rows_changed bigint not null,
    rows_gone bigint not null,
    rows_total bigint,                      -- rows that stand in the table (current ones for entities)
    requests integer not null,
    seconds double precision not null,
    rate_limit_remaining integer,
    problems jsonb not null default '[]',   -- [{"scope": "nest 4", "reason": "the panel answered 500 (TypeError)"}]
    _loaded_at timestamptz not null default now()
);
create index loads_table on ops.loads (table_name, observed_at desc);

-- One row for each panel and API: the budget that everything which runs draws from.
create table ops.request_budgets (
    panel text not null,                    -- host and port of the panel, never a key
    api text not null check (api in ('application', 'client')),
    announced_limit integer,                -- X-RateLimit-Limit; null until the first answer
    window_started_at timestamptz not null,
    taken integer not null,
    primary key (panel, api)
);

-- The IANA zone in which a server writes its log and has its days.
create table ops.server_timezones (
    server_uuid uuid primary key,
    timezone text not null,
    source text not null check (source in ('server', 'default', 'utc'))
);

-- Entities: one row for each version of a record; the one with valid_to null is current. The same
-- shape for every entity; `scope` names the list the record stands in (node 1, nest 4, a server's uuid).
-- locations, nodes, allocations, nests, eggs, servers, users, subusers, server_databases
create table raw_pterodactyl.locations (
    key text not null,                      -- uuid where the panel has one, else the id
    valid_from timestamptz not null,
    valid_to timestamptz,
    id bigint not null,
    uuid uuid,
    scope text not null default '',
    record jsonb not null,                  -- attributes and relationships as they arrived, minus secrets
    digest text not null,                   -- of the fields that take part in change detection
    is_active boolean not null default true,
    missing_since timestamptz,              -- first complete reading without it
    deleted_at timestamptz,                 -- = missing_since, set by the second such reading
    _source text not null,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (key, valid_from)
);
create unique index on raw_pterodactyl.locations (key) where valid_to is null;
create table raw_pterodactyl.nodes (like raw_pterodactyl.locations including all);
create table raw_pterodactyl.allocations (like raw_pterodactyl.locations including all);
create table raw_pterodactyl.nests (like raw_pterodactyl.locations including all);
create table raw_pterodactyl.eggs (like raw_pterodactyl.locations including all);
create table raw_pterodactyl.servers (like raw_pterodactyl.locations including all);
create table raw_pterodactyl.users (like raw_pterodactyl.locations including all);
create table raw_pterodactyl.subusers (like raw_pterodactyl.locations including all);
create table raw_pterodactyl.server_databases (like raw_pterodactyl.locations including all);

-- One row for each server and sampling pass.
create table raw_pterodactyl.utilization_samples (
    server_uuid uuid not null,
    pass_at timestamptz not null,           -- when the pass began, whole minutes
    sampled_at timestamptz not null,        -- when this server answered or was passed over
    interval_seconds integer not null,      -- how long a sample of this pass stands for at the most
    node_name text,
    outcome text not null check (outcome in ('ok', 'offline', 'suspended', 'installing', 'install_failed',
        'restoring_backup', 'transferring', 'maintenance', 'node_unreachable', 'rate_limited', 'gone', 'error')),
    state text,                             -- current_state as the panel said it
    cpu_percent double precision,           -- percent of one core; null unless measured
    memory_bytes bigint,
    disk_bytes bigint,
    network_rx_bytes bigint,                -- since the container started
    network_tx_bytes bigint,
    uptime_milliseconds bigint,
    is_suspect boolean not null,            -- running with uptime > 0 and memory 0: a fault, not a measurement
    reason text,                            -- for an outcome that is not ok or offline
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (server_uuid, pass_at)
);
create index utilization_samples_pass on raw_pterodactyl.utilization_samples (pass_at);
-- incremental models ask for what was loaded since; rows come in that order, so a few pages of index do
create index utilization_samples_loaded on raw_pterodactyl.utilization_samples using brin (_loaded_at);

-- One row for each log file ever seen. A file keeps its key when latest.log is rotated or names shift.
create table raw_minecraft.log_files (
    server_uuid uuid not null,
    file_key text not null,                 -- 32 hex digits: SHA-256 of server, log date and first line
    path text not null,                     -- as last listed
    log_date date,                          -- local day of the first line
    log_sequence integer,                   -- N of YYYY-MM-DD-N; null for latest.log
    date_source text check (date_source in ('file_name', 'modified_at')),
    is_live boolean not null,               -- latest.log, still growing
    is_listed boolean not null,             -- stood in the last listing
    listed_size bigint not null,
    listed_modified_at timestamptz not null,
    listed_utc_offset_seconds integer,
    outcome text not null check (outcome in ('ok', 'empty', 'truncated', 'unreadable', 'not_a_server_log')),
    reason text,
    content_digest text,                    -- SHA-256 of the uncompressed bytes; address in the store
    content_bytes bigint,
    parsed_bytes bigint not null default 0, -- of content_bytes, up to the last whole line
    parsed_lines integer not null default 0,
    parser_state jsonb,                     -- what the parser must know to go on at parsed_bytes
    parser_version text,
    lines_understood integer not null default 0,
    lines_ignored integer not null default 0,
    lines_unknown integer not null default 0,
    first_line_at timestamptz,
    last_line_at timestamptz,
    sessions_built boolean not null default false, -- the sessions derived from its events stand in player_sessions
    fetched_at timestamptz not null,        -- injected clock
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (server_uuid, file_key)
);

-- One row for each attempt to list or fetch at a server in a pass, so that what was not read is known.
create table raw_minecraft.log_reads (
    server_uuid uuid not null,
    observed_at timestamptz not null,
    path text not null,                     -- '' for the listing itself
    outcome text not null check (outcome in ('ok', 'unchanged', 'no_log_folder', 'suspended', 'installing', 'install_failed',
        'restoring_backup', 'transferring', 'maintenance', 'node_unreachable', 'rate_limited', 'gone', 'too_large', 'budget_spent', 'error')),
    size bigint,
    modified_at timestamptz,
    reason text,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (server_uuid, observed_at, path)
);

-- One row for each recognised line.
create table raw_minecraft.events (
    server_uuid uuid not null,
    file_key text not null,
    line_number integer not null,           -- from 1
    logged_at timestamptz not null,
    logged_at_local timestamp not null,
    log_date date not null,                 -- of the file: the partition of a reload
    kind text not null,
    player_name text,
    player_uuid uuid,
    detail jsonb,
    parser_version text not null,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (server_uuid, file_key, line_number)
);
create index events_server_time on raw_minecraft.events (server_uuid, logged_at);
create index events_log_date on raw_minecraft.events (log_date);

-- One row for each session of a player on a server.
create table raw_minecraft.player_sessions (
    server_uuid uuid not null,
    session_key text not null,              -- file_key:line_number of the line that opens it (of the one that closes it where the join was not seen)
    player_name text not null,
    player_uuid uuid,
    joined_at timestamptz,                  -- null: before the first known line
    left_at timestamptz,                    -- null: open, or inferred (see the bounds)
    left_at_lower timestamptz,              -- last line that shows the player or the run alive
    left_at_upper timestamptz,              -- the run's end, else the next start; null when neither is known
    close_reason text check (close_reason in ('left', 'kicked', 'timed_out', 'server_stopped', 'server_crashed', 'joined_again', 'log_gap')),
    close_detail text,                      -- the reason as the line gives it
    is_join_observed boolean not null,
    is_end_observed boolean not null,
    join_file_key text,
    join_line_number integer,
    leave_file_key text,
    leave_line_number integer,
    run_started_at timestamptz,
    last_seen_at timestamptz,               -- last line read of this server while the session was open
    chat_messages integer not null default 0,
    commands integer not null default 0,
    deaths integer not null default 0,
    advancements integer not null default 0,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (server_uuid, session_key)
);
create index player_sessions_time on raw_minecraft.player_sessions (server_uuid, joined_at);

-- One row for each run of a server, as its log shows it.
create table raw_minecraft.server_runs (
    server_uuid uuid not null,
    run_key text not null,                  -- file_key:line_number of the start line, or of the first known line
    started_at timestamptz,                 -- null: before the first known line
    ready_at timestamptz,
    startup_seconds double precision,
    ended_at timestamptz,                   -- null: running, or inferred
    ended_at_lower timestamptz,
    ended_at_upper timestamptz,
    end_reason text check (end_reason in ('stopped', 'crashed', 'log_gap')),
    game_version text,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (server_uuid, run_key)
);
