"""A request as a route sees it, and what a route answers."""

from __future__ import annotations

import email.message
import email.parser
import email.policy
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request as HttpRequest

from pteroassets.simulator.discord.core import Discord
from pteroassets.simulator.discord.forms import FILE_BYTES, FILES
from pteroassets.simulator.discord.refusals import FieldFaults, refusal

_REQUEST_BYTES: Final = 25 << 20
_FILE_FIELD: Final = re.compile(r"^files?\[?(\d*)\]?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file of a request, under the number that the payload knows it by."""

    number: int
    filename: str
    content: bytes


@dataclass(slots=True, kw_only=True)
class Call:
    """One request of a route."""

    discord: Discord
    params: Mapping[str, str]
    query: Mapping[str, str]
    payload: Any = None
    files: list[Upload] = field(default_factory=list)

    @property
    def form(self) -> dict[str, Any]:
        """The payload, which is to be an object.

        Raises:
            Refusal: 50035 where it is something else.
        """
        if not isinstance(self.payload, dict):
            faults = FieldFaults()
            faults.add("_root", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            faults.check()
        return dict(self.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a route answers; without a body if *body* is None."""

    status: int = 200
    body: Any = None


NOTHING: Final = Answer(status=204)
Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route; *auth* says whose token it needs: the bot's, or the one in its path."""

    method: str
    template: str
    handler: Handler
    is_open: bool = False
    is_limited: bool = True

    @property
    def name(self) -> str:
        """Method and template, as buckets, faults and counts name the route."""
        return f"{self.method} {self.template}"

    @property
    def pattern(self) -> re.Pattern[str]:
        """What matches a path below ``/api/v10``."""
        parts = re.split(r"\{(\w+)\}", self.template)
        texts = [re.escape(part) if number % 2 == 0 else f"(?P<{part}>[^/]+)" for number, part in enumerate(parts)]
        return re.compile("^" + "".join(texts) + "$")


async def read_payload(request: HttpRequest) -> tuple[Any, list[Upload]]:
    """Return the payload and the files of a request: JSON, or a form with ``payload_json`` and ``files[n]``.

    Raises:
        Refusal: 40005 for what is too large, 50109 for what is not JSON, 50035 for another kind of content.
    """
    raw = await request.body()
    if len(raw) > _REQUEST_BYTES:
        raise refusal("too large")
    kind = request.headers.get("content-type", "")
    if not raw:
        return {}, []
    if kind.startswith("multipart/form-data"):
        return _parse_form(kind, raw)
    if not kind.startswith("application/json"):
        faults = FieldFaults()
        faults.add("_root", "CONTENT_TYPE_INVALID", 'Expected "Content-Type" header to be one of {application/json}.')
        faults.check()
    return _parse_json(raw), []


def _parse_json(raw: bytes | str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise refusal("bad json") from None


def _parse_form(kind: str, raw: bytes) -> tuple[Any, list[Upload]]:
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    parsed = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + raw)
    payload: Any = {}
    files: list[Upload] = []
    for part in parsed.iter_parts() if isinstance(parsed, email.message.EmailMessage) else []:
        name = str(part.get_param("name", "", header="content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)  # noqa: S101 - parts of a form are not nested
        match = _FILE_FIELD.match(name)
        if name == "payload_json":
            payload = _parse_json(content)
        elif match is not None:
            filename = part.get_filename() or "unknown"
            files.append(Upload(number=int(match[1] or len(files)), filename=filename, content=content))
    if len(files) > FILES or any(len(one.content) > FILE_BYTES for one in files):
        raise refusal("too large")
    return payload, files
