"""What is written into the outbox: one row for each message and target, in the transaction of its cause."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pteroassets.alarms.outbox import NOTIFICATION, Button, Embed, Field, Message, body_of, escaped, put, withdraw
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
CARD = Message(
    key="card/1/2/3",
    target="discord:2",
    embeds=(Embed(title="Lobby", fields=(Field(name="State", value="running"),), image="chart.png", at=NOON),),
    buttons=((Button(custom_id="stop:3", label="Stop", style="danger"),),),
    images={"chart.png": b"\x89PNG"},
    mentions=("role:7",),
)


def row(warehouse: Connection, *columns: str) -> tuple[Any, ...]:
    found = warehouse.execute(f"select {', '.join(columns)} from ops.outbox").fetchall()
    assert len(found) == 1
    return found[0]


@pytest.mark.postgres
def test_a_message_is_one_row_whose_version_grows_only_when_it_says_something_else(warehouse: Connection) -> None:
    assert put(warehouse, CARD, at=NOON) == 1
    assert put(warehouse, CARD, at=LATER) == 1
    assert row(warehouse, "changed_at") == (NOON,)
    changed = replace(CARD, content="new")
    assert put(warehouse, changed, at=LATER) == 2
    assert put(warehouse, replace(changed, images={"chart.png": b"another"}), at=LATER) == 3
    assert put(warehouse, replace(changed, severity="critical"), at=LATER) == 4
    assert row(warehouse, "version", "changed_at", "created_at", "sent_version") == (4, LATER, NOON, None)


@pytest.mark.postgres
def test_a_stored_body_is_the_message_again(warehouse: Connection) -> None:
    put(warehouse, CARD, at=NOON)
    body = body_of(row(warehouse, "body")[0])
    assert (body.embeds, body.buttons, body.mentions) == (CARD.embeds, CARD.buttons, CARD.mentions)
    digests = warehouse.execute("select digest, png from ops.outbox_images").fetchall()
    assert digests == [(body.images["chart.png"], b"\x89PNG")]


@pytest.mark.postgres
def test_a_message_and_its_cause_are_written_together_or_not_at_all(warehouse: Connection) -> None:
    with pytest.raises(ZeroDivisionError), warehouse.transaction():  # noqa: PT012 - the second one fails the first
        put(warehouse, CARD, at=NOON)
        1 // 0  # noqa: B018
    for table in ("outbox", "outbox_images"):
        assert warehouse.execute(f"select * from ops.{table}").fetchall() == []


@pytest.mark.postgres
def test_what_was_withdrawn_and_is_put_again_is_a_new_message(warehouse: Connection) -> None:
    assert withdraw(warehouse, CARD.key, CARD.target, at=NOON) is False
    put(warehouse, CARD, at=NOON)
    assert withdraw(warehouse, CARD.key, CARD.target, at=NOON) is True
    assert withdraw(warehouse, CARD.key, CARD.target, at=LATER) is False
    assert row(warehouse, "withdrawn_at", "version") == (NOON, 2)
    assert put(warehouse, CARD, at=LATER) == 3
    assert row(warehouse, "withdrawn_at", "announced_version") == (None, 3)


@pytest.mark.postgres
def test_the_last_announcement_is_kept_by_versions_that_are_none(warehouse: Connection) -> None:
    mail = Message(key="incident/1", target="channel:mail", text="down")
    put(warehouse, mail, at=NOON)
    put(warehouse, replace(mail, text="still down"), at=NOON)
    assert row(warehouse, "announced_version") == (1,)
    put(warehouse, replace(mail, text="up", announce=True), at=NOON)
    put(warehouse, replace(mail, text="up after 3 minutes"), at=NOON)
    assert row(warehouse, "version", "announced_version") == (4, 3)


@pytest.mark.postgres
@pytest.mark.parametrize(("dead_of", "lives"), [("message", True), ("target", False)])
def test_a_new_text_revives_what_was_refused_for_its_text_and_not_for_its_target(
    warehouse: Connection, dead_of: str, *, lives: bool
) -> None:
    put(warehouse, CARD, at=NOON)
    warehouse.execute(
        "update ops.outbox set dead_at = now(), dead_reason = 'no', dead_of = %s, attempts = 3", (dead_of,)
    )
    put(warehouse, replace(CARD, content="shorter"), at=LATER)
    assert row(warehouse, "dead_at is null", "attempts") == (lives, 0 if lives else 3)


@pytest.mark.postgres
def test_who_listens_hears_of_a_message_once_it_is_committed(
    warehouse: Connection, warehouse_settings: ConnectionSettings
) -> None:
    with connect(warehouse_settings, autocommit=True) as listener:
        listener.execute(f"listen {NOTIFICATION}")
        put(warehouse, CARD, at=NOON)
        put(warehouse, CARD, at=LATER)
        withdraw(warehouse, CARD.key, CARD.target, at=LATER)
        heard = [notice.payload for notice in listener.notifies(timeout=0.5)]
    assert heard == ["discord:2", "discord:2"]


@pytest.mark.postgres
def test_two_writers_of_one_message_make_one_row_of_the_newest(warehouse_settings: ConnectionSettings) -> None:
    ready = threading.Barrier(2)

    def write(text: str) -> None:
        with connect(warehouse_settings) as connection:
            ready.wait()
            put(connection, replace(CARD, content=text), at=NOON)

    threads = [threading.Thread(target=write, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with connect(warehouse_settings, autocommit=True) as connection:
        version, text = row(connection, "version", "body ->> 'content'")
    assert version == 2
    assert text in ("one", "two")


@pytest.mark.postgres
def test_a_name_with_what_postgres_does_not_store_is_stored_without_it(warehouse: Connection) -> None:
    put(warehouse, replace(CARD, content="a\x00b\ud800c"), at=NOON)
    assert row(warehouse, "body ->> 'content'") == ("ab?c",)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda one: replace(one, target="https://discord.com/api/webhooks/1/secret"), "its target must be"),
        (lambda one: replace(one, key=""), "its key must have"),
        (lambda one: Message(key=one.key, target="discord:1"), "it is empty"),
        (lambda one: replace(one, mentions=("everyone",)), "it mentions 'everyone'"),
        (lambda one: replace(one, images={}), "shows 'chart.png', which is none of its images"),
        (lambda one: replace(one, images={"chart.png": b"", "../x": b""}), "'../x' needs a name"),
        (lambda one: replace(one, target="webhook:alarms"), "only a message of the bot"),
        (lambda one: replace(one, buttons=one.buttons * 2), "same custom_id"),
        (lambda one: replace(one, buttons=(one.buttons[0] * 6,)), "5 rows of 1 to 5"),
        (lambda one: replace(one, buttons=((Button(custom_id="x" * 101, label="x"),),)), "custom_id of 1 to 100"),
        (lambda one: replace(one, buttons=((Button(custom_id="x", label=""),),)), "or an emoji"),
    ],
)
def test_what_no_target_can_take_is_refused_by_name(spoil: Callable[[Message], Message], said: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent") as refused:
        put(None, spoil(CARD), at=NOON)  # type: ignore[arg-type] # it is refused before the connection is used
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("**Nora_7**", r"\*\*Nora\_7\*\*"),
        ("@everyone <@&12> [here](https://x.example)", r"\@everyone \<\@&12\> \[here\]\(https\://x.example\)"),
        ("- one\n# two", r"\- one \# two"),
        ("1. first", r"1\. first"),
        ("Лобби 7-1", "Лобби 7-1"),
    ],
)
def test_a_name_is_shown_as_it_is(name: str, shown: str) -> None:
    assert escaped(name) == shown
