"""Pages of the SolidGames site: a list with names that its guard hides, and the name of a recording."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.arma3.records import ListedReplay
from pteroassets.sources.arma3.solidgames import list_url, read_list, recording_url
from tests.sources.arma3.test_fuzz import check, mangled

SITE = "https://games.test"
# "sg@ridge" with the key 0x41
HIDDEN = '<span class="__cf_email__" data-cfemail="413226013328252624">[email&#160;protected]</span>'
LIST = f"""<html><body><table class="common-table"><thead><tr><th>Mission</th></tr></thead><tbody>
<tr><td><a href="/replays/1768683560">{HIDDEN}_v2</a></td><td>Altis</td><td>2</td><td>17.01.2026 21:59</td></tr>
<tr><td><a href="https://games.test/replays/1768680000/">Harbour &amp; hill</a></td><td></td><td>1</td></tr>
<tr><td><a href="/replays/1768680000">again</a></td></tr>
<tr><td><a href="/replays/9999999999">no number</a></td></tr>
<tr><td><a href="/replays?p=2">2</a></td></tr>
</tbody></table></body></html>""".encode()
PAGE = b'<html><body data-ocap="2026_01_17__23_59_40__2_ocap"><p>x</p></body></html>'


def test_the_list_has_each_replay_once_with_the_name_that_was_hidden() -> None:
    found = read_list(LIST, SITE)
    assert (found.outcome, found.skipped) == ("ok", 1)
    assert found.replays == (
        ListedReplay(
            source="ocap",
            replay_id="1768683560",
            site_number=1_768_683_560,
            url="https://games.test/replays/1768683560",
            data_urls=(),
            mission="sg@ridge_v2",
            island="Altis",
            position=0,
        ),
        ListedReplay(
            source="ocap",
            replay_id="1768680000",
            site_number=1_768_680_000,
            url="https://games.test/replays/1768680000",
            data_urls=(),
            mission="Harbour & hill",
            island=None,
            position=1,
        ),
    )
    assert list_url(f"{SITE}/", 3) == "https://games.test/replays?p=3"


def test_a_list_without_replays_is_told() -> None:
    assert read_list(b"<html><body>Just a moment</body></html>", SITE).outcome == "not_a_replay"
    assert read_list(b"", SITE).outcome == "truncated"


@pytest.mark.parametrize(
    ("page", "name"),
    [
        (PAGE, "2026_01_17__23_59_40__2_ocap.json"),
        (b'<body data-ocap="b"><input id="filename" value="a.json"></body>', "a.json"),
        (b'<body data-ocap="\xd0\x98"></body>', "%D0%98.json"),
    ],
)
def test_a_page_names_its_recording(page: bytes, name: str) -> None:
    assert recording_url(page, SITE) == f"https://games.test/data/{name}"


@pytest.mark.parametrize(
    "page",
    [b"", b"no page", b"<body></body>", b'<body data-ocap="../secret"></body>', b'<body data-ocap=".json"></body>'],
)
def test_a_page_that_names_none_or_something_else_has_no_recording(page: bytes) -> None:
    assert recording_url(page, SITE) is None


@given(seed=st.integers(min_value=0))
def test_mutated_pages(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(6):
        listing = read_list(mangled(LIST, chance), SITE)
        check(listing)
        assert (listing.outcome == "ok") == (listing.reason is None)
        check(recording_url(mangled(PAGE, chance), SITE))
