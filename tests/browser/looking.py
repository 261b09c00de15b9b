"""Looking at pages: windows that note whatever a page must not do, the accessibility checker, screenshots."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from browser.stage import Account, Site
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
NARROW = {"width": 320, "height": 640}
LANGUAGES = ("zh", "en")
THEMES = ("light", "dark")
HTML_LANG = {"zh": "zh-Hans", "en": "en"}
ACCEPT = {"zh": "zh-CN", "en": "en-GB"}

PATIENCE_MS = 60_000
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"

# Browsers write this line for every page that answers with 4xx on purpose; it says nothing about the page's content.
_STATUS_LINE = re.compile(r"Failed to load resource: the server responded with a status of (4\d\d|503)")


@dataclass
class Witness:
    """What pages did that no page may do."""

    origin: str
    wrongs: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.wrongs.append(f"script error: {error.error}"))
        context.on("dialog", self._dialog)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin + "/", "data:", "blob:")):
            self.wrongs.append(f"asked another host: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        page = message.page.url if message.page else ""
        own_status = _STATUS_LINE.match(message.text) and message.location["url"] == page
        if not own_status:
            self.wrongs.append(f"console at {page}: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        # Our own questions before a grave act are answered with yes; nothing else may ask.
        if dialog.type != "confirm":
            self.wrongs.append(f"dialog: {dialog.message}")
        dialog.accept()


class Visitors:
    """Opens windows, each of a visitor of its own, on one site."""

    def __init__(self, browser: Browser, site: Site, witness: Witness) -> None:
        self.browser, self.site, self.witness = browser, site, witness
        self.contexts: list[BrowserContext] = []

    def page(
        self,
        lang: str = "en",
        *,
        size: dict[str, int] = DESKTOP,
        theme: str = "light",
        scripts: bool = True,
        agent: str = "",
        policy: bool = True,
    ) -> Page:
        """A page in a fresh window. `agent` names another phone; `policy` False lets a test put in its own tool."""
        extra: dict[str, Any] = {"user_agent": f"Mozilla/5.0 (test; {agent})"} if agent else {}
        context = self.browser.new_context(
            base_url=self.site.origin,
            locale=ACCEPT[lang],
            viewport=size,
            color_scheme=theme,
            java_script_enabled=scripts,
            bypass_csp=not policy,
            reduced_motion="reduce",
            accept_downloads=True,
            **extra,
        )
        context.set_default_timeout(PATIENCE_MS)
        self.witness.watch(context)
        self.contexts.append(context)
        return context.new_page()

    def close(self) -> None:
        for context in self.contexts:
            context.close()


def sign_in(page: Page, account: Account, *, to: str = "") -> None:
    """Through the form, as people do."""
    page.goto(to or "/staff/sign-in")
    page.locator("#f-login").fill(account.login)
    page.locator("#f-password").fill(account.password)
    with page.expect_navigation():
        page.locator("main form button").first.click()
    assert "/staff/sign-in" not in page.url, page.locator("main").inner_text()


def violations(page: Page, **options: Any) -> list[str]:
    """What axe-core finds on the page, one line each with the place."""
    found = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [f"{path_of(page.url)}: {one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


COLOURS_ONLY = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""For the second theme of a page: the style sheet changes nothing but colours."""


def shoot(page: Page, name: str) -> None:
    """A picture of the whole page into screenshots/, when somebody wants them."""
    if os.environ.get("LOTSEAL_SCREENSHOTS"):
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
