"""The signing keys at the staff desk."""

from __future__ import annotations

import pytest
from office import Office, fields_in_error

from lotseal.signing.keys import Role
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.models import SigningKey
from lotseal.trace.keys.service import ROLES
from lotseal.trace.system import System


@pytest.fixture
def office(sqlite_system: System) -> Office:
    return Office(sqlite_system)


def current(office: Office, role: Role) -> SigningKey:
    with office.system.main.read() as db:
        return keys.current_pair(db, role)


def test_every_key_is_listed_with_its_use_place_and_state(office: Office) -> None:
    page = office.at_desk("erik").get("/staff/keys/").text
    for word in ("Checkpoints of the log", "Status lists", "Releases and credentials", "File of the key folder"):
        assert word in page
    for role in ROLES:
        assert current(office, role).kid in page


def test_an_auditor_reads_and_changes_nothing(office: Office) -> None:
    erik, key = office.at_desk("erik"), current(office, Role.STATUS)
    for path in ("/staff/keys/", f"/staff/keys/{key.ref}"):
        page = erik.get(path)
        assert page.status_code == 200
        assert 'action="/staff/keys/' not in page.text
    assert erik.post("/staff/keys/rotate", {"role": "status"}).status_code == 403
    assert erik.post(f"/staff/keys/{key.ref}/revoke", {"reason": "x"}).status_code == 403
    assert office.at_desk("bob").get("/staff/keys/").status_code == 403


def test_an_administrator_rotates_with_a_reason(office: Office) -> None:
    alice, old = office.at_desk("alice"), current(office, Role.CREDENTIAL)
    assert alice.post("/staff/keys/rotate", {"role": "credential", "reason": "once a year"}).status_code == 303
    new = current(office, Role.CREDENTIAL)
    assert new.kid != old.kid
    page = alice.get(f"/staff/keys/{old.ref}").text
    assert "once a year" in page
    assert "Key retired" in page


def test_a_refused_rotation_says_which_field(office: Office) -> None:
    answer = office.at_desk("alice").post("/staff/keys/rotate", {"role": "root", "reason": "why <b>"})
    assert answer.status_code == 422
    assert fields_in_error(answer.text) == ["role"]
    assert "why &lt;b&gt;" in answer.text


def test_an_administrator_revokes_with_a_reason_once(office: Office) -> None:
    alice, old = office.at_desk("alice"), current(office, Role.LOG)
    refused = alice.post(f"/staff/keys/{old.ref}/revoke", {"reason": ""})
    assert (refused.status_code, fields_in_error(refused.text)) == (422, ["reason"])
    assert current(office, Role.LOG).kid == old.kid
    answer = alice.post(f"/staff/keys/{old.ref}/revoke", {"reason": "stolen laptop"})
    assert answer.status_code == 303
    assert current(office, Role.LOG).kid != old.kid
    page = alice.get(answer.location).text
    assert "stolen laptop" in page
    assert "Key revoked" in page
    assert "/revoke" not in page
    assert alice.post(f"/staff/keys/{old.ref}/revoke", {"reason": "again"}).status_code == 409


def test_an_act_leads_to_its_key_and_an_unknown_key_is_missing(office: Office) -> None:
    alice = office.at_desk("alice")
    alice.post("/staff/keys/rotate", {"role": "status"})
    kid = current(office, Role.STATUS).kid
    assert f"/staff/keys/{kid}" in alice.get("/staff/acts/?act=key:add").text
    assert alice.get(f"/staff/keys/{kid}").status_code == 200
    assert alice.get("/staff/keys/unknown").status_code == 404
