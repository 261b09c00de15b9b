"""Who looks: a robot that only previews, or a visitor with a random cookie. No name, no place, no full address."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from flask import Response, current_app, request

from ...trace.scans import service as scans

COOKIE = "visitor"
KEPT_S = 180 * 24 * 3600

# Link previews, search robots, virus scanners, monitors, command-line tools.
_ROBOT = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|facebookexternalhit|whatsapp/|telegram|embedly|curl/|wget/|python-|"
    r"go-http|okhttp|java/|libwww|headlesschrome-lighthouse|monitor|uptime|scan(ner)?/|bytespider|baiduspider|"
    r"sogou web|yisou|360spider",
    re.IGNORECASE,
)


def is_preview() -> bool:
    """Whether this request shows the page to nobody: then it must not count as a look-up."""
    if request.method != "GET" or _ROBOT.search(request.user_agent.string) or not request.user_agent.string:
        return True
    purpose = (
        request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "") + request.headers.get("X-Moz", "")
    )
    return "prefetch" in purpose.lower() or "preview" in purpose.lower()


def visitor(at: datetime) -> tuple[scans.Visitor, str]:
    """The visitor of this request and the cookie value that names the browser."""
    cookie = request.cookies.get(COOKIE, "")
    if not re.fullmatch(r"[A-Za-z0-9_-]{22}", cookie):
        cookie = secrets.token_urlsafe(16)
    network = f"{request.remote_addr} {request.user_agent.string}"
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return scans.visitor(secret, cookie=cookie, network=network, day=at.date().isoformat()), cookie


def remember(response: Response, cookie: str) -> None:
    """So that the reader's own earlier look-ups are told apart from other people's."""
    if request.cookies.get(COOKIE) != cookie:
        response.set_cookie(
            COOKIE, cookie, max_age=KEPT_S, path="/01/", httponly=True, samesite="Lax", secure=request.is_secure
        )
