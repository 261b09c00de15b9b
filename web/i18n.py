"""Language and theme: from the address, a cookie or the browser, in that order."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Flask, Response, g, request
from flask_babel import Babel, gettext
from werkzeug.datastructures import MultiDict

from ..trace.errors import Fields, Message
from .caching import is_one_copy
from .system import system
from .words import field_label

LANGUAGES = ("zh", "en")
THEMES = ("light", "dark")
YEAR_S = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    app.config.update(BABEL_DEFAULT_LOCALE="en", BABEL_TRANSLATION_DIRECTORIES="translations")
    Babel(app, locale_selector=_language, timezone_selector=lambda: system().settings.timezone)
    app.jinja_env.globals.update(lang_url=lang_url, theme_url=theme_url, pick=pick, sentence=sentence)
    app.context_processor(
        lambda: {"lang": _language(), "theme": _theme(), "public_host": system().settings.public_host}
    )
    app.after_request(_keep_choice)


def _language() -> str:
    """zh or en. Without any wish of the reader it is zh, the language of most packs."""
    if "language" not in g:
        wished = request.args.get("lang") or request.cookies.get("lang")
        if wished not in LANGUAGES:
            wished = request.accept_languages.best_match(LANGUAGES, "zh")
        g.language = wished
    return str(g.language)


def reader_language() -> str:
    """zh or en, as this request wishes."""
    return _language()


def _theme() -> str:
    """light, dark, or empty for what the device prefers."""
    wished = request.args.get("theme") or request.cookies.get("theme")
    return wished if wished in THEMES else ""


def _keep_choice(response: Response) -> Response:
    """A choice made by a link is kept in a cookie; it says nothing else about the reader."""
    if is_one_copy(response):
        return response
    for name, allowed in (("lang", LANGUAGES), ("theme", (*THEMES, "auto"))):
        if (choice := request.args.get(name)) in allowed and request.cookies.get(name) != choice:
            response.set_cookie(
                name, str(choice), max_age=YEAR_S, httponly=True, samesite="Lax", secure=request.is_secure
            )
    response.vary.update(("Accept-Language", "Cookie"))
    if response.mimetype == "text/html":
        response.headers["Content-Language"] = "zh-Hans" if _language() == "zh" else "en"
    return response


def lang_url(code: str) -> str:
    """This page in another language."""
    return _with("lang", code)


def theme_url(name: str) -> str:
    """This page in another theme."""
    return _with("theme", name)


def _with(name: str, value: str) -> str:
    if request.method not in ("GET", "HEAD"):
        # The answer to a form that was refused: its address may take no GET with these fields.
        return f"?{name}={value}"
    query = MultiDict(request.args)
    query[name] = value
    return "?" + urlencode(list(query.items(multi=True)))


def pick(thing: object, name: str) -> str:
    """The reader's language of a fact that is kept in both; the other one when it is empty."""
    first, second = LANGUAGES if _language() == "zh" else tuple(reversed(LANGUAGES))
    return getattr(thing, f"{name}_{first}", "") or getattr(thing, f"{name}_{second}", "") or ""


def sentence(message: Message) -> str:
    """A message of the business in the reader's language."""
    text = str(gettext(message.text))
    return text % {name: _shown(value) for name, value in message.values.items()} if message.values else text


def _shown(value: object) -> object:
    if isinstance(value, Message):
        return sentence(value)
    if isinstance(value, Fields):
        return str(gettext(", ")).join(str(field_label(name)) for name in value)
    return value
