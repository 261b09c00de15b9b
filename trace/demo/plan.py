"""The words in which the demo's stories are told: plain facts, with days counted from today.

A story says what firms did and when. `history` plays it through the services, so that nothing in the demo exists that
the service would not have let happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class At(NamedTuple):
    """A moment: days from today (negative: past) and the clock in the service's time zone, `HH:MM`."""

    day: int
    clock: str = "09:00"


@dataclass(frozen=True)
class Calendar:
    """Turns days from today into dates. Stories write a date in running text as `{day[-203]}`."""

    today: date
    zone: ZoneInfo

    def date(self, day: int) -> date:
        return self.today + timedelta(days=day)

    def moment(self, at: At) -> datetime:
        return datetime.combine(self.date(at.day), time.fromisoformat(at.clock), self.zone)

    def write(self, text: str) -> str:
        return text.format(day=self)

    def __getitem__(self, day: str) -> str:
        return self.date(int(day)).isoformat()


@dataclass(frozen=True)
class FirmPlan:
    """A supplier; `login` is its account's, empty when nobody signs in for it."""

    key: str
    name_zh: str
    name_en: str
    country: str
    licence: str
    contact: str
    login: str = ""
    person: str = ""
    suspended: At | None = None
    suspended_reason: str = ""


@dataclass(frozen=True)
class CategoryPlan:
    code: str
    name_zh: str
    name_en: str
    requires_lab_test: bool


@dataclass(frozen=True)
class LinkPlan:
    """A link to a fictional page."""

    link_type: str
    href: str
    title: str
    languages: str


@dataclass(frozen=True)
class ProductPlan:
    """`picture` names a drawing of `pictures`, empty when there is none yet."""

    gtin: str
    firm: str
    category: str
    name_zh: str
    name_en: str
    spec: str
    after_sales_zh: str
    after_sales_en: str
    picture: str = ""
    links: tuple[LinkPlan, ...] = ()


@dataclass(frozen=True)
class Laboratory:
    """A fictional laboratory or certification body; `colour` is that of its letterhead."""

    name_zh: str
    name_en: str
    address: str
    accreditation: str
    colour: str
    country: str = "CN"
    valid: int | None = None
    """Days from today until which it is accredited; None: it is not registered."""
    pinned: bool = False
    """Its own authority is pinned, so that its signatures are known."""

    @property
    def name(self) -> str:
        return f"{self.name_zh} {self.name_en}"


class Line(NamedTuple):
    """One measured parameter. The judgement is computed, here as everywhere."""

    parameter: str
    limit: str
    result: str
    unit: str = ""
    method: str = ""


@dataclass(frozen=True)
class Rejection:
    at: At
    reason: str
    note: str


@dataclass(frozen=True)
class ReportPlan:
    """One report and what became of it: accepted, rejected, or (neither) still in the review queue."""

    number: str
    laboratory: Laboratory
    title_zh: str
    title_en: str
    sample: str
    issued: int
    lines: tuple[Line, ...]
    sent: At
    expires: int | None = None
    method: str = ""
    conclusion: str = "pass"
    accepted: At | None = None
    rejected: Rejection | None = None
    replaces: str = ""
    """Number of the rejected report that this one answers."""
    sent_by: str = ""
    """Login; empty: the supplier's own."""
    reviewed_by: str = "quality"
    signed: str = ""
    """Who put a digital signature on the file: `laboratory`, `stranger` (under the laboratory's name), or nobody."""


@dataclass(frozen=True)
class RunPlan:
    """Codes ordered for a batch; `key` is how `codes` finds them again."""

    key: str
    at: At
    count: int
    tier: str = "A"
    short: bool = False
    voided: tuple[At, str] | None = None
    """The whole run is taken out of use, with the reason."""


@dataclass(frozen=True)
class HoldPlan:
    at: At
    reason_zh: str
    reason_en: str


@dataclass(frozen=True)
class RecallPlan:
    at: At
    reason_zh: str
    reason_en: str
    remedy_zh: str
    remedy_en: str
    phone: str


@dataclass(frozen=True)
class CorrectionPlan:
    at: At
    changed: Mapping[str, str]
    reason: str


@dataclass(frozen=True)
class ClosePlan:
    at: At
    reason: str


Event = HoldPlan | RecallPlan | CorrectionPlan | ClosePlan


@dataclass(frozen=True)
class BatchPlan:
    """One lot: `facts` as a form would send them, dates apart because they move with today."""

    gtin: str
    lot: str
    facts: Mapping[str, str]
    produced: int | None
    expires: int | None
    added: At
    submitted: At | None = None
    released: At | None = None
    reports: tuple[ReportPlan, ...] = ()
    runs: tuple[RunPlan, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Story:
    products: tuple[ProductPlan, ...]
    batches: tuple[BatchPlan, ...] = field(default=())
