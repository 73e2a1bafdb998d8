"""What happens when somebody presses a button of a card: checks, a confirmation, the panel, the book of actions.

Nothing here knows Discord: whoever serves a press gives a `Member` and shows the `Reply` to them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from pteroassets.alarms.outbox import escaped
from pteroassets.bot.actions import Asked, Busy, Command, Signal, begin, claim, finish, refuse
from pteroassets.bot.asking import ServerPlace, server_place
from pteroassets.bot.cards.keeping import wake
from pteroassets.bot.cards.readings import Players, read_servers
from pteroassets.bot.cards.wording import relative
from pteroassets.bot.config import BotConfig
from pteroassets.bot.permissions import Member
from pteroassets.clock import Clock
from pteroassets.sources.pterodactyl.power import PowerAnswer
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection

CONFIRM_SECONDS: Final = 60
_RISKY: Final = frozenset({"stop", "restart"})
#: Shown to whoever presses a button of another guild than the one that is served.
OTHER_GUILD: Final = "This bot serves another guild."
READ_ONLY: Final = "This bot only reads: it has no key that may start or stop servers."
_GONE: Final = "The panel does not list this server any more."


class Power(Protocol):
    """Sends power signals."""

    def send(self, server_uuid: str, signal: Signal) -> PowerAnswer:
        """Send *signal* once and return what the panel says."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What has to be confirmed by the same person until *expires_at*."""

    signal: Signal
    server_uuid: UUID
    user_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the person who pressed is told, nobody else; with a *question* it needs a second press."""

    text: str
    question: Question | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Serves presses.

    Attributes:
        config: Of the bot.
        connect: Opens a connection to the warehouse in autocommit mode.
        clock: Of the process.
        power: Opens what sends signals; None where the bot only reads.
    """

    config: BotConfig
    connect: Callable[[], Connection]
    clock: Clock
    power: Callable[[], Power] | None

    @contextmanager
    def books(self) -> Iterator[Connection]:
        """Give a connection for one press."""
        with self.connect() as connection:
            yield connection

    def press(self, member: Member, signal: Signal, server_uuid: UUID, channel_id: int | None) -> Reply:
        """Serve a press of Start, Stop or Restart."""
        with self.books() as connection:
            asked = _asked(member, signal, channel_id, server_uuid)
            found = self._allowed(connection, member, asked)
            if isinstance(found, Reply):
                return found
            place, asked = found
            if self.power is None:
                return self._refuse(connection, asked, READ_ONLY)
            now = self.clock.now()
            players = self._players(connection, server_uuid, now)
            asked = replace(asked, players_online=players.count)
            if signal in _RISKY and players.count != 0:
                return Reply(
                    text=f"{_of(players)} **{escaped(place.name)}**. {signal.capitalize()} it anyway? "
                    f"You have {CONFIRM_SECONDS} seconds to confirm.",
                    question=Question(
                        signal=signal,
                        server_uuid=server_uuid,
                        user_id=member.user_id,
                        expires_at=now + timedelta(seconds=CONFIRM_SECONDS),
                    ),
                )
            return self._send(connection, asked, place, signal)

    def confirm(self, member: Member, question: Question, channel_id: int | None) -> Reply:
        """Serve the second press: everything is checked anew, as a role may have been taken meanwhile."""
        with self.books() as connection:
            asked = replace(_asked(member, question.signal, channel_id, question.server_uuid), is_confirmed=True)
            found = self._allowed(connection, member, asked)
            if isinstance(found, Reply):
                return found
            place, asked = found
            if member.user_id != question.user_id:
                return self._refuse(connection, asked, "Only who was asked can confirm this.")
            now = self.clock.now()
            if now > question.expires_at:
                return self._refuse(connection, asked, "The time to confirm is over: press the card's button again.")
            if self.power is None:
                return self._refuse(connection, asked, READ_ONLY)
            players = self._players(connection, question.server_uuid, now)
            return self._send(connection, replace(asked, players_online=players.count), place, question.signal)

    def address(self, member: Member, server_uuid: UUID, channel_id: int | None) -> Reply:
        """Serve a press of Show Address."""
        with self.books() as connection:
            asked = _asked(member, "address", channel_id, server_uuid)
            found = self._allowed(connection, member, asked)
            if isinstance(found, Reply):
                return found
            place, asked = found
            if place.address is None:
                return self._refuse(connection, asked, f"No address of **{escaped(place.name)}** is known.")
            self.note(connection, asked)
            return Reply(text=f"**{escaped(place.name)}** is at `{place.address}`")

    def note(self, connection: Connection, asked: Asked) -> None:
        """Write an action that needs no panel, done at once."""
        now = self.clock.now()
        with connection.transaction():
            finish(connection, begin(connection, asked, now), "done", now)

    def _allowed(self, connection: Connection, member: Member, asked: Asked) -> Reply | tuple[ServerPlace, Asked]:
        """Return the server and the action with the role that allows it, or why the member may not."""
        if member.guild_id != self.config.guild_id:
            return self._refuse(connection, asked, OTHER_GUILD)
        assert asked.server_uuid is not None  # noqa: S101 - buttons are of a server
        place = server_place(connection, asked.server_uuid)
        if place is None:
            return self._refuse(connection, asked, _GONE)
        role = self.config.roles.allowing(member, place.server_uuid, place.egg)
        if role is None:
            needed = self.config.roles.of(place.server_uuid, place.egg)
            whom = " or ".join(f"<@&{one}>" for one in sorted(needed)) or "no role: no one may"
            return self._refuse(
                connection, asked, f"You may not do this with **{escaped(place.name)}**; it takes {whom}."
            )
        return place, replace(asked, role_id=role)

    def _players(self, connection: Connection, server_uuid: UUID, now: datetime) -> Players:
        reading = read_servers(connection, now, [server_uuid]).get(server_uuid)
        if reading is None:
            return Players(count=None, reason="nothing is known of it")
        if reading.state(now).name == "unknown":
            return Players(count=None, reason="its state is not known")
        return reading.players(now, log_lag=self.config.log_lag)

    def _send(self, connection: Connection, asked: Asked, place: ServerPlace, signal: Signal) -> Reply:
        config = self.config
        claimed = claim(connection, asked, self.clock.now(), cool_down=config.cool_down, patience=config.patience)
        if isinstance(claimed, Busy):
            return self._refuse(connection, asked, _busy(claimed, place))
        assert self.power is not None  # noqa: S101 - asked before
        answer = self.power().send(str(place.server_uuid), signal)
        with connection.transaction():
            finish(
                connection,
                claimed,
                answer.outcome,
                self.clock.now(),
                reason=answer.reason or None,
                panel_status=answer.status,
            )
            wake(connection)
        name = f"**{escaped(place.name)}**"
        match answer.outcome:
            case "done":
                return Reply(text=f"{signal.capitalize()} was sent to {name}; its card shows what comes of it.")
            case "failed":
                return Reply(text=f"{signal.capitalize()} of {name} failed: {answer.reason}.")
            case _:
                return Reply(text=f"It is not known whether {name} got the signal: {answer.reason}.")

    def _refuse(self, connection: Connection, asked: Asked, text: str) -> Reply:
        refuse(connection, asked, self.clock.now(), text)
        return Reply(text=text)


def _asked(member: Member, command: Command, channel_id: int | None, server_uuid: UUID) -> Asked:
    return Asked(
        command=command,
        guild_id=member.guild_id or 0,
        channel_id=channel_id,
        user_id=member.user_id,
        user_name=member.name,
        server_uuid=server_uuid,
    )


def _of(players: Players) -> str:
    if players.count is None:
        return f"How many players are online is not known ({players.reason}) on"
    as_of = f" (by its log, {relative(players.as_of)})" if players.as_of is not None else ""
    return f"{counted(players.count, 'player is', 'players are')} online{as_of} on"


def _busy(busy: Busy, place: ServerPlace) -> str:
    name = f"**{escaped(place.name)}**"
    if busy.until is None:
        return f"<@{busy.user_id}> is already sending {busy.command} to {name}, since {relative(busy.asked_at)}."
    return (
        f"<@{busy.user_id}> sent {busy.command} to {name} {relative(busy.asked_at)}: "
        f"the next signal is taken {relative(busy.until)}."
    )
