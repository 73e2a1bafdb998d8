"""The game's own death messages, each with the cause and the killer that it names."""

from __future__ import annotations

import pytest

from tests.sources.minecraft.writing import paper, parse

# %2 is the killer, %3 the item; both wordings where they changed
TEMPLATES = {
    "melee": ["was slain by %2", "was slain by %2 using %3"],
    "arrow": ["was shot by %2", "was shot by %2 using %3"],
    "thrown": ["was pummeled by %2", "was pummeled by %2 using %3"],
    "fireball": ["was fireballed by %2", "was fireballed by %2 using %3"],
    "skull": ["was shot by a skull from %2", "was shot by a skull from %2 using %3", "was shot by a %2's skull"],
    "trident": ["was impaled by %2", "was impaled by %2 with %3", "was impaled to death by %2"],
    "mace": ["was smashed by %2", "was smashed by %2 with %3"],
    "spear": ["was speared by %2", "was speared by %2 using %3"],
    "explosion": ["blew up", "was blown up by %2", "was blown up by %2 using %3"],
    "intentional_game_design": ["was killed by [Intentional Game Design]"],
    "fall": [
        *("hit the ground too hard", "hit the ground too hard while trying to escape %2"),
        *("hit the ground too hard whilst trying to escape %2", "fell from a high place", "fell off a ladder"),
        *("fell off some vines", "fell off some weeping vines", "fell off some twisting vines", "fell off scaffolding"),
        *("fell while climbing", "fell out of the water", "was doomed to fall", "was doomed to fall by %2"),
        *("was doomed to fall by %2 using %3", "fell too far and was finished by %2"),
        "fell too far and was finished by %2 using %3",
    ],
    "flight": ["experienced kinetic energy", "experienced kinetic energy while trying to escape %2"],
    "fire": [
        *("went up in flames", "walked into fire while fighting %2", "walked into fire whilst fighting %2"),
        *("burned to death", "was burnt to a crisp whilst fighting %2", "was burned to a crisp while fighting %2"),
        "was burned to a crisp while fighting %2 wielding %3",
    ],
    "lava": ["tried to swim in lava", "tried to swim in lava to escape %2"],
    "hot_floor": [
        *("discovered the floor was lava", "discovered floor was lava"),
        *("walked into the danger zone due to %2", "walked into danger zone due to %2"),
    ],
    "drowning": ["drowned", "drowned while trying to escape %2"],
    "dehydration": ["died from dehydration", "died from dehydration while trying to escape %2"],
    "suffocation": ["suffocated in a wall", "suffocated in a wall while fighting %2"],
    "cramming": ["was squished too much", "was squashed by %2"],
    "falling_block": [
        *("was squashed by a falling anvil", "was squashed by a falling anvil while fighting %2"),
        *("was squashed by a falling block", "was squashed by a falling block while fighting %2"),
        *("was skewered by a falling stalactite", "was skewered by a falling stalactite while fighting %2"),
    ],
    "stalagmite": ["was impaled on a stalagmite", "was impaled on a stalagmite while fighting %2"],
    "plant": [
        *("was pricked to death", "walked into a cactus while trying to escape %2"),
        *(
            "was poked to death by a sweet berry bush",
            "was poked to death by a sweet berry bush while trying to escape %2",
        ),
    ],
    "sting": ["was stung to death", "was stung to death by %2", "was stung to death by %2 using %3"],
    "frost": ["froze to death", "was frozen to death by %2"],
    "magic": [
        *("was killed by magic", "was killed by magic while trying to escape %2", "was killed by %2 using magic"),
        "was killed by even more magic",
    ],
    "indirect_magic": ["was killed by %2 using %3"],
    "wither": ["withered away", "withered away while fighting %2"],
    "dragon_breath": [
        *("was roasted in dragon's breath", "was roasted in dragon's breath by %2"),
        *("was roasted in dragon breath", "was roasted in dragon breath by %2"),
    ],
    "sonic_boom": [
        *("was obliterated by a sonically-charged shriek",),
        *("was obliterated by a sonically-charged shriek while trying to escape %2",),
        *("was obliterated by a sonically-charged shriek while trying to escape %2 wielding %3",),
    ],
    "thorns": [
        *("was killed while trying to hurt %2", "was killed trying to hurt %2"),
        *("was killed by %3 while trying to hurt %2", "was killed by %3 trying to hurt %2"),
    ],
    "fireworks": [
        *("went off with a bang", "went off with a bang while fighting %2"),
        "went off with a bang due to a firework fired from %3 by %2",
    ],
    "lightning": ["was struck by lightning", "was struck by lightning while fighting %2"],
    "starvation": ["starved to death", "starved to death while fighting %2"],
    "void": ["fell out of the world", "didn't want to live in the same world as %2"],
    "border": ["left the confines of this world", "left the confines of this world while fighting %2"],
    "generic": ["died", "died because of %2", "was killed", "was killed while fighting %2"],
}


@pytest.mark.parametrize(
    ("cause", "template"), [(cause, template) for cause, templates in TEMPLATES.items() for template in templates]
)
def test_each_template_is_a_death(cause: str, template: str) -> None:
    text = template.replace("%2", "Zombie").replace("%3", "[Old Sword]")
    for name in ("Al", "Duke of Dirt"):
        (event,) = parse(paper(f"12:00:00 {name} {text}"), keep_text=True)
        assert (event.kind, event.player) == ("player_death", name)
        expected = {"cause": cause}
        if "%2" in template:
            expected["killer"] = "Zombie"
        if "%3" in template:
            expected["item"] = "[Old Sword]"
        assert event.detail == expected


def test_what_is_no_template_is_no_death() -> None:
    for text in (
        "was promoted to Owner",
        "died of boredom",
        "fell asleep",
        "was killed in a duel by Bo, again",
        "drowned his sorrows",
    ):
        assert parse(paper(f"12:00:00 Al {text}")) == []
