"""Collect what proves a batch, a report or a code, all as of one checkpoint.

What goes in follows from the log alone: the chains of the batch and of what it stands on, and then whatever their
entries name. What an entry names and the store does not have is left out; the verifier says so then. A checkpoint is
chosen that covers all of it and that others have seen, the earliest of these, so that the same records give the same
bytes even while the log grows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...signing.bundle import About, Kind, Logged, write_bundle
from ...signing.canonical import canonical_json
from ...signing.errors import SigningError
from ...signing.merkle import inclusion_proof, leaf_hashes
from ...signing.timestamp import as_response
from .. import log
from ..accounts.models import Account
from ..batches import service as batches
from ..batches.models import Batch
from ..certificates import service as certificates
from ..certificates import signatures
from ..certificates.models import Certificate
from ..credentials.models import Credential, StatusList
from ..errors import Problem, Unavailable, conflict, say
from ..files.storage import LocalStorage
from ..items import service as items
from ..items.commitment import link, printed_links
from ..items.models import CodeRun, Item
from ..log import Act, Actor, reading
from ..log.models import LogCheckpoint, LogCosignature, LogEntry, LogTimestamp
from ..log.service import KEYS_CHAIN
from ..log.shelf import Shelf, note_of
from ..releases import service as releases
from .tools import tools

Members = dict[str, bytes]

NEAR = 1000
"""How many checkpoints after the first that covers a record are looked at for one that others have seen."""


@dataclass(frozen=True)
class Source:
    """Where evidence comes from: a transaction, the files, the published log, and the operator's policy."""

    session: Session
    storage: LocalStorage
    shelf: Shelf
    policy: str


@dataclass(frozen=True)
class Bundle:
    """`name` is what a download is called, `subject` what it is about, `data` the ZIP."""

    name: str
    subject: str
    data: bytes


def of_batch(source: Source, batch: Batch) -> Bundle:
    """All of a batch with the files of all its reports. Raises `Conflict` when it is not, or not wholly, in the log;
    `Unavailable` when a file or a part of the log cannot be read."""
    evidence = _Evidence(source, batch)
    return evidence.bundle(About("batch", batch.ref, batch.ref), evidence.files(evidence.submitted()))


def of_certificate(source: Source, certificate: Certificate) -> Bundle:
    """A report with its file, and the history of its batch. Raises as `of_batch` does."""
    evidence = _Evidence(source, certificate.batch)
    own = [facts for facts in evidence.submitted() if facts["subject"] == certificates.subject(certificate)]
    about = About("certificate", certificate.ref, certificate.batch.ref)
    return evidence.bundle(about, evidence.files(own))


def of_item(source: Source, item: Item) -> Bundle:
    """One code with its proof in its run, and the history of its batch. Raises as `of_batch` does, and `Conflict` while
    the run is not finished."""
    run = source.session.get_one(CodeRun, item.run_id)
    if run.root is None:
        raise conflict(
            "evidence.run-unfinished",
            say("The run of this code is not finished, so the log does not bind its codes yet."),
        )
    evidence = _Evidence(source, run.batch)
    about = About("item", item.serial, run.batch.ref)
    return evidence.bundle(about, {f"items/{item.serial}.json": _item(source.session, run, item)})


def exported(session: Session, bundle: Bundle, *, by: Actor, at: datetime) -> None:
    """Write down that somebody took a bundle along."""
    log.record(session, Act.BUNDLE_EXPORT, by=by, at=at, subject=bundle.subject, size=len(bundle.data))


def find(session: Session, kind: Kind, ref: str, *, account: Account | None) -> Batch | Certificate | Item:
    """The batch, certificate or item of a reference or serial, if the account may see it. Raises `NotFound`."""
    match kind:
        case "batch":
            return batches.get(session, ref, account=account)
        case "certificate":
            return certificates.get(session, ref, account=account)
        case _:
            return items.get_item(session, ref, account=account)


def of_any(source: Source, thing: Batch | Certificate | Item) -> Bundle:
    """The bundle of whichever it is. Raises as the three above."""
    match thing:
        case Batch():
            return of_batch(source, thing)
        case Certificate():
            return of_certificate(source, thing)
        case Item():
            return of_item(source, thing)


def _item(session: Session, run: CodeRun, item: Item) -> bytes:
    """The code among the printed links of its run, in the order of issue."""
    leaves = [leaf for links in printed_links(session, run) for leaf in leaf_hashes(links)]
    before = select(func.count()).where(Item.run_id == run.id, Item.id < item.id)
    place = session.scalar(before) or 0
    return canonical_json(
        {
            "link": link(run, item),
            "place": place,
            "proof": [step.hex() for step in inclusion_proof(leaves, place)],
            "run": run.ref,
            "state": "void" if item.voided_at else "issued",
        }
    )


def _found(report: Certificate) -> bytes:
    """What was found in the file of a report, as this service says."""
    file = report.file
    looked = {"kind": file.kind, "pages": file.pages, "has_text_layer": file.has_text_layer}
    return canonical_json({**looked, **signatures.signed_by_laboratory(report)})


class _Evidence:
    """The chains of one batch, as of one checkpoint."""

    def __init__(self, source: Source, batch: Batch) -> None:
        self._source, self._batch = source, batch
        self._session = source.session
        self._own = self._chain(batches.subject(batch))
        if not self._own:
            raise conflict(
                "evidence.unlogged", say("Nothing of this batch is in the log, so there is nothing to prove it with.")
            )
        self._told = [self._facts(entry) for entry in self._own]
        reports = certificates.of_batch(self._session, batch)
        self._reports = {certificates.subject(report): report for report in reports}
        self._entries = [*self._own] + [entry for name in self._chains() for entry in self._chain(name)]
        self._checkpoint = self._choose(max(entry.index or 0 for entry in self._entries))

    def _chains(self) -> list[str]:
        product = self._batch.product
        lists = {facts["list"] for facts in self._told if facts["act"] == Act.CREDENTIAL_ISSUE}
        return [
            f"product:{product.ref}",
            f"category:{product.category.ref}",
            f"supplier:{self._batch.supplier.ref}",
            *sorted({f"laboratory:{one.registered.ref}" for one in self._reports.values() if one.registered}),
            KEYS_CHAIN,
            *(f"status:{number}" for number in sorted(lists)),
        ]

    def _chain(self, name: str) -> Sequence[LogEntry]:
        """The chain to its end. Raises `Conflict` while a part of it waits for its seal: a record without its newest
        entry would be half of the truth."""
        waits = select(LogEntry.id).where(LogEntry.chain == name, LogEntry.index.is_(None)).limit(1)
        if self._session.scalar(waits):
            raise conflict(
                "evidence.waiting", say("The newest entries of this record are not sealed yet. Try again in a minute.")
            )
        return list(reading.chain(self._session, name))

    @staticmethod
    def _facts(entry: LogEntry) -> dict[str, Any]:
        content = json.loads(entry.content)
        return {**content["facts"], "act": entry.act, "subject": content["subject"]}

    def _choose(self, last: int) -> LogCheckpoint:
        published = self._source.shelf.published()
        covering = last < LogCheckpoint.size, LogCheckpoint.size <= (published.size if published else 0)
        first = self._session.scalar(select(LogCheckpoint).where(*covering).order_by(LogCheckpoint.size).limit(1))
        if first is None:
            raise conflict(
                "evidence.waiting", say("The newest entries of this record are not sealed yet. Try again in a minute.")
            )
        cosigned = self._seen(LogCosignature, covering)
        stamped = self._seen(LogTimestamp, covering)
        best = min(
            {first.size, *cosigned, *stamped},
            key=lambda size: (-cosigned.get(size, 0), -stamped.get(size, 0), size),
        )
        return self._session.get_one(LogCheckpoint, best)

    def _seen(self, table: type[LogCosignature] | type[LogTimestamp], covering: Any) -> Mapping[int, int]:
        """How many others put their name to each of the covering checkpoints, to the first that somebody did."""
        query = select(table.size, func.count()).join(LogCheckpoint, LogCheckpoint.size == table.size).where(*covering)
        rows = self._session.execute(query.group_by(table.size).order_by(table.size).limit(NEAR))
        return {size: int(count) for size, count in rows}

    def submitted(self) -> list[dict[str, Any]]:
        """What the log says of each certificate that was submitted."""
        return [facts for facts in self._told if facts["act"] == Act.CERTIFICATE_SUBMIT]

    def files(self, submitted: Sequence[Mapping[str, Any]]) -> Members:
        """The files of these certificates as they came, and what was found in each."""
        members: Members = {}
        for facts in submitted:
            sha256 = facts["file_sha256"]
            if self._source.storage.exists(sha256):
                members[f"files/{sha256}"] = self._source.storage.path(sha256).read_bytes()
            report = self._reports.get(facts["subject"])
            if report is not None and report.file.sha256 == sha256:
                members[f"facts/{sha256}.json"] = _found(report)
        return members

    def bundle(self, about: About, own: Members) -> Bundle:
        members = {**tools(), "policy": self._source.policy.encode(), **own}
        members |= self._release() | self._credentials() | self._timestamps()
        note = note_of(self._session, self._checkpoint).encode()
        try:
            data = write_bundle(about, note, [self._logged(entry) for entry in self._entries], members)
        except SigningError as error:
            sentence = say("A part of the published log cannot be read: %(rule)s. Tell the operator.", rule=error.rule)
            raise Unavailable(Problem(None, "evidence.log", sentence)) from error
        return Bundle(f"evidence-{about.kind}-{about.subject}.zip", f"{about.kind}:{about.subject}", data)

    def _logged(self, entry: LogEntry) -> Logged:
        assert entry.index is not None
        assert entry.envelope is not None
        proof = reading.proof(self._source.shelf, entry.index, self._checkpoint.size)
        return Logged(entry.index, entry.envelope.encode(), entry.content.encode(), proof)

    def _release(self) -> Members:
        row = releases.of_batch(self._session, self._batch)
        if row is None or not any(facts["act"] == Act.BATCH_RELEASE for facts in self._told):
            return {}
        return {"records/release.json": row.document.encode(), "records/release.sig": row.signature}

    def _credentials(self) -> Members:
        issued = [facts for facts in self._told if facts["act"] == Act.CREDENTIAL_ISSUE]
        refs = [facts["credential"] for facts in issued]
        rows = self._session.scalars(select(Credential).where(Credential.ref.in_(refs)))
        members = {f"credentials/{row.ref}.jwt": row.jwt.encode() for row in rows}
        numbers = {facts["list"] for facts in issued}
        lists = self._session.scalars(select(StatusList).where(StatusList.number.in_(numbers)))
        return members | {f"status/{row.number}.jwt": row.jwt.encode() for row in lists}

    def _timestamps(self) -> Members:
        query = select(LogTimestamp).where(LogTimestamp.size == self._checkpoint.size)
        rows = self._session.scalars(query.order_by(LogTimestamp.authority)).all()
        return {f"timestamps/{place}.tsr": as_response(row.token) for place, row in enumerate(rows, start=1)}
