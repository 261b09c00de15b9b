"""What is the same for everybody: one copy of it serves all, in a browser, a proxy or a network of caches.

Such an answer depends on neither cookies nor languages, so it neither says `Vary: Cookie` nor sets a cookie: caches
would keep a copy for each reader, or none.
"""

from __future__ import annotations

from hashlib import sha256

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin


def one_copy(response: Response) -> Response:
    """Mark an answer as the same for everybody. Only for what no view chose by language, cookie or account."""
    response.__dict__["one_copy"] = True
    return response


def is_one_copy(response: Response) -> bool:
    return bool(response.__dict__.get("one_copy"))


def known_by(response: Response, digest: str = "") -> Response:
    """With a strong ETag, the SHA-256 of the content (`digest`, when it is known); whoever has it is told so (304)."""
    response.set_etag(digest or sha256(response.get_data()).hexdigest())
    response.make_conditional(request)
    return response


class Sessions(SecureCookieSessionInterface):
    """Flask's own, after all hooks: Flask-Login looks into the session of every request, which would show in `Vary`."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not is_one_copy(response):
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    app.session_interface = Sessions()
