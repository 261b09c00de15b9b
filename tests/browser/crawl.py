"""Every page that links lead to, one address for each kind of page. New pages are found by themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from browser.looking import path_of
from flask import Flask
from playwright.sync_api import Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from lotseal.trace import settings
from lotseal.trace.system import open_system
from lotseal.web import create_app

USUAL = 1
MORE = {
    "batches.show": 6, "certificates.show": 4, "passport.item": 2, "reports.show": 2, "labels.show": 2, "labs.show": 5,
}  # fmt: skip
"""Pages that look different in each state are looked at more often."""
NO_PAGES = (
    "static", "media.picture", "reports.page", "reports.file", "certificates.page", "certificates.file",
    "batches.document", "log_desk.raw", "log_desk.content", "log_desk.proof",
    "labels.example", "labels.symbol", "labels.sheet", "labels.preview", "products.symbol",
    "evidence.batch", "evidence.certificate", "evidence.item", "log.checkpoint", "log.policy",
)  # fmt: skip
"""Images, texts and downloads."""
LINKS = """() => [...document.querySelectorAll('a[href]:not([download])')].map(link => link.href)"""


def application(data: str) -> Flask:
    """The application of a site, to ask it which view an address belongs to."""
    return create_app(open_system(settings.load({"LOTSEAL_DATA": data})))


def _opens(rule: Rule) -> bool:
    return "GET" in (rule.methods or ())


class Kinds:
    """Tells pages of one kind: the view, and which filter of it."""

    def __init__(self, app: Flask) -> None:
        self.urls = app.url_map.bind("localhost")
        rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/staff") and _opens(rule)]
        self.staff = {rule.endpoint for rule in rules} - {*NO_PAGES}

    def view(self, address: str) -> str:
        try:
            return str(self.urls.match(urlsplit(address).path, method="GET")[0])
        except HTTPException:
            return ""


def walk(page: Page, start: list[str], kinds: Kinds, look: Callable[[str], None] | None = None) -> dict[str, str]:
    """Addresses with their view, from the starting pages on. Each page is opened once and `look` is called on it.
    Follows links of this site only."""
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    waiting, known = list(start), set(start)
    while waiting:
        address = waiting.pop(0)
        view = kinds.view(address)
        if not view or view in NO_PAGES or seen[view] >= MORE.get(view, USUAL):
            continue
        page.goto(address)
        seen[view] += 1
        found[address] = view
        here = _origin(page.url)
        links = [link for link in page.evaluate(LINKS) if _origin(link) == here and not _switches(link)]
        for path in map(path_of, links):
            if path not in known:
                known.add(path)
                waiting.append(path)
        if look:
            look(address)
    return found


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _switches(link: str) -> bool:
    """Links that only sort, page or switch language and theme lead to the same kind of page."""
    return bool({"sort", "page", "lang", "theme"} & parse_qs(urlsplit(link).query).keys())
