"""What every answer carries and what every unsafe request must show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, Response, current_app, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import Forbidden

View = TypeVar("View", bound=Callable[..., object])

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

CAMERA_POLICY = POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'") + (
    "; trusted-types lotseal-scan"
)
"""Where codes are scanned, our own reader in WebAssembly may be compiled; scripts still come from here only."""

PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=()"


def camera(view: View) -> View:
    """The page of this view may ask for the camera and compile WebAssembly; no other page may."""
    view.__dict__["uses_camera"] = True
    return view


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
    camera_here = _camera_here()
    response.headers.setdefault("Content-Security-Policy", CAMERA_POLICY if camera_here else POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = (
        PERMISSIONS.replace("camera=()", "camera=(self)") if camera_here else PERMISSIONS
    )
    # Verdicts and staff pages change at any moment; only assets and files say otherwise.
    response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def _camera_here() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return view is not None and bool(view.__dict__.get("uses_camera"))
