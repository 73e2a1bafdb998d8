-- Messages to people (decision 0037). Run by 0023_outbox.py.

-- One row for each message and target. It says what the message ought to say now, not what to send: who writes it again
-- before it was sent changes the row, and the target sees the newest version alone.
create table ops.outbox (
    id bigint generated always as identity primary key,
    key text not null,
    target text not null,                   -- discord:<channel id>, webhook:<name> or channel:<name>; never a URL
    unique (key, target),

    -- wanted
    body jsonb not null,
    body_digest text not null,
    image_digests text[] not null default '{}',
    version integer not null check (version > 0),
    announced_version integer not null,     -- newest version that ways without edits send as a new message
    withdrawn_at timestamptz,               -- not null: the message is to be deleted
    severity text not null check (severity in ('info', 'warning', 'critical')),
    created_at timestamptz not null,
    changed_at timestamptz not null,        -- when the newest version was written
    expires_at timestamptz,                 -- a message that has not been sent by then is not sent any more

    -- at the target
    sent_version integer,                   -- null: nothing was sent
    message_id text,                        -- null: there is none, or the target gives none
    further_ids text[] not null default '{}',  -- of the messages that continue a long one
    sent_at timestamptz,

    -- under way: set and committed before a message is posted, so that it is known after a kill that it may have arrived
    sending_since timestamptz,
    sending_digest text,                    -- of what it shows, by which it is found at the target
    posting integer not null default 1,     -- grows each time the message is posted anew, so that its nonces differ
    doubtful_since timestamptz,             -- since when attempts may have arrived late, and what those show
    doubtful_digests text[] not null default '{}',
    look_again_at timestamptz,              -- when to look for such doubles

    -- refusals
    attempts integer not null default 0,    -- without success since the last one
    not_before timestamptz,
    dead_at timestamptz,                    -- refused for good
    dead_of text check (dead_of in ('message', 'target')),
    dead_reason text,
    check ((dead_at is null) = (dead_reason is null) and (dead_at is null) = (dead_of is null))
);
create index on ops.outbox (target, changed_at) where dead_at is null and sent_version is distinct from version;
create index on ops.outbox (look_again_at) where look_again_at is not null;
create index on ops.outbox using gin (image_digests);

create table ops.outbox_images (
    digest text primary key,
    png bytea not null,
    used_at timestamptz not null            -- when a message that shows it was last written
);

-- One row for each attempt, also for those without a request, such as an edit at a target that knows no edits.
create table ops.outbox_deliveries (
    delivery_number bigint generated always as identity primary key,
    outbox_id bigint not null,              -- no foreign key: attempts are kept longer than messages, or shorter
    key text not null,
    target text not null,
    version integer not null,
    outcome text not null check (outcome in ('sent', 'edited', 'deleted', 'adopted', 'double_removed', 'kept',
        'missing', 'deferred', 'dead')),
    http_status integer,                    -- null: no answer, or none was asked for
    reason text,
    began_at timestamptz not null,
    seconds double precision not null
);
create index on ops.outbox_deliveries (outbox_id);
create index on ops.outbox_deliveries (began_at);

-- When each way out was last looked after; by this a silent service is noticed.
create table ops.outbox_ways (
    way text primary key,                   -- discord, webhook:<name> or channel:<name>
    alive_at timestamptz not null
);
