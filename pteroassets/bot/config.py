"""What the bot is told by the settings, checked as a whole before it starts: all faults are named at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import SecretStr

from pteroassets.bot.cards.rules import UpdateRules
from pteroassets.bot.permissions import Roles
from pteroassets.landing.sources import PASSES
from pteroassets.settings import Settings, SettingsFault

_CLIENT: Final = ("ptlc_", "pacc_")
_APPLICATION: Final = ("ptla_", "papp_")
_MARGIN_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class BotConfig:
    """What the bot works with.

    Attributes:
        token: Of the bot; a secret.
        api: Address of Discord's API.
        guild_id: The one guild that is served.
        roles: Who may press buttons.
        panel_url: Address of the panel.
        power_key: Sends signals; None where the bot only reads.
        power_seconds: Longest wait for the panel's answer.
        cool_down: Least time between two signals to a server.
        rules: When a card changes.
        log_lag: How old the newest reading of a log may be for players to be known.
    """

    token: SecretStr
    api: str
    guild_id: int
    roles: Roles
    panel_url: str
    power_key: SecretStr | None
    power_seconds: float
    cool_down: timedelta
    rules: UpdateRules
    log_lag: timedelta

    @property
    def patience(self) -> timedelta:
        """Longest that a signal can be under way."""
        return timedelta(seconds=self.power_seconds + _MARGIN_SECONDS)


def configured(settings: Settings) -> BotConfig:
    """Return the bot's part of *settings*.

    Raises:
        SettingsFault: Something is missing or wrong; a line for each fault.
    """
    if faults := faults_of(settings):
        raise SettingsFault("\n".join(faults))
    token, guild = settings.pteroassets_discord_token, settings.pteroassets_discord_guild
    assert token is not None  # noqa: S101 - checked above
    assert guild is not None  # noqa: S101 - the same
    return BotConfig(
        token=token,
        api=settings.pteroassets_discord_api,
        guild_id=guild,
        roles=Roles(settings.power_roles()),
        panel_url=str(settings.pterodactyl_url),
        power_key=settings.pteroassets_discord_power_key,
        power_seconds=settings.pteroassets_discord_power_seconds,
        cool_down=timedelta(seconds=settings.pteroassets_discord_cool_down),
        rules=UpdateRules(
            cpu_points=settings.pteroassets_discord_card_cpu_points,
            every=timedelta(minutes=settings.pteroassets_discord_card_minutes),
            memory_percent=settings.pteroassets_discord_card_memory_percent,
        ),
        log_lag=PASSES["logs"].rhythms[settings.pteroassets_schedules].stale_after,
    )


def is_wanted(settings: Settings) -> bool:
    """Return whether the platform is to run the bot; a token alone may be there for messages of the outbox."""
    return settings.pteroassets_discord_token is not None and settings.pteroassets_discord_guild is not None


def faults_of(settings: Settings) -> list[str]:
    """Return a line for each thing that is missing or wrong: the name of a setting, what is wrong, what to do."""
    faults = []
    if settings.pteroassets_discord_token is None:
        faults.append(
            "PTEROASSETS_DISCORD_TOKEN is not set: copy the token of your bot from Discord's developer portal"
        )
    if settings.pteroassets_discord_guild is None:
        faults.append(
            "PTEROASSETS_DISCORD_GUILD is not set: it is the number of your guild, such as 888888888888888888"
        )
    if settings.pterodactyl_url is None:
        faults.append("PTERODACTYL_URL is not set: it is the panel's address, such as https://panel.example.com")
    for name, prefixes, what in (
        ("pterodactyl_app_key", _APPLICATION, "an application key"),
        # who asks with one key of a root admin for both is told by `check`, and served
        ("pterodactyl_cli_key", _CLIENT, "a client key"),
        ("pteroassets_discord_power_key", _CLIENT, "a client key"),
    ):
        key = getattr(settings, name)
        allowed = (*prefixes, *_CLIENT) if prefixes is _APPLICATION else prefixes
        if key is not None and not key.get_secret_value().startswith(allowed):
            faults.append(f"{name.upper()} is not {what}: it must begin with {' or '.join(prefixes)}")
    if settings.pteroassets_discord_power_key is not None and not Roles(settings.power_roles()).all():
        faults.append(
            "PTEROASSETS_DISCORD_POWER_KEY is set, but no role may use it: name one in PTEROASSETS_DISCORD_POWER_ROLES "
            "or PTEROASSETS_DISCORD_ROLES_OF"
        )
    return faults
