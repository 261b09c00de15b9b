"""The GS1-conformant resolver: any identifier in the path, and the links that belong to it.

It stands before the scan page. A plain request for a thing of ours falls through to that page, so a phone has it in one
request; whoever asks for a link type or for data, and every other identifier, is answered here.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, g, make_response, render_template, request, url_for
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ...trace.codes import digital_link
from ...trace.codes.ais import TABLE
from ...trace.codes.content import check_contents
from ...trace.codes.model import Element
from ...trace.codes.reading import read
from ...trace.credentials import service as credentials
from ...trace.errors import Invalid, invalid, not_found, say
from ...trace.links import service as links
from ...trace.links.choice import Offer, Wish, choose
from ...trace.links.intake import path_of
from ...trace.links.targets import read_target
from ...trace.links.types import DEFAULT, DEFAULT_MULTI, NAMESPACE, word_of
from ...trace.passport import offers
from ...trace.passport.offers import Answer
from ..access import public
from ..i18n import reader_language
from ..system import system
from . import linkset, passport
from .credentials import JWS_TYPES, as_jws

blueprint = Blueprint("resolver", __name__)

KEYS = tuple(entry.ai for entry in TABLE.values() if entry.is_key)
METHODS = "GET, HEAD, OPTIONS"
LINKSET_WORDS = ("linkset", "all")
OWN_KEYS = ("linkType", "context")
"""Keys of the query that are for the resolver; all others are for what it leads to."""
MACHINE = {
    linkset.MEDIA_TYPE: linkset.MEDIA_TYPE,
    "application/json": "application/json",
    "application/ld+json": "application/ld+json",
    **{kind: kind for kind in JWS_TYPES},
}
PAGES = ("text/html", "application/xhtml+xml", "*/*", "text/*", "application/*")
_WITH_PAGE = ("01", "8006")


@blueprint.get("/.well-known/gs1resolver")
@public
def description() -> Response:
    """What this resolver is, as GS1-Conformant Resolver 1.2.0 wants it described."""
    facts = {
        "name": f"Lotseal, {system().settings.public_host}",
        "resolverRoot": system().settings.public_url,
        "supportedPrimaryKeys": list(KEYS),
        "supportedLinkType": [{"namespace": NAMESPACE, "prefix": "gs1:"}],
        "linkTypeDefaultCanBeLinkset": False,
    }
    return _json(facts, "application/json")


@blueprint.get("/leave/<ref>")
@public
def leave(ref: str) -> str:
    """A word before the reader goes to a host that nobody here vouches for."""
    with system().main.read() as db:
        link = links.get(db, ref)
        href = _with_query(read_target(link.href), _passed_on())
        return render_template("leave.html", title=link.title, href=href, host=urlsplit(href).netloc)


def _other(rest: str) -> Response:
    """An identifier that the scan page's own addresses do not cover."""
    answered = divert()
    if answered is not None:
        return answered
    key, *qualifiers = g.elements
    values = dict(qualifiers)
    serial = values.get("21") if key[0] == "01" else None
    return passport.answer(key[1][:14], values.get("10"), serial)


for _key in KEYS:
    blueprint.add_url_rule(f"/{_key}/<path:rest>", f"key_{_key}", public(_other), methods=["GET"], merge_slashes=False)


@blueprint.before_request
def _preflight() -> Response | None:
    """What another site's page may ask here; it is told without a look at the record."""
    if request.method != "OPTIONS":
        return None
    g.path = _path_or_none() if "rest" in (request.view_args or {}) or request.blueprint != "resolver" else None
    return Response()


@passport.blueprint.before_request
def divert() -> Response | None:
    """The answer to anything but a plain request for a page of ours; None for that. Raises `Invalid`, `NotFound`."""
    if request.method == "OPTIONS":
        return _preflight()
    g.elements = elements = _elements()
    g.path = path_of(elements)
    link_type, medium = request.args.get("linkType"), _medium()
    if link_type is None and medium is None and elements[0][0] in _WITH_PAGE and not _may_lead_elsewhere(elements):
        return None
    with system().main.read() as db:
        return _resolve(db, elements, link_type, medium)


def _may_lead_elsewhere(elements: list[Element]) -> bool:
    try:
        with system().main.read_engine.connect() as connection:
            return offers.may_lead_elsewhere(connection, elements)
    except OperationalError:
        # The page itself says that the store does not answer.
        return False


def _resolve(db: Session, elements: list[Element], link_type: str | None, medium: str | None) -> Response | None:
    answer = offers.find(db, elements)
    if answer is None or answer.walked_up:
        # Whoever tries serials or numbers is counted, whatever form the answer has.
        passport.throttle_guessing()
    if answer is None:
        if link_type is None and medium is None and elements[0][0] in _WITH_PAGE:
            return None
        raise not_found("resolver.unknown", say("Nothing is known here of this number. Compare it with the pack."))
    if medium is None and link_type in LINKSET_WORDS:
        medium = linkset.MEDIA_TYPE
    if medium in JWS_TYPES:
        return _signed(db, answer, medium)
    if medium is not None:
        return _as_linkset(linkset.document(answer, _base(), reader_language(), _address(db)), medium)
    if link_type is None:
        [chosen] = choose(answer.choices, _wish())[:1]
        if not chosen.ref and elements[0][0] in _WITH_PAGE:
            return None
        return _redirect(db, chosen)
    return _of_type(db, answer, link_type)


def _of_type(db: Session, answer: Answer, link_type: str) -> Response | None:
    word = word_of(link_type)
    found = answer.choices if word in (DEFAULT, DEFAULT_MULTI) else answer.of_type(word or "")
    if not found:
        sentence = say("There is no link of the type %(type)s here.", type=link_type[:60])
        raise not_found("resolver.link-type", sentence)
    chosen = choose(found, _wish())
    if len(chosen) > 1:
        return _several(db, answer, chosen)
    if chosen[0].is_page and not answer.default.is_page:
        # A plain request is led elsewhere, so the page is shown under this very address.
        return None
    return _redirect(db, chosen[0])


# --- the question -----------------------------------------------------------------------------------------------------


def _elements() -> list[Element]:
    """Key and qualifiers of the path. A single slash at the end is forgiven. Raises `Invalid`."""
    for value in (request.view_args or {}).values():
        passport.bounded(str(value))
    path = _raw_path()
    if path.endswith("/") and not path.endswith("//"):
        path = path[:-1]
    try:
        code = read(f"{digital_link.GS1_ROOT}{path}")
        if code.stem != digital_link.GS1_ROOT:
            raise invalid(None, "link.two-keys", say("Two keys stand in this address. Scan the code again."))
        return list(code.elements)
    except Invalid:
        if given := _with_slashes():
            return given
        raise


def _raw_path() -> str:
    """The path as it was sent. Some servers only tell the decoded one; its parts are encoded again."""
    raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "")
    if raw.startswith("/"):
        return raw.partition("?")[0]
    return quote(request.path, safe="/-._~")


def _with_slashes() -> list[Element] | None:
    """Lots with a slash that was printed or sent without its escape: understood when the lot is on record."""
    given = {name: str(value) for name, value in (request.view_args or {}).items()}
    if "/" not in given.get("lot", "") or "/" in given.get("serial", ""):
        return None
    with system().main.read() as db:
        if not offers.is_known(db, given.get("gtin", ""), given["lot"]):
            return None
    serial = [("21", given["serial"])] if "serial" in given else []
    elements = [("01", given["gtin"]), ("10", given["lot"]), *serial]
    check_contents(elements)
    return elements


def _path_or_none() -> str | None:
    try:
        return path_of(_elements())
    except Invalid:
        return None


def _medium() -> str | None:
    """The form of data that the reader likes better than a page; None for a page."""
    if not _asks_for_data(request.headers.get("Accept", "")) or request.args.get("linkType") is not None:
        return None
    for kind, weight in _media():
        if weight > 0 and kind in MACHINE:
            return MACHINE[kind]
        if kind in PAGES:
            return None
    return None


def _asks_for_data(accept: str) -> bool:
    """Quickly, for most who ask are phones and want a page."""
    return any(word in accept for word in ("json", "jwt", "jose"))


def _media() -> list[tuple[str, float]]:
    """The media types asked for, best first. Parameters such as a profile narrow nothing here and are left out."""
    return [(str(kind).partition(";")[0].strip().lower(), weight) for kind, weight in request.accept_mimetypes]


def _wish() -> Wish:
    return Wish(
        tuple((str(tag), weight) for tag, weight in request.accept_languages),
        tuple(_media()),
        request.args.get("context", "")[:60],
    )


def _passed_on() -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.args.items(multi=True) if name not in OWN_KEYS]


# --- the answer -------------------------------------------------------------------------------------------------------


def _base() -> str:
    return system().settings.public_url


def _address(db: Session) -> linkset.Address:
    """Addresses of offers: our own pages, trusted hosts, and for all others the page that names them first."""
    trusted: dict[str, bool] = {}

    def address(offer: Offer) -> str:
        if offer.href.startswith("/"):
            return _base() + offer.href
        host = linkset.host(offer)
        if host == urlsplit(_base()).netloc:
            return offer.href
        if host not in trusted:
            trusted[host] = links.trusted(db, offer.href)
        return offer.href if trusted[host] else _base() + url_for("resolver.leave", ref=offer.ref)

    return address


def _redirect(db: Session, offer: Offer) -> Response:
    """Temporary, because links change; the method stays. Raises `Invalid` for a target that must not be followed."""
    target = _address(db)(replace(offer, href=read_target(offer.href)))
    response = Response(status=307)
    response.headers["Location"] = _with_query(target, _passed_on())
    return response


def _with_query(address: str, pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return address
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(pairs)) if part)
    return urlunsplit(parts._replace(query=query))


def _as_linkset(facts: dict[str, Any], medium: str) -> Response:
    if medium == "application/ld+json":
        # The schema of linksets forbids @context; JSON-LD says nothing without it.
        facts = {"@context": linkset.CONTEXT, **facts}
    response = _json(facts, medium)
    response.headers.add("Link", linkset.CONTEXT_LINK)
    return response


def _signed(db: Session, answer: Answer, medium: str) -> Response:
    """The passport credential of the lot, at the address of the lot or item itself. A link of this type that somebody
    set nearer to the thing is followed instead."""
    found = choose(answer.of_type("jws"), _wish())
    if not found:
        raise not_found("resolver.credential", say("There is no signed record of this thing here."))
    if found[0].ref:
        return _redirect(db, found[0])
    row = credentials.get_public(db, found[0].href.removeprefix(offers.CREDENTIALS))
    response = as_jws(row.jwt, row.sha256, medium)
    response.headers["Content-Location"] = _base() + found[0].href
    return response


def _several(db: Session, answer: Answer, chosen: list[Offer]) -> Response:
    """300 with the list: a page for people, a linkset for everybody else."""
    language, address = reader_language(), _address(db)
    if "html" in request.headers.get("Accept", ""):
        shown = [
            (_with_query(address(offer), _passed_on()), linkset.title(offer, language), linkset.host(offer))
            for offer in chosen
        ]
        return make_response(render_template("choices.html", choices=shown), 300)
    response = _as_linkset(linkset.choices(answer, chosen, _base(), language, address), linkset.MEDIA_TYPE)
    response.status_code = 300
    return response


def _json(facts: dict[str, Any], medium: str) -> Response:
    return Response(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", content_type=medium)


@blueprint.after_request
@passport.blueprint.after_request
def _headers(response: Response) -> Response:
    """Any page may ask here, and every answer says where all links of the thing are."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = METHODS
    response.headers["Access-Control-Expose-Headers"] = "Link, Location"
    if request.method == "OPTIONS":
        response.headers["Allow"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = "*"
    response.vary.add("Accept")
    if path := g.get("path"):
        address = f"{_base()}{path}?linkType=linkset"
        response.headers.add("Link", f'<{address}>; rel="linkset"; type="{linkset.MEDIA_TYPE}"')
    return response
