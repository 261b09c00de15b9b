"""The read model behind the scan page: plain facts and one verdict, no rows, no sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class State(StrEnum):
    """The verdict states. The words are permanent: they stand in the API, the CLI and the statistics."""

    RECALLED = "recalled"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN = "unknown"
    UNKNOWN_LOT = "unknown-lot"
    VOIDED = "voided"
    HOLD = "hold"
    NOT_RELEASED = "not-released"
    EXPIRED = "expired"
    EVIDENCE_GAP = "evidence-gap"
    OK_AGAIN = "ok-again"
    OK_FIRST = "ok-first"
    BATCH_ONLY = "batch-only"
    """A typed GTIN and lot, or a lot-level code: facts of the batch, never a verdict on one item."""
    PRODUCT_ONLY = "product-only"
    """A bare GTIN (EAN-13): what the product is, and that a lot is needed for more."""
    CANNOT_VERIFY = "cannot-verify"


@dataclass(frozen=True)
class History:
    """What earlier look-ups of one code are known. `others` counts visitors other than the reader."""

    others: int
    first_at: datetime | None
    """The first counted look-up by anyone else; None when there was none."""
    own: int
    """Counted look-ups by this reader before this one."""
    counted: bool
    """False when this look-up was not stored (a preview robot, or the scan store did not answer in time)."""


@dataclass(frozen=True)
class SupplierFacts:
    name_zh: str
    name_en: str
    country: str
    """ISO 3166-1 alpha-2."""
    licence: str | None
    suspended: bool


@dataclass(frozen=True)
class ProductFacts:
    gtin: str
    """14 digits."""
    internal: bool
    """A restricted-circulation number: unique inside one company only."""
    name_zh: str
    name_en: str
    spec: str
    category_zh: str
    category_en: str
    after_sales_zh: str
    after_sales_en: str
    picture: str | None
    """SHA-256 of the page picture (WebP), None when there is none."""


@dataclass(frozen=True)
class Origin:
    place: str
    region: str
    country: str
    latitude: Decimal | None
    longitude: Decimal | None
    producer: str
    site: str


@dataclass(frozen=True)
class TimelineStep:
    """One dot of the way from origin to release. `kind` is one of: origin, production, input, test, release, expiry,
    hold, recall."""

    kind: str
    on: date
    detail: str


@dataclass(frozen=True)
class ReportFacts:
    """One inspection certificate as the scan page names it."""

    ref: str
    number: str
    laboratory: str
    accreditation: str
    sample: str
    issued_on: date
    expires_on: date | None
    status: str
    """accepted | withdrawn"""
    expired: bool
    conclusion_pass: bool
    lines: int
    failed: int
    withdrawn_reason: str | None


@dataclass(frozen=True)
class Correction:
    """A fact that was changed after release: shown beside the released one, never instead of it silently."""

    field: str
    before: str
    after: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Recall:
    reason_zh: str
    reason_en: str
    remedy_zh: str
    remedy_en: str
    phone: str
    at: datetime


@dataclass(frozen=True)
class Logged:
    """Since when others can know what an entry of the log says: by the first witness or time-stamp authority, else by
    our own clock (`witnesses` and `authorities` are 0 then)."""

    at: datetime
    witnesses: int
    authorities: int


@dataclass(frozen=True)
class Dated:
    """Since when others can know of one date of the page. `kind`: produced_on | expires_on | report (its number is the
    `detail`) state a day of the world; code | void | number | correction | hold | recall are acts with their moment."""

    kind: str
    on: date | datetime
    detail: str
    logged: Logged

    @property
    def stated(self) -> bool:
        return self.kind in ("produced_on", "expires_on", "report")

    def goes_with(self, other: object) -> bool:
        """Whether one line can say the same of both."""
        return isinstance(other, Dated) and (other.stated, other.logged) == (self.stated, self.logged)


@dataclass(frozen=True)
class BatchFacts:
    ref: str
    lot: str
    supplier_lot: str
    state: str
    produced_on: date | None
    expires_on: date | None
    quantity: Decimal | None
    unit: str
    inputs: str
    origin: Origin
    released_at: datetime | None
    release_kid: str | None
    release_hash: str | None
    """SHA-256 of the signed release document, lower-case hexadecimal."""
    held_at: datetime | None
    """When the present hold began; None without one, and in a recall."""
    hold_reason_zh: str | None
    hold_reason_en: str | None
    recall: Recall | None
    timeline: tuple[TimelineStep, ...]
    reports: tuple[ReportFacts, ...]
    corrections: tuple[Correction, ...]
    logged: Logged | None = None
    """The release. None before it, and for the moment between release and seal."""
    dates: tuple[Dated, ...] = ()
    """Every other date of the page that is in the log."""
    credential: str | None = None
    """Reference of the newest passport credential, also of a revoked one."""


@dataclass(frozen=True)
class ItemFacts:
    serial: str
    """20 characters as printed."""
    tier: str
    """A (checked by the operator on-line) or B (signature in the code)."""
    issued_at: datetime
    kid: str
    voided_at: datetime | None
    void_reason: str | None


@dataclass(frozen=True)
class Passport:
    """One answer to one look-up. Which parts are there follows from `state`: an unknown code has no product."""

    state: State
    at: datetime
    gtin: str
    lot: str | None
    serial: str | None
    product: ProductFacts | None = None
    supplier: SupplierFacts | None = None
    batch: BatchFacts | None = None
    item: ItemFacts | None = None
    history: History | None = None
    renumbered: tuple[Correction, ...] = field(default=())
    """Printed numbers that were corrected since: `field` is gtin or lot, `before` the printed one."""
    also: tuple[State, ...] = field(default=())
    """Further states that hold but are less grave: a recalled and expired batch says both."""
