"""Who is told what and when: quiet hours, digests, snoozes, mentions and the weekly report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pteroassets.alarms.incidents.messages import duration
from pteroassets.alarms.incidents.model import Readings
from tests.alarms.incidents.saying import NOON, PASS, Told, crash, rules, server

HOUR = timedelta(hours=1)
QUIET = """
[general]
name = "Blocks"
timezone = "Europe/Berlin"
[quiet_hours]
enabled = true
begin = 23:00:00
end = 07:00:00
[mentions]
warning = ["role:7"]
critical = ["role:8", "here"]
"""
NIGHT = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # half past midnight in Berlin, whose clocks go forward that night
MORNING = datetime(2026, 3, 29, 5, 5, tzinfo=UTC)


def test_a_night_is_one_digest_and_what_is_still_open_then_has_its_own_message(tmp_path: Path) -> None:
    told = Told(rules(tmp_path, QUIET))
    told.crashes(NIGHT, crash(server(1), NIGHT - PASS, back=timedelta(seconds=60)), crash(server(2), NIGHT - PASS))
    told.crashes(NIGHT + HOUR)
    assert told.messages == []
    told.hear(Readings(at=MORNING, crashes=()))
    assert [message.key for message in told.messages] == ["digest/2026-03-29/Blocks", "incident/2"]
    digest, still = told.messages
    assert "2 incidents, 1 still open" in digest.text
    assert "Lobby 1 crashed for 1 min" in digest.text
    assert still.mentions == ("role:7",)
    told.crashes(MORNING + HOUR, crash(server(2), NIGHT - PASS, back=6 * HOUR))
    assert [message.key for message in told.messages[2:]] == ["incident/2"]


def test_what_is_critical_does_not_wait(tmp_path: Path) -> None:
    told = Told(rules(tmp_path, QUIET))
    told.row([server()], "nn", NIGHT)
    (message,) = told.messages
    assert (message.key, message.mentions) == ("incident/1", ("role:8", "here"))


def test_nobody_is_pinged_by_what_is_over_or_acknowledged(tmp_path: Path) -> None:
    told = Told(rules(tmp_path, QUIET))
    told.crashes(NOON, crash(server(), NOON - PASS))
    assert told.messages[-1].mentions == ("role:7",)
    told.edit(1, acknowledged_by="ada", acknowledged_at=NOON)
    told.crashes(NOON + HOUR, crash(server(), NOON + HOUR - PASS))
    assert told.messages[-1].mentions == ()
    assert [button.label for row in told.messages[-1].buttons for button in row] == ["Snooze 1 h", "Snooze 8 h"]
    told.crashes(NOON + 2 * HOUR, crash(server(), NOON + HOUR - PASS, back=HOUR))
    assert (told.messages[-1].mentions, told.messages[-1].buttons) == ((), ())


def test_a_snooze_that_is_over_is_told_again_once(tmp_path: Path) -> None:
    told = Told(rules(tmp_path, QUIET))
    told.crashes(NOON, crash(server(), NOON - PASS))
    told.edit(1, snoozed_until=NOON + HOUR)
    told.crashes(NOON + HOUR - PASS)
    assert len(told.messages) == 1
    told.crashes(NOON + HOUR)
    told.crashes(NOON + 2 * HOUR)
    # an edit pings nobody, so in Discord a message of its own calls somebody back
    _, edited, reminder = told.messages
    assert edited.announce
    assert (edited.key, reminder.key) == ("incident/1", "incident/1/reminder")
    assert reminder.mentions == ("role:7",)
    assert reminder.text.startswith("Still open after a snooze: Server Lobby 1 ")
    assert told.incidents[0].snoozed_until is None


def test_a_snooze_that_ends_at_night_wakes_nobody_before_the_morning(tmp_path: Path) -> None:
    told, evening = Told(rules(tmp_path, QUIET)), NIGHT - 8 * HOUR
    told.crashes(evening, crash(server(), evening - PASS))
    told.edit(1, snoozed_until=NIGHT)
    told.crashes(NIGHT + HOUR)
    assert [message.key for message in told.messages] == ["incident/1"]
    told.hear(Readings(at=MORNING, crashes=()))
    assert [message.key for message in told.messages[1:]] == ["incident/1", "incident/1/reminder"]


def test_who_looks_after_an_incident_is_not_called_back_to_it(tmp_path: Path) -> None:
    told = Told(rules(tmp_path, QUIET))
    told.crashes(NOON, crash(server(), NOON - PASS))
    told.edit(1, snoozed_until=NOON + HOUR, acknowledged_by="ada", acknowledged_at=NOON)
    told.crashes(NOON + HOUR)
    assert [message.key for message in told.messages] == ["incident/1", "incident/1"]


def test_other_ways_send_the_message_itself_again(tmp_path: Path) -> None:
    told = Told(rules(tmp_path, QUIET), targets=("channel:mail",))
    told.crashes(NOON, crash(server(), NOON - PASS))
    told.edit(1, snoozed_until=NOON + HOUR)
    told.crashes(NOON + HOUR)
    assert [(message.key, message.announce) for message in told.messages[1:]] == [("incident/1", True)]


def test_a_webhook_of_discord_edits_and_so_needs_a_reminder_too(tmp_path: Path) -> None:
    told = Told(rules(tmp_path, QUIET), targets=("webhook:alarms",))
    told.crashes(NOON, crash(server(), NOON - PASS))
    told.edit(1, snoozed_until=NOON + HOUR)
    told.crashes(NOON + HOUR)
    assert [message.key for message in told.messages[1:]] == ["incident/1", "incident/1/reminder"]


def test_what_closes_while_it_is_snoozed_is_told_at_once_and_never_again() -> None:
    told = Told()
    told.crashes(NOON, crash(server(), NOON - PASS))
    told.edit(1, snoozed_until=NOON + HOUR)
    told.crashes(NOON + PASS, crash(server(), NOON - PASS, back=PASS))
    assert told.messages[-1].text.startswith("Server Lobby 1 crashed for 5 min")
    told.crashes(NOON + 2 * HOUR)
    assert len(told.messages) == 2
    assert told.incidents[0].snoozed_until is None


def test_a_week_is_reported_once_for_the_host_and_for_each_owner_with_a_way(tmp_path: Path) -> None:
    told = Told(
        rules(
            tmp_path,
            """
            [general]
            name = "Blocks"
            [[routes]]
            targets = ["discord:1"]
            [[routes]]
            targets = ["discord:2"]
            owners = ["nora"]
            """,
        )
    )
    told.crashes(NOON)  # a Monday
    told.crashes(NOON + HOUR, crash(server(1), NOON, back=HOUR), crash(server(2, owner_name="ada"), NOON, back=PASS))
    steps = [told.crashes(NOON + timedelta(days=6, hours=hours)) for hours in (20, 21, 24)]
    reports = [message for step in steps for message in step.messages]
    assert [(message.key, message.target) for message in reports] == [
        ("report/2026-W10/Blocks", "discord:1"),
        ("report/2026-W10/nora", "discord:2"),
    ]
    assert "2 incidents" in reports[0].text
    assert "server crashed: 1" in reports[1].text
    assert "down longest: Lobby 1, 1 h" in reports[1].text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(40, "40 s"), (35 * 60, "35 min"), (125 * 60, "2 h 5 min"), (7200, "2 h"), (100 * 3600, "4 d 4 h")],
)
def test_durations_are_short(seconds: int, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text
