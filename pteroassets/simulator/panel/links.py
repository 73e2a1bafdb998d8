"""Signed links: the panel makes them, a node honours each of them once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import jwt

from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import MINUTE, mix
from pteroassets.simulator.world.entities import Node

LIFETIME: Final = 15 * MINUTE


class BadLink(Exception):  # noqa: N818 - says what a link turned out to be
    """The token of a link is not one of ours, or too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a signed link allows: one download of one file."""

    server_uuid: str
    path: str
    unique_id: str


class Links:
    """Makes links and remembers which were used."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made = 0
        self._used: set[str] = set()

    def make(self, *, node: Node, node_url: str, panel_url: str, server_uuid: str, path: str, now: int) -> str:
        """Return the address under which *node* gives out a file until `LIFETIME` from *now*."""
        self._made += 1
        unique_id = f"{mix(self._seed, now, self._made):016x}"
        claims = {
            "iss": panel_url,
            "aud": [node_url],
            "jti": unique_id,
            "iat": now,
            "nbf": now - 300,
            "exp": now + LIFETIME,
            "file_path": path,
            "server_uuid": server_uuid,
            "unique_id": unique_id,
        }
        token = jwt.encode(claims, node.token, algorithm="HS256")
        return f"{node_url}{CANARIES['signed_link']}{token}"

    def redeem(self, token: str, *, node: Node, now: int) -> Ticket | None:
        """Return what *token* allows and use it up; None where it was used before.

        Raises:
            BadLink: The token is forged, of another node, or out of date.
        """
        options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        try:
            claims = jwt.decode(token, node.token, algorithms=["HS256"], options=options)
        except jwt.InvalidTokenError as error:
            raise BadLink(str(error)) from error
        if not claims["nbf"] <= now <= claims["exp"]:
            raise BadLink("out of date")
        if claims["unique_id"] in self._used:
            return None
        self._used.add(claims["unique_id"])
        return Ticket(server_uuid=claims["server_uuid"], path=claims["file_path"], unique_id=claims["unique_id"])
