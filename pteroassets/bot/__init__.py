"""The bot of a Discord guild: cards that show servers, commands that answer, buttons that act.

Path of the data::

    marts, raw samples --cards.readings--> Reading --cards.contents--> Message --alarms.outbox--> Discord
    Discord --gateway--> a press --pressing--> the panel's power signal, raw_discord.actions --> fct_discord_actions

Only ``gateway`` knows the Discord library; permissions, cards and calls of the panel do without it.
"""
