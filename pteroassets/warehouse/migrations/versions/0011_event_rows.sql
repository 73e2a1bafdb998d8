-- Narrow rows of events: codes in place of what repeats. Run by 0011_event_rows.py; decision 22 has the figures.

-- its rows are moved after the migrations, in steps: warehouse/moving_events.py
alter table raw_minecraft.events rename to events_to_move;
alter table raw_minecraft.events_to_move rename constraint events_pkey to events_to_move_pkey;
drop index raw_minecraft.events_server_time, raw_minecraft.events_log_date;

alter table raw_minecraft.log_files
    add column file_id integer generated always as identity unique, -- what its events name it by
    add column first_kind text;             -- of its first event, but for a line that names the software

create table raw_minecraft.event_kinds (
    kind_id smallint generated always as identity primary key,
    kind text not null unique
);
create table raw_minecraft.event_players (
    player_id integer generated always as identity primary key,
    player_name text,                       -- as the line shows it
    player_uuid uuid,                       -- where the line shows it
    unique nulls not distinct (player_name, player_uuid)
);
create table raw_minecraft.event_loads (
    event_load_id integer generated always as identity primary key,
    load_id uuid not null,                  -- a row of ops.loads, unless the load was killed
    loaded_at timestamptz not null default now() -- when its first event came
);

-- One row for each recognised line; the columns are in the order of their widths, so that none is padded. Not
-- partitioned, and no index on times: decision 22.
create table raw_minecraft.event_rows (
    logged_at timestamptz not null,
    file_id integer not null,               -- of log_files: server, key, date and parser are that row's
    line_number integer not null,           -- from 1
    event_load_id integer not null,
    utc_offset_seconds integer not null,    -- of the log's clock at that moment
    player_id integer,
    kind_id smallint not null,
    detail jsonb,
    primary key (file_id, line_number)
);

-- the names as they were; a join to a row that is not asked for is not made
create view raw_minecraft.events as
select
    files.server_uuid,
    files.file_key,
    rows.line_number,
    rows.logged_at,
    rows.logged_at at time zone 'UTC' + make_interval(secs => rows.utc_offset_seconds) as logged_at_local,
    files.log_date,
    kinds.kind,
    players.player_name,
    players.player_uuid,
    rows.detail,
    files.parser_version,
    loads.load_id as _load_id,
    loads.loaded_at as _loaded_at
from raw_minecraft.event_rows as rows
left join raw_minecraft.log_files as files on files.file_id = rows.file_id
left join raw_minecraft.event_kinds as kinds on kinds.kind_id = rows.kind_id
left join raw_minecraft.event_players as players on players.player_id = rows.player_id
left join raw_minecraft.event_loads as loads on loads.event_load_id = rows.event_load_id;
