-- What went wrong, one row for each root cause. Run by 0025_incidents.py; decision 39 says how they are found.

create table ops.incidents (
    incident_id bigint primary key,
    kind text not null,
    subject_kind text not null check (subject_kind in ('node', 'server', 'pass', 'job', 'check')),
    subject_key text not null,              -- a node's name, a server's uuid, the name of a pass, job or check
    subject_name text not null,             -- as people call it
    aspect text not null default '',        -- which resource or measure, where a subject has several
    server_uuid uuid,
    node_name text,                         -- as it was when the incident was opened, as are the next two
    egg_name text,
    owner_name text,
    severity text not null check (severity in ('info', 'warning', 'critical')),
    opened_at timestamptz not null,         -- when it began, as far as readings tell
    noticed_at timestamptz not null,        -- when that was known
    last_at timestamptz,                    -- when it was last found, or happened last
    closed_at timestamptz,                  -- when it was over; null while open
    closed_as text check (closed_as in ('recovered', 'gone', 'became_a_loop')),
    cause text not null,
    times integer not null default 1,       -- crashes that make it up
    held_back text[] not null default '{}', -- alarms that were not raised, since this is their cause
    acknowledged_by text,
    acknowledged_at timestamptz,
    snoozed_until timestamptz,
    is_quiet boolean not null default false, -- noticed in quiet hours: it waits for the digest
    check ((closed_at is null) = (closed_as is null)),
    check (closed_at >= opened_at),
    check ((acknowledged_by is null) = (acknowledged_at is null))
);
-- one incident at a time for each cause
create unique index incidents_open on ops.incidents (kind, subject_key, aspect) where closed_at is null;
create index incidents_closed on ops.incidents (closed_at);

create table ops.incident_events (
    incident_id bigint not null references ops.incidents on delete cascade,
    event_number bigint generated always as identity primary key,
    occurred_at timestamptz not null,
    event text not null check (event in ('opened', 'updated', 'held_back', 'closed', 'acknowledged', 'snoozed',
        'snooze_over')),
    detail text not null default '',
    done_by text                            -- who acknowledged or snoozed it
);
create index incident_events_incident on ops.incident_events (incident_id);

-- One row: what is remembered from one evaluation to the next, beside the incidents (pteroassets/alarms/incidents).
create table ops.incident_state (
    is_only boolean primary key default true check (is_only),
    state jsonb not null,
    evaluated_at timestamptz not null
);

-- the evaluation asks for the crashes of the last day, of all servers
create index server_runs_crashed on derived_minecraft.server_runs (coalesce(ended_at, ended_at_upper, ended_at_lower))
where end_reason = 'crashed';
