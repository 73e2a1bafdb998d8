"""The digest of a replay as a message: five blocks, in the words of one language.

What it says comes from a row of ``fct_arma3_replays`` alone, so that message, table and page agree.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from babel import Locale

from pteroassets.alarms.outbox import Embed, Field, Message, escaped

Language = Literal["en", "ru"]
_COLOUR: Final = 0x237FEB
_LINK_COLOUR: Final = 0x0099FF
_LONGEST_FIELD: Final = 1_024
"""Of Discord, in units of UTF-16."""
_SQUARES: Final = {"east": "🟥", "west": "🟦", "guer": "🟩", "civ": "🟪"}


@cache
def words_of(language: Language) -> Mapping[str, Any]:
    """Return the wording of *language*."""
    text = files("pteroassets.alarms").joinpath("replay_words.toml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = tomllib.loads(text)[language]
    return found


@cache
def _plural_form(language: Language) -> Callable[[int], str]:
    return Locale(language).plural_form


def counted(language: Language, what: str, count: int) -> str:
    """Return a number with its noun in the right form, by the rules of the CLDR."""
    return str(words_of(language)[what][_plural_form(language)(count)].format(count=count))


def digest_message(key: str, target: str, row: Mapping[str, Any], language: Language) -> Message:
    """Return the message of a replay.

    Args:
        key: Of the message.
        target: Of the outbox.
        row: Of ``fct_arma3_replays``, by the names of its columns.
        language: Of the wording.
    """
    words = words_of(language)
    blocks = [
        (words["general"], _general(row, language)),
        (words["personal"], _personal(row, language)),
        (words["outstanding"], _outstanding(row, language)),
        (words["vehicles"], _vehicles(row, language)),
    ]
    link = words["link_line"].format(url=row["url"])
    embeds = [
        Embed(
            title=title,
            colour=_COLOUR,
            fields=tuple(field for name, lines in fields for field in _as_fields(name, lines)),
        )
        for title, fields in blocks
    ]
    text = "\n\n".join(
        f"{title}\n" + "\n".join(f"{name}: {_told(lines, escape=False, between='; ')}" for name, lines in fields)
        for title, fields in blocks
    )
    return Message(
        key=key,
        target=target,
        content=words["intro"],
        embeds=(*embeds, Embed(title=words["link"], description=link, url=row["url"], colour=_LINK_COLOUR)),
        text=f"{words['intro']}\n\n{text}\n\n{link}",
    )


class _Ours(str):
    """Text of ours, of which nothing would be taken for markup where it stands."""

    __slots__ = ()


_Line = tuple[str, Mapping[str, Any]]
_Fields = Sequence[tuple[str, Sequence[_Line]]]


def _told(lines: Sequence[_Line], *, escape: bool, between: str = "\n") -> str:
    """Fill in the lines; names are escaped for Discord alone, and plain text has nothing bold."""
    found = []
    for template, values in lines:
        made = {name: escaped(value) if escape and type(value) is str else value for name, value in values.items()}
        found.append((template if escape else template.replace("**", "")).format(**made))
    return between.join(found)


def _as_fields(name: str, lines: Sequence[_Line]) -> Iterator[Field]:
    """Yield the lines as a field, or as several where Discord takes no field so long and would lose the rest."""
    pieces: list[str] = []
    for line in lines:
        told = _told([line], escape=True)
        longer = f"{pieces[-1]}\n{told}" if pieces else told
        if pieces and len(longer.encode("utf-16-le")) // 2 <= _LONGEST_FIELD:
            pieces[-1] = longer
        else:
            pieces.append(told)
    for number, piece in enumerate(pieces, 1):
        yield Field(name=name if number == 1 else f"{name} ({number})", value=piece)


def _general(row: Mapping[str, Any], language: Language) -> _Fields:
    words = words_of(language)
    unknown = words["unknown"]
    zone = ZoneInfo(row["timezone"] or "UTC")
    instants = {
        name: unknown if row[column] is None else _Ours(f"{row[column].astimezone(zone):%H:%M}")
        for name, column in (("start", "started_at"), ("end", "ended_at"))
    }
    played = row["played_date"]
    values = {
        "date": unknown if played is None else _Ours(f"{played:%d.%m.%Y}"),
        "mission": row["mission_name"] or unknown,
        "island": row["island_name"] or unknown,
        **instants,
        "length": unknown if row["duration_seconds"] is None else _clock(row["duration_seconds"]),
        "players": unknown if row["players"] is None else row["players"],
        "slots": unknown if row["slots"] is None else row["slots"],
    }
    present = [side for side in _SQUARES if row[f"players_{side}"]]
    sides = [
        (
            words["side_line"],
            {
                "square": _SQUARES[side],
                "side": side.upper(),
                "heads": counted(language, "heads", row[f"players_{side}"]),
                "commander": row[f"commander_{side}"] or unknown,
            },
        )
        for side in present
    ]
    survivors = [
        (
            words["survived_line"],
            {
                "square": _SQUARES[side],
                "side": side.upper(),
                "count": unknown if row[f"survivors_{side}"] is None else row[f"survivors_{side}"],
            },
        )
        for side in present
    ]
    winner = row["winner_side"]
    won = (
        (words["no_winner"], {})
        if winner is None
        else (words["winner"], {"square": _SQUARES[winner.lower()], "side": winner})
    )
    return [
        (words["information"], [(line, values) for line in words["information_lines"]]),
        (words["sides"], sides or [(unknown, {})]),
        (words["players"], [(words["players_alone" if row["slots"] is None else "players_line"], values)]),
        (words["time"], [(line, values) for line in words["time_lines"]]),
        (words["result"], [won]),
        (words["survived"], survivors or [(unknown, {})]),
    ]


def _personal(row: Mapping[str, Any], language: Language) -> _Fields:
    words = words_of(language)

    def lines(of: str, count: str, instead: str) -> Sequence[_Line]:
        if row[of] is None:
            return [(words["unknown"], {})]
        found = [(words["best_line"], {"player": _name(one["player"], words), "count": one[count]}) for one in row[of]]
        return found or [(words[instead], {})]

    return [
        (words["best"], lines("best_players", "kills", "nobody")),
        (words["worst"], lines("most_team_kills", "team_kills", "no_team_kills")),
    ]


def _outstanding(row: Mapping[str, Any], language: Language) -> _Fields:
    words = words_of(language)
    nothing = words["unknown" if row["best_players"] is None else "no_kill"]  # where the source tells of no kills
    return [
        (words[name], [*_kill(row[f"{name}_kill"], language)] or [(nothing, {})])
        for name in ("first", "last", "longest")
    ]


def _kill(kill: Mapping[str, Any] | None, language: Language) -> Iterator[_Line]:
    if kill is None:
        return
    words = words_of(language)
    values = {
        "time": _clock(kill["second"]),
        "victim": _name(kill["victim"], words),
        "killer": _name(kill["killer"], words),
        "weapon": kill["weapon"] or kill["killer_vehicle"] or words["unknown"],
    }
    if kill["is_suicide"]:
        yield words["suicide"], values
        return
    yield words["kill_by_unknown" if kill["killer"] is None else "kill"], values
    if kill["killer"] is not None:
        metres = kill["distance_metres"]
        distance = words["unknown"] if metres is None else counted(language, "metres", round(metres))
        yield words["kill_how"], {**values, "distance": distance}
    if kill["is_team_kill"]:
        yield words["team_kill"], {}


def _vehicles(row: Mapping[str, Any], language: Language) -> _Fields:
    words = words_of(language)
    by_class: dict[str, list[_Line]] = {}
    if row["vehicles"] is None:
        return [(words["vehicles"], [(words["unknown"], {})])]
    for one in row["vehicles"]:
        kind = one["class"] if one["class"] in words["classes"] else "unknown"
        line = (words["vehicle_line"], {"count": one["vehicles"], "name": _name(one["name"], words)})
        by_class.setdefault(kind, []).append(line)
    found = [(words["classes"][kind], by_class[kind]) for kind in words["classes"] if kind in by_class]
    return found or [(words["vehicles"], [(words["no_vehicles"], {})])]


def _name(value: str | None, words: Mapping[str, Any]) -> str:
    return str(value or words["unknown"])


def _clock(seconds: float) -> _Ours:
    """Return a length as hours, minutes and seconds; hours go on beyond a day."""
    whole = round(seconds)
    return _Ours(f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}")
