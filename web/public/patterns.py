"""The pattern page: every component with fictional facts."""

from __future__ import annotations

from flask import Blueprint, render_template

from ..access import public
from ..pattern_samples import SAMPLES

blueprint = Blueprint("patterns", __name__)


@blueprint.get("/patterns")
@public
def index() -> str:
    return render_template("patterns.html", samples=SAMPLES)
