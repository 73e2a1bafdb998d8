"""Numbers with their nouns: singular and plural."""

from decimal import Decimal

import pytest

from pteroassets.sources.wording import Number, counted


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 servers"),
        (1, "1 server"),
        (2, "2 servers"),
        (2500, "2,500 servers"),
        (Decimal("1.0"), "1.0 servers"),
        (0.5, "0.5 servers"),
    ],
)
def test_a_noun_follows_its_number(number: Number, said: str) -> None:
    assert counted(number, "server") == said


def test_a_plural_of_its_own_kind_is_given() -> None:
    assert [counted(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]
