# ruff: noqa: PLR2004 - the shares and counts of a made-up world mean nothing beyond themselves
"""The players of a world: names, habits, zones, and when they mean to play.

What a player means to do does not depend on what servers do: a wish is cut by the runs of the server later (`life`).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final

from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import DAY, MINUTE, dice, mix, uuid4_of
from pteroassets.simulator.world.entities import Server
from pteroassets.simulator.world.estate import Estate
from pteroassets.simulator.world.plans import PEOPLE, Network
from pteroassets.simulator.world.software import HABITS
from pteroassets.simulator.world.zones import Zone

_PREFIXING, _SYLLABLES, _ENDINGS = (PEOPLE[name] for name in ("prefixing", "syllables", "endings"))
_DAYS_AHEAD: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """One person who plays.

    *home* is the index of the server they belong to, *guest* of another one they visit at times. *xuid* is the number
    of the account of those who play on phones and consoles, *gamertag* what it is called there.
    """

    home: int
    number: int
    uuid: str
    names: tuple[tuple[int, str], ...]
    zone: str
    peak_hour: float
    daily: float
    weekend: float
    mean_minutes: float
    address: str
    guest: int | None
    key: int
    xuid: int | None = None
    gamertag: str = ""

    def name(self, at: int) -> str:
        """Return the name the player has at *at*."""
        return next(name for since, name in reversed(self.names) if since <= at)

    def former_name(self, at: int) -> str | None:
        """Return the name before the present one at *at*."""
        known = [name for since, name in self.names if since <= at]
        return known[-2] if len(known) > 1 else None

    def uuid_on(self, server: Server, at: int) -> str:
        """Return the UUID that *server*'s log shows: made from the name where accounts are not checked."""
        if not server.is_offline_mode or self.xuid is not None:
            return self.uuid
        digest = bytearray(hashlib.md5(f"OfflinePlayer:{self.name(at)}".encode()).digest())  # noqa: S324 - as servers do
        digest[6] = digest[6] & 0x0F | 0x30
        digest[8] = digest[8] & 0x3F | 0x80
        return str(uuid.UUID(bytes=bytes(digest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A stretch of time that a player means to spend on a server; in a network others follow, unless it *is_last*."""

    player: Player
    server: int
    begin: int
    end: int
    is_last: bool = True


class Players:
    """Everybody who plays in a world."""

    def __init__(self, seed: int, estate: Estate) -> None:
        self._seed = seed
        self._estate = estate
        self._zones: dict[str, Zone] = {}
        self._homes: dict[int, list[Player]] = {}
        self._communities: dict[int, list[Player]] = {}
        # whose players visit one another: not those behind a proxy, nor those of other accounts
        self._open = [index for index in range(estate.base_count) if self._is_open(index)]
        self._wishes = lru_cache(maxsize=20_000)(self._wishes_of)

    def _is_open(self, index: int) -> bool:
        server = self._estate.server(index)
        software = server.software(server.created_at)
        return (
            software != "none"
            and HABITS[software].keeps_java_accounts
            and not server.has_geyser
            and index not in self._estate.network_of
            and not HABITS[software].is_proxy
        )

    def zone(self, name: str) -> Zone:
        """Return the zone called *name*."""
        return self._zones.setdefault(name, Zone(name))

    def community(self, index: int) -> list[Player]:
        """Return who plays on the server numbered *index*."""
        known = self._communities.get(index)
        if known is None:
            known = list(self._home(index))
            if index in self._open:
                place = self._open.index(index)
                following = self._open[(place + 1) % len(self._open)]
                if following != index:
                    known += [player for player in self._home(following) if player.guest == index]
            self._communities[index] = known
        return known

    def wishes(self, index: int, begin: int, end: int) -> list[Wish]:
        """Return the wishes for the server numbered *index* that touch [*begin*, *end*), in order of time."""
        network = self._estate.network_of.get(index)
        if network is None:
            found = [
                wish
                for player in self.community(index)
                for wish in self._around(player, begin, end)
                if wish.server == index
            ]
        else:
            found = [
                leg
                for _, home in network.members
                for player in self._home(home)
                for wish in self._around(player, begin, end)
                for leg in self._legs(network, wish)
                if leg.server == index and leg.begin < end and leg.end > begin
            ]
        return sorted(found, key=lambda wish: (wish.begin, wish.player.key))

    def _around(self, player: Player, begin: int, end: int) -> Iterator[Wish]:
        zone = self.zone(player.zone)
        for day in range(zone.day(begin) - _DAYS_AHEAD, zone.day(end) + 1):
            for wish in self._wishes(player, day):
                if wish.begin < end and wish.end > begin:
                    yield wish

    def _legs(self, network: Network, wish: Wish) -> list[Wish]:
        """Return the way through *network* of somebody who means to spend *wish* there.

        One back-end is left up to two seconds after the next one is entered, as proxies do it.
        """
        throw = dice(self._seed, "legs", wish.player.key, wish.begin)
        lobby = network.members[0][1]
        goal = wish.server
        if goal == lobby and throw.random() < 0.6:
            goal = throw.choice(network.members[1:])[1]
        length = wish.end - wish.begin
        stops = [(lobby, wish.begin)]
        if goal != lobby and length > 6 * MINUTE:
            stops.append((goal, wish.begin + throw.randrange(25, 2 * MINUTE)))
            if length > 30 * MINUTE and throw.random() < 0.25:
                stops.append((lobby, wish.end - throw.randrange(MINUTE, 4 * MINUTE)))
        legs = [
            replace(wish, server=server, begin=begin, end=following + throw.randrange(3), is_last=False)
            for (server, begin), (_, following) in pairwise(stops)
        ]
        server, begin = stops[-1]
        return [*legs, replace(wish, server=server, begin=begin)]

    def _home(self, index: int) -> list[Player]:
        known = self._homes.get(index)
        if known is None:
            known = self._homes[index] = list(self._make(index))
        return known

    def _make(self, index: int) -> Iterator[Player]:
        throw = dice(self._seed, "community", index)
        server = self._estate.server(index)
        count = 20 if index == 0 else min(3 + int(throw.lognormvariate(1.2, 0.6)), 16)
        place = self._open.index(index) if index in self._open else 0
        before = self._open[place - 1] if place else None
        is_bedrock = not HABITS[server.software(server.created_at)].keeps_java_accounts
        used: set[str] = set()
        for number in range(count):
            own = dice(self._seed, "player", index, number)
            if index == 0 and number < len(_PREFIXING):
                name = _PREFIXING[number]
            else:
                base = f"{own.choice(_SYLLABLES)}{own.choice(_ENDINGS)}"
                while f"{base}_{index}" in used:
                    base = f"{own.choice(_SYLLABLES)}{own.choice(_SYLLABLES)}{own.randrange(100)}"
                # the home's number keeps names apart: on one server a name is one person
                name = f"{base}_{index}"
            used.add(name)
            xuid, gamertag = None, ""
            if is_bedrock or (server.has_geyser and number % 2):
                xuid = 2535400000000000 + mix(self._seed, index, number, 9) % 10**9
                gamertag = f"{own.choice(_SYLLABLES)} {own.choice(_SYLLABLES)} {index}{number:02}"
                # Floodgate puts a dot before the names of guests from there, and takes no spaces
                name = gamertag if is_bedrock else "." + gamertag.replace(" ", "_")
            names = [(0, name)]
            if number == len(_PREFIXING) and not server.is_offline_mode and index in {0, 1, 2}:
                names.append(
                    (self._estate.anchor - (self._estate.anchor - self._estate.start) // 3, f"{name[:9]}_new{index}")
                )
            is_v6 = own.random() < 0.08
            host = 1 + mix(self._seed, index, number) % 250
            address = (
                f"[{CANARIES['player_address_v6']}{host:x}:{number:x}]"
                if is_v6
                else f"{CANARIES['player_address']}{host}"
            )
            zone = server.zone if own.random() < 0.8 else own.choice(("Europe/London", "America/Chicago", "Asia/Tokyo"))
            yield Player(
                home=index,
                number=number,
                uuid=uuid4_of(self._seed, "player", index, number) if xuid is None else str(uuid.UUID(int=xuid)),
                names=tuple(names),
                zone=zone,
                peak_hour=own.gauss(19.5, 1.8),
                daily=0.9 if number < 4 else own.uniform(0.15, 0.8),
                weekend=own.uniform(1.1, 1.8),
                mean_minutes=own.uniform(25, 130),
                address=address,
                guest=before if before is not None and own.random() < 0.25 else None,
                key=mix(self._seed, index, number),
                xuid=xuid,
                gamertag=gamertag,
            )

    def _wishes_of(self, player: Player, day: int) -> tuple[Wish, ...]:
        zone = self.zone(player.zone)
        throw = dice(self._seed, "day", player.home, player.number, day)
        is_weekend = (day + 3) % 7 >= 5  # 1970-01-01 was a Thursday
        likely = min(player.daily * (player.weekend if is_weekend else 1.0), 0.97)
        count = sum(throw.random() < likely * share for share in (1.0, 0.45, 0.2))
        if not count:
            return ()
        midnight = zone.midnight(day)
        last = zone.midnight(day + 1) + 5 * 60 * MINUTE
        hours = sorted(min(max(throw.gauss(player.peak_hour, 3.2), 6.2), 23.8) for _ in range(count))
        wishes: list[Wish] = []
        free = midnight
        for hour in hours:
            begin = max(zone.at(day, hour) + throw.randrange(60), free)
            length = int(min(max(throw.lognormvariate(0, 0.7) * player.mean_minutes, 1.5), 330) * MINUTE)
            end = min(begin + length, last)
            if end - begin < MINUTE or begin >= midnight + DAY:
                continue
            where = player.guest if player.guest is not None and throw.random() < 0.25 else player.home
            wishes.append(Wish(player=player, server=where, begin=begin, end=end))
            free = end + 3 * MINUTE + throw.randrange(10 * MINUTE)
        return tuple(wishes)
