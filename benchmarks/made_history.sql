-- The statements of made_history.py, each under its name. What a raw table's rows are is said in the `made_` tables and in
-- the select lists; how a raw table stores them, in the one `insert` that fills it.

-- name: servers
-- of 33 servers one is a proxy, twenty stand behind it and twelve stand alone
create temporary table made_servers as
select
    number,
    md5('server' || number)::uuid as server_uuid,
    number % 10 + 1 as node_id,
    'node-' || number % 10 + 1 as node_name,
    (array['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Sydney'])[number % 5 + 1] as timezone,
    case when number <= least(servers, proxies * 21) then case when number <= proxies then 'proxy' else 'backend' end
        else 'single' end as role,
    case
        when number <= proxies then number
        when number <= proxies * 21 then (number - proxies - 1) % proxies + 1
        else number
    end as site,
    case
        when number > proxies and number <= proxies * 21 then (number - proxies - 1) / proxies
    end as place
from generate_series(1, %(servers)s) as made (number), (values (%(servers)s, %(proxies)s)) as sizes (servers, proxies);
analyze made_servers;

-- name: entities
insert into raw_pterodactyl.locations (key, valid_from, id, record, digest, _source, _load_id, _loaded_at)
select '1', since, 1, '{"id": 1, "short": "eu", "long": "Europe", "created_at": "2025-01-01T00:00:00+00:00",
    "updated_at": "2025-01-01T00:00:00+00:00"}', '', 'panel.example.com', md5('locations')::uuid, since
from (values (%(since)s::timestamptz)) as begun (since);

insert into raw_pterodactyl.nodes (key, valid_from, id, uuid, record, digest, _source, _load_id, _loaded_at)
select md5('node' || id), since, id, md5('node' || id)::uuid,
    jsonb_build_object('id', id, 'name', 'node-' || id, 'location_id', 1, 'public', true, 'fqdn',
        'node-' || id || '.example.com', 'scheme', 'https', 'behind_proxy', false, 'maintenance_mode', false, 'memory',
        262144, 'memory_overallocate', 0, 'disk', 4000000, 'disk_overallocate', 0, 'upload_size', 100, 'daemon_listen',
        8080, 'daemon_sftp', 2022, 'daemon_base', '/srv/volumes', 'description', null, 'allocated_resources',
        '{"memory": 40960, "disk": 100000}'::jsonb, 'created_at', '2025-01-01T00:00:00+00:00'),
    '', 'panel.example.com', md5('nodes')::uuid, since
from generate_series(1, 10) as nodes (id), (values (%(since)s::timestamptz)) as begun (since);

insert into raw_pterodactyl.allocations (key, valid_from, id, scope, record, digest, _source, _load_id, _loaded_at)
select id::text, since, id, 'node:' || id % 10 + 1,
    jsonb_build_object('id', id, 'ip', '203.0.113.10', 'alias', null, 'port', 20000 + id, 'assigned', id <= %(servers)s),
    '', 'panel.example.com', md5('allocations')::uuid, since
from generate_series(1, 2 * %(servers)s) as allocations (id), (values (%(since)s::timestamptz)) as begun (since);

insert into raw_pterodactyl.nests (key, valid_from, id, uuid, record, digest, _source, _load_id, _loaded_at)
select 'nest', since, 1, md5('nest')::uuid, '{"id": 1, "name": "Minecraft", "author": "eggs@example.com"}', '',
    'panel.example.com', md5('nests')::uuid, since
from (values (%(since)s::timestamptz)) as begun (since);

insert into raw_pterodactyl.eggs (key, valid_from, id, uuid, scope, record, digest, _source, _load_id, _loaded_at)
select 'egg' || id, since, id, md5('egg' || id)::uuid, 'nest:1',
    jsonb_build_object('id', id, 'nest', 1, 'name', (array['Paper', 'Velocity', 'Fabric'])[id], 'config',
        '{"logs": [], "extends": null, "stop": "stop"}'::jsonb, 'relationships', '{"variables": {"data": []}}'::jsonb),
    '', 'panel.example.com', md5('eggs')::uuid, since
from generate_series(1, 3) as eggs (id), (values (%(since)s::timestamptz)) as begun (since);

insert into raw_pterodactyl.users (key, valid_from, id, uuid, record, digest, _source, _load_id, _loaded_at)
select 'user' || id, since, id, md5('user' || id)::uuid,
    jsonb_build_object('id', id, 'username', 'user' || id, 'email', 'hmac:00', 'root_admin', id = 1, '2fa', true),
    '', 'panel.example.com', md5('users')::uuid, since
from generate_series(1, %(servers)s / 2 + 1) as users (id), (values (%(since)s::timestamptz)) as begun (since);

-- a server's limits change every sixty days
insert into raw_pterodactyl.servers
    (key, valid_from, valid_to, id, uuid, record, digest, _source, _load_id, _loaded_at)
select server_uuid::text, valid_from, lead(valid_from) over (partition by server_uuid order by valid_from), number,
    server_uuid,
    jsonb_build_object(
        'id', number, 'identifier', left(server_uuid::text, 8), 'name', 'Server ' || number, 'description', '',
        'status', null, 'suspended', false, 'user', number / 2 + 1, 'node', node_id, 'allocation', number, 'nest', 1,
        'egg', case role when 'proxy' then 2 else 1 end, 'created_at', '2025-06-01T00:00:00+00:00', 'updated_at',
        '2025-06-01T00:00:00+00:00', 'limits', jsonb_build_object('memory', 4096 + 1024 * (version % 3), 'swap', 0,
            'disk', 50000, 'io', 500, 'cpu', 200, 'threads', null, 'oom_disabled', false),
        'feature_limits', '{"databases": 1, "allocations": 2, "backups": 3}'::jsonb, 'container',
        '{"image": "image", "installed": 1}'::jsonb
    ),
    version::text, 'panel.example.com', md5('servers' || valid_from)::uuid, valid_from
from made_servers
cross join lateral (
    select
        version,
        case version when 0 then %(since)s::timestamptz
            else %(since)s::timestamptz + version * interval '60 days' + number * interval '1 hour' end as valid_from
    from generate_series(0, 20) as made (version)
) as versions
where valid_from < %(until)s;

insert into ops.server_timezones select server_uuid, timezone, 'server' from made_servers;

-- name: samples
-- in the order in which they were landed: pass after pass
create temporary table made_samples (like raw_pterodactyl.utilization_samples);
insert into made_samples (
    server_uuid, pass_at, sampled_at, interval_seconds, node_name, outcome, state, cpu_percent, memory_bytes,
    disk_bytes, network_rx_bytes, network_tx_bytes, uptime_milliseconds, is_suspect, reason, _load_id, _loaded_at
)
select
    server_uuid, pass_at, pass_at + interval '2 seconds', 300, node_name, outcome, state, cpu_percent, memory_bytes,
    disk_bytes, network_rx_bytes, network_tx_bytes, uptime_milliseconds, false, reason, load_id,
    pass_at + interval '5 seconds'
from (
    select
        drawn.*,
        case outcome when 'ok' then 'running' when 'offline' then 'offline' end as state,
        case when outcome = 'ok' then round((5 + 120 * power(random(), 2))::numeric, 2)::double precision end
            as cpu_percent,
        case when outcome = 'ok' then ((1200 + number % 17 * 150 + 600 * random()) * 1048576)::bigint end as memory_bytes,
        case when outcome in ('ok', 'offline') then (5000 + number * 13 % 2000)::bigint * 1048576 end as disk_bytes,
        case when outcome = 'ok' then uptime * 2300 + number end as network_rx_bytes,
        case when outcome = 'ok' then uptime * 9100 + number end as network_tx_bytes,
        case when outcome = 'ok' then uptime * 1000 end as uptime_milliseconds,
        case when outcome = 'node_unreachable' then 'no answer within 10 s' end as reason
    from (
        select
            passes.pass_at,
            md5('raw_pterodactyl.utilization_samples ' || passes.pass_at)::uuid as load_id,
            asked.*
        from generate_series(
            %(since)s::timestamptz, %(until)s::timestamptz - interval '1 second', interval '5 minutes'
        ) as passes (pass_at)
        cross join lateral (
            select
                server_uuid,
                number,
                node_name,
                -- the server starts anew each day at 04:00
                extract(epoch from passes.pass_at - date_bin('1 day', passes.pass_at, %(period_origin)s))::bigint + 1
                    as uptime,
                case
                    when number % 40 = 39 or random() < 0.01 then 'offline'
                    when random() < 0.003 then 'node_unreachable'
                    else 'ok'
                end as outcome
            from made_servers
            offset 0
        ) as asked
    ) as drawn
) as made;

-- name: runs
-- a server stops and starts each day at 04:00, and so does its log; the last run goes on
create temporary table made_runs as
select
    *,
    md5('file' || server_uuid || period)::text as file_key,
    (started_at at time zone timezone)::date as log_date,
    row_number() over (partition by server_uuid, (started_at at time zone timezone)::date order by started_at) as sequence,
    date_bin('15 minutes', coalesce(ended_at, %(until)s) + interval '15 minutes' - interval '1 microsecond', %(period_origin)s)
        as load_at
from (
    select
        made_servers.*,
        periods.period,
        greatest(periods.period_from, %(since)s) as started_at,
        case when periods.period_until < %(until)s then periods.period_until - interval '30 seconds' end as ended_at
    from made_servers
    cross join lateral (
        select
            period,
            date_bin('1 day', %(since)s, %(period_origin)s) + period * interval '1 day' as period_from,
            date_bin('1 day', %(since)s, %(period_origin)s) + (period + 1) * interval '1 day' as period_until
        from generate_series(0, %(days)s) as made (period)
    ) as periods
    where periods.period_from < %(until)s
) as planned;
create index on made_runs (period);
analyze made_runs;

insert into derived_minecraft.server_runs (
    server_uuid, run_key, started_at, ready_at, startup_seconds, ended_at, ended_at_lower, ended_at_upper, end_reason,
    game_version, software, is_proxy, _load_id, _loaded_at
)
select server_uuid, file_key || ':1', started_at, started_at + interval '9 seconds', 8.5, ended_at, ended_at, ended_at,
    case when ended_at is not null then 'stopped' end, '1.21.4',
    case role when 'proxy' then 'Velocity' else 'Paper' end, role = 'proxy',
    md5('derived_minecraft.server_runs ' || load_at)::uuid, load_at
from made_runs order by load_at, server_uuid;

-- name: visits
-- what happened in the periods %(first)s to %(last)s. Nobody comes to a site twice in a period, or twice at one time; the
-- players of a site change slowly
drop table if exists made_sessions;
create temporary table made_sessions as
with

sites as (
    select site, count(*) filter (where role <> 'proxy') as backends, max(role) filter (where role <> 'backend') as kind
    from made_servers group by site
),

visits as (
    select
        site, backends, kind, periods.period, visit, per_period,
        periods.started_at + (periods.until - periods.started_at)
            * ((visit + random()) / per_period) + interval '20 seconds' as entered_at,
        (120 + 10800 * power(random(), 3)) * interval '1 second' as stay,
        periods.until - interval '5 seconds' as until,
        periods.ended_at is null as is_last,
        format('P%s_%s', site, (visit + periods.period * 31) % (8 * whole + 1) + periods.period * whole / 4)
            as player_name,
        kind = 'proxy' and random() < 0.5 as has_switched,
        0.2 + 0.6 * random() as switched_after
    from sites
    cross join lateral (select case kind when 'proxy' then backends * 31 / 25 * 10 else 19 end::integer as whole) as size
    inner join lateral (
        select distinct period, started_at, ended_at, coalesce(ended_at, %(until)s) as until from made_runs
        where made_runs.period between %(first)s and %(last)s and made_runs.site = sites.site
    ) as periods on true
    cross join lateral (
        select greatest(
            round(whole * extract(epoch from periods.until - periods.started_at) / 86400), 1
        )::integer as per_period
    ) as share
    cross join lateral generate_series(0, per_period - 1) as made (visit)
),

ended as (
    select *, least(entered_at + stay, until) as left_at, is_last and entered_at + stay > until as is_open
    from visits where entered_at < until - interval '30 seconds'
),

timed as (
    select *, case when has_switched then entered_at + (left_at - entered_at) * switched_after end as switched_at from ended
),

-- a stay on a network is a session on its proxy and one or two behind it
hops as (
    select timed.*, 0 as hop, entered_at as joined_at, left_at as ended_at, is_open as goes_on, null::bigint as place
    from timed
    union all
    select timed.*, 1, entered_at + interval '1 second',
        coalesce(switched_at, left_at),
        is_open and not has_switched, (visit * 3 + period) % backends
    from timed where kind = 'proxy'
    union all
    select timed.*, 2, switched_at + interval '1 second', left_at, is_open,
        (visit * 3 + period + 1) % backends
    from timed where kind = 'proxy' and has_switched
)

select
    runs.server_uuid, runs.file_key, runs.started_at as run_started_at, runs.timezone, runs.log_date, runs.role,
    hops.visit, hops.hop, hops.player_name,
    case
        when runs.role <> 'proxy'
            then overlay(overlay(md5(hops.player_name) placing '4' from 13 for 1) placing '8' from 17 for 1)::uuid
    end as player_uuid,
    date_trunc('second', hops.joined_at) as joined_at,
    greatest(date_trunc('second', hops.ended_at), date_trunc('second', hops.joined_at)) as left_at,
    hops.goes_on,
    (hops.has_switched and hops.hop = 0)::integer as server_switches,
    date_trunc('second', hops.switched_at) as switched_at,
    (extract(epoch from hops.switched_at - runs.started_at)::integer * 1000 + hops.visit) * 20 + 30 as switch_line,
    case when runs.role = 'proxy' then 0 else floor(random() * 7)::integer end as chat_messages,
    case when runs.role = 'proxy' then 0 else floor(random() * 5)::integer end as commands,
    case when runs.role = 'proxy' then 0 else floor(random() * 1.8)::integer end as deaths,
    case when runs.role = 'proxy' then 0 else floor(random() * 1.5)::integer end as advancements,
    -- ascending, and room for a session's lines in between
    (extract(epoch from hops.joined_at - runs.started_at)::integer * 1000 + hops.visit) * 20 + 23 as join_line,
    (extract(epoch from hops.ended_at - runs.started_at)::integer * 1000 + hops.visit) * 20 + 39 as leave_line,
    date_bin('15 minutes', hops.ended_at + interval '15 minutes', %(period_origin)s) as load_at
from hops
inner join made_runs as runs
    on
        hops.site = runs.site and hops.period = runs.period
        and runs.role = case when hops.place is not null then 'backend' else hops.kind end
        and coalesce(runs.place, -1) = coalesce(hops.place, -1);

insert into derived_minecraft.player_sessions (
    server_uuid, session_key, player_name, player_uuid, joined_at, left_at, left_at_lower, left_at_upper, close_reason,
    is_join_observed, is_end_observed, join_file_key, join_line_number, leave_file_key, leave_line_number,
    run_started_at, last_seen_at, close_detail, chat_messages, commands, deaths, advancements, is_proxy, server_switches,
    _load_id, _loaded_at
)
-- it opens with the first line that shows the player in, and closes with the first one that shows the departure
select
    server_uuid, file_key || ':' || opening_line, player_name, player_uuid, joined_at, ended_at, ended_at, ended_at,
    case when not goes_on then 'left' end, true, not goes_on, file_key, opening_line,
    case when not goes_on then file_key end, case when not goes_on then leave_line - 1 end, run_started_at,
    coalesce(ended_at, %(until)s),
    case when not goes_on then 'Disconnected' end,
    chat_messages, commands, deaths, advancements, role = 'proxy', server_switches,
    md5('derived_minecraft.player_sessions ' || load_at)::uuid, load_at
from made_sessions
cross join lateral (
    select
        case when not goes_on then left_at end as ended_at,
        case when role = 'proxy' then join_line else join_line - 1 end as opening_line
) as known
order by load_at, server_uuid, joined_at;

-- the line with the UUID and that of the login are of one second; a name comes to a server once in a file
insert into derived_minecraft.name_sightings (
    server_uuid, file_key, player_name, player_uuid, first_seen_at, last_seen_at, _load_id, _loaded_at
)
select server_uuid, file_key, player_name, player_uuid, min(joined_at), max(joined_at),
    md5('derived_minecraft.name_sightings ' || min(load_at))::uuid, min(load_at)
from made_sessions where player_uuid is not null
group by server_uuid, file_key, player_name, player_uuid
order by min(load_at), server_uuid;

-- name: events
create temporary table made_lines as
with

lines as (
    select server_uuid, file_key, timezone, line_number, logged_at, kind, player_name, uuid as player_uuid, detail
    from made_sessions
    cross join lateral (
        select join_line - 2, joined_at, 'player_uuid', player_uuid, null::jsonb where role <> 'proxy'
        union all
        -- of ten names one shares the address of another
        select join_line - 1, joined_at, 'player_login', null,
            jsonb_build_object('address', 'hmac:' || left(md5('address of ' || regexp_replace(player_name, '7$', '')), 24))
        where role <> 'proxy'
        union all
        select join_line, joined_at, case role when 'proxy' then 'player_switch' else 'player_join' end, null,
            case role when 'proxy' then '{"server": "lobby"}'::jsonb end
        union all
        select switch_line, switched_at, 'player_switch', null, '{"server": "games"}' where server_switches > 0
        union all
        select join_line + number, joined_at + (left_at - joined_at) * number / 20,
            case
                when number <= chat_messages then 'player_chat'
                when number <= chat_messages + commands then 'player_command'
                when number <= chat_messages + commands + deaths then 'player_death'
                else 'player_advancement'
            end, null,
            case when number > chat_messages + commands + deaths then '{"advancement": "Stone Age"}'::jsonb end
        from generate_series(1, chat_messages + commands + deaths + advancements) as made (number)
        union all
        select leave_line - 1, left_at, 'player_lost_connection', null, '{"reason": "Disconnected"}'::jsonb
        where not goes_on
        union all
        select leave_line, left_at, 'player_leave', null, null where not goes_on and role <> 'proxy'
    ) as said (line_number, logged_at, kind, uuid, detail)
    union all
    select server_uuid, file_key, timezone, line_number, at, said.kind, null, null, said.detail
    from made_runs
    cross join lateral (
        values (1, started_at, 'server_start', '{"game_version": "1.21.4"}'::jsonb),
            (2, started_at + interval '9 seconds', 'server_ready', '{"startup_seconds": 8.5}'),
            (2147483647, ended_at, 'server_stop', null)
    ) as said (line_number, at, kind, detail)
    where period between %(first)s and %(last)s and at is not null
    union all
    -- now and then somebody tries names
    select server_uuid, file_key, timezone, (600 + 7 * tried) * 20000 + 19981,
        started_at + (600 + 7 * tried) * interval '1 second', 'login_refused', 'Tried_' || tried, null,
        '{"reason": "You are not whitelisted", "cause": "not_whitelisted"}'::jsonb
    from made_runs
    cross join lateral generate_series(1, 30) as made (tried)
    where
        hashtext(file_key) % 50 = 0 and role <> 'proxy' and period between %(first)s and %(last)s
        and coalesce(ended_at, %(until)s) > started_at + interval '20 minutes'
)

select server_uuid, file_key, timezone, line_number, logged_at, kind, player_name, player_uuid, detail,
    md5('raw_minecraft.events ' || load_at)::uuid as load_id, load_at as loaded_at
from lines
cross join lateral (select date_bin('15 minutes', logged_at + interval '15 minutes', %(period_origin)s) as load_at) as loads;

-- name: event_rows
analyze made_lines;

insert into raw_minecraft.event_players (player_name, player_uuid)
select distinct player_name, player_uuid from made_lines where player_name is not null
on conflict do nothing;

insert into raw_minecraft.event_kinds (kind) select distinct kind from made_lines on conflict do nothing;

insert into raw_minecraft.event_loads (load_id, loaded_at) select distinct load_id, loaded_at from made_lines;

insert into raw_minecraft.event_rows (
    logged_at, file_id, line_number, event_load_id, utc_offset_seconds, player_id, kind_id, detail
)
select logged_at, file_id, line_number, event_load_id,
    extract(epoch from logged_at at time zone timezone - logged_at at time zone 'UTC'), player_id, kind_id, detail
from made_lines
inner join raw_minecraft.log_files using (server_uuid, file_key)
inner join raw_minecraft.event_kinds using (kind)
inner join raw_minecraft.event_loads using (load_id, loaded_at)
left join raw_minecraft.event_players as players
    on made_lines.player_name = players.player_name
    and coalesce(made_lines.player_uuid::text, '') = coalesce(players.player_uuid::text, '')
order by event_load_id, file_id, line_number;

drop table made_lines;

-- name: files
insert into raw_minecraft.log_files (
    server_uuid, file_key, path, log_date, log_sequence, date_source, is_live, is_listed, listed_size,
    listed_modified_at, listed_utc_offset_seconds, outcome, content_digest, content_bytes, parsed_bytes, parsed_lines,
    parser_version, lines_understood, lines_ignored, lines_unknown, lines_continuation, software, is_proxy,
    game_version, layout, first_line_at, last_line_at, first_kind, fetched_at, sessions_built, _load_id, _loaded_at
)
select
    server_uuid, file_key,
    case when ended_at is null then '/logs/latest.log' else format('/logs/%s-%s.log.gz', log_date, sequence) end,
    log_date, case when ended_at is not null then sequence end, 'file_name', ended_at is null, true, 180000,
    coalesce(ended_at, %(until)s), 0, 'ok', md5(file_key) || md5(file_key), 900000, 900000, 9000, '5', 220, 8000, 180, 600,
    case role when 'proxy' then 'Velocity' else 'Paper' end, role = 'proxy', '1.21.4', 'vanilla', started_at,
    coalesce(ended_at, %(until)s), 'server_start', load_at, true, md5('raw_minecraft.log_files ' || load_at)::uuid, load_at
from made_runs order by load_at, server_uuid;

-- what is older than thirty days was pruned, but for each server's first listing and the last one of each of its days
insert into raw_minecraft.log_reads (
    server_uuid, observed_at, path, outcome, files_present, bytes_present, bytes_read, _load_id, _loaded_at
)
select server_uuid, observed_at, '', 'ok', files, files * 180000, files * 180000,
    md5('raw_minecraft.log_files ' || observed_at)::uuid, observed_at
from generate_series(
    %(since)s::timestamptz, %(until)s::timestamptz, interval '15 minutes'
) as passes (observed_at)
cross join lateral (
    select
        server_uuid,
        extract(epoch from observed_at - %(since)s)::bigint / 86400 + 1 as files
    from made_servers
    where
        observed_at > %(until)s - interval '30 days'
        or observed_at = %(since)s
        or (observed_at at time zone timezone)::date <> ((observed_at + interval '15 minutes') at time zone timezone)::date
    offset 0
) as kept;

-- name: ledger
-- numbered in the order of time; entries that no row names were pruned after thirty days
insert into ops.loads (
    load_id, table_name, observed_at, is_complete, rows_read, rows_added, rows_changed, rows_gone, requests, seconds,
    _loaded_at
)
select md5(table_name || ' ' || observed_at)::uuid, table_name, observed_at, true, rows, rows, 0, 0, requests, 1,
    observed_at + late
from (
    select 'raw_pterodactyl.utilization_samples', observed_at, %(servers)s, %(servers)s, interval '5 seconds'
    from generate_series(
        %(since)s::timestamptz, %(until)s::timestamptz - interval '1 second', interval '5 minutes'
    ) as passes (observed_at)
    union all
    select table_name, observed_at, 10, %(servers)s, interval '0'
    from unnest(array['raw_minecraft.log_files', 'raw_minecraft.events', 'derived_minecraft.player_sessions',
        'derived_minecraft.server_runs', 'derived_minecraft.name_sightings']) as tables (table_name),
        generate_series(%(since)s::timestamptz, %(until)s::timestamptz, interval '15 minutes') as passes (observed_at)
    where table_name = 'raw_minecraft.events' or observed_at > %(until)s - interval '30 days' or observed_at = %(since)s
    union all
    select 'raw_pterodactyl.' || table_name, observed_at, 10, 10, interval '0'
    from unnest(array['locations', 'nodes', 'allocations', 'nests', 'eggs', 'servers', 'users', 'subusers',
        'server_databases']) as tables (table_name),
        generate_series(%(since)s::timestamptz, %(until)s::timestamptz, interval '1 hour') as passes (observed_at)
    where observed_at > %(until)s - interval '30 days' or observed_at = %(since)s
) as made (table_name, observed_at, rows, requests, late)
order by observed_at + late, table_name;

-- name: log_pass
-- one more pass of the logs, which a third of the servers have something new for: somebody who was there today came back
-- and went, on every fourth a new player. Behind a proxy, the proxy saw the same
create temporary table made_news as
with

live as (
    select *, 1900000000 + extract(epoch from %(observed_at)s::timestamptz - first_line_at)::integer as first_free_line
    from raw_minecraft.log_files where is_live
),

backends as (
    select *, row_number() over (order by server_uuid) as number
    from live where not is_proxy and hashtext(server_uuid::text) % 3 = 0
),

comers as (
    select distinct on (player_name) backends.*, player_name
    from backends
    cross join lateral (
        select coalesce((
            select player_name from derived_minecraft.name_sightings as seen
            where
                number % 4 > 0 and seen.server_uuid = backends.server_uuid and seen.file_key = backends.file_key
                and not exists (
                    select from derived_minecraft.player_sessions as sessions
                    where
                        sessions.server_uuid = any(array(select live.server_uuid from live))
                        and sessions.player_name = seen.player_name and sessions.close_reason is null
                )
            order by md5(player_name || %(observed_at)s) limit 1
        ), 'N' || number || '_' || first_free_line) as player_name
    ) as comer
    order by player_name, number
)

select server_uuid, file_key, is_proxy, first_line_at, player_name,
    overlay(overlay(md5(player_name) placing '4' from 13 for 1) placing '8' from 17 for 1)::uuid as player_uuid,
    first_free_line + 10 * (row_number() over (partition by server_uuid order by player_name))::integer as line,
    %(observed_at)s::timestamptz - interval '12 minutes' as joined_at,
    %(observed_at)s::timestamptz - interval '2 minutes' as left_at
from (
    select server_uuid, file_key, is_proxy, first_line_at, first_free_line, player_name from comers
    union all
    select live.server_uuid, live.file_key, true, live.first_line_at, live.first_free_line, comers.player_name
    from live
    inner join comers on exists (
        select from derived_minecraft.player_sessions as before
        where before.server_uuid = live.server_uuid and before.player_name = comers.player_name
    )
    where live.is_proxy
) as came;

insert into derived_minecraft.player_sessions (
    server_uuid, session_key, player_name, player_uuid, joined_at, left_at, left_at_lower, left_at_upper, close_reason,
    is_join_observed, is_end_observed, join_file_key, join_line_number, leave_file_key, leave_line_number,
    run_started_at, last_seen_at, is_proxy, _load_id
)
select server_uuid, file_key || ':' || line, player_name, case when not is_proxy then player_uuid end, joined_at, left_at,
    left_at, left_at, 'left', true, true, file_key, line, file_key, line + 4, first_line_at, left_at, is_proxy,
    %(sessions_load)s
from made_news;

insert into derived_minecraft.name_sightings (
    server_uuid, file_key, player_name, player_uuid, first_seen_at, last_seen_at, _load_id
)
select server_uuid, file_key, player_name, player_uuid, joined_at, joined_at, %(sightings_load)s
from made_news where not is_proxy
on conflict (server_uuid, player_name, player_uuid, file_key) do update set last_seen_at = excluded.last_seen_at;

create temporary table made_lines as
select server_uuid, file_key, 'UTC' as timezone, line + place as line_number, at as logged_at, kind, player_name,
    case when kind = 'player_uuid' then player_uuid end as player_uuid,
    case when kind = 'player_login' then jsonb_build_object('address', 'hmac:' || left(md5('address of ' || player_name), 24)) end
        as detail, %(events_load)s::uuid as load_id, now() as loaded_at
from made_news
cross join lateral (
    values (-2, joined_at, 'player_uuid'), (-1, joined_at, 'player_login'), (0, joined_at, 'player_join'),
        (2, joined_at + interval '3 minutes', 'player_chat'), (4, left_at, 'player_leave')
) as said (place, at, kind)
where kind not in ('player_uuid', 'player_login') or not is_proxy;

update raw_minecraft.log_files as files
set last_line_at = news.left_at, lines_understood = files.lines_understood + 5,
    parsed_lines = files.parsed_lines + 90, fetched_at = %(observed_at)s, _load_id = %(files_load)s, _loaded_at = now()
from made_news as news
where files.server_uuid = news.server_uuid and files.file_key = news.file_key;

insert into raw_minecraft.log_reads (
    server_uuid, observed_at, path, outcome, files_present, bytes_present, bytes_read, _load_id
)
select server_uuid, %(observed_at)s, '', 'ok', 366, 66000000, 66000000, %(files_load)s
from raw_minecraft.log_files where is_live;

drop table made_news;
