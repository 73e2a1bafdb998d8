"""In which folder each server keeps its logs: what the operator says of it, else what its egg is known for."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from pteroassets.landing.servers import ServerTraits
from pteroassets.sources.minecraft.places import DEFAULT_FOLDER, Egg, place_of

_FILE = re.compile(r"\.(?:log|txt)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where one server's logs are.

    Attributes:
        folder: From the server's root; None for a server of another game.
        live: The one file there that is a log; None where names tell.
        reason: Why there is no folder.
    """

    folder: str | None
    live: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlaces:
    """Paths by server uuid or by the name of an egg (``PTEROASSETS_LOG_PATHS``), before what is known of eggs."""

    by_name: Mapping[str, str] = field(default_factory=dict)

    def of(self, server_uuid: uuid.UUID, traits: ServerTraits | None) -> Whereabouts:
        """Return where a server's logs are; one whose egg is not known is looked at where most keep theirs."""
        paths = {name.strip().casefold(): path for name, path in self.by_name.items()}
        egg_name = traits.egg_name if traits is not None else None
        for name in (str(server_uuid), egg_name):
            if name is not None and (path := paths.get(name.strip().casefold())) is not None:
                return _of_path(path)
        if traits is None or egg_name is None:
            return Whereabouts(folder=DEFAULT_FOLDER)
        place = place_of(
            Egg(
                name=egg_name,
                nest=traits.nest_name or "",
                image=traits.image,
                startup=traits.startup,
                done=traits.done,
                files=tuple(traits.files),
            )
        )
        if place is None:
            return Whereabouts(
                folder=None,
                reason=f"its egg {egg_name!r} is for another game; if not, set its path in PTEROASSETS_LOG_PATHS",
            )
        return Whereabouts(folder=place.folder)


def _of_path(path: str) -> Whereabouts:
    if not _FILE.search(path):
        return Whereabouts(folder=path.rstrip("/") or "/")
    folder, _, name = path.rpartition("/")
    return Whereabouts(folder=folder or "/", live=name)
