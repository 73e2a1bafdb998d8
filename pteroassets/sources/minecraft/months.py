"""Dates as lines show them, with the month in the machine's language."""
# ruff: noqa: RUF001 - months are written as Java writes them

from __future__ import annotations

import re
from datetime import date

_MONTHS = {
    # The first letters, in the languages of Europe and of the East. Not here is what means one month in Polish or Czech
    # and another in Croatian (lip, srp, lis): an unknown date is found elsewhere, a wrong one is not noticed.
    1: "jan janv jaan ene gen ian xan sty led oca sij urt saus tammi янв січ яну јан ιαν ม.ค 1月 一月",
    2: "feb fév fev veebr lut úno şub velj ots vas helmi фев лют φεβ ก.พ 2月 二月",
    3: "mar mär már maa mrt mrz mac bře ožu kov maalis мар бер μαρ μάρ มี.ค 3月 三月",
    4: "apr ápr avr abr api kwi dub nis bal tra huhti апр кві απρ เม.ย 4月 四月",
    5: "may mai mag mei maj máj kvě svi geg touko май мая тра μαΐ μαϊ พ.ค 5月 五月",
    6: "jun jún jūn juin juuni giu iun xuñ cze čvn haz eka birž kesä июн чер юни јун ιουν ιούν มิ.ย 6月 六月",
    7: "jul júl jūl juil juuli lug iul xul čvc tem uzt liep heinä июл лип юли јул ιουλ ιούλ ก.ค 7月 七月",
    8: "aug aoû ago agu agt ag. avg ogo sie ağu kol abu rugp elo авг сер αυγ αύγ ส.ค 8月 八月",
    9: "sep set szept wrz zář eyl ruj ira rugs syys сен вер сеп σεπ ก.ย 9月 九月",
    10: "oct okt ott out paź říj eki urr spal loka окт жов οκτ ต.ค 10月 十月",
    11: "nov kas stu aza lapkr marras ноя лис ное нов νοε νοέ พ.ย 11月 十一月",
    12: "dec dez déc dic des dis dets gru pro ara abe joulu дек гру дец δεκ ธ.ค 12月 十二月",
}
_MONTH_OF = {start: number for number, starts in _MONTHS.items() for start in starts.split()}


def read_date(text: str) -> date | None:
    """Return the date of a dated prefix, or None where its month is a word we do not know or no such day exists."""
    if iso := re.fullmatch(r"(\d{4})[/-](\d\d?)[/-](\d\d?)", text):
        year, month, day = (int(part) for part in iso.groups())
    elif numbered := re.fullmatch(r"(\d\d)(?:(1[0-2]|0?[1-9]) ?[月월]|thg ?(1[0-2]|[1-9]) ?)(\d{4})", text):
        day, month, year = int(numbered[1]), int(numbered[2] or numbered[3]), int(numbered[4])
    elif worded := re.fullmatch(r"(\d{1,2})(\D+)(\d{4})", text):
        word = worded[2].lower().lstrip(" .")
        # the longest one: "marras" is not March
        start = max((start for start in _MONTH_OF if word.startswith(start)), key=len, default=None)
        if start is None:
            return None
        day, month, year = int(worded[1]), _MONTH_OF[start], int(worded[3])
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None  # the file's date stands in; a line's date is never a reason to fail the file
