"""What an auditor checks of each thing of a sample, done on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...signing.errors import SigningError
from ...signing.item import format_signature
from ...signing.merkle import inclusion_proof, leaf_hash, leaf_hashes, verify_inclusion
from ..batches.models import Batch
from ..certificates.models import Certificate
from ..errors import LotsealError, Message, Unavailable, say
from ..files.storage import LocalStorage
from ..items.commitment import link, printed_links
from ..items.models import CodeRun, Item
from ..keys.models import SigningKey
from ..keys.ring import KeyRing
from ..log import Act
from ..log.models import LogEntry, LogTerm
from ..log.shelf import Shelf
from ..passport.codes import Code, IssuedWith, check_issued
from ..releases import service as releases
from .proofs import evidence
from .records import entries_of
from .replay import replay
from .sample import Drawn, Kind
from .told import Told, as_logged


class Outcome(StrEnum):
    """How a check ended; the words are permanent. `open`: it could not be done here."""

    FITS = "fits"
    DIFFERS = "differs"
    OPEN = "open"


@dataclass(frozen=True)
class Check:
    """One line: `rule` is a permanent word."""

    rule: str
    outcome: Outcome
    sentence: Message


@dataclass(frozen=True)
class Sampled:
    """A drawn thing with its checks; `ref` and `batch` are references of its record and batch, `index` that of the
    entry that binds it."""

    drawn: Drawn
    name: str
    ref: str
    batch: str
    index: int | None
    checks: tuple[Check, ...]

    @property
    def fits(self) -> bool:
        return all(check.outcome is not Outcome.DIFFERS for check in self.checks)


@dataclass
class Examiner:
    """Looks at drawn things. `most_codes` is how many codes may be hashed in all: the commitment of a run is checked
    over the whole run, which takes some seconds for a million codes."""

    session: Session
    shelf: Shelf
    storage: LocalStorage
    ring: KeyRing
    most_codes: int
    _trees: dict[int, tuple[list[bytes], dict[str, int]] | None] = field(default_factory=dict)

    def examine(self, of: Kind, drawn: Sequence[Drawn]) -> Iterator[Sampled]:
        look: dict[Kind, Callable[[Drawn], Sampled]] = {
            Kind.ITEMS: self._item,
            Kind.BATCHES: self._batch,
            Kind.CERTIFICATES: self._certificate,
        }
        for one in drawn:
            yield look[of](one)

    # --- items --------------------------------------------------------------------------------------------------------

    def _item(self, drawn: Drawn) -> Sampled:
        item = self.session.scalars(select(Item).where(Item.serial == drawn.identifier)).one()
        run = self.session.get_one(CodeRun, item.run_id)
        entry = self._entry(Act.CODES_COMMIT, run.ref)
        checks = (
            self._code(run, item),
            self._committed(run, item, entry[1] if entry else None),
            self._proved(entry[0] if entry else None),
        )
        return Sampled(drawn, drawn.identifier, run.ref, run.batch.ref, entry[0].index if entry else None, checks)

    def _code(self, run: CodeRun, item: Item) -> Check:
        public = (
            self.session.scalar(select(SigningKey.public_jwk).where(SigningKey.kid == run.kid)) if run.kid else None
        )
        kids = [kid for kid in (run.kid, run.tag_kid) if kid]
        revoked = self.session.scalars(select(SigningKey.revoked_at).where(SigningKey.kid.in_(kids))).all()
        made = IssuedWith(
            run.base, run.lot, run.short, run.letter, public, run.tag_kid,
            gtin=run.gtin, issued_at=item.issued_at, revoked_at=tuple(revoked),
        )  # fmt: skip
        signature = format_signature(run.letter, item.signature) if run.letter and item.signature else None
        lot = None if run.short else run.lot
        try:
            found = check_issued(self.ring, made, gtin=run.gtin, lot=lot, serial=item.serial, signature=signature)
        except Unavailable:
            return Check("sample.code", Outcome.OPEN, say("The key behind this code cannot be opened here."))
        if found is not Code.OURS:
            return Check("sample.code", Outcome.DIFFERS, say("Tag or signature do not fit the code."))
        sentence = say("Tag and signature fit.") if signature else say("The tag fits.")
        return Check("sample.code", Outcome.FITS, sentence)

    def _committed(self, run: CodeRun, item: Item, told: Told | None) -> Check:
        rule = "sample.commitment"
        tree = self._tree(run)
        if told is None:
            return Check(rule, Outcome.DIFFERS, say("The log has no commitment for this run."))
        if tree is None:
            sentence = say(
                "This run is too large for a page. «lotseal log sample» checks its commitment.", count=run.count
            )
            return Check(rule, Outcome.OPEN, sentence)
        leaves, places = tree
        try:
            place = places[item.serial]
            root = bytes.fromhex(told.facts["root"])
            verify_inclusion(
                place, told.facts["count"], leaf_hash(link(run, item).encode()), inclusion_proof(leaves, place), root
            )
        except (SigningError, KeyError, ValueError, TypeError):
            return Check(rule, Outcome.DIFFERS, say("The code is not in the run that was committed."))
        sentence = say("Code %(place)d of %(count)d in the committed run.", place=place + 1, count=run.count)
        return Check(rule, Outcome.FITS, sentence)

    def _tree(self, run: CodeRun) -> tuple[list[bytes], dict[str, int]] | None:
        if run.id not in self._trees:
            size = self.session.scalar(select(func.count(Item.id)).where(Item.run_id == run.id)) or 0
            self._trees[run.id] = self._grown(run) if size <= self.most_codes else None
            self.most_codes -= size if size <= self.most_codes else 0
        return self._trees[run.id]

    def _grown(self, run: CodeRun) -> tuple[list[bytes], dict[str, int]]:
        leaves = [leaf for links in printed_links(self.session, run) for leaf in leaf_hashes(links)]
        serials = self.session.scalars(select(Item.serial).where(Item.run_id == run.id).order_by(Item.id))
        return leaves, {serial: place for place, serial in enumerate(serials)}

    # --- batches and reports ------------------------------------------------------------------------------------------

    def _batch(self, drawn: Drawn) -> Sampled:
        batch = self.session.scalars(select(Batch).where(Batch.ref == drawn.identifier)).one()
        chain = f"batch:{batch.ref}"
        checks = [self._signed(batch), self._whole(chain)]
        last = self.session.scalar(
            select(LogEntry).where(LogEntry.chain == chain, LogEntry.index.is_not(None)).order_by(LogEntry.seq.desc())
        )
        checks.append(self._proved(last))
        name = f"{batch.product.gtin} / {batch.lot}"
        return Sampled(drawn, name, batch.ref, batch.ref, last.index if last else None, tuple(checks))

    def _signed(self, batch: Batch) -> Check:
        release = releases.of_batch(self.session, batch)
        if release is None:
            return Check("sample.release", Outcome.OPEN, say("Not released yet: there is no signature to check."))
        try:
            releases.check(self.session, release)
        except SigningError:
            return Check("sample.release", Outcome.DIFFERS, say("The signature of the release does not fit."))
        return Check("sample.release", Outcome.FITS, say("The signature of the release fits."))

    def _whole(self, chain: str) -> Check:
        history = replay(chain, entries_of(self.session, chain))
        if history.broken or history.unreadable:
            return Check("sample.chain", Outcome.DIFFERS, say("The history has a gap or a changed entry."))
        return Check("sample.chain", Outcome.FITS, say("The history is without a gap."))

    def _certificate(self, drawn: Drawn) -> Sampled:
        report = self.session.scalars(select(Certificate).where(Certificate.ref == drawn.identifier)).one()
        entry = self._entry(Act.CERTIFICATE_SUBMIT, report.ref)
        checks = (
            self._filed(report, entry[1] if entry else None),
            self._stored(report.file.sha256),
            self._proved(entry[0] if entry else None),
        )
        name = f"{report.number} · {report.laboratory}"
        return Sampled(drawn, name, report.ref, report.batch.ref, entry[0].index if entry else None, checks)

    def _filed(self, report: Certificate, told: Told | None) -> Check:
        if told is None or told.facts.get("file_sha256") != report.file.sha256:
            return Check("sample.file-hash", Outcome.DIFFERS, say("The log names another file for this report."))
        if told.facts.get("batch") != report.batch.ref:
            return Check("sample.file-hash", Outcome.DIFFERS, say("The log names another batch for this report."))
        return Check("sample.file-hash", Outcome.FITS, say("The file's hash is the one in the log."))

    def _stored(self, sha256: str) -> Check:
        try:
            self.storage.verify(sha256)
        except LotsealError:
            return Check("sample.file", Outcome.DIFFERS, say("The stored file is missing or was changed."))
        return Check("sample.file", Outcome.FITS, say("The stored file has this hash."))

    # --- the log ------------------------------------------------------------------------------------------------------

    def _entry(self, act: Act, ref: str) -> tuple[LogEntry, Told] | None:
        """The sealed entry of this act on the thing; its document decides, the search term only leads to it."""
        query = select(LogEntry).join(LogTerm, LogTerm.entry_id == LogEntry.id)
        query = query.where(LogTerm.term == ref, LogEntry.act == act, LogEntry.index.is_not(None))
        for entry in self.session.scalars(query.order_by(LogEntry.index)):
            told = as_logged(entry)
            if told is not None and told.subject.partition(":")[2] == ref:
                return entry, told
        return None

    def _proved(self, entry: LogEntry | None) -> Check:
        rule = "sample.inclusion"
        try:
            found = evidence(self.session, self.shelf, entry) if entry is not None else None
        except SigningError:
            return Check(rule, Outcome.DIFFERS, say("The entry is not in the published log."))
        if entry is None or found is None:
            return Check(rule, Outcome.OPEN, say("The entry is not published yet."))
        sentence = say("Entry %(index)d is in the log of %(size)d entries.", index=entry.index, size=found.size)
        return Check(rule, Outcome.FITS, sentence)
