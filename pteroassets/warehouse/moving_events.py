"""The move of events into narrow rows (migration 11): some files at a time, whole."""

from __future__ import annotations

import uuid
from typing import Final

from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.moving import Move

_SOURCE: Final = "raw_minecraft.events_to_move"
_STEP_ROWS: Final = 100_000  # a file is at least as large as its events: about this many, or one file

_Place = tuple[uuid.UUID, str]

_NEXT_FILES = """
with later as (
    select server_uuid, file_key, sum(lines_understood) over (order by server_uuid, file_key) as rows_so_far
    from raw_minecraft.log_files
    where %(server)s::uuid is null or (server_uuid, file_key) > (%(server)s, %(key)s)
    order by server_uuid, file_key limit 1000
)
select server_uuid, file_key from later
where rows_so_far <= %(rows)s or (server_uuid, file_key) = (
    select server_uuid, file_key from later order by server_uuid, file_key limit 1
)
order by server_uuid, file_key
"""

# between two places of the order of its key, so that the key's index finds them
_OLD = f"""
{_SOURCE} as old
where (old.server_uuid, old.file_key) >= (%(server)s, %(key)s)
    and (old.server_uuid, old.file_key) <= (%(last_server)s, %(last_key)s)
"""

_KINDS = f"""
insert into raw_minecraft.event_kinds (kind) select distinct old.kind from {_OLD}
    and not exists (select from raw_minecraft.event_kinds as known where known.kind = old.kind)
"""

_PLAYERS = f"""
insert into raw_minecraft.event_players (player_name, player_uuid)
select distinct old.player_name, old.player_uuid from {_OLD}
    and (old.player_name is not null or old.player_uuid is not null)
on conflict do nothing
"""

# the time of a load is that of its transaction, which was one a file: no two steps have the same
_LOADS = f"""
insert into raw_minecraft.event_loads (load_id, loaded_at) select distinct old._load_id, old._loaded_at from {_OLD}
returning event_load_id
"""

_FIRST_KINDS = f"""
update raw_minecraft.log_files as files set first_kind = firsts.kind
from (
    select distinct on (old.server_uuid, old.file_key) old.server_uuid, old.file_key, old.kind
    from {_OLD} and old.kind <> 'server_software'
    order by old.server_uuid, old.file_key, old.line_number
) as firsts
where files.server_uuid = firsts.server_uuid and files.file_key = firsts.file_key
"""

_ROWS = f"""
with gone as (delete from {_OLD} and exists (
    select from raw_minecraft.log_files as files
    where files.server_uuid = old.server_uuid and files.file_key = old.file_key
) returning old.*)
insert into raw_minecraft.event_rows (
    logged_at, file_id, line_number, event_load_id, utc_offset_seconds, player_id, kind_id, detail
)
select gone.logged_at, files.file_id, gone.line_number, loads.event_load_id,
    extract(epoch from gone.logged_at_local - (gone.logged_at at time zone 'UTC')),
    players.player_id, kinds.kind_id, gone.detail
from gone
inner join raw_minecraft.log_files as files
    on files.server_uuid = gone.server_uuid and files.file_key = gone.file_key
inner join raw_minecraft.event_kinds as kinds on kinds.kind = gone.kind
inner join raw_minecraft.event_loads as loads
    on loads.load_id = gone._load_id and loads.loaded_at = gone._loaded_at
    and loads.event_load_id between %(first_load)s and %(last_load)s
left join raw_minecraft.event_players as players
    on coalesce(players.player_name, '') = coalesce(gone.player_name, '')
    and coalesce(players.player_uuid, %(nobody)s) = coalesce(gone.player_uuid, %(nobody)s)
    and players.player_name is not distinct from gone.player_name
    and players.player_uuid is not distinct from gone.player_uuid
order by files.file_id, gone.line_number
"""


def _step(connection: Connection, after: _Place | None) -> tuple[int, _Place] | None:
    server, key = after or (None, None)
    files = connection.execute(_NEXT_FILES, {"server": server, "key": key, "rows": _STEP_ROWS}).fetchall()
    if not files:
        return None
    (server, key), (last_server, last_key) = files[0], files[-1]
    of = {"server": server, "key": key, "last_server": last_server, "last_key": last_key}
    loads = [load for (load,) in connection.execute(_LOADS, of)]
    if not loads:
        return 0, (last_server, last_key)
    for statement in (_KINDS, _PLAYERS, _FIRST_KINDS):
        connection.execute(statement, of)
    moved = connection.execute(
        _ROWS, {**of, "first_load": min(loads), "last_load": max(loads), "nobody": uuid.UUID(int=0)}
    ).rowcount
    return moved, (last_server, last_key)


EVENTS_MOVE: Final = Move(
    source=_SOURCE,
    targets=tuple(f"raw_minecraft.{name}" for name in ("event_rows", "event_kinds", "event_players", "event_loads")),
    step=_step,
)
