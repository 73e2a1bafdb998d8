-- What changed since a model was built. Run by 0018_changes.py; decision 23 says how it is read.

-- One row for each row of a table or model that came or went, by the columns that tell what it touches.
create table ops.row_changes (
    change_number bigint primary key generated always as identity,
    relation text not null,                 -- the table, or of the model, schema and name
    change smallint not null check (change between -1 and 1), -- it went or came; 0: the whole relation was built anew
    touched jsonb                           -- of the row; null where the whole relation was built anew
);
create index row_changes_relation on ops.row_changes (relation, change_number);

-- One row for each model that is built by what changed.
create table ops.changes_taken (
    model text primary key,                 -- its schema and name
    seen_change bigint,                     -- the newest change that its last build took in
    building_change bigint not null,        -- of the build that is under way, or was the last
    is_whole boolean not null               -- whether that build is one of everything
);

-- Its arguments are the columns that tell what a row touches. Transactions that change a table follow one another from
-- here on, so its numbers ascend in the order of the commits.
create function ops.record_row_changes() returns trigger language plpgsql as $$
declare
    name text := tg_table_schema || '.' || tg_table_name;
begin
    if not exists (select from changed) then
        return null;
    end if;
    perform pg_advisory_xact_lock(hashtext('pteroassets'), hashtext('changes of ' || name));
    execute 'insert into ops.row_changes (relation, change, touched) select distinct ' || quote_literal(name)
        || ', 1, jsonb_build_object(' || (
            select string_agg(quote_literal(argument) || ', ' || quote_ident(argument), ', ')
            from unnest(tg_argv) as argument
        ) || ') from changed';
    return null;
end
$$;

-- Names and UUIDs that lines of a file show together.
create table derived_minecraft.name_sightings (
    server_uuid uuid not null,
    file_key text not null,
    player_name text not null,
    player_uuid uuid not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (server_uuid, player_name, player_uuid, file_key)
);
create index name_sightings_file on derived_minecraft.name_sightings (server_uuid, file_key);
-- by which the models find what is touched
create index player_sessions_name on derived_minecraft.player_sessions (server_uuid, player_name);
-- by which a derivation finds what it made of a file
create index player_sessions_file on derived_minecraft.player_sessions (server_uuid, split_part(session_key, ':', 1));
create index server_runs_file on derived_minecraft.server_runs (server_uuid, split_part(run_key, ':', 1));
-- by which the models find which runs go on, and until when
create index server_runs_going_on on derived_minecraft.server_runs (server_uuid) where end_reason is null;
create index log_files_last_line on raw_minecraft.log_files (server_uuid, last_line_at);
