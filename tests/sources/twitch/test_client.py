"""The client asks the stub of Twitch, whose tokens end and whose lists come by pages."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from pteroassets.clock import ManualClock
from pteroassets.simulator.twitch.serve import FakeTwitch
from pteroassets.sources.twitch.client import TwitchClient, TwitchError

START = datetime(2026, 10, 28, 20, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def twitch(clock: ManualClock) -> Iterator[FakeTwitch]:
    with FakeTwitch(clock) as running:
        yield running


@pytest.fixture
def client(twitch: FakeTwitch, clock: ManualClock) -> TwitchClient:
    return client_of(twitch, clock)


def client_of(twitch: FakeTwitch, clock: ManualClock, secret: str | None = None) -> TwitchClient:
    return TwitchClient(
        twitch.client_id, secret or twitch.twitch.client_secret, clock=clock, api=twitch.url, identity=twitch.url
    )


def asked(twitch: FakeTwitch, path: str) -> int:
    return sum(count for name, count in twitch.twitch.requests.items() if name.endswith(path))


def test_streams_of_many_streamers_take_a_request_a_hundred(twitch: FakeTwitch, client: TwitchClient) -> None:
    logins = [f"streamer{n}" for n in range(150)]
    twitch.twitch.go_live("streamer3", title="First")
    twitch.twitch.go_live("streamer149", title="Last")
    twitch.twitch.go_live("somebody_else")
    found = {one.login: one for one in client.streams(logins)}
    assert set(found) == {"streamer3", "streamer149"}
    assert found["streamer3"].started_at == START
    assert found["streamer149"].record["title"] == "Last"
    assert asked(twitch, "/helix/streams") == 2
    assert client.users(["streamer3", "nobody"])[0].user_id == found["streamer3"].user_id


def test_every_page_of_clips_is_read(twitch: FakeTwitch, client: TwitchClient) -> None:
    user = twitch.twitch.add_user("a")
    for number in range(230):
        twitch.twitch.add_clip("a", str(number), created_at=START - timedelta(minutes=number))
    twitch.twitch.add_clip("a", "too old", created_at=START - timedelta(hours=5))
    clips = client.clips(user["id"], START - timedelta(hours=4))
    assert sorted(int(one.record["title"]) for one in clips) == list(range(230))
    assert asked(twitch, "/helix/clips") == 3


def test_a_token_is_validated_each_hour_and_renewed_before_it_ends(
    twitch: FakeTwitch, client: TwitchClient, clock: ManualClock
) -> None:
    for _ in range(4 * 25):
        client.streams(["a"])
        clock.sleep(900)
    assert asked(twitch, "/oauth2/token") == 1
    assert asked(twitch, "/oauth2/validate") == 24
    clock.sleep(timedelta(days=58, hours=22, minutes=1).total_seconds())
    client.streams(["a"])
    assert asked(twitch, "/oauth2/token") == 2


def test_a_token_that_was_taken_back_is_replaced_at_once(twitch: FakeTwitch, client: TwitchClient) -> None:
    client.streams(["a"])
    twitch.twitch.expire_tokens()
    twitch.twitch.go_live("a")
    assert len(client.streams(["a"])) == 1
    assert asked(twitch, "/oauth2/token") == 2


def test_a_validation_that_fails_replaces_the_token(
    twitch: FakeTwitch, client: TwitchClient, clock: ManualClock
) -> None:
    client.streams(["a"])
    twitch.twitch.expire_tokens()
    clock.sleep(3601)
    client.streams(["a"])
    # no list was refused meanwhile
    assert (asked(twitch, "/oauth2/token"), asked(twitch, "/helix/streams")) == (2, 2)


def test_a_wrong_secret_is_told_without_it(twitch: FakeTwitch, clock: ManualClock) -> None:
    with pytest.raises(TwitchError, match="PTEROASSETS_TWITCH_CLIENT_SECRET") as refused:
        client_of(twitch, clock, secret="wrong-secret").streams(["a"])
    assert "wrong-secret" not in str(refused.value)


def test_a_limit_says_how_long_to_wait(clock: ManualClock) -> None:
    with FakeTwitch(clock, limit=2) as twitch:
        client = client_of(twitch, clock)
        client.streams(["a"])
        client.streams(["a"])
        with pytest.raises(TwitchError, match="limit") as refused:
            client.streams(["a"])
        assert 59 < refused.value.wait_seconds <= 61
        clock.sleep(refused.value.wait_seconds)
        client.streams(["a"])


def test_a_preview_becomes_a_png(twitch: FakeTwitch, client: TwitchClient) -> None:
    stream = twitch.twitch.go_live("a")
    picture = Image.open(io.BytesIO(client.picture(stream["thumbnail_url"])))
    assert (picture.format, picture.size) == ("PNG", (854, 480))
    with pytest.raises(TwitchError, match="no preview"):
        client.picture(f"{twitch.url}/nothing.jpg")


def test_a_failure_names_the_list(twitch: FakeTwitch, client: TwitchClient) -> None:
    twitch.twitch.refused_with = [503]
    with pytest.raises(TwitchError, match="/helix/streams answered 503"):
        client.streams(["a"])
