from __future__ import annotations

import ast
import gzip
import importlib.util
import io
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from authority import NOON
from authority import Authority as Clockmaker
from cryptography.hazmat.primitives.serialization import Encoding
from fault_tamper import UNAUTHENTICATED, flipped
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger import (
    BASE,
    ORIGIN,
    OTHER_REPORT,
    REPORT,
    SERIALS,
    Ledger,
    NoteKey,
    a_story,
    high_s,
    repacked,
    repacked_with,
)
from stamps import Authority

from lotseal.signing import timestamp, verify
from lotseal.signing.canonical import canonical_json, parse_canonical, sha256_hex
from lotseal.signing.encoding import b64, b64url
from lotseal.signing.errors import Malformed
from lotseal.signing.keys import PrivateKey
from lotseal.signing.verify import Report, check, read_zip, write_zip

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def story() -> Ledger:
    return a_story()


@pytest.fixture(scope="module")
def bundle(story: Ledger) -> bytes:
    return story.bundle()


def ended(report: Report) -> tuple[int, str]:
    return report.exit, (report.refused or {"rule": ""})["rule"]


def proven(report: Report) -> set[str]:
    return {one["rule"] for one in report.facts}


# --- sound ------------------------------------------------------------------------------------------------------------


def test_a_sound_bundle_proves_each_of_its_facts(story: Ledger, bundle: bytes) -> None:
    report = check(bundle, story.policy)
    assert (report.exit, report.result, report.refused) == (0, "sound", None)
    assert proven(report) >= {
        "bundle.hash",
        "checkpoint.signature",
        "entry.content",
        "proof.inclusion",
        "chain.complete",
        "key.history",
        "file.hash",
        "release.signature",
        "release.certificates",
        "status.edition",
        "credential.signature",
        "cosignature.signature",
        "policy.quorum",
        "time.logged",
    }


def test_each_kind_of_bundle_is_sound(story: Ledger) -> None:
    assert check(story.bundle("certificate", "z1"), story.policy).exit == 0
    report = check(story.bundle("item", SERIALS[0]), story.policy)
    assert report.exit == 0
    assert {"item.root", "item.signature", "item.state"} <= proven(report)


def test_codes_without_signature_are_proven_by_their_run(story: Ledger) -> None:
    plain = a_story(tier="A")
    report = check(plain.bundle("item", SERIALS[1]), plain.policy)
    assert report.exit == 0
    assert "item.root" in proven(report)
    assert "item.signature" not in proven(report)


def test_the_same_records_give_the_same_bytes(story: Ledger, bundle: bytes) -> None:
    assert story.bundle() == bundle


def test_the_bundles_own_policy_is_named_as_such(bundle: bytes) -> None:
    report = check(bundle)
    assert (report.exit, report.policy) == (0, "bundle")
    assert report.result == "sound, but policy taken from the bundle"
    assert "operator's own word" in verify.shown(report)


def test_a_batch_before_its_release_is_sound_and_said_to_be_waiting() -> None:
    waiting = a_story(until="accepted")
    report = check(waiting.bundle(), waiting.policy)
    assert report.exit == 0
    assert {"rule": "batch.state", "fact": "batch:b1 is «awaiting-tests»"} in report.facts


def test_hold_recall_and_close_are_told() -> None:
    ledger = a_story()
    for act, state in (("hold", "held"), ("hold-lift", "released"), ("recall", "recalled"), ("close", "closed")):
        ledger.on_batch(f"batch:{act}")
        (fact,) = [one["fact"] for one in check(ledger.bundle(), ledger.policy).facts if one["rule"] == "batch.state"]
        assert f"«{state}»" in fact
    assert "recalled by entry" in fact


def test_the_tool_runs_alone_in_an_empty_folder(bundle: bytes, story: Ledger, tmp_path: Path) -> None:
    shutil.copyfile(CHECKOUT / "signing/verify.py", tmp_path / "verify.py")
    (tmp_path / "b.zip").write_bytes(bundle)
    (tmp_path / "policy").write_bytes(story.policy)
    only = tmp_path / "only"
    only.mkdir()
    for name in ("cryptography", "cffi", "_cffi_backend"):
        found = importlib.util.find_spec(name)
        assert found
        assert found.origin
        place = Path(found.origin).parent if found.submodule_search_locations else Path(found.origin)
        (only / place.name).symlink_to(place)
    program = "import runpy, sys; sys.path.append('only'); runpy.run_path('verify.py', run_name='__main__')"
    command = [sys.executable, "-I", "-S", "-c", program, "b.zip", "--policy", "policy", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["result"] == "sound"


def test_the_tool_needs_the_standard_library_and_cryptography_only_and_stays_short() -> None:
    text = (CHECKOUT / "signing/verify.py").read_text()
    named = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            named |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            named.add(str(node.module).split(".")[0])
    assert named - set(sys.stdlib_module_names) == {"cryptography"}
    assert len(text.splitlines()) < 600, "short enough to be read whole"


def test_without_cryptography_nothing_is_called_tampered(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", CHECKOUT / "signing/verify.py", tmp_path / "b.zip"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "pip install cryptography" in ran.stderr


def test_a_wrong_file_of_the_auditor_is_named_and_not_the_bundle(story: Ledger, bundle: bytes) -> None:
    report = check(bundle, b"nonsense")
    assert (report.exit, report.result) == (3, "policy malformed")
    report = check(bundle, story.policy, b"nonsense")
    assert (report.exit, report.refused) == (2, {"rule": "timestamp.root", "fact": "your tsa-root holds no PEM"})


# --- attacks, by an operator who may change everything but what others signed -----------------------------------------


def edited(data: bytes, **changed: object) -> bytes:
    return canonical_json({**json.loads(data), **changed})


def entry_of(bundle: bytes, act: str, place: int = 0) -> str:
    found = [
        name[8:18]
        for name, data in read_zip(bundle).items()
        if name.startswith("entries/") and json.loads(data)["act"] == act
    ]
    return found[place]


def test_an_edited_record_is_named(bundle: bytes, story: Ledger) -> None:
    number = entry_of(bundle, "batch:add")
    content = json.loads(read_zip(bundle)[f"contents/{number}.json"])
    content["facts"]["lot"] = "OTHER"
    told = repacked_with(read_zip(bundle), {f"contents/{number}.json": canonical_json(content)})
    assert ended(check(told, story.policy)) == (1, "entry.content")

    hashed = sha256_hex(canonical_json(content))
    entry = edited(read_zip(bundle)[f"entries/{number}.json"], content=hashed)
    told = repacked_with(
        read_zip(bundle), {f"contents/{number}.json": canonical_json(content), f"entries/{number}.json": entry}
    )
    assert ended(check(told, story.policy)) == (1, "proof.inclusion")


def test_a_back_dated_entry_is_named(bundle: bytes, story: Ledger) -> None:
    number = entry_of(bundle, "certificate:accept")
    members = read_zip(bundle)
    early = "2026-10-01T00:00:00.000000Z"
    content = edited(members[f"contents/{number}.json"], at=early)
    entry = edited(members[f"entries/{number}.json"], time=early, content=sha256_hex(content))
    told = repacked_with(members, {f"contents/{number}.json": content, f"entries/{number}.json": entry})
    assert ended(check(told, story.policy)) == (1, "proof.inclusion")


def test_an_entry_that_was_written_with_an_older_date_is_pointed_at() -> None:
    ledger = a_story()
    ledger.enter("batch:correct", "batch:b1", "batch:b1", late=-48, changed={})
    report = check(ledger.bundle(), ledger.policy)
    assert report.exit == 0
    assert "time.back-dated" in {one["rule"] for one in report.notes}


def test_a_date_after_the_witnesses_saw_it_is_pointed_at() -> None:
    ledger = a_story()
    ledger.enter("batch:correct", "batch:b1", "batch:b1", late=48, changed={})
    report = check(ledger.bundle(), ledger.policy)
    assert "time.ahead" in {one["rule"] for one in report.notes}


def test_an_edited_file_is_named(bundle: bytes, story: Ledger) -> None:
    name = f"files/{sha256_hex(REPORT)}"
    assert ended(check(repacked_with(read_zip(bundle), {name: b"%PDF other"}), story.policy)) == (1, "file.hash")
    told = repacked_with(read_zip(bundle), {name: None, f"files/{sha256_hex(b'x')}": b"x"})
    assert ended(check(told, story.policy)) == (1, "file.foreign")
    assert ended(check(repacked_with(read_zip(bundle), {name: None}), story.policy)) == (1, "file.missing")


@pytest.mark.parametrize("act", ["certificate:reject", "batch:submit", "codes:commit", "batch:add"])
def test_a_deleted_entry_is_named(story: Ledger, act: str) -> None:
    gone = next(index for index, data in enumerate(story.envelopes) if json.loads(data)["act"] == act)
    assert ended(check(story.bundle(left_out=(gone,)), story.policy)) == (1, "chain.gap")


def test_entries_in_another_order_are_named(bundle: bytes, story: Ledger) -> None:
    members, one, other = read_zip(bundle), entry_of(bundle, "batch:add"), entry_of(bundle, "batch:submit")
    changed = {
        f"{folder}/{to}.json": members[f"{folder}/{source}.json"]
        for folder in ("entries", "contents")
        for source, to in ((one, other), (other, one))
    }
    assert ended(check(repacked_with(members, changed), story.policy)) == (1, "proof.inclusion")


def test_an_entry_that_was_put_in_late_is_named(story: Ledger) -> None:
    """The operator signs a tree with one entry more in the middle: the chain does not close, whoever cosigns."""
    ledger = a_story(until="accepted")
    ledger.enter("certificate:reject", "certificate:z1", "batch:b1", reason="expired")
    extra, content = ledger.envelopes.pop(), ledger.contents.pop()
    ledger.envelopes.insert(9, extra)
    ledger.contents.insert(9, content)
    assert ended(check(ledger.bundle(), ledger.policy))[1] in ("chain.gap", "chain.prev")


def test_a_log_that_was_written_anew_lacks_its_witnesses() -> None:
    """Full rights and the log key: everything is consistent, but the witnesses saw another tree."""
    ledger = a_story(until="accepted")
    honest = ledger.policy
    ledger.cosigned_by = 0
    report = check(ledger.bundle(), honest)
    assert ended(report) == (2, "policy.quorum")
    assert "proof.inclusion" in proven(report)


def test_one_witness_of_two_is_too_few(story: Ledger) -> None:
    ledger = a_story(until="accepted")
    ledger.cosigned_by = 1
    assert ended(check(ledger.bundle(), ledger.policy)) == (2, "policy.quorum")


def test_cosignatures_of_another_tree_of_the_same_size_are_named() -> None:
    """Split view: the witnesses saw one tree, the auditor is shown another one of the same size under their names."""
    ledger = a_story(until="accepted")
    _, _, cosigned = ledger.checkpoint().partition("— w1".encode())
    del ledger.envelopes[-1], ledger.contents[-1]
    ledger.on_batch("certificate:reject", "certificate:z1", reason="expired")
    members = read_zip(ledger.bundle())
    shown, _, _ = members["checkpoint"].partition("— w1".encode())
    mixed = shown + "— w1".encode() + cosigned
    changed: dict[str, bytes | None] = {
        name: data.replace(members["checkpoint"], mixed) for name, data in members.items() if name.startswith("proofs/")
    }
    told = repacked_with(members, {**changed, "checkpoint": mixed})
    assert ended(check(told, ledger.policy)) == (1, "cosignature.signature")


def test_two_checkpoints_in_one_bundle_are_named(bundle: bytes, story: Ledger) -> None:
    members = read_zip(bundle)
    number = entry_of(bundle, "batch:add")
    text, _, _ = members["checkpoint"].partition(b"\n\n")
    other = text + b"\n\n" + story.log.line(text + b"\n")
    proof = members[f"proofs/{number}.tlog-proof"].replace(members["checkpoint"], other)
    told = repacked_with(members, {f"proofs/{number}.tlog-proof": proof})
    assert ended(check(told, story.policy)) == (1, "proof.checkpoint")


def test_another_log_key_is_not_the_auditors(story: Ledger, bundle: bytes) -> None:
    other = Ledger(log=NoteKey(story.log.name, 1), witnesses=story.witnesses)
    assert ended(check(bundle, other.policy)) == (2, "checkpoint.log")


def test_a_false_signature_of_the_log_is_named(story: Ledger, bundle: bytes) -> None:
    members = read_zip(bundle)
    forged = story.log.line(b"something else\n")
    lines = members["checkpoint"].split(b"\n\n")
    note = lines[0] + b"\n\n" + forged + b"\n".join(lines[1].split(b"\n")[1:])
    assert ended(check(repacked_with(members, {"checkpoint": note}), story.policy)) == (1, "checkpoint.signature")


def test_a_cut_off_bundle_is_named(bundle: bytes, story: Ledger) -> None:
    for length in (0, 3, 29, len(bundle) // 2, len(bundle) - 1):
        assert ended(check(bundle[:length], story.policy)) == (3, "zip.canonical")


def test_a_swapped_key_is_named(bundle: bytes, story: Ledger) -> None:
    number = entry_of(bundle, "key:add", 1)
    content = json.loads(read_zip(bundle)[f"contents/{number}.json"])
    content["facts"]["jwk"] = PrivateKey.generate().public.to_jwk()
    told = repacked_with(read_zip(bundle), {f"contents/{number}.json": canonical_json(content)})
    assert ended(check(told, story.policy)) == (1, "entry.content")


def test_a_key_under_a_foreign_id_is_named() -> None:
    ledger = Ledger()
    jwk = PrivateKey.generate().public.to_jwk()
    ledger.enter("key:add", f"key:{ledger.items.kid}", "keys", role="item", letter="A", jwk=jwk)
    rest = a_story()
    ledger.others, ledger.cosigned_by = rest.others, 2
    for chain in ("category", "supplier", "product", "batch"):
        ledger.enter(f"{chain}:add", f"{chain}:b1", f"{chain}:b1")
    ledger.others = {}
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "key.thumbprint")


def test_a_key_whose_end_was_left_out_is_named() -> None:
    """The validity of a key is extended by hiding its retirement: later entries knew more of the key history."""
    ledger = a_story(until="accepted")
    end = ledger.enter("key:retire", f"key:{ledger.credentials.kid}", "keys", role="credential")
    ledger.release([("YX-0417", REPORT)])
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "key.retired")
    assert ended(check(ledger.bundle(left_out=(end,)), ledger.policy)) == (1, "keys.count")


def test_a_signature_after_revocation_is_named() -> None:
    ledger = a_story(until="accepted")
    ledger.enter("key:revoke", f"key:{ledger.credentials.kid}", "keys", role="credential")
    ledger.release([("YX-0417", REPORT)])
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "key.revoked")


@pytest.mark.parametrize("act", ["key:retire", "key:revoke"])
def test_a_checkpoint_by_a_log_key_that_has_ended_is_named(act: str) -> None:
    """Whoever stole the log's key and lost it again cannot go on: the end of the key lies in the tree that it signs."""
    ledger = a_story(until="released")
    kid = ledger.add_log_key()
    assert check(ledger.bundle(), ledger.policy).exit == 0
    ledger.enter(act, f"key:{kid}", "keys", role="log")
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "checkpoint.key")


def test_a_log_key_that_follows_another_signs_from_then_on() -> None:
    ledger = a_story(until="released")
    ledger.enter("key:retire", f"key:{ledger.add_log_key()}", "keys", role="log")
    ledger.log = NoteKey(ORIGIN, 1)
    ledger.add_log_key()
    assert check(ledger.bundle(), ledger.policy).exit == 0


def test_a_signature_before_its_key_was_added_is_named() -> None:
    ledger = a_story(until="accepted")
    late = PrivateKey.generate()
    ledger.release([("YX-0417", REPORT)], signer=late)
    ledger.add_key(late, "credential")
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "key.window")


def test_a_key_of_another_role_signs_no_release() -> None:
    ledger = a_story(until="accepted")
    ledger.release([("YX-0417", REPORT)], signer=ledger.items)
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "key.role")


def test_a_key_that_signed_before_its_end_stays_good() -> None:
    ledger = a_story()
    ledger.enter("key:retire", f"key:{ledger.credentials.kid}", "keys", role="credential")
    ledger.enter("key:revoke", f"key:{ledger.items.kid}", "keys", role="item")
    assert check(ledger.bundle("item", SERIALS[0]), ledger.policy).exit == 0


def test_a_run_that_was_ordered_before_a_rotation_may_end_after_it() -> None:
    ledger = a_story(until="accepted")
    ledger.on_batch("codes:issue", "batch:b1", run="r1", count=3)
    ledger.enter("key:retire", f"key:{ledger.items.kid}", "keys", role="item")
    ledger.commit()
    assert check(ledger.bundle("item", SERIALS[0]), ledger.policy).exit == 0

    begun_later = a_story(until="accepted")
    begun_later.on_batch("codes:issue", "batch:b1", run="r1", count=3)
    begun_later.items = PrivateKey.generate()
    begun_later.add_key(begun_later.items, "item", "A")
    begun_later.commit()
    assert check(begun_later.bundle("item", SERIALS[0]), begun_later.policy).exit == 0

    larger = a_story(until="accepted")
    larger.on_batch("codes:issue", "batch:b1", run="r1", count=2)
    larger.enter("key:retire", f"key:{larger.items.kid}", "keys", role="item")
    larger.commit()
    assert ended(check(larger.bundle("item", SERIALS[0]), larger.policy)) == (1, "key.retired")

    revoked = a_story(until="accepted")
    revoked.on_batch("codes:issue", "batch:b1", run="r1", count=3)
    revoked.enter("key:revoke", f"key:{revoked.items.kid}", "keys", role="item")
    revoked.commit()
    assert ended(check(revoked.bundle("item", SERIALS[0]), revoked.policy)) == (1, "key.revoked")


def test_an_old_status_list_is_named() -> None:
    """Roll back and replay: the edition before the withdrawal was signed too, but it is not the newest in its chain."""
    ledger = a_story(until="released")
    ledger.credential("v1", 9)
    ledger.publish()
    old = ledger.others["status/1.jwt"]
    ledger.on_batch("credential:revoke", credential="v1", reason="withdrawn")
    ledger.publish(9)
    assert check(ledger.bundle(), ledger.policy).exit == 0
    newest = ledger.others["status/1.jwt"]
    ledger.others["status/1.jwt"] = old
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "status.edition")
    last = len(ledger.envelopes) - 1
    assert ended(check(ledger.bundle(left_out=(last,)), ledger.policy)) == (1, "status.bit"), "the log says revoked"
    ledger.others["status/1.jwt"] = newest
    ledger.publish()
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "status.bit"), "a newer edition took it back"


def test_a_status_list_that_is_left_out_is_named(bundle: bytes, story: Ledger) -> None:
    told = repacked_with(read_zip(bundle), {"status/1.jwt": None})
    assert ended(check(told, story.policy)) == (1, "status.missing")


def test_a_credential_that_was_never_issued_or_is_left_out_is_named(bundle: bytes, story: Ledger) -> None:
    members = read_zip(bundle)
    made = story.jwt(story.credentials, {"credentialStatus": {}})
    told = repacked_with(members, {"credentials/v9.jwt": made})
    assert ended(check(told, story.policy)) == (1, "credential.foreign")
    told = repacked_with(members, {"credentials/v1.jwt": members["credentials/v2.jwt"]})
    assert ended(check(told, story.policy)) == (1, "credential.hash")
    assert ended(check(repacked_with(members, {"credentials/v1.jwt": None}), story.policy)) == (1, "credential.missing")


def test_a_credential_by_another_key_is_named() -> None:
    ledger = a_story(until="released")
    ledger.credential("v1", 9, signer=PrivateKey.generate())
    ledger.publish()
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "key.unknown")


def test_a_certificate_of_another_batch_is_named() -> None:
    """Two batches swap a certificate: the release names a file that was never submitted here."""
    ledger = a_story(until="accepted")
    ledger.release([("YX-0999", b"%PDF of another batch")])
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "release.certificates")
    ledger = a_story(until="accepted")
    ledger.release([("YX-0418", OTHER_REPORT)])
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "release.certificates"), "it was rejected"


def test_a_withdrawn_certificate_carries_no_release() -> None:
    ledger = a_story(until="accepted")
    ledger.on_batch("certificate:withdraw", "certificate:z1", reason="forged")
    ledger.release([("YX-0417", REPORT)])
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "release.certificates")


def test_another_release_record_or_none_is_named(bundle: bytes, story: Ledger) -> None:
    members = read_zip(bundle)
    changed = members["records/release.json"].replace(b"YX-0417", b"YX-0418")
    told = repacked_with(members, {"records/release.json": changed})
    assert ended(check(told, story.policy)) == (1, "release.hash")
    told = repacked_with(members, {"records/release.sig": bytes(64)})
    assert ended(check(told, story.policy)) == (1, "release.signature")
    told = repacked_with(members, {"records/release.json": None, "records/release.sig": None})
    assert ended(check(told, story.policy)) == (1, "release.missing")


def test_the_other_spelling_of_a_signature_is_refused(bundle: bytes, story: Ledger) -> None:
    """ECDSA lets anybody turn s into n - s; then one record would have two valid forms."""
    members = read_zip(bundle)
    other = high_s(members["records/release.sig"])
    assert ended(check(repacked_with(members, {"records/release.sig": other}), story.policy)) == (
        1,
        "release.signature",
    )


def test_a_bundle_without_its_checkpoint_is_none(bundle: bytes, story: Ledger) -> None:
    members = read_zip(bundle)
    del members["checkpoint"]
    assert ended(check(write_zip(members), story.policy)) == (3, "bundle.missing")


def test_a_member_that_the_list_does_not_name_so_is_named(bundle: bytes, story: Ledger) -> None:
    members = read_zip(bundle)
    name = f"files/{sha256_hex(REPORT)}"
    less = {key: data for key, data in members.items() if key != name}
    for told in ({**members, name: b"other"}, {**members, "README.txt": b"more"}, less):
        assert ended(check(write_zip(told), story.policy)) == (1, "bundle.hash")


def test_an_entry_without_its_proof_or_content_is_no_evidence(bundle: bytes, story: Ledger) -> None:
    for name in ("proofs/0000000003.tlog-proof", "contents/0000000003.json"):
        assert ended(check(repacked_with(read_zip(bundle), {name: None}), story.policy)) == (3, "entry.members")


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 0},
        {"seq": True},
        {"keys": -1},
        {"prev": None, "seq": 2},
        {"prev": "0" * 64, "seq": 1},
        {"time": "2026-11-01"},
        {"act": "Batch Add"},
        {"actor": None},
        {"key": "short"},
        {"more": 1},
        {"type": "lotseal/entry/v2"},
    ],
)
def test_an_entry_of_another_form_is_refused(bundle: bytes, story: Ledger, change: dict[str, object]) -> None:
    name = "entries/0000000008.json"
    told = repacked_with(read_zip(bundle), {name: edited(read_zip(bundle)[name], **change)})
    assert ended(check(told, story.policy)) == (3, "entry.form")


def test_who_acted_can_be_shown_and_not_be_exchanged(story: Ledger, bundle: bytes) -> None:
    members = read_zip(bundle)
    assert check(repacked_with(members, {"actors/0000000008.json": story.actors[8]}), story.policy).exit == 0
    told = repacked_with(members, {"actors/0000000008.json": story.actors[7]})
    assert ended(check(told, story.policy)) == (1, "entry.actor")


def test_an_item_cannot_be_cut_out_moved_or_put_in(story: Ledger) -> None:
    bundle = story.bundle("item", SERIALS[0])
    members, name = read_zip(bundle), f"items/{SERIALS[0]}.json"
    item = json.loads(members[name])
    assert ended(check(repacked_with(members, {name: None}), story.policy)) == (1, "item.missing")

    def told(**changed: object) -> tuple[int, str]:
        return ended(check(repacked_with(members, {name: canonical_json({**item, **changed})}), story.policy))

    assert told(place=1) == (1, "item.root")
    assert told(place=True) == (3, "item.form")
    assert told(run="r2") == (1, "item.run")
    assert told(link=item["link"].replace(SERIALS[0], SERIALS[1])) == (1, "item.link")
    assert told(link=item["link"].partition("?")[0]) == (1, "item.link")
    assert told(link=item["link"][:-1] + str((int(item["link"][-1]) + 1) % 10)) == (1, "item.root")
    assert told(proof=[one.upper() for one in item["proof"]]) == (3, "item.form")
    assert told(state="void") == (1, "item.state")
    moved = {f"items/{'3' * 20}.json": members[name]}
    assert ended(check(repacked_with(members, moved), story.policy)) == (1, "item.link")


def test_a_void_code_is_void_whatever_the_bundle_says() -> None:
    for subject in (f"item:{SERIALS[0]}", "run:r1"):
        ledger = a_story()
        ledger.on_batch("codes:void", subject, reason="roll lost")
        assert ended(check(ledger.bundle("item", SERIALS[0]), ledger.policy)) == (1, "item.state")
        for name in [name for name in ledger.others if name.startswith("items/")]:
            void = subject == "run:r1" or SERIALS[0] in name
            ledger.others[name] = edited(ledger.others[name], state="void" if void else "issued")
        report = check(ledger.bundle("item", SERIALS[0]), ledger.policy)
        assert report.exit == 0
        assert {"rule": "item.state", "fact": f"{SERIALS[0]}: void"} in report.facts


def test_a_code_that_its_key_did_not_sign_is_named() -> None:
    ledger = a_story(until="accepted")
    ledger.commit(signer=PrivateKey.generate())
    assert ended(check(ledger.bundle("item", SERIALS[0]), ledger.policy)) == (1, "key.unknown")


def test_chains_that_are_left_out_are_named(story: Ledger, bundle: bytes) -> None:
    supplier = next(index for index, data in enumerate(story.envelopes) if b'"supplier:add"' in data)
    assert ended(check(story.bundle(left_out=(supplier,)), story.policy)) == (1, "chain.missing")
    told = repacked_with(read_zip(bundle), {}, chains=["batch:b1"])
    assert ended(check(told, story.policy)) == (1, "chain.list")


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        ({"kind": "item"}, (3, "bundle.head")),
        ({"subject": "batch:b2"}, (1, "bundle.head")),
        ({"batch": "batch:b2"}, (1, "bundle.head")),
        ({"origin": "u.example.cn/log"}, (1, "bundle.checkpoint")),
        ({"checkpoint_size": 19}, (1, "bundle.checkpoint")),
        ({"type": "lotseal/bundle/v2"}, (3, "bundle.head")),
        ({"more": 1}, (3, "bundle.head")),
        ({"kind": "certificate", "subject": "certificate:z9"}, (1, "certificate.missing")),
        ({"kind": 7}, (3, "bundle.head")),
    ],
)
def test_a_head_that_says_otherwise_is_named(bundle: bytes, story: Ledger, head: dict[str, object], rule: str) -> None:
    assert ended(check(repacked_with(read_zip(bundle), {}, **head), story.policy)) == rule


# --- every byte -------------------------------------------------------------------------------------------------------


def test_each_byte_of_a_bundle_flipped_once_is_found() -> None:
    small = a_story(until="accepted")
    bundle, policy, luck = small.bundle(), small.policy, random.Random(7)
    missed = [place for place in range(len(bundle)) if check(flipped(bundle, luck, place), policy).exit == 0]
    assert missed == []


def test_a_byte_flipped_by_somebody_who_repairs_the_hashes_is_found(story: Ledger) -> None:
    """Each member but the unauthenticated ones, at places that the seed chooses; hashes and ZIP are made anew."""
    members, luck = read_zip(story.bundle("item", SERIALS[0])), random.Random(11)
    places = [
        (name, place)
        for name, whole in members.items()
        if not name.startswith(UNAUTHENTICATED)
        for place in luck.sample(range(len(whole)), min(len(whole), 20))
    ]
    changed = ((one, repacked_with(members, {one[0]: flipped(members[one[0]], luck, one[1])})) for one in places)
    assert [one for one, bundle in changed if check(bundle, story.policy).exit == 0] == []


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_input_ends_in_a_traceback(story: Ledger, bundle: bytes, data: st.DataObject) -> None:
    """Members with other content of every shape: an answer, never an exception."""
    members = read_zip(bundle)
    name = data.draw(st.sampled_from(sorted(members)))
    shape = st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
        lambda one: st.lists(one) | st.dictionaries(st.text(max_size=5), one),
        max_leaves=8,
    )
    change: Callable[[], bytes] = data.draw(
        st.sampled_from(
            [
                lambda: data.draw(st.binary(max_size=40)),
                lambda: canonical_json(data.draw(shape)),
                lambda: _one_value_changed(members[name], data.draw(st.integers(0, 99)), data.draw(shape)),
            ]
        )
    )
    assert check(repacked_with(members, {name: change()} if name != "bundle.json" else {}), story.policy).exit in range(
        4
    )
    assert check(write_zip({**members, name: change()}), story.policy).exit in (0, 1, 3)


def _one_value_changed(data: bytes, place: int, value: object) -> bytes:
    try:
        told = json.loads(data)
    except ValueError:
        return data
    holder = told["facts"] if "facts" in told and place % 2 else told
    holder[sorted(holder)[place % len(holder)] if holder else "x"] = value
    return canonical_json(told)


# --- forms ------------------------------------------------------------------------------------------------------------


def test_a_zip_by_another_program_is_refused_and_ours_is_read_by_others(bundle: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == read_zip(bundle)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as other:
            for name in archive.namelist():
                other.writestr(name, archive.read(name))
    assert ended(check(packed.getvalue())) == (3, "zip.canonical")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "files/..", "entries/1.json", "x", "files/" + "A" * 64, ""])
def test_a_foreign_name_is_refused(bundle: bytes, name: str) -> None:
    assert ended(check(write_zip({**read_zip(bundle), name: b""})))[0] == 3


def test_bounds_come_first(bundle: bytes, story: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most, wanted in (
        ("MAX_BUNDLE", 1000, (3, "zip.size")),
        ("MAX_MEMBERS", 9, (3, "zip.canonical")),
        ("MAX_JSON", 50, (3, "json.canonical")),
        ("MAX_NOTE", 50, (3, "checkpoint.form")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(verify, name, most)
            assert ended(check(bundle, story.policy)) == wanted


def test_bytes_before_between_and_after_members_are_refused(bundle: bytes) -> None:
    middle = bundle.index(b"PK\1\2")
    for data in (b"x" + bundle, bundle + b"x", bundle[:middle] + b"x" + bundle[middle:], bundle + bundle):
        assert ended(check(data)) == (3, "zip.canonical")


# Names beyond the basic plane sort otherwise in UTF-16; no document of ours has such, and the tool refuses them.
plain = st.text(st.characters(max_codepoint=0xD7FF))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda one: st.lists(one) | st.dictionaries(plain, one),
    max_leaves=20,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(plain, json_values))
def test_the_tools_canonical_json_is_that_of_the_service(value: dict[str, object]) -> None:
    assert verify.canonical(value) == canonical_json(value)
    assert verify.read_json(canonical_json(value), "x") == value


@given(st.binary(max_size=30) | st.text(max_size=30).map(str.encode))
def test_both_refuse_the_same_json(data: bytes) -> None:
    try:
        wanted = parse_canonical(data)
    except Malformed:
        wanted = None
    try:
        read: object = verify.read_json(data, "x")
    except verify.Refused:
        read = None
    assert read == (wanted if isinstance(wanted, dict) else None)


def test_deep_and_long_documents_are_refused(bundle: bytes, story: Ledger) -> None:
    members = read_zip(bundle)
    for depth in (66, 900, 100_000):
        deep = b'{"a":' * depth + b"1" + b"}" * depth
        assert ended(check(write_zip({**members, "bundle.json": deep})))[0] == 3
    assert ended(check(write_zip({**members, "bundle.json": b'{"a":' + b"9" * 5000 + b"}"}))) == (3, "json.canonical")


def test_a_status_list_that_unpacks_to_too_much_costs_no_memory() -> None:
    ledger = a_story(until="released")
    packed = gzip.compress(bytes(64 * 1024 * 1024), mtime=0)
    made = ledger.jwt(ledger.status, {"credentialSubject": {"encodedList": "u" + b64url(packed)}})
    ledger.others["status/1.jwt"] = made
    ledger.enter("status:publish", "status-list:1", "status:1", jwt_sha256=sha256_hex(made))
    assert check(ledger.bundle(), ledger.policy).exit == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "MAX_BITS", 16)
        assert check(ledger.bundle(), ledger.policy).exit == 0


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ("{log}\n{w1}\nquorum w2", "policy.line"),
        ("{log}\n{w1}\n", "policy.quorum"),
        ("{log}\n{w1}\nquorum w1\nquorum w1", "policy.line"),
        ("{log}\n{w1}\ngroup g 2 w1\nquorum g", "policy.group"),
        ("{log}\n{w1}\ngroup g 0 w1\nquorum g", "policy.group"),
        ("{log}\n{w1}\n{w2}\ngroup g any w1 w1\nquorum g", "policy.group"),
        ("{log}\n{w1}\n{w2}\ngroup g any w1\ngroup h any w1 w2\nquorum h", "policy.group"),
        ("{log}\n{w1}\ngroup g any none\nquorum g", "policy.group"),
        ("{log}\n{log}\nquorum none", "policy.twice"),
        ("{log}\nquorum none\r", "policy.form"),
        ("log a+b+c\nquorum none", "base64"),
        ("{log}x\nquorum none", "base64"),
        ("{swapped}\nquorum none", "policy.key"),
        ("{renamed}\nquorum none", "policy.key"),
        ("something\nquorum none", "policy.line"),
    ],
)
def test_a_policy_of_another_form_is_refused(story: Ledger, bundle: bytes, lines: str, rule: str) -> None:
    keys = {f"w{place}": f"witness w{place} {one.vkey}" for place, one in enumerate(story.witnesses, 1)}
    keys |= {"swapped": f"log {story.witnesses[0].vkey}", "renamed": f"log x{story.log.vkey}"}
    policy = lines.format(log=f"log {story.log.vkey}", **keys)
    assert ended(check(bundle, policy.encode())) == (3, rule)


@pytest.mark.parametrize(
    ("quorum", "code"),
    [
        ("quorum none", 0),
        ("quorum w1", 0),
        ("quorum w3", 2),
        ("group g any w1 w3\nquorum g", 0),
        ("group g 2 w1 w3\nquorum g", 2),
        ("group a any w1 w3\ngroup b any w2\ngroup g all a b\nquorum g", 0),
        ("group a all w1 w3\ngroup g all a w2\nquorum g", 2),
    ],
)
def test_the_quorum_decides(story: Ledger, bundle: bytes, quorum: str, code: int) -> None:
    three = [*story.witnesses, NoteKey("w3.example/w", 4)]
    lines = [f"# ours\n\n log \t{story.log.vkey} https://t.example.cn/log"]
    lines += [f"witness w{place} {one.vkey}" for place, one in enumerate(three, 1)]
    assert check(bundle, "\n".join([*lines, quorum]).encode()).exit == code


def test_what_could_steer_a_terminal_is_written_out(bundle: bytes, story: Ledger) -> None:
    report = Report("auditor", facts=[{"rule": "x", "fact": "a\x1b[2J\u202eb"}])
    assert "\x1b" not in verify.shown(report)
    assert "\\u001b[2J\\u202eb" in verify.shown(report)


def test_sixteen_signatures_of_the_longest_kind_are_no_reason_to_refuse(bundle: bytes) -> None:
    """C2SP signed-note: at least that many are accepted, and one after quantum computers has nearly 5 kB."""
    kept = read_zip(bundle)["checkpoint"]
    lines = "".join(f"— post.example/{place} {b64(bytes(5_000))}\n" for place in range(16))
    assert verify.read_checkpoint(kept + lines.encode()).size == verify.read_checkpoint(kept).size


def test_the_command_says_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main([str(tmp_path / "none.zip")]) == 3
    assert "cannot read" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no file without an end here")
def test_no_more_is_read_than_a_bundle_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MAX_BUNDLE", 1000)
    assert len(verify.read_file("/dev/zero")) == 1001
    assert verify.main(["/dev/zero"]) == 3
    assert ended(check(verify.read_file("/dev/zero"))) == (3, "zip.size")


# --- time stamps ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stamped(authority: Authority) -> Ledger:
    ledger = a_story()
    ledger.others["timestamps/one.tsr"] = authority.stamp(ledger.text())
    return ledger


def test_a_time_stamp_is_proven_and_pinned_by_its_root(authority: Authority, stamped: Ledger) -> None:
    report = check(stamped.bundle(), stamped.policy, authority.root)
    assert report.exit == 0, report.refused
    (fact,) = [one["fact"] for one in report.facts if one["rule"] == "timestamp.signature"]
    assert "CN=Time of the test" in fact
    assert "pinned by you" in fact
    report = check(stamped.bundle(), stamped.policy)
    assert "not pinned" in str(report.facts)


def test_a_time_stamp_of_another_authority_does_not_meet_the_root(stamped: Ledger, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    assert ended(check(stamped.bundle(), stamped.policy, other.root)) == (2, "timestamp.root")
    plain = a_story()
    assert ended(check(plain.bundle(), plain.policy, other.root)) == (2, "timestamp.root")


def test_a_time_stamp_that_nobody_pinned_dates_nothing(authority: Authority) -> None:
    """An operator can run an authority too, with any clock, and put its stamp beside the true one."""
    ledger, own = a_story(), Clockmaker(at=NOON - timedelta(days=300))
    logged = facts_of("time.logged", check(ledger.bundle(), ledger.policy))
    request = timestamp.make_request(ledger.text())
    response = timestamp.verify_response(own.respond(request.der), request, ledger.text(), [own.root])
    ledger.others["timestamps/1.tsr"] = timestamp.as_response(response.token)
    ledger.others["timestamps/2.tsr"] = authority.stamp(ledger.text())
    for roots in (None, authority.root):
        report = check(ledger.bundle(), ledger.policy, roots)
        assert report.exit == 0, report.refused
        assert "(not pinned) at 2025-12-19" in facts_of("timestamp.signature", report)[0]
        assert facts_of("time.logged", report) == logged
    both = check(ledger.bundle(), ledger.policy, authority.root + own.root.public_bytes(Encoding.PEM))
    assert [one.count("pinned by you") for one in facts_of("timestamp.signature", both)] == [1, 1]
    assert "at 2025-12-19" in facts_of("time.logged", both)[0]


def facts_of(rule: str, report: Report) -> list[str]:
    return [one["fact"] for one in report.facts if one["rule"] == rule]


def test_a_time_stamp_over_another_checkpoint_is_named(authority: Authority, stamped: Ledger) -> None:
    ledger = a_story()
    ledger.others["timestamps/one.tsr"] = stamped.others["timestamps/one.tsr"]
    assert ended(check(ledger.bundle(), ledger.policy)) == (1, "timestamp.imprint")


@pytest.mark.parametrize(("kind", "ess"), [("rsa:2048", "sha256"), ("", "sha1"), ("", "sha512")])
def test_a_stamp_is_proven_whatever_key_signs_and_however_it_names_its_certificate(
    kind: str, ess: str, tmp_path: Path
) -> None:
    """Authorities that follow RFC 3161 to the letter name the certificate by SHA-1, those of RFC 5816 by others."""
    ledger, authority = a_story(), Authority(tmp_path, kind, ess)
    ledger.others["timestamps/one.tsr"] = authority.stamp(ledger.text())
    report = check(ledger.bundle(), ledger.policy, authority.root)
    assert report.exit == 0, report.refused


def test_each_byte_of_what_a_time_stamp_signs_is_found(stamped: Ledger) -> None:
    """All but what RFC 3161 leaves unsigned: status, versions, names of algorithms, the certificate's own signature."""
    token, imprint = stamped.others["timestamps/one.tsr"], verify.hashlib.sha256(stamped.text()).digest()
    signed = verify.inside(token, 0, 1, 1, 0)
    signer = verify.read_der(verify.inside(signed, -1, 0))
    parts = [verify.inside(signed, 2, 1, 0), signer[3][1], signer[5][1]]
    luck = random.Random(3)
    for part in parts:
        start = token.index(part)
        for place in range(start, start + len(part)):
            assert _refused(flipped(token, luck, place), imprint), place


def _refused(token: bytes, imprint: bytes) -> bool:
    try:
        verify.read_stamp(token, imprint, [])
    except Exception:
        # Whatever a broken structure raises: `check` makes of it «malformed».
        return True
    return False


def test_the_address_of_the_codes_is_the_runs(story: Ledger) -> None:
    assert BASE.upper() in json.loads(story.others[f"items/{SERIALS[0]}.json"])["link"]
    assert repacked(story.bundle()) == story.bundle()
