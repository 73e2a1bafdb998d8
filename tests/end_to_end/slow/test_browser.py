"""What a person finds who opens the addresses that the demo prints, in a real browser.

With ``PTEROASSETS_SCREENSHOTS=FOLDER`` the pictures of the README are written there (``make screenshots``), with
``PTEROASSETS_PAGE_PICTURES=FOLDER`` a picture of every page (``make screenshots PAGES=FOLDER``).
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from pteroassets.platform.environment import build_docs
from pteroassets.platform.failures import failed_checks
from pteroassets.platform.loopback import free_port
from pteroassets.platform.services import docs_server
from pteroassets.simulator.panel.faults import Fault
from tests.end_to_end.running import Running
from tests.end_to_end.slow.browser import HEIGHT, WIDTH, Visit, chromium, find_chromium, visit

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(900)]

GROUPS = (
    "raw_pterodactyl", "raw_games", "raw_arma3", "ops", "stg_pterodactyl", "stg_minecraft", "stg_arma3",
    "utilization", "sessions", "marts_estate", "marts_servers", "marts_players", "marts_capacity",
    "marts_reliability", "marts_arma3", "marts_events", "compatibility", "pages", "upkeep",
)  # fmt: skip
# one line through each layer, few enough to be read in a picture, with the group of each
PICTURED = {
    "minecraft/player_sessions": "raw_games",
    "pterodactyl/utilization_samples": "raw_pterodactyl",
    "staging/stg_minecraft__player_sessions": "stg_minecraft",
    "staging/stg_pterodactyl__utilization_samples": "stg_pterodactyl",
    "intermediate/int_minecraft__sessions": "sessions",
    "intermediate/int_server_utilization_daily": "utilization",
    "marts/fct_player_sessions": "marts_players",
    "marts/fct_server_daily": "marts_servers",
}

_QUESTION = """
  select server_name, egg_name as egg, sum(sessions_started) as sessions,
         round(sum(player_hours)::numeric, 1) as player_hours, max(peak_concurrent_players) as most_at_once
  from fct_server_daily join dim_servers using (server_uuid)
  where is_active and player_hours > 0 and not fct_server_daily.is_proxy
  group by 1, 2 order by player_hours desc limit 8"""

PASSED = re.compile(r"Asset checks(\d+) / \1 Passed")


@pytest.fixture(scope="module")
def pictures() -> Path | None:
    folder = os.environ.get("PTEROASSETS_SCREENSHOTS")
    return Path(folder) if folder else None


@pytest.fixture(scope="module")
def chromium_path() -> str:
    return find_chromium()


@pytest.fixture(scope="module")
def dagster(built: Running) -> str:
    return f"http://127.0.0.1:{built.port}"


@pytest.fixture(scope="module")
def docs(built: Running) -> str:
    folder = build_docs(built.warehouse.environment(), built.folder / "docs", target=built.folder / "docs_target")
    port = free_port()
    built.supervisor.start(docs_server(folder, port=port, pages=str(built.folder / "pages")))
    return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def browser(chromium_path: str, built: Running) -> Iterator[Browser]:  # noqa: ARG001 - the browser after the platform
    with chromium(chromium_path) as started:
        yield started


@pytest.fixture
def window(browser: Browser) -> Iterator[Visit]:
    with visit(browser) as opened:
        yield opened


def selection(groups: dict[str, str]) -> str:
    """The address of the graph of the keys of *groups* alone, with their groups open."""
    chosen = " or ".join(f'key:"{key}"' for key in groups)
    opened = ",".join(f"global@global:{group}" for group in dict.fromkeys(groups.values()))
    return f"/asset-groups~{quote(chosen, safe='')}?expanded={quote(opened, safe='')}"


def test_the_asset_graph_goes_from_the_panel_and_the_logs_to_the_marts(window: Visit, dagster: str) -> None:
    # the graph is fitted to the window's width, and what then lies outside of its height is not drawn
    window.page.set_viewport_size({"width": 1440, "height": 1300})
    window.open(f"{dagster}/asset-groups")
    nodes = window.page.locator("foreignObject")
    for group in GROUPS:
        expect(nodes.filter(has_text=re.compile(rf"^{group}"))).to_be_visible()
    expect(window.page.get_by_text(re.compile(r"Materialize all \(\d+\)"))).to_be_visible()


def test_the_graph_of_some_assets_leads_through_the_layers(window: Visit, dagster: str) -> None:
    window.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    window.open(dagster + selection(PICTURED))
    nodes = window.page.locator("foreignObject")
    for group in dict.fromkeys(PICTURED.values()):
        expect(nodes.filter(has_text=re.compile(rf"^{group}")).first).to_be_visible()
    # names of nodes are cut to the room that the graph leaves them, but not the short ones
    for name in ("player_sessions", "fct_server_daily"):
        expect(nodes.filter(has_text=name).first).to_be_visible()


def test_the_lineage_of_a_mart_shows_what_it_is_made_of_and_that_its_checks_passed(
    window: Visit, dagster: str, built: Running
) -> None:
    built.make_left_checks("marts", "fct_server_daily")
    # a graph that is drawn smaller shows names alone, so what is made of it is left out
    window.page.set_viewport_size({"width": 3840, "height": 2400})
    window.open(f"{dagster}/assets/marts/fct_server_daily?view=lineage&lineageScope=upstream&lineageDepth=1")
    nodes = window.page.locator("foreignObject")
    for name in (
        "fct_server_daily",
        "int_server_days",
        "int_server_utilization_daily",
        "int_minecraft__sessions_daily",
    ):
        node = nodes.filter(has_text=re.compile(rf"^{name}"))
        expect(node).to_contain_text(PASSED)
        expect(node).to_contain_text("Materialized")


def test_the_page_of_a_raw_asset_says_what_a_row_is_and_how_many_there_are(
    window: Visit, dagster: str, built: Running
) -> None:
    built.wait_for_freshness("pterodactyl", "servers")
    window.open(f"{dagster}/assets/pterodactyl/servers")
    window.wait_for_text(r"One row for each version of a server")
    assert int(window.wait_for_text(r"Row count\s+([\d,]+)")[1].replace(",", "")) > 0
    window.wait_for_text(r"Freshness policy\s+Passing")
    window.wait_for_text(r"Code location\s+pteroassets")
    window.wait_for_text(r"valid_from\s+timestamp with time zone")
    for name in ("rows_read", "requests", "rate_limit_remaining"):
        window.wait_for_text(name)


def test_the_page_of_a_mart_shows_its_description_row_count_columns_and_checks(
    window: Visit, dagster: str, built: Running, pictures: Path | None
) -> None:
    window.page.set_viewport_size({"width": 1280, "height": 900})
    built.make_left_checks("marts", "fct_server_daily")
    built.wait_for_freshness("marts", "fct_server_daily")
    window.open(f"{dagster}/assets/marts/fct_server_daily")
    window.wait_for_text(r"One row for each server and day on the server's clock")
    shown = int(window.wait_for_text(r"Row count\s+([\d,]+)")[1].replace(",", ""))
    assert shown == built.ask("select count(*) from marts.fct_server_daily")[0][0]
    assert int(window.wait_for_text(r"Latest check results\s+(\d+)\s+Freshness policy\s+Passing")[1]) > 3
    window.wait_for_text(r"server_uuid\s+uuid\s+non-nullable\s+UUID of the server, its identity everywhere")
    window.wait_for_text(r"Owners\s+platform")
    window.screenshot("mart", pictures)


def test_eggs_that_answer_500_are_a_failed_check_that_says_which_and_not_a_failed_run(
    window: Visit, built: Running, pictures: Path | None
) -> None:
    check = "pterodactyl/eggs read_completely"
    # the models behind the eggs are built in other tests: a minute each time
    eggs = {"asset_selection": [["pterodactyl", "eggs"]]}
    built.simulation.faults.add(Fault(status=500, route="eggs", nest_id=2))
    try:
        assert built.wait(built.launch("entities", **eggs)) == "SUCCESS"
        assert not built.checks()[check]
        (found,) = [one for one in failed_checks(built.port) if one.subject == "pterodactyl/eggs:read_completely"]
        assert (found.kind, found.text) == ("failed check", "read_completely of pterodactyl/eggs")
        window.open(found.look)
        window.wait_for_text(r"read_completely\s+Failed")
        window.page.set_viewport_size({"width": 1280, "height": 620})
        window.page.get_by_text("Show JSON").first.click()
        window.wait_for_text(r"nest:2")
        window.screenshot("failed-check", pictures)
    finally:
        # the platform is shared with other tests, which expect it to be well
        built.simulation.faults.clear()
        assert built.wait(built.launch("entities", **eggs)) == "SUCCESS"
    # in the world of the pictures another nest fails for good
    assert built.checks()[check] == (pictures is None)


def test_the_docs_show_a_model_with_its_columns_contract_and_lineage(window: Visit, docs: str) -> None:
    window.open(f"{docs}/#!/model/model.pteroassets.fct_server_daily")
    window.wait_for_text(r"One row for each server and day on the server's clock")
    window.wait_for_text(r"CONTRACT\s+Enforced")
    window.wait_for_text(r"player_hours\s+double precision")
    window.page.get_by_title("View Lineage Graph").click()
    expect(window.page.locator("canvas").first).to_be_visible()


def test_the_search_of_the_docs_finds_a_word_of_a_name_and_of_a_description(window: Visit, docs: str) -> None:
    window.open(docs)
    for word, model in (("retention", "fct_retention"), ("newcomers", "fct_active_players_daily")):
        window.page.get_by_placeholder("Search for models").fill(word)
        expect(window.page.get_by_role("heading", name=f"{model} model")).to_be_visible(timeout=30_000)


def test_a_table_of_the_entity_diagram_leads_to_its_description(window: Visit, docs: str) -> None:
    window.open(f"{docs}/entities.html")
    window.page.locator("svg a").filter(has_text="fct_retention").first.click()
    window.wait_for_text(r"One row for each cohort of players")


def test_the_index_leads_to_a_servers_page_and_to_the_definition_behind_a_figure(
    window: Visit, docs: str, pictures: Path | None
) -> None:
    window.page.set_viewport_size({"width": 1280, "height": 1000})
    window.open(f"{docs}/pages/")
    window.wait_for_text(r"All pages were made\.")
    window.page.get_by_role("heading", name="Fleet").get_by_role("link").click()
    expect(window.page.locator(".vega[data-drawn]").first).to_be_visible()
    window.screenshot("page-fleet", pictures)
    window.page.locator("tbody a").first.click()
    window.wait_for_text(r"days are those of \w+/?\w*")
    expect(window.page.locator(".vega[data-drawn]").first).to_be_visible()
    window.screenshot("page-server", pictures)
    window.page.locator(".figures a.metric", has_text="Uptime").click()
    definition = window.page.locator("#uptime")
    expect(definition).to_be_in_viewport()
    expect(definition).to_contain_text("Hours in which the server was running")
    expect(definition).to_contain_text("fct_server_daily")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_each_page_is_whole_without_a_network_and_fits_a_desk_and_a_phone(
    browser: Browser, built: Running, scheme: Literal["light", "dark"], width: int
) -> None:
    folder = built.folder / "pages"
    # those of a set, too: what is not known of one server makes its page another than the next one's
    paths = sorted(path for path in folder.glob("*.html") if "@" not in path.name)
    wanted = os.environ.get("PTEROASSETS_PAGE_PICTURES")
    with browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, offline=True, timezone_id="America/New_York"
    ) as context:
        window = Visit(page=context.new_page())
        for path in paths:
            window.page.goto(path.as_uri())
            charts = window.page.locator(".vega")
            expect(window.page.locator(".vega[data-drawn] svg")).to_have_count(charts.count())
            assert window.page.evaluate("document.documentElement.scrollWidth") <= width, path.name
            assert window.page.evaluate("document.documentElement.dataset.theme") == scheme
            if wanted:
                window.page.screenshot(path=Path(wanted) / f"{path.stem}-{scheme}-{width}.png", full_page=True)
        assert [fault for fault in window.faults if not fault.startswith("asked another host: file:")] == []


def test_a_page_that_was_not_made_for_days_says_so_to_its_reader(window: Visit, docs: str) -> None:
    window.page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=5))
    window.open(f"{docs}/pages/fleet.html")
    expect(window.page.locator(".badge")).to_have_text(re.compile(r"stale: made [45] days ago"))


def test_a_table_of_a_page_is_sorted_by_the_column_that_is_chosen(window: Visit, docs: str) -> None:
    window.open(f"{docs}/pages/fleet.html")
    table = window.page.locator("table").first
    numbers = (
        "table => [...table.querySelectorAll('tbody tr')].map(row => row.cells[6].dataset.key)"
        ".filter(key => key).map(Number)"
    )
    head = table.locator("th").nth(6)
    for direction, sign in (("descending", -1), ("ascending", 1)):
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", direction)
        found = table.evaluate(numbers)
        assert len(found) > 2
        assert found == sorted(found, key=lambda value: sign * value)


def test_a_question_in_sql_is_answered_on_the_terminal(window: Visit, built: Running, pictures: Path | None) -> None:
    command = ["pteroassets", "sql", "-P", "border=1", "-c", _QUESTION]
    answer = subprocess.run(
        [sys.executable, "-m", "pteroassets.cli", *command[1:]],
        env={**os.environ, **built.warehouse.environment()},
        cwd=built.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    heading, _, *rows = answer.stdout.splitlines()
    assert heading.split(" | ")[0].strip() == "server_name"
    assert len(rows) > 3
    shown = html.escape(f'$ pteroassets sql -c "{_QUESTION}"\n{answer.stdout.rstrip()}')
    window.page.set_viewport_size({"width": 1280, "height": 480})
    window.page.set_content(
        "<body style='margin:0;background:#101418'><pre style='margin:0;padding:24px;color:#e6edf3;"
        f"font:17px/1.45 DejaVu Sans Mono,monospace'>{shown}</pre></body>"
    )
    window.screenshot("query", pictures, of="pre")
