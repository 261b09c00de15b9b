from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing.canonical import canonical_json
from lotseal.signing.context import Context
from lotseal.signing.errors import Malformed, WrongPassphrase
from lotseal.signing.keys import Role
from lotseal.signing.secret import MacSecret

PASSPHRASE = b"correct horse battery staple"


@pytest.fixture(scope="module")
def secret() -> MacSecret:
    return MacSecret(bytes(range(32)))


@pytest.fixture(scope="module")
def sealed(secret: MacSecret) -> bytes:
    return secret.seal(PASSPHRASE)


def with_change(sealed: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    members = json.loads(sealed)
    change(members)
    return canonical_json(members)


def test_the_mac_is_hmac_sha_256_over_the_bound_message(secret: MacSecret) -> None:
    by_hand = hmac.new(bytes(range(32)), b"lotseal/item-tag/v1\nm", hashlib.sha256).digest()
    assert secret.mac(Context.ITEM_TAG, b"m") == by_hand


def test_a_mac_differs_by_context() -> None:
    secret = MacSecret.generate()
    assert len({secret.mac(context, b"m") for context in Context}) == len(Context)


def test_the_key_id_is_a_hash_of_a_commitment_and_not_of_the_secret(secret: MacSecret) -> None:
    raw = bytes(range(32))
    commitment = hmac.new(raw, b"lotseal/secret-commitment/v1\n", hashlib.sha256).digest()
    digest = hashlib.sha256(b"lotseal/secret-key-id/v1\n" + commitment).digest()
    assert secret.kid == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert secret.kid != base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()


def test_a_secret_comes_back_from_its_container(secret: MacSecret, sealed: bytes) -> None:
    again = MacSecret.unseal(sealed, PASSPHRASE)
    assert again.kid == secret.kid
    assert again.mac(Context.ITEM_TAG, b"m") == secret.mac(Context.ITEM_TAG, b"m")


def test_two_generated_secrets_differ() -> None:
    assert MacSecret.generate().kid != MacSecret.generate().kid


def test_two_containers_of_one_secret_share_neither_salt_nor_nonce(secret: MacSecret, sealed: bytes) -> None:
    one, two = json.loads(sealed), json.loads(secret.seal(PASSPHRASE))
    assert one["nonce"] != two["nonce"]
    assert one["kdf"]["salt"] != two["kdf"]["salt"]


def test_the_container_states_its_version_and_its_cost(secret: MacSecret, sealed: bytes) -> None:
    members = json.loads(sealed)
    assert members.keys() == {"ciphertext", "kdf", "kid", "nonce", "role", "version"}
    assert members["kdf"] | {"salt": ""} == {"name": "scrypt", "n": 16384, "r": 8, "p": 5, "salt": ""}
    assert (members["version"], members["role"], members["kid"]) == (1, "item", secret.kid)
    assert bytes(range(32)) not in base64.urlsafe_b64decode(members["ciphertext"])


def test_a_wrong_passphrase_is_told_as_such(sealed: bytes) -> None:
    with pytest.raises(WrongPassphrase) as refused:
        MacSecret.unseal(sealed, b"wrong")
    assert refused.value.rule == "secret.passphrase"


@pytest.mark.parametrize("passphrase", [b"", b"a" * 1025])
def test_an_empty_or_endless_passphrase_is_refused(secret: MacSecret, sealed: bytes, passphrase: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        secret.seal(passphrase)
    assert refused.value.rule == "passphrase.length"
    with pytest.raises(Malformed) as refused:
        MacSecret.unseal(sealed, passphrase)
    assert refused.value.rule == "passphrase.length"


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_secret_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(Malformed) as refused:
        MacSecret(bytes(length))
    assert refused.value.rule == "secret.length"


def other_text(text: str) -> str:
    """The first character changed, which keeps the spelling valid."""
    return ("B" if text[0] == "A" else "A") + text[1:]


def change_salt(members: dict[str, Any]) -> None:
    members["kdf"]["salt"] = other_text(members["kdf"]["salt"])


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(kid=other_text(m["kid"])),
        lambda m: m.update(nonce=other_text(m["nonce"])),
        lambda m: m.update(ciphertext=other_text(m["ciphertext"])),
        lambda m: m["kdf"].update(n=65536),
        change_salt,
    ],
)
def test_a_tampered_container_does_not_open(sealed: bytes, change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(WrongPassphrase):
        MacSecret.unseal(with_change(sealed, change), PASSPHRASE)


def test_a_secret_does_not_open_for_another_role(sealed: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        MacSecret.unseal(sealed, PASSPHRASE, Role.CREDENTIAL)
    assert refused.value.rule == "secret.role"
    renamed = with_change(sealed, lambda m: m.update(role="credential"))
    with pytest.raises(WrongPassphrase):
        MacSecret.unseal(renamed, PASSPHRASE, Role.CREDENTIAL)


def test_a_secret_sealed_under_a_foreign_key_id_is_refused(secret: MacSecret) -> None:
    liar = MacSecret(bytes(32))
    liar.kid = secret.kid
    with pytest.raises(Malformed) as refused:
        MacSecret.unseal(liar.seal(PASSPHRASE), PASSPHRASE)
    assert refused.value.rule == "secret.kid"


@pytest.mark.parametrize("n", [0, 1, 2**13, 2**14 - 1, 2**18, 2**30, True, "16384", None, [16384]])
def test_a_cost_outside_the_bounds_is_refused_before_it_is_paid(sealed: bytes, n: object) -> None:
    with pytest.raises(Malformed) as refused:
        MacSecret.unseal(with_change(sealed, lambda m: m["kdf"].update(n=n)), PASSPHRASE)
    assert refused.value.rule == "secret.kdf"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda m: m.update(version=2), "secret.members"),
        (lambda m: m.update(note="more"), "secret.members"),
        (lambda m: m["kdf"].update(name="pbkdf2"), "secret.members"),
        (lambda m: m["kdf"].update(r=1), "secret.members"),
        (lambda m: m["kdf"].update(p=2), "secret.members"),
        (lambda m: m["kdf"].update(more=1), "secret.members"),
        (lambda m: m.update(kdf="scrypt"), "secret.members"),
        (lambda m: m.update(role="boss"), "secret.members"),
        (lambda m: m.update(role=["item"]), "secret.members"),
        (lambda m: m.pop("kid"), "secret.members"),
        (lambda m: m.update(kid="short"), "secret.kid"),
        (lambda m: m.update(nonce=m["nonce"] + "="), "secret.nonce"),
        (lambda m: m["kdf"].update(salt=1), "secret.salt"),
        (lambda m: m.update(ciphertext=m["ciphertext"][:-4]), "secret.ciphertext"),
        (lambda m: m.update(ciphertext="A" * 2000), "secret.size"),
    ],
)
def test_a_container_of_another_form_is_refused(
    sealed: bytes, change: Callable[[dict[str, Any]], object], rule: str
) -> None:
    with pytest.raises(Malformed) as refused:
        MacSecret.unseal(with_change(sealed, change), PASSPHRASE)
    assert refused.value.rule == rule


def test_another_spelling_of_a_container_is_refused(sealed: bytes) -> None:
    for spelling in (sealed + b"\n", b" " + sealed, json.dumps(json.loads(sealed)).encode(), sealed[:-1], b"[]", b"0"):
        with pytest.raises(Malformed):
            MacSecret.unseal(spelling, PASSPHRASE)


@given(st.binary(max_size=1200))
def test_no_bytes_make_the_reader_stumble(data: bytes) -> None:
    with pytest.raises(Malformed):
        MacSecret.unseal(data, PASSPHRASE)


def test_the_printed_form_of_a_secret_shows_the_key_id_only(secret: MacSecret) -> None:
    assert repr(secret) == f"<MacSecret {secret.kid}>"
