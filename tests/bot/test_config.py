"""What the bot demands of its settings before it starts, and how it shows that it lives."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from pteroassets.bot.config import configured, is_wanted
from pteroassets.bot.permissions import Member, Roles
from pteroassets.platform.check import check_settings
from pteroassets.platform.health import BOT_SIGN, silent_bot
from pteroassets.settings import Settings, SettingsFault, read_settings

SERVER = UUID("aaaaaaaa-0000-4000-8000-000000000001")


def settings(**changes: object) -> Settings:
    given: dict[str, object] = {
        "pterodactyl_url": "https://panel.test",
        "pterodactyl_app_key": SecretStr("ptla_one"),
        "pterodactyl_cli_key": SecretStr("ptlc_one"),
        "pteroassets_discord_token": SecretStr("token"),
        "pteroassets_discord_guild": 7,
        "pteroassets_discord_power_key": SecretStr("ptlc_two"),
        "pteroassets_discord_power_roles": "1, 2",
    }
    return Settings(_env_file=None).model_copy(update=given | changes)  # type: ignore[call-arg]


def test_settings_that_are_right_make_a_bot() -> None:
    config = configured(settings(pteroassets_discord_roles_of={"Paper": "3"}))

    assert (config.guild_id, config.cool_down, config.rules.every) == (7, timedelta(seconds=30), timedelta(minutes=10))
    assert config.roles.all() == {1, 2, 3}
    assert "SecretStr('**********')" in repr(config)
    assert "ptlc_two" not in repr(config)


def test_all_faults_are_named_at_once_with_what_to_do_and_without_secrets() -> None:
    wrong = settings(
        pterodactyl_url=None,
        pterodactyl_app_key=SecretStr("secret-one"),
        pterodactyl_cli_key=SecretStr("ptla_secret-two"),
        pteroassets_discord_token=None,
        pteroassets_discord_guild=None,
        pteroassets_discord_power_key=SecretStr("secret-three"),
        pteroassets_discord_power_roles="",
    )
    with pytest.raises(SettingsFault) as told:
        configured(wrong)
    lines = str(told.value).splitlines()
    assert [line.partition(" ")[0] for line in lines] == [
        "PTEROASSETS_DISCORD_TOKEN",
        "PTEROASSETS_DISCORD_GUILD",
        "PTERODACTYL_URL",
        "PTERODACTYL_APP_KEY",
        "PTERODACTYL_CLI_KEY",
        "PTEROASSETS_DISCORD_POWER_KEY",
        "PTEROASSETS_DISCORD_POWER_KEY",
    ]
    assert all(": " in line for line in lines)
    assert "secret" not in str(told.value)


def test_check_names_the_same_where_a_bot_is_wanted_and_nothing_where_none_is() -> None:
    wrong = settings(pteroassets_discord_power_roles="")
    subjects = {finding.subject for finding in check_settings(wrong)}
    assert "PTEROASSETS_DISCORD_POWER_KEY" in subjects
    without = wrong.model_copy(update={"pteroassets_discord_guild": None})
    assert not is_wanted(without), "a token alone may be there for messages"
    assert "PTEROASSETS_DISCORD_POWER_KEY" not in {finding.subject for finding in check_settings(without)}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[discord]\nguilt = 7\n", "'guilt' in [discord] is no setting"),
        ("guild = 7\n", "it is not in the form of config.ini"),
        (None, "No such file or directory"),
    ],
)
def test_a_file_of_settings_that_is_wrong_is_one_line_that_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, fault: str
) -> None:
    path = tmp_path / "config.ini"
    if text is not None:
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PTEROASSETS_CONFIG", str(path))
    with pytest.raises(SettingsFault) as told:
        read_settings()
    (line,) = [line for line in str(told.value).splitlines() if line.startswith("PTEROASSETS_CONFIG")]
    assert fault in line


def test_a_guild_and_roles_that_are_no_numbers_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PTEROASSETS_DISCORD_GUILD", "my guild")
    monkeypatch.setenv("PTEROASSETS_DISCORD_POWER_ROLES", "admins")
    monkeypatch.setenv("PTEROASSETS_DISCORD_API", "https://elsewhere.test")
    with pytest.raises(SettingsFault) as told:
        read_settings()
    for name in ("GUILD", "POWER_ROLES", "API"):
        assert f"PTEROASSETS_DISCORD_{name}" in str(told.value)


def test_what_is_said_of_a_server_goes_before_its_egg_and_that_before_all() -> None:
    roles = Roles({None: [1], "Paper": [2], str(SERVER): [3]})

    assert roles.of(SERVER, "Paper") == {3}
    assert roles.of(UUID(int=0), "Paper") == {2}
    assert roles.of(UUID(int=0), "Forge") == {1}
    member = Member(guild_id=7, user_id=1, name="one", role_ids=frozenset({1, 2}))
    assert roles.allowing(member, SERVER, "Paper") is None
    assert roles.allowing(member, UUID(int=0), "Paper") == 2
    assert Roles({None: []}).allowing(member, SERVER, None) is None, "nobody, where no role is named"


@pytest.mark.parametrize("name", [str(SERVER).upper(), f" {SERVER} ", SERVER.hex])
def test_a_server_is_known_by_its_uuid_however_it_is_written(name: str) -> None:
    roles = configured(settings(pteroassets_discord_roles_of={name: "3", "Paper ": "4"})).roles

    assert roles.of(SERVER, "Paper") == {3}
    assert roles.of(UUID(int=0), "Paper") == {4}


def test_a_bot_without_a_sign_of_life_is_ill(tmp_path: Path) -> None:
    assert "gave no sign" in str(silent_bot(tmp_path))
    sign = tmp_path / BOT_SIGN
    sign.touch()
    assert silent_bot(tmp_path) is None
    old = time.time() - 600
    os.utime(sign, (old, old))
    assert "gave no sign" in str(silent_bot(tmp_path))
