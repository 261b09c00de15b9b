"""The log: acts become entries, entries are sealed once and for all, and its files follow the store."""

# ruff: noqa: PT012 - an error has to pass through the end of a transaction, so both stand in one block
from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import threading
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from makers import AT, HOLD, a_batch, a_certificate, a_supplier, alice, bob, codes, release, rules, settings_of
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from lotseal.signing import merkle, tiles
from lotseal.signing.checkpoint import Checkpoint, verify_checkpoint
from lotseal.signing.envelope import read_envelope
from lotseal.signing.notes import Note
from lotseal.signing.tlog_policy import Policy
from lotseal.trace import clock
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.errors import Unavailable
from lotseal.trace.items import service as items
from lotseal.trace.log import Act, reading, record
from lotseal.trace.log.models import AuditAct, LogCheckpoint, LogEntry
from lotseal.trace.log.sequencer import Sequencer
from lotseal.trace.log.shelf import Shelf
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System, open_system


def an_act(system: System, subject: str = "link:tea", **facts: object) -> None:
    with system.main.write() as session:
        record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject=subject, **facts)


def entries(system: System) -> list[LogEntry]:
    with system.main.read() as session:
        return list(session.scalars(reading.matching().order_by(None).order_by(LogEntry.index)))


def published(system: System) -> Checkpoint:
    """What an outsider learns from the files: the checkpoint, its signature verified against the policy."""
    data = system.shelf.read("checkpoint")
    assert data is not None
    with system.main.read() as session:
        policy = Policy.parse(system.log_policy(session).encode())
    return verify_checkpoint(Note.parse(data), [log.key for log in policy.logs])


def from_files(system: System, size: int) -> list[bytes]:
    """Every entry, as an outsider reads it from the bundles."""
    found: list[bytes] = []
    while len(found) < size:
        width = min(tiles.WIDTH, size - len(found))
        data = system.shelf.read(tiles.Tile(tiles.ENTRIES, len(found) // tiles.WIDTH, width).path)
        assert data is not None
        found += tiles.decode_bundle(data, width)
    return found


# --- entries ----------------------------------------------------------------------------------------------------------


def test_an_entry_binds_the_act_and_who_did_it_by_salted_hashes(system: System) -> None:
    with system.main.write() as session:
        supplier = a_supplier(session)
        suppliers.suspend(session, supplier, "late papers", by=bob(session), at=AT)
    system.sequencer().run_once()
    last = entries(system)[-1]
    envelope = read_envelope((last.envelope or "").encode())
    content, actor = json.loads(last.content), json.loads(last.actor or "")
    assert (envelope.act, envelope.chain, envelope.seq) == ("supplier:suspend", f"supplier:{supplier.ref}", 2)
    assert envelope.content == hashlib.sha256(last.content.encode()).hexdigest()
    assert envelope.actor == hashlib.sha256((last.actor or "").encode()).hexdigest()
    assert (content["facts"], actor["by"]["name"]) == ({"reason": "late papers"}, "Bob")
    assert content["salt"] != actor["salt"], "equal salts would tie the two together"
    assert "late papers" not in (last.envelope or ""), "what can never be erased holds hashes only"


def test_an_act_without_personal_facts_has_the_actor_document_it_always_had(system: System) -> None:
    an_act(system)
    system.sequencer().run_once()
    actor = json.loads(entries(system)[-1].actor or "")
    assert actor.keys() == {"by", "salt"}


def test_a_personal_fact_is_found_by_no_word(system: System) -> None:
    with system.main.write() as session:
        facts = {"number": "0591-5550102", "title": "tea"}
        record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject="link:tea", private=("number",), **facts)
    system.sequencer().run_once()
    with system.main.read() as session:
        assert session.scalars(reading.matching("0591-5550102")).all() == []
        assert len(session.scalars(reading.matching("link:tea")).all()) == 1


def test_an_act_without_an_entry_takes_no_personal_facts_that_would_be_lost(system: System) -> None:
    with pytest.raises(ValueError, match="bundle:export has no entry"), system.main.write() as session:
        record(session, Act.BUNDLE_EXPORT, by=OPERATOR, at=AT, subject="batch:x", private=("phone",), phone="1")


def test_two_equal_acts_cannot_be_told_equal_by_their_hashes(system: System) -> None:
    for _ in range(2):
        an_act(system, title="tea")
    system.sequencer().run_once()
    first, second = (read_envelope((entry.envelope or "").encode()) for entry in entries(system))
    assert first.content != second.content
    assert first.actor != second.actor


def test_a_chain_names_its_previous_entry(system: System) -> None:
    for subject in ("link:tea", "link:milk", "link:tea"):
        an_act(system, subject)
    system.sequencer().run_once()
    an_act(system, "link:tea")
    system.sequencer().run_once()
    sealed = entries(system)
    tea = [entry for entry in sealed if entry.chain == "link:tea"]
    assert [entry.seq for entry in tea] == [1, 2, 3]
    for before, after in pairwise(tea):
        assert read_envelope((after.envelope or "").encode()).prev == (before.leaf_hash or b"").hex()


def test_nothing_of_a_fact_that_failed_reaches_the_log(system: System) -> None:
    with pytest.raises(ZeroDivisionError), system.main.write() as session:
        record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject="link:tea")
        raise ZeroDivisionError
    assert system.sequencer().run_once() == 0
    assert system.shelf.published() is None


def test_what_belongs_to_a_batch_stands_in_its_chain(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
        release(session, batch, system.ring)
    [code] = codes(system, batch)
    with system.main.write() as session:
        items.void(session, items.get_item(session, code.serial), "torn", by=OPERATOR, at=AT)
        batches.hold(session, batches.get(session, batch.ref), HOLD, by=alice(session), at=AT)
    system.sequencer().run_once()
    with system.main.read() as session:
        told = [entry.act for entry in reading.chain(session, f"batch:{batch.ref}")]
    assert [act for act in told if not act.startswith("credential:")] == [
        "batch:add",
        "batch:submit",
        "certificate:submit",
        "certificate:accept",
        "batch:release",
        "codes:issue",
        "codes:commit",
        "codes:void",
        "batch:hold",
    ]


def test_a_run_of_codes_is_bound_by_the_root_over_its_links(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "CHUNK", 3)
    with system.main.write() as session:
        batch = a_batch(session)
    printed = codes(system, batch, count=8, tier="B")
    with system.main.read() as session:
        [run] = items.runs_of(session, batch)
        links = [items.link(run, item).encode() for item in session.scalars(items.items_of(run))]
    assert len(printed) == len(links) == 8
    assert run.root == merkle.root(merkle.leaf_hashes(links)).hex()


def test_an_entry_is_found_by_its_hashes_numbers_and_references(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
        certificate = a_certificate(session, batch)
        sha256, number = certificate.file.sha256, certificate.number
    system.sequencer().run_once()
    with system.main.read() as session:
        for word in (sha256, sha256.upper(), number, batch.ref, batch.lot):
            acts = {entry.act for entry in session.scalars(reading.matching(word))}
            assert acts, word
        assert [entry.index for entry in session.scalars(reading.matching("0"))] == [0]
        assert session.scalars(reading.matching("no such word")).all() == []


# --- sealing ----------------------------------------------------------------------------------------------------------


def test_an_outsider_rebuilds_the_tree_from_the_files_alone(system: System) -> None:
    sequencer = system.sequencer()
    for count in (1, 2, 255, 3, 300):
        with system.main.write() as session:
            for number in range(count):
                record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject=f"link:{number}")
        assert sequencer.run_once() == count
        seen = published(system)
        read = from_files(system, seen.size)
        assert merkle.root(merkle.leaf_hashes(read)) == seen.root
        assert read_envelope(read[0]).seq == 1
    proof = reading.proof(system.shelf, 300, seen.size)
    merkle.verify_inclusion(300, seen.size, merkle.leaf_hash(read[300]), proof, seen.root)


def test_each_published_tree_is_a_beginning_of_the_next(system: System) -> None:
    roots: list[Checkpoint] = []
    for _ in range(6):
        an_act(system)
        system.sequencer().run_once()
        roots.append(published(system))
    for before, after in pairwise(roots):
        reader = tiles.TileReader(system.shelf.read, after.size)
        proof = merkle.consistency_proof_from(reader, before.size, after.size)
        merkle.verify_consistency(before.size, after.size, proof, before.root, after.root)


def test_a_clock_that_jumps_back_moves_no_checkpoint_back(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    at = clock.now()
    for jump in (timedelta(0), timedelta(days=1), timedelta(days=-1), timedelta(days=2)):
        an_act(system)
        monkeypatch.setattr(clock, "now", lambda jump=jump: at + jump)
        system.sequencer().run_once()
    with system.main.read() as session:
        times = session.scalars(select(LogCheckpoint.at).order_by(LogCheckpoint.size)).all()
    assert times == [at, at + timedelta(days=1), at + timedelta(days=1), at + timedelta(days=2)]
    assert published(system).size == len(entries(system))


def test_sequencers_that_race_make_one_history(system: System) -> None:
    for number in range(40):
        an_act(system, f"link:{number % 3}")
    failures: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(5):
                an_act(system, "link:raced")
                system.sequencer().run_once()
        # Whatever a thread raises has to reach the test.
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    sealed = entries(system)
    assert [entry.index for entry in sealed] == list(range(60))
    assert [entry.seq for entry in sealed if entry.chain == "link:raced"] == list(range(1, 21))
    seen = published(system)
    assert (seen.size, seen.root) == (60, merkle.root(merkle.leaf_hashes(from_files(system, 60))))


def test_an_entry_tells_how_long_the_key_history_was(system: System) -> None:
    an_act(system)
    with system.main.write() as session:
        record(session, Act.KEY_RETIRE, by=OPERATOR, at=AT, subject="key:a", role="item")
    an_act(system)
    system.sequencer().run_once()
    counts = [read_envelope((entry.envelope or "").encode()).keys for entry in entries(system)]
    assert counts == [0, 0, 1]


# --- the files follow the store ---------------------------------------------------------------------------------------


def test_a_stop_between_store_and_files_is_made_up_for(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    an_act(system)
    system.sequencer().run_once()
    write = Shelf._write
    for cut in ("tile/entries/000.p/2", "tile/0/000.p/3", "checkpoint"):
        an_act(system)

        def stops(self: Shelf, path: str, data: bytes, cut: str = cut) -> None:
            if path == cut:
                raise KeyboardInterrupt
            write(self, path, data)

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(Shelf, "_write", stops)
            system.sequencer().run_once()
    assert published(system).size == 1, "nobody saw a checkpoint whose tiles were not there"
    system.sequencer().run_once()
    seen = published(system)
    assert seen.size == 4
    assert merkle.root(merkle.leaf_hashes(from_files(system, 4))) == seen.root
    assert system.shelf.read("tile/entries/000.p/2") is not None, "of each checkpoint in between, too"


def test_a_full_disk_keeps_what_was_sealed_and_goes_on_later(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    an_act(system)

    def full(*_arguments: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("lotseal.trace.log.shelf.os.fsync", full)
        with pytest.raises(Unavailable) as refused:
            system.sequencer().run_once()
    assert rules(refused) == [(None, "log.store")]
    assert system.sequencer().run_once() == 0
    assert published(system).size == 1


@pytest.fixture
def old_copy(sqlite_system: System, tmp_path: Path) -> Path:
    """A backup of the store, made after one entry was published."""
    an_act(sqlite_system)
    sqlite_system.sequencer().run_once()
    copy = tmp_path / "copy.db"
    with sqlite3.connect(sqlite_system.settings.data / "lotseal.db") as store, sqlite3.connect(copy) as target:
        store.backup(target)
    return copy


def test_a_store_from_an_old_backup_is_not_sealed_again(sqlite_system: System, old_copy: Path, tmp_path: Path) -> None:
    an_act(sqlite_system)
    sqlite_system.sequencer().run_once()
    # A folder of its own: nothing that still has the newer store open can write into the old one.
    folder = tmp_path / "restored"
    shutil.copytree(sqlite_system.settings.data, folder, ignore=shutil.ignore_patterns("lotseal.db*"))
    folder.chmod(0o700)
    shutil.copy(old_copy, folder / "lotseal.db")
    restored = replace(open_system(settings_of(folder)), ring=sqlite_system.ring)
    an_act(restored, "link:other")
    with pytest.raises(Unavailable) as refused:
        restored.sequencer().run_once()
    assert rules(refused) == [(None, "log.rolled-back")]
    assert published(restored).size == 2
    restored.close()


def test_a_store_with_another_history_is_not_sealed_either(system: System) -> None:
    an_act(system)
    system.sequencer().run_once()
    file = system.settings.log_folder / "checkpoint"
    note = file.read_text().split("\n")
    note[2] = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    file.write_text("\n".join(note))
    an_act(system)
    with pytest.raises(Unavailable) as refused:
        system.sequencer().run_once()
    assert rules(refused) == [(None, "log.fork")]


def test_a_locked_log_key_lets_entries_wait_and_loses_none(system: System) -> None:
    an_act(system)
    locked = Sequencer(system.main, system.shelf, "t.example.cn/log", _locked)
    with pytest.raises(Unavailable):
        locked.run_once()
    with system.main.read() as session:
        assert reading.waiting(session) == 1
    assert system.sequencer().run_once() == 1


def _locked(_session: object, _at: object) -> object:
    raise Unavailable


# --- nothing is changed afterwards ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        update(AuditAct).values(by_name="Nobody"),
        delete(AuditAct),
        update(LogEntry).values(content="{}"),
        update(LogEntry).values(envelope="{}"),
        update(LogEntry).values(index=None),
        update(LogEntry).values(actor="{}"),
        delete(LogEntry),
        update(LogCheckpoint).values(note=""),
        delete(LogCheckpoint),
    ],
    ids=str,
)
def test_the_store_itself_refuses_to_rewrite_the_log(system: System, statement: object) -> None:
    an_act(system)
    system.sequencer().run_once()
    with pytest.raises(DatabaseError, match="is never"), system.main.write() as session:
        session.execute(statement)  # type: ignore[call-overload]  # any statement


def test_who_acted_can_be_erased_and_the_log_stays_sound(system: System) -> None:
    an_act(system)
    system.sequencer().run_once()
    with system.main.write() as session:
        session.execute(update(LogEntry).values(actor=None))
    an_act(system)
    system.sequencer().run_once()
    assert published(system).size == 2
    assert [entry.actor is None for entry in entries(system)] == [True, False]


# --- since when ------------------------------------------------------------------------------------------------------


def test_before_any_witness_the_time_is_the_operators_own(system: System) -> None:
    an_act(system)
    system.sequencer().run_once()
    with system.main.read() as session:
        seen = reading.seen(session, 0)
        assert seen is not None
        assert (seen.size, seen.witnesses, seen.authorities) == (1, 0, 0)
        assert seen.at <= clock.now()
        assert reading.seen(session, 1) is None
