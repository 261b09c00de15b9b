"""What was done is told at the desk; who did it is shown to whoever asks, and that is written down first."""

from __future__ import annotations

import re
from typing import Any

import pytest
from makers import AT, Clock, a_batch, a_certificate, a_supplier, codes
from office import Office
from sqlalchemy import select, update

from lotseal.trace.accounts.models import Account
from lotseal.trace.db.base import Base
from lotseal.trace.log import Act, record
from lotseal.trace.log.models import AuditAct
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System

NAME = "Dana"
PHONE = "Mr Chen, 0591 555 0101"
OPENLY = ("/staff/accounts", "/staff/acts", "/staff/me")
"""Where each look is an act without being asked for, and one's own page."""


class Named(Office):
    """An office in which everything was done by Dana, and a supplier has somebody to call."""

    def __init__(self, system: System) -> None:
        super().__init__(system)
        with system.main.write() as db:
            batch = a_batch(db)
            a_certificate(db, batch)
            self.batch, self.supplier = batch.ref, batch.supplier.ref
        codes(system, batch, count=2, tier="A")
        with system.main.write() as db:
            dana = db.scalars(select(Account).where(Account.name == NAME)).one()
            record(db, Act.BATCH_HOLD, by=dana, at=AT, subject=f"batch:{self.batch}", chain=f"batch:{self.batch}")
            a_supplier(db, contact=PHONE)
            db.execute(update(Supplier).values(contact=PHONE))
            for table in Base.metadata.tables.values():
                for column in table.columns:
                    if re.fullmatch(r"(\w+_)?by", column.name) and table.name != "audit_act":
                        db.execute(table.update().values({column.name: NAME}))
        system.sequencer().run_once()

    def looks(self) -> list[tuple[str, str]]:
        with self.system.main.read() as db:
            acts = db.scalars(select(AuditAct).where(AuditAct.act == Act.LOG_READ_ACTOR).order_by(AuditAct.id))
            return [(act.by_name, act.subject) for act in acts]


@pytest.fixture
def office(sqlite_system: System) -> Named:
    return Named(sqlite_system)


def walked(browser: Any) -> dict[str, str]:
    """Every page of the desk that links lead to, from the start page."""
    seen: dict[str, str] = {}
    ahead = ["/staff/"]
    while ahead:
        path = ahead.pop()
        answer = browser.get(path)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        seen[path] = answer.text
        links = (link.split("#")[0] for link in re.findall(r'href="(/staff/[^"?]*)', answer.text))
        ahead += [link for link in links if link not in seen and link not in ahead]
    return seen


@pytest.mark.parametrize("reader", ["alice", "bob", "chen", "erik"])
def test_no_page_of_the_desk_names_anybody_unasked(office: Named, reader: str) -> None:
    pages = walked(office.at_desk(reader))
    assert len(pages) > 10
    telling = {path for path, page in pages.items() if (NAME in page or PHONE in page) and not path.startswith(OPENLY)}
    forms = {path for path in telling if path.endswith("/edit") and office.looks()}
    assert telling == forms, "a form that shows a contact has written the look down"


def test_whoever_asks_is_written_down_and_shown_the_names_of_that_page_for_a_while(office: Named, time: Clock) -> None:
    browser = office.at_desk("erik", at=time.at)
    path = f"/staff/batches/{office.batch}"
    page = browser.get(path).text
    assert "Show names" in page
    assert "name not shown" in page
    assert browser.post("/staff/names", {"page": path}).headers["Location"] == path
    assert NAME in browser.get(path).text
    assert office.looks() == [("Erik", f"page:{path}")]
    assert NAME not in browser.get(f"/staff/suppliers/{office.supplier}").text, "one page is not another"
    time.on(minutes=16)
    assert NAME not in browser.get(path).text


def test_a_contact_in_a_form_is_a_look_like_any_other_once_in_a_while(office: Named) -> None:
    browser = office.at_desk("bob")
    path = f"/staff/suppliers/{office.supplier}/edit"
    for _ in range(3):
        assert PHONE in browser.get(path).text
    assert office.looks() == [("Bob", f"page:{path}")]


def test_ones_own_name_is_no_secret(office: Named) -> None:
    page = office.at_desk("dana").get("/staff/").text
    assert "Show names" not in page


@pytest.mark.parametrize(
    "page", ["", "/", "/log/", "//evil.example/staff/", "https://evil.example/staff/", "/staff/nothing", "/staff/keys/"]
)
def test_only_a_page_that_the_reader_may_open_can_be_asked_for(office: Named, page: str) -> None:
    assert office.at_desk("bob").post("/staff/names", {"page": page}).status_code == 404
    assert office.looks() == []
