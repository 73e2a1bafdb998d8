"""Ports of loopback, and the servers that answer on them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import uvicorn

_POLL_SECONDS: Final = 0.02
_START_SECONDS: Final = 30.0


def listen(port: int | None) -> socket.socket:
    """Return a socket that listens on *port* of loopback, or on a free one where it is taken or none is asked for."""
    for wanted in (port or 0, 0):
        # the protocol must be named: asyncio switches Nagle's algorithm off for such sockets only, and with it on each
        # answer costs 40 ms
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wanted))
        except OSError:
            listener.close()
            if not wanted:
                raise
            continue
        listener.listen(128)
        return listener
    raise OSError("no free port on loopback")


class Door(uvicorn.Server):
    """A server for one ASGI application, which leaves signals to whoever runs the process.

    Args:
        app: What answers.
        with_websockets: Whether it takes WebSockets too.
        is_dated: Whether answers carry the time of this machine.
    """

    def __init__(self, app: Any, *, with_websockets: bool = False, is_dated: bool = True) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                lifespan="off",
                server_header=False,
                date_header=is_dated,
                ws="websockets-sansio" if with_websockets else "none",
                ws_per_message_deflate=False,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave signals to whoever runs the process."""
        yield

    def wait_until_open(self, seconds: float) -> None:
        """Return once it answers.

        Raises:
            RuntimeError: It does not within *seconds*.
        """
        waited = threading.Event()
        for _ in range(int(seconds / _POLL_SECONDS)):
            if self.started:
                return
            waited.wait(_POLL_SECONDS)
        raise RuntimeError("a simulated server did not start")


class Answering:
    """One ASGI application that answers on loopback, in a thread of its own; a context manager.

    Args:
        app: What answers.
        name: Of the thread.
        port: Of loopback; any free one by default.
        with_websockets: Whether it takes WebSockets too.
    """

    def __init__(self, app: Any, *, name: str, port: int | None = None, with_websockets: bool = False) -> None:
        self.url = ""
        self.loop: asyncio.AbstractEventLoop | None = None
        self._name = name
        self._wanted_port = port
        self._thread: threading.Thread | None = None
        self._door = Door(app, with_websockets=with_websockets)

    def listening(self, url: str) -> None:
        """Learn the address, without a slash at the end, before the first answer."""
        self.url = url

    async def closing(self) -> None:
        """Close what is open before the port is."""

    def start(self) -> None:
        """Open the port and return once it answers."""
        listener = listen(self._wanted_port)
        self.listening(f"http://127.0.0.1:{listener.getsockname()[1]}")

        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            await self._door.serve(sockets=[listener])

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), name=self._name, daemon=True)
        self._thread.start()
        self._door.wait_until_open(_START_SECONDS)

    def stop(self) -> None:
        """Close the port and wait for the thread to end."""
        if self.loop is not None and self._door.started:
            asyncio.run_coroutine_threadsafe(self.closing(), self.loop).result(_START_SECONDS)
        self._door.should_exit = True
        self._door.force_exit = True
        if self._thread is not None:
            self._thread.join(_START_SECONDS)
            self._thread = None
        self.loop = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def told_to_stop() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a file that says where a simulated service is, whole or not at all; only its owner may read it."""
    aside = path.with_name(path.name + ".new")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(state, file)
    aside.replace(path)
