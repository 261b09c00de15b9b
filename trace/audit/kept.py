"""From rows to plain facts, under the same names as the log tells them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing.canonical import sha256_hex
from ..batches import service as batches
from ..batches.intake import BatchDraft
from ..batches.models import Batch
from ..certificates import service as certificates
from ..certificates.models import Certificate
from ..credentials.models import Credential, StatusList
from ..items.commitment import made_with
from ..items.models import CodeRun
from ..keys.models import SigningKey
from ..labs.models import Laboratory, PinnedRoot
from ..links.models import Link, LinkHost
from ..log import time_text
from ..products import service as products
from ..products.models import Category, Product
from ..releases import service as releases
from ..suppliers.models import Supplier

Facts = dict[str, Any]


def moment(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)


def _ref(thing: Any) -> str | None:
    """The reference of what a row hangs on; None where somebody took that away."""
    found: str | None = getattr(thing, "ref", None)
    return found


def _columns(row: object, names: Iterable[str]) -> Facts:
    return {name: getattr(row, name) for name in names}


def _stamped(row: Any, *names: str) -> Facts:
    return {**_columns(row, names), "added_at": moment(row.added_at), "added_by": row.added_by}


def supplier(_session: Session, row: Supplier) -> Facts:
    return {
        **_stamped(row, "name_zh", "name_en", "country", "licence", "contact", "suspended_reason"),
        "suspended_at": moment(row.suspended_at),
    }


def category(_session: Session, row: Category) -> Facts:
    return _columns(row, ("code", "name_zh", "name_en", "requires_lab_test"))


def product(session: Session, row: Product) -> Facts:
    names = ("gtin", "name_zh", "name_en", "spec", "after_sales_zh", "after_sales_en", "picture", "picture_original")
    return {
        **_stamped(row, *names),
        "category": getattr(row.category, "code", None),
        "supplier": _ref(row.supplier),
        "former": [_dated(one, "gtin", "reason") for one in products.former_numbers(session, row)],
    }


def link(_session: Session, row: Link) -> Facts:
    names = ("anchor", "link_type", "href", "title", "languages", "media_type", "contexts", "is_default")
    return _stamped(row, *names)


def link_host(_session: Session, row: LinkHost) -> Facts:
    return _stamped(row, "host")


def key(_session: Session, row: SigningKey) -> Facts:
    return {
        **_columns(row, ("kid", "role", "letter", "home", "reason", "revoked_reason")),
        "alg": row.algorithm,
        "jwk": row.public_jwk,
        "added_at": moment(row.added_at),
        "retired_at": moment(row.retired_at),
        "revoked_at": moment(row.revoked_at),
    }


def _dated(row: Any, *names: str) -> Facts:
    return {**_columns(row, names), "at": moment(row.at), "by": row.by}


def batch(session: Session, row: Batch) -> Facts:
    notice, release = batches.notice(session, row), releases.of_batch(session, row)
    corrections = [_dated(one, "field", "before", "after", "reason") for one in batches.corrections(session, row)]
    return {
        **batches.plain(_columns(row, BatchDraft.__dataclass_fields__)),
        **_stamped(row, "state", "hold_reason_zh", "hold_reason_en", "held_from"),
        "product": _ref(row.product),
        "supplier": _ref(row.supplier),
        "steps": [_dated(one, "state", "reason") for one in batches.steps(session, row)],
        "former": [_dated(one, "lot", "reason") for one in batches.former_lots(session, row)],
        # The log tells the fields of one correction in the order of their names.
        "corrections": sorted(corrections, key=lambda one: (one["at"], one["field"])),
        "notice": notice and _dated(notice, "reason_zh", "reason_en", "remedy_zh", "remedy_en", "phone"),
        "release": release and {**_dated(release, "sha256", "kid"), "document": sha256_hex(release.document.encode())},
    }


def certificate(session: Session, row: Certificate) -> Facts:
    names = ("version", "status", "reason", "note", "submitted_by", "submitted_by_ref")
    more = ("reviewed_by", "withdrawn_by", "withdrawn_reason")
    replaced = row.replaces_id and session.scalar(select(Certificate.ref).where(Certificate.id == row.replaces_id))
    return {
        **certificates.as_written(row),
        **_columns(row, (*names, *more)),
        "batch": _ref(row.batch),
        "file_sha256": getattr(row.file, "sha256", None),
        "file": certificates.of_file(row.file) if _ref(row.file) else None,
        "replaces": replaced,
        "submitted_at": moment(row.submitted_at),
        "reviewed_at": moment(row.reviewed_at),
        "withdrawn_at": moment(row.withdrawn_at),
    }


def laboratory(_session: Session, row: Laboratory) -> Facts:
    names = ("name_zh", "name_en", "country", "cma", "cnas", "ilac", "note", "suspended_reason")
    return {
        **_stamped(row, *names),
        "valid_until": row.valid_until and row.valid_until.isoformat(),
        "suspended_at": moment(row.suspended_at),
        "numbers": sorted(one.number for one in row.numbers),
    }


def root(_session: Session, row: PinnedRoot) -> Facts:
    return {
        **_stamped(row, "sha256", "purpose", "removed_by", "removed_reason"),
        "laboratory": _ref(row.laboratory),
        "der": sha256_hex(row.der),
        "certificate": row.subject,
        "not_after": moment(row.not_after),
        "removed_at": moment(row.removed_at),
    }


def credential(_session: Session, row: Credential) -> Facts:
    return {
        **_columns(row, ("kind", "sha256", "kid", "reason")),
        "batch": _ref(row.batch),
        "certificate": _ref(row.certificate),
        "jwt": sha256_hex(row.jwt.encode()),
        "list": row.list_number,
        "index": row.status_index,
        "issued_at": moment(row.issued_at),
        "revoked_at": moment(row.revoked_at),
    }


def status_list(_session: Session, row: StatusList) -> Facts:
    return {
        **_columns(row, ("seq", "sha256", "kid")),
        "jwt": sha256_hex(row.jwt.encode()),
        "at": moment(row.at),
    }


def run(_session: Session, row: CodeRun) -> Facts:
    return {**made_with(row), **_stamped(row, "count", "root"), "batch": _ref(row.batch)}
