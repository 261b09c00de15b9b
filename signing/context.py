"""Context words: what a signature or MAC is about.

One key may never produce bytes for one purpose that pass for another, so each message is bound to one of these words
before it is signed: `b"lotseal/item/v1\n" + message`. No word contains a line feed, therefore no bound message of one
word can begin like that of another. A word never changes its meaning; a new form gets a new version.
"""

from __future__ import annotations

from enum import StrEnum


class Context(StrEnum):
    ITEM = "lotseal/item/v1"
    """Tier B: signature over the canonical Digital Link with the full serial."""

    ITEM_TAG = "lotseal/item-tag/v1"
    """Tier A: MAC over the canonical Digital Link with the random part of the serial."""

    RELEASE = "lotseal/release/v1"
    """Signature over the canonical JSON of a batch at its release."""

    KEYS = "lotseal/keys/v1"
    """Signature of the off-line root over the canonical JSON of the key history."""

    SECRET_COMMITMENT = "lotseal/secret-commitment/v1"
    """MAC of nothing, the public stand-in for a MAC secret."""

    SECRET_KEY_ID = "lotseal/secret-key-id/v1"
    """Hash of that commitment, the key id of a MAC secret."""

    SEALED_SECRET = "lotseal/sealed-secret/v1"
    """Associated data of a MAC secret sealed under a passphrase."""

    def bind(self, message: bytes) -> bytes:
        return self.value.encode("ascii") + b"\n" + message
