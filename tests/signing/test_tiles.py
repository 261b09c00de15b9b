from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing import merkle, tiles
from lotseal.signing.errors import Malformed, Missing
from lotseal.signing.tiles import ENTRIES, WIDTH, Tile, TileReader

SIZE = 70_000
LEAVES = merkle.leaf_hashes([b"%d" % number for number in range(SIZE)])


@pytest.fixture(scope="module")
def stored() -> dict[str, bytes]:
    """The hash tiles of a log that grew in a few steps; each step kept its partial tiles."""
    files: dict[str, bytes] = {}
    size = 0
    for grown in (1, 2, 255, 256, 257, 512, 1_000, 65_535, 65_536, SIZE):
        for tile, data in tiles.grow(files.get, size, LEAVES[size:grown]):
            assert files.setdefault(tile.path, data) == data, "a tile never changes"
        size = grown
    return files


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(1, 0, 17), "tile/1/000.p/17"),
        (Tile(0, 999), "tile/0/999"),
        (Tile(0, 1_000), "tile/0/x001/000"),
        (Tile(ENTRIES, 273, 112), "tile/entries/273.p/112"),
        (Tile(ENTRIES, 1_000_000, 255), "tile/entries/x001/x000/000.p/255"),
        (Tile(7, 0, 1), "tile/7/000.p/1"),
        (Tile(63, 0, 1), "tile/63/000.p/1"),
        (Tile(0, merkle.MAX_SIZE >> 8), "tile/0/x036/x028/x797/x018/x963/967"),
    ],
)
def test_a_path_has_one_spelling(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@given(st.integers(ENTRIES, 7), st.data())
def test_every_path_reads_back(level: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, merkle.MAX_SIZE >> 8 * (max(level, 0) + 1)))
    tile = Tile(level, index, data.draw(st.integers(1, WIDTH)))
    assert Tile.parse(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/01/000",
        "tile/64/000", "tile/-1/000", "tile/0/x000/000", "tile/0/x00/000", "tile/0/001/000", "tile/0/x001/x000",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/0/000.p/+1",
        "tile/0/000.p/1 ", " tile/0/000", "/tile/0/000", "tile/0/000/", "tile/0/000\n", "tile/0/٠٠٠", "tile/entry/000",
        "tile/Entries/000", "tile/0/../000", "tile/0/x001/../000", "tile//000", "tile/7/x001/000",
        "tile/0/" + "x001/" * 100 + "000", "tile/0/x036/x028/x797/x018/x963/968",
    ],
)  # fmt: skip
def test_every_other_spelling_of_a_path_is_refused(path: str) -> None:
    with pytest.raises(Malformed):
        Tile.parse(path)


def test_the_example_of_the_specification_has_its_tiles(stored: dict[str, bytes]) -> None:
    """70,000 leaves: 273 full and one partial tile of level 0, one full and one partial of level 1, one of level 2."""
    grown = [tile for tile in tiles.growth(0, SIZE) if tile.level != ENTRIES]
    partial = [tile for tile in grown if tile.width < WIDTH]
    assert [sum(tile.level == level and tile.width == WIDTH for tile in grown) for level in range(3)] == [273, 1, 0]
    assert partial == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert {tile.path for tile in grown} <= stored.keys()


def test_a_full_tile_appears_together_with_its_hash_one_level_up() -> None:
    assert list(tiles.growth(255, 256)) == [Tile(ENTRIES, 0), Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles.growth(256, 257)) == [Tile(ENTRIES, 1, 1), Tile(0, 1, 1)]
    assert list(tiles.growth(256, 256)) == []
    assert list(tiles.growth(0, 0)) == []


@pytest.mark.parametrize(("old", "new"), [(-1, 0), (2, 1), (0, 2**63)])
def test_a_tree_does_not_shrink(old: int, new: int) -> None:
    with pytest.raises(Malformed):
        list(tiles.growth(old, new))


@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_what_is_written_is_what_was_told(steps: list[int]) -> None:
    files: dict[str, bytes] = {}
    size = 0
    for step in steps:
        made = dict(tiles.grow(files.get, size, LEAVES[size : size + step]))
        assert list(made) == [tile for tile in tiles.growth(size, size + step) if tile.level != ENTRIES]
        files |= {tile.path: data for tile, data in made.items()}
        size += step
        assert merkle.root_from(TileReader(files.get, size), size) == merkle.root(LEAVES[:size])


def test_tiles_hold_the_hashes_that_the_specification_defines(stored: dict[str, bytes]) -> None:
    assert stored["tile/0/000"] == b"".join(LEAVES[:256])
    assert stored["tile/0/273.p/112"] == b"".join(LEAVES[273 * 256 :])
    assert stored["tile/1/000"][32:64] == merkle.root(LEAVES[256:512])
    assert stored["tile/2/000.p/1"] == merkle.root(LEAVES[:65_536])


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 1_000, 65_535, 65_536, SIZE])
def test_proofs_come_from_tiles_of_every_size_that_was_published(size: int, stored: dict[str, bytes]) -> None:
    read = TileReader(stored.get, size)
    root = merkle.root(LEAVES[:size])
    assert merkle.root_from(read, size) == root
    for index in {0, size // 3, size // 2, size - 1}:
        merkle.verify_inclusion(index, size, LEAVES[index], merkle.inclusion_proof_from(read, index, size), root)
        older = merkle.root(LEAVES[: index + 1])
        consistency = merkle.consistency_proof_from(read, index + 1, size)
        merkle.verify_consistency(index + 1, size, consistency, older, root)


def test_a_partial_tile_that_is_gone_is_cut_from_the_full_one(stored: dict[str, bytes]) -> None:
    left = {path: data for path, data in stored.items() if ".p/" not in path or path.startswith("tile/2/")}
    assert "tile/0/000.p/255" not in left
    assert merkle.root_from(TileReader(left.get, 255), 255) == merkle.root(LEAVES[:255])


def test_a_log_grows_on_from_full_tiles_alone(stored: dict[str, bytes]) -> None:
    full = {"tile/0/000": stored["tile/0/000"]}
    assert dict(tiles.grow(full.get, 255, LEAVES[255:256]))[Tile(0, 0)] == stored["tile/0/000"]


def test_each_tile_is_fetched_once(stored: dict[str, bytes]) -> None:
    asked: list[str] = []

    def fetch(path: str) -> bytes | None:
        asked.append(path)
        return stored.get(path)

    read = TileReader(fetch, SIZE)
    for index in range(256):
        merkle.inclusion_proof_from(read, index, SIZE)
    assert len(asked) == len(set(asked)) <= 7


def test_a_missing_tile_is_named(stored: dict[str, bytes]) -> None:
    nothing: Callable[[str], None] = {}.get
    with pytest.raises(Missing) as refused:
        TileReader(nothing, 3)(0, 0)
    assert refused.value.facts == {"path": "tile/0/000.p/3"}


@pytest.mark.parametrize("length", [0, 31, 95, 97, 8_192])
def test_a_tile_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(Malformed) as refused:
        TileReader(lambda path: bytes(length), 3)(0, 0)
    assert refused.value.rule == "tile.length"


def test_a_full_tile_of_another_length_does_not_stand_in(stored: dict[str, bytes]) -> None:
    for data in (stored["tile/0/000"][:-1], stored["tile/0/000"] + b"x", stored["tile/0/000"][:96]):
        with pytest.raises(Malformed):
            TileReader({"tile/0/000": data}.get, 3)(0, 0)


@pytest.mark.parametrize(("level", "index"), [(0, 3), (1, 1), (2, 0), (-1, 0), (0, -1), (63, 0)])
def test_a_subtree_that_is_not_complete_is_never_read(level: int, index: int) -> None:
    with pytest.raises(Malformed):
        TileReader(lambda path: bytes(96), 3)(level, index)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=WIDTH))
def test_a_bundle_gives_its_entries_back(entries: list[bytes]) -> None:
    assert tiles.decode_bundle(tiles.encode_bundle(entries), len(entries)) == entries


def test_a_bundle_is_lengths_and_entries() -> None:
    assert tiles.encode_bundle([b"ab", b"", b"c"]) == b"\0\2ab\0\0\0\1c"
    largest = b"x" * tiles.MAX_ENTRY
    assert tiles.decode_bundle(tiles.encode_bundle([largest] * 2), 2) == [largest] * 2


@pytest.mark.parametrize(
    ("data", "width"),
    [
        (b"", 0), (b"", 1), (b"\0", 1), (b"\0\1", 1), (b"\0\1ab", 1), (b"\0\1a\0", 1), (b"\0\1a", 2), (b"\0\0", -1),
        (b"\0\5ab\0\0", 2), (b"\0\2ab\0", 2), (b"\0\0" * 257, 257), (b"\0\0" * 257, 256), (bytes(2**25), 1),
    ],
)  # fmt: skip
def test_a_bundle_with_more_or_less_than_its_entries_is_refused(data: bytes, width: int) -> None:
    with pytest.raises(Malformed):
        tiles.decode_bundle(data, width)


@pytest.mark.parametrize("entries", [[], [b""] * 257, [b"x" * 65_536]])
def test_no_bundle_outgrows_the_form(entries: list[bytes]) -> None:
    with pytest.raises(Malformed):
        tiles.encode_bundle(entries)
