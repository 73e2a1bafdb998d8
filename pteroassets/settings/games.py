"""Settings of games whose data come from sites on the web."""

from __future__ import annotations

import re
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

_SITE: Final = re.compile(r"(wog|ocap|solidgames):https?://[^\s/?#@,]+(/[^\s?#,]*)?")


class GameSettings(BaseSettings):
    """The settings of games, as a part of all settings."""

    pteroassets_replay_sites: str | None = Field(
        None,
        description="Sites whose replays of Arma 3 are read, separated by commas: wog:<address> of the statistics "
        "site, ocap:<address> of a web server of OCAP, solidgames:<address> of the site of SolidGames. None when "
        "unset.",
        examples=["wog:https://stats.wogames.info,ocap:https://ocap.example.com"],
    )
    pteroassets_replay_timezone: str = Field(
        "Europe/Moscow",
        description="IANA zone in which those sites tell times, since they name none.",
        examples=["Europe/Moscow"],
    )

    pteroassets_replay_poll_minutes: int = Field(
        5, ge=5, le=24 * 60, description="Minutes between two readings of the lists of those sites, from 5 to a day."
    )
    pteroassets_replay_grid_metres: int = Field(
        100, ge=1, le=10_000, description="Edge of the squares to which positions are rolled up."
    )
    pteroassets_replay_step_seconds: int = Field(
        60, ge=1, le=3_600, description="Length of the steps of time to which positions are rolled up."
    )
    pteroassets_replay_full_positions: bool = Field(
        False,
        description="Whether each position of a recording is landed too, beside those that are rolled up: hundreds of "
        "thousands of rows for each recording.",
    )
    pteroassets_replay_least_players: int = Field(
        100, ge=0, description="Replays of fewer players are landed and not told."
    )
    pteroassets_replay_language: Literal["en", "ru"] = Field("en", description="Language of the digests: en or ru.")

    @field_validator("pteroassets_replay_sites")
    @classmethod
    def _sites(cls, value: str | None) -> str | None:
        for one in _parts(value):
            if not _SITE.fullmatch(one):
                raise ValueError(
                    f"{one!r} is no kind and address of a site, such as wog:https://stats.wogames.info or "
                    "ocap:https://ocap.example.com"
                )
            if urlsplit(one.partition(":")[2]).hostname is None or _port_of(one) == 0:
                raise ValueError(f"{one!r} names no host, or a port that none has: ports are from 1 to 65535")
        if value is not None and not _parts(value):
            raise ValueError("it names no site: leave it unset where no replays are to be read")
        split = [one.partition(":") for one in dict.fromkeys(_parts(value))]
        # both of these have recordings of OCAP
        sites = [(kind.replace("solidgames", "ocap"), urlsplit(address).netloc.lower()) for kind, _, address in split]
        if len(sites) > len(set(sites)):
            raise ValueError(
                "two sites of one kind have the same host, by which replays are told apart: name one of them"
            )
        return value

    def replay_sites(self) -> list[str]:
        """Return the sites of replays, each once."""
        return list(dict.fromkeys(_parts(self.pteroassets_replay_sites)))


def _port_of(site: str) -> int | None:
    """Return the port that a site names, 0 where none can be that."""
    try:
        return urlsplit(site.partition(":")[2]).port
    except ValueError:
        return 0


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]
