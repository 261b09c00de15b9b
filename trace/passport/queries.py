"""The statements of the look-up path, built once: a scan executes them, it does not assemble them."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, case, func, or_, select
from sqlalchemy.orm import aliased

from ..batches.models import Batch, BatchCorrection, FormerLot, RecallNotice, StateChange
from ..certificates.models import Certificate, Outcome, ResultLine, Status
from ..credentials.models import Credential, Kind
from ..items.models import CodeRun, Item
from ..keys.models import SigningKey
from ..log import Act
from ..log.models import LogCheckpoint, LogCosignature, LogEntry, LogTerm, LogTimestamp
from ..products.models import Category, FormerGtin, Product
from ..releases.models import Release
from ..suppliers.models import Supplier

PRODUCT = (
    select(
        Product.id,
        Product.ref,
        Product.gtin,
        Product.name_zh,
        Product.name_en,
        Product.spec,
        Product.after_sales_zh,
        Product.after_sales_en,
        Product.picture,
        Category.name_zh.label("category_zh"),
        Category.name_en.label("category_en"),
        Supplier.name_zh.label("supplier_zh"),
        Supplier.name_en.label("supplier_en"),
        Supplier.country.label("supplier_country"),
        Supplier.licence,
        Supplier.suspended_at,
    )
    .join(Category, Category.id == Product.category_id)
    .join(Supplier, Supplier.id == Product.supplier_id)
    .where(Product.gtin == bindparam("gtin"))
)

_TagKey = aliased(SigningKey)

ITEM = (
    select(
        Item.id,
        Item.serial,
        Item.batch_id,
        Item.issued_at,
        Item.voided_at,
        Item.void_reason,
        CodeRun.ref.label("run"),
        CodeRun.tier,
        CodeRun.base,
        CodeRun.short,
        CodeRun.letter,
        CodeRun.kid,
        CodeRun.tag_kid,
        CodeRun.gtin.label("printed_gtin"),
        CodeRun.lot.label("printed_lot"),
        SigningKey.public_jwk,
        SigningKey.revoked_at.label("pair_revoked_at"),
        _TagKey.revoked_at.label("tag_revoked_at"),
        Batch.lot,
    )
    .join(CodeRun, CodeRun.id == Item.run_id)
    .join(Batch, Batch.id == Item.batch_id)
    .outerjoin(SigningKey, SigningKey.kid == CodeRun.kid)
    .outerjoin(_TagKey, _TagKey.kid == CodeRun.tag_kid)
    .where(Item.serial == bindparam("serial"), Batch.product_id == bindparam("product_id"))
)

_PASSPORT = (
    select(Credential.ref)
    .where(Credential.batch_id == Batch.id, Credential.kind == Kind.PASSPORT.value)
    .order_by(Credential.id.desc())
    .limit(1)
    .correlate(Batch)
    .scalar_subquery()
)

_BATCH = (
    select(
        Batch.id,
        Batch.ref,
        Batch.lot,
        Batch.supplier_lot,
        Batch.state,
        Batch.place,
        Batch.region,
        Batch.country,
        Batch.latitude,
        Batch.longitude,
        Batch.producer,
        Batch.site,
        Batch.produced_on,
        Batch.expires_on,
        Batch.quantity,
        Batch.unit,
        Batch.inputs,
        Batch.hold_reason_zh,
        Batch.hold_reason_en,
        Release.at.label("released_at"),
        Release.kid.label("release_kid"),
        Release.sha256.label("release_sha256"),
        RecallNotice.reason_zh.label("recall_reason_zh"),
        RecallNotice.reason_en.label("recall_reason_en"),
        RecallNotice.remedy_zh,
        RecallNotice.remedy_en,
        RecallNotice.phone,
        RecallNotice.at.label("recalled_at"),
        _PASSPORT.label("credential"),
    )
    .select_from(Batch)
    .outerjoin(Release, Release.batch_id == Batch.id)
    .outerjoin(RecallNotice, RecallNotice.batch_id == Batch.id)
)
BATCH_BY_ID = _BATCH.where(Batch.id == bindparam("batch_id"))
BATCH_BY_LOT = _BATCH.where(and_(Batch.product_id == bindparam("product_id"), Batch.lot == bindparam("lot")))

# Asked only after a miss, or when the printed numbers differ from today's.
FORMER_GTIN = (
    select(Product.gtin, FormerGtin.reason, FormerGtin.at)
    .join(Product, Product.id == FormerGtin.product_id)
    .where(FormerGtin.gtin == bindparam("gtin"))
)
FORMER_LOT = (
    select(Batch.lot, FormerLot.reason, FormerLot.at)
    .join(Batch, Batch.id == FormerLot.batch_id)
    .where(FormerLot.product_id == bindparam("product_id"), FormerLot.lot == bindparam("lot"))
)

REPORTS = (
    select(
        Certificate.ref,
        Certificate.number,
        Certificate.laboratory,
        Certificate.accreditation,
        Certificate.sample,
        Certificate.issued_on,
        Certificate.expires_on,
        Certificate.status,
        Certificate.conclusion,
        Certificate.withdrawn_reason,
        func.count(ResultLine.id).label("lines"),
        func.count(ResultLine.id).filter(ResultLine.outcome == Outcome.FAIL).label("failed"),
    )
    .outerjoin(ResultLine, ResultLine.certificate_id == Certificate.id)
    .where(
        Certificate.batch_id == bindparam("batch_id"),
        Certificate.status.in_((Status.ACCEPTED.value, Status.WITHDRAWN.value)),
    )
    .group_by(Certificate.id)
    .order_by(Certificate.issued_on, Certificate.id)
)

CORRECTIONS = (
    select(
        BatchCorrection.field, BatchCorrection.before, BatchCorrection.after, BatchCorrection.reason, BatchCorrection.at
    )
    .where(BatchCorrection.batch_id == bindparam("batch_id"))
    .order_by(BatchCorrection.id)
)

HELD_SINCE = select(func.max(StateChange.at)).where(
    StateChange.batch_id == bindparam("batch_id"), StateChange.state == "held"
)

_Counted = aliased(LogCosignature)
_COSIGNED = (
    select(LogCosignature.size)
    .where(LogCosignature.size > LogEntry.index)
    .order_by(LogCosignature.size, LogCosignature.at)
    .limit(1)
    .correlate(LogEntry)
)
_STAMPED = (
    select(LogTimestamp.size)
    .where(LogTimestamp.size > LogEntry.index)
    .order_by(LogTimestamp.size, LogTimestamp.at)
    .limit(1)
)

# Acts of which a page shows the time, or what they state; and those where it is one of many that concerns the reader.
_SHOWN = (
    Act.BATCH_ADD,
    Act.BATCH_CHANGE,
    Act.BATCH_RELEASE,
    Act.BATCH_CORRECT,
    Act.BATCH_RENUMBER,
    Act.BATCH_HOLD,
    Act.BATCH_RECALL,
    Act.PRODUCT_RENUMBER,
)
_NAMED = (Act.CERTIFICATE_SUBMIT, Act.CODES_COMMIT, Act.CODES_VOID)

# As `log.reading.seen` tells it, for all entries that a page dates and in one statement. `chains`: of the batch and the
# product; `words`: references of the reports and of the run, and the serial.
LOGGED = (
    select(
        LogEntry.index.label("place"),
        LogEntry.act,
        LogEntry.at,
        LogTerm.term,
        case((LogEntry.act.in_((Act.BATCH_CHANGE, Act.BATCH_CORRECT)), LogEntry.content)).label("content"),
        select(LogCheckpoint.at)
        .where(LogCheckpoint.size > LogEntry.index)
        .order_by(LogCheckpoint.size)
        .limit(1)
        .scalar_subquery()
        .label("own_at"),
        _COSIGNED.with_only_columns(LogCosignature.at).scalar_subquery().label("cosigned_at"),
        _STAMPED.with_only_columns(LogTimestamp.at).scalar_subquery().label("stamped_at"),
        select(func.count(_Counted.witness))
        .where(_Counted.size == _COSIGNED.scalar_subquery())
        .correlate(LogEntry)
        .scalar_subquery()
        .label("witnesses"),
    )
    .outerjoin(
        LogTerm,
        and_(
            LogTerm.entry_id == LogEntry.id,
            LogEntry.act.in_(_NAMED),
            LogTerm.term.in_(bindparam("words", expanding=True)),
        ),
    )
    .where(
        LogEntry.chain.in_(bindparam("chains", expanding=True)),
        LogEntry.index.is_not(None),
        or_(LogEntry.act.in_(_SHOWN), LogTerm.term.is_not(None)),
    )
)

_TAG_KEYS = (
    select(SigningKey.kid)
    .where(SigningKey.public_jwk.is_(None), SigningKey.revoked_at.is_(None))
    .order_by(SigningKey.id.desc())
)
_RUNS = (
    select(CodeRun.tag_kid).join(Batch, Batch.id == CodeRun.batch_id).where(Batch.product_id == bindparam("product_id"))
)
# Only these secrets can have tagged a code of this product or lot: the current ones, which may have made codes that a
# restored backup lacks, and those of its own runs. A lost old key then concerns its own codes and no others. A revoked
# one speaks for no code that has no record: anyone may have made it.
TAG_KEYS = _TAG_KEYS.where(or_(SigningKey.retired_at.is_(None), SigningKey.kid.in_(_RUNS)))
TAG_KEYS_OF_LOT = _TAG_KEYS.where(
    or_(
        SigningKey.retired_at.is_(None),
        SigningKey.kid.in_(_RUNS.where(or_(Batch.lot == bindparam("lot"), CodeRun.lot == bindparam("lot")))),
    )
)
