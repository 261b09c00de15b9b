"""Put an evidence bundle together (docs/log.md): the same parts give the same bytes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .canonical import canonical_json, sha256_hex
from .envelope import read_envelope
from .errors import Malformed
from .verify import Refused, read_checkpoint, read_zip, write_zip

TYPE = "lotseal/bundle/v1"
Kind = Literal["batch", "certificate", "item"]


@dataclass(frozen=True)
class Logged:
    """One log entry as a bundle holds it: index, envelope, content document and inclusion proof."""

    index: int
    envelope: bytes
    content: bytes
    proof: Sequence[bytes]


@dataclass(frozen=True)
class About:
    """What a bundle is about. `subject` is the reference of the batch or certificate, or the serial of the item;
    `batch` the reference of the batch that it belongs to."""

    kind: Kind
    subject: str
    batch: str


def write_bundle(about: About, checkpoint: bytes, entries: Sequence[Logged], others: Mapping[str, bytes]) -> bytes:
    """The ZIP. `others` are all members that are no entry, by name. Raises Malformed for a checkpoint or a name that no
    reader would accept."""
    members = {**others, "checkpoint": checkpoint}
    for one in entries:
        members |= _entry(one, checkpoint)
    try:
        point = read_checkpoint(checkpoint)
        members["bundle.json"] = canonical_json(
            {
                "batch": f"batch:{about.batch}",
                "chains": sorted({read_envelope(one.envelope).chain for one in entries}),
                "checkpoint_size": point.size,
                "kind": about.kind,
                "members": {name: sha256_hex(data) for name, data in members.items()},
                "origin": point.origin,
                "subject": f"{about.kind}:{about.subject}",
                "type": TYPE,
            }
        )
        data = write_zip(members)
        read_zip(data)
    except Refused as error:
        raise Malformed(error.args[0], error.args[1]) from error
    return data


def _entry(one: Logged, checkpoint: bytes) -> dict[str, bytes]:
    name = f"{one.index:010d}"
    steps = "".join(f"{b64encode(step).decode()}\n" for step in one.proof)
    proof = f"c2sp.org/tlog-proof@v1\nindex {one.index}\n{steps}\n".encode() + checkpoint
    return {
        f"entries/{name}.json": one.envelope,
        f"contents/{name}.json": one.content,
        f"proofs/{name}.tlog-proof": proof,
    }
