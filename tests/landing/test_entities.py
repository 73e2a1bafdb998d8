"""What a reading does to an entity's table of versions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pteroassets.landing.pterodactyl import estate
from pteroassets.landing.pterodactyl.estate import ShrinkRefusedError, land_entities
from pteroassets.sources.pterodactyl.application import EntityRecord, Reading
from pteroassets.warehouse.connection import Connection

TABLE = "raw_pterodactyl.nests"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.postgres


def reading(at: datetime, records: dict[str, str], **changes: object) -> Reading:
    fields = {
        "entity": TABLE.partition(".")[2],
        "observed_at": at,
        "records": [
            EntityRecord(key=key, id=number, uuid=None, scope=f"nest:{key[0]}", record={"name": digest}, digest=digest)
            for number, (key, digest) in enumerate(records.items())
        ],
        "is_complete": True,
        "unread_scopes": {},
        "rows_expected": len(records),
        "requests": 1,
        "seconds": 0.5,
        "rate_limit_remaining": 100,
        "source": "panel.test",
    }
    return Reading(**(fields | changes))  # type: ignore[arg-type]


def versions(warehouse: Connection) -> list[tuple[object, ...]]:
    return warehouse.execute(
        "select key, digest, valid_from, valid_to, is_active, missing_since, deleted_at "
        f"from {TABLE} order by key, valid_from"
    ).fetchall()


def test_a_record_that_changes_closes_its_version_and_opens_another(warehouse: Connection) -> None:
    land_entities(warehouse, reading(NOON, {"a": "old"}))
    report = land_entities(warehouse, reading(NOON + HOUR, {"a": "new"}))

    assert (report.rows_added, report.rows_changed, report.rows_gone) == (0, 1, 0)
    assert versions(warehouse) == [
        ("a", "old", NOON, NOON + HOUR, True, None, None),
        ("a", "new", NOON + HOUR, None, True, None, None),
    ]


def test_landing_the_same_reading_twice_changes_nothing(warehouse: Connection) -> None:
    land_entities(warehouse, reading(NOON, {"a": "1", "b": "1"}))
    once = versions(warehouse)
    report = land_entities(warehouse, reading(NOON, {"a": "1", "b": "1"}))

    assert versions(warehouse) == once
    assert (report.rows_added, report.rows_changed, report.rows_gone) == (0, 0, 0)


def test_only_what_differs_from_its_current_version_is_copied(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[list[str]] = []
    stage_rows = estate.stage_rows

    def stage(connection: Connection, name: str, like: str, columns: Any, rows: list[Any]) -> int:
        copied.append([row[0] for row in rows])
        return stage_rows(connection, name, like, columns, rows)

    monkeypatch.setattr(estate, "stage_rows", stage)
    first = reading(NOON, {"a": "1", "b": "1", "c": "1"})
    land_entities(warehouse, first)
    land_entities(warehouse, replace(first, observed_at=NOON + HOUR))
    # a time of change is none that makes a version, but is known all the same; the order of names is nothing
    later = [replace(one, record={"updated_at": "later", "name": "1"}) for one in first.records[:1]]
    land_entities(warehouse, replace(first, observed_at=NOON + 2 * HOUR, records=[*later, *first.records[1:]]))
    turned = [replace(one, record={"name": "1", "updated_at": "later"}) for one in first.records[:1]]
    land_entities(warehouse, replace(first, observed_at=NOON + 3 * HOUR, records=[*turned, *first.records[1:]]))
    assert copied == [["a", "b", "c"], ["a"]]
    assert warehouse.execute(f"select record from {TABLE} where key = 'a'").fetchall() == [(later[0].record,)]

    # versions of before the digests were kept get theirs
    warehouse.execute(f"update {TABLE} set _record_digest = null")
    for hours in (4, 5):
        report = land_entities(warehouse, replace(first, observed_at=NOON + hours * HOUR))
        assert (report.rows_added, report.rows_changed, report.rows_gone) == (0, 0, 0)
    assert copied[2:] == [["a", "b", "c"]]


def test_only_a_second_reading_without_a_record_declares_it_gone(warehouse: Connection) -> None:
    land_entities(warehouse, reading(NOON, {"a": "1", "b": "1"}))
    first = land_entities(warehouse, reading(NOON + HOUR, {"a": "1"}))
    assert first.rows_gone == 0
    assert versions(warehouse)[1] == ("b", "1", NOON, None, True, NOON + HOUR, None)

    again = land_entities(warehouse, reading(NOON + HOUR, {"a": "1"}))
    assert again.rows_gone == 0, "the same reading landed twice is one reading"

    second = land_entities(warehouse, reading(NOON + 2 * HOUR, {"a": "1"}))
    assert second.rows_gone == 1
    assert versions(warehouse)[1] == ("b", "1", NOON, None, False, NOON + HOUR, NOON + HOUR)


def test_a_record_that_comes_back_before_the_second_reading_was_never_gone(warehouse: Connection) -> None:
    land_entities(warehouse, reading(NOON, {"a": "1", "b": "1"}))
    land_entities(warehouse, reading(NOON + HOUR, {"a": "1"}))
    land_entities(warehouse, reading(NOON + 2 * HOUR, {"a": "1", "b": "1"}))
    land_entities(warehouse, reading(NOON + 3 * HOUR, {"a": "1"}))

    assert versions(warehouse)[1] == ("b", "1", NOON, None, True, NOON + 3 * HOUR, None)


def test_a_record_that_returns_from_the_dead_opens_a_new_version(warehouse: Connection) -> None:
    for hours, records in enumerate([{"a": "1", "b": "1"}, {"a": "1"}, {"a": "1"}, {"a": "1", "b": "1"}]):
        land_entities(warehouse, reading(NOON + hours * HOUR, records))

    assert versions(warehouse)[1:] == [
        ("b", "1", NOON, NOON + 3 * HOUR, False, NOON + HOUR, NOON + HOUR),
        ("b", "1", NOON + 3 * HOUR, None, True, None, None),
    ]


def test_an_unread_scope_declares_nothing_gone_in_it(warehouse: Connection) -> None:
    land_entities(warehouse, reading(NOON, {"a1": "1", "b1": "1", "c1": "1"}))
    for hours in (1, 2):
        land_entities(
            warehouse,
            reading(NOON + hours * HOUR, {"a1": "1"}, is_complete=False, unread_scopes={"nest:b": "answered 500"}),
        )

    assert [(row[0], row[4]) for row in versions(warehouse)] == [("a1", True), ("b1", True), ("c1", False)]


def test_an_unread_list_declares_nothing_gone_at_all(warehouse: Connection) -> None:
    land_entities(warehouse, reading(NOON, {"a": "1", "b": "1"}))
    for hours in (1, 2):
        land_entities(
            warehouse, reading(NOON + hours * HOUR, {"a": "1"}, is_complete=False, unread_scopes={"": "page 2: 500"})
        )

    assert all(row[4] and row[5] is None for row in versions(warehouse))


def test_a_reading_that_lacks_most_of_a_table_is_refused_unless_told_otherwise(warehouse: Connection) -> None:
    land_entities(warehouse, reading(NOON, {f"{number}": "1" for number in range(10)}))
    before = versions(warehouse)

    with pytest.raises(ShrinkRefusedError, match=r"9 of 10 records are missing.*PTEROASSETS_ALLOW_SHRINK"):
        land_entities(warehouse, reading(NOON + HOUR, {"0": "2"}))
    assert versions(warehouse) == before, "nothing of a refused reading is landed"

    land_entities(warehouse, reading(NOON + HOUR, {"0": "2"}), allow_shrink=True)
    assert sum(row[5] is not None for row in versions(warehouse)) == 9


def test_a_reading_older_than_the_newest_is_refused(warehouse: Connection) -> None:
    land_entities(warehouse, reading(NOON, {"a": "1"}))
    with pytest.raises(ValueError, match="came too late"):
        land_entities(warehouse, reading(NOON - HOUR, {"a": "0"}))


def test_a_load_leaves_its_figures_in_the_ledger(warehouse: Connection) -> None:
    land_entities(
        warehouse,
        reading(
            NOON, {"a": "1"}, is_complete=False, unread_scopes={"nest:z": "the panel answered 500"}, rows_expected=None
        ),
    )
    row = warehouse.execute(
        "select table_name, observed_at, is_complete, rows_read, rows_expected, rows_added, rows_total, problems "
        "from ops.loads"
    ).fetchone()
    assert row == (
        TABLE, NOON, False, 1, None, 1, 1, [{"scope": "nest:z", "reason": "the panel answered 500"}],
    )  # fmt: skip
