"""Messages within Discord's limits: what is split, what is shortened, and that the loss is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.alarms.outbox import Body, Embed, Field
from pteroassets.alarms.parts import digest_of, parts_of, shortened
from pteroassets.alarms.ways import Part, plain

TEXTS = st.builds(
    lambda piece, times: piece * times,
    st.sampled_from(["a", "🎮", "ж ", "line\n", " ", "@everyone "]),
    st.one_of(st.integers(0, 30), st.integers(0, 9_000)),
)
FIELDS = st.builds(lambda name, value: Field(name=name, value=value), TEXTS, TEXTS)
EMBEDS = st.builds(
    lambda title, description, fields, footer: Embed(
        title=title, description=description, fields=tuple(fields), footer=footer
    ),
    TEXTS,
    TEXTS,
    st.lists(FIELDS, max_size=27),
    TEXTS,
)


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def require_within_limits(part: Part) -> None:
    payload = part.payload
    assert units(payload["content"]) <= 2_000
    assert len(payload["embeds"]) <= 10
    size = 0
    for embed in payload["embeds"]:
        texts = {"title": 256, "description": 4_096}
        for name, limit in texts.items():
            assert units(embed.get(name, "")) <= limit
        footer = (embed.get("footer") or {}).get("text", "")
        assert units(footer) <= 2_048
        assert len(embed.get("fields", [])) <= 25
        size += sum(units(embed.get(name, "")) for name in texts) + units(footer)
        for one in embed.get("fields", []):
            assert 0 < units(one["name"]) <= 256
            assert 0 < units(one["value"]) <= 1_024
            size += units(one["name"]) + units(one["value"])
    assert size <= 6_000


@given(content=TEXTS, embeds=st.lists(EMBEDS, max_size=3), told=st.booleans())
def test_whatever_is_written_fits(content: str, embeds: list[Embed], *, told: bool) -> None:
    mentions = ("here", "role:" + "9" * 19) if told else ()
    parts = parts_of(Body(content=content, embeds=tuple(embeds), mentions=mentions), {})
    assert 1 <= len(parts) <= 5
    for part in parts:
        require_within_limits(part)


def test_what_is_too_long_for_five_messages_is_cut_and_that_is_said() -> None:
    embeds = [Embed(fields=tuple(Field(name=f"{n}", value="x" * 900) for n in range(20))) for _ in range(3)]
    *_, last = parts_of(Body(content="y" * 500, embeds=tuple(embeds)), {})
    said = last.payload["content"]
    kept = 60 - int(said.split("too long: ")[1].split(" more fields")[0])
    parts = parts_of(Body(content="y" * 500, embeds=tuple(embeds)), {})
    assert sum(len(embed.get("fields", [])) for part in parts for embed in part.payload["embeds"]) == kept
    assert 0 < kept < 60


def test_a_shortened_text_says_how_long_it_was() -> None:
    text = shortened("a" * 3_000, 1_024)
    assert len(text) == 1_024
    assert text.endswith("a… (3,000 characters, shortened)")
    assert shortened("short", 1_024) == "short"


def test_a_text_is_cut_between_lines_and_characters_stay_whole() -> None:
    lines = "\n".join("x" * 99 for _ in range(50))
    first, second, third = (part.payload["content"] for part in parts_of(Body(content=lines), {}))
    assert f"{first}\n{second}\n{third}" == lines
    faces = "".join(part.payload["content"] for part in parts_of(Body(content="🎮" * 1_500), {}))
    assert faces == "🎮" * 1_500


def test_an_image_goes_with_the_embed_that_shows_it_and_buttons_stand_at_the_end() -> None:
    body = Body(
        embeds=(Embed(description="x" * 4_000), Embed(description="y" * 4_000, image="b.png")),
        images={"a.png": "1", "b.png": "2"},
    )
    first, second = parts_of(body, {"a.png": b"a", "b.png": b"b"})
    assert ([*first.files], [*second.files]) == (["a.png"], ["b.png"])
    assert second.payload["embeds"][0]["image"] == {"url": "attachment://b.png"}


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"id": "1", "nonce": "x", "type": 0}, True),
        ({"content": " hello  there "}, True),
        ({"content": "hello here"}, False),
        ({"embeds": [{"type": "rich", "title": "t", "image": {"url": "https://cdn.example.com/1"}}]}, True),
        ({"embeds": [{"title": "t", "color": 5}]}, False),
        ({"components": [{"type": 1, "components": [{"type": 2, "custom_id": "x"}]}]}, False),
    ],
)
def test_a_message_is_recognised_by_what_it_shows(change: dict[str, object], *, is_same: bool) -> None:
    sent = {"content": "hello there", "embeds": [{"title": "t"}], "components": []}
    assert (digest_of({**sent, **change}) == digest_of(sent)) == is_same


def test_an_embed_in_plain_words() -> None:
    body = Body(embeds=(Embed(title="Down", description="since noon", fields=(Field(name="Node", value="fra-1"),)),))
    assert plain(body) == "Down\nsince noon\nNode: fra-1"
    assert plain(Body(content="x", text="said so")) == "said so"
