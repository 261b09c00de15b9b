"""Signed PDFs as laboratories and attackers send them. Every file is signed here with real keys, and judged in the real
child process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from makers import AT
from pikepdf import Array, Dictionary, Name, String
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields
from signers import (
    SERVER,
    SIGNED_AT,
    annotated,
    another_ones,
    appended,
    byte_range,
    covering_only,
    holder,
    laboratory,
    laboratory_root,
    report,
    sign,
    smuggled,
    stamped,
    stranger,
    stranger_root,
    tampered,
    time_authority,
)

from lotseal.trace.errors import Invalid
from lotseal.trace.files import bounds, inspect, signatures
from lotseal.trace.files.findings import Five, Purpose
from lotseal.trace.files.inspect import inspect_document
from lotseal.trace.files.signatures import Root, Signatures, State, from_plain, judge

Judge = Callable[..., Signatures]

RIGHT = {"integrity": "intact", "signature": "right", "trust": "pinned", "coverage": "file", "later": "nothing"}


@pytest.fixture
def judged(tmp_path: Path) -> Judge:
    """Judges bytes against the laboratory's root, or the roots that it is given."""

    def ask(data: bytes, *roots: Root) -> Signatures:
        path = tmp_path / "report.pdf"
        path.write_bytes(data)
        return judge(path, list(roots) or [laboratory_root().root], at=AT)

    return ask


@pytest.fixture(scope="session")
def good() -> bytes:
    return sign(report(), laboratory())


def test_a_report_that_its_laboratory_signed_has_all_five_facts(judged: Judge, good: bytes) -> None:
    found = judged(good)
    (one,) = found.signatures
    assert (found.state, found.revisions, found.judged_at) == (State.READ, 2, AT)
    assert one.five.words == RIGHT
    assert one.all_hold
    assert (one.field, one.signer) == ("Laboratory", "Minjian Testing · 闽检 Minjian")
    assert one.signed_at == SIGNED_AT
    assert one.certificate_sha256 == laboratory().sha256
    assert one.roots == (laboratory_root().sha256,)
    assert one.revision == 2


def test_a_report_without_a_signature_has_none(judged: Judge) -> None:
    assert judged(report()).state is State.NONE


def expired() -> bytes:
    return sign(report(), holder("Old", laboratory_root(), end=AT - timedelta(days=1)))


def early() -> bytes:
    return sign(report(), holder("Early", laboratory_root(), start=AT + timedelta(days=1)))


def for_servers() -> bytes:
    return sign(report(), holder("www.minjian.example", laboratory_root(), purposes=SERVER))


def same_name() -> bytes:
    """By an authority that only has the name of the pinned one."""
    return sign(report(), holder("Minjian Testing", holder("Minjian Root", authority=True)))


def by_no_authority() -> bytes:
    """The pinned certificate's holder is no authority; what it «issues» leads to nobody."""
    return sign(report(), holder("Deputy", laboratory()))


def seal_over_the_text() -> bytes:
    return sign(sign(report(), laboratory()), stranger(), name="Two", box=(50, 700, 400, 800))


def waiting_seal() -> bytes:
    """The laboratory signed a form with an empty visible field for somebody else, who then filled it."""
    writer = IncrementalPdfFileWriter(BytesIO(report()))
    fields.append_signature_field(writer, fields.SigFieldSpec("Two", box=(50, 700, 400, 800)))
    target = BytesIO()
    writer.write(target)
    return sign(sign(target.getvalue(), laboratory()), stranger(), name="Two", existing=True)


def against_the_fields_demand() -> bytes:
    """The field demands SHA-512. No fact of ours names that; pyHanko's general judgement knows."""
    demand = fields.SigSeedValueSpec(flags=fields.SigSeedValFlags.DIGEST_METHOD, digest_methods=["sha512"])
    writer = IncrementalPdfFileWriter(BytesIO(report()))
    fields.append_signature_field(writer, fields.SigFieldSpec("Laboratory", seed_value_dict=demand))
    target = BytesIO()
    writer.write(target)
    return sign(target.getvalue(), laboratory(), existing=True)


def swapped() -> bytes:
    return another_ones(sign(report("Lead 9.9 mg/kg"), laboratory()), sign(report(), laboratory()))


# What is wrong, and the facts that are not as they are in a good file.
NOT_THE_LABORATORYS: dict[str, tuple[Callable[[], bytes], dict[str, str]]] = {
    "unknown root": (lambda: sign(report(), stranger()), {"trust": "unknown-root"}),
    "same name, other key": (same_name, {"trust": "unknown-root"}),
    "self-signed": (lambda: sign(report(), holder("Minjian Testing")), {"trust": "self-signed"}),
    "issued by a signer": (by_no_authority, {"trust": "unproven"}),
    "expired": (expired, {"trust": "expired"}),
    "not yet valid": (early, {"trust": "not-yet-valid"}),
    "certificate of a server": (for_servers, {"trust": "purpose"}),
    "time in the future": (
        lambda: sign(report(), laboratory(), at=AT + timedelta(days=3)),
        {"trust": "claimed-time"},
    ),
    "time before the certificate": (
        lambda: sign(report(), laboratory(), at=AT - timedelta(days=300)),
        {"trust": "claimed-time"},
    ),
    "stamped by an unknown authority": (
        lambda: sign(report(), laboratory(), stamped_by=time_authority(stranger_root())),
        {"trust": "time-stamp"},
    ),
    "a demand of its field not met": (against_the_fields_demand, {"trust": "unproven"}),
    "one byte changed": (lambda: tampered(sign(report(), laboratory())), {"integrity": "changed"}),
    "signature of another report": (swapped, {"integrity": "changed"}),
    "page drawn over": (
        lambda: appended(sign(report(), laboratory())),
        {"coverage": "revision", "later": "changed"},
    ),
    "note laid over": (
        lambda: annotated(sign(report(), laboratory())),
        {"coverage": "revision", "later": "changed"},
    ),
    "page that no table names": (
        lambda: smuggled(sign(report(), laboratory()), line=b"\n"),
        {"coverage": "revision", "later": "changed"},
    ),
    "bytes behind the end": (
        lambda: sign(report(), laboratory()) + b"hidden\n",
        {"coverage": "revision", "later": "changed"},
    ),
    "end left out": (
        lambda: covering_only(sign(report(), laboratory()), laboratory(), tail=12),
        {"coverage": "part", "later": "changed"},
    ),
    "hole before the signature": (
        lambda: covering_only(sign(report(), laboratory()), laboratory(), before=30),
        {"coverage": "part", "later": "changed"},
    ),
    "seal laid over the text": (seal_over_the_text, {"coverage": "revision", "later": "seen-signature"}),
    "waiting field filled by a stranger": (waiting_seal, {"coverage": "revision", "later": "seen-signature"}),
}


@pytest.mark.parametrize("what", NOT_THE_LABORATORYS)
def test_what_is_wrong_with_a_signature_is_told_by_its_own_fact(what: str, judged: Judge) -> None:
    make, differs = NOT_THE_LABORATORYS[what]
    first = judged(make()).signatures[0]
    assert first.five.words == RIGHT | differs
    assert not first.all_hold
    assert (first.roots == ()) == (first.five.words["trust"] != "pinned")


def test_a_wrong_signature_is_not_followed_to_any_root(judged: Judge, good: bytes) -> None:
    """The value of the signature stands last in its place, before the zeros that fill it up; one digit is changed."""
    _zero, gap, rest, _length = byte_range(good)
    place = gap + len(good[gap : rest - 1].rstrip(b"0")) - 6
    digit = b"2" if good[place : place + 1] == b"1" else b"1"
    (one,) = judged(good[:place] + digit + good[place + 1 :]).signatures
    assert one.five.words["signature"] == "wrong"
    assert one.five.words["trust"] == "not-checked"
    assert one.roots == ()


# --- what is allowed --------------------------------------------------------------------------------------------------


def test_two_signatures_of_the_laboratory_both_hold(judged: Judge, good: bytes) -> None:
    first, second = judged(sign(good, laboratory(), name="Two")).signatures
    assert first.five.words == RIGHT | {"coverage": "revision", "later": "signatures"}
    assert second.five.words == RIGHT
    assert first.all_hold
    assert second.all_hold
    assert (first.revision, second.revision) == (2, 3)


def test_a_strangers_unseen_signature_takes_nothing_away_and_gives_nothing(judged: Judge, good: bytes) -> None:
    first, second = judged(sign(good, stranger(), name="Two")).signatures
    assert first.all_hold
    assert second.five.words == RIGHT | {"trust": "unknown-root"}


def test_a_time_stamp_over_the_file_is_no_signature_of_anybody(judged: Judge, good: bytes) -> None:
    stamper = time_authority(stranger_root())
    data = stamped(good, stamper)
    first, second = judged(data, laboratory_root().root, Root(stranger_root().der, Purpose.TIME_STAMPS)).signatures
    assert first.five.words == RIGHT | {"coverage": "revision", "later": "archive"}
    assert first.all_hold
    assert (second.shape, second.signed_at) == ("time-stamp", SIGNED_AT)
    assert second.five.words == RIGHT
    assert not second.all_hold


def test_a_time_stamp_in_the_signature_counts_from_a_pinned_authority(judged: Judge) -> None:
    data = sign(report(), laboratory(), stamped_by=time_authority(stranger_root()))
    stamps = Root(stranger_root().der, Purpose.TIME_STAMPS)
    assert judged(data, laboratory_root().root, stamps).signatures[0].all_hold
    # Pinned for signatures it says nothing about time, and the other way round.
    assert not judged(data, laboratory_root().root, stranger_root().root).signatures[0].all_hold


def test_a_root_for_time_stamps_makes_no_signer_known(judged: Judge, good: bytes) -> None:
    (one,) = judged(good, Root(laboratory_root().der, Purpose.TIME_STAMPS)).signatures
    assert one.five.words == RIGHT | {"trust": "unknown-root"}


def test_without_any_root_nobody_is_known(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(good)
    (one,) = judge(path, [], at=AT).signatures
    assert one.five.words == RIGHT | {"trust": "unknown-root"}


def test_the_signers_own_certificate_can_be_pinned(judged: Judge, good: bytes) -> None:
    (one,) = judged(good, laboratory().root).signatures
    assert one.all_hold
    assert one.roots == (laboratory().sha256,)


def test_every_pinned_root_that_the_chain_can_end_in_is_named(judged: Judge, good: bytes) -> None:
    (one,) = judged(good, laboratory().root, stranger_root().root, laboratory_root().root).signatures
    assert set(one.roots) == {laboratory().sha256, laboratory_root().sha256}


def test_a_pinned_certificate_that_has_expired_counts_no_more(judged: Judge) -> None:
    alone = holder("Old", end=AT - timedelta(days=1))
    (one,) = judged(sign(report(), alone), alone.root).signatures
    assert one.five.words == RIGHT | {"trust": "expired"}


def test_an_intermediate_authority_comes_with_the_signature(judged: Judge) -> None:
    middle = holder("Minjian Middle", laboratory_root(), authority=True)
    (one,) = judged(sign(report(), holder("Desk", middle))).signatures
    assert one.all_hold
    assert one.roots == (laboratory_root().sha256,)


def test_a_certificate_that_names_no_usage_may_sign(judged: Judge) -> None:
    assert judged(sign(report(), holder("Desk", laboratory_root(), usage=False))).signatures[0].all_hold


def test_a_page_that_no_table_names_is_harmless_where_no_reader_finds_it(judged: Judge, good: bytes) -> None:
    (one,) = judged(smuggled(good)).signatures
    assert one.five.words == RIGHT | {"coverage": "revision", "later": "archive"}


def test_a_line_break_after_the_end_is_nothing(judged: Judge, good: bytes) -> None:
    assert judged(good + b"\n").signatures[0].all_hold


# --- hostile files ----------------------------------------------------------------------------------------------------


def crowded(count: int = bounds.MAX_SIGNATURES + 1) -> bytes:
    """More signature fields than anybody needs."""

    def change(pdf: pikepdf.Pdf) -> None:
        seals = [
            pdf.make_indirect(
                Dictionary(
                    FT=Name.Sig,
                    T=String(f"S{number}"),
                    V=Dictionary(Type=Name.Sig, ByteRange=Array([0, 1, 2, 3]), Contents=String("00")),
                )
            )
            for number in range(count)
        ]
        pdf.Root.AcroForm = Dictionary(Fields=Array(seals))

    return made_with(change)


def circling(pdf: pikepdf.Pdf) -> None:
    """A field that is its own child."""
    field = pdf.make_indirect(Dictionary(T=String("x")))
    field.Kids = Array([field])
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]))
    pdf.Root.X = Dictionary(ByteRange=Array([0, 0, 0, 0]))


def made_with(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    target = BytesIO()
    with pikepdf.open(BytesIO(report())) as pdf:
        change(pdf)
        pdf.save(target)
    return target.getvalue()


def test_a_crowd_of_signatures_is_not_read(judged: Judge) -> None:
    assert judged(crowded()).state is State.UNREADABLE


def test_signatures_that_are_none_are_told_as_unreadable(judged: Judge) -> None:
    found = judged(crowded(3))
    assert [one.five.words["signature"] for one in found.signatures] == ["unreadable"] * 3
    assert not any(one.all_hold for one in found.signatures)


def test_a_huge_signature_is_unreadable(judged: Judge) -> None:
    (one,) = judged(sign(report(), laboratory(), room=2 * bounds.MAX_CMS_BYTES + 2)).signatures
    assert set(one.five.words.values()) == {"unreadable"}


def test_a_circle_of_fields_comes_to_an_end(judged: Judge) -> None:
    assert judged(made_with(circling)).state in (State.UNREADABLE, State.NONE)


def test_a_circle_of_pages_is_refused_before_anybody_asks_who_signed(tmp_path: Path, good: bytes) -> None:
    """The page tree contains itself, in an update after the signature."""
    writer = IncrementalPdfFileWriter(BytesIO(good))
    pages = writer.root["/Pages"]
    pages["/Kids"].append(writer.root.raw_get("/Pages"))
    writer.mark_update(pages.container_ref)
    target = BytesIO()
    writer.write(target)
    path = tmp_path / "report.pdf"
    path.write_bytes(target.getvalue())
    with pytest.raises(Invalid):
        inspect_document(path, tmp_path, original_name="report.pdf")
    assert not any(one.all_hold for one in judge(path, [laboratory_root().root], at=AT).signatures)


@pytest.mark.parametrize("where", [0.2, 0.5, 0.8, 0.99])
def test_a_file_cut_off_anywhere_is_never_the_laboratorys(where: float, judged: Judge, good: bytes) -> None:
    found = judged(good[: int(len(good) * where)])
    assert not any(one.all_hold for one in found.signatures)


def test_a_broken_table_is_never_the_laboratorys(judged: Judge, good: bytes) -> None:
    place = good.rindex(b"startxref") + len(b"startxref\n")
    assert not any(one.all_hold for one in judged(good[:place] + b"9" + good[place + 1 :]).signatures)


@pytest.mark.parametrize("part", range(8))
def test_no_single_byte_can_change_unseen(part: int, judged: Judge, good: bytes) -> None:
    """One byte in each part of the file, outside of the zeros that fill up the signature's place."""
    _zero, gap, rest, _length = byte_range(good)
    signed = [place for place in range(len(good)) if not gap <= place < rest]
    place = signed[part * len(signed) // 8 + 37]
    found = judged(good[:place] + bytes([good[place] ^ 0x01]) + good[place + 1 :])
    assert not any(one.all_hold for one in found.signatures)


def test_an_encrypted_signed_file_is_judged_like_any_other(judged: Judge) -> None:
    target = BytesIO()
    with pikepdf.open(BytesIO(report())) as pdf:
        pdf.save(target, encryption=pikepdf.Encryption(owner="x", user="", R=6))
    writer = IncrementalPdfFileWriter(BytesIO(target.getvalue()))
    writer.encrypt("")
    fields.append_signature_field(writer, fields.SigFieldSpec("Empty"))
    kept = BytesIO()
    writer.write(kept)
    assert judged(kept.getvalue()).state in (State.NONE, State.UNREADABLE)


# --- the child's word is not believed ---------------------------------------------------------------------------------


def honest() -> dict[str, Any]:
    return {
        "field": "Laboratory",
        "shape": "document",
        **RIGHT,
        "signer": "Minjian",
        "signed_at": SIGNED_AT.isoformat(),
        "certificate_sha256": laboratory().sha256,
        "roots": [laboratory_root().sha256],
        "revision": 2,
    }


def answer_of(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    script = f"print({json.dumps(answer)!r})"
    monkeypatch.setattr(inspect, "child_command", lambda: [sys.executable, "-I", "-c", script])


def test_an_honest_answer_is_believed(judged: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_of(monkeypatch, {"revisions": 2, "signatures": [honest()]})
    assert judged(b"").signatures[0].all_hold


LIES: dict[str, dict[str, object]] = {
    "a root that nobody handed in": {"roots": ["0" * 64]},
    "a root twice": {"roots": [laboratory_root().sha256] * 2},
    "trust without a root": {"roots": []},
    "a root without trust": {"trust": "expired"},
    "a word that is none": {"integrity": "perfect"},
    "a fact that is no word": {"coverage": True},
    "no certificate": {"certificate_sha256": ""},
    "a certificate that is no hash": {"certificate_sha256": "<script>"},
    "a state that the file does not have": {"revision": 3},
    "a state that is no number": {"revision": "2"},
    "more after the end": {"later": "signatures"},
    "a time that is none": {"signed_at": "yesterday"},
    "a long name": {"signer": "x" * 1_000},
    "a name that is none": {"field": ["Laboratory"]},
    "a shape that is none": {"shape": "stamp"},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_contradicts_itself_makes_the_file_unreadable(
    lie: str, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_of(monkeypatch, {"revisions": 2, "signatures": [honest() | LIES[lie]]})
    found = judged(b"")
    assert (found.state, found.signatures) == (State.UNREADABLE, ())


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"revisions": 2},
        {"revisions": 0, "signatures": []},
        {"revisions": 10**9, "signatures": []},
        {"revisions": True, "signatures": []},
        {"revisions": 1, "signatures": ["x"]},
        {"revisions": 2, "signatures": [honest()] * (bounds.MAX_SIGNATURES + 1)},
    ],
)
def test_an_answer_of_another_form_makes_the_file_unreadable(
    answer: object, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_of(monkeypatch, answer)
    assert judged(b"").state is State.UNREADABLE


def test_names_come_without_what_turns_or_hides_text(judged: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_of(monkeypatch, {"revisions": 2, "signatures": [honest() | {"signer": "Min\u202ejian\u200b\x07"}]})
    assert judged(b"").signatures[0].signer == "Minjian"


# --- as JSON ----------------------------------------------------------------------------------------------------------


def test_facts_survive_the_store(judged: Judge, good: bytes) -> None:
    found = judged(sign(good, stranger(), name="Two"))
    assert from_plain(json.loads(json.dumps(found.plain())), "pdf") == found


def test_pictures_carry_no_signatures_and_old_files_were_not_looked_at() -> None:
    assert from_plain(None, "png").state is State.IMPOSSIBLE
    assert from_plain(None, "pdf").state is State.UNKNOWN


def test_a_set_of_roots_has_one_name_in_any_order() -> None:
    one, two = laboratory_root().root, stranger_root().root
    assert signatures.name_of([one, two]) == signatures.name_of([two, one, one])
    assert signatures.name_of([one]) != signatures.name_of([Root(one.der, Purpose.TIME_STAMPS)])


def test_only_a_word_that_holds_counts() -> None:
    assert Five.read(RIGHT).all_hold
    for name in RIGHT:
        assert not Five.read(RIGHT | {name: "unreadable"}).all_hold


def test_an_ordinary_upload_does_not_load_the_library(tmp_path: Path) -> None:
    """It takes a second to load, which unsigned files need not wait for."""
    path = tmp_path / "report.pdf"
    path.write_bytes(report())
    assert not inspect_document(path, tmp_path, original_name="report.pdf").signed
    path.write_bytes(sign(report(), laboratory()))
    assert inspect_document(path, tmp_path, original_name="report.pdf").signed
