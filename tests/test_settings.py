"""Settings: what is refused, and with which words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pteroassets.settings import Settings


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)  # type: ignore[call-arg]


@pytest.mark.parametrize("path", ["logs", "/data/../../etc", ""])
def test_a_log_path_begins_at_the_servers_root_and_stays_below_it(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    with pytest.raises(ValidationError, match="must begin with /"):
        settings(monkeypatch, PTEROASSETS_LOG_PATHS=f'{{"Paper": "{path}"}}')


def test_log_paths_and_zones_may_name_servers_eggs_and_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(
        monkeypatch,
        PTEROASSETS_LOG_PATHS='{"My Pack": "/data/console.log"}',
        PTEROASSETS_LOG_TIMEZONES='{"node-1": "Europe/Berlin"}',
    )
    assert made.pteroassets_log_paths == {"My Pack": "/data/console.log"}
    assert made.pteroassets_log_timezones == {"node-1": "Europe/Berlin"}


def test_a_zone_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="'Mars/Olympus' is not an IANA time zone"):
        settings(monkeypatch, PTEROASSETS_LOG_TIMEZONES='{"node-1": "Mars/Olympus"}')


def test_the_log_store_may_be_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(monkeypatch, PTEROASSETS_LOG_STORE="s3://bucket/prefix")
    assert made.pteroassets_log_store == "s3://bucket/prefix"


def test_node_access_has_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PTEROASSETS_NODE_ACCESS", raising=False)
    assert not settings(monkeypatch).pteroassets_node_access


@pytest.mark.parametrize("name", ["PTEROASSETS_LOG_REQUESTS_PER_PASS", "PTEROASSETS_LOG_BYTES_PER_PASS"])
def test_a_budget_of_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to"):
        settings(monkeypatch, **{name: "0"})


@pytest.mark.parametrize("owners", ["platform", "team:", "someone@example", "team:a,nobody"])
def test_an_owner_is_an_address_or_a_team(monkeypatch: pytest.MonkeyPatch, owners: str) -> None:
    with pytest.raises(ValidationError, match="neither an e-mail address nor team:NAME"):
        settings(monkeypatch, PTEROASSETS_OWNERS=owners)


def test_a_webhook_that_is_no_url_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="PTEROASSETS_ALARM_WEBHOOK is no URL") as refusal:
        settings(monkeypatch, PTEROASSETS_ALARM_WEBHOOK="hooks.example.com/secretsecret")
    assert "secretsecret" not in str(refusal.value)


def test_all_secrets_are_known_to_those_who_keep_them_out_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(
        monkeypatch, POSTGRES_PASSWORD="of postgres", PTEROASSETS_ALARM_WEBHOOK="https://hooks.example.com/secret"
    )
    assert {"of postgres", "https://hooks.example.com/secret"} <= set(made.secrets())
