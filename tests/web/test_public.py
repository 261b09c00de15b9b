"""What everybody may open: verdicts, look-ups, reports, and what never stands on a page."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import makers
import pytest
from babel.messages.pofile import read_po
from makers import AT, BASE, HOLD, RECALL, a_batch, a_certificate, a_product, released
from office import Browser, Office
from sqlalchemy import func, select

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch
from lotseal.trace.certificates import service as certificates
from lotseal.trace.items import service as items
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.log import reading
from lotseal.trace.log.models import LogCosignature
from lotseal.trace.passport.model import State
from lotseal.trace.scans.models import Scan
from lotseal.trace.system import System
from lotseal.web import create_app

MOST_BYTES = 14_000
FORBIDDEN = re.compile(
    r"正品|100\s*[%%]|百分之百|绝对|权威认证|区块链|\b(?:guaranteed?|genuine|authentic(?:ity|ated)?|safe|blockchain)\b",
    re.IGNORECASE,
)


@pytest.fixture
def office(sqlite_system: System, time: Any) -> Office:
    return Office(sqlite_system)


class Shelf:
    """One address for every verdict state."""

    def __init__(self, office: Office, time: Any) -> None:
        self._system, self._time = office.system, time
        with self._system.main.write() as db:
            self.product = a_product(db)

    def link(self, state: State) -> str:
        """The address, without scheme and host, of what is in this state now."""
        gtin = self.product.gtin
        match state:
            case State.PRODUCT_ONLY:
                return f"/01/{gtin}"
            case State.UNKNOWN_LOT:
                return f"/01/{gtin}/10/NO-SUCH"
            case State.UNKNOWN:
                self._lot()
                return f"/01/{gtin}/10/LOT/21/ABC"
            case State.BATCH_ONLY:
                self._lot()
                return f"/01/{gtin}/10/LOT"
            case State.BAD_SIGNATURE:
                good = self._code()
                return good[:-1] + ("2" if good[-1] != "2" else "3")
            case State.CANNOT_VERIFY:
                link = self._code()
                self._system.main.dispose()
                shutil.rmtree(self._system.settings.data)
                return link
        return self._code(state)

    def _lot(self, **changed: str) -> Any:
        with self._system.main.write() as db:
            return released(db, self._system.ring, self.product, **({"lot": "LOT"} | changed))

    def _code(self, state: State = State.OK_FIRST) -> str:
        if state is State.NOT_RELEASED:
            with self._system.main.write() as db:
                batch = a_batch(db, self.product, lot="LOT")
        else:
            batch = self._lot(**({"expires_on": "2026-12-01"} if state is State.EXPIRED else {}))
        code = makers.codes(self._system, batch)[0]
        with self._system.main.write() as db:
            there = batches.get(db, batch.ref)
            match state:
                case State.RECALLED:
                    batches.recall(db, there, RECALL, by=OPERATOR, at=AT)
                case State.HOLD:
                    batches.hold(db, there, HOLD, by=OPERATOR, at=AT)
                case State.VOIDED:
                    items.void(db, items.get_item(db, code.serial), "damaged label", by=OPERATOR, at=AT)
                case State.EVIDENCE_GAP:
                    report = certificates.of_batch(db, there)[0]
                    certificates.withdraw(db, report, "wrong sample", by=OPERATOR, at=AT)
                case State.EXPIRED:
                    self._time.on(days=30)
        return code.link.removeprefix(BASE)


@pytest.fixture
def shelf(office: Office, time: Any) -> Shelf:
    return Shelf(office, time)


STATUS = {State.UNKNOWN: 404, State.BAD_SIGNATURE: 404, State.CANNOT_VERIFY: 503}


@pytest.fixture
def shown(office: Office, shelf: Shelf) -> Callable[[State, str], Any]:
    """The page of a state, as a reader of this language gets it."""

    def show(state: State, language: str) -> Any:
        link = shelf.link(state)
        if state is State.OK_AGAIN:
            office.browser(address="198.51.100.1").get(link)
        return office.browser(language=language).get(link)

    return show


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", State)
def test_each_verdict_is_a_light_page_of_its_own_that_nobody_keeps(
    shown: Callable[[State, str], Any], state: State, language: str
) -> None:
    answer = shown(state, language)
    assert f'data-state="{state}"' in answer.text
    assert answer.status_code == STATUS.get(state, 200)
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("Retry-After" in answer.headers) == (state is State.CANNOT_VERIFY)
    assert len(gzip.compress(answer.data)) <= MOST_BYTES
    assert '<meta name="robots" content="noindex">' in answer.text
    _assert_well_behaved(answer.text)


def test_without_its_keys_the_service_cannot_verify_a_code_and_says_so(
    office: Office, shelf: Shelf, tmp_path: Path
) -> None:
    link = shelf.link(State.OK_FIRST)
    locked = replace(office.system, ring=KeyRing(tmp_path, ""))
    answer = Browser(create_app(locked)).get(link)
    assert answer.status_code == 503
    assert 'data-state="cannot-verify"' in answer.text


def _assert_well_behaved(page: str) -> None:
    assert not FORBIDDEN.search(_words(page)), FORBIDDEN.search(_words(page))
    for address in _addresses(page):
        assert address.startswith(("/", "#", "?", "tel:")), address
        assert not address.startswith("//"), address


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.addresses: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "action", "srcset", "poster", "data", "formaction", "cite", "ping") and value:
                self.addresses.append(value)
            if name in ("alt", "title", "aria-label", "content", "placeholder") and value:
                self.words.append(value)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def _words(page: str) -> str:
    return " ".join(_read(page).words)


def _addresses(page: str) -> list[str]:
    return _read(page).addresses


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_page_names_another_host_or_promises_too_much(office: Office, shelf: Shelf, language: str) -> None:
    link = shelf.link(State.OK_FIRST)
    with office.system.main.read() as db:
        report = db.scalars(select(certificates.Certificate)).one().ref
    alice = office.at_desk("alice", language=language)
    pages = ("/", "/find?gtin=1", link, f"/report/{report}", "/patterns", "/nowhere", "/staff/")
    desk = [f"/staff/{name}/" for name in ("suppliers", "products", "accounts", "acts", "keys")] + ["/staff/me"]
    for path in (*pages, *desk, "/staff/batches", "/staff/certificates", "/staff/codes"):
        answer = alice.get(path)
        assert answer.status_code in (200, 404, 422), path
        _assert_well_behaved(answer.text)


CATALOGUE = Path(str(files("lotseal.web"))) / "translations" / "zh" / "LC_MESSAGES" / "messages.po"


def test_no_english_sentence_is_left_on_a_chinese_page(office: Office, shelf: Shelf) -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    sentences = [
        text
        for message in catalogue
        for text in (message.id if isinstance(message.id, tuple) else (message.id,))
        if text.count(" ") >= 2 and "%" not in text
    ]
    assert len(sentences) > 100
    alice, link = office.at_desk("alice", language="zh"), shelf.link(State.OK_FIRST)
    desk = [f"/staff/{name}/" for name in ("suppliers", "products", "accounts", "acts", "keys")]
    forms = [f"/staff/{name}/new" for name in ("suppliers", "products", "accounts", "products/categories")]
    for path in ("/", link, "/patterns", "/nowhere", "/staff/", "/staff/me", *desk, *forms):
        words = " ".join(_words(alice.get(path).text).split())
        left = [sentence for sentence in sentences if sentence in words]
        assert not left, path


def _scans(office: Office) -> int:
    with office.system.scans.read() as db:
        return db.scalar(select(func.count()).select_from(Scan)) or 0


def test_a_visitor_with_a_cookie_is_counted_once(office: Office, shelf: Shelf) -> None:
    link, browser = shelf.link(State.OK_FIRST), office.browser()
    first = browser.get(link)
    cookie = first.headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/01/"} <= {part.strip() for part in cookie.split(";")}
    again = browser.get(link)
    assert 'data-state="ok-first"' in again.text
    assert _scans(office) == 1
    other = office.browser(address="198.51.100.1").get(link)
    assert 'data-state="ok-again"' in other.text
    assert _scans(office) == 2


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"User-Agent": ""}),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Baiduspider/2.0)"}),
        ("GET", {"User-Agent": "facebookexternalhit/1.1"}),
        ("GET", {"User-Agent": "curl/8.5.0"}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"Purpose": "prefetch"}),
    ],
)
def test_previews_and_robots_see_the_page_and_are_not_counted(
    office: Office, shelf: Shelf, method: str, headers: dict[str, str]
) -> None:
    answer = office.browser().open(method, shelf.link(State.OK_FIRST), headers=headers)
    assert answer.status_code == 200
    assert "visitor=" not in answer.headers.get("Set-Cookie", "")
    assert _scans(office) == 0


@pytest.mark.parametrize("lot", ["A/B", "A%2B", "A+B", "A&B=C", "A?B", "abc-1", "A.B_C", "A'\"B", "A:B;C", "A,B(1)"])
def test_every_lot_that_can_be_printed_can_be_looked_up(office: Office, shelf: Shelf, lot: str) -> None:
    with office.system.main.write() as db:
        batch = released(db, office.system.ring, shelf.product, lot=lot)
    code = makers.codes(office.system, batch)[0]
    browser = office.browser()
    item = browser.get(code.link.removeprefix(BASE))
    assert item.status_code == 200
    assert 'data-state="ok-first"' in item.text
    whole = browser.get(f"/01/{code.gtin}/10/{quote(lot, safe='')}")
    assert 'data-state="batch-only"' in whole.text
    typed = browser.get("/find", query_string={"gtin": code.gtin, "lot": lot})
    assert 'data-state="batch-only"' in browser.get(typed.location).text
    by_hand = browser.get("/find", query_string={"serial": code.serial.lower()})
    assert 'data-state="ok-first"' in browser.get(by_hand.location).text


def test_a_lot_typed_in_small_letters_finds_its_capitals(office: Office, shelf: Shelf) -> None:
    shelf.link(State.BATCH_ONLY)
    browser = office.browser()
    answer = browser.get("/find", query_string={"gtin": shelf.product.gtin, "lot": "lot"})
    assert answer.location.endswith("/10/LOT")


@pytest.mark.parametrize(("path", "status"), [("/01/{}", 400), ("/find?gtin={}", 422)])
def test_a_gtin_with_a_wrong_check_digit_is_told_the_right_one(office: Office, path: str, status: int) -> None:
    answer = office.browser().get(path.format("09521321000019"))
    assert answer.status_code == status
    assert "would end in 8" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/01/09521321000018/10/" + "A" * 201,
        "/01/09521321000018/21/" + "2" * 201,
        "/01/09521321000018/21/2?s=" + "2" * 201,
    ],
)
def test_what_is_longer_than_any_code_is_not_looked_at(office: Office, path: str) -> None:
    answer = office.browser().get(path)
    assert answer.status_code == 400
    assert "longer than any code of ours" in answer.text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"gtin": "12"}, "gtin"),
        ({"gtin": "abc"}, "gtin"),
        ({"serial": "O0O0O"}, "serial"),
        ({"gtin": "09521321000018", "lot": "A B"}, "lot"),
    ],
)
def test_what_cannot_be_read_comes_back_with_its_mend(office: Office, typed: dict[str, str], field: str) -> None:
    answer = office.browser().get("/find", query_string=typed)
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    for value in typed.values():
        assert f'value="{value}"' in answer.text


def test_the_report_page_stands_until_withdrawn_and_then_says_so(office: Office, shelf: Shelf) -> None:
    batch = shelf._lot()
    with office.system.main.read() as db:
        report = certificates.of_batch(db, batch)[0].ref
    assert "0.9" in office.browser().get(f"/report/{report}").text
    with office.system.main.write() as db:
        certificates.withdraw(db, certificates.get(db, report), "wrong sample", by=OPERATOR, at=AT)
    page = office.browser().get(f"/report/{report}").text
    assert "This report was withdrawn" in page
    assert "wrong sample" in page


@pytest.mark.parametrize(
    ("language", "told", "logged", "proves"),
    [
        ("en", "Told to the log since", "First provably logged", "not that it is true"),
        ("zh", "起已写入日志", "最早可证明的记录时间", "不证明该日期属实"),
    ],
)
def test_pages_say_since_when_the_log_has_their_dates(
    office: Office, shelf: Shelf, language: str, told: str, logged: str, proves: str
) -> None:
    link = shelf.link(State.OK_FIRST)
    with office.system.main.read() as db:
        report = certificates.of_batch(db, db.scalars(select(Batch)).one())[0].ref
    office.system.sequencer().run_once()
    with office.system.main.write() as db:
        size = reading.newest(db).size  # type: ignore[union-attr]  # it was sealed
        db.add_all(LogCosignature(size=size, witness=name, line="—", at=AT) for name in ("w1", "w2"))
    browser = office.browser(language=language)
    page = browser.get(link).text
    [dates] = re.findall(r'<details class="dates">.*?</details>', page, re.DOTALL)
    # The two days of the record and the reports share a line, and so do the acts: here all were sealed at once.
    assert (dates.count("<dt>"), dates.count("<dd>")) == (4, 2)
    lines = [re.sub(r"<[^>]+>", "", line) for line in re.findall(r"<dd>(.*?)</dd>", dates, re.DOTALL)]
    assert told in lines[0]
    assert logged in lines[1]
    assert all(re.search(r"2 (witnesses|个见证方)", line) for line in lines)
    assert proves in dates
    assert logged in page.replace(dates, ""), "the release stands open"
    _assert_well_behaved(page)
    page = browser.get(f"/report/{report}").text
    assert told in page
    assert proves in page
    assert logged in page


def test_reports_that_were_not_accepted_or_not_released_are_not_public(office: Office) -> None:
    with office.system.main.write() as db:
        batch = a_batch(db)
        waiting, accepted = a_certificate(db, batch, accepted=False), a_certificate(db, batch)
    for ref in (waiting.ref, accepted.ref):
        for path in (f"/report/{ref}", f"/report/{ref}/page/1", f"/report/{ref}/original"):
            assert office.browser().get(path).status_code == 404


def test_language_follows_the_browser_until_the_reader_chooses(office: Office) -> None:
    browser: Browser = office.browser(language="zh-CN,zh;q=0.9,en;q=0.8")
    assert '<html lang="zh-Hans"' in browser.get("/").text
    assert browser.get("/").headers["Content-Language"] == "zh-Hans"
    assert '<html lang="en"' in browser.get("/?lang=en").text
    assert '<html lang="en"' in browser.get("/").text
    assert '<html lang="zh-Hans"' in office.browser(language="fr").get("/").text


def test_the_theme_is_the_devices_until_the_reader_chooses(office: Office) -> None:
    browser = office.browser()
    assert "data-theme" not in browser.get("/").text
    browser.get("/?theme=dark")
    assert 'data-theme="dark"' in browser.get("/").text
    assert "data-theme" not in browser.get("/?theme=auto").text


def test_pages_and_style_go_out_compressed_to_who_takes_it(sqlite_system: System) -> None:
    client = create_app(sqlite_system).test_client()
    packed = client.get("/", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data) == plain.data
    style = re.search(r'href="(/static/[^"]+\.css)"', plain.text)
    assert style is not None
    with client.get(style[1], headers={"Accept-Encoding": "gzip"}) as sheet:
        assert sheet.headers["Content-Encoding"] == "gzip"


def test_pages_with_form_tokens_are_never_compressed(sqlite_system: System) -> None:
    page = create_app(sqlite_system).test_client().get("/staff/sign-in", headers={"Accept-Encoding": "gzip"})
    assert "csrf_token" in page.text
    assert "Content-Encoding" not in page.headers
