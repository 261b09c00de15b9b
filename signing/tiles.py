"""The static files of a log: hashes and entries in tiles of 256 (c2sp.org/tlog-tiles).

A tile of level `l` holds up to 256 consecutive hashes of complete subtrees with `256**l` leaves each; one with fewer
than 256 hashes is partial and names its width in its path. An entry bundle has the same place and width as a tile of
level 0 and holds the entries themselves.

    tile/0/x001/x234/067         full tile of level 0, index 1234067
    tile/1/000.p/17              partial tile of level 1, 17 hashes wide
    tile/entries/000.p/112       112 entries
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from .errors import Malformed, Missing
from .merkle import HASH_SIZE, MAX_SIZE, pair_hashes

HEIGHT: Final = 8
WIDTH: Final = 256
MAX_LEVEL: Final = 63
MAX_ENTRY: Final = 65_535
MAX_BUNDLE: Final = WIDTH * (2 + MAX_ENTRY)
MAX_PATH: Final = 64
ENTRIES: Final = -1
"""The level of an entry bundle."""

Fetch = Callable[[str], bytes | None]
"""The path of a tile or bundle to its bytes; None when it is not there. Other failures are the caller's to raise."""

_PATH: Final = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")
_CACHED_TILES: Final = 64


@dataclass(frozen=True)
class Tile:
    """Level (ENTRIES for a bundle), index within the level, and how many hashes or entries it holds (1 to 256).

    Raises Malformed for what no tree of MAX_SIZE leaves can have.
    """

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not ENTRIES <= self.level <= MAX_LEVEL:
            raise Malformed("tile.level", f"a tile has a level of 0 to {MAX_LEVEL}")
        if not 0 <= self.index <= MAX_SIZE >> HEIGHT * (max(self.level, 0) + 1):
            raise Malformed("tile.index", "there is no such tile in any tree")
        if not 1 <= self.width <= WIDTH:
            raise Malformed("tile.width", f"a tile is 1 to {WIDTH} hashes wide")

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read what `path` prints; every other spelling raises Malformed."""
        found = _PATH.fullmatch(path) if len(path) <= MAX_PATH else None
        if found is None:
            raise Malformed("tile.path", "not the path of a tile")
        level, index, width = found.groups()
        tile = cls(
            ENTRIES if level == "entries" else int(level),
            int(index.replace("x", "").replace("/", "")),
            int(width) if width else WIDTH,
        )
        if tile.path != path:
            raise Malformed("tile.path", "not the one spelling of this path")
        return tile

    @property
    def path(self) -> str:
        level = "entries" if self.level == ENTRIES else str(self.level)
        digits = f"{self.index:03}"
        digits = digits.zfill(len(digits) + -len(digits) % 3)
        elements = [f"x{digits[place : place + 3]}" for place in range(0, len(digits), 3)]
        elements[-1] = elements[-1][1:]
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(elements)}{partial}"

    @property
    def full(self) -> Self:
        """The full tile at this place, which may have replaced the partial one."""
        return type(self)(self.level, self.index)


def growth(old_size: int, new_size: int) -> Iterator[Tile]:
    """Every tile and bundle that a tree of `new_size` has and one of `old_size` had not: bundles, then level by level.

    Raises Malformed. Of partial tiles only those of `new_size` are listed, so growth is told from checkpoint to
    checkpoint.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise Malformed("tile.growth", f"a tree does not grow from {old_size} to {new_size} leaves")
    yield from _grown(ENTRIES, old_size, new_size)
    level = 0
    while old_size < new_size:
        yield from _grown(level, old_size, new_size)
        old_size, new_size, level = old_size // WIDTH, new_size // WIDTH, level + 1


def grow(fetch: Fetch, old_size: int, leaf_hashes: Sequence[bytes]) -> Iterator[tuple[Tile, bytes]]:
    """The hash tiles of `growth` with their bytes, when these leaves follow the first `old_size`.

    Fetches the partial tiles along the right edge of the old tree, at most one of each level. Raises Malformed or
    Missing.
    """
    level, rising = 0, list(leaf_hashes)
    while rising:
        index, width = divmod(old_size >> HEIGHT * level, WIDTH)
        hashes = (_hashes(_fetch(fetch, Tile(level, index, width))) if width else []) + rising
        rising = []
        for start in range(0, len(hashes), WIDTH):
            part = hashes[start : start + WIDTH]
            yield Tile(level, index + start // WIDTH, len(part)), b"".join(part)
            if len(part) == WIDTH:
                rising += _levels(part)[HEIGHT]
        level += 1


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """1 to 256 entries of at most 65,535 bytes, each behind its length as two bytes. Raises Malformed."""
    if not 1 <= len(entries) <= WIDTH:
        raise Malformed("bundle.width", f"a bundle has 1 to {WIDTH} entries")
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise Malformed("bundle.entry", f"an entry has at most {MAX_ENTRY} bytes", limit=MAX_ENTRY)
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle. Raises Malformed when the bytes hold fewer, more, or a part of one."""
    if not 1 <= width <= WIDTH or not 2 * width <= len(data) <= MAX_BUNDLE:
        raise Malformed("bundle.size", f"{len(data)} bytes are no bundle of {width} entries")
    entries, place = [], 0
    for _ in range(width):
        end = place + 2 + int.from_bytes(data[place : place + 2], "big")
        if len(data) < place + 2 or len(data) < end:
            raise Malformed("bundle.cut", "the bundle ends within an entry")
        entries.append(data[place + 2 : end])
        place = end
    if place != len(data):
        raise Malformed("bundle.rest", "the bundle goes on after its last entry")
    return entries


class TileReader:
    """A `HashReader` over the tiles of a tree of `size` leaves; keeps the last 64 tiles.

    The hashes are as true as the tiles: whoever makes a proof of them verifies that proof against a signed root. A
    partial tile that is gone is cut from the full one, which the specification allows a log to keep instead.
    """

    def __init__(self, fetch: Fetch, size: int) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise Malformed("tile.size", f"a tree has 0 to {MAX_SIZE} leaves")
        self.size = size
        self._fetch = fetch
        self._levels_of = lru_cache(maxsize=_CACHED_TILES)(self._load)

    def __call__(self, level: int, index: int) -> bytes:
        """Raises Malformed for a subtree that is not complete at this size and for a bad tile, Missing for none."""
        if level < 0 or index < 0 or (index + 1) << level > self.size:
            raise Malformed("tile.subtree", f"no complete subtree {level}, {index} in a tree of {self.size}")
        tile_level, height = divmod(level, HEIGHT)
        tile_index, place = divmod(index << height, WIDTH)
        return self._levels_of(tile_level, tile_index)[height][place >> height]

    def _load(self, level: int, index: int) -> list[list[bytes]]:
        width = min(WIDTH, (self.size >> HEIGHT * level) - index * WIDTH)
        return _levels(_hashes(_fetch(self._fetch, Tile(level, index, width))))


def _grown(level: int, old: int, new: int) -> Iterator[Tile]:
    """At one level with `old` and `new` hashes."""
    if old == new:
        return
    for index in range(old // WIDTH, -(-new // WIDTH)):
        yield Tile(level, index, min(WIDTH, new - index * WIDTH))


def _fetch(fetch: Fetch, tile: Tile) -> bytes:
    """The bytes of exactly this width, cut from the full tile when only that is left."""
    data, width = fetch(tile.path), tile.width
    if data is None and width < WIDTH:
        data, width = fetch(tile.full.path), WIDTH
    if data is None:
        raise Missing("tile.missing", f"the log has no {tile.path}", path=tile.path)
    if len(data) != width * HASH_SIZE:
        raise Malformed("tile.length", f"{tile.path} has {len(data)} bytes", path=tile.path)
    return data[: tile.width * HASH_SIZE]


def _hashes(data: bytes) -> list[bytes]:
    return [data[place : place + HASH_SIZE] for place in range(0, len(data), HASH_SIZE)]


def _levels(hashes: list[bytes]) -> list[list[bytes]]:
    """Complete subtrees by height above the hashes of a tile, 0 to 8."""
    levels = [hashes]
    for _ in range(HEIGHT):
        levels.append(pair_hashes(levels[-1]))
    return levels
