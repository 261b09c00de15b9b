"""Markup that slipped into the store by a back door is shown as text on every page, and runs nowhere."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from browser.crawl import Kinds, application, walk
from browser.looking import Visitors, sign_in
from browser.stage import Site

from lotseal.trace.passport.model import State

PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(2)</script>',
    "'-alert(3)-'",
    "<svg/onload=alert(4)>",
    "{{ 7 * 7 }}</title><script>alert(5)</script>",
)
FACTS = {
    "supplier": ("name_zh", "name_en", "contact", "licence", "suspended_reason", "added_by"),
    "account": ("name", "added_by"),
    "category": ("name_zh", "name_en"),
    "laboratory": ("name_zh", "name_en", "note", "suspended_reason", "added_by"),
    "product": ("name_zh", "name_en", "spec", "after_sales_zh", "after_sales_en", "added_by"),
    "batch": (
        "supplier_lot", "place", "region", "producer", "site", "inputs", "hold_reason_zh", "hold_reason_en", "added_by",
    ),
    "batch_correction": ("before", "after", "reason", "by"),
    "batch_state_change": ("reason", "by"),
    "certificate": (
        "number", "laboratory", "accreditation", "sample", "method", "note", "submitted_by", "reviewed_by",
        "withdrawn_by", "withdrawn_reason",
    ),
    "result_line": ("parameter", "method", "limit", "result", "unit"),
    "recall_notice": ("reason_zh", "reason_en", "remedy_zh", "remedy_en", "phone", "by"),
    "release": ("by",),
    "item": ("void_reason", "voided_by"),
    "code_run": ("added_by",),
    "stored_file": ("name", "added_by"),
    "signing_key": ("reason", "revoked_reason"),
    "audit_act": ("by_name", "subject"),
    "job": ("error", "added_by"),
    "login_session": ("browser",),
}  # fmt: skip
"""Every text that people, files or browsers bring into the store, by table."""
STRANGE = """() => [...document.querySelectorAll('script, img, svg, iframe, object, embed')]
  .filter(node => node.tagName === 'SCRIPT' ? !node.src.startsWith(location.origin + '/static/')
    : node.tagName === 'IMG' ? !node.src.startsWith(location.origin + '/') || /\\/x$/.test(node.src)
    : !node.classList.length)
  .concat([...document.querySelectorAll('*')].filter(node => [...node.attributes].some(a => a.name.startsWith('on'))))
  .map(node => node.outerHTML.slice(0, 120))"""


@pytest.fixture
def site(workshop: Site) -> Site:
    return workshop


def poison(data: Path) -> None:
    """One payload into every text of every row, past all forms, services and guards of the store."""
    store = sqlite3.connect(data / "lotseal.db", timeout=60)
    with store:
        for (guard,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {guard}")
        for number, (table, columns) in enumerate(FACTS.items()):
            for at, column in enumerate(columns):
                payload = PAYLOADS[(number + at) % len(PAYLOADS)]
                # The row number keeps unique facts unique.
                store.execute(f'UPDATE "{table}" SET "{column}" = ? || rowid WHERE "{column}" IS NOT NULL', (payload,))
    store.close()


@pytest.mark.timeout(600)
def test_markup_in_the_store_is_text_on_every_page(visitors: Visitors, site: Site) -> None:
    page = visitors.page("zh")
    sign_in(page, site.accounts("admin")[0])
    kinds = Kinds(application(str(site.data)))
    poison(site.data)

    start = ["/staff/", *(site.here(site.link(state)).removeprefix(site.origin) for state in State)]
    pages = walk(page, start, kinds)
    strange: list[str] = []
    seen = ""
    for address in pages:
        for lang in ("zh", "en"):
            page.goto(address + ("&" if "?" in address else "?") + f"lang={lang}")
            strange += [f"{address}: {node}" for node in page.evaluate(STRANGE)]
            seen += page.locator("body").inner_text() + page.title()
    assert strange == []
    for payload in PAYLOADS:
        assert payload in seen, "the payload stands on a page as text"
