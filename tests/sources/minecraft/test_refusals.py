"""What is no server's log, and what only looks as if it were none."""

from __future__ import annotations

import pytest

from pteroassets.sources.minecraft.intake import classify
from pteroassets.sources.minecraft.log import LogParser
from tests.sources.minecraft.writing import paper


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"<!DOCTYPE html><html><body>[12:00:00] [Server thread/INFO]: x</body></html>", "HTML"),
        (b"[12:00:00] [main/INFO]: Setting user: Al\n[12:00:01] [Render thread/INFO]: x\n", "client"),
        (b"Server started on port 28015\nLoading complete\n", "no line begins"),
        (b"<record>\n<date>2013</date>\n", "XML"),
        (b"\n \n", "no text"),
        (
            b"[12:00:00] [Server thread/INFO]: Al[local:E:1a2b] logged in with entity id 1 at (1.0, 2.0, 3.0)\n",
            "client",
        ),
        (b"---- Minecraft Crash Report ----\n// Oops.\n\nTime: 2024-03-12 20:01:02\n", "crash report"),
        (b"#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n", "Java machine"),
        (b"[0.005s][info][gc] Using G1\n", "garbage"),
        (b"[2024-03-12T20:01:02.123+0000][info][gc,start] GC(0) Pause Young\n", "garbage"),
        (b"[03-12 20:01:02]: [INFO] Al logged in\n", "no line begins"),
        (b"[20:01:02] [Al]: hi\n", "no line begins"),
        (b"2024-03-12 20:01:02 | GET /index.html\n", "no line begins"),
        (b"[20:01:02.123 main/INFO] Starting MCXboxBroadcast Standalone build 69\n", "MCXboxBroadcast"),
    ],
)
def test_a_file_that_is_no_server_log_is_named_as_such(head: bytes, reason: str) -> None:
    assert reason in (classify(head) or "")


FILLER = paper(*(f"12:00:{second:02} {'Loading a mod ' * 100}" for second in range(60)))


@pytest.mark.parametrize(
    "sign",
    [
        "[12:01:00] [Render thread/INFO]: OpenAL initialized",
        "[12:01:00] [Client thread/INFO] [minecraft/Minecraft]: LWJGL Version: 2.9.4",
        "[12:01:00] [main/INFO]: Setting user: Al",
        "[12Mar2024 12:01:00.123] [Render thread/INFO] [net.minecraft.client.Minecraft/]: Setting user: Al",
        "[12:01:00] [main/INFO] (Minecraft) Setting user: Al",
        "[12:01:00] [Server thread/INFO]: Starting integrated minecraft server version 1.20.1",
    ],
)
def test_a_clients_log_is_known_wherever_its_first_sign_stands(sign: str) -> None:
    log = (FILLER + sign + "\n" + paper("12:02:00 Al joined the game")).encode()
    assert classify(log[:65536]) is None
    for size in (len(log), 4096):
        parser = LogParser()
        for start in range(0, len(log), size):
            parser.feed(log[start : start + size])
        assert parser.state.is_of == "client"


@pytest.mark.parametrize(
    "line",
    [
        "[12:01:00] [Async Chat Thread - #0/INFO]: <Al> [12:01:00] [Render thread/INFO]: x",
        "[12:01:00] [Async Chat Thread - #0/INFO]: <Al> look]: Setting user: Bo",
        "[12:01:00] [Server thread/INFO]: [Server] Setting user: Al",
        "[12:01:00] [Server thread/INFO]: <Al> Bo[local:E:1a2b] logged in with entity id 1 at (1.0, 2.0, 3.0)",
    ],
)
def test_who_only_mentions_a_client_is_none(line: str) -> None:
    assert classify(f"{line}\n".encode()) is None
    assert classify((line + "\n" + FILLER).encode()) is None
    parser = LogParser()
    parser.feed((FILLER + line + "\n").encode())
    assert parser.state.is_of != "client"


def test_a_server_that_has_started_stays_one() -> None:
    parser = LogParser()
    parser.feed((paper("12:00:00 Al joined the game") + "[12:01:00] [Render thread/INFO]: x\n").encode())
    assert parser.state.is_of == "server"


def test_a_server_with_a_plugin_called_as_another_program_is_a_server() -> None:
    line = b"[20:01:02] [Server thread/INFO]: [Geyser] Starting MCXboxBroadcast Extension 69\n"
    assert classify(line) is None
