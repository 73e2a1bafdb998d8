"""The list of operations as servers of several years give it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pteroassets.sources.arma3.ocap_list import operations_url, read_operations
from pteroassets.sources.arma3.records import ListedReplay

SITE = "http://ocap.test/"
OLD = {
    "id": 3,
    "world_name": "Altis",
    "mission_name": "Ridge",
    "mission_duration": 5400.5,
    "filename": "2026_01_17__23_59_Ridge.json",
    "date": "2026-01-18",
    "type": "TvT",
}
NEW = OLD | {
    "id": 9,
    "filename": "Мост_20260501_180000",
    "tag": "COOP",
    "storageFormat": "protobuf",
    "conversionStatus": "processing",
    "player_count": 41,
    "focusStart": 10,
    "focusEnd": 900,
    "of_a_later_version": {"deep": []},
}


def read(*operations: Any) -> tuple[ListedReplay, ...]:
    return read_operations(json.dumps(operations).encode(), SITE).replays


def test_an_operation_of_an_old_server() -> None:
    (found,) = read(OLD)
    assert found.replay_id == "2026_01_17__23_59_Ridge"
    assert found.data_urls == (
        "http://ocap.test/data/2026_01_17__23_59_Ridge.json.gz",
        "http://ocap.test/data/2026_01_17__23_59_Ridge.json",
    )
    assert found.url == "http://ocap.test/?file=2026_01_17__23_59_Ridge.json"
    assert (found.mission, found.island, found.tag, found.duration_seconds) == ("Ridge", "Altis", "TvT", 5400.5)
    assert (found.listed_on, found.players, found.state, found.focus_frames) == (date(2026, 1, 18), None, None, None)


def test_an_operation_of_a_new_server() -> None:
    (found,) = read(NEW)
    assert found.url == "http://ocap.test/recording/9/%D0%9C%D0%BE%D1%81%D1%82_20260501_180000"
    assert found.data_urls[0] == "http://ocap.test/data/%D0%9C%D0%BE%D1%81%D1%82_20260501_180000.json.gz"
    assert (found.tag, found.players, found.state, found.focus_frames) == ("COOP", 41, "processing", (10, 900))


def test_a_server_that_drops_suffixes_lists_the_same_replay() -> None:
    assert read(OLD)[0].replay_id == read(OLD | {"filename": "2026_01_17__23_59_Ridge"})[0].replay_id


def test_an_upload_anew_is_one_replay_with_the_newer_number() -> None:
    found = read(OLD, NEW, OLD | {"id": 12}, OLD | {"id": 5})
    assert [(one.replay_id[:4], one.site_number) for one in found] == [("2026", 12), ("Мост", 9)]


@pytest.mark.parametrize("filename", [None, "", ".json.gz", "../secret.json", "/etc/passwd", 7])
def test_what_names_no_file_is_skipped_and_counted(filename: Any) -> None:
    found = read_operations(json.dumps([OLD | {"filename": filename}, "text", NEW]).encode(), SITE)
    assert ([one.site_number for one in found.replays], found.skipped) == ([9], 2)


@pytest.mark.parametrize(
    ("content", "outcome"),
    [(b"[]", "ok"), (b"null", "ok"), (b"{}", "not_a_replay"), (b"<html>", "not_a_replay"), (b"[{", "truncated")],
)
def test_a_list_that_is_empty_or_none(content: bytes, outcome: str) -> None:
    assert read_operations(content, SITE).outcome == outcome


def test_only_what_is_newer_is_asked_for() -> None:
    assert operations_url(SITE) == "http://ocap.test/api/v1/operations"
    assert (
        operations_url(SITE, date(2026, 1, 17))
        == "http://ocap.test/api/v1/operations?tag=&name=&newer=2026-01-17&older="
    )
