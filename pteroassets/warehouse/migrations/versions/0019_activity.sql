-- What people, schedules and the panel did with servers. Run by 0019_activity.py.

-- One row for each entry of a server's activity log; rows are added and never change.
create table raw_pterodactyl.activity (
    server_uuid uuid not null,
    activity_id text not null,              -- the panel's, the same in every reading
    occurred_at timestamptz not null,
    event text not null,
    record jsonb not null,                  -- as it arrived, minus secrets
    _source text not null,
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (server_uuid, activity_id)
);
create index activity_occurred on raw_pterodactyl.activity (occurred_at);

alter table raw_pterodactyl.list_reads
    drop constraint list_reads_outcome_check,
    add constraint list_reads_outcome_check check (outcome in ('ok', 'budget_spent', 'suspended', 'installing',
        'install_failed', 'restoring_backup', 'transferring', 'maintenance', 'gone', 'forbidden', 'rate_limited',
        'error')),
    -- of activity alone, of which a reading asks only for what is not known yet
    add column known_since timestamptz,     -- the oldest entry down to which none is missing
    add column known_until timestamptz,     -- the newest entry
    add column entries_passed integer;      -- from the newest down to known_since, those of our own reads too
