"""What opens, goes on and closes, and what is held back, from one instant to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pteroassets.alarms.incidents.model import PassState, Readings
from tests.alarms.incidents.saying import GIB, NOON, PASS, Told, crash, rules, sample, server

HOUR = timedelta(hours=1)


def test_a_node_that_is_down_is_one_incident_and_its_servers_alarms_are_counted() -> None:
    told, servers = Told(), [server(number) for number in (1, 2, 3)]
    told.row(servers, "knnnnkk")
    (incident,) = told.incidents
    assert (incident.kind, incident.subject.key) == ("node_down", "fra-01")
    assert (incident.opened_at, incident.noticed_at) == (NOON + PASS, NOON + 2 * PASS)
    assert incident.closed_at == NOON + 5 * PASS, "it was over at the first of the good passes"
    assert incident.held_back == {f"server_unknown/{each.uuid}" for each in servers}
    assert {message.key for message in told.messages} == {"incident/1"}


def test_a_server_that_stays_silent_when_its_node_is_back_has_an_incident_of_its_own() -> None:
    told, quiet, other = Told(), server(1), server(2)
    told.row([quiet, other], "nnn")
    for number in range(3, 7):
        at = NOON + number * PASS
        told.samples(at, sample(quiet, at, "error"), sample(other, at))
    assert [incident.kind for incident in told.incidents] == ["node_down", "server_unknown"]
    assert not told.incidents[0].is_open
    assert told.incidents[1].is_open


def test_a_node_of_which_one_server_answers_is_not_down() -> None:
    told, silent, answering = Told(), server(1), server(2)
    for number in range(4):
        at = NOON + number * PASS
        told.samples(at, sample(silent, at, "node_unreachable"), sample(answering, at, "offline"))
    assert [incident.kind for incident in told.incidents] == ["server_unknown"]


@pytest.mark.parametrize("unknown", ["s", "r"])
def test_unknown_is_neither_down_nor_up(unknown: str) -> None:
    told, servers = Told(), [server(1), server(2)]
    told.row(servers, "k" + 6 * unknown)
    assert told.incidents == []
    told.row(servers, f"nn{unknown}{unknown}{unknown}", NOON + HOUR)
    assert [incident.is_open for incident in told.incidents] == [True]
    told.row(servers, f"k{unknown}k", NOON + 2 * HOUR)
    assert told.incidents[0].closed_at == NOON + 2 * HOUR


def test_what_flaps_opens_nothing_and_closes_nothing() -> None:
    told, servers = Told(), [server(1)]
    told.row(servers, "nknknknk")
    assert told.incidents == []
    told.row(servers, "nnknknknkk", NOON + HOUR)
    (incident,) = told.incidents
    assert incident.closed_at == NOON + HOUR + 8 * PASS


def test_a_crash_is_one_message_that_is_edited_when_the_server_is_back() -> None:
    told, one = Told(), server()
    told.crashes(NOON, crash(one, NOON - 3 * PASS))
    (opened,) = told.incidents
    assert (opened.kind, opened.is_open, opened.opened_at) == ("server_crashed", True, NOON - 3 * PASS)
    told.samples(NOON + PASS, sample(one, NOON + PASS, "offline"))
    told.samples(NOON + 2 * PASS, sample(one, NOON + 2 * PASS, uptime_seconds=60))
    assert told.incidents[0].closed_at == NOON + 2 * PASS - timedelta(seconds=60)
    assert [message.key for message in told.messages] == ["incident/1", "incident/1"]
    assert "crashed for 24 min" in told.messages[-1].text


def test_a_sample_of_the_run_before_the_crash_does_not_close_it() -> None:
    told, one = Told(), server()
    told.crashes(NOON, crash(one, NOON - PASS))
    told.samples(NOON + PASS, sample(one, NOON + PASS, uptime_seconds=HOUR.total_seconds()))
    assert told.incidents[0].is_open


def test_a_crash_that_is_read_again_is_no_second_one_but_may_tell_that_the_server_is_back() -> None:
    told, one = Told(), server()
    told.crashes(NOON, crash(one, NOON - PASS))
    told.crashes(NOON + 3 * PASS, crash(one, NOON - PASS, back=2 * PASS))
    (incident,) = told.incidents
    assert (incident.times, incident.closed_at) == (1, NOON + PASS)


def test_the_fifth_crash_of_a_day_makes_a_loop_that_takes_up_all_further_ones() -> None:
    told, one = Told(), server()
    for number in range(8):
        at = NOON + number * HOUR
        told.crashes(at + PASS, crash(one, at, back=timedelta(minutes=1)))
    assert [incident.kind for incident in told.incidents] == 4 * ["server_crashed"] + ["crash_loop"]
    loop = told.incidents[-1]
    assert (loop.times, loop.opened_at, loop.is_open) == (8, NOON + 4 * HOUR, True)
    told.crashes(NOON + 7 * HOUR + 6 * HOUR)
    assert told.incidents[-1].closed_at == NOON + 7 * HOUR
    told.crashes(NOON + 60 * HOUR, crash(one, NOON + 59 * HOUR, back=PASS))
    assert told.incidents[-1].kind == "server_crashed", "yesterday's crashes make no loop"


def test_a_crash_while_the_node_was_down_is_part_of_that_even_when_it_shows_later() -> None:
    told, one = Told(), server()
    told.row([one], "knnnkk")
    lost = crash(one, NOON + 2 * PASS, cause=None)
    told.crashes(NOON + 3 * HOUR, lost)
    (incident,) = told.incidents
    assert len(incident.held_back) == 2
    told.crashes(NOON + 4 * HOUR, lost, crash(one, NOON + 3 * HOUR + PASS))
    assert [incident.kind for incident in told.incidents] == ["node_down", "server_crashed"]


def test_a_crash_that_a_line_shows_after_the_node_was_back_is_its_own() -> None:
    told, one = Told(), server()
    told.row([one], "knnnkk")
    told.crashes(NOON + 7 * PASS, crash(one, NOON + 6 * PASS, cause="out_of_memory"))
    told.row([one], "oooo", NOON + 8 * PASS)
    assert [incident.kind for incident in told.incidents] == ["node_down", "server_crashed"]
    assert told.incidents[1].is_open


def test_a_crash_of_a_server_on_another_node_is_its_own() -> None:
    told = Told()
    told.row([server(1)], "nn")
    told.crashes(NOON + HOUR, crash(server(2, node="nyc-01"), NOON + PASS))
    assert [incident.kind for incident in told.incidents] == ["node_down", "server_crashed"]


def test_what_is_deleted_has_no_incident_any_more() -> None:
    told, gone, left = Told(), server(1), server(2, node="nyc-01")
    told.row([gone, left], "kkk")
    told.crashes(NOON + HOUR, crash(gone, NOON + HOUR - PASS))
    told.row([left], "k", NOON + 2 * HOUR)
    assert told.incidents[0].is_open, "a list that lacks it once may be a fault of the list"
    told.row([left], "k", NOON + 2 * HOUR + PASS)
    assert told.incidents[0].closed_as == "gone"


@pytest.mark.parametrize(
    ("figures", "aspect"),
    [({"memory_bytes": 4 * GIB}, "memory"), ({"cpu_percent": 199.0}, "cpu"), ({"disk_bytes": 20 * GIB}, "disk")],
)
def test_a_resource_at_its_limit_is_told_after_six_passes(figures: dict[str, float], aspect: str) -> None:
    told = Told()
    told.row([server()], "kkkkk", **figures)
    assert told.incidents == []
    told.row([server()], "k", NOON + 5 * PASS, **figures)
    assert [(one.kind, one.aspect, one.opened_at) for one in told.incidents] == [("resource_at_limit", aspect, NOON)]


def test_the_limit_is_that_of_the_moment() -> None:
    told, before = Told(), server()
    told.row([before], "kkkkkkk", memory_bytes=4 * GIB)
    after = replace(before, memory_bytes=8 * GIB)
    told.row([after], "kkk", NOON + HOUR, memory_bytes=4 * GIB)
    (incident,) = told.incidents
    assert (incident.is_open, incident.closed_at) == (False, NOON + HOUR)
    told.row([after], "kkkkkk", NOON + 2 * HOUR, memory_bytes=8 * GIB)
    assert [one.is_open for one in told.incidents] == [False, True]


def test_a_server_without_a_limit_or_without_figures_is_at_none() -> None:
    told = Told()
    told.row([server(memory_bytes=None, cpu_percent=None, disk_bytes=None)], 8 * "k", memory_bytes=99 * GIB)
    told.row([server()], 8 * "k", NOON + HOUR, memory_bytes=None, cpu_percent=None, disk_bytes=None)
    assert told.incidents == []


def test_thresholds_of_a_server_go_before_its_eggs_and_those_before_its_owners(tmp_path: Path) -> None:
    by = rules(
        tmp_path,
        f"""
        [[overrides]]
        servers = ["{server(1).uuid}"]
        rule = "resource_at_limit"
        set = {{ open_after = 1 }}
        [[overrides]]
        eggs = ["Paper"]
        rule = "resource_at_limit"
        set = {{ open_after = 2, severity = "critical" }}
        [[overrides]]
        owners = ["nora"]
        rule = "resource_at_limit"
        set = {{ open_after = 3, severity = "info", memory_from = 0.5 }}
        """,
    )
    told = Told(by)
    servers = [server(1), server(2), server(3, egg_name="Forge"), server(4, egg_name="Forge", owner_name="ada")]
    told.row(servers, "kkkk", memory_bytes=3 * GIB)
    found = {one.subject.name: (one.noticed_at, one.severity) for one in told.incidents}
    assert found == {
        "Lobby 1": (NOON, "critical"),
        "Lobby 2": (NOON + PASS, "critical"),
        "Lobby 3": (NOON + 2 * PASS, "info"),
    }


def test_a_rule_that_is_switched_off_opens_nothing(tmp_path: Path) -> None:
    told = Told(rules(tmp_path, "[rules.node_down]\nenabled = false\n[rules.server_unknown]\nenabled = false"))
    told.row([server()], "nnnnn")
    assert told.incidents == []


def test_a_pass_that_was_evaluated_counts_once() -> None:
    told, one = Told(), server()
    told.row([one], "n")
    told.row([one], "n")
    assert told.incidents == []


def _pass(
    at_minutes: int, *, complete: bool | None = None, problem: str | None = None, nodes: Sequence[str] = ()
) -> PassState:
    at = NOON + timedelta(minutes=at_minutes)
    return PassState(
        name="entities",
        newest_at=at,
        late_from=at + 2 * HOUR,
        is_complete=complete,
        problem=problem,
        nodes=frozenset(nodes),
    )


def test_what_a_dead_node_left_unread_is_held_back_for_it_and_told_if_it_outlives_it() -> None:
    told, servers = Told(), [server(), server(2, "ber-01")]

    def unread(at_minutes: int, *nodes: str) -> None:
        found = _pass(at_minutes, complete=False, problem=f"node {nodes[0]}: 2 x node_unreachable", nodes=nodes)
        told.hear(Readings(at=NOON + timedelta(minutes=at_minutes + 1), passes=[found]))

    told.row(servers[:1], "nnn")
    for minutes in (15, 30, 45):
        unread(minutes, "fra-01")
    (incident,) = told.incidents
    assert (incident.kind, incident.held_back) == ("node_down", {"extraction_failing/entities", *incident.held_back})
    told.row(servers, "kk", NOON + HOUR)
    unread(75, "fra-01")
    assert [one.kind for one in told.incidents] == ["node_down", "extraction_failing"]


def test_what_a_node_that_answers_left_unread_is_told(tmp_path: Path) -> None:
    told = Told(rules(tmp_path, "[rules.extraction_failing]\nopen_after = 1\n[rules.server_unknown]\nenabled = false"))
    told.row([server()], "nn")
    found = _pass(15, complete=False, problem="node ber-01: 1 x error", nodes=["ber-01", "fra-01"])
    told.hear(Readings(at=NOON + timedelta(minutes=16), passes=[found]))
    assert [one.kind for one in told.incidents] == ["node_down", "extraction_failing"]


def test_late_data_are_told_when_their_time_is_over_and_again_when_they_came() -> None:
    told = Told()
    told.hear(Readings(at=NOON, passes=[_pass(0, complete=True)]))
    told.hear(Readings(at=NOON + 2 * HOUR - PASS, passes=[_pass(0)]))
    assert told.incidents == []
    told.hear(Readings(at=NOON + 2 * HOUR + PASS, passes=[_pass(0)]))
    assert [(one.kind, one.opened_at) for one in told.incidents] == [("data_late", NOON + 2 * HOUR)]
    told.hear(Readings(at=NOON + 3 * HOUR, passes=[_pass(180, complete=True)]))
    assert told.incidents[0].closed_at == NOON + 3 * HOUR


def test_a_load_that_failed_counts_once_and_what_is_late_of_it_is_held_back() -> None:
    told = Told()
    for minutes in (0, 60, 120):
        for again in (1, 2):
            found = _pass(minutes, complete=False, problem="nest 4: the panel answered 500")
            told.hear(Readings(at=NOON + timedelta(minutes=minutes + again), passes=[found]))
        assert len(told.incidents) == (minutes == 120)
    told.hear(Readings(at=NOON + 5 * HOUR, passes=[_pass(120)]))
    (incident,) = told.incidents
    assert (incident.kind, incident.cause) == ("extraction_failing", "nest 4: the panel answered 500")
    assert incident.held_back == {"data_late/entities"}
