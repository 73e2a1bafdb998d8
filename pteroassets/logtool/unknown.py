"""Lines that no rule knows, as templates: what to add to the parser, most frequent first."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pteroassets.logtool.content import Content
from pteroassets.sources.minecraft.reasons import plain_reason
from pteroassets.sources.minecraft.text import clean, decode, whole_lines

_MOST_TEMPLATES = 20_000
_LONGEST = 300
_VARIABLE = re.compile(
    rb"'[^'\n]{1,80}'|\"[^\"\n]{1,80}\"|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|-?\d+(?:[.,:]\d+)*"
)
_SHOWN = 120
# chat, after the name in brackets or the client's sign of it
_SAID = re.compile(rb"(<[^<>\n]{1,60}>|\[CHAT\]|issued server command: /\S{1,40}) .*", re.DOTALL)
_WORDS_LEFT_OUT = rb"\1 " + "…".encode()
_SPEECH = re.compile(r"\s*[>:»|\]]++")  # what stands between a name and the words
# a name by where it stands: of somebody whom no line that is understood names
_NAMED_BY_PLACE = re.compile(
    r"^[^\s\[/]+(?=\[/)|(?<![^\s\[(])[^\s\[(]+(?= (?:has )?(?:joined|left) the game)"
    r"|(?<=\busername )\S+|(?<=\blogged in as )[^\s()]+(?: [^\s()]+(?=\)))*|(?<=\blogged in as: )[^\n)]+"
    r"|^.{1,40}?(?= (?:\(logged in as: |has (?:dis)?connected (?:to|from) (?:the|remote) Java server))",
    re.IGNORECASE,
)


class UnknownLines:
    """Counts the templates of one file's unknown lines, in bounded memory: rare ones may be forgotten."""

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()
        self._examples: dict[bytes, bytes] = {}

    def note(self, message: bytes) -> None:
        """Count one line's message."""
        template = _VARIABLE.sub(_masked, message[:_LONGEST])
        if template not in self._counts:
            if len(self._counts) >= _MOST_TEMPLATES:
                self._forget_the_rare()
            self._examples[template] = message[:_LONGEST]
        self._counts[template] += 1

    def items(self) -> Iterable[tuple[bytes, int, bytes]]:
        """Yield each template with its count and the first message that it was made of."""
        for template, count in self._counts.items():
            yield template, count, self._examples[template]

    def _forget_the_rare(self) -> None:
        self._counts = Counter(dict(self._counts.most_common(_MOST_TEMPLATES // 2)))
        self._examples = {template: self._examples[template] for template in self._counts}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownTemplate:
    """What unknown lines have in common, and one of them; without players' names, words and addresses."""

    template: str
    count: int
    example: str
    path: str  # of the example
    line: int | None  # of the example; None where the file cannot be read a second time


def most_frequent(
    files: Iterable[tuple[str, UnknownLines]], *, players: Collection[str], limit: int, readable_again: Collection[str]
) -> tuple[UnknownTemplate, ...]:
    """Return the *limit* most frequent templates of all *files*.

    Args:
        files: Paths and what is unknown in them.
        players: Their names are taken out.
        limit: How many to return.
        readable_again: Paths that are no pipes, so that the examples' line numbers can be looked for.
    """
    # Floodgate's mark is not a part of the name by which other programs call the same player
    called = {*players, *(bare for name in players if (bare := name.lstrip(".*")))}
    # a name with digits in it is masked before it can be known for one; one of digits alone is a number like others
    masked = {short for name in called if (short := _VARIABLE.sub(_masked, name.encode()).decode()) != "#"}
    names = _any_of({*called, *masked})
    counts: Counter[str] = Counter()
    examples: dict[str, tuple[str, bytes]] = {}
    for path, unknown in files:
        for template, count, message in unknown.items():
            text = _nameless(decode(template), names)
            counts[text] += count
            examples.setdefault(text, (path, message))
    chosen = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    places = _lines_of([examples[text] for text, _ in chosen], readable_again)
    return tuple(
        UnknownTemplate(
            template=text,
            count=count,
            example=_nameless(plain_reason(decode(examples[text][1][:_LONGEST])), names),
            path=examples[text][0],
            line=places.get(examples[text]),
        )
        for text, count in chosen
    )


def _masked(match: re.Match[bytes]) -> bytes:
    quote = match[0][:1]
    return quote + b"*" + quote if quote in (b"'", b'"') else b"#"


def _any_of(names: Collection[str]) -> re.Pattern[str]:
    words = "|".join(map(re.escape, sorted(names, key=len, reverse=True))) or "(?!)"
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)")


def _nameless(text: str, names: re.Pattern[str]) -> str:
    """Return *text* without names of players, and without what a plugin's chat layout has one of them say."""
    found = names.search(text)
    if found is not None and (sign := _SPEECH.match(text, found.end())):
        text = f"{text[: sign.end()]} …"
    return _NAMED_BY_PLACE.sub("<player>", names.sub("<player>", text))


def _lines_of(examples: Collection[tuple[str, bytes]], readable_again: Collection[str]) -> dict[tuple[str, bytes], int]:
    """Return the numbers of the first lines that end with the examples' messages."""
    found: dict[tuple[str, bytes], int] = {}
    for path in {path for path, _ in examples if path in readable_again}:
        wanted = {message for other, message in examples if other == path}
        number = 0
        with Content(path) as content:
            for lines in whole_lines(content.blocks()):
                for message in list(wanted):
                    for place, line in enumerate(lines, start=number + 1):
                        if _says(line, message):
                            found[path, message] = place
                            wanted.discard(message)
                            break
                number += len(lines)
                if not wanted:
                    break
    return found


def _says(line: bytes, message: bytes) -> bool:
    return line.rstrip(b"\r").endswith(message) if len(message) < _LONGEST else message in line


def note_all(unknown: UnknownLines, blocks: Iterable[bytes]) -> None:
    """Count all lines of a log in which none is understood, without what players say there."""
    for lines in whole_lines(blocks):
        for line in lines:
            if text := clean(b"\n" + line).strip():
                unknown.note(_SAID.sub(_WORDS_LEFT_OUT, text[:_LONGEST]))


def first_line(head: bytes) -> str:
    """Return what to say of a log in which no line is understood: the first one that has text, and what to do.

    Addresses and what a player says are masked, control characters are made visible.
    """
    lines = next(whole_lines([head]))
    number, line = next(((number, line) for number, line in enumerate(lines, 1) if line.strip()), (1, b""))
    said = decode(_SAID.sub(_WORDS_LEFT_OUT, line.strip()[:_LONGEST]))
    shown = "".join(_visible(character) for character in _nameless(plain_reason(said), _any_of(())))
    shown = f"{shown[:_SHOWN]}…" if len(shown) > _SHOWN or len(line) > _LONGEST else shown
    return (
        f"line {number} is “{shown}”. Is it a server's log? --unknown 20 lists its lines: send us those, so that they "
        "can be read; a client's, a plugin's or another program's log gives no sessions"
    )


def _visible(character: str) -> str:
    is_control = unicodedata.category(character) in ("Cc", "Cf", "Cs")
    return character.encode("unicode_escape").decode("ascii") if is_control else character
