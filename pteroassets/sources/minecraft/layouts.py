"""How lines begin: the layouts of the part of a line before its message, by which a log is recognised.

They are declared in ``declarations/layouts.toml``. Patterns are of bytes, since that is what is scanned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pteroassets.sources.minecraft.declarations import declared, spelled_out
from pteroassets.sources.minecraft.formats import DIALECTS
from pteroassets.sources.minecraft.messages import Dialect


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogFormat:
    """One layout of the part of a line before its message.

    *prefix* is a pattern that starts at the line's first byte and ends where the message begins. Its named groups
    are ``time`` and ``date``, ``thread`` and ``logger`` (or ``loader``) where the layout has them.

    Args:
        name: Of the layout.
        prefix: See above. One in which a date is optional (``{DATE_OR_NONE}``) is declared once and becomes two: where
            there is none, nobody has to look for it.
        dialects: What may be said in it; the last one where nothing shows another. By default those of Java.
        software: The only program that writes so.
        sign: Pattern by which a file is recognised, where lines of the layout alone are not enough.
        is_skimmed: Whether `Skimmer` knows it: a bracket that holds the time, then one that holds the thread.
    """

    name: str
    prefix: bytes
    dialects: tuple[Dialect, ...]
    software: str | None = None
    sign: bytes | None = None
    is_skimmed: bool = False

    @property
    def scan_prefix(self) -> bytes:
        """The same pattern after a line feed, with the time as its only group: for finding all lines of a block."""
        return rb"\n" + re.sub(rb"\(\?P<(?!time>)\w+>", b"(?:", self.prefix)


def _unnamed(pattern: bytes) -> bytes:
    return re.sub(rb"\(\?P<\w+>", b"(?:", pattern)


_DECLARED = declared("layouts")
_DEFAULT_DIALECTS = ("velocity", "waterfall", "java")


def _layouts(layout: Mapping[str, Any]) -> Iterator[LogFormat]:
    """Yield the layouts that one declaration makes: two where a date is optional."""
    is_both = "{DATE_OR_NONE}" in "".join(layout["prefix"])
    for ending, date in (("", ""), ("_dated", "{DATE}[ T]"))[: 1 + is_both]:
        fragments = {**_DECLARED["fragments"], "DATE_OR_NONE": date}
        patterns = {
            name: spelled_out(layout[name], fragments).encode() for name in ("prefix", "sign") if name in layout
        }
        dialects = tuple(DIALECTS[name] for name in layout.get("dialects", _DEFAULT_DIALECTS))
        yield LogFormat(**{**layout, **patterns, "name": layout["name"] + ending, "dialects": dialects})


FORMATS = tuple(made for layout in _DECLARED["layouts"] for made in _layouts(layout))


# what a log shipper's stamp is made of by ``shippers``
_OUTER = rb"(?P<outer_date>\d{4}-\d\d-\d\d)T(?P<outer_time>\d\d:\d\d:\d\d)(?P<outer_zone>[+-]\d\d:\d\d)?+ "
_SHIPPED = "shipped+"


def _shipped(format_: LogFormat) -> LogFormat:
    """Return the layout behind a log shipper's stamp; lines that show no time of their own have that of the stamp."""
    outer = _OUTER if b"(?P<time>" in format_.prefix else _OUTER.replace(b"outer_time", b"time")
    return replace(
        format_,
        name=f"{_SHIPPED}{format_.name}",
        prefix=outer + format_.prefix,
        sign=format_.sign and outer + format_.sign,
    )


_BEHIND_STAMPS = (
    *(each for each in FORMATS if each.name != "bedrock"),
    *(made for layout in _DECLARED["behind_stamps"] for made in _layouts(layout)),
)

ALL_FORMATS = {each.name: each for each in (*FORMATS, *map(_shipped, _BEHIND_STAMPS))}

_BY_NUMBER = list(ALL_FORMATS.values())
_SIGN = re.compile(
    rb"\n(?:" + rb"|".join(rb"(" + _unnamed(each.sign or each.prefix) + rb")" for each in _BY_NUMBER) + rb")"
)


def find_format(data: bytes) -> tuple[LogFormat, int] | None:
    """Return the layout of the first line in *data* that has one, and the place of the line feed before it."""
    match = _SIGN.search(data)
    return (_format_of(match), match.start()) if match is not None else None


_LAYOUT = re.compile(rb"|".join(_unnamed(each.sign or each.prefix) for each in FORMATS))


def has_layout(line: bytes) -> bool:
    """Tell whether *line*, with nothing before it, begins as the lines of a server's log do."""
    return _LAYOUT.match(line) is not None


def format_at(data: bytes, place: int) -> LogFormat | None:
    """Return the layout of the line behind the line feed at *place*."""
    match = _SIGN.match(data, place)
    return _format_of(match) if match is not None else None


def _format_of(match: re.Match[bytes]) -> LogFormat:
    return _BY_NUMBER[(match.lastindex or 0) - 1]
