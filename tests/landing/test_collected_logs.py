"""What comes of collected logs when they are parsed: clients' logs, shippers' stamps, no times, long lines."""

from __future__ import annotations

import tracemalloc
import uuid
from typing import Any

import pytest

from pteroassets.clock import SystemClock
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.collection import LOGS
from pteroassets.landing.minecraft.sessions import derive_sessions
from pteroassets.sources.minecraft.events import PARSER_VERSION
from pteroassets.warehouse.connection import Connection, connect
from tests.harness import Platform

pytestmark = pytest.mark.postgres


def ask(platform: Platform, text: str, *values: Any) -> list[tuple[Any, ...]]:
    with connect(platform.settings, autocommit=True) as connection:
        return connection.execute(text, values).fetchall()


def spoil(platform: Platform, connection: Connection, content: bytes) -> tuple[uuid.UUID, str]:
    """Put other content in the place of one archive, as if it had been fetched."""
    server, key = connection.execute(
        "select server_uuid, file_key from raw_minecraft.log_files where not is_live order by parsed_lines desc"
    ).fetchall()[0]
    connection.execute(
        "update raw_minecraft.log_files set content_digest = %s, content_bytes = %s, parser_version = null, "
        "parsed_bytes = 0, outcome = 'ok', sessions_built = false where server_uuid = %s and file_key = %s",
        (platform.store.put(content), len(content), server, key),
    )
    return server, key


LATE_CLIENT = b"[12:00:00] [main/INFO]: Loading a mod\n" * 2_000 + b"[12:00:01] [Render thread/INFO]: Created\n"


@pytest.mark.parametrize("content", [b"<!doctype html><html>\n", LATE_CLIENT], ids=["no log", "a client's"])
def test_what_a_newer_parser_takes_for_no_log_loses_its_events_and_sessions(whole: Platform, content: bytes) -> None:
    with connect(whole.settings, autocommit=True) as connection:
        server, key = spoil(whole, connection, content)
    whole.derive()
    found = ask(
        whole,
        "select outcome, sessions_built, parser_version, (select count(*) from raw_minecraft.events as events "
        "where events.server_uuid = files.server_uuid and events.file_key = files.file_key) "
        "from raw_minecraft.log_files as files where server_uuid = %s and file_key = %s",
        server, key,
    )  # fmt: skip
    assert found == [("not_a_server_log", True, PARSER_VERSION, 0)]
    assert ask(
        whole,
        "select count(*) from derived_minecraft.player_sessions where server_uuid = %s "
        "and split_part(session_key, ':', 1) = %s",
        server, key,
    ) == [(0,)]  # fmt: skip


def test_what_was_made_of_files_goes_with_them(whole: Platform) -> None:
    with connect(whole.settings, autocommit=True) as connection:
        server, keys = connection.execute(
            "select server_uuid, array_agg(file_key order by first_line_at) from raw_minecraft.log_files "
            "where first_line_at is not null group by server_uuid order by count(*) desc"
        ).fetchall()[0]
        gone = keys[1:4]  # of these, the second one is the neighbour of none that stays
        assert len(keys) > len(gone) + 1
        for key in gone:
            LOGS.forget(connection, server, key)
    made = "select count(*) from derived_minecraft.{} where server_uuid = %s and split_part({}, ':', 1) = any(%s)"
    tables = {"player_sessions": "session_key", "server_runs": "run_key", "name_sightings": "file_key"}
    before = {table: ask(whole, made.format(table, key), server, gone) for table, key in tables.items()}
    assert before["player_sessions"] > [(0,)]
    with connect(whole.settings, autocommit=True) as connection:
        # what a later pass finds new is what a derivation begins with
        connection.execute(
            "update raw_minecraft.log_files set sessions_built = false where server_uuid = %s and file_key = %s",
            (server, keys[-1]),
        )
        derive_sessions(connection, clock=SystemClock())
    for table, key in tables.items():
        assert ask(whole, made.format(table, key), server, gone) == [(0,)], table


def test_a_shippers_stamp_tells_the_instant_and_the_line_the_local_time(whole: Platform) -> None:
    line = "[01:30:00] [Server thread/INFO]: Al[/192.0.2.4:5] logged in with entity id 7 at (1.0, 2.0, 3.0)"
    with connect(whole.settings, autocommit=True) as connection:
        server, key = spoil(whole, connection, f"2026-03-12T23:30:00.123Z stdout F {line}\n".encode())
    whole.derive()
    assert ask(
        whole,
        "select (logged_at at time zone 'UTC')::text, logged_at_local::text from raw_minecraft.events "
        "where server_uuid = %s and file_key = %s",
        server, key,
    ) == [("2026-03-12 23:30:00", "2026-03-13 01:30:00")]  # fmt: skip


def test_a_log_without_times_has_no_events_and_names_the_tool(whole: Platform) -> None:
    timeless = b"".join(
        b"[INFO] " + text + b"\n"
        for text in (
            b"Starting Server",
            b"Version 1.16.220.02",
            b"Server started.",
            b"Player connected: Nora Seven, xuid: 2535400000000001",
            b"Player disconnected: Nora Seven, xuid: 2535400000000001",
        )
    )
    with connect(whole.settings, autocommit=True) as connection:
        server, key = spoil(whole, connection, timeless)
    whole.derive()
    found = ask(
        whole,
        "select outcome, reason, parsed_lines, first_line_at from raw_minecraft.log_files "
        "where server_uuid = %s and file_key = %s",
        server, key,
    )  # fmt: skip
    assert [(row[0], row[2], row[3]) for row in found] == [("no_times", 5, None)]
    assert "pteroassets logs parse" in found[0][1]
    assert ask(whole, "select 1 from raw_minecraft.events where server_uuid = %s and file_key = %s", server, key) == []


def test_a_long_line_is_parsed_without_holding_the_file(whole: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        b"[12:00:00] [Server thread/INFO]: Starting minecraft server version 1.21.4",
        b"[12:00:01] [Server thread/INFO]: Nora_7[/192.0.2.4:50123] logged in with entity id 1 at (1.5, 64.0, -3.25)",
        b"[12:00:02] [Server thread/INFO]: " + b"all work and no play " * (2 << 20),
        b"[12:30:00] [Server thread/INFO]: Nora_7 lost connection: Disconnected",
    )
    with connect(whole.settings, autocommit=True) as connection:
        server, key = spoil(whole, connection, b"".join(line + b"\n" for line in lines))
    monkeypatch.delattr(LogStore, "get")  # gives the whole content at once
    tracemalloc.start()
    whole.derive()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    found = ask(
        whole,
        "select parsed_bytes = content_bytes, parsed_lines, (select count(*) from raw_minecraft.events as events "
        "where events.server_uuid = files.server_uuid and events.file_key = files.file_key and player_name = 'Nora_7') "
        "from raw_minecraft.log_files as files where server_uuid = %s and file_key = %s",
        server, key,
    )  # fmt: skip
    assert found == [(True, 4, 2)]
    assert peak < 20 << 20


def test_every_file_says_its_software_and_its_lines_add_up(whole: Platform) -> None:
    found = ask(
        whole,
        "select layout, software, game_version, lines_understood + lines_ignored + lines_unknown + lines_continuation "
        "= parsed_lines from raw_minecraft.log_files",
    )
    assert {row[3] for row in found} == {True}
    assert None not in {row[0] for row in found}
    assert {row[1] for row in found} - {None}


def test_the_first_event_of_a_file_is_kept_with_it_and_a_line_that_names_the_software_is_none(whole: Platform) -> None:
    content = (
        b"[12:00:00] [main/INFO]: Loading Minecraft 1.21.4 with Fabric Loader 0.16.9\n"
        b"[12:00:09] [Server thread/INFO]: Starting minecraft server version 1.21.4\n"
        b"[12:00:20] [Server thread/INFO]: Al[/192.0.2.4:5] logged in with entity id 7 at (1.0, 2.0, 3.0)\n"
    )
    with connect(whole.settings, autocommit=True) as connection:
        server, key = spoil(whole, connection, content)
    whole.derive()
    found = ask(
        whole,
        "select first_kind, (select array_agg(kind order by line_number) from raw_minecraft.events as events "
        "where events.server_uuid = files.server_uuid and events.file_key = files.file_key) "
        "from raw_minecraft.log_files as files where server_uuid = %s and file_key = %s",
        server, key,
    )  # fmt: skip
    assert found == [("server_start", ["server_software", "server_start", "player_login"])]
