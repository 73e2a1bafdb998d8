"""The chart of a card: processor use and memory, the last samples on the left, the last 24 hours on the right.

Drawn at twice its size and shrunk. It holds digits and Latin letters alone: Pillow's own font knows no others, so names
stand in the text of the card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from pteroassets.bot.cards.readings import SHORT_SAMPLES, Hour, Reading
from pteroassets.bot.cards.scale import Axis, cpu_axis, memory_axis

WIDTH, HEIGHT = 720, 360
_SCALE: Final = 2
_BACKGROUND: Final = (43, 45, 49)
_PANE: Final = (30, 31, 34)
_GRID: Final = (58, 60, 66)
_TEXT: Final = (181, 186, 193)
_STRONG: Final = (242, 243, 245)
_CPU: Final = (88, 166, 255)
_MEMORY: Final = (87, 201, 139)
_LIMIT: Final = (242, 120, 110)
_DAY: Final = timedelta(hours=24)

Point = tuple[datetime, float | None]
Box = tuple[int, int, int, int]
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pane:
    title: str
    axis: Axis
    colour: Colour
    points: Sequence[Point]
    peaks: Sequence[Point]
    begin: datetime
    end: datetime
    unknown: str
    labels: tuple[str, str]
    gap: timedelta


def draw(reading: Reading, hours: Sequence[Hour], now: datetime) -> bytes | None:
    """Return a PNG of 720 by 360 points, or None where nothing at all was measured.

    The left panes begin as soon as there are two samples. A time without a measurement is a gap, never a zero.
    """
    samples = [sample for sample in reading.samples if sample.group == "measured"][-SHORT_SAMPLES:]
    if not samples and not any(hour.cpu_percent is not None for hour in hours):
        return None
    interval = timedelta(seconds=reading.samples[-1].interval_seconds) if reading.samples else timedelta(minutes=5)
    shown = reading.samples[-SHORT_SAMPLES:]
    begin = shown[0].sampled_at if shown else now - interval
    end = shown[-1].sampled_at if shown else now
    day = now - _DAY
    cpu = [sample.cpu_percent for sample in samples if sample.cpu_percent is not None]
    memory = [sample.memory_mebibytes for sample in samples if sample.memory_mebibytes is not None]
    cpu_day = [hour.cpu_percent_max for hour in hours if hour.cpu_percent_max is not None]
    memory_day = [hour.memory_mebibytes_max for hour in hours if hour.memory_mebibytes_max is not None]
    cpus = cpu_axis([*cpu, *cpu_day], reading.cpu_limit_percent)
    memories = memory_axis([*memory, *memory_day], reading.memory_limit_mebibytes)
    panes = [
        _short("CPU", cpus, _CPU, [(one.sampled_at, one.cpu_percent) for one in samples], begin, end, interval),
        _long(
            "CPU",
            cpus,
            _CPU,
            _by_hour(hours, "cpu_percent", day, now),
            _by_hour(hours, "cpu_percent_max", day, now),
            day,
            now,
        ),
        _short(
            "Memory",
            memories,
            _MEMORY,
            [(one.sampled_at, one.memory_mebibytes) for one in samples],
            begin,
            end,
            interval,
        ),
        _long(
            "Memory",
            memories,
            _MEMORY,
            _by_hour(hours, "memory_mebibytes", day, now),
            _by_hour(hours, "memory_mebibytes_max", day, now),
            day,
            now,
        ),
    ]
    image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), _BACKGROUND)
    pen = ImageDraw.Draw(image, "RGBA")
    split, half = WIDTH * 2 // 5, HEIGHT // 2
    boxes: tuple[Box, ...] = (
        (8, 6, split - 4, half - 3),
        (split + 4, 6, WIDTH - 8, half - 3),
        (8, half + 3, split - 4, HEIGHT - 6),
        (split + 4, half + 3, WIDTH - 8, HEIGHT - 6),
    )
    for pane, box in zip(panes, boxes, strict=True):
        _draw_pane(pen, pane, box)
    small = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).quantize(128, dither=Image.Dither.NONE)
    out = BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def _by_hour(hours: Sequence[Hour], figure: str, begin: datetime, end: datetime) -> list[Point]:
    """Return *figure* of each hour at its middle; the hour that still runs stands at *end*, the first at *begin*."""
    middle = timedelta(minutes=30)
    return [(min(max(hour.hour_at + middle, begin), end), getattr(hour, figure)) for hour in hours]


def _short(
    what: str, axis: Axis, colour: Colour, points: Sequence[Point], begin: datetime, end: datetime, interval: timedelta
) -> _Pane:
    return _Pane(
        title=f"{what}, last {SHORT_SAMPLES} samples",
        axis=axis,
        colour=colour,
        points=points,
        peaks=(),
        begin=begin,
        end=max(end, begin + interval),
        unknown="not measured" if not points else "",
        labels=(f"-{_span(max(end - begin, interval))}", "newest"),
        gap=interval * 1.6,
    )


def _long(
    what: str,
    axis: Axis,
    colour: Colour,
    points: Sequence[Point],
    peaks: Sequence[Point],
    begin: datetime,
    end: datetime,
) -> _Pane:
    return _Pane(
        title=f"{what}, last 24 hours (mean, highest)",
        axis=axis,
        colour=colour,
        points=points,
        peaks=peaks,
        begin=begin,
        end=end,
        unknown="no hours yet" if not any(value is not None for _, value in points) else "",
        labels=("-24 h", "now"),
        gap=timedelta(minutes=90),
    )


def _span(length: timedelta) -> str:
    seconds = length.total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - two minutes


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * _SCALE)


def _draw_pane(pen: ImageDraw.ImageDraw, pane: _Pane, box: Box) -> None:
    left, top, right, bottom = (edge * _SCALE for edge in box)
    pen.rounded_rectangle((left, top, right, bottom), radius=6 * _SCALE, fill=_PANE)
    pen.text((left + 10 * _SCALE, top + 6 * _SCALE), pane.title, fill=_STRONG, font=_font(11))
    plot = (left + 42 * _SCALE, top + 28 * _SCALE, right - 10 * _SCALE, bottom - 20 * _SCALE)

    def y_of(value: float) -> float:
        return plot[3] - value / pane.axis.top * (plot[3] - plot[1])

    def x_of(at: datetime) -> float:
        return plot[0] + (at - pane.begin) / (pane.end - pane.begin) * (plot[2] - plot[0])

    for tick in pane.axis.ticks:
        pen.line((plot[0], y_of(tick), plot[2], y_of(tick)), fill=_GRID, width=_SCALE)
        where = (plot[0] - 5 * _SCALE, y_of(tick))
        pen.text(where, pane.axis.label(tick), fill=_TEXT, font=_font(9), anchor="rm")
    for label, x, anchor in ((pane.labels[0], plot[0], "la"), (pane.labels[1], plot[2], "ra")):
        pen.text((x, plot[3] + 5 * _SCALE), label, fill=_TEXT, font=_font(9), anchor=anchor)
    for run in _runs(pane.peaks, pane.gap):
        _fill(pen, [(x_of(at), y_of(value)) for at, value in run], plot[3], pane.colour)
    for run in _runs(pane.points, pane.gap):
        _line(pen, [(x_of(at), y_of(value)) for at, value in run], pane.colour)
    _draw_limit(pen, pane.axis, plot, y_of)
    if pane.unknown:
        middle = ((plot[0] + plot[2]) / 2, (plot[1] + plot[3]) / 2)
        pen.text(middle, pane.unknown, fill=_TEXT, font=_font(11), anchor="mm")


def _draw_limit(pen: ImageDraw.ImageDraw, axis: Axis, plot: Sequence[int], y_of: object) -> None:
    assert callable(y_of)  # noqa: S101 - it is a function of the caller
    corner = (plot[2], plot[1] - 17 * _SCALE)
    if axis.limit is None:
        pen.text(corner, "no limit", fill=_TEXT, font=_font(10), anchor="ra")
        return
    y = y_of(axis.limit)
    for x in range(plot[0], plot[2], 10 * _SCALE):
        pen.line((x, y, min(x + 6 * _SCALE, plot[2]), y), fill=_LIMIT, width=_SCALE * 3 // 2)
    pen.text(corner, f"limit {_said(axis)}", fill=_LIMIT, font=_font(10), anchor="ra")


def _said(axis: Axis) -> str:
    limit = axis.limit or 0.0
    if axis.unit == "%":
        return f"{limit:g} %"
    return f"{limit / 1024:.3g} GiB" if limit >= 1024 else f"{limit:g} MiB"  # noqa: PLR2004 - a gibibyte


def _runs(points: Sequence[Point], gap: timedelta) -> list[list[tuple[datetime, float]]]:
    """Return the stretches of *points* without a hole: one that was not measured or came too late ends a stretch."""
    runs: list[list[tuple[datetime, float]]] = []
    before: datetime | None = None
    for at, value in points:
        if value is None:
            before = None
            continue
        if before is None or at - before > gap:
            runs.append([])
        runs[-1].append((at, value))
        before = at
    return runs


def _line(pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], colour: Colour) -> None:
    if len(points) > 1:
        pen.line(points, fill=colour, width=2 * _SCALE, joint="curve")
    radius = (2 if len(points) > 1 else 3) * _SCALE
    for x, y in points if len(points) <= SHORT_SAMPLES else points[-1:]:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _fill(pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], base: float, colour: Colour) -> None:
    if len(points) == 1:
        (x, y) = points[0]
        points = [(x - 4 * _SCALE, y), (x + 4 * _SCALE, y)]
    pen.polygon([(points[0][0], base), *points, (points[-1][0], base)], fill=(*colour, 55))
