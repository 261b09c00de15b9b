from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from joserfc import jws as jose
from joserfc.jwk import ECKey

from lotseal.signing.errors import BadSignature, Malformed, UnknownKey
from lotseal.signing.jws import MAX_CHARACTERS, Header, read_header, sign, verify
from lotseal.signing.keys import ORDER, PrivateKey

PAYLOAD = {"issuer": "did:web:t.example.cn", "lot": "DHP261012A", "name": "大红袍"}
TYP = "vc+jwt"


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    return PrivateKey.generate()


@pytest.fixture(scope="module")
def signed(key: PrivateKey) -> str:
    return sign(key, PAYLOAD, kid=f"did:web:t.example.cn#{key.kid}", typ=TYP)


def part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def resigned(key: PrivateKey, header: object, payload: object = PAYLOAD) -> str:
    """A JWS of any form with a signature that fits."""
    signing_input = f"{part(header)}.{part(payload)}"
    return f"{signing_input}.{part(key.sign_jws(signing_input.encode()))}"


def header_of(key: PrivateKey, **changed: object) -> dict[str, object]:
    return {"alg": "ES256", "kid": key.kid, "typ": TYP, **changed}


def test_a_payload_comes_back_from_its_jws(key: PrivateKey, signed: str) -> None:
    assert verify(key.public, signed, typ=TYP) == PAYLOAD
    assert read_header(signed) == Header(f"did:web:t.example.cn#{key.kid}", TYP)
    assert read_header(signed).thumbprint == key.kid


def test_the_same_content_has_the_same_text(key: PrivateKey, signed: str) -> None:
    turned = dict(reversed(PAYLOAD.items()))
    assert sign(key, turned, kid=f"did:web:t.example.cn#{key.kid}", typ=TYP) == signed


def test_two_libraries_of_others_verify_it(key: PrivateKey, signed: str) -> None:
    jwk: dict[str, Any] = key.public.to_jwk()
    assert json.loads(jose.deserialize_compact(signed, ECKey.import_key(jwk), algorithms=["ES256"]).payload) == PAYLOAD
    assert jwt.decode(signed, jwt.PyJWK(jwk).key, algorithms=["ES256"]) == PAYLOAD


def test_no_character_can_be_changed(key: PrivateKey, signed: str) -> None:
    for place, character in enumerate(signed):
        other = "A" if character != "A" else "B"
        with pytest.raises((Malformed, BadSignature, UnknownKey)):
            verify(key.public, signed[:place] + other + signed[place + 1 :], typ=TYP)


def test_no_character_can_be_taken_out_or_put_in(key: PrivateKey, signed: str) -> None:
    for place in range(0, len(signed), 7):
        for changed in (signed[:place] + signed[place + 1 :], f"{signed[:place]}A{signed[place:]}"):
            with pytest.raises((Malformed, BadSignature, UnknownKey)):
                verify(key.public, changed, typ=TYP)


def test_the_other_value_of_s_is_no_second_spelling(key: PrivateKey, signed: str) -> None:
    head, body, _tail = signed.split(".")
    raw = key.sign_jws(f"{head}.{body}".encode())
    twin = raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    with pytest.raises(BadSignature) as refused:
        verify(key.public, f"{head}.{body}.{part(twin)}", typ=TYP)
    assert refused.value.rule == "signature.high-s"


@pytest.mark.parametrize("tail", ["", "=", "\n", " ", ".", ".AAAA", "\u0660"])
def test_nothing_may_follow(key: PrivateKey, signed: str, tail: str) -> None:
    verify(key.public, signed, typ=TYP)
    if tail:
        with pytest.raises(Malformed):
            verify(key.public, signed + tail, typ=TYP)


@pytest.mark.parametrize(
    "changed",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": None},
        {"typ": ""},
        {"typ": 7},
        {"kid": ""},
        {"kid": 7},
        {"crit": ["b64"], "b64": False},
        {"jwk": {"kty": "EC"}},
        {"x5u": "https://evil.example"},
    ],
)
def test_a_header_with_anything_else_is_refused_although_it_is_signed(
    key: PrivateKey, changed: dict[str, object]
) -> None:
    header = dict(sorted(header_of(key, **changed).items()))
    with pytest.raises(Malformed) as refused:
        verify(key.public, resigned(key, header), typ=TYP)
    assert refused.value.rule == "jws.header"


@pytest.mark.parametrize(
    ("header", "payload", "rule"),
    [
        ({"typ": TYP, "kid": "K", "alg": "ES256"}, PAYLOAD, "json.canonical"),
        (b'{"alg":"ES256","alg":"ES256","kid":"K","typ":"vc+jwt"}', PAYLOAD, "json.canonical"),
        (None, b'{"b":1,"a":1}', "json.canonical"),
        (None, b"{}\n", "json.canonical"),
        (None, b"[]", "jws.payload"),
        (None, b"\xff", "json.syntax"),
    ],
)
def test_another_spelling_is_refused_although_it_is_signed(
    key: PrivateKey, header: object, payload: object, rule: str
) -> None:
    with pytest.raises(Malformed) as refused:
        verify(key.public, resigned(key, header or header_of(key), payload), typ=TYP)
    assert refused.value.rule == rule


def test_another_kind_is_refused(key: PrivateKey, signed: str) -> None:
    with pytest.raises(Malformed) as refused:
        verify(key.public, signed, typ="vp+jwt")
    assert refused.value.rule == "jws.typ"


def test_another_key_is_refused_by_its_name_and_by_its_signature(key: PrivateKey, signed: str) -> None:
    stranger = PrivateKey.generate()
    with pytest.raises(UnknownKey):
        verify(stranger.public, signed, typ=TYP)
    with pytest.raises(BadSignature):
        verify(key.public, resigned(stranger, header_of(key)), typ=TYP)


def test_nobody_signs_in_the_name_of_another_key(key: PrivateKey) -> None:
    with pytest.raises(Malformed) as refused:
        sign(key, PAYLOAD, kid=PrivateKey.generate().kid, typ=TYP)
    assert refused.value.rule == "jws.kid"


def test_what_is_too_long_is_neither_read_nor_made(key: PrivateKey) -> None:
    for text in ("A" * (MAX_CHARACTERS + 1), f"{'A' * 601}.A.A"):
        with pytest.raises(Malformed):
            read_header(text)
    with pytest.raises(Malformed) as refused:
        sign(key, {"text": "x" * 900_000}, kid=key.kid, typ=TYP)
    assert refused.value.rule == "jws.size"


def test_what_does_not_read_back_is_not_signed(key: PrivateKey) -> None:
    with pytest.raises(Malformed):
        sign(key, {"n": 1e17}, kid=key.kid, typ=TYP)
