"""A world is the same whatever is asked first, and its logs say what its truth says."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pteroassets.settings import CHECKOUT
from pteroassets.simulator.logs.files import LogFile
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.true_rows import TrueSession
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import epoch

from .conftest import ANCHOR, REASONS, SEED
from .reading import Happening, happenings, text_of


def all_files(world: World, at: datetime) -> dict[str, list[LogFile]]:
    second = epoch(at)
    return {server.uuid: world.log_files(server, second) for server in world.estate.servers(second)}


def digest(world: World, at: datetime) -> str:
    found = hashlib.sha256(str(world.truth.to_json(at)).encode())
    for uuid, files in sorted(all_files(world, at).items()):
        for file in files:
            found.update(f"{uuid}/{file.name}/{file.modified_at}".encode() + file.content)
    return found.hexdigest()


@pytest.mark.parametrize(("size", "days"), [(WorldSize.TINY, 14), (WorldSize.SAMPLER, 2)])
def test_the_order_of_questions_changes_no_byte(size: WorldSize, days: int) -> None:
    one = World.create(SEED, ANCHOR, size, timedelta(days=days))
    other = World.create(SEED, ANCHOR, size, timedelta(days=days))
    later = ANCHOR + timedelta(days=2 * days)
    early = ANCHOR - timedelta(days=0.65 * days)
    asked_forwards = [digest(one, at) for at in (early, ANCHOR, later)]
    asked_backwards = [digest(other, at) for at in (later, ANCHOR, early)]
    assert asked_forwards == asked_backwards[::-1]


def test_another_process_tells_the_same_story(tiny: World) -> None:
    program = (
        "from tests.simulator.test_world import *\nprint(digest(World.create(SEED, ANCHOR, WorldSize.TINY), ANCHOR))"
    )
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=CHECKOUT)
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == digest(tiny, ANCHOR)


def test_another_seed_tells_another_story() -> None:
    history = timedelta(days=1)
    one, other = (World.create(seed, ANCHOR, WorldSize.TINY, history) for seed in (1, 2))
    assert digest(one, ANCHOR) != digest(other, ANCHOR)


def test_the_history_before_the_anchor_is_in_the_past_of_later_questions(tiny: World) -> None:
    at_anchor = tiny.truth.sessions(ANCHOR)
    later = tiny.truth.sessions(ANCHOR + timedelta(days=5))
    closed = {(s.server_uuid, s.player_name, s.joined_at): s for s in later}
    for session in at_anchor:
        if session.left_at is not None:
            assert closed[session.server_uuid, session.player_name, session.joined_at] == session


def test_life_goes_on_after_the_anchor(tiny: World) -> None:
    before, after = (tiny.truth.entities(ANCHOR + timedelta(days=days))["servers"] for days in (0, 60))
    assert {row["uuid"] for row in after} - {row["uuid"] for row in before}
    newest = max(session.joined_at for session in tiny.truth.sessions(ANCHOR + timedelta(days=60)))
    assert newest > ANCHOR + timedelta(days=59)


def sessions_by_server(world: World, at: datetime) -> dict[str, list[TrueSession]]:
    found: dict[str, list[TrueSession]] = {}
    for session in world.truth.sessions(at):
        found.setdefault(session.server_uuid, []).append(session)
    return found


def kept_files(world: World, uuid: str, at: datetime) -> list[LogFile]:
    """The files of a server, those that vanilla's limit of seven a day deleted included."""
    second = epoch(at)
    server = world.server_by_uuid(uuid, second)
    assert server is not None
    return world.log_files(server, second, with_deleted=True)


def first_entries(read: list[Happening]) -> list[Happening]:
    """The first back-end of each stay on a proxy: whoever is on already goes from one to another."""
    online: set[str] = set()
    found = []
    for entry in read:
        if entry.kind == "start":
            online.clear()
        elif entry.kind == "gone":
            online.discard(entry.player)
        elif entry.player not in online:
            online.add(entry.player)
            found.append(entry)
    return found


@pytest.mark.parametrize("size", [WorldSize.TINY, WorldSize.DEMO, WorldSize.SAMPLER])
def test_each_login_line_is_a_session_and_each_departure_line_an_end(size: WorldSize) -> None:
    world = World.create(SEED, ANCHOR, size)
    compared = 0
    for uuid, sessions in sessions_by_server(world, ANCHOR).items():
        zone = ZoneInfo(world.log_timezones(ANCHOR)[uuid])
        read = list(happenings(kept_files(world, uuid, ANCHOR), zone))
        entries = first_entries(read) if sessions[0].is_proxy else [entry for entry in read if entry.kind == "login"]
        logins = Counter((entry.player, entry.at.astimezone(UTC)) for entry in entries)
        assert logins == Counter((session.player_name, session.joined_at) for session in sessions)
        ends = {(entry.player, entry.at.astimezone(UTC)) for entry in read if entry.kind == "gone"}
        observed = {(s.player_name, s.left_at) for s in sessions if s.is_end_observed and s.left_at is not None}
        assert observed <= ends
        strangers = {player for player, _ in ends - observed}
        assert all(player.startswith("Visitor_") for player in strangers)
        compared += len(sessions)
    assert compared > 500


def test_the_reason_of_each_end_stands_in_the_log(tiny: World, sampler: World) -> None:
    texts = {
        "left": ("Disconnected", "Internal Exception", "client disconnect"),
        "timed_out": ("Timed out", "timeout", "read timed out"),
        "kicked": (
            *("Kicked", "You have been idle", "Be nice", "Flying", "You are banned"),
            "[Proxy] Lost connection to server.",
        ),
        "joined_again": ("You logged in from another location", "logged in from another location"),
        "server_stopped": ("Server closed", "[Proxy] Proxy restarting.", "Proxy shutting down."),
    }
    compared: Counter[str] = Counter()
    for world in (tiny, sampler):
        for uuid, sessions in sessions_by_server(world, ANCHOR).items():
            zone = ZoneInfo(world.log_timezones(ANCHOR)[uuid])
            said: dict[tuple[str, datetime], Happening] = {
                (entry.player, entry.at.astimezone(UTC)): entry
                for entry in happenings(kept_files(world, uuid, ANCHOR), zone)
                if entry.kind == "gone" and entry.reason is not None
            }
            for session in sessions:
                if session.is_end_observed and session.left_at is not None and session.close_reason is not None:
                    found = said.get((session.player_name, session.left_at))
                    if found is not None and found.reason is not None:
                        assert found.reason.startswith(texts[session.close_reason])
                        compared[session.close_reason] += 1
    assert min(compared[reason] for reason in texts) > 10


def test_sessions_of_one_player_on_one_server_never_overlap(truth_world: World) -> None:
    for sessions in sessions_by_server(truth_world, ANCHOR).values():
        open_until: dict[str, datetime] = {}
        for session in sessions:
            for key in filter(None, (session.player_uuid, session.player_name)):
                assert open_until.get(key, session.joined_at) <= session.joined_at
                open_until[key] = session.left_at or ANCHOR


def test_no_session_outlives_the_run_it_began_in(tiny: World) -> None:
    runs: dict[str, list[tuple[datetime, datetime]]] = {}
    for run in tiny.truth.runs(ANCHOR):
        runs.setdefault(run.server_uuid, []).append((run.started_at, run.ended_at or ANCHOR))
    for session in tiny.truth.sessions(ANCHOR):
        assert any(
            start < session.joined_at <= end and (session.left_at or ANCHOR) <= end
            for start, end in runs[session.server_uuid]
        )


def test_the_truth_world_is_as_large_as_it_must_be(truth_world: World) -> None:
    entities = truth_world.truth.entities(ANCHOR)
    assert len(entities["servers"]) > 100
    assert len(entities["users"]) > 100
    assert max(Counter(row["node_id"] for row in entities["allocations"]).values()) > 100
    assert any(node["maintenance_mode"] for node in entities["nodes"])
    reasons = Counter(session.close_reason for session in truth_world.truth.sessions(ANCHOR))
    for reason in REASONS:
        assert reasons[reason] >= 5, reason
    unobserved = Counter(
        session.close_reason for session in truth_world.truth.sessions(ANCHOR) if session.is_end_observed is False
    )
    assert unobserved["server_stopped"] >= 5
    assert unobserved["server_crashed"] >= 5


def test_sessions_span_the_night_when_clocks_go_back(truth_world: World) -> None:
    change = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    zones = truth_world.log_timezones(ANCHOR)
    spanning = [
        session
        for session in truth_world.truth.sessions(ANCHOR)
        if zones[session.server_uuid] == "Europe/Berlin"
        and session.joined_at < change
        and session.left_at is not None
        and session.left_at > change
    ]
    assert spanning


def test_no_log_begins_in_the_hour_that_clocks_show_twice(truth_world: World) -> None:
    begin = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    zones = truth_world.log_timezones(ANCHOR)
    for run in truth_world.truth.runs(ANCHOR):
        if zones[run.server_uuid] == "Europe/Berlin":
            assert not begin <= run.started_at < begin + timedelta(hours=1)


def test_names_that_begin_with_another_name_play_on_the_same_server(truth_world: World) -> None:
    first = truth_world.estate.server(0).uuid
    names = {session.player_name for session in truth_world.truth.sessions(ANCHOR) if session.server_uuid == first}
    assert {"Al", "Alex", "Alexa"} <= names


def test_one_player_changes_name_and_keeps_the_uuid(truth_world: World) -> None:
    names: dict[str, set[str]] = {}
    for session in truth_world.truth.sessions(ANCHOR):
        if session.player_uuid is not None:
            names.setdefault(session.player_uuid, set()).add(session.player_name)
    assert any(len(known) == 2 for known in names.values())


def test_the_log_tells_more_than_events(truth_world: World) -> None:
    text = "".join(text_of(file) for files in all_files(truth_world, ANCHOR).values() for file in files)
    for piece in (
        "> Steve joined the game",
        "/login " + CANARIES["command"],
        CANARIES["chat"],
        CANARIES["player_address"],
        CANARIES["player_address_v6"],
        "com.mojang.authlib.GameProfile@",
        "You are not white-listed on this server!",
        "This crash report has been saved to:",
        "Considering it to be crashed",
        "[DiscordLink]",
        "(formerly known as",
        "died, message: 'Steve was slain by Zombie'",
        "\nSteve joined the game\n",
        "THIS IS NOT A BUG OR A CRASH",
        "[Async Chat Thread - #",
        "[net.minecraft.server.MinecraftServer/]:",
    ):
        assert piece in text, piece


def test_files_are_rotated_at_midnight_and_at_starts(tiny: World) -> None:
    server = tiny.estate.server(0)
    files = tiny.log_files(server, epoch(ANCHOR))
    closed = [file for file in files if not file.is_live]
    assert files[-1].name == "latest.log"
    assert len({file.name for file in files}) == len(files)
    assert {gzip.decompress(file.content)[:1] for file in closed} == {b"["}
    for file in closed:
        assert file.name.startswith(f"{datetime.fromtimestamp(file.segment.first_at, ZoneInfo(server.zone)).date()}-")
    starts = sum(text_of(file).count("Starting minecraft server version") for file in files)
    assert len(files) > starts, "midnight closes files too"


def test_vanilla_keeps_seven_files_a_day_and_moves_the_others_down() -> None:
    world = World.create(SEED, ANCHOR, WorldSize.TINY)
    server = world.estate.server(1)
    assert server.software(epoch(ANCHOR)) == "vanilla"
    world.log_files(server, epoch(ANCHOR))
    logs = world._logs[server.index]
    segment = logs._segments[0]
    crowded = [segment] * 9 + [logs._segments[-1]]
    logs._segments[:] = crowded
    names = [file.name for file in logs.files(epoch(ANCHOR)) if not file.is_live]
    assert [name.split("-")[-1] for name in names] == [f"{number}.log.gz" for number in range(1, 8)]


def test_the_live_log_only_grows_until_it_is_closed(tiny: World) -> None:
    server = tiny.estate.server(0)
    before = tiny.log_files(server, epoch(ANCHOR))[-1]
    after = tiny.log_files(server, epoch(ANCHOR) + 600)[-1]
    assert before.segment is after.segment
    assert after.size > before.size
    assert after.content.startswith(before.content)


def test_a_sample_follows_the_players(tiny: World) -> None:
    server = tiny.estate.server(0)
    usage: dict[bool, list[float]] = {True: [], False: []}
    for hour in range(24 * 7):
        at = ANCHOR - timedelta(hours=hour)
        run = tiny.run_at(server, epoch(at))
        sample = tiny.truth.sample(server.uuid, at)
        if run is not None and sample.cpu_percent is not None and sample.state == "running":
            usage[run.online(epoch(at)) >= 2].append(sample.cpu_percent)
    assert min(len(group) for group in usage.values()) > 5
    assert sum(usage[True]) / len(usage[True]) > 1.5 * sum(usage[False]) / len(usage[False])


def test_counters_only_grow_within_a_run_and_begin_anew_after_it(tiny: World) -> None:
    server = tiny.estate.server(1)
    resets = 0
    previous = None
    for step in range(24 * 14 * 2):
        sample = tiny.truth.sample(server.uuid, tiny.start + timedelta(minutes=30 * step))
        if previous is not None and sample.outcome == previous.outcome == "ok":
            before, now = (
                [value or 0 for value in (known.uptime_ms, known.rx_bytes, known.tx_bytes)]
                for known in (previous, sample)
            )
            if now[0] > before[0]:
                assert now[1] >= before[1]
                assert now[2] >= before[2]
            else:
                resets += 1
        previous = sample
    assert resets > 3


def test_an_offline_server_uses_disk_alone(truth_world: World) -> None:
    offline = [
        sample
        for row in truth_world.truth.entities(ANCHOR)["servers"]
        for steps in range(5)
        if row["created_at"] < truth_world.start
        and (sample := truth_world.truth.sample(row["uuid"], ANCHOR - timedelta(hours=steps * 3))).outcome == "offline"
    ]
    assert offline
    for sample in offline:
        assert (sample.cpu_percent, sample.memory_bytes, sample.rx_bytes, sample.uptime_ms) == (0, 0, 0, 0)
        assert sample.disk_bytes


def test_each_outcome_occurs_in_the_history(truth_world: World) -> None:
    outcomes: Counter[str] = Counter()
    for version in truth_world.truth.server_versions(ANCHOR):
        at = max(version.valid_from, truth_world.start) + timedelta(seconds=30)
        if version.valid_to is None or at < version.valid_to:
            outcomes[truth_world.truth.sample(version.server_uuid, at).outcome] += 1
    for server, state in truth_world.estate.living(epoch(ANCHOR)):
        for moved in server.states(epoch(ANCHOR)):
            if moved.is_transferring:
                at = datetime.fromtimestamp(moved.since, UTC) + timedelta(minutes=1)
                outcomes[truth_world.truth.sample(server.uuid, at).outcome] += 1
        assert state is not None
    outcomes.update(
        truth_world.truth.sample(row["uuid"], ANCHOR).outcome for row in truth_world.truth.entities(ANCHOR)["servers"]
    )
    assert set(outcomes) == {
        "ok", "offline", "suspended", "installing", "install_failed", "restoring_backup", "transferring", "maintenance",
    }  # fmt: skip


def test_versions_of_a_server_join_without_gap_or_overlap(truth_world: World) -> None:
    last: dict[str, datetime | None] = {}
    for version in truth_world.truth.server_versions(ANCHOR):
        if version.server_uuid in last:
            assert last[version.server_uuid] == version.valid_from
        assert version.valid_to is None or version.valid_to > version.valid_from
        last[version.server_uuid] = version.valid_to
    assert len(last) > 100


def test_what_was_deleted_is_told_with_its_time(truth_world: World) -> None:
    deleted = truth_world.truth.deleted(ANCHOR)
    present = truth_world.truth.entities(ANCHOR)
    for kind, rows in deleted.items():
        assert rows, kind
        assert {row["id"] for row in rows} & {row["id"] for row in present[kind]} == set()
        assert all(truth_world.start <= row["deleted_at"] <= ANCHOR for row in rows)


def test_two_weeks_of_the_demo_are_made_within_seconds() -> None:
    begin = time.process_time()
    world = World.create(SEED, ANCHOR, WorldSize.DEMO)
    world.truth.sessions(ANCHOR)
    for files in all_files(world, ANCHOR).values():
        assert all(file.size > 0 for file in files)
    assert time.process_time() - begin < 10
