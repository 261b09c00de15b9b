"""Credentials, status lists, keys and contexts, for whoever verifies on his own. Pages of every origin may ask here."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from ...signing import jws
from ...signing.encoding import unb64url
from ...trace.credentials import contexts, directory, service
from ...trace.keys import service as keys
from ..access import public
from ..caching import known_by, one_copy
from ..system import system

blueprint = Blueprint("credentials", __name__)

MEDIA_TYPE = "application/vc+jwt"
JWS_TYPES = (MEDIA_TYPE, "application/jwt", "application/jose")
PAGE = "text/html"
LD_JSON = "application/ld+json"
METHODS = "GET, HEAD, OPTIONS"
NEGOTIATED = ("credentials.show", "credentials.status")


@blueprint.get("/credentials/<ref>")
@public
def show(ref: str) -> Response:
    """The credential as it was issued; a page for browsers."""
    if request.accept_mimetypes.best_match([*JWS_TYPES, PAGE], MEDIA_TYPE) == PAGE:
        return _page(ref)
    with system().main.read() as db:
        row = service.get_public(db, ref)
        return as_jws(row.jwt, row.sha256, _wanted())


@blueprint.get("/credentials/<ref>.jwt")
@public
def file(ref: str) -> Response:
    """The same as a download, for the page: a browser asks for pages only."""
    with system().main.read() as db:
        row = service.get_public(db, ref)
        response = as_jws(row.jwt, row.sha256, MEDIA_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=f"{row.kind}-{ref}.jwt")
    return response


@blueprint.get("/credentials/status/<int:number>")
@public
def status(number: int) -> Response:
    """A status list as it is published now."""
    with system().main.read() as db:
        row = service.get_list(db, number)
    return as_jws(row.jwt, row.sha256, _wanted(), seconds=60)


@blueprint.get("/.well-known/did.json")
@public
def did() -> Response:
    with system().main.read() as db:
        return _document(directory.did_document(system().issuer, keys.all_of(db)), "application/did+json")


@blueprint.get("/.well-known/jwks.json")
@public
def jwks() -> Response:
    with system().main.read() as db:
        return _document(directory.jwks(system().issuer, keys.all_of(db)), "application/jwk-set+json")


@blueprint.get(contexts.PATH)
@public
def context() -> Response:
    return _kept(contexts.document(system().settings.public_url), LD_JSON, seconds=86_400)


# --- the answer -------------------------------------------------------------------------------------------------------


def as_jws(text: str, digest: str, medium: str, *, seconds: int = 300) -> Response:
    """A compact JWS under one of `JWS_TYPES`; `digest` is its SHA-256. The resolver answers with it too."""
    return _kept(text.encode("ascii"), medium, seconds=seconds, digest=digest)


def _wanted() -> str:
    return request.accept_mimetypes.best_match(JWS_TYPES, MEDIA_TYPE) or MEDIA_TYPE


def _document(facts: dict[str, Any], medium: str) -> Response:
    return _kept((json.dumps(facts, indent=1) + "\n").encode("ascii"), medium, seconds=300)


def _kept(data: bytes, medium: str, *, seconds: int, digest: str = "") -> Response:
    """Shared caches may keep it for a while; whoever has it already is told so (304)."""
    response = Response(data, content_type=medium)
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return known_by(response, digest)


def _page(ref: str) -> Response:
    with system().main.read() as db:
        row = service.get_public(db, ref)
        return make_response(
            render_template(
                "credential.html",
                credential=row,
                issuer=system().issuer,
                said=json.dumps(_payload(row.jwt), ensure_ascii=False, indent=2),
            )
        )


def _payload(text: str) -> Any:
    """What our own credential says, to be read by people. Nothing relies on it."""
    jws.read_header(text)
    body = text.split(".")[1]
    return json.loads(unb64url(body, len(body) * 3 // 4, "jws.payload"))


@blueprint.after_request
def _headers(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = METHODS
    if request.method == "OPTIONS":
        response.headers["Allow"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = "*"
    if request.endpoint in NEGOTIATED:
        response.vary.add("Accept")
    # Not in `_kept`: what the resolver answers with it was chosen among links by the reader's language.
    return one_copy(response) if response.cache_control.public else response
