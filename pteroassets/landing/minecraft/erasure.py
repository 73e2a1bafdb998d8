"""Forget a player: put pseudonyms into the rows and the stored logs that name them, and keep it so.

The rows and the list of opt-outs are changed in one transaction; the store of logs follows, file by file. If that is
interrupted, parsing goes by the list until another erasure ends the work.
"""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb

from pteroassets.landing.arma3 import erasure as replays
from pteroassets.landing.arma3.rows import one_at_a_time
from pteroassets.landing.events import erasure as events
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.collection import EVENT_ROWS, FILES, LOGS, LogFile, forgetting
from pteroassets.landing.minecraft.sessions import SESSIONS, SIGHTINGS
from pteroassets.landing.opt_outs import (
    OptOut,
    OptOutError,
    OptOutList,
    OptOuts,
    add,
    known_pseudonyms,
    new_pseudonym,
    token_hash,
)
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import lock_table_for_load, table_identifier

PLAYERS: Final = "raw_minecraft.event_players"
ACTIVITY: Final = "raw_pterodactyl.activity"
STORE: Final = "log store"
_NAME = re.compile(r"[A-Za-z0-9_]{3,16}", re.ASCII)
_PREFIXES: Final = ".*"  # that servers put before the names of Bedrock's players
_TEXTS: Final = ("text", "varchar", "uuid", "jsonb", "json", "_text", "_varchar", "_uuid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is to be forgotten.

    Attributes:
        names: In lower case, without what servers put before a name.
        accounts: UUIDs.
        server_uuid: The only server; None for all.
    """

    names: frozenset[str]
    accounts: frozenset[uuid.UUID]
    server_uuid: uuid.UUID | None = None

    @property
    def tokens(self) -> list[str]:
        """Return all names and UUIDs."""
        return [*sorted(self.names), *sorted(map(str, self.accounts))]

    @property
    def pattern(self) -> str:
        """Return a regular expression of Postgres, for texts of rows, that finds them in either case."""
        words = [*self.tokens, *(one.hex for one in self.accounts)]
        return rf"(^|[^A-Za-z0-9_]|§.|\\[nrt])({'|'.join(words)})([^A-Za-z0-9_]|$)"


def find_person(connection: Connection, who: str, *, server_uuid: uuid.UUID | None = None) -> Person:
    """Return the player with the name or UUID *who*, with all names and UUIDs that are known of the same account.

    Raises:
        OptOutError: The name is that of several accounts, or cannot be told from other words.
    """
    account = _account(who)
    known = _known_names(connection, server_uuid)
    if account is None:
        wanted = _plain(who)
        accounts = {one for name, one in known if name == wanted and one is not None}
        lasting = sorted(str(one) for one in accounts if one.version == 4)  # noqa: PLR2004 - of an account, everywhere
        if len(lasting) > 1:
            raise OptOutError(
                f"{who} was the name of {len(lasting)} accounts: name one of them, {', '.join(lasting)}, or one server"
            )
        # an offline server's UUID is made of the name
        names = {wanted} | {name for name, one in known if name and str(one) in lasting}
    else:
        accounts = {account}
        names = {name for name, one in known if name and one == account}
    if unclear := sorted(name for name in names if not _NAME.fullmatch(name)):
        raise OptOutError(
            f"{', '.join(map(repr, unclear))} cannot be told from other words of a log: only names of 3 to 16 "
            "letters of English, digits and underscores can be forgotten by name"
        )
    return Person(names=frozenset(names), accounts=frozenset(accounts), server_uuid=server_uuid)


def _account(who: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(who)
    except ValueError:
        return None


def _plain(name: str) -> str:
    return name.lower().lstrip(_PREFIXES)


def _known_names(connection: Connection, server_uuid: uuid.UUID | None) -> set[tuple[str, uuid.UUID | None]]:
    """Return the names and UUIDs that lines show together."""
    rows = connection.execute(
        f"""
        select player_name, player_uuid from {SIGHTINGS} where %(server)s::uuid is null or server_uuid = %(server)s
        union
        select player_name, player_uuid from {SESSIONS} where %(server)s::uuid is null or server_uuid = %(server)s
        union
        select player_name, player_uuid from {PLAYERS} where %(server)s::uuid is null
        """,
        {"server": server_uuid},
    ).fetchall()
    return {(_plain(name or ""), one) for name, one in rows}


def mentions(connection: Connection, person: Person) -> dict[str, int]:
    """Return how many rows of each table name *person*; of events, those that are the player's or tell of them.

    Where one server alone is meant, tables that do not tell servers apart are left out.
    """
    found: dict[str, int] = {}
    for table, columns, has_server in _tables(connection):
        if person.server_uuid is not None and not has_server and table not in (EVENT_ROWS, PLAYERS):
            continue
        count = _count_of(connection, table, columns, person)
        if count:
            found[table] = count
    return found


def _tables(connection: Connection) -> list[tuple[str, list[str], bool]]:
    """Return the tables that may name a player, their columns that may, and whether they have a server's."""
    rows = connection.execute(
        """
        select
            relnamespace::regnamespace::text || '.' || relname,
            array_agg(attname::text order by attnum) filter (where typname = any(%s)),
            bool_or(attname = 'server_uuid')
        from pg_class
        inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        inner join pg_type on pg_type.oid = atttypid
        where not relispartition
            and (relkind in ('r', 'm') or relkind = 'p' and relnamespace::regnamespace::text = 'raw_events')
            and relnamespace::regnamespace::text
                ~ '^(raw_|derived_|(ops|staging|intermediate|marts|pterodactyl|minecraft)$)'
            and not relnamespace::regnamespace::text || '.' || relname in ('ops.opt_outs', %s)
        group by pg_class.oid
        having count(*) filter (where typname = any(%s)) > 0
        order by 1
        """,
        (list(_TEXTS), PLAYERS, list(_TEXTS)),
    ).fetchall()
    return [(table, columns, has_server) for table, columns, has_server in rows]


def _count_of(connection: Connection, table: str, columns: Iterable[str], person: Person) -> int:
    if table == EVENT_ROWS:
        return _count(
            connection,
            f"select count(*) from {EVENT_ROWS} as rows left join {FILES} as files using (file_id) "
            f"left join {PLAYERS} as players using (player_id) "
            "where (%(server)s::uuid is null or files.server_uuid = %(server)s) "
            "and concat_ws(' ', players.player_name, players.player_uuid, rows.detail) ~* %(pattern)s",
            person,
        )
    query = sql.SQL("select count(*) from {} where {} concat_ws(' ', {}) ~* %(pattern)s").format(
        table_identifier(table),
        sql.SQL("" if person.server_uuid is None else "server_uuid::text = %(server)s::text and"),
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns),
    )
    return _count(connection, query, person)


def _count(connection: Connection, query: Any, person: Person) -> int:
    row = connection.execute(query, {"server": person.server_uuid, "pattern": person.pattern}).fetchone()
    return int(row[0]) if row else 0


@dataclass(slots=True, kw_only=True)
class Erased:
    """What was changed.

    Attributes:
        rows: Rows by table.
        files: Files of the store that named the player.
        orphans: Files of the store that no row knew any more, which were removed.
        missing: Files that the store lacks.
        opt_outs: What replaces the player's names and UUIDs in texts.
    """

    opt_outs: OptOuts
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    orphans: int = 0
    missing: int = 0


def erase(connection: Connection, store: LogStore, opt_outs: OptOutList, person: Person, *, at: datetime) -> Erased:
    """Put *person* on the list, and pseudonyms into all raw and derived rows and stored logs that name them.

    Passes wait meanwhile. Called again it changes what is left of an interrupted call, and else nothing.

    Raises:
        OptOutError: There is no key for the list, or another one than it was made with.
    """
    key = opt_outs.needed_key()
    with LOGS.one_at_a_time(connection), one_at_a_time(connection):
        opt_outs.of_server(connection, person.server_uuid or uuid.UUID(int=0))  # its key fits, or this says so
        with connection.transaction():
            tokens = _pseudonyms(connection, person, key)
            add(connection, tokens, key, server_uuid=person.server_uuid, at=at)
            hidden = _hidden(tokens, key)
            erased = Erased(opt_outs=hidden, rows=_erase_rows(connection, person, hidden))
        for server_uuid, files in LOGS.known(connection, person.server_uuid).items():
            _erase_files(connection, store, files, opt_outs.of_server(connection, server_uuid), erased)
        if person.server_uuid is None:
            erased.files += replays.erase_documents(connection, store, erased.opt_outs)
        kept = connection.execute(f"select content_digest from {FILES} where content_digest is not null").fetchall()
        erased.orphans = store.sweep({*(digest for (digest,) in kept), *replays.kept_digests(connection)})
    return erased


def hidden_now(connection: Connection, person: Person, key: bytes) -> OptOuts:
    """Return what would replace *person* in texts, with the pseudonyms of the list or with new ones."""
    return _hidden(_pseudonyms(connection, person, key), key)


def _hidden(tokens: Mapping[str, str], key: bytes) -> OptOuts:
    rows = (OptOut(token_hash=token_hash(one, key), server_uuid=None, pseudonym=two) for one, two in tokens.items())
    return OptOuts(rows, key)


def _pseudonyms(connection: Connection, person: Person, key: bytes) -> dict[str, str]:
    """Return for each name and UUID its pseudonym: that of the list, else a new one that nobody has."""
    found = known_pseudonyms(connection, person.tokens, key, server_uuid=person.server_uuid)
    rows = connection.execute(f"select distinct lower(player_name) from {PLAYERS} where player_name is not null")
    taken = {name for (name,) in rows} | {one.lower() for one in found.values()}
    for token in person.tokens:
        if token not in found:
            found[token] = new_pseudonym(token, taken)
            taken.add(found[token].lower())
    return found


def count_files(connection: Connection, store: LogStore, person: Person, hidden: OptOuts) -> int:
    """Return how many stored logs and documents of replays name *person*, whom *hidden* replaces."""
    found = 0
    for files in LOGS.known(connection, person.server_uuid).values():
        for file in files:
            if file.content_digest is not None and file.content_digest in store:
                content = store.get(file.content_digest)
                found += hidden.content(content) != content
    return found if person.server_uuid else found + replays.count_documents(connection, store, hidden)


# ------------------------------------------------------------------ rows


def _erase_rows(connection: Connection, person: Person, hidden: OptOuts) -> dict[str, int]:
    of_others: dict[str, int] = {}
    if person.server_uuid is None:
        of_others |= replays.erase_rows(connection, person.pattern, hidden)
        of_others |= events.erase_rows(connection, person.pattern, hidden)
    return of_others | {
        EVENT_ROWS: _erase_events(connection, person, hidden),
        SESSIONS: _erase_sessions(connection, person, hidden),
        SIGHTINGS: _erase_sightings(connection, person, hidden),
        ACTIVITY: _erase_activity(connection, person, hidden),
    }


def _values(person: Person) -> dict[str, Any]:
    return {
        "server": person.server_uuid,
        "names": list(person.names),
        "accounts": list(person.accounts),
        "pattern": person.pattern,
    }


_IS_PERSON: Final = f"(ltrim(lower(player_name), '{_PREFIXES}') = any(%(names)s) or player_uuid = any(%(accounts)s))"
_IS_SERVER: Final = "(%(server)s::uuid is null or server_uuid = %(server)s)"


def _erase_events(connection: Connection, person: Person, hidden: OptOuts) -> int:
    """Give the player's events to a pseudonym, without addresses, and put it into what others' events say."""
    values = _values(person)
    of_server = f"rows.file_id in (select file_id from {FILES} where {_IS_SERVER})"
    changed: set[tuple[int, int]] = set()
    players = connection.execute(
        f"select player_id, player_name, player_uuid from {PLAYERS} where {_IS_PERSON}", values
    ).fetchall()
    for old, name, account in players:
        new = _player(connection, hidden.text(name) if name else name, hidden.account(account))
        changed |= _keys(
            connection.execute(
                f"update {EVENT_ROWS} as rows set player_id = %(new)s, detail = detail - 'address' "
                f"where player_id = %(old)s and {of_server} returning file_id, line_number",
                {**values, "old": old, "new": new},
            )
        )
    connection.execute(
        f"delete from {PLAYERS} as players where player_id = any(%s) "
        f"and not exists (select from {EVENT_ROWS} as rows where rows.player_id = players.player_id)",
        ([old for old, *_ in players],),
    )
    details = connection.execute(
        f"select file_id, line_number, detail from {EVENT_ROWS} as rows "
        f"where detail::text ~* %(pattern)s and {of_server}",
        values,
    ).fetchall()
    _set_jsonb(
        connection,
        f"update {EVENT_ROWS} set detail = %s where file_id = %s and line_number = %s",
        [(Jsonb(hidden.value(detail)), file_id, line) for file_id, line, detail in details],
    )
    changed |= {(file_id, line) for file_id, line, _ in details}
    _note_changed(connection, {file_id for file_id, _ in changed})
    return len(changed)


def _keys(cursor: Iterable[Any]) -> set[tuple[int, int]]:
    return {(file_id, line) for file_id, line in cursor}


def _player(connection: Connection, name: str | None, account: uuid.UUID | None) -> int:
    connection.execute(
        f"insert into {PLAYERS} (player_name, player_uuid) values (%s, %s) on conflict do nothing", (name, account)
    )
    row = connection.execute(
        f"select player_id from {PLAYERS} where player_name is not distinct from %s "
        "and player_uuid is not distinct from %s",
        (name, account),
    ).fetchone()
    assert row is not None  # noqa: S101 - inserted above
    return int(row[0])


def _note_changed(connection: Connection, file_ids: Collection[int]) -> None:
    """Note for the models that lines of these files say something else now (decision 23)."""
    if file_ids:
        lock_table_for_load(connection, f"changes of {EVENT_ROWS}")
        connection.execute(
            "insert into ops.row_changes (relation, change, touched) "
            "select %s, 1, jsonb_build_object('server_uuid', server_uuid, 'file_key', file_key) "
            f"from {FILES} where file_id = any(%s)",
            (EVENT_ROWS, list(file_ids)),
        )


def _erase_sessions(connection: Connection, person: Person, hidden: OptOuts) -> int:
    rows = connection.execute(
        f"select server_uuid, session_key, player_name, player_uuid, close_detail from {SESSIONS} "
        f"where {_IS_SERVER} and ({_IS_PERSON} or close_detail ~* %(pattern)s)",
        _values(person),
    ).fetchall()
    with connection.cursor() as cursor:
        cursor.executemany(
            f"update {SESSIONS} set player_name = %s, player_uuid = %s, close_detail = %s "
            "where server_uuid = %s and session_key = %s",
            [
                (hidden.text(name), hidden.account(account), detail and hidden.text(detail), server_uuid, key)
                for server_uuid, key, name, account, detail in rows
            ],
        )
    return len(rows)


def _erase_sightings(connection: Connection, person: Person, hidden: OptOuts) -> int:
    """Replace the rows: two names that differ in their case become one."""
    rows = connection.execute(
        f"delete from {SIGHTINGS} where {_IS_SERVER} and {_IS_PERSON} returning server_uuid, file_key, player_name, "
        "player_uuid, first_seen_at, last_seen_at, _load_id",
        _values(person),
    ).fetchall()
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""
            insert into {SIGHTINGS} as known
                (server_uuid, file_key, player_name, player_uuid, first_seen_at, last_seen_at, _load_id)
            values (%s, %s, %s, %s, %s, %s, %s)
            on conflict (server_uuid, player_name, player_uuid, file_key) do update set
                first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
                last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
            """,
            [(server, key, hidden.text(name), hidden.account(one), *rest) for server, key, name, one, *rest in rows],
        )
    return len(rows)


def _erase_activity(connection: Connection, person: Person, hidden: OptOuts) -> int:
    """Put pseudonyms into what entries of the activity log tell of, such as a player's file; users stay."""
    rows = connection.execute(
        f"select server_uuid, activity_id, record -> 'properties' from {ACTIVITY} "
        f"where {_IS_SERVER} and (record -> 'properties')::text ~* %(pattern)s",
        _values(person),
    ).fetchall()
    _set_jsonb(
        connection,
        f"update {ACTIVITY} set record = jsonb_set(record, '{{properties}}', %s) "
        "where server_uuid = %s and activity_id = %s",
        [(Jsonb(hidden.value(properties)), server_uuid, entry) for server_uuid, entry, properties in rows],
    )
    return len(rows)


def _set_jsonb(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(rows))


# ------------------------------------------------------------------ files


def _erase_files(
    connection: Connection, store: LogStore, files: Iterable[LogFile], hidden: OptOuts, erased: Erased
) -> None:
    """Put pseudonyms into stored logs: the new content first, then the row that names it, then the old one goes."""
    for file in files:
        if file.content_digest is None:
            continue
        try:
            content = store.get(file.content_digest)
        except FileNotFoundError:
            erased.missing += 1  # as parsing says; there is nothing in it to be found
            continue
        new = forgetting(content, hidden, is_live=file.is_live)
        if new == content:
            continue
        erased.files += content[: len(new)] != new
        changed = dataclasses.replace(file, content_digest=store.put(new), content_bytes=len(new))
        connection.execute(
            f"update {FILES} set content_digest = %s, content_bytes = %s where server_uuid = %s and file_key = %s",
            (changed.content_digest, changed.content_bytes, file.server_uuid, file.file_key),
        )
        for digest in LOGS.unreferenced(connection, [file.content_digest]):
            store.remove(digest)
