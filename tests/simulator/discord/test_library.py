"""The real library connects to the fake and does what a bot does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import discord
import pytest
import requests

from pteroassets.simulator.discord.rates import Rate
from pteroassets.simulator.discord.serve import FakeDiscord
from tests.simulator.discord.bot import Running, file_of, picture


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeDiscord]:
    with FakeDiscord(rates={"PATCH /channels/{channel}/messages/{message}": Rate(5, 1.0)}) as running:
        yield running


@pytest.fixture(scope="module")
def running(fake: FakeDiscord) -> Iterator[Running]:
    with Running(fake) as one:
        yield one


@pytest.fixture(autouse=True)
def _empty(fake: FakeDiscord) -> Iterator[None]:
    yield
    fake.ask("fault", clear=True)


@pytest.mark.usefixtures("running")
def test_a_command_is_answered_to_its_member_alone(fake: FakeDiscord) -> None:
    came = fake.ask(
        "slash", as_="player", channel="commands", command="status", options={"server": "lobby", "hours": 3}
    )
    assert came["answer"] == 4
    assert came["is_private"]
    assert came["messages"][0]["content"] == "lobby for 3 h"
    assert fake.ask("messages", channel="commands")[-1]["private_to"] == "player"


@pytest.mark.usefixtures("running")
def test_an_option_completes_itself(fake: FakeDiscord) -> None:
    came = fake.ask(
        "autocomplete", as_="player", channel="commands", command="status", focused="server", options={"server": "lo"}
    )
    assert [choice["value"] for choice in came["choices"]] == ["lo0", "lo1", "lo2"]


@pytest.mark.usefixtures("running")
def test_a_deferred_answer_takes_the_place_of_thinking(fake: FakeDiscord) -> None:
    came = fake.ask("slash", as_="player", channel="commands", command="card")
    assert came["answer"] == 5
    assert len(came["messages"]) == 1
    assert came["messages"][0]["content"] == "here"
    assert not came["messages"][0]["flags"] & 1 << 7


@pytest.mark.usefixtures("running")
def test_a_button_is_refused_without_the_role_and_obeys_with_it(fake: FakeDiscord) -> None:
    card = fake.ask("slash", as_="player", channel="status", command="card")["messages"][0]["id"]
    refused = fake.ask("click", as_="player", message=card, label="Restart")
    assert refused["messages"][0]["content"] == "you may not"
    obeyed = fake.ask("click", as_="operator", message=card, custom_id="restart:1")
    assert (obeyed["answer"], obeyed["is_private"]) == (5, True)
    assert obeyed["messages"][0]["content"] == "restarted"


@pytest.mark.usefixtures("running")
def test_a_modal_comes_back_with_its_text(fake: FakeDiscord) -> None:
    asked = fake.ask("slash", as_="operator", channel="commands", command="why", until="answer")
    assert asked["modal"]["title"] == "Why?"
    came = fake.ask("modal", interaction=asked["id"], values={"why": "an update"})
    assert came["messages"][0]["content"] == "because an update"


def test_an_edit_replaces_the_picture(fake: FakeDiscord, running: Running) -> None:
    channel = running.channel("status")
    embed = discord.Embed(title="lobby").set_image(url="attachment://chart.png")
    first, second = picture(b"one\r\n\r\n\x00\xff"), picture(b"two\n\r")
    message = running.do(channel.send(embed=embed, file=file_of(first)))
    address = message.embeds[0].image.url
    assert requests.get(address, timeout=5).content == first
    running.do(message.edit(embed=embed, attachments=[file_of(second)]))
    now = fake.ask("messages", channel="status")[-1]
    assert now["digests"] == [hashlib.sha256(second).hexdigest()]
    assert (now["attachments"][0]["width"], now["attachments"][0]["height"]) == (64, 32)
    assert now["attachments"][0]["description"] == "CPU and memory"
    assert requests.get(now["embeds"][0]["image"]["url"], timeout=5).content == second
    assert requests.get(address, timeout=5).status_code == 404


def test_edits_heed_the_headers(fake: FakeDiscord, running: Running) -> None:
    message = running.do(running.channel("alarms").send("0"))
    before = fake.ask("state")["refused_by_rate"]
    for number in range(7):
        running.do(message.edit(content=str(number)))
    assert fake.ask("messages", channel="alarms")[-1]["content"] == "6"
    assert fake.ask("state")["refused_by_rate"] == before


@pytest.mark.parametrize("fault", [{"drop": 4000}, {"reconnect": True}], ids=["dropped", "asked"])
def test_a_lost_connection_is_resumed(fake: FakeDiscord, running: Running, fault: dict[str, object]) -> None:
    before = fake.ask("state")["gateway"]
    fake.ask("fault", **fault)
    assert running.bot.resumes.acquire(timeout=20)
    after = fake.ask("state")["gateway"]
    assert (after["identifies"], after["resumes"]) == (before["identifies"], before["resumes"] + 1)
    assert fake.ask("slash", as_="guest", channel="commands", command="status", options={"server": "a"})["answer"] == 4


def test_a_deleted_message_and_a_late_answer_are_named(fake: FakeDiscord, running: Running) -> None:
    message = running.do(running.channel("alarms").send("soon gone"))
    fake.ask("delete", message=message.id)
    with pytest.raises(discord.NotFound) as gone:
        running.do(message.edit(content="too late"))
    assert gone.value.code == 10008


def test_two_failures_are_retried_by_the_library(fake: FakeDiscord, running: Running) -> None:
    fake.ask("fault", requests={"route": "POST /channels", "statuses": [502]})
    sent = running.do(running.channel("streams").send("in the end"))
    assert sent.content == "in the end"
    assert fake.ask("state")["statuses"]["502"] == 1
