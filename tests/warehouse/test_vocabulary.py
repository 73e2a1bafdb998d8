"""Words that Python, Postgres and dbt each have to spell are the same in all three."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import jinja2
import pytest
import yaml

from pteroassets.alarms.incidents.model import ClosedAs, Event, SubjectKind
from pteroassets.alarms.outbox import DeadOf, Outcome, Severity
from pteroassets.bot import actions
from pteroassets.bot.cards.contents import CardKind
from pteroassets.landing.arma3.fetching import Document
from pteroassets.landing.arma3.rows import StandingOutcome
from pteroassets.landing.servers import ZoneSource
from pteroassets.settings import CHECKOUT
from pteroassets.sources import outcomes
from pteroassets.sources.arma3.client import FetchOutcome
from pteroassets.sources.minecraft.dates import DateSource
from pteroassets.sources.minecraft.events import Kind
from pteroassets.sources.minecraft.history import EndReason
from pteroassets.sources.minecraft.reasons import CloseReason
from pteroassets.sources.pterodactyl.pacing import Api
from pteroassets.sources.pterodactyl.server_lists import ServerList
from pteroassets.warehouse.connection import Connection

DBT = CHECKOUT / "dbt_project"
WORDS: dict[tuple[str, str], Any] = {
    ("actions", "command"): actions.Command,
    ("actions", "outcome"): actions.Outcome,
    ("discord_cards", "kind"): CardKind,
    ("list_reads", "list_name"): ServerList,
    ("list_reads", "outcome"): outcomes.ListOutcome,
    ("log_files", "date_source"): DateSource,
    ("log_files", "outcome"): outcomes.FileOutcome,
    ("log_reads", "outcome"): outcomes.ReadOutcome,
    ("incident_events", "event"): Event,
    ("incidents", "closed_as"): ClosedAs,
    ("incidents", "severity"): Severity,
    ("incidents", "subject_kind"): SubjectKind,
    ("outbox", "dead_of"): DeadOf,
    ("outbox", "severity"): Severity,
    ("outbox_deliveries", "outcome"): Outcome,
    ("pages", "document"): Document,
    ("pages", "outcome"): FetchOutcome,
    ("player_sessions", "close_reason"): CloseReason,
    ("replays", "outcome"): StandingOutcome,
    ("request_budgets", "api"): Api,
    ("server_runs", "end_reason"): EndReason,
    ("server_timezones", "source"): ZoneSource,
    ("sample_answers", "outcome"): outcomes.SampleOutcome,
}
# columns of the models that hand such words on under the same name, or under one of their own
HANDED_ON = {
    name: WORDS[table, name]
    for table, name in WORDS
    if not table.startswith(("outbox", "incident_events", "discord", "pages"))
    and name not in ("outcome", "source", "api")
}
HANDED_ON |= {"timezone_source": ZoneSource, "status": outcomes.ServerStatus}
OUTCOMES = {
    "pages": FetchOutcome,
    "stg_arma3__replays": StandingOutcome,
    "stg_discord__actions": actions.Outcome,
    "stg_minecraft__log_files": outcomes.FileOutcome,
    "stg_pterodactyl__list_reads": outcomes.ListOutcome,
    "stg_pterodactyl__utilization_samples": outcomes.SampleOutcome,
}


@pytest.mark.postgres
def test_postgres_allows_the_words_that_python_writes_and_no_others(warehouse: Connection) -> None:
    allowed = {
        (table, column): set(re.findall(r"'([^']*)'::text", rule))
        for table, column, rule in warehouse.execute(
            """
            select classes.relname, attributes.attname, pg_get_constraintdef(constraints.oid)
            from pg_constraint as constraints
            inner join pg_class as classes on classes.oid = constraints.conrelid
            inner join pg_attribute as attributes
                on attributes.attrelid = classes.oid and attributes.attnum = constraints.conkey[1]
            where constraints.contype = 'c' and cardinality(constraints.conkey) = 1
                and pg_get_constraintdef(constraints.oid) like '%ANY (ARRAY[%'
            """
        )
    }
    assert allowed == {place: set(get_args(words)) for place, words in WORDS.items()}


def accepted(path: Path) -> dict[tuple[str, str], set[str]]:
    """The values that data tests of the models in *path* accept, by model and column."""
    return {
        (model["name"], column["name"]): set(test["accepted_values"]["arguments"]["values"])
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", [])
        for column in model.get("columns", [])
        for test in column.get("data_tests", [])
        if isinstance(test, dict) and "accepted_values" in test
    }


def test_dbt_accepts_the_words_that_python_writes_and_no_others() -> None:
    found = {place: values for path in DBT.glob("models/**/*.yml") for place, values in accepted(path).items()}
    compared = {
        (model, column): set(get_args(OUTCOMES[model] if column == "outcome" else HANDED_ON[column]))
        for model, column in found
        if column == "outcome" or column in HANDED_ON
    }
    assert compared.items() <= found.items()
    assert {words for _, words in compared} >= {*HANDED_ON, "outcome"}


def test_a_description_that_lists_such_words_lists_all_of_them() -> None:
    whole = 0
    for path in DBT.glob("models/**/*.yml"):
        found = yaml.safe_load(path.read_text()) or {}
        sources = [table for source in found.get("sources", []) for table in source["tables"]]
        for table in [*found.get("models", []), *sources]:
            for column in table.get("columns", []):
                words = OUTCOMES.get(table["name"]) if column["name"] == "outcome" else HANDED_ON.get(column["name"])
                said = set(re.findall(r"\w+", column["description"])) & set(get_args(words))
                if said and "such as" not in column["description"]:
                    assert said == set(get_args(words)), f"{column['name']} in {path.name}"
                    whole += 1
    assert whole > len(WORDS)


def test_the_models_know_no_kind_of_event_that_is_not_read() -> None:
    query = (DBT / "models" / "compatibility" / "minecraft" / "compat_minecraft__activity.sql").read_text()
    named = set(re.findall(r"'((?:server|player)_[a-z_]+)'", query))
    assert {"player_join", "server_stop"} <= named <= set(get_args(Kind))


def test_the_models_ask_for_no_group_of_samples_that_staging_does_not_make() -> None:
    queries = {path.stem: path.read_text() for path in DBT.glob("m*/**/*.sql")}  # models and macros
    made = re.findall(r"(?:then|else) '(\w+)'", queries["stg_pterodactyl__utilization_samples"])
    asked = re.findall(r"outcome_group (?:=|<>|in) (\([^)]*\)|'\w+')", "\n".join(queries.values()))
    assert {word for words in asked for word in re.findall(r"\w+", words)} == set(made)


@pytest.mark.parametrize("group", ["unanswered", "timed", "damaged"])
def test_dbt_counts_the_same_outcomes_as_one(group: str) -> None:
    macros = jinja2.Environment(autoescape=False).from_string((DBT / "macros" / "outcomes.sql").read_text()).module
    words = re.findall(r"'(\w+)'", getattr(macros, f"{group}_outcomes")())
    assert tuple(words) == getattr(outcomes, group.upper())
