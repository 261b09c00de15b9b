"""The auditor's workspace: find an entry of the log, see what it says and that it is in the log, draw a sample."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from ...signing.encoding import b64
from ...signing.envelope import Envelope, read_envelope
from ...signing.errors import SigningError
from ...signing.tlog_proof import MEDIA_TYPE, SUFFIX
from ...trace import clock
from ...trace.audit import sample as sampling
from ...trace.audit.checks import Examiner, Sampled
from ...trace.audit.finding import leads
from ...trace.audit.proofs import Evidence, evidence
from ...trace.audit.sample import Kind
from ...trace.audit.told import Told, as_logged
from ...trace.errors import Invalid, Problem, Unavailable, say
from ...trace.log import Act, reading
from ...trace.log import service as acts
from ...trace.log.entries import PRIVATE
from ...trace.log.models import LogEntry
from ...trace.log.service import UNLOGGED
from ...trace.outside.health import vouchers
from ..access import READERS, allow, signed_in
from ..errors import by_field, status_of
from ..system import system
from .acts import pairs, private_pairs
from .lists import chosen, listing, searched

blueprint = Blueprint("log_desk", __name__, url_prefix="/staff/log")

LOGGED = sorted(set(Act) - UNLOGGED)
MOST_CODES = 100_000
"""Codes that a page hashes for the commitments of a sample; the command line has no such limit."""
PAGES = {
    "supplier": "suppliers.show",
    "product": "products.show",
    "batch": "batches.show",
    "certificate": "certificates.show",
    "run": "labels.show",
}

Answer = str | tuple[str, int]


# --- searching --------------------------------------------------------------------------------------------------------


@blueprint.get("/")
@allow(*READERS)
def index() -> str:
    act, word = chosen("act", LOGGED), searched()
    with system().main.read() as db:
        further = leads(db, word)
        query = reading.matching(word, act, also=further.words, among=further.reports).order_by(None)
        found = listing(db, query, by={"index": LogEntry.index}, default="-index", also={"act": act})
        newest = reading.newest(db)
        return render_template(
            "staff/log/index.html",
            list=found,
            act=act,
            acts=LOGGED,
            several=further.several,
            newest=newest,
            seen=reading.seen(db, newest.size - 1) if newest else None,
            waiting=reading.waiting(db),
            vouchers=vouchers(db, system().witness_policy(), [one.name for one in system().authorities()]),
            rows=[(entry, as_logged(entry)) for entry in found.rows],
        )


# --- one entry --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Looked:
    """An entry with all that a page tells of it. `fault` says what does not fit, in the words of `signing`."""

    entry: LogEntry
    envelope: Envelope | None
    told: Told | None
    evidence: Evidence | None
    fault: str


def _looked(db: Session, index: int) -> Looked:
    entry = reading.get(db, index)
    envelope, found, fault = None, None, ""
    try:
        envelope = read_envelope((entry.envelope or "").encode())
        found = evidence(db, system().shelf, entry)
    except SigningError as error:
        fault = error.message
    return Looked(entry, envelope, as_logged(entry), found, fault)


@blueprint.get("/<int:index>")
@allow(*READERS)
def show(index: int) -> str:
    return _entry_page(index)


@blueprint.post("/<int:index>")
@allow(*READERS)
def who(index: int) -> str:
    """Show who acted, and the personal facts of the act. That somebody looked is written down first."""
    with system().main.write() as db:
        reading.get(db, index)
        acts.record(db, Act.LOG_READ_ACTOR, by=signed_in(), at=clock.now(), subject=f"entry:{index}")
    return _entry_page(index, with_actor=True)


def _entry_page(index: int, *, with_actor: bool = False) -> str:
    with system().main.read() as db:
        looked = _looked(db, index)
        before, after = reading.neighbours(db, looked.entry)
        return render_template(
            "staff/log/entry.html",
            looked=looked,
            entry=looked.entry,
            before=before,
            after=after,
            seen=reading.seen(db, index),
            subject=looked.told.subject if looked.told else "",
            facts=list(pairs(looked.told.facts)) if looked.told else [],
            place=_place(looked.told.subject) if looked.told else "",
            batch=_place(looked.entry.chain),
            path=[b64(step) for step in looked.evidence.proof.hashes] if looked.evidence else [],
            note=bytes(looked.evidence.proof.note).decode() if looked.evidence else "",
            actor=_actor(looked.entry) if with_actor else None,
        )


def _place(subject: str) -> str:
    """The address of the thing that an entry is about, or empty when it has no page of its own."""
    kind, _colon, ref = subject.partition(":")
    return url_for(PAGES[kind], ref=ref) if kind in PAGES else ""


def _actor(entry: LogEntry) -> dict[str, Any]:
    """Name, reference and the personal facts as (name, text) pairs; empty once the document was erased."""
    if entry.actor is None:
        return {}
    document = json.loads(entry.actor)
    return {**document["by"], "private": list(private_pairs(document.get(PRIVATE, {})))}


@blueprint.get("/<int:index>/entry")
@allow(*READERS)
def raw(index: int) -> Response:
    """The envelope, byte for byte as it is hashed."""
    with system().main.read() as db:
        entry = reading.get(db, index)
        return _file((entry.envelope or "").encode(), "application/json", f"{index:010}.json")


@blueprint.get("/<int:index>/content")
@allow(*READERS)
def content(index: int) -> Response:
    """The document behind the envelope's content hash."""
    with system().main.read() as db:
        return _file(reading.get(db, index).content.encode(), "application/json", f"{index:010}-content.json")


@blueprint.get("/<int:index>/proof")
@allow(*READERS)
def proof(index: int) -> Response:
    """A c2sp.org/tlog-proof against the newest published checkpoint."""
    with system().main.read() as db:
        found = _looked(db, index)
    if found.evidence is None:
        sentence = say("There is no proof yet: the entry waits to be published, or the log's files do not fit.")
        raise Unavailable(Problem(None, "log.no-proof", sentence))
    return _file(bytes(found.evidence.proof), MEDIA_TYPE, f"{index:010}{SUFFIX}")


def _file(data: bytes, kind: str, name: str) -> Response:
    response = Response(data, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


# --- sampling ---------------------------------------------------------------------------------------------------------


@blueprint.get("/sample")
@allow(*READERS)
def sample() -> Answer:
    if "seed" not in request.args:
        return _sample_page({"n": "20", "of": Kind.ITEMS.value})
    form = request.args.to_dict()
    try:
        order = sampling.read_order(form)
    except Invalid as error:
        return _sample_page(form, errors=by_field(error)), status_of(error)
    with system().main.read() as db:
        drawn, total = sampling.draw(db, order)
        at = system()
        examiner = Examiner(db, at.shelf, at.storage, at.ring, most_codes=MOST_CODES)
        return _sample_page(form, rows=list(examiner.examine(order.of, drawn)), total=total)


def _sample_page(
    form: dict[str, str],
    *,
    errors: dict[str, list[str]] | None = None,
    rows: list[Sampled] | None = None,
    total: int = 0,
) -> str:
    return render_template(
        "staff/log/sample.html",
        form=form,
        errors=errors or {},
        rows=rows,
        total=total,
        most=sampling.MOST,
        kinds=list(Kind),
        place=_sampled_place,
    )


def _sampled_place(of: str, row: Sampled) -> str:
    """The page of a drawn thing."""
    kind = {Kind.ITEMS: "run", Kind.BATCHES: "batch", Kind.CERTIFICATES: "certificate"}[Kind(of)]
    return _place(f"{kind}:{row.ref}")
