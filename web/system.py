"""The one `System` of this application, for views."""

from __future__ import annotations

from flask import Flask, current_app

from ..trace.system import System


def bind(app: Flask, system: System) -> None:
    app.extensions["lotseal"] = system


def system() -> System:
    """The stores, keys and files behind the present request."""
    found = current_app.extensions["lotseal"]
    assert isinstance(found, System)
    return found
