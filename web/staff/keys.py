"""The key history, to read only: keys are made and rotated by the command line, next to their passphrase."""

from __future__ import annotations

from flask import Blueprint, render_template

from ...trace.accounts.models import Role
from ...trace.keys import service
from ..access import allow
from ..system import system

blueprint = Blueprint("keys", __name__, url_prefix="/staff/keys")


@blueprint.get("/")
@allow(Role.ADMIN, Role.AUDITOR)
def index() -> str:
    with system().main.read() as db:
        return render_template("staff/keys/index.html", keys=list(reversed(service.all_of(db))))
