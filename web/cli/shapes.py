"""The things of the business as plain facts, the same for JSON and for people. Never a password hash, never a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...trace.accounts.models import Account
from ...trace.batches.models import Batch, BatchCorrection, RecallNotice, StateChange
from ...trace.certificates.models import Certificate
from ...trace.credentials.models import Credential
from ...trace.items.models import CodeRun
from ...trace.jobs.models import Job
from ...trace.keys.models import SigningKey
from ...trace.labels.models import LabelSheet
from ...trace.labs.models import Laboratory, PinnedRoot
from ...trace.products.models import Category, Product
from ...trace.releases.models import Release
from ...trace.releases.service import Requirement
from ...trace.suppliers.models import Supplier

Facts = dict[str, Any]


def account(row: Account, supplier_ref: str | None = None) -> Facts:
    return {
        "login": row.login,
        "name": row.name,
        "role": row.role,
        "supplier": supplier_ref,
        "active": row.active,
        "ref": row.ref,
        "added_at": row.added_at,
    }


def supplier(row: Supplier) -> Facts:
    return {
        "ref": row.ref,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "country": row.country,
        "licence": row.licence,
        "contact": row.contact,
        "suspended": row.suspended,
        "suspended_reason": row.suspended_reason,
        "added_at": row.added_at,
        "added_by": row.added_by,
    }


def laboratory(row: Laboratory) -> Facts:
    names = ("ref", "name_zh", "name_en", "country", "cma", "cnas", "ilac", "valid_until", "note", "suspended")
    return {
        **{name: getattr(row, name) for name in names},
        "suspended_reason": row.suspended_reason,
        "roots": [root(one) for one in row.roots],
        "added_at": row.added_at,
        "added_by": row.added_by,
    }


def root(row: PinnedRoot) -> Facts:
    names = ("sha256", "subject", "purpose", "not_after", "added_at", "added_by")
    removed = ("removed_at", "removed_by", "removed_reason")
    return {"ref": row.ref, **{name: getattr(row, name) for name in (*names, *removed)}, "counts": not row.removed}


def category(row: Category) -> Facts:
    return {
        "code": row.code,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "requires_lab_test": row.requires_lab_test,
    }


def product(row: Product) -> Facts:
    return {
        "gtin": row.gtin,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "spec": row.spec,
        "category": row.category.code,
        "supplier": row.supplier.ref,
        "supplier_name": row.supplier.name_zh,
        "internal": row.internal,
        "after_sales_zh": row.after_sales_zh,
        "after_sales_en": row.after_sales_en,
        "picture": row.picture,
        "ref": row.ref,
        "added_at": row.added_at,
        "added_by": row.added_by,
    }


BATCH_FIELDS = (
    "supplier_lot", "place", "region", "country", "latitude", "longitude", "producer", "site",
    "produced_on", "expires_on", "quantity", "unit", "inputs",
)  # fmt: skip
"""The facts of a batch that people give and may correct, named as its form names them."""


def batch(row: Batch) -> Facts:
    return {
        "gtin": row.product.gtin,
        "lot": row.lot,
        "state": row.state,
        "product": row.product.name_zh,
        "supplier": row.supplier.ref,
        **{name: getattr(row, name) for name in BATCH_FIELDS},
        "hold_reason_zh": row.hold_reason_zh,
        "hold_reason_en": row.hold_reason_en,
        "ref": row.ref,
        "added_at": row.added_at,
        "added_by": row.added_by,
    }


def step(row: StateChange) -> Facts:
    return {"state": row.state, "at": row.at, "by": row.by, "reason": row.reason}


def correction(row: BatchCorrection) -> Facts:
    return {
        "field": row.field,
        "before": row.before,
        "after": row.after,
        "reason": row.reason,
        "at": row.at,
        "by": row.by,
    }


def recall(row: RecallNotice) -> Facts:
    names = ("reason_zh", "reason_en", "remedy_zh", "remedy_en", "phone", "at", "by")
    return {name: getattr(row, name) for name in names}


def release(row: Release) -> Facts:
    return {"at": row.at, "by": row.by, "document_sha256": row.sha256, "kid": row.kid}


def gate(lines: Sequence[Requirement], sentences: Sequence[str]) -> list[Facts]:
    return [
        {"rule": line.rule, "done": line.done, "sentence": sentence}
        for line, sentence in zip(lines, sentences, strict=True)
    ]


def certificate(row: Certificate, *, lines: bool = False) -> Facts:
    facts = {
        "ref": row.ref,
        "number": row.number,
        "status": row.status,
        "gtin": row.batch.product.gtin,
        "lot": row.batch.lot,
        "laboratory": row.laboratory,
        "accreditation": row.accreditation,
        "sample": row.sample,
        "method": row.method,
        "issued_on": row.issued_on,
        "expires_on": row.expires_on,
        "conclusion": row.conclusion,
        "version": row.version,
        "reason": row.reason,
        "note": row.note,
        "withdrawn_reason": row.withdrawn_reason,
        "file_name": row.file.name,
        "file_sha256": row.file.sha256,
        "pages": row.file.pages,
        "submitted_at": row.submitted_at,
        "submitted_by": row.submitted_by,
        "reviewed_at": row.reviewed_at,
        "reviewed_by": row.reviewed_by,
    }
    if lines:
        names = ("parameter", "method", "limit", "result", "unit", "outcome")
        facts["lines"] = [{name: getattr(line, name) for name in names} for line in row.lines]
    return facts


def credential(row: Credential) -> Facts:
    return {
        "ref": row.ref,
        "kind": row.kind,
        "state": "revoked" if row.revoked_at else "in-force",
        "gtin": row.batch.product.gtin,
        "lot": row.batch.lot,
        "report": row.certificate.number if row.certificate else None,
        "sha256": row.sha256,
        "kid": row.kid,
        "status_list": row.list_number,
        "status_index": row.status_index,
        "issued_at": row.issued_at,
        "revoked_at": row.revoked_at,
        "reason": row.reason,
    }


def job(row: Job | None) -> Facts | None:
    return (
        None
        if row is None
        else {"ref": row.ref, "state": row.state, "done": row.done, "total": row.total, "error": row.error}
    )


def run(row: CodeRun) -> Facts:
    return {
        "run": row.ref,
        "gtin": row.gtin,
        "lot": row.lot,
        "tier": row.tier,
        "short": row.short,
        "count": row.count,
        "issued": row.issued,
        "base": row.base,
        "job": job(row.job),
        "added_at": row.added_at,
        "added_by": row.added_by,
    }


def sheet(row: LabelSheet) -> Facts:
    return {
        "sheet": row.ref,
        "run": row.run.ref,
        "output": row.output,
        "carrier": row.carrier,
        "layout": row.layout,
        "language": row.language,
        "fields": row.fields,
        "copies": row.copies,
        "dpi": row.dpi,
        "start": row.start + 1,
        "first": row.first + 1,
        "count": row.count,
        "ready": row.sha256 is not None,
        "sha256": row.sha256,
        "verification": row.verification,
        "sample": [number for number, _serial in row.sample or ()],
        "job": job(row.job),
        "added_at": row.added_at,
        "added_by": row.added_by,
    }


def key(row: SigningKey) -> Facts:
    return {
        "kid": row.kid,
        "role": row.role,
        "kind": "secret" if row.public_jwk is None else "pair",
        "alg": row.algorithm,
        "letter": row.letter,
        "state": row.state,
        "home": row.home,
        "added_at": row.added_at,
        "retired_at": row.retired_at,
        "revoked_at": row.revoked_at,
        "reason": row.revoked_reason or row.reason,
    }
