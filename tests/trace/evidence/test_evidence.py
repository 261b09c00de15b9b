"""What an auditor takes along holds; and whatever an operator changes in the store afterwards is named."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import makers
import pytest
from authority import Authority as Clockmaker
from cryptography.hazmat.primitives.serialization import Encoding
from log_makers import Signer
from makers import AT, RECALL, Clock, a_batch, a_certificate, acts, issue_credentials, rules, run_job
from serving import served
from sqlalchemy import select, text
from stamps import Authority

from lotseal.signing import timestamp
from lotseal.signing.checkpoint import Checkpoint
from lotseal.signing.cosignature import cosign
from lotseal.signing.keys import Role
from lotseal.signing.notes import Note
from lotseal.signing.verify import Report, check, read_zip
from lotseal.signing.vkeys import Algorithm
from lotseal.trace import log
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch
from lotseal.trace.certificates import service as certificates
from lotseal.trace.certificates.models import Certificate
from lotseal.trace.errors import Conflict, NotFound, Unavailable
from lotseal.trace.evidence import service
from lotseal.trace.files.service import TakenIn
from lotseal.trace.items import service as items
from lotseal.trace.items.models import Item
from lotseal.trace.keys import service as keys
from lotseal.trace.log.models import LogCheckpoint, LogCosignature, LogTimestamp
from lotseal.trace.outside import service as outside
from lotseal.trace.releases import service as releases
from lotseal.trace.system import System

WITNESS = Signer("witness.example/w1", Algorithm.COSIGNATURE_V1)
# What the operator does to rows is no matter of the database; the sound bundles are taken from both.
on_sqlite = pytest.mark.parametrize("system", ["sqlite"], indirect=True)
OTHER = Signer("witness.example/w2", Algorithm.COSIGNATURE_V1)


@pytest.fixture(autouse=True)
def stopped(time: Clock) -> Clock:
    return time


@pytest.fixture
def shop(system: System) -> System:
    """A system whose key history is in its log, which the keys of the tests are not."""
    with system.main.write() as session:
        for key in keys.all_of(session):
            facts = {"role": key.role, "kid": key.kid, "alg": key.algorithm, "jwk": key.public_jwk}
            log.record(session, log.Act.KEY_ADD, by=OPERATOR, at=AT, subject=f"key:{key.kid}", **facts)
    return system


def a_file(system: System, text: str) -> TakenIn:
    """A report that is in the storage too."""
    data = f"%PDF-1.7 {text}".encode()
    stored = system.storage.put(data)
    return TakenIn(stored.sha256, len(data), "pdf", "report.pdf", 1, True, [])


@pytest.fixture
def batch(shop: System) -> Batch:
    """On sale with an accepted and a rejected report, credentials, and a run of three signed codes."""
    with shop.main.write() as session:
        made = a_batch(session)
        a_certificate(session, made, file=a_file(shop, "one"))
        rejected = a_certificate(session, made, file=a_file(shop, "two"), accepted=False)
        certificates.reject(session, rejected, {"reason": "expired"}, by=OPERATOR, at=AT)
        releases.release(session, made, shop.ring, by=OPERATOR, at=AT)
    issue_credentials(shop)
    makers.codes(shop, made, 3, "B")
    return made


def take(system: System, kind: Any, ref: str) -> bytes:
    """The bundle, once the log is sealed."""
    system.sequencer().run_once()
    with system.main.read() as session:
        return service.of_any(system.evidence(session), service.find(session, kind, ref, account=None)).data


def checked(system: System, data: bytes, *witnesses: Signer, tsa_root: bytes | None = None) -> Report:
    """By an auditor who kept the log's key and asks these witnesses."""
    with system.main.read() as session:
        policy = system.log_policy(session).replace("quorum none\n", "")
    lines = [f"witness {place} {one.key}" for place, one in enumerate(witnesses)]
    names = " ".join(str(place) for place in range(len(witnesses)))
    quorum = [f"group us all {names}", "quorum us"] if witnesses else ["quorum none"]
    return check(data, (policy + "\n".join([*lines, *quorum, ""])).encode(), tsa_root)


def ended(report: Report) -> tuple[int, str]:
    return report.exit, (report.refused or {"rule": ""})["rule"]


def serials(system: System, batch: Batch) -> list[str]:
    with system.main.read() as session:
        return list(session.scalars(select(Item.serial).where(Item.batch_id == batch.id).order_by(Item.id)))


def sql(system: System, statement: str) -> None:
    """The operator goes around the service, with every right on the store."""
    with system.main.write() as session:
        session.execute(text(statement))


# --- sound ------------------------------------------------------------------------------------------------------------


def test_a_batch_is_proven_with_all_that_belongs_to_it(shop: System, batch: Batch) -> None:
    data = take(shop, "batch", batch.ref)
    report = checked(shop, data)
    assert ended(report) == (0, "")
    proven = {one["rule"] for one in report.facts}
    assert {"file.hash", "release.signature", "credential.signature", "status.edition", "chain.complete"} <= proven
    members = read_zip(data)
    assert len([name for name in members if name.startswith("files/")]) == 2
    assert len([name for name in members if name.startswith("credentials/")]) == 2
    assert len([name for name in members if name.startswith("facts/")]) == 2
    assert {"README.txt", "verify.py", "verify.html", "policy", "records/release.sig"} <= members.keys()
    assert not [name for name in members if name.startswith("actors/")], "who acted is personal and stays here"


def test_a_report_is_proven_with_its_own_file_only(shop: System, batch: Batch) -> None:
    with shop.main.read() as session:
        ref = session.scalars(select(Certificate.ref).order_by(Certificate.id)).first() or ""
    data = take(shop, "certificate", ref)
    assert ended(checked(shop, data)) == (0, "")
    assert len([name for name in read_zip(data) if name.startswith("files/")]) == 1


@pytest.mark.parametrize("tier", ["A", "B"])
def test_each_code_is_proven_in_its_run(shop: System, batch: Batch, tier: str) -> None:
    makers.codes(shop, batch, 2, tier)
    for serial in serials(shop, batch):
        report = checked(shop, take(shop, "item", serial))
        assert ended(report) == (0, "")
        assert {"rule": "item.state", "fact": f"{serial}: issued"} in report.facts


def test_a_voided_code_a_withdrawal_and_a_recall_are_told(shop: System, batch: Batch) -> None:
    serial = serials(shop, batch)[1]
    with shop.main.write() as session:
        items.void(session, items.get_item(session, serial), "roll lost", by=OPERATOR, at=AT)
        report = session.scalars(select(Certificate).where(Certificate.status == "accepted")).one()
        certificates.withdraw(session, report, "wrong sample", by=OPERATOR, at=AT)
        batches.recall(session, session.get_one(Batch, batch.id), RECALL, by=OPERATOR, at=AT)
    issue_credentials(shop)
    report = checked(shop, take(shop, "item", serial))
    assert ended(report) == (0, "")
    facts = str(report.facts)
    assert f"{serial}: void" in facts
    assert "«recalled»" in facts
    assert facts.count("revoked by entry") == 2


def test_keys_that_were_rotated_while_all_this_was_made_prove_it_still(shop: System, batch: Batch) -> None:
    with shop.main.write() as session:
        for role in (Role.ITEM, Role.CREDENTIAL, Role.STATUS, Role.LOG):
            keys.rotate(session, shop.ring, role, by=OPERATOR, at=AT)
        second = a_batch(session, batch.product, lot="SECOND")
        a_certificate(session, second, file=a_file(shop, "three"))
        releases.release(session, second, shop.ring, by=OPERATOR, at=AT)
    issue_credentials(shop)
    makers.codes(shop, second, 1, "B")
    for ref in (batch.ref, second.ref):
        assert ended(checked(shop, take(shop, "batch", ref))) == (0, "")
    for one in (batch, second):
        assert ended(checked(shop, take(shop, "item", serials(shop, one)[0]))) == (0, "")


def test_the_same_records_give_the_same_bytes_while_the_log_grows(shop: System, batch: Batch) -> None:
    before = take(shop, "batch", batch.ref)
    with shop.main.write() as session:
        makers.a_supplier(session)
    assert take(shop, "batch", batch.ref) == before


def test_a_checkpoint_that_others_have_seen_is_taken(
    shop: System, batch: Batch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    take(shop, "batch", batch.ref)
    with shop.main.write() as session:
        makers.a_supplier(session)
    shop.sequencer().run_once()
    with shop.main.write() as session:
        newest = session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.size.desc())).first()
        assert newest is not None
        point = Checkpoint.parse(Note.parse(newest.note.encode()).text)
        second = int((AT + timedelta(hours=1)).timestamp())
        line = cosign(point, WITNESS.key, WITNESS.sign, second).line.rstrip("\n")
        session.add(LogCosignature(size=newest.size, witness=WITNESS.key.name, line=line, at=AT))
        # As the job does: what is kept is the token inside the response.
        request = timestamp.make_request(point.text.encode())
        roots = timestamp.parse_roots(authority.root)
        kept = timestamp.verify_response(authority.answer(request.der), request, point.text.encode(), roots)
        session.add(LogTimestamp(size=newest.size, authority="tsa.example", token=kept.token, at=kept.at))
    data = take(shop, "batch", batch.ref)
    report = checked(shop, data, WITNESS, tsa_root=authority.root)
    assert ended(report) == (0, "")
    assert report.about["checkpoint_size"] == newest.size
    assert {"cosignature.signature", "timestamp.signature"} <= {one["rule"] for one in report.facts}
    assert ended(checked(shop, data, WITNESS, OTHER)) == (2, "policy.quorum")


@on_sqlite
def test_the_stamps_of_all_authorities_come_along(
    shop: System, batch: Batch, tmp_path: Path, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers_of_time = Clockmaker(common="One"), Clockmaker(common="Two")
    pem = [one.root.public_bytes(Encoding.PEM) for one in makers_of_time]
    (tmp_path / "roots.pem").write_bytes(b"".join(pem))
    shop.sequencer().run_once()
    with served(makers_of_time[0].app) as one, served(makers_of_time[1].app) as two:
        asked = tuple(outside.Authority(url, tmp_path / "roots.pem") for url in (one, two))
        monkeypatch.setattr(System, "authorities", lambda _system: asked)
        with shop.main.write() as session:
            outside.order_stamp(session, asked, at=time.at)
        run_job(shop, at=time.at)
    data = take(shop, "batch", batch.ref)
    assert sorted(name for name in read_zip(data) if name.startswith("timestamps/")) == [
        "timestamps/1.tsr",
        "timestamps/2.tsr",
    ]
    for roots, pinned in ((b"".join(pem), 2), (pem[0], 1), (pem[1], 1)):
        report = checked(shop, data, tsa_root=roots)
        assert ended(report) == (0, "")
        told = [one["fact"] for one in report.facts if one["rule"] == "timestamp.signature"]
        assert (len(told), str(told).count("pinned by you")) == (2, pinned)


# --- refused ----------------------------------------------------------------------------------------------------------


@on_sqlite
def test_what_waits_for_its_seal_is_not_half_proven(shop: System, batch: Batch) -> None:
    with shop.main.read() as session, pytest.raises(Conflict) as refused:
        service.of_batch(shop.evidence(session), session.get_one(Batch, batch.id))
    assert rules(refused) == [(None, "evidence.waiting")]


@on_sqlite
def test_a_sealed_log_whose_files_are_gone_is_told(shop: System, batch: Batch) -> None:
    take(shop, "batch", batch.ref)
    for path in (shop.settings.log_folder / "tile").rglob("*"):
        if path.is_file():
            path.unlink()
    with shop.main.read() as session, pytest.raises(Unavailable) as refused:
        service.of_batch(shop.evidence(session), session.get_one(Batch, batch.id))
    assert rules(refused) == [(None, "evidence.log")]


@on_sqlite
def test_a_code_of_an_unfinished_run_is_not_bound_yet(shop: System, batch: Batch) -> None:
    serial = serials(shop, batch)[0]
    sql(shop, "UPDATE code_run SET root = NULL")
    with pytest.raises(Conflict) as refused:
        take(shop, "item", serial)
    assert rules(refused) == [(None, "evidence.run-unfinished")]


@on_sqlite
def test_a_supplier_finds_its_own_only(shop: System, batch: Batch) -> None:
    serial = serials(shop, batch)[0]
    with shop.main.write() as session:
        dana = makers.dana(session, makers.a_supplier(session))
        chen = makers.chen(session, batch.supplier)
        for kind, ref in (("batch", batch.ref), ("item", serial)):
            assert service.find(session, kind, ref, account=chen)  # type: ignore[arg-type]  # one of the kinds
            with pytest.raises(NotFound):
                service.find(session, kind, ref, account=dana)  # type: ignore[arg-type]  # the same


@on_sqlite
def test_taking_a_bundle_along_is_an_act(shop: System, batch: Batch) -> None:
    shop.sequencer().run_once()
    with shop.main.write() as session:
        made = service.of_batch(shop.evidence(session), session.get_one(Batch, batch.id))
        service.exported(session, made, by=makers.erik(session), at=AT)
        assert acts(session)[-1] == "bundle:export"


# --- an operator who goes around the service --------------------------------------------------------------------------


@on_sqlite
def test_an_edited_release_and_a_swapped_file_are_named(shop: System, batch: Batch) -> None:
    sql(shop, "UPDATE release SET document = replace(document, '大红袍', '肉桂')")
    assert ended(checked(shop, take(shop, "batch", batch.ref))) == (1, "release.hash")


@on_sqlite
def test_a_release_that_was_deleted_is_named(shop: System, batch: Batch) -> None:
    sql(shop, "DELETE FROM release")
    assert ended(checked(shop, take(shop, "batch", batch.ref))) == (1, "release.missing")


@on_sqlite
def test_a_file_that_was_exchanged_or_removed_is_named(shop: System, batch: Batch) -> None:
    data = take(shop, "batch", batch.ref)
    name = next(name for name in read_zip(data) if name.startswith("files/"))
    path = shop.storage.path(name.removeprefix("files/"))
    path.chmod(0o600)
    path.write_bytes(b"%PDF-1.7 another report")
    assert ended(checked(shop, take(shop, "batch", batch.ref))) == (1, "file.hash")
    path.unlink()
    assert ended(checked(shop, take(shop, "batch", batch.ref))) == (1, "file.missing")


@on_sqlite
def test_a_status_list_that_is_taken_back_is_named(shop: System, batch: Batch) -> None:
    with shop.main.read() as session:
        before = session.execute(text("SELECT jwt FROM status_list")).scalar_one()
    with shop.main.write() as session:
        batches.recall(session, session.get_one(Batch, batch.id), RECALL, by=OPERATOR, at=AT)
    issue_credentials(shop)
    assert ended(checked(shop, take(shop, "batch", batch.ref))) == (0, "")
    with shop.main.write() as session:
        session.execute(text("UPDATE status_list SET jwt = :before"), {"before": before})
    assert ended(checked(shop, take(shop, "batch", batch.ref))) == (1, "status.edition")


@on_sqlite
def test_a_code_that_was_put_in_moved_or_revived_is_named(shop: System, batch: Batch) -> None:
    first, second, third = serials(shop, batch)
    with shop.main.write() as session:
        items.void(session, items.get_item(session, second), "roll lost", by=OPERATOR, at=AT)
    sql(shop, "UPDATE item SET voided_at = NULL, void_reason = NULL, voided_by = NULL")
    assert ended(checked(shop, take(shop, "item", second))) == (1, "item.state")
    forged = "2" * 20
    sql(shop, f"UPDATE item SET serial = '{forged}' WHERE serial = '{third}'")
    assert ended(checked(shop, take(shop, "item", forged))) == (1, "item.root")
    assert ended(checked(shop, take(shop, "item", first))) == (1, "item.root"), "the run is not the one that was bound"


@on_sqlite
def test_a_log_entry_that_was_rewritten_in_the_store_is_named(shop: System, batch: Batch) -> None:
    """Triggers refuse it; an operator takes them away first."""
    take(shop, "batch", batch.ref)
    drop = "DROP TRIGGER log_entry_keeps" + (" ON log_entry" if shop.main.dialect != "sqlite" else "")
    sql(shop, drop)
    sql(
        shop,
        "UPDATE log_entry SET content = replace(content, 'expired', 'unreadable') WHERE act = 'certificate:reject'",
    )
    assert ended(checked(shop, take(shop, "batch", batch.ref))) == (1, "entry.content")
    with shop.main.read() as session:
        old = session.execute(text("SELECT envelope FROM log_entry WHERE act = 'certificate:reject'")).scalar_one()
    changed = json.dumps({**json.loads(old), "time": "2026-01-01T00:00:00.000000Z"}, separators=(",", ":"))
    sql(shop, f"UPDATE log_entry SET envelope = '{changed}' WHERE act = 'certificate:reject'".replace(":", "\\:"))
    assert checked(shop, take(shop, "batch", batch.ref)).exit == 1
