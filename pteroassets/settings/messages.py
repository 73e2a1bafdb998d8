"""Settings of messages to people: ways out, the bot of Discord, incidents and streams."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode

DISCORD: Final = "https://discord.com"
_TARGET = re.compile(r"discord:[1-9]\d{0,19}|(webhook|channel):[a-z0-9][a-z0-9_-]{0,39}")
_WAY_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_WEBHOOK_OF_DISCORD = re.compile(r"(https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/])\S*/webhooks/\d+/[\w-]+")
URL = re.compile(r"https?://[^\s/]+(/\S*)?")


class MessageSettings(BaseSettings):
    """The settings of messages, as a part of all settings."""

    pteroassets_alarm_webhook: SecretStr | None = Field(
        None,
        description="URL to which each failed run and check is sent as one JSON message; a secret.",
        examples=["https://hooks.example.com/services/T0"],
    )
    pteroassets_discord_token: SecretStr | None = Field(
        None, description="Token of the bot in Discord; a secret. Without it there is no bot.", examples=["…"]
    )
    pteroassets_discord_api: str = Field(
        DISCORD, description="Address of Discord; another one only on this machine, for tests and the demo."
    )
    pteroassets_discord_webhooks: SecretStr | None = Field(
        None,
        description="Webhooks of Discord's by names of yours, as JSON; each is a target webhook:<name> of messages. A "
        "secret.",
        examples=['{"alarms": "https://discord.com/api/webhooks/1234/XXXX"}'],
    )
    pteroassets_channels: SecretStr | None = Field(
        None,
        description="Other ways for messages by names of yours, as JSON: a URL of apprise's (mailto://, ntfy://, "
        "slack:// …), or one with https:// that takes JSON. Each is a target channel:<name>. A secret.",
        examples=['{"mail": "mailto://user:password@mail.example.com?to=me@example.com"}'],
    )
    pteroassets_alarm_targets: str = Field(
        "",
        description="Where failures are told, separated by commas: discord:<channel id>, webhook:<name> or "
        "channel:<name>. Unset: channel:alarm, the URL of PTEROASSETS_ALARM_WEBHOOK, if that is set.",
        examples=["discord:123456789012345678"],
    )
    pteroassets_heartbeat_url: SecretStr | None = Field(
        None,
        description="URL that is asked for each minute while messages are delivered; who watches it hears when they "
        "are not. A secret.",
        examples=["https://ping.example.com/XXXX"],
    )
    pteroassets_incident_rules: Path | None = Field(
        None,
        description="File of your own rules of incidents in TOML; it says only what differs from the shipped ones.",
        examples=["/srv/pteroassets/incidents.toml"],
    )
    pteroassets_twitch_client_id: str | None = Field(
        None,
        description="Client id of your application at Twitch; without it no streamer is followed.",
        examples=["a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5"],
    )
    pteroassets_twitch_client_secret: SecretStr | None = Field(
        None, description="Secret of that application.", examples=["…"]
    )
    pteroassets_twitch_streamers: str | None = Field(
        None,
        description="Streamers that are followed, by the names in their channels' addresses, separated by commas.",
        examples=["someone,someone_else"],
    )
    pteroassets_twitch_targets: str = Field(
        "",
        description="Where streams and clips are told, separated by commas, as in PTEROASSETS_ALARM_TARGETS.",
        examples=["discord:123456789012345678"],
    )
    pteroassets_twitch_mention: str = Field(
        "", description="Who is called when somebody goes live: here, role:<id> or user:<id>.", examples=["here"]
    )
    pteroassets_twitch_api: str | None = Field(
        None,
        description="Address of a stub of Twitch on this machine, for tests.",
        examples=["http://127.0.0.1:9001"],
    )
    pteroassets_replay_targets: str = Field(
        "",
        description="Where digests of replays of Arma 3 are told, separated by commas, as in "
        "PTEROASSETS_ALARM_TARGETS.",
        examples=["discord:123456789012345678"],
    )
    pteroassets_discord_guild: int | None = Field(
        None,
        ge=1,
        description="Id of the guild whose members the bot serves; all others are refused.",
        examples=["8" * 18],
    )
    pteroassets_discord_power_key: SecretStr | None = Field(
        None,
        description="Client key (ptlc_…, of Pelican pacc_…) that sends power signals; unset, the bot only reads.",
        examples=["ptlc_…"],
    )
    pteroassets_discord_power_roles: str = Field(
        "",
        description="Ids of the roles that may press the buttons of every server's card, separated by commas.",
        examples=["1" * 18],
    )
    pteroassets_discord_roles_of: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="Ids of the roles for single servers, or for all servers of an egg, in place of those, as JSON: "
        '{"<server uuid or egg>": "<role id>,<role id>"}; the uuid goes before the egg.',
        examples=['{"Paper": "222222222222222222"}'],
    )
    pteroassets_discord_power_seconds: int = Field(
        20, ge=1, le=600, description="Longest wait for the panel's answer to a power signal."
    )
    pteroassets_discord_cool_down: int = Field(
        30, ge=0, le=3600, description="Seconds after a power signal in which the server takes no other from a card."
    )
    pteroassets_discord_card_cpu_points: int = Field(
        50, ge=1, description="Percentage points of processor use by which a card may be wrong before it is updated."
    )
    pteroassets_discord_card_minutes: float = Field(
        10, gt=0, description="Minutes after which a card is updated anyway."
    )
    pteroassets_discord_card_memory_percent: int = Field(
        5, ge=0, le=100, description="A card is updated when memory comes as near as this to its limit."
    )

    @field_validator("pteroassets_discord_webhooks")
    @classmethod
    def _webhooks(cls, value: SecretStr | None) -> SecretStr | None:
        for name, url in _addresses(value).items():
            if not _WEBHOOK_OF_DISCORD.fullmatch(url):
                raise ValueError(f"the address of {name!r} is not a whole URL of a webhook of Discord's")
        return value

    @field_validator("pteroassets_discord_api")
    @classmethod
    def _discord_or_this_machine(cls, value: str) -> str:
        # the token goes there
        if value != DISCORD and not re.fullmatch(r"http://(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}", value):
            raise ValueError(f"it must be {DISCORD}, or a fake of it on this machine such as http://127.0.0.1:9000")
        return value

    @field_validator("pteroassets_channels")
    @classmethod
    def _ways(cls, value: SecretStr | None) -> SecretStr | None:
        for name, url in _addresses(value).items():
            if not re.fullmatch(r"[a-z][a-z0-9+]*://\S+", url):
                raise ValueError(f"the address of {name!r} is not a URL")
            if name == "alarm":
                raise ValueError("the name 'alarm' is that of PTEROASSETS_ALARM_WEBHOOK: take another one")
        return value

    @field_validator("pteroassets_alarm_targets", "pteroassets_twitch_targets", "pteroassets_replay_targets")
    @classmethod
    def _known_targets(cls, value: str, info: ValidationInfo) -> str:
        names = {
            "discord": "PTEROASSETS_DISCORD_TOKEN",
            "webhook": "PTEROASSETS_DISCORD_WEBHOOKS",
            "channel": "PTEROASSETS_CHANNELS",
        }
        for target in parts(value):
            if not _TARGET.fullmatch(target):
                raise ValueError(
                    f"{target!r} is none of discord:<channel id>, webhook:<name> and channel:<name>; put commas "
                    "between several"
                )
            kind, _, name = target.partition(":")
            field = info.data.get(names[kind].lower())
            is_there = (
                info.data.get("pteroassets_alarm_webhook") is not None
                if target == "channel:alarm"
                else field is not None and (kind == "discord" or name in _addresses(field))
            )
            if not is_there:
                raise ValueError(f"it names {target!r}, of which {names[kind]} says nothing")
        return value

    @field_validator("pteroassets_discord_power_roles")
    @classmethod
    def _ids(cls, value: str) -> str:
        _role_ids(value)
        return value

    @field_validator("pteroassets_discord_roles_of")
    @classmethod
    def _ids_of_each(cls, value: dict[str, str]) -> dict[str, str]:
        for ids in value.values():
            _role_ids(ids)
        return value

    def power_roles(self) -> dict[str | None, list[int]]:
        """Return the ids of roles that may press buttons: of all servers under None, else by server's UUID or egg."""
        found: dict[str | None, list[int]] = {None: _role_ids(self.pteroassets_discord_power_roles)}
        found.update((_server_or_egg(name), _role_ids(ids)) for name, ids in self.pteroassets_discord_roles_of.items())
        return found

    @field_validator("pteroassets_twitch_streamers")
    @classmethod
    def _logins(cls, value: str | None) -> str | None:
        for login in parts(value or ""):
            if not re.fullmatch(r"\w{1,25}", login, re.ASCII):
                raise ValueError(f"{login!r} is no name of a channel: write what follows twitch.tv/ in its address")
        return value

    @field_validator("pteroassets_twitch_mention")
    @classmethod
    def _mention(cls, value: str) -> str:
        if value and not re.fullmatch(r"(role|user):\d{1,20}|here", value):
            raise ValueError(f"{value!r} is none of here, role:<id> and user:<id>")
        return value

    @field_validator("pteroassets_twitch_api")
    @classmethod
    def _a_stub(cls, value: str | None) -> str | None:
        # the secret goes there
        if value is not None and not re.fullmatch(r"http://(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}", value):
            raise ValueError("it must be on this machine, such as http://127.0.0.1:9001")
        return value

    def twitch_streamers(self) -> list[str]:
        """Return the streamers that are followed, in small letters, each once."""
        return list(dict.fromkeys(login.lower() for login in parts(self.pteroassets_twitch_streamers or "")))

    def twitch_targets(self) -> list[str]:
        """Return where streams and clips are told; none: they are only landed."""
        return parts(self.pteroassets_twitch_targets)

    def twitch_mentions(self) -> tuple[str, ...]:
        """Return who is called when somebody goes live."""
        return (self.pteroassets_twitch_mention,) if self.pteroassets_twitch_mention else ()

    def replay_targets(self) -> list[str]:
        """Return where digests of replays are told; none: they are only landed."""
        return parts(self.pteroassets_replay_targets)

    def discord_webhooks(self) -> dict[str, str]:
        """Return the URLs of Discord's webhooks by name."""
        return _addresses(self.pteroassets_discord_webhooks)

    def channels(self) -> dict[str, str]:
        """Return the URLs of the ways that are no Discord by name; ``alarm`` is that of PTEROASSETS_ALARM_WEBHOOK."""
        webhook = self.pteroassets_alarm_webhook
        own = {} if webhook is None else {"alarm": webhook.get_secret_value()}
        return {**own, **_addresses(self.pteroassets_channels)}

    def ways(self) -> list[str]:
        """Return the ways out for messages that are set: ``discord``, ``webhook:<name>``, ``channel:<name>``."""
        return [
            *(["discord"] if self.pteroassets_discord_token is not None else []),
            *(f"webhook:{name}" for name in self.discord_webhooks()),
            *(f"channel:{name}" for name in self.channels()),
        ]

    def alarm_targets(self) -> tuple[str, ...]:
        """Return where failures are told; none: they are only logged."""
        default = ("channel:alarm",) if self.pteroassets_alarm_webhook is not None else ()
        return tuple(parts(self.pteroassets_alarm_targets)) or default

    @field_validator("pteroassets_alarm_webhook", "pteroassets_heartbeat_url")
    @classmethod
    def _a_url(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and not URL.fullmatch(value.get_secret_value()):
            name = str(info.field_name)
            example = (cls.model_fields[name].examples or [""])[0]
            raise ValueError(f"{name.upper()} is not a URL; give all of it, such as {example}")
        return value


def _server_or_egg(name: str) -> str:
    """Return a UUID as Postgres writes it, since the roles of one that is written otherwise would be those of all."""
    try:
        return str(UUID(name.strip()))
    except ValueError:
        return name.strip()


def _role_ids(text: str) -> list[int]:
    ids = [one.strip() for one in text.split(",") if one.strip()]
    if wrong := [one for one in ids if not re.fullmatch(r"[1-9]\d{0,19}", one)]:
        raise ValueError(
            f"{wrong[0]!r} is no id of a role, which is a number: copy it in Discord with developer mode on"
        )
    return [int(one) for one in ids]


def _addresses(given: SecretStr | None) -> dict[str, str]:
    """Return the addresses by name that a secret holds as JSON.

    Raises:
        ValueError: It holds something else. The text shows no part of it.
    """
    if given is None:
        return {}
    try:
        found = json.loads(given.get_secret_value())
    except ValueError:
        raise ValueError("it is not JSON; names and addresses must be in double quotes") from None
    if not isinstance(found, dict) or not all(isinstance(url, str) for url in found.values()):
        raise ValueError("it must be one JSON object in { } of names and addresses")
    for name in found:
        if not _WAY_NAME.fullmatch(name):
            raise ValueError(f"the name {name!r} must be of small letters, digits, - and _")
    return found


def parts(text: str) -> list[str]:
    """Return what stands between the commas of *text*, without what is empty."""
    return [part.strip() for part in text.split(",") if part.strip()]
