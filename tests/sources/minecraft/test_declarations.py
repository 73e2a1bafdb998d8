"""What is declared of logs is used, and can be read."""

from __future__ import annotations

import re

import pytest

from pteroassets.sources.minecraft.declarations import declared, spelled_out
from pteroassets.sources.minecraft.formats import ALL_FORMATS, DIALECTS, IGNORED_WORDS

FILES = [declared(name) for name in ("java", "bedrock", "proxies")]


def test_every_group_of_messages_is_of_a_dialect() -> None:
    groups = {group for file in FILES for group in file["messages"]}
    spoken = {group for file in FILES for dialect in file["dialects"].values() for group in dialect.get("messages", ())}
    assert groups == spoken


def test_every_dialect_is_spoken_in_a_layout_and_every_message_compiles() -> None:
    spoken = {dialect for layout in ALL_FORMATS.values() for dialect in layout.dialects}
    assert {dialect.name for dialect in spoken} == set(DIALECTS)
    assert all(re.compile(message.pattern) for dialect in spoken for message in dialect.messages)


@pytest.mark.parametrize("file", [*FILES, declared("layouts"), declared("deaths")])
def test_every_fragment_stands_in_a_pattern(file: dict[str, object]) -> None:
    fragments = file.pop("fragments", {})
    assert isinstance(fragments, dict)
    text = str([*file.values(), *fragments.values()])
    assert [name for name in fragments if f"{{{name}}}" not in text] == []


def test_no_message_to_be_ignored_is_declared_twice() -> None:
    assert sorted(set(IGNORED_WORDS)) == sorted(IGNORED_WORDS)


def test_a_pattern_is_put_together_of_its_parts_and_fragments() -> None:
    fragments = {"DATE": r"\d{4}{SIGN}\d\d", "SIGN": "[/-]"}
    assert spelled_out([r"(?:{DATE} ", "x{1,4})"], fragments) == r"(?:\d{4}[/-]\d\d x{1,4})"
    with pytest.raises(KeyError, match="DAY"):
        spelled_out("{DAY}", fragments)
