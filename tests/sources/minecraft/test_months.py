"""Months in the languages and encodings of the machines on which servers run."""
# ruff: noqa: RUF001 - months are written as Java writes them

from __future__ import annotations

from datetime import date

import pytest
from babel import Locale
from babel.dates import get_month_names

from pteroassets.sources.minecraft.months import ENCODINGS, WORDS, read_date
from tests.sources.minecraft.writing import parse

# what Polish, Czech and Croatian disagree on
CONTESTED = {"lip", "lis", "srp"}
LANGUAGES = (
    *("be", "bg", "ca", "cs", "da", "de", "el", "en", "en_GB", "es", "et", "fi", "fr", "fr_CA", "hr", "hu", "it", "ja"),
    *("ko", "lt", "lv", "nb", "nl", "pl", "pt", "pt_PT", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "th", "tr", "uk"),
    *("vi", "zh", "zh_Hant", "id", "ms", "he", "hi"),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_those_of_an_independent_library(language: str) -> None:
    names = get_month_names("abbreviated", context="format", locale=Locale.parse(language))
    found = {number: read_date(f"12{word}2026") for number, word in names.items() if word.strip(".") not in CONTESTED}
    assert found == {number: date(2026, number, 12) for number in found}
    assert len(found) >= 9


def test_no_word_means_two_months() -> None:
    # but for the contested ones, which mean none
    months: dict[str, set[int]] = {}
    for month, words in WORDS.items():
        for word in words.split("|"):
            months.setdefault(word.lower().strip(" ."), set()).add(month)
    assert {word for word, found in months.items() if len(found) > 1} == set()
    assert not CONTESTED & set(months)
    assert [read_date(f"12{word}2026") for word in sorted(CONTESTED)] == [None] * 3


@pytest.mark.parametrize(
    ("word", "encodings"),
    [
        ("三月", ["utf-8", "big5", "gbk", "gb18030"]),
        ("3月", ["utf-8", "big5", "gbk", "shift_jis", "cp932", "euc_jp"]),
        ("3월", ["utf-8", "euc_kr", "cp949"]),
        ("мар.", ["utf-8", "cp866", "cp1251", "koi8_r", "iso8859_5", "cp855"]),
        ("мар", ["utf-8", "cp866", "cp1251", "koi8_r"]),
        ("бер.", ["utf-8", "cp866", "cp1251", "koi8_u"]),
        ("märz", ["utf-8", "cp1252", "cp437", "cp850", "iso8859_1", "iso8859_15"]),
        ("Mär", ["utf-8", "cp1252", "cp437", "cp850"]),
        ("bře", ["utf-8", "cp1250", "cp852", "iso8859_2"]),
        ("márc.", ["utf-8", "cp1250", "cp852", "iso8859_2"]),
        ("Μαρ", ["utf-8", "cp1253", "cp737", "iso8859_7"]),
        ("มี.ค.", ["utf-8", "cp874", "tis_620"]),
        ("מרץ", ["utf-8", "cp1255", "cp862"]),
        ("mars", ["utf-8"]),
        ("mrt.", ["utf-8"]),
    ],
)
def test_a_month_is_read_in_any_encoding_that_java_writes(word: str, encodings: list[str]) -> None:
    for encoding in encodings:
        begin = b"[12" + word.encode(encoding) + b"2026 21:00:00.101] "
        (event,) = parse(begin + b"[Server thread/INFO] [net.minecraft.server.MinecraftServer/]: Al joined the game\n")
        assert (event.dated, event.seconds) == (date(2026, 3, 12), 75_600), encoding


def test_no_month_is_read_for_another_in_any_encoding() -> None:
    read = contested = 0
    for month, words in WORDS.items():
        for word in words.split("|"):
            for encoding in ENCODINGS:
                try:
                    raw = word.encode(encoding)
                except UnicodeEncodeError:
                    continue
                found = read_date(b"12" + raw + b"2026")
                assert found in (date(2026, month, 12), None), (word, encoding)
                read += found is not None
                contested += found is None
    assert contested < read / 200


def test_every_day_of_a_year_is_read_where_the_month_is_a_number() -> None:
    for month in range(1, 13):
        for form in (f"{month}月", f"{month}월", f"thg {month}", str(month)):
            assert [read_date(f"{day:02}{form}2026") for day in (1, 11, 28)] == [
                date(2026, month, day) for day in (1, 11, 28)
            ]


def test_the_calendar_of_thailand_is_ahead() -> None:
    assert read_date("12มี.ค.2569") == date(2026, 3, 12)
    assert read_date("29ก.พ.2567") == date(2024, 2, 29)


@pytest.mark.parametrize("text", ["31Xyz2024", "31Feb2024", "12lip2024", "12\x812026", "122026", "00Mar2026"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text) is None


def test_a_word_that_another_java_shortens_elsewhere_is_known() -> None:
    assert read_date("12septem2026") == date(2026, 9, 12)
    assert read_date("12marzipan2026") in (None, date(2026, 3, 12))
