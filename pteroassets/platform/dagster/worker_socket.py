"""What is asked of the process that has all loaded, over a Unix socket that only its owner may open.

The run launcher asks it to execute runs, the platform to execute Dagster's webserver and daemon.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypedDict, cast

SOCKET_VARIABLE = "PTEROASSETS_RUN_SOCKET"
_LONGEST_PATH = 100  # the kernel's limit is 104 on some systems
_SECONDS = 5


class Request(TypedDict):
    """What is to be done with a run; ``find`` does nothing."""

    action: Literal["launch", "find", "terminate"]
    run_id: str


class ProgramRequest(TypedDict):
    """A program of Dagster that is to be executed, by the name of its command, with its arguments."""

    action: Literal["begin"]
    program: Literal["dagster-webserver", "dagster-daemon"]
    arguments: list[str]


class Answer(TypedDict):
    """Whether a child executes the run, or the program."""

    is_executed: bool


def ask(path: Path, request: Request | ProgramRequest) -> Answer:
    """Return the answer of the process that listens on *path*.

    Raises:
        ConnectionRefusedError: It is gone.
        FileNotFoundError: It never was there.
        OSError: It did not answer in time, or only in part.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        with _short(path) as address:
            connection.connect(address)
        connection.sendall(json.dumps(request).encode() + b"\n")
        return cast("Answer", json.loads(_line(connection)))


@contextmanager
def listen(path: Path) -> Iterator[socket.socket]:
    """Listen on *path*, in the place of a process that is gone; who finds it there is answered."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        before = os.umask(0o177)
        try:
            with _short(aside) as address:
                listener.bind(address)
        finally:
            os.umask(before)
        listener.listen(16)
        # it has its name only now, since between binding and listening whoever asks is refused
        aside.replace(path)
        yield listener


def receive(connection: socket.socket) -> Request | ProgramRequest:
    """Return what is asked on *connection*."""
    return cast("Request | ProgramRequest", json.loads(_line(connection)))


def send(connection: socket.socket, answer: Answer) -> None:
    """Answer on *connection*."""
    connection.sendall(json.dumps(answer).encode() + b"\n")


def _line(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\n"):
        part = connection.recv(4096)
        if not part:
            raise ConnectionResetError("the other end closed the connection before it had said all")
        received += part
    return received


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """Give an address of *path* that is short enough for a socket: below its folder's file descriptor if need be."""
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
