"""A store that went through every act that the log knows; tests undo what they do to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

import makers
import pytest
from makers import AT, HOLD, RECALL
from signers import laboratory_root, stranger_root
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotseal.signing.keys import Role
from lotseal.trace import clock
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.audit import service as audit
from lotseal.trace.audit.model import Finding
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch
from lotseal.trace.certificates import service as certificates
from lotseal.trace.certificates.models import Certificate
from lotseal.trace.credentials import service as credentials
from lotseal.trace.files.service import TakenIn
from lotseal.trace.items import service as items
from lotseal.trace.jobs.models import JobState
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.models import SigningKey
from lotseal.trace.labs import service as labs
from lotseal.trace.labs.models import Laboratory
from lotseal.trace.labs.roots import read_root
from lotseal.trace.links import service as links
from lotseal.trace.links.intake import read_link
from lotseal.trace.log import Act, Actor, record
from lotseal.trace.products import service as products
from lotseal.trace.releases import service as releases
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System


@dataclass(frozen=True)
class Store:
    """The system, and how to look at it."""

    system: System

    def findings(self, session: Session) -> list[Finding]:
        session.flush()
        session.expire_all()
        return list(audit.check(session, self.system.shelf, self.system.storage))

    @contextmanager
    def undone(self) -> Iterator[Session]:
        """A transaction of somebody who may write anything, rolled back at its end."""
        with suppress(_Undo), self.system.main.write() as session:
            yield session
            raise _Undo


class _Undo(Exception):
    pass


def a_stored_file(system: System, text: str) -> TakenIn:
    """A report with two page images, all of it in the storage."""
    put = [system.storage.put(f"{text} {part}".encode()) for part in ("file", "page 1", "page 2")]
    images = [{"sha256": one.sha256, "width": 800, "height": 1100, "size": one.size} for one in put[1:]]
    return TakenIn(put[0].sha256, put[0].size, "pdf", f"{text}.pdf", 2, True, images)


def log_the_keys(system: System) -> None:
    """The keys of the template came without acts; here the history tells of them as `init` would have."""
    with system.main.write() as session:
        for key in session.scalars(select(SigningKey).order_by(SigningKey.id)):
            facts = {"role": key.role, "kid": key.kid, "alg": key.algorithm, "jwk": key.public_jwk}
            facts |= {"letter": key.letter, "home": key.home}
            record(session, Act.KEY_ADD, by=OPERATOR, at=key.added_at, subject=f"key:{key.kid}", **facts)


def live(system: System) -> None:
    """Every logged act at least once, in several seals, each act at a moment of its own."""
    moments = count(1)

    def now() -> datetime:
        return AT + timedelta(seconds=next(moments))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "now", now)
        _live(system, now)


def go_through_laboratories(session: Session, by: Actor, now: Callable[[], datetime]) -> None:
    """One that the reports name, and another one; each with a root that counts and one that was taken away."""
    named = makers.a_laboratory(session, note="asked by telephone")
    other = makers.a_laboratory(session, name_en="Zhejian", cma="", cnas="CNAS L1234")
    draft = labs.read_laboratory({**makers.LABORATORY, "name_en": "Zhejian Testing", "cma": "", "cnas": "CNAS L4321"})
    labs.change(session, other, draft, by=by, at=now())
    for laboratory in (named, other):
        labs.suspend(session, laboratory, "accreditation lapsed", by=by, at=now())
        _pin_both(session, laboratory, by, now)
    labs.resume(session, named, by=by, at=now())


def _pin_both(session: Session, laboratory: Laboratory, by: Actor, now: Callable[[], datetime]) -> None:
    for holder in (laboratory_root(), stranger_root()):
        raw = {"sha256": holder.sha256, "purpose": "signing"}
        root = labs.pin(session, laboratory, read_root(holder.der), raw, by=by, at=now())
    labs.unpin(session, root, "key stolen", by=by, at=now())


def order_twice(session: Session, batch: Batch, by: Actor, now: Callable[[], datetime]) -> None:
    """A run whose job gave up and begins again; no code of it is made yet."""
    order = items.read_order({"count": "4", "tier": "B"})
    run = items.order_codes(session, batch, order, base=makers.BASE, by=by, at=now())
    assert run.job is not None
    run.job.state = JobState.DEAD
    items.issue_again(session, run, by=by, at=now())


def _live(system: System, now: Callable[[], datetime]) -> None:
    log_the_keys(system)
    system.sequencer().run_once()

    with system.main.write() as session:
        bob = makers.bob(session)
        tea, milk = makers.a_supplier(session, contact="Ms Lin"), makers.a_supplier(session)
        suppliers.suspend(session, milk, "papers lapsed", by=bob, at=now())
        cup = makers.a_category(session, "cup", lab_test=False)
        draft = products.read_category({"code": "cup", "name_zh": "杯子", "name_en": "Cups"})
        products.change_category(session, cup, draft, by=bob, at=now())
        product = makers.a_product(session, tea, after_sales_en="Keep dry")
        other = makers.a_product(session, tea)
        fields = {**makers.PRODUCT, "gtin": product.gtin, "spec": "200 g", "after_sales_en": "Keep cool"}
        products.change(session, product, products.read_product(fields), by=bob, at=now())
        picture, original = (system.storage.put(word).sha256 for word in (b"small picture", b"original picture"))
        products.set_picture(session, product, picture=picture, original=original, by=bob, at=now())
        for title in ("Recipe", "Story", "Gone"):
            href = f"https://tea.example/{title}"
            raw = {"of": product.gtin, "link_type": "pip", "href": href, "title": title, "languages": "en"}
            made = links.add(session, read_link(raw), by=bob, at=now())
            if title == "Gone":
                links.remove(session, made, by=bob, at=now())
            if title == "Story":
                links.change(session, made, read_link({**raw, "title": "Our story"}), by=bob, at=now())
        links.correct_gtin(session, product, {"gtin": makers.a_gtin(), "reason": "typing error"}, by=bob, at=now())
        for host in ("tea.example", "milk.example"):
            row = links.allow_host(session, host, by=bob, at=now())
            if host == "milk.example":
                links.refuse_host(session, row, by=bob, at=now())
        facts = {"name_zh": milk.name_zh, "name_en": "Milk", "country": "CN", "licence": milk.licence}
        suppliers.resume(session, milk, by=bob, at=now())
        suppliers.change(session, milk, suppliers.read_supplier(facts), by=bob, at=now())
        suppliers.suspend(session, milk, "papers lapsed again", by=bob, at=now())
        facts = {"name_zh": tea.name_zh, "name_en": tea.name_en, "country": "CN", "licence": tea.licence}
        suppliers.change(session, tea, suppliers.read_supplier({**facts, "contact": "Ms Wei"}), by=bob, at=now())
        go_through_laboratories(session, bob, now)
    system.sequencer().run_once()

    with system.main.write() as session:
        session.add_all((tea, product, other, bob))
        batch = makers.a_draft(
            session, product, supplier_lot="W-7", latitude="27.72", longitude="118.03", region="福建", site="岚谷"
        )
        fields = {**makers.BATCH, "supplier_lot": "W-7", "latitude": "27.72", "longitude": "118.03", "site": "岚谷"}
        fields |= {"region": "福建", "inputs": "SX-260503"}
        batches.change(session, batch, makers.batch_draft(**fields), reason="", by=bob, at=now())
        batches.submit(session, batch, by=bob, at=now())
        first = makers.a_certificate(session, batch, accepted=False, file=a_stored_file(system, "first"))
        certificates.reject(session, first, {"reason": "expired", "note": "see page 2"}, by=OPERATOR, at=now())
        draft = makers.certificate_draft(expires_on="2027-10-21", method="GB 5009", lines=[{}, {"parameter": "镉"}])
        report = certificates.submit(
            session, batch, draft, a_stored_file(system, "second"), by=bob, at=now(), replaces=first
        )
        certificates.accept(session, report, by=OPERATOR, at=now())
        releases.release(session, batch, system.ring, by=OPERATOR, at=now())
        recalled = makers.a_batch(session, other, lot="R1")
        makers.a_draft(session, other, lot="D1")
        makers.a_certificate(session, recalled, file=a_stored_file(system, "third"))
        releases.release(session, recalled, system.ring, by=OPERATOR, at=now())
    tier_b = makers.codes(system, batch, count=5, tier="B")
    makers.codes(system, batch, count=3)
    makers.codes(system, recalled, count=2, short=True)
    makers.issue_credentials(system, now())

    with system.main.write() as session:
        session.add_all((product, other, bob, batch, recalled))
        items.void(session, items.get_item(session, tier_b[1].serial), "label torn", by=bob, at=now())
        lost = items.get_run(session, items.runs_of(session, batch)[0].ref)
        items.void_run(session, lost, "roll lost", by=bob, at=now())
        corrected = {**fields, "place": "星村", "quantity": "1588"}
        batches.change(session, batch, makers.batch_draft(**corrected), reason="counted again", by=bob, at=now())
        links.correct_lot(session, batch, {"lot": "DHP261012B", "reason": "typing error"}, by=bob, at=now())
        batches.hold(session, batch, HOLD, by=bob, at=now())
        batches.lift_hold(session, batch, "test passed", by=bob, at=now())
        batches.hold(session, batch, HOLD, by=bob, at=now())
        batches.recall(session, recalled, RECALL, by=bob, at=now())
        batches.close(session, recalled, "all back", by=bob, at=now())
        third = session.scalars(select(Certificate).where(Certificate.batch_id == recalled.id)).one()
        certificates.withdraw(session, third, "wrong sample", by=bob, at=now())
        keys.rotate(session, system.ring, Role.ITEM, by=OPERATOR, at=now(), reason="yearly")
        status = keys.current_pair(session, Role.STATUS)
        keys.revoke(session, keys.to_revoke(session, status.kid), "laptop lost", system.ring, by=OPERATOR, at=now())
        credentials.after_revocation(session, status, by=OPERATOR, at=now())
    makers.issue_credentials(system, now())
    with system.main.write() as session:
        session.add_all((other, bob))
        order_twice(session, makers.a_batch(session, other, lot="O1"), bob, now)
    system.sequencer().run_once()
