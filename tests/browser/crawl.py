"""Every page that links lead to, one address for each kind of page. New pages are found by themselves."""

from __future__ import annotations

from collections import Counter
from urllib.parse import parse_qs, urlsplit

from browser.looking import path_of
from flask import Flask
from playwright.sync_api import Page
from werkzeug.exceptions import HTTPException

from lotseal.trace import settings
from lotseal.trace.system import open_system
from lotseal.web import create_app

USUAL = 1
MORE = {"batches.show": 6, "certificates.show": 4, "passport.item": 2, "reports.show": 2, "labels.show": 2}
"""Pages that look different in each state are looked at more often."""
NO_PAGES = ("static", "media.picture")
LINKS = """() => [...document.querySelectorAll('a[href]:not([download])')].map(link => link.href)"""


def application(data: str) -> Flask:
    """The application of a site, to ask it which view an address belongs to."""
    return create_app(open_system(settings.load({"LOTSEAL_DATA": data})))


class Kinds:
    """Tells pages of one kind: the view, and which filter of it."""

    def __init__(self, app: Flask) -> None:
        self.urls = app.url_map.bind("localhost")

    def view(self, address: str) -> str:
        try:
            return str(self.urls.match(urlsplit(address).path, method="GET")[0])
        except HTTPException:
            return ""


def walk(page: Page, start: list[str], kinds: Kinds) -> dict[str, str]:
    """Addresses with their view, from the starting pages on. Follows links of this site only."""
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    waiting = list(start)
    known = set(start)
    while waiting:
        address = waiting.pop(0)
        view = kinds.view(address)
        if not view or view in NO_PAGES or seen[view] >= MORE.get(view, USUAL):
            continue
        answer = page.goto(address)
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        seen[view] += 1
        found[address] = view
        for link in page.evaluate(LINKS):
            parts = urlsplit(link)
            if f"{parts.scheme}://{parts.netloc}" != _origin(page.url) or _switches(parts.query):
                continue
            if path_of(link) not in known:
                known.add(path_of(link))
                waiting.append(path_of(link))
    return found


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _switches(query: str) -> bool:
    """Links that only sort, page or switch language and theme lead to the same kind of page."""
    return bool({"sort", "page", "lang", "theme"} & parse_qs(query).keys())
