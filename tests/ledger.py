"""An operator in memory: keys, a log, witnesses and the bundle over it, so that tests can do what an operator could."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lotseal.signing import merkle
from lotseal.signing.bundle import About, Logged, write_bundle
from lotseal.signing.canonical import canonical_json, sha256_hex
from lotseal.signing.encoding import b64url
from lotseal.signing.envelope import Envelope, actor_document, content_document
from lotseal.signing.item import canonical_item_uri, sign_item
from lotseal.signing.keys import ORDER, PrivateKey
from lotseal.signing.release import sign_release
from lotseal.signing.verify import read_zip, write_zip

ORIGIN = "t.example.cn/log"
BASE = "https://t.example.cn"
GTIN, LOT = "09521321000018", "DHP261012A"
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
SEEN = int((START + timedelta(days=1)).timestamp())
SERIALS = ("2A3C4D5E6F7G8H9JKMNP", "9A3C4D5E6F7G8H9JKMNQ", "7A3C4D5E6F7G8H9JKMNR")
REPORT = b"%PDF-1.7 the report of the laboratory"
OTHER_REPORT = b"%PDF-1.7 a report that was rejected"


@dataclass(frozen=True)
class NoteKey:
    """An Ed25519 key of a signed note: kind 1 for the log, 4 for a witness."""

    name: str
    kind: int
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> bytes:
        return hashlib.sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def line(self, text: bytes, second: int = SEEN) -> bytes:
        if self.kind == 1:
            made = self.private.sign(text)
        else:
            made = second.to_bytes(8) + self.private.sign(f"cosignature/v1\ntime {second}\n".encode() + text)
        return f"— {self.name} {base64.b64encode(self.id + made).decode()}\n".encode()


@dataclass
class Ledger:
    """`enter` appends; `sealed` gives the checkpoint; `members` collects what is no entry."""

    log: NoteKey = field(default_factory=lambda: NoteKey(ORIGIN, 1))
    witnesses: list[NoteKey] = field(default_factory=lambda: [NoteKey("w1.example/w", 4), NoteKey("w2.example/w", 4)])
    items: PrivateKey = field(default_factory=PrivateKey.generate)
    credentials: PrivateKey = field(default_factory=PrivateKey.generate)
    status: PrivateKey = field(default_factory=PrivateKey.generate)
    envelopes: list[bytes] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    actors: list[bytes] = field(default_factory=list)
    others: dict[str, bytes] = field(default_factory=dict)
    cosigned_by: int = 2

    @property
    def policy(self) -> bytes:
        lines = [f"log {self.log.vkey}"]
        lines += [f"witness w{place} {one.vkey}" for place, one in enumerate(self.witnesses, start=1)]
        return "\n".join([*lines, "group all-of-us all w1 w2", "quorum all-of-us", ""]).encode()

    def enter(self, act: str, subject: str, chain: str, key: str | None = None, late: float = 0, **facts: Any) -> int:
        """Append an entry, `late` hours after its turn; says its index."""
        at = START + timedelta(minutes=len(self.envelopes), hours=late)
        time = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        content = content_document(act, subject, time, facts)
        known = [json.loads(one) for one in self.envelopes]
        line = [one for one, value in zip(self.envelopes, known, strict=True) if value["chain"] == chain]
        self.actors.append(actor_document("bob", "Bob"))
        envelope = Envelope(
            act=act,
            actor=sha256_hex(self.actors[-1]),
            chain=chain,
            content=sha256_hex(content),
            key=key,
            keys=sum(value["chain"] == "keys" for value in known),
            prev=merkle.leaf_hash(line[-1]).hex() if line else None,
            seq=len(line) + 1,
            time=time,
        )
        self.envelopes.append(envelope.to_bytes())
        self.contents.append(content)
        return len(self.envelopes) - 1

    @property
    def leaves(self) -> list[bytes]:
        return merkle.leaf_hashes(self.envelopes)

    def text(self) -> bytes:
        root = base64.b64encode(merkle.root(self.leaves)).decode()
        return f"{ORIGIN}\n{len(self.envelopes)}\n{root}\n".encode()

    def checkpoint(self) -> bytes:
        text = self.text()
        signers = [self.log, *self.witnesses[: self.cosigned_by]]
        return text + b"\n" + b"".join(key.line(text) for key in signers)

    def bundle(self, kind: Any = "batch", subject: str = "b1", left_out: tuple[int, ...] = ()) -> bytes:
        leaves = self.leaves
        entries = [
            Logged(index, envelope, content, merkle.inclusion_proof(leaves, index))
            for index, (envelope, content) in enumerate(zip(self.envelopes, self.contents, strict=True))
            if index not in left_out
        ]
        others = {**self.others, "policy": self.policy}
        if kind != "item":
            others = {name: data for name, data in others.items() if not name.startswith("items/")}
        return write_bundle(About(kind, subject, "b1"), self.checkpoint(), entries, others)

    # --- the parts of a story ---

    def add_key(self, pair: PrivateKey, role: str, letter: str | None = None) -> None:
        facts = {"kid": pair.kid, "role": role, "alg": "ES256", "letter": letter, "jwk": pair.public.to_jwk()}
        self.enter("key:add", f"key:{pair.kid}", "keys", **facts)

    def add_log_key(self) -> str:
        """The key of the log as its own history tells it; says its id."""
        jwk = {"crv": "Ed25519", "kty": "OKP", "x": b64url(self.log.public)}
        kid = b64url(hashlib.sha256(canonical_json(jwk)).digest())
        self.enter("key:add", f"key:{kid}", "keys", kid=kid, role="log", alg="Ed25519", letter=None, jwk=jwk)
        return kid

    def on_batch(self, act: str, subject: str = "batch:b1", **facts: Any) -> int:
        return self.enter(act, subject, "batch:b1", **facts)

    def submit(self, ref: str, number: str, data: bytes) -> None:
        self.others[f"files/{sha256_hex(data)}"] = data
        self.on_batch("certificate:submit", f"certificate:{ref}", file_sha256=sha256_hex(data), number=number)

    def release(self, certificates: list[tuple[str, bytes]], signer: PrivateKey | None = None) -> None:
        named = [{"number": number, "file_sha256": sha256_hex(data)} for number, data in certificates]
        document = {"type": "lotseal/release/v1", "gtin": GTIN, "lot": LOT, "certificates": named}
        signed = sign_release(signer or self.credentials, document)
        self.others["records/release.json"] = signed.document_bytes
        self.others["records/release.sig"] = signed.signature
        hashed = sha256_hex(signed.document_bytes)
        self.on_batch("batch:release", key=signed.kid, document_sha256=hashed, kid=signed.kid)

    def commit(self, run: str = "r1", tier: str = "B", signer: PrivateKey | None = None) -> None:
        """A run over SERIALS, with a member for each of its items."""
        pair = signer or self.items
        links = []
        for serial in SERIALS:
            uri = canonical_item_uri(BASE, GTIN, LOT, serial)
            links.append(uri + (b"?s=" + sign_item(pair, "A", uri).encode() if tier == "B" else b""))
        leaves = merkle.leaf_hashes(links)
        for place, (serial, link) in enumerate(zip(SERIALS, links, strict=True)):
            proof = [step.hex() for step in merkle.inclusion_proof(leaves, place)]
            item = {"link": link.decode(), "place": place, "proof": proof, "run": run, "state": "issued"}
            self.others[f"items/{serial}.json"] = canonical_json(item)
        facts = {"base": BASE, "gtin": GTIN, "lot": LOT, "tier": tier, "tag_kid": "T" * 43, "count": len(links)}
        facts |= {"kid": pair.kid, "letter": "A"} if tier == "B" else {"kid": None, "letter": None}
        self.on_batch("codes:commit", f"run:{run}", run=run, root=merkle.root(leaves).hex(), **facts)

    def jwt(self, signer: PrivateKey, payload: dict[str, Any]) -> bytes:
        header = {"alg": "ES256", "kid": f"did:web:t.example.cn#{signer.kid}", "typ": "vc+jwt"}
        said = b".".join(b64url(canonical_json(one)).encode() for one in (header, payload))
        return said + b"." + b64url(signer.sign_jws(said)).encode()

    def credential(self, ref: str, place: int, signer: PrivateKey | None = None) -> None:
        status = {"statusListIndex": str(place), "statusListCredential": f"{BASE}/credentials/status/1", "type": "B"}
        made = self.jwt(signer or self.credentials, {"credentialStatus": status, "issuer": "did:web:t.example.cn"})
        self.others[f"credentials/{ref}.jwt"] = made
        self.on_batch("credential:issue", credential=ref, jwt_sha256=sha256_hex(made))

    def publish(self, *revoked: int) -> None:
        bits = bytearray(16)
        for place in revoked:
            bits[place // 8] |= 128 >> place % 8
        packed = "u" + b64url(gzip.compress(bytes(bits), mtime=0))
        made = self.jwt(self.status, {"credentialSubject": {"encodedList": packed, "statusPurpose": "revocation"}})
        self.others["status/1.jwt"] = made
        self.enter("status:publish", "status-list:1", "status:1", jwt_sha256=sha256_hex(made))


def a_story(*, until: str = "end", tier: str = "B") -> Ledger:
    """Keys, product, batch, two reports, a run of three codes, release and credentials, one of them revoked."""
    ledger = Ledger()
    ledger.add_key(ledger.items, "item", "A")
    ledger.add_key(ledger.credentials, "credential")
    ledger.add_key(ledger.status, "status")
    ledger.enter("key:add", f"key:{'T' * 43}", "keys", role="item", letter=None, jwk=None)
    ledger.enter("category:add", "category:c1", "category:c1", code="tea")
    ledger.enter("supplier:add", "supplier:s1", "supplier:s1", name_zh="武夷茶厂")
    ledger.enter("product:add", "product:p1", "product:p1", gtin=GTIN, name_zh="大红袍")
    ledger.on_batch("batch:add", gtin=GTIN, lot=LOT)
    ledger.on_batch("batch:submit")
    ledger.submit("z1", "YX-0417", REPORT)
    ledger.submit("z2", "YX-0418", OTHER_REPORT)
    ledger.on_batch("certificate:reject", "certificate:z2", reason="expired")
    ledger.on_batch("certificate:accept", "certificate:z1", file_sha256=sha256_hex(REPORT))
    if until == "accepted":
        return ledger
    ledger.commit(tier=tier)
    ledger.release([("YX-0417", REPORT)])
    if until == "released":
        return ledger
    ledger.credential("v1", 9)
    ledger.credential("v2", 12)
    ledger.publish()
    ledger.on_batch("credential:revoke", credential="v2", reason="withdrawn")
    ledger.publish(12)
    return ledger


def high_s(signature: bytes) -> bytes:
    """The same ECDSA signature as anybody can spell it otherwise."""
    return signature[:32] + (ORDER - int.from_bytes(signature[32:])).to_bytes(32)


def repacked(bundle: bytes, **changed: bytes | None) -> bytes:
    """The bundle with other members (`__` for a slash, `_dot_` for a dot), packed by somebody who knows the form."""
    members = read_zip(bundle)
    return repacked_with(
        members, {name.replace("__", "/").replace("_dot_", "."): data for name, data in changed.items()}
    )


def repacked_with(members: dict[str, bytes], changed: dict[str, bytes | None], **head: Any) -> bytes:
    kept = {name: data for name, data in {**members, **changed}.items() if data is not None}
    told = json.loads(kept.pop("bundle.json"))
    told["members"] = {name: sha256_hex(data) for name, data in kept.items()}
    return write_zip({**kept, "bundle.json": canonical_json({**told, **head})})
