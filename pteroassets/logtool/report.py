"""Read logs from anywhere and say what they tell: files, runs, sessions and a summary; no database, no panel.

Path of the data::

    paths --finding--> histories --parsing--> events --dating--> instants --build_sessions--> Report
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from pteroassets.logtool.dating import DateRules
from pteroassets.logtool.finding import Candidate, Grouping, Problem, arrange, describe, find_files
from pteroassets.logtool.parsing import ParsedFile, parse_files
from pteroassets.logtool.rows import FileReport, Report
from pteroassets.logtool.summary import Summary
from pteroassets.logtool.telling import tell
from pteroassets.logtool.unknown import UnknownTemplate, most_frequent
from pteroassets.sources.outcomes import READABLE

#: Is told how many bytes were read, and of how many; 0 where nobody can tell.
Progress = Callable[[int, int], None]


def parse_paths(
    paths: Sequence[str],
    *,
    grouping: Grouping = "by_name",
    dates: DateRules | None = None,
    unknown: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Return what the logs under *paths* tell.

    Args:
        paths: Of files and folders; ``-`` is the standard input.
        grouping: Which files are one server's history: those of one folder that are named as a server names its logs,
            or none, or all.
        dates: Where to take dates from that a log does not show.
        unknown: How many templates of unknown lines to list, most frequent first.
        jobs: How many processes to parse in, where there is enough to read; more than one needs a main module that
            can be imported.
        progress: Is told how far the reading is.
    """
    rules = dates if dates is not None else DateRules()
    found, problems = find_files(paths)
    candidates, parsed = _parse(found, grouping=grouping, unknown=unknown, jobs=jobs, progress=progress)
    told = [tell(history, parsed, rules) for history in arrange(candidates, grouping=grouping)]
    servers = tuple(each.summary for each in told)
    by_path = {file.path: file for each in told for file in each.files}
    problems += _problems(paths, by_path.values(), told=[problem.path for problem in problems])
    return Report(
        files=tuple(by_path[candidate.path] for candidate in candidates),
        runs=tuple(run for each in told for run in each.runs),
        sessions=tuple(session for each in told for session in each.sessions),
        event_counts={
            candidate.path: parsed[candidate.path].events.counts()
            for candidate in candidates
            if by_path[candidate.path].outcome in READABLE
        },
        servers=servers,
        summary=Summary.of_all(servers),
        unknown=_unknown(candidates, parsed, by_path, limit=unknown),
        problems=tuple(problems),
    )


def _problems(paths: Sequence[str], files: Iterable[FileReport], *, told: Sequence[str]) -> list[Problem]:
    """Return the files that could not be read, and those of *paths* that gave nothing for another reason."""
    files = list(files)
    problems = [Problem(path=file.path, message=file.reason or "") for file in files if file.outcome == "unreadable"]
    told = [*told, *(problem.path for problem in problems)]
    for path in dict.fromkeys(paths):
        own = [file for file in files if file.path == path or file.path.startswith(f"{path.rstrip('/')}/")]
        gave = any(file.outcome == "duplicate" or (file.outcome in READABLE and file.lines > 0) for file in own)
        if gave or not own or any(other == path or other.startswith(f"{path.rstrip('/')}/") for other in told):
            continue
        message = own[0].reason or "it gave nothing"
        if len(own) > 1 or own[0].path != path:
            message = f"no server's log among its {len(own)} files; the first is {own[0].path}: {message}"
        problems.append(Problem(path=path, message=message))
    return problems


def _parse(
    candidates: Sequence[Candidate], *, grouping: Grouping, unknown: int, jobs: int, progress: Progress | None
) -> tuple[list[Candidate], dict[str, ParsedFile]]:
    """Return the files, with those that archives hold in their places, and what each came to, by path.

    Files that say the same as the log beside them are not read.
    """
    done, total = 0, sum(_size(candidate) for candidate in candidates)
    parsed: dict[str, ParsedFile] = {}
    places: dict[str, list[Candidate]] = {}

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    def read(files: Sequence[Candidate]) -> None:
        found = parse_files(files, jobs=jobs, list_unknown=unknown > 0, advanced=advance)
        for candidate, of_path in zip(files, found, strict=True):
            parsed.update(of_path)
            members = sorted(path for path in of_path if path != candidate.path)
            places[candidate.path] = [candidate] if candidate.path in of_path else []
            places[candidate.path] += [describe(path, below=candidate.path) for path in members]

    echoes = [candidate for candidate in candidates if candidate.is_echo and grouping != "separate"]
    read([candidate for candidate in candidates if candidate not in echoes and candidate.refused is None])
    spoken_for = {
        place.folder
        for read_here in places.values()
        for place in read_here
        if place.scheme in ("rotated", "server") and parsed[place.path].state.lines > 0
    }
    if grouping != "separate":
        # those in archives were read, since what follows is not known there
        for place in [place for read_here in places.values() for place in read_here]:
            if place.is_echo and place.folder in spoken_for and parsed[place.path].is_log:
                parsed[place.path] = ParsedFile(is_echo=True)
    read([echo for echo in echoes if echo.folder not in spoken_for and echo.refused is None])
    for candidate in candidates:
        if candidate.path not in places:
            places[candidate.path] = [candidate]
            parsed[candidate.path] = ParsedFile(refused=candidate.refused, is_echo=candidate.refused is None)
            advance(_size(candidate))
    return [place for candidate in candidates for place in places[candidate.path]], parsed


def _size(candidate: Candidate) -> int:
    path = Path(candidate.path)
    return path.stat().st_size if not candidate.is_stream and path.exists() else 0


def _unknown(
    candidates: Sequence[Candidate], parsed: Mapping[str, ParsedFile], files: Mapping[str, FileReport], *, limit: int
) -> tuple[UnknownTemplate, ...]:
    if limit == 0:
        return ()
    read = [file for file in candidates if files[file.path].outcome != "duplicate"]
    return most_frequent(
        [(file.path, parsed[file.path].unknown) for file in read],
        players={name for file in read for name in parsed[file.path].events.players()},
        limit=limit,
        readable_again={file.path for file in read if not file.is_stream},
    )
