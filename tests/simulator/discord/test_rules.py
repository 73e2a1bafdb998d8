"""The fake refuses what Discord refuses, in its words, and says what it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from pteroassets.clock import ManualClock
from pteroassets.simulator.discord.core import APPLICATION_ID
from pteroassets.simulator.discord.members import NotPossible
from pteroassets.simulator.discord.serve import FakeDiscord
from tests.simulator.discord.bot import picture

START = datetime(2026, 10, 28, 20, 0, tzinfo=UTC)


class Seconds:
    """A meter that moves when it is told to."""

    def __init__(self) -> None:
        self.value = 0.0

    def __call__(self) -> float:
        return self.value


class Caller:
    """Asks the API as the bot, and holds a gateway that answers nothing by itself."""

    def __init__(self, fake: FakeDiscord) -> None:
        self.fake = fake
        self.session = requests.Session()
        self.session.headers.update({"Authorization": f"Bot {fake.token}", "User-Agent": "DiscordBot (a test, 1)"})

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, f"{self.fake.url}/api/v10{path}", timeout=10, **more)

    def send(self, channel: str = "status", **payload: Any) -> requests.Response:
        return self("POST", f"/channels/{self.fake.channels[channel]}/messages", json=payload)

    @contextmanager
    def gateway(self, token: str | None = None, intents: int = 1) -> Iterator[ClientConnection]:
        with connect(f"{self.fake.url.replace('http', 'ws')}/gateway?v=10&encoding=json") as socket:
            assert json.loads(socket.recv())["op"] == 10
            properties = {"os": "a test", "browser": "a test", "device": "a test"}
            identify = {"token": token or self.fake.token, "intents": intents, "properties": properties}
            socket.send(json.dumps({"op": 2, "d": identify}))
            yield socket


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(scope="module")
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture(scope="module")
def fake(clock: ManualClock, seconds: Seconds) -> Iterator[FakeDiscord]:
    with FakeDiscord(clock, seconds=seconds) as running:
        yield running


@pytest.fixture
def call(fake: FakeDiscord, seconds: Seconds) -> Iterator[Caller]:
    seconds.value += 100
    yield Caller(fake)
    fake.ask("fault", clear=True)


@pytest.fixture
def socket(call: Caller) -> Iterator[ClientConnection]:
    with call.gateway() as opened:
        assert json.loads(opened.recv())["t"] == "READY"
        guilds = [json.loads(opened.recv()) for _ in range(2)]
        assert {one["t"] for one in guilds} == {"GUILD_CREATE"}
        yield opened


def pressed(call: Caller, socket: ClientConnection) -> dict[str, Any]:
    """Return the interaction of a player who pressed a button, unanswered."""
    button = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
    sent = call.send(content="here", components=[{"type": 1, "components": [button]}]).json()
    call.fake.ask("click", as_="player", message=sent["id"], label="Go", wait=0)
    event = json.loads(socket.recv())
    assert event["t"] == "INTERACTION_CREATE"
    found: dict[str, Any] = event["d"]
    return found


def errors_of(answer: requests.Response, *path: str) -> list[str]:
    assert (answer.status_code, answer.json()["code"]) == (400, 50035), answer.text
    place = answer.json()["errors"]
    for key in path:
        place = place[key]
    return [one["code"] for one in place["_errors"]]


def field(name: str = "n", value: str = "v") -> dict[str, str]:
    return {"name": name, "value": value}


@pytest.mark.parametrize(
    ("payload", "path", "code"),
    [
        ({"content": "x" * 2001}, ("content",), "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{"title": "x" * 257}]}, ("embeds", "0", "title"), "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{"description": "x" * 4097}]}, ("embeds", "0", "description"), "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{"fields": [field()] * 26}]}, ("embeds", "0", "fields"), "BASE_TYPE_BAD_LENGTH"),
        (
            {"embeds": [{"fields": [field(value="x" * 1025)]}]},
            ("embeds", "0", "fields", "0", "value"),
            "BASE_TYPE_MAX_LENGTH",
        ),
        ({"embeds": [{"fields": [field(value=" ")]}]}, ("embeds", "0", "fields", "0", "value"), "BASE_TYPE_REQUIRED"),
        (
            {"embeds": [{"description": "x" * 4000}, {"description": "x" * 2001}]},
            ("embeds",),
            "MAX_EMBED_SIZE_EXCEEDED",
        ),
        ({"embeds": [{"title": "t"}] * 11}, ("embeds",), "BASE_TYPE_BAD_LENGTH"),
        ({"embeds": [{"title": "t", "url": "ftp://x"}]}, ("embeds", "0", "url"), "URL_TYPE_INVALID_SCHEME"),
        (
            {"content": "x", "components": [{"type": 1, "components": []}]},
            ("components", "0", "components"),
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            {
                "content": "x",
                "components": [
                    {"type": 1, "components": [{"type": 2, "style": 1, "label": "x" * 81, "custom_id": "a"}]}
                ],
            },
            ("components", "0", "components", "0", "label"),
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            {
                "content": "x",
                "components": [
                    {"type": 1, "components": [{"type": 2, "style": 1, "label": "a", "custom_id": "a"}] * 2}
                ],
            },
            ("components", "0", "components", "1", "custom_id"),
            "COMPONENT_CUSTOM_ID_DUPLICATED",
        ),
        ({"content": "x", "nonce": "x" * 26}, ("nonce",), "NONCE_TYPE_TOO_LONG"),
        (
            {"content": "x", "allowed_mentions": {"parse": ["roles"], "roles": ["1"]}},
            ("allowed_mentions", "roles"),
            "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
        ),
        ({"content": "x", "flags": 1 << 15}, ("content",), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"),
    ],
)
def test_a_field_past_its_limit_is_named(
    call: Caller, payload: dict[str, Any], path: tuple[str, ...], code: str
) -> None:
    assert code in errors_of(call.send(**payload), *path)


def test_the_longest_message_is_taken(call: Caller) -> None:
    embeds = [{"title": "x" * 256, "description": "x" * 4096 + " " * 50, "footer": {"text": "x" * 1648}}]
    assert call.send(content="x" * 2000, embeds=embeds).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/channels/5", 404, 10003),
        ("GET", "/channels/{status}/messages/5", 404, 10008),
        ("GET", "/guilds/5", 404, 10004),
        ("GET", "/guilds/{guild}/members/5", 404, 10007),
        ("GET", "/guilds/{guild}/members", 403, 50001),
        ("GET", "/webhooks/5/none", 404, 10015),
        ("GET", "/stage-instances", 501, 0),
    ],
)
def test_what_is_not_there(call: Caller, method: str, path: str, status: int, code: int) -> None:
    answer = call(method, path.format(status=call.fake.channels["status"], guild=call.fake.guild_id))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status == 501:
        assert path in answer.json()["message"]


def test_a_wrong_token_and_a_strange_client(call: Caller) -> None:
    assert call("GET", "/users/@me", headers={"Authorization": "Bot no"}).status_code == 401
    assert call("GET", "/users/@me", headers={"User-Agent": "curl"}).json()["code"] == 40333


@pytest.mark.parametrize(
    ("denied", "payload", "code"),
    [
        ("view_channel", {"content": "x"}, 50001),
        ("send_messages", {"content": "x"}, 50013),
        ("embed_links", {"embeds": [{"title": "x"}]}, 50013),
    ],
)
def test_rights_in_a_channel(call: Caller, denied: str, payload: dict[str, Any], code: int) -> None:
    call.fake.ask("permissions", channel="alarms", deny=[denied])
    answer = call.send("alarms", **payload)
    call.fake.ask("permissions", channel="alarms")
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert call.send("alarms", **payload).status_code == 200


def test_only_its_own_messages_may_be_changed(call: Caller) -> None:
    other = call.fake.ask("say", as_="player", channel="status", content="hello")
    path = f"/channels/{call.fake.channels['status']}/messages/{other['id']}"
    assert call("PATCH", path, json={"content": "x"}).json()["code"] == 50005
    assert call("DELETE", path).json()["code"] == 50013
    assert call.send(content=" ").json()["code"] == 50006


def test_the_same_nonce_sends_once(call: Caller) -> None:
    first = call.send(content="one", nonce="a1", enforce_nonce=True).json()
    again = call.send(content="one", nonce="a1", enforce_nonce=True).json()
    assert again["id"] == first["id"]
    assert call.send(content="one", nonce="a1").json()["id"] != first["id"]


def test_who_is_called(call: Caller) -> None:
    role, everyone = call.fake.roles["operators"], call.fake.guild_id
    text = f"<@&{role}> <@{everyone + 203}> @here"

    def pings(**payload: Any) -> list[str]:
        call.send(content=text, **payload)
        found: list[str] = call.fake.ask("messages", channel="status")[-1]["pings"]
        return found

    assert pings(allowed_mentions={"parse": []}) == []
    assert pings(allowed_mentions={"parse": [], "roles": [str(role)]}) == [f"role:{role}"]
    # the bot has no right to call everybody
    assert pings() == [f"role:{role}", f"user:{everyone + 203}"]
    call.fake.ask("permissions", channel="status", allow=["mention_everyone"])
    assert "here" in pings()
    call.fake.ask("permissions", channel="status")


def test_a_bucket_empties_and_fills(call: Caller, seconds: Seconds) -> None:
    remaining = [call.send(content=str(n)).headers["X-RateLimit-Remaining"] for n in range(5)]
    assert remaining == ["4", "3", "2", "1", "0"]
    refused = call.send(content="6")
    assert refused.status_code == 429
    assert refused.json()["global"] is False
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert 4.9 < float(refused.headers["X-RateLimit-Reset-After"]) <= 5.0
    assert refused.headers["Retry-After"] == "6"
    assert call.send("alarms", content="elsewhere").status_code == 200
    seconds.value += refused.json()["retry_after"]
    assert call.send(content="6").status_code == 200


def test_fifty_requests_a_second_are_the_most(call: Caller, seconds: Seconds) -> None:
    answers = [call("GET", f"/channels/{list(call.fake.channels.values())[n % 4]}") for n in range(51)]
    assert [answer.status_code for answer in answers] == [200] * 50 + [429]
    assert answers[-1].json()["global"] is True
    assert (answers[-1].headers["X-RateLimit-Global"], answers[-1].headers["X-RateLimit-Scope"]) == ("true", "global")
    seconds.value += 1.0
    assert call("GET", "/users/@me").status_code == 200


def test_the_first_answer_is_due_in_three_seconds_and_once(
    call: Caller, socket: ClientConnection, clock: ManualClock
) -> None:
    late = pressed(call, socket)
    clock.sleep(3.1)
    answered = f"/interactions/{late['id']}/{late['token']}/callback"
    assert call("POST", answered, json={"type": 5}).json()["code"] == 10062
    follow = f"/webhooks/{APPLICATION_ID}/{late['token']}"
    assert call("POST", follow, json={"content": "x"}).json()["code"] == 10015
    one = pressed(call, socket)
    path = f"/interactions/{one['id']}/{one['token']}/callback"
    assert call("POST", path, json={"type": 9, "data": {"title": "t", "custom_id": "c"}}).json()["code"] == 50035
    assert call("POST", path, json={"type": 5, "data": {"flags": 64}}).status_code == 204
    assert call("POST", path, json={"type": 5}).json()["code"] == 40060


def test_a_token_ends_after_fifteen_minutes(call: Caller, socket: ClientConnection, clock: ManualClock) -> None:
    one = pressed(call, socket)
    answer = {"type": 4, "data": {"content": "soon", "flags": 64}}
    call("POST", f"/interactions/{one['id']}/{one['token']}/callback", json=answer)
    original = f"/webhooks/{APPLICATION_ID}/{one['token']}/messages/@original"
    clock.sleep(14 * 60)
    shown = call("PATCH", original, json={"content": "done"}).json()
    assert shown["content"] == "done"
    # a private message stands in no channel
    assert call("GET", f"/channels/{call.fake.channels['status']}/messages/{shown['id']}").json()["code"] == 10008
    clock.sleep(2 * 60)
    assert (call("PATCH", original, json={"content": "x"}).status_code) == 401


def test_members_do_what_the_client_lets_them(call: Caller, socket: ClientConnection) -> None:
    one = pressed(call, socket)
    with pytest.raises(NotPossible, match="has no button Stop"):
        call.fake.ask("click", as_="player", message=one["message"]["id"], label="Stop")
    with pytest.raises(NotPossible, match="no command /none is registered"):
        call.fake.ask("slash", as_="player", channel="status", command="none")
    call.fake.ask("permissions", channel="status", who="players", deny=["view_channel"])
    with pytest.raises(NotPossible, match="does not see message"):
        call.fake.ask("click", as_="player", message=one["message"]["id"], label="Go")
    call.fake.ask("permissions", channel="status", who="players")


def test_webhooks_send_wait_edit_and_delete(call: Caller) -> None:
    made = call.fake.ask("webhooks", channel="alarms")
    files = {"payload_json": (None, json.dumps({"content": "x"})), "files[0]": ("a.png", picture(b"\x00\r\n"))}
    sent = requests.post(f"{made['url']}?wait=true", files=files, timeout=10).json()
    assert sent["attachments"][0]["size"] == len(picture(b"\x00\r\n"))
    path = f"{made['url']}/messages/{sent['id']}"
    assert requests.patch(path, json={"content": "y", "attachments": []}, timeout=10).json()["attachments"] == []
    assert (
        call("PATCH", f"/channels/{sent['channel_id']}/messages/{sent['id']}", json={"content": "z"}).json()["code"]
        == 50005
    )
    assert requests.delete(path, timeout=10).status_code == 204
    assert requests.get(path, timeout=10).json()["code"] == 10008
    assert requests.post(made["url"], json={"content": "x"}, timeout=10).status_code == 204
    assert requests.post(f"{made['url']}x", json={"content": "x"}, timeout=10).json()["code"] == 50027
    call.fake.ask("delete", webhook=made["id"])
    assert requests.post(made["url"], json={"content": "x"}, timeout=10).json()["code"] == 10015


@pytest.mark.parametrize(("token", "intents", "code"), [("no", 1, 4004), (None, 1 << 15, 4014)])
def test_the_gateway_closes_with_its_code(call: Caller, token: str | None, intents: int, code: int) -> None:
    with call.gateway(token, intents) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


def test_a_session_is_resumed_with_what_it_missed(call: Caller, socket: ClientConnection) -> None:
    seen = pressed(call, socket)
    session = next(reversed(call.fake.discord.gateway.sessions.values()))
    call.fake.ask("fault", drop=4000)
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=5)
    with connect(f"{call.fake.url.replace('http', 'ws')}/gateway?v=10&encoding=json") as again:
        again.recv()
        resume = {"token": call.fake.token, "session_id": session.id, "seq": session.sequence - 1}
        again.send(json.dumps({"op": 6, "d": resume}))
        assert json.loads(again.recv())["d"]["id"] == seen["id"]
        assert json.loads(again.recv())["t"] == "RESUMED"
        again.send(json.dumps({"op": 1, "d": session.sequence}))
        assert json.loads(again.recv())["op"] == 11
        call.fake.ask("fault", invalid_session=False)
        assert json.loads(again.recv()) == {"op": 9, "t": None, "s": None, "d": False}
        again.send(json.dumps({"op": 6, "d": resume}))
        assert json.loads(again.recv())["op"] == 9


def test_faults_strike_as_often_as_asked(call: Caller, seconds: Seconds) -> None:
    call.fake.ask("fault", requests={"route": "^POST /channels", "statuses": [500, 503]})
    assert [call.send(content="x").status_code for _ in range(3)] == [500, 503, 200]
    call.fake.ask("fault", requests={"status": 503, "share": 0.5, "seconds": 60})
    struck = sum(call("GET", "/users/@me").status_code == 503 for _ in range(40))
    assert 10 <= struck <= 30
    seconds.value += 61
    assert {call("GET", "/users/@me").status_code for _ in range(10)} == {200}


def test_an_answer_that_gets_lost_was_obeyed(call: Caller) -> None:
    before = len(call.fake.ask("messages", channel="streams"))
    call.fake.ask("fault", requests={"loses_answer": True, "times": 1})
    with pytest.raises(requests.RequestException):
        call.send("streams", content="x")
    assert len(call.fake.ask("messages", channel="streams")) == before + 1


def test_other_sites_cannot_press(call: Caller) -> None:
    plain = requests.post(f"{call.fake.url}/_test/fault", data="{}", headers={"Content-Type": "text/plain"}, timeout=5)
    assert plain.status_code == 415
    strange = requests.get(f"{call.fake.url}/_test/state", headers={"Host": "discord.example:80"}, timeout=5)
    assert strange.status_code == 403
