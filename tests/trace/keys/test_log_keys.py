"""The log's own keys: a retired one still reads what it signed, a revoked one is in no policy."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from makers import AT
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lotseal.signing.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from lotseal.signing.ed25519 import Ed25519Key
from lotseal.signing.errors import UnknownKey
from lotseal.signing.keys import Role
from lotseal.signing.notes import Note
from lotseal.signing.tlog_policy import Policy
from lotseal.signing.vkeys import Algorithm, VerifierKey
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.audit import service as audit
from lotseal.trace.audit.proofs import evidence
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.models import SigningKey
from lotseal.trace.log import Act, reading, record
from lotseal.trace.log.models import LogCheckpoint
from lotseal.trace.system import System

End = Callable[[System, SigningKey], None]


@pytest.fixture
def old(system: System) -> SigningKey:
    """The log's key, after it signed a checkpoint over one entry."""
    with system.main.write() as session:
        key = keys.current_pair(session, Role.LOG)
        record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject="link:tea")
    system.sequencer().run_once()
    return key


def rotate(system: System, _key: SigningKey) -> None:
    with system.main.write() as session:
        keys.rotate(session, system.ring, Role.LOG, by=OPERATOR, at=AT)


def revoke(system: System, key: SigningKey) -> None:
    with system.main.write() as session:
        keys.revoke(session, keys.to_revoke(session, key.kid), "stolen", system.ring, by=OPERATOR, at=AT)


def policy(system: System) -> Policy:
    with system.main.read() as session:
        return Policy.parse(system.log_policy(session).encode())


def stolen(system: System, key: SigningKey) -> tuple[VerifierKey, Ed25519Key]:
    pair = system.ring.log_key(key.kid)
    return VerifierKey(system.settings.log_origin, Algorithm.ED25519, pair.public.raw), pair


def a_fork(system: System, key: SigningKey) -> Note:
    """Another history, in which nothing was ever revoked."""
    verifier, pair = stolen(system, key)
    return sign_checkpoint(Checkpoint(verifier.name, 1, b"\x01" * 32), verifier, pair.sign)


def differences(system: System, session: Session) -> list[str]:
    """What is wrong with the log as a whole; the template's keys have no acts, which other tests look at."""
    found = audit.check(session, system.shelf, system.storage)
    return [f"{one.subject} {one.field}" for one in found if one.rule == "head.differs"]


def test_a_retired_log_key_stays_in_the_policy_for_what_it_signed(system: System, old: SigningKey) -> None:
    before = Note.parse(system.shelf.read("checkpoint") or b"")
    rotate(system, old)
    system.sequencer().run_once()
    now = policy(system)
    assert len(now.logs) == 2
    assert now.verify(before).checkpoint.size == 1
    assert now.verify(Note.parse(system.shelf.read("checkpoint") or b"")).log != stolen(system, old)[0]


@pytest.mark.parametrize("rotated_before", [True, False])
def test_a_fork_that_a_revoked_log_key_signed_fits_no_published_policy(
    system: System, old: SigningKey, rotated_before: bool
) -> None:
    fork = a_fork(system, old)
    assert policy(system).verify(fork).checkpoint.size == 1, "whoever has the key is the log, as long as it counts"
    if rotated_before:
        rotate(system, old)
    revoke(system, old)
    system.sequencer().run_once()
    now = policy(system)
    assert stolen(system, old)[0] not in now.log_keys
    with pytest.raises(UnknownKey):
        verify_checkpoint(fork, now.log_keys)
    assert now.verify(Note.parse(system.shelf.read("checkpoint") or b"")).checkpoint.size > 1


def test_the_published_checkpoint_proves_nothing_while_it_is_signed_by_a_revoked_key(
    system: System, old: SigningKey
) -> None:
    revoke(system, old)
    with system.main.read() as session, pytest.raises(UnknownKey):
        evidence(session, system.shelf, reading.get(session, 0))
    system.sequencer().run_once()
    with system.main.read() as session:
        assert evidence(session, system.shelf, reading.get(session, 0)) is not None


@pytest.mark.parametrize("end", [rotate, revoke], ids=["retired", "revoked"])
def test_stored_checkpoints_from_before_the_end_of_a_key_stay_as_they_are(
    system: System, old: SigningKey, end: End
) -> None:
    end(system, old)
    system.sequencer().run_once()
    with system.main.read() as session:
        assert differences(system, session) == []


@pytest.mark.parametrize("end", [rotate, revoke], ids=["retired", "revoked"])
def test_a_stored_checkpoint_that_covers_the_end_of_its_key_is_named(sqlite_system: System, end: End) -> None:
    system = sqlite_system
    with system.main.write() as session:
        old = keys.current_pair(session, Role.LOG)
    end(system, old)
    system.sequencer().run_once()
    verifier, pair = stolen(system, old)
    with system.main.write() as session:
        [row] = session.scalars(select(LogCheckpoint))
        note = sign_checkpoint(Checkpoint(verifier.name, row.size, row.root), verifier, pair.sign)
        for (name,) in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text("UPDATE log_checkpoint SET note = :note"), {"note": bytes(note).decode()})
    with system.main.read() as session:
        assert differences(system, session) == [f"checkpoint:{row.size} note"]
