"""Settings: what is refused, and with which words."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from pteroassets.cli import main
from pteroassets.definitions import defs
from pteroassets.landing.files.collection import LogBudget
from pteroassets.platform.check import check_variables
from pteroassets.settings import CHECKOUT, EXAMPLES, NOT_SETTINGS, SECRET_FILES, SECRETS, Settings, SettingsFault


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


def test_two_sites_of_one_kind_on_one_host_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = "ocap:https://games.example.com", "ocap:https://GAMES.example.com/second"
    for sites in ([one, one], ["wog:https://games.example.com", one]):
        monkeypatch.setenv("PTEROASSETS_REPLAY_SITES", ",".join(sites))
        assert Settings(_env_file=None).replay_sites() == list(dict.fromkeys(sites))
    for sites in (f"{one},{other}", f"{one},solidgames:https://games.example.com"):
        monkeypatch.setenv("PTEROASSETS_REPLAY_SITES", sites)
        with pytest.raises(ValidationError, match="two sites of one kind have the same host"):
            Settings(_env_file=None)


def test_a_list_of_sites_that_names_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="it names no site"):
        settings(monkeypatch, PTEROASSETS_REPLAY_SITES=" , ")


@pytest.mark.parametrize("host", ["games.example.com:99999", "games.example.com:none", "games.example.com:0", ":80"])
def test_a_site_at_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(ValidationError, match="ports are from 1 to 65535"):
        settings(monkeypatch, PTEROASSETS_REPLAY_SITES=f"wog:https://{host}/games")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PTEROASSETS_REPLAY_POLL_MINUTES", "4", "greater than or equal to 5"),
        ("PTEROASSETS_REPLAY_POLL_MINUTES", "1441", "less than or equal to 1440"),
        ("PTEROASSETS_REPLAY_GRID_METRES", "0", "greater than or equal to 1"),
        ("PTEROASSETS_REPLAY_STEP_SECONDS", "half", "valid integer"),
        ("PTEROASSETS_REPLAY_FULL_POSITIONS", "some", "valid boolean"),
    ],
)
def test_how_replays_are_read_has_bounds_that_a_refusal_names(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    with pytest.raises(ValidationError, match=rf"(?is){name}.*{words}"):
        settings(monkeypatch, **{name: value})


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
    with pytest.raises(ValidationError, match="PTEROASSETS_ALARM_WEBHOOK is not a URL") as refusal:
        settings(monkeypatch, PTEROASSETS_ALARM_WEBHOOK="hooks.example.com/secretsecret")
    assert "secretsecret" not in str(refusal.value)


def test_all_secrets_are_known_to_those_who_keep_them_out_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(
        monkeypatch, POSTGRES_PASSWORD="of postgres", PTEROASSETS_ALARM_WEBHOOK="https://hooks.example.com/secret"
    )
    assert {"of postgres", "https://hooks.example.com/secret"} <= set(made.secrets())


BAD = [
    ("PTERODACTYL_URL", "panel.example.com", "must begin with https://"),
    ("PTERODACTYL_URL", "https://panel.example.com:port", "Port could not be cast"),
    ("PTERODACTYL_URL", "https://panel.example.com/?page=2", "only the panel's address"),
    ("POSTGRES_HOST", "db.example.com:5433", "goes into POSTGRES_PORT"),
    ("POSTGRES_HOST", "postgresql://db.example.com", "only a host's name or address"),
    ("POSTGRES_PORT", "70000", "at most 65535"),
    ("POSTGRES_PORT", "five", "whole number"),
    ("PTEROASSETS_PII", "hsh", "'hash', 'drop' or 'plain'"),
    ("PTEROASSETS_PII_KEY", "short-secret", "at least 16 characters"),
    ("PTEROASSETS_LAND_TEXT", "perhaps", "true or false"),
    ("PTEROASSETS_LOG_TIMEZONE", "Berlin", "IANA time zone such as Europe/Berlin"),
    ("PTEROASSETS_LOG_TIMEZONES", "{'node-1': 'Europe/Berlin'}", "not JSON"),
    ("PTEROASSETS_LOG_TIMEZONES", '["Europe/Berlin"]', "one JSON object"),
    ("PTEROASSETS_LOG_TIMEZONES", '{"node-1": "Mars/Olympus"}', "'Mars/Olympus' is not an IANA time zone"),
    ("PTEROASSETS_LOG_TIMEZONES", '{"node-1": 7}', "a text in quotes"),
    ("PTEROASSETS_LOG_PATHS", "/data/logs", "not JSON"),
    ("PTEROASSETS_LOG_PATHS", '{"": "/data/logs"}', "names"),
    ("PTEROASSETS_LOG_PATHS", '{"Paper": "data/logs"}', "must begin with /"),
    ("PTEROASSETS_LOG_REQUESTS_PER_PASS", "1", "at least 2"),
    ("PTEROASSETS_LOG_BYTES_PER_PASS", "-5", "at least 1"),
    ("PTEROASSETS_SCHEDULES", "hourly", "'fresh' or 'stiv'"),
    ("TZ", "Mars/Olympus", "IANA time zone"),
    ("PTEROASSETS_REQUEST_SHARE", "80%", "must be a number"),
    ("PTEROASSETS_REQUEST_SHARE", "0", "more than 0"),
    ("PTEROASSETS_REQUEST_SHARE", "1.5", "at most 1"),
    ("PTEROASSETS_ALLOW_SHRINK", "once", "true or false"),
    ("PTEROASSETS_NODE_ACCESS", "all", "true or false"),
    ("PTEROASSETS_NODE_CA", "nodes-ca.pem", "begins with /"),
    ("PTEROASSETS_INCIDENT_RULES", "incidents.toml", "begins with /"),
    ("PTEROASSETS_LOG_STORE", "s4://bucket", "not a kind of store"),
    ("PTEROASSETS_DAGSTER_PORT", "99999", "at most 65535"),
    ("PTEROASSETS_DOCS_PORT", "0", "at least 1"),
    ("PTEROASSETS_ALARM_WEBHOOK", "hooks.example.com/secret", "is not a URL"),
    ("PTEROASSETS_HEARTBEAT_URL", "ping.example.com/secret", "is not a URL"),
    ("PTEROASSETS_DISCORD_API", "https://discord.example.com", "it must be https://discord.com, or a fake"),
    ("PTEROASSETS_DISCORD_WEBHOOKS", "https://discord.com/api/webhooks/1/secret", "not JSON"),
    ("PTEROASSETS_DISCORD_WEBHOOKS", '{"a": "https://discord.com/secret"}', "'a' is not a whole URL of a webhook"),
    ("PTEROASSETS_DISCORD_WEBHOOKS", '{"A b": "https://discord.com/api/webhooks/1/secret"}', "of small letters"),
    ("PTEROASSETS_CHANNELS", '{"mail": "me@example.com, secret"}', "'mail' is not a URL"),
    ("PTEROASSETS_CHANNELS", '{"alarm": "mailto://secret@example.com"}', "take another one"),
    ("PTEROASSETS_CHANNELS", '["mailto://secret@example.com"]', "one JSON object"),
    ("PTEROASSETS_ALARM_TARGETS", "discord", "is none of discord:<channel id>"),
    ("PTEROASSETS_ALARM_TARGETS", "discord:1234", "of which PTEROASSETS_DISCORD_TOKEN says nothing"),
    ("PTEROASSETS_ALARM_TARGETS", "channel:mail", "of which PTEROASSETS_CHANNELS says nothing"),
    ("PTEROASSETS_UI_URL", "dagster.example.com", "must begin with https://"),
    ("PTEROASSETS_OWNERS", "me", "neither an e-mail address nor team:NAME"),
    ("PTEROASSETS_RUN_RETENTION_DAYS", "-1", "at least 1"),
    ("PTEROASSETS_SAMPLE_RETENTION_DAYS", "0", "at least 1"),
    ("PTEROASSETS_EVENT_KEYS", "secret-secret-secret", "number 1 is not game:key"),
    ("PTEROASSETS_EVENT_KEYS", "arena:secret", "16 characters or more"),
    ("PTEROASSETS_EVENT_KEYS", "one:secret-secret-secret,two:secret-secret-secret", "one and two have the same key"),
    ("PTEROASSETS_EVENT_KEYS", ", ", "it names no key"),
    ("PTEROASSETS_EVENT_PORT", "0", "at least 1"),
    ("PTEROASSETS_EVENT_QUEUE", "0", "at least 1"),
    ("PTEROASSETS_EVENT_RATE", "0", "'0' is neither a number from 1 up nor game:number"),
    ("PTEROASSETS_EVENT_RATE", "arena:fast", "'arena:fast' is neither a number from 1 up nor game:number"),
    ("PTEROASSETS_EVENT_RATE", "5,6", "the number for all stands there twice"),
    ("PTEROASSETS_EVENT_RATE", ",", "it names no rate"),
    ("PTEROASSETS_EVENT_COMPATIBILITY_GAME", "The Arena", "is no name of a game"),
    ("PTEROASSETS_EVENT_RETENTION_DAYS", "0", "at least 1"),
    ("PTEROASSETS_EVENT_BROKERS", "kafka", "number 1 is not host:port"),
    ("PTEROASSETS_EVENT_BROKERS", " , ", "it names no broker"),
    ("PTEROASSETS_EVENT_TOPIC", "a topic", "PTEROASSETS_EVENT_TOPIC"),
    ("PTEROASSETS_EVENT_BROKER_OPTIONS", "security.protocol=SSL,secret", "number 2 is not name=value"),
    ("PTEROASSETS_EVENT_BROKER_OPTIONS", "acks=secret", "acks is set by the platform"),
    ("PTEROASSETS_LAKE", "s4://bucket", "not a kind of place"),
    ("PTEROASSETS_LAKE_SNAPSHOT_HOURS", "0", "at least 1"),
]
COMMANDS = ["check", "up", "demo", "migrate", "sql", "logs backfill", "logs reparse"]


def told(monkeypatch: pytest.MonkeyPatch, folder: Path, command: str, **variables: str) -> list[str]:
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(main, command.split(), env={"PTEROASSETS_HOME": str(folder / "home"), **variables})
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert not (folder / "home").exists()
    return result.stderr.splitlines()


@pytest.mark.parametrize(("name", "value", "words"), BAD, ids=[f"{name}={value}" for name, value, _ in BAD])
def test_a_bad_value_is_one_line_with_name_fault_and_example(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, words: str
) -> None:
    (line,) = told(monkeypatch, tmp_path, "migrate", **{name: value})
    assert line.startswith(f"pteroassets: {name}")
    assert words in line
    assert EXAMPLES[name] in line
    assert "secret" not in line


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_names_all_bad_settings_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    (tmp_path / ".env").write_text("PTEROASSETS_LOG_TIMEZONES={x\nPOSTGRES_PORT=-1\n")
    lines = told(monkeypatch, tmp_path, command, PTEROASSETS_PII="none")
    names = ["POSTGRES_PORT", "PTEROASSETS_PII", "PTEROASSETS_LOG_TIMEZONES"]
    assert [line.split()[1] for line in lines] == names


def test_a_file_of_settings_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PTEROASSETS_PII=\xff\xfe\n")
    (line,) = told(monkeypatch, tmp_path, "migrate")
    assert ".env cannot be read" in line


@pytest.mark.parametrize("name", SECRETS)
def test_each_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    has_a_form = re.search("[:=]", EXAMPLES[name.upper()])
    value = EXAMPLES[name.upper()] if has_a_form else "of a file, with a long end"
    (tmp_path / "secret").write_text(f"{value}\r\n")
    (tmp_path / ".env").write_text(f"{name.upper()}=\n{name.upper()}_FILE={tmp_path}/secret\n")
    monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    made = Settings()
    assert getattr(made, name).get_secret_value() == value
    assert value in made.secrets()
    # a process that is started with all of it takes the secret as it is, though the file is named in .env, too
    (tmp_path / "secret").unlink()
    for variable, text in made.environment().items():
        monkeypatch.setenv(variable, text)
    assert getattr(Settings(), name).get_secret_value() == value


def test_the_secrets_are_those_that_are_never_shown() -> None:
    assert {"postgres_password", "pterodactyl_app_key", "pterodactyl_cli_key", "pteroassets_pii_key"} < set(SECRETS)
    assert [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)] == [*SECRETS]
    assert list(check_variables({*SECRET_FILES, "PTEROASSETS_PII_KEY"})) == []
    assert [found.subject for found in check_variables({"PTEROASSETS_PII_FILE"})] == ["PTEROASSETS_PII_FILE"]


def test_a_secret_of_a_file_that_is_invalid_is_told_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("short-secret")
    (line,) = told(monkeypatch, tmp_path, "migrate", PTEROASSETS_PII_KEY_FILE=str(tmp_path / "key"))
    assert line.startswith("pteroassets: PTEROASSETS_PII_KEY needs at least 16 characters")
    assert "short-secret" not in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"secret-1\nsecret-2\n", "more than one line"),
        (b"\xff\xfesecret", "not a text in UTF-8"),
        (b"secret" * 20_000, "too large"),
    ],
)
def test_a_file_without_a_secret_is_one_line_that_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    (line,) = told(monkeypatch, tmp_path, "migrate", POSTGRES_PASSWORD_FILE=str(path))
    assert line.startswith(f"pteroassets: POSTGRES_PASSWORD_FILE is '{path}': ")
    assert words in line
    assert "for example POSTGRES_PASSWORD_FILE=/run/secrets/postgres_password" in line
    assert "secret-1" not in line


def test_a_file_that_may_not_be_read_is_told_with_the_account_that_wants_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (line,) = told(monkeypatch, tmp_path, "migrate", POSTGRES_PASSWORD_FILE=str(tmp_path))  # root may read any file
    assert f"it cannot be read (Is a directory): it must be a file that the account {os.geteuid()} may read" in line


def test_a_secret_that_is_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("of a file")
    both = {"POSTGRES_PASSWORD": "of the environment", "POSTGRES_PASSWORD_FILE": str(tmp_path / "file")}
    (line,) = told(monkeypatch, tmp_path, "migrate", **both)
    assert "POSTGRES_PASSWORD is set, too; keep one of the two" in line
    assert "of the environment" not in line
    (line,) = told(monkeypatch, tmp_path, "migrate", PTERODACTYL_CLI_KEY_FILE="keys/client")
    assert "the whole path of a file" in line


def test_an_address_with_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (line,) = told(monkeypatch, tmp_path, "migrate", PTEROASSETS_LOG_STORE="s4://me:secret@bucket")
    assert "secret" not in line


def test_a_variable_that_is_no_setting_is_told_with_the_one_that_was_meant() -> None:
    (finding,) = check_variables({"PTEROASSETS_PIII", "PTEROASSETS_PII", "PATH", "PTEROASSETS_FIXED_TIME"})
    assert (finding.subject, finding.status, finding.remedy) == ("PTEROASSETS_PIII", "warning", "write PTEROASSETS_PII")


def test_every_variable_of_ours_is_a_setting_or_known_to_be_none() -> None:
    files = [CHECKOUT / "dagster.yaml", CHECKOUT / ".env.example", *(CHECKOUT / "pteroassets").rglob("*.py")]
    named = {name for path in files for name in re.findall(r"\bPTEROASSETS_[A-Z_]*[A-Z]\b", path.read_text())}
    known = {name.upper() for name in Settings.model_fields}
    assert named - known - set(NOT_SETTINGS) == set()


def test_the_code_location_names_a_bad_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PTEROASSETS_LOG_PATHS", "{x")
    with pytest.raises(SettingsFault, match=r"^PTEROASSETS_LOG_PATHS is '\{x': it is not JSON") as fault:
        defs()
    assert fault.value.__cause__ is None
    assert fault.value.__suppress_context__


def test_a_pass_without_a_budget_of_its_own_has_that_of_the_settings() -> None:
    limits = [Settings.model_fields[f"pteroassets_log_{name}_per_pass"].default for name in ("requests", "bytes")]
    assert [LogBudget().requests, LogBudget().bytes] == limits


def test_a_rate_of_a_game_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = "arena:secret-secret-secret"
    made = settings(monkeypatch, PTEROASSETS_EVENT_KEYS=keys, PTEROASSETS_EVENT_RATE="500, arena:2000")
    assert made.event_rates() == (500, {"arena": 2000})
    with pytest.raises(ValidationError, match="no key is set for arean") as refusal:
        settings(monkeypatch, PTEROASSETS_EVENT_KEYS=keys, PTEROASSETS_EVENT_RATE="arean:5")
    assert "secret" not in str(refusal.value)
