"""Send a power signal to a server: the one thing that is written to the panel, with a key of its own.

`PanelClient` sends nothing but GET. A signal goes through pydactyl, too, but through another session: once, without
repeats, since a signal that timed out may have arrived, and a second one would stop what the first one started.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import requests
from pydactyl import PterodactylClient
from pydactyl.exceptions import PydactylError
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from pteroassets.sources.pterodactyl.client import USER_AGENT, require_address, secret_of
from pteroassets.sources.pterodactyl.transport import PlainSession, is_timeout, reason_of

Signal = Literal["start", "stop", "restart"]
_CONNECT_SECONDS: Final = 5.0
_SETTING: Final = "PTEROASSETS_DISCORD_POWER_KEY"
_REFUSALS: Final = {
    401: f"the panel does not know the key of {_SETTING}",
    403: f"the key of {_SETTING} may not do this",
    404: "the panel has no such server, or the key does not reach it",
    409: "the panel refuses it in the state that the server or its node is in",
    412: "the panel refuses it in the state that the server is in",
    422: "the panel rejects the signal",
    429: "the panel's rate limit is used up",
}
_NO_NODE: Final = 504


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerAnswer:
    """What came of a signal.

    Attributes:
        outcome: ``done``: the panel passed it on. ``failed``: it did not. ``unanswered``: nobody knows.
        status: HTTP status of the answer; None where none came.
        reason: Why it is not done; empty otherwise.
    """

    outcome: Literal["done", "failed", "unanswered"]
    status: int | None = None
    reason: str = ""


class _OneAttempt(HTTPAdapter):
    """Sends a request once, with time-outs: the library has none."""

    def __init__(self, seconds: float) -> None:
        super().__init__(max_retries=0)
        self._timeout = (min(_CONNECT_SECONDS, seconds), seconds)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override] # the same arguments
        """Return the answer."""
        return super().send(request, **{**options, "timeout": self._timeout})


class PowerClient:
    """Sends power signals to the servers of one panel.

    Args:
        url: Address of the panel.
        key: Client key of an account that may start and stop the servers.
        seconds: How long the panel may take to answer.

    Raises:
        PanelAddressError: The address or the key is invalid.
    """

    def __init__(self, url: str, key: SecretStr, *, seconds: float) -> None:
        self.panel = require_address(url)
        self._session = PlainSession(_OneAttempt(seconds), user_agent=USER_AGENT)
        self._seconds = seconds
        pydactyl = PterodactylClient(url, secret_of(key, _SETTING) or "")
        pydactyl._session.close()  # noqa: SLF001 - replaced before anything is made with it
        pydactyl._session = self._session  # noqa: SLF001 - it takes none as an argument
        self._servers = pydactyl.client.servers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def send(self, server_uuid: str, signal: Signal) -> PowerAnswer:
        """Send *signal* to a server once, and return what the panel says; no failure raises."""
        try:
            answer = self._servers.send_power_action(server_uuid, signal)
        except requests.HTTPError as error:
            return self._refused(error.response)
        except PydactylError:  # 400 and 422, of which the library keeps no status
            return PowerAnswer(outcome="failed", reason=_REFUSALS[422])
        except requests.RequestException as error:
            return self._broken(error)
        if isinstance(answer, requests.Response) and answer.is_redirect:
            return PowerAnswer(
                outcome="failed",
                status=answer.status_code,
                reason="the panel redirects: PTERODACTYL_URL is not its address",
            )
        return PowerAnswer(outcome="done", status=getattr(answer, "status_code", None))

    def _refused(self, answer: requests.Response) -> PowerAnswer:
        status = answer.status_code
        if status == _NO_NODE:
            return PowerAnswer(outcome="unanswered", status=status, reason="the node gave the panel no answer")
        reason = _REFUSALS.get(status, f"the panel failed ({status})")
        return PowerAnswer(outcome="failed", status=status, reason=reason)

    def _broken(self, error: requests.RequestException) -> PowerAnswer:
        host = self.panel
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return PowerAnswer(outcome="failed", reason=f"the panel at {host} accepted no connection")
        if is_timeout(error):
            return PowerAnswer(
                outcome="unanswered",
                reason=f"the panel did not answer within {self._seconds:g} s; it may have got the signal",
            )
        why = reason_of(error)
        if "refused" in why.lower() or isinstance(error, requests.exceptions.SSLError):
            return PowerAnswer(outcome="failed", reason=f"the panel at {host} cannot be reached ({why})")
        return PowerAnswer(
            outcome="unanswered", reason=f"the connection to the panel broke off ({why}); it may have got the signal"
        )
