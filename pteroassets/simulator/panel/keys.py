"""API keys of the simulated panel, and the limiter that counts their owners' requests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.context import BaseContext
from typing import Final, Literal

from pteroassets.simulator.panel.answers import PanelFault
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import dice

RESOURCES: Final = frozenset(
    {"servers", "nodes", "allocations", "users", "locations", "nests", "eggs", "database_hosts", "server_databases"}
)
WINDOW_SECONDS: Final = 60
_ADMIN, _PLAIN = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key: *readable* are the resources an application key may read; None means all that its user may."""

    name: str
    token: str
    user_id: int
    kind: Literal["application", "client"]
    readable: frozenset[str] | None = None
    allowed_ips: tuple[str, ...] = ()

    def may_read(self, resource: str) -> bool:
        """Return whether this key may read *resource* of the application API."""
        return self.readable is None or resource in self.readable


def make_keys(seed: int, *, is_pelican: bool = False) -> dict[str, ApiKey]:
    """Return the keys of a panel by name; the same seed gives the same keys."""
    application_prefix, client_prefix = ("papp_", "pacc_") if is_pelican else ("ptla_", "ptlc_")

    def token(prefix: str, marker: str, name: str) -> str:
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        throw = dice(seed, "key", name)
        identifier = f"{prefix}{marker}{''.join(throw.choices(letters, k=16))}"[:16]
        return identifier + "".join(throw.choices(letters, k=32))

    def application(name: str, readable: frozenset[str]) -> ApiKey:
        return ApiKey(
            name=name,
            token=token(application_prefix, CANARIES["application_key"], name),
            user_id=_ADMIN,
            kind="application",
            readable=readable,
        )

    def client(name: str, user_id: int, allowed_ips: tuple[str, ...] = ()) -> ApiKey:
        return ApiKey(
            name=name,
            token=token(client_prefix, CANARIES["client_key"], name),
            user_id=user_id,
            kind="client",
            allowed_ips=allowed_ips,
        )

    keys = (
        application("app", RESOURCES),
        application("app_none", frozenset()),
        application("app_partial", RESOURCES - {"users", "allocations"}),
        client("client", _ADMIN),
        client("client_plain", _PLAIN),
        client("client_ip", _ADMIN, ("192.0.2.1",)),
    )
    return {key.name: key for key in keys}


class Limiter:
    """Counts requests by user in fixed windows that open at the first request."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._windows: dict[int, tuple[float, int]] = {}

    def count(self, user_id: int, now: datetime) -> dict[str, str]:
        """Count one request and return the headers of its answer.

        Raises:
            PanelFault: The limit is used up (429).
        """
        instant = now.timestamp()
        begin, used = self._used(user_id, instant)
        if not begin <= instant < begin + WINDOW_SECONDS:
            begin, used = instant, 0
        if used >= self.limit:
            end = begin + WINDOW_SECONDS
            raise PanelFault(
                status=429,
                code="ThrottleRequestsException",
                detail="Too Many Attempts.",
                headers={
                    "x-ratelimit-limit": str(self.limit),
                    "x-ratelimit-remaining": "0",
                    "retry-after": str(max(math.ceil(end - instant), 1)),
                    "x-ratelimit-reset": str(math.ceil(end)),
                },
            )
        self._keep(user_id, begin, used + 1)
        return {"x-ratelimit-limit": str(self.limit), "x-ratelimit-remaining": str(self.limit - used - 1)}

    def _used(self, user_id: int, instant: float) -> tuple[float, int]:
        return self._windows.get(user_id, (instant, 0))

    def _keep(self, user_id: int, begin: float, used: int) -> None:
        self._windows[user_id] = (begin, used)


class SharedLimiter(Limiter):
    """A limiter whose windows are those of all processes forked after it was made in *context*."""

    def __init__(self, limit: int, context: BaseContext) -> None:
        super().__init__(limit)
        self._shared = context.Array("d", 2 * (max(_ADMIN, _PLAIN) + 1))

    def count(self, user_id: int, now: datetime) -> dict[str, str]:
        """Count one request and return the headers of its answer.

        Raises:
            PanelFault: The limit is used up (429).
        """
        with self._shared.get_lock():
            return super().count(user_id, now)

    def _used(self, user_id: int, instant: float) -> tuple[float, int]:  # noqa: ARG002 - no window yet is one long over
        return self._shared[2 * user_id], int(self._shared[2 * user_id + 1])

    def _keep(self, user_id: int, begin: float, used: int) -> None:
        self._shared[2 * user_id], self._shared[2 * user_id + 1] = begin, used
