"""Which program wrote a log is told by the lines of its start, and by nothing that is said to everybody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.events import ParserState
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.sessions import build_sessions
from tests.sources.minecraft.writing import file_of, parse

FORGE = "[{}] [Server thread/INFO] [net.minecraft.server.dedicated.DedicatedServer]: {}\n"
PAPER = "[{}] [Server thread/INFO]: {}\n"
CONSOLE = "[{} INFO]: {}\n"
LAYOUTS = [FORGE, PAPER, CONSOLE]

BROADCASTS = (
    *("This server is running Lottery by Ada!", "This server is running Lottery version 2 by Ada!"),
    *("This server is running Lottery version 2 (MC: 1.12.2)", "Loading Lottery 2.0 by Ada for Minecraft 1.12.2"),
    *("This server is running CraftBukkit version git-Spigot-1 (MC: 1.8.8)", "This server is running Events 24/7"),
    "[bootstrap] Loading Lottery 2.0-1 (2026) for Minecraft 1.21.4",
)
BRANDS = {
    "Paper": "This server is running Paper version 1.21.4-232-main@12d8fe0 (MC: 1.21.4)",
    "Folia": "This server is running Folia version 26.2-7-ver/26.2.x@0a1b2c3",
    "Spigot": "This server is running CraftBukkit version git-Spigot-79a30d7 (MC: 1.12.2)",
    "Forge": "Forge Mod Loader version 14.23.5.2825 for Minecraft 1.12.2 loading",
    "NeoForge": "NeoForge mod loading, version 21.1.77, for MC 1.21.1",
    "Purpur": "[bootstrap] Loading Purpur 26.1-2416-1ac9f3a (2026) for Minecraft 26.1",
}
START, READY = "Starting minecraft server version 1.12.2", 'Done (9.2s)! For help, type "help"'
LOGIN = "Al[/192.0.2.4:50123] logged in with entity id 7 at ([minecraft:overworld]1.5, 64.0, -3.25)"


def named(log: str) -> tuple[str | None, list[str | None]]:
    """The program of a log's file, and those of its runs."""
    parser = LogParser()
    parser.feed(log.encode())
    return parser.software, [run.software for run in build_sessions([file_of(log)]).runs]


def counted(log: str) -> tuple[int, int]:
    parser = LogParser()
    parser.feed(log.encode())
    return parser.counts.ignored, parser.counts.unknown


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize("after", ["12:00:09 " + READY, "12:00:09 " + LOGIN, "12:45:00 noise"])
@pytest.mark.parametrize("broadcast", BROADCASTS)
def test_a_broadcast_names_no_software(layout: str, brand: str, after: str, broadcast: str) -> None:
    lines = [("12:00:00", START), ("12:00:01", BRANDS[brand]), (after[:8], after[9:]), ("12:46:00", broadcast)]
    log = "".join(layout.format(time, text) for time, text in lines)
    assert named(log) == (brand, [brand])
    ignored, unknown = counted(log)
    assert ignored + unknown == 1 + ("noise" in after)


@pytest.mark.parametrize("broadcast", BROADCASTS[:2])
def test_a_broadcast_in_a_log_without_a_start_names_no_software(broadcast: str) -> None:
    # a log that was closed at midnight; the run is that of the file before
    first = PAPER.format("23:00:00", START) + PAPER.format("23:00:01", BRANDS["Spigot"])
    second = PAPER.format("00:00:05", broadcast) + PAPER.format("00:01:00", LOGIN) + PAPER.format("00:02:00", broadcast)
    assert named(second) == (None, [None])
    built = build_sessions([file_of(first), file_of(second, key="b", day="2026-03-13")])
    assert [run.software for run in built.runs] == ["Spigot"]


def test_a_later_file_does_not_rename_a_run_that_is_ready() -> None:
    first = "".join(PAPER.format(*line) for line in [("22:00:00", START), ("22:00:01", BRANDS["Paper"])])
    first += PAPER.format("22:00:09", READY)
    second = PAPER.format("00:00:05", BROADCASTS[2]) + PAPER.format("00:01:00", LOGIN)
    built = build_sessions([file_of(first), file_of(second, key="b", day="2026-03-13")])
    assert [run.software for run in built.runs] == ["Paper"]


def test_the_answer_to_the_version_command_names_what_nothing_else_does() -> None:
    log = PAPER.format("00:05:00", LOGIN) + PAPER.format("00:06:00", BRANDS["Paper"])
    assert named(log) == ("Paper", ["Paper"])
    # nor does what was taken for Vanilla, since nothing named it
    log = "".join(PAPER.format("12:00:00", text) for text in (START, READY, LOGIN, BRANDS["Paper"]))
    assert named(log) == ("Paper", ["Paper"])


def test_each_start_names_its_software_anew() -> None:
    lines = [
        ("12:00:00", START),
        ("12:00:01", BRANDS["Spigot"]),
        ("12:00:09", READY),
        ("13:00:00", "Stopping the server"),
        ("13:05:00", START.replace("1.12.2", "1.21.4")),
        ("13:05:01", BRANDS["Paper"]),
        ("13:05:09", READY),
    ]
    assert named("".join(PAPER.format(*line) for line in lines)) == ("Paper", ["Spigot", "Paper"])


@pytest.mark.parametrize(
    "lines",
    [
        [("Server thread", BRANDS["Folia"])],
        [("main", "Regionised ticking is enabled with 4 tick threads")],
        [("Server thread", READY), ("Region Scheduler Thread #3", LOGIN)],
        [("Region Scheduler Thread #0", LOGIN)],
        [("Server thread", READY), ("Region shutdown thread", "Stopping server")],
    ],
)
def test_folia_is_known_by_what_it_says_and_by_its_threads(lines: list[tuple[str, str]]) -> None:
    log = "".join(f"[12:00:01] [{thread}/INFO]: {text}\n" for thread, text in [("Server thread", START), *lines])
    assert named(log) == ("Folia", ["Folia"])


def test_a_fork_of_paper_with_folias_threads_keeps_its_name() -> None:
    threads = [("main", BRANDS["Purpur"]), ("Server thread", START), ("Region Scheduler Thread #1", LOGIN)]
    assert named("".join(f"[12:00:01] [{thread}/INFO]: {text}\n" for thread, text in threads))[0] == "Purpur"


@pytest.mark.parametrize("line", ["Enabled Lottery version 1.2", "Booting up Lottery 1.2.3"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_mod_enables_is_no_start_of_a_proxy(layout: str, line: str) -> None:
    log = "".join(layout.format("12:00:00", text) for text in (START, LOGIN, line, READY))
    assert [event.kind for event in parse(log)].count("server_start") == 1


@given(cut=st.integers(min_value=0, max_value=400))
def test_where_a_log_is_cut_does_not_matter_for_its_name(cut: int) -> None:
    lines = [("12:00:00", START), ("12:00:01", BRANDS["Paper"]), ("12:00:09", READY), ("12:30:00", BROADCASTS[2])]
    log = "".join(PAPER.format(*line) for line in lines).encode()
    parser = LogParser()
    parser.feed(log[:cut])
    again = LogParser(ParserState.from_json(parser.state.to_json()))
    again.feed(log[parser.state.bytes_consumed :])
    assert again.software == "Paper"
