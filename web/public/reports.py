"""An inspection report readable on the phone: table, page images, original with its hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response, render_template, url_for
from sqlalchemy.orm import Session

from ...trace import clock
from ...trace.certificates import service as certificates
from ...trace.certificates.models import Certificate, ResultLine
from ...trace.credentials import service as credentials
from ...trace.log import Act, reading
from ..access import public
from ..files import MEDIA_TYPES, original, page_image
from ..seals import Seals, seals_of
from ..system import system

blueprint = Blueprint("reports", __name__, url_prefix="/report")


@dataclass(frozen=True)
class Report:
    """A certificate as the report page shows it; addresses of images belong to the asking page."""

    number: str
    laboratory: str
    accreditation: str
    sample: str
    method: str
    issued_on: date
    expires_on: date | None
    status: str
    withdrawn_reason: str
    conclusion: str
    lines: list[ResultLine]
    file_sha256: str
    file_name: str
    file_size: int
    media_type: str
    pages: list[dict[str, object]]
    original_url: str
    seals: Seals


def shown(certificate: Certificate, pages_endpoint: str, original_endpoint: str) -> Report:
    """What the page needs to know of a certificate. Needs its session."""
    file = certificate.file
    return Report(
        number=certificate.number,
        laboratory=certificate.laboratory,
        accreditation=certificate.accreditation,
        sample=certificate.sample,
        method=certificate.method,
        issued_on=certificate.issued_on,
        expires_on=certificate.expires_on,
        status=certificate.status,
        withdrawn_reason=certificate.withdrawn_reason,
        conclusion=certificate.conclusion,
        lines=list(certificate.lines),
        file_sha256=file.sha256,
        file_name=file.name,
        file_size=file.size,
        media_type=MEDIA_TYPES[file.kind],
        pages=[
            {
                "url": url_for(pages_endpoint, ref=certificate.ref, number=number),
                "width": image["width"],
                "height": image["height"],
            }
            for number, image in enumerate(file.page_images, start=1)
        ],
        original_url=url_for(original_endpoint, ref=certificate.ref),
        seals=seals_of(certificate),
    )


@blueprint.get("/<ref>")
@public
def show(ref: str) -> str:
    with system().main.read() as db:
        certificate = _get(db, ref)
        batch, credential = certificate.batch, credentials.of_certificate(db, certificate)
        return render_template(
            "report.html",
            report=shown(certificate, "reports.page", "reports.file"),
            product=batch.product,
            batch=batch,
            credential=credential,
            sent=_seen(db, Act.CERTIFICATE_SUBMIT, certificate),
            seen=_seen(db, Act.CERTIFICATE_ACCEPT, certificate),
            back=url_for("passport.batch", gtin=batch.product.gtin, lot=batch.lot),
            today=clock.now().astimezone(system().settings.zone).date(),
        )


def _seen(db: Session, act: Act, certificate: Certificate) -> reading.Seen | None:
    """Since when others can know of this act on the report."""
    index = reading.index_of(db, act, certificate.ref)
    return reading.seen(db, index) if index is not None else None


@blueprint.get("/<ref>/page/<int:number>")
@public
def page(ref: str, number: int) -> Response:
    with system().main.read() as db:
        return page_image(_get(db, ref).file, number)


@blueprint.get("/<ref>/original")
@public
def file(ref: str) -> Response:
    with system().main.read() as db:
        return original(_get(db, ref).file)


def _get(db: Session, ref: str) -> Certificate:
    return certificates.get_public(db, ref)
