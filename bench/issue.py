"""Issuing codes, with rows, tags or signatures and the commitment of the log, against the bare work, in one run.

    python bench/issue.py [--count 1000000] [--rounds 3]

A data folder of its own on SQLite with its production guards (WAL, synchronous FULL). In turns: the job of a run of
tier A, and the same rows put with `sqlite3.executemany` into the same table, with its indexes, of a second store; a run
of tier B of a tenth as many, and as many bare RFC 6979 signatures with P-256. Correct: each run has its number of
codes, its root is that of its printed links, and the log is sealed with an entry for each run.

Limits: one process, one job; nobody scans meanwhile. Times are of the clock, files lie in the page cache.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import select

from lotseal.signing.merkle import leaf_hashes
from lotseal.signing.merkle import root as merkle_root
from lotseal.trace import clock, settings
from lotseal.trace import demo as stories
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches.models import Batch, BatchState
from lotseal.trace.items import commitment
from lotseal.trace.items import service as items
from lotseal.trace.jobs import service as jobs
from lotseal.trace.system import System, open_system

BASE = "https://t.example.cn"
GOAL_A, GOAL_B = 0.4, 0.75
COLUMNS = "id, serial, batch_id, run_id, signature, issued_at, voided_at, void_reason, voided_by"


def issued(system: System, tier: str, count: int) -> tuple[float, str]:
    """Seconds of the job, and the reference of the run."""
    order = items.read_order({"count": str(count), "tier": tier, "short": ""})
    with system.main.write() as session:
        batch = session.scalars(select(Batch).where(Batch.state == BatchState.RELEASED).limit(1)).one()
        ref = items.order_codes(session, batch, order, base=BASE, by=OPERATOR, at=clock.now()).ref
    job = jobs.claim(system.main, "bench", at=clock.now())
    assert job is not None
    began = time.perf_counter()
    claimed = jobs.Claimed(job, system.main)
    items.issue(claimed, system.ring)
    seconds = time.perf_counter() - began
    with system.main.write() as session:
        claimed.finish(session, at=clock.now())
    return seconds, ref


def checked(system: System, ref: str, count: int) -> None:
    """The commitment of the run is the root of what its codes say."""
    with system.main.read() as session:
        run = items.get_run(session, ref)
        leaves = [leaf for links in commitment.printed_links(session, run) for leaf in leaf_hashes(links)]
        assert len(leaves) == count == run.issued
        assert merkle_root(leaves).hex() == run.root


def bare_rows(folder: Path, source: Path, ref: str) -> float:
    """The rows of a run, put once more into the same table of an empty copy."""
    copy = folder / "copy.db"
    copy.unlink(missing_ok=True)
    with sqlite3.connect(source) as there:
        made = [row[0] for row in there.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'item' AND sql <> ''")]
        rows = there.execute(
            f"SELECT {COLUMNS} FROM item WHERE run_id = (SELECT id FROM code_run WHERE ref = ?)", (ref,)
        ).fetchall()
    with sqlite3.connect(copy) as store:
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("PRAGMA synchronous = FULL")
        for statement in sorted(made, key=lambda text: "INDEX" in text.upper().split("(")[0]):
            store.execute(statement)
        began = time.perf_counter()
        store.executemany(f"INSERT INTO item ({COLUMNS}) VALUES ({', '.join('?' * 9)})", rows)
        store.commit()
        return time.perf_counter() - began


def bare_signatures(count: int) -> float:
    key = ec.generate_private_key(ec.SECP256R1())
    how = ec.ECDSA(SHA256(), deterministic_signing=True)
    data = b"lotseal/item/v1\nHTTPS://T.EXAMPLE.CN/01/09521321000018/10/L2611/21/23456789ACDEFGHJKMNP"
    began = time.perf_counter()
    for _ in range(count):
        key.sign(data, how)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    signed = max(1, asked.count // 10)
    times: dict[str, list[float]] = {"a": [], "rows": [], "b": [], "signatures": []}
    with tempfile.TemporaryDirectory(prefix="lotseal-bench-") as name:
        data = Path(name) / "data"
        stories.build(data, port=8000, on_progress=lambda *_: None)
        system = open_system(settings.load({}, data=data))
        for _ in range(asked.rounds):
            seconds, ref = issued(system, "A", asked.count)
            times["a"].append(seconds)
            checked(system, ref, asked.count)
            times["rows"].append(bare_rows(Path(name), data / "lotseal.db", ref))
            seconds, ref = issued(system, "B", signed)
            times["b"].append(seconds)
            checked(system, ref, signed)
            times["signatures"].append(bare_signatures(signed))
        system.sequencer().run_once()
        system.close()
        shutil.rmtree(data)
    middle = {key: statistics.median(values) for key, values in times.items()}
    share_a = statistics.median(raw / ours for raw, ours in zip(times["rows"], times["a"], strict=True))
    share_b = statistics.median(raw / ours for raw, ours in zip(times["signatures"], times["b"], strict=True))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{asked.count:,} codes of tier A, {signed:,} of tier B, {asked.rounds} rounds, medians")
    print(f"  bare rows            {asked.count / middle['rows']:10.0f}/s")
    print(f"  run of tier A        {asked.count / middle['a']:10.0f}/s   {share_a:.2f} of the bare rows")
    print(f"  bare signatures      {signed / middle['signatures']:10.0f}/s")
    print(f"  run of tier B        {signed / middle['b']:10.0f}/s   {share_b:.2f} of the bare signatures")
    facts = {"bench": "issue", "count": asked.count, "share_a": share_a, "share_b": share_b, "mb": memory, **times}
    print(json.dumps({**facts, "goal_a": GOAL_A, "goal_b": GOAL_B}))


if __name__ == "__main__":
    main()
