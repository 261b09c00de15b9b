"""Flask: pages, staff desk, command line. Thin: read the request, call one service, answer."""

from .app import create_app

__all__ = ["create_app"]
