"""The page of the fake shows the channels to a person, who presses and types there, in a real browser."""

from __future__ import annotations

import io
from collections.abc import Iterator

import discord
import pytest
from playwright.sync_api import expect

from pteroassets.simulator.discord.serve import FakeDiscord
from tests.end_to_end.slow.browser import Visit, chromium, find_chromium, visit
from tests.simulator.discord.bot import Restart, Running, picture

pytestmark = pytest.mark.browser


@pytest.fixture
def fake() -> Iterator[FakeDiscord]:
    with FakeDiscord() as running:
        yield running


@pytest.fixture
def running(fake: FakeDiscord) -> Iterator[Running]:
    with Running(fake) as one:
        yield one


@pytest.fixture
def window() -> Iterator[Visit]:
    with chromium(find_chromium()) as browser, visit(browser) as opened:
        opened.page.set_viewport_size({"width": 1280, "height": 900})
        yield opened


def test_a_person_reads_presses_and_types(fake: FakeDiscord, running: Running, window: Visit) -> None:
    page = window.page
    embed = discord.Embed(title="lobby <b>", description="**running** on `node-1`", colour=0x2ECC71)
    for name in ("CPU", "Memory", "Players"):
        embed.add_field(name=name, value="some_name")
    embed.set_image(url="attachment://chart.png")
    file = discord.File(io.BytesIO(picture(b"")), filename="chart.png", description="CPU and memory")
    card = running.do(running.channel("status").send(embed=embed, file=file, view=Restart(fake.roles["operators"])))
    page.goto(fake.url)
    article = page.locator("article.embed")
    expect(article.locator(".title")).to_have_text("lobby <b>")
    expect(article.locator("strong")).to_have_text("running")
    assert len({box["y"] for field in article.locator(".field").all() if (box := field.bounding_box())}) == 1
    expect(article.locator("img")).to_have_attribute("alt", "CPU and memory")
    assert page.request.get(article.locator("img").get_attribute("src") or "").body() == picture(b"")

    page.select_option("#member", label="player (players)")
    page.get_by_role("button", name="Restart").click()
    private = page.locator("li.private")
    expect(private).to_contain_text("you may not")
    expect(private).to_contain_text("Only you can see this")
    page.select_option("#member", label="operator (operators)")
    expect(private).to_have_count(0)
    page.get_by_role("button", name="Restart").click()
    expect(private).to_contain_text("restarted")

    # edits and unread messages show by themselves
    running.do(card.edit(embed=discord.Embed(title="lobby, again")))
    expect(article.locator(".title")).to_have_text("lobby, again")
    running.do(
        running.channel("alarms").send(
            f"<@&{fake.roles['operators']}>", allowed_mentions=discord.AllowedMentions(roles=True)
        )
    )
    page.get_by_role("button", name="# alarms").get_by_title("new messages").click()
    expect(page.locator("li.called")).to_contain_text("notified @operators")

    page.fill("#entry", "/sta")
    page.get_by_role("button", name="/status").click()
    page.fill("#options [name=server]", "lo")
    page.get_by_role("button", name="lo2").click()
    page.get_by_role("button", name="Send").click()
    expect(private).to_contain_text("operator used /status")
    expect(private).to_contain_text("lo2 for 1 h")
    page.fill("#entry", "/why")
    page.get_by_role("button", name="Send").click()
    page.locator("#modal").get_by_label("Reason").fill("an update")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("li.private").last).to_contain_text("because an update")
