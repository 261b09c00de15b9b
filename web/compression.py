"""Smaller pages for weak networks: they are sent gzip-compressed to whoever takes it. Assets are packed in `assets`.

Pages of the staff desk are left as they are: a compressed page that holds a secret beside reflected input could be
guessed by its length, and forms there hold tokens.
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

WORTH_IT = 800
LEVEL = 6


def init_app(app: Flask) -> None:
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if response.mimetype != "text/html" or request.path.startswith("/staff"):
        return response
    response.vary.add("Accept-Encoding")
    if request.method == "HEAD" or not request.accept_encodings["gzip"]:
        return response
    if response.status_code in (204, 206, 304):
        return response
    plain = response.get_data()
    if len(plain) >= WORTH_IT:
        response.set_data(gzip.compress(plain, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
