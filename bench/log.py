"""A monitor's whole reading of a log against the bare SHA-256 work, in one run.

    python bench/log.py [--entries 1000000] [--rounds 3]

Makes a log of that many entries in a temporary folder (chains of eight entries, every thousandth on the key history),
then in turns: hashes every leaf and every node once and does nothing else; and follows the log as `lotseal log verify`
does (files from disk, every entry in its one form, chains without a gap, root). Also: inclusion proofs made from tiles
and checked, per second, at a tenth of the size and at the full size. Correct: the followed root is the hashed one.

Limits: the files lie in the page cache; the monitor uses every processor, the bare work one, as a plain loop would.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lotseal.signing import merkle, monitor, tiles
from lotseal.signing.checkpoint import Checkpoint
from lotseal.signing.envelope import Envelope
from lotseal.signing.monitor import State
from lotseal.web.cli.log import spreading

ORIGIN = "t.example.cn/log"
NOW = "2026-11-28T01:02:03.000004Z"


def entries(count: int) -> Iterator[bytes]:
    """Histories of eight entries, one after the other begun; the form is that of real entries."""
    ends: dict[str, tuple[str, int]] = {}
    keys = 0
    for place in range(count):
        chain = "keys" if place % 1000 == 0 else f"batch:{place // 64 * 8 + place % 8:016d}"
        prev, seq = ends.get(chain, (None, 0))
        actor, content = (hashlib.sha256(b"%c%d" % (kind, place)).hexdigest() for kind in b"ac")
        template = Envelope("batch:hold", actor, chain, content, None, keys, prev, seq + 1, NOW)
        # The canonical printer takes 30 µs an entry; a form without escapes can be printed at once.
        data = json.dumps(
            {**vars(template), "type": "lotseal/entry/v1"}, sort_keys=True, separators=(",", ":")
        ).encode()
        ends[chain] = (merkle.leaf_hash(data).hex(), seq + 1)
        keys += chain == "keys"
        yield data


def publish(folder: Path, count: int) -> Checkpoint:
    """Write the files of the log. Raises `AssertionError` when an entry is not what a careful reader prints."""
    frontier, size, made = merkle.Frontier(), 0, []

    def write(path: str, data: bytes) -> None:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def flush() -> None:
        nonlocal size
        hashes = merkle.leaf_hashes(made)
        write(tiles.Tile(tiles.ENTRIES, size // tiles.WIDTH, len(made)).path, tiles.encode_bundle(made))
        for tile, data in tiles.grow(reader(folder), size, hashes):
            write(tile.path, data)
        frontier.extend(hashes)
        size += len(made)
        made.clear()

    for entry in entries(count):
        made.append(entry)
        if len(made) == tiles.WIDTH:
            flush()
    if made:
        flush()
    return Checkpoint(ORIGIN, count, frontier.root())


def reader(folder: Path):  # type: ignore[no-untyped-def]  # a Fetch
    def fetch(path: str) -> bytes | None:
        file = folder / path
        return file.read_bytes() if file.exists() else None

    return fetch


def bare(folder: Path, count: int) -> tuple[float, bytes]:
    """Seconds for one SHA-256 of every leaf and of every node, with the entries in memory."""
    held: list[bytes] = []
    for index in range(-(-count // tiles.WIDTH)):
        width = min(tiles.WIDTH, count - index * tiles.WIDTH)
        data = (folder / tiles.Tile(tiles.ENTRIES, index, width).path).read_bytes()
        held += tiles.decode_bundle(data, width)
    began = time.perf_counter()
    root = merkle.root(merkle.leaf_hashes(held))
    return time.perf_counter() - began, root


def followed(folder: Path, checkpoint: Checkpoint) -> tuple[float, State]:
    state = State(ORIGIN)
    began = time.perf_counter()
    with spreading(checkpoint.size) as spread:
        monitor.follow(reader(folder), state, checkpoint, spread=spread)
    return time.perf_counter() - began, state


def proofs(folder: Path, size: int, root: bytes, count: int = 2000) -> tuple[float, float]:
    """Inclusion proofs made from tiles, and checked, per second."""
    read = tiles.TileReader(reader(folder), size)
    chosen = [random.Random(7).randrange(size) for _ in range(count)]
    began = time.perf_counter()
    made = [merkle.inclusion_proof_from(read, index, size) for index in chosen]
    middle = time.perf_counter()
    for index, proof in zip(chosen, made, strict=True):
        merkle.verify_inclusion(index, size, read(0, index), proof, root)
    return count / (middle - began), count / (time.perf_counter() - middle)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lotseal-bench-") as name:
        folder = Path(name)
        checkpoint = publish(folder, asked.entries)
        hashed, read = [], []
        for _ in range(asked.rounds):
            seconds, root = bare(folder, asked.entries)
            assert root == checkpoint.root
            hashed.append(seconds)
            seconds, state = followed(folder, checkpoint)
            assert state.frontier.root() == root
            read.append(seconds)
        making, checking = proofs(folder, asked.entries, checkpoint.root)
    ratio = statistics.median(after / before for before, after in zip(hashed, read, strict=True))
    print(f"{asked.entries:,} entries, {multiprocessing.cpu_count()} processors, {asked.rounds} rounds, medians")
    print(f"  bare SHA-256 of leaves and nodes  {statistics.median(hashed):8.2f} s")
    print(f"  whole reading by a monitor        {statistics.median(read):8.2f} s   {ratio:.2f} ×")
    print(f"  inclusion proofs from tiles       {making:8.0f} made/s, {checking:.0f} checked/s")
    facts = {"bench": "log", "entries": asked.entries, "bare_s": hashed, "read_s": read, "ratio": ratio}
    print(json.dumps({**facts, "proofs_made_s": making, "proofs_checked_s": checking, "goal": 2.0}))


if __name__ == "__main__":
    main()
