"""Hold every record against its history in the log, and every file against the hash that was logged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, String, cast, exists, select
from sqlalchemy.orm import Session

from ...signing.errors import SigningError
from ..batches.models import Batch
from ..certificates.models import Certificate
from ..credentials.models import Credential, StatusList
from ..errors import LotsealError
from ..files.storage import LocalStorage
from ..items.models import CodeRun
from ..keys.models import SigningKey
from ..labs.models import Laboratory, PinnedRoot
from ..links.models import Link, LinkHost
from ..log import Act
from ..log.models import LogEntry, LogTerm
from ..log.service import KEYS_CHAIN
from ..products.models import Category, Product
from ..releases import service as releases
from ..suppliers.models import Supplier
from . import derived, kept, runs
from .model import Finding
from .replay import Facts, History, replay
from .streams import streamed
from .told import ERASED, Told, as_logged

CHAINS = 200

Tell = Callable[[int], None]


@dataclass(frozen=True)
class _Kind:
    """Things whose history is a chain of their own."""

    model: Any
    kept: Callable[[Session, Any], Facts]
    column: str = "ref"
    """What its chain is named after."""

    @property
    def name(self) -> Any:
        return getattr(self.model, self.column)

    def named(self, name: str) -> Any:
        """The condition that a row is the thing of this name."""
        return self.name == self.name.type.python_type(name)


KINDS = {
    "supplier": _Kind(Supplier, kept.supplier),
    "category": _Kind(Category, kept.category),
    "product": _Kind(Product, kept.product),
    "laboratory": _Kind(Laboratory, kept.laboratory),
    "link": _Kind(Link, kept.link),
    "link-host": _Kind(LinkHost, kept.link_host),
    "batch": _Kind(Batch, kept.batch),
    "status": _Kind(StatusList, kept.status_list, "number"),
}


def against_records(session: Session, storage: LocalStorage, tell: Tell = lambda _done: None) -> Iterator[Finding]:
    """Chain by chain, so that memory holds one history at a time; then what no chain tells of."""
    for done, chain in enumerate(_chains(session), start=1):
        history = replay(chain, entries_of(session, chain))
        yield from history.unreadable
        if not history.broken:
            yield from _of_chain(session, storage, history)
        tell(done)
    for word, kind in KINDS.items():
        yield from _unlogged(session, word, kind.name)
    yield from derived.laboratories(session)
    if not session.scalar(select(LogEntry.id).where(LogEntry.chain == KEYS_CHAIN).limit(1)):
        yield from _of_keys(session, History(KEYS_CHAIN))


def _chains(session: Session) -> Iterator[str]:
    last = ""
    while True:
        query = select(LogEntry.chain).where(LogEntry.chain > last).distinct().order_by(LogEntry.chain).limit(CHAINS)
        names = session.scalars(query).all()
        if not names:
            return
        yield from names
        last = names[-1]


def entries_of(session: Session, chain: str) -> Iterator[LogEntry]:
    """All entries of a chain, oldest first: the sealed ones, then those that wait."""
    query = select(LogEntry).where(LogEntry.chain == chain)
    ordered = query.order_by(LogEntry.seq.is_(None), LogEntry.seq, LogEntry.id)
    yield from streamed(session, ordered)


def _of_chain(session: Session, storage: LocalStorage, history: History) -> Iterator[Finding]:
    word = history.chain.partition(":")[0]
    if word == KEYS_CHAIN:
        yield from _of_keys(session, history)
    elif word in KINDS and history.chain in history.things:
        yield from _of_thing(session, history, history.chain, KINDS[word])
        if word == "product":
            yield from _pictures(storage, history)
        if word == "batch":
            yield from _below_batch(session, storage, history)
        if word == "laboratory":
            yield from _roots(session, history)
        if word == "status":
            yield from derived.bits(session, history)


def _of_thing(session: Session, history: History, subject: str, kind: _Kind) -> Iterator[Finding]:
    facts = history.things[subject]
    row = session.scalar(select(kind.model).where(kind.named(subject.partition(":")[2])))
    if row is None:
        if facts is not None:
            yield Finding("record.missing", history.chain, subject, "row", "there", None)
    elif facts is None:
        yield Finding("record.unlogged", history.chain, subject, "row", None, "there")
    else:
        yield from _differences(history.chain, subject, facts, kind.kept(session, row))


def _differences(chain: str, subject: str, logged: Facts, recorded: Facts) -> Iterator[Finding]:
    for field, was, is_now in differences(logged, recorded):
        yield Finding("record.differs", chain, subject, field, was, is_now)


def differences(logged: Any, recorded: Any, field: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two plain values part, by the name of the field. What the log does not tell is not compared: older entries
    told less."""
    if logged is ERASED:
        return
    if isinstance(logged, dict) and isinstance(recorded, dict):
        dot = f"{field}." if field else ""
        for name in logged:
            if name in recorded:
                yield from differences(logged[name], recorded[name], f"{dot}{name}")
    elif _rows(logged) and _rows(recorded) and len(logged) == len(recorded):
        for number, both in enumerate(zip(logged, recorded, strict=True), start=1):
            yield from differences(*both, f"{field}-{number}")
    elif logged != recorded:
        yield field, _shown(logged), _shown(recorded)


def _rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _shown(value: Any) -> Any:
    """Rows whose number differs are told without what nobody can know."""
    if isinstance(value, list):
        return [_shown(row) for row in value]
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if part is not ERASED}
    return value


def _unlogged(session: Session, word: str, column: Any) -> Iterator[Finding]:
    """Rows that were put in without an entry."""
    known = exists().where(LogEntry.chain == f"{word}:" + cast(column, String))
    for name in streamed(session, select(column).where(~known)):
        yield Finding("record.unlogged", f"{word}:{name}", f"{word}:{name}", "row", None, "there")


def _of_keys(session: Session, history: History) -> Iterator[Finding]:
    """All keys at once: a store has tens of them."""
    rows = {f"key:{row.kid}": row for row in session.scalars(select(SigningKey).order_by(SigningKey.id))}
    for subject, facts in history.things.items():
        if facts is not None and subject in rows:
            yield from _differences(history.chain, subject, facts, kept.key(session, rows[subject]))
        elif facts is not None:
            yield Finding("record.missing", history.chain, subject, "row", "there", None)
    for subject in rows.keys() - history.things.keys():
        yield Finding("record.unlogged", history.chain, subject, "row", None, "there")


def _pictures(storage: LocalStorage, history: History) -> Iterator[Finding]:
    facts = history.thing(history.chain)
    for name in ("picture", "picture_original"):
        yield from _file(storage, history.chain, history.chain, name, facts[name])


def _file(storage: LocalStorage, chain: str, subject: str, field: str, sha256: Any) -> Iterator[Finding]:
    if not isinstance(sha256, str):
        return
    try:
        storage.verify(sha256)
    except LotsealError as error:
        problem = error.problems[0]
        yield Finding("file.differs", chain, subject, field, sha256, problem.rule)


def _roots(session: Session, history: History) -> Iterator[Finding]:
    laboratory = select(Laboratory.id).where(Laboratory.ref == history.chain.partition(":")[2])
    own = PinnedRoot.laboratory_id == laboratory.scalar_subquery()
    yield from _children(session, history, "root", _Kind(PinnedRoot, kept.root), own)


# --- what belongs to a batch ------------------------------------------------------------------------------------------


def _below_batch(session: Session, storage: LocalStorage, history: History) -> Iterator[Finding]:
    ref = history.chain.partition(":")[2]
    batch = session.scalar(select(Batch).where(Batch.ref == ref))
    if batch is not None:
        yield from _release(session, history, batch)
    reports = Certificate.batch_id == (batch.id if batch else None)
    yield from _children(session, history, "certificate", _Kind(Certificate, kept.certificate), reports)
    for subject, facts in history.things.items():
        if subject.startswith("certificate:") and facts is not None:
            yield from _file(storage, history.chain, subject, "file_sha256", facts.get("file_sha256"))
            images = facts["file"]["page_images"] if "file" in facts else []
            for number, image in enumerate(images, start=1):
                yield from _file(storage, history.chain, subject, f"file.page_images-{number}", image)
    issued = Credential.batch_id == (batch.id if batch else None)
    yield from _children(session, history, "credential", _Kind(Credential, kept.credential), issued)
    of_batch = CodeRun.batch_id == (batch.id if batch else None)
    yield from _children(session, history, "run", _Kind(CodeRun, kept.run), of_batch)
    names = [subject.partition(":")[2] for subject in history.things if subject.startswith("run:")]
    query = select(CodeRun).where(of_batch | CodeRun.ref.in_(names))
    yield from runs.against_items(session, history, query, batch.id if batch else None)


def _release(session: Session, history: History, batch: Batch) -> Iterator[Finding]:
    """A document whose hash is the logged one can still stand beside a signature that is not its own."""
    row, facts = releases.of_batch(session, batch), history.thing(history.chain)
    if row is None or not facts["release"]:
        return
    if kept.batch(session, batch)["release"]["document"] != facts["release"]["document"]:
        return
    try:
        releases.check(session, row)
    except SigningError as error:
        yield Finding("record.unsound", history.chain, history.chain, "release.signature", None, error.message)


def _children(session: Session, history: History, word: str, kind: _Kind, own: Any) -> Iterator[Finding]:
    """Reports, credentials, runs or roots: those of the chain, and own rows that the chain does not know."""
    for subject in history.things:
        if subject.startswith(f"{word}:"):
            yield from _of_thing(session, history, subject, kind)
    for row in streamed(session, select(kind.model).where(own)):
        subject = f"{word}:{row.ref}"
        if subject not in history.things and not _told_elsewhere(session, subject):
            yield Finding("record.unlogged", history.chain, subject, "row", None, "there")


def _told_elsewhere(session: Session, subject: str) -> bool:
    """Whether another chain tells of this thing, and therefore names it. Search terms only lead there; what counts is
    the entry's own document."""
    query: Select[LogEntry] = (
        select(LogEntry)
        .join(LogTerm, LogTerm.entry_id == LogEntry.id)
        .where(LogTerm.term == subject.partition(":")[2], LogEntry.act.in_(_BEGINNINGS))
    )
    told = (as_logged(entry) for entry in session.scalars(query))
    return any(one is not None and _begun(one) == subject for one in told)


_BEGINNINGS = {
    Act.CERTIFICATE_SUBMIT: None,
    Act.CODES_ISSUE: "run",
    Act.CODES_COMMIT: None,
    Act.CREDENTIAL_ISSUE: "credential",
    Act.LABORATORY_PIN: "root",
}
"""Acts that begin a thing below a batch or laboratory, with the fact that names it where the act's subject does not."""


def _begun(told: Told) -> str:
    word = _BEGINNINGS[Act(told.act)]
    return f"{word}:{told.facts.get(word)}" if word else told.subject
