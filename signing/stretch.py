"""A stretch of a log, read by itself: what its entries hash to, and where the histories in it begin and end.

Reading a stretch needs nothing that comes before it, so that many can be read at once, in as many processes as there
are. Whoever puts them together (`signing.monitor`) has one look for each history and stretch, not one for each entry.
"""

from __future__ import annotations

import re
import struct
from binascii import hexlify
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from .errors import BadProof, Malformed, SigningError
from .merkle import leaf_hashes
from .merkle import root as merkle_root
from .tiles import HEIGHT, WIDTH, decode_bundle

KEYS_CHAIN: Final = b"keys"

# A bundle as a whole: length, entry, length, entry … An entry has one spelling, since canonical JSON leaves no freedom
# where no value needs an escape. Hashes are taken by their length here and looked at together, which is much quicker
# than letter by letter.
_ENTRIES: Final = re.compile(
    rb'(..)(\{"act":"[a-z-]{1,20}:[a-z-]{1,30}","actor":"(.{64})","chain":"([a-z-]{1,20}(?::[A-Za-z0-9_-]{1,60})?)",'
    rb'"content":"(.{64})","key":(?:null|"[A-Za-z0-9_-]{43}"),"keys":(0|[1-9][0-9]{0,8}),"prev":(?:null|"(.{64})"),'
    rb'"seq":([1-9][0-9]{0,8}),"time":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z",'
    rb'"type":"lotseal/entry/v1"\})',
    re.DOTALL,
)
_HEX: Final = b"0123456789abcdef"

Bundle = tuple[bytes, int]
"""The bytes of an entry bundle, and how many entries it holds."""
End = tuple[bytes, int]
"""Leaf hash (hexadecimal) and seq of the newest entry of a history."""
Row = tuple[bytes, bytes, int, int, bytes]
"""Of an entry: chain, prev (empty for none), seq, keys, leaf hash (hexadecimal)."""


@dataclass
class Stretch:
    """What was read, up to its first fault. Hashes lie joined, because that travels between processes at little cost.

    `start` is the index of the first entry; `tree` holds levels and joined hashes of the subtrees in their order.
    `heads` has index, prev and seq of each history's first entry, in the order of the entries, `ends` its newest one.
    `keys_before` is what the first entry says of the key history, `keys` how many entries of it are in here.
    """

    start: int
    size: int = 0
    tree: list[tuple[int, bytes]] = field(default_factory=list)
    heads: dict[bytes, tuple[int, bytes, int]] = field(default_factory=dict)
    ends: dict[bytes, End] = field(default_factory=dict)
    keys_before: int | None = None
    keys: int = 0
    fault: SigningError | None = None


def read_stretch(start: int, bundles: Sequence[Bundle]) -> Stretch:
    """Consecutive bundles; the first of their entries has the index `start`. A fault is told in the answer, with what
    was read before it, so that the earliest difference can be named."""
    stretch = Stretch(start)
    try:
        for bundle in bundles:
            _read(stretch, bundle)
    except SigningError as fault:
        stretch.fault = fault
    return stretch


def broken(chain: bytes, index: int, seq: tuple[int, int], linked: bool, keys: tuple[int, int]) -> BadProof:
    """The error for an entry that does not follow the ones before. `seq` and `keys` are what it says and what is due;
    `linked` tells whether it names the entry before it."""
    name = chain.decode()
    if seq[0] != seq[1]:
        return BadProof(
            "monitor.left-out",
            f"entry {index}: the history of {name} goes on with number {seq[0]}, due is {seq[1]}",
            index=index,
            chain=name,
        )
    if not linked:
        return BadProof(
            "monitor.chain",
            f"entry {index}: number {seq[0]} of {name} does not name the entry before it",
            index=index,
            chain=name,
        )
    return BadProof(
        "monitor.keys",
        f"entry {index} was made under {keys[0]} key entries, the log had {keys[1]}",
        index=index,
        chain=name,
    )


def _read(stretch: Stretch, bundle: Bundle) -> None:
    data, width = bundle
    index = stretch.start + stretch.size
    rows = _ENTRIES.findall(data)
    if len(rows) != width:
        raise _no_entry(data, width, index)
    lengths, entries, actors, chains, contents, keys, prevs, seqs = zip(*rows, strict=True)
    told = struct.unpack(f">{width}H", b"".join(lengths))
    # What lies between two finds is no part of any; then the bundle is longer than what was found.
    if told != tuple(map(len, entries)) or len(data) != sum(told) + 2 * width:
        raise _no_entry(data, width, index)
    if b"".join((*actors, *contents, *prevs)).translate(None, _HEX):
        raise Malformed("monitor.hash", f"a hash in the bundle of entry {index} is not lower-case hexadecimal")
    leaves = leaf_hashes(entries)
    _link(stretch, zip(chains, prevs, map(int, seqs), map(int, keys), map(hexlify, leaves), strict=True))
    whole = width == WIDTH and not index % WIDTH
    _grow(stretch, HEIGHT if whole else 0, merkle_root(leaves) if whole else b"".join(leaves))
    stretch.size += width


def _link(stretch: Stretch, rows: Iterable[Row]) -> None:
    """Follow each history from entry to entry; what a head follows, the caller knows."""
    ends, index, added = stretch.ends, stretch.start + stretch.size, stretch.keys
    before = stretch.keys_before
    for chain, prev, seq, keys, leaf in rows:
        if before is None:
            before = stretch.keys_before = keys
        end = ends.get(chain)
        if end is None:
            stretch.heads[chain] = index, prev, seq
            end = prev, seq - 1
        if prev != end[0] or seq != end[1] + 1 or keys != before + added:
            raise broken(chain, index, (seq, end[1] + 1), prev == end[0], (keys, before + added))
        ends[chain] = leaf, seq
        if chain == KEYS_CHAIN:
            added += 1
        index += 1
    stretch.keys = added


def _grow(stretch: Stretch, level: int, hashes: bytes) -> None:
    """Subtrees of one level side by side are one piece."""
    if stretch.tree and stretch.tree[-1][0] == level:
        hashes = stretch.tree.pop()[1] + hashes
    stretch.tree.append((level, hashes))


def _no_entry(data: bytes, width: int, start: int) -> Malformed:
    """The slow look at a bundle that the quick one did not like: which entry is none."""
    for index, entry in enumerate(decode_bundle(data, width), start):
        prefixed = len(entry).to_bytes(2, "big") + entry
        if not _ENTRIES.fullmatch(prefixed):
            return Malformed("monitor.entry", f"entry {index} is no entry of this log", index=index)
    return Malformed("monitor.bundle", f"the bundle of entry {start} is not one entry after the other", index=start)
