"""Evidence bundles of many stories, and what somebody may do to one on its way to the auditor.

A clean bundle must be found sound. A changed one must be refused, whether its maker left the hashes as they were or
made ZIP and hashes anew, so that only signatures, proofs and chains can tell. What docs/log.md calls unauthenticated
may change in a bundle that was packed anew; even then nothing is proven that was not before.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import makers
from ledger import REPORT, SERIALS, Ledger, a_story, high_s, repacked_with
from makers import AT
from stamps import Authority

from lotseal.signing import verify
from lotseal.signing.canonical import canonical_json, sha256_hex
from lotseal.signing.keys import PrivateKey
from lotseal.signing.verify import Report, check, read_zip, write_zip
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.certificates.models import Certificate
from lotseal.trace.evidence import service as evidence
from lotseal.trace.files.service import TakenIn
from lotseal.trace.items.models import Item
from lotseal.trace.releases import service as releases
from lotseal.trace.system import System

UNAUTHENTICATED = ("bundle.json", "policy", "README.txt", "verify.py", "verify.html", "facts/")
"""Members that nothing signs: somebody who packs the bundle anew can change them (docs/log.md)."""
Members = dict[str, bytes]
Change = dict[str, bytes | None]


@dataclass(frozen=True)
class Case:
    """A bundle and what the auditor brings along."""

    story: str
    bundle: bytes
    policy: bytes
    root: bytes | None = None

    def check(self, data: bytes | None = None) -> Report:
        return check(self.bundle if data is None else data, self.policy, self.root)


# --- stories ----------------------------------------------------------------------------------------------------------


def of_the_ledger(luck: random.Random, authority: Authority) -> Case:
    """A story by chance: how far the batch came, its codes, credentials, what happened later, who saw the log."""
    until, tier = luck.choice(["accepted", "released", "end"]), luck.choice("AB")
    ledger = a_story(until=until, tier=tier)
    words = [until, tier]
    for name, turn in luck.sample(sorted(_LATER.items()), luck.randrange(3)):
        if until != "accepted" or name not in _AFTER_RELEASE:
            turn(ledger)
            words.append(name)
    kinds: list[tuple[Any, str]] = [("batch", "b1"), ("certificate", "z1")]
    if until != "accepted":
        kinds.append(("item", luck.choice(SERIALS)))
    kind, subject = luck.choice(kinds)
    root = None
    if luck.random() < 0.3:
        ledger.others["timestamps/one.tsr"] = authority.stamp(ledger.text())
        root = authority.root
        words.append("stamped")
    quorum = luck.choice(["all-of-us", "w1", "none"])
    if quorum != "all-of-us":
        ledger.cosigned_by = luck.randrange(1, 3)
    policy = ledger.policy.replace(b"quorum all-of-us", f"quorum {quorum}".encode())
    bundle = repacked_with(read_zip(ledger.bundle(kind, subject)), _left_out(ledger, kind, subject))
    return Case(" ".join([kind, *words, quorum]), bundle, policy, root)


def _left_out(ledger: Ledger, kind: str, subject: str) -> Change:
    """What the service does not put into a bundle of this kind, though the ledger does."""
    own = {"batch": None, "certificate": f"files/{sha256_hex(REPORT)}", "item": f"items/{subject}.json"}[kind]
    folders = {"batch": (), "certificate": ("files/",), "item": ("files/", "items/")}[kind]
    return {name: None for name in ledger.others if folders and name.startswith(folders) and name != own}


def _rotate(ledger: Ledger) -> None:
    ledger.enter("key:retire", f"key:{ledger.items.kid}", "keys", role="item")
    ledger.items = PrivateKey.generate()
    ledger.add_key(ledger.items, "item", "B")


def _void(ledger: Ledger) -> None:
    ledger.on_batch("codes:void", "run:r1", reason="roll lost")
    for name in [name for name in ledger.others if name.startswith("items/")]:
        ledger.others[name] = canonical_json({**json.loads(ledger.others[name]), "state": "void"})


_LATER: dict[str, Callable[[Ledger], Any]] = {
    "held": lambda ledger: ledger.on_batch("batch:hold"),
    "recalled": lambda ledger: ledger.on_batch("batch:recall"),
    "corrected": lambda ledger: ledger.enter("batch:correct", "batch:b1", "batch:b1", changed={"place": ["a", "b"]}),
    "key retired": _rotate,
    "key revoked": lambda ledger: ledger.enter(
        "key:revoke", f"key:{ledger.credentials.kid}", "keys", role="credential"
    ),
    "voided": _void,
    "another report": lambda ledger: ledger.submit("z3", "YX-0419", REPORT + b" again"),
}
_AFTER_RELEASE = ("held", "recalled", "voided")


class OfTheService:
    """Bundles that the service itself makes of what is in its store."""

    def __init__(self, system: System, luck: random.Random) -> None:
        self._system, self._luck = system, luck

    def case(self) -> Case:
        system, luck = self._system, self._luck
        with system.main.write() as session:
            batch = makers.a_batch(session)
            stored = system.storage.put(f"%PDF-1.7 {luck.random()}".encode())
            file = TakenIn(stored.sha256, stored.size, "pdf", "report.pdf", 1, True, [])
            report = makers.a_certificate(session, batch, file=file)
            released = luck.random() < 0.7
            if released:
                releases.release(session, batch, system.ring, by=OPERATOR, at=AT)
        if released:
            makers.issue_credentials(system)
        of: list[tuple[type[Any], str]] = [(type(batch), batch.ref), (Certificate, report.ref)]
        if released and luck.random() < 0.5:
            made = makers.codes(system, batch, luck.randint(1, 5), luck.choice("AB"))
            of.append((Item, luck.choice(made).serial))
        if released and luck.random() < 0.3:
            with system.main.write() as session:
                words = {"reason_zh": "复检", "reason_en": "Tested again"}
                batches.hold(session, batches.get(session, batch.ref), words, by=OPERATOR, at=AT)
        kind, ref = luck.choice(of)
        system.sequencer().run_once()
        with system.main.read() as session:
            name = kind.__name__.lower()
            found = evidence.find(session, name, ref, account=None)
            policy = system.log_policy(session).encode()
            return Case(f"{name} of the service", evidence.of_any(system.evidence(session), found).data, policy)


# --- changes ----------------------------------------------------------------------------------------------------------


def flipped(data: bytes, luck: random.Random, place: int | None = None) -> bytes:
    """One bit of it is another."""
    made = bytearray(data)
    made[luck.randrange(len(made)) if place is None else place] ^= 1 << luck.randrange(8)
    return bytes(made)


@dataclass(frozen=True)
class Tampered:
    kind: str
    data: bytes
    repaired: bool
    """ZIP and hashes were made anew."""
    member: str = ""
    free: bool = False
    """What changed is documented as unauthenticated."""


class Tamperer:
    """Changes bundles by chance; `foreign` is a bundle of another story, to take members from."""

    def __init__(self, luck: random.Random) -> None:
        self._luck = luck
        self._kinds: dict[str, Callable[[Members, Members], Change | None]] = {
            "flip": self._flip,
            "cut": self._cut,
            "extend": self._extend,
            "drop": self._drop,
            "swap": self._swap,
            "other story's": self._foreign,
            "value": self._value,
            "twin signature": self._twin,
            "moved": self._moved,
            "put in": self._put_in,
        }

    def changes(self, case: Case, foreign: Case, count: int) -> Iterator[Tampered]:
        """Every other one with hashes made anew."""
        members, others = read_zip(case.bundle), read_zip(foreign.bundle)
        for number in range(count):
            made = self._repaired(members, others) if number % 2 else self._plain(case, members, others)
            if made.data != case.bundle:
                yield made

    def _plain(self, case: Case, members: Members, others: Members) -> Tampered:
        if self._luck.random() < 0.5:
            return Tampered("any byte", flipped(case.bundle, self._luck), False)
        kind, change = self._change(members, others)
        kept = {name: data for name, data in {**members, **change}.items() if data is not None}
        return Tampered(kind, write_zip(kept), False, ", ".join(change))

    def _repaired(self, members: Members, others: Members) -> Tampered:
        if self._luck.random() < 0.05:
            head = self._luck.choice(HEADS)
            return Tampered("head", repacked_with(members, {}, **head), True, str(head))
        kind, change = self._change(members, others)
        batch = json.loads(members["bundle.json"])["kind"] == "batch"
        free = all(_is_free(batch, name, members.get(name), data) for name, data in change.items())
        return Tampered(kind, repacked_with(members, change), True, ", ".join(change), free)

    def _change(self, members: Members, others: Members) -> tuple[str, Change]:
        while True:
            kind = self._luck.choice(list(self._kinds))
            change = self._kinds[kind](members, others)
            if change is not None and any(members.get(name) != data for name, data in change.items()):
                return kind, change

    def _any(self, members: Members) -> str:
        """Each folder as often as the others, however many members it has. The head is made anew in any case."""
        folders = sorted({name.partition("/")[0] for name in members} - {"bundle.json"})
        folder = self._luck.choice(folders)
        return self._luck.choice([name for name in members if name.partition("/")[0] == folder])

    def _flip(self, members: Members, _others: Members) -> Change:
        name = self._any(members)
        return {name: flipped(members[name], self._luck)}

    def _cut(self, members: Members, _others: Members) -> Change:
        name = self._any(members)
        return {name: members[name][: self._luck.randrange(len(members[name]))]}

    def _extend(self, members: Members, _others: Members) -> Change:
        name = self._any(members)
        place, more = self._luck.randrange(len(members[name]) + 1), self._luck.randbytes(self._luck.randint(1, 9))
        return {name: members[name][:place] + more + members[name][place:]}

    def _drop(self, members: Members, _others: Members) -> Change:
        return {self._any(members): None}

    def _swap(self, members: Members, _others: Members) -> Change | None:
        one = self._any(members)
        folder = one.partition("/")[0]
        twins = [name for name in members if name != one and name.partition("/")[0] == folder]
        if not twins:
            return None
        other = self._luck.choice(twins)
        return {one: members[other], other: members[one]}

    def _foreign(self, members: Members, others: Members) -> Change | None:
        name = self._any(members)
        same = [other for other in others if other.partition("/")[0] == name.partition("/")[0]]
        return {name: others[self._luck.choice(same)]} if same else None

    def _value(self, members: Members, _others: Members) -> Change | None:
        name = self._luck.choice([name for name in members if name.endswith(".json") and name != "bundle.json"])
        told = json.loads(members[name])
        holder = told["facts"] if told.get("facts") and self._luck.random() < 0.5 else told
        key = self._luck.choice(sorted(holder))
        holder[key] = self._luck.choice([None, 0, 1, "", "x", [], {}, holder[key], [holder[key]], f"{holder[key]} "])
        return {name: canonical_json(told)}

    def _twin(self, members: Members, _others: Members) -> Change | None:
        """The other spelling of an ECDSA signature, which everybody can make."""
        if "records/release.sig" not in members:
            return None
        return {"records/release.sig": high_s(members["records/release.sig"])}

    def _moved(self, members: Members, _others: Members) -> Change:
        """An entry with all that is its own takes the number of another one, or one that is free."""
        name = self._luck.choice([name for name in members if name.startswith("entries/")])
        number = name[8:18]
        to = f"{self._luck.randrange(int(number) + 5):010d}"
        change: Change = {}
        for pattern in ("entries/{}.json", "contents/{}.json", "proofs/{}.tlog-proof"):
            change |= {pattern.format(number): members.get(pattern.format(to))}
            change |= {pattern.format(to): members[pattern.format(number)]}
        return change

    def _put_in(self, members: Members, others: Members) -> Change | None:
        told = b"".join(data for name, data in members.items() if name.startswith("contents/"))
        new = [
            name
            for name, data in others.items()
            if name not in members and not name.startswith(UNAUTHENTICATED) and not _belongs(name, data, told)
        ]
        data = self._luck.randbytes(20)
        if not new or self._luck.random() < 0.3:
            return {f"files/{sha256_hex(data)}": data}
        name = self._luck.choice(new)
        return {name: others[name]}


def _belongs(name: str, data: bytes, told: bytes) -> bool:
    """Whether it is evidence of this batch too: the reports are the same in all stories of the ledger, and so are the
    codes of tier A. To put such in falsifies nothing."""
    folder, _, rest = name.partition("/")
    return rest.encode() in told if folder == "files" else folder == "items" and b"?s=" not in data


HEADS: list[dict[str, Any]] = [
    {"kind": "item"},
    {"kind": 7},
    {"subject": "batch:b2"},
    {"batch": "batch:b2"},
    {"origin": "u.example.cn/log"},
    {"checkpoint_size": 3},
    {"chains": ["keys"]},
    {"chains": []},
    {"type": "lotseal/bundle/v2"},
    {"more": 1},
]


def _is_free(batch: bool, name: str, before: bytes | None, after: bytes | None) -> bool:
    if name.startswith(UNAUTHENTICATED) or (not batch and name.startswith("credentials/") and after is None):
        return True
    return bool(before and after and name.startswith("timestamps/") and _signed(before) == _signed(after))


def _signed(stamp: bytes) -> tuple[bytes, ...]:
    """What RFC 3161 has signed in a time stamp: its content, the signed attributes, and the signature itself."""
    try:
        signed = verify.inside(stamp, 0, 1, 1, 0)
        signer = verify.read_der(verify.inside(signed, -1, 0))
        return verify.inside(signed, 2, 1, 0), signer[3][1], signer[5][1]
    except (verify.Refused, IndexError):
        return (stamp,)


def outcome(case: Case, clean: Report, made: Tampered) -> str:
    """`found`, or `free` for a change that is documented not to be found. Raises `AssertionError` for one that should
    have been, or that changed what is proven."""
    report = case.check(made.data)
    where = f"{made.kind} in {made.member} of {case.story}, {'with' if made.repaired else 'without'} new hashes"
    if report.exit == 0:
        assert made.free, f"not found: {where}"
        more = [one for one in report.facts if one not in clean.facts and one["rule"] != "bundle.hash"]
        assert not more, f"proves {more[0]}: {where}"
        return "free"
    assert report.exit in (1, 2, 3), where
    return "found"
