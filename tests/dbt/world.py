"""A small world in SQL: four servers, three days around a night of a clock change, every outcome and way to close.

Beside them a network: proxy e with the servers f and g behind it, of which nothing but logs was read.
"""

from __future__ import annotations

from pteroassets.warehouse.connection import Connection
from tests.samples import insert_samples

SERVERS = {name: f"{name * 8}-0000-4000-8000-000000000001" for name in "abcdef"} | {
    "g": "99999999-0000-4000-8000-000000000001"
}

_ENTITIES = """
create temporary table world as
select * from (values
    (1, 'aaaaaaaa-0000-4000-8000-000000000001'::uuid, 'Europe/Berlin'),
    (2, 'bbbbbbbb-0000-4000-8000-000000000001'::uuid, 'UTC'),
    (3, 'cccccccc-0000-4000-8000-000000000001'::uuid, 'Asia/Kathmandu'),
    (4, 'dddddddd-0000-4000-8000-000000000001'::uuid, 'Atlantic/Azores')
) as world (id, server_uuid, timezone);

insert into raw_pterodactyl.locations (key, valid_from, id, record, digest, _source, _load_id)
values ('1', '2026-10-24', 1, '{"id": 1, "short": "eu", "long": "Europe", "created_at": "2025-01-01T00:00:00+00:00",
    "updated_at": "2025-01-01T00:00:00+00:00"}', '', 'panel.example.com', gen_random_uuid());

insert into raw_pterodactyl.nodes (key, valid_from, id, uuid, record, digest, _source, _load_id)
values ('n1', '2026-10-24', 1, '11111111-0000-4000-8000-000000000001', '{"id": 1, "name": "one", "location_id": 1,
    "public": true, "fqdn": "one.example.com", "scheme": "https", "behind_proxy": false, "maintenance_mode": false,
    "memory": 65536, "memory_overallocate": 0, "disk": 900000, "disk_overallocate": 0, "upload_size": 100,
    "daemon_listen": 8080, "daemon_sftp": 2022, "daemon_base": "/srv/volumes", "description": null,
    "allocated_resources": {"memory": 4096, "disk": 1}, "created_at": "2025-01-01T00:00:00+00:00"}', '',
    'panel.example.com', gen_random_uuid());

insert into raw_pterodactyl.allocations (key, valid_from, id, scope, record, digest, _source, _load_id)
select id::text, '2026-10-24', id, 'node:1',
    jsonb_build_object('id', id, 'ip', '203.0.113.10', 'alias', null, 'port', 25564 + id, 'assigned', id < 8),
    '', 'panel.example.com', gen_random_uuid()
from generate_series(1, 8) as allocations (id);

insert into raw_pterodactyl.nests (key, valid_from, id, uuid, record, digest, _source, _load_id)
values ('nest', '2026-10-24', 1, '22222222-0000-4000-8000-000000000001', '{"id": 1, "name": "Minecraft",
    "author": "eggs@example.com"}', '', 'panel.example.com', gen_random_uuid());

insert into raw_pterodactyl.eggs (key, valid_from, id, uuid, scope, record, digest, _source, _load_id)
values ('egg', '2026-10-24', 3, '33333333-0000-4000-8000-000000000001', 'nest:1', '{"id": 3, "nest": 1,
    "name": "Paper", "config": {"logs": [], "extends": null, "stop": "stop"}, "relationships": {"variables": {"data": [
    {"object": "egg_variable", "attributes": {"id": 7, "egg_id": 3, "name": "Jar", "env_variable": "JAR",
    "default_value": "server.jar", "user_viewable": true, "user_editable": false, "rules": "required",
    "created_at": "2025-01-01T00:00:00.000000Z"}}]}}}', '', 'panel.example.com', gen_random_uuid());

insert into raw_pterodactyl.users (key, valid_from, id, uuid, record, digest, _source, _load_id)
select 'user' || id, '2026-10-24', id, format('4444444%s-0000-4000-8000-000000000001', id)::uuid,
    jsonb_build_object('id', id, 'username', 'user' || id, 'email', 'hmac:00', 'root_admin', id = 1, '2fa', true),
    '', 'panel.example.com', gen_random_uuid()
from generate_series(1, 2) as users (id);

insert into raw_pterodactyl.subusers (key, valid_from, id, record, digest, _source, _load_id)
values ('1', '2026-10-24', 1, '{"id": 1, "user_id": 2, "server_id": 1, "permissions": ["control.start"],
    "created_at": "2025-01-01T00:00:00+00:00"}', '', 'panel.example.com', gen_random_uuid());

insert into raw_pterodactyl.servers
    (key, valid_from, id, uuid, record, digest, is_active, missing_since, deleted_at, _source, _load_id)
select server_uuid::text, '2026-10-24', id, server_uuid,
    jsonb_build_object(
        'id', id, 'identifier', left(server_uuid::text, 8), 'name', 'Server ' || id, 'description', '',
        'status', null, 'suspended', false, 'user', 1, 'node', 1, 'allocation', id, 'nest', 1, 'egg', 3,
        'created_at', '2026-10-01T00:00:00+00:00', 'updated_at', '2026-10-01T00:00:00+00:00',
        'limits', jsonb_build_object('memory', case id when 2 then 0 else 1024 end, 'swap', 0, 'disk', 5000,
            'io', 500, 'cpu', 200, 'threads', null, 'oom_disabled', false),
        'feature_limits', jsonb_build_object('databases', 1, 'allocations', 2, 'backups', 3),
        'container', jsonb_build_object('image', 'image', 'installed', 1)
    ),
    '', id <> 4, case id when 4 then timestamptz '2026-10-26 09:02+00' end,
    case id when 4 then timestamptz '2026-10-26 09:02+00' end, 'panel.example.com', gen_random_uuid()
from world;

insert into ops.server_timezones select server_uuid, timezone, 'server' from world;
"""

# of server 1 the newest backup failed, 2 has none, and of 3 nobody knows
_UPKEEP = """
insert into raw_pterodactyl.backups (key, valid_from, uuid, scope, record, digest, _source, _load_id)
select backup_uuid, '2026-10-26', backup_uuid::uuid, 'server:' || server_uuid, jsonb_build_object(
    'uuid', backup_uuid, 'name', 'nightly', 'is_successful', is_successful, 'is_locked', false,
    'checksum', case when is_successful then 'sha1:00' end, 'bytes', size_bytes, 'created_at', created_at,
    'completed_at', completed_at, 'ignored_files', '[]'::jsonb
), '', 'panel.example.com', gen_random_uuid()
from world, (values
    ('88888888-0000-4000-8000-000000000001', true, 1000, timestamptz '2026-10-24 02:00+00', '2026-10-24 02:05+00'),
    ('88888888-0000-4000-8000-000000000002', false, 0, '2026-10-25 02:00+00', '2026-10-25 02:05+00'),
    ('88888888-0000-4000-8000-000000000003', false, 0, '2026-10-26 02:00+00', null::timestamptz)
) as backups (backup_uuid, is_successful, size_bytes, created_at, completed_at)
where id = 1;

insert into raw_pterodactyl.schedules (key, valid_from, id, scope, record, digest, _source, _load_id)
select '1', '2026-10-26', 1, 'server:' || server_uuid, '{"id": 1, "name": "Restart", "is_active": true,
    "is_processing": false, "only_when_online": true, "last_run_at": null, "next_run_at": "2026-10-27T04:00:00+00:00",
    "cron": {"minute": "0", "hour": "4", "day_of_month": "*", "month": "*", "day_of_week": "*"},
    "relationships": {"tasks": {"data": [{"object": "schedule_task", "attributes": {"id": 1, "sequence_id": 1,
    "action": "power", "payload": "restart", "time_offset": 0, "continue_on_failure": false}}]}}}', '',
    'panel.example.com', gen_random_uuid()
from world where id = 1;

insert into raw_pterodactyl.activity (server_uuid, activity_id, occurred_at, event, record, _source, _load_id)
select server_uuid, activity_id, '2026-10-26 04:00+00', event, record::jsonb, 'panel.example.com', gen_random_uuid()
from world, (values
    ('a1', 'server:power.restart', '{"ip": "hmac:00", "is_api": false, "properties": {}, "relationships": {"actor":
        {"object": "user", "attributes": {"uuid": "44444441-0000-4000-8000-000000000001", "username": "user1"}}}}'),
    ('a2', 'server:backup.fail', '{"ip": null, "is_api": false, "properties": [], "relationships": {"actor":
        {"object": "null_resource", "attributes": null}}}')
) as entries (activity_id, event, record)
where id = 1;

insert into raw_pterodactyl.list_reads (
    server_uuid, list_name, observed_at, outcome, reason, rows_read, read_at, known_since, known_until, entries_passed,
    _load_id
)
select server_uuid, list_name, timestamptz '2026-10-26', case when id < 3 then 'ok' else 'suspended' end,
    case when id > 2 then 'the panel lists the server as suspended' end, case when id < 3 then 2 end,
    case when id < 3 then timestamptz '2026-10-26' end,
    case when id < 3 and list_name = 'activity' then timestamptz '2026-10-20' end,
    case when id < 3 and list_name = 'activity' then timestamptz '2026-10-26' end,
    case when id < 3 and list_name = 'activity' then 2 end, gen_random_uuid()
from world, (values ('backups'), ('schedules'), ('activity')) as lists (list_name);
"""

_SAMPLES = """
insert into arriving (
    server_uuid, pass_at, sampled_at, interval_seconds, node_name, outcome, state, cpu_percent, memory_bytes,
    disk_bytes, network_rx_bytes, network_tx_bytes, uptime_milliseconds, is_suspect, _load_id, _loaded_at
)
select
    server_uuid, pass_at, pass_at + interval '3 seconds', 1800, 'one', outcome,
    case outcome when 'ok' then 'running' when 'offline' then 'offline' end,
    case outcome when 'ok' then 10 * id + step % 7 end,
    case when outcome = 'ok' then case when step = 40 then 0 else (300 + 10 * (step % 11)) * 1048576 end end,
    case when outcome in ('ok', 'offline') then 1048576 * 100 end,
    case outcome when 'ok' then (step % 50) * 1000 end,
    case outcome when 'ok' then (step % 50) * 100 end,
    case outcome when 'ok' then (step % 50) * 1800000 end,
    outcome = 'ok' and step = 40, '00000000-0000-4000-8000-00000000000a', pass_at + interval '5 seconds'
from (
    select
        id, server_uuid, step,
        timestamptz '2026-10-24 00:10+00' + step * interval '30 minutes' as pass_at,
        case
            when id = 3 and step between 20 and 60 then 'offline'
            when id = 2 and step between 30 and 34 then 'node_unreachable'
            when id = 2 and step between 90 and 100 then 'suspended'
            else 'ok'
        end as outcome
    from world, generate_series(0, 143) as steps (step)
    where id <> 4 or step < 114
) as planned;
"""

_LOGS = """
insert into derived_minecraft.player_sessions (
    server_uuid, session_key, player_name, player_uuid, joined_at, left_at, left_at_lower, left_at_upper, close_reason,
    is_join_observed, is_end_observed, last_seen_at, _load_id
)
select
    server_uuid, 'file:' || step, 'Player' || step % 5,
    case when step % 5 = 0 and step > 20 then '55555555-0000-4000-8000-000000000005'::uuid end,
    joined_at, case when step % 4 > 0 and step < 40 then left_at end,
    case when step < 40 then left_at end,
    case when step < 40 then left_at + case when step % 4 > 0 then interval '0' else interval '5 minutes' end end,
    case when step = 40 then null when step % 4 > 0 then 'left' else 'server_crashed' end,
    true, step % 4 > 0 and step < 40, left_at, gen_random_uuid()
from (
    select
        server_uuid, step,
        timestamptz '2026-10-24 01:00+00' + step * interval '100 minutes' + id * interval '7 minutes' as joined_at,
        timestamptz '2026-10-24 01:00+00' + step * interval '100 minutes' + id * interval '7 minutes'
            + (step % 8) * interval '11 minutes' as left_at
    from world, generate_series(0, 40) as steps (step)
    where id < 4
) as planned;

insert into derived_minecraft.player_sessions (
    server_uuid, session_key, player_name, left_at, left_at_lower, left_at_upper, close_reason, is_join_observed,
    is_end_observed, _load_id
)
select server_uuid, 'file:early', 'Early', early, early, early, 'left', false, true, gen_random_uuid()
from world, (values (timestamptz '2026-10-24 00:30+00')) as moments (early)
where id = 1;

insert into derived_minecraft.server_runs (server_uuid, run_key, started_at, _load_id)
select server_uuid, 'file:1', '2026-10-24 00:00+00', gen_random_uuid() from world where id < 4;

insert into raw_minecraft.log_files (
    server_uuid, file_key, path, log_date, is_live, is_listed, listed_size, listed_modified_at, outcome,
    lines_understood, lines_ignored, lines_unknown, first_line_at, last_line_at, fetched_at, _load_id
)
select server_uuid, 'file', '/logs/latest.log', '2026-10-24', true, true, 1, '2026-10-27', 'ok', 80, 900, 20,
    '2026-10-24 00:00+00', '2026-10-26 23:00+00', '2026-10-27', gen_random_uuid()
from world where id < 4;

insert into raw_minecraft.log_reads (server_uuid, observed_at, path, outcome, _load_id)
select server_uuid, observed_at, '', case when id < 4 then 'ok' else 'no_log_folder' end, gen_random_uuid()
from world, (values (timestamptz '2026-10-24 00:15+00'), ('2026-10-26 23:45+00')) as moments (observed_at);

insert into raw_minecraft.event_kinds (kind)
values ('player_join'), ('player_leave'), ('server_start'), ('player_command') on conflict do nothing;
insert into raw_minecraft.event_players (player_name)
select distinct player_name from derived_minecraft.player_sessions;
insert into raw_minecraft.event_loads (load_id) values (gen_random_uuid());

insert into raw_minecraft.event_rows (
    logged_at, file_id, line_number, event_load_id, utc_offset_seconds, player_id, kind_id, detail
)
select logged_at, file_id, row_number() over (partition by server_uuid order by logged_at, kind), event_load_id,
    extract(epoch from logged_at at time zone timezone - logged_at at time zone 'UTC'), player_id, kind_id, '{}'
from (
    select server_uuid, joined_at as logged_at, 'player_join' as kind, player_name
    from derived_minecraft.player_sessions where joined_at is not null
    union all
    select server_uuid, left_at, 'player_leave', player_name
    from derived_minecraft.player_sessions where left_at is not null
    union all
    select server_uuid, started_at, 'server_start', null from derived_minecraft.server_runs
    union all
    select server_uuid, joined_at + interval '1 second', 'player_command', player_name
    from derived_minecraft.player_sessions where session_key = 'file:7'
) as lines
inner join world using (server_uuid)
inner join raw_minecraft.log_files using (server_uuid)
inner join raw_minecraft.event_kinds using (kind)
left join raw_minecraft.event_players using (player_name)
cross join raw_minecraft.event_loads;
update raw_minecraft.log_files set parser_version = '1', first_kind = 'server_start';
"""

# two names share each address; on server 1 somebody tries names, and another comes again and again. Yara streams
_LOGINS = """
insert into raw_minecraft.event_kinds (kind) values ('player_login'), ('login_refused');
insert into raw_minecraft.event_players (player_name)
select 'Tried' || number from generate_series(1, 4) as made (number);
insert into raw_minecraft.event_rows (
    logged_at, file_id, line_number, event_load_id, utc_offset_seconds, player_id, kind_id, detail
)
select logged_at, file_id, 50000 + row_number() over (partition by server_uuid order by logged_at, kind, player_name),
    event_load_id, 0, player_id, kind_id, detail
from (
    select server_uuid, joined_at as logged_at, 'player_login' as kind, player_name,
        jsonb_build_object('address', 'hmac:' || ascii(right(player_name, 1)) % 3) as detail
    from derived_minecraft.player_sessions where joined_at is not null
    union all
    select server_uuid, timestamptz '2026-10-25 10:00+00' + number * interval '20 seconds',
        case when number > 6 then 'login_refused' else 'player_login' end,
        case when number > 6 then 'Tried' || number % 4 + 1 else 'Player1' end,
        case when number > 6 then '{"cause": "banned"}'::jsonb else '{"address": "hmac:1"}' end
    from world, generate_series(1, 18) as made (number) where id = 1
) as lines
inner join world using (server_uuid)
inner join raw_minecraft.log_files using (server_uuid)
inner join raw_minecraft.event_kinds using (kind)
inner join raw_minecraft.event_players using (player_name)
cross join raw_minecraft.event_loads;

insert into raw_twitch.users (user_id, login, record, first_seen_at, read_at, clips_read_at, _load_id)
values ('1', 'yara', '{"display_name": "Yara", "description": "", "created_at": "2020-01-01T00:00:00Z"}', '2026-10-24',
    '2026-10-26 12:00+00', '2026-10-26 23:00+00', gen_random_uuid());
insert into raw_twitch.streams (stream_id, user_id, login, record, started_at, first_seen_at, last_seen_at, _load_id)
select stream_id, '1', 'yara',
    '{"user_name": "Yara", "title": "Castles", "game_name": "Minecraft", "language": "en", "viewer_count": 12}'::jsonb,
    started_at, started_at + interval '1 minute', last_seen_at, gen_random_uuid()
from (values ('s1', timestamptz '2026-10-25 18:00+00', timestamptz '2026-10-25 20:00+00'),
    ('s2', '2026-10-25 21:00+00', '2026-10-25 21:30+00'), ('s3', '2026-10-26 22:00+00', '2026-10-26 23:00+00')
) as streams (stream_id, started_at, last_seen_at);
insert into raw_twitch.clips (clip_id, user_id, record, created_at, first_seen_at, _load_id)
values ('c1', '1', '{"title": "A tower falls", "url": "https://clips.twitch.tv/c1", "creator_name": "A viewer",
    "duration": 30.0, "view_count": 3}', '2026-10-25 19:00+00', '2026-10-25 19:10+00', gen_random_uuid());
insert into ops.stream_notices (notice_key, login, decided_at, told, reason, ended_at)
values ('stream/s1', 'yara', '2026-10-25 18:01+00', true, null, '2026-10-25 20:00+00'),
    ('stream/s2', 'yara', '2026-10-25 21:01+00', false, 'a notice of yara was given at 2026-10-25T18:01+00:00', null),
    ('stream/s3', 'yara', '2026-10-26 22:01+00', true, null, null),
    ('clip/c1', 'yara', '2026-10-25 19:10+00', true, null, null);
"""

# Wanda, who becomes Wendy, switches from f to g, where somebody else called Wanda plays at the same time. The proxy
# crashes while Xaver is on, whose server checks no accounts, and who once comes to g past the proxy. Yara is still
# there, Zoe was on a server of which no log was read.
_NETWORK = """
create temporary table network as
select * from (values
    (5, 'eeeeeeee-0000-4000-8000-000000000001'::uuid, 'Velocity', '3.3.0'),
    (6, 'ffffffff-0000-4000-8000-000000000001'::uuid, 'Paper', '1.21.4'),
    (7, '99999999-0000-4000-8000-000000000001'::uuid, null, '1.21.4')
) as network (id, server_uuid, software, game_version);

insert into raw_pterodactyl.servers (key, valid_from, id, uuid, record, digest, is_active, _source, _load_id)
select network.server_uuid::text, '2026-10-24', network.id, network.server_uuid,
    servers.record || jsonb_build_object('id', network.id, 'identifier', left(network.server_uuid::text, 8),
        'name', 'Network ' || network.id, 'allocation', network.id),
    '', true, 'panel.example.com', gen_random_uuid()
from network, raw_pterodactyl.servers as servers where servers.id = 1;

insert into ops.server_timezones select server_uuid, 'Europe/Berlin', 'default' from network;

insert into derived_minecraft.player_sessions (
    server_uuid, session_key, player_name, player_uuid, joined_at, left_at, left_at_lower, left_at_upper, close_reason,
    is_join_observed, is_end_observed, last_seen_at, is_proxy, server_switches, _load_id
)
select server_uuid, 'file:' || number, player_name, player_uuid::uuid, joined_at, left_at,
    coalesce(left_at, case when close_reason is not null then lower end), coalesce(left_at, upper), close_reason, true,
    left_at is not null, coalesce(left_at, lower), id = 5, switches, gen_random_uuid()
from (values
    (5, 1, 'Wanda', null, timestamptz '2026-10-24 20:00:00+00', timestamptz '2026-10-24 21:00:00+00',
        null::timestamptz, null::timestamptz, 'left', 1),
    (6, 1, 'Wanda', '77777777-0000-4000-8000-000000000007', '2026-10-24 20:00:02+00', '2026-10-24 20:30:04+00',
        null, null, 'left', 0),
    (7, 1, 'wanda', null, '2026-10-24 20:30:01+00', '2026-10-24 21:00:03+00', null, null, 'left', 0),
    (7, 2, 'Wanda', '88888888-0000-4000-8000-000000000008', '2026-10-24 20:10:00+00', '2026-10-24 20:20:00+00',
        null, null, 'left', 0),
    (5, 2, 'Wendy', null, '2026-10-25 10:00:00+00', '2026-10-25 11:00:00+00', null, null, 'left', 0),
    (6, 2, 'Wendy', '77777777-0000-4000-8000-000000000007', '2026-10-25 09:59:57+00', '2026-10-25 11:00:01+00',
        null, null, 'left', 0),
    (5, 3, 'Xaver', null, '2026-10-25 12:00:00+00', null, '2026-10-25 12:05:00+00', '2026-10-25 13:00:00+00',
        'server_crashed', 0),
    (6, 3, 'Xaver', '99999999-0000-3000-8000-000000000009', '2026-10-25 12:00:01+00', '2026-10-25 12:20:00+00',
        null, null, 'timed_out', 0),
    (7, 3, 'Xaver', '99999999-0000-3000-8000-000000000009', '2026-10-26 08:00:00+00', '2026-10-26 09:00:00+00',
        null, null, 'left', 0),
    (5, 4, 'Zoe', null, '2026-10-25 11:00:00+00', '2026-10-25 11:30:00+00', null, null, 'kicked', 0),
    (5, 5, 'Yara', null, '2026-10-26 22:00:00+00', null, '2026-10-26 22:00:05+00', null, null, 0),
    (7, 4, 'Yara', 'aaaaaaaa-0000-4000-8000-00000000000a', '2026-10-26 22:00:01+00', null, '2026-10-26 22:45:00+00',
        null, null, 0)
) as sessions (id, number, player_name, player_uuid, joined_at, left_at, lower, upper, close_reason, switches)
inner join network using (id);

insert into derived_minecraft.server_runs (
    server_uuid, run_key, started_at, ready_at, startup_seconds, ended_at_lower, ended_at_upper, end_reason,
    software, is_proxy, game_version, crash_cause, overload_warnings, _load_id
)
select server_uuid, run_key, started_at, started_at + interval '4 seconds', 3.5, ended_at_lower, ended_at_upper,
    end_reason, software, software = 'Velocity',
    case when run_key = 'file:0' and id = 5 then '3.2.0' else game_version end, crash_cause, 0,
    gen_random_uuid()
from network inner join (values
    (5, 'file:0', timestamptz '2026-10-24 12:00+00', timestamptz '2026-10-25 12:05+00',
        timestamptz '2026-10-25 13:00+00', 'crashed', 'exception'),
    (5, 'file:100', '2026-10-25 13:00+00', null, null, null, null),
    (6, 'file:0', '2026-10-24 12:00+00', null, null, null, null),
    (7, 'file:0', '2026-10-24 12:00+00', null, null, null, null)
) as runs (id, run_key, started_at, ended_at_lower, ended_at_upper, end_reason, crash_cause) using (id);

insert into raw_minecraft.log_files (
    server_uuid, file_key, path, log_date, is_live, is_listed, listed_size, listed_modified_at, outcome, software,
    game_version, parsed_lines, lines_understood, lines_ignored, lines_unknown, lines_continuation, first_line_at,
    last_line_at, fetched_at, is_proxy, _load_id
)
select server_uuid, 'file', '/logs/latest.log', '2026-10-24', true, true, 1, '2026-10-27', 'ok',
    coalesce(software, 'Fabric'), game_version, 150, 10, 80, 10, 50, '2026-10-24 12:00+00', '2026-10-26 22:45+00',
    '2026-10-27', coalesce(software, '') = 'Velocity', gen_random_uuid()
from network;

insert into raw_minecraft.log_reads (
    server_uuid, observed_at, path, outcome, files_present, bytes_present, bytes_read, _load_id
)
select server_uuid, observed_at, '', outcome, files_present, bytes_present, bytes_read, gen_random_uuid()
from network, (values
    (timestamptz '2026-10-24 12:15+00', 'ok', 4, 1000, 250), ('2026-10-26 22:45+00', 'ok', 4, 1000, 1000),
    ('2026-10-26 22:50+00', 'node_unreachable', null, null, null)
) as listings (observed_at, outcome, files_present, bytes_present, bytes_read);
drop table network;
"""

_LEDGER = """
insert into ops.loads (
    load_id, table_name, observed_at, is_complete, rows_read, rows_added, rows_changed, rows_gone, requests, seconds,
    _loaded_at
) values ('00000000-0000-4000-8000-00000000000a', 'raw_pterodactyl.utilization_samples', '2026-10-26 23:50+00', true,
    542, 542, 0, 0, 1, 1, '2026-10-24 00:10:05+00');
insert into ops.loads (
    load_id, table_name, observed_at, is_complete, rows_read, rows_added, rows_changed, rows_gone, requests, seconds
)
select gen_random_uuid(), table_name, observed_at, true, 1, 1, 0, 0, 1, 1
from unnest(array[
    'raw_pterodactyl.servers', 'raw_pterodactyl.utilization_samples', 'raw_minecraft.log_files',
    'derived_minecraft.player_sessions'
]) as tables (table_name), unnest(array[timestamptz '2026-10-24 00:10+00', '2026-10-26 23:50+00']) as observed_at;
drop table world;
analyze;
"""


EVENT_IDS = tuple(f"0199c7a0-53a5-7c8f-8f3f-00000000000{number}" for number in (1, 2, 3))
# one that came three times, also twice at once and changed; an id that two games have; a field that no contract names
_EVENTS = f"""
select raw_events.ensure_day('2026-10-25');

insert into raw_events.events (
    game, event_id, event_type, version, player_id, occurred_at, received_at, clock_skew_milliseconds, record
)
select game, event_id::uuid, event_type, 1, player_id, occurred_at::timestamptz, received_at::timestamptz, skew,
    jsonb_build_object('properties', properties::jsonb)
from (values
    ('arena', '{EVENT_IDS[0]}', 'kill_enemy', 'first', '2026-10-25 10:00Z', '2026-10-25 10:01Z', 1500,
        '{{"enemy_id": "0012", "level": 7}}'),
    ('arena', '{EVENT_IDS[0]}', 'kill_enemy', 'again', '2026-10-25 10:00Z', '2026-10-25 10:05Z', 9,
        '{{"enemy_id": "0012", "level": 8}}'),
    ('arena', '{EVENT_IDS[0]}', 'kill_enemy', 'again', '2026-10-25 10:00Z', '2026-10-25 10:05Z', 9,
        '{{"enemy_id": "0012", "level": 8}}'),
    ('arena', '{EVENT_IDS[1]}', 'take_damage', 'p2', '2026-10-25 10:01Z', '2026-10-25 10:00Z', null,
        '{{"enemy_id": "9007199254740993", "damage": 99, "level": "high"}}'),
    ('arena', '{EVENT_IDS[2]}', 'transaction', 'p3', '2026-10-25 10:02Z', '2026-10-25 10:02Z', null,
        '{{"inventory_id": "3", "total_cost": "500.10", "damage": {{"none": true}}}}'),
    ('other', '{EVENT_IDS[0]}', 'join_a_guild', 'p4', '2026-10-25 10:03Z', '2026-10-25 10:03Z', null,
        '{{"guild_id": "39"}}')
) as events (game, event_id, event_type, player_id, occurred_at, received_at, skew, properties);

insert into raw_events.dead_letters (game, received_at, reason, detail, body)
values ('arena', '2026-10-25 10:04Z', 'not_json', 'Input data was truncated', '{{');
"""


def land_world(connection: Connection) -> None:
    """Fill the raw tables of an empty warehouse."""
    connection.execute(_ENTITIES)
    insert_samples(connection, _SAMPLES)
    for script in (_UPKEEP, _LOGS, _LOGINS, _NETWORK, _EVENTS, _LEDGER):
        connection.execute(script)  # type: ignore[arg-type] # constants of this module
