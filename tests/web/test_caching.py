"""Public files that are the same for everybody: one copy serves all, and whoever has it is told so."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest
from makers import AT, a_batch, issue_credentials, release
from office import Office

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.credentials import contexts
from lotseal.trace.credentials.models import Credential
from lotseal.trace.log import Act, record
from lotseal.trace.system import System
from lotseal.web.assets import _digest

CHECKED = (
    "/log/checkpoint",
    "/log/policy",
    "/.well-known/did.json",
    "/.well-known/jwks.json",
    "/credentials/status/1",
    contexts.PATH,
)
"""Those that change or may; a cache asks again with the ETag."""
FOR_EVER = ("/log/tile/0/000.p/", "/log/tile/entries/000.p/")


@pytest.fixture
def office(sqlite_system: System) -> Office:
    """With a credential and its status list, all of it sealed."""
    with sqlite_system.main.write() as session:
        release(session, a_batch(session), sqlite_system.ring)
    issue_credentials(sqlite_system)
    sqlite_system.sequencer().run_once()
    return Office(sqlite_system)


def paths(office: Office) -> Iterator[str]:
    published = office.system.shelf.published()
    assert published is not None
    yield from CHECKED
    yield from (f"{path}{published.size}" for path in FOR_EVER)
    yield f"/static/{_digest('css/lotseal.css')}/css/lotseal.css"
    with office.system.main.read() as session:
        yield from (f"/credentials/{row.ref}.jwt" for row in session.query(Credential))


@pytest.mark.parametrize("reader", ["stranger", "with every cookie", "signed in"])
def test_no_such_file_depends_on_the_reader_or_gives_a_cookie(office: Office, reader: str) -> None:
    browser = office.at_desk("alice") if reader == "signed in" else office.browser(language="en")
    more = {"Cookie": "lang=en; theme=light; lotseal=a; __Host-lotseal=a"} if reader == "with every cookie" else {}
    for path in paths(office):
        answer = browser.get(f"{path}?lang=zh&theme=dark", headers=more)
        assert answer.status_code == 200, path
        assert {"Cookie", "Accept-Language"}.isdisjoint(answer.headers.get("Vary", "").split(", ")), path
        assert "Set-Cookie" not in answer.headers, path
        assert answer.cache_control.public, path


def test_only_what_is_negotiated_varies_by_what_the_reader_takes(office: Office) -> None:
    varied = {path: office.browser().get(path).headers.get("Vary") for path in CHECKED}
    assert {path for path, vary in varied.items() if vary} == {"/credentials/status/1"}
    assert varied["/credentials/status/1"] == "Accept"


@pytest.mark.parametrize("path", CHECKED)
def test_whoever_has_the_file_is_told_so(office: Office, path: str) -> None:
    browser = office.browser()
    first = browser.get(path)
    tag = first.headers["ETag"]
    assert tag == f'"{sha256(first.data).hexdigest()}"', "a strong one, of the bytes"
    for known in (tag, f'"other", {tag}', "*"):
        again = browser.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.data) == (304, b""), known
        assert again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
        assert "Set-Cookie" not in again.headers
        assert again.headers.get("Vary") == first.headers.get("Vary")
    assert browser.get(path, headers={"If-None-Match": '"other"'}).data == first.data


def test_a_checkpoint_that_grew_has_another_tag(office: Office) -> None:
    browser = office.browser()
    first = browser.get("/log/checkpoint").headers["ETag"]
    with office.system.main.write() as session:
        record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject="link:1")
    office.system.sequencer().run_once()
    again = browser.get("/log/checkpoint", headers={"If-None-Match": first})
    assert again.status_code == 200
    assert again.headers["ETag"] != first


@pytest.mark.parametrize("path", ["/log/tile/0/999", "/credentials/none.jwt", "/log/"])
def test_pages_and_error_pages_beside_them_are_in_the_readers_language_and_say_so(office: Office, path: str) -> None:
    answer = office.browser().get(path)
    assert {"Cookie", "Accept-Language"} <= set(answer.headers["Vary"].split(", "))
    assert answer.headers["Cache-Control"] == "no-store"
