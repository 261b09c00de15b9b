from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing import pkcs8
from lotseal.signing.context import Context
from lotseal.signing.errors import BadSignature, Malformed, WrongPassphrase
from lotseal.signing.keys import ORDER, PrivateKey, PublicKey, Signer

PASSPHRASE = b"correct horse battery staple"

# RFC 6979 appendix A.2.5, P-256.
RFC_6979_KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
RFC_6979_X = 0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6
RFC_6979_Y = 0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299
RFC_6979_SIGNATURES = {
    b"sample": (
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    b"test": (
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
}

# The public EC key of RFC 7517 appendix A.1 and its RFC 7638 thumbprint.
RFC_7517_JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}
RFC_7517_THUMBPRINT = "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"


def rfc_6979_nonce(key: int, digest: bytes) -> int:
    """A second, plain implementation of RFC 6979 section 3.2 for P-256 and SHA-256."""
    seed = key.to_bytes(32, "big") + (int.from_bytes(digest, "big") % ORDER).to_bytes(32, "big")
    v, k = b"\x01" * 32, b"\x00" * 32
    for step in (b"\x00", b"\x01"):
        k = hmac.digest(k, v + step + seed, "sha256")
        v = hmac.digest(k, v, "sha256")
    while True:
        v = hmac.digest(k, v, "sha256")
        if 1 <= int.from_bytes(v, "big") < ORDER:
            return int.from_bytes(v, "big")
        k = hmac.digest(k, v + b"\x00", "sha256")
        v = hmac.digest(k, v, "sha256")


def plain_ecdsa(key: int, data: bytes) -> tuple[int, int]:
    """r and s as RFC 6979 prints them, without our choice of the lower s; only k·G comes from the library."""
    digest = hashlib.sha256(data).digest()
    nonce = rfc_6979_nonce(key, digest)
    r = ec.derive_private_key(nonce, ec.SECP256R1()).public_key().public_numbers().x % ORDER
    s = pow(nonce, -1, ORDER) * (int.from_bytes(digest, "big") + r * key) % ORDER
    return r, s


def low_s_bytes(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + (s if s <= ORDER // 2 else ORDER - s).to_bytes(32, "big")


@pytest.fixture(scope="module")
def rfc_key() -> PrivateKey:
    return PrivateKey(ec.derive_private_key(RFC_6979_KEY, ec.SECP256R1()))


@pytest.fixture(scope="module")
def sealed(rfc_key: PrivateKey) -> bytes:
    return rfc_key.to_pem(PASSPHRASE)


def flipped(signature: bytes) -> bytes:
    """The other signature of the same message: n - s in place of s."""
    return signature[:32] + (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")


# --- signatures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [b"sample", b"test"])
def test_the_second_implementation_gives_the_signatures_of_rfc_6979(message: bytes) -> None:
    assert plain_ecdsa(RFC_6979_KEY, message) == RFC_6979_SIGNATURES[message]


@given(context=st.sampled_from(Context), message=st.binary(max_size=300))
def test_signatures_are_those_of_rfc_6979_with_the_lower_s(
    rfc_key: PrivateKey, context: Context, message: bytes
) -> None:
    expected = low_s_bytes(*plain_ecdsa(RFC_6979_KEY, context.value.encode() + b"\n" + message))
    assert rfc_key.sign(context, message) == expected


@given(scalar=st.integers(1, ORDER - 1), message=st.binary(max_size=100))
def test_every_key_verifies_what_it_signed(scalar: int, message: bytes) -> None:
    key = PrivateKey(ec.derive_private_key(scalar, ec.SECP256R1()))
    key.public.verify(Context.ITEM, message, key.sign(Context.ITEM, message))


def test_the_file_key_keeps_the_promise_of_a_signer(rfc_key: PrivateKey) -> None:
    signer: Signer = rfc_key
    assert signer.kid == rfc_key.public.kid
    rfc_key.public.verify(Context.RELEASE, b"m", signer.sign(Context.RELEASE, b"m"))


def test_the_higher_s_is_refused_although_the_curve_would_accept_it(rfc_key: PrivateKey) -> None:
    signature = flipped(rfc_key.sign(Context.ITEM, b"m"))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    point = ec.EllipticCurvePublicNumbers(RFC_6979_X, RFC_6979_Y, ec.SECP256R1()).public_key()
    point.verify(encode_dss_signature(r, s), b"lotseal/item/v1\nm", ec.ECDSA(hashes.SHA256()))
    with pytest.raises(BadSignature) as refused:
        rfc_key.public.verify(Context.ITEM, b"m", signature)
    assert refused.value.rule == "signature.high-s"


@pytest.mark.parametrize("r", [0, ORDER, 2**256 - 1])
def test_an_r_out_of_range_is_refused(rfc_key: PrivateKey, r: int) -> None:
    signature = rfc_key.sign(Context.ITEM, b"m")
    with pytest.raises(BadSignature) as refused:
        rfc_key.public.verify(Context.ITEM, b"m", r.to_bytes(32, "big") + signature[32:])
    assert refused.value.rule == "signature.range"


@pytest.mark.parametrize("s", [0, ORDER, 2**256 - 1])
def test_an_s_out_of_range_is_refused(rfc_key: PrivateKey, s: int) -> None:
    signature = rfc_key.sign(Context.ITEM, b"m")
    with pytest.raises(BadSignature) as refused:
        rfc_key.public.verify(Context.ITEM, b"m", signature[:32] + s.to_bytes(32, "big"))
    assert refused.value.rule == "signature.range"


@pytest.mark.parametrize("length", [0, 63, 65, 72, 100_000])
def test_a_signature_of_another_length_is_refused(rfc_key: PrivateKey, length: int) -> None:
    with pytest.raises(Malformed) as refused:
        rfc_key.public.verify(Context.ITEM, b"m", bytes(length))
    assert refused.value.rule == "signature.length"


def test_every_flipped_bit_of_a_signature_is_refused(rfc_key: PrivateKey) -> None:
    signature = int.from_bytes(rfc_key.sign(Context.ITEM, b"m"), "big")
    for bit in range(512):
        with pytest.raises(BadSignature):
            rfc_key.public.verify(Context.ITEM, b"m", (signature ^ 1 << bit).to_bytes(64, "big"))


def test_a_signature_fits_one_context_one_message_and_one_key(rfc_key: PrivateKey) -> None:
    signature = rfc_key.sign(Context.ITEM, b"m")
    for key, context, message in (
        (rfc_key.public, Context.RELEASE, b"m"),
        (rfc_key.public, Context.ITEM, b"n"),
        (PrivateKey.generate().public, Context.ITEM, b"m"),
    ):
        with pytest.raises(BadSignature) as refused:
            key.verify(context, message, signature)
        assert refused.value.rule == "signature.mismatch"


# --- JWS signing inputs -----------------------------------------------------------------------------------------------

# RFC 7515 appendix A.3: the signing input and signature of its ES256 example, and the key.
RFC_7515_INPUT = (
    b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    b"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
RFC_7515_SIGNATURE = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
RFC_7515_JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


def test_the_signature_of_rfc_7515_fits_once_its_s_is_the_lower_one() -> None:
    key = PublicKey.from_jwk(RFC_7515_JWK)
    signature = base64.urlsafe_b64decode(RFC_7515_SIGNATURE + "==")
    with pytest.raises(BadSignature, match="high-s"):
        key.verify_jws(RFC_7515_INPUT, signature)
    key.verify_jws(RFC_7515_INPUT, flipped(signature))


parts = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=80)


@given(header=parts, payload=parts)
def test_a_jws_is_signed_as_it_stands_with_the_lower_s(rfc_key: PrivateKey, header: str, payload: str) -> None:
    data = f"{header}.{payload}".encode()
    signature = rfc_key.sign_jws(data)
    assert signature == low_s_bytes(*plain_ecdsa(RFC_6979_KEY, data))
    rfc_key.public.verify_jws(data, signature)


@pytest.mark.parametrize(
    "data", [b"", b".", b"a", b"a.", b".b", b"a.b.c", b"a..b", b"a.b\n", b"a.b=", b"a/b.c", b"a b.c", "é.b".encode()]
)
def test_nothing_but_two_parts_of_base64url_passes_for_a_jws(rfc_key: PrivateKey, data: bytes) -> None:
    for refused_by in (rfc_key.sign_jws, lambda found: rfc_key.public.verify_jws(found, bytes(64))):
        with pytest.raises(Malformed) as refused:
            refused_by(data)
        assert refused.value.rule == "jws.input"


@given(context=st.sampled_from(Context), message=st.one_of(st.binary(max_size=40), st.just(b"a.b")))
def test_no_bound_message_passes_for_a_jws(rfc_key: PrivateKey, context: Context, message: bytes) -> None:
    with pytest.raises(Malformed):
        rfc_key.sign_jws(context.bind(message))


# --- public keys ------------------------------------------------------------------------------------------------------


def test_the_key_id_is_the_thumbprint_of_rfc_7638() -> None:
    members = '{"crv":"P-256","kty":"EC","x":"' + RFC_7517_JWK["x"] + '","y":"' + RFC_7517_JWK["y"] + '"}'
    by_hand = base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()
    assert PublicKey.from_jwk(RFC_7517_JWK).kid == by_hand == RFC_7517_THUMBPRINT


def test_the_jwk_holds_the_point_of_rfc_6979(rfc_key: PrivateKey) -> None:
    jwk = rfc_key.public.to_jwk()
    assert int.from_bytes(base64.urlsafe_b64decode(jwk["x"] + "="), "big") == RFC_6979_X
    assert int.from_bytes(base64.urlsafe_b64decode(jwk["y"] + "="), "big") == RFC_6979_Y


@given(scalar=st.integers(1, ORDER - 1))
def test_a_jwk_reads_back_to_an_equal_key(scalar: int) -> None:
    key = PrivateKey(ec.derive_private_key(scalar, ec.SECP256R1())).public
    again = PublicKey.from_jwk(json.loads(json.dumps(key.to_jwk())))
    assert again == key
    assert hash(again) == hash(key)
    assert again.to_jwk() == key.to_jwk()


def test_keys_differ_from_other_keys_and_from_other_things(rfc_key: PrivateKey) -> None:
    assert rfc_key.public != PrivateKey.generate().public
    assert rfc_key.public != rfc_key.kid


P = 2**256 - 2**224 + 2**192 + 2**96 - 1


def coordinate(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"d": "AA"}, "jwk.members"),
        ({"key_ops": ["verify"]}, "jwk.members"),
        ({"kty": "RSA"}, "jwk.kty"),
        ({"crv": "P-384"}, "jwk.crv"),
        ({"alg": "ES384"}, "jwk.alg"),
        ({"alg": None}, "jwk.alg"),
        ({"use": "enc"}, "jwk.use"),
        ({"kid": "other"}, "jwk.kid"),
        ({"kid": None}, "jwk.kid"),
        ({"x": RFC_7517_JWK["x"] + "="}, "jwk.x"),
        ({"x": RFC_7517_JWK["x"][:-1] + "5"}, "jwk.x"),
        ({"x": RFC_7517_JWK["x"] + "A" * 1_000_000}, "jwk.x"),
        ({"x": 7}, "jwk.x"),
        ({"y": ""}, "jwk.y"),
        ({"y": RFC_7517_JWK["x"]}, "jwk.point"),
        ({"x": coordinate(0), "y": coordinate(0)}, "jwk.point"),
        ({"x": coordinate(P)}, "jwk.point"),
        ({"x": coordinate(2**256 - 1)}, "jwk.point"),
    ],
)
def test_a_jwk_of_another_form_is_refused(change: dict[str, Any], rule: str) -> None:
    with pytest.raises(Malformed) as refused:
        PublicKey.from_jwk({**RFC_7517_JWK, **change})
    assert refused.value.rule == rule


@pytest.mark.parametrize("member", ["kty", "crv", "x", "y"])
def test_a_jwk_without_a_required_member_is_refused(member: str) -> None:
    with pytest.raises(Malformed) as refused:
        PublicKey.from_jwk({name: value for name, value in RFC_7517_JWK.items() if name != member})
    assert refused.value.rule == "jwk.members"


def test_a_key_of_another_curve_is_refused() -> None:
    with pytest.raises(Malformed) as refused:
        PrivateKey(ec.generate_private_key(ec.SECP384R1()))
    assert refused.value.rule == "key.curve"


# --- private keys at rest ---------------------------------------------------------------------------------------------


def test_a_key_comes_back_from_its_file(rfc_key: PrivateKey, sealed: bytes) -> None:
    again = PrivateKey.from_pem(sealed, PASSPHRASE)
    assert again.kid == rfc_key.kid
    assert again.sign(Context.ITEM, b"m") == rfc_key.sign(Context.ITEM, b"m")


def test_the_file_is_pkcs_8_that_other_readers_open(sealed: bytes) -> None:
    key = serialization.load_pem_private_key(sealed, PASSPHRASE)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.private_numbers().private_value == RFC_6979_KEY


def test_the_file_asks_for_the_full_cost_of_scrypt(sealed: bytes) -> None:
    der = base64.b64decode(b"".join(sealed.splitlines()[1:-1]))
    scrypt_n_r_p = bytes.fromhex("02024000" + "020108" + "020105")
    assert bytes.fromhex("2b06010401da47040b") in der
    assert scrypt_n_r_p in der


def test_two_files_of_one_key_share_no_salt(rfc_key: PrivateKey, sealed: bytes) -> None:
    assert rfc_key.to_pem(PASSPHRASE) != sealed


def test_a_file_made_with_the_library_is_read_too(rfc_key: PrivateKey) -> None:
    theirs = ec.derive_private_key(RFC_6979_KEY, ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSPHRASE),
    )
    assert PrivateKey.from_pem(theirs, PASSPHRASE).kid == rfc_key.kid


@pytest.mark.parametrize("wrong", [b"wrong", PASSPHRASE + b"\n", PASSPHRASE.upper()])
def test_a_wrong_passphrase_is_told_as_such(sealed: bytes, wrong: bytes) -> None:
    with pytest.raises(WrongPassphrase) as refused:
        PrivateKey.from_pem(sealed, wrong)
    assert refused.value.rule == "key.passphrase"


@pytest.mark.parametrize("passphrase", [b"", b"a" * 1025])
def test_an_empty_or_endless_passphrase_is_refused(rfc_key: PrivateKey, sealed: bytes, passphrase: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        PrivateKey.from_pem(sealed, passphrase)
    assert refused.value.rule == "passphrase.length"
    with pytest.raises(Malformed) as refused:
        rfc_key.to_pem(passphrase)
    assert refused.value.rule == "passphrase.length"


def test_a_key_file_without_encryption_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        with pytest.raises(Malformed) as refused:
            PrivateKey.from_pem(pem, PASSPHRASE)
        assert refused.value.rule == "key.unencrypted"


def test_an_open_key_behind_an_encrypted_label_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).replace(b" PRIVATE", b" ENCRYPTED PRIVATE")
    with pytest.raises(Malformed) as refused:
        PrivateKey.from_pem(pem, PASSPHRASE)
    assert refused.value.rule == "key.unencrypted"


def test_keys_of_another_kind_are_refused() -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()):
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSPHRASE),
        )
        with pytest.raises(Malformed) as refused:
            PrivateKey.from_pem(pem, PASSPHRASE)
        assert refused.value.rule == "key.curve"


def test_a_key_of_a_curve_that_nobody_knows_is_refused() -> None:
    plain = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    p256, prime192v2 = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030102")
    with pytest.raises(Malformed) as refused:
        PrivateKey.from_pem(pkcs8.encrypt(plain.replace(p256, prime192v2), PASSPHRASE), PASSPHRASE)
    assert refused.value.rule == "key.unsupported"


def test_only_one_spelling_of_the_armour_is_accepted(sealed: bytes) -> None:
    first, *body, last = sealed.splitlines(keepends=True)
    one_line = b"".join(line.strip() for line in body) + b"\n"
    for spelling, rule in (
        (sealed.rstrip(), "key.pem"),
        (b"\n" + sealed, "key.pem"),
        (sealed + b"\n", "key.pem"),
        (sealed + sealed, "key.pem"),
        (sealed.replace(b"\n", b"\r\n"), "key.pem"),
        (first + one_line + last, "key.pem"),
        (first + b"=AAA\n" + last, "key.pem"),
        (first + b"A\n" + last, "key.pem"),
        (first + b"AAAA\n" + last, "key.structure"),
        (b"", "key.pem"),
        (b"A" * 5000, "key.size"),
    ):
        with pytest.raises(Malformed) as refused:
            PrivateKey.from_pem(spelling, PASSPHRASE)
        assert refused.value.rule == rule


@pytest.mark.parametrize("place", [-1, -17, -40, -100])
def test_a_changed_key_file_does_not_open(sealed: bytes, place: int) -> None:
    first, *body, last = sealed.splitlines(keepends=True)
    der = bytearray(base64.b64decode(b"".join(body)))
    der[place] ^= 0x40
    text = base64.b64encode(bytes(der))
    pem = first + b"".join(text[i : i + 64] + b"\n" for i in range(0, len(text), 64)) + last
    with pytest.raises(WrongPassphrase):
        PrivateKey.from_pem(pem, PASSPHRASE)


def test_the_printed_form_of_keys_shows_the_key_id_only(rfc_key: PrivateKey) -> None:
    assert repr(rfc_key) == f"<PrivateKey {rfc_key.kid}>"
    assert repr(rfc_key.public) == f"<PublicKey {rfc_key.kid}>"


def test_the_openssl_command_opens_a_key_file(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(key.to_pem(b"correct horse battery"))
    command = ["openssl", "pkey", "-in", "key.pem", "-passin", "pass:correct horse battery", "-text_pub", "-noout"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "P-256" in shown.stdout, shown.stderr
