"""The settings and the data folder of a platform that ran the version before are taken up as they are."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pteroassets.cli import main
from pteroassets.landing.files.store import LogStore
from pteroassets.platform.demo import World
from pteroassets.platform.environment import generated_key, home_of
from pteroassets.platform.postgres.data_folder import data_dir_below
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.settings import CHECKOUT, Settings
from tests.upgrade.commands import commands
from tests.upgrade.world import NAMES


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    found: dict[str, Any] = json.loads(NAMES.read_text())
    return found


def test_every_line_that_was_offered_for_an_env_file_is_still_taken(names: dict[str, Any], tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("\n".join(names["settings"]))
    taken = Settings(_env_file=env).model_dump(exclude_unset=True)  # type: ignore[call-arg]
    given = {name.lower() for name, _, value in (line.partition("=") for line in names["settings"]) if value}
    assert len(given) > 20
    assert taken.keys() == given
    assert {line.partition("=")[0].lower() for line in names["settings"]} <= Settings.model_fields.keys()


def test_a_setting_that_an_operator_left_out_means_what_it_meant(names: dict[str, Any]) -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert {name: getattr(settings, name.lower()) for name in names["defaults"]} == names["defaults"]


def test_every_command_and_option_is_still_there(names: dict[str, Any]) -> None:
    offered = dict(commands(main))
    assert names["commands"].keys() <= offered.keys()
    for command, options in names["commands"].items():
        assert set(options) <= set(offered[command]), command


def test_the_data_folder_is_found_where_it_was(names: dict[str, Any]) -> None:
    assert names["defaults"]["PTEROASSETS_HOME"] is None
    assert home_of(Settings(_env_file=None)) == CHECKOUT / ".pteroassets" / "up"  # type: ignore[call-arg]


def test_what_lies_in_a_data_folder_is_found_by_its_name(tmp_path: Path) -> None:
    content = b"[12:00:00] [Server thread/INFO]: Done (1.0s)!\n"
    digest = hashlib.sha256(content).hexdigest()
    for path, kept in {
        "postgres/PG_VERSION": b"18\n",
        "postgres.state/password": b"secret",
        f"log_store/{digest[:2]}/{digest}.log.gz": gzip.compress(content),
        "pii.key": b"0123456789abcdef",
        "world.json": b'{"seed": 3, "anchor": "2026-10-26T12:00:00+00:00"}',
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(kept)
    assert data_dir_below(tmp_path) == tmp_path / "postgres"
    server = EmbeddedPostgres(data_dir_below(tmp_path))
    assert server.status == "stopped"
    assert server.password_file.read_text() == "secret"
    assert LogStore(tmp_path / "log_store").get(digest) == content
    assert generated_key(tmp_path, "pii.key") == "0123456789abcdef"
    assert World.of(tmp_path, seed=7).seed == 3
