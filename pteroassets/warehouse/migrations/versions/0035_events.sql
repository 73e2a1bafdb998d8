-- Events that games push, by the day of their receipt in UTC, and what was refused of them. Run by 0035_events.py.

create schema raw_events;

-- No key: an event that comes twice is there twice, since looking for the first would cost half of the speed.
create table raw_events.events (
    game text not null,
    event_id uuid not null,
    event_type text not null,
    version smallint not null,
    player_id text not null,
    session_id text,
    occurred_at timestamptz not null,       -- by the game's clock
    received_at timestamptz not null,       -- by the collector's clock
    clock_skew_milliseconds bigint,         -- null: the game did not say when it sent it
    record jsonb not null,                  -- the event as it came
    -- not now(): a row is written after its table was locked, so that nothing earlier comes once a tally has the lock
    _loaded_at timestamptz not null default clock_timestamp()
) partition by range (received_at);
create index on raw_events.events using brin (_loaded_at);

create table raw_events.dead_letters (
    game text not null,
    received_at timestamptz not null,
    reason text not null,
    detail text not null,
    body bytea not null,                    -- as it came: it may be no text
    _loaded_at timestamptz not null default clock_timestamp()
) partition by range (received_at);
create index on raw_events.dead_letters using brin (_loaded_at);

-- Make the partitions of a day. One that is attached, not made as a partition, lets those who read go on.
create function raw_events.ensure_day(day date) returns void language plpgsql as $$
declare
    parent text;
    part text;
begin
    foreach parent in array array['events', 'dead_letters'] loop
        part := parent || to_char(day, '"_"YYYY"_"MM"_"DD');
        if to_regclass('raw_events.' || part) is null then
            perform pg_advisory_xact_lock(hashtext('pteroassets'), hashtext('raw_events'));
            if to_regclass('raw_events.' || part) is null then
                execute format('create table raw_events.%%I (like raw_events.%%I including all)', part, parent);
                execute format(
                    'alter table raw_events.%%I attach partition raw_events.%%I for values from (%%L) to (%%L)',
                    parent, part, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC'
                );
            end if;
        end if;
    end loop;
end
$$;
