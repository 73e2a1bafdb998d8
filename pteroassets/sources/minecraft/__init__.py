"""Read Minecraft server logs: blocks of bytes in, sessions out; nothing here knows Dagster, SQL or the panel.

Path of the data::

    bytes --log.LogParser--> LogEvent --dates.Stamper--> SessionEvent --sessions.build_sessions--> sessions, runs

``formats`` describes how lines begin, ``messages`` what they say, ``reasons`` why somebody left.
"""
