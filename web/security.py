"""What every answer carries and what every unsafe request must show."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import Forbidden

csrf = CSRFProtect()

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    )
)
"""Nothing inline, nothing from another host, no frames: pages need none of it."""


def init_app(app: Flask) -> None:
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=True)
    csrf.init_app(app)
    app.before_request(_refuse_cross_site)
    app.after_request(_headers)


def _refuse_cross_site() -> None:
    """Browsers say where a request comes from; an unsafe one from another site is refused before any token is read."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
    # Verdicts and staff pages change at any moment; only assets and files say otherwise.
    response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
