"""The log as everybody can fetch it: static files with the right headers, and a page that explains them."""

from __future__ import annotations

import pytest
from makers import AT
from office import Office

from lotseal.signing.notes import Note
from lotseal.signing.tlog_policy import Policy
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.log import Act, record
from lotseal.trace.system import System


@pytest.fixture
def office(sqlite_system: System) -> Office:
    return Office(sqlite_system)


@pytest.fixture
def published(office: Office) -> Office:
    """With three entries that are sealed and published."""
    with office.system.main.write() as session:
        for number in range(3):
            record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject=f"link:{number}")
    office.system.sequencer().run_once()
    return office


def test_the_checkpoint_is_text_that_soon_goes_stale(published: Office) -> None:
    answer = published.browser().get("/log/checkpoint")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    policy = Policy.parse(published.browser().get("/log/policy").data)
    accepted = policy.verify(Note.parse(answer.data))
    assert accepted.checkpoint.origin == "t.example.cn/log"
    assert policy.logs[0].url == "https://t.example.cn/log/"


def test_tiles_are_bytes_that_never_change_and_any_page_may_read(published: Office) -> None:
    size = (
        Policy.parse(published.browser().get("/log/policy").data)
        .verify(Note.parse(published.browser().get("/log/checkpoint").data))
        .checkpoint.size
    )
    for path in (f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}"):
        answer = published.browser().get(f"/log/{path}")
        assert (answer.status_code, answer.content_type) == (200, "application/octet-stream"), path
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/001",
        "tile/0/0",
        "tile/0/000.p/0",
        "tile/00/000",
        "tile/entries/../checkpoint",
        "tile/0/x00/000",
        ".lock",
    ],
)
def test_what_is_no_file_of_the_log_is_not_found(published: Office, path: str) -> None:
    assert published.browser().get(f"/log/{path}").status_code == 404


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_says_what_the_log_is_and_what_it_does_not_prove(published: Office, language: str) -> None:
    page = published.browser(language=language).get("/log/").text
    assert "/log/checkpoint" in page
    assert {"en": "It does not prove that what was written down is true", "zh": "不能证明"}[language] in page


def test_before_the_first_entry_the_page_stands_and_the_checkpoint_is_not_there(office: Office) -> None:
    assert office.browser().get("/log/").status_code == 200
    assert office.browser().get("/log/checkpoint").status_code == 404
