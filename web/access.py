"""Who may open what. Every view is marked, `@public` or `@allow(roles)`; the application does not start with an
unmarked one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from flask import Flask, current_app, redirect, request, session, url_for
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_login.mixins import UserMixin
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import Forbidden
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response

from ..trace import clock
from ..trace.accounts import service as accounts
from ..trace.accounts.models import Account, LoginSession, Role
from .system import system

View = TypeVar("View", bound=Callable[..., object])

STAFF = frozenset((Role.ADMIN, Role.QUALITY))
READERS = frozenset((Role.ADMIN, Role.QUALITY, Role.AUDITOR))
EVERYONE = frozenset(Role)
TOUCH_EVERY = timedelta(minutes=5)


def public(view: View) -> View:
    """Open to all, signed in or not."""
    view.__dict__["allowed_roles"] = None
    return view


def allow(*roles: Role) -> Callable[[View], View]:
    """Open to accounts with one of these roles."""

    def mark(view: View) -> View:
        view.__dict__["allowed_roles"] = frozenset(roles)
        return view

    return mark


class Identity(UserMixin):  # type: ignore[misc]  # the package ships no types
    """The signed-in browser as Flask-Login knows it: its id is the session token, so a session can be revoked."""

    def __init__(self, token: str, row: LoginSession) -> None:
        self.token = token
        self.session_ref = row.ref
        self.account = row.account

    def get_id(self) -> str:
        return self.token


def current_account() -> Account | None:
    """Who is signed in, or None."""
    return current_user.account if current_user.is_authenticated else None


def signed_in() -> Account:
    """Who is signed in, in views that are open to accounts only."""
    account = current_account()
    assert account is not None
    return account


def own_token() -> str:
    """The token of this request's session, for what ends all sessions but this one."""
    return str(current_user.token)


def own_session_ref() -> str:
    """The reference of this request's session."""
    return str(current_user.session_ref)


def rights() -> dict[str, object]:
    """What the reader may do, for templates: buttons that an account may not use are not shown. Looked up by a page
    that asks, like the account itself."""
    return {"may_edit": LocalProxy(_is_staff), "may_edit_products": LocalProxy(_keeps_products)}


def _is_staff() -> bool:
    account = current_account()
    return account is not None and account.role in STAFF


def _keeps_products() -> bool:
    account = current_account()
    return account is not None and account.role in STAFF | {Role.SUPPLIER}


def init_app(app: Flask) -> None:
    # Its context processor would ask the store for every page that is drawn.
    manager = LoginManager(app, add_context_processor=False)
    manager.session_protection = "basic"
    manager.user_loader(_load)
    app.before_request(_enforce)
    # Looked up only by a page that asks: an error page must not need the store that has just failed.
    app.context_processor(lambda: {"current_account": LocalProxy(current_account)})


def refuse_unmarked(app: Flask) -> None:
    """Raises `RuntimeError` for a view that nobody decided about."""
    unmarked = [name for name, view in app.view_functions.items() if not hasattr(view, "allowed_roles")]
    if unmarked:
        raise RuntimeError(f"views without @public or @allow: {', '.join(sorted(unmarked))}")


def _load(token: str) -> Identity | None:
    now = clock.now()
    with system().main.read() as db:
        row = accounts.alive(db, token, at=now)
    if row is None:
        return None
    if row.seen_at + TOUCH_EVERY < now:
        # Whoever only reads is answered also while nothing can be written; the session then ends a little earlier.
        with suppress(OperationalError), system().main.write() as db:
            accounts.touch(db, token, at=now)
    return Identity(token, row)


def _enforce() -> Response | None:
    if request.endpoint is None:
        return None
    roles: frozenset[Role] | None = getattr(current_app.view_functions[request.endpoint], "allowed_roles", frozenset())
    if roles is None:
        return None
    account = current_account()
    if account is None:
        where = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.sign_in", next=where))
    if account.role not in roles:
        raise Forbidden
    return None


def open_session(login: str, password: str) -> Account:
    """Sign in. Raises `Forbidden` of the business. The old cookie content is dropped: no session is taken over."""
    now = clock.now()
    browser = request.user_agent.string
    account = accounts.check_password(system().main, login, password, at=now)
    with system().main.write() as db:
        token, row = accounts.open_session(db, account, browser=browser, at=now)
    session.clear()
    login_user(Identity(token, row))
    return account


def close_session() -> None:
    if current_user.is_authenticated:
        with system().main.write() as db:
            accounts.sign_out(db, current_user.token, at=clock.now())
    logout_user()
    session.clear()
