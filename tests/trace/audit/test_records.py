"""Records against the log: whoever may write anything into the store is named by the next check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from audit_store import Store
from makers import AT, BASE
from sqlalchemy import Column, Table, delete, insert, select, text, update
from sqlalchemy.orm import Session

from lotseal.signing import jws
from lotseal.signing.canonical import sha256_hex
from lotseal.signing.keys import Role
from lotseal.signing.status_list import empty
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.audit.replay import DOING
from lotseal.trace.credentials import shapes
from lotseal.trace.credentials.issuer import Issuer
from lotseal.trace.credentials.models import Credential, StatusList
from lotseal.trace.credentials.service import TYP
from lotseal.trace.db.base import Base, new_ref
from lotseal.trace.jobs import service as jobs
from lotseal.trace.jobs.models import JobKind
from lotseal.trace.keys import service as keys
from lotseal.trace.log import record
from lotseal.trace.log.models import LogEntry
from lotseal.trace.log.service import UNLOGGED, Act
from lotseal.trace.suppliers import service as suppliers

FREE: dict[str, dict[str, str]] = {
    "supplier": {},
    "category": {},
    "product": {},
    "former_gtin": {"ref": "nothing refers to it"},
    "batch": {},
    "batch_state_change": {"ref": "nothing refers to it"},
    "former_lot": {"ref": "nothing refers to it", "product_id": "follows from the batch"},
    "recall_notice": {"ref": "nothing refers to it"},
    "batch_correction": {"ref": "nothing refers to it"},
    "certificate": {},
    "result_line": {"position": "only the order counts: see the test of lines in another order"},
    "stored_file": {
        "ref": "nothing refers to it",
        "added_at": "the report tells when it came",
        "added_by": "the report tells who sent it",
        "signatures": "judged anew against the roots of today, from bytes that are bound: see `check-signatures`",
    },
    "release": {"ref": "nothing refers to it"},
    "code_run": {
        "job_id": "work that is done",
        "issued": "work that is done",
        "frontier": "work that is done",
    },
    "item": {},
    "laboratory": {},
    "laboratory_number": {},
    "laboratory_root": {},
    "credential": {},
    "status_list": {"ref": "nothing refers to it"},
    "signing_key": {"ref": "nothing refers to it", "token_uri": "where the private half lies"},
    "link": {},
    "link_host": {},
    "audit_act": {"ref": "nothing refers to it"},
    "log_entry": {},
    "log_checkpoint": {"at": "our own word, which pages call so"},
    "log_head": {"origin": "stands in every signed checkpoint"},
}
"""The tables that the log binds, with the columns that it does not bind and why."""


def columns() -> Iterator[tuple[str, str]]:
    for name, free in FREE.items():
        for column in Base.metadata.tables[name].columns:
            if column.name not in free and not (column.primary_key and name not in ("log_checkpoint",)):
                yield name, column.name


def drop_guards(session: Session) -> None:
    """What a database administrator can do to the triggers."""
    for table in ("audit_act", "log_entry", "log_checkpoint"):
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text(f"DROP TRIGGER {table}_keeps"))
            session.execute(text(f"DROP TRIGGER {table}_stays"))
        else:
            session.execute(text(f"DROP TRIGGER {table}_keeps ON {table}"))


def other_value(session: Session, column: Column[Any], value: Any) -> Any:
    """Another value that the column takes."""
    if column.foreign_keys:
        [key] = column.foreign_keys
        ids = session.scalars(select(key.column).where(key.column != value).order_by(key.column.desc())).all()
        taken = set(session.scalars(select(column))) if column.unique else set()
        return next(found for found in ids if found not in taken)
    if isinstance(value, datetime):
        return value + timedelta(seconds=1)
    if isinstance(value, bool):
        return not value
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, dict):
        return {**value, "x": "another"}
    if isinstance(value, list):
        return [{**value[0], "sha256": "0" * 64}, *value[1:]]
    if isinstance(value, str):
        return f"{'y' if value[0] != 'y' else 'z'}{value[1:]}" if value else "x"
    if value is None:
        return _for_nothing(column)
    return value + timedelta(days=1) if hasattr(value, "toordinal") else value + 1000


def _for_nothing(column: Column[Any]) -> Any:
    kind = column.type.python_type if column.type.python_type is not datetime else datetime
    return datetime.fromisoformat("2026-11-01T00:00:00+00:00") if kind is datetime else "x"


def edit(session: Session, table: Table, column: Column[Any]) -> None:
    """Change one value of one row, a telling one when there is any."""
    query = select(table).order_by(*table.primary_key.columns)
    rows = session.execute(query).mappings().all()
    row = next((row for row in rows if row[column] not in (None, "", b"", {}, [])), rows[0])
    key = [found == row[found] for found in table.primary_key.columns]
    session.execute(update(table).where(*key).values({column: other_value(session, column, row[column])}))


def test_a_store_that_went_through_every_act_is_as_its_log_says(story: Store) -> None:
    with story.system.main.read() as session:
        acts = set(session.scalars(select(LogEntry.act)))
        assert story.findings(session) == []
    assert acts == set(Act) - UNLOGGED


def test_every_logged_act_is_done_again() -> None:
    assert DOING.keys() == set(Act) - UNLOGGED


def edits() -> Iterator[tuple[str, str, str]]:
    """Every column in SQLite, one of each table in PostgreSQL: the comparison itself knows no database."""
    seen: set[str] = set()
    for table, column in columns():
        yield "sqlite", table, column
        if table not in seen:
            seen.add(table)
            yield "postgresql", table, column


@pytest.mark.parametrize(("story", "table", "column"), list(edits()), indirect=["story"])
def test_an_edit_of_a_column_is_named(story: Store, table: str, column: str) -> None:
    there = Base.metadata.tables[table]
    with story.undone() as session:
        drop_guards(session)
        edit(session, there, there.columns[column])
        found = story.findings(session)
    assert found, "nobody noticed"
    # The name of a thing stands in what hangs on it, too.
    assert len(found) < 10, found


# --- rows that come and go --------------------------------------------------------------------------------------------


def tables(*names: str) -> list[Table]:
    return [Base.metadata.tables[name] for name in names]


@pytest.mark.parametrize(
    "name",
    ["link", "link_host", "signing_key", "batch_state_change", "recall_notice", "batch_correction", "former_lot",
     "former_gtin", "result_line", "release", "item", "laboratory_number", "laboratory_root", "credential",
     "status_list", "audit_act", "log_checkpoint"],
)  # fmt: skip
def test_a_row_that_was_taken_out_is_named(story: Store, name: str) -> None:
    [table] = tables(name)
    with story.undone() as session:
        drop_guards(session)
        key = next(iter(table.primary_key.columns))
        logged = table.c.act.like("batch:%") if name == "audit_act" else key.is_not(None)
        row = session.scalar(select(key).where(logged).order_by(key.desc()).limit(1))
        session.execute(delete(table).where(key == row))
        found = story.findings(session)
    if name == "log_checkpoint":
        # The newest one is gone from the store; those before it, and all entries, are still right.
        assert found == []
        return
    # A release names the lot that its batch had then, and a status list the key that signed it.
    assert 1 <= len(found) <= (2 if name in ("former_lot", "signing_key") else 1), found


def copied(session: Session, table: Table, **changed: Any) -> Any:
    row = dict(session.execute(select(table).order_by(table.c.id)).mappings().all()[0])
    del row["id"]
    return {**row, **({"ref": new_ref()} if "ref" in row else {}), **changed}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("supplier", {}),
        ("category", {"code": "forged"}),
        ("product", {"gtin": "09521321999999"}),
        ("batch", {"lot": "FORGED"}),
        ("certificate", {}),
        ("link", {}),
        ("link_host", {"host": "evil.example"}),
        ("signing_key", {"kid": "x" * 43, "letter": None}),
        ("code_run", {}),
        ("item", {"serial": "X" * 20}),
        ("laboratory", {}),
        ("laboratory_number", {"number": "4711"}),
        ("laboratory_root", {}),
        ("credential", {"status_index": 7, "revoked_at": None, "certificate_id": None}),
        ("status_list", {"number": 9}),
        ("result_line", {"position": 9}),
        ("batch_correction", {}),
        ("audit_act", {"act": "batch:release"}),
    ],
)
def test_a_row_that_was_put_in_is_named(story: Store, name: str, changed: dict[str, Any]) -> None:
    [table] = tables(name)
    with story.undone() as session:
        session.execute(insert(table).values(copied(session, table, **changed)))
        found = story.findings(session)
    assert len(found) == 1, found


def test_a_batch_that_vanished_is_named_with_all_that_hung_on_it(story: Store) -> None:
    with story.undone() as session:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            session.execute(text("SET session_replication_role = replica"))
        ref = session.execute(text("SELECT ref FROM batch ORDER BY id LIMIT 1")).scalar()
        session.execute(text("DELETE FROM batch WHERE ref = :ref"), {"ref": ref})
        found = [(one.rule, one.subject) for one in story.findings(session)]
        session.rollback()
    assert ("record.missing", f"batch:{ref}") in found


def test_an_entry_that_was_taken_out_is_named(story: Store) -> None:
    with story.undone() as session:
        drop_guards(session)
        session.execute(text("DELETE FROM log_term"))
        session.execute(text("DELETE FROM log_entry WHERE log_index = 12"))
        first = story.findings(session)[0]
    assert (first.rule, first.subject) == ("entry.missing", "entry:12")


def test_two_reports_that_were_swapped_between_batches_are_both_named(story: Store) -> None:
    [table] = tables("certificate")
    with story.undone() as session:
        rows = session.execute(select(table.c.id, table.c.ref, table.c.batch_id).order_by(table.c.id)).all()
        one, two = rows[1], rows[2]
        for row, batch in ((one, two.batch_id), (two, one.batch_id)):
            session.execute(update(table).where(table.c.id == row.id).values(batch_id=batch))
        found = {(finding.subject, finding.field) for finding in story.findings(session)}
    assert found == {(f"certificate:{row.ref}", "batch") for row in (one, two)}


def test_result_lines_in_another_order_are_named(story: Store) -> None:
    [line] = tables("result_line")
    with story.undone() as session:
        two = session.scalar(select(line.c.certificate_id).where(line.c.position == 1))
        session.execute(update(line).where(line.c.certificate_id == two).values(position=1 - line.c.position))
        found = {one.field for one in story.findings(session)}
    assert found == {"lines-1.parameter", "lines-2.parameter"}


def test_codes_of_a_run_in_another_order_are_named(story: Store) -> None:
    [item] = tables("item")
    with story.undone() as session:
        one, two = session.execute(select(item).order_by(item.c.id).limit(4)).mappings().all()[2:]
        for row, serial in ((one, "A" * 20), (two, one["serial"]), (one, two["serial"])):
            other = two if row is one else one
            values = {"serial": serial, "signature": other["signature"]}
            session.execute(update(item).where(item.c.id == row["id"]).values(values))
        [found] = story.findings(session)
    assert (found.rule, found.field) == ("record.differs", "codes.root")


def test_a_code_that_was_added_late_is_named_by_the_number_of_codes(story: Store) -> None:
    [item] = tables("item")
    with story.undone() as session:
        session.execute(insert(item).values(copied(session, item, serial="Z" * 20)))
        [found] = story.findings(session)
    assert (found.field, found.logged, found.recorded) == ("codes", 5, 6)


def test_a_release_signed_anew_over_other_words_is_named(story: Store) -> None:
    [release] = tables("release")
    with story.undone() as session:
        row = session.execute(select(release)).mappings().first()
        assert row is not None
        document = json.dumps({**json.loads(row["document"]), "lot": "FORGED"})
        session.execute(update(release).where(release.c.id == row["id"]).values(document=document))
        [found] = story.findings(session)
    assert found.field == "release.document"


def test_an_order_of_codes_that_vanished_before_its_first_code_is_named(story: Store) -> None:
    [run] = tables("code_run")
    with story.undone() as session:
        ref = session.scalar(select(run.c.ref).where(run.c.root.is_(None)))
        session.execute(delete(run).where(run.c.ref == ref))
        [found] = story.findings(session)
    assert (found.rule, found.subject) == ("record.missing", f"run:{ref}")


def test_an_order_that_nobody_gave_is_named_while_its_job_runs(story: Store) -> None:
    [run] = tables("code_run")
    with story.undone() as session:
        row = dict(session.execute(select(run).where(run.c.root.is_(None))).mappings().one())
        forged = {**row, "ref": new_ref(), "count": 1_000}
        del forged["id"]
        session.execute(insert(run).values(forged))
        [found] = story.findings(session)
    assert (found.rule, found.subject) == ("record.unlogged", f"run:{forged['ref']}")


# --- what follows from other columns ----------------------------------------------------------------------------------


def test_a_report_that_was_cut_off_from_its_laboratory_is_named_unless_reports_are_about_to_find_theirs(
    story: Store,
) -> None:
    [certificate] = tables("certificate")
    with story.undone() as session:
        newest = session.scalar(select(certificate.c.ref).order_by(certificate.c.id.desc()).limit(1))
        session.execute(update(certificate).where(certificate.c.ref == newest).values(laboratory_id=None))
        [found] = story.findings(session)
        assert (found.rule, found.subject, found.field) == (
            "record.unsound", f"certificate:{newest}", "laboratory_id",
        )  # fmt: skip
        assert found.logged is not None
        assert found.recorded is None
        jobs.enqueue(session, JobKind.CHECK_SIGNATURES, {"laboratory": found.logged}, total=0, by=OPERATOR, at=AT)
        assert story.findings(session) == []


def published_anew(story: Store, session: Session, bits: bytes) -> None:
    """What the operator can do: another list, signed and logged as every edition is."""
    made = session.scalars(select(StatusList).order_by(StatusList.number)).first()
    assert made is not None
    signer = story.system.ring.signer(keys.current_pair(session, Role.STATUS))
    issuer = Issuer(BASE, ZoneInfo("Asia/Shanghai"))
    facts = shapes.status_list(issuer, made.number, made.seq + 1, bits, AT)
    made.bits, made.seq, made.at, made.kid = bits, made.seq + 1, AT, signer.kid
    made.jwt = jws.sign(signer, facts, kid=issuer.key_id(signer.kid), typ=TYP)
    made.sha256 = sha256_hex(made.jwt.encode())
    record(
        session, Act.STATUS_PUBLISH, by=OPERATOR, at=AT, subject=f"status-list:{made.number}",
        chain=f"status:{made.number}", jwt_sha256=made.sha256, list=made.number, seq=made.seq, kid=made.kid,
    )  # fmt: skip


def test_a_status_list_that_forgets_a_revocation_is_named_with_the_place(story: Store) -> None:
    with story.undone() as session:
        revoked = session.scalars(select(Credential.status_index).where(Credential.revoked_at.is_not(None))).all()
        published_anew(story, session, empty())
        [found] = story.findings(session)
    assert (found.rule, found.subject, found.field) == ("record.unsound", "status:1", "revoked")
    assert (found.logged, found.recorded) == (sorted(revoked), [])


def test_an_edition_of_a_status_list_out_of_turn_is_named(story: Store) -> None:
    with story.undone() as session:
        made = session.scalars(select(StatusList).order_by(StatusList.number)).first()
        assert made is not None
        published_anew(story, session, made.bits)
        made.seq += 1
        published_anew(story, session, made.bits)
        rules = {one.rule for one in story.findings(session)}
    assert "entry.unreadable" in rules


def test_an_erased_actor_is_no_difference(story: Store) -> None:
    with story.undone() as session:
        session.execute(update(LogEntry).values(actor=None))
        assert story.findings(session) == []


def test_a_personal_fact_is_held_against_the_log_until_it_is_erased(story: Store) -> None:
    with story.undone() as session:
        session.execute(text("UPDATE supplier SET contact = 'Mr Nobody' WHERE contact <> ''"))
        [found] = story.findings(session)
        assert (found.rule, found.field) == ("record.differs", "contact")
        assert (found.logged, found.recorded) == ("Ms Wei", "Mr Nobody")
        session.execute(update(LogEntry).where(LogEntry.act == "supplier:add").values(actor=None))
        assert [one.field for one in story.findings(session)] == ["contact"], "the change still tells of it"
        session.execute(update(LogEntry).where(LogEntry.act == "supplier:change").values(actor=None))
        assert story.findings(session) == []
        session.execute(text("UPDATE supplier SET country = 'NO' WHERE contact <> ''"))
        assert [one.field for one in story.findings(session)] == ["country"], "what is not personal stays bound"


def test_an_entry_that_still_tells_personal_facts_itself_is_read_as_ever(
    story: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from makers import a_supplier

    with story.undone() as session:
        monkeypatch.setattr(suppliers, "PRIVATE", ())
        supplier = a_supplier(session, contact="Ms Li")
        monkeypatch.undo()
        assert "Ms Li" in session.scalars(select(LogEntry.content).order_by(LogEntry.id.desc())).first()  # type: ignore[operator]  # it was just written
        assert story.findings(session) == []
        session.execute(text("UPDATE supplier SET contact = 'Mr Xu' WHERE ref = :ref"), {"ref": supplier.ref})
        [found] = story.findings(session)
    assert (found.field, found.logged, found.recorded) == ("contact", "Ms Li", "Mr Xu")


def test_an_actor_document_without_what_the_content_names_is_unreadable(story: Store) -> None:
    from makers import a_supplier

    with story.undone() as session:
        drop_guards(session)
        supplier = a_supplier(session, contact="Ms Li")
        entry = session.scalars(select(LogEntry).where(LogEntry.chain == f"supplier:{supplier.ref}")).one()
        document = json.loads(entry.actor or "")
        del document["private"]
        entry.actor = json.dumps(document)
        entry.actor_sha256 = sha256_hex(entry.actor.encode())
        unreadable = [one for one in story.findings(session) if one.rule == "entry.unreadable"]
        assert [one.subject for one in unreadable] == [f"supplier:{supplier.ref}"]


def test_what_waits_for_its_seal_counts_already(story: Store) -> None:
    from makers import a_supplier

    with story.undone() as session:
        supplier = a_supplier(session)
        session.flush()
        assert story.findings(session) == []
        session.execute(text("UPDATE supplier SET name_en = 'Forged' WHERE ref = :ref"), {"ref": supplier.ref})
        [found] = story.findings(session)
    assert (found.field, found.recorded) == ("name_en", "Forged")


@pytest.mark.parametrize("field", ["file_sha256", "file.page_images-2", "picture_original"])
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_file_that_is_not_the_logged_one_is_named(story: Store, field: str, how: str) -> None:
    words = {
        "file_sha256": b"second file",
        "file.page_images-2": b"second page 2",
        "picture_original": b"original picture",
    }
    path = story.system.storage.path(story.system.storage.put(words[field]).sha256)
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(words[field] + b".")
    with story.system.main.read() as session:
        found = story.findings(session)
    path.write_bytes(words[field])
    assert [(one.rule, one.field) for one in found] == [("file.differs", field)]


def test_tiles_that_hold_another_entry_are_named(story: Store) -> None:
    folder = story.system.settings.log_folder
    tile = max((folder / "tile/0").rglob("*.p/*"), key=lambda path: int(path.name))
    before = tile.read_bytes()
    tile.write_bytes(before[:32] + bytes(32) + before[64:])
    with story.system.main.read() as session:
        found = story.findings(session)
    tile.write_bytes(before)
    assert [(one.rule, one.subject, one.field) for one in found] == [("entry.differs", "entry:1", "envelope")]
