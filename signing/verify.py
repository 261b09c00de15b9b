"""Check a Lotseal evidence bundle off-line: `python verify.py BUNDLE.zip [--policy FILE] [--tsa-root FILE] [--json]`.

Needs Python 3.11 and `cryptography`, no network and no Lotseal. A copy is a member of each bundle; take the tool from a
source that you trust. Exit status: 0 sound, 1 tampered, 2 policy not met, 3 malformed. A sound bundle proves that the
record was not rewritten. It does not prove that what was written down is true, and nothing about a physical pack.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace as Entry
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID

MAX_BUNDLE: Final = 512 * 1024 * 1024
MAX_MEMBERS: Final = 60_000
MAX_JSON: Final = 16 * 1024 * 1024
MAX_NOTE: Final = 100_000
MAX_BITS: Final = 16 * 1024 * 1024  # bytes of an unpacked status list
LATE_S: Final = 3600  # claimed times may run back by so much, for instance between two servers, before it is told

NAMES: Final = re.compile(
    r"bundle\.json|checkpoint|policy|README\.txt|verify\.(py|html)|(entries|contents|actors)/\d{10}\.json|"
    r"proofs/\d{10}\.tlog-proof|records/release\.(json|sig)|files/[0-9a-f]{64}|facts/[0-9a-f]{64}\.json|"
    r"credentials/[\w-]{1,60}\.jwt|status/\d{1,9}\.jwt|items/[2-9A-Z]{20}\.json|timestamps/\w[\w.-]{0,60}\.tsr",
    re.ASCII,
)
FORMS: Final = {
    **dict.fromkeys(("actor", "content", "prev"), r"[0-9a-f]{64}"),
    "act": r"[a-z-]{1,20}:[a-z-]{1,30}",
    "chain": r"[a-z-]{1,20}(:[A-Za-z0-9_-]{1,60})?",
    "key": r"[A-Za-z0-9_-]{43}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
}
ITEM: Final = {"link", "place", "proof", "run", "state"}
HEAD: Final = {"batch", "chains", "checkpoint_size", "kind", "members", "origin", "subject", "type"}
NEEDED: Final = {"batch", "category", "keys", "product", "supplier"}
STEPS: Final = {"add": "draft", "submit": "awaiting-tests", "release": "released", "hold": "held", "hold-lift": ""}
STEPS.update(recall="recalled", close="closed")
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FORM, FALSE, POLICY = ("malformed", 3), ("tampered", 1), ("policy not met", 2)
Json = dict[str, Any]


class Refused(Exception):
    """Why a bundle is not sound: (word and exit status, permanent word of the rule, sentence)."""


def need(holds: object, kind: tuple[str, int], rule: str, fact: str) -> None:
    if not holds:
        raise Refused(kind, rule, fact)


@dataclass
class Report:
    """What was proven, each fact with its rule, in order; what an auditor should look at; why it ended."""

    policy: str  # "auditor" or "bundle": who said which keys to trust
    about: Json = field(default_factory=dict)
    facts: list[Json] = field(default_factory=list)
    notes: list[Json] = field(default_factory=list)
    result: str = "sound"
    exit: int = 0
    refused: Json | None = None


def check(data: bytes, policy: bytes | None = None, tsa_root: bytes | None = None) -> Report:
    """Check a whole bundle. Raises nothing: `refused` of the answer says what is wrong first."""
    report = Report("bundle" if policy is None else "auditor")
    try:
        Evidence(read_zip(data), report).run(policy, tsa_root)
        report.result = "sound" if policy else "sound, but policy taken from the bundle"
    except Refused as error:
        (report.result, report.exit), rule, fact = error.args
        report.refused = {"rule": rule, "fact": fact}
    except Exception as error:
        # A document that is canonical and yet of another shape than a rule expects: nothing of it was believed.
        report.result, report.exit = FORM
        report.refused = {"rule": "bundle.form", "fact": f"a document has another form: {type(error).__name__}"}
    return report


def write_zip(members: Mapping[str, bytes]) -> bytes:
    """The one ZIP of these members: stored, sorted by name, dated 1980-01-01, mode 0644, nothing else."""
    local, central = bytearray(), bytearray()
    for name in sorted(members):
        data, plain = members[name], name.encode("ascii")
        facts = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(data), len(data), len(data), len(plain), 0)
        central += b"PK\1\2" + struct.pack("<H", 3 << 8 | 20) + facts
        central += struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, len(local)) + plain
        local += b"PK\3\4" + facts + plain + data
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(central), len(local), 0)
    return bytes(local + central) + b"PK\5\6" + end


def read_zip(data: bytes) -> dict[str, bytes]:
    """Walk the members, write them back, compare: any other spelling is malformed."""
    need(len(data) <= MAX_BUNDLE, FORM, "zip.size", f"a bundle has at most {MAX_BUNDLE} bytes")
    members: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == b"PK\3\4" and len(data) >= at + 30 and len(members) < MAX_MEMBERS:
        size, length = struct.unpack_from("<IH", data, at + 22)
        name, at = data[at + 30 : at + 30 + length].decode("latin-1"), at + 30 + length
        need(NAMES.fullmatch(name), FORM, "zip.name", "a member has a name that none may have")
        members[name], at = data[at : at + size], at + size
    same = bool(members) and write_zip(members) == data
    need(same, FORM, "zip.canonical", "not the one ZIP of its members: it was changed, cut or packed again")
    return members


def canonical(value: object) -> bytes:
    """RFC 8785 for what the documents hold: no other numbers than whole ones, and plain names."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def number(text: str) -> int:
    if len(text) > 17 or abs(int(text)) >= 1 << 53:  # also for 1.5, 1e9 and NaN, which int() does not read
        raise ValueError
    return int(text)


def read_json(data: bytes, where: str) -> Json:
    """An object in canonical JSON: parse, print back, compare."""
    try:
        value = json.loads(data.decode(), parse_int=number, parse_float=int, parse_constant=int)
        good = len(data) <= MAX_JSON and isinstance(value, dict) and canonical(value) == data
    except (ValueError, RecursionError):
        good = False
    need(good, FORM, "json.canonical", f"{where} is no object in canonical JSON")
    return {**value}


def unb64(text: str, where: str) -> bytes:
    """Standard base64, one spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    need(data and base64.b64encode(data).decode() == text, FORM, "base64", f"{where} is not base64")
    return data


def unb64url(text: str, where: str) -> bytes:
    """base64url without padding, one spelling."""
    plain = text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else "!"
    return unb64(plain.translate({45: "+", 95: "/"}) + "=" * (-len(plain) % 4), where)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def spoken(second: float) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def root_of(index: int, size: int, data: bytes, proof: Sequence[bytes]) -> str:
    """The root that an inclusion proof of a leaf leads to (RFC 9162 section 2.1.3.2); "" for another length."""
    node, last, at = index, size - 1, hashlib.sha256(b"\0" + data).digest()
    for step in proof:
        if last <= 0 or len(step) != 32:
            return ""
        left = node & 1 or node == last
        at = hashlib.sha256(b"\1" + (step + at if left else at + step)).digest()
        while left and node and not node & 1:
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    return at.hex() if last == 0 and 0 <= index < size else ""


class Vkey(NamedTuple):
    """A verifier key of C2SP signed-note: Ed25519 of a log (type 1) or of a cosigning witness (type 4)."""

    name: str
    id: bytes
    key: bytes

    @classmethod
    def read(cls, text: str, kind: int) -> Vkey:
        name, number, encoded = text.encode("latin-1").decode().split("+", 2)
        data = unb64(encoded, "a key of the policy")
        id_ = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        right = name and len(data) == 33 and data[0] == kind and id_.hex() == number
        need(right, FORM, "policy.key", "a key of the policy is no Ed25519 verifier key of its kind")
        return cls(name, id_, data[1:])

    def holds(self, message: bytes, signature: bytes) -> bool:
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Policy:
    """C2SP tlog-policy: logs, witnesses, groups and the quorum."""

    def __init__(self, data: bytes) -> None:
        self.logs: list[Vkey] = []
        self.witnesses: dict[str, Vkey] = {}
        self.groups: dict[str, tuple[int, list[str]]] = {}
        self.quorum = ""
        plain = len(data) <= MAX_NOTE and re.fullmatch(rb"[\t\n\x20-\x7e\x80-\xff]*", data)
        need(plain, FORM, "policy.form", "the policy is too long or holds control characters")
        for line in data.decode("latin-1").split("\n"):
            words = re.findall(r"[^ \t]+", line)
            if words and not words[0].startswith("#"):
                self._read(words, {"none", *self.witnesses, *self.groups})
        for keys in (self.logs, list(self.witnesses.values())):
            need(len({one.key for one in keys}) == len(keys), FORM, "policy.twice", "the policy names a key twice")
        need(self.quorum, FORM, "policy.quorum", "the policy has no quorum line")

    def _read(self, words: list[str], known: set[str]) -> None:
        match words:
            case ["log", key] | ["log", key, _]:
                self.logs.append(Vkey.read(key, 1))
            case ["witness", name, key] | ["witness", name, key, _] if name not in known:
                self.witnesses[name] = Vkey.read(key, 4)
            case ["group", name, least, *members] if name not in known:
                least = {"any": "1", "all": str(len(members))}.get(least, least)
                inside = [one for _, group in self.groups.values() for one in group] + members
                good = re.fullmatch("[1-9][0-9]{0,3}", least) and int(least) <= len(members)
                good = good and len({*inside}) == len(inside) and known - {"none"} >= {*members}
                need(good, FORM, "policy.group", "a group of the policy has a wrong number or member")
                self.groups[name] = int(least), members
            case ["quorum", name] if not self.quorum and name in known:
                self.quorum = name
            case _:
                raise Refused(FORM, "policy.line", "the policy has a line that tlog-policy does not allow")

    def met(self, name: str, cosigned: Collection[str]) -> bool:
        least, members = self.groups.get(name, (0, []))
        return sum(self.met(one, cosigned) for one in members) >= least if least else name in {"none", *cosigned}


class Checkpoint:
    """C2SP signed-note with the three lines of tlog-checkpoint and no extension line."""

    def __init__(self, data: bytes) -> None:
        need(len(data) <= MAX_NOTE, FORM, "checkpoint.form", "the checkpoint is too long")
        text, _, rest = data.decode(errors="replace").partition("\n\n")
        found = re.fullmatch(r"([^\s+]{1,255})\n(0|[1-9][0-9]{0,17})\n([A-Za-z0-9+/=]{44})", text)
        lines = re.findall(r"— ([^\s+]{1,255}) ([A-Za-z0-9+/=]+)\n", rest)
        same = (f"{text}\n\n" + "".join(f"— {name} {one}\n" for name, one in lines)).encode() == data
        if not found or not lines or not same:
            raise Refused(FORM, "checkpoint.form", "the checkpoint is no signed note of origin, size and root")
        self.text, self.origin, self.size = f"{text}\n".encode(), found[1], int(found[2])
        self.root = unb64(found[3], "the root").hex()
        self._signatures = [(name, unb64(one, "a signature of the checkpoint")) for name, one in lines]

    def signed_by(self, key: Vkey) -> list[bytes]:
        return [one[4:] for name, one in self._signatures if (name, one[:4]) == (key.name, key.id)]


@dataclass
class Key:
    """An ES256 key of the history with the log entries that bound its life."""

    kid: str
    role: str
    jwk: Json
    added: int
    retired: int | None = None
    revoked: int | None = None

    def verify(self, rule: str, what: str, message: bytes, signature: bytes) -> None:
        x, y = (int.from_bytes(unb64url(self.jwk[name], "a key")) for name in "xy")
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        try:
            need(len(signature) == 64 and 0 < s <= ORDER // 2, FALSE, rule, f"{what}: no ES256 signature with low s")
            public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
            public.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Refused(FALSE, rule, f"{what}: the signature does not fit key {self.kid}") from None


class Evidence:
    """One bundle under examination, step by step: structure, keys, signatures, status, policy."""

    def __init__(self, members: dict[str, bytes], report: Report) -> None:
        self.members, self.report, self.keys = members, report, dict[str, Key]()
        self.entries: list[Entry] = []

    def run(self, policy: bytes | None, tsa_root: bytes | None) -> None:
        self.read_head()
        self.rules = Policy(self.members.get("policy", b"") if policy is None else policy)
        self.check_log_signature()
        self.read_entries()
        self.check_chains()
        self.replay_keys()
        self.check_certificates()
        self.check_release()
        self.check_credentials()
        for name, data in self.named("items").items():
            self.check_item(f"items/{name}", name.removesuffix(".json"), read_json(data, f"items/{name}"))
        self.tell_state()
        self.check_time(self.check_witnesses(), tsa_root)

    def prove(self, rule: str, fact: str) -> None:
        self.report.facts.append({"rule": rule, "fact": fact})

    def named(self, folder: str) -> dict[str, bytes]:
        return {name.partition("/")[2]: data for name, data in self.members.items() if name.startswith(f"{folder}/")}

    def of(self, *acts: str, chain: str = "") -> list[Entry]:
        """The entries of these acts in the chain of the batch, or in another one, in the order of the log."""
        return [one for one in self.entries if one.act in acts and one.chain == (chain or self.head["batch"])]

    def read_head(self) -> None:
        there = {"bundle.json", "checkpoint"} <= self.members.keys()
        need(there, FORM, "bundle.missing", "bundle.json or checkpoint is missing")
        head = self.head = read_json(self.members["bundle.json"], "bundle.json")
        good = head.keys() == HEAD and head["type"] == "lotseal/bundle/v1"
        good = good and head["kind"] in ("batch", "certificate", "item")
        good = good and re.fullmatch(f"{head['kind']}:[A-Za-z0-9_-]{{1,60}}", head["subject"]) is not None
        need(good, FORM, "bundle.head", "bundle.json does not have the form of lotseal/bundle/v1")
        hashed = {name: sha256(data) for name, data in self.members.items() if name != "bundle.json"}
        wrong = [name for name in {**head["members"], **hashed} if head["members"].get(name) != hashed.get(name)]
        need(not wrong, FALSE, "bundle.hash", f"not the member that bundle.json names: {min(wrong, default='')}")
        self.report.about = {name: head[name] for name in ("kind", "subject", "origin", "checkpoint_size")}
        self.prove("bundle.hash", f"{len(hashed)} members have the SHA-256 that bundle.json names")
        point = self.point = Checkpoint(self.members["checkpoint"])
        good = (head["origin"], head["checkpoint_size"]) == (point.origin, point.size)
        need(good, FALSE, "bundle.checkpoint", "bundle.json names another checkpoint than the one inside")
        need(head["subject"] == head["batch"] or head["kind"] != "batch", FALSE, "bundle.head", "two batches")
        inside = head["kind"] != "item" or f"items/{head['subject'][5:]}.json" in self.members
        need(inside, FALSE, "item.missing", "the item that the bundle is about is not inside")

    def check_log_signature(self) -> None:
        where = f"the checkpoint of {self.point.origin}"
        mine = [key for key in self.rules.logs if key.name == self.point.origin and self.point.signed_by(key)]
        need(mine, POLICY, "checkpoint.log", f"no log key of the policy signed {where}")
        good = all(key.holds(self.point.text, one) for key in mine for one in self.point.signed_by(key))
        need(good, FALSE, "checkpoint.signature", f"the signature of the log does not fit {where}")
        self.prove("checkpoint.signature", f"the log signed {where} with {self.point.size} entries")

    def read_entries(self) -> None:
        entries, contents, proofs = self.named("entries"), self.named("contents"), self.named("proofs")
        whole = entries and {*entries} == {*contents} == {name.replace("tlog-proof", "json") for name in proofs}
        need(whole, FORM, "entry.members", "each entry has one content document and one proof")
        for name, data in sorted(entries.items()):
            self.entries.append(self.read_entry(int(name[:10]), data, contents[name]))
            self.check_proof(int(name[:10]), data, proofs[name.replace("json", "tlog-proof")])
        for name, data in self.named("actors").items():
            good = json.loads(entries[name])["actor"] == sha256(data)
            need(good, FALSE, "entry.actor", f"actors/{name} is not the document whose hash stands in the entry")
        self.prove("entry.content", f"{len(entries)} content documents have the SHA-256 that their entries name")
        self.prove("proof.inclusion", f"{len(entries)} entries are in the signed tree, each at its index")

    def read_entry(self, index: int, data: bytes, content: bytes) -> Entry:
        where, one, told = f"entry {index}", read_json(data, "an entry"), read_json(content, "a content document")
        good = one.keys() == {*FORMS, "keys", "seq", "type"} and one["type"] == "lotseal/entry/v1"
        good = good and len(data) < 65_536 and type(one["seq"]) is type(one["keys"]) is int
        good = good and one["seq"] > 0 <= one["keys"] and (one["prev"] is None) == (one["seq"] == 1)
        for name, form in FORMS.items() if good else ():
            nothing = one[name] is None and name in ("key", "prev")
            fits = isinstance(one[name], str) and re.fullmatch(form, one[name], re.ASCII)
            good = good and (nothing or bool(fits))
        need(good, FORM, "entry.form", f"{where} does not have the form of lotseal/entry/v1")
        good = sha256(content) == one["content"] and told.keys() == {"act", "at", "facts", "salt", "subject"}
        good = good and (told["act"], told["at"]) == (one["act"], one["time"])
        need(good, FALSE, "entry.content", f"{where} is about another content document")
        return Entry(**one, index=index, leaf=sha256(b"\0" + data), subject=told["subject"], facts={**told["facts"]})

    def check_proof(self, index: int, entry: bytes, data: bytes) -> None:
        start, _, note = data.partition(b"\n\n")
        first, second, *lines = start.decode("latin-1").split("\n")
        good = (first, second) == ("c2sp.org/tlog-proof@v1", f"index {index}")
        need(good, FORM, "proof.form", f"the proof of entry {index} is no tlog-proof of this index")
        good = note == self.members["checkpoint"]
        need(good, FALSE, "proof.checkpoint", f"the proof of entry {index} leads to another checkpoint")
        root = root_of(index, self.point.size, entry, [unb64(line, "a proof") for line in lines])
        need(root == self.point.root, FALSE, "proof.inclusion", f"entry {index} is not in the signed tree there")

    def check_chains(self) -> None:
        chains: dict[str, list[Entry]] = {}
        for entry in self.entries:
            line, known = chains.setdefault(entry.chain, []), len(chains.get("keys", ()))
            where, before = f"entry {entry.index} of chain {entry.chain}", line[-1].leaf if line else None
            need(entry.seq == len(line) + 1, FALSE, "chain.gap", f"number {len(line) + 1} is missing before {where}")
            need(entry.prev == before, FALSE, "chain.prev", f"{where} was written after another entry than here")
            need(entry.keys == known, FALSE, "keys.count", f"{where} knew {entry.keys} entries of keys, not {known}")
            line.append(entry)
        good = self.head["chains"] == sorted(chains) and self.head["batch"] in chains
        need(good, FALSE, "chain.list", "bundle.json lists other chains than the entries belong to")
        lacking = NEEDED - {name.partition(":")[0] for name in chains}
        need(not lacking, FALSE, "chain.missing", f"no chain of this kind: {min(lacking, default='')}")
        for name, line in sorted(chains.items()):
            self.prove("chain.complete", f"{name}: {len(line)} entries, none left out up to entry {line[-1].index}")

    def replay_keys(self) -> None:
        for entry in self.of("key:add", "key:retire", "key:revoke", chain="keys"):
            kid, jwk = entry.subject.partition(":")[2], entry.facts.get("jwk") or {}
            if entry.act == "key:add":
                thumb = sha256(canonical({name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}))
                good = kid not in self.keys and (not jwk or unb64url(kid, "a key id").hex() == thumb)
                need(good, FALSE, "key.thumbprint", f"entry {entry.index}: {kid} is not the id of a new key")
                self.keys[kid] = Key(kid, entry.facts["role"], jwk, entry.index)
                continue
            need(kid in self.keys, FALSE, "key.unknown", f"entry {entry.index} ends a key that was never added")
            name = "retired" if entry.act == "key:retire" else "revoked"
            setattr(self.keys[kid], name, getattr(self.keys[kid], name) or entry.index)
        self.prove("key.history", f"{len(self.keys)} keys, each with the entries that began and ended its life")

    def key_at(self, kid: str, role: str, index: int, until: int = 0) -> Key:
        """The key, not retired before an entry and not revoked before another one, where it was there at last."""
        where, last, key = f"entry {index}, key {kid}", max(index, until), self.keys.get(kid, Key(kid, "", {}, 0))
        need(key.jwk.get("crv") == "P-256", FALSE, "key.unknown", f"{where}: not in the key history")
        need(key.role == role, FALSE, "key.role", f"{where}: a key for «{key.role}», which signs nothing else")
        need(key.added < last, FALSE, "key.window", f"{where}: added later, by entry {key.added}")
        need((key.revoked or last) >= last, FALSE, "key.revoked", f"{where}: revoked before, by entry {key.revoked}")
        need((key.retired or index) >= index, FALSE, "key.retired", f"{where}: retired before, by {key.retired}")
        return key

    def check_certificates(self) -> None:
        files, subject, kind = self.named("files"), self.head["subject"], self.head["kind"]
        self.sent = {one.subject: one.facts for one in self.of("certificate:submit")}
        wanted = {one["file_sha256"] for one in self.sent.values()}
        for name, data in files.items():
            need(sha256(data) == name, FALSE, "file.hash", f"files/{name} has another SHA-256 than its name")
            need(name in wanted, FALSE, "file.foreign", f"files/{name} was never submitted for this batch")
            self.prove("file.hash", f"the file with SHA-256 {name} is the one that was submitted")
        for act in self.of("certificate:accept", "certificate:reject", "certificate:withdraw"):
            file = self.sent.get(act.subject, {}).get("file_sha256", "")
            good = file and act.facts.get("file_sha256", file) == file
            need(good, FALSE, "certificate.file", f"entry {act.index} is about a file that was not submitted")
        if kind == "certificate":
            need(subject in self.sent, FALSE, "certificate.missing", f"{subject} was not submitted for this batch")
            wanted = {self.sent[subject]["file_sha256"]}
        missing = set() if kind == "item" else wanted - files.keys()
        need(not missing, FALSE, "file.missing", f"the file is missing: {min(missing, default='')}")

    def check_release(self) -> None:
        record, entries, accepted = self.named("records"), self.of("batch:release"), dict[str, Any]()
        good = len(entries) * 2 == len(record) <= 2
        need(good, FALSE, "release.missing", "the release, its signature or its one entry is missing")
        for entry in entries:
            data = record["release.json"]
            good = entry.facts["document_sha256"] == sha256(data) and entry.key in (None, entry.facts["kid"])
            need(good, FALSE, "release.hash", f"entry {entry.index} released another document than this one")
            key, document = self.key_at(entry.facts["kid"], "credential", entry.index), read_json(data, "the release")
            key.verify("release.signature", "the release", b"lotseal/release/v1\n" + data, record["release.sig"])
            for act in self.of("certificate:accept", "certificate:withdraw"):
                if act.index < entry.index:
                    facts = self.sent[act.subject]
                    one = [(facts["number"], facts["file_sha256"])] if act.act == "certificate:accept" else []
                    accepted[act.subject] = one
            named = sorted((one["number"], one["file_sha256"]) for one in document["certificates"])
            good = named == sorted(one for ones in accepted.values() for one in ones)
            need(good, FALSE, "release.certificates", "the release names others than the accepted certificates")
            told = [one.facts for one in self.entries if one.chain.partition(":")[0] in ("batch", "product")]
            for name in ("lot", "gtin"):
                known = {one.get(name) for one in told}.union(*(one.get("changed", {}).get(name, ()) for one in told))
                need(document[name] in known, FALSE, "release.subject", f"the release is about another {name}")
            self.prove("release.signature", f"key {key.kid}, in force at entry {entry.index}, signed the release")
            self.prove("release.certificates", f"it names the {len(named)} certificates accepted until then")

    def read_jwt(self, kind: str, where: str, data: bytes, role: str, index: int) -> Json:
        head, body, tail = data.decode("latin-1").split(".")
        header = read_json(unb64url(head, where), where)
        good = header == {"alg": "ES256", "kid": header.get("kid"), "typ": "vc+jwt"}
        need(good, FORM, f"{kind}.form", f"{where} is no vc+jwt with ES256")
        key = self.key_at(header["kid"].rpartition("#")[2], role, index)
        key.verify(f"{kind}.signature", where, f"{head}.{body}".encode(), unb64url(tail, where))
        return read_json(unb64url(body, where), where)

    def read_status_list(self, name: str, data: bytes) -> bytes:
        """The bits of a list whose hash the last entry of its chain names."""
        where, editions = f"status/{name}", self.of("status:publish", chain=f"status:{name.removesuffix('.jwt')}")
        newest = editions and editions[-1].facts["jwt_sha256"] == sha256(data)
        need(newest, FALSE, "status.edition", f"{where} is not the newest edition that the log names")
        subject = self.read_jwt("status", where, data, "status", editions[-1].index)["credentialSubject"]
        self.prove("status.edition", f"{where} is edition {len(editions)}, the newest one here, and signed")
        return zlib.decompressobj(31).decompress(unb64url(subject["encodedList"][1:], where), MAX_BITS)

    def check_credentials(self) -> None:
        lists = {name: self.read_status_list(name, data) for name, data in self.named("status").items()}
        held, revoked = (
            self.named("credentials"),
            {one.facts["credential"]: one.index for one in self.of("credential:revoke")},
        )
        for entry in self.of("credential:issue"):
            ref = entry.facts["credential"]
            where, data = f"credentials/{ref}.jwt", held.pop(f"{ref}.jwt", b"")
            need(data or self.head["kind"] != "batch", FALSE, "credential.missing", f"{where} is missing")
            if data:
                good = sha256(data) == entry.facts["jwt_sha256"]
                need(good, FALSE, "credential.hash", f"{where} is not the one that entry {entry.index} issued")
                status = self.read_jwt("credential", where, data, "credential", entry.index)["credentialStatus"]
                bits = lists.get(f"{status['statusListCredential'].rpartition('/')[2]}.jwt", b"")
                octet, bit = divmod(int(status["statusListIndex"]), 8)
                need(octet < len(bits), FALSE, "status.missing", f"{where}: its status list is missing")
                down = bool(bits[octet] << bit & 128)
                good = down == (ref in revoked)
                need(good, FALSE, "status.bit", f"{where}: status list and log disagree whether it is revoked")
                state = f"revoked by entry {revoked[ref]}" if down else "not revoked"
                self.prove("credential.signature", f"{where}: issued by entry {entry.index}, signed, {state}")
        need(not held, FALSE, "credential.foreign", f"not issued for this batch: {min(held, default='')}")

    def check_item(self, where: str, serial: str, item: Json) -> None:
        proof = item["proof"]
        good = (
            item.keys() == ITEM and type(item["place"]) is int and [bytes.fromhex(one).hex() for one in proof] == proof
        )
        need(good, FORM, "item.form", f"{where} does not have the form of an item")
        commits = [one for one in self.of("codes:commit") if one.facts["run"] == item["run"]]
        need(commits, FALSE, "item.run", f"{where}: no entry commits to its run")
        entry = commits[0]
        run, (uri, query, signed) = entry.facts, item["link"].partition("?s=")
        lots = ("", f"/10/{quote(run['lot'], safe='')}")
        good = uri in [f"{run['base'].upper()}/01/{run['gtin']}{lot}/21/{serial}" for lot in lots]
        good = good and bool(query) == (run["tier"] == "B")
        need(good, FALSE, "item.link", f"{where}: the link does not belong to its run")
        root = root_of(item["place"], run["count"], item["link"].encode(), [bytes.fromhex(one) for one in proof])
        need(root == run["root"], FALSE, "item.root", f"{where}: not a code of its run")
        self.prove("item.root", f"{serial} is code {item['place'] + 1} of the {run['count']} of run {item['run']}")
        if query:
            # A run that was ordered before its key was retired may end after that.
            wanted = {"run": item["run"], "count": run["count"]}
            orders = [one.index for one in self.of("codes:issue") if wanted.items() <= one.facts.items()]
            key = self.key_at(run["kid"], "item", (orders or [entry.index])[0], entry.index)
            good = re.fullmatch(f"{run['letter']}[0-9]{{155}}", signed) and int(signed[1:]) >> 512 == 0
            need(good, FALSE, "item.signature", f"{where}: the signature does not have its form")
            message = f"lotseal/item/v1\n{uri}".encode()
            key.verify("item.signature", where, message, int(signed[1:]).to_bytes(64))
            self.prove("item.signature", f"{serial} is signed by key {key.kid}, in force then")
        void = {one.subject for one in self.of("codes:void")} & {f"item:{serial}", f"run:{item['run']}"}
        state = "void" if void else "issued"
        need(item["state"] == state, FALSE, "item.state", f"{where}: the log says «{state}»")
        self.prove("item.state", f"{serial}: {state}")

    def tell_state(self) -> None:
        state = before = recalled = ""
        for entry in self.of(*(f"batch:{word}" for word in STEPS)):
            word = entry.act.partition(":")[2]
            before = state if word == "hold" else before
            state = before if word == "hold-lift" else STEPS[word]
            recalled = f", recalled by entry {entry.index}" if word == "recall" else recalled
        self.prove("batch.state", f"{self.head['batch']} is «{state}»{recalled}")

    def check_witnesses(self) -> dict[str, int]:
        """When each witness saw the checkpoint, in seconds since 1970."""
        seen, quorum = dict[str, int](), self.rules.quorum
        for name, key in self.rules.witnesses.items():
            for one in self.point.signed_by(key):
                seen[name] = int.from_bytes(one[:8])
                message = f"cosignature/v1\ntime {seen[name]}\n".encode() + self.point.text
                good = len(one) == 72 and key.holds(message, one[8:])
                need(good, FALSE, "cosignature.signature", f"the cosignature of {key.name} does not fit")
                self.prove("cosignature.signature", f"{key.name} saw this checkpoint at {spoken(seen[name])}")
        told = f"{len(seen)} known witnesses cosigned"
        need(self.rules.met(quorum, seen), POLICY, "policy.quorum", f"quorum «{quorum}» is not met: {told}")
        self.prove("policy.quorum", f"quorum «{quorum}» is met: {told}")
        return seen

    def check_time(self, seen: dict[str, int], tsa_root: bytes | None) -> None:
        roots = x509.load_pem_x509_certificates(tsa_root) if tsa_root else []
        pinned, seconds = tsa_root is None, [*seen.values()]
        for name, data in self.named("timestamps").items():
            stamp = Stamp(data, hashlib.sha256(self.point.text).digest())
            trusted = stamp.leads_to(roots)
            pinned, by = pinned or trusted, "pinned by you" if trusted else "not pinned"
            seconds.append(int(stamp.at.timestamp()))
            self.prove("timestamp.signature", f"{name}: {stamp.authority} ({by}) at {stamp.at.isoformat()}")
        need(pinned, POLICY, "timestamp.root", "no timestamp of an authority that you pinned")
        first, high = min(seconds, default=2**62), self.entries[0]
        if seconds:
            self.prove("time.logged", f"all of this was logged at {spoken(first)} or before")
        told: dict[str, list[str]] = {"time.back-dated": [], "time.ahead": []}
        for entry in self.entries:
            claimed, before = (datetime.fromisoformat(one.time).timestamp() for one in (entry, high))
            if claimed < before - LATE_S:
                told["time.back-dated"].append(f"entry {entry.index} of {entry.time} after {high.index} of {high.time}")
            if claimed > first + LATE_S:
                told["time.ahead"].append(f"entry {entry.index} of {entry.time}, which was logged before")
            high = entry if claimed > before else high
        told["log.later"] = ["whether later entries follow shows the log itself: lotseal log verify"]
        for rule, lines in told.items():
            more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
            self.report.notes += [{"rule": rule, "fact": f"{lines[0]}{more}"}] if lines else []


class Node(NamedTuple):
    """One DER value; `node / 2` is the third value inside."""

    tag: int
    whole: bytes
    body: bytes

    def __truediv__(self, place: int) -> Node:
        return read_der(self.body)[place]


def read_der(data: bytes) -> list[Node]:
    nodes, at = [], 0
    while at < len(data):
        size, head = data[at + 1], 2
        if size > 127:
            size, head = int.from_bytes(data[at + 2 : at + 2 + size - 128]), 2 + size - 128
        nodes.append(Node(data[at], data[at : at + head + size], data[at + head : at + head + size]))
        at += head + size
    need(at == len(data) < MAX_NOTE, FORM, "timestamp.form", "a timestamp is no DER of its size")
    return nodes


class Stamp:
    """A time-stamp response (RFC 3161, RFC 5816) over a SHA-256: its time, and the certificate that signed it."""

    def __init__(self, data: bytes, imprint: bytes) -> None:
        status, token = read_der(read_der(data)[0].body)
        signed = read_der((token / 1 / 0).body)
        info = (signed[2] / 1 / 0).body
        told, (_, _, digest, attributes, _, made, *_) = read_der(info)[0], read_der((signed[-1] / 0).body)
        # By the ends of their object ids: 0903 is the content type, 0904 the digest, 022f the certificate's hash.
        said = {(one / 0).body.hex()[-4:]: one / 1 / 0 for one in read_der(attributes.body)}
        good = (signed[2] / 0).body == said["0903"].body == bytes.fromhex("2a864886f70d0109100104")
        need(good and (status / 0).body in (b"\0", b"\1"), FORM, "timestamp.form", "this is no granted timestamp")
        good = (told / 2 / 0 / 0).body.hex() == "608648016503040201" and (told / 2 / 1).body == imprint
        need(good, FALSE, "timestamp.imprint", "a timestamp is about another checkpoint")
        self.at = datetime.strptime((told / 4).body.decode()[:14] + "+0000", "%Y%m%d%H%M%S%z")
        named = next(one.body for one in read_der((said["022f"] / 0 / 0).body) if one.tag == 4)
        size = {32: "sha256", 48: "sha384", 64: "sha512"}
        whole = [one.whole for one in read_der(signed[3].body)]
        self.held = [x509.load_der_x509_certificate(one) for one in whole]
        self.signer = self.held[[hashlib.new(size[len(named)], one).digest() for one in whole].index(named)]
        self.authority = self.signer.subject.rfc4514_string()
        kind = {"01": hashes.SHA256(), "02": hashes.SHA384(), "03": hashes.SHA512()}[(digest / 0).body.hex()[-2:]]
        public: Any = self.signer.public_key()
        how = [padding.PKCS1v15(), kind] if isinstance(public, rsa.RSAPublicKey) else [ec.ECDSA(kind)]
        try:
            need(hashlib.new(kind.name, info).digest() == said["0904"].body, FALSE, "timestamp.signature", "digest")
            public.verify(made.body, b"\x31" + attributes.whole[1:], *how)
        except InvalidSignature:
            raise Refused(FALSE, "timestamp.signature", f"not signed by {self.authority}") from None
        usage = self.signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        fit = ExtendedKeyUsageOID.TIME_STAMPING in usage and self._lives(self.signer)
        need(fit, FALSE, "timestamp.certificate", f"{self.authority} may not stamp, or not at that time")

    def _lives(self, one: x509.Certificate) -> bool:
        return one.not_valid_before_utc <= self.at <= one.not_valid_after_utc

    def _issued(self, one: x509.Certificate, by: x509.Certificate) -> bool:
        try:
            one.verify_directly_issued_by(by)
            return self._lives(by) and by.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False

    def leads_to(self, roots: Sequence[x509.Certificate]) -> bool:
        """Whether the signer is one of these, or issued by one, through what the response holds."""
        path = [self.signer]
        for at in path:
            path += [one for one in self.held if one not in path and self._issued(at, one)]
        return any(at in roots or any(self._issued(at, root) for root in roots) for at in path)


def shown(report: Report) -> str:
    """The report for people; what could steer a terminal is written out."""
    ended = [report.refused] if report.refused else []
    lines = [
        f"  {word:7} {one['rule']}: {one['fact']}"
        for word, told in (("proven", report.facts), ("note", report.notes), ("WRONG", ended))
        for one in told
    ]
    text = "\n".join([*lines, f"{report.result}: {report.about.get('subject', 'no bundle')}"])
    if report.exit == 0 and report.policy == "bundle":
        text += "\nThe keys are the operator's own word. Bring your own policy with --policy FILE."
    return "".join(one if one.isprintable() or one == "\n" else f"\\u{ord(one):04x}" for one in text)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check a Lotseal evidence bundle off-line.")
    parser.add_argument("bundle", metavar="BUNDLE.zip")
    parser.add_argument("--policy", metavar="FILE", help="tlog-policy with the keys that you trust")
    parser.add_argument("--tsa-root", metavar="FILE", help="PEM certificates of time-stamp authorities that you trust")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    asked = parser.parse_args(arguments)
    try:
        paths = (asked.bundle, asked.policy, asked.tsa_root)
        data, *rest = [None if one is None else Path(one).read_bytes() for one in paths]
    except OSError as error:
        print(f"cannot read {error.filename}: {error.strerror}", file=sys.stderr)
        return 3
    report = check(data or b"", *rest)
    told = json.dumps(vars(report), indent=2) if asked.json else shown(report)
    sys.stdout.buffer.write(f"{told}\n".encode())
    return report.exit


if __name__ == "__main__":
    sys.exit(main())
