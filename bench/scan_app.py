"""What `bench/scan.py` serves: the whole application, and beside it a bare Flask route under the same server."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from lotseal.web import create_app

bare = Flask("bare")


@bare.get("/")
def hello() -> str:
    return "hello"


app = DispatcherMiddleware(create_app(), {"/bare": bare})
