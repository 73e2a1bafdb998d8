"""No secret in the text of an error."""

from __future__ import annotations

import pytest

from pteroassets.sources.pterodactyl.errors import scrub


@pytest.mark.parametrize(
    "text",
    [
        "HTTPConnectionPool: Max retries exceeded with url: /download/file?token=CANARY (Caused by x)",
        "GET https://node.example.com:8080/download/file?token=CANARY failed",
        "https://mira:CANARY@panel.example.com/api",
        "{'Authorization': 'Bearer CANARY'}",
        "the key ptla_CANARY and ptlc_CANARY",
        "token eyJCANARY.eyJCANARY.CANARY",
    ],
)
def test_secrets_are_cut_out_of_a_text(text: str) -> None:
    assert "CANARY" in text
    assert "CANARY" not in scrub(text)


def test_what_is_no_secret_stays() -> None:
    assert scrub("https://panel.example.com/api/client: is it up?") == "https://panel.example.com/api/client: is it up?"
