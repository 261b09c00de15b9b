"""The staff desk: what suppliers, quality staff, administrators and auditors work with."""

from __future__ import annotations

from flask import Flask

from . import accounts


def init_app(app: Flask) -> None:
    for feature in (accounts,):
        app.register_blueprint(feature.blueprint)
