"""``pteroassets events``: a game that is made up pushes events; what it sent is held against what the models say."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg import sql
from rich.console import Console
from rich.table import Column, Table

from pteroassets.platform.demo_collector import GAME, KEY_FILE, PORT_FILE
from pteroassets.platform.environment import RuntimeFault, demo_home_of
from pteroassets.platform.loopback import HOST
from pteroassets.platform.progress import under_way
from pteroassets.platform.sql import warehouse_in
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.simulator.events.reference import Reference
from pteroassets.simulator.events.sending import SendingError, send
from pteroassets.simulator.events.stream import Recipe, Sent, stream
from pteroassets.simulator.events.totals import totals
from pteroassets.warehouse.connection import connect

REFERENCE: Final = CHECKOUT / "dbt_project" / "seeds" / "events"
_COUNTED: Final = """
with

pushed as (

    select * from marts.fct_game_events where game = {game} and starts_with(player_id, {prefix})

),

bought as (

    select * from marts.fct_purchases where game = {game} and starts_with(player_id, {prefix})

)

select
    count(*) as events,
    coalesce(sum(copies - 1), 0)::bigint as copies,
    count(distinct player_id) as players,
    (select coalesce(sum(cost), 0)::numeric(21, 2)::text from bought) as revenue,
    (select coalesce(sum(quantity), 0)::bigint from bought where event_type = 'purchase_a_sword') as swords,
    (select coalesce(sum(quantity), 0)::bigint from bought where event_type = 'purchase_a_horse') as horses,
    (
        select jsonb_object_agg(event_type, events) from (
            select event_type, count(*) as events from pushed group by 1
        ) as types
    ) as events_by_type,
    (
        select jsonb_object_agg(size, horses) from (
            select size, sum(quantity) as horses from bought where size is not null group by 1
        ) as sizes
    ) as horses_by_size
from pushed
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where events go: the collector's address, and a game with its key."""

    url: str
    game: str
    key: str = field(repr=False)


class _Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Of the totals of a stream those that the models say too."""

    events: int
    copies: int
    players: int
    revenue: str
    swords: int
    horses: int
    events_by_type: dict[str, int]
    horses_by_size: dict[str, int]


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What `run_generate` keeps in a file."""

    game: str
    player_prefix: str
    totals: _Totals


def collector_to_push_to(settings: Settings, *, url: str | None, game: str | None, home: Path | None) -> Way:
    """Return where events go and with whose key: to the demo in *home*, else as the settings say, else to the demo.

    Raises:
        RuntimeFault: *home* holds no demo with a collector, no key is set, or none of this game.
    """
    keys, port = settings.event_keys(), settings.pteroassets_event_port
    if home is not None:
        # what is made up for a demo must not reach the collector of real games, whose key is set
        keys = {_read_of_demo(home, KEY_FILE): GAME}
        port = _port_of_demo(home) if url is None else port
    elif not keys:
        folder = demo_home_of(settings)
        if not (folder / KEY_FILE).exists():
            raise RuntimeFault(
                "PTEROASSETS_EVENT_KEYS is not set: it has the key with which events are sent; the demo has one of its "
                f"own, but {folder} holds no demo"
            )
        keys = {_read_of_demo(folder, KEY_FILE): GAME}
        if "pteroassets_event_port" not in settings.model_fields_set and (folder / PORT_FILE).exists():
            port = _port_of_demo(folder)
    for key, named in keys.items():
        if game in (None, named):
            return Way(url=url or f"http://{HOST}:{port}", game=named, key=key)
    raise RuntimeFault(f"there is no key of {game}; there are keys of {', '.join(sorted(set(keys.values())))}")


def _read_of_demo(home: Path, name: str) -> str:
    try:
        return (home / name).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise RuntimeFault(
            f"{home} holds no demo whose collector is known: {name} cannot be read ({error}). Name the folder of a "
            "demo that was started, or leave --home to push with PTEROASSETS_EVENT_KEYS"
        ) from error


def _port_of_demo(home: Path) -> int:
    told = _read_of_demo(home, PORT_FILE)
    if not told.isdecimal():
        raise RuntimeFault(f"{home / PORT_FILE} holds no port: start the demo again, or say --url")
    return int(told)


def run_generate(console: Console, recipe: Recipe, way: Way, *, batch: int, kept: Path) -> None:
    """Send the stream of *recipe* to the collector, print what is true of it and keep that in the file *kept*.

    Raises:
        RuntimeFault: The recipe cannot be followed, *kept* cannot be written, no collector takes it, or it kept another
            number of things than were sent to it.
    """
    _require_writable(kept)
    try:
        sent = stream(recipe, Reference.of(REFERENCE))
        with under_way(console, f"sending {len(sent):,} things to {way.url}") as advance:
            outcome = send(sent, way.url, way.key, batch=batch, is_live=recipe.is_live, advance=advance)
    except (SendingError, ValueError) as error:
        raise RuntimeFault(str(error)) from error
    truth = totals(sent)
    _show(console, truth, {}, heading="Sent")
    told = json.dumps({"game": way.game, "player_prefix": recipe.player_prefix, "totals": truth}, indent=2)
    try:
        kept.write_text(told + "\n", encoding="utf-8")
    except OSError as error:
        raise RuntimeFault(f"all was sent, and its totals cannot be kept in {kept}: {error}") from error
    console.print(
        f"stored {outcome.accepted:,} events, copies included, and {outcome.refused:,} dead letters; "
        f"to hold the models against them: pteroassets events reconcile {kept}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    _require_all_kept(sent, accepted=outcome.accepted, refused=outcome.refused)


def _require_writable(kept: Path) -> None:
    is_new = not kept.exists()
    try:
        kept.open("a").close()
    except OSError as error:
        raise RuntimeFault(f"the totals cannot be kept in {kept}, so nothing was sent: {error}") from error
    if is_new:
        kept.unlink()


def _require_all_kept(sent: list[Sent], *, accepted: int, refused: int) -> None:
    bad = sum(one.reason is not None for one in sent)
    if (accepted, refused) != (len(sent) - bad, bad):
        raise RuntimeFault(
            f"{len(sent) - bad:,} events and {bad:,} things that are none were sent, "
            f"and the collector stored {accepted:,} and {refused:,}"
        )


def run_reconcile(settings: Settings, console: Console, kept: Path, *, home: Path | None) -> None:
    """Print what was sent beside what the models say of it.

    Raises:
        RuntimeFault: They differ, the file is none of `run_generate`, or the models are not there.
    """
    try:
        told = msgspec.json.decode(kept.read_bytes(), type=_Kept)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise RuntimeFault(f"{kept} holds no totals of pteroassets events generate: {error}") from error
    truth = msgspec.structs.asdict(told.totals)
    with warehouse_in(settings, home) as warehouse, connect(warehouse, autocommit=True) as connection:
        try:
            cursor = connection.execute(sql.SQL(_COUNTED).format(game=told.game, prefix=told.player_prefix + "-"))
        except psycopg.errors.UndefinedTable as error:
            raise RuntimeFault("the models of events are not there: build them first") from error
        except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedFunction) as error:
            raise RuntimeFault(
                f"the models of events are of another version: build the models again ({str(error).splitlines()[0]})"
            ) from error
        assert cursor.description is not None  # noqa: S101 - it is a query
        found = dict(zip((column.name for column in cursor.description), cursor.fetchone() or (), strict=True))
    different = _show(console, truth, found, heading="Sent")
    if different:
        raise RuntimeFault(
            f"the models differ from what was sent in {', '.join(different)}: "
            "either they were not built since, or it was sent more than once"
        )
    console.print("the models say what was sent")


def _show(console: Console, truth: dict[str, Any], found: dict[str, Any], *, heading: str) -> list[str]:
    """Print *truth*, beside *found* where there is any; return the names of what differs."""
    table = Table(
        "", Column(heading, justify="right"), *([Column("Models", justify="right")] if found else []), box=None
    )
    different = []
    flat_truth, flat_found = _flat(truth), _flat(found)
    for name in dict.fromkeys([*flat_truth, *flat_found]):
        values = [flat_truth.get(name, 0), *([flat_found.get(name, 0)] if found else [])]
        if len(set(values)) > 1:
            different.append(name)
        table.add_row(name.replace("_", " "), *(f"{one:,}" if isinstance(one, int) else str(one) for one in values))
    console.print(table)
    return different


def _flat(values: dict[str, Any]) -> dict[str, int | str]:
    flat: dict[str, int | str] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= {f"{name}: {key}": int(count) for key, count in value.items()}
        elif value is not None:  # none of a type
            flat[name] = value
    return flat
