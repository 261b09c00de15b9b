"""Follow a log from outside: read every entry, grow the tree again, and hold chains and roots against the checkpoint.

A monitor keeps a `State`: how far it read, the tree's right edge, and where each chain ended. Whoever keeps one notices
a log that was cut, rewritten or forked since, and a history from which something was left out.

Stretches of the log are read by themselves (`signing.stretch`), so that a caller may do it in several processes
(`spread`); here they are put together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, starmap
from typing import Any, Final, Self

from .checkpoint import Checkpoint
from .encoding import b64, unb64
from .envelope import read_envelope
from .errors import BadProof, Malformed, Missing
from .merkle import Frontier, leaf_hashes, split_hashes, verify_consistency
from .merkle import consistency_proof_from as make_consistency_proof
from .stretch import Bundle, End, Stretch, broken, read_stretch
from .tiles import ENTRIES, WIDTH, Fetch, Tile, TileReader, decode_bundle

A_STRETCH: Final = 64
"""Bundles that are read together."""
_NOTHING: Final = (b"", 0)
_OF_KEYS: Final = b'"chain":"keys"'

Part = tuple[int, Sequence[Bundle]]
"""The index of the first entry, and consecutive bundles."""
Spread = Callable[[Callable[[int, Sequence[Bundle]], Stretch], Iterable[Part]], Iterable[Stretch]]
"""`itertools.starmap`, or one that works in several processes and keeps the order."""


@dataclass
class State:
    """How far a monitor read. `ends` has the leaf hash (hexadecimal) and the number of each chain's newest entry."""

    origin: str
    frontier: Frontier = field(default_factory=Frontier)
    keys: int = 0
    ends: dict[bytes, End] = field(default_factory=dict)

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
    spread: Spread = starmap,
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
    for stretch in spread(read_stretch, _stretches(fetch, state.size, checkpoint.size)):
        _take(state, stretch)
        tell(state.size)
    if state.frontier.root() != checkpoint.root:
        _name_difference(fetch, checkpoint)


def key_entries(fetch: Fetch, start: int, size: int) -> Iterator[tuple[int, str]]:
    """Index and act of each entry of the key history from `start` on, below `size`. `follow` has read them before: that
    they are those of the signed root is not checked again. Raises Malformed, or Missing."""
    index = start
    for data, width in _bundles(fetch, start, size):
        for entry in decode_bundle(data, width):
            if _OF_KEYS in entry:
                yield index, read_envelope(entry).act
            index += 1


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


def _stretches(fetch: Fetch, start: int, size: int) -> Iterator[tuple[int, list[Bundle]]]:
    bundles = _bundles(fetch, start, size)
    while together := list(islice(bundles, A_STRETCH)):
        yield start, together
        start += sum(width for _data, width in together)


def _take(state: State, stretch: Stretch) -> None:
    """Hold the heads of a stretch against the ends before it; the earliest difference is named."""
    for chain, (index, prev, seq) in stretch.heads.items():
        before, number = state.ends.get(chain, _NOTHING)
        if prev != before or seq != number + 1:
            raise broken(chain, index, (seq, number + 1), prev == before, (state.keys, state.keys))
        if index == stretch.start and stretch.keys_before != state.keys:
            raise broken(chain, index, (seq, seq), True, (stretch.keys_before or 0, state.keys))
    if stretch.fault:
        raise stretch.fault
    state.ends |= stretch.ends
    state.keys += stretch.keys
    for level, hashes in stretch.tree:
        state.frontier.extend(split_hashes(hashes), level)


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
