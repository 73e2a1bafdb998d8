"""A report for a person at a terminal: tables that fit its width."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pteroassets.logtool.rows import FileReport, Report, RunReport, SessionReport
from pteroassets.logtool.summary import Summary
from pteroassets.logtool.unknown import UnknownTemplate
from pteroassets.sources.outcomes import READABLE
from pteroassets.sources.wording import counted

_WIDE = 110
_WIDE_ENOUGH_FOR_UUIDS = {True: 150, False: 180}  # where one file, or several, are named beside
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_NONE = "-"
_CLOSED = {
    "left": "left",
    "kicked": "kicked",
    "timed_out": "timed out",
    "server_stopped": "server stopped",
    "server_crashed": "server crashed",
    "joined_again": "joined again",
    "log_gap": "log missing",
    "open": "open at end",
}
_STYLES = {
    "kicked": "yellow",
    "timed_out": "yellow",
    "server_crashed": "red",
    "log_gap": "magenta",
    "open": "cyan",
}
_ENDED = {"stopped": "stopped", "crashed": "crashed", "log_gap": "log missing", None: "open at end"}
_ENDED_STYLES = {"crashed": "red", "log_gap": "magenta", None: "cyan"}
_SOURCES = {
    "file_name": "file name",
    "line": "its lines",
    "crash_report": "crash report",
    "given": "--date",
    "modified_at": "file time",
    None: "",
}
_OUTCOMES = {"not_a_server_log": "no server log", "no_times": "no times"}


def print_tables(report: Report, console: Console) -> None:
    """Print *report*: of each server its files, runs and sessions, then the figures of all."""
    width = console.width
    is_wide = width >= _WIDE
    for server in report.servers:
        files = [file for file in report.files if file.server == server.server]
        runs = [run for run in report.runs if run.server == server.server]
        sessions = [session for session in report.sessions if session.server == server.server]
        if not server.files:
            continue
        console.rule(_heading(server, files), align="left", style="dim")
        read = [file for file in files if file.outcome in READABLE]
        if len(read) > 1:
            _section(console, "Files", _files(read, is_wide=is_wide))
        else:
            console.print(Padding(_file_line(read[0]), (0, 0, 1, 0)))
        if runs:
            _section(console, "Runs", _runs(runs, width=width))
        if sessions:
            _section(console, "Sessions", _sessions(sessions, width=width))
        else:
            console.print(Padding("no sessions", (0, 0, 1, 0)), style="dim")
    _passed_over(console, report)
    if report.unknown:
        _section(console, "Unknown lines, most frequent first", _unknown(report.unknown, is_wide=is_wide))
    _summary(console, report)


def _section(console: Console, title: str, table: Table) -> None:
    console.print(Group(Text(title, style="bold"), Padding(table, (0, 0, 1, 0))))


def _table(*columns: str, right: Sequence[str] = (), fold: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=column not in fold,
            overflow="fold" if column in fold else "ellipsis",
        )
    return table


def _heading(server: Summary, files: Sequence[FileReport]) -> Text:
    version = next((file.game_version for file in reversed(files) if file.game_version is not None), None)
    what = " ".join(filter(None, (server.software, version)))
    text = Text(plain(server.server or ""), style="bold")
    return text.append(f"  {what}", style="not bold green") if what else text


# ---------- files


def _files(files: Sequence[FileReport], *, is_wide: bool) -> Table:
    folder = _common_folder(files)
    names = ["File", "From", "Lines", "Understood", "Ignored", "Unknown", "Date from", "Remark"]
    if not is_wide:
        names = ["File", "From", "Lines", "Unknown", "Remark"]
    table = _table(*names, right=("Lines", "Understood", "Ignored", "Unknown"), fold=("Remark",))
    for file in files:
        cells: dict[str, RenderableType] = {
            "File": Text(plain(_name_in(folder, file.path))),
            "From": Text(_short(file.first_at)),
            "Lines": _count(file.lines),
            "Understood": _count(file.understood),
            "Ignored": _count(file.ignored),
            "Unknown": _count(file.unknown),
            "Date from": _SOURCES[file.date_source],
            "Remark": _remark(file),
        }
        table.add_row(*(cells[name] for name in names))
    return table


def _file_line(file: FileReport) -> Text:
    """Return what there is to say of a server's only file."""
    text = Text(
        f"{counted(file.lines, 'line')}: {_count(file.understood)} understood, {_count(file.ignored)} ignored, "
    )
    text.append(f"{_count(file.unknown)} unknown, {counted(file.continuations, 'continuation')}")
    if file.date_source is not None:
        text.append(f"; date from {_SOURCES[file.date_source]}")
    elif file.outcome != "no_times":
        text.append("; the log shows no date, so days are counted from 0", style="yellow")
    if file.reason is not None:
        outcome = "" if file.outcome == "ok" else f"{_OUTCOMES.get(file.outcome, file.outcome)}: "
        text.append(f"; {outcome}{plain(file.reason)}", style="yellow")
    return text


def _remark(file: FileReport) -> Text:
    remarks = []
    if file.gap_before:
        remarks.append("files before it are missing")
    if file.outcome != "ok":
        remarks.append(_OUTCOMES.get(file.outcome, file.outcome))
    elif file.reason is not None:
        remarks.append(plain(file.reason))
    elif file.date_source is None:
        remarks.append("no date")
    return Text("; ".join(remarks), style="yellow")


def _passed_over(console: Console, report: Report) -> None:
    files = [file for file in report.files if file.outcome not in (*READABLE, "unreadable")]
    if not files:
        return
    table = _table("File", "What it is", "Why", fold=("File", "Why"))
    for file in files:
        table.add_row(Text(plain(file.path)), _OUTCOMES.get(file.outcome, file.outcome), Text(plain(file.reason or "")))
    _section(console, "Passed over", table)


# ---------- runs and sessions


def _runs(runs: Sequence[RunReport], *, width: int) -> Table:
    files = {run.file for run in runs}
    where = "Line" if len(files) == 1 else "Start line"
    names = ["Day", "Started", "Ready in", "Ended", "Lasted", "How", "Lines"]
    if width >= _WIDE:
        names += ["Version", "Overloads", "Crash", where]
    table = _table(*names, right=("Ready in", "Lasted", "Lines", "Overloads"), fold=("Crash",))
    day_before = version_before = ""
    for run in runs:
        version = plain(" ".join(filter(None, (run.software, run.game_version))))
        day = _day(run.started_at or run.ended_at or run.ended_at_lower)
        cells: dict[str, RenderableType] = {
            "Day": Text(day if day != day_before else ""),
            "Started": Text(
                _time(run.started_at) if run.started_at else "before", style="" if run.started_at else "dim"
            ),
            "Ready in": _NONE if run.startup_seconds is None else f"{run.startup_seconds:.1f} s",
            "Ended": _end(day, run.ended_at, run.ended_at_lower, run.ended_at_upper if width >= _WIDE else None),
            "Lasted": _length(run),
            "How": Text(_ENDED[run.how], style=_ENDED_STYLES.get(run.how, "")),
            "Lines": _count(run.lines),
            "Version": Text(version if version != version_before else ""),
            "Overloads": _count(run.overload_warnings) if run.overload_warnings else _NONE,
            "Crash": Text(plain(run.crash_cause or "")),
            where: Text(_where(run.file, run.started_line, is_only_file=len(files) == 1), style="dim"),
        }
        day_before, version_before = day, version
        table.add_row(*(cells[name] for name in names))
    return table


def _sessions(sessions: Sequence[SessionReport], *, width: int) -> Table:
    is_only_file = len({session.file for session in sessions}) == 1
    where = "Line" if is_only_file else "Line of the entry"
    names = ["Day", "Player", "Joined", "Left", "Length", "How it ended"]
    if width >= _WIDE:
        names += ["Reason"] + (["UUID"] if width >= _WIDE_ENOUGH_FOR_UUIDS[is_only_file] else []) + [where]
    table = _table(*names, right=("Length",), fold=("Reason",))
    day_before = ""
    for session in sessions:
        how = session.close_reason or "open"
        day = _day(session.joined_at or session.left_at or session.left_at_lower)
        cells: dict[str, RenderableType] = {
            "Day": Text(day if day != day_before else ""),
            "Player": Text(plain(session.player)),
            "Joined": _start(session),
            "Left": _end(
                day, session.left_at, session.left_at_lower or session.last_seen_at, None, line=session.left_line
            ),
            "Length": _length(session),
            "How it ended": Text(_CLOSED[how], style=_STYLES.get(how, "")),
            # what most leave with says no more than the column before
            "Reason": Text(plain(session.reason_text or "") if session.reason_text != "Disconnected" else ""),
            "UUID": Text(session.uuid or "", style="dim"),
            where: Text(
                _where(session.file, session.joined_line or session.left_line, is_only_file=is_only_file), style="dim"
            ),
        }
        day_before = day
        table.add_row(*(cells[name] for name in names))
    return table


def _start(session: SessionReport) -> Text:
    if session.joined_at is not None:
        return Text(_time(session.joined_at))
    return Text(f"line {session.joined_line}" if session.joined_line else "before", style="dim")


def _end(day: str, end: str | None, lower: str | None, upper: str | None, *, line: int | None = None) -> Text:
    """Return an end, without its day where that is *day*; bounds where no line shows it."""
    if end is not None:
        return Text(_on(day, end))
    if lower is not None and upper is not None:
        return Text(f"{_on(day, lower)} … {_on(_day(lower), upper)}", style="dim")
    if lower is not None:
        return Text(f"≥ {_on(day, lower)}", style="dim")
    return Text(f"line {line}" if line is not None else _NONE, style="dim")


def _length(what: RunReport | SessionReport) -> Text:
    if what.seconds is not None:
        return Text(duration(what.seconds))
    if what.seconds_at_least is not None:
        return Text(f"≥ {duration(what.seconds_at_least)}", style="dim")
    return Text(_NONE, style="dim")


def _on(day: str, stamp: str) -> str:
    if _day(stamp) == day:
        return _time(stamp)
    own = _day(stamp)
    # the year goes without saying next to a day of the same year
    return f"{own[5:] if own[:4] == day[:4] and own[:4].isdigit() else own} {_time(stamp)}"


def _day(stamp: str | None) -> str:
    """Return the date of a stamp, or the number of its day."""
    return stamp[:-9] if stamp is not None else ""


def _time(stamp: str) -> str:
    return stamp[-8:]


# ---------- the rest


def _unknown(templates: Sequence[UnknownTemplate], *, is_wide: bool) -> Table:
    names = ["Lines", "Template"] + (["First", "Example"] if is_wide else [])
    table = _table(*names, right=("Lines",), fold=("Template", "Example"))
    for template in templates:
        cells: dict[str, RenderableType] = {
            "Lines": _count(template.count),
            "Template": Text(plain(template.template)),
            "First": Text(_where(template.path, template.line), style="dim"),
            "Example": Text(plain(template.example), style="dim"),
        }
        table.add_row(*(cells[name] for name in names))
    return table


def _summary(console: Console, report: Report) -> None:
    total = report.summary
    if not total.files:
        if any(file.outcome != "unreadable" for file in report.files):
            console.print("no server's log among the files", style="yellow")
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    passed = f", {total.files_passed_over} passed over" if total.files_passed_over else ""
    servers = len([server for server in report.servers if server.files])
    of = f" of {servers} servers" if servers > 1 else ""
    grid.add_row("Files", f"{_count(total.files)} read{of}{passed}")
    share = "" if total.share_known is None else f", {total.share_known:.0%} of a known kind"
    grid.add_row("Lines", f"{_count(total.lines)}{share}, {_count(total.unknown)} unknown")
    grid.add_row("Players", _count(total.players))
    ends = ", ".join(f"{count} {_CLOSED[how]}" for how, count in total.sessions_by_close_reason.items())
    grid.add_row("Sessions", f"{_count(total.sessions)}" + (f": {ends}" if ends else ""))
    seen_by_proxies = sum(server.sessions for server in report.servers) - total.sessions
    if seen_by_proxies:
        grid.add_row("", f"without {_count(seen_by_proxies)} that proxies saw of the same players")
    if total.refused_entries:
        grid.add_row("Refused", f"{counted(total.refused_entries, 'entry', 'entries')} of clients that did not get in")
    if total.fake_players:
        grid.add_row("Fake players", f"{_count(total.fake_players)} made by a mod, counted nowhere else")
    if total.sessions:
        lacking = total.sessions_without_length
        without = f", and {counted(lacking, 'session')} of unknown length" if lacking else ""
        grid.add_row("Played", f"at least {total.hours_played:,.1f} h{without}")
    if total.peak_online:
        on = f" on {plain(total.peak_server or '')}" if servers > 1 else ""
        grid.add_row("Peak", f"{total.peak_online} online at once{on}")
    console.rule(Text("All logs", style="bold"), align="left", style="dim")
    console.print(Padding(grid, (0, 0, 0, 0)))
    undated = [file.path for file in report.files if file.date_source is None and file.first_at is not None]
    if undated:
        which = plain(undated[0]) if len(undated) == 1 else f"{len(undated)} files"
        hint = "--date or --dates-from-mtime gives one."
        console.print(Padding(Text(f"{which}: no date in name or lines, so days are counted. {hint}"), (1, 0, 0, 0)))


def plain(text: str) -> str:
    """Return *text* without characters that would move a terminal's cursor or change its colours."""
    return "".join("�" if unicodedata.category(character) in ("Cc", "Cf", "Cs") else character for character in text)


def duration(seconds: float) -> str:
    """Return a length as a person writes it, with two units."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} m {whole % _MINUTE:02} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} m"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR:02} h"


def _short(stamp: str | None) -> str:
    return stamp.replace("T", " ") if stamp is not None else _NONE


def _where(path: str, line: int | None, *, is_only_file: bool = False) -> str:
    if is_only_file and line is not None:
        return str(line)
    name = plain(PurePath(path).name)
    return name if line is None else f"{name}:{line}"


def _count(number: int) -> str:
    return f"{number:,}"


def _common_folder(files: Iterable[FileReport]) -> PurePath | None:
    folders = {PurePath(file.path).parent for file in files}
    return folders.pop() if len(folders) == 1 else None


def _name_in(folder: PurePath | None, path: str) -> str:
    return PurePath(path).name if folder is not None else path
