-- Replays of Arma 3, one load each. Run by 0030_arma3.py. A replay is replaced whole: its row stays, with its key, and the
-- rows of every other table are deleted and written anew in the same transaction.

create schema raw_arma3;

-- one row for each replay that a site lists or that was asked for, read or not
create table raw_arma3.replays (
    replay_key bigint generated always as identity primary key,
    site text not null,                     -- host of the site, with its port where it has one
    source text not null,
    replay_id text not null,                -- of the site; with the site it names the replay for ever
    site_number bigint,
    url text not null,
    listed jsonb,                           -- the line of the site's list, as it was read last; null: never listed

    -- how it stands with reading it
    outcome text not null default 'waiting' check (outcome in (
        'waiting', 'ok', 'incomplete', 'truncated', 'not_a_replay', 'not_found', 'too_large', 'unreadable',
        'needs_login', 'rate_limited', 'refused', 'unavailable', 'not_json'
    )),
    reason text,
    last_outcome text,                      -- of the last try, where it left the rows of an earlier one as they are
    last_reason text,
    tries integer not null default 0,       -- in a row that did not give a replay
    first_seen_at timestamptz not null,
    tried_at timestamptz,
    next_try_at timestamptz not null,
    landed_at timestamptz,                  -- first time that its rows were written
    documents_digest text,                  -- of the documents that its rows were read from

    -- what was read
    generation text,
    mission text,
    mission_id bigint,
    mission_author text,
    island text,
    played_on date,
    started_at timestamptz,
    ended_at timestamptz,
    zone text,
    clock text,
    clock_reason text,
    duration_seconds double precision,
    capture_delay double precision,
    end_frame integer,
    slots integer,
    players integer,
    winner text,
    winner_reason text,
    end_message text,
    tag text,
    versions jsonb,
    positions_are_reliable boolean,
    missing jsonb,                          -- reasons by the name of what is missing
    counts jsonb,                           -- what was passed over
    grid_metres integer,
    step_seconds integer,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    unique (site, source, replay_id),
    check (outcome = 'ok' or reason is not null)
);
create index on raw_arma3.replays (next_try_at);

-- one row for each document that was asked for: lists, pages, digests and recordings; the bytes are in the log store
create table raw_arma3.pages (
    url text primary key,
    site text not null,
    replay_id text,                         -- null: a list
    document text not null check (document in ('list', 'page', 'digest', 'recording')),
    outcome text not null check (outcome in (
        'ok', 'unchanged', 'not_found', 'needs_login', 'rate_limited', 'refused', 'unavailable', 'not_json', 'truncated',
        'too_large'
    )),
    reason text,
    http_status integer,
    etag text,
    last_modified text,
    fingerprint text,                       -- SHA-256 of the document without its packing
    content_digest text,                    -- under which its newest content is in the store
    content_bytes bigint,
    asked_at timestamptz not null,
    fetched_at timestamptz,                 -- when the content changed last
    tries integer not null default 0,       -- in a row without an answer of use
    next_try_at timestamptz,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    check (outcome in ('ok', 'unchanged') or reason is not null)
);
create index on raw_arma3.pages (site, replay_id);

create table raw_arma3.sides (
    replay_key bigint not null references raw_arma3.replays,
    side text not null,
    faction text,
    players integer,
    slots integer,
    commander_name text,
    commander_id bigint,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (replay_key, side)
);

create table raw_arma3.units (
    replay_key bigint not null references raw_arma3.replays,
    unit_id bigint not null,
    player_id bigint,
    name text,
    side text,
    squad text,
    role text,
    is_player boolean not null,
    first_second double precision,
    last_second double precision,
    survived boolean,
    died_second double precision,
    death_without_kill boolean not null,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (replay_key, unit_id)
);

create table raw_arma3.stints (
    replay_key bigint not null references raw_arma3.replays,
    unit_id bigint not null,
    number integer not null,
    name text not null,
    is_player boolean not null,
    first_second double precision not null,
    last_second double precision not null,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (replay_key, unit_id, number)
);

create table raw_arma3.vehicles (
    replay_key bigint not null references raw_arma3.replays,
    vehicle_id bigint not null,             -- within the replay alone
    vehicle_class text,
    name text,
    side text,
    first_second double precision,
    last_second double precision,
    survived boolean,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (replay_key, vehicle_id)
);

create table raw_arma3.kills (
    replay_key bigint not null references raw_arma3.replays,
    number integer not null,
    second double precision not null,
    victim_kind text not null,
    victim_id bigint,
    victim_name text,
    victim_side text,
    victim_vehicle_id bigint,
    victim_vehicle text,
    killer_kind text not null,
    killer_id bigint,
    killer_name text,
    killer_side text,
    killer_vehicle_id bigint,
    killer_vehicle text,
    killer_reason text,
    is_doubtful boolean not null,
    weapon text,
    distance_metres double precision,
    is_team_kill boolean,
    is_suicide boolean,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (replay_key, number)
);

create table raw_arma3.hits (like raw_arma3.kills including defaults, primary key (replay_key, number));
alter table raw_arma3.hits add foreign key (replay_key) references raw_arma3.replays;

create table raw_arma3.connects (
    replay_key bigint not null references raw_arma3.replays,
    number integer not null,
    second double precision not null,
    is_connect boolean not null,
    name text not null,
    unit_id bigint,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (replay_key, number)
);

create table raw_arma3.messages (
    replay_key bigint not null references raw_arma3.replays,
    number integer not null,
    second double precision not null,
    kind text not null,
    text text,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (replay_key, number)
);

create table raw_arma3.markers (
    replay_key bigint not null references raw_arma3.replays,
    number integer not null,
    kind text,
    text text,
    colour text,
    shape text,
    side text,
    owner_unit_id bigint,
    owner_name text,
    first_second double precision,
    last_second double precision,
    x double precision,
    y double precision,
    moves integer not null,
    is_projectile boolean not null,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (replay_key, number)
);

-- positions, rolled up to squares of a grid and steps of time; the replay says how large they are
create table raw_arma3.positions (
    replay_key bigint not null references raw_arma3.replays,
    unit_id bigint not null,
    step integer not null,
    cell_x integer not null,
    cell_y integer not null,
    seconds double precision not null,
    vehicle_seconds double precision not null,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (replay_key, unit_id, step, cell_x, cell_y)
);

-- read by those who queried WRTD-ETL's tables
create schema if not exists arma3;
grant usage on schema arma3 to analyst;
alter default privileges in schema arma3 grant select on tables to analyst;
