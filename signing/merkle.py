"""Merkle trees of a log: RFC 6962 section 2.1 (RFC 9162 section 2.1), SHA-256 throughout.

Hashes are 32 bytes, a proof is a list of them, a leaf hash is the hash of an entry. A *complete subtree* of level `l`
and index `i` spans the leaves `i * 2**l` up to, not including, `(i + 1) * 2**l`; all of these leaves exist, so its
hash never changes. Whatever holds these hashes (a list, tiles, a database) is read through a `HashReader`, and a
proof reads at most about `log2(size)**2 / 2` of them.

Roots are only compared, never measured: no computed hash equals a root of another length. Every check returns None
or raises Malformed for a bound and BadProof for hashes that lead elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Self

from .errors import BadProof, Malformed

HASH_SIZE: Final = 32
MAX_SIZE: Final = 2**63 - 1
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

HashReader = Callable[[int, int], bytes]
"""(level, index) of a complete subtree to its 32-byte hash."""


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The leaf hash of each entry; the quick way for many."""
    sha256 = hashlib.sha256
    return [sha256(b"\0" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def pair_hashes(hashes: Sequence[bytes]) -> list[bytes]:
    """The node hash of each two neighbours; the quick way for many. A last hash without a neighbour is left out."""
    sha256 = hashlib.sha256
    pairs = zip(hashes[::2], hashes[1::2], strict=False)
    return [sha256(b"\1" + left + right).digest() for left, right in pairs]


def split_hashes(joined: bytes) -> list[bytes]:
    """The hashes that were joined to one string. Raises Malformed when they are not whole."""
    if len(joined) % HASH_SIZE:
        raise Malformed("merkle.hash", f"a hash has {HASH_SIZE} bytes")
    return [joined[start : start + HASH_SIZE] for start in range(0, len(joined), HASH_SIZE)]


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Root of the whole tree, EMPTY_ROOT of an empty one. Raises Malformed."""
    frontier = Frontier()
    frontier.extend(leaf_hashes)
    return frontier.root()


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Hashes from the leaf's sibling up to the root's child. Raises Malformed when there is no such leaf."""
    return inclusion_proof_from(_reader_of(leaf_hashes), index, len(leaf_hashes))


def consistency_proof(leaf_hashes: Sequence[bytes], size1: int) -> list[bytes]:
    """That the tree of the first `size1` leaves is a beginning of the whole tree. Raises Malformed."""
    return consistency_proof_from(_reader_of(leaf_hashes), size1, len(leaf_hashes))


def root_from(read: HashReader, size: int) -> bytes:
    """Root of the first `size` leaves. Raises Malformed."""
    _check_size(size)
    return _range_hash(read, 0, size) if size else EMPTY_ROOT


def inclusion_proof_from(read: HashReader, index: int, size: int) -> list[bytes]:
    """RFC 6962 section 2.1.1, PATH(index, D[size]). Raises Malformed."""
    _check_index(index, size)
    start, end, proof = 0, size, []
    while end - start > 1:
        middle = _middle(start, end)
        if index < middle:
            proof.append(_range_hash(read, middle, end))
            end = middle
        else:
            proof.append(_range_hash(read, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof_from(read: HashReader, size1: int, size2: int) -> list[bytes]:
    """RFC 6962 section 2.1.2, PROOF(size1, D[size2]); empty between equal sizes. Raises Malformed, also for size 0."""
    _check_sizes(size1, size2)
    start, end, proof = 0, size2, []
    while end != size1:
        middle = _middle(start, end)
        if size1 <= middle:
            proof.append(_range_hash(read, middle, end))
            end = middle
        else:
            proof.append(_range_hash(read, start, middle))
            start = middle
    if start:
        # The last subtree of the old tree; when it is the whole old tree, the verifier knows it as root1.
        proof.append(_range_hash(read, start, end))
    return proof[::-1]


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """That the leaf is at this index of the tree with this size and root. Raises Malformed or BadProof."""
    _check_index(index, size)
    _check_hashes((leaf_hash,))
    inner, border = _shape(index, size)
    _check_proof(proof, inner + border)
    climbed = _climb(leaf_hash, proof[:inner], index)
    if _climb_border(climbed, proof[inner:]) != root:
        raise BadProof("merkle.inclusion", "the inclusion proof leads to another root")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """That the tree of `size1` is a beginning of the tree of `size2`. Raises Malformed or BadProof.

    Nothing is provable from an empty tree, so `size1` is at least 1. Trees of one size have one root and no proof.
    """
    _check_sizes(size1, size2)
    if size1 == size2:
        _check_proof(proof, 0)
        if root1 != root2:
            raise BadProof("merkle.same-size", "two trees of one size have different roots")
        return
    # The proof begins with the last complete subtree of the old tree, unless that is the whole old tree.
    level = (size1 & -size1).bit_length() - 1
    inner, border = _shape(size1 - 1, size2)
    inner -= level
    lead = int(size1 != 1 << level)
    _check_proof(proof, lead + inner + border)
    seed, rest = (proof[0] if lead else root1), proof[lead:]
    turns = (size1 - 1) >> level
    if _climb_border(_climb_left(seed, rest[:inner], turns), rest[inner:]) != root1:
        raise BadProof("merkle.consistency", "the consistency proof leads to another old root")
    if _climb_border(_climb(seed, rest[:inner], turns), rest[inner:]) != root2:
        raise BadProof("merkle.consistency", "the consistency proof leads to another new root")


class Frontier:
    """What has to be kept of a tree to let it grow: the complete subtrees along its right edge, at most 63 hashes."""

    __slots__ = ("_edge", "size")

    def __init__(self) -> None:
        self.size = 0
        # By level, from the leaves up; empty bytes where the size has no bit.
        self._edge: list[bytes] = []

    @classmethod
    def from_hashes(cls, size: int, hashes: Sequence[bytes]) -> Self:
        """What `hashes` gave, for a tree of this size. Raises Malformed when their number or lengths do not fit."""
        _check_size(size)
        if len(hashes) != size.bit_count():
            raise Malformed("merkle.frontier", f"a tree of {size} leaves has {size.bit_count()} complete subtrees")
        _check_hashes(hashes)
        frontier, rising = cls(), iter(reversed(hashes))
        frontier.size = size
        frontier._edge = [next(rising) if size >> level & 1 else b"" for level in range(size.bit_length())]
        return frontier

    @property
    def hashes(self) -> list[bytes]:
        """The complete subtrees from left to right, that is the largest first."""
        return [edge for edge in reversed(self._edge) if edge]

    def append(self, leaf_hash: bytes) -> None:
        self.extend((leaf_hash,))

    def extend(self, hashes: Sequence[bytes], level: int = 0) -> None:
        """Append many leaves, or complete subtrees of this level where the tree ends with one, level by level, with
        little work beside the hashing. Raises Malformed; then nothing changed."""
        _check_hashes(hashes)
        grown = self.size + (len(hashes) << level)
        _check_size(grown)
        if self.size & ((1 << level) - 1):
            raise Malformed("merkle.subtree", f"no complete subtree of level {level} can follow {self.size} leaves")
        edge, rising = self._edge, list(hashes)
        edge += [b""] * (level - len(edge))
        while rising:
            if level == len(edge):
                edge.append(b"")
            if edge[level]:
                rising.insert(0, edge[level])
            edge[level] = rising.pop() if len(rising) % 2 else b""
            rising = pair_hashes(rising)
            level += 1
        self.size = grown

    def root(self) -> bytes:
        return _fold(self.hashes) if self.size else EMPTY_ROOT


def _reader_of(leaf_hashes: Sequence[bytes]) -> HashReader:
    _check_hashes(leaf_hashes)
    levels = [list(leaf_hashes)]
    while len(levels[-1]) > 1:
        levels.append(pair_hashes(levels[-1]))
    return lambda level, index: levels[level][index]


def _middle(start: int, end: int) -> int:
    """Where a tree splits: its left part is the largest power of two smaller than its size."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _range_hash(read: HashReader, start: int, end: int) -> bytes:
    """Hash of the subtree over these leaves; `start` is the beginning of a subtree at least as large."""
    hashes = []
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(read(level, start >> level))
        start += 1 << level
    return _fold(hashes)


def _fold(hashes: Sequence[bytes]) -> bytes:
    """From complete subtrees, the largest first, to their common root."""
    folded = hashes[-1]
    for left in hashes[-2::-1]:
        folded = node_hash(left, folded)
    return folded


def _shape(index: int, size: int) -> tuple[int, int]:
    """How many steps of a proof are below the right edge of the tree, and how many climb along it."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


def _climb(seed: bytes, proof: Sequence[bytes], turns: int) -> bytes:
    """Up through full subtrees; each bit of `turns` tells whether the seed stands on the right."""
    for level, sibling in enumerate(proof):
        seed = node_hash(sibling, seed) if turns >> level & 1 else node_hash(seed, sibling)
    return seed


def _climb_left(seed: bytes, proof: Sequence[bytes], turns: int) -> bytes:
    """The same way in the old tree, which had nothing yet on the right."""
    for level, sibling in enumerate(proof):
        if turns >> level & 1:
            seed = node_hash(sibling, seed)
    return seed


def _climb_border(seed: bytes, proof: Sequence[bytes]) -> bytes:
    for sibling in proof:
        seed = node_hash(sibling, seed)
    return seed


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise Malformed("merkle.size", f"a tree has 0 to {MAX_SIZE} leaves")


def _check_sizes(size1: int, size2: int) -> None:
    if not 1 <= size1 <= size2 <= MAX_SIZE:
        raise Malformed("merkle.size", f"consistency is from 1 leaf or more, and never to fewer: {size1}, {size2}")


def _check_index(index: int, size: int) -> None:
    _check_size(size)
    if not 0 <= index < size:
        raise Malformed("merkle.index", f"a tree of {size} leaves has no leaf {index}")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if not set(map(len, hashes)) <= {HASH_SIZE}:
        raise Malformed("merkle.hash", f"a hash has {HASH_SIZE} bytes")


def _check_proof(proof: Sequence[bytes], length: int) -> None:
    if len(proof) != length:
        raise Malformed("merkle.proof-length", f"this proof has {length} hashes, not {len(proof)}")
    _check_hashes(proof)
