"""Names and UUIDs of players who are to be forgotten, in the texts in which they stand."""

from __future__ import annotations

import json
import uuid

import pytest

from pteroassets.landing.erasing import without_in_json
from pteroassets.landing.opt_outs import OptOut, OptOuts, new_pseudonym, token_hash

KEY = b"a key"
ACCOUNT = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"
HIDDEN = OptOuts(
    (
        OptOut(token_hash=token_hash("Nora_7", KEY), server_uuid=None, pseudonym="_aBcD1"),
        OptOut(token_hash=token_hash(ACCOUNT, KEY), server_uuid=None, pseudonym=OTHER),
    ),
    KEY,
)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("Nora_7 joined the game", "_aBcD1 joined the game"),
        ("<NORA_7> hi nora_7!", "<_aBcD1> hi _aBcD1!"),
        (".Nora_7 and *Nora_7", "._aBcD1 and *_aBcD1"),
        ("\x1b[33mNora_7\x1b[m §eNora_7§r", "\x1b[33m_aBcD1\x1b[m §e_aBcD1§r"),
        (r'"\u003cNora_7\nNora_7"', r'"\u003c_aBcD1\n_aBcD1"'),
        ("Nora_77 xNora_7 Nora_7x Nora", "Nora_77 xNora_7 Nora_7x Nora"),
        (f"UUID {ACCOUNT} {ACCOUNT.replace('-', '')}", f"UUID {OTHER} {OTHER.replace('-', '')}"),
        (f"world/playerdata/{ACCOUNT.upper()}.dat", f"world/playerdata/{OTHER}.dat"),
    ],
)
def test_a_name_is_replaced_where_it_is_a_word_and_nowhere_else(text: str, changed: str) -> None:
    assert HIDDEN.text(text) == changed


def test_addresses_go_from_the_lines_of_the_player_alone() -> None:
    content = b"Nora_7[/203.0.113.4:50123] logged in\nBob[/203.0.113.4:5] logged in\nNora_7 (/[2001:db8::1]:5) lost\n"
    assert HIDDEN.content(content) == (
        b"_aBcD1[/000.0.000.0:50123] logged in\nBob[/203.0.113.4:5] logged in\n_aBcD1 (/[0000:000::0]:5) lost\n"
    )
    assert HIDDEN.content(HIDDEN.content(content)) == HIDDEN.content(content)


def test_bytes_that_are_no_text_stay_and_so_does_the_length() -> None:
    content = b"\xff\xfe Nora_7\x00\xa7eNora_7\n"
    assert HIDDEN.content(content) == b"\xff\xfe _aBcD1\x00\xa7e_aBcD1\n"


def test_values_change_in_texts_and_nothing_else() -> None:
    value = {"killer": "Nora_7", "Nora_7": [1, "by Nora_7"], "x": 1.5, "none": None}
    assert HIDDEN.value(value) == {"killer": "_aBcD1", "Nora_7": [1, "by _aBcD1"], "x": 1.5, "none": None}


def test_keys_that_are_others_words_change_and_stay_apart() -> None:
    value = {"Nora_7": {"Nora_7": 1, "_aBcD1": 2, "nora_7": 3, ACCOUNT: [{"NORA_7": 4}]}}
    assert json.loads(without_in_json(json.dumps(value), HIDDEN)) == value
    assert json.loads(without_in_json(json.dumps(value), HIDDEN, keys_below=1)) == {
        "Nora_7": {"_aBcD1_": 1, "_aBcD1": 2, "_aBcD1__": 3, OTHER: [{"_aBcD1": 4}]}
    }


@pytest.mark.parametrize("name", ["abc", "Nora_7", "a" * 16])
def test_a_pseudonym_of_a_name_is_as_long_and_nobody_elses(name: str) -> None:
    first = new_pseudonym(name)
    assert len(first) == len(name)
    assert first.startswith("_")
    assert new_pseudonym(name, {first.lower()}).lower() != first.lower()


@pytest.mark.parametrize("version", [3, 4])
def test_a_pseudonym_of_a_uuid_counts_where_the_uuid_did(version: int) -> None:
    known = uuid.UUID(int=0x1234567812344678B234567812345678, version=version)
    assert uuid.UUID(new_pseudonym(str(known))).version == version
    bedrock = "00000000-0000-0000-0009-01f64f65c7c3"
    found = new_pseudonym(bedrock)
    assert found.startswith("00000000-0000-0000-")
    assert found != bedrock


def test_a_list_of_nobody_changes_nothing() -> None:
    assert not OptOuts((), KEY)
    assert OptOuts((), KEY).content(b"Nora_7") == b"Nora_7"
