"""What the collector answers, as JSON."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from pteroassets.sources.events.envelope import Reason


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What was refused, and kept as a dead letter.

    Attributes:
        index: Its place in the request, from 0.
        reason: A word for programs.
        detail: The reason for people.
    """

    index: int
    reason: Reason
    detail: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request.

    Attributes:
        accepted: Events that are committed.
        refused: How many were refused.
        refusals: Those of them that come first; left out where none was.
    """

    accepted: int
    refused: int
    refusals: list[Refused] | UnsetType = UNSET


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing of a request was taken."""

    detail: str
