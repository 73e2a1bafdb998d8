"""Sessions, runs and a summary from logs that lie anywhere: ``pteroassets logs parse``, and the same as a library."""

from pteroassets.logtool.dating import DateRules
from pteroassets.logtool.finding import Problem
from pteroassets.logtool.report import Progress, parse_paths
from pteroassets.logtool.rows import FileReport, Report, RunReport, SessionReport
from pteroassets.logtool.summary import Summary
from pteroassets.logtool.unknown import UnknownTemplate

__all__ = [
    "DateRules",
    "FileReport",
    "Problem",
    "Progress",
    "Report",
    "RunReport",
    "SessionReport",
    "Summary",
    "UnknownTemplate",
    "parse_paths",
]
