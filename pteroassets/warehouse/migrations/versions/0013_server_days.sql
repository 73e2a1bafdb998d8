-- Which days of which servers are to be built again. Run by 0013_server_days.py; decision 24 says how it is read.

-- A list of work: whoever changes what a day is made of appends to it, and a build removes what it takes, in its own
-- transaction. So nothing need be numbered: what is not committed yet is not removed. No key, which would let a note get
-- lost that is made while the same one is being taken.
create table ops.days_to_build (
    model text not null,                    -- name of the model that builds it again
    server_uuid uuid not null,
    local_date date,                        -- the day; null: that of noted_at
    noted_at timestamptz                    -- an instant of the day; null too: every day of the server
);
create index days_to_build_model on ops.days_to_build (model);

-- The terms by which the days of each server were last built.
create table ops.server_terms_built (
    server_uuid uuid primary key,
    timezone text not null,
    terms_digest text,
    is_proxy boolean,
    expected_from timestamptz,
    expected_until timestamptz,
    sampling_from timestamptz,
    sampling_until timestamptz,
    logs_known_from timestamptz,
    logs_known_until timestamptz
);

create function ops.note_days_of_log_file() returns trigger language plpgsql as $$
begin
    insert into ops.days_to_build (model, server_uuid, local_date)
    select models.model, days.server_uuid, days.log_date
    from (values ('fct_server_daily'), ('fct_log_coverage')) as models (model)
    cross join (
        select old.server_uuid, old.log_date where tg_op <> 'INSERT'
        union
        select new.server_uuid, new.log_date where tg_op <> 'DELETE'
    ) as days
    where days.log_date is not null;
    return null;
end
$$;
create trigger log_files_days after insert or delete on raw_minecraft.log_files
for each row execute function ops.note_days_of_log_file();
create trigger log_files_days_changed after update on raw_minecraft.log_files
for each row when (
    (old.server_uuid, old.log_date, old.outcome, old.lines_understood, old.lines_ignored, old.lines_unknown,
        old.lines_continuation)
    is distinct from (new.server_uuid, new.log_date, new.outcome, new.lines_understood, new.lines_ignored,
        new.lines_unknown, new.lines_continuation)
) execute function ops.note_days_of_log_file();

create function ops.note_day_of_listing() returns trigger language plpgsql as $$
begin
    insert into ops.days_to_build (model, server_uuid, noted_at)
    values ('fct_log_coverage', new.server_uuid, new.observed_at);
    return null;
end
$$;
create trigger log_reads_days after insert on raw_minecraft.log_reads
for each row when (new.path = '' and new.outcome = 'ok') execute function ops.note_day_of_listing();

create function ops.note_days_of_zone() returns trigger language plpgsql as $$
begin
    insert into ops.days_to_build (model, server_uuid)
    values ('fct_log_coverage', coalesce(new.server_uuid, old.server_uuid));
    return null;
end
$$;
create trigger server_timezones_days after insert or update or delete on ops.server_timezones
for each row execute function ops.note_days_of_zone();

-- so that what is asked of each server reads no more the longer its history is
create index loads_observed on ops.loads (observed_at);
create index log_files_day on raw_minecraft.log_files (server_uuid, log_date);
create index log_files_first_line on raw_minecraft.log_files (server_uuid, first_line_at)
where outcome in ('ok', 'truncated');
create index log_files_software on raw_minecraft.log_files (server_uuid, last_line_at desc nulls last, file_key)
where software is not null;
create index log_files_listed on raw_minecraft.log_files (server_uuid, listed_modified_at desc) where is_listed;
create index log_reads_observed on raw_minecraft.log_reads (observed_at);
create index server_runs_newest on derived_minecraft.server_runs (server_uuid, started_at desc nulls last, run_key desc);
create index player_sessions_proxies on derived_minecraft.player_sessions (server_uuid) where is_proxy;

-- One row for each build of a model whose tests look at what was built since they passed: from which day on it built.
create table ops.builds_to_test (
    build_number bigint primary key generated always as identity,
    model text not null,
    first_date date,                        -- null: all of it
    built_at timestamptz not null default now()
);
create index builds_to_test_model on ops.builds_to_test (model, build_number);

-- One row for each such test that ever passed.
create table ops.tests_passed (
    test text primary key,                  -- dbt's id
    passed_build bigint not null,           -- the newest build of its model when it passed
    whole_at timestamptz not null           -- when it last passed on the whole model
);
