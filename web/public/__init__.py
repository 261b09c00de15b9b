"""What everyone may open: home, scanning, scan page, report page, credentials, pictures, pattern page."""

from __future__ import annotations

from flask import Flask

from . import credentials, home, log, media, passport, patterns, reports, resolver, scan


def init_app(app: Flask) -> None:
    for feature in (home, log, scan, passport, resolver, reports, credentials, media, patterns):
        app.register_blueprint(feature.blueprint)
