"""Product pictures."""

from __future__ import annotations

from flask import Blueprint, Response, abort
from sqlalchemy import select

from ...trace.products.models import Product
from ..access import public
from ..files import stored_image
from ..system import system

blueprint = Blueprint("media", __name__)


@blueprint.get("/picture/<sha256>")
@public
def picture(sha256: str) -> Response:
    with system().main.read() as db:
        if db.scalar(select(Product.id).where(Product.picture == sha256).limit(1)) is None:
            abort(404)
    return stored_image(sha256)
