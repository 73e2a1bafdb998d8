# ruff: noqa: PLR2004 - the shares and counts of a made-up world mean nothing beyond themselves
"""The life of a Minecraft server: its runs, and within each run who came, when and how they left.

A run is decided when it is first asked for, to its end, from the server's own dice; nothing in it depends on when or in
what order it was asked. Times are whole seconds since the epoch.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Final, Literal, NamedTuple

from pteroassets.simulator.world.chance import DAY, HOUR, MINUTE, WEEK, dice
from pteroassets.simulator.world.entities import Server
from pteroassets.simulator.world.players import Player, Players, Wish
from pteroassets.simulator.world.software import HABITS, Habits, Software
from pteroassets.simulator.world.zones import Zone

End = Literal["stop", "crash", "watchdog", "kill"]
Reason = Literal["left", "kicked", "timed_out", "server_stopped", "server_crashed", "joined_again"]
Deed = Literal["chat", "command", "death", "advancement", "say", "me"]

_QUIT_TEXT: Final = "Disconnected"
_ERROR_TEXTS: Final = (
    "Internal Exception: java.io.IOException: Connection reset by peer",
    "Internal Exception: io.netty.handler.timeout.WriteTimeoutException",
)
KICKS: Final[tuple[tuple[str, str], ...]] = (
    ("Kicked by an operator", "Kicked {name}: Kicked by an operator"),
    ("Kicked for spamming", ""),
    ("You have been idle for too long!", ""),
    ("Be nice", "[Al: Kicked {name}: Be nice]"),
    ("Flying is not enabled on this server", "{name} was kicked for floating too long!"),
    ("You are banned from this server.\nReason: griefing", "[Al: Banned {name}: griefing]"),
)
"""Why people are thrown out, and what the log announces just before (nothing where it is empty)."""

_AGAIN_TEXT: Final = "You logged in from another location"
_STOP_TEXT: Final = "Server closed"
EXCEPTIONS: Final = (
    'java.lang.NullPointerException: Cannot invoke "Object.hashCode()" because "place" is null',
    "java.lang.OutOfMemoryError: Java heap space",
    "java.util.ConcurrentModificationException",
)
"""What servers crash with."""


class Stop(NamedTuple):
    """A back-end on a player's way through a network: when the proxy connected, and when it let go."""

    name: str
    entered_at: int
    left_at: int


@dataclass(slots=True, kw_only=True)
class Visit:
    """One stay of a player in a run.

    *left_at* is the second of the first departure line; where no line tells it (*has_line* is false then), that at
    which the stopping or crashing server closed its connections or its process was killed. *deeds* are what the player
    did, by second. *is_last* is false where the player goes on to another server of the network. A visit of a proxy has
    the back-ends as *stops*; it and the visits within it bear the same *network_key*.
    """

    player: Player
    name: str
    uuid: str
    joined_at: int
    left_at: int
    reason: Reason
    text: str | None
    port: int
    entity_id: int
    former_name: str | None = None
    deeds: list[tuple[int, Deed]] = field(default_factory=list)
    is_last: bool = True
    stops: tuple[Stop, ...] = ()
    network_key: str | None = None

    @property
    def has_line(self) -> bool:
        """Whether a line of the log tells the departure."""
        return self.text is not None


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of a server's process.

    *container_at* is when the container started (uptime counts from there), *started_at* the start line,
    *stopping_at* the stop or crash line (None where it was killed), *ended_at* the end of the process. *overloads* are
    the seconds of its overload warnings; *exception* is what it crashed with, *has_report* whether a report says so.
    """

    server: Server
    number: int
    software: Software
    container_at: int
    started_at: int
    ready_at: int
    stopping_at: int | None
    ended_at: int
    end: End
    visits: list[Visit]
    overloads: list[int] = field(default_factory=list)
    has_report: bool = False
    exception: str | None = None
    joins: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    joins_sum: list[int] = field(default_factory=list)
    leaves_sum: list[int] = field(default_factory=list)

    @property
    def habits(self) -> Habits:
        """How its software writes."""
        return HABITS[self.software]

    @property
    def last(self) -> int:
        """When it began to end."""
        return self.ended_at if self.stopping_at is None else self.stopping_at

    def index(self) -> None:
        """Prepare the sums that `online` and `player_seconds` read."""
        self.joins = sorted(visit.joined_at for visit in self.visits)
        self.leaves = sorted(visit.left_at for visit in self.visits)
        self.joins_sum = list(accumulate(self.joins, initial=0))
        self.leaves_sum = list(accumulate(self.leaves, initial=0))

    def online(self, at: int) -> int:
        """Return how many players are on at *at*."""
        return bisect_right(self.joins, at) - bisect_right(self.leaves, at)

    def player_seconds(self, at: int) -> int:
        """Return the seconds that all players together have spent in this run until *at*."""
        joined = bisect_right(self.joins, at)
        left = bisect_right(self.leaves, at)
        return joined * at - self.joins_sum[joined] - (left * at - self.leaves_sum[left])


class Life:
    """The runs of one server, as many as were asked for.

    *proxy* is the life of the proxy that this server is behind; *loops_from* is when a server whose role that is begins
    to crash again and again.
    """

    def __init__(
        self,
        seed: int,
        server: Server,
        players: Players,
        *,
        start: int,
        loops_from: int,
        proxy: Life | None = None,
    ) -> None:
        self._seed = seed
        self.server = server
        self._players = players
        self._proxy = proxy
        self._zone: Zone = players.zone(server.zone)
        self._runs: list[Run] = []
        self._begins: list[int] = []
        habits = dice(seed, "habits", server.index)
        first_habits = HABITS[server.software(server.created_at)]
        # a proxy's log bears no dates: nobody could date one that pauses for half a day
        self._is_off_at_night = server.index != 0 and habits.random() < 0.12 and not first_habits.is_proxy
        self._is_off_at_night &= server.role != "crash loop"  # it is to crash by day and by night
        is_common = first_habits.is_common
        # of rare software there are few servers, so they see more; their owners restart them when people are on
        self._has_daily_restart = server.index != 0 and habits.random() < (0.4 if is_common else 0.5)
        self._restart_hour = 4.0 if is_common else 20.5
        self._crashes_a_day = (0.25 if server.index % 5 == 3 else 0.07) if is_common else 0.35
        self._kills_a_day = (0.2 if server.index % 7 == 2 else 0.04) if is_common else 0.35
        self._restarts_a_day = habits.uniform(0.02, 0.35) + (0 if is_common else 0.3)
        first = max(server.created_at, start)
        # its owner lost interest: a dead server
        self._given_up_at = first + 2 * DAY if server.index == 49 and is_common else None
        self._loops_from = loops_from if server.role == "crash loop" else None
        # nobody has started one that is asleep since before the world begins
        is_started = server.software(server.created_at) != "none" and server.role != "asleep"
        self._next: int | None = first + habits.randrange(MINUTE, 10 * MINUTE) if is_started else None
        self._blocked_since: int | None = None

    def restarts_at(self, at: int) -> int | None:
        """Return the second of UTC's day of the daily restart on the day of *at*; None where there is none."""
        if not self._has_daily_restart:
            return None
        return self._zone.at(self._zone.day(at), self._restart_hour) % DAY

    def open_at(self, at: int) -> Run | None:
        """Return the run that lets people in at *at* and for a while after, whoever they are."""
        runs = self.runs(at)
        if runs and runs[-1].ready_at + 5 <= at < runs[-1].last - 15:
            return runs[-1]
        return None

    def runs(self, until: int) -> list[Run]:
        """Return every run whose container started at or before *until*, oldest first.

        The runs of a proxy have no visits of their own: see `networks`.
        """
        while self._next is not None and self._next <= until:
            self._extend(self._next)
        if self._next is None and self._blocked_since is not None:
            again = self.server.runnable_from(self._blocked_since, until)
            if again is not None and again <= until:
                self._next = again + self._after_gate(again)
                self._blocked_since = None
                return self.runs(until)
        return self._runs[: bisect_right(self._begins, until)]

    def _after_gate(self, again: int) -> int:
        return dice(self._seed, "gate", self.server.index, again).randrange(20, 5 * MINUTE)

    def _extend(self, wanted: int) -> None:
        """Make the next run, wanted at *wanted*, or note that the server is blocked then."""
        free = self.server.runnable_from(wanted, wanted + 8 * WEEK)
        if free is None:
            self._next = None
            self._blocked_since = wanted
            return
        begin = wanted if free == wanted else free + self._after_gate(free)
        while self._zone.repeats(begin) or self._zone.repeats(begin + 2 * MINUTE):
            # a log that begins in the hour that clocks show twice could not be dated by anybody
            begin += 5 * MINUTE
        gate = self.server.next_gate(begin, begin + 3 * WEEK)
        if gate is not None and gate < begin + 3 * MINUTE:
            self._next = gate + 1
            return
        if (state := self.server.state(begin)) is None or state.is_gated:
            self._next = begin + MINUTE
            return
        run, pause = self._make_run(begin, gate)
        self._runs.append(run)
        self._begins.append(run.container_at)
        self._next = run.ended_at + pause

    def _make_run(self, begin: int, gate: int | None) -> tuple[Run, int]:
        number = len(self._runs)
        throw = dice(self._seed, "run", self.server.index, number)
        software = self.server.software(begin)
        habits = HABITS[software]
        started = begin + throw.randrange(2, 7)
        ready = started + throw.randrange(*habits.startup_seconds)
        soonest = ready + 2 * MINUTE
        endings: list[tuple[int, End, int]] = [
            (soonest + int(throw.expovariate(1) * DAY / self._crashes_a_day), "crash", throw.randrange(20, 90)),
            (soonest + int(throw.expovariate(1) * DAY / self._kills_a_day), "kill", throw.randrange(60, 900)),
            (soonest + int(throw.expovariate(1) * DAY / self._restarts_a_day), "stop", throw.randrange(15, 60)),
            (soonest + 9 * DAY, "stop", throw.randrange(30, 90)),
        ]
        today = self._zone.day(begin)
        if self._loops_from is not None:
            crash = self._loops_from if begin < self._loops_from else soonest + throw.randrange(70 * MINUTE)
            endings.append((max(crash, soonest), "crash", throw.randrange(20, 90)))
        if self._has_daily_restart:
            restart = next(
                at for day in range(today, today + 3) if (at := self._zone.at(day, self._restart_hour)) > soonest
            )
            endings.append((restart + throw.randrange(3), "stop", throw.randrange(25, 60)))
        if self._is_off_at_night:
            night = next(at for day in range(today, today + 3) if (at := self._zone.at(day, 23.5)) > soonest)
            endings.append((night + throw.randrange(HOUR), "stop", throw.randrange(9 * HOUR, 13 * HOUR)))
        if self._given_up_at is not None:
            endings.append((max(self._given_up_at, soonest), "stop", 400 * DAY))
        if gate is not None:
            endings.append((gate - 10, "stop", 20))
        last, end, pause = min(endings)
        if end == "crash":
            if not habits.has_crash_lines:
                end = "kill"
            elif throw.random() < 0.25 and software != "pocketmine":
                end = "watchdog"
        length = {"stop": throw.randrange(3, 7), "kill": 0}.get(end, throw.randrange(1, 4))
        run = Run(
            server=self.server,
            number=number,
            software=software,
            container_at=begin,
            started_at=started,
            ready_at=ready,
            stopping_at=None if end == "kill" else last,
            ended_at=last + length,
            end=end,
            visits=[],
            has_report=end == "watchdog" or (end == "crash" and software != "pocketmine" and throw.random() < 0.7),
            exception=throw.choice(EXCEPTIONS) if end == "crash" and software != "pocketmine" else None,
        )
        if habits.is_proxy or not habits.keeps_java_accounts:
            run.overloads = []
        else:
            warned = dice(self._seed, "overloads", self.server.index, number)
            run.overloads = list(moments(warned, run.ready_at, last, 3 * HOUR))
        if not habits.is_proxy:
            run.visits = self._visits(run, last)
        run.index()
        return run, pause

    def _visits(self, run: Run, last: int) -> list[Visit]:
        visits: list[Visit] = []
        throw = dice(self._seed, "visits", self.server.index, run.number)
        for wish in self._players.wishes(self.server.index, run.ready_at, last):
            own = dice(self._seed, "visit", self.server.index, wish.player.key, wish.begin, run.number)
            joined = max(wish.begin, run.ready_at + own.randrange(5, 50))
            if joined > wish.begin and own.random() < 0.3:
                continue  # found the server down and gave up
            end = wish.end
            if self._proxy is not None:
                entrance = self._proxy.open_at(joined)
                if entrance is None:
                    continue
                end = min(end, entrance.last + own.randrange(2))
            if min(end, last) - joined < 20:
                continue
            if end > last - (10 if self._proxy is None else 0):
                visits.append(self._stay_to_the_end(run, wish.player, joined, last))
            elif self._proxy is None:
                visits.extend(self._stays(run, wish.player, joined, end))
            else:
                visits.append(self._passage(run, wish, joined, end))
        visits.sort(key=lambda visit: (visit.joined_at, visit.player.key))
        for number, visit in enumerate(visits):
            visit.entity_id = 20 + number * 37 + throw.randrange(30)
        return visits

    def _visit(self, player: Player, joined: int, left: int, reason: Reason, text: str | None, port: int) -> Visit:
        former = player.former_name(joined)
        if former is not None and joined - player.names[-1][0] > 2 * DAY:
            former = None  # the server has met the new name by then
        return Visit(
            player=player,
            name=player.name(joined),
            uuid=player.uuid_on(self.server, joined),
            joined_at=joined,
            left_at=left,
            reason=reason,
            text=text,
            port=port,
            entity_id=0,
            former_name=former,
        )

    def _stays(self, run: Run, player: Player, joined: int, left: int) -> list[Visit]:
        throw = dice(self._seed, "stay", self.server.index, player.key, joined, run.number)
        port = throw.randrange(20000, 65000)
        fate = throw.random()
        reason: Reason = "left"
        text = _QUIT_TEXT
        gives_reasons = run.habits.gives_reasons
        if not gives_reasons:
            text = ""
        elif fate < 0.05:
            text = throw.choice(_ERROR_TEXTS)
        elif fate < 0.12:
            reason, text = "timed_out", "Timed out"
        elif fate < 0.16:
            reason, text = "kicked", throw.choice(KICKS)[0]
        pieces = [self._visit(player, joined, left, reason, text, port)]
        if gives_reasons and left - joined > 15 * MINUTE and throw.random() < 0.04:
            again = joined + throw.randrange(5 * MINUTE, left - joined - 5 * MINUTE)
            pieces = [
                self._visit(player, joined, again, "joined_again", _AGAIN_TEXT, port),
                self._visit(player, again, left, reason, text, port + 7),
            ]
        for piece in pieces:
            self._add_deeds(run, piece)
        return pieces

    def _passage(self, run: Run, wish: Wish, joined: int, left: int) -> Visit:
        """Return a stay on a server of a network, from which most people go on to another or leave it quietly."""
        throw = dice(self._seed, "stay", self.server.index, wish.player.key, joined, run.number)
        port = throw.randrange(20000, 65000)
        reason: Reason = "left"
        text = _QUIT_TEXT
        if wish.is_last and left == wish.end and throw.random() < 0.08:
            reason, text = "kicked", throw.choice(KICKS)[0]
        visit = self._visit(wish.player, joined, left, reason, text, port)
        visit.is_last = wish.is_last
        self._add_deeds(run, visit)
        return visit

    def _stay_to_the_end(self, run: Run, player: Player, joined: int, last: int) -> Visit:
        throw = dice(self._seed, "end", self.server.index, player.key, joined, run.number)
        port = throw.randrange(20000, 65000)
        # a server that still stops by itself closes its connections first, whether it says so or not
        out_at = min(last + 1, run.ended_at)
        if run.end == "stop":
            has_line = throw.random() < 0.88
            visit = self._visit(
                player,
                joined,
                out_at,
                "server_stopped",
                (_STOP_TEXT if run.habits.gives_reasons else "") if has_line else None,
                port,
            )
        else:
            visit = self._visit(player, joined, out_at, "server_crashed", None, port)
        self._add_deeds(run, visit, before=last - 2)
        return visit

    def _add_deeds(self, run: Run, visit: Visit, before: int | None = None) -> None:
        throw = dice(self._seed, "deeds", self.server.index, visit.player.key, visit.joined_at, run.number)
        begin, end = visit.joined_at + 3, (before or visit.left_at) - 3
        if end - begin < 10:
            return
        kinds: list[tuple[Deed, float]] = [
            ("chat", 8 * MINUTE),
            ("death", 55 * MINUTE),
            ("advancement", 70 * MINUTE),
            ("say", 400 * MINUTE),
            ("me", 300 * MINUTE),
        ]
        if run.software == "bedrock":
            return  # its log tells nothing of what people do
        if run.software == "pocketmine":
            kinds = [pair for pair in kinds if pair[0] != "advancement"]  # it knows none
        if run.habits.is_bukkit:
            kinds.append(("command", 14 * MINUTE))
        deeds: list[tuple[int, Deed]] = []
        for kind, every in kinds:
            at = begin + int(throw.expovariate(1 / every))
            while at < end:
                deeds.append((at, kind))
                at += 1 + int(throw.expovariate(1 / every))
        visit.deeds = sorted(deeds)


def moments(throw: Random, begin: int, end: int, every: float) -> Iterator[int]:
    """Yield seconds between *begin* and *end*, about *every* so many one."""
    at = begin + 5 + int(throw.expovariate(1 / every))
    while at < end - 2:
        yield at
        at += 1 + int(throw.expovariate(1 / every))


def online_names(run: Run, at: int) -> list[str]:
    """Return the names of who is on at *at*, in order of joining."""
    last = bisect_left([visit.joined_at for visit in run.visits], at + 1)
    return [visit.name for visit in run.visits[:last] if visit.left_at > at]
