"""The game's own death messages, from 1.7 to 26.1.

One pattern for each family of templates: what follows the player's name, to the end of the line. Text of a mod or a
plugin that is none of these is no death.
"""

from __future__ import annotations

import re

_K = r"(?P<killer>.+?)"
_I = r"(?P<item>.+)"
_USING = rf"(?: (?:using|wielding|with) {_I})?"
_FLEEING = rf"(?: (?:while|whilst) (?:trying to escape|fighting) {_K}{_USING}| to escape {_K})?"

# families in the order in which they are tried: the more specific one first
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("intentional_game_design", r"was killed by \[Intentional Game Design\]"),
    ("thorns", rf"was killed (?:by (?P<weapon>.+?) )?(?:while )?trying to hurt {_K}"),
    ("magic", rf"was killed by (?:even more )?magic{_FLEEING}|was killed by {_K} using magic"),
    ("indirect_magic", rf"was killed by {_K} using {_I}"),
    ("melee", rf"was slain by {_K}{_USING}"),
    ("skull", rf"was shot by (?:a skull from {_K}{_USING}|a {_K}'s skull{_USING})"),
    ("arrow", rf"was shot by {_K}{_USING}"),
    ("thrown", rf"was pummeled by {_K}{_USING}"),
    ("fireball", rf"was fireballed by {_K}{_USING}"),
    ("trident", rf"was impaled (?:to death )?by {_K}{_USING}"),  # "to death": PocketMine
    ("mace", rf"was smashed by {_K}{_USING}"),
    ("spear", rf"was speared by {_K}{_USING}"),
    ("explosion", rf"blew up|was blown up by {_K}{_USING}"),
    ("falling_block", rf"was (?:squashed by a falling (?:anvil|block)|skewered by a falling stalactite){_FLEEING}"),
    ("stalagmite", rf"was impaled on a stalagmite{_FLEEING}"),
    ("cramming", rf"was squished too much{_FLEEING}|was squashed by {_K}"),
    (
        "fall",
        (
            rf"hit the ground too hard{_FLEEING}|fell from a high place|fell off (?:a ladder"
            rf"|(?:some )?(?:weeping |twisting )?vines|scaffolding)"
            rf"|fell while climbing|fell out of the water|was doomed to fall(?: by {_K}{_USING})?"
            rf"|fell too far and was finished by {_K}{_USING}"
        ),
    ),
    ("flight", rf"experienced kinetic energy{_FLEEING}"),
    (
        "fire",
        (
            rf"went up in flames|walked into fire (?:while|whilst) fighting {_K}{_USING}|burned to death"
            rf"|was (?:burnt|burned) to a crisp(?: (?:while|whilst) fighting {_K}{_USING})"
        ),
    ),
    ("lava", rf"tried to swim in lava{_FLEEING}"),
    ("hot_floor", rf"discovered (?:the )?floor was lava|walked into (?:the )?danger zone due to {_K}"),
    ("drowning", rf"drowned{_FLEEING}"),
    ("dehydration", rf"died from dehydration{_FLEEING}"),
    ("suffocation", rf"suffocated in a wall{_FLEEING}"),
    (
        "plant",
        (
            rf"was pricked to death|walked into a cactus (?:while|whilst) trying to escape {_K}"
            rf"|was poked to death by a sweet berry bush{_FLEEING}"
        ),
    ),
    ("sting", rf"was stung to death(?: by {_K}{_USING})?"),
    ("frost", rf"froze to death|was frozen to death by {_K}"),
    ("wither", rf"withered away{_FLEEING}"),
    ("dragon_breath", rf"was roasted in dragon(?:'s)? breath(?: by {_K})?"),
    ("sonic_boom", rf"was obliterated by a sonically-charged shriek{_FLEEING}"),
    ("fireworks", rf"went off with a bang(?: due to a firework fired from {_I} by {_K})?{_FLEEING}"),
    ("lightning", rf"was struck by lightning{_FLEEING}"),
    ("starvation", rf"starved to death{_FLEEING}"),
    ("void", rf"fell out of the world|didn't want to live in the same world as {_K}"),
    ("border", rf"left the confines of this world{_FLEEING}"),
    ("generic", rf"died(?: because of {_K})?|was killed{_FLEEING}"),
)

#: The words with which any of the messages begins: what the scan of a block looks for after a first word.
FIRST_WORDS = (
    *(b"was slain", b"was shot", b"was pummeled", b"was fireballed", b"was impaled", b"was smashed", b"was speared"),
    *(b"was blown", b"was killed", b"was squashed", b"was skewered", b"was squished", b"was doomed", b"was burnt"),
    *(b"was burned", b"was pricked", b"was poked", b"was stung", b"was frozen", b"was roasted", b"was obliterated"),
    *(b"was struck", b"went up", b"went off", b"walked into", b"withered away", b"drowned", b"died", b"discovered"),
    *(b"didn't want", b"blew up", b"burned to", b"fell ", b"froze to", b"hit the ground", b"experienced kin"),
    *(b"tried to swim", b"suffocated in", b"starved to", b"left the confines"),
)


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
    for cause, pattern in _FAMILIES:
        for word in dict.fromkeys(phrase.decode().partition(" ")[0] for phrase in FIRST_WORDS):
            if re.search(rf"(?:^|\|){word}\b", pattern):
                found.setdefault(word, []).append((cause, _compile(pattern)))
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
