"""The outcomes of asking for a sample, a list of a server, a list of files or a file, and their groups.

Postgres allows the same values in its checks, and dbt has some groups in ``macros/outcomes.sql``; tests compare them.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

#: States of a server in which the panel answers no question about it.
Gate = Literal["suspended", "installing", "install_failed", "restoring_backup", "transferring", "maintenance"]
#: What the panel writes into a server's status; other servers have none.
ServerStatus = Literal["installing", "install_failed", "reinstall_failed", "suspended", "restoring_backup"]
#: No answer came, although one was expected.
Unanswered = Literal["node_unreachable", "rate_limited", "error"]
SampleOutcome = Literal[Gate, Unanswered, "ok", "offline", "gone"]
#: Of a listing, or of fetching one file of it.
ReadOutcome = Literal[
    Gate, Unanswered, "ok", "no_log_folder", "not_minecraft", "too_large", "budget_spent", "unreadable"
]
#: Of asking for a list of one server, which the panel answers by itself, without the node.
ListOutcome = Literal[Gate, "ok", "budget_spent", "gone", "forbidden", "rate_limited", "error"]
#: Of a log file's content.
FileOutcome = Literal["ok", "truncated", "no_times", "empty", "not_a_server_log", "unreadable"]

UNANSWERED: Final[tuple[Unanswered, ...]] = get_args(Unanswered)
#: What should have been read and failed.
READ_FAULTS: Final[tuple[ReadOutcome, ...]] = (*UNANSWERED, "too_large")
#: Lists that should have been read and were not; the other outcomes are states of a server.
LIST_FAULTS: Final[tuple[ListOutcome, ...]] = ("forbidden", "rate_limited", "error")
#: What each pass reports again until a later pass or a person changes it.
SAID_EACH_PASS: Final[tuple[ReadOutcome, ...]] = ("budget_spent", "unreadable")

#: Files whose lines have a time.
TIMED: Final[tuple[FileOutcome, ...]] = ("ok", "truncated")
#: Files whose lines were read.
READABLE: Final[tuple[FileOutcome, ...]] = (*TIMED, "no_times")
#: Files of which something is lost.
DAMAGED: Final[tuple[FileOutcome, ...]] = ("truncated", "unreadable")
