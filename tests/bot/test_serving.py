"""What commands do for whom, on a warehouse."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from pteroassets.bot.cards.keeping import kept_cards, place
from pteroassets.bot.config import configured
from pteroassets.bot.permissions import Member
from pteroassets.bot.serving import Clerk
from pteroassets.clock import ManualClock
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GUILD, HERE, THERE = 7, 8, 9
MEMBER = Member(guild_id=GUILD, user_id=1, name="one", role_ids=frozenset())


@pytest.fixture
def clerk(warehouse: Connection, warehouse_settings: ConnectionSettings) -> Clerk:
    for channel in (HERE, THERE):
        place(warehouse, guild_id=GUILD, channel_id=channel, kind="host", subject="host", user_id=1, at=NOW)
    warehouse.commit()
    settings = Settings(_env_file=None).model_copy(
        update={
            "pterodactyl_url": "https://panel.test",
            "pteroassets_discord_token": SecretStr("token"),
            "pteroassets_discord_guild": GUILD,
        }
    )
    return Clerk(
        config=configured(settings),
        connect=lambda: connect(warehouse_settings, autocommit=True),
        clock=ManualClock(NOW),
    )


@pytest.mark.parametrize(
    ("everywhere", "may_manage", "may_manage_guild", "left"),
    [
        (False, True, False, [THERE]),
        (False, False, False, [HERE, THERE]),
        (True, True, False, [HERE, THERE]),
        (True, True, True, []),
    ],
)
def test_who_manages_one_channel_removes_no_cards_of_others(
    clerk: Clerk, warehouse: Connection, *, everywhere: bool, may_manage: bool, may_manage_guild: bool, left: list[int]
) -> None:
    text = clerk.purge(MEMBER, HERE, everywhere=everywhere, may_manage=may_manage, may_manage_guild=may_manage_guild)
    assert [one.place.channel_id for one in kept_cards(warehouse)] == left
    assert text.startswith("Only who may") == (len(left) == 2)
