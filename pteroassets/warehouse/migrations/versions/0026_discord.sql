-- Cards in Discord, and what people there did with servers. Run by 0026_discord.py.

-- One row for each card: where it stands, and what it shows, so that a restart of the bot changes no card.
create table ops.discord_cards (
    card_id bigint generated always as identity primary key,
    guild_id bigint not null,
    channel_id bigint not null,
    kind text not null check (kind in ('server', 'network', 'host')),
    subject text not null,                  -- UUID of the server or of the network's proxy; 'host'
    placed_by bigint not null,              -- user of Discord
    placed_at timestamptz not null,
    -- what it shows; NULL before the first time
    shown_at timestamptz,
    shown_state text,
    shown_cpu_percent double precision,
    shown_memory_ratio double precision,    -- of the limit; NULL where there is none
    updates bigint not null default 0,
    unique (guild_id, channel_id, kind, subject)
);

create schema raw_discord;

-- One row for each press of a button and each command that acts, written before the panel is asked and completed after.
create table raw_discord.actions (
    action_id uuid primary key,
    guild_id bigint not null,
    channel_id bigint,
    user_id bigint not null,
    user_name text not null,                -- as the guild shows it
    role_id bigint,                         -- by which it was allowed; NULL where it was not
    command text not null check (command in ('start', 'stop', 'restart', 'address', 'place', 'refresh', 'purge',
        'acknowledge', 'snooze')),
    server_uuid uuid,                       -- NULL for what is no single server's
    subject text,                           -- of a card: host, or a network's proxy; of an incident its number
    asked_at timestamptz not null,
    players_online integer,                 -- when it was asked; NULL where that is not known, or does not matter
    is_confirmed boolean not null default false,
    outcome text check (outcome in ('done', 'refused', 'failed', 'unanswered', 'interrupted')),
    reason text,                            -- for an outcome that is not done
    panel_status integer,                   -- HTTP status of the panel's answer; NULL where none came
    finished_at timestamptz,
    _loaded_at timestamptz not null default now(),
    check ((outcome is null) = (finished_at is null))
);
-- of two people who press at once one wins, whichever process of the bot serves them
create unique index actions_under_way on raw_discord.actions (server_uuid)
where finished_at is null and command in ('start', 'stop', 'restart');
create index actions_of_server on raw_discord.actions (server_uuid, asked_at desc);
create index actions_asked on raw_discord.actions (asked_at);
