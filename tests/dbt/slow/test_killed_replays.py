"""Killed in the midst of a load or of an announcement, the next process leaves every game whole and told once."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pteroassets.clock import SystemClock
from pteroassets.landing.arma3 import site_pass
from pteroassets.landing.arma3.passes import read_sites
from pteroassets.landing.arma3.tables import PARTS
from pteroassets.landing.context import Landing
from pteroassets.landing.files.store import LogStore
from pteroassets.settings import Settings
from pteroassets.simulator.arma3.game import Game, play
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.simulator.discord.rates import Rate
from pteroassets.simulator.discord.serve import FakeDiscord
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.databases import copied

pytestmark = pytest.mark.postgres

# What a run and the service beside it do, in one process: read the sites, tell what is new, deliver it.
_ONCE = textwrap.dedent(
    """
    import json, sys
    from pydantic import SecretStr
    from pteroassets.alarms.delivery import Delivery
    from pteroassets.alarms.discord_transport import DiscordBot
    from pteroassets.alarms.replays import tell_replays
    from pteroassets.clock import SystemClock
    from pteroassets.landing.arma3 import site_pass
    from pteroassets.landing.arma3.passes import read_sites
    from pteroassets.landing.context import Landing
    from pteroassets.settings import Settings

    given = json.loads(sys.stdin.read())
    given["settings"]["postgres_password"] = SecretStr(given["settings"]["postgres_password"])
    site_pass.PAUSE_SECONDS = 0.0
    landing = Landing(settings=Settings(_env_file=None).model_copy(update=given["settings"]))
    way = DiscordBot(given["token"], clock=landing.clock, base=given["discord"])
    with landing.connect() as connection:
        read_sites(landing, connection)
        tell_replays(connection, [given["target"]], least_players=0, language="en", now=landing.clock.now())
        delivery = Delivery(connection=connection, name="discord", way=way, clock=landing.clock)
        while delivery.make_pass():
            pass
    """
)


@dataclass(slots=True, kw_only=True)
class Scene:
    """Both sites, Discord and a warehouse, and the process that is killed."""

    warehouse: ConnectionSettings
    books: Connection
    site: FakeReplaySites
    discord: FakeDiscord
    store: Path

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "postgres_host": self.warehouse.host,
            "postgres_port": self.warehouse.port,
            "postgres_username": self.warehouse.username,
            "postgres_password": self.warehouse.password,
            "postgres_database": self.warehouse.database,
            "pteroassets_log_store": str(self.store),
            "pteroassets_replay_sites": f"wog:{self.site.url},ocap:{self.site.url}",
        }

    def begin(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", _ONCE], stdin=subprocess.PIPE)
        given = {
            "settings": self.settings,
            "target": f"discord:{self.discord.channels['status']}",
            "token": self.discord.token,
            "discord": self.discord.url,
        }
        assert process.stdin is not None
        process.stdin.write(json.dumps(given).encode())
        process.stdin.close()
        return process

    def killed_when(self, is_there: Callable[[], object]) -> None:
        """Begin a process and kill it as soon as it has come to a point."""
        process = self.begin()
        try:
            until(lambda: process.poll() is not None or is_there())
            assert process.poll() is None, "it came to its end without coming to the point"
        finally:
            process.kill()
            process.wait()

    def killed_at_the_lock_of(self, table: str) -> None:
        """Kill a process that wants to write a table."""
        with self.locked(table):
            self.killed_when(self.is_blocked)
        # what the server had begun for it comes to its end, or is undone
        self.wait_for_the_dead()

    def wait_for_the_dead(self) -> None:
        until(lambda: not self.rows("select 1 from pg_stat_activity where datname = current_database() and pid <> %s"))

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        with connect(self.warehouse) as other:
            other.execute(f"lock table {table} in exclusive mode")
            yield
            other.rollback()

    def is_blocked(self) -> bool:
        query = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        return bool(self.books.execute(query).fetchall())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        mine = self.books.info.backend_pid
        return self.books.execute(query, (mine,)).fetchall()

    def is_sending(self, since: datetime) -> bool:
        query = "select 1 from ops.outbox where sending_since > %s"
        return bool(self.books.execute(query, (since,)).fetchall())

    def told(self) -> Counter[str]:
        """The games that messages in Discord link to."""
        messages = self.discord.ask("messages", channel="status")
        return Counter(message["embeds"][-1]["description"].rpartition(" ")[2] for message in messages)


def until(is_so: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def scene(built_settings: ConnectionSettings, tmp_path: Path) -> Iterator[Scene]:
    with (
        copied(built_settings) as warehouse,
        connect(warehouse, autocommit=True) as books,
        FakeReplaySites(SystemClock()) as site,
        FakeDiscord(rates={"POST /channels/{channel}/messages": Rate(40, 1.0)}) as discord,
    ):
        found = Scene(warehouse=warehouse, books=books, site=site, discord=discord, store=tmp_path / "store")
        yield found
        found.wait_for_the_dead()  # lest they hold the database that is dropped now


def content(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that was read of replays, without what tells of loads."""
    rows = {
        part: connection.execute(
            f"select source, replay_id, to_jsonb(made) - array['replay_key', '_load_id', '_loaded_at'] "
            f"from raw_arma3.{part} as made inner join raw_arma3.replays using (replay_key) order by 1, 2, 3"
        ).fetchall()
        for part in PARTS
    }
    heads = connection.execute(
        "select source, replay_id, outcome, mission, players, winner, started_at, documents_digest, is_listed "
        "from raw_arma3.replays order by 1, 2"
    ).fetchall()
    return {**rows, "replays": heads}


def test_who_is_killed_at_ten_points_loses_no_game_and_tells_each_once(
    scene: Scene, built_settings: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = datetime.now(UTC) - timedelta(hours=3)
    games: list[Game] = []
    site = scene.site.sites

    def next_game() -> None:
        game = play(7, len(games) + 1, begin, players=8, minutes=4)
        games.append(game)
        site.publish(game)

    # the list is under way
    next_game()
    site.fail("/projects/", "late")
    scene.killed_when(lambda: site.requests["/projects/wog-a3/games/"] == 1)
    # the digest is, after the page was kept
    site.fail("game=1", "late")
    scene.killed_when(lambda: site.requests["/json/replay-data.json"] == 1)
    # in the load: a document is in the store and no row says so; the first, a middle and the last table
    for table in ("raw_arma3.pages", "raw_arma3.sides", "raw_arma3.kills", "ops.loads"):
        next_game()
        scene.killed_at_the_lock_of(table)
    assert content(scene.books)["kills"] == [], "no load came to its end yet"
    # what was landed and not told: before it is decided, and with the message half written
    for table in ("ops.replay_notices", "ops.outbox"):
        next_game()
        scene.killed_at_the_lock_of(table)
    assert content(scene.books)["kills"]
    assert scene.books.execute("select 1 from ops.replay_notices").fetchall() == []
    assert not scene.told()
    # the message is under way to Discord, and does not arrive
    scene.discord.ask("fault", requests={"route": "^POST /channels", "slow": 4.0, "times": 1})
    now = datetime.now(UTC)
    scene.killed_when(lambda: scene.is_sending(since=now))
    # it has arrived, and nobody noted that
    next_game()
    scene.discord.ask("fault", requests={"route": "^POST /channels", "slow": 3.0, "times": 1})
    now = datetime.now(UTC)
    process = scene.begin()
    until(lambda: scene.is_sending(since=now))
    with scene.locked("ops.outbox"):
        until(scene.is_blocked)
        process.kill()
        process.wait()
    assert scene.told().total() == 1

    site.upload(games[0], "extension5")
    assert scene.begin().wait(60) == 0
    numbers = [game.number for game in games]
    assert [row[1] for row in content(scene.books)["replays"] if row[0] == "wog"] == sorted(map(str, numbers))
    urls = [url for (url,) in scene.books.execute("select url from raw_arma3.replays").fetchall()]
    assert scene.told() == Counter(urls)
    assert scene.books.execute("select count(*) from ops.replay_notices where told").fetchone() == (len(urls),)
    left = "select count(*) from ops.outbox where sent_version is distinct from version"
    assert scene.books.execute(left).fetchone() == (0,)
    # an undisturbed process makes the same rows
    with copied(built_settings) as other, connect(other, autocommit=True) as undisturbed:
        given = {
            **scene.settings,
            "postgres_database": other.database,
            "pteroassets_log_store": str(tmp_path / "other"),
        }
        given["postgres_password"] = Settings.model_validate(given).postgres_password
        monkeypatch.setattr(site_pass, "PAUSE_SECONDS", 0.0)  # as in the processes that were killed
        read_sites(Landing(settings=Settings(_env_file=None).model_copy(update=given)), undisturbed)
        expected, found = content(undisturbed), content(scene.books)
    for table, rows in expected.items():
        assert (found[table] == rows) is True, table
    store = LogStore(scene.store)
    for digest in scene.books.execute("select content_digest from raw_arma3.pages where document <> 'list'").fetchall():
        assert store.get(*digest)
