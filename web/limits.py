"""How often one visitor may try: sign-ins, typed look-ups and photos of codes."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(key_func=get_remote_address, default_limits=[])

SIGN_IN_PER_ADDRESS = "30 per 5 minutes"
SIGN_IN_PER_LOGIN = "10 per 5 minutes"
TYPED = "60 per minute"
PHOTOS = "20 per minute"
UNKNOWN = "150 per 5 minutes"


def init_app(app: Flask) -> None:
    from_settings = app.extensions["lotseal"].settings.rate_limit_storage
    app.config.update(RATELIMIT_STORAGE_URI=from_settings, RATELIMIT_STRATEGY="moving-window")
    limiter.init_app(app)


def login_name() -> str:
    """One account is guarded also against many addresses."""
    return "login:" + request.form.get("login", "").strip().lower()[:120]


def refused(response: Response) -> bool:
    """Whether a sign-in failed. Only those count: a team behind one address may sign in as often as it works."""
    return response.status_code >= 400
