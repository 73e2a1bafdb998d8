"""A browser that notes what a person would call broken: errors on the console, answers that failed, other hosts."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

WIDTH, HEIGHT = 1600, 1000
# ends what hangs and measures nothing: the machine may be busy, and a run may be building what is looked at
_PATIENCE_SECONDS = 120
# root may start Chromium without its sandbox only, and what it asks of its maker's hosts would be refused or answered
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
_BANNER = re.compile(
    r"unexpected error|graphql error|page not found|failed to load|error loading|something went wrong|"
    r"no asset found|definitions? failed|daemons? not running|unable to|could not be loaded",
    re.IGNORECASE,
)
# the page that dbt brings asks for the text of its own template before it has filled it in, and for an icon
_UNFILLED_TEMPLATE = ("%7B%7B", "$%7Brequire")


def find_chromium() -> str:
    """Return the path of a Chromium of this machine; where there is none, skip, or fail under ``CI=true``."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    reason = "no Chromium on the PATH; Debian and Ubuntu have it in the package chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    expect.set_options(timeout=_PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass(kw_only=True)
class Visit:
    """One window, and what went wrong in it."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error in a script: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.page.wait_for_load_state("networkidle")

    def text(self) -> str:
        return self.page.inner_text("body")

    def wait_for_text(self, pattern: str, *, seconds: float = _PATIENCE_SECONDS) -> re.Match[str]:
        """Return the match of *pattern* in what the page shows, as soon as there is one."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.text())) is None:
            assert time.monotonic() < deadline, f"{pattern!r} is not on {self.page.url}:\n{self.text()}"
            self.page.wait_for_timeout(200)
        return found

    def banners(self) -> list[str]:
        return [line for line in self.text().splitlines() if _BANNER.search(line)]

    def screenshot(self, name: str, folder: Path | None, *, of: str = "body") -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self.page.mouse.move(WIDTH - 2, HEIGHT // 2)  # or what lies under the pointer is highlighted
            self.page.wait_for_timeout(1500)  # the end of animations
            path = folder / f"{name}.png"
            if of == "body":
                self.page.screenshot(path=path)
            else:
                self.page.locator(of).screenshot(path=path)

    def _console(self, message: ConsoleMessage) -> None:
        address = str((message.location or {}).get("url", ""))
        if message.type == "error" and not any(part in address for part in _UNFILLED_TEMPLATE):
            self.faults.append(f"on the console: {message.text} ({address})")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.faults.append(f"asked another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and not any(part in response.url for part in _UNFILLED_TEMPLATE):
            self.faults.append(f"answered {response.status}: {response.url}")


@contextmanager
def visit(browser: Browser) -> Iterator[Visit]:
    """Open a window; at its end nothing may have gone wrong in it."""
    with browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, locale="en-GB", timezone_id="UTC") as context:
        context.set_default_timeout(_PATIENCE_SECONDS * 1000)
        window = Visit(page=context.new_page())
        yield window
        assert window.banners() == []
        assert window.faults == []
