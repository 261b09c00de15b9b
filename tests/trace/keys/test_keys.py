from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from makers import AT, PASSPHRASE, Template, a_batch, a_visitor, acts, codes, rows, rules
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotseal.signing.canonical import canonical_json
from lotseal.signing.ed25519 import Ed25519Public
from lotseal.signing.item import ALPHABET
from lotseal.signing.keys import Role
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.errors import Conflict, Invalid, Unavailable
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.models import SigningKey
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.log.models import AuditAct
from lotseal.trace.passport import service as passport
from lotseal.trace.passport.model import State
from lotseal.trace.system import System


@pytest.fixture
def folder(template: Template, tmp_path: Path) -> Path:
    """A copy of the key files that a test may spoil."""
    return Path(shutil.copytree(template.data / "keys", tmp_path / "keys"))


def refusal(ring: KeyRing, *, pair: str = "", secret: str = "") -> str:
    with pytest.raises(Unavailable) as error:
        ring.pair(pair) if pair else ring.secret(secret)
    [(_, rule)] = rules(error)
    return rule


def test_a_fresh_store_has_its_five_keys_and_needs_no_more(lasting: Session, ring: KeyRing) -> None:
    found = [(key.role, key.letter, key.algorithm) for key in keys.all_of(lasting)]
    assert found == [
        ("item", "2", "ES256"),
        ("item", None, "HMAC-SHA256"),
        ("credential", None, "ES256"),
        ("log", None, "Ed25519"),
        ("status", None, "ES256"),
    ]
    assert keys.add_missing(lasting, ring, by=OPERATOR, at=AT) == []


def test_an_older_store_gets_the_keys_that_it_lacks_and_keeps_the_others(lasting: Session, ring: KeyRing) -> None:
    kept = [key.kid for key in keys.all_of(lasting) if key.role in ("item", "credential")]
    for key in keys.all_of(lasting):
        if key.kid not in kept:
            lasting.delete(key)
    assert keys.missing(lasting) == [(Role.LOG, True), (Role.STATUS, True)]
    made = keys.add_missing(lasting, ring, by=OPERATOR, at=AT)
    assert [key.role for key in made] == ["log", "status"]
    assert [key.kid for key in keys.all_of(lasting)][:3] == kept
    log_key = ring.log_key(made[0].kid)
    Ed25519Public.from_jwk(made[0].public_jwk or {}).verify(b"note", log_key.sign(b"note"))


def test_the_act_of_a_new_key_holds_its_public_half(lasting: Session, ring: KeyRing) -> None:
    made = keys.rotate(lasting, ring, Role.ITEM, by=OPERATOR, at=AT, reason="once a year")
    retired, _, added, secret = lasting.scalars(select(AuditAct).order_by(AuditAct.id))
    assert retired.facts["reason"] == "once a year"
    expected = {"role": "item", "kid": made[0].kid, "alg": "ES256", "letter": "3", "home": "file"}
    assert added.facts == {**expected, "jwk": made[0].public_jwk}
    assert (secret.facts["alg"], secret.facts["jwk"]) == ("HMAC-SHA256", None)


@pytest.mark.parametrize("role", [Role.ROOT, "boss", ""])
def test_other_roles_are_not_rotated_here(lasting: Session, ring: KeyRing, role: Role) -> None:
    with pytest.raises(Invalid) as error:
        keys.rotate(lasting, ring, role, by=OPERATOR, at=AT)
    assert rules(error) == [("role", "choice.unknown")]


def test_the_history_is_plain_json_with_every_key_and_moment(lasting: Session, ring: KeyRing) -> None:
    keys.rotate(lasting, ring, Role.CREDENTIAL, by=OPERATOR, at=AT, reason="once a year")
    found = keys.history(lasting)
    assert json.loads(canonical_json(found)) == found
    assert [key["role"] for key in found] == ["item", "item", "credential", "log", "status", "credential"]
    assert [key["jwk"] is None for key in found] == [False, True, False, False, False, False]
    moment = "2026-11-22T04:00:00.000000+00:00"
    told = {name: found[2][name] for name in ("added_at", "retired_at", "revoked_at", "reason", "letter")}
    assert told == {
        "added_at": moment, "retired_at": moment, "revoked_at": None, "reason": "once a year", "letter": None
    }  # fmt: skip


def test_key_files_are_encrypted_and_closed_to_others(folder: Path) -> None:
    files = list(folder.iterdir())
    assert {path.suffix for path in files} == {".pem", ".secret"}
    for path in files:
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes() or b"ciphertext" in path.read_bytes()


def test_rotating_retires_the_old_keys_and_makes_new_ones(lasting: Session, ring: KeyRing) -> None:
    old_pair, old_secret = keys.current_pair(lasting, Role.ITEM), keys.current_secret(lasting)
    made = keys.rotate(lasting, ring, Role.ITEM, by=OPERATOR, at=AT)
    assert [(key.role, key.letter) for key in made] == [("item", "3"), ("item", None)]
    assert (old_pair.retired_at, old_secret.retired_at) == (AT, AT)
    assert keys.current_pair(lasting, Role.ITEM) is made[0]
    assert keys.current_secret(lasting) is made[1]
    assert keys.current_pair(lasting, Role.CREDENTIAL).retired_at is None
    assert acts(lasting) == ["key:retire", "key:retire", "key:add", "key:add"]
    assert len(keys.all_of(lasting, Role.ITEM)) == 4


def test_codes_of_retired_keys_stay_valid(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
    old = codes(system, batch, tier="A") + codes(system, batch, tier="B")
    with system.main.write() as session:
        keys.rotate(session, system.ring, Role.ITEM, by=OPERATOR, at=AT)
    new = codes(system, batch, tier="A") + codes(system, batch, tier="B")
    assert [code.signature[0] for code in (old[1], new[1]) if code.signature] == ["2", "3"]
    for code in old + new:
        assert passport.look_up(system.desk, code.asked(), a_visitor(), at=AT).state is State.NOT_RELEASED


def test_when_all_letters_are_used_up_it_says_so(lasting: Session, ring: KeyRing) -> None:
    for letter in ALPHABET[1:]:
        lasting.add(SigningKey(kid=letter, role=Role.ITEM, letter=letter, public_jwk={}, added_at=AT, retired_at=AT))
    lasting.flush()
    with pytest.raises(Conflict) as error, lasting.begin_nested():
        keys.rotate(lasting, ring, Role.ITEM, by=OPERATOR, at=AT)
    assert rules(error) == [(None, "key.letters-used-up")]
    assert keys.current_pair(lasting, Role.ITEM).letter == "2"


def test_a_store_without_keys_says_what_to_run(lasting: Session) -> None:
    for key in keys.all_of(lasting):
        lasting.delete(key)
    with pytest.raises(Unavailable, match="lotseal init") as error:
        keys.current_secret(lasting)
    assert rules(error) == [(None, "key.none")]
    assert rows(lasting, SigningKey) == 0


def test_a_key_opens_once_and_stays_open(lasting: Session, folder: Path) -> None:
    kid = keys.current_secret(lasting).kid
    opened = KeyRing(folder, PASSPHRASE)
    secret = opened.secret(kid)
    (folder / f"{kid}.secret").unlink()
    assert opened.secret(kid) is secret


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_read_is_not_opened(lasting: Session, folder: Path, mode: int) -> None:
    for path in folder.iterdir():
        path.chmod(mode)
    ring = KeyRing(folder, PASSPHRASE)
    assert refusal(ring, pair=keys.current_pair(lasting, Role.ITEM).kid) == "key.mode"
    assert refusal(ring, secret=keys.current_secret(lasting).kid) == "key.mode"


def test_a_key_file_that_is_gone_is_named(lasting: Session, folder: Path) -> None:
    shutil.rmtree(folder)
    ring = KeyRing(folder, PASSPHRASE)
    kid = keys.current_secret(lasting).kid
    assert refusal(ring, secret=kid) == "key.missing"
    assert refusal(ring, pair=keys.current_pair(lasting, Role.ITEM).kid) == "key.missing"
    with pytest.raises(Unavailable, match=rf"{kid}\.secret.*backup"):
        ring.secret(kid)


@pytest.mark.parametrize(("passphrase", "rule"), [("wrong horse battery", "key.locked"), ("", "key.no-passphrase")])
def test_without_the_right_passphrase_nothing_opens(lasting: Session, folder: Path, passphrase: str, rule: str) -> None:
    ring = KeyRing(folder, passphrase)
    assert refusal(ring, pair=keys.current_pair(lasting, Role.ITEM).kid) == rule
    assert refusal(ring, secret=keys.current_secret(lasting).kid) == rule


def test_a_changed_key_file_does_not_open(lasting: Session, folder: Path) -> None:
    for path in folder.iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    ring = KeyRing(folder, PASSPHRASE)
    assert refusal(ring, pair=keys.current_pair(lasting, Role.ITEM).kid) == "key.locked"
    assert refusal(ring, secret=keys.current_secret(lasting).kid) == "key.locked"


def test_a_key_file_under_the_name_of_another_key_does_not_sign(lasting: Session, folder: Path) -> None:
    ring = KeyRing(folder, PASSPHRASE)
    right, wrong = keys.current_pair(lasting, Role.ITEM).kid, ring.new_pair().kid
    (folder / f"{wrong}.pem").rename(folder / f"{right}.pem")
    assert refusal(KeyRing(folder, PASSPHRASE), pair=right) == "key.locked"
    tag, other = keys.current_secret(lasting).kid, ring.new_secret().kid
    (folder / f"{other}.secret").rename(folder / f"{tag}.secret")
    assert refusal(KeyRing(folder, PASSPHRASE), secret=tag) == "key.locked"


def test_no_key_is_made_without_a_passphrase(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys", "")
    with pytest.raises(Unavailable):
        ring.new_pair()
    with pytest.raises(Unavailable):
        ring.new_secret()
    assert not (tmp_path / "keys").exists()


def test_the_key_folder_is_closed_to_others(tmp_path: Path) -> None:
    KeyRing(tmp_path / "keys", PASSPHRASE).new_secret()
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
