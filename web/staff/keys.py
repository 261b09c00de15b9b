"""The signing keys: what each is for, since when, where it lives. Administrators rotate and revoke, auditors read."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ...trace import clock
from ...trace.accounts.models import Role
from ...trace.credentials import service as credentials
from ...trace.errors import LotsealError
from ...trace.keys import service
from ...trace.keys.models import SigningKey
from ..access import allow, signed_in
from ..errors import by_field, status_of
from ..system import system
from ..words import KEY_HOMES, KEY_ROLES, KEY_STATES
from .history import history

blueprint = Blueprint("keys", __name__, url_prefix="/staff/keys")

Answer = Response | str | tuple[str, int]


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {
        "may_change_keys": signed_in().role == Role.ADMIN,
        "key_homes": KEY_HOMES,
        "key_states": KEY_STATES,
        "key_use": lambda key: KEY_ROLES["tag" if key.public_jwk is None else key.role],
    }


@blueprint.get("/")
@allow(Role.ADMIN, Role.AUDITOR)
def index() -> Answer:
    return _list()


@blueprint.post("/rotate")
@allow(Role.ADMIN)
def rotate() -> Answer:
    reason = request.form.get("reason", "")
    try:
        role = service.read_role(request.form.get("role", ""))
        with system().main.write() as db:
            service.rotate(db, system().ring, role, by=signed_in(), at=clock.now(), reason=reason)
    except LotsealError as error:
        return _list(error)
    flash(_("New keys sign from now on. Back up the key folder."), "ok")
    return redirect(url_for(".index"), 303)


@blueprint.get("/<ref>")
@allow(Role.ADMIN, Role.AUDITOR)
def show(ref: str) -> Answer:
    return _page(ref)


@blueprint.post("/<ref>/revoke")
@allow(Role.ADMIN)
def revoke(ref: str) -> Answer:
    reason = request.form.get("reason", "")
    try:
        with system().main.write() as db:
            key = service.to_revoke(db, ref)
            service.revoke(db, key, reason, system().ring, by=signed_in(), at=clock.now())
            credentials.after_revocation(db, key, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _page(ref, error)
    flash(_("The key is revoked. What it signs from now on does not count."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


def _list(error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        page = render_template(
            "staff/keys/index.html",
            keys=list(reversed(service.all_of(db))),
            roles=[(role.value, KEY_ROLES[role]) for role in service.ROLES],
            form=request.form,
            errors=by_field(error) if error else {},
        )
    return (page, status_of(error)) if error else page


def _page(ref: str, error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        key: SigningKey = service.get(db, ref)
        page = render_template(
            "staff/keys/show.html",
            key=key,
            history=history(db, [f"key:{key.kid}"]),
            form=request.form,
            errors=by_field(error) if error else {},
        )
    return (page, status_of(error)) if error else page
