"""The auditor's workspace: everything of the log in three clicks, and every look at a name is written down."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import makers
import pytest
from makers import AT, a_batch, a_certificate, codes
from office import Office
from sqlalchemy import select, update

from lotseal.signing.tlog_policy import Policy
from lotseal.signing.tlog_proof import Proof
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.audit import sample as sampling
from lotseal.trace.files.service import TakenIn
from lotseal.trace.log import reading
from lotseal.trace.log.models import AuditAct, LogCosignature, LogEntry, LogTerm, LogTimestamp
from lotseal.trace.products.models import Product
from lotseal.trace.releases import service as releases
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System


class Workspace(Office):
    """An office with a released batch, six codes and a sealed log."""

    def __init__(self, system: System) -> None:
        super().__init__(system)
        stored = system.storage.put(b"%PDF-1.7 a report")
        file = TakenIn(stored.sha256, stored.size, "pdf", "report.pdf", 1, True, [])
        with system.main.write() as db:
            batch = a_batch(db)
            self.report = a_certificate(db, batch, file=file)
            releases.release(db, batch, system.ring, by=OPERATOR, at=AT)
            self.batch, self.gtin, self.file = batch.ref, batch.product.gtin, stored.sha256
        self.printed = codes(system, batch, count=6, tier="B")
        system.sequencer().run_once()

    def index_of(self, act: str) -> int:
        with self.system.main.read() as db:
            found = db.scalar(
                select(LogEntry.index).where(LogEntry.act == act).order_by(LogEntry.index.desc()).limit(1)
            )
        assert found is not None
        return found

    def acts_of(self, act: str) -> list[AuditAct]:
        with self.system.main.read() as db:
            return list(db.scalars(select(AuditAct).where(AuditAct.act == act).order_by(AuditAct.id)))


@pytest.fixture
def office(sqlite_system: System) -> Workspace:
    return Workspace(sqlite_system)


def found(page: str) -> list[int]:
    """The indices that a list shows."""
    return [int(index) for index in re.findall(r'<th scope="row"><a href="/staff/log/(\d+)"', page)]


# --- finding ----------------------------------------------------------------------------------------------------------


def test_the_newest_entry_comes_first_with_the_head_of_the_log(office: Workspace) -> None:
    page = office.at_desk("erik").get("/staff/log/").text
    indices = found(page)
    assert indices == sorted(indices, reverse=True)
    assert indices[0] == office.index_of("codes:commit")
    assert "by our own clock; no witness yet" in page


@pytest.mark.parametrize(
    "word",
    [
        "file",
        "file upper",
        "serial",
        "serial typed",
        "lot",
        "gtin",
        "short gtin",
        "number",
        "kid",
        "begin of kid",
        "begin of file",
        "chain",
        "leaf",
        "index",
    ],
)
def test_one_box_finds_an_entry_by_every_word_of_it(office: Workspace, word: str) -> None:
    with office.system.main.read() as db:
        commit = db.scalars(select(LogEntry).where(LogEntry.act == "codes:commit")).one()
        kid = db.scalars(select(LogEntry.key).where(LogEntry.act == "batch:release")).one()
    serial = office.printed[0].serial
    words = {
        "file": (office.file, "certificate:submit"),
        "file upper": (office.file.upper(), "certificate:submit"),
        "serial": (serial, "codes:commit"),
        "serial typed": (f"{serial[:5].lower()}-{serial[5:10]}", "codes:commit"),
        "lot": ("DHP261012A", "batch:add"),
        "gtin": (office.gtin, "batch:add"),
        "short gtin": (office.gtin[1:], "batch:add"),
        "number": (office.report.number, "certificate:submit"),
        "kid": (str(kid), "batch:release"),
        "begin of kid": (str(kid)[:8], "batch:release"),
        "begin of file": (office.file[:9].upper(), "certificate:submit"),
        "chain": (f"batch:{office.batch}", "batch:release"),
        "leaf": ((commit.leaf_hash or b"").hex(), "codes:commit"),
        "index": (str(commit.index), "codes:commit"),
    }
    text, act = words[word]
    page = office.at_desk("erik").get("/staff/log/", query_string={"q": text}).text
    assert office.index_of(act) in found(page)
    assert len(found(page)) < 12 or word == "chain"


def test_the_page_says_when_a_beginning_is_not_enough(office: Workspace) -> None:
    erik = office.at_desk("erik")
    with office.system.main.write() as db:
        db.add_all(LogTerm(entry_id=1, term=f"{'ab' * 31}c{place}") for place in range(2))
    page = erik.get("/staff/log/?q=abababab").text
    assert "More than one hash or key id begins like this" in page
    assert found(page) == []
    assert "at least its first 8 characters" in page
    assert found(erik.get(f"/staff/log/?q={'ab' * 31}c1").text) == [0]


def test_the_list_filters_by_act_and_says_when_nothing_fits(office: Workspace) -> None:
    erik = office.at_desk("erik")
    assert found(erik.get("/staff/log/?act=batch:release").text) == [office.index_of("batch:release")]
    assert "Nothing fits" in erik.get("/staff/log/?q=no-such-word").text


def test_the_head_of_the_log_names_who_went_along_and_how_far(office: Workspace) -> None:
    assert "Witnesses and time stamps" not in office.at_desk("erik").get("/staff/log/").text, "nobody did yet"
    with office.system.main.write() as db:
        size = reading.newest(db).size  # type: ignore[union-attr]  # it was sealed
        db.add(LogCosignature(size=size, witness="witness.example/w1", line="—", at=AT))
    page = office.at_desk("erik").get("/staff/log/").text
    assert re.search(rf'witness\.example/w1</th><td class="num">{size}</td>', page)


def test_an_authority_that_is_asked_and_gave_no_stamp_is_named_too(office: Workspace, tmp_path: Path) -> None:
    stamping = office.system.settings.model_copy(
        update={"tsa_url": "https://one.example/ https://two.example/", "tsa_roots": str(tmp_path / "roots.pem")}
    )
    object.__setattr__(office.system, "settings", stamping)
    with office.system.main.write() as db:
        size = reading.newest(db).size  # type: ignore[union-attr]  # it was sealed
        db.add(LogTimestamp(size=size, authority="two.example", token=b"t", at=AT))
    page = office.at_desk("erik").get("/staff/log/").text
    assert re.search(r'one\.example</th><td class="num">0</td><td class="at">not yet', page)
    assert re.search(rf'two\.example</th><td class="num">{size}</td>', page)


def test_fifty_entries_to_a_page(office: Workspace) -> None:
    with office.system.main.write() as db:
        for _ in range(50):
            makers.a_supplier(db)
    office.system.sequencer().run_once()
    erik = office.at_desk("erik")
    assert len(found(erik.get("/staff/log/").text)) == 50
    assert found(erik.get("/staff/log/?page=2").text)[-1] == 0


@pytest.mark.parametrize("path", ["/staff/log/", "/staff/log/0", "/staff/log/0/proof", "/staff/log/sample"])
def test_suppliers_do_not_see_the_workspace(office: Workspace, path: str) -> None:
    for name, status in {"alice": 200, "bob": 200, "erik": 200, "chen": 403}.items():
        assert office.at_desk(name).get(path).status_code == status


# --- one entry --------------------------------------------------------------------------------------------------------


def test_an_entry_page_tells_what_it_says_and_leads_along_its_history(office: Workspace) -> None:
    index = office.index_of("certificate:accept")
    page = office.at_desk("erik").get(f"/staff/log/{index}").text
    assert "Report accepted (certificate:accept)" in page
    assert f'href="/staff/certificates/{office.report.ref}"' in page
    assert f'href="/staff/batches/{office.batch}"' in page
    assert f'rel="prev" href="/staff/log/{index - 1}"' in page
    assert f'rel="next" href="/staff/log/{index + 1}"' in page
    assert office.file in page
    assert "whose head is signed; checked just now" in page


def test_an_index_that_no_store_can_hold_is_not_found(office: Workspace) -> None:
    assert office.at_desk("erik").get("/staff/log/99999999999999999999").status_code == 404
    assert office.at_desk("erik").get("/credentials/status/99999999999999999999").status_code == 404


def test_the_downloads_are_what_outside_tools_need(office: Workspace) -> None:
    erik, index = office.at_desk("erik"), office.index_of("batch:release")
    entry, content = (erik.get(f"/staff/log/{index}/{part}").data for part in ("entry", "content"))
    proof = erik.get(f"/staff/log/{index}/proof")
    assert json.loads(entry)["content"] == hashlib.sha256(content).hexdigest()
    with office.system.main.read() as db:
        policy = Policy.parse(office.system.log_policy(db).encode())
    accepted = Proof.parse(proof.data).verify_entry(entry, policy)
    assert accepted.checkpoint.size > index
    assert "attachment" in proof.headers["Content-Disposition"]


def test_an_entry_that_waits_for_its_files_has_no_proof_yet(office: Workspace) -> None:
    shelf = office.system.settings.log_folder
    (shelf / "checkpoint").unlink()
    erik = office.at_desk("erik")
    assert "not published yet" in erik.get("/staff/log/0").text
    assert erik.get("/staff/log/0/proof").status_code == 503


def test_a_changed_entry_says_so_on_its_page(office: Workspace) -> None:
    index = office.index_of("batch:release")
    with office.system.main.write() as db:
        for trigger in ("log_entry_keeps", "log_entry_stays"):
            db.connection().exec_driver_sql(f"DROP TRIGGER {trigger}")
        content = db.scalars(select(LogEntry.content).where(LogEntry.index == index)).one()
        db.execute(update(LogEntry).where(LogEntry.index == index).values(content=content.replace("batch", "bitch", 1)))
    page = office.at_desk("erik").get(f"/staff/log/{index}").text
    assert "The stored content is not the document whose hash stands in the entry." in page


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_name_is_shown_only_on_demand_and_the_look_is_written_down(office: Workspace) -> None:
    index = office.index_of("batch:release")
    erik = office.at_desk("erik")
    assert OPERATOR.name not in erik.get(f"/staff/log/{index}").text
    assert office.acts_of("log:read-actor") == []
    assert OPERATOR.name in erik.post(f"/staff/log/{index}").text
    [act] = office.acts_of("log:read-actor")
    assert (act.by_name, act.subject) == ("Erik", f"entry:{index}")


def test_a_contact_is_shown_with_the_name_only(office: Workspace) -> None:
    with office.system.main.write() as db:
        supplier = makers.a_supplier(db, contact="Ms Li, 0591 555 0102")
        fields = {name: getattr(supplier, name) for name in ("name_zh", "name_en", "country", "licence")}
        draft = suppliers.read_supplier({**fields, "contact": "Mr Xu, xu@wuyi.example"})
        suppliers.change(db, supplier, draft, by=OPERATOR, at=AT)
    office.system.sequencer().run_once()
    erik = office.at_desk("erik")
    added, changed = office.index_of("supplier:add"), office.index_of("supplier:change")
    openly = [f"/staff/log/{index}{part}" for index in (added, changed) for part in ("", "/entry", "/content")]
    for path in ["/staff/log/", "/staff/acts/", *openly]:
        page = erik.get(path).text
        assert "Ms Li" not in page, path
        assert "xu@wuyi.example" not in page, path
    assert office.acts_of("log:read-actor") == []
    assert "<dt>contact</dt><dd>shown with who did it</dd>" in erik.get(f"/staff/log/{changed}").text
    assert "<dt>contact</dt><dd>Ms Li, 0591 555 0102</dd>" in erik.post(f"/staff/log/{added}").text
    assert "Ms Li, 0591 555 0102 → Mr Xu, xu@wuyi.example" in erik.post(f"/staff/log/{changed}").text
    looks = [(act.by_name, act.subject) for act in office.acts_of("log:read-actor")]
    assert looks == [("Erik", f"entry:{added}"), ("Erik", f"entry:{changed}")]


def test_a_look_at_a_name_is_no_entry_of_the_public_log(office: Workspace) -> None:
    office.at_desk("erik").post("/staff/log/0")
    assert office.system.sequencer().run_once() == 0


def test_a_name_that_was_erased_is_not_there_to_be_shown(office: Workspace) -> None:
    with office.system.main.write() as db:
        db.execute(update(LogEntry).values(actor=None))
    page = office.at_desk("erik").post("/staff/log/0").text
    assert "Who did it was erased" in page


def test_looking_at_an_entry_that_is_not_there_writes_nothing(office: Workspace) -> None:
    assert office.at_desk("erik").post("/staff/log/9999").status_code == 404
    assert office.acts_of("log:read-actor") == []


@pytest.mark.parametrize(
    ("name", "path", "act"),
    [
        ("alice", "/staff/accounts/", "account:list"),
        ("alice", "/staff/accounts/{dana}", "account:read"),
        ("erik", "/staff/acts/", "log:read-acts"),
    ],
)
def test_a_page_with_names_is_read_with_one_act(office: Workspace, name: str, path: str, act: str) -> None:
    address = path.format(dana=office.people["dana"].ref)
    office.at_desk(name).get(address)
    [written] = office.acts_of(act)
    assert written.by_name == name.capitalize()
    if act == "account:list":
        assert office.people["dana"].ref in written.facts["shown"]
    if act == "account:read":
        assert written.subject == f"account:{office.people['dana'].ref}"


# --- sampling ---------------------------------------------------------------------------------------------------------


def drawn(page: str) -> list[str]:
    return re.findall(r'<small class="draw">([0-9a-f]{16})', page)


def test_anybody_can_draw_the_same_sample_again(office: Workspace) -> None:
    page = office.at_desk("erik").get("/staff/log/sample?seed=3%2C412.66&n=3&of=items").text
    hashes = sorted(hashlib.sha256(f"3,412.66\n{code.serial}".encode()).hexdigest() for code in office.printed)
    assert drawn(page) == [found[:16] for found in hashes[:3]]
    assert "3 drawn out of 6" in page
    assert "All that was drawn fits" in page


@pytest.mark.parametrize(("of", "count"), [("items", 6), ("batches", 1), ("certificates", 1)])
def test_each_kind_is_checked_on_the_spot(office: Workspace, of: str, count: int) -> None:
    page = office.at_desk("erik").get(f"/staff/log/sample?seed=s&n=200&of={of}").text
    assert len(drawn(page)) == count
    assert "is in the log of" in page
    expected = {"items": "Tag and signature fit.", "batches": "The signature of the release fits."}
    assert expected.get(of, "The stored file has this hash.") in page


def test_a_sample_names_what_does_not_fit(office: Workspace) -> None:
    with office.system.main.write() as db:
        db.connection().exec_driver_sql("UPDATE item SET signature = zeroblob(64) WHERE id = 1")
    office.system.storage.path(office.file).write_bytes(b"another file")
    erik = office.at_desk("erik")
    items_page = erik.get("/staff/log/sample?seed=s&n=200&of=items").text
    assert "Tag or signature do not fit the code." in items_page
    assert "The code is not in the run that was committed." in items_page
    assert "The stored file is missing or was changed." in erik.get("/staff/log/sample?seed=s&n=9&of=certificates").text


def test_what_is_not_sealed_is_not_drawn(office: Workspace) -> None:
    with office.system.main.write() as db:
        product = db.scalars(select(Product)).first()
        a_batch(db, product, lot="NEW-1")
    page = office.at_desk("erik").get("/staff/log/sample?seed=s&n=200&of=batches").text
    assert "1 drawn out of 1" in page


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("seed=&n=1&of=items", "seed"),
        ("seed=s&n=201&of=items", "n"),
        ("seed=s&n=0&of=items", "n"),
        ("seed=s&n=x&of=items", "n"),
        ("seed=s&n=1&of=people", "of"),
        ("seed=a%0Ab&n=1&of=items", "seed"),
    ],
)
def test_a_sample_that_cannot_be_drawn_says_what_to_mend(office: Workspace, query: str, field: str) -> None:
    answer = office.at_desk("erik").get(f"/staff/log/sample?{query}")
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text


def test_the_order_of_a_sample_follows_from_seed_and_identifier_only(office: Workspace) -> None:
    order = sampling.read_order({"seed": "s", "n": "6", "of": "items"})
    with office.system.main.read() as db:
        first, total = sampling.draw(db, order)
        again, _total = sampling.draw(db, order)
    assert (first, total) == (again, 6)
    assert [one.hash for one in first] == sorted(sampling.rank("s", code.serial) for code in office.printed)


def test_a_page_does_not_hash_a_run_that_is_too_large_for_it(office: Workspace, monkeypatch: Any) -> None:
    monkeypatch.setattr("lotseal.web.staff.log.MOST_CODES", 5)
    page = office.at_desk("erik").get("/staff/log/sample?seed=s&n=1&of=items").text
    assert "too large for a page" in page
