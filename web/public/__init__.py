"""What everyone may open: home, scanning, scan page, report page, pictures, pattern page."""

from __future__ import annotations

from flask import Flask

from . import home, log, media, passport, patterns, reports, resolver, scan


def init_app(app: Flask) -> None:
    for feature in (home, log, scan, passport, resolver, reports, media, patterns):
        app.register_blueprint(feature.blueprint)
