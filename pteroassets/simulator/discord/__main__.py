"""Serve a fake Discord until told to stop: ``python -m pteroassets.simulator.discord --state-file FILE``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pteroassets.simulator.discord.serve import FakeDiscord
from pteroassets.simulator.ports import told_to_stop, write_state


def main() -> None:
    """Serve until SIGTERM or SIGINT; the state file holds the address, the token, and ids of the guild."""
    parser = argparse.ArgumentParser(prog="python -m pteroassets.simulator.discord", description=__doc__)
    parser.add_argument(
        "--state-file", type=Path, required=True, help="where address and token are written (mode 0600)"
    )
    parser.add_argument("--port", type=int, default=None, help="a free one by default, and if it is taken")
    arguments = parser.parse_args()
    stopped = told_to_stop()
    with FakeDiscord(port=arguments.port) as fake:
        write_state(
            arguments.state_file,
            {
                "url": fake.url,
                "token": fake.token,
                "guild": fake.guild_id,
                "channels": fake.channels,
                "roles": fake.roles,
                "process_id": os.getpid(),
            },
        )
        stopped.wait()
    arguments.state_file.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
