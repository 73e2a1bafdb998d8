"""The four stock nests of a panel, one of its owner's making, and their eggs: read from ``catalog.toml``."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

from pteroassets.simulator.world.software import HABITS, Software

_JAVA_START = "java -Xms128M -XX:MaxRAMPercentage=95.0 -jar {{SERVER_JARFILE}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of an egg."""

    id: int
    name: str
    env: str
    default: str
    rules: str
    is_viewable: bool = True
    is_editable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Egg:
    """A kind of server that the panel can install."""

    id: int
    nest_id: int
    name: str
    images: dict[str, str]
    entry: str
    installer: str
    description: str | None = None
    startup: str = _JAVA_START
    stop: str = "stop"
    done: str = ")! For help, type "
    software: Software = "none"
    features: tuple[str, ...] | None = None
    files: dict[str, Any] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()

    @property
    def is_minecraft_server(self) -> bool:
        """Whether servers of this egg write Minecraft logs."""
        return self.software != "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nest:
    """A group of eggs."""

    id: int
    name: str
    description: str | None = None


_JAVA = {f"Java {version}": f"ghcr.io/pterodactyl/yolks:java_{version}" for version in (21, 17, 16, 11, 8)}
_PROPERTIES = {
    "server.properties": {
        "parser": "properties",
        "find": {"server-ip": "0.0.0.0", "server-port": "{{server.build.default.port}}"},  # noqa: S104 - text of an egg
    }
}
_FEATURES = ("eula", "java_version", "pid_limit")


def _egg(number: int, row: Mapping[str, Any], variable_ids: Iterator[int]) -> Egg:
    is_java = row.get("startup", _JAVA_START).startswith("java ")
    software = row.get("software", "none")
    return Egg(
        **{
            **row,
            "id": number,
            "variables": tuple(Variable(id=next(variable_ids), **variable) for variable in row["variables"]),
        },
        images=_JAVA if is_java else {row["name"]: f"ghcr.io/pterodactyl/games:{row['name'].split()[0].lower()}"},
        entry="ash" if is_java else "bash",
        installer="ghcr.io/pterodactyl/installers:" + ("alpine" if is_java else "debian"),
        features=_FEATURES if is_java else None,
        files=_PROPERTIES if is_java and not HABITS[software].is_proxy else {},
    )


_ROWS = tomllib.loads(files(__package__).joinpath("catalog.toml").read_text(encoding="utf-8"))
_VARIABLE_IDS = itertools.count(1)
NESTS: Final = tuple(Nest(id=number, **row) for number, row in enumerate(_ROWS["nests"], start=1))
EGGS: Final = tuple(_egg(number, row, _VARIABLE_IDS) for number, row in enumerate(_ROWS["eggs"], start=1))
EGG_BY_ID: Final = {egg.id: egg for egg in EGGS}
EGG_BY_NAME: Final = {egg.name: egg for egg in EGGS}
