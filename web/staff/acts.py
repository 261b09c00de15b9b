"""The audit acts, newest first: who did what, when, on which thing. Nobody changes them here or anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from ...trace import clock, log
from ...trace.accounts.models import Role
from ...trace.log import Act
from ...trace.log.entries import PRIVATE
from ...trace.log.models import AuditAct
from ..access import allow, signed_in
from ..system import system
from .lists import chosen, listing

blueprint = Blueprint("acts", __name__, url_prefix="/staff/acts")

MOST_SUBJECT = 120
MOST_TEXT = 300
PAGES = {
    "supplier": "suppliers.show",
    "laboratory": "labs.show",
    "product": "products.show",
    "batch": "batches.show",
    "certificate": "certificates.show",
    "account": "accounts.show",
    "key": "keys.show",
}
"""Where the thing of an act can be looked at."""


@blueprint.get("/")
@allow(Role.ADMIN, Role.AUDITOR)
def index() -> str:
    act = chosen("act", list(Act))
    subject = request.args.get("subject", "").strip()[:MOST_SUBJECT]
    # The list names people: looking at it is an act of its own, which stands in it the next time.
    with system().main.read() as db:
        found = listing(
            db,
            log.matching(act, subject),
            by={"at": AuditAct.at},
            default="-at",
            also={"act": act, "subject": subject},
        )
        filters = {name: text for name, text in (("of_act", act), ("of_subject", subject)) if text}
        with system().main.write() as acts:
            log.record(
                acts,
                Act.LOG_READ_ACTS,
                by=signed_in(),
                at=clock.now(),
                subject="acts:all",
                page=found.page,
                **filters,
            )
        return render_template("staff/acts/index.html", list=found, act=act, subject=subject, acts=list(Act))


def pairs(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The facts of an act as small (name, text) pairs; a change is told as before → after. Of a personal fact there is
    the name only."""
    for name, value in facts.items():
        if name == "changed" and isinstance(value, Mapping):
            yield from ((field, _change(both)) for field, both in value.items())
        elif name == PRIVATE and isinstance(value, list):
            yield from ((_field(path), str(_("shown with who did it"))) for path in value)
        else:
            yield name, _text(value)


def private_pairs(private: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The personal facts beside the actor of an entry, as `pairs` tells the others."""
    for path, value in private.items():
        yield _field(path), _change(value) if path.startswith("changed.") else _text(value)


def _field(path: str) -> str:
    """Its own name: `changed.contact` is a contact."""
    return str(path).rpartition(".")[2]


def _change(both: Any) -> str:
    if isinstance(both, list) and len(both) == 2:
        return f"{_text(both[0])} → {_text(both[1])}"
    return _text(both)


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(str(part) for part in value)
    text = "—" if value in (None, "") else str(value)
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "…"


def place(subject: str) -> str:
    """The address of the thing that an act was about, or empty when it has no page of its own."""
    kind, _colon, ref = subject.partition(":")
    if kind not in PAGES or (kind == "account" and signed_in().role != Role.ADMIN):
        return ""
    return url_for(PAGES[kind], ref=ref)


@blueprint.context_processor
def _helpers() -> dict[str, object]:
    return {"act_pairs": pairs, "act_place": place}
