"""``pteroassets players forget``: a player's names and UUIDs leave every layer, and what was removed is printed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb
from rich.console import Console
from rich.table import Column, Table

from pteroassets.dashboards.store import Store
from pteroassets.defs.dbt_project import DBT_TARGET_VARIABLE, run_dbt
from pteroassets.landing.arma3.passes import PASSES as ARMA3
from pteroassets.landing.arma3.ratings import RATINGS
from pteroassets.landing.context import Landing
from pteroassets.landing.minecraft.erasure import STORE, Person, count_files, erase, find_person, hidden_now, mentions
from pteroassets.landing.minecraft.passes import LOGS_PASS
from pteroassets.landing.opt_outs import OptOutError, OptOuts
from pteroassets.platform.environment import RuntimeFault, environment, home_of, landing_of
from pteroassets.platform.health import silent_daemon
from pteroassets.settings import Settings
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection, ConnectionSettings
from pteroassets.warehouse.retention import prune_changes

_PAGES = "pages and editions"
_RAW = ("raw_minecraft.", "derived_minecraft.", "raw_arma3.", "raw_events.", "raw_pterodactyl.activity")
_MODELS = ("staging.", "intermediate.", "marts.", "minecraft.")
_NOTES = "ops.row_changes"
_GAMES_OF_PLAYERS = "intermediate.int_arma3__player_games"
_OF_THE_PANEL = "what the panel says: change it there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one place holds of a player: rows, or files, before and after; *remark* says why some are left."""

    place: str
    before: int
    after: int
    remark: str = ""


@dataclass(slots=True, kw_only=True)
class Forgotten:
    """What came of it.

    Attributes:
        lines: Each place that named the player.
        is_done: Whether nothing of ours names the player any more.
        waits: Whether models are left to the running platform.
    """

    lines: list[Line] = field(default_factory=list)
    is_done: bool = True
    waits: bool = False


def run_forget(
    settings: Settings, console: Console, who: str, *, server: uuid.UUID | None, do_erase: bool
) -> Forgotten:
    """Print what each layer holds of the player *who*, and with *do_erase* remove it.

    Raises:
        RuntimeFault: The player cannot be told, or there is no key for the list of opt-outs.
        LogStoreError: The store of logs cannot be opened.
        DbtFailedError: The models could not be built; the raw layers are done, so run it again.
    """
    try:
        with landing_of(settings) as landing, landing.connect() as connection:
            person = find_person(connection, who, server_uuid=server)
            console.print(_told(person), markup=False, highlight=False)
            forgetting = _Forgetting(landing=landing, connection=connection, person=person)
            found = forgetting.erase(console) if do_erase else forgetting.plan()
    except OptOutError as error:
        raise RuntimeFault(str(error)) from error
    _print(found, console, do_erase=do_erase)
    return found


def _told(person: Person) -> str:
    where = "on every server" if person.server_uuid is None else f"on server {person.server_uuid}"
    return f"known {where} as {', '.join(person.tokens)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forgetting:
    landing: Landing
    connection: Connection
    person: Person

    def plan(self) -> Forgotten:
        """Return what would be removed; nothing is changed."""
        before = mentions(self.connection, self.person)
        hidden = hidden_now(self.connection, self.person, self.landing.opt_outs.needed_key())
        before[STORE] = count_files(self.connection, self.landing.store, self.person, hidden)
        before[_PAGES] = len(self._naming(hidden))
        return Forgotten(
            lines=[Line(place=place, before=count, after=count) for place, count in before.items() if count]
        )

    def erase(self, console: Console) -> Forgotten:
        """Remove it, layer after layer; each can be interrupted and done again."""
        landing, connection = self.landing, self.connection
        before = mentions(connection, self.person)
        erased = erase(connection, landing.store, landing.opt_outs, self.person, at=landing.clock.now())
        before[STORE] = erased.files
        let_built_games_go(connection, self.person.pattern)
        if erased.orphans:
            console.print(f"{counted(erased.orphans, 'file')} of the log store that no row knew any more removed")
        if erased.missing:
            console.print(f"{counted(erased.missing, 'log file')} not in the log store, so there is nothing to change")
        # by the whole list: an interrupted command left names that are known by their hashes alone
        hidden = landing.opt_outs.of_all(connection)
        notes = self._notes(hidden)
        is_due = bool(notes) or any(erased.rows.values()) or any(place.startswith(_MODELS) for place in before)
        waits = is_due and _runs(landing)
        if is_due and not waits:
            self._build(console, hidden)
        pages = self._naming(hidden)
        before[_PAGES] = len(pages)
        self._pages.put(pages)
        after = mentions(connection, self.person)
        after[_PAGES] = len(self._naming(hidden))
        lines = [
            Line(
                place=place, before=count, after=after.get(place, 0), remark=_remark(place) if after.get(place) else ""
            )
            for place, count in {**dict.fromkeys(after, 0), **before}.items()
            if count or after.get(place)
        ]
        if landing.settings.pteroassets_lake is not None:
            console.print("the lake follows with its next job, within an hour; topics, and tables of Spark, do not")
        is_done = not any(line.after for line in lines if line.remark != _OF_THE_PANEL)
        return Forgotten(lines=lines, is_done=is_done, waits=waits)

    def _build(self, console: Console, hidden: OptOuts) -> None:
        """Build the models by what changed, and let the notes of it go, which name the player too."""
        console.print("building the models that named the player")
        settings, home = self.landing.settings, home_of(self.landing.settings)
        variables = environment(settings, home)
        target = Path(variables[DBT_TARGET_VARIABLE])
        feeds = " ".join(one.feeds for one in (LOGS_PASS, *ARMA3))
        run_dbt(["run", "--select", *feeds.split()], variables, target=target)
        prune_changes(self.connection)
        # each of these models has taken them in
        self.connection.execute(f"delete from {_NOTES} where touched = any(%s)", (self._notes(hidden),))

    def _notes(self, hidden: OptOuts) -> list[Jsonb]:
        """Return what the notes of changed rows say where it names somebody on the list."""
        rows = self.connection.execute(f"select distinct touched from {_NOTES} where touched ? 'player_name'")
        return [Jsonb(touched) for (touched,) in rows if hidden.value(touched) != touched]

    @property
    def _pages(self) -> Store:
        return Store(str(self.landing.settings.pteroassets_pages))

    def _naming(self, hidden: OptOuts) -> dict[str, bytes]:
        """Return the pages, past editions too, that name the player, as they are without."""
        store = self._pages
        read = {name: store.get(name) for name in store.names()}
        changed = {name: hidden.text(content.decode()).encode() for name, content in read.items()}
        return {name: content for name, content in changed.items() if content != read[name]}


def let_built_games_go(connection: Connection, pattern: str) -> None:
    """Delete the rows that were built of games whose rows name whom *pattern* finds: the next build makes them anew.

    By the load of a game alone it would not, since what was loaded stays the same load without the names.
    """
    row = connection.execute("select to_regclass(%s) is not null", (_GAMES_OF_PLAYERS,)).fetchone()
    if row is not None and row[0]:
        gone = connection.execute(
            f"delete from {_GAMES_OF_PLAYERS} where replay_key in (select named.replay_key from {_GAMES_OF_PLAYERS} "
            "as named where concat_ws(' ', named.player_key, named.player_name) ~* %s)",
            (pattern,),
        ).rowcount
        if gone:
            # they go by hashes of names, and by loads that stay the same; the next pass computes them anew
            connection.execute(f"delete from {RATINGS}")


def _runs(landing: Landing) -> bool:
    """Return whether a platform runs on this warehouse: it builds the models itself, and one build at a time."""
    settings = landing.settings
    warehouse: ConnectionSettings = landing.warehouse
    try:
        return silent_daemon(warehouse.with_database(settings.pteroassets_dagster_database)) is None
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return False  # never started on it


def _remark(place: str) -> str:
    if place.startswith(_MODELS) or place == _NOTES:
        return "built again with the next pass of logs"
    if place.startswith(_RAW) or place == _PAGES:
        return "run it again"
    return _OF_THE_PANEL if place.startswith("raw_pterodactyl.") else "not reached from here: look at it yourself"


def _print(found: Forgotten, console: Console, *, do_erase: bool) -> None:
    if not found.lines:
        console.print("nothing names the player" + ("" if do_erase else "; with --erase it stays so"))
        return
    table = Table("Place", Column("Removed" if do_erase else "Rows or files", justify="right"), box=None)
    if do_erase:
        table.add_column("Left", justify="right")
        table.add_column()
    for line in found.lines:
        count = str(max(line.before - line.after, 0)) if do_erase else str(line.before)
        table.add_row(line.place, count, *([str(line.after), line.remark] if do_erase else []))
    console.print(table)
    if not do_erase:
        console.print("nothing was changed: run it again with --erase")
    elif found.waits:
        console.print("the platform runs and builds the models with its next pass of logs; run this again after it")
