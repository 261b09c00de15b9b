"""Issue, revoke and find credentials.

What should be in force follows from the record alone: a passport for a batch that was released and not recalled, an
inspection for each report that is accepted. A job compares that with what was issued and does what is missing, so it
may run twice, late, or after a failure.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ...signing import jws
from ...signing.canonical import sha256_hex
from ...signing.errors import SigningError
from ...signing.keys import Role as KeyRole
from ...signing.keys import Signer
from ...signing.status_list import SIZE, empty, with_bit
from .. import clock, log
from ..accounts.service import SERVICE
from ..batches import service as batches
from ..batches.models import Batch
from ..certificates import service as certificates
from ..certificates.models import Certificate, Status
from ..db.base import new_ref
from ..db.search import containing
from ..errors import Problem, Unavailable, not_found, say
from ..jobs import service as jobs
from ..keys import service as keys
from ..keys.models import SigningKey
from ..keys.ring import KeyRing
from ..log import Act, Actor
from ..products.models import Product
from ..releases import service as releases
from ..releases.models import Release
from . import shapes
from .issuer import Issuer
from .models import Credential, Kind, RevokeReason, StatusList

logger = logging.getLogger(__name__)

TYP = "vc+jwt"
"""The header `typ` of a credential and of a status list (VC-JOSE-COSE section 3.1.1)."""
FULL = SIZE // 2
"""So many places of a list are given away at random; then a new one is begun."""


# --- the job ----------------------------------------------------------------------------------------------------------


def reconcile(
    claimed: jobs.Claimed,
    ring: KeyRing,
    issuer: Issuer,
    when: Callable[[Session], datetime] = lambda _session: clock.now(),
) -> None:
    """The job: issue what is missing for a batch and its reports, revoke what must not be in force any more, and
    publish the lists that change, all at the moment that `when` says. All or nothing. Raises `Unavailable` when a key
    does not open."""
    if not issuer.base:
        raise Unavailable(Problem("LOTSEAL_PUBLIC_URL", "setting.missing", _NO_BASE))
    with claimed.database.write() as session:
        # Two jobs for one batch come one after the other.
        locked = select(Batch).where(Batch.ref == claimed.payload["batch"]).with_for_update(of=Batch)
        batch = session.scalars(locked).one()
        # The time is taken when the keys are held: no signature can then say a moment at which its key was not in use.
        signing = {role: keys.pair_to_sign(session, role) for role in (KeyRole.CREDENTIAL, KeyRole.STATUS)}
        now = when(session)
        _Round(session, {role: ring.signer(key) for role, key in signing.items()}, issuer, now).settle(batch)
        claimed.progress(session, 1, at=clock.now())


def renew(session: Session, *, by: Actor, at: datetime) -> int:
    """Order a job for every batch that has or should have a credential; says how many. After a key was revoked, and for
    the operator after keys were locked for long."""
    has_report = select(Certificate.batch_id).where(Certificate.status.in_((Status.ACCEPTED, Status.WITHDRAWN)))
    found = session.scalars(
        select(Batch).where(Batch.id.in_(select(Release.batch_id)) | Batch.id.in_(has_report)).order_by(Batch.id)
    ).all()
    for batch in found:
        batches.renew_credentials(session, batch, by=by, at=at)
    return len(found)


_NO_BASE = say("Set LOTSEAL_PUBLIC_URL to scheme and host of the printed codes, such as https://t.example.cn.")


def after_revocation(session: Session, key: SigningKey, *, by: Actor, at: datetime) -> None:
    """Nobody else can tell what was signed before a key was stolen: what it signed is revoked and issued anew with its
    successor. Front doors call this in the transaction of the revocation."""
    if key.role in (KeyRole.CREDENTIAL, KeyRole.STATUS):
        renew(session, by=by, at=at)


class _Round:
    """One run of the job: a transaction, who signs, and the moment."""

    def __init__(self, session: Session, signers: Mapping[KeyRole, Signer], issuer: Issuer, now: datetime) -> None:
        self._session, self._signers, self._issuer, self._now = session, signers, issuer, now

    def settle(self, batch: Batch) -> None:
        living = {one.certificate_id: one for one in of_batch(self._session, batch) if one.revoked_at is None}
        release = releases.of_batch(self._session, batch)
        reports = certificates.of_batch(self._session, batch)
        wanted = {report.id: report for report in reports if report.status == Status.ACCEPTED}
        recalled = batches.notice(self._session, batch) is not None
        gone = self._revoked_keys(KeyRole.CREDENTIAL)
        ending = [(one, reason) for one in living.values() if (reason := self._why_not(one, wanted, recalled, gone))]
        self._revoke(ending)
        self._renew_lists()
        ended = {one.certificate_id for one, _reason in ending}
        in_force = living.keys() - ended
        if release and not recalled and None not in in_force and self._is_sound(release):
            self._issue_passport(batch, release, reports)
        for report in wanted.values():
            if report.id not in in_force:
                self._issue_inspection(report)

    def _is_sound(self, release: Release) -> bool:
        """Whether the snapshot is what was signed. One that was changed gets no passport; all else goes on, above all
        revocations. The page of the batch says what is wrong."""
        try:
            releases.check(self._session, release)
        except SigningError as error:
            logger.error("release %s gets no passport: %s", release.ref, error)
            return False
        return True

    @staticmethod
    def _why_not(
        one: Credential, wanted: dict[int, Certificate], recalled: bool, gone: set[str]
    ) -> RevokeReason | None:
        if one.certificate_id is None and recalled:
            return RevokeReason.RECALLED
        if one.certificate_id is not None and one.certificate_id not in wanted:
            return RevokeReason.WITHDRAWN
        return RevokeReason.KEY_REVOKED if one.kid in gone else None

    def _revoked_keys(self, role: KeyRole) -> set[str]:
        return {key.kid for key in keys.all_of(self._session, role) if key.revoked_at}

    # --- issue

    def _issue_passport(self, batch: Batch, release: Release, reports: Sequence[Certificate]) -> None:
        about = self._envelope()
        refs = {report.file.sha256: report.ref for report in reports}
        facts = shapes.passport(about, release, json.loads(release.document), refs)
        self._issue(Kind.PASSPORT, about, facts, batch, None)

    def _issue_inspection(self, report: Certificate) -> None:
        about = self._envelope()
        self._issue(Kind.INSPECTION, about, shapes.inspection(about, report), report.batch, report)

    def _issue(
        self, kind: Kind, about: shapes.Envelope, facts: shapes.Facts, batch: Batch, report: Certificate | None
    ) -> None:
        text, kid = self._sign(KeyRole.CREDENTIAL, facts)
        number, index = about.status
        row = Credential(
            ref=about.ref,
            kind=kind,
            batch_id=batch.id,
            certificate_id=report.id if report else None,
            jwt=text,
            sha256=sha256_hex(text.encode("ascii")),
            kid=kid,
            list_number=number,
            status_index=index,
            issued_at=self._now,
        )
        self._session.add(row)
        self._session.flush()
        log.record(
            self._session,
            Act.CREDENTIAL_ISSUE,
            by=SERVICE,
            at=self._now,
            subject=batches.subject(batch),
            key=kid,
            credential=row.ref,
            kind=kind,
            **({"certificate": report.ref} if report else {}),
            jwt_sha256=row.sha256,
            kid=kid,
            list=number,
            index=index,
        )

    def _envelope(self) -> shapes.Envelope:
        status_list = self._open_list()
        return shapes.Envelope(self._issuer, new_ref(), (status_list.number, self._free_place(status_list)), self._now)

    # --- revoke

    def _revoke(self, ending: Sequence[tuple[Credential, RevokeReason]]) -> None:
        # Locked in the order of their numbers, so that two jobs never wait for each other.
        changed = {number: self._locked_list(number) for number in sorted({row.list_number for row, _ in ending})}
        for row, reason in ending:
            status_list = changed[row.list_number]
            status_list.bits = with_bit(status_list.bits, row.status_index)
            row.revoked_at, row.reason = self._now, reason
            log.record(
                self._session,
                Act.CREDENTIAL_REVOKE,
                by=SERVICE,
                at=self._now,
                subject=batches.subject(row.batch),
                credential=row.ref,
                kind=row.kind,
                jwt_sha256=row.sha256,
                list=row.list_number,
                index=row.status_index,
                reason=reason,
            )
        self._session.flush()
        for status_list in changed.values():
            self._publish(status_list)

    # --- status lists

    def _renew_lists(self) -> None:
        """Sign anew what a revoked key signed."""
        gone = self._revoked_keys(KeyRole.STATUS)
        numbers = self._session.scalars(
            select(StatusList.number).where(StatusList.kid.in_(gone)).order_by(StatusList.number)
        ).all()
        for number in numbers:
            status_list = self._locked_list(number)
            # Another job may have done it meanwhile.
            if status_list.kid in gone:
                self._publish(status_list)

    def _locked_list(self, number: int) -> StatusList:
        # Bits that another job sets at the same moment must not get lost.
        query = select(StatusList).where(StatusList.number == number).with_for_update()
        return self._session.scalars(query, execution_options={"populate_existing": True}).one()

    def _open_list(self) -> StatusList:
        """The newest list, as long as half of its places are free; else a new one, which is published at once."""
        newest = self._session.scalar(select(StatusList).order_by(StatusList.number.desc()).limit(1))
        if newest is not None and self._given(newest.number) < FULL:
            return newest
        number = newest.number + 1 if newest else 1
        made = StatusList(number=number, bits=empty(), seq=0, jwt="", sha256="", kid="", at=self._now)
        self._publish(made)
        self._session.add(made)
        self._session.flush()
        return made

    def _given(self, number: int) -> int:
        query = select(func.count()).select_from(Credential).where(Credential.list_number == number)
        return int(self._session.scalar(query) or 0)

    def _free_place(self, status_list: StatusList) -> int:
        """At random, so that a place says nothing of its neighbours (Bitstring Status List section 2.1)."""
        while True:
            index = secrets.randbelow(SIZE)
            taken = select(Credential.id).where(
                Credential.list_number == status_list.number, Credential.status_index == index
            )
            if self._session.scalar(taken) is None:
                return index

    def _publish(self, status_list: StatusList) -> None:
        seq = status_list.seq + 1
        facts = shapes.status_list(self._issuer, status_list.number, seq, status_list.bits, self._now)
        text, kid = self._sign(KeyRole.STATUS, facts)
        status_list.seq, status_list.at = seq, self._now
        status_list.jwt, status_list.kid = text, kid
        status_list.sha256 = sha256_hex(text.encode("ascii"))
        log.record(
            self._session,
            Act.STATUS_PUBLISH,
            by=SERVICE,
            at=self._now,
            subject=f"status-list:{status_list.number}",
            chain=f"status:{status_list.number}",
            key=kid,
            jwt_sha256=status_list.sha256,
            list=status_list.number,
            seq=seq,
            kid=kid,
        )

    def _sign(self, role: KeyRole, facts: shapes.Facts) -> tuple[str, str]:
        """The JWS and the key id of whoever signed it."""
        signer = self._signers[role]
        return jws.sign(signer, facts, kid=self._issuer.key_id(signer.kid), typ=TYP), signer.kid


# --- find -------------------------------------------------------------------------------------------------------------


def of_batch(session: Session, batch: Batch) -> Sequence[Credential]:
    """All credentials of a batch and its reports, oldest first."""
    return session.scalars(select(Credential).where(Credential.batch_id == batch.id).order_by(Credential.id)).all()


def passport_of(session: Session, batch: Batch) -> Credential | None:
    """The newest passport of a batch, also a revoked one."""
    query = select(Credential).where(Credential.batch_id == batch.id, Credential.kind == Kind.PASSPORT)
    return session.scalar(query.order_by(Credential.id.desc()).limit(1))


def of_certificate(session: Session, certificate: Certificate) -> Credential | None:
    """The newest credential of a report, also a revoked one."""
    query = select(Credential).where(Credential.certificate_id == certificate.id)
    return session.scalar(query.order_by(Credential.id.desc()).limit(1))


def matching(search: str = "", kind: str = "") -> Select[Credential]:
    """All, or those of a kind; by lot, GTIN, product name, hash or reference."""
    query = select(Credential).join(Credential.batch).join(Batch.product)
    if kind:
        query = query.where(Credential.kind == kind)
    if search:
        columns = (Batch.lot, Product.gtin, Product.name_zh, Product.name_en, Credential.sha256, Credential.ref)
        query = query.where(containing(search, *columns))
    return query


def get(session: Session, ref: str) -> Credential:
    found = session.scalar(select(Credential).where(Credential.ref == ref))
    if found is None:
        raise not_found("credential.unknown", say("There is no such credential."))
    return found


def get_public(session: Session, ref: str) -> Credential:
    """What the public may read: credentials of batches that were released, the revoked ones too."""
    found = get(session, ref)
    if not batches.was_released(session, found.batch):
        raise not_found("credential.unknown", say("There is no such credential."))
    return found


def get_list(session: Session, number: int) -> StatusList:
    """A published status list."""
    found = session.scalar(select(StatusList).where(StatusList.number == number))
    if found is None:
        raise not_found("status-list.unknown", say("There is no such status list."))
    return found
