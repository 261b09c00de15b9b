"""Names of people stand on a page of the desk only when a reader asks for them, and that he asked is written first.

What somebody did is told at once; who did it is personal, and every look at it is an audit act of its own. Accounts,
the audit list and an entry of the log write down their own looks (`accounts`, `acts`, `log`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, current_app, g, redirect, render_template, request, session
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response

from ...trace import clock
from ...trace.accounts.service import OPERATOR, SERVICE
from ...trace.log import Act, record
from ..access import EVERYONE, allow, signed_in
from ..system import system

blueprint = Blueprint("names", __name__)

SHOWN_FOR = timedelta(minutes=15)
MOST_PAGES = 8
"""Pages with names that a browser has at a time; the cookie that keeps them stays small."""
MOST_PATH = 110
KEPT = "names"
NOBODY = frozenset(("", OPERATOR.name, SERVICE.name))


@blueprint.app_template_global()
def who(name: str) -> str:
    """The name, when the reader asked for names on this page or it is his own; else a mark that one is there."""
    if name in NOBODY or name == signed_in().name or shown():
        return name
    g.names_unshown = True
    return Markup(render_template("staff/_unshown.html"))  # noqa: S704  # a template of ours, without values


@blueprint.app_template_global()
def names_unshown() -> bool:
    """Whether the page has left out a name up to here."""
    return bool(g.get("names_unshown"))


def shown() -> bool:
    """Whether this page shows names to this browser just now."""
    until = session.get(KEPT, {}).get(request.path)
    return until is not None and clock.now() < datetime.fromisoformat(until)


def look(path: str) -> None:
    """Write down that the names on this page are looked at, once for as long as they are shown."""
    now = clock.now()
    with system().main.write() as db:
        record(db, Act.LOG_READ_ACTOR, by=signed_in(), at=now, subject=f"page:{path}")
    kept = {**session.get(KEPT, {}), path: (now + SHOWN_FOR).isoformat()}
    session[KEPT] = dict(sorted(kept.items(), key=lambda item: item[1])[-MOST_PAGES:])


@blueprint.post("/staff/names")
@allow(*EVERYONE)
def show() -> Response:
    """Show the names on a page of the desk for a while. What the page shows besides is its own matter."""
    path = request.form.get("page", "")
    if not _is_page(path):
        raise NotFound
    look(path)
    return redirect(path, 303)


def _is_page(path: str) -> bool:
    """Whether this is the address of a page of the desk that the reader's role may open."""
    if not path.startswith("/staff/") or len(path) > MOST_PATH:
        return False
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None
    try:
        endpoint, _values = adapter.match(path, method="GET")
    except HTTPException:
        return False
    roles = getattr(current_app.view_functions[endpoint], "allowed_roles", None)
    return roles is not None and signed_in().role in roles
