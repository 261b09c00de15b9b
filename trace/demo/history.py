"""Plays the stories through the services, in the order of time, each act by the person who would do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing.keys import Role as KeyRole
from ..accounts import service as accounts
from ..accounts.models import Account
from ..batches import intake as batch_intake
from ..batches import service as batches
from ..batches.models import Batch
from ..certificates import service as certificates
from ..certificates.models import Certificate
from ..credentials import service as credentials
from ..items import service as items
from ..items.models import CodeRun
from ..jobs.models import JobKind
from ..jobs.service import Worker
from ..keys import service as keys
from ..labs import service as labs
from ..labs.roots import read_root
from ..links import service as links
from ..links.intake import read_link
from ..log import Actor
from ..log.models import AuditAct
from ..products import service as products
from ..products.models import Product
from ..releases import service as releases
from ..suppliers import service as suppliers
from ..suppliers.models import Supplier
from ..system import System
from . import firms
from .facts import AccountFact
from .material import Material
from .plan import (
    At,
    BatchPlan,
    Calendar,
    CategoryPlan,
    ClosePlan,
    CorrectionPlan,
    Event,
    FirmPlan,
    HoldPlan,
    ProductPlan,
    RecallPlan,
    ReportPlan,
    RunPlan,
    Story,
)
from .plan import (
    Laboratory as LaboratoryPlan,
)
from .signing import Authorities

KEYS_CHANGED = At(-200, "08:00")
"""After the oldest run of codes, before all others: the key of that run is taken away in the end."""

MAKING_TIME = timedelta(minutes=2)
"""From the order of codes or labels to their being there."""

Step = tuple[datetime, Callable[..., None]]


@dataclass
class Cast:
    """Everyone and everything on stage, by the words of the plans."""

    accounts: dict[str, Account] = field(default_factory=dict)
    told: list[AccountFact] = field(default_factory=list)
    suppliers: dict[str, Supplier] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    runs: dict[str, CodeRun] = field(default_factory=dict)

    def rows(self) -> list[object]:
        """Everybody and everything of the story so far, to go on with in another transaction."""
        kinds = (self.accounts, self.suppliers, self.products, self.batches, self.certificates, self.runs)
        return [row for kind in kinds for row in kind.values()]

    def login_of(self, plan: BatchPlan) -> str:
        """Who acts for the supplier of a batch."""
        firm = next(firm for firm in firms.FIRMS if self.suppliers[firm.key] is self.products[plan.gtin].supplier)
        return firm.login


class History:
    """Collects steps, then takes them one after the other, each with the jobs that it orders: the log tells of them in
    this order, and a job refuses to make codes for a batch that was stopped meanwhile."""

    def __init__(self, system: System, calendar: Calendar, material: Material, authorities: Authorities) -> None:
        self._system = system
        self._calendar = calendar
        self._material = material
        self._authorities = authorities
        self._steps: list[Step] = []
        self.cast = Cast()

    def play(self, stories: Sequence[Story]) -> Cast:
        self._open_the_house()
        for story in stories:
            for product in story.products:
                self._then(At(-237, "10:00"), self._add_product, product)
            for batch in story.batches:
                self._tell_batch(batch)
        # The sort is stable: what is told of one moment happens in the order of telling.
        for moment, act in sorted(self._steps, key=lambda step: step[0]):
            with self._system.main.write() as session:
                session.add_all(self.cast.rows())
                act(session, at=moment)
            worker(self._system).run_all()
        return self.cast

    def _then(self, at: At, act: Callable[..., None], *facts: object) -> None:
        def step(session: Session, *, at: datetime) -> None:
            act(session, *facts, at=at)

        self._steps.append((self._calendar.moment(at), step))

    # --- the house: keys, people, firms, kinds of goods --------------------------------------------------------------

    def _open_the_house(self) -> None:
        self._then(firms.FIRST_DAY, self._make_keys)
        for login, name, role in firms.STAFF:
            self._then(At(-239, "09:00"), self._add_account, login, name, role, None)
        for category in firms.CATEGORIES:
            self._then(At(-238, "09:00"), self._add_category, category)
        for firm in firms.FIRMS:
            self._then(At(-238, "14:00"), self._add_firm, firm)
            if firm.suspended:
                self._then(firm.suspended, self._suspend, firm)
        for laboratory in firms.LABORATORIES:
            self._then(At(-238, "16:00"), self._add_laboratory, laboratory)
        # A run without codes takes the new keys, so the oldest one is made first.
        self._then(KEYS_CHANGED, self._change_keys)

    def _make_keys(self, session: Session, *, at: datetime) -> None:
        keys.add_missing(session, self._system.ring, by=accounts.OPERATOR, at=at)

    def _change_keys(self, session: Session, *, at: datetime) -> None:
        keys.rotate(session, self._system.ring, KeyRole.ITEM, by=accounts.OPERATOR, at=at)

    def _add_account(
        self, session: Session, login: str, name: str, role: str, supplier: Supplier | None, *, at: datetime
    ) -> None:
        password = accounts.random_password()
        draft = accounts.read_account(
            {
                "login": login,
                "name": name,
                "role": role,
                "password": password,
                "supplier": supplier.ref if supplier else "",
            }
        )
        by: Actor = self.cast.accounts.get("admin", accounts.OPERATOR)
        self.cast.accounts[login] = accounts.add(
            session, draft, supplier_id=supplier.id if supplier else None, by=by, at=at
        )
        self.cast.told.append(AccountFact(role, login, password))

    def _add_category(self, session: Session, plan: CategoryPlan, *, at: datetime) -> None:
        raw = {
            "code": plan.code,
            "name_zh": plan.name_zh,
            "name_en": plan.name_en,
            "requires_lab_test": "1" if plan.requires_lab_test else "",
        }
        products.add_category(session, products.read_category(raw), by=self._who("admin"), at=at)

    def _add_firm(self, session: Session, plan: FirmPlan, *, at: datetime) -> None:
        names = ("name_zh", "name_en", "country", "licence", "contact")
        draft = suppliers.read_supplier({name: getattr(plan, name) for name in names})
        self.cast.suppliers[plan.key] = suppliers.add(session, draft, by=self._who("quality"), at=at)
        if plan.login:
            self._add_account(session, plan.login, plan.person, "supplier", self.cast.suppliers[plan.key], at=at)

    def _add_laboratory(self, session: Session, plan: LaboratoryPlan, *, at: datetime) -> None:
        form = {"name_zh": plan.name_zh, "name_en": plan.name_en, "country": plan.country}
        for number in plan.accreditation.split(" / "):
            scheme = number.split()[0].lower()
            form[scheme if scheme in ("cma", "cnas") else "ilac"] = number
        if plan.valid is not None:
            form["valid_until"] = self._calendar.date(plan.valid).isoformat()
        laboratory = labs.add(session, labs.read_laboratory(form), by=self._who("quality"), at=at)
        if plan.pinned:
            root = read_root(self._authorities.root_of(plan))
            labs.pin(session, laboratory, root, {"sha256": root.sha256}, by=self._who("quality"), at=at)

    def _suspend(self, session: Session, plan: FirmPlan, *, at: datetime) -> None:
        suppliers.suspend(session, self.cast.suppliers[plan.key], plan.suspended_reason, by=self._who("quality"), at=at)

    def _add_product(self, session: Session, plan: ProductPlan, *, at: datetime) -> None:
        names = ("gtin", "name_zh", "name_en", "spec", "category", "after_sales_zh", "after_sales_en")
        draft = products.read_product({name: getattr(plan, name) for name in names})
        product = products.add(session, draft, self.cast.suppliers[plan.firm], by=self._who("quality"), at=at)
        if plan.picture:
            picture, original = self._material.pictures[plan.gtin]
            products.set_picture(session, product, picture=picture, original=original, by=self._who("quality"), at=at)
        for link in plan.links:
            links.add(session, read_link({"of": plan.gtin, **asdict(link)}), by=self._who("quality"), at=at)
        self.cast.products[plan.gtin] = product

    def _who(self, login: str) -> Actor:
        return self.cast.accounts[login]

    # --- one batch ---------------------------------------------------------------------------------------------------

    def _tell_batch(self, plan: BatchPlan) -> None:
        self._then(plan.added, self._add_batch, plan)
        if plan.submitted:
            self._then(plan.submitted, self._submit_batch, plan)
        for report in plan.reports:
            self._tell_report(plan, report)
        if plan.released:
            self._then(plan.released, self._release, plan)
        for run in plan.runs:
            self._then(run.at, self._order_codes, plan, run)
            if run.voided:
                self._then(run.voided[0], self._void, run, run.voided[1])
        for event in plan.events:
            self._then(event.at, partial(self._happen, event), plan)

    def _add_batch(self, session: Session, plan: BatchPlan, *, at: datetime) -> None:
        draft = batch_intake.read_batch(self._batch_form(plan))
        by = self._who(self.cast.login_of(plan))
        self.cast.batches[plan.lot] = batches.add(session, draft, self.cast.products[plan.gtin], by=by, at=at)

    def _batch_form(self, plan: BatchPlan) -> dict[str, str]:
        form = {name: self._calendar.write(value) for name, value in plan.facts.items()}
        form["lot"] = plan.lot
        for name, day in (("produced_on", plan.produced), ("expires_on", plan.expires)):
            form[name] = "" if day is None else self._calendar.date(day).isoformat()
        return form

    def _submit_batch(self, session: Session, plan: BatchPlan, *, at: datetime) -> None:
        batches.submit(session, self.cast.batches[plan.lot], by=self._who(self.cast.login_of(plan)), at=at)

    def _release(self, session: Session, plan: BatchPlan, *, at: datetime) -> None:
        releases.release(session, self.cast.batches[plan.lot], self._system.ring, by=self._who("quality"), at=at)

    def _order_codes(self, session: Session, plan: BatchPlan, run: RunPlan, *, at: datetime) -> None:
        order = items.read_order({"count": str(run.count), "tier": run.tier, "short": "1" if run.short else ""})
        self.cast.runs[run.key] = items.order_codes(
            session,
            self.cast.batches[plan.lot],
            order,
            base=self._system.settings.public_url,
            by=self._who("quality"),
            at=at,
        )

    def _void(self, session: Session, plan: RunPlan, reason: str, *, at: datetime) -> None:
        run = self.cast.runs[plan.key]
        # As the job left it.
        session.refresh(run)
        items.void_run(session, run, reason, by=self._who("quality"), at=at)

    def _happen(self, event: Event, session: Session, plan: BatchPlan, *, at: datetime) -> None:
        batch, by = self.cast.batches[plan.lot], self._who("quality")
        match event:
            case HoldPlan():
                batches.hold(session, batch, {"reason_zh": event.reason_zh, "reason_en": event.reason_en}, by=by, at=at)
            case RecallPlan():
                names = ("reason_zh", "reason_en", "remedy_zh", "remedy_en", "phone")
                batches.recall(session, batch, {name: getattr(event, name) for name in names}, by=by, at=at)
            case CorrectionPlan():
                draft = batch_intake.read_batch({**self._batch_form(plan), **event.changed})
                batches.change(session, batch, draft, reason=event.reason, by=by, at=at)
            case ClosePlan():
                batches.close(session, batch, event.reason, by=by, at=at)

    # --- one report --------------------------------------------------------------------------------------------------

    def _tell_report(self, batch: BatchPlan, plan: ReportPlan) -> None:
        self._then(plan.sent, self._send, batch, plan)
        if plan.accepted:
            self._then(plan.accepted, self._accept, plan)
        if plan.rejected:
            self._then(plan.rejected.at, self._reject, plan)

    def _send(self, session: Session, batch: BatchPlan, plan: ReportPlan, *, at: datetime) -> None:
        form = {
            "number": plan.number,
            "laboratory": plan.laboratory.name,
            "accreditation": plan.laboratory.accreditation,
            "sample": plan.sample,
            "method": plan.method,
            "issued_on": self._calendar.date(plan.issued).isoformat(),
            "expires_on": "" if plan.expires is None else self._calendar.date(plan.expires).isoformat(),
            "conclusion": plan.conclusion,
        }
        lines = [line._asdict() for line in plan.lines]
        self.cast.certificates[plan.number] = certificates.submit(
            session,
            self.cast.batches[batch.lot],
            certificates.read_certificate(form, lines, today=at.date()),
            self._material.reports[plan.number],
            by=self._who(plan.sent_by or self.cast.login_of(batch)),
            at=at,
            replaces=self.cast.certificates.get(plan.replaces),
        )

    def _accept(self, session: Session, plan: ReportPlan, *, at: datetime) -> None:
        certificates.accept(session, self.cast.certificates[plan.number], by=self._who(plan.reviewed_by), at=at)

    def _reject(self, session: Session, plan: ReportPlan, *, at: datetime) -> None:
        assert plan.rejected is not None
        raw = {"reason": plan.rejected.reason, "note": plan.rejected.note}
        certificates.reject(session, self.cast.certificates[plan.number], raw, by=self._who(plan.reviewed_by), at=at)


def worker(system: System) -> Worker:
    """A worker that makes codes and credentials at the time of the story instead of the present: what is written into
    the log with them does not change afterwards, and is told in the order in which it happened."""
    handlers = system.handlers()
    handlers[JobKind.ISSUE_CODES] = lambda claimed: items.issue(
        claimed, system.ring, lambda run: run.added_at + MAKING_TIME
    )
    handlers[JobKind.CREDENTIALS] = lambda claimed: credentials.reconcile(claimed, system.ring, system.issuer, _so_far)
    return Worker(system.main, handlers)


def _so_far(session: Session) -> datetime:
    """The moment that the story has reached."""
    return session.scalars(select(AuditAct.at).order_by(AuditAct.at.desc()).limit(1)).one()
