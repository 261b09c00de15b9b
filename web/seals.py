"""The signatures of a report's file as pages show them: one headline, and five statements for each signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ..trace.certificates import signatures
from ..trace.certificates.models import Certificate
from ..trace.files.findings import Five, Shape
from ..trace.files.signatures import Signature
from .words import FACT_WORDS, FIVE_FACTS, Words, standing

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString


@dataclass(frozen=True)
class Statement:
    """One of the five: what it states, whether that holds, and why."""

    label: LazyString
    holds: bool
    why: LazyString


@dataclass(frozen=True)
class Seal:
    """One signature or time stamp."""

    field: str
    stamp: bool
    signer: str
    signed_at: datetime | None
    certificate_sha256: str
    roots: tuple[str, ...]
    revision: int
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Seals:
    """`revisions` counts the states of the file, `judged_at` is the moment for which certificates were judged."""

    words: Words
    seals: tuple[Seal, ...]
    revisions: int
    judged_at: datetime | None


def seals_of(certificate: Certificate) -> Seals:
    """What a page says about the file of this report. Needs the session of the certificate."""
    found = signatures.of(certificate)
    shown = tuple(_seal(one) for one in found.signatures)
    return Seals(standing(signatures.standing(certificate)), shown, found.revisions, found.judged_at)


def _seal(signature: Signature) -> Seal:
    return Seal(
        field=signature.field,
        stamp=signature.shape is Shape.TIME_STAMP,
        signer=signature.signer,
        signed_at=signature.signed_at,
        certificate_sha256=signature.certificate_sha256,
        roots=signature.roots,
        revision=signature.revision,
        statements=statements_of(signature.five),
    )


def statements_of(five: Five) -> tuple[Statement, ...]:
    """The five facts in their usual order."""
    holds = five.holds
    return tuple(Statement(FIVE_FACTS[name], holds[name], FACT_WORDS[name][word]) for name, word in five.words.items())
