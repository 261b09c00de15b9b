"""Evidence bundles as downloads. Who may see a batch, a report or a code may take its evidence along."""

from __future__ import annotations

from flask import Blueprint, Response

from ...signing.bundle import Kind
from ...trace import clock
from ...trace.evidence import service
from ..access import EVERYONE, allow, signed_in
from ..system import system

blueprint = Blueprint("evidence", __name__, url_prefix="/staff/evidence")


@blueprint.get("/batch/<ref>.zip")
@allow(*EVERYONE)
def batch(ref: str) -> Response:
    return _download("batch", ref)


@blueprint.get("/certificate/<ref>.zip")
@allow(*EVERYONE)
def certificate(ref: str) -> Response:
    return _download("certificate", ref)


@blueprint.get("/item/<serial>.zip")
@allow(*EVERYONE)
def item(serial: str) -> Response:
    return _download("item", serial)


def _download(kind: Kind, ref: str) -> Response:
    """The bundle as a file; that it was taken along is an act. A supplier finds its own things only."""
    account = signed_in()
    with system().main.read() as db:
        bundle = service.of_any(system().evidence(db), service.find(db, kind, ref, account=account))
    with system().main.write() as db:
        service.exported(db, bundle, by=account, at=clock.now())
    response = Response(bundle.data, mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=bundle.name)
    response.headers["Cache-Control"] = "private, no-store"
    return response
