"""The game's own death messages, from 1.7 to 26.1, as ``declarations/deaths.toml`` has them.

Text of a mod or a plugin that is none of these is no death.
"""

from __future__ import annotations

import re
from typing import Final

from pteroassets.sources.minecraft.declarations import declared, spelled_out

_DECLARED = declared("deaths")
#: The words with which any of the messages begins: what the scan of a block looks for after a first word.
FIRST_WORDS: Final = tuple(map(str.encode, _DECLARED["first_words"]))


def _compile(pattern: str) -> re.Pattern[str]:
    # a group may stand in several alternatives of a family, where Python wants its name once
    seen: dict[str, int] = {}

    def numbered(match: re.Match[str]) -> str:
        name = match[1]
        seen[name] = seen.get(name, 0) + 1
        return f"(?P<{name}{seen[name]}>"

    return re.compile(re.sub(r"\(\?P<(\w+)>", numbered, pattern))


def _by_first_word() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for family in _DECLARED["families"]:
        pattern = spelled_out(family["pattern"], _DECLARED["fragments"])
        for word in dict.fromkeys(phrase.decode().partition(" ")[0] for phrase in FIRST_WORDS):
            if re.search(rf"(?:^|\|){word}\b", pattern):
                found.setdefault(word, []).append((family["cause"], _compile(pattern)))
    return found


_BY_FIRST_WORD = _by_first_word()


def read_death(text: str, *, keep_item: bool) -> dict[str, str] | None:
    """Return cause, killer and item of a death message, given what follows the player's name; None if it is none.

    An item's name may be a player's own words, so it is kept only when asked for.
    """
    for cause, pattern in _BY_FIRST_WORD.get(text.partition(" ")[0], ()):
        if match := pattern.fullmatch(text):
            detail = {"cause": cause}
            for name, value in match.groupdict().items():
                if value is not None and (key := name.rstrip("0123456789")) == "killer":
                    detail[key] = value
                elif value is not None and keep_item:
                    detail["item"] = value
            return detail
    return None
