"""Makers of people and things. Each makes what is right and complete; a test changes only what matters to it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count as counting
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotseal.trace import settings
from lotseal.trace.accounts import service as accounts
from lotseal.trace.accounts.models import Account, Role
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import intake as batch_intake
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch, BatchState
from lotseal.trace.certificates import service as certificates
from lotseal.trace.certificates.models import Certificate
from lotseal.trace.codes.gtin import check_digit
from lotseal.trace.files.service import TakenIn
from lotseal.trace.items import service as items
from lotseal.trace.items.models import Item
from lotseal.trace.jobs import service as jobs
from lotseal.trace.jobs.models import Job, JobKind, JobState
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.labs import service as labs
from lotseal.trace.labs.models import Laboratory
from lotseal.trace.log.models import AuditAct
from lotseal.trace.log.sequencer import Sequencer
from lotseal.trace.passport import service as passport
from lotseal.trace.products import service as products
from lotseal.trace.products.models import Category, Product
from lotseal.trace.releases import service as releases
from lotseal.trace.releases.models import Release
from lotseal.trace.scans import service as scans
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.suppliers.licence import check_character
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System

AT = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
"""The moment at which tests happen: noon in Shanghai."""
TODAY = AT.date()
PASSPHRASE = "correct horse battery"
PASSWORD = "four words and one"
BASE = "https://t.example.cn"

_numbers = counting(1)

# Tests seal back to back; test_pace.py has the pace of the service, and a clock of its own.
Sequencer.pace = timedelta(0)


def settings_of(data: Path, **changed: str) -> settings.Settings:
    """Settings of a system that is started by a test."""
    given = {"LOTSEAL_DATA": str(data), "LOTSEAL_PUBLIC_URL": BASE, "LOTSEAL_KEY_PASSPHRASE": PASSPHRASE}
    return settings.load(given | changed)


@dataclass(frozen=True)
class Template:
    """`data` is a data folder with migrated SQLite stores and one key set; `server` names its twin in PostgreSQL."""

    data: Path
    server: str


class Clock:
    """A clock that a test winds on by hand: `time.on(minutes=5)`."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at

    def on(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.at


# --- people -----------------------------------------------------------------------------------------------------------


@cache
def _password_hash() -> str:
    # Hashing is slow on purpose; all people of the tests share one password.
    return accounts.hash_password(PASSWORD)


def a_person(session: Session, name: str, role: Role, supplier: Supplier | None = None) -> Account:
    account = Account(
        login=name.lower(),
        name=name,
        role=role,
        password_hash=_password_hash(),
        supplier_id=supplier.id if supplier else None,
        added_at=AT,
        added_by=OPERATOR.name,
    )
    session.add(account)
    session.flush()
    return account


def alice(session: Session) -> Account:
    """The administrator."""
    return a_person(session, "Alice", Role.ADMIN)


def bob(session: Session) -> Account:
    """Quality: reviews reports and releases batches."""
    return a_person(session, "Bob", Role.QUALITY)


def chen(session: Session, supplier: Supplier) -> Account:
    """Works for a supplier, usually 武夷岩韵茶业."""
    return a_person(session, "Chen", Role.SUPPLIER, supplier)


def dana(session: Session, supplier: Supplier) -> Account:
    """Works for another supplier than Chen."""
    return a_person(session, "Dana", Role.SUPPLIER, supplier)


def erik(session: Session) -> Account:
    """The auditor."""
    return a_person(session, "Erik", Role.AUDITOR)


# --- things -----------------------------------------------------------------------------------------------------------


def a_gtin() -> str:
    """A fresh 14-digit GTIN below a prefix for examples."""
    body = f"0952132{next(_numbers):06d}"
    return body + check_digit(body)


def a_credit_code() -> str:
    """A fresh licence number with the right check character."""
    body = f"91999999MADE{next(_numbers):05d}"
    return body + check_character(body)


def a_supplier(session: Session, **changed: str) -> Supplier:
    facts = {"name_zh": "武夷岩韵茶业", "name_en": "Wuyi Rock Rhyme Tea", "country": "CN", "licence": a_credit_code()}
    return suppliers.add(session, suppliers.read_supplier(facts | changed), by=OPERATOR, at=AT)


def a_category(session: Session, code: str = "tea", *, lab_test: bool = True) -> Category:
    """The category with this code, made when it is not there."""
    found = session.scalar(select(Category).where(Category.code == code))
    if found is not None:
        return found
    facts = {"code": code, "name_zh": "茶", "name_en": "Tea", "requires_lab_test": "1" if lab_test else ""}
    return products.add_category(session, products.read_category(facts), by=OPERATOR, at=AT)


PRODUCT: Mapping[str, str] = {"name_zh": "大红袍", "name_en": "Big Red Robe", "spec": "100 g", "category": "tea"}


def a_product(session: Session, supplier: Supplier | None = None, **changed: str) -> Product:
    facts = {**PRODUCT, "gtin": a_gtin(), **changed}
    a_category(session, facts["category"])
    draft = products.read_product(facts)
    return products.add(session, draft, supplier or a_supplier(session), by=OPERATOR, at=AT)


BATCH: Mapping[str, str] = {
    "lot": "DHP261012A",
    "place": "武夷山",
    "country": "CN",
    "producer": "武夷岩韵茶业",
    "produced_on": "2026-10-12",
    "expires_on": "2028-10-11",
    "quantity": "1590",
    "unit": "pcs",
}


def batch_draft(**changed: str) -> batch_intake.BatchDraft:
    return batch_intake.read_batch({**BATCH, **changed})


def a_draft(session: Session, product: Product | None = None, **changed: str) -> Batch:
    """A batch that was typed in and not yet submitted."""
    return batches.add(session, batch_draft(**changed), product or a_product(session), by=OPERATOR, at=AT)


def a_batch(session: Session, product: Product | None = None, **changed: str) -> Batch:
    """A submitted batch: it awaits its tests and may have codes."""
    batch = a_draft(session, product, **changed)
    batches.submit(session, batch, by=OPERATOR, at=AT)
    return batch


CERTIFICATE: Mapping[str, str] = {
    "laboratory": "闽检",
    "accreditation": "CMA 211300111111",
    "sample": "大红袍 100 g",
    "issued_on": "2026-10-21",
    "conclusion": "pass",
}
LINE: Mapping[str, str] = {
    "parameter": "铅",
    "method": "GB 5009.12",
    "limit": "≤ 5.0",
    "result": "0.9",
    "unit": "mg/kg",
}


LABORATORY: Mapping[str, str] = {
    "name_zh": "闽检",
    "name_en": "Minjian",
    "country": "CN",
    "cma": "CMA 2113 0011 1111",
    "valid_until": "2028-12-31",
}


def a_laboratory(session: Session, **changed: str) -> Laboratory:
    """The registered laboratory that `a_certificate` names."""
    return labs.add(session, labs.read_laboratory({**LABORATORY, **changed}), by=OPERATOR, at=AT)


def a_file(text: str = "") -> TakenIn:
    """A report file as the inspection leaves it; each call makes another one."""
    data = f"{text}{next(_numbers)}".encode()
    return TakenIn(hashlib.sha256(data).hexdigest(), len(data), "pdf", "report.pdf", 1, True, [])


def certificate_draft(lines: list[dict[str, str]] | None = None, **changed: str) -> certificates.CertificateDraft:
    facts = {**CERTIFICATE, "number": f"YX-{next(_numbers)}", **changed}
    given = [dict(LINE)] if lines is None else [{**LINE, **line} for line in lines]
    return certificates.read_certificate(facts, given, today=TODAY)


def a_certificate(
    session: Session,
    batch: Batch,
    *,
    accepted: bool = True,
    lines: list[dict[str, str]] | None = None,
    file: TakenIn | None = None,
    by: Any = OPERATOR,
    **changed: str,
) -> Certificate:
    """A report on a batch, reviewed and accepted unless `accepted` is False."""
    draft = certificate_draft(lines, **changed)
    certificate = certificates.submit(session, batch, draft, file or a_file(), by=by, at=AT)
    if accepted:
        certificates.accept(session, certificate, by=OPERATOR, at=AT)
    return certificate


def release(session: Session, batch: Batch, ring: KeyRing) -> Release:
    """Let a submitted batch go on sale, with an accepted report."""
    a_certificate(session, batch)
    return releases.release(session, batch, ring, by=OPERATOR, at=AT)


def released(session: Session, ring: KeyRing, product: Product | None = None, **changed: str) -> Batch:
    """A batch on sale."""
    batch = a_batch(session, product, **changed)
    release(session, batch, ring)
    return batch


HOLD = {"reason_zh": "等待复检", "reason_en": "Waiting for a second test"}
RECALL = {
    "reason_zh": "铅超标",
    "reason_en": "Too much lead",
    "remedy_zh": "请退货",
    "remedy_en": "Please return it",
    "phone": "400-000-0000",
}


def a_batch_in(session: Session, state: BatchState, ring: KeyRing, product: Product | None = None) -> Batch:
    """A batch that went the usual way to a state."""
    match state:
        case BatchState.DRAFT:
            return a_draft(session, product)
        case BatchState.AWAITING_TESTS:
            return a_batch(session, product)
    batch = released(session, ring, product)
    match state:
        case BatchState.HELD:
            batches.hold(session, batch, HOLD, by=OPERATOR, at=AT)
        case BatchState.RECALLED:
            batches.recall(session, batch, RECALL, by=OPERATOR, at=AT)
        case BatchState.CLOSED:
            batches.close(session, batch, "sold out", by=OPERATOR, at=AT)
    return batch


@dataclass(frozen=True)
class Printed:
    """What stands on one pack."""

    gtin: str
    lot: str | None
    serial: str
    signature: str | None
    link: str

    def asked(self, **changed: Any) -> passport.Asked:
        """The question of whoever scans it."""
        facts = {"gtin": self.gtin, "lot": self.lot, "serial": self.serial, "signature": self.signature}
        return passport.Asked(**(facts | changed))


def run_job(system: System, at: datetime = AT) -> None:
    """Do the oldest job of codes or labels and what was ordered before it of credentials and signatures, whatever the
    time of day; errors reach the test."""
    while _run_oldest(system, at) in (JobKind.CREDENTIALS, JobKind.CHECK_SIGNATURES):
        pass


def issue_credentials(system: System, at: datetime = AT) -> None:
    """Do all jobs, which are of credentials and signatures; errors reach the test."""
    with system.main.read() as session:
        waiting = session.scalar(select(func.count()).select_from(Job).where(Job.state == JobState.QUEUED)) or 0
    assert {_run_oldest(system, at) for _ in range(waiting)} <= {JobKind.CREDENTIALS, JobKind.CHECK_SIGNATURES}


def _run_oldest(system: System, at: datetime) -> JobKind:
    job = jobs.claim(system.main, "test", at=at)
    assert job is not None
    claimed = jobs.Claimed(job, system.main)
    kind = JobKind(job.kind)
    system.worker()._handlers[kind](claimed)
    with system.main.write() as session:
        claimed.finish(session, at=at)
    return kind


def codes(system: System, batch: Batch, count: int = 1, tier: str = "A", *, short: bool = False) -> list[Printed]:
    """Order and issue codes for a batch that is committed already."""
    order = items.read_order({"count": str(count), "tier": tier, "short": "1" if short else ""})
    with system.main.write() as session:
        there = batches.get(session, batch.ref)
        ref = items.order_codes(session, there, order, base=BASE, by=OPERATOR, at=AT).ref
    run_job(system)
    with system.main.read() as session:
        run = items.get_run(session, ref)
        return [_printed(run, item) for item in session.scalars(items.items_of(run))]


def _printed(run: Any, item: Item) -> Printed:
    link = items.link(run, item)
    lot = None if run.short else run.batch.lot
    signature = link.partition("?s=")[2] or None
    return Printed(run.batch.product.gtin, lot, item.serial, signature, link)


def a_visitor(name: str = "ann", network: str = "") -> scans.Visitor:
    """A phone with its own cookie and, unless said otherwise, its own network."""
    return scans.visitor(b"key", cookie=name, network=network or name, day="2026-11-22")


# --- looking ----------------------------------------------------------------------------------------------------------


def rows(session: Session, model: type[Any]) -> int:
    """How many rows a table has."""
    session.flush()
    return session.scalar(select(func.count()).select_from(model)) or 0


def orders(session: Session) -> int:
    """How many jobs of codes and labels were ordered."""
    session.flush()
    query = select(func.count()).select_from(Job).where(Job.kind != JobKind.CREDENTIALS)
    return session.scalar(query) or 0


def acts(session: Session) -> list[str]:
    """The audit acts so far, oldest first."""
    session.flush()
    return list(session.scalars(select(AuditAct.act).order_by(AuditAct.id)))


def rules(error: Any) -> list[tuple[str | None, str]]:
    """Field and rule of each problem of a refusal."""
    return [(problem.field, problem.rule) for problem in error.value.problems]
