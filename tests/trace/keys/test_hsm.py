"""Keys on a PKCS#11 token: a real SoftHSM."""

from __future__ import annotations

import ctypes.util
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from makers import AT, PASSPHRASE, Template, a_batch, a_visitor, codes, released, rules
from sqlalchemy.orm import Session

from lotseal.signing.context import Context
from lotseal.signing.errors import Malformed
from lotseal.signing.keys import ORDER, PublicKey, Role
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.errors import Conflict, Invalid, Unavailable
from lotseal.trace.keys import hsm
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.models import Home, SigningKey
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.keys.service import Place
from lotseal.trace.passport import service as passport
from lotseal.trace.passport.model import State
from lotseal.trace.releases import service as releases
from lotseal.trace.system import System

ON_TOKEN = Place(Home.PKCS11)
PLACES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so")


@pytest.fixture(scope="module")
def library() -> str:
    return next((place for place in PLACES if Path(place).exists()), ctypes.util.find_library("softhsm2") or PLACES[0])


@pytest.fixture(scope="module")
def token(library: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[hsm.Access]:
    """A token of this module alone; the library reads where it lies only once."""
    import pkcs11

    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(folder / "conf"))
        environment.setenv("PYKCS11LIB", "")
        command = ["softhsm2-util", "--init-token", "--free", "--label", "lotseal", "--pin", "1234", "--so-pin", "4321"]
        subprocess.run(command, check=True, capture_output=True)
        yield hsm.Access(library, "lotseal", "1234")
        pkcs11.unload(library)


@pytest.fixture
def keyring(template: Template, token: hsm.Access) -> KeyRing:
    return KeyRing(template.data / "keys", PASSPHRASE, token)


def on_token(session: Session, ring: KeyRing, role: Role = Role.CREDENTIAL) -> SigningKey:
    made = keys.rotate(session, ring, role, by=OPERATOR, at=AT, place=ON_TOKEN)
    return next(key for key in made if key.public_jwk)


def test_a_key_on_the_token_keeps_the_promise_of_a_signer(token: hsm.Access) -> None:
    key = hsm.make(token, "lotseal test")
    for _ in range(8):
        signature = key.sign(Context.RELEASE, b"m")
        assert len(signature) == 64
        assert int.from_bytes(signature[32:], "big") <= ORDER // 2
        key.public.verify(Context.RELEASE, b"m", signature)
    key.public.verify_jws(b"e30.e30", key.sign_jws(b"e30.e30"))
    with pytest.raises(Malformed):
        key.sign_jws(Context.RELEASE.bind(b"m"))
    assert repr(key) == f"<TokenKey {key.kid}>"
    assert "1234" not in repr(token)


def test_the_private_half_cannot_be_read_from_the_token(token: hsm.Access) -> None:
    import pkcs11

    key = hsm.make(token, "lotseal test")
    number = int(key.uri.removeprefix("hsm:").partition("?")[0])
    with pkcs11.lib(token.library).get_token(token_label="lotseal").open(user_pin="1234") as session:
        private = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, id=number.to_bytes(8, "big"))
        assert (private[pkcs11.Attribute.SENSITIVE], private[pkcs11.Attribute.EXTRACTABLE]) == (True, False)


def test_a_release_is_signed_by_the_token_and_the_row_says_where_the_key_lives(
    lasting: Session, keyring: KeyRing
) -> None:
    key = on_token(lasting, keyring)
    assert (key.home, (key.token_uri or "").partition("?")[2]) == ("pkcs11", "label=lotseal")
    row = releases.of_batch(lasting, released(lasting, keyring))
    assert row is not None
    assert row.kid == key.kid
    releases.check(lasting, row)


def test_tier_b_codes_of_a_token_verify(sqlite_system: System, keyring: KeyRing) -> None:
    system = replace(sqlite_system, ring=keyring)
    with system.main.write() as session:
        batch = a_batch(session)
        on_token(session, keyring, Role.ITEM)
    for code in codes(system, batch, 3, "B"):
        assert passport.look_up(system.desk, code.asked(), a_visitor(), at=AT).state is State.NOT_RELEASED


def test_a_rotation_and_a_revocation_keep_to_the_place_unless_told_otherwise(
    lasting: Session, keyring: KeyRing
) -> None:
    on_token(lasting, keyring)
    [again] = keys.rotate(lasting, keyring, Role.CREDENTIAL, by=OPERATOR, at=AT)
    assert again.home == "pkcs11"
    [third] = keys.revoke(lasting, again, "stolen", keyring, by=OPERATOR, at=AT)
    assert third.home == "pkcs11"
    without = KeyRing(keyring._folder, PASSPHRASE)
    with pytest.raises(Unavailable):
        keys.revoke(lasting, third, "token lost", without, by=OPERATOR, at=AT)
    lasting.refresh(third)
    third.revoked_at = third.retired_at = None
    [fourth] = keys.revoke(lasting, third, "token lost", without, by=OPERATOR, at=AT, place=Place(Home.FILE))
    assert fourth.home == "file"


def test_a_key_that_is_on_the_token_already_is_adopted_once(
    lasting: Session, keyring: KeyRing, token: hsm.Access
) -> None:
    there = hsm.make(token, "made elsewhere")
    place = Place(Home.PKCS11, int(there.uri.removeprefix("hsm:").partition("?")[0]))
    [key] = keys.rotate(lasting, keyring, Role.STATUS, by=OPERATOR, at=AT, place=place)
    assert key.kid == there.kid
    PublicKey.from_jwk(key.public_jwk or {}).verify_jws(b"a.b", keyring.signer(key).sign_jws(b"a.b"))
    with pytest.raises(Conflict) as refused:
        keys.rotate(lasting, keyring, Role.CREDENTIAL, by=OPERATOR, at=AT, place=place)
    assert rules(refused) == [("token_key", "key.known")]


def test_a_key_on_another_curve_is_not_adopted(token: hsm.Access) -> None:
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    with pkcs11.lib(token.library).get_token(token_label="lotseal").open(rw=True, user_pin="1234") as session:
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp384r1")}
        parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        parameters.generate_keypair(id=bytes([9]), label="other", store=True)
    with pytest.raises(Invalid) as refused:
        hsm.adopt(token, 9)
    assert rules(refused) == [("token_key", "hsm.curve")]


def test_another_key_under_the_same_id_of_the_token_is_found(token: hsm.Access) -> None:
    one, other = hsm.make(token, "one"), hsm.make(token, "other")
    swapped = hsm.TokenKey(token, other.uri, one.public)
    for sign in (lambda: swapped.sign(Context.RELEASE, b"m"), lambda: swapped.sign_jws(b"a.b")):
        with pytest.raises(Unavailable) as refused:
            sign()
        assert rules(refused) == [(None, "hsm.other-key")]


@pytest.mark.parametrize(("role", "home"), [(Role.LOG, Home.PKCS11), (Role.CREDENTIAL, Home.OFFLINE)])
def test_some_keys_cannot_live_there(lasting: Session, keyring: KeyRing, role: Role, home: Home) -> None:
    with pytest.raises(Invalid) as refused:
        keys.rotate(lasting, keyring, role, by=OPERATOR, at=AT, place=Place(home))
    assert rules(refused) == [("home", "key.home")]


# --- what can be missing ----------------------------------------------------------------------------------------------


def test_without_settings_it_says_which_are_missing() -> None:
    with pytest.raises(Unavailable, match="LOTSEAL_PKCS11_LIBRARY, LOTSEAL_PKCS11_PIN") as refused:
        hsm.make(hsm.Access(token="lotseal"), "x")
    assert rules(refused) == [(None, "hsm.settings")]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11.exceptions", None)
    with pytest.raises(Unavailable, match=r"pip install 'lotseal\[hsm\]'") as refused:
        hsm.make(hsm.Access("/lib.so", "lotseal", "1"), "x")
    assert rules(refused) == [(None, "hsm.extra")]


def test_a_library_a_token_or_a_key_that_is_not_there_is_named(
    token: hsm.Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYKCS11LIB", "")
    known = hsm.make(token, "known")
    gone = hsm.TokenKey(token, "hsm:5?label=lotseal", known.public)
    for fail, told in (
        (lambda: hsm.make(hsm.Access("/nowhere.so", "lotseal", "1"), "x"), "/nowhere.so"),
        (lambda: hsm.make(hsm.Access(token.library, "other", "1"), "x"), "«other»"),
        (lambda: hsm.adopt(token, 4), "could not find"),
        (lambda: gone.sign_jws(b"a.b"), "could not find"),
    ):
        with pytest.raises(Unavailable, match=told) as refused:
            fail()
        assert rules(refused) == [(None, "hsm.token")]


def test_a_refused_pin_is_not_tried_twice(token: hsm.Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hsm, "_refused", set())
    wrong = hsm.Access(token.library, token.token, "9999")
    key = hsm.TokenKey(wrong, hsm.make(token, "x").uri, hsm.make(token, "y").public)
    for _ in range(2):
        with pytest.raises(Unavailable, match="refused the PIN") as refused:
            key.sign_jws(b"a.b")
        assert rules(refused) == [(None, "hsm.pin")]
        # The library is taken away: a second try would now say something else.
        os.environ["PYKCS11LIB"] = ""
        monkeypatch.setattr(hsm, "lend", lambda name, value: pytest.fail("the token was asked again"))
