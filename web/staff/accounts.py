"""Sign in and out, and the administrator's list of accounts."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...trace.errors import Forbidden
from ..access import EVERYONE, allow, close_session, current_account, open_session, public
from ..errors import by_field
from ..limits import SIGN_IN_PER_ADDRESS, SIGN_IN_PER_LOGIN, limiter, login_name

blueprint = Blueprint("accounts", __name__, url_prefix="/staff")


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
@limiter.limit(SIGN_IN_PER_ADDRESS, methods=["POST"])
@limiter.limit(SIGN_IN_PER_LOGIN, methods=["POST"], key_func=login_name)
def sign_in() -> Response | str | tuple[str, int]:
    where = _inside(request.values.get("next", ""))
    if request.method == "GET":
        return redirect(where) if current_account() else render_template("login.html", next=where)
    try:
        open_session(request.form.get("login", ""), request.form.get("password", ""))
    except Forbidden as error:
        return render_template("login.html", form=request.form, errors=by_field(error), next=where), 403
    return redirect(where)


@blueprint.post("/sign-out")
@allow(*EVERYONE)
def sign_out() -> Response:
    close_session()
    return redirect(url_for("accounts.sign_in"))


def _inside(path: str) -> str:
    """Only an address of the staff desk, never one of another host."""
    if path.startswith("/staff/") and "\\" not in path and "//" not in path:
        return path
    return url_for("batches.index")
