"""Write the warehouse of this commit as the recorded one: ``python -m tests.upgrade.make_dump``.

It is run on the commit of the version before, not on the one that is tested: see the README beside what it writes.
"""

from __future__ import annotations

import json
import lzma
import os
import re
import subprocess
import tempfile
from pathlib import Path

from pteroassets.cli import main
from pteroassets.definitions import defs
from pteroassets.platform.postgres.binaries import find_bindir
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.warehouse.connection import ConnectionSettings
from pteroassets.warehouse.migrate import ensure_database, upgrade
from tests.upgrade.commands import commands
from tests.upgrade.world import DUMP, NAMES, RecordedPlatform, recorded_world

# a psql command, and a setting that servers before Postgres 17 refuse
_NOT_EVERYWHERE = ("\\restrict ", "\\unrestrict ", "SET transaction_timeout ")


def dumped(settings: ConnectionSettings) -> str:
    """Return the database as SQL that any server from Postgres 15 on runs, whoever its superuser is."""
    command = [
        *(find_bindir() / "pg_dump", "--no-owner", "--inserts", "--rows-per-insert=500"),
        *("--host", settings.host, "--port", str(settings.port), "--username", settings.username, settings.database),
    ]
    answer = subprocess.run(
        command, env={**os.environ, "PGPASSWORD": settings.password}, capture_output=True, text=True, check=True
    )
    lines = answer.stdout.split("\n")
    return "\n".join(line for line in lines if line and not line.startswith(("--", *_NOT_EVERYWHERE))) + "\n"


def names() -> dict[str, object]:
    """Return what operators and Dagster know this version by: settings, assets, jobs and what starts them."""
    repository = defs().get_repository_def()
    jobs = {job.name: job for job in repository.get_all_jobs() if not job.name.startswith("__")}
    example = (CHECKOUT / ".env.example").read_text()
    return {
        "settings": re.findall(r"^#?([A-Z_]+=.*)", example, flags=re.MULTILINE),
        "defaults": {
            name.upper(): field.get_default(call_default_factory=True)
            for name, field in Settings.model_fields.items()
            if "SecretStr" not in str(field.annotation)
        },
        "commands": {name: sorted(offered) for name, offered in commands(main)},
        "assets": sorted(key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()),
        # those of a job over assets are named after its assets
        "jobs": {
            name: [] if job.asset_layer.executable_asset_keys else sorted(op.name for op in job.nodes)
            for name, job in sorted(jobs.items())
        },
        "schedules": sorted(schedule.name for schedule in repository.schedule_defs),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
    }


def make() -> None:
    """Make the passes and the build in a Postgres of their own, and write what they left."""
    with (
        EmbeddedPostgres.temporary() as server,
        recorded_world() as simulation,
        tempfile.TemporaryDirectory() as folder,
    ):
        settings = server.with_database("recorded")
        ensure_database(settings, settings.database)
        upgrade(settings)
        platform = RecordedPlatform.on(simulation, settings, Path(folder))
        platform.recorded_history()
        platform.build()
        text = dumped(settings)
        held = [name for name, canary in CANARIES.items() if canary in text]
        assert not held, f"the dump holds {held}"
        assert server.password not in text
        DUMP.parent.mkdir(exist_ok=True)
        DUMP.write_bytes(lzma.compress(text.encode(), preset=9))
    NAMES.write_text(json.dumps(names(), indent=1) + "\n")


if __name__ == "__main__":
    make()
