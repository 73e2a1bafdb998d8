"""Where pages are published: a folder or an object store, with editions that do not grow for ever."""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path

import pytest

from pteroassets.dashboards.store import Store, edition_of, editions, outdated


@pytest.fixture(params=["folder", "object store"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(tmp_path / "pages") if request.param == "folder" else f"memory://{uuid.uuid4().hex}/pages")


def test_what_is_put_is_there_whole_and_can_be_replaced(store: Store) -> None:
    assert store.names() == []
    store.put({"fleet.html": b"one", "assets/page-1.css": b"style", "state/fleet.json": b"{}"})
    store.put({"fleet.html": b"two"})
    assert store.get("fleet.html") == b"two"
    assert store.get("assets/page-1.css") == b"style"
    assert store.has("state/fleet.json")
    assert store.names() == ["fleet.html"]
    store.remove(["fleet.html"])
    assert store.names() == []


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b.html", "assets/../../x", "", ".hidden", "a\nb"])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("not a page")
    with pytest.raises(FileNotFoundError):
        Store(str(tmp_path / "pages")).get(name)


def test_editions_stand_by_day_and_old_ones_go() -> None:
    days = [date(2026, 3, day) for day in (1, 2, 3, 4)]
    names = ["fleet.html", *(edition_of("fleet.html", day) for day in days), "server-a1@2026-03-01.html"]
    assert editions(names)["fleet.html"][0] == ("2026-03-04", "fleet@2026-03-04.html")
    assert outdated(editions(names)["fleet.html"], oldest=date(2026, 3, 3)) == [
        "fleet@2026-03-02.html", "fleet@2026-03-01.html",
    ]  # fmt: skip
