"""Whatever stands in the store, a scan is never led to a place that nobody chose."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import makers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers import AT, BASE
from office import Browser, Office
from sqlalchemy import delete

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.links import service
from lotseal.trace.links.intake import read_link
from lotseal.trace.links.models import Link
from lotseal.trace.system import System

TRUSTED = "www.example.cn"
_PIECES = st.sampled_from(
    ["https://", "http://", "HTTPS:", "//", "/", "\\", "@", TRUSTED, "evil.example", "127.0.0.1", "javascript:", "%2f",
     "\r\n", "\t", ":443", "?", "#", ".", "/leave/", "[::1]"]
)  # fmt: skip
_TARGETS = st.one_of(st.lists(_PIECES, max_size=7).map("".join), st.text(max_size=40))
_QUERIES = st.text(alphabet="abc=&?#/\\@:%25.\r\n", max_size=30)


@pytest.fixture
def scanner(sqlite_system: System, time: Any) -> tuple[System, Browser, str]:
    office = Office(sqlite_system)
    with sqlite_system.main.write() as db:
        gtin = makers.a_product(db).gtin
        service.allow_host(db, TRUSTED, by=OPERATOR, at=AT)
    return sqlite_system, office.browser(), gtin


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(target=_TARGETS, query=_QUERIES)
def test_a_scan_leads_to_this_service_or_to_a_trusted_host(
    scanner: tuple[System, Browser, str], target: str, query: str
) -> None:
    """The target is written past every check, as somebody with a hand in the store could."""
    system, browser, gtin = scanner
    href = target.replace("\0", "")[:2000]
    with system.main.write() as db:
        db.execute(delete(Link))
        db.add(
            Link(
                anchor=f"/01/{gtin}", link_type="pip", href=href, title="T", is_default=True, added_at=AT, added_by="x"
            )
        )
    for asked in (query, f"linkType=gs1:pip&{query}"):
        answer = browser.get(f"/01/{gtin}", query_string=asked)
        if answer.status_code != 307:
            assert answer.status_code in (200, 300, 400, 404), answer.status_code
            continue
        to = urlsplit(answer.location)
        assert (to.scheme, to.netloc) in (("https", TRUSTED), ("http", TRUSTED), tuple(urlsplit(BASE)[:2]))
        assert "\r" not in answer.location
        assert "\n" not in answer.location
        if to.path.startswith("/leave/"):
            page = browser.get(answer.location.removeprefix(BASE))
            assert page.status_code in (200, 400, 404)
            assert 'href="javascript' not in page.text.lower()


def test_nobody_is_led_to_a_host_that_was_taken_off_the_list(scanner: tuple[System, Browser, str]) -> None:
    system, browser, gtin = scanner
    with system.main.write() as db:
        draft = read_link(
            {"of": gtin, "link_type": "pip", "href": f"https://{TRUSTED}/x", "title": "T", "is_default": "1"}
        )
        ref = service.add(db, draft, by=OPERATOR, at=AT).ref
    assert browser.get(f"/01/{gtin}").location == f"https://{TRUSTED}/x"
    with system.main.write() as db:
        service.refuse_host(db, service.get_host(db, TRUSTED), by=OPERATOR, at=AT)
    assert browser.get(f"/01/{gtin}").location == f"{BASE}/leave/{ref}"
    assert browser.get("/leave/nosuchreference0").status_code == 404
