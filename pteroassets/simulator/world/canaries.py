"""Recognisable values that stand in every secret field of the simulated world.

A search of whatever was landed, logged or drawn must find none of them.
"""

from __future__ import annotations

from typing import Final

CANARIES: Final[dict[str, str]] = {
    "environment": "CANARY-ENVIRONMENT",
    "variable": "CANARY-VARIABLE",
    "invocation": "CANARY-INVOCATION",
    "node_token": "CANARYNODETOKEN",
    "database_password": "CANARY-DATABASE-PASSWORD",
    "email": "canary-mail",
    "application_key": "CANARYAPP",
    "client_key": "CANARYCLI",
    "player_address": "198.51.100.",
    "player_address_v6": "2001:db8:0:0:0:0:",
    "chat": "CANARY-CHAT",
    "command": "CANARY-COMMAND",
    "signed_link": "/download/file?token=",
}
"""Name of the secret → text that every value of it contains."""
