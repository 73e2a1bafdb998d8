"""What metrics of players come to, counted in Python row by row of the model that each must name."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
Count = Callable[[Sequence[Row]], float | None]


def _known(values: Iterable[Any]) -> list[float]:
    return [float(value) for value in values if value is not None]


def total(of: Callable[[Row], Any]) -> Count:
    """The sum of what is known; None where nothing is."""
    return lambda rows: sum(known) if (known := _known(map(of, rows))) else None


def most(of: Callable[[Row], Any]) -> Count:
    return lambda rows: max(_known(map(of, rows)), default=None)


def least(of: Callable[[Row], Any]) -> Count:
    return lambda rows: min(_known(map(of, rows)), default=None)


def middle(of: Callable[[Row], Any]) -> Count:
    return lambda rows: statistics.median(known) if (known := _known(map(of, rows))) else None


def mean(of: Callable[[Row], Any]) -> Count:
    return lambda rows: statistics.fmean(known) if (known := _known(map(of, rows))) else None


def servers(column: str) -> Callable[[Row], Any]:
    """A column of rows that are no proxy's."""
    return lambda row: None if row["is_proxy"] else row[column]


def host(column: str) -> Callable[[Row], Any]:
    """A column of the rows of the host."""
    return lambda row: row[column] if row["scope"] == "host" else None


def hours(seconds: Any) -> float | None:
    return None if seconds is None else seconds / 3600


def sixtieth(minutes_: float | None) -> float | None:
    return None if minutes_ is None else minutes_ / 60


def is_known(hour: Row) -> bool:
    return bool(hour["seconds_known"] > 0)


def minutes(stays: Row) -> float | None:
    if stays["scope"] != "host" or stays["session_minutes_mean"] is None:
        return None
    return float(stays["session_minutes_mean"] * stays["sessions_measured"])


EXPECTED: Mapping[str, tuple[str, Count]] = {
    "player_days": ("fct_player_daily", total(lambda day: not day["is_proxy"])),
    "day_play_hours": ("fct_player_daily", total(lambda day: hours(servers("play_seconds")(day)))),
    "day_play_hours_inferred": (
        "fct_player_daily",
        total(lambda day: None if day["play_seconds"] is None else hours(servers("play_seconds_end_inferred")(day))),
    ),
    "sessions_without_join": ("fct_player_daily", total(servers("sessions_without_join"))),
    "players_of_servers": ("fct_player_servers", total(lambda pair: not pair["is_proxy"])),
    "players_with_second_session": (
        "fct_player_servers",
        total(lambda pair: isinstance(servers("second_joined_at")(pair), datetime)),
    ),
    "first_session_minutes": ("fct_player_servers", middle(servers("first_session_minutes"))),
    "hours_to_second_session": ("fct_player_servers", middle(servers("hours_to_second_session"))),
    "gap_hours": ("fct_player_servers", middle(servers("gap_hours_median"))),
    "deaths_of_a_cause": (
        "fct_player_events",
        total(lambda event: event["event_kind"] == "death" and event["cause"] is not None),
    ),
    "deaths_by_a_killer": (
        "fct_player_events",
        total(lambda event: event["event_kind"] == "death" and event["killer"] is not None),
    ),
    "advancements_of_a_title": (
        "fct_player_events",
        total(lambda event: event["event_kind"] == "advancement" and event["advancement"] is not None),
    ),
    "kicks_of_a_reason": (
        "fct_player_events",
        total(lambda event: event["event_kind"] == "kick" and servers("kick_reason")(event) is not None),
    ),
    "hourly_player_hours": (
        "fct_players_hourly",
        total(lambda hour: hours(hour["player_seconds"]) if is_known(hour) else None),
    ),
    "hourly_hours_known": ("fct_players_hourly", total(lambda hour: hours(hour["seconds_known"]))),
    "hourly_hours_occupied": (
        "fct_players_hourly",
        total(lambda hour: hours(hour["occupied_seconds"]) if is_known(hour) else None),
    ),
    "joins_into_empty": ("fct_players_hourly", total(lambda hour: hour["joins_into_empty"])),
    "hourly_peak_players": ("fct_players_hourly", most(lambda hour: hour["peak_concurrent_players"])),
    "active_players_7d": ("fct_active_players_daily", most(host("active_players_7d"))),
    **{
        f"game_players_{days}": ("fct_game_players_daily", most(lambda day, days=days: day[f"active_players_{days}"]))
        for days in ("1d", "7d", "30d")
    },
    "game_play_hours": (
        "fct_game_players_daily",
        total(lambda day: None if day["game"] == "all" else day["play_hours"]),
    ),
    "active_players_30d": ("fct_active_players_daily", most(host("active_players_30d"))),
    "active_days_of_players": (
        "fct_active_players_daily",
        total(lambda day: None if day["active_players_30d"] is None else host("active_players_1d")(day)),
    ),
    "active_players_30d_by_day": ("fct_active_players_daily", total(host("active_players_30d"))),
    "new_players": ("fct_active_players_daily", total(host("new_players"))),
    "returning_players": ("fct_active_players_daily", total(host("returning_players"))),
    "won_back_players": ("fct_active_players_daily", total(host("won_back_players"))),
    "lapsed_players": ("fct_active_players_daily", total(host("lapsed_players"))),
    "stay_minutes_of_days": ("fct_active_players_daily", total(minutes)),
    "stays_measured": ("fct_active_players_daily", total(host("sessions_measured"))),
    "stay_minutes_p90": ("fct_active_players_daily", most(host("session_minutes_p90"))),
    "players_in_group": (
        "fct_player_activity_weekly",
        total(lambda week: 1 if host("activity_group")(week) else None),
    ),
    "players_without_group": (
        "fct_player_activity_weekly",
        total(lambda week: week["scope"] == "host" and week["activity_group"] is None),
    ),
    "activity_index": ("fct_player_activity_weekly", mean(host("activity_index"))),
    "record_players": ("fct_concurrency_peaks", most(host("peak_concurrent_players"))),
    "server_record_players": (
        "fct_concurrency_peaks",
        most(lambda day: day["peak_concurrent_players"] if day["server_uuid"] else None),
    ),
    "node_record_players": (
        "fct_concurrency_peaks",
        most(lambda day: day["peak_concurrent_players"] if day["node_uuid"] else None),
    ),
    "record_days": ("fct_concurrency_peaks", total(lambda day: host("is_record")(day) is True)),
    "players_shared": ("fct_shared_players", most(lambda pair: pair["players_shared"])),
    "players_shared_30d": ("fct_shared_players", most(lambda pair: pair["players_shared_30d"])),
    "players_shared_of_pairs": ("fct_shared_players", total(lambda pair: pair["players_shared"])),
    "players_total_of_pairs": ("fct_shared_players", total(lambda pair: pair["players_total"])),
    "names_used": ("dim_player_names", total(lambda _: 1)),
    "names_given_up": ("dim_player_names", total(lambda name: not name["is_newest"])),
    "tables_landed": ("fct_table_health", total(lambda _: 1)),
    "tables_stale": ("fct_table_health", total(lambda table: table["health"] in ("stale", "never_loaded"))),
    "tables_late": ("fct_table_health", total(lambda table: table["health"] == "late")),
    "tables_thin": ("fct_table_health", total(lambda table: table["health"] == "thin")),
    "table_age": ("fct_table_health", most(lambda table: table["age_hours"])),
    "table_stale_after": ("fct_table_health", least(lambda table: table["fail_after_hours"])),
    "table_coverage": ("fct_table_health", least(lambda table: table["coverage_ratio"])),
    "cohort_players": ("fct_retention", total(lambda cohort: cohort["players_total"])),
    "cohort_players_counted": ("fct_retention", total(lambda cohort: cohort["players_counted"])),
    "cohort_players_returned": ("fct_retention", total(lambda cohort: cohort["players_returned"])),
    "retention_low": ("fct_retention", least(lambda cohort: cohort["retention_low"])),
    "retention_high": ("fct_retention", most(lambda cohort: cohort["retention_high"])),
    "players_first_seen": ("dim_players", total(lambda _: 1)),
    "names_of_a_player": ("dim_players", most(lambda player: player["names_total"])),
    "servers_of_a_player": ("dim_players", most(lambda player: player["servers_total"])),
    "daily_players": ("fct_network_daily", most(lambda day: day["distinct_players"])),
    "peak_players": ("fct_network_daily", most(lambda day: day["peak_concurrent_players"])),
    "network_player_hours": ("fct_network_daily", total(lambda day: day["player_hours"])),
    "hours_known": (
        "fct_network_daily",
        total(lambda day: day["day_hours"] if day["player_hours"] is not None else None),
    ),
    "stays_begun": ("fct_network_daily", total(lambda day: day["sessions_started"])),
    "stays": ("fct_network_sessions", total(lambda _: 1)),
    "players_seen": ("fct_network_sessions", lambda stays: float(len({stay["player_id"] for stay in stays}))),
    "stay_hours": (
        "fct_network_sessions",
        total(lambda stay: sixtieth(stay["counted_minutes"])),
    ),
    "stay_minutes": (
        "fct_network_sessions",
        middle(lambda stay: None if stay["is_open"] else stay["counted_minutes"]),
    ),
    "sessions": ("fct_player_sessions", total(lambda session: not session["is_proxy"])),
    "play_hours": (
        "fct_player_sessions",
        total(lambda session: sixtieth(servers("counted_minutes")(session))),
    ),
    "session_minutes": (
        "fct_player_sessions",
        middle(lambda session: None if session["is_open"] else servers("counted_minutes")(session)),
    ),
    "deaths": ("fct_player_sessions", total(lambda session: session["deaths"])),
    "advancements": ("fct_player_sessions", total(lambda session: session["advancements"])),
    "chat_messages": ("fct_player_sessions", total(lambda session: session["chat_messages"])),
    "kicks": ("fct_player_sessions", total(lambda session: servers("close_reason")(session) == "kicked")),
    "timeouts": ("fct_player_sessions", total(lambda session: servers("close_reason")(session) == "timed_out")),
    "sessions_cut_by_crashes": (
        "fct_player_sessions",
        total(lambda session: servers("close_reason")(session) == "server_crashed"),
    ),
}
"""For each simple metric of a mart of players, and of some others, its model and how it is counted."""
