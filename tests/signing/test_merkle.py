from __future__ import annotations

import time

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotseal.signing import merkle
from lotseal.signing.errors import BadProof, Malformed, SigningError
from lotseal.signing.merkle import Frontier, leaf_hash, node_hash

LARGEST = 256
ENTRIES = [b"entry %d" % number for number in range(LARGEST)]
LEAVES = merkle.leaf_hashes(ENTRIES)


def complete(level: int, index: int) -> bytes:
    """Straight from the definition in RFC 6962 section 2.1, by halving."""
    if level == 0:
        return LEAVES[index]
    return node_hash(complete(level - 1, 2 * index), complete(level - 1, 2 * index + 1))


SUBTREES = {(level, index): complete(level, index) for level in range(9) for index in range(LARGEST >> level)}


def read(level: int, index: int) -> bytes:
    return SUBTREES[level, index]


ROOTS = [merkle.root_from(read, size) for size in range(LARGEST + 1)]


def slow_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return node_hash(slow_root(leaves[:middle]), slow_root(leaves[middle:]))


def slow_consistency(size1: int, leaves: list[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2, word by word."""
    if size1 == len(leaves):
        return [] if known else [slow_root(leaves)]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    if size1 <= middle:
        return [*slow_consistency(size1, leaves[:middle], known), slow_root(leaves[middle:])]
    return [*slow_consistency(size1 - middle, leaves[middle:], False), slow_root(leaves[:middle])]


@pytest.fixture(scope="module")
def other() -> pymerkle.InmemoryTree:
    """An independent implementation of the same trees."""
    return pymerkle.InmemoryTree.init_from_entries(ENTRIES, algorithm="sha256")


def test_hashes_are_those_of_the_standard() -> None:
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    # The leaf of an empty entry and the tree over eight known entries, as published for Certificate Transparency.
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    known = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in known]
    assert merkle.root(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert merkle.root(leaves[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"


def test_a_leaf_never_passes_for_a_node() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


def test_every_root_up_to_256_leaves_is_the_one_of_the_definition() -> None:
    assert ROOTS[0] == merkle.EMPTY_ROOT == merkle.root([])
    for size in range(1, LARGEST + 1):
        assert ROOTS[size] == slow_root(LEAVES[:size]) == merkle.root(LEAVES[:size])


def test_every_leaf_of_every_tree_up_to_256_is_proved() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = merkle.inclusion_proof_from(read, index, size)
            merkle.verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


def test_every_two_trees_up_to_256_are_proved_consistent() -> None:
    for size2 in range(1, LARGEST + 1):
        for size1 in range(1, size2 + 1):
            proof = merkle.consistency_proof_from(read, size1, size2)
            merkle.verify_consistency(size1, size2, proof, ROOTS[size1], ROOTS[size2])


@pytest.mark.parametrize("size", [*range(1, 34), 100])
def test_consistency_proofs_are_those_of_the_definition(size: int) -> None:
    for size1 in range(1, size + 1):
        assert merkle.consistency_proof_from(read, size1, size) == slow_consistency(size1, LEAVES[:size])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 64, 65, 255, 256])
def test_proofs_from_a_list_are_those_from_subtrees(size: int) -> None:
    for place in range(size):
        assert merkle.inclusion_proof(LEAVES[:size], place) == merkle.inclusion_proof_from(read, place, size)
        older = place + 1
        assert merkle.consistency_proof(LEAVES[:size], older) == merkle.consistency_proof_from(read, older, size)


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 127, 128, 200, 255, 256])
def test_another_implementation_finds_the_same_roots_and_proofs(size: int, other: pymerkle.InmemoryTree) -> None:
    assert other.get_root(size) == ROOTS[size]
    for place in range(1, size + 1):
        # It names leaves from one and puts the leaf itself in front of the path.
        inclusion = other.prove_inclusion(place, size)
        assert inclusion.path == [LEAVES[place - 1], *merkle.inclusion_proof_from(read, place - 1, size)]
        pymerkle.verify_inclusion(LEAVES[place - 1], ROOTS[size], inclusion)
        # Its consistency proofs have another shape, so that only the roots can be compared.
        consistency = other.prove_consistency(place, size)
        pymerkle.verify_consistency(ROOTS[place], ROOTS[size], consistency)


@given(data=st.data(), size=st.integers(1, LARGEST))
def test_no_changed_bit_of_an_inclusion_passes(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof_from(read, index, size)
    parts = [LEAVES[index], ROOTS[size], *proof]
    which, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[which] = _flip(parts[which], bit)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(index, size, parts[0], parts[2:], parts[1])


@given(data=st.data(), size2=st.integers(1, LARGEST))
def test_no_changed_bit_of_a_consistency_passes(data: st.DataObject, size2: int) -> None:
    size1 = data.draw(st.integers(1, size2))
    proof = merkle.consistency_proof_from(read, size1, size2)
    parts = [ROOTS[size1], ROOTS[size2], *proof]
    which, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[which] = _flip(parts[which], bit)
    with pytest.raises(BadProof):
        merkle.verify_consistency(size1, size2, parts[2:], parts[0], parts[1])


def test_a_proof_fits_one_place_and_one_size_only() -> None:
    for size in range(1, 20):
        for index in range(size):
            proof = merkle.inclusion_proof_from(read, index, size)
            for other_size in range(22):
                for other_index in range(22):
                    # Two sizes may share the shape of a path; then only the root tells them apart.
                    if other_index == index and ROOTS[other_size] == ROOTS[size]:
                        continue
                    with pytest.raises(SigningError):
                        merkle.verify_inclusion(other_index, other_size, LEAVES[index], proof, ROOTS[other_size])


def test_a_consistency_proof_fits_one_pair_of_sizes_only() -> None:
    for size2 in range(1, 14):
        for size1 in range(1, size2 + 1):
            proof = merkle.consistency_proof_from(read, size1, size2)
            for other1 in range(16):
                for other2 in range(16):
                    if (other1, other2) == (size1, size2) or (other1 == other2 and not proof and other1):
                        continue
                    with pytest.raises(SigningError):
                        merkle.verify_consistency(other1, other2, proof, ROOTS[other1], ROOTS[other2])


def test_a_longer_or_shorter_proof_is_refused() -> None:
    inclusion = merkle.inclusion_proof_from(read, 5, 8)
    consistency = merkle.consistency_proof_from(read, 6, 8)
    root, older = ROOTS[8], ROOTS[6]
    for proof in (inclusion[:-1], inclusion[1:], [*inclusion, root], [root, *inclusion], [], [*inclusion[:2], b""]):
        with pytest.raises(Malformed):
            merkle.verify_inclusion(5, 8, LEAVES[5], proof, root)
    for proof in (consistency[:-1], consistency[1:], [*consistency, root], [root, *consistency], []):
        with pytest.raises(Malformed):
            merkle.verify_consistency(6, 8, proof, older, root)
    with pytest.raises(Malformed):
        merkle.verify_consistency(6, 8, [*consistency[:2], b"short"], older, root)


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (8, 8), (9, 8), (0, 0), (0, -1), (0, 2**63), (2**70, 2**71)])
def test_a_leaf_outside_of_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(Malformed):
        merkle.verify_inclusion(index, size, LEAVES[0], [], LEAVES[0])
    with pytest.raises(Malformed):
        merkle.inclusion_proof_from(read, index, size)


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 1), (0, 8), (2, 1), (-1, 1), (1, 2**63)])
def test_nothing_is_consistent_with_an_empty_or_a_larger_tree(size1: int, size2: int) -> None:
    with pytest.raises(Malformed):
        merkle.verify_consistency(size1, size2, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)
    with pytest.raises(Malformed):
        merkle.consistency_proof_from(read, size1, size2)


def test_two_trees_of_one_size_are_consistent_only_when_they_are_one() -> None:
    merkle.verify_consistency(7, 7, [], ROOTS[7], ROOTS[7])
    with pytest.raises(BadProof) as refused:
        merkle.verify_consistency(7, 7, [], ROOTS[7], ROOTS[8])
    assert refused.value.rule == "merkle.same-size"
    with pytest.raises(Malformed):
        merkle.verify_consistency(7, 7, [ROOTS[7]], ROOTS[7], ROOTS[7])


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_leaf_hash_of_another_length_is_refused(length: int) -> None:
    hostile = b"x" * length
    with pytest.raises(Malformed):
        merkle.verify_inclusion(0, 1, hostile, [], hostile)
    with pytest.raises(Malformed):
        Frontier().append(hostile)
    with pytest.raises(Malformed):
        merkle.root([hostile])


@given(st.lists(st.integers(0, 60), max_size=12))
def test_a_frontier_grows_to_the_same_root_in_whatever_portions(portions: list[int]) -> None:
    frontier, size = Frontier(), 0
    for portion in portions:
        portion = min(portion, LARGEST - size)
        frontier.extend(LEAVES[size : size + portion])
        size += portion
        assert (frontier.size, frontier.root()) == (size, ROOTS[size])
        kept = Frontier.from_hashes(size, frontier.hashes)
        assert (kept.size, kept.hashes, kept.root()) == (size, frontier.hashes, ROOTS[size])
        frontier = kept


def test_a_frontier_grows_leaf_by_leaf_and_keeps_complete_subtrees_from_left_to_right() -> None:
    frontier = Frontier()
    for size, leaf in enumerate(LEAVES, start=1):
        frontier.append(leaf)
        assert frontier.root() == ROOTS[size]
    assert frontier.hashes == [ROOTS[LARGEST]]
    seven = Frontier()
    seven.extend(LEAVES[:7])
    assert seven.hashes == [read(2, 0), read(1, 2), read(0, 6)]


def test_a_frontier_of_the_wrong_shape_is_refused() -> None:
    hashes = [read(2, 0), read(1, 2), read(0, 6)]
    for size, kept in ((8, hashes), (7, hashes[:2]), (7, [*hashes[:2], b"short"]), (-1, []), (2**63, hashes[:1])):
        with pytest.raises(Malformed):
            Frontier.from_hashes(size, kept)


def test_a_refused_portion_leaves_the_frontier_as_it_was() -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:3])
    with pytest.raises(Malformed):
        frontier.extend([*LEAVES[3:9], b"short"])
    assert (frontier.size, frontier.root()) == (3, ROOTS[3])
    full = Frontier.from_hashes(merkle.MAX_SIZE, [LEAVES[0]] * 63)
    with pytest.raises(Malformed):
        full.append(LEAVES[0])


@settings(max_examples=30)
@given(data=st.data(), size=st.integers(1, merkle.MAX_SIZE))
def test_a_proof_for_the_largest_trees_reads_few_hashes(data: st.DataObject, size: int) -> None:
    reads = 0

    def counted(level: int, index: int) -> bytes:
        nonlocal reads
        reads += 1
        assert (index + 1) << level <= size, "only complete subtrees exist"
        return leaf_hash(b"%d %d" % (level, index))

    proof = merkle.inclusion_proof_from(counted, data.draw(st.integers(0, size - 1)), size)
    assert len(proof) <= 63
    consistency = merkle.consistency_proof_from(counted, data.draw(st.integers(1, size)), size)
    assert len(consistency) <= 64
    assert reads <= 2 * 63 * 63


def test_appending_many_leaves_costs_little_more_than_their_hashes() -> None:
    """A coarse guard beside the benchmark: more than this is a loop gone wrong."""
    leaves = LEAVES * 80
    started = time.process_time()
    for left in leaves:
        node_hash(left, left)
    bare = time.process_time() - started
    started = time.process_time()
    frontier = Frontier()
    frontier.extend(leaves)
    frontier.root()
    assert time.process_time() - started < 4 * bare + 0.05


def _flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
