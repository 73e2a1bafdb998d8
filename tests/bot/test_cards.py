"""What a card says, and how its picture is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import UUID

import pytest
from PIL import Image

from pteroassets.alarms.outbox import Embed
from pteroassets.bot.cards.contents import UnderWay, host_card, players_said, server_card
from pteroassets.bot.cards.picture import HEIGHT, WIDTH, draw
from pteroassets.bot.cards.readings import Hour, Reading, Sample
from pteroassets.bot.cards.scale import cpu_axis, memory_axis
from pteroassets.bot.cards.wording import length, rate

NOW = datetime(2026, 1, 10, 12, 0, 30, tzinfo=UTC)
UUID_A = UUID("aaaaaaaa-0000-4000-8000-000000000001")
LAG = timedelta(hours=1)
LIMIT_RED = (242, 120, 110)


def sample(minutes_ago: float, *, group: str = "measured", interval: int = 300, **others: object) -> Sample:
    at = NOW - timedelta(minutes=minutes_ago)
    figures: dict[str, object] = {"pass_at": at, "sampled_at": at, "interval_seconds": interval, "group": group}
    if group == "measured":
        figures |= {"outcome": "ok", "state": "running", "cpu_percent": 80.0, "memory_mebibytes": 512.0}
        figures |= {"disk_mebibytes": 2048.0, "rx_bytes": 1000, "tx_bytes": 0, "uptime_seconds": 3600.0}
    elif group == "offline":
        figures |= {"outcome": "offline", "state": "offline", "disk_mebibytes": 2048.0}
    else:
        figures |= {"outcome": "node_unreachable", "reason": "the node gave the panel no answer: is it up?"}
    return Sample(**(figures | others))  # type: ignore[arg-type]


def reading(*samples: Sample, **others: object) -> Reading:
    given: dict[str, object] = {
        "server_uuid": UUID_A,
        "name": "Survival",
        "node": "one",
        "memory_limit_mebibytes": 1024.0,
        "disk_limit_mebibytes": 4096.0,
        "cpu_limit_percent": 200.0,
        "samples": samples,
        "logs_known_until": NOW - timedelta(minutes=3),
        "open_sessions": 4,
    }
    return Reading(**(given | others))  # type: ignore[arg-type]


def embed_of(one: Reading, hours: tuple[Hour, ...] = ()) -> Embed:
    return server_card(one, hours, NOW, log_lag=LAG).embed


def values(embed: Embed) -> dict[str, str]:
    return {field.name: field.value for field in embed.fields}


def test_a_running_server_is_shown_with_its_eight_facts() -> None:
    embed = embed_of(reading(sample(5, uptime_seconds=3300.0), sample(0, rx_bytes=308_200, tx_bytes=3000)))

    assert "Running" in embed.description
    assert "1 h 0 min" in embed.description
    assert values(embed) == {
        "CPU": "80 % of 200 %",
        "Memory": "512 MiB of 1.0 GiB (50%)",
        "Disk": "2.0 GiB of 4.0 GiB (50%)",
        "Network in": "1.0 KiB/s",
        "Network out": "10 B/s",
        "Uptime": "1 h 0 min",
        "Players online": f"4 (by its log, <t:{int((NOW - timedelta(minutes=3)).timestamp())}:R>)",
    }


def test_a_node_that_does_not_answer_is_unknown_since_when_and_why_and_never_offline() -> None:
    embed = embed_of(reading(sample(10), sample(5, group="failed"), sample(0, group="failed")))

    since = int((NOW - timedelta(minutes=10)).timestamp())
    assert f"Unknown since <t:{since}:f>" in embed.description
    assert "because the node gave the panel no answer" in embed.description
    assert "is it up?" not in embed.description, "what to do is for operators"
    assert "ffline" not in str(embed)
    assert values(embed)["CPU"] == "not measured"
    assert values(embed)["Uptime"] == "unknown"


def test_a_sample_that_is_too_old_says_nothing_of_now() -> None:
    late = embed_of(reading(sample(17)))
    soon = embed_of(reading(sample(14)))

    assert "Unknown since" in late.description
    assert "no sample was taken since" in late.description
    assert "Running" in soon.description


def test_a_server_of_which_no_sample_is_known_is_unknown() -> None:
    assert "no sample of it was taken lately" in embed_of(reading()).description


@pytest.mark.parametrize("outcome", ["suspended", "installing", "transferring", "maintenance"])
def test_a_server_that_cannot_be_asked_is_shown_as_the_panel_says(outcome: str) -> None:
    assert outcome.capitalize() in embed_of(reading(sample(0, group="gated", outcome=outcome))).description


def test_a_suspect_sample_gives_a_state_and_no_figures() -> None:
    suspect = sample(0, group="suspect", outcome="ok", state="running", cpu_percent=0.0, memory_mebibytes=0.0)
    embed = embed_of(reading(suspect))

    assert "Running" in embed.description
    assert "reports no use although it runs" in embed.description
    assert values(embed)["Memory"] == "not measured"


def test_traffic_after_a_restart_is_counted_from_nothing_and_over_a_hole_not_at_all() -> None:
    restarted = reading(sample(5, rx_bytes=9_000_000), sample(0, rx_bytes=60_000, tx_bytes=600, uptime_seconds=60.0))
    hole = reading(sample(40), sample(0, rx_bytes=9_000_000, uptime_seconds=9_000.0))

    assert restarted.rates() == (1000.0, 10.0)
    assert hole.rates() == (None, None)


def test_players_are_unknown_where_no_log_says_it_and_nobody_is_on_a_server_that_is_off() -> None:
    assert values(embed_of(reading(sample(0), logs_known_until=None)))["Players online"] == (
        "unknown: no log of it is read"
    )
    old = values(embed_of(reading(sample(0), logs_known_until=NOW - timedelta(hours=2))))["Players online"]
    assert old.startswith("unknown: its log was not read since <t:")
    assert values(embed_of(reading(sample(0, group="offline"))))["Players online"] == "0 (it is off)"


def test_limits_that_do_not_exist_are_said() -> None:
    found = values(
        embed_of(reading(sample(0), memory_limit_mebibytes=None, disk_limit_mebibytes=None, cpu_limit_percent=None))
    )

    assert (found["CPU"], found["Memory"], found["Disk"]) == (
        "80 % (no limit)",
        "512 MiB (no limit)",
        "2.0 GiB (no limit)",
    )


def test_names_that_look_like_markup_or_mentions_are_shown_as_they_are() -> None:
    title = embed_of(reading(sample(0), name="@everyone **[x](http://evil.test)**")).title

    assert "@everyone" not in title.replace("\\@", "")
    assert "**" not in title.replace("\\*", "")


def test_a_card_says_who_sent_a_signal_lately() -> None:
    signal = UnderWay(command="restart", user_id=42, at=NOW)
    said = server_card(reading(sample(0)), (), NOW, log_lag=LAG, signal=signal).embed.description

    assert f"Restart sent by <@42> <t:{int(NOW.timestamp())}:R>" in said


def test_buttons_that_make_no_sense_are_grey_and_a_server_that_is_gone_has_none() -> None:
    def disabled(one: Reading) -> list[str]:
        rows = server_card(one, (), NOW, log_lag=LAG).buttons
        return [button.label for row in rows for button in row if button.disabled]

    assert disabled(reading(sample(0))) == ["Start"]
    assert disabled(reading(sample(0, group="offline"))) == ["Stop", "Restart"]
    assert disabled(reading(sample(0, group="failed"))) == [], "of a state that is unknown nothing is forbidden"
    assert server_card(reading(sample(0), is_active=False), (), NOW, log_lag=LAG).buttons == ()


def test_the_hosts_card_counts_states_and_says_of_how_many_it_knows_the_use() -> None:
    host = host_card(
        [reading(sample(0)), reading(sample(0, group="failed"), node="two"), reading(sample(0, group="offline"))],
        3,
        NOW,
        log_lag=LAG,
    )

    assert "1 running" in host.embed.description
    assert "1 unknown" in host.embed.description
    assert "1 offline" in host.embed.description
    assert values(host.embed)["Memory"] == "512 MiB (1 of 3 servers measured)"
    assert host.shown.state == "1 offline, 1 running, 1 unknown"


def test_the_players_of_the_host_are_unknown_where_no_log_was_read_lately() -> None:
    def said(*hours_ago: float | None) -> str:
        read = [None if hours is None else NOW - timedelta(hours=hours) for hours in hours_ago]
        return players_said([reading(logs_known_until=until) for until in read], 3, NOW, log_lag=LAG)

    assert said(None, None) == "unknown: no log is read"
    assert said() == "unknown: no log is read"
    assert said(2, None, 3).startswith("unknown: no log was read since <t:")
    assert said(0.5, None) == "3 (by the logs of 1 server)"
    assert said(0.5, 2) == "3 (by the logs of 2 servers, 1 of them read long ago)"


def test_what_was_not_measured_is_not_added_up_as_nothing() -> None:
    host = host_card([reading(sample(0)), reading(sample(0, cpu_percent=None))], 3, NOW, log_lag=LAG)

    assert values(host.embed)["CPU"] == "0.8 cores (1 of 2 servers measured)"
    assert values(host.embed)["Memory"] == "1.0 GiB (2 of 2 servers measured)"


def test_the_axis_of_the_processor_knows_vcpus_and_unlimited() -> None:
    assert cpu_axis([30.0], 100.0).ticks == (0, 50, 100)
    assert cpu_axis([30.0], 400.0).ticks == (0, 200, 400)
    assert cpu_axis([350.0], 200.0).top > 350, "what goes beyond the limit is drawn"
    unlimited = cpu_axis([130.0, 210.0], None)
    assert (unlimited.top, unlimited.ticks, unlimited.limit) == (300, (0, 100, 200, 300), None)
    assert cpu_axis([], None).top == 100


def test_the_axis_of_memory_ends_above_the_limit_or_at_a_round_value() -> None:
    assert memory_axis([512.0], 4096.0).ticks == (0, 1024, 2048, 3072, 4096)
    unlimited = memory_axis([2500.0], None)
    assert unlimited.limit is None
    assert unlimited.top == 3072
    assert [unlimited.label(tick) for tick in unlimited.ticks] == ["0", "1G", "2G", "3G"]


def pixels(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png)).convert("RGB")


def count_near(image: Image.Image, colour: tuple[int, int, int], box: tuple[int, int, int, int]) -> int:
    return sum(
        count
        for count, seen in image.crop(box).getcolors(1 << 20) or []
        if sum(abs(a - b) for a, b in zip(seen, colour, strict=True)) < 40
    )


def hours(*figures: float | None) -> tuple[Hour, ...]:
    first = NOW.replace(minute=0, second=0) - timedelta(hours=len(figures) - 1)
    return tuple(
        Hour(
            hour_at=first + timedelta(hours=number),
            cpu_percent=figure,
            cpu_percent_max=figure,
            memory_mebibytes=figure,
            memory_mebibytes_max=figure,
        )
        for number, figure in enumerate(figures)
    )


def test_the_picture_draws_the_limit_and_leaves_it_out_where_there_is_none() -> None:
    whole = (0, 0, WIDTH, HEIGHT)
    limited = draw(reading(sample(5), sample(0)), hours(50.0, 60.0), NOW)
    unlimited = draw(
        reading(sample(5), sample(0), cpu_limit_percent=None, memory_limit_mebibytes=None), hours(50.0, 60.0), NOW
    )
    assert limited is not None
    assert unlimited is not None

    assert pixels(limited).size == (WIDTH, HEIGHT)
    assert count_near(pixels(limited), LIMIT_RED, whole) > 500
    assert count_near(pixels(unlimited), LIMIT_RED, whole) == 0
    assert len(limited) < 40_000


def test_the_picture_shows_an_hour_without_a_measurement_as_a_gap() -> None:
    blue, day_of_cpu = (88, 166, 255), (300, 30, WIDTH - 20, HEIGHT // 2 - 24)
    full = draw(reading(sample(0)), hours(*[100.0] * 24), NOW)
    holed = draw(reading(sample(0)), hours(*[100.0] * 8, *[None] * 8, *[100.0] * 8), NOW)
    assert full is not None
    assert holed is not None

    ratio = count_near(pixels(holed), blue, day_of_cpu) / count_near(pixels(full), blue, day_of_cpu)
    assert 0.5 < ratio < 0.75


def test_nothing_is_drawn_of_a_server_that_was_never_measured() -> None:
    assert draw(reading(sample(0, group="failed")), (), NOW) is None
    assert embed_of(reading(sample(0, group="failed"))).image is None


def test_figures_are_written_for_people() -> None:
    assert [length(seconds) for seconds in (20, 90, 3_700, 200_000)] == [
        "less than a minute",
        "1 min",
        "1 h 1 min",
        "2 d 7 h",
    ]
    assert [rate(value) for value in (None, 0.0, 2048.0, 3 * 1024 * 1024.0)] == [
        "not known",
        "0 B/s",
        "2.0 KiB/s",
        "3.0 MiB/s",
    ]
