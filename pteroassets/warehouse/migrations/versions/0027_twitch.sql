-- What Twitch lists of the streamers that are followed, and which notices were given of it. Run by 0027_twitch.py.

create schema raw_twitch;

create table raw_twitch.users (
    user_id text primary key,
    login text not null,
    record jsonb not null,
    first_seen_at timestamptz not null,
    read_at timestamptz not null,
    clips_read_at timestamptz,              -- null: no list of clips was read yet
    _load_id uuid not null,
    _loaded_at timestamptz not null default now()
);

create table raw_twitch.streams (
    stream_id text primary key,
    user_id text not null,
    login text not null,
    record jsonb not null,                  -- the newest
    started_at timestamptz not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now()
);
create index on raw_twitch.streams (login, started_at);

create table raw_twitch.clips (
    clip_id text primary key,
    user_id text not null,
    record jsonb not null,                  -- the newest
    created_at timestamptz not null,
    first_seen_at timestamptz not null,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now()
);

-- One row for each stream and clip of which it was decided whether to tell.
create table ops.stream_notices (
    notice_key text primary key,            -- stream/<stream id> or clip/<clip id>
    login text not null,
    decided_at timestamptz not null,
    told boolean not null,
    reason text,                            -- null: it was told
    ended_at timestamptz,                   -- of a stream, once its notice says so
    check (told = (reason is null))
);
create index on ops.stream_notices (login, decided_at);
