"""Policies: which logs count, which witnesses, and how many of them (c2sp.org/tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <member>...
    quorum <name>|none

The file is octets. Names are compared octet by octet: here they are text in UTF-8 in which other octets stand as
lone surrogates, so that two names are equal exactly when their octets are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from . import notes
from .checkpoint import Checkpoint, is_log_key
from .encoding import undecimal
from .errors import Malformed, PolicyNotMet
from .notes import Note
from .vkeys import Algorithm, VerifierKey

MAX_POLICY: Final = 262_144
MAX_EACH: Final = 256
"""Of logs, of witnesses and of groups; the specification recommends 32 at least."""

NONE: Final = "none"

NOT_OF_THE_LOG: Final = "policy.log"
"""The rule of `PolicyNotMet` when no log of the policy signed; other rules speak of witnesses."""

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_SPACES: Final = re.compile(r"[ \t]+")


@dataclass(frozen=True)
class Log:
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True)
class Witness:
    """The name is one of this policy only; the key has a name of its own."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True)
class Group:
    """Met when at least `needed` of its members are."""

    name: str
    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Cosigned:
    """A witness of the policy and the earliest POSIX time at which it cosigned."""

    witness: Witness
    timestamp: int


@dataclass(frozen=True)
class Accepted:
    """A checkpoint that meets a policy: the log whose signature fits, and every witness whose cosignature does."""

    checkpoint: Checkpoint
    log: VerifierKey
    cosigned: tuple[Cosigned, ...]


@dataclass(frozen=True)
class Policy:
    """Logs, witnesses, groups in the order of their definition, and the name of the quorum. Raises Malformed."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_keys([log.key for log in self.logs], Algorithm.ED25519, "log")
        _check_keys([witness.key for witness in self.witnesses], Algorithm.COSIGNATURE_V1, "witness")
        _check_names(self)
        urls = [*(log.url for log in self.logs), *(witness.url for witness in self.witnesses)]
        if not all(url is None or _is_item(url) for url in urls):
            raise Malformed("policy.url", "an address is one word")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a policy file. Raises Malformed, with the number of the line where one line is to blame."""
        if len(data) > MAX_POLICY:
            raise Malformed("policy.size", f"a policy has at most {MAX_POLICY} bytes", limit=MAX_POLICY)
        if _CONTROL.search(data) or not data.endswith(b"\n"):
            raise Malformed("policy.octets", "a policy is lines of text, each ended by a newline")
        reading = _Reading()
        for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), start=1):
            items = _SPACES.split(line.strip(" \t"))
            if items[0] and not items[0].startswith("#"):
                reading.take(number, items)
        if reading.quorum is None:
            raise Malformed("policy.quorum", "a policy has one quorum line")
        return cls(tuple(reading.logs), tuple(reading.witnesses), tuple(reading.groups), reading.quorum)

    def __bytes__(self) -> bytes:
        """The policy file without comments; it parses to an equal policy."""
        lines = [_line("log", str(log.key), log.url) for log in self.logs]
        lines += [_line("witness", witness.name, str(witness.key), witness.url) for witness in self.witnesses]
        lines += [_line("group", group.name, str(group.needed), *group.members) for group in self.groups]
        return "".join([*lines, _line("quorum", self.quorum)]).encode("utf-8", "surrogateescape")

    @property
    def log_keys(self) -> list[VerifierKey]:
        return [log.key for log in self.logs]

    @property
    def witness_keys(self) -> list[VerifierKey]:
        return [witness.key for witness in self.witnesses]

    def satisfied(self, cosigners: Iterable[VerifierKey]) -> bool:
        """Whether these keys, whose cosignatures were verified, reach the quorum."""
        signed = set(cosigners)
        met = {witness.name: witness.key in signed for witness in self.witnesses}
        for group in self.groups:
            met[group.name] = sum(met[member] for member in group.members) >= group.needed
        return self.quorum == NONE or met[self.quorum]

    def verify(self, note: Note, logs: Iterable[VerifierKey] = ()) -> Accepted:
        """The checkpoint of this note, with what makes it count.

        `logs` are keys known from elsewhere, for a policy that lists none. Raises Malformed, BadSignature when the
        signature of any known key does not fit, and PolicyNotMet when no log or too few witnesses signed.
        """
        checkpoint = Checkpoint.parse(note.text)
        by_key = {witness.key: witness for witness in self.witnesses}
        log_keys = [key for key in (*self.log_keys, *logs) if is_log_key(key, checkpoint.origin)]
        signers = notes.verified(note, (*log_keys, *by_key))
        signed = [found.key for found in signers if found.key in log_keys]
        if not signed:
            raise PolicyNotMet(NOT_OF_THE_LOG, "no log of the policy signed this checkpoint", origin=checkpoint.origin)
        times = [(found.timestamp, by_key[found.key]) for found in signers if found.timestamp is not None]
        earliest = {witness: time for time, witness in sorted(times, key=lambda pair: pair[0], reverse=True)}
        if not self.satisfied(witness.key for witness in earliest):
            raise PolicyNotMet("policy.quorum", "too few witnesses cosigned", witnesses=len(earliest))
        cosigned = tuple(Cosigned(one, earliest[one]) for one in self.witnesses if one in earliest)
        return Accepted(checkpoint, signed[0], cosigned)


class _Reading:
    """What the lines so far have said."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        self._names: set[str] = set()

    def take(self, number: int, items: list[str]) -> None:
        """One line, already split. Raises Malformed."""
        match items:
            case ["log", vkey, *url] if len(url) <= 1:
                self.logs.append(Log(_key(vkey, number), *url))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self.witnesses.append(Witness(name, _key(vkey, number), *url))
                self._names.add(name)
            case ["group", name, threshold, *members] if members:
                self._defined(members, number)
                self.groups.append(Group(name, _needed(threshold, len(members), number), tuple(members)))
                self._names.add(name)
            case ["quorum", name] if self.quorum is None:
                self._defined([] if name == NONE else [name], number)
                self.quorum = name
            case _:
                raise Malformed("policy.line", f"line {number} is not one of a policy", line=number)

    def _defined(self, names: Iterable[str], number: int) -> None:
        """Only what stands further up may be named, which also rules out circles."""
        if not self._names.issuperset(names):
            raise Malformed("policy.undefined", f"line {number} uses a name that is not yet defined", line=number)


def _key(vkey: str, number: int) -> VerifierKey:
    try:
        return VerifierKey.parse(vkey)
    except Malformed as error:
        raise Malformed(error.rule, f"line {number}: {error.message}", line=number) from error


def _needed(threshold: str, members: int, number: int) -> int:
    words: Mapping[str, int] = {"any": 1, "all": members}
    needed = words.get(threshold) or undecimal(threshold, "policy.threshold", MAX_EACH)
    if not 1 <= needed <= members:
        raise Malformed("policy.threshold", f"line {number}: a group needs 1 to all of its members", line=number)
    return needed


def _line(*items: str | None) -> str:
    return " ".join(item for item in items if item is not None) + "\n"


def _is_item(text: str) -> bool:
    """One word of a policy line: not empty, no space, tab or other control character."""
    return bool(text) and not re.search(r"[\x00-\x20\x7f]", text)


def _check_numbers(policy: Policy) -> None:
    if max(len(policy.logs), len(policy.witnesses), len(policy.groups)) > MAX_EACH:
        raise Malformed("policy.many", f"at most {MAX_EACH} logs, witnesses and groups", limit=MAX_EACH)


def _check_keys(keys: list[VerifierKey], algorithm: Algorithm, kind: str) -> None:
    if any(key.algorithm is not algorithm for key in keys):
        raise Malformed("policy.key-type", f"this signature type is not the one of a {kind}", kind=kind)
    if len({key.public_key for key in keys}) != len(keys):
        raise Malformed("policy.duplicate-key", f"two {kind} lines have the same public key", kind=kind)


def _check_names(policy: Policy) -> None:
    """Each name is defined once and before its use, and counts in one place only."""
    defined = [NONE, *(witness.name for witness in policy.witnesses)]
    used: list[str] = []
    for group in policy.groups:
        if NONE in group.members or not set(group.members) <= set(defined):
            raise Malformed("policy.undefined", "a group names what is not defined before it", name=group.name)
        if not 1 <= group.needed <= len(group.members):
            raise Malformed("policy.threshold", "a group needs 1 to all of its members", name=group.name)
        defined.append(group.name)
        used += group.members
    if len(set(defined)) != len(defined) or not all(map(_is_item, defined)):
        raise Malformed("policy.name", "a name is one word and is defined once")
    if len(set(used)) != len(used):
        raise Malformed("policy.member", "a name is a member of one group, once")
    if policy.quorum not in defined:
        raise Malformed("policy.quorum", "the quorum is not defined")
