"""Sessions, runs and a summary from logs that lie anywhere: ``pteroassets logs parse``, and the same as a library."""

from pteroassets.log_report.dating import DateRules
from pteroassets.log_report.finding import Problem
from pteroassets.log_report.report import (
    FileReport,
    NoProgress,
    Progress,
    Report,
    RunReport,
    SessionReport,
    parse_paths,
)
from pteroassets.log_report.summary import Summary
from pteroassets.log_report.unknown import UnknownTemplate

__all__ = [
    "DateRules",
    "FileReport",
    "NoProgress",
    "Problem",
    "Progress",
    "Report",
    "RunReport",
    "SessionReport",
    "Summary",
    "UnknownTemplate",
    "parse_paths",
]
