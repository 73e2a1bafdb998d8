"""What of a record may be landed, and what counts as a change of it."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from typing import Any

import pytest

from pteroassets.privacy import PiiMode, Redactor, digest

KEY = b"a key of the tests"

SERVER: dict[str, Any] = {
    "id": 12,
    "uuid": "c1a7b9d2-6f0e-4a0f-8d53-2f9b7e6a0c12",
    "name": "Survival",
    "limits": {"memory": 4096, "cpu": 200},
    "invocation": "java -Drcon=CANARY",
    "container": {"image": "ghcr.io/x:java_21", "installed": 1, "environment": {"RCON": "CANARY"}},
    "updated_at": "2026-01-01T00:00:00+00:00",
    "relationships": {
        "allocations": {
            "object": "list",
            "data": [
                {"object": "allocation", "attributes": {"id": 32, "ip": "203.0.113.10", "port": 25566}},
                {"object": "allocation", "attributes": {"id": 31, "ip": "203.0.113.10", "port": 25565}},
            ],
        },
        "user": {"object": "user", "attributes": {"id": 7, "email": "Mira@example.com", "username": "mira"}},
        "variables": {
            "object": "list",
            "data": [
                {
                    "object": "server_variable",
                    "attributes": {"id": 1, "default_value": "server.jar", "server_value": "CANARY"},
                }
            ],
        },
        "databases": {
            "object": "list",
            "data": [
                {
                    "object": "databases",
                    "attributes": {
                        "id": 4,
                        "relationships": {
                            "password": {"object": "database_password", "attributes": {"password": "CANARY"}}
                        },
                    },
                }
            ],
        },
        "node": {
            "object": "node",
            "attributes": {"id": 1, "daemon_token": "CANARY", "daemon_token_id": "CANARY", "token": "CANARY"},
        },
        "link": {"object": "signed_url", "attributes": {"url": "https://node.example.com/download/file?token=CANARY"}},
    },
}


@pytest.mark.parametrize("mode", ["hash", "drop", "plain"])
def test_no_secret_is_kept_however_deep_and_in_any_mode(mode: PiiMode) -> None:
    kept = Redactor(mode, KEY).record(SERVER)
    assert "CANARY" in json.dumps(SERVER)
    assert "CANARY" not in json.dumps(kept)
    assert kept["container"] == {"image": "ghcr.io/x:java_21", "installed": 1}
    assert kept["relationships"]["variables"]["data"][0]["attributes"] == {"id": 1, "default_value": "server.jar"}


def test_a_hash_is_keyed_and_the_same_for_the_same_person() -> None:
    kept = Redactor("hash", KEY).record(SERVER)
    expected = hmac.new(KEY, b"mira@example.com", hashlib.sha256).hexdigest()[:32]
    assert kept["relationships"]["user"]["attributes"]["email"] == f"hmac:{expected}"
    assert Redactor("hash", KEY).email(" MIRA@example.com") == f"hmac:{expected}"
    assert Redactor("hash", b"another key").email("mira@example.com") != f"hmac:{expected}"


def test_drop_leaves_null_and_plain_leaves_the_address() -> None:
    assert Redactor("drop", None).record({"id": 1, "email": "mira@example.com"}) == {"id": 1, "email": None}
    assert Redactor("plain", None).record({"id": 1, "email": "mira@example.com"}) == {
        "id": 1,
        "email": "mira@example.com",
    }


def test_an_author_that_is_an_address_is_treated_and_a_name_is_not() -> None:
    redactor = Redactor("hash", KEY)
    assert redactor.record({"author": "support@example.com"})["author"].startswith("hmac:")
    assert redactor.record({"author": "Parker"}) == {"author": "Parker"}


def test_a_picture_that_is_a_hash_of_the_address_goes_with_it() -> None:
    record = {"image": "https://gravatar.com/avatar/a31d59291f4b506510452e705ea6cf34", "uuid": "x"}
    assert Redactor("hash", KEY).record(record) == {"image": None, "uuid": "x"}
    assert Redactor("plain", None).record(record) == record


def test_the_address_of_an_activity_is_personal_and_that_of_an_allocation_is_not() -> None:
    redactor = Redactor("hash", KEY)
    activity = {"data": [{"object": "activity_log", "attributes": {"ip": "198.51.100.7"}}]}
    assert redactor.record(activity)["data"][0]["attributes"]["ip"] == redactor.address("198.51.100.7")
    assert redactor.record({"id": 31, "ip": "203.0.113.10"})["ip"] == "203.0.113.10"


@pytest.mark.parametrize(
    ("one", "other"),
    [("198.51.100.7", "::ffff:198.51.100.7"), ("2001:DB8:0::1", "2001:db8::1"), ("fe80::1%eth0", "fe80::1")],
)
def test_the_same_address_has_one_hash_however_it_is_written(one: str, other: str) -> None:
    redactor = Redactor("hash", KEY)
    assert redactor.address(one) == redactor.address(other)
    assert redactor.address(one) != redactor.address("198.51.100.8")


def test_an_address_follows_the_mode() -> None:
    assert Redactor("drop", None).address("198.51.100.7") is None
    assert Redactor("plain", None).address("198.51.100.7") == "198.51.100.7"
    assert (Redactor("hash", KEY).address("not an address") or "").startswith("hmac:")


@pytest.mark.parametrize("key", [None, b""])
def test_hashing_without_a_key_names_the_setting(key: bytes | None) -> None:
    with pytest.raises(ValueError, match="PTEROASSETS_PII_KEY"):
        Redactor("hash", key)


def test_an_unknown_mode_names_the_setting() -> None:
    with pytest.raises(ValueError, match="PTEROASSETS_PII is"):
        Redactor("encrypt", KEY)  # type: ignore[arg-type]


def test_what_an_eggs_maker_wrote_is_kept_word_for_word() -> None:
    egg = {"id": 3, "config": {"files": {"config.yml": {"find": {"password": "{{env.RCON}}"}}}, "logs": []}}
    assert Redactor("hash", KEY).record(egg) == egg


def test_signs_that_jsonb_refuses_are_replaced() -> None:
    kept = Redactor("plain", None).record({"name": "a\0b", "k\0": ["\ud800é"], "config": {"x": "\0"}})
    assert kept == {"name": "a\ufffdb", "k\ufffd": ["\ufffdé"], "config": {"x": "\ufffd"}}


def test_the_record_that_arrived_is_not_touched() -> None:
    before = copy.deepcopy(SERVER)
    Redactor("hash", KEY).record(SERVER)
    assert before == SERVER


def landed(record: dict[str, Any], mode: PiiMode = "hash") -> str:
    return digest(Redactor(mode, KEY).record(record))


@pytest.mark.parametrize(
    "change",
    [
        {"updated_at": "2026-02-02T00:00:00+00:00"},
        {"allocated_resources": {"memory": 1}},
        {"email": "other@example.com"},
        {"author": "other@example.com"},
        {"container": SERVER["container"] | {"environment": {"RCON": "another"}}},
        {"invocation": "another"},
    ],
)
def test_what_takes_no_part_in_change_detection_leaves_the_digest(change: dict[str, Any]) -> None:
    base = SERVER | {"email": "mira@example.com", "author": "a@example.com"}
    assert landed(base | change) == landed(base)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Creative"},
        {"limits": {"memory": 8192, "cpu": 200}},
        {"container": SERVER["container"] | {"image": "ghcr.io/x:java_17"}},
        {"author": "Parker"},
        {"a_field_of_a_later_version": 1},
    ],
)
def test_everything_else_changes_the_digest(change: dict[str, Any]) -> None:
    assert landed(SERVER | change) != landed(SERVER)


@pytest.mark.parametrize("mode", ["drop", "plain"])
def test_the_digest_is_the_same_in_every_mode(mode: PiiMode) -> None:
    person = {"id": 7, "email": "mira@example.com", "username": "mira", "image": "https://gravatar.com/avatar/0"}
    assert landed(person, mode) == landed(person)
    nest = {"id": 1, "author": "support@example.com"}
    assert landed(nest, mode) == landed(nest)


def test_the_order_of_keys_and_of_allocations_does_not_matter() -> None:
    turned = dict(reversed(SERVER.items())) | {
        "relationships": {
            "allocations": {"object": "list", "data": SERVER["relationships"]["allocations"]["data"][::-1]}
        }
    }
    assert landed(turned) == landed(SERVER)


def test_an_allocation_more_is_a_change_of_the_server() -> None:
    more = copy.deepcopy(SERVER)
    more["relationships"]["allocations"]["data"].append({"object": "allocation", "attributes": {"id": 33}})
    assert landed(more) != landed(SERVER)


def test_a_variable_is_a_change_of_the_egg_but_its_time_is_not() -> None:
    def egg(**variable: Any) -> dict[str, Any]:
        rows = [{"object": "egg_variable", "attributes": {"id": 1, "rules": "required", **variable}}]
        return {"id": 3, "config": {"files": {}}, "relationships": {"variables": {"object": "list", "data": rows}}}

    assert landed(egg(rules="nullable")) != landed(egg())
    assert landed(egg(updated_at="2026-02-02T00:00:00.000000Z")) == landed(egg())


def test_an_empty_map_counts_the_same_in_both_of_the_panels_forms() -> None:
    assert landed({"id": 3, "config": {"logs": []}}) == landed({"id": 3, "config": {"logs": {}}})


@pytest.mark.parametrize("mode", ["hash", "drop", "plain"])
@pytest.mark.parametrize(
    ("event", "properties", "kept"),
    [
        ("server:startup.edit", {"variable": "JAR", "old": "CANARY", "new": "CANARY"}, {"variable": "JAR"}),
        ("server:startup.image", {"old": "CANARY", "new": "CANARY"}, {}),
        ("server:console.command", {"command": "say CANARY"}, {}),
        ("server:task.create", {"action": "command", "payload": "CANARY"}, {"action": "command"}),
        ("server:task.create", {"action": "power", "payload": "stop"}, {"action": "power", "payload": "stop"}),
        ("server:task.delete", {"payload": "CANARY"}, {}),
        ("server:subuser.create", {"email": "CANARY@x.test", "count": 1}, {"count": 1}),
        ("server:subuser.delete", {"who": ["CANARY@x.test", "7"]}, {"who": ["7"]}),
        ("server:subuser.delete", {"of": {"whose": "CANARY@x.test"}}, {"of": {}}),
        ("user:api-key.create", {"identifier": "ptlc_CANARY"}, {}),
        ("user:ssh-key.create", {"fingerprint": "CANARY", "name": "laptop"}, {"name": "laptop"}),
        ("server:file.pull", {"url": "https://x.test/?token=CANARY", "directory": "/"}, {"directory": "/"}),
        ("server:settings.rename", {"old": "one", "new": "two"}, {"old": "one", "new": "two"}),
        ("server:power.start", [], []),
    ],
)  # fmt: skip
def test_what_people_typed_and_what_lets_somebody_in_is_left_out_of_an_activity(
    mode: PiiMode, event: str, properties: Any, kept: Any
) -> None:
    record = Redactor(mode, KEY).activity({"event": event, "ip": None, "properties": properties})
    assert record["properties"] == kept
    assert "CANARY" not in json.dumps(record)


def test_the_address_of_an_entry_of_the_activity_follows_the_mode() -> None:
    entry = {"event": "server:power.start", "ip": "198.51.100.7", "properties": {"ip": "198.51.100.7"}}
    for mode, kept in (("plain", "198.51.100.7"), ("drop", None)):
        record = Redactor(mode, KEY).activity(entry)  # type: ignore[arg-type]
        assert (record["ip"], record["properties"]["ip"]) == (kept, kept)
    hashed = Redactor("hash", KEY).activity(entry)
    assert hashed["ip"] == hashed["properties"]["ip"] == Redactor("hash", KEY).address("198.51.100.7")


def test_a_schedule_is_another_when_its_tasks_are_and_not_when_it_ran() -> None:
    def schedule(offset: int, ran: str) -> dict[str, Any]:
        tasks = [{"object": "schedule_task", "attributes": {"id": 1, "time_offset": offset, "is_queued": ran == "now"}}]
        return {
            "id": 3, "name": "Restart", "last_run_at": ran, "next_run_at": ran, "is_processing": ran == "now",
            "relationships": {"tasks": {"object": "list", "data": tasks}},
        }  # fmt: skip

    assert digest(schedule(0, "yesterday")) == digest(schedule(0, "now"))
    assert digest(schedule(0, "now")) != digest(schedule(60, "now"))


def test_the_command_of_a_schedules_task_is_left_out_and_what_it_does_is_not() -> None:
    def task(action: str) -> dict[str, Any]:
        return {"object": "schedule_task", "attributes": {"action": action, "payload": "CANARY"}}

    record = Redactor("plain", None).record({"tasks": [task("command"), task("power")]})
    assert [item["attributes"]["payload"] for item in record["tasks"]] == [None, "CANARY"]
