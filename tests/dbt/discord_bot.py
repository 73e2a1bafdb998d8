"""The bot in a thread, on the built warehouse, the fake Discord and the one route of a panel that it asks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import requests
from pydantic import SecretStr

from pteroassets.bot.cards.rules import UpdateRules
from pteroassets.bot.config import BotConfig
from pteroassets.bot.permissions import Roles
from pteroassets.bot.service import BotService
from pteroassets.clock import ManualClock
from pteroassets.simulator.discord.serve import FakeDiscord
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

#: Just after the last samples of the small world.
NOW = datetime(2026, 10, 26, 23, 45, tzinfo=UTC)
SERVER = UUID("aaaaaaaa-0000-4000-8000-000000000001")
LAG = timedelta(hours=2)
_PATIENCE = 30.0
_STYLES = {"primary": 1, "secondary": 2, "success": 3, "danger": 4}


@dataclass
class PanelRoute:
    """Answers power signals of a panel, and remembers them."""

    status: int = 204
    seconds: float = 0.0
    sent: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def panel_route() -> Iterator[PanelRoute]:
    route = PanelRoute()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            route.sent.append((self.path.split("/")[-2], body["signal"]))
            time.sleep(route.seconds)
            self.send_response(route.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    route.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield route
    finally:
        server.shutdown()
        server.server_close()


def config_of(fake: FakeDiscord, route: PanelRoute, **changes: Any) -> BotConfig:
    given: dict[str, Any] = {
        "token": SecretStr(fake.token),
        "api": fake.url,
        "guild_id": fake.guild_id,
        "roles": Roles({None: [fake.roles["operators"]]}),
        "panel_url": route.url,
        "power_key": SecretStr("ptlc_power"),
        "power_seconds": 5.0,
        "cool_down": timedelta(seconds=30),
        "rules": UpdateRules(),
        "log_lag": LAG,
    }
    return BotConfig(**(given | changes))


def until(what: Callable[[], Any]) -> Any:
    """Return what *what* returns once it is true."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.05)
    return found


@contextmanager
def running(
    config: BotConfig,
    settings: ConnectionSettings,
    fake: FakeDiscord,
    clock: ManualClock,
    *,
    ready: Callable[[], Any] | None = None,
) -> Iterator[None]:
    """Run the bot until the end; it is connected, or *ready* is true, when this returns."""
    before = fake.ask("state")["gateway"]["identifies"]
    service = BotService(
        config=config, connect=lambda: connect(settings, autocommit=True), clock=clock, pause_seconds=0.2
    )
    ended = threading.Event()
    thread = threading.Thread(target=service.run, args=(ended,), daemon=True)
    thread.start()
    try:
        until(ready or (lambda: is_serving(fake, before)))
        yield
    finally:
        ended.set()
        thread.join(30)
        assert not thread.is_alive()


def is_serving(fake: FakeDiscord, identifies_before: int) -> bool:
    state = fake.ask("state")
    return bool(
        state["gateway"]["connected"]
        and state["gateway"]["identifies"] > identifies_before
        and state["commands"].get(str(fake.guild_id))
    )


def deliver(connection: Connection, fake: FakeDiscord) -> dict[str, int]:
    """Post what the outbox holds for channels, and return the messages by key; no edits, no limits."""
    found: dict[str, int] = {}
    rows = connection.execute(
        "select id, key, target, body from ops.outbox where withdrawn_at is null and sent_version is null"
    ).fetchall()
    for number, key, target, body in rows:
        embeds = [
            {
                "title": one.get("title"),
                "description": one.get("description"),
                "color": one.get("colour"),
                "fields": one.get("fields", []),
                "footer": {"text": one["footer"]} if one.get("footer") else None,
                "image": {"url": f"attachment://{one['image']}"} if one.get("image") else None,
            }
            for one in body.get("embeds", [])
        ]
        components = [
            {
                "type": 1,
                "components": [
                    {
                        "type": 2,
                        "style": _STYLES[button["style"]],
                        "label": button["label"],
                        "custom_id": button["custom_id"],
                        "disabled": button["disabled"],
                    }
                    for button in row
                ],
            }
            for row in body.get("buttons", [])
        ]
        images = body.get("images", {})
        files = {
            f"files[{place}]": (name, _png(connection, digest), "image/png")
            for place, (name, digest) in enumerate(images.items())
        }
        payload = {
            "content": body.get("content", ""),
            "embeds": embeds,
            "components": components,
            "attachments": [{"id": place, "filename": name} for place, name in enumerate(images)],
        }
        answer = requests.post(
            f"{fake.url}/api/v10/channels/{target.partition(':')[2]}/messages",
            headers={"Authorization": f"Bot {fake.token}", "User-Agent": "DiscordBot (https://pteroassets.test, 1)"},
            files={"payload_json": (None, json.dumps(payload), "application/json"), **files},
            timeout=10,
        )
        assert answer.ok, answer.text
        found[key] = int(answer.json()["id"])
        connection.execute(
            "update ops.outbox set message_id = %s, sent_version = version where id = %s", (answer.json()["id"], number)
        )
    return found


def _png(connection: Connection, digest: str) -> bytes:
    row = connection.execute("select png from ops.outbox_images where digest = %s", (digest,)).fetchone()
    assert row is not None
    return bytes(row[0])
