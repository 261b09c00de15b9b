"""Frozen facts for the pattern page: every firm, person, number and report is fictional (GS1 prefix 952)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from ..trace.files.findings import Coverage, Five, Integrity, Later, Trust, Works
from ..trace.passport.model import (
    BatchFacts,
    Correction,
    Dated,
    History,
    ItemFacts,
    Logged,
    Origin,
    Passport,
    ProductFacts,
    Recall,
    ReportFacts,
    State,
    SupplierFacts,
    TimelineStep,
)
from .seals import Seal, Seals, statements_of
from .words import STANDINGS

TODAY: Final = date(2026, 11, 22)
NOW: Final = datetime(2026, 11, 22, 9, 41, tzinfo=UTC)
_HASH: Final = "3b1f0c7a94d2e65588c1a09be4f7d3526a17c0de9f84b2153d60e7a8c94f1b02"


@dataclass(frozen=True)
class Line:
    """One result line as the report page shows it."""

    parameter: str
    method: str
    limit: str
    result: str
    unit: str
    outcome: str


@dataclass(frozen=True)
class Sheet:
    """One page picture of a report."""

    url: str
    width: int
    height: int


@dataclass(frozen=True)
class Report:
    """What the report page needs of one certificate."""

    number: str
    laboratory: str
    accreditation: str
    sample: str
    method: str
    issued_on: date
    expires_on: date | None
    status: str
    rejected_reason: str | None
    withdrawn_reason: str | None
    conclusion: str
    lines: tuple[Line, ...]
    file_sha256: str
    file_name: str
    file_size: int
    media_type: str
    pages: tuple[Sheet, ...]
    original_url: str


@dataclass(frozen=True)
class Row:
    """One line of a staff list."""

    lot: str
    product_zh: str
    product_en: str
    supplier_zh: str
    supplier_en: str
    expires_on: date
    quantity: int
    state: str
    missing: int


PRODUCT: Final = ProductFacts(
    gtin="09521321000018",
    internal=False,
    name_zh="武夷山大红袍（演示）",
    name_en="Da Hong Pao tea, Wuyi (demo)",
    spec="100 g",
    category_zh="茶叶",
    category_en="Tea",
    after_sales_zh="未开封七天内可无理由退货。",
    after_sales_en="Unopened tins can be returned within seven days.",
    picture=None,
)
SUPPLIER: Final = SupplierFacts(
    name_zh="武夷岩韵茶业（演示）",
    name_en="Wuyi Yanyun Tea (demo)",
    country="CN",
    licence="91999999MADEM0011Y",
    suspended=False,
)
REPORTS: Final = (
    ReportFacts(
        ref="demo-1",
        number="YX-2026-10-0417",
        laboratory="闽检（演示）",
        accreditation="CMA 260000DEMO01",
        sample="DHP261012A-S1",
        issued_on=date(2026, 10, 21),
        expires_on=date(2027, 10, 20),
        status="accepted",
        expired=False,
        conclusion_pass=True,
        lines=4,
        failed=0,
        withdrawn_reason=None,
    ),
    ReportFacts(
        ref="demo-2",
        number="YX-2026-10-0418",
        laboratory="闽检（演示）",
        accreditation="CMA 260000DEMO01",
        sample="DHP261012A-S2",
        issued_on=date(2026, 10, 21),
        expires_on=date(2027, 10, 20),
        status="accepted",
        expired=False,
        conclusion_pass=True,
        lines=2,
        failed=0,
        withdrawn_reason=None,
    ),
)
ISSUED: Final = datetime(2026, 10, 22, 7, 30, tzinfo=UTC)
BATCH: Final = BatchFacts(
    ref="demo",
    lot="DHP261012A",
    supplier_lot="MC-2609-B",
    state="released",
    produced_on=date(2026, 10, 12),
    expires_on=date(2028, 4, 11),
    quantity=Decimal(1590),
    unit="pcs",
    inputs="SX-260503, RG-260506",
    origin=Origin(
        place="岚谷坡（演示茶园）",
        region="福建武夷山",
        country="CN",
        latitude=Decimal("27.70"),
        longitude=Decimal("118.00"),
        producer="武夷岩韵茶业（演示）",
        site="岚谷初制厂（演示）",
    ),
    released_at=datetime(2026, 10, 22, 6, 5, tzinfo=UTC),
    release_kid="r7Qm2xVt",
    release_hash=_HASH,
    logged=Logged(datetime(2026, 10, 22, 6, 5, 4, tzinfo=UTC), 2, 0),
    dates=(
        Dated("produced_on", date(2026, 10, 12), "", Logged(datetime(2026, 10, 13, 2, 0, 9, tzinfo=UTC), 2, 0)),
        Dated("report", date(2026, 10, 21), "YX-2026-10-0417", Logged(datetime(2026, 10, 21, 8, 1, tzinfo=UTC), 0, 1)),
        Dated("code", ISSUED, "", Logged(datetime(2026, 10, 22, 7, 30, 2, tzinfo=UTC), 0, 0)),
    ),
    held_at=None,
    hold_reason_zh=None,
    hold_reason_en=None,
    recall=None,
    timeline=(
        TimelineStep("origin", date(2026, 5, 3), "岚谷坡（演示茶园）"),
        TimelineStep("input", date(2026, 9, 18), "SX-260503, RG-260506"),
        TimelineStep("production", date(2026, 10, 12), "岚谷初制厂（演示）"),
        TimelineStep("test", date(2026, 10, 21), "YX-2026-10-0417"),
        TimelineStep("release", date(2026, 10, 22), ""),
        TimelineStep("expiry", date(2028, 4, 11), ""),
    ),
    reports=REPORTS,
    corrections=(),
)
ITEM: Final = ItemFacts(
    serial="7K3QX9MHTA4CWPRN62VD",
    tier="B",
    issued_at=ISSUED,
    kid="i4Hd9sLw",
    voided_at=None,
    void_reason=None,
)
_RECALL: Final = Recall(
    reason_zh="留样复检发现克罗诺杆菌（虚构案例）。",
    reason_en="Cronobacter was found in the retained sample (fictional case).",
    remedy_zh="请立即停止食用。剩余产品连同包装退回购买处。全额退款。",
    remedy_en="Stop feeding it at once. Take what is left, with its pack, back to the shop for a full refund.",
    phone="400 000 0952",
    at=datetime(2026, 11, 20, 7, 40, tzinfo=UTC),
)
_CORRECTION: Final = Correction(
    field="expires_on",
    before="2028-04-12",
    after="2028-04-11",
    reason="录入错误 / typing mistake",
    at=datetime(2026, 10, 30, 2, 15, tzinfo=UTC),
)


def _batch(state: State) -> BatchFacts:
    """The sample batch in the shape that leads to `state`."""
    if state is State.RECALLED:
        return replace(BATCH, state="recalled", recall=_RECALL)
    if state is State.HOLD:
        return replace(
            BATCH, state="held", hold_reason_zh="有客户反映罐体变形。", hold_reason_en="Dented tins were reported."
        )
    if state is State.NOT_RELEASED:
        return replace(
            BATCH,
            state="awaiting-tests",
            released_at=None,
            release_kid=None,
            release_hash=None,
            logged=None,
            dates=BATCH.dates[:1],
            reports=(),
            timeline=BATCH.timeline[:3],
        )
    if state is State.EXPIRED:
        return replace(BATCH, expires_on=date(2026, 11, 1))
    if state is State.EVIDENCE_GAP:
        lapsed = replace(REPORTS[0], expires_on=date(2026, 11, 17), expired=True)
        gone = replace(REPORTS[1], status="withdrawn", withdrawn_reason="样品编号有误 / wrong sample number")
        return replace(BATCH, reports=(lapsed, gone))
    if state is State.OK_AGAIN:
        return replace(BATCH, corrections=(_CORRECTION,))
    return BATCH


def _history(state: State) -> History | None:
    """How often the sample code was looked up; unknown codes and batch facts have no history."""
    if state is State.OK_AGAIN:
        return History(others=3, first_at=datetime(2026, 11, 2, 3, 20, tzinfo=UTC), own=2, counted=True)
    if state in {State.OK_FIRST, State.EVIDENCE_GAP, State.EXPIRED, State.HOLD, State.VOIDED, State.RECALLED}:
        return History(others=0, first_at=None, own=0, counted=True)
    return None


def passport(state: State) -> Passport:
    """One complete answer for each verdict state, with the parts that this state really has."""
    bare = Passport(state=state, at=NOW, gtin=PRODUCT.gtin, lot=BATCH.lot, serial=ITEM.serial)
    if state in {State.UNKNOWN, State.BAD_SIGNATURE, State.CANNOT_VERIFY}:
        return bare
    if state in {State.PRODUCT_ONLY, State.UNKNOWN_LOT}:
        lot = None if state is State.PRODUCT_ONLY else "DHP261O12A"
        return replace(bare, lot=lot, serial=None, product=PRODUCT, supplier=SUPPLIER)
    full = replace(bare, product=PRODUCT, supplier=SUPPLIER, batch=_batch(state))
    if state is State.BATCH_ONLY:
        return replace(full, serial=None)
    item = ITEM
    if state is State.VOIDED:
        item = replace(ITEM, voided_at=datetime(2026, 11, 5, 8, 0, tzinfo=UTC), void_reason="标签破损 / damaged label")
    also = (State.EXPIRED,) if state is State.RECALLED else ()
    return replace(full, item=item, history=_history(state), also=also)


REPORT: Final = Report(
    number="YX-2026-10-0417",
    laboratory="闽检（演示）",
    accreditation="CMA 260000DEMO01 · CNAS L00000-DEMO",
    sample="DHP261012A-S1",
    method="GB 5009, GB 23200 (demo)",
    issued_on=date(2026, 10, 21),
    expires_on=date(2027, 10, 20),
    status="accepted",
    rejected_reason=None,
    withdrawn_reason=None,
    conclusion="fail",
    lines=(
        Line("铅 Pb", "GB 5009.12", "≤ 5.0", "0.9", "mg/kg", "pass"),
        Line("联苯菊酯 Bifenthrin", "GB 23200.113", "≤ 5", "0.12", "mg/kg", "pass"),
        Line("啶虫脒 Acetamiprid", "GB 23200.121", "≤ 10", "< 0.03", "mg/kg", "pass"),
        Line("水分 Moisture", "GB 5009.3", "≤ 6.0", "6.4", "g/100 g", "fail"),
        Line("感官 Sensory", "GB/T 23776", "—", "条索紧结", "", "undecided"),
    ),
    file_sha256=_HASH,
    file_name="YX-2026-10-0417.pdf",
    file_size=248_311,
    media_type="application/pdf",
    pages=(),
    original_url="",
)

ROWS: Final = (
    Row(
        "DHP261012A",
        "武夷山大红袍（演示）",
        "Da Hong Pao tea (demo)",
        "武夷岩韵茶业（演示）",
        "Wuyi Yanyun Tea (demo)",
        date(2028, 4, 11),
        1590,
        "released",
        0,
    ),
    Row(
        "IF20261105",
        "婴儿配方奶粉 1 段（演示）",
        "Infant formula, stage 1 (demo)",
        "初禾乳业（演示）",
        "Chuhe Dairy (demo)",
        date(2028, 11, 4),
        1200,
        "awaiting-tests",
        1,
    ),
    Row(
        "SAL-2611-08",
        "挪威三文鱼（演示）",
        "Norwegian salmon (demo)",
        "沪上水产加工（演示）",
        "Hushang Seafood (demo)",
        date(2026, 11, 24),
        3300,
        "held",
        2,
    ),
    Row(
        "IF20260715",
        "婴儿配方奶粉 1 段（演示）",
        "Infant formula, stage 1 (demo)",
        "初禾乳业（演示）",
        "Chuhe Dairy (demo)",
        date(2028, 7, 14),
        1200,
        "recalled",
        0,
    ),
    Row(
        "LED2641",
        "LED 台灯 8 W（演示）",
        "LED desk lamp 8 W (demo)",
        "明澈光电（演示）",
        "Mingche Lighting (demo)",
        date(2036, 10, 1),
        600,
        "draft",
        3,
    ),
    Row(
        "LED2640",
        "LED 台灯 8 W（演示）",
        "LED desk lamp 8 W (demo)",
        "明澈光电（演示）",
        "Mingche Lighting (demo)",
        date(2036, 9, 28),
        600,
        "closed",
        0,
    ),
)


def _seal(five: Five) -> Seal:
    return Seal(
        field="Laboratory",
        stamp=False,
        signer="Minjian Testing (demo) · 闽检测试(演示)",
        signed_at=NOW,
        certificate_sha256=_HASH,
        roots=(_HASH,) if five.trust.holds else (),
        revision=2,
        statements=statements_of(five),
    )


_RIGHT: Final = Five(Integrity.INTACT, Works.RIGHT, Trust.PINNED, Coverage.FILE, Later.NOTHING)
SEALS: Final = (
    Seals(STANDINGS["laboratory"], (_seal(_RIGHT),), 2, NOW),
    Seals(STANDINGS["changed"], (_seal(replace(_RIGHT, coverage=Coverage.REVISION, later=Later.CHANGED)),), 3, NOW),
    Seals(STANDINGS["not-signed"], (), 1, NOW),
)


@dataclass(frozen=True)
class Samples:
    """All that the pattern page shows."""

    states: tuple[State, ...] = tuple(State)
    batch: BatchFacts = BATCH
    item: ItemFacts = ITEM
    report: Report = REPORT
    seals: tuple[Seals, ...] = SEALS
    rows: tuple[Row, ...] = ROWS
    now: datetime = NOW
    today: date = TODAY


SAMPLES: Final = Samples()
