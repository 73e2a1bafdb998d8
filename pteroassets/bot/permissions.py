"""Who may press what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Who pressed: a user of Discord, in which guild, with which roles."""

    guild_id: int | None
    user_id: int
    name: str
    role_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Roles:
    """Roles that may press the buttons of a server's card: of all servers under None, else by server's UUID or egg.

    What is said of a server goes before what is said of its egg, and both before what is said of all: it replaces it.
    """

    by_name: Mapping[str | None, Collection[int]]

    def of(self, server_uuid: UUID, egg: str | None) -> frozenset[int]:
        """Return the roles for one server."""
        for name in (str(server_uuid), egg):
            if name is not None and name in self.by_name:
                return frozenset(self.by_name[name])
        return frozenset(self.by_name.get(None, ()))

    def all(self) -> frozenset[int]:
        """Return every role that is named."""
        return frozenset(role for roles in self.by_name.values() for role in roles)

    def allowing(self, member: Member, server_uuid: UUID, egg: str | None) -> int | None:
        """Return the role by which *member* may press the buttons of a server's card, or None where there is none."""
        return min(self.of(server_uuid, egg) & member.role_ids, default=None)

    def any_of(self, member: Member) -> int | None:
        """Return a role of *member* that may press the buttons of some server's card."""
        return min(self.all() & member.role_ids, default=None)
