from __future__ import annotations

import fcntl
import json
import os
import re
import stat
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from lotseal.signing.item import normalise_typed_serial
from lotseal.signing.notes import Note
from lotseal.signing.tlog_policy import Policy
from lotseal.signing.verify import LATE, read_zip
from lotseal.trace import clock, demo, settings
from lotseal.trace.accounts import service as accounts
from lotseal.trace.accounts.models import Account
from lotseal.trace.audit import service as audit
from lotseal.trace.batches.models import Batch, BatchCorrection, BatchState, RecallNotice, StateChange
from lotseal.trace.certificates.models import Certificate, Outcome, ResultLine, Status
from lotseal.trace.certificates.signatures import Standing, standing
from lotseal.trace.codes.gtin import check_digit
from lotseal.trace.credentials.models import Credential
from lotseal.trace.demo import DemoFacts, folder, formula, tea, witness_port
from lotseal.trace.demo.aftermath import KEPT_AWAY
from lotseal.trace.demo.codes import TYPED_WITH_MISTAKE, read_link
from lotseal.trace.errors import Conflict, Unavailable
from lotseal.trace.evidence import service as evidence
from lotseal.trace.items.models import Item
from lotseal.trace.jobs.models import Job
from lotseal.trace.keys.models import SigningKey
from lotseal.trace.labels.models import LabelSheet
from lotseal.trace.labs.models import Laboratory, PinnedRoot
from lotseal.trace.log import reading
from lotseal.trace.log.models import AuditAct, LogEntry
from lotseal.trace.log.service import UNLOGGED
from lotseal.trace.passport import service as passport
from lotseal.trace.passport.model import Passport, State
from lotseal.trace.passport.service import Asked
from lotseal.trace.products.models import Product
from lotseal.trace.releases.models import Release
from lotseal.trace.scans import service as scans
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System

EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
STRANGER = scans.visitor(b"test", cookie="stranger", network="somewhere", day="2026-11-22")


def ask(system: System, asked: Asked) -> Passport:
    return passport.look_up(system.desk, asked, STRANGER, at=clock.now(), count=False)


def link(built: DemoFacts, state: str) -> Asked:
    return read_link(next(code.url for code in built.codes if code.state == state))


# --- ready links ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_there_is_a_ready_link_for_every_verdict_and_it_gives_that_verdict(
    built: DemoFacts, system: System, state: State
) -> None:
    urls = [code.url for code in built.codes if code.state == state.value]

    assert urls
    assert {ask(system, read_link(url)).state for url in urls} == {state}


def test_a_link_starts_with_the_address_of_the_service_in_lower_case(built: DemoFacts) -> None:
    assert all(code.url.startswith("http://127.0.0.1:8123/") for code in built.codes)


def test_the_serial_of_a_link_stands_in_its_path(built: DemoFacts) -> None:
    scanned = [code for code in built.codes if code.state != TYPED_WITH_MISTAKE]

    assert [read_link(code.url).serial for code in scanned] == [code.serial for code in scanned]


def test_a_forged_signature_and_a_forged_tag_are_both_shown(built: DemoFacts) -> None:
    forged = [read_link(code.url) for code in built.codes if code.state == State.BAD_SIGNATURE]

    assert [asked.signature is not None for asked in forged] == [True, False]


def test_the_typed_serial_has_a_mistake_and_means_an_issued_code(built: DemoFacts, system: System) -> None:
    code = next(code for code in built.codes if code.state == TYPED_WITH_MISTAKE)
    typed = parse_qs(urlsplit(code.url).query)["serial"][0]

    assert urlsplit(code.url).path == "/find"
    assert typed.upper().replace("-", "") != code.serial
    assert normalise_typed_serial(typed) == code.serial
    assert ask(system, Asked(tea.GTIN, None, code.serial)).state is State.OK_FIRST


def test_the_code_seen_before_was_seen_by_three_others_in_the_past(built: DemoFacts, system: System) -> None:
    history = ask(system, link(built, "ok-again")).history

    assert history is not None
    assert history.others == 3
    assert history.first_at is not None
    assert history.first_at < clock.now()


def test_the_key_that_is_kept_away_concerns_its_own_codes_only(built: DemoFacts, system: System) -> None:
    """A mistyped tag of any other lot is still told from a code that cannot be verified now."""
    for state in (State.OK_FIRST, State.NOT_RELEASED, State.EXPIRED):
        asked = link(built, state)
        assert asked.serial is not None
        wrong = asked.serial[:-1] + ("2" if asked.serial[-1] != "2" else "3")
        assert ask(system, replace(asked, serial=wrong, signature=None)).state is State.BAD_SIGNATURE
        # Without the lot every run of the product counts; the lost key made none of these products' codes.
        assert ask(system, Asked(asked.gtin, None, wrong)).state is State.BAD_SIGNATURE


def test_the_key_that_is_kept_away_is_an_old_one_and_can_be_put_back(built: DemoFacts, system: System) -> None:
    (kept,) = (built.data / KEPT_AWAY).glob("*.secret")
    with system.main.read() as session:
        key = session.scalars(select(SigningKey).where(SigningKey.kid == kept.stem)).one()

    assert key.retired_at is not None
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_batches_cover_every_state(built: DemoFacts) -> None:
    assert {batch.state for batch in built.batches} == {state.value for state in BatchState}
    assert len(built.batches) == 12
    assert {batch.lot: batch.state for batch in built.batches}["IF20261105"] == "awaiting-tests"


def test_told_batches_are_those_in_the_store(built: DemoFacts, system: System) -> None:
    with system.main.read() as session:
        stored = {(batch.product.gtin, batch.lot, batch.state) for batch in session.scalars(select(Batch))}

    assert {(batch.gtin, batch.lot, batch.state) for batch in built.batches} == stored


def test_every_gtin_is_of_the_demonstration_prefix_with_a_right_check_digit(system: System) -> None:
    with system.main.read() as session:
        gtins = list(session.scalars(select(Product.gtin)))

    assert len(gtins) == 5
    assert all(gtin.startswith("0952") and check_digit(gtin[:-1]) == gtin[-1] for gtin in gtins)


def test_everyone_and_everything_says_that_it_is_a_demo(system: System) -> None:
    with system.main.read() as session:
        names = [
            *session.scalars(select(Supplier.name_zh)),
            *session.scalars(select(Product.name_zh)),
            *session.scalars(select(Certificate.laboratory)),
        ]
        english = [*session.scalars(select(Supplier.name_en)), *session.scalars(select(Product.name_en))]
        numbers = list(session.scalars(select(Certificate.accreditation)))

    assert all("（演示）" in name for name in names)
    assert all("(demo)" in name for name in english)
    assert all("DEMO" in number for number in numbers)


def test_one_supplier_is_suspended_and_says_why(system: System) -> None:
    with system.main.read() as session:
        suspended = [supplier for supplier in session.scalars(select(Supplier)) if supplier.suspended]

    assert [bool(supplier.suspended_reason) for supplier in suspended] == [True]


def test_the_review_queue_has_work_and_a_rejected_report_came_back_as_version_two(system: System) -> None:
    with system.main.read() as session:
        status = Counter(session.scalars(select(Certificate.status)))
        second = session.scalars(select(Certificate).where(Certificate.version == 2)).one()
        first = session.get(Certificate, second.replaces_id)

    assert status[Status.SUBMITTED] >= 5
    assert first is not None
    assert (first.status, first.reason) == (Status.REJECTED, "laboratory-lapsed")
    assert (second.status, second.batch.lot) == (Status.SUBMITTED, formula.WAITING.lot)


def test_one_report_is_signed_by_its_laboratory_and_one_under_its_name_by_a_stranger(system: System) -> None:
    with system.main.read() as session:
        found = {report.number: standing(report) for report in session.scalars(select(Certificate))}
        signed = {number: word for number, word in found.items() if word is not Standing.NOT_SIGNED}
        assert signed == {"YX-2026-10-0417": Standing.LABORATORY, "YX-2026-11-0530": Standing.NOT_PINNED}
        pins = session.scalars(select(PinnedRoot)).all()
        assert [pin.laboratory.name_en for pin in pins] == ["Minjian Testing (demo)"]


def test_every_result_can_be_compared_with_its_limit(system: System) -> None:
    with system.main.read() as session:
        outcomes = set(session.scalars(select(ResultLine.outcome)))

    assert outcomes == {Outcome.PASS, Outcome.FAIL}


def test_there_are_enough_codes_and_none_is_younger_than_its_batch_state(system: System) -> None:
    with system.main.read() as session:
        count, newest = session.execute(select(func.count(Item.id), func.max(Item.issued_at))).one()

    assert 3_500 <= count <= 4_500
    assert newest < clock.now()


def test_a_label_sheet_is_ready_for_the_tea(system: System) -> None:
    with system.main.read() as session:
        sheet = session.scalars(select(LabelSheet)).one()
        assert sheet.run.batch.lot == tea.MAIN.lot
        assert sheet.sha256 is not None
        assert system.storage.path(sheet.sha256).read_bytes().startswith(b"%PDF-")


def test_a_released_batch_was_corrected_with_a_reason(system: System) -> None:
    with system.main.read() as session:
        correction = session.scalars(select(BatchCorrection)).one()
        batch = session.get(Batch, correction.batch_id)

    assert batch is not None
    assert batch.state == BatchState.RELEASED
    assert correction.field == "site"
    assert correction.reason
    assert correction.before != correction.after


@pytest.mark.parametrize(
    "softening", ["voluntar", "precaution", "abundance", "自愿", "谨慎起见", "以防万一", "可能存在"]
)
def test_the_recall_notice_does_not_soften(system: System, softening: str) -> None:
    with system.main.read() as session:
        notice = session.scalars(select(RecallNotice)).one()

    text = " ".join((notice.reason_zh, notice.reason_en, notice.remedy_zh, notice.remedy_en)).lower()
    assert softening not in text


def test_nothing_happened_in_the_future_and_every_batch_went_its_way_in_order(system: System) -> None:
    with system.main.read() as session:
        # What the worker does is told when its work is done, not in the order of the story.
        by_people = select(AuditAct.at).where(AuditAct.by_ref != accounts.SERVICE.ref)
        acts = list(session.scalars(by_people.order_by(AuditAct.id)))
        steps = list(session.execute(select(StateChange.batch_id, StateChange.at).order_by(StateChange.id)))
    told_late = 3  # runs taken out of use and the sheet, once the codes were there

    assert max(acts) < clock.now()
    assert acts[:-told_late] == sorted(acts[:-told_late])
    assert steps == sorted(steps, key=lambda step: step.at)


def test_words_that_promise_too_much_are_nowhere(built: DemoFacts, system: System) -> None:
    never = re.compile(r"正品|guarante|genuine|authentic|100 %|\bsafe\b", re.IGNORECASE)
    with system.main.read() as session:
        texts = [
            text
            for product in session.scalars(select(Product))
            for text in (product.after_sales_zh, product.after_sales_en)
        ]
        texts += [line.parameter for line in session.scalars(select(ResultLine))]

    assert [text for text in texts if never.search(text)] == []


def test_released_batches_and_accepted_reports_have_their_credentials_and_ended_ones_are_revoked(
    system: System,
) -> None:
    with system.main.read() as session:
        rows = session.scalars(select(Credential)).all()
        released = set(session.scalars(select(Release.batch_id)))
        accepted = set(session.scalars(select(Certificate.id).where(Certificate.status == "accepted")))
        waiting = session.scalars(select(Job).where(Job.state != "done")).all()
    assert waiting == []
    assert {row.batch_id for row in rows if row.kind == "passport"} == released
    assert accepted <= {row.certificate_id for row in rows if row.revoked_at is None}
    assert {row.reason for row in rows} == {"", "recalled"}


# --- accounts and secrets ---------------------------------------------------------------------------------------------


def test_every_record_of_the_demo_is_as_its_log_says(system: System) -> None:
    with system.main.read() as session:
        assert list(audit.check(session, system.shelf, system.storage)) == []
        assert session.scalar(select(func.count()).where(LogEntry.index.is_(None))) == 0


def leaves(value: object) -> Iterator[str]:
    """Every text within plain JSON."""
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, str):
        yield value


def personal(system: System) -> tuple[set[str], set[str]]:
    """What tells of a person wherever it stands, such as a name or whom to ask, and what does when it stands alone."""
    with system.main.read() as session:
        people = session.scalars(select(Account)).all()
        asked = set(session.scalars(select(Supplier.contact).where(Supplier.contact != "")))
        notes = set(session.scalars(select(Laboratory.note).where(Laboratory.note != "")))
    return {*asked, *notes, *(one.name for one in people), *(one.ref for one in people)}, {one.login for one in people}


def test_no_content_of_the_log_tells_of_a_person(system: System) -> None:
    names, logins = personal(system)
    told: Counter[str] = Counter()
    beside = ""
    with system.main.read() as session:
        for entry in session.scalars(select(LogEntry)):
            told[entry.act] += 1
            beside += entry.actor or ""
            texts = set(leaves(json.loads(entry.content)))
            found = [name for text in texts for name in names if name in text] + sorted(texts & logins)
            assert found == [], f"{entry.act} tells of a person"
            assert not any(EMAIL.search(text) for text in texts), f"{entry.act} holds an address of a person"
        logged = set(session.scalars(select(AuditAct.act).where(AuditAct.act.not_in(UNLOGGED))))
    assert set(told) == logged, "every act of the demo was looked at"
    assert all(asked in beside for asked in names if EMAIL.search(asked)), "whom to ask stands beside the actor"


def test_no_bundle_tells_of_a_person(system: System) -> None:
    names, logins = personal(system)
    with system.main.read() as session:
        bundles = [evidence.of_batch(system.evidence(session), batch) for batch in session.scalars(select(Batch))]
    assert len(bundles) >= 10
    for bundle in bundles:
        members = read_zip(bundle.data)
        assert any(name.startswith("contents/") for name in members)
        for name, data in members.items():
            if name.endswith((".json", ".jwt")):
                document = data if name.endswith(".json") else urlsafe_b64decode(data.split(b".")[1] + b"==")
                texts = set(leaves(json.loads(document)))
                assert not any(word in text for text in texts for word in names), (bundle.name, name)
                assert not texts & logins, (bundle.name, name)
                assert not any(EMAIL.search(text) for text in texts), (bundle.name, name)


def test_the_log_of_the_demo_has_the_name_of_its_witness(built: DemoFacts, system: System) -> None:
    with system.main.read() as session:
        policy = Policy.parse(system.log_policy(session).encode())
        seen = reading.seen(session, 0)
    note = Note.parse(system.shelf.read("checkpoint") or b"")
    assert [one.witness.key.name for one in policy.verify(note).cosigned] == ["demo-witness.example/w1"]
    assert seen is not None
    assert seen.witnesses == 1
    assert policy.quorum == "none", "a demo that is served without its witness is a sound one"
    assert witness_port(built.data) == 8124


def test_the_log_of_the_demo_tells_its_acts_in_the_order_of_their_times(system: System) -> None:
    """So that a bundle of the demo has no note of a back-dated entry, which looks like a trace of fraud."""
    with system.main.read() as session:
        entries = session.scalars(select(LogEntry).order_by(LogEntry.index)).all()
    newest = entries[0]
    for entry in entries:
        assert newest.at - entry.at <= LATE, (newest.act, entry.act)
        newest = max(newest, entry, key=lambda one: one.at)


def test_every_role_has_an_account_and_its_printed_password_opens_it(built: DemoFacts, system: System) -> None:
    roles = Counter(account.role for account in built.accounts)
    first = built.accounts[0]
    assert first.password is not None

    assert roles == {"admin": 1, "quality": 2, "supplier": 4, "auditor": 1}
    with system.main.read() as session:
        stored = session.scalars(select(Account).where(Account.login == first.login)).one()
        assert accounts._matches(stored.password_hash, first.password)


def test_no_password_stands_in_any_file(built: DemoFacts) -> None:
    passwords = [account.password.encode() for account in built.accounts if account.password]
    files = [path for path in built.data.rglob("*") if path.is_file()]

    assert len(set(passwords)) == 8
    assert [path.name for path in files if any(password in path.read_bytes() for password in passwords)] == []


def test_only_the_owner_may_read_it(built: DemoFacts) -> None:
    paths = list(built.data.rglob("*"))

    assert stat.S_IMODE(built.data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}


def test_no_file_holds_the_path_of_the_folder(built: DemoFacts) -> None:
    """The folder may be moved: it was built elsewhere itself."""
    told = (str(built.data).encode(), b".building-")

    assert [p.name for p in built.data.rglob("*") if p.is_file() and any(t in p.read_bytes() for t in told)] == []


def test_the_folder_alone_says_how_it_is_set(built: DemoFacts) -> None:
    found = settings.load({}, data=built.data)

    assert (found.mode, found.public_url) == ("demo", "http://127.0.0.1:8123")
    assert found.key_passphrase.get_secret_value() == (built.data / "passphrase").read_text().strip()


# --- second run -------------------------------------------------------------------------------------------------------


def test_a_second_run_tells_the_same_facts_without_passwords(built: DemoFacts) -> None:
    again = demo.load(built.data)

    assert again is not None
    assert again.codes == built.codes
    assert again.batches == built.batches
    assert again.accounts == tuple(replace(account, password=None) for account in built.accounts)


def test_the_facts_have_exactly_the_promised_form(built: DemoFacts) -> None:
    told = json.loads(json.dumps(built.as_json()))

    assert list(told) == ["codes", "accounts", "batches", "data"]
    assert {tuple(code) for code in told["codes"]} == {("state", "url", "serial")}
    assert {tuple(account) for account in told["accounts"]} == {("role", "login", "password")}
    assert {tuple(batch) for batch in told["batches"]} == {("gtin", "lot", "state")}
    assert told["data"] == str(built.data)


def test_building_over_a_finished_demo_is_refused_and_changes_nothing(built: DemoFacts) -> None:
    before = {path: path.stat().st_mtime_ns for path in built.data.rglob("*") if "scans" not in path.name}

    with pytest.raises(Conflict) as refused:
        demo.build(built.data)

    assert refused.value.problems[0].rule == "demo.exists"
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")

    with pytest.raises(Conflict) as refused:
        demo.build(tmp_path)

    assert refused.value.problems[0].rule == "demo.folder-used"
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_folder_without_a_marker_is_no_demo(tmp_path: Path) -> None:
    assert demo.load(tmp_path) is None
    assert demo.load(tmp_path / "missing") is None


def test_a_spoilt_marker_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{")

    with pytest.raises(Conflict) as refused:
        demo.load(tmp_path)

    assert refused.value.problems[0].rule == "demo.marker"


# --- all or nothing ---------------------------------------------------------------------------------------------------


class Stopped(BaseException):
    """Stands for Ctrl-C."""


def test_a_build_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    def stop(*_progress: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        demo.build(tmp_path / "data", on_progress=stop)

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_build_left_is_swept_away_but_not_what_another_one_works_on(tmp_path: Path) -> None:
    dead, busy = tmp_path / ".data.building-dead", tmp_path / ".data.building-busy"
    for place in (dead, busy):
        place.mkdir()
    lock = os.open(busy, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)

    with folder.growing(tmp_path / "data"):
        assert not dead.exists()
    os.close(lock)

    assert sorted(path.name for path in tmp_path.iterdir()) == [".data.building-busy", "data"]


def test_a_place_where_no_folder_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable) as refused:
        demo.build(tmp_path / "file" / "data")

    assert refused.value.problems[0].rule == "demo.folder"


def test_settings_of_the_environment_have_no_part_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo must not be written into somebody's real database. The build is stopped once it has opened its stores."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/real")
    seen: list[str] = []

    def stop(*_progress: object) -> None:
        seen.extend(path.name for path in tmp_path.glob(".data.building-*/*.db"))
        raise Stopped

    with pytest.raises(Stopped):
        demo.build(tmp_path / "data", on_progress=stop)

    assert {"lotseal.db", "scans.db"} <= set(seen)
