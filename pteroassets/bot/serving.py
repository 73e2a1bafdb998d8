"""What commands do: place, refresh and remove cards, and answer questions. Nothing here knows Discord."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from pteroassets.alarms.incidents.actions import NoIncidentError, acknowledge, snooze
from pteroassets.alarms.outbox import Embed, escaped
from pteroassets.bot import asking
from pteroassets.bot.actions import Asked, Command, begin, finish, refuse
from pteroassets.bot.asking import Choice
from pteroassets.bot.cards.contents import HOST, CardKind
from pteroassets.bot.cards.keeping import place, purge, refresh, remove_channel, remove_deleted
from pteroassets.bot.config import BotConfig
from pteroassets.bot.permissions import Member
from pteroassets.bot.pressing import OTHER_GUILD, Reply
from pteroassets.clock import Clock
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection

NOT_BUILT: Final = "The platform has not built its tables yet: try again in a few minutes."
#: Ranges of /top in days.
RANGES: Final = (1, 7, 30, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clerk:
    """Serves commands.

    Attributes:
        config: Of the bot.
        connect: Opens a connection to the warehouse in autocommit mode.
        clock: Of the process.
    """

    config: BotConfig
    connect: Callable[[], Connection]
    clock: Clock

    def choices(self, text: str = "") -> list[Choice]:
        """Return what a card may be of."""
        with self.connect() as connection:
            return asking.choices(connection, text)

    def overview(self) -> tuple[Embed, Sequence[Choice]]:
        """Return the totals of all servers, and what a card may be of."""
        with self.connect() as connection:
            now, log_lag = self.clock.now(), self.config.log_lag
            return asking.totals(connection, now, log_lag=log_lag), asking.choices(connection)

    def place(self, member: Member, channel_id: int, value: str) -> str:
        """Place a card in a channel, in place of an older one there; return what the member is told."""
        now = self.clock.now()
        with self.connect() as connection:
            known = {one.value: one for one in asking.choices(connection)}
            chosen = known.get(value) or _by_name(known.values(), value)
            if chosen is None:
                return f"No server or network is called {escaped(value)}: choose one that is suggested."
            kind, _, subject = chosen.value.partition(":")
            server = UUID(subject) if kind == "server" else None
            with connection.transaction():
                self._note(connection, member, "place", channel_id, now, server_uuid=server, subject=subject or HOST)
                place(
                    connection,
                    guild_id=self.config.guild_id,
                    channel_id=channel_id,
                    kind=cast("CardKind", kind),
                    subject=subject or HOST,
                    user_id=member.user_id,
                    at=now,
                )
        return f"The card of **{escaped(chosen.name)}** will appear here."

    def refresh(self, member: Member, channel_id: int | None) -> str:
        """Have all cards of the guild written anew; return what the member is told."""
        now = self.clock.now()
        with self.connect() as connection, connection.transaction():
            self._note(connection, member, "refresh", channel_id, now)
            found = refresh(connection, self.config.guild_id)
        return (
            f"{counted(found, 'card')} will be written anew."
            if found
            else "There is no card: /server_status places one."
        )

    def purge(
        self, member: Member, channel_id: int | None, *, everywhere: bool, may_manage: bool, may_manage_guild: bool
    ) -> str:
        """Remove the cards of a channel, or all; only for who may press buttons, or manage the messages there.

        What somebody may in one channel says nothing of the others: for all it takes who manages the guild.
        """
        now = self.clock.now()
        with self.connect() as connection, connection.transaction():
            if not (may_manage_guild if everywhere else may_manage) and self.config.roles.any_of(member) is None:
                whom = "manage this Discord server" if everywhere else "manage messages here"
                where = " of all channels" if everywhere else ""
                text = f"Only who may {whom}, or press the buttons of a card, may remove cards{where}."
                refuse(connection, self._asked(member, "purge", channel_id), now, text)
                return text
            self._note(connection, member, "purge", channel_id, now)
            found = purge(connection, self.config.guild_id, None if everywhere else channel_id, now)
        return f"{counted(found, 'card')} will be removed." if found else "There is no card here."

    def who(self, server: str | None) -> Embed:
        """Return who is online."""
        with self.connect() as connection:
            server_uuid = _server_of(connection, server)
            return asking.who(connection, self.clock.now(), server_uuid, log_lag=self.config.log_lag)

    def top(self, days: int, server: str | None) -> Embed:
        """Return who played most."""
        with self.connect() as connection:
            return asking.top(connection, self.clock.now().date(), days, _server_of(connection, server))

    def incidents(self) -> Embed:
        """Return what is wrong now."""
        with self.connect() as connection:
            return asking.incidents(connection)

    def acknowledge(self, member: Member, incident_id: int, channel_id: int | None) -> Reply:
        """Note that the member looks after an incident."""
        return self._incident(
            member,
            "acknowledge",
            incident_id,
            channel_id,
            lambda books, now: acknowledge(books, incident_id, by=member.name, at=now),
        )

    def snooze(self, member: Member, incident_id: int, minutes: int, channel_id: int | None) -> Reply:
        """Say nothing of an incident for a while."""
        return self._incident(
            member,
            "snooze",
            incident_id,
            channel_id,
            lambda books, now: snooze(books, incident_id, minutes=minutes, by=member.name, at=now),
        )

    def _incident(
        self,
        member: Member,
        command: Command,
        incident_id: int,
        channel_id: int | None,
        act: Callable[[Connection, datetime], str],
    ) -> Reply:
        now = self.clock.now()
        asked = self._asked(member, command, channel_id, subject=str(incident_id))
        with self.connect() as connection:
            reason = (
                OTHER_GUILD
                if member.guild_id != self.config.guild_id
                else "Only who may press the buttons of a card may do this."
                if asked.role_id is None
                else None
            )
            if reason is None:
                try:
                    with connection.transaction():
                        text = act(connection, now)
                        finish(connection, begin(connection, asked, now), "done", now)
                    return Reply(text=text)
                except NoIncidentError as error:
                    reason = str(error)
            refuse(connection, asked, now, reason)
            return Reply(text=reason)

    def message_deleted(self, channel_id: int, message_ids: Sequence[int]) -> int:
        """Forget the cards of messages that somebody deleted."""
        with self.connect() as connection:
            return remove_deleted(connection, channel_id, message_ids, self.clock.now())

    def channel_deleted(self, channel_id: int) -> int:
        """Forget the cards of a channel that somebody deleted."""
        with self.connect() as connection:
            return remove_channel(connection, channel_id, self.clock.now())

    def _asked(
        self,
        member: Member,
        command: Command,
        channel_id: int | None,
        *,
        server_uuid: UUID | None = None,
        subject: str | None = None,
    ) -> Asked:
        return Asked(
            command=command,
            guild_id=self.config.guild_id,
            channel_id=channel_id,
            user_id=member.user_id,
            user_name=member.name,
            role_id=self.config.roles.any_of(member),
            server_uuid=server_uuid,
            subject=subject,
        )

    def _note(
        self,
        connection: Connection,
        member: Member,
        command: Command,
        channel_id: int | None,
        now: datetime,
        *,
        server_uuid: UUID | None = None,
        subject: str | None = None,
    ) -> None:
        asked = self._asked(member, command, channel_id, server_uuid=server_uuid, subject=subject)
        finish(connection, begin(connection, asked, now), "done", now)


class UnknownServerError(Exception):
    """Somebody named a server that there is not; the text is fit to show."""


def _server_of(connection: Connection, value: str | None) -> UUID | None:
    """Return the server that *value* of an option names, by what was suggested or by its name; None for all."""
    if value is None:
        return None
    known = {one.value: one for one in asking.choices(connection) if one.value.startswith("server:")}
    chosen = known.get(value) or _by_name(known.values(), value)
    if chosen is None:
        raise UnknownServerError(f"No server is called {escaped(value)}: choose one that is suggested.")
    return UUID(chosen.value.partition(":")[2])


def _by_name(known: Iterable[Choice], name: str) -> Choice | None:
    found = [one for one in known if one.name.lower() == name.strip().lower()]
    return found[0] if len(found) == 1 else None
