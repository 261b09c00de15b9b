"""Each kind of error becomes an answer once, here."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass

from flask import Flask, make_response, render_template, request
from flask_babel import gettext as _
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ..trace import errors as trace_errors
from .i18n import sentence

logger = logging.getLogger(__name__)

STATUS: dict[type[trace_errors.LotsealError], int] = {
    trace_errors.NotFound: 404,
    trace_errors.Forbidden: 403,
    trace_errors.Conflict: 409,
    trace_errors.Invalid: 422,
    trace_errors.Unavailable: 503,
}


DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO))
"""What the system says when a disk takes nothing: full, over quota, past a limit, read-only, broken."""

CHOOSE = trace_errors.say("Choose one from the list.")


@dataclass(frozen=True)
class Words:
    headline: str
    sentence: str
    mend: str = ""


def status_of(error: trace_errors.LotsealError) -> int:
    return next(status for kind, status in STATUS.items() if isinstance(error, kind))


def by_field(error: trace_errors.LotsealError) -> dict[str, list[str]]:
    """Translated sentences by field name, '' for the whole form."""
    found: dict[str, list[str]] = {}
    for problem in error.problems:
        # Pages offer choices as lists; the words of a choice are for the command line.
        message = CHOOSE if problem.rule == "choice.unknown" else problem.message
        found.setdefault(problem.field or "", []).append(sentence(message))
    return found


def init_app(app: Flask) -> None:
    app.register_error_handler(trace_errors.LotsealError, _business)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _store_down)
    app.register_error_handler(OSError, _disk_down)
    app.register_error_handler(IntegrityError, _same_moment)
    app.register_error_handler(Exception, _unforeseen)


def _page(status: int, words: Words) -> tuple[str, int]:
    return render_template(
        "error.html", code=status, headline=words.headline, sentence=words.sentence, mend=words.mend
    ), status


def _business(error: trace_errors.LotsealError) -> tuple[str, int]:
    status = status_of(error)
    if status == 422 and request.method in ("GET", "HEAD"):
        status = 400  # there is no form to mend, the address itself is wrong
    sentences = [text for texts in by_field(error).values() for text in texts]
    return _page(status, Words(_headline(status), " ".join(sentences)))


def _stale_form(_error: CSRFError) -> tuple[str, int]:
    return _page(
        400,
        Words(
            _("This form is too old"),
            _("Its security token does not fit any more, for instance because you signed in or out meanwhile."),
            _("Go back, reload the page and send the form again. Nothing was changed."),
        ),
    )


def _http(error: HTTPException) -> Response:
    """Refusals of the framework; an exception that carries its whole answer keeps it."""
    if isinstance(error.response, Response):
        return error.response
    status = error.code or 500
    response = make_response(*_page(status, _http_words(status)))
    # Such as Allow of a 405; the body and its kind are ours.
    response.headers.update([(name, value) for name, value in error.get_headers() if name != "Content-Type"])
    if isinstance(error, RateLimitExceeded) and error.limit is not None:
        response.headers["Retry-After"] = str(error.limit.limit.get_expiry())
    return response


def _http_words(status: int) -> Words:
    match status:
        case 403:
            return Words(
                _headline(status),
                _("Your account may not do this."),
                _("Ask an administrator if you need it for your work."),
            )
        case 404:
            return Words(
                _headline(status), _("There is no page at this address."), _("Check the address, or type the code.")
            )
        case 405:
            return Words(_headline(status), _("This address does not take this kind of request."))
        case 413:
            return Words(
                _headline(status),
                _("What was sent is larger than 64 MB or has more than 2,000 fields, so it was not read."),
                _("A file may have up to 20 MB. Make it smaller, for instance by scanning at 300 dpi."),
            )
        case 429:
            return Words(
                _headline(status),
                _("There were too many tries in a short time."),
                _("Wait five minutes and try again."),
            )
        case _:
            return Words(_headline(status), _("The request could not be understood."), _("Go back and try again."))


def _headline(status: int) -> str:
    words = {
        400: _("This cannot be read"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Not possible here"),
        409: _("Not possible now"),
        413: _("Too large"),
        422: _("Something has to be mended"),
        429: _("Too many tries"),
        503: _("Not available right now"),
    }
    return str(words.get(status, _("Something went wrong") if status >= 500 else _("This cannot be read")))


def _store_down(error: DBAPIError) -> tuple[str, int]:
    logger.error("the store does not answer: %s", error.orig)
    return _no_record()


def _disk_down(error: OSError) -> tuple[str, int]:
    """An upload is written to a temporary file before anything else is; that disk may be full too."""
    if error.errno not in DISK:
        return _unforeseen(error)
    logger.error("the disk does not take it: %s", error)
    return _no_record()


def _no_record() -> tuple[str, int]:
    return _page(
        503,
        Words(
            _headline(503),
            _("The record cannot be read or written just now. This says nothing about any product."),
            _("Try again in a few minutes."),
        ),
    )


def _same_moment(error: IntegrityError) -> tuple[str, int]:
    """Services look before they write; only two requests at the same moment get past that, and the store stops one."""
    logger.warning("two requests at the same moment: %s", error.orig)
    return _page(
        409,
        Words(
            _headline(409),
            _("Somebody else saved the same thing at the same moment, so nothing of yours was saved."),
            _("Go back, look at the list and try again."),
        ),
    )


def _unforeseen(error: Exception) -> tuple[str, int]:
    logger.exception("unforeseen error at %s", request.path, exc_info=error)
    return _page(
        500,
        Words(
            _headline(500),
            _("This is a mistake in our service, not in what you did. It was written down."),
            _("Try again; if it stays, tell the operator the time and the address of this page."),
        ),
    )
