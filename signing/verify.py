"""Check a Lotseal evidence bundle off-line: `python verify.py BUNDLE.zip [--policy FILE] [--tsa-root FILE] [--json]`.

Needs Python 3.11 and `cryptography`, no network and no Lotseal. A copy is a member of each bundle; take the tool from a
source that you trust. Exit status: 0 sound, 1 tampered, 2 policy not met or wrong usage, 3 malformed or unreadable. A
sound bundle proves that the record was not rewritten, not that what was written is true, and nothing about a pack.
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
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Record
from typing import Any, Final
from urllib.parse import quote

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
except ImportError:  # Python alone would exit with 1, and that means «tampered» here.
    raise SystemExit(print("nothing was checked: «pip install cryptography» first", file=sys.stderr) or 3) from None

MAX_BUNDLE, MAX_MEMBERS, MAX_JSON, MAX_NOTE, MAX_BITS = 512 << 20, 60_000, 16 << 20, 256 << 10, 16 << 20
LATE: Final = timedelta(hours=1)  # claimed times may run back by so much, as between two servers, before it is told
NAMES: Final = re.compile(
    rb"bundle\.json|checkpoint|policy|README\.txt|verify\.(py|html)|(entries|contents|actors)/\d{10}\.json|"
    rb"proofs/\d{10}\.tlog-proof|records/release\.(json|sig)|files/[0-9a-f]{64}|facts/[0-9a-f]{64}\.json|"
    rb"credentials/[\w-]{1,60}\.jwt|status/\d{1,9}\.jwt|items/[2-9A-Z]{20}\.json|timestamps/\w[\w.-]{0,60}\.tsr"
)
# Canonical JSON has one spelling, so that this is the whole form of an entry; the first of a chain has no "prev".
ENTRY: Final = re.compile(
    rb'{"act":"[a-z-]{1,20}:[a-z-]{1,30}","actor":"[0-9a-f]{64}","chain":"[a-z-]{1,20}(:[A-Za-z0-9_-]{1,60})?",'
    rb'"content":"[0-9a-f]{64}","key":(null|"[A-Za-z0-9_-]{43}"),"keys":\d+,"prev":(null,"seq":1|"[0-9a-f]{64}",'
    rb'"seq":(?!1,)[1-9]\d*),"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","type":"lotseal/entry/v1"}'
)
NOTE: Final = re.compile(r"(([^\s+]{1,255})\n(0|[1-9][0-9]{0,17})\n(\S{44})\n)\n((?:— [^\s+]{1,255} \S+\n)+)")
SUBJECT: Final = r"lotseal/bundle/v1 (batch|certificate|item) \1:[A-Za-z0-9_-]{1,60}"
STEPS: Final = {"add": "draft", "submit": "awaiting-tests", "release": "released", "hold": "held", "hold-lift": ""}
STEPS.update(recall="recalled", close="closed")
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FORM, FALSE, POLICY, RULES = ("malformed", 3), ("tampered", 1), ("policy not met", 2), ("policy malformed", 3)
Json = dict[str, Any]


class Refused(Exception):
    """Why a bundle is not sound: (permanent word of the rule, sentence, (word, exit status))."""


def need(holds: object, rule: str, fact: str, kind: tuple[str, int] = FALSE) -> None:
    if not holds:
        raise Refused(rule, fact, kind)


def fits(rule: str, fact: str, verify: Callable[..., None], *arguments: Any) -> None:
    """Refuse what a signature does not fit: `verify` of a key raises then."""
    try:
        verify(*arguments)
    except InvalidSignature:
        raise Refused(rule, fact, FALSE) from None


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
    report = Report("bundle", result="sound, but policy taken from the bundle") if policy is None else Report("auditor")
    try:
        Evidence(read_zip(data), report, policy, tsa_root)
    except Exception as error:
        # A document that is canonical and yet of another shape than a rule expects: nothing of it was believed.
        other = "bundle.form", f"a document has another form: {type(error).__name__}", FORM
        rule, fact, (report.result, report.exit) = error.args if isinstance(error, Refused) else other
        report.refused = {"rule": rule, "fact": fact}
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
    return b"".join((local, central, b"PK\5\6", end))


def read_zip(data: bytes) -> dict[str, bytes]:
    """Walk the members, write them back, compare: any other spelling is malformed."""
    need(len(data) <= MAX_BUNDLE, "zip.size", f"a bundle has at most {MAX_BUNDLE} bytes", FORM)
    members, at = dict[str, bytes](), 0
    while data[at : at + 4] == b"PK\3\4" and len(data) >= at + 30 and len(members) < MAX_MEMBERS:
        size, length = struct.unpack_from("<IH", data, at + 22)
        name, at = data[at + 30 : at + 30 + length], at + 30 + length
        need(NAMES.fullmatch(name), "zip.name", "a member has a name that none may have", FORM)
        members[name.decode()], at = data[at : at + size], at + size
    need(members and write_zip(members) == data, "zip.canonical", "no bundle, or not its one ZIP, byte by byte", FORM)
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
    with suppress(ValueError, RecursionError):
        value = len(data) <= MAX_JSON and json.loads(data, parse_int=number, parse_float=int, parse_constant=int)
        if isinstance(value, dict) and canonical(value) == data:
            return value
    raise Refused("json.canonical", f"{where} is no object in canonical JSON", FORM)


def unb64(text: str, where: str, url: bool = False) -> bytes:
    """Standard base64, or base64url without padding: decode, encode again, compare."""
    data = b""
    with suppress(ValueError):
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_" if url else None, validate=True)
    spelled = base64.urlsafe_b64encode(data).rstrip(b"=") if url else base64.b64encode(data)
    need(data and spelled.decode() == text, "base64", f"{where} is not base64", FORM)
    return data


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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


def read_vkey(text: str, kind: int) -> Record:
    """A verifier key of C2SP signed-note: Ed25519 of a log (type 1) or of a cosigning witness (type 4)."""
    name, number, encoded = text.encode("latin-1").decode().split("+", 2)
    data = unb64(encoded, "a key of the policy")
    id_ = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    right = name and len(data) == 33 and data[0] == kind and id_.hex() == number
    need(right, "policy.key", "a key of the policy is no Ed25519 verifier key of its kind", RULES)
    verify = ed25519.Ed25519PublicKey.from_public_bytes(data[1:]).verify
    return Record(name=name, id=(name, id_), key=data[1:], verify=verify)


class Policy:
    """C2SP tlog-policy: logs, witnesses, groups and the quorum."""

    def __init__(self, data: bytes) -> None:
        self.logs, self.witnesses, self.quorum = list[Record](), dict[str, Record](), ""
        self.groups = dict[str, tuple[int, list[str]]]()
        plain = len(data) <= MAX_NOTE and re.fullmatch(rb"[\t\n\x20-\x7e\x80-\xff]*", data)
        need(plain, "policy.form", "the policy is too long or holds control characters", RULES)
        lines = [re.findall(r"[^ \t]+", line) for line in data.decode("latin-1").split("\n")]
        for words in (words for words in lines if words and not words[0].startswith("#")):
            known = {*self.witnesses, *self.groups}
            match words:
                case ["log", key] | ["log", key, _]:
                    self.logs.append(read_vkey(key, 1))
                case ["witness", name, key] | ["witness", name, key, _] if name not in {"none", *known}:
                    self.witnesses[name] = read_vkey(key, 4)
                case ["group", name, least, *members] if name not in {"none", *known}:
                    least = {"any": "1", "all": str(len(members))}.get(least, least)
                    inside = [one for _, group in self.groups.values() for one in group] + members
                    good = re.fullmatch("[1-9][0-9]{0,3}", least) and int(least) <= len(members)
                    good = good and len({*inside}) == len(inside) and known >= {*members}
                    need(good, "policy.group", "a group of the policy has a wrong number or member", RULES)
                    self.groups[name] = int(least), members
                case ["quorum", name] if not self.quorum and name in {"none", *known}:
                    self.quorum = name
                case _:
                    raise Refused("policy.line", "the policy has a line that tlog-policy does not allow", RULES)
        for keys in (self.logs, self.witnesses.values()):
            need(len({one.key for one in keys}) == len(keys), "policy.twice", "the policy names a key twice", RULES)
        need(self.quorum, "policy.quorum", "the policy has no quorum line", RULES)

    def met(self, name: str, cosigned: Collection[str]) -> bool:
        least, members = self.groups.get(name, (0, []))
        return sum(self.met(one, cosigned) for one in members) >= least if least else name in {"none", *cosigned}


def read_checkpoint(data: bytes) -> Record:
    """C2SP signed-note with the three lines of tlog-checkpoint and no extension line; signatures by key."""
    note = len(data) <= MAX_NOTE and NOTE.fullmatch(data.decode(errors="replace"))
    if not note or note[0].encode() != data:
        raise Refused("checkpoint.form", "the checkpoint is no signed note of origin, size and root", FORM)
    signed: dict[tuple[str, bytes], list[bytes]] = {}
    for name, encoded in re.findall(r"— (\S+) (\S+)\n", note[5]):
        made = unb64(encoded, "a signature of the checkpoint")
        signed.setdefault((name, made[:4]), []).append(made[4:])
    root = unb64(note[4], "the root").hex()
    return Record(text=note[1].encode(), origin=note[2], size=int(note[3]), root=root, signed=signed)


class Evidence:
    """One bundle, examined step by step: structure, keys, signatures, status, policy."""

    def __init__(self, members: dict[str, bytes], report: Report, policy: bytes | None, tsa_root: bytes | None) -> None:
        self.members, self.report, self.entries, self.keys = members, report, list[Record](), dict[str, Json]()
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

    def of(self, *acts: str, chain: str = "") -> list[Record]:
        """The entries of these acts in the chain of the batch, or in another one, in the order of the log."""
        return [one for one in self.entries if one.act in acts and one.chain == (chain or self.head["batch"])]

    def read_head(self) -> None:
        need({"bundle.json", "checkpoint"} <= {*self.members}, "bundle.missing", "no bundle.json or checkpoint", FORM)
        head = self.head = read_json(self.members["bundle.json"], "bundle.json")
        good = head.keys() == {"batch", "chains", "checkpoint_size", "kind", "members", "origin", "subject", "type"}
        whole = good and re.fullmatch(SUBJECT, f"{head['type']} {head['kind']} {head['subject']}")
        need(whole, "bundle.head", "bundle.json does not have the form of lotseal/bundle/v1", FORM)
        hashed = {name: sha256(data) for name, data in self.members.items() if name != "bundle.json"}
        wrong = [name for name in {**head["members"], **hashed} if head["members"].get(name) != hashed.get(name)]
        need(not wrong, "bundle.hash", f"not the member that bundle.json names: {min(wrong, default='')}")
        self.report.about = {name: head[name] for name in ("kind", "subject", "origin", "checkpoint_size")}
        self.prove("bundle.hash", f"{len(hashed)} members have the SHA-256 that bundle.json names")
        point = self.point = read_checkpoint(self.members["checkpoint"])
        good = (head["origin"], head["checkpoint_size"]) == (point.origin, point.size)
        need(good, "bundle.checkpoint", "bundle.json names another checkpoint than the one inside")
        need(head["subject"] == head["batch"] or head["kind"] != "batch", "bundle.head", "two batches")
        there = head["kind"] != "item" or f"items/{head['subject'][5:]}.json" in self.members
        need(there, "item.missing", "the item that the bundle is about is not inside")

    def check_log_signature(self) -> None:
        point, logs, where = self.point, self.rules.logs, f"the checkpoint of {self.point.origin}"
        made = [(key, one) for key in logs for one in point.signed.get(key.id, ()) if key.name == point.origin]
        need(made, "checkpoint.log", f"no log key of the policy signed {where}", POLICY)
        self.signers = {key.key for key, _ in made}
        for key, one in made:
            fits("checkpoint.signature", f"the log's signature does not fit {where}", key.verify, one, point.text)
        self.prove("checkpoint.signature", f"the log signed {where} with {point.size} entries")

    def read_entries(self) -> None:
        entries, contents, proofs = self.named("entries"), self.named("contents"), self.named("proofs")
        whole = entries and {*entries} == {*contents} == {name.replace("tlog-proof", "json") for name in proofs}
        need(whole, "entry.members", "each entry has one content document and one proof", FORM)
        for name, data in sorted(entries.items()):
            self.read_entry(int(name[:10]), data, contents[name], proofs[name.replace("json", "tlog-proof")])
        for name, data in self.named("actors").items():
            need(json.loads(entries[name])["actor"] == sha256(data), "entry.actor", f"actors/{name} has another hash")
        self.prove("entry.content", f"{len(entries)} content documents have the SHA-256 that their entries name")
        self.prove("proof.inclusion", f"{len(entries)} entries are in the signed tree, each at its index")

    def read_entry(self, index: int, data: bytes, content: bytes, proof: bytes) -> None:
        where, one, told = f"entry {index}", read_json(data, "an entry"), read_json(content, "a content document")
        need(ENTRY.fullmatch(data), "entry.form", f"{where} does not have the form of lotseal/entry/v1", FORM)
        same = sha256(content) == one["content"] and told.keys() == {"act", "at", "facts", "salt", "subject"}
        good = same and (told["act"], told["at"]) == (one["act"], one["time"])
        need(good, "entry.content", f"{where} is about another content document")
        one |= {"index": index, "leaf": sha256(b"\0" + data), "at": datetime.fromisoformat(one["time"])}
        self.entries.append(Record(**one, subject=told["subject"], facts={**told["facts"]}))
        start, _, note = proof.partition(b"\n\n")
        lines = start.decode("latin-1").split("\n")
        need(lines[:2] == ["c2sp.org/tlog-proof@v1", f"index {index}"], "proof.form", f"{where}: no tlog-proof", FORM)
        need(note == self.members["checkpoint"], "proof.checkpoint", f"the proof of {where} has another checkpoint")
        root = root_of(index, self.point.size, data, [unb64(line, "a proof") for line in lines[2:]])
        need(root == self.point.root, "proof.inclusion", f"{where} is not in the signed tree there")

    def check_chains(self) -> None:
        chains: dict[str, list[Record]] = {}
        for entry in self.entries:
            line, known = chains.setdefault(entry.chain, []), len(chains.get("keys", ()))
            where, before = f"entry {entry.index} of chain {entry.chain}", line[-1].leaf if line else None
            need(entry.seq == len(line) + 1, "chain.gap", f"number {len(line) + 1} is missing before {where}")
            need(entry.prev == before, "chain.prev", f"{where} was written after another entry than here")
            need(entry.keys == known, "keys.count", f"{where} knew {entry.keys} entries of keys, not {known}")
            line.append(entry)
        good = self.head["chains"] == sorted(chains) and self.head["batch"] in chains
        need(good, "chain.list", "bundle.json lists other chains than the entries belong to")
        lacking = {"batch", "category", "keys", "product", "supplier"} - {name.partition(":")[0] for name in chains}
        need(not lacking, "chain.missing", f"no chain of this kind: {min(lacking, default='')}")
        for name, line in sorted(chains.items()):
            self.prove("chain.complete", f"{name}: {len(line)} entries, none left out up to entry {line[-1].index}")

    def replay_keys(self) -> None:
        for entry in self.of("key:add", "key:retire", "key:revoke", chain="keys"):
            kid, jwk, where = entry.subject.partition(":")[2], entry.facts.get("jwk") or {}, f"entry {entry.index}"
            if entry.act == "key:add":
                thumb = sha256(canonical({name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}))
                good = kid not in self.keys and (not jwk or unb64(kid, "a key id", url=True).hex() == thumb)
                need(good, "key.thumbprint", f"{where}: {kid} is not the id of a new key")
                self.keys[kid] = {"role": entry.facts["role"], "jwk": jwk, "added": entry.index}
            else:
                need(kid in self.keys, "key.unknown", f"{where} ends a key that was never added")
                self.keys[kid].setdefault("retired" if entry.act == "key:retire" else "revoked", entry.index)
        ended = [one for one in self.keys.values() if one["role"] == "log" and {"retired", "revoked"} & {*one}]
        alive = self.signers - {unb64(one["jwk"]["x"], "a log key", url=True) for one in ended}
        need(alive, "checkpoint.key", "the log signed its checkpoint with a key that had ended by an entry in it")
        self.prove("key.history", f"{len(self.keys)} keys, each with the entries that began and ended its life")

    def verify(self, rule: str, what: str, message: bytes, made: bytes, kid: str, role: str, *at: int) -> None:
        """ES256 by a key from before the last entry `at`, not revoked before that, nor retired before the first one."""
        where, last, key = f"entry {at[0]}, key {kid}", max(at[0], at[-1]), self.keys.get(kid, {"jwk": {}})
        need(key["jwk"].get("crv") == "P-256", "key.unknown", f"{where}: not in the key history")
        need(key["role"] == role, "key.role", f"{where}: a key for «{key['role']}», which signs nothing else")
        need(key["added"] < last, "key.window", f"{where}: added later, by entry {key['added']}")
        need(key.get("revoked", last) >= last, "key.revoked", f"{where}: revoked before, by {key.get('revoked')}")
        need(key.get("retired", at[0]) >= at[0], "key.retired", f"{where}: retired before, by {key.get('retired')}")
        x, y = (int.from_bytes(unb64(key["jwk"][name], "a key", url=True)) for name in "xy")
        r, s, kind = int.from_bytes(made[:32]), int.from_bytes(made[32:]), ec.ECDSA(hashes.SHA256())
        need(len(made) == 64 and 0 < s <= ORDER // 2, rule, f"{what}: no ES256 signature with low s")
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        fits(rule, f"{what}: not signed by key {kid}", public.verify, utils.encode_dss_signature(r, s), message, kind)

    def check_certificates(self) -> None:
        files, subject, kind = self.named("files"), self.head["subject"], self.head["kind"]
        self.sent = {one.subject: one.facts for one in self.of("certificate:submit")}
        wanted = {one["file_sha256"] for one in self.sent.values()}
        for name, data in files.items():
            need(sha256(data) == name, "file.hash", f"files/{name} has another SHA-256 than its name")
            need(name in wanted, "file.foreign", f"files/{name} was never submitted for this batch")
            self.prove("file.hash", f"the file with SHA-256 {name} is the one that was submitted")
        for act in self.of("certificate:accept", "certificate:reject", "certificate:withdraw"):
            file = self.sent.get(act.subject, {}).get("file_sha256", "")
            good = file and act.facts.get("file_sha256", file) == file
            need(good, "certificate.file", f"entry {act.index} is about a file that was not submitted")
        need(kind != "certificate" or subject in self.sent, "certificate.missing", f"{subject} was not submitted here")
        due = {"item": set[str](), "certificate": {self.sent.get(subject, {}).get("file_sha256", "")}}.get(kind, wanted)
        need(due <= files.keys(), "file.missing", f"the file is missing: {min(due - files.keys(), default='')}")

    def check_release(self) -> None:
        record, entries = self.named("records"), self.of("batch:release")
        need(len(entries) * 2 == len(record) <= 2, "release.missing", "the release, its signature or entry is missing")
        for entry in entries:
            data, kid, where = record["release.json"], entry.facts["kid"], f"entry {entry.index}"
            good = entry.facts["document_sha256"] == sha256(data) and entry.key in (None, kid)
            need(good, "release.hash", f"{where} released another document than this one")
            message, made = b"lotseal/release/v1\n" + data, record["release.sig"]
            self.verify("release.signature", "the release", message, made, kid, "credential", entry.index)
            acts = self.of("certificate:accept", "certificate:withdraw")
            last = {act.subject: act.act for act in acts if act.index < entry.index}
            valid = [self.sent[one] for one, act in last.items() if act == "certificate:accept"]
            document, pair = read_json(data, "the release"), lambda one: (one["number"], one["file_sha256"])
            good = sorted(map(pair, document["certificates"])) == sorted(map(pair, valid))
            need(good, "release.certificates", "the release names others than the accepted certificates")
            told = [one.facts for one in self.entries if one.chain.partition(":")[0] in ("batch", "product")]
            for name in ("lot", "gtin"):
                known = {one.get(name) for one in told}.union(*(one.get("changed", {}).get(name, ()) for one in told))
                need(document[name] in known, "release.subject", f"the release is about another {name}")
            self.prove("release.signature", f"key {kid}, in force at {where}, signed the release")
            self.prove("release.certificates", f"it names the {len(valid)} certificates accepted until then")

    def read_jwt(self, role: str, where: str, data: bytes, index: int) -> Json:
        head, body, tail = data.decode("latin-1").split(".")
        header, signature = read_json(unb64(head, where, url=True), where), unb64(tail, where, url=True)
        good = header == {"alg": "ES256", "kid": header.get("kid"), "typ": "vc+jwt"}
        need(good, f"{role}.form", f"{where} is no vc+jwt with ES256", FORM)
        message, kid = f"{head}.{body}".encode(), header["kid"].rpartition("#")[2]
        self.verify(f"{role}.signature", where, message, signature, kid, role, index)
        return read_json(unb64(body, where, url=True), where)

    def read_status_list(self, name: str, data: bytes) -> bytes:
        """The bits of a list whose hash the last entry of its chain names."""
        where, editions = f"status/{name}", self.of("status:publish", chain=f"status:{name.removesuffix('.jwt')}")
        newest = editions and editions[-1].facts["jwt_sha256"] == sha256(data)
        need(newest, "status.edition", f"{where} is not the newest edition that the log names")
        subject = self.read_jwt("status", where, data, editions[-1].index)["credentialSubject"]
        self.prove("status.edition", f"{where} is edition {len(editions)}, the newest one here, and signed")
        return zlib.decompressobj(31).decompress(unb64(subject["encodedList"][1:], where, url=True), MAX_BITS)

    def check_credentials(self) -> None:
        lists = {name: self.read_status_list(name, data) for name, data in self.named("status").items()}
        revoked = {one.facts["credential"]: one.index for one in self.of("credential:revoke")}
        held = self.named("credentials")
        for entry in self.of("credential:issue"):
            ref = entry.facts["credential"]
            where, data = f"credentials/{ref}.jwt", held.pop(f"{ref}.jwt", b"")
            need(data or self.head["kind"] != "batch", "credential.missing", f"{where} is missing")
            if data:
                need(sha256(data) == entry.facts["jwt_sha256"], "credential.hash", f"{where}: another one was issued")
                status = self.read_jwt("credential", where, data, entry.index)["credentialStatus"]
                bits = lists.get(f"{status['statusListCredential'].rpartition('/')[2]}.jwt", b"")
                octet, bit = divmod(int(status["statusListIndex"]), 8)
                need(octet < len(bits), "status.missing", f"{where}: its status list is missing")
                down = bool(bits[octet] << bit & 128)
                need(down == (ref in revoked), "status.bit", f"{where}: list and log disagree whether it is revoked")
                state = f"revoked by entry {revoked[ref]}" if down else "not revoked"
                self.prove("credential.signature", f"{where}: issued by entry {entry.index}, signed, {state}")
        need(not held, "credential.foreign", f"not issued for this batch: {min(held, default='')}")

    def check_item(self, where: str, serial: str, item: Json) -> None:
        good = item.keys() == {"link", "place", "proof", "run", "state"} and type(item["place"]) is int
        proof = [bytes.fromhex(one) for one in item["proof"]] if good else []
        need(good and [one.hex() for one in proof] == item["proof"], "item.form", f"{where} is no item of a run", FORM)
        commits = [one for one in self.of("codes:commit") if one.facts["run"] == item["run"]]
        need(commits, "item.run", f"{where}: no entry commits to its run")
        run, (uri, query, signed) = commits[0].facts, item["link"].partition("?s=")
        lots = ("", f"/10/{quote(run['lot'], safe='')}")
        uris = [f"{run['base'].upper()}/01/{run['gtin']}{lot}/21/{serial}" for lot in lots]
        need(uri in uris and bool(query) == (run["tier"] == "B"), "item.link", f"{where}: not the link of this code")
        root = root_of(item["place"], run["count"], item["link"].encode(), proof)
        need(root == run["root"], "item.root", f"{where}: not a code of its run")
        self.prove("item.root", f"{serial} is code {item['place'] + 1} of the {run['count']} of run {item['run']}")
        if query:
            wanted = {"run": item["run"], "count": run["count"]}.items()  # ordered before its key retired, ended later
            at = [one.index for one in self.of("codes:issue") if wanted <= one.facts.items()] + [commits[0].index]
            good = re.fullmatch(f"{run['letter']}[0-9]{{155}}", signed) is not None  # which may be more than 64 bytes
            made = int(signed[1:]).to_bytes(65).removeprefix(b"\0") if good else b""
            self.verify("item.signature", where, f"lotseal/item/v1\n{uri}".encode(), made, run["kid"], "item", *at)
            self.prove("item.signature", f"{serial} is signed by key {run['kid']}, in force then")
        void = {one.subject for one in self.of("codes:void")} & {f"item:{serial}", f"run:{item['run']}"}
        state = "void" if void else "issued"
        need(item["state"] == state, "item.state", f"{where}: the log says «{state}»")
        self.prove("item.state", f"{serial}: {state}")

    def tell_state(self) -> None:
        state = before = recalled = ""
        for entry in self.of(*(f"batch:{word}" for word in STEPS)):
            word = entry.act.partition(":")[2]
            state, before = before if word == "hold-lift" else STEPS[word], state if word == "hold" else before
            recalled = f", recalled by entry {entry.index}" if word == "recall" else recalled
        self.prove("batch.state", f"{self.head['batch']} is «{state}»{recalled}")

    def check_witnesses(self) -> list[datetime]:
        """When each known witness saw the checkpoint."""
        seen, quorum = dict[str, datetime](), self.rules.quorum
        for name, key in self.rules.witnesses.items():
            for one in self.point.signed.get(key.id, ()):
                second, wrong = int.from_bytes(one[:8]), f"the cosignature of {key.name} does not fit"
                message = f"cosignature/v1\ntime {second}\n".encode() + self.point.text
                fits("cosignature.signature", wrong, key.verify, one[8:], message)
                seen[name] = datetime.fromtimestamp(second, UTC)
                self.prove("cosignature.signature", f"{key.name} saw this checkpoint at {seen[name].isoformat()}")
        need(self.rules.met(quorum, seen), "policy.quorum", f"quorum «{quorum}» is not met by {len(seen)}", POLICY)
        told = self.report.facts if seen else self.report.notes  # where nobody had to see it, nobody else vouches
        told.append({"rule": "policy.quorum", "fact": f"quorum «{quorum}» is met: {len(seen)} witnesses cosigned"})
        return [*seen.values()]

    def check_time(self, seen: list[datetime], tsa_root: bytes | None) -> None:
        need(b"-----BEGIN" in (tsa_root or b"-----BEGIN"), "timestamp.root", "your tsa-root holds no PEM", POLICY)
        roots, pinned = x509.load_pem_x509_certificates(tsa_root) if tsa_root else [], tsa_root is None
        for name, data in self.named("timestamps").items():
            at, authority, trusted = read_stamp(data, hashlib.sha256(self.point.text).digest(), roots)
            pinned, by = pinned or trusted, "pinned by you" if trusted else "not pinned"
            seen += [at] * trusted  # anybody can run an authority and set its clock
            self.prove("timestamp.signature", f"{name}: {authority} ({by}) at {at.isoformat()}")
        need(pinned, "timestamp.root", "no timestamp of an authority that you pinned", POLICY)
        if seen:
            self.prove("time.logged", f"all of this was logged at {min(seen).isoformat()} or before")
        told, high = {"time.back-dated": list[str](), "time.ahead": list[str]()}, self.entries[0]
        for entry in self.entries:
            if high.at - entry.at > LATE:
                told["time.back-dated"].append(f"entry {entry.index} of {entry.time} after {high.index} of {high.time}")
            if seen and entry.at - min(seen) > LATE:
                told["time.ahead"].append(f"entry {entry.index} of {entry.time}, which was logged before")
            high = entry if entry.at > high.at else high
        told["log.later"] = ["whether later entries follow shows the log itself: lotseal log verify"]
        for rule, lines in told.items():
            more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
            self.report.notes += [{"rule": rule, "fact": f"{lines[0]}{more}"}] if lines else []


def read_der(data: bytes) -> list[tuple[bytes, bytes]]:
    """The head and the body of each DER value."""
    values, at = [], 0
    while at < len(data):
        size, start = data[at + 1], at + 2 + max(data[at + 1] - 128, 0)
        size = int.from_bytes(data[at + 2 : start]) if size > 127 else size
        values.append((data[at:start], data[start : start + size]))
        at = start + size
    need(at == len(data) < MAX_NOTE, "timestamp.form", "a timestamp is no DER of its size", FORM)
    return values


def inside(data: bytes, *path: int) -> bytes:
    """The body at a path of places: 2, 0 is the first value inside the third."""
    for place in path:
        data = read_der(data)[place][1]
    return data


def read_stamp(data: bytes, imprint: bytes, roots: Collection[x509.Certificate]) -> tuple[datetime, str, bool]:
    """A time-stamp response (RFC 3161, RFC 5816) over a SHA-256: time, authority, whether a root vouches for it."""
    (_, status), (_, token) = read_der(inside(data, 0))
    signed = inside(token, 1, 0)
    info, (_, _, digest, attributes, _, made, *_) = inside(signed, 2, 1, 0), read_der(inside(signed, -1, 0))
    # By the ends of their object ids: 0903 content type, 0904 digest, 022f and 020c (SHA-1) the certificate's hash.
    said = {inside(one, 0).hex()[-4:]: inside(one, 1, 0) for _, one in read_der(attributes[1])}
    good = inside(signed, 2, 0) == said["0903"] == bytes.fromhex("2a864886f70d0109100104")
    need(good and inside(status, 0) in (b"\0", b"\1"), "timestamp.form", "this is no granted timestamp", FORM)
    good = inside(info, 0, 2, 0, 0).hex() == "608648016503040201" and inside(info, 0, 2, 1) == imprint
    need(good, "timestamp.imprint", "a timestamp is about another checkpoint")
    at = datetime.strptime(inside(info, 0, 4).decode()[:14] + "+0000", "%Y%m%d%H%M%S%z")
    kinds = {1: hashes.SHA256(), 2: hashes.SHA384(), 3: hashes.SHA512()}
    named = next(body for head, body in read_der(inside(said.get("022f") or said["020c"], 0, 0)) if head[0] == 4)
    held = [x509.load_der_x509_certificate(head + body) for head, body in read_der(inside(signed, 3))]
    signer: Any = next(c for c in held if named in map(c.fingerprint, (hashes.SHA1(), *kinds.values())))  # noqa: S303 - RFC 3161
    name, kind, public = signer.subject.rfc4514_string(), kinds[inside(digest[1], 0)[-1]], signer.public_key()
    how = [padding.PKCS1v15(), kind] if isinstance(public, rsa.RSAPublicKey) else [ec.ECDSA(kind)]
    need(hashlib.new(kind.name, info).digest() == said["0904"], "timestamp.signature", "the stamp has another digest")
    message = b"\x31" + attributes[0][1:] + attributes[1]  # as a SET OF: RFC 5652 section 5.4
    fits("timestamp.signature", f"not signed by {name}", public.verify, made[1], message, *how)
    usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    good = signer.not_valid_before_utc <= at <= signer.not_valid_after_utc and x509.OID_TIME_STAMPING in usage
    need(good, "timestamp.certificate", f"{name} may not stamp, or not at that time")
    path = [signer]
    for last in path:
        path += [one for one in (*held, *roots) if one not in path and issued(last, one, at)]
    return at, name, any(one in roots for one in path)


def issued(one: x509.Certificate, by: x509.Certificate, at: datetime) -> bool:
    """Whether an authority that was one at that time issued this certificate."""
    with suppress(ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        one.verify_directly_issued_by(by)
        alive = by.not_valid_before_utc <= at <= by.not_valid_after_utc
        return alive and by.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    return False


def shown(report: Report) -> str:
    """The report for people; what could steer a terminal is written out."""
    words = {"proven": report.facts, "note": report.notes, "WRONG": [report.refused] if report.refused else []}
    lines = [f"  {word:7} {one['rule']}: {one['fact']}" for word, told in words.items() for one in told]
    text = "\n".join([*lines, ": ".join(filter(None, [report.result, report.about.get("subject")]))])
    if report.exit == 0 and report.policy == "bundle":
        text += "\nThe keys are the operator's own word. Bring your own policy with --policy FILE."
    return "".join(one if one.isprintable() or one == "\n" else f"\\u{ord(one):04x}" for one in text)


def read_file(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(MAX_BUNDLE + 1)  # so that a longer file, or one without an end, is refused for its size


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check a Lotseal evidence bundle off-line.")
    parser.add_argument("bundle", metavar="BUNDLE.zip", type=read_file)
    parser.add_argument("--policy", metavar="FILE", type=read_file, help="tlog-policy with the keys that you trust")
    parser.add_argument("--tsa-root", metavar="FILE", type=read_file, help="PEM certificates of authorities you trust")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    try:
        asked = parser.parse_args(arguments)
    except OSError as error:
        print(f"cannot read {error.filename}: {error.strerror}", file=sys.stderr)
        return 3
    report = check(asked.bundle, asked.policy, asked.tsa_root)
    sys.stdout.buffer.write(f"{json.dumps(vars(report), indent=2) if asked.json else shown(report)}\n".encode())
    return report.exit


if __name__ == "__main__":
    sys.exit(main())
