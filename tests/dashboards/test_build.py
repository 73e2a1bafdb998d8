"""Pages made of notebooks, and what stands on the index when one cannot be made."""

from __future__ import annotations

import dataclasses
import re
import time
from datetime import timedelta
from pathlib import Path

import pytest

from pteroassets.dashboards import build
from pteroassets.dashboards.build import Made
from pteroassets.dashboards.store import Store
from pteroassets.warehouse.connection import ConnectionSettings
from tests.dashboards.pages import ATTACK, NOW, parsed, site, write

pytestmark = pytest.mark.postgres

GOOD = """
# %% [markdown]
# ## A heading

# %%
kit.figures(kit.figure("players", kit.one("select 3 as number")["number"]))
"""
SET = """
# %% tags=["parameters"]
number = 1

# %%
kit.figures(kit.figure("player_hours", kit.one("select 10.0 / %(number)s as hours", number=int(number))["hours"]))
"""
LIST = """for_each: >-
  select 'n' || i as slug, case when i = 2 then $t$</script><img src=x>$t$ else 'Number ' || i end as title,
  i as number from generate_series(0, 3) as i"""


@pytest.fixture
def books(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    return folder


def test_pages_are_made_and_what_fails_is_on_the_index_with_the_last_good_page(
    books: Path, tmp_path: Path, warehouse_settings: ConnectionSettings
) -> None:
    write(books, "good", GOOD)
    write(books, "broken", GOOD)
    write(books, "slow", "\n# %%\nimport time\ntime.sleep(60)\n", limit=2)
    write(books, "query", '\n# %%\nkit.ask("select pg_sleep(60)")\n')
    write(books, "stop", "\n# %%\nimport os\nos._exit(3)\n")
    write(books, "unwritable", '\n# %%\nkit.note("half a character: \\ud800")\n')
    store = tmp_path / "pages"
    first = site(books, store, warehouse_settings)
    assert [one.error for one in first.make(["good", "broken"])] == [None, None]
    # one that was never tried is about to be made
    links = parsed((store / "good.html").read_bytes()).select("nav a")
    assert {"broken.html", "slow.html"} < {link["href"] for link in links}
    before = (store / "broken.html").read_bytes()

    write(books, "broken", f'\n# %%\nraise ValueError("""{ATTACK}""")\n')
    begun = time.monotonic()
    later = site(books, store, warehouse_settings, now=NOW + timedelta(days=1))
    made = {one.name: one for one in later.make(["good", "broken", "slow", "query", "stop", "unwritable"])}
    assert time.monotonic() - begun < 45
    assert made["good"] == Made(name="good", pages=["good.html"], seconds=made["good"].seconds)
    assert made["broken"].error == f"ValueError in cell 2: {ATTACK}"
    assert made["slow"].error == "it took longer than its 2 seconds"
    assert "canceling statement due to statement timeout" in (made["query"].error or "")
    assert made["stop"].error == "its process ended with status 3"
    assert (made["unwritable"].error or "").startswith("making its pages failed: UnicodeEncodeError: 'utf-8' codec")

    assert (store / "broken.html").read_bytes() == before
    index = parsed((store / "index.html").read_bytes())
    assert index.select("img") == []
    failed = {entry["id"]: entry.get_text(" ", strip=True) for entry in index.select(".entry.failed")}
    assert set(failed) == {"broken", "slow", "query", "stop", "unwritable"}
    assert ATTACK in failed["broken"]
    assert "The page is the last good one." in failed["broken"]
    assert "There is no earlier page." in failed["slow"]
    assert [link["href"] for link in index.select(".entry h2 a")] == ["broken.html", "good.html"]
    page = parsed((store / "good.html").read_bytes())
    assert [value.get_text() for value in page.select(".figure .value")] == ["3 players"]
    assert page.select_one("h2").get_text() == "A heading"
    assert "kit" not in page.get_text()  # the code is not shown
    assert {link["href"] for link in page.select("nav a")} >= {"broken.html", "slow.html"}
    assert [link["href"] for link in page.select(".editions a")] == ["good@2026-03-02.html"]


def test_pages_of_a_set_are_made_in_one_run_and_one_that_fails_leaves_the_others(
    books: Path, tmp_path: Path, warehouse_settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pages are published in parts, and the list of them when all are there
    put: list[list[str]] = []
    monkeypatch.setattr(build, "_PAGES_OF_PART", 2)
    monkeypatch.setattr(
        Store, "put", lambda self, files, put_all=Store.put: (put.append([*files]), put_all(self, files))
    )
    write(books, "number", SET, more=LIST)
    store = tmp_path / "pages"
    (made,) = site(books, store, warehouse_settings).make(["number"])
    assert sorted(made.pages) == ["number-n1.html", "number-n2.html", "number-n3.html"]
    ((title, why),) = made.failures
    assert title == "Number 0"
    assert why.startswith("DivisionByZero in cell 3")
    pages = [[name for name in part if name.startswith("number") and "@" not in name] for part in put]
    parts = [part for part in pages if part]
    assert [len(part) for part in parts] == [2, 1, 1]
    assert parts[-1] == ["number.html"]
    shown = parsed((store / "number-n2.html").read_bytes())
    assert shown.select_one("h1").get_text() == "</script><img src=x>"
    assert shown.select("img") == []
    assert shown.select_one(".value").get_text() == "5.0 hours"
    listed = parsed((store / "number.html").read_bytes())
    assert [link["href"] for link in listed.select("td a")] == sorted(made.pages)
    index = parsed((store / "index.html").read_bytes())
    assert "1 of its pages failed" in index.get_text()

    # one that is not listed any more is gone, with its editions, once all went well
    write(books, "number", SET, more=LIST.replace("(0, 3)", "(1, 2)"))
    (again,) = site(books, store, warehouse_settings, now=NOW + timedelta(days=1)).make(["number"])
    assert again.error is None
    names = {path.name for path in store.glob("number-*")}
    assert names == {f"number-n{i}{day}.html" for i in (1, 2) for day in ("", "@2026-03-02", "@2026-03-03")}


def test_a_notebook_with_nothing_to_show_has_no_page_and_no_place_in_the_index(
    books: Path, tmp_path: Path, warehouse_settings: ConnectionSettings
) -> None:
    store = tmp_path / "pages"
    write(books, "good", GOOD)
    for name in ("number", "single"):
        write(books, name, SET if name == "number" else GOOD, more=f"{LIST if name == 'number' else ''}\nonly_if: ONLY")

    def make(only_if: str) -> tuple[dict[str, Made], set[str], set[str]]:
        for name in ("number", "single"):
            path = books / f"{name}.py"
            path.write_text(re.sub("only_if: .*", f"only_if: {only_if}", path.read_text()))
        made = {one.name: one for one in site(books, store, warehouse_settings).make(["good", "number", "single"])}
        entries = {entry["id"] for entry in parsed((store / "index.html").read_bytes()).select(".entry")}
        return made, entries, {path.name for path in store.glob("**/*") if path.name.startswith(("number", "single"))}

    for nothing in ("select false", "select null::boolean", "select true from not_built_yet"):
        made, entries, files = make(nothing)
        assert made["number"] == Made(name="number", pages=[])
        assert (entries, files) == ({"good"}, set())
        page = parsed((store / "good.html").read_bytes())
        assert not {"number.html", "single.html"} & {link["href"] for link in page.select("nav a")}
    made, entries, files = make("select true")
    assert (made["single"].pages, entries) == (["single.html"], {"good", "number", "single"})
    assert {"single.html", "number.html", "number-n1.html", "number-n1@2026-03-02.html", "single.json"} <= files
    _, entries, files = make("select false")
    assert (entries, files) == ({"good"}, set())


def test_the_limit_of_a_set_holds_for_each_part_and_two_late_parts_end_it(
    books: Path, tmp_path: Path, warehouse_settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_PAGES_OF_PART", 2)
    # four parts: 0 and 4, 1 and 5, 2 and 6, 3 and 7
    listed = LIST.replace("(0, 3)", "(0, 7)")
    hangs = SET.replace("kit.figures", "if number in {}:\n    import time\n    time.sleep(60)\nkit.figures")
    hangs = hangs.replace("10.0 /", "10.0 + ")
    write(books, "number", hangs.replace("{}", "(1,)"), more=listed, limit=3)
    store = tmp_path / "pages"
    (made,) = site(books, store, warehouse_settings).make(["number"])
    assert sorted(made.pages) == [f"number-n{i}.html" for i in (0, 2, 3, 4, 6, 7)]
    assert made.error == "it took longer than its 3 seconds for 2 pages"
    assert [title for title, _ in made.failures] == ["Number 1", "Number 5"]

    write(books, "number", hangs.replace("{}", "(0, 1)"), more=listed, limit=3)
    begun = time.monotonic()
    (made,) = site(books, store, warehouse_settings, now=NOW + timedelta(days=1)).make(["number"])
    assert time.monotonic() - begun < 40
    # the third part may have begun when the second one was late
    assert {"Number 0", "Number 1", "Number 3", "Number 4", "Number 5", "Number 7"} <= {one for one, _ in made.failures}
    assert (store / "number-n3.html").exists()


def test_a_process_that_makes_nothing_is_ended(
    books: Path, tmp_path: Path, warehouse_settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_GRACE_SECONDS", -1.9)
    monkeypatch.setattr(build, "_LOOKED_AT_SECONDS", 0.02)
    write(books, "good", GOOD, limit=1)
    (made,) = site(books, tmp_path / "pages", warehouse_settings).make(["good"])
    assert (made.error or "").startswith("the process that runs notebooks made nothing for 0.1")


def test_a_warehouse_that_is_down_fails_each_page_and_takes_none(
    books: Path, tmp_path: Path, warehouse_settings: ConnectionSettings
) -> None:
    write(books, "good", GOOD)
    write(books, "number", SET, more=LIST.replace("(0, 3)", "(1, 2)"))
    store = tmp_path / "pages"
    site(books, store, warehouse_settings).make(["good", "number"])
    before = {path.name: path.read_bytes() for path in store.glob("*-*.html")}
    down = dataclasses.replace(warehouse_settings, port=1, password="a secret of the account")
    made = site(books, store, down, now=NOW + timedelta(hours=1)).make(["good", "number"])
    assert all("OperationalError" in (one.error or "") for one in made)
    assert "a secret of the account" not in (store / "index.html").read_text()
    assert {path.name: path.read_bytes() for path in store.glob("*-*.html")} == before
    index = parsed((store / "index.html").read_bytes())
    assert {entry["id"] for entry in index.select(".entry.failed")} == {"good", "number"}
    assert "Failed: Good, Number." in index.get_text()


def test_editions_are_kept_for_the_days_that_are_set(
    books: Path, tmp_path: Path, warehouse_settings: ConnectionSettings
) -> None:
    write(books, "good", GOOD)
    store = tmp_path / "pages"
    for day in range(3):
        site(books, store, warehouse_settings, now=NOW + timedelta(days=day), days=2).make(["good"])
    assert sorted(path.name for path in store.glob("good*")) == [
        "good.html", "good@2026-03-03.html", "good@2026-03-04.html",
    ]  # fmt: skip


def test_a_notebook_reads_as_an_analyst_and_changes_nothing(
    books: Path, tmp_path: Path, warehouse_settings: ConnectionSettings
) -> None:
    write(books, "raw", '\n# %%\nkit.ask("select * from raw_pterodactyl.users")\n')
    write(books, "change", '\n# %%\nkit.ask("create temporary table mine (a int)")\n')
    made = site(books, tmp_path / "pages", warehouse_settings).make(["raw", "change"])
    assert (made[0].error or "").startswith("InsufficientPrivilege in cell 2: permission denied")
    assert (made[1].error or "").startswith("ReadOnlySqlTransaction in cell 2")


def test_the_glossary_says_of_each_metric_what_it_is(
    books: Path, tmp_path: Path, warehouse_settings: ConnectionSettings
) -> None:
    site(books, tmp_path / "pages", warehouse_settings).make([])
    found = parsed((tmp_path / "pages" / "glossary.html").read_bytes())
    entry = found.select_one("#player_hours").get_text(" ", strip=True)
    for part in ("Player-hours", "What player_hours means.", "hours", "server and day", "fct_server_daily", "Someone"):
        assert part in entry
