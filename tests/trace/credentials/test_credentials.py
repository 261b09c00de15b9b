"""What is issued, what is revoked, and what others find when they check it."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jwt as pyjwt
import makers
import pytest
from joserfc import jws as jose
from joserfc.jwk import KeySet
from makers import AT, BASE, RECALL, Clock, a_batch, a_certificate, issue_credentials, rows
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lotseal.signing import jws
from lotseal.signing.canonical import sha256_hex
from lotseal.signing.errors import SigningError
from lotseal.signing.keys import PrivateKey, Role
from lotseal.signing.status_list import SIZE, decode, empty, get
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch
from lotseal.trace.certificates import service as certificates
from lotseal.trace.credentials import checking, contexts, directory, service
from lotseal.trace.credentials.issuer import Issuer
from lotseal.trace.credentials.models import Credential, Kind, RevokeReason, StatusList
from lotseal.trace.db import migrate
from lotseal.trace.errors import Problem, Unavailable, say
from lotseal.trace.jobs.models import Job, JobKind, JobState
from lotseal.trace.keys import service as keys
from lotseal.trace.log.models import AuditAct
from lotseal.trace.releases import service as releases
from lotseal.trace.releases.models import Release
from lotseal.trace.system import System

DID = "did:web:t.example.cn"
BEFORE = "0005"
"""The schema before there were credentials."""


@pytest.fixture(autouse=True)
def stopped(time: Clock) -> Clock:
    return time


@pytest.fixture
def batch(system: System) -> Batch:
    """A batch on sale with one accepted report; its credentials are issued."""
    with system.main.write() as session:
        made = makers.released(session, system.ring)
    issue_credentials(system)
    return made


def credentials(system: System, batch: Batch) -> dict[str, Credential]:
    with system.main.read() as session:
        return {row.kind: row for row in service.of_batch(session, batch)}


def payload(row: Credential | StatusList) -> dict[str, Any]:
    part = row.jwt.split(".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def key_set(system: System) -> dict[str, Any]:
    with system.main.read() as session:
        return directory.jwks(system.issuer, keys.all_of(session))


def published(system: System, number: int = 1) -> StatusList:
    with system.main.read() as session:
        return service.get_list(session, number)


def is_revoked(system: System, row: Credential) -> bool:
    """What anybody finds who follows the credential to its list and unpacks it there."""
    status = payload(row)["credentialStatus"]
    number = int(status["statusListCredential"].rpartition("/")[2])
    return get(
        decode(payload(published(system, number))["credentialSubject"]["encodedList"]), int(status["statusListIndex"])
    )


def withdraw(system: System, batch: Batch) -> None:
    with system.main.write() as session:
        [report] = certificates.of_batch(session, batches.get(session, batch.ref))
        certificates.withdraw(session, report, "mistake of the laboratory", by=OPERATOR, at=AT)


def recall(system: System, batch: Batch) -> None:
    with system.main.write() as session:
        batches.recall(session, batches.get(session, batch.ref), RECALL, by=OPERATOR, at=AT)


def rewrite(system: System, change: Callable[[Any], None]) -> None:
    """Act with the operator's rights on the store."""
    with system.main.write() as session:
        change(session)


# --- issue ------------------------------------------------------------------------------------------------------------


def test_a_report_gets_its_credential_when_it_is_accepted_and_a_batch_its_passport_when_it_is_released(
    system: System,
) -> None:
    with system.main.write() as session:
        made = a_batch(session)
        report = a_certificate(session, made, accepted=False)
    issue_credentials(system)
    assert credentials(system, made) == {}
    with system.main.write() as session:
        certificates.accept(session, certificates.get(session, report.ref), by=OPERATOR, at=AT)
    issue_credentials(system)
    assert list(credentials(system, made)) == [Kind.INSPECTION]
    with system.main.write() as session:
        releases.release(session, batches.get(session, made.ref), system.ring, by=OPERATOR, at=AT)
    issue_credentials(system)
    assert sorted(credentials(system, made)) == [Kind.INSPECTION, Kind.PASSPORT]


@pytest.mark.parametrize("kind", Kind)
def test_joserfc_and_pyjwt_verify_every_credential_with_the_published_keys(
    system: System, batch: Batch, kind: Kind
) -> None:
    row, jwks = credentials(system, batch)[kind], key_set(system)
    read = jose.deserialize_compact(row.jwt, KeySet.import_key_set(jwks), algorithms=["ES256"])
    assert read.headers() == {"alg": "ES256", "kid": f"{DID}#{row.kid}", "typ": "vc+jwt"}
    assert json.loads(read.payload or b"") == payload(row)
    key = pyjwt.PyJWKSet.from_dict(jwks)[f"{DID}#{row.kid}"]
    # The clock of this test stands still; that of the library does not.
    assert pyjwt.decode(row.jwt, key.key, algorithms=["ES256"], options={"verify_iat": False}) == payload(row)


def test_both_libraries_verify_the_status_list(system: System, batch: Batch) -> None:
    row, jwks = published(system), key_set(system)
    assert jose.deserialize_compact(row.jwt, KeySet.import_key_set(jwks), algorithms=["ES256"]).payload
    key = pyjwt.PyJWKSet.from_dict(jwks)[f"{DID}#{row.kid}"]
    pyjwt.decode(row.jwt, key.key, algorithms=["ES256"], options={"verify_iat": False})


@pytest.mark.parametrize("kind", Kind)
def test_a_credential_has_the_members_that_vc_2_0_requires(system: System, batch: Batch, kind: Kind) -> None:
    row = credentials(system, batch)[kind]
    said = payload(row)
    assert said["@context"] == [contexts.W3C, f"{BASE}/contexts/records/v1"]
    assert said["id"] == f"{BASE}/credentials/{row.ref}"
    special = {Kind.PASSPORT: "DigitalProductPassport", Kind.INSPECTION: "DigitalConformityCredential"}[kind]
    assert said["type"] == ["VerifiableCredential", special]
    assert said["issuer"] == {"id": DID, "type": ["CredentialIssuer"], "name": "t.example.cn"}
    assert said["validFrom"] == "2026-11-22T04:00:00Z"
    assert said["iat"] == int(AT.timestamp())
    assert said["credentialStatus"] == {
        "id": f"{BASE}/credentials/status/1#{row.status_index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": str(row.status_index),
        "statusListCredential": f"{BASE}/credentials/status/1",
    }
    # VC-JOSE-COSE section 1.1.2.1, and RFC 7519 claims that would say the same thing twice.
    assert not {"vc", "vp", "nbf", "sub", "jti"} & said.keys()
    assert row.sha256 == hashlib.sha256(row.jwt.encode()).hexdigest()


def test_the_passport_says_what_was_frozen_at_release_and_names_its_hash(system: System, batch: Batch) -> None:
    said = payload(credentials(system, batch)["passport"])["credentialSubject"]
    gtin = batch.product.gtin
    with system.main.read() as session:
        release = releases.of_batch(session, batch)
        [report] = certificates.of_batch(session, batch)
    assert release is not None
    assert said["granularityLevel"] == "batch"
    assert said["id"] == said["product"]["id"] == f"{BASE}/01/{gtin}/10/DHP261012A"
    product = said["product"]
    assert (product["name"], product["alternateName"], product["registeredId"]) == ("大红袍", "Big Red Robe", gtin)
    assert (product["batchNumber"], product["productionDate"], said["expiryDate"]) == (
        "DHP261012A", "2026-10-12", "2028-10-11"
    )  # fmt: skip
    assert said["quantity"] == {"type": ["Measure"], "value": "1590", "unit": "pcs"}
    assert said["releaseRecord"]["hashDigest"] == release.sha256 == sha256_hex(release.document.encode())
    [claim] = said["conformityClaim"]
    assert claim["conformance"] is True
    assert claim["conformityEvidence"]["hashDigest"] == report.file.sha256
    assert claim["conformityEvidence"]["linkURL"] == f"{BASE}/report/{report.ref}/original"


def test_a_later_correction_is_not_in_the_passport(system: System) -> None:
    with system.main.write() as session:
        made = makers.released(session, system.ring)
        batches.change(session, made, makers.batch_draft(quantity="7"), reason="counted again", by=OPERATOR, at=AT)
    issue_credentials(system)
    said = payload(credentials(system, made)["passport"])["credentialSubject"]
    assert said["quantity"]["value"] == "1590"


def test_the_inspection_says_each_limit_and_outcome_and_the_hash_of_the_file(system: System) -> None:
    lines = [{}, {"parameter": "六六六", "limit": "≤ 0.2", "result": "未检出", "method": ""}]
    with system.main.write() as session:
        made = a_batch(session)
        report = a_certificate(session, made, lines=lines, expires_on="2027-10-20", number="9521321000018REPORT")
    issue_credentials(system)
    whole = payload(credentials(system, made)["inspection"])
    said = whole["credentialSubject"]
    assert said["conformityCertificate"]["hashDigest"] == report.file.sha256
    assert (said["gdti"], said["reportNumber"]) == ("9521321000018REPORT",) * 2
    assert said["laboratory"]["name"] == "闽检"
    assert said["laboratory"]["accreditation"] == "CMA 211300111111"
    [assessment] = said["assessment"]
    assert assessment["conformance"] is True
    assert [
        (line["parameter"], line["limit"], line["result"], line["outcome"]) for line in assessment["testResult"]
    ] == [
        ("铅", "≤ 5.0", "0.9", "pass"),
        ("六六六", "≤ 0.2", "未检出", report.lines[1].outcome),
    ]
    assert "method" not in assessment["testResult"][1]
    # The last day counts to its end, in the calendar of the service.
    assert whole["validUntil"] == "2027-10-20T16:00:00Z"


def test_a_report_number_that_is_no_gdti_is_not_called_one(system: System, batch: Batch) -> None:
    said = payload(credentials(system, batch)["inspection"])["credentialSubject"]
    assert "gdti" not in said


def test_no_credential_names_a_person(system: System) -> None:
    with system.main.write() as session:
        bob = makers.bob(session)
        made = a_batch(session)
        report = a_certificate(session, made, accepted=False)
        certificates.accept(session, report, by=bob, at=AT)
        releases.release(session, made, system.ring, by=bob, at=AT)
    issue_credentials(system)
    for row in credentials(system, made).values():
        assert "Bob" not in json.dumps(payload(row))


def test_doing_the_job_again_issues_nothing_and_publishes_nothing(system: System, batch: Batch) -> None:
    before = {kind: row.jwt for kind, row in credentials(system, batch).items()}
    seq = published(system).seq
    with system.main.write() as session:
        for _ in range(3):
            batches.renew_credentials(session, batches.get(session, batch.ref), by=OPERATOR, at=AT)
    issue_credentials(system)
    assert {kind: row.jwt for kind, row in credentials(system, batch).items()} == before
    assert published(system).seq == seq


def test_a_job_that_finds_its_key_locked_leaves_nothing_behind_and_is_done_later(
    system: System, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with system.main.write() as session:
        made = makers.released(session, system.ring)

    def locked(*_: object) -> None:
        raise Unavailable(Problem(None, "key.locked", say("The key does not open.")))

    with monkeypatch.context() as patched:
        patched.setattr(type(system.ring), "pair", locked)
        system.worker().run_all()
    with system.main.read() as session:
        assert (rows(session, Credential), rows(session, StatusList)) == (0, 0)
        assert {job.state for job in session.scalars(select(Job))} == {JobState.QUEUED}
    time.on(minutes=1)
    system.worker().run_all()
    assert sorted(credentials(system, made)) == [Kind.INSPECTION, Kind.PASSPORT]


def test_a_snapshot_that_was_changed_in_the_store_gets_no_passport(system: System) -> None:
    with system.main.write() as session:
        made = makers.released(session, system.ring)

    def change(session: Any) -> None:
        row = session.scalars(select(Release)).one()
        row.document = row.document.replace("1590", "9999")

    rewrite(system, change)
    issue_credentials(system)
    assert list(credentials(system, made)) == [Kind.INSPECTION]


def test_every_issue_is_an_act_that_names_the_jwt(system: System, batch: Batch) -> None:
    row = credentials(system, batch)["passport"]
    with system.main.read() as session:
        acts = session.scalars(select(AuditAct).where(AuditAct.act == "credential:issue")).all()
        [listed] = session.scalars(select(AuditAct).where(AuditAct.act == "status:publish")).all()
    [act] = [act for act in acts if act.facts["kind"] == "passport"]
    assert act.subject == f"batch:{batch.ref}"
    assert act.facts == {
        "credential": row.ref, "kind": "passport", "jwt_sha256": row.sha256, "kid": row.kid, "list": 1,
        "index": row.status_index,
    }  # fmt: skip
    assert (listed.subject, listed.facts["seq"]) == ("status-list:1", 1)
    assert listed.facts["jwt_sha256"] == published(system).sha256


def test_places_in_the_list_are_given_at_random_and_a_full_list_is_followed_by_another(
    system: System, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FULL", 2)
    with system.main.write() as session:
        second = makers.released(session, system.ring)
    issue_credentials(system)
    found = [*credentials(system, batch).values(), *credentials(system, second).values()]
    assert sorted(row.list_number for row in found) == [1, 1, 2, 2]
    assert len({(row.list_number, row.status_index) for row in found}) == 4
    assert payload(published(system, 2))["id"] == f"{BASE}/credentials/status/2"
    assert all(0 <= row.status_index < SIZE for row in found)


# --- revoke -----------------------------------------------------------------------------------------------------------


def test_withdrawing_a_report_revokes_its_credential_and_no_other(system: System, batch: Batch) -> None:
    assert not any(is_revoked(system, row) for row in credentials(system, batch).values())
    withdraw(system, batch)
    issue_credentials(system)
    found = credentials(system, batch)
    assert (found["inspection"].reason, found["passport"].reason) == (RevokeReason.WITHDRAWN, "")
    assert is_revoked(system, found["inspection"])
    assert not is_revoked(system, found["passport"])


def test_a_recall_revokes_the_passport_and_no_other(system: System, batch: Batch) -> None:
    recall(system, batch)
    issue_credentials(system)
    found = credentials(system, batch)
    assert is_revoked(system, found["passport"])
    assert not is_revoked(system, found["inspection"])
    assert (found["passport"].revoked_at, found["passport"].reason) == (AT, RevokeReason.RECALLED)
    with system.main.read() as session:
        [act] = session.scalars(select(AuditAct).where(AuditAct.act == "credential:revoke")).all()
    assert (act.facts["jwt_sha256"], act.facts["reason"]) == (found["passport"].sha256, "recalled")


def test_a_hold_revokes_nothing(system: System, batch: Batch) -> None:
    with system.main.write() as session:
        batches.hold(session, batches.get(session, batch.ref), makers.HOLD, by=OPERATOR, at=AT)
        batches.renew_credentials(session, batches.get(session, batch.ref), by=OPERATOR, at=AT)
    issue_credentials(system)
    assert not any(is_revoked(system, row) for row in credentials(system, batch).values())


def test_the_list_is_signed_anew_with_the_next_number_and_keeps_earlier_bits(
    system: System, batch: Batch, time: Clock
) -> None:
    withdraw(system, batch)
    issue_credentials(system)
    time.on(minutes=5)
    recall(system, batch)
    issue_credentials(system)
    row = published(system)
    said = payload(row)
    assert (row.seq, said["credentialSubject"]["sequence"]) == (3, 3)
    assert said["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert said["credentialSubject"]["statusPurpose"] == "revocation"
    assert said["validFrom"] == "2026-11-22T04:05:00Z"
    assert all(is_revoked(system, one) for one in credentials(system, batch).values())
    assert decode(said["credentialSubject"]["encodedList"]) == row.bits


def test_what_ended_before_its_job_ran_is_not_issued(system: System) -> None:
    with system.main.write() as session:
        made = makers.released(session, system.ring)
    withdraw(system, made)
    recall(system, made)
    issue_credentials(system)
    assert credentials(system, made) == {}


def test_a_report_that_replaces_a_withdrawn_one_gets_a_credential_of_its_own(system: System, batch: Batch) -> None:
    withdraw(system, batch)
    with system.main.write() as session:
        a_certificate(session, batches.get(session, batch.ref))
    issue_credentials(system)
    with system.main.read() as session:
        found = [row for row in service.of_batch(session, batch) if row.kind == Kind.INSPECTION]
    assert [row.reason for row in found] == [RevokeReason.WITHDRAWN, ""]


def test_the_store_keeps_one_credential_in_force_of_each_thing(system: System, batch: Batch) -> None:
    for row in credentials(system, batch).values():
        facts = {name: getattr(row, name) for name in ("kind", "batch_id", "certificate_id", "jwt", "sha256", "kid")}
        with pytest.raises(IntegrityError), system.main.write() as session:
            session.add(Credential(**facts, list_number=1, status_index=row.status_index ^ 1, issued_at=AT))


# --- a revoked key ----------------------------------------------------------------------------------------------------


def revoke_key(system: System, role: Role, time: Clock) -> str:
    with system.main.write() as session:
        key = keys.current_pair(session, role)
        keys.revoke(session, key, "stolen laptop", system.ring, by=OPERATOR, at=time.on(days=1))
        service.after_revocation(session, key, by=OPERATOR, at=time.at)
    issue_credentials(system, time.at)
    return key.kid


def test_what_a_revoked_key_signed_is_revoked_and_issued_anew(system: System, batch: Batch, time: Clock) -> None:
    before = credentials(system, batch)
    kid = revoke_key(system, Role.CREDENTIAL, time)
    for kind, old in before.items():
        assert is_revoked(system, old)
        new = credentials(system, batch)[kind]
        assert (new.kid != kid, new.revoked_at, is_revoked(system, new)) == (True, None, False)
        assert payload(new)["credentialSubject"] == payload(old)["credentialSubject"]
    with system.main.read() as session:
        did = directory.did_document(system.issuer, keys.all_of(session))
        reasons = session.scalars(select(Credential.reason).where(Credential.kid == kid)).all()
    assert set(reasons) == {RevokeReason.KEY_REVOKED}
    [method] = [one for one in did["verificationMethod"] if one["id"] == f"{DID}#{kid}"]
    assert method["revoked"] == "2026-11-23T04:00:00Z"
    assert f"{DID}#{kid}" not in did["assertionMethod"]
    assert f"{DID}#{kid}" not in [key["kid"] for key in key_set(system)["keys"]]


def test_a_list_that_a_revoked_key_signed_is_signed_anew(system: System, batch: Batch, time: Clock) -> None:
    recall(system, batch)
    issue_credentials(system)
    before = published(system)
    kid = revoke_key(system, Role.STATUS, time)
    after = published(system)
    assert (before.kid, after.kid != kid, after.seq, after.bits) == (kid, True, before.seq + 1, before.bits)
    assert credentials(system, batch)["inspection"].revoked_at is None


def test_revoking_a_key_of_codes_touches_no_credential(system: System, batch: Batch, time: Clock) -> None:
    before = {kind: row.jwt for kind, row in credentials(system, batch).items()}
    revoke_key(system, Role.ITEM, time)
    assert {kind: row.jwt for kind, row in credentials(system, batch).items()} == before


# --- check ------------------------------------------------------------------------------------------------------------


def check(system: System, text: str, *, late: timedelta = timedelta()) -> checking.Checked:
    with system.main.read() as session:
        return checking.check(session, text, at=AT + late)


def refused(system: System, text: str) -> str:
    with pytest.raises(SigningError) as error:
        check(system, text)
    return error.value.rule


@pytest.mark.parametrize("kind", Kind)
def test_an_issued_credential_checks_out(system: System, batch: Batch, kind: Kind) -> None:
    row = credentials(system, batch)[kind]
    found = check(system, row.jwt)
    assert found.row is not None
    assert (found.row.ref, found.sha256, found.revoked, found.expired) == (row.ref, row.sha256, False, False)


def test_each_changed_byte_is_refused(system: System, batch: Batch) -> None:
    text = credentials(system, batch)["passport"].jwt
    with system.main.read() as session:
        for place, character in enumerate(text):
            for other in {"A", "b", "."} - {character}:
                with pytest.raises(SigningError):
                    checking.check(session, text[:place] + other + text[place + 1 :], at=AT)


def test_a_revoked_credential_is_told_by_the_published_list_even_when_its_row_says_otherwise(
    system: System, batch: Batch
) -> None:
    recall(system, batch)
    issue_credentials(system)

    def pretend(session: Any) -> None:
        row = session.scalars(select(Credential).where(Credential.kind == "passport")).one()
        row.revoked_at, row.reason = None, ""

    rewrite(system, pretend)
    assert check(system, credentials(system, batch)["passport"].jwt).revoked


def test_a_list_whose_bits_were_cleared_in_the_store_still_says_what_was_signed(system: System, batch: Batch) -> None:
    recall(system, batch)
    issue_credentials(system)

    def clear(session: Any) -> None:
        session.scalars(select(StatusList)).one().bits = empty()

    rewrite(system, clear)
    assert check(system, credentials(system, batch)["passport"].jwt).revoked


def test_two_lists_that_were_swapped_in_the_store_are_found(
    system: System, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FULL", 2)
    with system.main.write() as session:
        makers.released(session, system.ring)
    issue_credentials(system)

    def swap(session: Any) -> None:
        one, two = session.scalars(select(StatusList).order_by(StatusList.number))
        one.jwt, two.jwt = two.jwt, one.jwt

    rewrite(system, swap)
    assert refused(system, credentials(system, batch)["passport"].jwt) == "credential.status"


def test_an_older_list_is_not_the_published_one(system: System, batch: Batch) -> None:
    old = published(system).jwt
    assert not check(system, old).revoked
    recall(system, batch)
    issue_credentials(system)
    assert check(system, old).revoked


def test_a_report_past_its_last_day_is_told(system: System) -> None:
    with system.main.write() as session:
        made = a_batch(session)
        a_certificate(session, made, expires_on="2026-11-22")
    issue_credentials(system)
    text = credentials(system, made)["inspection"].jwt
    assert not check(system, text, late=timedelta(hours=12)).expired
    assert check(system, text, late=timedelta(hours=12, seconds=1)).expired


def resigned(system: System, row: Credential, role: Role = Role.CREDENTIAL, **changed: object) -> str:
    """The same credential with other members, signed by the operator's own key."""
    with system.main.read() as session:
        pair = system.ring.pair(keys.current_pair(session, role).kid)
    said = {name: value for name, value in (payload(row) | changed).items() if value is not None}
    return jws.sign(pair, said, kid=f"{DID}#{pair.kid}", typ="vc+jwt")


def entry(number: str = "1", index: str = "1", base: str = BASE) -> dict[str, str]:
    where = f"{base}/credentials/status/{number}"
    return {"type": "BitstringStatusListEntry", "statusListCredential": where, "statusListIndex": index}


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"@context": ["https://www.w3.org/2018/credentials/v1"]}, "credential.context"),
        ({"@context": None}, "credential.context"),
        ({"type": ["DigitalProductPassport"]}, "credential.type"),
        ({"issuer": {"id": "did:web:evil.example"}}, "credential.issuer"),
        ({"issuer": DID}, "credential.issuer"),
        ({"credentialSubject": None}, "credential.subject"),
        ({"credentialStatus": None}, "credential.status"),
        ({"credentialStatus": entry(number="9")}, "credential.status"),
        ({"credentialStatus": entry(number="01")}, "credential.status"),
        ({"credentialStatus": entry(index="-1")}, "credential.status"),
        ({"credentialStatus": entry(index="007")}, "credential.status"),
        ({"credentialStatus": entry(index="\u0663")}, "credential.status"),
        ({"credentialStatus": entry(index="9" * 5000)}, "credential.status"),
        ({"credentialStatus": entry(index=str(SIZE))}, "status-list.index"),
        ({"credentialStatus": entry(base="https://evil.example")}, "credential.status"),
        ({"validUntil": "2027"}, "credential.time"),
        ({"validUntil": "2027-01-01T00:00:00+00:00"}, "credential.time"),
        ({"iat": None}, "credential.iat"),
        ({"iat": True}, "credential.iat"),
        ({"iat": int(AT.timestamp()) - 1}, "credential.key-time"),
    ],
)
def test_a_credential_that_lacks_something_is_refused_although_it_is_signed(
    system: System, batch: Batch, changed: dict[str, object], rule: str
) -> None:
    assert refused(system, resigned(system, credentials(system, batch)["passport"], **changed)) == rule


def test_a_credential_that_was_never_issued_is_not_on_record(system: System, batch: Batch) -> None:
    found = check(system, resigned(system, credentials(system, batch)["passport"], name="another one"))
    assert found.row is None


@pytest.mark.parametrize("role", [Role.ITEM, Role.STATUS])
def test_a_key_of_another_role_signs_no_credential(system: System, batch: Batch, role: Role) -> None:
    text = resigned(system, credentials(system, batch)["passport"], role)
    assert refused(system, text) == "credential.key-role"


def test_the_key_of_credentials_signs_no_status_list(system: System, batch: Batch) -> None:
    with system.main.read() as session:
        pair = system.ring.pair(keys.current_pair(session, Role.CREDENTIAL).kid)
    text = jws.sign(pair, payload(published(system)), kid=f"{DID}#{pair.kid}", typ="vc+jwt")
    assert refused(system, text) == "credential.key-role"


def test_a_key_that_nobody_knows_is_refused(system: System, batch: Batch) -> None:
    stranger = PrivateKey.generate()
    text = jws.sign(
        stranger, payload(credentials(system, batch)["passport"]), kid=f"{DID}#{stranger.kid}", typ="vc+jwt"
    )
    assert refused(system, text) == "credential.unknown-key"


def test_what_a_retired_key_signed_stays_valid_and_it_signs_nothing_afterwards(
    system: System, batch: Batch, time: Clock
) -> None:
    row = credentials(system, batch)["passport"]
    with system.main.write() as session:
        old = system.ring.pair(keys.current_pair(session, Role.CREDENTIAL).kid)
        keys.rotate(session, system.ring, Role.CREDENTIAL, by=OPERATOR, at=time.on(days=1))
    assert check(system, row.jwt).row is not None
    late = payload(row) | {"iat": int(time.on(days=1).timestamp())}
    assert refused(system, jws.sign(old, late, kid=f"{DID}#{old.kid}", typ="vc+jwt")) == "credential.key-time"
    assert {f"{DID}#{row.kid}"} < {key["kid"] for key in key_set(system)["keys"]}


# --- keys and contexts ------------------------------------------------------------------------------------------------


def test_the_did_document_and_the_jwks_hold_the_same_keys(system: System, batch: Batch) -> None:
    with system.main.read() as session:
        history = keys.all_of(session)
        did = directory.did_document(system.issuer, history)
    assert did["id"] == DID
    methods = {method["id"]: method for method in did["verificationMethod"]}
    assert {method["type"] for method in methods.values()} == {"JsonWebKey"}
    assert {method["controller"] for method in methods.values()} == {DID}
    by_kid = {key["kid"]: key for key in key_set(system)["keys"]}
    for kid, method in methods.items():
        thumbprint = kid.partition("#")[2]
        assert method["publicKeyJwk"]["kid"] == thumbprint
        twin = by_kid.get(kid) or by_kid[thumbprint]
        assert {**twin, "kid": thumbprint} == method["publicKeyJwk"]
    assert f"{DID}#{credentials(system, batch)['passport'].kid}" in did["assertionMethod"]


def test_a_key_of_item_codes_is_listed_but_asserts_nothing(system: System) -> None:
    with system.main.read() as session:
        item = keys.current_pair(session, Role.ITEM)
        did = directory.did_document(system.issuer, keys.all_of(session))
    assert f"{DID}#{item.kid}" in [method["id"] for method in did["verificationMethod"]]
    assert f"{DID}#{item.kid}" not in did["assertionMethod"]


def test_no_secret_stands_in_the_published_keys(system: System) -> None:
    with system.main.read() as session:
        history = keys.all_of(session)
        shown = json.dumps([directory.did_document(system.issuer, history), directory.jwks(system.issuer, history)])
        secrets = [key.kid for key in history if key.public_jwk is None]
    assert secrets
    assert '"d"' not in shown
    assert not any(kid in shown for kid in secrets)


def test_each_context_is_pinned_by_its_hash() -> None:
    assert {name: digest.hex() for name, digest in contexts.hashes(BASE).items()} == {
        "https://www.w3.org/ns/credentials/v2": "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
        "https://t.example.cn/contexts/records/v1": OWN_CONTEXT_SHA256,
    }


OWN_CONTEXT_SHA256 = "210e55d0d182a6ea84c6f1a28b4d1462f027320d6cf51d08c39e850f1a93cdc9"
OF_W3C = {
    "@context", "id", "type", "name", "description", "issuer", "iat", "validFrom", "validUntil", "credentialStatus",
    "statusPurpose", "statusListIndex", "statusListCredential", "relatedResource", "mediaType", "digestMultibase",
    "credentialSubject", "encodedList", "VerifiableCredential", "BitstringStatusListEntry", "BitstringStatusList",
    "BitstringStatusListCredential",
}  # fmt: skip
"""Words of the W3C context that we use."""


def words(value: object) -> set[str]:
    """Every member name and type in a document."""
    if isinstance(value, list):
        return {word for one in value for word in words(one)}
    if not isinstance(value, dict):
        return set()
    kinds = value.get("type", [])
    return (
        set(value)
        | set([kinds] if isinstance(kinds, str) else kinds)
        | {word for one in value.values() for word in words(one)}
    )


def test_every_word_of_a_credential_is_defined_and_no_word_of_w3c_is_defined_anew(system: System, batch: Batch) -> None:
    own = set(json.loads(contexts.document(BASE))["@context"]) - {"@version", "@protected"}
    assert not own & OF_W3C
    used = {word for row in credentials(system, batch).values() for word in words(payload(row))}
    assert used <= own | OF_W3C
    assert words(payload(published(system))) <= own | OF_W3C


def test_a_credential_carries_the_hashes_of_its_contexts(system: System, batch: Batch) -> None:
    related = payload(credentials(system, batch)["passport"])["relatedResource"]
    for one, (name, digest) in zip(related, contexts.hashes(BASE).items(), strict=True):
        raw = urlsafe_b64decode(one["digestMultibase"][1:] + "==")
        assert (one["id"], raw) == (name, b"\x12\x20" + digest)


def test_a_port_is_written_in_the_did_as_did_web_wants_it() -> None:
    assert Issuer("http://127.0.0.1:8000", ZoneInfo("UTC")).did == "did:web:127.0.0.1%3A8000"


# --- an older store ---------------------------------------------------------------------------------------------------


def test_a_store_from_before_gets_its_credentials_from_the_worker(system: System) -> None:
    with system.main.write() as session:
        made = makers.released(session, system.ring)
        waiting = a_batch(session, lot="WAITS")
        a_certificate(session, waiting, accepted=False)
    migrate.downgrade("main", system.main, BEFORE)
    system.migrate()
    system.worker().run_all()
    assert sorted(credentials(system, made)) == [Kind.INSPECTION, Kind.PASSPORT]
    assert credentials(system, waiting) == {}


# --- the operator -----------------------------------------------------------------------------------------------------


def test_renew_orders_a_job_for_every_batch_that_may_need_one(system: System, batch: Batch) -> None:
    with system.main.write() as session:
        a_batch(session)
        assert service.renew(session, by=OPERATOR, at=AT) == 1
        waiting = session.scalars(select(Job).where(Job.state == "queued")).all()
    assert [(job.kind, job.payload) for job in waiting] == [(JobKind.CREDENTIALS, {"batch": batch.ref})]


def test_credentials_are_found_by_lot_kind_and_hash(system: System, batch: Batch) -> None:
    row = credentials(system, batch)["passport"]
    with system.main.read() as session:
        for search, kind in ((batch.lot, "passport"), (row.sha256[:16], ""), (row.ref, "")):
            assert session.scalars(service.matching(search, kind)).one().ref == row.ref
