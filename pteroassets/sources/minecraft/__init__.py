"""Read Minecraft server logs: blocks of bytes in, sessions out; nothing here knows Dagster, SQL or the panel.

Path of the data::

    bytes --log.LogParser--> LogEvent --dates.Stamper--> SessionEvent --sessions.build_sessions--> sessions, runs

``declarations`` tell how lines begin and what they say, ``messages`` reads a line by that, ``text`` makes text of
bytes, ``reasons`` says why somebody left.
"""
