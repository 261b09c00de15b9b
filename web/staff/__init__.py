"""The staff desk: what suppliers, quality staff, administrators and auditors work with."""

from __future__ import annotations

from flask import Flask

from . import (
    accounts,
    acts,
    batches,
    certificates,
    desk,
    evidence,
    keys,
    labs,
    links,
    log,
    names,
    prints,
    products,
    suppliers,
)

FEATURES = (
    desk,
    batches,
    certificates,
    prints,  # and codes, whose blueprint it shares
    suppliers,
    labs,
    products,
    links,
    accounts,
    acts,
    keys,
    evidence,
    log,
    names,
)


def init_app(app: Flask) -> None:
    for feature in FEATURES:
        app.register_blueprint(feature.blueprint)
