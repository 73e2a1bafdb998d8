"""A player who is to be forgotten in what games pushed, now and later."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg import sql
from pydantic import SecretStr

from pteroassets.clock import ManualClock
from pteroassets.landing.context import Landing
from pteroassets.landing.events.erasure import erase_arrived, erase_rows
from pteroassets.landing.events.passes import tally
from pteroassets.landing.minecraft.erasure import Person, mentions
from pteroassets.landing.opt_outs import OptOut, OptOuts, add, token_hash
from pteroassets.platform.environment import located
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

pytestmark = pytest.mark.postgres
KEY = b"k" * 32
NAME, ACCOUNT = "Heron_77", uuid.UUID("0b9a7a0e-53a5-4c8f-8f3f-0d4f2c5a9e01")
PSEUDONYMS = {NAME.lower(): "_qwertyu", str(ACCOUNT): "11111111-53a5-4c8f-8f3f-0d4f2c5a9e01"}
HIDDEN = OptOuts(
    [OptOut(token_hash=token_hash(one, KEY), server_uuid=None, pseudonym=two) for one, two in PSEUDONYMS.items()], KEY
)
PERSON = Person(names=frozenset({NAME.lower()}), accounts=frozenset({ACCOUNT}))
AT = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)


def make_landing(warehouse_settings: ConnectionSettings, home: Path) -> Landing:
    settings = located(Settings(_env_file=None), warehouse=warehouse_settings, home=home).model_copy(  # type: ignore[call-arg]
        update={"pteroassets_pii_key": SecretStr(KEY.decode())}
    )
    return Landing(settings=settings, clock=ManualClock(AT))


def push(connection: Connection, player: str, *, at: datetime = AT) -> None:
    record = {
        "player_id": player,
        "player_name": player,
        "minecraft_uuid": str(ACCOUNT),
        "properties": {"to": [player]},
    }
    connection.execute("select raw_events.ensure_day(%s)", (at.date(),))
    connection.execute(
        "insert into raw_events.events (game, event_id, event_type, version, player_id, session_id, occurred_at, "
        "received_at, record) values ('arena', %s, 'default', 1, %s, %s, %s, %s, %s)",
        (uuid.uuid4(), player, f"{player}/1", at, at, json.dumps(record)),
    )
    connection.execute(
        "insert into raw_events.dead_letters (game, received_at, reason, detail, body) "
        "values ('arena', %s, 'not_json', %s, %s)",
        (at, f"not of {player}", b"\xff " + player.encode() + b" 10.0.0.7"),
    )


def told(connection: Connection) -> str:
    rows = connection.execute("select to_jsonb(events)::text from raw_events.events as events").fetchall()
    letters = connection.execute("select detail, body from raw_events.dead_letters").fetchall()
    return " ".join([*(row for (row,) in rows), *(detail + body.decode("latin-1") for detail, body in letters)])


def test_events_and_dead_letters_of_every_day_get_pseudonyms_and_others_stay(warehouse: Connection) -> None:
    for day in (1, 2):
        push(warehouse, NAME, at=AT.replace(day=day))
    push(warehouse, "Heron_778")
    assert mentions(warehouse, PERSON) == {"raw_events.dead_letters": 2, "raw_events.events": 3}
    before = warehouse.execute("select event_id, received_at, _loaded_at from raw_events.events order by 1").fetchall()
    with warehouse.transaction():
        erased = erase_rows(warehouse, PERSON.pattern, HIDDEN)
    assert erased == {"raw_events.events": 3, "raw_events.dead_letters": 2}
    assert mentions(warehouse, PERSON) == {}
    said = told(warehouse)
    assert str(ACCOUNT) not in said
    assert said.replace("Heron_778", "").count("Heron_77") == 0
    # player, stay, three times in the record, and twice in a dead letter
    assert said.count("Heron_778") == 7
    assert '"to": ["_qwertyu"]' in said
    after = warehouse.execute("select event_id, received_at, _loaded_at from raw_events.events order by 1").fetchall()
    assert after == before


def test_json_that_python_does_not_hold_stays_as_it_is_but_for_names(warehouse: Connection) -> None:
    deep = "[" * 2000 + '"Heron_77"' + "]" * 2000
    record = (
        '{"big": 1e5000, "exact": 12345678901234567.89, '
        '"properties": {"by": {"Heron_77": 3.10, "_qwertyu": 4, "HERON_77": 5}}, '
        f'"said": "a\\b\\"Heron_77\\" é\\u0001", "deep": {deep}}}'
    )
    push(warehouse, NAME)
    warehouse.execute("update raw_events.events set record = %s", (record,))
    # what has no name in it is not touched
    expected = warehouse.execute(
        "select md5(replace((record #- '{properties,by}')::text, 'Heron_77', '_qwertyu')) from raw_events.events"
    ).fetchall()
    with warehouse.transaction():
        assert erase_rows(warehouse, PERSON.pattern, HIDDEN)["raw_events.events"] == 1
    # compared in Postgres, since Python does not read them
    ((same, big, exact, by),) = warehouse.execute(
        "select md5((record #- '{properties,by}')::text), length(record ->> 'big'), record ->> 'exact', "
        "record #>> '{properties,by}' "
        "from raw_events.events"
    ).fetchall()
    assert [(same,)] == expected
    assert (big, exact) == (5001, "12345678901234567.89")
    assert json.loads(by) == {"_qwertyu": 4, "_qwertyu_": 5, "_qwertyu__": 3.1}


def test_what_contracts_name_stays_where_a_player_is_called_like_it(warehouse: Connection) -> None:
    push(warehouse, NAME)
    words = {"default": "_zxcvbn", "properties": "_qwertyuio"}
    hidden = OptOuts(
        [OptOut(token_hash=token_hash(one, KEY), server_uuid=None, pseudonym=two) for one, two in words.items()], KEY
    )
    person = Person(names=frozenset(words), accounts=frozenset())
    with warehouse.transaction():
        erase_rows(warehouse, person.pattern, hidden)
    rows = warehouse.execute("select event_type, record -> 'properties' ->> 'to' from raw_events.events").fetchall()
    assert rows == [("default", f'["{NAME}"]')]


def test_what_games_tell_later_is_changed_by_the_pass_before_models_take_it_in(
    warehouse: Connection, warehouse_settings: ConnectionSettings, tmp_path: Path
) -> None:
    landing = make_landing(warehouse_settings, tmp_path)
    push(warehouse, NAME)
    tally(landing, warehouse)
    assert NAME in told(warehouse)  # nobody is on the list
    with warehouse.transaction():
        erase_rows(warehouse, PERSON.pattern, HIDDEN)
        add(warehouse, PSEUDONYMS, KEY, server_uuid=None, at=AT)
    push(warehouse, NAME)
    assert [report.rows_added for report in tally(landing, warehouse)] == [1, 1]
    said = told(warehouse)
    assert NAME not in said
    assert said.count("_qwertyu") == 14


def test_games_go_on_pushing_while_a_pass_erases(
    warehouse: Connection, warehouse_settings: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = make_landing(warehouse_settings, tmp_path)
    add(warehouse, PSEUDONYMS, KEY, server_uuid=None, at=AT)
    push(warehouse, NAME)
    erased: list[str] = []

    def erase(connection: Connection, table: str, hidden: OptOuts, *, where: sql.Composable) -> int:
        with connect(warehouse_settings) as pushing:
            pushing.execute("set local lock_timeout = '1s'")
            push(pushing, NAME)  # while the tally has not ended
        erased.append(table)
        return erase_arrived(connection, table, hidden, where=where)

    with monkeypatch.context() as patched:
        patched.setattr("pteroassets.landing.events.passes.erase_arrived", erase)
        # the second is of the other table's erasing, before this one's lock
        assert [report.rows_added for report in tally(landing, warehouse)] == [1, 2]
    assert erased == ["raw_events.dead_letters", "raw_events.events"]
    # what came meanwhile is not erased yet, and it is the next tally that counts it
    assert told(warehouse).count(NAME) > 0
    assert [report.rows_added for report in tally(landing, warehouse)] == [2, 1]
    assert NAME not in told(warehouse)


def test_a_tally_waits_while_a_player_is_being_forgotten(
    warehouse: Connection, warehouse_settings: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.landing.events.passes._PATIENCE", "50ms")  # which is for games alone
    landing = make_landing(warehouse_settings, tmp_path)
    push(warehouse, NAME)
    with connect(warehouse_settings) as forgetting:
        add(forgetting, PSEUDONYMS, KEY, server_uuid=None, at=AT)
        erase_rows(forgetting, PERSON.pattern, HIDDEN)
        push(warehouse, NAME)  # after the rows were looked at
        counting = threading.Thread(target=lambda: tally(landing, warehouse))
        counting.start()
        counting.join(timeout=0.3)
        assert counting.is_alive()
        forgetting.commit()
    counting.join()
    assert NAME not in told(warehouse)
