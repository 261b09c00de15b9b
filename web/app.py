"""The application as a list of steps; whoever owns something has `init_app`."""

from __future__ import annotations

import tempfile

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from ..trace import settings as trace_settings
from ..trace.db import migrate
from ..trace.errors import Invalid, Problem, invalid, say
from ..trace.settings import Settings
from ..trace.system import System, open_system
from . import access, assets, caching, compression, errors, formats, i18n, limits, public, security, staff, words
from .system import bind

MOST_REQUEST_BYTES = 64 * 1024 * 1024
"""Above the 20 MB that a file may have, so that a file of 25 MB still gets its own sentence."""


class StoredInteger(IntegerConverter):
    """A number in an address. One that no store can hold names nothing: not found, not a fault."""

    regex = r"\d{1,18}"


def create_app(system: System | None = None) -> Flask:
    """Raises `Invalid` when the settings are unsafe for production or the stores are not migrated."""
    system = system or _opened()
    _refuse_old_schema(system)
    # Python finds the folder for temporary files by writing one into it: now, and not first when the disk is full.
    tempfile.gettempdir()
    app = Flask("lotseal.web", static_folder=None)
    bind(app, system)
    _configure(app, system.settings, system.secret_key())
    for step in (security, caching, compression, i18n, assets, formats, words, limits, access, errors, public, staff):
        step.init_app(app)
    access.refuse_unmarked(app)
    return app


def _opened() -> System:
    """The system that the environment names; refused before anything is made on disk."""
    settings = trace_settings.load()
    problems = [Problem(None, "setting.unsafe", sentence) for sentence in trace_settings.refusals(settings)]
    if not settings.public_url:
        problems.append(
            Problem(
                "LOTSEAL_PUBLIC_URL",
                "setting.missing",
                say("Set LOTSEAL_PUBLIC_URL to scheme and host of the printed codes, such as https://t.example.cn."),
            )
        )
    if not settings.data.is_dir():
        problems.append(
            Problem(
                "LOTSEAL_DATA",
                "setting.folder",
                say(
                    "There is no data folder %(path)s. Run «lotseal init», or set LOTSEAL_DATA to the right folder.",
                    path=settings.data,
                ),
            )
        )
    if problems:
        raise Invalid(*problems)
    return open_system(settings)


def _refuse_old_schema(system: System) -> None:
    if migrate.pending(system.databases):
        raise invalid(
            None, "store.migrations", say("The stores are not at today's schema. Run «lotseal migrate» first.")
        )


def _configure(app: Flask, settings: Settings, secret_key: str) -> None:
    safe = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=secret_key,
        # The prefix makes browsers refuse the cookie from any other host or without https.
        SESSION_COOKIE_NAME="__Host-lotseal" if safe else "lotseal",
        SESSION_COOKIE_SECURE=safe,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=MOST_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=2000,
        PREFERRED_URL_SCHEME="https" if safe else "http",
    )
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    app.url_map.converters["int"] = StoredInteger
    app.url_map.strict_slashes = False
    # A lot may hold «//»; merging them would lead to another lot.
    app.url_map.merge_slashes = False
    if count := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]  # Flask's own way to wrap
