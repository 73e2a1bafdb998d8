"""When everything is built before the platform is shown."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from pteroassets.defs.dbt_project import DIGEST_NAME
from pteroassets.platform import serve
from pteroassets.platform.serve import is_built
from pteroassets.platform.supervisor import Service, Supervisor
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings


@pytest.mark.postgres
def test_everything_is_built_once_and_again_after_the_models_changed(
    warehouse: Connection, warehouse_settings: ConnectionSettings, tmp_path: Path
) -> None:
    parsed, built = tmp_path / DIGEST_NAME, tmp_path / "built.txt"
    parsed.write_text("of these models")
    assert not is_built(warehouse_settings, tmp_path)
    built.write_text("of these models")
    assert not is_built(warehouse_settings, tmp_path)  # another warehouse
    warehouse.execute("create table marts.fct_server_daily ()")
    assert is_built(warehouse_settings, tmp_path)
    parsed.write_text("of other models")
    assert not is_built(warehouse_settings, tmp_path)


def test_the_docs_are_made_again_after_the_models_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = tmp_path / "target" / DIGEST_NAME
    made: list[str] = []

    def build(_variables: object, folder: Path, *, target: Path, parsed_in: Path) -> None:
        assert parsed_in == parsed.parent
        for each in (folder, target):
            each.mkdir(exist_ok=True)
        for name in ("index.html", "entities.html"):
            (folder / name).write_text("")
        shutil.copyfile(parsed, folder / DIGEST_NAME)
        made.append(parsed.read_text())

    monkeypatch.setattr(serve, "build_docs", build)
    parsed.parent.mkdir()
    for models in ("of these models", "of these models", "of other models", "of other models"):
        parsed.write_text(models)
        docs = tmp_path / "docs"
        assert serve.publish_docs(docs, tmp_path, {}, parsed.parent, Console(file=io.StringIO())) == docs
    assert made == ["of these models", "of other models"]


def test_events_are_brought_on_by_the_platform_where_brokers_and_a_lake_are_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    class Noting:
        """Starts nothing."""

        def begin(self, *services: Service) -> None:
            begun.extend(service.name for service in services)

    untouched = {**os.environ}
    brokers = {"pteroassets_event_brokers": "kafka.test:9092"}
    for given in ({}, brokers, {"pteroassets_lake": "/srv/lake"}, brokers | {"pteroassets_lake": "/srv/lake"}):
        begun.append("-")
        monkeypatch.setattr(serve.os, "environ", {**untouched})
        settings = Settings(_env_file=None, postgres_host="db.test", **given)  # type: ignore[call-arg]
        serve.begin(Noting(), settings, tmp_path)  # type: ignore[arg-type]
    assert "".join(f"{name} " for name in begun if name[:6] in ("-", "stream")).split("- ") == [
        "", "", "", "", "stream-write stream-load ",
    ]  # fmt: skip


@pytest.mark.parametrize("keys", [None, "arena:0123456789abcdef"])
def test_the_collector_is_a_service_where_a_game_has_a_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, keys: str | None
) -> None:
    begun: list[Service] = []

    class Noting(Supervisor):
        def begin(self, *services: Service) -> None:
            begun.extend(services)

    monkeypatch.setattr(os, "environ", dict(os.environ))
    given = {} if keys is None else {"pteroassets_event_keys": keys, "pteroassets_event_port": 41234}
    settings = Settings(_env_file=None, postgres_host="db.test", pteroassets_pii="drop", **given)  # type: ignore[arg-type]
    serve.begin(Noting(tmp_path / "logs"), settings, tmp_path)
    names = ["dagster-code-server", *([] if keys is None else ["event-collector"])]
    assert [service.name for service in begun] == names
    if keys is not None:
        command = [str(part) for part in begun[1].command]
        assert command[-3:] == ["collector", "--port", "41234"]
        # by the environment, which no other account reads
        assert "0123456789abcdef" not in " ".join(command)
        assert os.environ["PTEROASSETS_EVENT_KEYS"] == keys
