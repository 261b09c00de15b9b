"""Sign in and out, one's own account, and the administrator's accounts."""

from __future__ import annotations

import re

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ...trace import clock
from ...trace.accounts import service
from ...trace.accounts.models import Account, Role
from ...trace.errors import Forbidden, LotsealError, invalid, say
from ...trace.suppliers import service as suppliers
from ...trace.suppliers.models import Supplier
from ..access import (
    EVERYONE,
    allow,
    close_session,
    current_account,
    open_session,
    own_session_ref,
    own_token,
    public,
    signed_in,
)
from ..errors import by_field, status_of
from ..limits import SIGN_IN_PER_ADDRESS, SIGN_IN_PER_LOGIN, limiter, login_name, refused
from ..system import system
from .choices import firms
from .lists import chosen, listing, searched

blueprint = Blueprint("accounts", __name__, url_prefix="/staff")

STATES = ("active", "blocked")

Answer = Response | str | tuple[str, int]


# --- in and out -------------------------------------------------------------------------------------------------------


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
@limiter.limit(SIGN_IN_PER_ADDRESS, methods=["POST"], deduct_when=refused)
@limiter.limit(SIGN_IN_PER_LOGIN, methods=["POST"], key_func=login_name, deduct_when=refused)
def sign_in() -> Answer:
    where = _inside(request.values.get("next", ""))
    if request.method == "GET":
        return redirect(where) if current_account() else render_template("login.html", next=where)
    try:
        open_session(request.form.get("login", ""), request.form.get("password", ""))
    except Forbidden as error:
        return render_template("login.html", form=request.form, errors=by_field(error), next=where), 403
    return redirect(where, 303)


@blueprint.post("/sign-out")
@allow(*EVERYONE)
def sign_out() -> Response:
    close_session()
    return redirect(url_for("accounts.sign_in"), 303)


def _inside(path: str) -> str:
    """Only an address of the staff desk, never one of another host."""
    plain = path.startswith("/staff/") and path.isprintable() and "\\" not in path and "//" not in path
    return path if plain and not _climbs(path) else url_for("desk.index")


def _climbs(path: str) -> bool:
    """Whether a browser would leave out a part of it: `.` and `..`, plain or as %2e (WHATWG URL, dot segments)."""
    parts = re.split(r"[?#]", path, maxsplit=1)[0].lower().replace("%2e", ".").split("/")
    return "." in parts or ".." in parts


# --- one's own account ------------------------------------------------------------------------------------------------


@blueprint.get("/me")
@allow(*EVERYONE)
def me() -> Answer:
    return _own_page()


def _own_login() -> str:
    return f"own:{signed_in().login}"


@blueprint.post("/me/password")
@allow(*EVERYONE)
@limiter.limit(SIGN_IN_PER_LOGIN, key_func=_own_login)
def change_password() -> Answer:
    """With the old one, so that an unlocked screen is not enough to take an account over."""
    account = signed_in()
    try:
        _check_present(account, request.form.get("present", ""))
        with system().main.write() as db:
            there = service.get(db, account.ref)
            service.set_password(db, there, _repeated(), by=account, at=clock.now(), keep=own_token())
    except LotsealError as error:
        return _own_page(error)
    flash(_("Your password was changed. Your other sessions were ended."), "ok")
    return redirect(url_for(".me"), 303)


def _check_present(account: Account, password: str) -> None:
    try:
        service.check_password(system().main, account.login, password, at=clock.now())
    except Forbidden:
        raise invalid("present", "password.present", say("This is not your present password. Type it again.")) from None


def _repeated() -> str:
    """The new password, typed twice alike. Raises `Invalid`."""
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        raise invalid("again", "password.again", say("The two new passwords differ. Type the same one twice."))
    return password


@blueprint.post("/me/sessions/<ref>/end")
@allow(*EVERYONE)
def end_own_session(ref: str) -> Answer:
    account = signed_in()
    with system().main.write() as db:
        service.end_session(db, service.get(db, account.ref), ref, by=account, at=clock.now())
    flash(_("The session was ended."), "ok")
    return redirect(url_for(".me"), 303)


@blueprint.post("/me/sessions/end")
@allow(*EVERYONE)
def end_other_sessions() -> Answer:
    account = signed_in()
    with system().main.write() as db:
        service.revoke_sessions(db, service.get(db, account.ref), by=account, at=clock.now(), keep=own_token())
    flash(_("All your other sessions were ended."), "ok")
    return redirect(url_for(".me"), 303)


def _own_page(error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        account = service.get(db, signed_in().ref)
        page = render_template(
            "staff/accounts/me.html",
            account=account,
            supplier=db.get(Supplier, account.supplier_id) if account.supplier_id else None,
            sessions=service.sessions_of(db, account, at=clock.now()),
            this=own_session_ref(),
            least=service.MIN_PASSWORD,
            errors=by_field(error) if error else {},
        )
    return (page, status_of(error)) if error else page


# --- the administrator's --------------------------------------------------------------------------------------------


@blueprint.get("/accounts/")
@allow(Role.ADMIN)
def index() -> str:
    role, state = chosen("role", list(Role)), chosen("state", STATES)
    query = service.matching(searched())
    if role:
        query = query.where(Account.role == role)
    if state:
        query = query.where(Account.active.is_(state == "active"))
    with system().main.read() as db:
        found = listing(
            db,
            query,
            by={"login": Account.login, "name": Account.name, "role": Account.role, "added": Account.added_at},
            default="login",
            also={"role": role, "state": state},
        )
        with system().main.write() as acts:
            service.read_list(acts, [account.ref for account in found.rows], by=signed_in(), at=clock.now())
        return render_template("staff/accounts/index.html", list=found, role=role, state=state, roles=list(Role))


@blueprint.route("/accounts/new", methods=["GET", "POST"])
@allow(Role.ADMIN)
def add() -> Answer:
    """With a typed password, or with a made one that the answer shows this once."""
    if request.method == "GET":
        return _form()
    made = "" if request.form.get("password") else service.random_password()
    try:
        draft = service.read_account({**request.form.to_dict(), **({"password": made} if made else {})})
        with system().main.write() as db:
            firm = suppliers.get(db, draft.supplier_ref) if draft.supplier_ref else None
            account = service.add(db, draft, supplier_id=firm.id if firm else None, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _form(error)
    flash(_("The account was added."), "ok")
    if made:
        return render_template("staff/accounts/password.html", account=account, password=made)
    return redirect(url_for(".show", ref=account.ref), 303)


@blueprint.get("/accounts/<ref>")
@allow(Role.ADMIN)
def show(ref: str) -> Answer:
    return _page(ref)


@blueprint.post("/accounts/<ref>/password")
@allow(Role.ADMIN)
def set_password(ref: str) -> Answer:
    """A typed password, or a made one that the answer shows this once. All sessions of the account end."""
    made = "" if request.form.get("password") else service.random_password()
    try:
        with system().main.write() as db:
            account = service.get(db, ref)
            password = made or request.form["password"]
            service.set_password(db, account, password, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _page(ref, error)
    flash(_("The password was set. All sessions of this account were ended."), "ok")
    if made:
        return render_template("staff/accounts/password.html", account=account, password=made)
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.post("/accounts/<ref>/block")
@allow(Role.ADMIN)
def block(ref: str) -> Answer:
    return _set_active(ref, False, _("The account is blocked and signed out everywhere."))


@blueprint.post("/accounts/<ref>/unblock")
@allow(Role.ADMIN)
def unblock(ref: str) -> Answer:
    return _set_active(ref, True, _("The account may sign in again."))


def _set_active(ref: str, active: bool, done: str) -> Answer:
    try:
        with system().main.write() as db:
            service.set_active(db, service.get(db, ref), active, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _page(ref, error)
    flash(done, "ok")
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.post("/accounts/<ref>/sessions/<session_ref>/end")
@allow(Role.ADMIN)
def end_session(ref: str, session_ref: str) -> Answer:
    with system().main.write() as db:
        service.end_session(db, service.get(db, ref), session_ref, by=signed_in(), at=clock.now())
    flash(_("The session was ended."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.post("/accounts/<ref>/sessions/end")
@allow(Role.ADMIN)
def end_sessions(ref: str) -> Answer:
    with system().main.write() as db:
        service.revoke_sessions(db, service.get(db, ref), by=signed_in(), at=clock.now())
    flash(_("All sessions of this account were ended."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


def _form(error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        page = render_template(
            "staff/accounts/form.html",
            form=request.form,
            errors=by_field(error) if error else {},
            roles=list(Role),
            suppliers=firms(db, None),
            least=service.MIN_PASSWORD,
        )
    return (page, status_of(error)) if error else page


def _page(ref: str, error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        account = service.get(db, ref)
        with system().main.write() as acts:
            service.read_one(acts, account, by=signed_in(), at=clock.now())
        page = render_template(
            "staff/accounts/show.html",
            account=account,
            supplier=db.get(Supplier, account.supplier_id) if account.supplier_id else None,
            sessions=service.sessions_of(db, account, at=clock.now()),
            this=own_session_ref(),
            least=service.MIN_PASSWORD,
            errors=by_field(error) if error else {},
        )
    return (page, status_of(error)) if error else page
