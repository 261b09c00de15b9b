from __future__ import annotations

import json
from typing import Any

import pytest

from lotseal.signing.canonical import canonical_json
from lotseal.signing.ed25519 import Ed25519Key
from lotseal.signing.encoding import b64url
from lotseal.signing.endorsement import endorse, read_endorsement
from lotseal.signing.errors import BadSignature, Malformed, SigningError

HISTORY: list[dict[str, Any]] = [{"kid": "a", "role": "item", "revoked_at": None}, {"kid": "b", "role": "log"}]


@pytest.fixture(scope="module")
def root() -> Ed25519Key:
    return Ed25519Key.generate()


def test_an_endorsement_reads_back_to_its_root_and_history(root: Ed25519Key) -> None:
    found = read_endorsement(endorse(root, HISTORY))
    assert (found.root, found.history) == (root.public, HISTORY)


def test_the_signature_is_over_the_word_and_the_canonical_history(root: Ed25519Key) -> None:
    members = json.loads(endorse(root, HISTORY))
    by_hand = root.sign(b"lotseal/keys/v1\n" + canonical_json(HISTORY))
    assert members == {"history": HISTORY, "root": root.public.to_jwk(), "signature": b64url(by_hand)}


def test_every_changed_byte_is_found(root: Ed25519Key) -> None:
    data = endorse(root, HISTORY)
    for place in range(len(data)):
        with pytest.raises(SigningError):
            read_endorsement(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


def test_a_history_that_another_root_signed_is_found(root: Ed25519Key) -> None:
    members = json.loads(endorse(root, HISTORY))
    with pytest.raises(BadSignature):
        read_endorsement(canonical_json({**members, "root": Ed25519Key.generate().public.to_jwk()}))
    with pytest.raises(BadSignature):
        read_endorsement(canonical_json({**members, "history": HISTORY[:1]}))


@pytest.mark.parametrize(
    "change",
    [{"history": None}, {"history": ["a"]}, {"root": "a"}, {"signature": 7}, {"signature": "AA"}, {"more": 1}],
)
def test_another_form_is_refused(root: Ed25519Key, change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_endorsement(canonical_json({**json.loads(endorse(root, HISTORY)), **change}))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"{ }", b"\xff"])
def test_what_is_no_endorsement_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_endorsement(data)
