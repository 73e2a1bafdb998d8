"""Power signals that somebody sends through the client API, and what a server does after one.

The world itself goes its own way: a signal lies over it until the world begins a run of the server by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from pteroassets.simulator.panel.answers import Answer, PanelFault
from pteroassets.simulator.world.consumption import Usage

if TYPE_CHECKING:
    from pteroassets.simulator.world.entities import ServerState

Signal = Literal["start", "stop", "restart", "kill"]
SIGNALS: Final[tuple[str, ...]] = get_args(Signal)
PERMISSIONS: Final = {
    "start": "control.start",
    "stop": "control.stop",
    "restart": "control.restart",
    "kill": "control.stop",
}
STOPPING_SECONDS: Final = 5
STARTING_SECONDS: Final = 15
_MIB: Final = 1024 * 1024
_IDLE_PERCENT: Final = 6.0
_STARTING_PERCENT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A signal, the second in which it came, and whether the signal before it had stopped the server."""

    signal: str
    at: int
    was_stopped: bool = False


@dataclass(slots=True)
class Power:
    """The newest signal to each server, by its UUID."""

    sent: dict[str, Sent] = field(default_factory=dict)

    def send(self, server_uuid: str, signal: str, at: int) -> None:
        """Send *signal*."""
        before = self.sent.get(server_uuid)
        was_stopped = before is not None and (
            before.signal in {"stop", "kill"} or (before.was_stopped and before.signal == signal)
        )
        self.sent[server_uuid] = Sent(signal, at, was_stopped)

    def usage(self, server_uuid: str, state: ServerState, use: Usage, now: int) -> Usage:
        """Return what a server uses at *now*, of which the world alone would make *use*."""
        sent = self.sent.get(server_uuid)
        if sent is None or now < sent.at:
            return use
        began = now - use.uptime_ms // 1000
        if use.state != "offline" and began > sent.at:
            return use  # the world started it anew since
        since = now - sent.at
        ends = sent.signal in {"stop", "restart"}
        is_up = use.state != "offline" and not sent.was_stopped
        stopping = STOPPING_SECONDS if ends and is_up else 0
        if ends and since < stopping:
            return replace(use, state="stopping")
        if sent.signal in {"stop", "kill"}:
            return replace(use, state="offline", cpu_percent=0, memory_bytes=0, rx_bytes=0, tx_bytes=0, uptime_ms=0)
        if sent.signal == "start" and is_up:
            return use  # it ran already
        uptime = since - stopping
        base = use.memory_bytes or int((state.memory or 6144) * _MIB * 0.4)
        return replace(
            use,
            state="starting" if uptime < STARTING_SECONDS else "running",
            cpu_percent=_STARTING_PERCENT if uptime < STARTING_SECONDS else use.cpu_percent or _IDLE_PERCENT,
            memory_bytes=base,
            rx_bytes=900 * uptime,
            tx_bytes=1_500 * uptime,
            uptime_ms=uptime * 1000,
        )


def signal_of(body: Any) -> str:
    """Return the signal that *body* of a request asks for.

    Raises:
        PanelFault: It asks for none that there is (422).
    """
    signal = body.get("signal") if isinstance(body, dict) else None
    if signal not in SIGNALS:
        raise PanelFault(
            status=422,
            code="ValidationException",
            detail="The selected signal is invalid." if signal else "The signal field is required.",
            meta={"source_field": "signal", "rule": "in" if signal else "required"},
        )
    return str(signal)


def accepted() -> Answer:
    """Return the panel's answer to a signal that it passed on: nothing, with status 204."""
    return Answer(status=204, body=b"")
