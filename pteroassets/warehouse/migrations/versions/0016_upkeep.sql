-- What the panel lists for one server at a time. Run by 0016_upkeep.py.

-- Versions, as of the other entities; the scope is the server.
create table raw_pterodactyl.backups (like raw_pterodactyl.locations including all);
alter table raw_pterodactyl.backups alter column id drop not null;  -- the panel gives a uuid and no number
create table raw_pterodactyl.schedules (like raw_pterodactyl.locations including all);

-- What came of asking last, one row for each server and list: a list that is unread is not an empty one.
create table raw_pterodactyl.list_reads (
    server_uuid uuid not null,
    list_name text not null check (list_name in ('backups', 'schedules', 'activity')),
    observed_at timestamptz not null,       -- when the reading that asked last began
    outcome text not null check (outcome in ('ok', 'suspended', 'installing', 'install_failed', 'restoring_backup',
        'transferring', 'maintenance', 'gone', 'forbidden', 'rate_limited', 'error')),
    reason text,
    rows_read integer,                      -- null where nothing was read
    read_at timestamptz,                    -- when the newest reading began that read all of it; null: none did
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (server_uuid, list_name),
    check (outcome = 'ok' or reason is not null)
);
