from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing.context import Context
from lotseal.signing.errors import BadSignature, Malformed
from lotseal.signing.keys import PrivateKey
from lotseal.signing.release import sign_release, verify_release

SNAPSHOT = {
    "gtin": "09521321000018",
    "lot": "DHP261012A",
    "origin": {"place": "武夷山岚谷", "country": "CN"},
    "certificates": [{"number": "YX-2026-10-0417", "sha256": "ab" * 32}],
    "produced": "2026-10-12",
}


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    return PrivateKey.generate()


def test_a_snapshot_verifies_with_the_key_it_names(key: PrivateKey) -> None:
    signed = sign_release(key, SNAPSHOT)
    assert signed.kid == key.kid
    verify_release(key.public, signed.document_bytes, signed.signature)


def test_the_order_of_facts_makes_no_other_document(key: PrivateKey) -> None:
    assert sign_release(key, dict(reversed(SNAPSHOT.items()))) == sign_release(key, SNAPSHOT)


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_changed_bit_of_the_document_is_refused(key: PrivateKey, place: int, bit: int) -> None:
    signed = sign_release(key, SNAPSHOT)
    data = bytearray(signed.document_bytes)
    data[place % len(data)] ^= 1 << bit
    with pytest.raises((BadSignature, Malformed)):
        verify_release(key.public, bytes(data), signed.signature)


def test_a_document_of_another_key_is_refused(key: PrivateKey) -> None:
    signed = sign_release(PrivateKey.generate(), SNAPSHOT)
    with pytest.raises(BadSignature):
        verify_release(key.public, signed.document_bytes, signed.signature)


def test_a_signature_for_another_purpose_is_refused(key: PrivateKey) -> None:
    signed = sign_release(key, SNAPSHOT)
    with pytest.raises(BadSignature):
        verify_release(key.public, signed.document_bytes, key.sign(Context.ITEM, signed.document_bytes))


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (b'{"b":1,"a":1}', "json.canonical"),
        (b'{"a":1} ', "json.canonical"),
        (b"[]", "release.object"),
        (b'"text"', "release.object"),
        (b"", "json.syntax"),
    ],
)
def test_a_document_that_is_not_canonical_is_refused_even_when_its_signature_fits(
    key: PrivateKey, document: bytes, rule: str
) -> None:
    with pytest.raises(Malformed) as refused:
        verify_release(key.public, document, key.sign(Context.RELEASE, document))
    assert refused.value.rule == rule


@pytest.mark.parametrize("value", [1e20, 2**53, float("nan"), b"bytes", "\ud800", {1: 2}])
def test_what_could_not_be_verified_is_not_signed(key: PrivateKey, value: object) -> None:
    with pytest.raises(Malformed):
        sign_release(key, {"value": value})
