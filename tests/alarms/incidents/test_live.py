"""The same evaluation on a warehouse: in one transaction, once, and after a kill."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from pteroassets.alarms.incidents import live
from pteroassets.alarms.incidents.actions import NoIncidentError, acknowledge, snooze
from pteroassets.alarms.incidents.failures import failure_began, failure_ended
from pteroassets.alarms.incidents.live import Circumstances, Replay, evaluate_now
from pteroassets.alarms.incidents.rules import read_rules
from pteroassets.alarms.outbox import Message
from pteroassets.landing.pterodactyl.utilization import land_samples
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport, record_load
from tests.alarms.incidents.saying import NOON, PASS

pytestmark = pytest.mark.postgres

SERVERS = [uuid.UUID(int=number) for number in (1, 2)]
WITH = Circumstances(
    targets=("discord:1",), late_after={"raw_pterodactyl.utilization_samples": ("utilization", timedelta(minutes=20))}
)


def land(warehouse: Connection, number: int, outcome: str, **report: Any) -> None:
    at = NOON + number * PASS
    reason = "it timed out" if outcome == "node_unreachable" else None
    state = "running" if outcome == "ok" else None
    figures = (5.0, 2**30, 2**30, 1, 1, 3_600_000) if outcome == "ok" else (None,) * 6
    rows = [[server, at, at, 300, "fra-01", outcome, state, *figures, False, reason] for server in SERVERS]
    land_samples(warehouse, rows, observed_at=at, **report)


def evaluate(warehouse: Connection, number: int) -> live.Outcome:
    return evaluate_now(warehouse, read_rules(), WITH, now=NOON + number * PASS + timedelta(seconds=20))


def incidents(warehouse: Connection, columns: str = "kind, subject_key, closed_at") -> Sequence[tuple[Any, ...]]:
    return warehouse.execute(f"select {columns} from ops.incidents order by incident_id").fetchall()


def outage(warehouse: Connection) -> None:
    for number, outcome in enumerate(("ok", "node_unreachable", "node_unreachable")):
        land(warehouse, number, outcome)
        evaluate(warehouse, number)


def test_a_node_that_goes_down_and_comes_back_is_one_row_and_one_message(warehouse: Connection) -> None:
    outage(warehouse)
    assert incidents(warehouse) == [("node_down", "fra-01", None)]
    for number in (3, 4, 5):
        land(warehouse, number, "node_unreachable" if number == 3 else "ok")
        evaluate(warehouse, number)
    assert incidents(warehouse) == [("node_down", "fra-01", NOON + 4 * PASS)]
    assert incidents(warehouse, "noticed_at, cardinality(held_back)") == [(NOON + 2 * PASS + timedelta(seconds=20), 2)]
    assert warehouse.execute("select key, target, version from ops.outbox").fetchall() == [
        ("incident/1", "discord:1", 3)
    ]
    events = warehouse.execute("select event from ops.incident_events order by event_number").fetchall()
    assert [event for (event,) in events] == ["opened", "held_back", "held_back", "closed"]


def test_evaluating_twice_changes_nothing(warehouse: Connection) -> None:
    outage(warehouse)
    before = [
        warehouse.execute(f"select * from ops.{table}").fetchall()
        for table in ("incidents", "incident_events", "outbox")
    ]
    done = evaluate(warehouse, 2)
    assert (done.opened, done.closed, done.still_open, done.messages) == (0, 0, 1, 0)
    after = [
        warehouse.execute(f"select * from ops.{table}").fetchall()
        for table in ("incidents", "incident_events", "outbox")
    ]
    assert before == after


def test_passes_that_nobody_evaluated_meanwhile_are_made_up_for(warehouse: Connection) -> None:
    for number, outcome in enumerate(("ok", "node_unreachable", "node_unreachable", "ok", "ok")):
        land(warehouse, number, outcome)
    done = evaluate(warehouse, 5)
    assert (done.opened, done.closed, done.messages) == (1, 1, 2)
    assert incidents(warehouse, "opened_at, closed_at") == [(NOON + PASS, NOON + 3 * PASS)]


def test_a_kill_before_the_commit_loses_nothing_and_doubles_nothing(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, outcome in enumerate(("ok", "node_unreachable", "node_unreachable")):
        land(warehouse, number, outcome)

    def killed(_connection: Connection, _message: Message, **_options: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(live.outbox, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            evaluate(warehouse, 2)
    assert incidents(warehouse) == []
    evaluate(warehouse, 2)
    assert len(incidents(warehouse)) == 1


def test_a_second_evaluation_waits_for_the_first(warehouse_settings: ConnectionSettings, warehouse: Connection) -> None:
    outage(warehouse)
    with connect(warehouse_settings) as other:
        other.execute("select pg_advisory_xact_lock(hashtext('pteroassets'), hashtext('incidents'))")
        warehouse.execute("set lock_timeout = '50ms'")
        with pytest.raises(Exception, match="lock timeout"):
            evaluate(warehouse, 3)


def test_what_a_dead_node_left_unread_is_held_back_for_it(warehouse: Connection) -> None:
    of_node = {"scope": "node fra-01", "reason": "2 x node_unreachable: it timed out"}

    def left_unread(number: int, *problems: dict[str, str]) -> None:
        land(warehouse, number, "node_unreachable", is_complete=False, problems=list(problems))
        # a load counts as one of a pass that is made now
        warehouse.execute("update ops.loads set _loaded_at = observed_at")
        evaluate(warehouse, number)

    outage(warehouse)
    for number in (3, 4, 5):
        left_unread(number, of_node)
    ((kind, held_back),) = incidents(warehouse, "kind, held_back")
    assert kind == "node_down"
    assert "extraction_failing/utilization" in held_back
    left_unread(6, of_node, {"scope": "", "reason": "the panel answered 500"})
    assert [kind for (kind,) in incidents(warehouse, "kind")] == ["node_down", "extraction_failing"]


def test_a_pass_that_goes_on_is_not_judged_before_it_is_over(warehouse: Connection) -> None:
    land(warehouse, 0, "ok")
    for number in (1, 2):
        at = NOON + number * PASS
        row = [SERVERS[0], at, at, 300, "fra-01", "node_unreachable", None, *(None,) * 6, False, "it timed out"]
        goes_on = [{"scope": "", "reason": "part of a pass that went on"}] if number == 2 else []
        land_samples(warehouse, [row], observed_at=at, is_complete=number == 1, problems=goes_on)
    evaluate(warehouse, 3)
    assert incidents(warehouse) == []


def test_a_replay_says_what_the_passes_said_and_writes_nothing(warehouse: Connection) -> None:
    for number, outcome in enumerate(("ok", "node_unreachable", "node_unreachable", "node_unreachable", "ok", "ok")):
        land(warehouse, number, outcome)
        evaluate(warehouse, number)
    live_messages = warehouse.execute("select key, body ->> 'text' from ops.outbox").fetchall()
    live_rows = incidents(warehouse, "kind, subject_key, opened_at, closed_at, held_back, cause")
    warehouse.execute("delete from ops.incidents")
    replay = Replay()
    span = {"since": NOON - PASS, "until": NOON + 6 * PASS}
    steps = [*replay.run(warehouse, read_rules(), WITH, **span)]
    assert [(one.kind, one.subject.key, one.opened_at, one.closed_at, sorted(one.held_back), one.cause)
            for one in replay.incidents.values()] == live_rows  # fmt: skip
    assert [(message.key, message.text) for message in steps[-1].messages] == live_messages
    assert incidents(warehouse) == []


def test_what_somebody_does_is_kept_and_shown_in_the_message(warehouse: Connection) -> None:
    outage(warehouse)
    assert acknowledge(warehouse, 1, by="ada", at=NOON + 3 * PASS) == "Acknowledged: Node fra-01 is down."
    assert acknowledge(warehouse, 1, by="nora", at=NOON + 3 * PASS) == "ada has acknowledged it already."
    assert snooze(warehouse, 1, minutes=60, by="ada", at=NOON + 3 * PASS).startswith("Snoozed for 1 h")
    (body,) = warehouse.execute("select body::text from ops.outbox").fetchone() or ("",)
    assert "Acknowledged by" in body
    assert "incident:ack:1" not in body
    land(warehouse, 3, "node_unreachable")
    evaluate(warehouse, 3)
    assert incidents(warehouse, "acknowledged_by, snoozed_until") == [("ada", NOON + 3 * PASS + timedelta(hours=1))]
    events = warehouse.execute("select event, done_by from ops.incident_events where done_by is not null").fetchall()
    assert events == [("acknowledged", "ada"), ("snoozed", "ada")]


def test_a_reminder_stays_until_somebody_takes_the_incident_on_or_it_is_over(warehouse: Connection) -> None:
    def reminders() -> list[tuple[bool]]:
        return warehouse.execute(
            "select withdrawn_at is null from ops.outbox where key = 'incident/1/reminder'"
        ).fetchall()

    outage(warehouse)
    for minutes, number in ((5, 4), (1, 6)):
        snooze(warehouse, 1, minutes=minutes, by="ada", at=NOON + (number - 1) * PASS)
        assert reminders() == ([] if number == 4 else [(False,)])
        land(warehouse, number, "node_unreachable")
        evaluate(warehouse, number)
        assert reminders() == [(True,)]
    for number in (7, 8, 9):
        land(warehouse, number, "ok")
        evaluate(warehouse, number)
    assert reminders() == [(False,)]


def test_what_cannot_be_done_is_said(warehouse: Connection) -> None:
    outage(warehouse)
    with pytest.raises(NoIncidentError, match="no incident 7"):
        acknowledge(warehouse, 7, by="ada", at=NOON)
    with pytest.raises(NoIncidentError, match="1 to 10,080 minutes"):
        snooze(warehouse, 1, minutes=0, by="ada", at=NOON)
    for number in (3, 4, 5):
        land(warehouse, number, "ok")
        evaluate(warehouse, number)
    with pytest.raises(NoIncidentError, match="It is over: Node fra-01 was down"):
        snooze(warehouse, 1, minutes=60, by="ada", at=NOON + 6 * PASS)


def test_a_failure_of_dagster_is_recorded_once_until_it_is_over(warehouse: Connection) -> None:
    failure = {"kind": "run_failing", "subject": "logs", "severity": "critical", "cause": "the panel refused the key"}
    assert failure_began(warehouse, at=NOON, **failure) == 1  # type: ignore[arg-type]
    assert failure_began(warehouse, at=NOON + PASS, **failure) is None  # type: ignore[arg-type]
    assert failure_ended(warehouse, kind="run_failing", subject="logs", at=NOON + 2 * PASS) == 1
    assert failure_ended(warehouse, kind="run_failing", subject="logs", at=NOON + 3 * PASS) is None
    assert incidents(warehouse) == [("run_failing", "logs", NOON + 2 * PASS)]
    outage(warehouse)
    assert [row[0] for row in incidents(warehouse)] == ["run_failing", "node_down"]
    assert warehouse.execute("select distinct key from ops.outbox").fetchall() == [("incident/2",)]


def test_data_are_late_where_the_ledger_has_no_newer_load(warehouse: Connection) -> None:
    land(warehouse, 0, "ok")
    warehouse.execute("update ops.loads set _loaded_at = observed_at")
    evaluate(warehouse, 0)
    evaluate(warehouse, 3)
    assert incidents(warehouse) == []
    evaluate(warehouse, 5)
    assert incidents(warehouse) == [("data_late", "utilization", None)]
    land(warehouse, 6, "ok")
    warehouse.execute("update ops.loads set _loaded_at = observed_at")
    evaluate(warehouse, 6)
    assert incidents(warehouse) == [("data_late", "utilization", NOON + 6 * PASS)]


def test_data_that_were_late_are_told_once_while_a_slower_pass_has_nothing_new(warehouse: Connection) -> None:
    slow = "raw_pterodactyl.servers"
    with_slow = Circumstances(
        targets=WITH.targets, late_after={**WITH.late_after, slow: ("entities", timedelta(hours=3))}
    )
    record_load(
        warehouse,
        LoadReport(table=slow, observed_at=NOON - PASS, is_complete=True, rows_read=0, rows_added=0),
    )
    for number in range(12):
        if number not in range(1, 6):
            land(warehouse, number, "ok")
        warehouse.execute("update ops.loads set _loaded_at = observed_at")
        evaluate_now(warehouse, read_rules(), with_slow, now=NOON + number * PASS + timedelta(seconds=20))
    assert incidents(warehouse, "kind, opened_at, closed_at") == [("data_late", NOON + 4 * PASS, NOON + 6 * PASS)]


def test_history_that_a_back_fill_made_shows_no_lateness(warehouse: Connection) -> None:
    land(warehouse, 0, "ok")
    evaluate(warehouse, 50)
    assert incidents(warehouse) == []


def test_a_disk_is_judged_each_hour_by_how_it_grew_and_not_before_enough_is_known(warehouse: Connection) -> None:
    gibibyte = 2**30
    warehouse.execute(
        """
        insert into raw_pterodactyl.servers (key, valid_from, id, uuid, record, digest, _source, _load_id)
        values (%(uuid)s, %(at)s, 1, %(uuid)s, '{"name": "Lobby", "limits": {"disk": 20480}}', '', '', %(uuid)s)
        """,
        {"uuid": SERVERS[0], "at": NOON - timedelta(days=2)},
    )
    opened: dict[int, int] = {}
    for number in range(12):
        at = NOON + timedelta(hours=number, minutes=30)
        figures = (5.0, gibibyte, (8 + number) * gibibyte, 1, 1, 3_600_000)
        row = [SERVERS[0], at, at, 300, "fra-01", "ok", "running", *figures, False, None]
        land_samples(warehouse, [row], observed_at=at)
        done = evaluate_now(warehouse, read_rules(), WITH, now=at + timedelta(minutes=31))
        opened[number] = done.opened
    assert incidents(warehouse, "kind, cause") == [
        ("disk_filling", "its disk is full in 1 hours if it goes on growing as in the last day")
    ]
    assert [number for number, count in opened.items() if count] == [6], "of six hours, seen twice"
