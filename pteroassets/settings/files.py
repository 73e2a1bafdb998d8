"""Settings that stand in files: each secret in one of its own, or several in the form of ``config.ini``."""

from __future__ import annotations

import configparser
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

_LARGEST_SECRET = 64 * 1024  # bytes; a larger file is another one than was meant
FILE_FAULT: Final = "secret_file"
#: What the name of a secret's variable ends in when it names a file.
SECRET_FILE: Final = "_FILE"  # noqa: S105 - a part of a name


@dataclass(frozen=True, slots=True)
class FileFault:
    """Takes the place of a secret whose file gave none; *line* says why."""

    line: str


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the secrets that stand in files, each named by the variable of the secret and ``_FILE``.

    It goes before the environment, so that a secret that is given twice is a fault and not one of the two.
    """

    def __init__(self, settings_cls: type[BaseSettings], *others: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._given: dict[str, str | None] = {}
        for source in reversed(others):  # the environment goes before .env
            if isinstance(source, EnvSettingsSource):
                self._given.update(source.env_vars)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the secret in the file of *field_name*, or why there is none; None without a file."""
        name = f"{field_name}{SECRET_FILE.lower()}"
        # empty in the environment: who started us read the file, whatever .env says
        path = None if os.environ.get(name.upper()) == "" else self._given.get(name)
        if not path or "SecretStr" not in str(field.annotation):
            return None, field_name, False
        try:
            if self._given.get(field_name):
                other = field_name.upper()
                raise ValueError(f"{other} is set, too; keep one of the two")  # noqa: TRY301 - one place for the line
            return read_secret(Path(path)), field_name, False
        except ValueError as error:
            return FileFault(f"{name.upper()} is {path!r}: {error}"), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return what all such files say."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class IniFile(PydanticBaseSettingsSource):
    """Reads the file that PTEROASSETS_CONFIG names: a section and a key in it are the parts of a setting's name.

    ``url`` in ``[pterodactyl]`` is PTERODACTYL_URL, ``guild`` in ``[discord]`` PTEROASSETS_DISCORD_GUILD. Whatever the
    environment or .env says goes before it.
    """

    def __init__(
        self, settings_cls: type[BaseSettings], *others: PydanticBaseSettingsSource, only_faults: bool = False
    ) -> None:
        super().__init__(settings_cls)
        self._only_faults = only_faults
        given: dict[str, str | None] = {}
        for source in reversed(others):
            if isinstance(source, EnvSettingsSource):
                given.update(source.env_vars)
        self._path = given.get("pteroassets_config")

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the library's signature
        """Return what the file says of one setting."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return what the file says; one that cannot be read, or names what is no setting, is a fault."""
        if not self._path:
            return {}
        parser = configparser.ConfigParser(interpolation=None)
        try:
            with Path(self._path).open(encoding="utf-8") as file:
                parser.read_file(file)
            found = dict(_from_ini(parser, self.settings_cls.model_fields))
        except (OSError, UnicodeDecodeError, configparser.Error, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error).splitlines()[0]
            # configparser quotes the line that it cannot read, which may hold a secret
            said = "it is not in the form of config.ini" if isinstance(error, configparser.Error) else said
            return {"pteroassets_config": FileFault(f"PTEROASSETS_CONFIG is {self._path!r}: {said}")}
        return {} if self._only_faults else found


def _from_ini(parser: configparser.ConfigParser, fields: Collection[str]) -> Iterator[tuple[str, str]]:
    for section in parser.sections():
        for key, value in parser.items(section):
            names = [f"{section}_{key}".lower(), f"pteroassets_{section}_{key}".lower()]
            name = next((name for name in names if name in fields), None)
            if name is None:
                raise ValueError(
                    f"{key!r} in [{section}] is no setting: neither {names[0].upper()} nor {names[1].upper()} is"
                )
            if value.strip():
                yield name, value.strip()


def read_secret(path: Path) -> str:
    """Return the secret in the file *path*: one line, without the end of the line.

    Raises:
        ValueError: There is none; the text says why, and what to do.
    """
    if not path.is_absolute():
        # processes of the platform run in other folders than the one it was started from
        raise ValueError("it must be the whole path of a file, which begins with /")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_SECRET + 1)
    except FileNotFoundError:
        raise ValueError("there is no such file") from None
    except OSError as error:
        raise ValueError(
            f"it cannot be read ({error.strerror}): it must be a file that the account {os.geteuid()} may read"
        ) from None
    if len(content) > _LARGEST_SECRET:
        raise ValueError("it is too large for a secret")
    try:
        secret = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("it is not a text in UTF-8") from None
    if not secret.strip():
        raise ValueError("the file is empty")
    if "\n" in secret:
        raise ValueError("it has more than one line")
    return secret
