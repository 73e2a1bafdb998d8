"""What the delivery asks of a way out, and how a way says that it did not work.

::

    DeliveryError
    ├── NotYetError           nothing was sent: the target's rate limit is used up until then
    ├── DeferredError         the same attempt may succeed later
    ├── MissingError          the message that was to be edited is gone
    └── RefusedError          an operator must change something first: the message is dead

A text of these never holds a URL, a token or a body.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from pteroassets.alarms.outbox import Body, DeadOf, Severity


class DeliveryError(Exception):
    """An attempt did not make the target agree; *status* is the HTTP status if there was an answer."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class NotYetError(DeliveryError):
    """The limits that the receiver announced allow no call before *until*; none was made."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"the rate limit is used up until {until:%H:%M:%S}")
        self.until = until


class DeferredError(DeliveryError):
    """It may work later.

    Attributes:
        wait_seconds: How long the receiver asks us to wait.
        doubtful: Whether a message may have arrived all the same.
        whole_way: Whether every other target of the way would fare the same.
    """

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        wait_seconds: float = 0.0,
        doubtful: bool = False,
        whole_way: bool = False,
    ) -> None:
        super().__init__(reason, status=status)
        self.wait_seconds = wait_seconds
        self.doubtful = doubtful
        self.whole_way = whole_way


class MissingError(DeliveryError):
    """The message is not there any more."""


class RefusedError(DeliveryError):
    """It is refused for good, for what the message says or for where it goes."""

    def __init__(self, reason: str, *, status: int | None = None, of: DeadOf) -> None:
        super().__init__(reason, status=status)
        self.of: DeadOf = of


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message at a target that has lengths: *payload* is Discord's JSON, *files* the images by name."""

    payload: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message that is at a target, and the digest of what it shows."""

    message_id: str
    digest: str


class EditableWay(Protocol):
    """A way whose messages can be edited and deleted: Discord's.

    Attributes:
        can_look: Whether the messages of a target can be listed.
    """

    can_look: bool

    @property
    def status(self) -> int | None:
        """Return the HTTP status of the last call, or None if it had no answer."""
        ...

    def post(self, target: str, part: Part, *, nonce: str) -> Posted:
        """Send a new message; one that was sent under the same *nonce* a moment ago is returned instead."""
        ...

    def edit(self, target: str, message_id: str, part: Part) -> None:
        """Make a message say what *part* says."""
        ...

    def delete(self, target: str, message_id: str) -> None:
        """Delete a message."""
        ...

    def look(self, target: str, *, since: datetime) -> Sequence[Posted]:
        """Return our own messages at the target since then, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message for a way that only sends; *id* stays the same when it is sent again."""

    id: str
    key: str
    severity: Severity
    title: str
    text: str
    facts: Mapping[str, str | None]


@runtime_checkable
class SendingWay(Protocol):
    """A way whose messages are sent and out of reach then: mail, ntfy, Slack, a plain webhook."""

    @property
    def status(self) -> int | None:
        """Return the HTTP status of the last call, or None if it had no answer."""
        ...

    def send(self, notice: Notice) -> None:
        """Send *notice*."""
        ...


Way = EditableWay | SendingWay


def plain(body: Body) -> str:
    """Return what *body* says in plain words."""
    if body.text:
        return body.text
    lines = [body.content]
    for embed in body.embeds:
        lines += [embed.title, embed.description]
        lines += [f"{one.name}: {one.value}" for one in embed.fields]
        lines += [embed.footer, embed.url or ""]
    return "\n".join(filter(None, lines))
