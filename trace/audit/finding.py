"""What an auditor searches, as the words under which the log keeps its entries.

Beside the words of the entries themselves: the run of a serial as people type it, a GTIN of 14 digits, who signed an
uploaded file (the SHA-256 of the certificate, or its name), and the beginning of a hash or key id where just one begins
so. What a file's signatures say is found in the file's own facts: no entry carries it, but the entries of its report do
carry the report's reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, Text, cast, func, not_, or_, select
from sqlalchemy.orm import Session

from ...signing.errors import Malformed
from ...signing.item import normalise_typed_serial
from ..certificates.models import Certificate
from ..codes.gtin import read_gtin
from ..errors import LotsealError
from ..files.models import StoredFile
from ..items.models import CodeRun, Item
from ..keys.models import SigningKey
from ..log import reading
from ..log.models import LogEntry, LogTerm

SHORTEST = 8
"""Characters of a beginning."""
HASH = 64
_BEGINNING = re.compile(r"[0-9A-Za-z_-]{8,63}")
_HEX = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True)
class Leads:
    """`words` stand for the searched one. `reports` selects references of the reports whose file the searched signer
    signed, None when no signer was searched. `several`: more than one hash or key id begins so, and none was taken."""

    words: tuple[str, ...]
    reports: Select[str] | None
    several: bool


def leads(session: Session, word: str) -> Leads:
    """Further ways to find what was searched."""
    begun = _begun(session, word)
    whole = begun if len(begun) == 1 else []
    words = (*_serials(session, word), *_gtins(word), *whole)
    return Leads(words, _signed_by(word, *whole), len(begun) > 1)


def _serials(session: Session, word: str) -> Iterator[str]:
    try:
        serial = normalise_typed_serial(word)
    except Malformed:
        return
    query = select(CodeRun.ref, Item.serial).join(Item, Item.run_id == CodeRun.id)
    for ref, whole in session.execute(query.where(Item.serial.startswith(serial, autoescape=True)).limit(5)):
        yield from (ref, whole)


def _gtins(word: str) -> Iterator[str]:
    with suppress(LotsealError):
        yield read_gtin(word)


# --- beginnings -------------------------------------------------------------------------------------------------------


def _begun(session: Session, word: str) -> list[str]:
    """The hashes and key ids that begin so, two of them at most; none for a word that is one of the log itself."""
    if not _BEGINNING.fullmatch(word) or reading.has_word(session, word):
        return []
    found = {kid for kid in session.scalars(select(SigningKey.kid)) if kid.startswith(word)}
    if _HEX.fullmatch(word.lower()):
        found |= set(_hashes(session, word.lower()))
    return sorted(found)[:2]


def _hashes(session: Session, begin: str) -> Iterator[str]:
    low, high = begin.ljust(HASH, "0"), begin.ljust(HASH, "f")
    terms = select(LogTerm.term).where(LogTerm.term.between(low, high), LogTerm.term.startswith(begin))
    yield from session.scalars(terms.where(func.length(LogTerm.term) == HASH).distinct().limit(2))
    actors = select(LogEntry.actor_sha256).where(LogEntry.actor_sha256.startswith(begin), LogEntry.index.is_not(None))
    yield from session.scalars(actors.distinct().limit(2))
    leaves = select(LogEntry.leaf_hash).where(LogEntry.leaf_hash.between(bytes.fromhex(low), bytes.fromhex(high)))
    yield from (leaf.hex() for leaf in session.scalars(leaves.limit(2)) if leaf)
    yield from _certificates(session, begin)


def _certificates(session: Session, begin: str) -> Iterator[str]:
    """Of the certificates that signed uploaded files, two that begin so where there are two."""
    query = select(StoredFile.signatures).where(_says("certificate_sha256", begin)).limit(1)
    first = session.scalar(query)
    own = _of_file(first, begin)
    yield from own
    yield from _of_file(session.scalar(query.where(*(not_(_says("certificate_sha256", one)) for one in own))), begin)


def _of_file(signatures: dict[str, object] | None, begin: str) -> list[str]:
    told = signatures["signatures"] if signatures else []
    assert isinstance(told, list)
    hashes = {one["certificate_sha256"] for one in told}
    return sorted(one for one in hashes if one.startswith(begin))


# --- who signed a file ------------------------------------------------------------------------------------------------


def _signed_by(word: str, *whole: str) -> Select[str] | None:
    """Reports by the certificate when the word is a SHA-256 or the beginning of one, else by the name of the signer."""
    hashes = [one for one in (word.lower(), *whole) if len(one) == HASH and _HEX.fullmatch(one)]
    if hashes:
        signed = or_(*(_says("certificate_sha256", one) for one in hashes))
    elif len(word) >= (4 if word.isascii() else 2):
        signed = _named(word)
    else:
        return None
    return select(Certificate.ref).join(StoredFile, StoredFile.id == Certificate.file_id).where(signed)


def _says(name: str, begin: str) -> ColumnElement[bool]:
    """Whether a signature of the file has a fact that begins so, as its JSON is written: quotes inside of a text are
    escaped there, so that no other text looks like one."""
    return cast(StoredFile.signatures, Text).contains(json.dumps({name: begin})[1:-2], autoescape=True)


def _named(word: str) -> ColumnElement[bool]:
    """The same for the name of the signer, in capitals or not."""
    wanted = json.dumps({"signer": word.lower()})[1:-2]
    return func.lower(cast(StoredFile.signatures, Text)).contains(wanted, autoescape=True)
