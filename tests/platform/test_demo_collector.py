"""The demo's collector: its key is the demo's own and stays a secret, and its address stays the same."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pteroassets.collector.senders import Keys, Sender
from pteroassets.platform.demo_collector import DemoCollector
from pteroassets.platform.loopback import HOST, PortHeldError, free_port
from pteroassets.settings import Settings


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]


def test_its_key_is_made_once_and_is_in_no_text_that_is_shown(tmp_path: Path) -> None:
    first, again = (DemoCollector.of(settings(), tmp_path) for _ in range(2))
    assert (first.key, first.url) == (again.key, again.url)
    assert first.key_file.stat().st_mode & 0o777 == 0o600
    assert first.key not in str((first, first.url, first.hints()))
    assert str(first.key_file) in str(first.hints())


def test_the_platform_takes_its_events(tmp_path: Path) -> None:
    demo = DemoCollector.of(settings(), tmp_path)
    given = settings().model_copy(update=demo.settings_with(settings()))
    assert given.event_keys() == {demo.key: "arena"}
    assert Keys(given.event_keys()).sender_of(f"Bearer {demo.key}".encode()) == Sender(game="arena")
    assert given.pteroassets_event_compatibility_game == "arena"
    assert demo.url == f"http://{HOST}:{given.pteroassets_event_port}/v1/events"
    # each process of the platform is told so
    assert given.environment()["PTEROASSETS_EVENT_PORT"] == str(demo.port)


def test_a_port_that_is_taken_is_not_needed_unless_it_is_asked_for(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        taken = holder.getsockname()[1]
        (tmp_path / "collector.port").write_text(f"{taken}\n")
        assert DemoCollector.of(settings(), tmp_path).port != taken
        with pytest.raises(
            PortHeldError, match=rf"port {taken} \(PTEROASSETS_EVENT_PORT\) is in use by process {os.getpid()}"
        ):
            DemoCollector.of(settings(pteroassets_event_port=taken), tmp_path)
    port = free_port()
    assert DemoCollector.of(settings(pteroassets_event_port=port), tmp_path).port == port
