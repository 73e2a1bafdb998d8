"""Run the bot of Discord: ``pteroassets bot``, which ``up`` starts where its token is set."""

from __future__ import annotations

import logging
import sys

from pteroassets.bot.config import configured
from pteroassets.bot.service import BotService
from pteroassets.landing.context import Landing
from pteroassets.platform.environment import home_of, make_folder
from pteroassets.platform.health import BOT_SIGN
from pteroassets.settings import Settings


def run_bot(settings: Settings) -> None:
    """Serve the guild until the process is told to end.

    Raises:
        SettingsFault: Something of the bot's settings is missing or wrong.
        MissingSettingError: The settings do not say where Postgres is.
    """
    config = configured(settings)
    landing = Landing(settings=settings)
    warehouse = landing.warehouse
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("discord").setLevel(logging.WARNING)
    home = make_folder(home_of(settings))
    logging.getLogger("pteroassets.bot").info("cards and commands on the warehouse %s", warehouse.database)
    BotService(config=config, connect=landing.connect, clock=landing.clock, alive=home / BOT_SIGN).run()
