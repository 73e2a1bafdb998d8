"""What the delivery makes of the outbox at a Discord: posts, edits, deletions, refusals, and what a kill leaves."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from pteroassets.alarms.discord_transport import DiscordBot, DiscordWebhook
from pteroassets.alarms.heartbeat import state_of
from pteroassets.alarms.outbox import Button, Embed, Message, put, withdraw
from pteroassets.alarms.service import bury_strays
from pteroassets.alarms.ways import DeferredError, Part, Posted
from pteroassets.platform.outbox import revive
from pteroassets.warehouse.connection import Connection
from tests.alarms.places import Place, place_with

pytestmark = pytest.mark.postgres
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
MINUTE = timedelta(minutes=1)


@pytest.fixture
def place(warehouse: Connection) -> Iterator[Place]:
    with place_with(warehouse) as made:
        yield made


def test_a_message_is_sent_edited_and_deleted_and_what_changed_meanwhile_is_one_edit(place: Place) -> None:
    place.put(
        embeds=(Embed(title="Lobby", image="chart.png"),),
        images={"chart.png": PNG},
        buttons=((Button(custom_id="stop:1", label="Stop", style="danger"),),),
    )
    place.deliver()
    (message,) = place.shown()
    assert message["embeds"][0]["image"]["url"].endswith("/chart.png")
    assert message["components"][0]["components"][0]["custom_id"] == "stop:1"
    for number in range(3):
        place.put(embeds=(Embed(title=f"Lobby {number}", image="chart.png"),), images={"chart.png": PNG + b"new"})
    place.deliver()
    (edited,) = place.shown()
    assert (edited["id"], edited["edits"], edited["embeds"][0]["title"]) == (message["id"], 1, "Lobby 2")
    assert len(edited["attachments"]) == 1
    assert edited["digests"] != message["digests"]
    assert edited["components"] == []
    withdraw(place.warehouse, "one", place.target(), at=place.clock.now())
    place.deliver()
    assert place.shown() == []
    assert place.outcomes() == ["sent", "edited", "deleted"]
    place.put()
    place.deliver()
    assert place.titles() == ["one"]


def test_what_was_withdrawn_before_it_was_sent_is_never_sent(place: Place) -> None:
    place.put()
    withdraw(place.warehouse, "one", place.target(), at=place.clock.now())
    place.deliver()
    assert place.fake.ask("state")["requests"] == 0
    assert place.outcomes() == ["kept"]


def test_what_was_withdrawn_and_is_put_again_before_it_was_deleted_is_a_new_message(place: Place) -> None:
    role = place.fake.roles["operators"]
    place.put(mentions=(f"role:{role}",))
    place.deliver()
    (first,) = place.shown()
    withdraw(place.warehouse, "one", place.target(), at=place.clock.now())
    place.put(mentions=(f"role:{role}",))
    place.deliver()
    (second,) = place.shown()
    assert second["id"] != first["id"], "an edit would ping nobody"
    assert second["pings"] == [f"role:{role}"]


def test_a_message_that_somebody_deleted_is_sent_anew_with_the_next_version(place: Place) -> None:
    place.put(content="x" * 2_500)
    place.deliver()
    first, second = place.shown()
    place.fake.ask("delete", message=first["id"])
    place.put(content="y" * 2_500)
    place.deliver()
    assert [one["content"][0] for one in place.shown()] == ["y", "y"]
    assert {first["id"], second["id"]}.isdisjoint(one["id"] for one in place.shown())
    assert place.outcomes() == ["sent", "missing", "edited"] or place.outcomes() == ["sent", "missing", "sent"]


def test_nobody_is_told_but_who_is_named(place: Place) -> None:
    role, player = place.fake.roles["operators"], place.fake.ask("state")["guilds"][0]["members"]["player"]["id"]
    place.fake.ask("permissions", channel="alarms", allow=["mention_everyone"])
    loud = f"@everyone @here <@{player}> <@&{role}>"
    place.put("quiet", content=loud, embeds=(Embed(title=loud, description=loud),))
    place.put("loud", content="@everyone", mentions=(f"role:{role}", "here"))
    place.deliver()
    quiet, told = place.shown()
    assert quiet["pings"] == []
    assert sorted(told["pings"]) == ["here", f"role:{role}"]


def test_a_long_message_is_split_within_the_limits_and_grows_and_shrinks_in_place(place: Place) -> None:
    place.put(content="\n".join(f"line {number}" for number in range(800)), embeds=(Embed(title="end"),))
    place.deliver()
    several = place.shown()
    assert len(several) == 4
    assert "\n".join(one["content"] for one in several).split() == " ".join(f"line {n}" for n in range(800)).split()
    place.put(content="short")
    place.deliver()
    (left,) = place.shown()
    assert (left["id"], left["content"]) == (several[0]["id"], "short")
    place.put(content="x" * 3_000)
    place.deliver()
    assert [one["id"] == left["id"] for one in place.shown()] == [True, False]


def test_limits_are_heeded_and_a_full_channel_holds_up_no_other(place: Place) -> None:
    for number in range(14):
        place.put(f"many {number}", severity="critical")
    place.put("other", channel="status")
    delivery = place.delivery()
    delivery.make_pass()
    delivery.make_pass()
    assert place.titles("status") == ["other"]
    took = place.deliver(delivery=delivery)
    assert place.titles() == [f"many {number}" for number in range(14)]
    assert place.fake.ask("state")["refused_by_rate"] == 0
    assert timedelta(seconds=9) < took < timedelta(seconds=20)
    assert "deferred" not in place.outcomes("many 13")


def test_grave_messages_go_first(place: Place) -> None:
    for severity in ("info", "warning", "critical"):
        place.put(severity, severity=severity)
    place.deliver()
    assert place.titles() == ["critical", "warning", "info"]


def test_faults_of_discord_are_waited_for_with_growing_pauses(place: Place) -> None:
    place.put()
    place.fault(route="^POST /channels", statuses=[500, 502, 429, 503])
    took = place.deliver()
    assert place.titles() == ["one"]
    assert place.outcomes() == ["deferred"] * 4 + ["sent"]
    assert timedelta(seconds=1 + 2 + 4 + 8) <= took - MINUTE <= timedelta(seconds=20), "and a minute to look again"
    statuses = place.warehouse.execute("select http_status from ops.outbox_deliveries order by delivery_number")
    assert [status for (status,) in statuses] == [500, 502, 429, 503, 200]


@pytest.mark.parametrize(
    ("refuse", "of", "said"),
    [
        ("channel", "target", r"10003.*the channel is gone"),
        ("permission", "target", r"50001.*invite the bot|50013.*let the bot"),
        ("body", "message", "Discord answered 400"),
    ],
)
def test_what_is_refused_for_good_is_dead_with_its_reason_and_can_be_tried_again(
    place: Place, refuse: str, of: str, said: str
) -> None:
    if refuse == "channel":
        place.fake.ask("delete", channel="streams")
    elif refuse == "permission":
        place.fake.ask("permissions", channel="streams", deny=["send_messages"])
    else:
        place.fault(route="^POST /channels", statuses=[400])
    place.put(channel="streams")
    place.put("other")
    place.deliver()
    assert place.titles() == ["other"]
    dead_of, reason = place.column("dead_of, dead_reason")
    assert dead_of == of
    assert re.search(said, reason), reason
    place.deliver()
    assert place.outcomes() == ["dead"], "it is not tried again by itself"
    if refuse == "permission":
        place.fake.ask("permissions", channel="streams", allow=["send_messages"])
        assert revive(place.warehouse, (place.column("id"),)) == 1
        place.deliver()
        assert place.titles("streams") == ["one"]


def test_a_token_that_is_not_accepted_kills_no_message_and_is_not_tried_often(place: Place) -> None:
    good, place.way = place.way, DiscordBot("wrong", clock=place.clock, base=place.fake.url)
    for number in range(20):
        place.put(f"{number}")
    place.deliver(for_=timedelta(minutes=14))
    assert place.fake.ask("state")["statuses"] == {"401": 3}
    place.way = good
    place.deliver()
    assert len(place.titles()) == 20


def test_what_expired_before_it_could_be_sent_is_not_sent_but_said(place: Place) -> None:
    place.put(expires_at=place.clock.now() + MINUTE)
    place.put("sent in time", expires_at=place.clock.now() + MINUTE)
    place.fault(route="^POST /channels", statuses=[500])
    place.delivery().make_pass()
    place.clock.sleep(90)
    place.put("sent in time", content="changed later", expires_at=place.clock.now() - MINUTE)
    place.deliver()
    assert place.titles() == ["sent in time"]
    assert place.shown()[0]["content"] == "changed later"
    assert place.column("dead_reason") == "it expired before it could be sent"


def test_messages_without_a_way_are_dead_with_the_setting_that_is_missing(place: Place) -> None:
    put(place.warehouse, Message(key="one", target="channel:mail", text="x"), at=place.clock.now())
    place.put("by the bot")
    assert bury_strays(place.warehouse, {"discord": None}, place.clock.now()) == 1
    assert place.column("dead_reason") == "PTEROASSETS_CHANNELS names no mail"
    assert place.column("dead_reason", "by the bot") is None


class KilledError(BaseException):
    """Takes the place of SIGKILL: nothing in our code catches it."""


@dataclass
class KilledWay:
    """The bot's way, in a process that dies at the post: before it, or after it with its message there."""

    way: DiscordBot
    at: str
    can_look: bool = True
    status: int | None = None
    blind_looks: int = 0
    nonces: list[str] = field(default_factory=list)

    def post(self, target: str, part: Part, *, nonce: str) -> Posted:
        self.nonces.append(nonce)
        if self.at == "before":
            raise KilledError
        posted = self.way.post(target, part, nonce=nonce)
        if self.at == "after":
            raise KilledError
        return posted

    def edit(self, target: str, message_id: str, part: Part) -> None:
        if self.at == "before the edit":
            raise KilledError
        self.way.edit(target, message_id, part)
        if self.at == "after the edit":
            raise KilledError

    def delete(self, target: str, message_id: str) -> None:
        self.way.delete(target, message_id)
        if self.at == "after the deletion":
            raise KilledError

    def look(self, target: str, *, since: datetime) -> Sequence[Posted]:
        self.blind_looks -= 1
        return [] if self.blind_looks >= 0 else self.way.look(target, since=since)


@pytest.mark.parametrize("at", ["before", "after"])
@pytest.mark.parametrize("hours", [0, 5])
def test_who_is_killed_at_the_post_loses_nothing_and_leaves_one_message(place: Place, at: str, hours: int) -> None:
    bot = place.way
    assert isinstance(bot, DiscordBot)
    for number in range(3):
        place.put(f"{number}")
        place.way = KilledWay(bot, at)
        with pytest.raises(KilledError):
            place.deliver()
    for number in range(150):
        if number % 50 == 0:
            place.clock.sleep(hours * 3_600)
        place.fake.ask("say", as_="player", channel="alarms", content=f"chat {number}")
    place.put("1", content="changed since")
    place.way = bot
    place.deliver()
    ours = [one for one in place.shown() if one["author"]["username"] == "pteroassets"]
    assert sorted(one["embeds"][0]["title"] for one in ours) == ["0", "1", "2"]
    assert [one["content"] for one in ours if one["embeds"][0]["title"] == "1"] == ["changed since"]
    assert ("adopted" in place.outcomes("0")) == (at == "after")
    assert place.warehouse.execute("select count(*) from ops.outbox where sent_version = version").fetchone() == (3,)


@pytest.mark.parametrize("at", ["before the edit", "after the edit", "after the deletion"])
def test_who_is_killed_at_an_edit_or_a_deletion_does_it_again(place: Place, at: str) -> None:
    bot = place.way
    assert isinstance(bot, DiscordBot)
    place.put()
    place.deliver()
    if at == "after the deletion":
        withdraw(place.warehouse, "one", place.target(), at=place.clock.now())
    else:
        place.put(content="new")
    place.way = KilledWay(bot, at)
    with pytest.raises(KilledError):
        place.deliver()
    place.way = bot
    place.deliver()
    assert [one["content"] for one in place.shown()] == ([] if at == "after the deletion" else ["new"])


def test_an_answer_that_got_lost_leaves_one_message(place: Place) -> None:
    place.put()
    place.fault(route="^POST /channels", times=1, loses_answer=True)
    place.deliver()
    assert place.titles() == ["one"]
    assert place.outcomes() == ["deferred", "adopted", "edited"]


def test_a_double_that_shows_only_later_is_deleted(place: Place) -> None:
    bot = place.way
    assert isinstance(bot, DiscordBot)
    place.put()
    place.way = KilledWay(bot, "after")
    with pytest.raises(KilledError):
        place.deliver()
    place.clock.sleep(1_800)  # Discord knows the nonce for some minutes only
    place.fake.discord.messages[int(place.shown()[0]["id"])].nonce = None
    place.way = KilledWay(bot, "never", blind_looks=1)
    delivery = place.delivery()
    delivery.make_pass()
    assert place.titles() == ["one", "one"], "the first one was not seen yet"
    place.deliver(delivery=delivery)
    assert place.titles() == ["one"]
    assert [one["id"] for one in place.shown()] == [place.column("message_id")]
    assert place.outcomes()[-1] == "double_removed"


def test_what_a_message_of_another_row_says_is_not_taken_for_a_double(place: Place) -> None:
    bot = place.way
    assert isinstance(bot, DiscordBot)
    twin = {"embeds": (Embed(title="the same"),)}
    place.put("first", **twin)
    place.deliver()
    place.put("second", **twin)
    place.way = KilledWay(bot, "before")
    with pytest.raises(KilledError):
        place.deliver()
    place.way = bot
    place.deliver()
    assert place.titles() == ["the same", "the same"]
    assert place.column("message_id", "first") != place.column("message_id", "second")


def test_a_bot_that_may_not_read_the_history_sends_all_the_same_and_says_so(place: Place) -> None:
    bot = place.way
    assert isinstance(bot, DiscordBot)
    place.fake.ask("permissions", channel="alarms", deny=["read_message_history"])
    place.put()
    place.way = KilledWay(bot, "before")
    with pytest.raises(KilledError):
        place.deliver()
    place.way = bot
    place.deliver()
    reasons = place.warehouse.execute("select reason from ops.outbox_deliveries where reason is not null").fetchall()
    assert len(place.fake.discord.messages) == 1
    assert place.column("sent_version") == 1
    assert reasons == [] or "cannot be looked for" in reasons[0][0]


def test_half_of_all_calls_refused_for_a_minute_lose_nothing_and_keep_the_order(warehouse: Connection) -> None:
    with place_with(warehouse) as place:
        channels = [place.fake.ask("channels", name=f"cards-{number}")["id"] for number in range(20)]
        for number in range(500):
            message = Message(key=f"card {number}", target=f"discord:{channels[number % 20]}", content="v1")
            put(warehouse, message, at=place.clock.now())
        place.fault(status=500, share=0.5, seconds=60, route="")
        delivery = place.delivery()
        seen: dict[str, list[str]] = {}
        begun = place.clock.now()
        place.deliver(for_=timedelta(seconds=40), delivery=delivery)
        for number in range(500):
            message = Message(key=f"card {number}", target=f"discord:{channels[number % 20]}", content="v2")
            put(warehouse, message, at=place.clock.now())
        place.deliver(for_=timedelta(minutes=4), delivery=delivery)
        shown = [one for channel in channels for one in place.fake.ask("messages", channel=channel)]
        assert [one["content"] for one in shown] == ["v2"] * 500
        caught_up = warehouse.execute("select max(sent_at) from ops.outbox").fetchone()
        assert caught_up is not None
        assert caught_up[0] - begun < timedelta(minutes=5)
        for key, version in warehouse.execute(
            "select key, version from ops.outbox_deliveries where outcome in ('sent', 'edited') "
            "order by delivery_number"
        ):
            seen.setdefault(key, []).append(version)
        assert len(seen) == 500
        assert all(versions == sorted(versions) for versions in seen.values())
        assert place.fake.ask("state")["faults_struck"] > 300


def test_a_webhook_sends_edits_and_deletes_and_is_given_up_when_it_is_gone(place: Place) -> None:
    made = place.fake.ask("webhooks", channel="alarms", name="night watch")
    place.way, place.name = DiscordWebhook(made["url"], clock=place.clock), "webhook:watch"

    def say(text: str) -> None:
        put(place.warehouse, Message(key="one", target="webhook:watch", content=text), at=place.clock.now())

    say("down")
    place.deliver()
    say("up")
    place.deliver()
    (message,) = place.shown()
    assert (message["content"], message["edits"], message["author"]["username"]) == ("up", 1, "night watch")
    withdraw(place.warehouse, "one", "webhook:watch", at=place.clock.now())
    place.deliver()
    assert place.shown() == []
    say("again")
    place.fault(route="^POST /webhooks", times=1, loses_answer=True)
    place.deliver()
    assert [one["content"] for one in place.shown()] == ["again", "again"], "a webhook cannot look"
    last = place.warehouse.execute("select reason from ops.outbox_deliveries order by delivery_number desc limit 1")
    assert last.fetchone() == ("an earlier attempt may have arrived, too: a webhook cannot look",)
    place.fake.ask("delete", webhook=made["id"])
    say("too late")
    place.deliver()
    assert "10015" in place.column("dead_reason")
    assert made["token"] not in place.column("dead_reason")


def test_nothing_that_is_said_of_a_failure_holds_the_address(
    place: Place, caplog: pytest.LogCaptureFixture, warehouse: Connection
) -> None:
    caplog.set_level("DEBUG")
    secret = "s3cr3t-of-a-webhook"
    place.name = "webhook:gone"
    place.way = DiscordWebhook(f"http://127.0.0.1:9/api/webhooks/1/{secret}", clock=place.clock)
    put(warehouse, Message(key="one", target="webhook:gone", content="x"), at=place.clock.now())
    place.delivery().make_pass()
    (reason,) = warehouse.execute("select reason from ops.outbox_deliveries").fetchone() or ("",)
    assert "no answer from Discord (Connection refused)" in reason
    assert secret not in caplog.text + reason


def test_a_message_that_changes_again_and_again_is_silence_all_the_same(place: Place) -> None:
    place.put()
    place.deliver()
    place.fault(status=503, share=1.0, seconds=3600)
    for number in range(5):
        place.clock.move_to(place.clock.now() + 5 * MINUTE)
        place.put(content=f"as of {number}")
        place.delivery().make_pass()
    found = state_of(place.warehouse, ["discord"], place.clock.now())
    assert "1 message waits, the oldest since 2026-03-01 12:05 UTC" in found.faults[0]


def test_a_global_refusal_closes_the_whole_way(place: Place) -> None:
    error = DeferredError("429", status=429, wait_seconds=30, whole_way=True)

    class Refusing(KilledWay):
        def post(self, target: str, part: Part, *, nonce: str) -> Posted:  # noqa: ARG002 - the way's signature
            self.nonces.append(nonce)
            raise error

    assert isinstance(place.way, DiscordBot)
    refusing = Refusing(place.way, "never")
    place.way = refusing
    place.put("a")
    place.put("b", channel="status")
    delivery = place.delivery()
    for _ in range(3):
        delivery.make_pass()
    assert len(refusing.nonces) == 1
    assert delivery.next_at() == place.clock.now() + timedelta(seconds=30)
