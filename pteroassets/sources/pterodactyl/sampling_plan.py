"""Choose how samples are taken: at the panel or at the nodes, and how often; a pure function of what is known.

Everything is counted in requests a minute, since that is what a panel announces. A node has no such limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pteroassets.sources.pterodactyl.client import PAGE_SIZE

#: The panel keeps an answer for 20 s: at a shorter interval most samples would repeat the one before.
LEAST_INTERVAL_SECONDS = 20
#: Passes begin at multiples of this, by which one is told from the next.
STEP_SECONDS = 10
#: Of the interval: a pass is spread over so much of it, and has landed before the next one begins.
SPREAD_SHARE = 0.8
# of what may be used: a pass that needs no more is sent at once, since others hardly notice it
_BURST_SHARE = 0.25
# of what may be used: other passes can ask for no more than this, and wait for what they lack
_OTHERS_AT_MOST = 0.5

Path = Literal["panel", "nodes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a plan is made from.

    Attributes:
        servers: That exist.
        nodes: They run on.
        node_access: Whether the nodes themselves may be asked.
        client_limit: Requests a minute to the client API, as announced; None if unknown.
        application_limit: The same of the application API, which gives the nodes' tokens.
        share: Of the limits that may be used.
        others_per_minute: Requests to the client API that other passes need.
        wanted_seconds: The interval that the operator wants.
        schedule_seconds: From one scheduled run to the next.
    """

    servers: int
    nodes: int
    node_access: bool
    client_limit: int | None
    application_limit: int | None
    share: float
    others_per_minute: float
    wanted_seconds: int
    schedule_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan:
    """How samples are taken.

    Attributes:
        path: Who is asked.
        wanted_seconds: The interval that the operator wants.
        least_seconds: The shortest that the limits allow, before it is fitted into the schedule; None if unknown.
        interval_seconds: The interval that is kept.
        requests: To the panel's client API, in one pass.
        allowed_per_minute: Of those, after the other passes' needs; None if the limit is unknown.
        spread_seconds: Over which the requests of a pass are spread; 0: all at once.
        free_requests: That are sent at once even so.
        why: One paragraph for people.
    """

    path: Path
    wanted_seconds: int
    least_seconds: float | None
    interval_seconds: int
    requests: int
    allowed_per_minute: float | None
    spread_seconds: float
    free_requests: int
    why: str

    def rows(self) -> list[tuple[str, str]]:
        """Return what was decided as names and values."""
        unknown = "unknown"
        return [
            ("path", f"each {'node' if self.path == 'nodes' else 'server at the panel'} is asked"),
            ("requests to the client API in one pass", f"{self.requests:,}"),
            (
                "requests a minute for samples",
                unknown if self.allowed_per_minute is None else f"{self.allowed_per_minute:,.0f}",
            ),
            ("least interval", unknown if self.least_seconds is None else f"{self.least_seconds:,.0f} s"),
            ("wanted interval", f"{self.wanted_seconds:,} s"),
            ("interval kept", f"{self.interval_seconds:,} s"),
            ("a pass is spread over", f"{self.spread_seconds:,.0f} s" if self.spread_seconds else "nothing: at once"),
        ]

    @property
    def is_as_wanted(self) -> bool:
        """Whether samples come as often as the operator wants."""
        return self.interval_seconds <= self.wanted_seconds


def plan_sampling(found: Circumstances) -> SamplingPlan:
    """Return the path and the interval: the wanted one or else the next longer one that the limits allow.

    A run samples several times if the interval is shorter than the schedule's, so it divides that; a longer one is a
    multiple of it.
    """
    path: Path = "nodes" if found.node_access else "panel"
    pages = max(math.ceil(found.servers / PAGE_SIZE), 1)
    requests = pages + (0 if path == "nodes" else found.servers)
    allowed = others = None
    needs: list[float] = [LEAST_INTERVAL_SECONDS]
    if found.client_limit is not None:
        usable = found.client_limit * found.share
        others = min(found.others_per_minute, usable * _OTHERS_AT_MOST)
        allowed = usable - others
        needs.append(requests * 60 / allowed)
    if path == "nodes" and found.application_limit is not None:
        # tokens are read once a run, which lasts for a schedule's interval or longer
        tokens = found.nodes + math.ceil(found.nodes / PAGE_SIZE)
        seconds = tokens * 60 / (found.application_limit * found.share)
        needs += [seconds] if seconds > found.schedule_seconds else []
    is_known = found.client_limit is not None
    least = max(needs) if is_known else None
    interval = _fitted(max(found.wanted_seconds, math.ceil(least or 0), LEAST_INTERVAL_SECONDS), found.schedule_seconds)
    free = 0 if found.client_limit is None else int(found.client_limit * found.share * _BURST_SHARE)
    is_spread = is_known and path == "panel" and requests > free
    return SamplingPlan(
        path=path,
        wanted_seconds=found.wanted_seconds,
        least_seconds=least,
        interval_seconds=interval,
        requests=requests,
        allowed_per_minute=allowed,
        spread_seconds=interval * SPREAD_SHARE if is_spread else 0.0,
        free_requests=free,
        why=_why(found, path, requests, allowed, others, least, interval),
    )


def _fitted(seconds: int, schedule: int) -> int:
    """Return the shortest interval of *seconds* or more that divides *schedule*, or is a multiple of it."""
    if seconds >= schedule:
        return math.ceil(seconds / schedule) * schedule
    steps = range(STEP_SECONDS, schedule + 1, STEP_SECONDS)
    return next((step for step in steps if step >= seconds and schedule % step == 0), schedule)


def _why(
    found: Circumstances,
    path: Path,
    requests: int,
    allowed: float | None,
    others: float | None,
    least: float | None,
    interval: int,
) -> str:
    if path == "nodes":
        text = (
            f"Each node ({found.nodes:,}) is asked once for all of its servers, as PTEROASSETS_NODE_ACCESS allows; the "
            f"panel is asked only for its list of servers ({found.servers:,}), in {requests:,} requests a pass."
        )
    else:
        text = f"The panel is asked for each server ({found.servers:,}), in {requests:,} requests a pass with its list."
    if allowed is None or others is None or least is None:
        return (
            f"{text} The panel announces no limit, so requests go out one at a time and the interval stays at "
            f"{interval} s."
        )
    text += (
        f" It announces {found.client_limit} requests a minute, of which a share of {found.share:g} may be used; "
        f"{others:,.0f} a minute are kept for log files and {allowed:,.0f} are left for samples, so an interval of "
        f"{least:,.0f} s is the least."
    )
    if interval == found.wanted_seconds:
        return f"{text} The wanted {found.wanted_seconds} s are kept."
    if least <= found.wanted_seconds:
        return (
            f"{text} The wanted {found.wanted_seconds} s become {interval} s, so that the runs of every "
            f"{found.schedule_seconds} s hold whole passes."
        )
    remedy = (
        "Let the panel allow more requests (APP_API_CLIENT_RATELIMIT)"
        if path == "nodes"
        else "Allow node access (PTEROASSETS_NODE_ACCESS) or let the panel allow more requests "
        "(APP_API_CLIENT_RATELIMIT)"
    )
    return f"{text} The wanted {found.wanted_seconds} s are not possible: {interval} s are kept. {remedy} for less."
