"""Read the body of a request within limits: of bytes, also once unpacked, and of time."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from pteroassets.collector.patience import Patience

MOST_BODY_BYTES: Final = 1024**2
"""Length of the largest body, as it comes and unpacked."""
PATIENCE_SECONDS: Final = 10
"""Time in which a body has to come."""
_GZIP: Final = 31  # window bits of zlib, with the header of gzip

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class RefusedRequestError(Exception):
    """A request of which nothing is stored.

    Attributes:
        status: HTTP status of the answer.
        detail: What is said to the client.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class ClientGoneError(Exception):
    """The client went away before it had sent all."""


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, patience: Patience) -> bytes:
    """Return the body, unpacked.

    Raises:
        RefusedRequestError: It is too large, too slow, or packed otherwise than with gzip.
        ClientGoneError: It does not end.
    """
    packing = headers.get(b"content-encoding", b"identity").strip().lower()
    if packing not in (b"identity", b"gzip", b"x-gzip", b""):
        raise RefusedRequestError(415, "the body may be packed with gzip, and with nothing else")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > MOST_BODY_BYTES:
        raise _too_large()
    try:
        body = await patience.wait(_received(receive))
    except TimeoutError:
        raise RefusedRequestError(408, f"the body did not come within {patience.seconds:g} seconds") from None
    return _unpacked(body) if packing.endswith(b"gzip") else body


async def _received(receive: Receive) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MOST_BODY_BYTES:
            raise _too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacking.decompress(body, MOST_BODY_BYTES + 1)
    except zlib.error as error:
        raise RefusedRequestError(400, f"the body is no gzip: {error}") from None
    if len(unpacked) > MOST_BODY_BYTES:
        raise _too_large()
    if not unpacking.eof:
        raise RefusedRequestError(400, "the body ends in the middle of its gzip")
    if unpacking.unused_data:
        raise RefusedRequestError(400, "something follows the body's gzip")
    return unpacked


def _too_large() -> RefusedRequestError:
    return RefusedRequestError(
        413, f"the body may have {MOST_BODY_BYTES} bytes, also once it is unpacked: send fewer events at once"
    )
