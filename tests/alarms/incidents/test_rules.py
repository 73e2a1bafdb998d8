"""The file of rules: what is refused, with which words, and when it is quiet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pteroassets.alarms.incidents.rules import RulesFault, read_rules
from pteroassets.platform.incidents import check_rules
from pteroassets.settings import Settings
from tests.alarms.incidents.saying import rules, server

QUIET = '[general]\ntimezone = "Europe/Berlin"\n[quiet_hours]\nenabled = true\nbegin = 23:00:00\nend = 07:00:00\n'


def test_all_faults_are_named_at_once_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(RulesFault) as fault:
        rules(
            tmp_path,
            """
            [general]
            timezone = "Mars/Olympus"
            [rules.node_down]
            open_after = 0
            opens = 2
            [rules.nod_down]
            enabled = false
            [mentions]
            critical = ["@everyone"]
            [[routes]]
            targets = ["#general"]
            """,
        )
    lines = str(fault.value).splitlines()
    places = [line.removeprefix(f"{tmp_path}/rules.toml: ").partition(":")[0] for line in lines]
    assert places == [
        "general", "rules.node_down.open_after", "rules.node_down.opens", "rules.nod_down", "mentions.critical.0",
        "routes.0.targets.0",
    ]  # fmt: skip
    assert "'Mars/Olympus' is not an IANA time zone" in lines[0]
    assert "there is no such key" in lines[2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[overrides]]\nrule = "node_down"\nset = { open_after = 1 }', "it names no servers, eggs or owners"),
        ('[[overrides]]\neggs = ["Paper"]\nrule = "node_down"\nset = { cpu_from = 1 }', "overrides.0.set.cpu_from"),
        ("[quiet_hours]\nenabled = true\nbegin = 07:00:00\nend = 07:00:00", "begin and end are the same"),
        ("[[routes]]\ntargets = []", "routes.0: it names no targets"),
        ("rules = ", "it is not TOML"),
        (
            f'[general]\nname = "{"x" * 81}"',
            "general.name: it has 81 characters, of which titles have room for 80: shorten it",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RulesFault, match=words):
        rules(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RulesFault, match=r"none\.toml: it cannot be read: No such file"):
        read_rules(tmp_path / "none.toml")


def test_a_file_says_only_what_differs(tmp_path: Path) -> None:
    changed = rules(tmp_path, "[rules.node_down]\nopen_after = 7").rules.node_down
    assert (changed.open_after, changed.close_after, changed.severity) == (7, 2, "critical")


@pytest.mark.parametrize(
    ("at", "is_quiet"),
    [
        ("2026-03-28 21:59", False),
        ("2026-03-28 22:00", True),  # 23:00 in winter
        ("2026-03-29 04:59", True),  # 06:59 after the clocks went forward
        ("2026-03-29 05:00", False),
        ("2026-03-29 21:00", True),  # 23:00 in summer
        ("2026-10-25 00:30", True),  # 02:30 for the first time
        ("2026-10-25 01:30", True),  # and for the second
        ("2026-10-25 05:59", True),
        ("2026-10-25 06:00", False),
    ],
)
def test_quiet_hours_go_over_midnight_by_the_clock_of_their_zone(tmp_path: Path, at: str, is_quiet: bool) -> None:  # noqa: FBT001
    quiet = rules(tmp_path, QUIET).quiet_hours
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert quiet.are_at(instant, ZoneInfo("Europe/Berlin")) is is_quiet
    assert quiet.hold("warning", instant, ZoneInfo("Europe/Berlin")) is is_quiet
    assert not quiet.hold("critical", instant, ZoneInfo("Europe/Berlin"))


def test_quiet_hours_by_day_are_those_in_between(tmp_path: Path) -> None:
    quiet = rules(tmp_path, "[quiet_hours]\nenabled = true\nbegin = 12:00:00\nend = 14:00:00").quiet_hours
    hours = [hour for hour in range(24) if quiet.are_at(datetime(2026, 3, 1, hour, tzinfo=UTC), ZoneInfo("UTC"))]
    assert hours == [12, 13]


def test_routes_choose_by_kind_severity_and_whose_server_it_is(tmp_path: Path) -> None:
    made = rules(
        tmp_path,
        """
        [[routes]]
        targets = ["discord:1"]
        [[routes]]
        targets = ["discord:2", "channel:mail"]
        severity = "critical"
        [[routes]]
        targets = ["discord:3", "discord:1"]
        owners = ["nora"]
        kinds = ["server_crashed"]
        """,
    )
    nora, ada = server(1), server(2, owner_name="ada")
    assert made.targets("server_crashed", "warning", nora, ()) == ["discord:1", "discord:3"]
    assert made.targets("server_crashed", "warning", ada, ()) == ["discord:1"]
    assert made.targets("node_down", "critical", None, ()) == ["discord:1", "discord:2", "channel:mail"]
    assert read_rules().targets("node_down", "critical", None, ("discord:9",)) == ["discord:9"]


WAYS = ["webhook:alarms", "channel:mail", "channel:alarm"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("channel:mial", "channel:mial is not set up: set 'mial' in PTEROASSETS_CHANNELS, or write channel:mail or"),
        ("webhook:team", "webhook:team is not set up: set 'team' in PTEROASSETS_DISCORD_WEBHOOKS, or write webhook:"),
        ("discord:12", "discord:12 cannot be reached, since PTEROASSETS_DISCORD_TOKEN is not set"),
    ],
)
def test_a_target_that_is_not_set_up_is_refused_with_the_remedy(tmp_path: Path, target: str, words: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f'[[routes]]\ntargets = ["webhook:alarms", "{target}"]')
    with pytest.raises(RulesFault, match=f"routes.0.targets.1: {words}"):
        read_rules(path, ways=WAYS)
    assert read_rules(path).routes  # a dry run elsewhere knows no ways
    assert read_rules(path, ways=[*WAYS, "discord", "channel:mial", "webhook:team"]).routes


def found(tmp_path: Path, text: str, **others: str) -> list[tuple[str, str]]:
    (tmp_path / "rules.toml").write_text(text)
    set_to: dict[str, Any] = {
        "pteroassets_channels": '{"mail": "mailto://me@example.com"}', "pteroassets_alarm_targets": "channel:mail",
        "pteroassets_incident_rules": tmp_path / "rules.toml", **others,
    }  # fmt: skip
    return [(one.status, one.detail) for one in check_rules(Settings(_env_file=None, **set_to))]


def test_a_check_warns_of_what_no_route_takes(tmp_path: Path) -> None:
    usable = ("ok", f"{tmp_path}/rules.toml can be used")
    assert found(tmp_path, "") == [usable]
    assert found(tmp_path, '[[routes]]\ntargets = ["channel:mail"]') == [usable]
    rest = 'targets = ["channel:mail"]\n[rules.unusual]\nenabled = false\n[general]\nreport_weekday = 0'
    _, nobody, some = found(tmp_path, f'[[routes]]\nowners = ["nora"]\nseverity = "warning"\n{rest}')
    assert nobody == ("warning", "no route takes node_down, data_late, extraction_failing: nobody is told")
    assert some[1].startswith(
        "server_crashed, crash_loop, server_unknown, resource_at_limit, disk_filling, backups_old:"
    )
    _, nobody = found(tmp_path, '[[routes]]\nkinds = ["node_down"]\nowners = ["nora"]\ntargets = ["channel:mail"]')
    assert nobody[1].endswith("extraction_failing, unusual, the weekly report of the host: nobody is told")


def test_a_check_warns_of_a_severity_that_an_override_takes_below_the_routes(tmp_path: Path) -> None:
    _, nobody = found(
        tmp_path,
        """
        rules.unusual.enabled = false
        [[routes]]
        severity = "warning"
        targets = ["channel:mail"]
        [[overrides]]
        eggs = ["Paper"]
        rule = "server_crashed"
        set = { severity = "info" }
        """,
    )
    assert nobody == ("warning", "no route takes server_crashed of severity info: nobody is told")


def test_a_check_warns_of_ways_out_to_which_nothing_is_sent(tmp_path: Path) -> None:
    _, nobody = found(tmp_path, "", pteroassets_alarm_targets="")
    assert nobody == ("warning", "is not set, so nobody is told of failed runs and checks, and incidents")
    _, failures = found(tmp_path, '[[routes]]\ntargets = ["channel:mail"]', pteroassets_alarm_targets="")
    assert failures == ("warning", "is not set, so nobody is told of failed runs and checks")
