"""Everything an operator may set, read from the environment and from a ``.env`` file.

Only entry points (the CLI and the Dagster code location) read the environment; what they find is
passed on as values. The panel's and Postgres' settings have the names that users of STIV know. Each
secret may stand in a file instead, which ``<NAME>_FILE`` names.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from pteroassets.privacy import PiiMode
from pteroassets.settings.events import EventSettings
from pteroassets.settings.faults import NOT_SETTINGS, lines_of, unknown_names
from pteroassets.settings.files import FILE_FAULT, SECRET_FILE, FileFault, IniFile, SecretFiles, read_secret
from pteroassets.settings.games import GameSettings
from pteroassets.settings.messages import DISCORD, URL, MessageSettings, parts
from pteroassets.settings.stream import StreamSettings

__all__ = [
    "CHECKOUT",
    "DISCORD",
    "EXAMPLES",
    "NOT_SETTINGS",
    "SECRETS",
    "SECRET_FILES",
    "PresetName",
    "Settings",
    "SettingsFault",
    "names_set",
    "read_secret",
    "read_settings",
    "unknown_names",
]

PresetName = Literal["fresh", "stiv"]

_OWNER = re.compile(r"team:\S+|[^@\s,]+@[^@\s,]+\.[^@\s,]+")
_LARGEST_PORT = 65_535
CHECKOUT = Path(__file__).resolve().parent.parent.parent


class SettingsFault(Exception):  # noqa: N818 - operators see only its message
    """Settings have invalid values; the message has one line for each, with its name and an example."""


class Settings(MessageSettings, GameSettings, EventSettings, StreamSettings):
    """The settings, each under the name of its environment variable in lower case."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)
    pterodactyl_url: str | None = Field(
        None, description="Address of the panel, with its scheme.", examples=["https://panel.example.com"]
    )
    pterodactyl_app_key: SecretStr | None = Field(
        None,
        description="Application key (ptla_…, of Pelican papp_…) that may read servers, nodes, allocations, users, "
        "locations, nests, eggs and server databases; a root admin's client key works as well.",
        examples=["ptla_…"],
    )
    pterodactyl_cli_key: SecretStr | None = Field(
        None, description="Client key (ptlc_…, of Pelican pacc_…) of a root admin.", examples=["ptlc_…"]
    )
    postgres_host: str | None = Field(
        None, description="Unset: the embedded Postgres is started and used.", examples=["127.0.0.1"]
    )
    postgres_port: int = Field(5432, ge=1, le=_LARGEST_PORT)
    postgres_database: str = Field("pteroassets", description="Database of the warehouse; created when absent.")
    postgres_username: str = Field("postgres")
    postgres_password: SecretStr = Field(SecretStr(""), examples=["…"])
    pteroassets_dagster_database: str = Field("dagster", description="Dagster's own database on the same Postgres.")
    pteroassets_pii: PiiMode = Field(
        "hash", description="How player IP addresses and users' e-mail addresses are stored."
    )
    pteroassets_pii_key: SecretStr | None = Field(
        None,
        description="Key of the hashes, at least 16 characters; needed when PTEROASSETS_PII is hash.",
        examples=["openssl rand -hex 32"],
    )
    pteroassets_land_text: bool = Field(
        default=False, description="Store the text of chat lines and commands, not only that they happened."
    )
    pteroassets_log_timezone: str | None = Field(
        None, description="IANA zone of the servers' logs; UTC when unset.", examples=["Europe/Berlin"]
    )
    pteroassets_log_timezones: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="Zones of single servers, or of all servers of an egg or a node, as JSON: "
        '{"<server uuid, egg or node>": "Europe/Berlin"}; the uuid goes before the egg, the egg before the node.',
        examples=['{"7d0c7a0e-53a5-4c8f-8f3f-0d4f2c5a9e01": "America/New_York"}'],
    )
    pteroassets_log_paths: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="Where single servers, or all of an egg, keep their logs, as JSON: "
        '{"<server uuid or egg>": "/path/of/folder"}; a path that ends in .log or .txt is one growing file.',
        examples=['{"My Old Modpack": "/data/logs"}'],
    )
    pteroassets_log_requests_per_pass: int = Field(
        5_000, ge=2, description="Requests that one pass over the logs may send; at most half of them are lists."
    )
    pteroassets_log_bytes_per_pass: int = Field(
        2 * 1024**3, ge=1, description="Bytes of log files after which one pass stops fetching."
    )
    pteroassets_schedules: PresetName = Field(
        "fresh",
        description="fresh: entities hourly, logs every 15 minutes, consumption every 5 minutes; "
        "stiv: entities 06:00, 12:00, 18:00, logs 07:00, consumption every 30 minutes, in the zone TZ.",
    )
    pteroassets_sample_interval: int | None = Field(
        None,
        ge=20,
        le=86_400,
        description="Seconds between two samples of a server, from 20 up; the schedule's when unset. Where the panel's "
        "limits forbid it the least possible is kept: see pteroassets plan.",
        examples=["60"],
    )
    tz: str = Field("UTC", description="IANA zone in which the stiv schedules run.", examples=["Europe/Berlin"])
    pteroassets_request_share: float = Field(
        0.8, gt=0, le=1, description="Share of the panel's announced rate limit that may be used."
    )
    pteroassets_allow_shrink: bool = Field(
        default=False, description="Accept a reading that lacks more than half of what was there before."
    )
    pteroassets_home: Path | None = Field(
        None, description="Data folder: embedded Postgres, log store, service logs.", examples=["/srv/pteroassets"]
    )
    pteroassets_node_access: bool = Field(
        default=False,
        description="Read consumption and log files at the nodes themselves, with the tokens that the application key "
        "can read; otherwise through the client API.",
    )
    pteroassets_node_ca: Path | None = Field(
        None,
        description="PEM bundle of the CAs that the nodes' certificates are checked with, in place of the usual ones.",
        examples=["/etc/ssl/nodes-ca.pem"],
    )
    pteroassets_log_store: str | None = Field(
        None,
        description="Folder of fetched log files, or a URL such as s3://bucket/prefix; default below the data folder.",
        examples=["/srv/pteroassets/log_store"],
    )
    pteroassets_pages: str | None = Field(
        None,
        description="Folder in which the pages are published, or a URL such as s3://bucket/prefix; default below the "
        "data folder.",
        examples=["/srv/pteroassets/pages"],
    )
    pteroassets_docs: Path | None = Field(
        None,
        description="Folder in which the dbt docs and the entity diagram are published; default below the data folder.",
        examples=["/srv/pteroassets/docs"],
    )
    pteroassets_page_edition_days: int = Field(
        30, ge=1, description="Days of which an edition of each page is kept; some pages keep fewer."
    )
    pteroassets_postgres_bindir: Path | None = Field(
        None, description="Folder with initdb and pg_ctl to use instead.", examples=["/usr/lib/postgresql/17/bin"]
    )
    pteroassets_dagster_port: int | None = Field(
        None, ge=1, le=_LARGEST_PORT, description="Port of the Dagster UI; a free one when unset.", examples=["3000"]
    )
    pteroassets_docs_port: int | None = Field(
        None, ge=1, le=_LARGEST_PORT, description="Port of the dbt docs site; a free one when unset.", examples=["8080"]
    )
    pteroassets_ui_url: str | None = Field(
        None,
        description="Address at which people open the Dagster UI; this machine's when unset.",
        examples=["https://dagster.example.com"],
    )
    pteroassets_owners: str = Field(
        "team:platform",
        description="Owners of the tables that the UI shows: e-mail addresses and team:NAME, separated by commas.",
        examples=["team:platform,someone@example.com"],
    )
    pteroassets_celery_broker: SecretStr | None = Field(
        None,
        description="URL of the broker through which Celery's workers on several machines share back-fills; a secret.",
        examples=["redis://:password@10.0.0.5:6379/0"],
    )
    pteroassets_celery_redelivery_seconds: int = Field(
        600, ge=5, description="What a worker held that vanished is given to another one after this time."
    )
    pteroassets_run_retention_days: int = Field(30, ge=1, description="Dagster runs older than this are deleted.")
    pteroassets_sample_retention_days: int | None = Field(
        None,
        ge=1,
        description="Months of samples that ended this many days ago are dropped; hours and days made of them stay.",
        examples=["400"],
    )
    pteroassets_sample_archive: str | None = Field(
        None,
        description="Folder, or a URL such as s3://bucket/prefix, into which samples are written as Parquet, a file a "
        "month, before they are dropped; they are only dropped when unset.",
        examples=["/srv/pteroassets/archive"],
    )
    pteroassets_config: Path | None = Field(
        None,
        description="File of settings in the form of config.ini, for what neither the environment nor .env says.",
        examples=["/etc/pteroassets/config.ini"],
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's own names files by itself
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where settings come from, in order of precedence."""
        files = SecretFiles(settings_cls, env_settings, dotenv_settings)
        ini = IniFile(settings_cls, env_settings, dotenv_settings)
        # a fault takes the place of the file's name, which the environment gives
        faults = IniFile(settings_cls, env_settings, dotenv_settings, only_faults=True)
        return init_settings, files, faults, env_settings, dotenv_settings, ini

    @field_validator("*", mode="before")
    @classmethod
    def _from_a_file(cls, value: Any) -> Any:
        if isinstance(value, FileFault):
            raise PydanticCustomError(FILE_FAULT, "{line}", {"line": value.line})
        return value

    @field_validator("pterodactyl_url")
    @classmethod
    def _a_panel(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("it must begin with https:// or http:// and name a host")
            if parts.port == 0 or parts.query or parts.fragment:  # reading the port raises on an invalid one
                raise ValueError("it must be only the panel's address, without what follows a ? or #")
        return value

    @field_validator("postgres_host")
    @classmethod
    def _a_host(cls, value: str | None) -> str | None:
        if value is not None and ("://" in value or value.count(":") == 1 or any(map(str.isspace, value))):
            raise ValueError("it must be only a host's name or address; the port goes into POSTGRES_PORT")
        return value

    @field_validator("pteroassets_log_store", "pteroassets_pages", "pteroassets_sample_archive")
    @classmethod
    def _a_store(cls, value: str | None) -> str | None:
        protocol, is_url, _ = (value or "").partition("://")
        if is_url:
            from fsspec.registry import (  # type: ignore[import-untyped] # noqa: PLC0415 - ships no types; a folder does without
                known_implementations,
            )

            if protocol not in known_implementations:
                raise ValueError(f"{protocol}:// is not a kind of store that fsspec knows, such as s3:// or gs://")
        return value

    @field_validator(
        "pteroassets_log_timezones", "pteroassets_log_paths", "pteroassets_discord_roles_of", mode="before"
    )
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            found = json.loads(value)
        except ValueError as error:
            raise ValueError(f"it is not JSON ({error}); names and values must be in double quotes") from None
        if not isinstance(found, dict) or not all(name.strip() for name in found):
            raise ValueError("it must be one JSON object in { } whose names are those of servers, eggs or nodes")
        return found

    @field_validator("pteroassets_pii_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 16:  # noqa: PLR2004 - as the description says
            raise ValueError("PTEROASSETS_PII_KEY needs at least 16 characters; make one with: openssl rand -hex 32")
        return value

    @field_validator("pteroassets_log_timezone", "tz", "pteroassets_replay_timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            _zone(value)
        return value

    @field_validator("pteroassets_log_timezones")
    @classmethod
    def _known_zones(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value.values():
            _zone(name)
        return value

    @field_validator("pteroassets_log_paths")
    @classmethod
    def _absolute_paths(cls, value: dict[str, str]) -> dict[str, str]:
        for name, path in value.items():
            if not path.startswith("/") or ".." in path.split("/"):
                raise ValueError(f"the path of {name!r} is {path!r}, but it must begin with / and contain no ..")
        return value

    @field_validator("pteroassets_node_ca", "pteroassets_incident_rules")
    @classmethod
    def _an_absolute_path(cls, value: Path | None) -> Path | None:
        # processes of the platform run in other folders than the one it was started from
        if value is not None and not value.is_absolute():
            raise ValueError("it must be the whole path of a file, which begins with /")
        return value

    @field_validator("pteroassets_ui_url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is not None and not URL.fullmatch(value):
            raise ValueError("it must begin with https:// or http:// and name a host")
        return value

    @field_validator("pteroassets_owners")
    @classmethod
    def _known_kinds_of_owners(cls, value: str) -> str:
        for owner in parts(value):
            if not _OWNER.fullmatch(owner):
                raise ValueError(
                    f"PTEROASSETS_OWNERS names {owner!r}, which is neither an e-mail address nor team:NAME; write for "
                    "example: team:platform,someone@example.com"
                )
        return value

    def owners(self) -> list[str]:
        """Return the owners that the UI shows for what names none itself."""
        return parts(self.pteroassets_owners)

    def secrets(self) -> list[str]:
        """Return the values of all secret settings, to keep them out of messages."""
        found = (getattr(self, name) for name in type(self).model_fields)
        own = [value.get_secret_value() for value in found if isinstance(value, SecretStr) and value]
        return [*own, *self.discord_webhooks().values(), *self.channels().values(), *self.event_keys()]

    def environment(self) -> dict[str, str]:
        """Return the variables that give another process these settings; those not set are left out.

        Secrets are in them as such, so the names of their files are emptied.
        """
        found = {name.upper(): getattr(self, name) for name in type(self).model_fields}
        given = {name: _as_text(value) for name, value in found.items() if value is not None}
        return {**given, **dict.fromkeys(SECRET_FILES, "")}


def _as_text(value: Any) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case bool() | dict():
            return json.dumps(value)
        case _:
            return str(value)


SECRETS: Final = tuple(name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation))
#: The variables that name files of secrets.
SECRET_FILES: Final = tuple(f"{name.upper()}{SECRET_FILE}" for name in SECRETS)
#: For each setting a value as an operator would write it.
EXAMPLES: Final = {
    name.upper(): str((field.examples or [str(field.default).lower()])[0])
    for name, field in Settings.model_fields.items()
}


def read_settings() -> Settings:
    """Return the settings of the environment and of ``.env``.

    Raises:
        SettingsFault: Some are invalid.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsFault("\n".join(lines_of(error, examples=EXAMPLES, secrets=SECRETS))) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsFault(
            f".env cannot be read ({error}): make it a text file in UTF-8 that this account may read"
        ) from None


def names_set() -> set[str]:
    """Return the names of all variables set in the environment or in ``.env``."""
    return {*os.environ, *(name.upper() for name in dotenv_values(".env"))}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin") from error
