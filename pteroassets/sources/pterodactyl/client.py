"""Talk to one panel through pydactyl, with what pydactyl lacks.

pydactyl gives the headers and addresses of the panel's two APIs; every one of its objects is made with our session, so
that all of them share connections, time-outs, pacing and errors (see `transport`). Lists are paged by `pages`, since
pydactyl forgets every parameter from the second page on.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from pydactyl import PterodactylClient
from pydactyl.api.client.servers.files import Files
from pydactyl.exceptions import PydactylError
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from pteroassets.clock import Clock
from pteroassets.sources.pterodactyl.answers import unreadable
from pteroassets.sources.pterodactyl.dialect import PELICAN, Dialect, dialect_of_keys
from pteroassets.sources.pterodactyl.errors import (
    PanelAddressError,
    PanelError,
    PermanentPanelError,
    PermissionMissingError,
    UnreadableAnswerError,
)
from pteroassets.sources.pterodactyl.pacing import Api, RequestBudget
from pteroassets.sources.pterodactyl.transport import (
    PacedAdapter,
    PlainSession,
    RequestCounter,
    Timeout,
    host_of,
)

USER_AGENT = f"pteroassets/{version('pteroassets')}"
DEFAULT_TIMEOUT: Timeout = (5.0, 20.0)
# a restart, an update or a database that comes back takes less, and a sampling pass still ends before the next begins
PATIENCE_SECONDS = 180.0
_READ_ATTEMPTS = 3
_READ_PAUSE_SECONDS = 0.5


class PanelClient:
    """One panel, asked through an application key, a client key, or both.

    Safe to use from many threads. Close it, or use it as a context manager, to give its connections back.

    Args:
        url: Address of the panel with its scheme; a base path is fine.
        application_key: Opens ``/api/application``.
        client_key: Opens ``/api/client``.
        budget: What every request is drawn from.
        clock: Waited on between attempts.
        timeout: Seconds to connect, and between two bytes of an answer.
        patience_seconds: How long a panel that is down as a whole is waited for, over all requests.

    Raises:
        PanelAddressError: The address or a key cannot be one.
    """

    def __init__(
        self,
        url: str,
        *,
        application_key: SecretStr | None,
        client_key: SecretStr | None,
        budget: RequestBudget,
        clock: Clock,
        timeout: Timeout = DEFAULT_TIMEOUT,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.name = _name_of(url)
        self.clock = clock
        self.timeout = timeout
        self.counter = RequestCounter()
        adapter = PacedAdapter(
            budget=budget, clock=clock, counter=self.counter, timeout=timeout, patience_seconds=patience_seconds
        )
        self._session = PlainSession(adapter, user_agent=USER_AGENT)
        # signed links lead to nodes: no key, no budget of the panel's, and no repeats, since a link holds once
        self.node_session = PlainSession(HTTPAdapter(max_retries=0), user_agent=USER_AGENT)
        self._objects: dict[Api, Any] = {}
        keys = []
        if (secret := _secret(application_key, "PTERODACTYL_APP_KEY")) is not None:
            keys.append(secret)
            self._objects["application"] = self._pydactyl(url, secret).servers
        if (secret := _secret(client_key, "PTERODACTYL_CLI_KEY")) is not None:
            keys.append(secret)
            self._objects["client"] = self._pydactyl(url, secret).client
            # pydactyl's own property would open a new session, and a connection, at each access
            self._files = Files(url, secret, session=self._session)
        self.dialect: Dialect = dialect_of_keys(keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()
        self.node_session.close()

    @property
    def requests_made(self) -> int:
        """Requests sent so far, to the panel and its nodes, repeats included."""
        return self.counter.made

    @property
    def rate_limit_remaining(self) -> int | None:
        """What the panel's newest answer said is left of its rate limit; None before the first one."""
        return self.counter.remaining

    def recognize(self) -> bool:
        """Ask whether this is a Pelican panel behind keys of Pterodactyl's, and remember it if it is.

        Raises:
            TransientPanelError: The panel did not answer, so nothing is known.
        """
        try:
            self.application("eggs")
        except PermissionMissingError:
            pass  # the route is there, which Pterodactyl has not
        except PermanentPanelError:
            return False
        self.dialect = PELICAN
        return True

    def application(self, endpoint: str, **params: Any) -> dict[str, Any]:
        """Return the JSON object that ``GET /api/application/<endpoint>`` answers.

        Raises:
            PanelError: Anything but a readable success.
        """
        return self._json("application", endpoint, params)

    def client(self, endpoint: str, **params: Any) -> dict[str, Any]:
        """Return the JSON object that ``GET /api/client/<endpoint>`` answers; *endpoint* may be empty.

        Raises:
            PanelError: Anything but a readable success.
        """
        return self._json("client", endpoint, params)

    def file_contents(self, server_uuid: str, path: str) -> bytes:
        """Return the bytes of a server's file, read through the panel (``files/contents``).

        Raises:
            PanelError: Anything but a readable success.
        """
        self._object("client")
        answer = self._answer(lambda: self._files.get_file_contents(server_uuid, path, json=False))
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise unreadable(answer)  # the panel itself sends every file as text/plain
        return answer.content

    def _json(self, api: Api, endpoint: str, params: dict[str, Any]) -> dict[str, Any]:
        pydactyl = self._object(api)
        path = "/".join(part for part in (api, endpoint.strip("/")) if part)
        attempt = 0
        while True:
            attempt += 1
            answer = self._answer(lambda: pydactyl._api_request(endpoint=path, params=params, json=False))  # noqa: SLF001 - its only general door
            decoded = _decode(answer)
            if isinstance(decoded, dict):
                return decoded
            if attempt == _READ_ATTEMPTS:
                raise decoded
            self.clock.sleep(_READ_PAUSE_SECONDS)

    def _answer(self, call: Any) -> requests.Response:
        failure: PanelError
        try:
            answer: requests.Response = call()
        except (requests.RequestException, PydactylError) as error:
            # what fails before a request reaches our adapter; the library's text may quote the key or the address
            failure = PanelAddressError(
                f"a request to the panel {self.name} could not be made ({type(error).__name__}): check PTERODACTYL_URL"
            )
        else:
            return answer
        raise failure  # outside the except block, so that the library's exception is not its context

    def _object(self, api: Api) -> Any:
        if api not in self._objects:
            kind, setting = (
                ("an application key (ptla_…)", "PTERODACTYL_APP_KEY")
                if api == "application"
                else ("a root admin's client key (ptlc_…)", "PTERODACTYL_CLI_KEY")
            )
            raise PanelAddressError(f"{kind} is needed to read the panel's {api} API: set {setting}")
        return self._objects[api]

    def _pydactyl(self, url: str, secret: str) -> PterodactylClient:
        pydactyl = PterodactylClient(url, secret)
        pydactyl._session.close()  # noqa: SLF001 - replaced before anything is made with it
        pydactyl._session = self._session  # noqa: SLF001
        return pydactyl


def _decode(answer: requests.Response) -> dict[str, Any] | UnreadableAnswerError:
    try:
        decoded = json.loads(answer.content)
    except (ValueError, RecursionError):
        return unreadable(answer)
    return decoded if isinstance(decoded, dict) else unreadable(answer)


def _name_of(url: str) -> str:
    """Return host and port; what is no address is not quoted, since a key may have been put in its place."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise PanelAddressError("PTERODACTYL_URL is not the address of a panel, such as https://panel.example.com")
    if parts.username is not None or parts.password is not None:
        raise PanelAddressError(
            f"PTERODACTYL_URL holds a user name or password for {host_of(parts.netloc)}, which would replace the key: "
            "remove it"
        )
    if parts.query or parts.fragment:
        raise PanelAddressError(
            f"PTERODACTYL_URL holds more than the address of {parts.netloc}: remove what follows ? or #"
        )
    return parts.netloc


def _secret(key: SecretStr | None, setting: str) -> str | None:
    """Return the key as text; a header cannot hold every text, and the library's refusal would quote it."""
    text = key.get_secret_value() if key is not None else ""
    if not text:
        return None
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise PanelAddressError(f"the key of {setting} holds a space, a line break or another sign that no key has")
    return text
