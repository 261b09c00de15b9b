from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing.ed25519 import Ed25519Key, Ed25519Public
from lotseal.signing.errors import BadSignature, Malformed, WrongPassphrase
from lotseal.signing.keys import PrivateKey

PASSPHRASE = b"correct horse battery staple"

# RFC 8032 section 7.1, tests 1 to 3: secret key, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
# RFC 8037 appendix A.2 and A.3: the public key of the first test as JWK, and its thumbprint.
RFC_8037_JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
RFC_8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def key_of(secret: str) -> Ed25519Key:
    return Ed25519Key(ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))


@pytest.fixture(scope="module")
def key() -> Ed25519Key:
    return key_of(RFC_8032[0][0])


@pytest.fixture(scope="module")
def sealed(key: Ed25519Key) -> bytes:
    return key.to_pem(PASSPHRASE)


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_signatures_are_those_of_rfc_8032(secret: str, public: str, message: str, signature: str) -> None:
    key = key_of(secret)
    assert key.public.raw.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    Ed25519Public(bytes.fromhex(public)).verify(bytes.fromhex(message), bytes.fromhex(signature))


@given(message=st.binary(max_size=300))
def test_a_signature_fits_one_message_and_one_key(key: Ed25519Key, message: bytes) -> None:
    signature = key.sign(message)
    key.public.verify(message, signature)
    for public, other in ((key.public, message + b"x"), (key_of(RFC_8032[1][0]).public, message)):
        with pytest.raises(BadSignature, match="mismatch"):
            public.verify(other, signature)


def test_every_flipped_bit_of_a_signature_is_refused(key: Ed25519Key) -> None:
    signature = int.from_bytes(key.sign(b"m"), "big")
    for bit in range(512):
        with pytest.raises(BadSignature):
            key.public.verify(b"m", (signature ^ 1 << bit).to_bytes(64, "big"))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_is_refused(key: Ed25519Key, length: int) -> None:
    with pytest.raises(Malformed, match="length"):
        key.public.verify(b"m", bytes(length))


def test_the_key_id_is_the_thumbprint_of_rfc_8037(key: Ed25519Key) -> None:
    assert Ed25519Public.from_jwk(RFC_8037_JWK).kid == key.kid == RFC_8037_THUMBPRINT


def test_a_jwk_reads_back_to_an_equal_key(key: Ed25519Key) -> None:
    again = Ed25519Public.from_jwk(json.loads(json.dumps(key.public.to_jwk())))
    assert again == key.public
    assert hash(again) == hash(key.public)
    assert again.raw == key.public.raw
    assert again != Ed25519Key.generate().public
    assert again != key.kid


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"d": "AA"}, "jwk.members"),
        ({"y": "AA"}, "jwk.members"),
        ({"kty": "EC"}, "jwk.kty"),
        ({"crv": "Ed448"}, "jwk.crv"),
        ({"alg": "ES256"}, "jwk.alg"),
        ({"use": "enc"}, "jwk.use"),
        ({"kid": "other"}, "jwk.kid"),
        ({"x": RFC_8037_JWK["x"] + "="}, "jwk.x"),
        ({"x": RFC_8037_JWK["x"][:-1] + "p"}, "jwk.x"),
        ({"x": 7}, "jwk.x"),
    ],
)
def test_a_jwk_of_another_form_is_refused(change: dict[str, Any], rule: str) -> None:
    with pytest.raises(Malformed) as refused:
        Ed25519Public.from_jwk({**RFC_8037_JWK, **change})
    assert refused.value.rule == rule


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(Malformed, match="an Ed25519 key has 32 bytes"):
        Ed25519Public(bytes(size))


def test_a_key_comes_back_from_its_file(key: Ed25519Key, sealed: bytes) -> None:
    again = Ed25519Key.from_pem(sealed, PASSPHRASE)
    assert again.kid == key.kid
    assert again.sign(b"m") == key.sign(b"m")


def test_openssl_reads_the_file_and_checks_the_signature(key: Ed25519Key, sealed: bytes, tmp_path: Path) -> None:
    pem, message, signature = (tmp_path / name for name in ("key.pem", "message", "signature"))
    pem.write_bytes(sealed)
    message.write_bytes(b"m")
    signature.write_bytes(key.sign(b"m"))
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-inkey", pem, "-passin", f"pass:{PASSPHRASE.decode()}"]
    done = subprocess.run([*command, "-in", message, "-sigfile", signature], capture_output=True, check=True)
    assert b"Verified Successfully" in done.stdout


def test_a_wrong_passphrase_does_not_open_it(sealed: bytes) -> None:
    with pytest.raises(WrongPassphrase):
        Ed25519Key.from_pem(sealed, b"wrong horse battery")


def test_a_key_of_another_kind_is_no_ed25519_key_and_the_other_way_round(sealed: bytes) -> None:
    with pytest.raises(Malformed, match="Ed25519"):
        Ed25519Key.from_pem(PrivateKey.generate().to_pem(PASSPHRASE), PASSPHRASE)
    with pytest.raises(Malformed, match="P-256"):
        PrivateKey.from_pem(sealed, PASSPHRASE)


def test_what_is_printed_of_a_key_is_its_id(key: Ed25519Key) -> None:
    assert repr(key) == f"<Ed25519Key {key.kid}>"
    assert repr(key.public) == f"<Ed25519Public {key.kid}>"
