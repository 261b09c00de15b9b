"""Follow a log from outside: read every entry, grow the tree again, and hold chains and roots against the checkpoint.

A monitor keeps a `State`: how far it read, the tree's right edge, and where each chain ended. Whoever keeps one notices
a log that was cut, rewritten or forked since, and a history from which something was left out.

A million entries are read in about the time that hashing them takes: `examine` looks at a bundle of 256 at a time and
knows no order, so that a caller may run it in several processes (`spread`).
"""

from __future__ import annotations

import json
import re
import struct
from binascii import hexlify
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from .checkpoint import Checkpoint
from .encoding import b64, unb64
from .errors import BadProof, Malformed, Missing
from .merkle import Frontier, leaf_hashes, split_hashes, verify_consistency
from .merkle import consistency_proof_from as make_consistency_proof
from .merkle import root as merkle_root
from .tiles import ENTRIES, HEIGHT, WIDTH, Fetch, Tile, TileReader, decode_bundle

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
_NOTHING: Final = (b"", 0)


@dataclass(frozen=True)
class Examined:
    """What a bundle holds, in its order: leaf hashes, and chain, prev (empty for none), seq and keys of each entry.
    Joined, because joined bytes travel between processes at little cost."""

    leaves: bytes
    root: bytes
    """Of a full bundle, so that this work is spread too; empty for a part of one."""
    chains: bytes
    prevs: bytes
    seqs: bytes
    keys: bytes


def examine(bundle: tuple[bytes, int]) -> Examined:
    """The entries of a bundle (its bytes, and how many it holds), each in the form of an entry. Raises Malformed."""
    data, width = bundle
    rows = _ENTRIES.findall(data)
    if len(rows) != width:
        raise _no_entry(data, width)
    lengths, entries, actors, chains, contents, keys, prevs, seqs = zip(*rows, strict=True)
    told = struct.unpack(f">{width}H", b"".join(lengths))
    # What lies between two finds is no part of any; then the bundle is longer than what was found.
    if told != tuple(map(len, entries)) or len(data) != sum(told) + 2 * width:
        raise _no_entry(data, width)
    if b"".join((*actors, *contents, *prevs)).translate(None, _HEX):
        raise Malformed("monitor.hash", "a hash in this bundle is not lower-case hexadecimal")
    leaves = leaf_hashes(entries)
    root = merkle_root(leaves) if width == WIDTH else b""
    return Examined(b"".join(leaves), root, b"\n".join(chains), b"\n".join(prevs), b"\n".join(seqs), b"\n".join(keys))


def _no_entry(data: bytes, width: int) -> Malformed:
    """The slow look at a bundle that the quick one did not like: which entry is none."""
    for place, entry in enumerate(decode_bundle(data, width)):
        prefixed = len(entry).to_bytes(2, "big") + entry
        if not _ENTRIES.fullmatch(prefixed):
            return Malformed("monitor.entry", f"entry {place} of this bundle is no entry of this log", place=place)
    return Malformed("monitor.bundle", "this bundle is not one entry after the other")


Spread = Callable[[Callable[[tuple[bytes, int]], Examined], Iterable[tuple[bytes, int]]], Iterable[Examined]]
"""`map`, or one that works in several processes and keeps the order."""


@dataclass
class State:
    """How far a monitor read. `ends` has the leaf hash (hexadecimal) and the number of each chain's newest entry."""

    origin: str
    frontier: Frontier = field(default_factory=Frontier)
    keys: int = 0
    ends: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.frontier.size

    def to_bytes(self) -> bytes:
        """JSON; `read` is the way back."""
        return json.dumps(
            {
                "ends": {chain.decode(): [leaf.decode(), seq] for chain, (leaf, seq) in self.ends.items()},
                "frontier": [b64(one) for one in self.frontier.hashes],
                "keys": self.keys,
                "origin": self.origin,
                "size": self.size,
                "type": "lotseal/monitor/v1",
            },
            sort_keys=True,
        ).encode()

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Raises Malformed."""
        try:
            value: Mapping[str, Any] = json.loads(data)
            frontier = Frontier.from_hashes(
                value["size"], [unb64(one, "monitor.state", 32) for one in value["frontier"]]
            )
            ends = {chain.encode(): (leaf.encode(), int(seq)) for chain, (leaf, seq) in value["ends"].items()}
            if value["type"] != "lotseal/monitor/v1":
                raise ValueError("another type")
            return cls(str(value["origin"]), frontier, int(value["keys"]), ends)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Malformed("monitor.state", "this is not the state of a monitor") from error


def follow(
    fetch: Fetch,
    state: State,
    checkpoint: Checkpoint,
    *,
    since: Checkpoint | None = None,
    spread: Spread = map,
    tell: Callable[[int], None] = lambda _size: None,
) -> None:
    """Read on from the state to the checkpoint, whose signature the caller has verified.

    Raises BadProof that names the first difference, Malformed, or Missing for a file that is not there. Then the state
    has grown up to the difference and must not be kept.
    """
    if state.origin != checkpoint.origin:
        raise BadProof("monitor.origin", "the checkpoint is of another log", origin=checkpoint.origin)
    _refuse_shrunk(state.size, checkpoint, "the state of this monitor")
    if state.size:
        _check_grown(fetch, state.size, state.frontier.root(), checkpoint)
    if since is not None:
        _check_since(fetch, since, checkpoint)
    for examined in spread(examine, _bundles(fetch, state.size, checkpoint.size)):
        _take(state, examined)
        tell(state.size)
    if state.frontier.root() != checkpoint.root:
        _name_difference(fetch, checkpoint)


def _refuse_shrunk(size: int, checkpoint: Checkpoint, what: str) -> None:
    if size > checkpoint.size:
        raise BadProof(
            "monitor.shrunk",
            f"the log has {checkpoint.size} entries, but {what} says {size}: it was cut or rolled back",
            size=checkpoint.size,
            known=size,
        )


def _check_since(fetch: Fetch, since: Checkpoint, checkpoint: Checkpoint) -> None:
    if since.origin != checkpoint.origin:
        raise BadProof("monitor.origin", "the checkpoint that was kept is of another log", origin=since.origin)
    _refuse_shrunk(since.size, checkpoint, "the checkpoint that was kept")
    if since.size:
        _check_grown(fetch, since.size, since.root, checkpoint)


def _check_grown(fetch: Fetch, size: int, root: bytes, checkpoint: Checkpoint) -> None:
    proof = make_consistency_proof(TileReader(fetch, checkpoint.size), size, checkpoint.size)
    try:
        verify_consistency(size, checkpoint.size, proof, root, checkpoint.root)
    except BadProof as error:
        raise BadProof(
            "monitor.rewritten",
            f"the first {size} entries are not those that were seen before: the log was rewritten or forked",
            size=size,
        ) from error


def _bundles(fetch: Fetch, start: int, size: int) -> Iterator[tuple[bytes, int]]:
    """From the bundle that holds entry `start`, cut so that it begins there."""
    while start < size:
        index, skipped = divmod(start, WIDTH)
        width = min(WIDTH, size - index * WIDTH)
        tile = Tile(ENTRIES, index, width)
        data = fetch(tile.path)
        held = width
        if data is None and width < WIDTH:
            data, held = fetch(tile.full.path), WIDTH
        if data is None:
            raise Missing("monitor.missing", f"the log has no {tile.path}", path=tile.path)
        if skipped or held != width:
            kept = decode_bundle(data, held)[skipped:width]
            data = b"".join(len(entry).to_bytes(2, "big") + entry for entry in kept)
        yield data, width - skipped
        start = index * WIDTH + width


def _take(state: State, examined: Examined) -> None:
    """Chains first, which name a place; then the tree grows."""
    leaves = split_hashes(examined.leaves)
    ends, index, counted = state.ends, state.size, state.keys
    rows = zip(
        examined.chains.split(b"\n"),
        examined.prevs.split(b"\n"),
        map(int, examined.seqs.split(b"\n")),
        map(int, examined.keys.split(b"\n")),
        map(hexlify, leaves),
        strict=True,
    )
    for chain, prev, seq, keys, leaf in rows:
        before, number = ends.get(chain, _NOTHING)
        if prev != before or seq != number + 1 or keys != counted:
            raise _break(chain.decode(), index, (seq, number + 1), prev == before, (keys, counted))
        ends[chain] = (leaf, seq)
        if chain == KEYS_CHAIN:
            counted += 1
        index += 1
    state.keys = counted
    if examined.root and state.size % WIDTH == 0:
        state.frontier.extend([examined.root], HEIGHT)
    else:
        state.frontier.extend(leaves)


def _break(chain: str, index: int, seq: tuple[int, int], linked: bool, keys: tuple[int, int]) -> BadProof:
    """`seq` and `keys` are what the entry says and what is due."""
    if seq[0] != seq[1]:
        return BadProof(
            "monitor.left-out",
            f"entry {index}: the history of {chain} goes on with number {seq[0]}, due is {seq[1]}",
            index=index,
            chain=chain,
        )
    if not linked:
        return BadProof(
            "monitor.chain",
            f"entry {index}: number {seq[0]} of {chain} does not name the entry before it",
            index=index,
            chain=chain,
        )
    return BadProof(
        "monitor.keys",
        f"entry {index} was made under {keys[0]} key entries, the log had {keys[1]}",
        index=index,
        chain=chain,
    )


def _name_difference(fetch: Fetch, checkpoint: Checkpoint) -> None:
    """The entries do not give the signed root: say which is the first that the hash tiles know otherwise."""
    reader = TileReader(fetch, checkpoint.size)
    index = 0
    for data, width in _bundles(fetch, 0, checkpoint.size):
        for leaf in leaf_hashes(decode_bundle(data, width)):
            if reader(0, index) != leaf:
                raise BadProof("monitor.entry-changed", f"entry {index} is not the one that was sealed", index=index)
            index += 1
    raise BadProof("monitor.root", "entries and hash tiles agree, but not with the signed checkpoint", size=index)
