"""What a reader sees of figures, tables and charts, and that no name in them is more than text."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import altair as alt
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from jsonschema import ValidationError

from pteroassets.dashboards import context as of_notebooks
from pteroassets.dashboards import kit
from pteroassets.dashboards.blocks import VEGA, Block, Chart, Figure, Figures, Nothing
from pteroassets.dashboards.context import Context, from_json
from pteroassets.dashboards.metrics import MetricError
from pteroassets.dashboards.render import Frame, Shown, render_page
from tests.dashboards.pages import ATTACK, METRICS, NOW, parsed


@pytest.fixture(autouse=True)
def given() -> Iterator[None]:
    before = [*of_notebooks._set]
    of_notebooks.use(Context(now=NOW, metrics=METRICS, pages=("server",)))
    yield
    of_notebooks._set[:] = before


def tree(block: Block) -> BeautifulSoup:
    return parsed(block.html())


def page(*blocks: Any) -> BeautifulSoup:
    outputs = [block._repr_mimebundle_() for block in blocks]
    frame = Frame(title=ATTACK, summary=ATTACK, made_at="now", nav=[(ATTACK, "a.html")], editions=[(ATTACK, "b.html")])
    return parsed(render_page([Shown(outputs=outputs), Shown(markdown=f"# {ATTACK}")], frame))


def days(*values: float | None, name: str = "Lobby") -> pd.DataFrame:
    dates = [pd.Timestamp("2026-03-01") + timedelta(days=number) for number in range(len(values))]
    return pd.DataFrame({"day": dates, "player_hours": [*values], "server": name, "uptime": 0.5})


def test_a_figure_has_its_unit_its_definition_and_its_value_for_a_program() -> None:
    shown = tree(kit.figures(kit.figure("player_hours", 1234.56, of="last week"), kit.figure("players", 1)))
    hours, players = shown.select(".figure")
    assert hours.select_one(".value").get_text() == "1,234.6 hours"
    assert (hours["data-metric"], hours["data-value"]) == ("player_hours", "1234.56")
    link = hours.select_one("a.metric")
    assert (link["href"], link["title"]) == ("glossary.html#player_hours", "What player_hours means.")
    assert players.select_one(".value").get_text() == "1 player"


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("crashes", "1 crash"),
        ("entries", "1 entry"),
        ("bytes", "1 byte"),
        ("GiB", "1 GiB"),
        ("% of a core", "1 % of a core"),
    ],
)
def test_one_of_a_thing_is_no_things(unit: str, shown: str) -> None:
    metric = dataclasses.replace(METRICS["players"], unit=unit)
    assert tree(Figures(figures=(Figure(metric=metric, value=1),))).select_one(".value").get_text() == shown


def test_what_is_not_known_says_why_and_is_no_zero() -> None:
    (shown,) = tree(kit.figures(kit.figure("player_hours", None, why="no log was read"))).select(".figure")
    assert shown.select_one(".value").get_text() == "not known"
    assert shown.select_one(".of").get_text() == "no log was read"
    assert shown["data-value"] == ""
    with pytest.raises(MetricError, match="does not say why"):
        kit.figure("player_hours", float("nan"))


def test_a_number_that_is_in_no_registry_is_refused() -> None:
    frame = days(1.0)
    with pytest.raises(MetricError, match="'made_up' is not in the registry"):
        kit.figure("made_up", 1)
    with pytest.raises(MetricError, match="'Hours' is not in the registry"):
        kit.table(frame, {"player_hours": "Hours"}, caption="", empty="")
    with pytest.raises(MetricError, match="'made_up' is not in the registry"):
        kit.line(frame, x="day", metric="made_up", value="player_hours", title="", empty="")


def test_a_table_can_be_sorted_by_what_it_shows_and_leads_to_the_pages_of_its_rows() -> None:
    frame = pd.DataFrame(
        {
            "name": ["Lobby", "Arena", None],
            "slug": ["a1", None, "c3"],
            "player_hours": [1.25, None, 1000.0],
            "seen": [pd.Timestamp("2026-03-01 10:00", tz="UTC"), pd.NaT, pd.NaT],
            "open": [True, False, True],
        }
    )
    columns = {"name": "Server", "player_hours": "player_hours", "seen": "Seen", "open": "Open"}
    shown = tree(kit.table(frame, columns, caption="Servers", empty="none", links={"name": ("server", "slug")}))
    assert [head.get_text() for head in shown.select("th")] == ["Server", "Player-hours", "Seen", "Open"]
    rows = [[cell.get_text() for cell in row.select("td")] for row in shown.select("tbody tr")]
    assert rows == [
        ["Lobby", "1.2", "2026-03-01 10:00", "yes"],
        ["Arena", "-", "-", "no"],
        ["-", "1,000.0", "-", "yes"],
    ]
    assert [cell.get("data-key") for cell in shown.select("td.number")] == ["1.25", None, "1000.0"]
    assert [link["href"] for link in shown.select("td a")] == ["server-a1.html"]


def test_an_empty_table_and_an_empty_chart_say_so_in_words() -> None:
    empty = kit.table(days(), {"player_hours": "player_hours"}, caption="Servers", empty="None was found.")
    assert tree(empty).select_one(".nothing").get_text() == "None was found."
    assert tree(empty).select("table") == []
    chart = kit.line(days(None, None), x="day", metric="player_hours", title="Hours", empty="No log was read.")
    assert isinstance(chart, Nothing)
    assert tree(chart).select_one(".nothing").get_text() == "No log was read."


def spec_of(block: Any) -> dict[str, Any]:
    (script,) = tree(block).select("script[type='application/json']")
    return dict(json.loads(script.string))


def test_a_chart_has_its_unit_on_the_axis_follows_the_page_and_draws_days_in_utc() -> None:
    shown = kit.line(days(1.0, None, 3.0), x="day", metric="player_hours", title="Hours", empty="")
    spec = spec_of(shown)
    assert spec["width"] == "container"
    assert "config" not in spec
    assert spec["encoding"]["y"]["title"] == "Player-hours"
    assert spec["encoding"]["x"]["timeUnit"] == "utcyearmonthdate"
    (rows,) = spec["datasets"].values()
    assert [row["value"] for row in rows] == [1.0, None, 3.0]  # a gap, not a zero
    assert rows[0]["day"] == "2026-03-01T00:00:00Z"
    figure = tree(shown).select_one("[role=img]")
    assert figure["aria-label"].startswith("Hours: Player-hours by day")


def a_curve(frame: pd.DataFrame, by: str, *, title: str = "", empty: str = "") -> Any:
    points = frame.assign(days_later=range(1, len(frame) + 1), low=0.1, high=0.9, players=range(len(frame)))
    return kit.curve(
        points, x="days_later", metric="uptime", value="player_hours", bounds=("low", "high"), rests_on="players",
        by=by, title=title, empty=empty,
    )  # fmt: skip


def test_a_curve_shows_what_each_point_rests_on_and_in_which_interval_it_lies() -> None:
    spec = spec_of(a_curve(days(0.5, None, 0.25), "server"))
    (rows,) = spec["datasets"].values()
    # a step of which nothing is known is no point
    assert [(row["days_later"], row["value"], row["players"]) for row in rows] == [(1, 0.5, 0), (3, 0.25, 2)]
    area, drawn = spec["layer"]
    assert (area["encoding"]["y"]["field"], area["encoding"]["y2"]["field"]) == ("low", "high")
    assert [one["field"] for one in drawn["encoding"]["tooltip"]][-3:] == ["low", "high", "players"]
    nothing = a_curve(days(None), "server", empty="No cohort is old enough.")
    assert tree(nothing).select_one(".nothing").get_text() == "No cohort is old enough."


def test_lines_of_one_axis_have_one_unit_and_are_called_by_their_metrics() -> None:
    spec = spec_of(
        kit.lines(
            days(1.0, None),
            x="day",
            metrics={"player_hours": "player_hours", "uptime": "play_hours"},
            title="",
            empty="",
        )
    )
    (rows,) = spec["datasets"].values()
    assert [(row["what"], row["value"]) for row in rows][:2] == [("Player-hours", 1.0), ("Player-hours", None)]
    assert spec["encoding"]["y"]["title"] == "hours"
    with pytest.raises(MetricError, match="cannot share an axis"):
        kit.lines(days(1.0), x="day", metrics={"a": "player_hours", "b": "uptime"}, title="", empty="")


def test_a_cell_of_which_nothing_is_known_is_an_empty_frame_and_no_zero() -> None:
    cells = pd.DataFrame(
        {"weekday": ["Mon", "Mon"], "hour_of_day": [3, 4], "player_hours": [0.0, 2.0], "players": [1, 2]}
    )
    week = kit.whole_week(cells)
    assert len(week) == 7 * 24
    spec = spec_of(
        kit.heat_map(
            week, x="hour_of_day", y="weekday", metric="player_hours", rests_on="players", order=kit.WEEKDAYS, title="",
            empty="",
        )
    )  # fmt: skip
    (rows,) = spec["datasets"].values()
    assert [row["value"] for row in rows if row["value"] is not None] == [0.0, 2.0]
    shades, frames = spec["layer"]
    assert [one["filter"] for one in shades["transform"]] == ["isValid(datum.value)"]
    assert [one.get("filter") for one in frames["transform"]][:1] == ["!isValid(datum.value)"]
    assert frames["encoding"]["tooltip"][-1]["field"] == "told"


@pytest.mark.parametrize(("count", "ticks"), [(1, 1), (3, 2), (30, 7)])
def test_an_axis_of_few_days_names_none_twice(count: int, ticks: int) -> None:
    spec = spec_of(kit.line(days(*[1.0] * count), x="day", metric="player_hours", title="", empty=""))
    assert spec["encoding"]["x"]["axis"]["tickCount"] == ticks


@pytest.mark.parametrize(
    "draw", ["line", "limit", "by", "marks", "lines", "curve", "bars", "heat_map", "scatter", "map", "course"]
)
def test_a_chart_is_what_vega_lite_understands(draw: str) -> None:
    frame = days(1.0, None, 3.0)
    marks = pd.DataFrame({"at": [pd.Timestamp("2026-03-02")], "what": ["memory 1 to 2 MiB"]})
    over_time: dict[str, Any] = {"x": "day", "metric": "player_hours", "title": "", "empty": ""}
    shown: Any = {
        "line": lambda: kit.line(frame, **over_time),
        "limit": lambda: kit.line(frame, **over_time, limit="uptime"),
        "by": lambda: kit.line(frame, **over_time, by="server"),
        "marks": lambda: kit.line(frame, **over_time, marks=marks),
        "lines": lambda: kit.lines(
            frame, x="day", metrics={"player_hours": "player_hours", "uptime": "play_hours"}, title="", empty=""
        ),
        "curve": lambda: a_curve(frame, "server"),
        "bars": lambda: kit.bars(frame, y="server", metric="player_hours", title="", empty="", by="server"),
        "heat_map": lambda: kit.heat_map(
            frame, x="day", y="server", metric="player_hours", title="", empty="", order=["Lobby"]
        ),
        "scatter": lambda: kit.scatter(frame, x="player_hours", y="uptime", name="server", title="", empty=""),
        "map": lambda: a_map("server"),
        "course": lambda: a_course("server"),
    }[draw]()
    spec = {**spec_of(shown)}
    kind = alt.LayerChart if "layer" in spec else alt.Chart
    kind.from_dict(spec, validate=True)
    with pytest.raises(ValidationError):
        kind.from_dict({**spec, "height": "tall"}, validate=True)


def kills(name: str) -> pd.DataFrame:
    """Three in one square, one by somebody elsewhere, one of which no place is known."""
    places = {
        "x": [12, 12, 12, None],
        "y": [30, 30, 30, None],
        "from_x": [2, None, None, 5],
        "from_y": [30, None, 3, 5],
    }
    return pd.DataFrame(
        {**places, "side": ["WEST", "EAST", "WEST", "CIV"], "who": name, "minute": [0.5, 3.9, 4.0, None]}
    )


def a_map(name: str) -> Any:
    return kit.grid_map(
        kills(name), by="side", told={"who": "Who"}, grid_metres=100, metric="players", title=name, empty="No place."
    )


def a_course(name: str) -> Any:
    return kit.course(kills(name), minute="minute", by="side", metric="players", title=name, empty="", until=10)


def test_a_map_is_as_high_as_wide_and_its_dots_lie_apart_in_their_square() -> None:
    shown = a_map("Heron")
    spec = shown.spec
    squares, shots, dots = ([*spec["datasets"][layer["data"]["name"]]] for layer in spec["layer"])
    assert squares == [{"left": 1200, "right": 1300, "low": 3000, "high": 3100}]
    assert [(one["from_east"], one["from_north"]) for one in shots] == [(250, 3050)]
    assert all(1200 < one["east"] < 1300 and 3000 < one["north"] < 3100 for one in dots)
    assert len({(one["east"], one["north"]) for one in dots}) == 3
    assert [one["square"] for one in dots] == ["012 030"] * 3
    assert shown.told == "3 of 4 on a map of squares of 100 metres"
    across, up = (spec["layer"][2]["encoding"][way]["scale"]["domain"] for way in "xy")
    assert across[1] - across[0] == up[1] - up[0]
    assert across[0] <= 250
    assert across[1] >= 1300
    assert up[0] <= 3000
    assert up[1] >= 3100
    found = tree(shown)
    assert found.select_one(".vega.map") is not None
    assert json.loads(found.select_one("script").string)["height"] == "container"
    assert shown._repr_mimebundle_()[VEGA]["height"] > 0  # JupyterLab hangs on one that follows the page
    nowhere = kills("Heron").assign(x=None)
    assert (
        "No place."
        in tree(
            kit.grid_map(nowhere, by="side", told={}, grid_metres=100, metric="players", title="Map", empty="No place.")
        ).get_text()
    )


def test_a_side_has_one_colour_whoever_else_is_there() -> None:
    colours = [layer["encoding"]["color"] for layer in (a_map("a").spec["layer"][2], a_course("a").spec)]
    assert colours[0]["scale"] == colours[1]["scale"]
    assert colours[0]["legend"]["values"] == ["WEST", "EAST"]


def test_a_course_counts_by_minutes_and_goes_on_to_the_end() -> None:
    spec = a_course("a").spec
    bars = sorted((row["from"], row["side"], row["value"]) for row in spec["datasets"][spec["data"]["name"]])
    assert bars == [(0, "WEST", 1), (2, "EAST", 1), (4, "WEST", 1)]
    assert spec["encoding"]["x"]["scale"]["domain"] == [0, 10]


def test_a_note_leads_to_the_web_and_nowhere_else() -> None:
    link = tree(kit.note("A game.", link=("there", "https://example.com/?id=1&x=<2"))).select_one("a")
    assert (link["href"], link.get_text()) == ("https://example.com/?id=1&x=<2", "there")
    assert tree(kit.note("A game.", link=("there", "javascript:alert(1)"))).select("a") == []


def test_a_chart_in_jupyterlab_has_a_width_and_a_version_that_it_draws() -> None:
    shown = kit.bars(days(1.0), y="server", metric="player_hours", title="Hours", empty="")
    assert isinstance(shown, Chart)
    bundle = shown._repr_mimebundle_()
    assert isinstance(bundle[VEGA]["width"], int)  # one that follows the page hangs it
    assert "text/html" not in bundle  # it would be preferred to the chart
    assert "v5" in bundle["application/vnd.vegalite.v5+json"]["$schema"]


@pytest.mark.parametrize(
    "draw", ["line", "bars", "curve", "heat_map", "scatter", "table", "figure", "note", "marks", "map"]
)
def test_a_name_is_text_wherever_it_stands(draw: str) -> None:
    frame = days(1.0, 2.0, name=ATTACK)
    marks = pd.DataFrame({"at": [pd.Timestamp("2026-03-02")], "what": [ATTACK]})
    shown: Any = {
        "line": lambda: kit.line(frame, x="day", metric="player_hours", by="server", title=ATTACK, empty=""),
        "marks": lambda: kit.line(frame, x="day", metric="player_hours", title=ATTACK, empty="", marks=marks),
        "bars": lambda: kit.bars(frame, y="server", metric="player_hours", title=ATTACK, empty=""),
        "curve": lambda: a_curve(frame, "server", title=ATTACK),
        "heat_map": lambda: kit.heat_map(
            frame, x="server", y="server", metric="player_hours", title=ATTACK, empty="", order=[ATTACK]
        ),
        "scatter": lambda: kit.scatter(frame, x="player_hours", y="uptime", name="server", title=ATTACK, empty=""),
        "table": lambda: kit.table(frame, {"server": ATTACK}, caption=ATTACK, empty=ATTACK, note=ATTACK),
        "figure": lambda: kit.figures(kit.figure("players", 2, of=ATTACK), kit.figure("uptime", None, why=ATTACK)),
        "note": lambda: kit.note(ATTACK, link=(ATTACK, f"https://example.com/{ATTACK}")),
        "map": lambda: a_map(ATTACK),
    }[draw]()
    found = page(shown)
    assert found.select("img, [onerror]") == []
    scripts = [script for script in found.select("script") if script.get("type") != "application/json"]
    assert all(script["src"].startswith("assets/") and not script.get_text() for script in scripts)
    assert ATTACK in found.get_text() or any(
        ATTACK in script.string for script in found.select("script") if script.string
    )


def test_a_page_may_run_only_the_scripts_beside_it_and_ask_nobody() -> None:
    found = page(kit.note("hello"))
    policy = found.select_one("meta[http-equiv=Content-Security-Policy]")["content"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "connect-src 'none'" in policy
    assert found.select_one("link[rel=stylesheet]")["href"].startswith("assets/page-")
    assert "http" not in "".join(str(element) for element in found.select("link, script[src], img"))


def test_the_context_comes_back_from_json() -> None:
    given = Context(now=NOW, metrics=METRICS, passes={}, pages=("fleet",))
    assert from_json(json.loads(json.dumps(given.as_json()))) == given


def test_a_figure_in_a_sentence_names_its_metric_and_lasts_through_joins() -> None:
    told = ", ".join(f"{kit.said('players', count)} {ATTACK}" for count in (1, 2345))
    note = tree(kit.note(f"Not <b>judged</b>: {told}."))
    figures = note.select("a.said")
    assert [one["data-metric"] for one in figures] == ["players", "players"]
    assert [one["data-value"] for one in figures] == ["1.0", "2345.0"]
    assert {one["title"] for one in figures} == {"What players means."}
    assert note.select_one(".note").get_text() == (f"Not <b>judged</b>: 1 player {ATTACK}, 2,345 players {ATTACK}.")
    assert note.select("b, img") == []
    assert tree(kit.note(f"{kit.said('uptime', 0.5)} of the time")).get_text().strip() == "50.0% of the time"
    empty = kit.table(days(), {"server": "Server"}, caption=kit.said("players", 2), empty=kit.said("players", 3))
    assert [one.get_text() for one in tree(empty).select("a.said")] == ["2 players", "3 players"]
    with pytest.raises(MetricError, match="in the registry"):
        kit.said("nothing_known", 1)
