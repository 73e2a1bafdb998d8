"""Dates as lines show them, with the month in the machine's language and in the encoding that Java writes there."""

from __future__ import annotations

import re
from datetime import date
from functools import cache, lru_cache
from typing import Final

from pteroassets.sources.minecraft.declarations import declared

#: The words of each month, by its number, parted by bars.
WORDS: Final = {int(month): "".join(words) for month, words in declared("months").items()}
#: Encodings of machines whose Java does not write UTF-8, in the names of Python; each holds some of the words alone.
ENCODINGS: Final = (
    *("big5", "big5hkscs", "gbk", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "johab", "cp874", "tis_620"),
    *("cp866", "cp1251", "koi8_r", "koi8_u", "cp855", "mac_cyrillic", "iso8859_5"),
    *("cp1252", "cp437", "cp850", "cp858", "iso8859_1", "iso8859_15", "mac_roman"),
    *("cp1250", "cp852", "iso8859_2", "iso8859_16", "cp1253", "cp737", "iso8859_7", "cp1254", "cp857", "iso8859_9"),
    *("cp1255", "cp862", "iso8859_8", "cp1256", "cp864", "iso8859_6", "cp1257", "cp775", "iso8859_4", "iso8859_13"),
    *("cp1258", "cp860", "cp861", "cp863", "cp865", "ptcp154"),
)
_LEAST_ALIKE = 3
_BUDDHIST = 543  # years by which the calendar of Thailand is ahead
_BUDDHIST_FROM = 2400

_ISO = re.compile(rb"(\d{4})[/-](\d\d?)[/-](\d\d?)")
# the month may begin with a digit, and then the day has two
_WORDED = re.compile(rb"(\d\d)(.+?)(\d{4})|(\d)(\D.+?)(\d{4})", re.DOTALL)


@lru_cache(maxsize=256)
def read_date(text: str | bytes) -> date | None:
    """Return the date of a dated prefix, or None where its month is a word we do not know or no such day exists."""
    raw = text.encode() if isinstance(text, str) else text
    if iso := _ISO.fullmatch(raw):
        year, month, day = (int(part) for part in iso.groups())
    elif worded := _WORDED.fullmatch(raw):
        day, year = int(worded[1] or worded[4]), int(worded[3] or worded[6])
        found = _month_of(worded[2] or worded[5])
        if found is None:
            return None
        month = found
    else:
        return None
    try:
        return date(year - _BUDDHIST if year >= _BUDDHIST_FROM else year, month, day)
    except ValueError:
        return None  # the file's date stands in; a line's date is never a reason to fail the file


def _month_of(word: bytes) -> int | None:
    try:
        text = _plain(word.decode())
    except UnicodeDecodeError:
        return _encoded().get(word.strip(b" .")) if len(word) > 1 else None
    known = _words()
    if text in known:
        return known[text]
    # another version of Java shortens the same word elsewhere
    alike = {month for other, month in known.items() if text[:_LEAST_ALIKE] == other[:_LEAST_ALIKE]}
    return alike.pop() if len(alike) == 1 and len(text) >= _LEAST_ALIKE else None


def _plain(word: str) -> str:
    return word.lower().strip(" .")


@cache
def _words() -> dict[str, int]:
    return {_plain(word): month for month, words in WORDS.items() for word in words.split("|")}


@cache
def _encoded() -> dict[bytes, int]:
    """Return the month by the bytes that a word has in any encoding; not what two encodings disagree on."""
    months: dict[bytes, set[int]] = {}
    for month, words in WORDS.items():
        for word in words.split("|"):
            if word.isascii():
                continue
            for form in {word.strip(" ."), word.strip(" .").lower()}:
                for encoding in ENCODINGS:
                    try:
                        months.setdefault(form.encode(encoding), set()).add(month)
                    except UnicodeEncodeError:
                        continue
    return {raw: found.pop() for raw, found in months.items() if len(found) == 1}
