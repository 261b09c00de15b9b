"""The long runs of the fault tests; `make test` has a short run of each.

    python bench/faults.py kill [--rounds 1000] [--services 4] [--minutes 60] [--seed 1] [--postgres] [--real]
    python bench/faults.py uploads [--rounds 500] … as for kill
    python bench/faults.py backup [--loops 20] [--seed 1]
    python bench/faults.py restart [--rounds 50] [--seed 1]
    python bench/faults.py wal [--cuts 2000] [--seed 1]
    python bench/faults.py tamper [--bundles 1000] [--flips 100] [--seed 1]
    python bench/faults.py forge [--count 1000000] [--seed 1]

Each ends with 1 and names the first thing that is not as it must be; its last line of output is JSON. What each one
does and what it showed stands in docs/faults.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import fault_backup
import fault_forgery
import fault_kills
import fault_restart
import fault_service
import fault_tamper
import fault_uploads
import fault_wal
from makers import settings_of
from stamps import Authority

from lotseal.trace import clock
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.keys import service as keys
from lotseal.trace.system import open_system

KILLS = {"kill": fault_kills.Kills, "uploads": fault_uploads.UploadKills}
_making = threading.Lock()


@contextmanager
def fresh(postgres: bool) -> Iterator[tuple[Path, dict[str, str]]]:
    """A new data folder with keys, and the settings beyond it."""
    with tempfile.TemporaryDirectory(prefix="lotseal-faults-") as name:
        data, more = Path(name) / "data", {}
        # Migrations and the starter of PostgreSQL keep their state in a module: one at a time.
        with _making:
            if postgres:
                more["DATABASE_URL"] = _postgres(Path(name)).uri
            system = open_system(settings_of(data, **more))
            system.migrate()
            with system.main.write() as session:
                keys.add_missing(session, system.ring, by=OPERATOR, at=clock.now())
            system.close()
        yield data, more


def _postgres(folder: Path) -> fault_restart.Postgres:
    # The package looks for a place for its lock file when it is imported.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    return fault_restart.Postgres(folder / "postgres")


def kill(asked: argparse.Namespace) -> dict[str, Any]:
    """Several services at once, each with a data folder of its own, since a round is mostly waiting."""
    with ThreadPoolExecutor(asked.services) as pool:
        runs = [pool.submit(_kill, asked, number) for number in range(asked.services)]
        total: Counter[str] = Counter()
        for run in runs:
            total.update(run.result())
        return dict(total)


def _kill(asked: argparse.Namespace, number: int) -> dict[str, int]:
    with fresh(asked.postgres) as (data, more), fault_service.service(data, real=asked.real, **more) as served:
        kills = KILLS[asked.name](served, data, seed=asked.seed + number, **more)
        end = time.monotonic() + 60 * asked.minutes
        for done in range(1, asked.rounds // asked.services + 1):
            kills.round()
            if done % 25 == 0:
                print(f"service {number}: {kills.figures}", flush=True)
            if time.monotonic() > end:
                break
        return kills.finish()


def backup(asked: argparse.Namespace) -> dict[str, Any]:
    with fresh(False) as (data, more), fault_service.service(data, **more) as served:
        backups = fault_backup.Backups(served, data, seed=asked.seed)
        for _ in range(asked.loops):
            backups.loop()
            print(f"{backups.measured.told()}", flush=True)
        backups.refuses_while_it_serves()
        return {
            **backups.measured.told(),
            "entries": backups.record.size,
            "lost before the backup": 0,
            "differences": 0,
        }


def restart(asked: argparse.Namespace) -> dict[str, Any]:
    with fresh(True) as (data, more), fault_service.service(data, **more) as served:
        # The same server again: there is one for each folder.
        restarts = fault_restart.Restarts(served, data, _postgres(data.parent), seed=asked.seed)
        for done in range(1, asked.rounds + 1):
            restarts.restart()
            if done % 10 == 0:
                print(f"{restarts.outages}", flush=True)
        return restarts.finish()


def wal(asked: argparse.Namespace) -> dict[str, Any]:
    came: Counter[str] = Counter()
    with fresh(False) as (data, more):
        system = open_system(settings_of(data, **more))
        story = fault_wal.Story(system, data.parent)
        for number, cut in enumerate(story.cuts(asked.cuts, asked.seed), start=1):
            came[story.open_damaged(*cut)] += 1
            came[f"by {cut[1]}"] += 1
            if number % 200 == 0:
                print(f"{number} cuts: {dict(came)}", flush=True)
        system.close()
        places = {f"frames of the log {copy.folder.name} its reset": len(copy.ends) for copy in story.copies}
    return {"cuts": asked.cuts, **places, **came, "lost": 0, "forks": 0}


def tamper(asked: argparse.Namespace) -> dict[str, Any]:
    luck, came, kinds = random.Random(asked.seed), Counter[str](), Counter[str]()
    tamperer = fault_tamper.Tamperer(luck)
    with fresh(False) as (data, more), tempfile.TemporaryDirectory() as folder:
        system, authority = open_system(settings_of(data, **more)), Authority(Path(folder))
        ours = fault_tamper.OfTheService(system, luck)
        before = fault_tamper.of_the_ledger(luck, authority)
        for number in range(1, asked.bundles + 1):
            case = fault_tamper.of_the_ledger(luck, authority) if number % 10 else ours.case()
            clean = case.check()
            if clean.exit:
                sys.exit(f"a false alarm: {case.story}: {clean.refused}")
            for made in tamperer.changes(case, before, asked.flips):
                came[fault_tamper.outcome(case, clean, made)] += 1
                kinds[f"{made.kind}, hashes made anew" if made.repaired else made.kind] += 1
            before = case
            if number % 100 == 0:
                print(f"{number} bundles: {dict(came)}", flush=True)
        system.close()
    return {
        "clean bundles": asked.bundles,
        "false alarms": 0,
        "changed": came.total(),
        "found": came["found"],
        "in documented unauthenticated parts, and proving nothing new": came["free"],
        "missed": 0,
        "kinds": kinds,
    }


def forge(asked: argparse.Namespace) -> dict[str, Any]:
    tried: Counter[str] = Counter()
    with fresh(False) as (data, more):
        system = open_system(settings_of(data, **more))
        forger = fault_forgery.Forger(system, asked.seed)
        controls = forger.controls()
        for origin, claim, change in forger.forgeries(asked.count):
            tried[change] += 1
            if door := forger.accepted(origin, claim):
                sys.exit(f"accepted by {door}: {claim}, made of {origin}")
        system.close()
    return {"count": tried.total(), "accepted": 0, "first change": tried, "genuine codes": controls}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run, size, most in (
        ("kill", kill, "rounds", 1000),
        ("uploads", kill, "rounds", 500),
        ("backup", backup, "loops", 20),
        ("restart", restart, "rounds", 50),
        ("wal", wal, "cuts", 2000),
        ("tamper", tamper, "bundles", 1000),
        ("forge", forge, "count", 1_000_000),
    ):
        command = commands.add_parser(name)
        command.add_argument(f"--{size}", type=int, default=most)
        command.add_argument("--seed", type=int, default=1)
        command.set_defaults(run=run, name=name)
        if run is tamper:
            command.add_argument("--flips", type=int, default=100, help="changes to each bundle")
        if run is kill:
            command.add_argument("--minutes", type=float, default=60)
            command.add_argument("--services", type=int, default=4)
            command.add_argument("--postgres", action="store_true")
            command.add_argument("--real", action="store_true", help="start the script itself each time")
    asked = parser.parse_args()
    began = time.monotonic()
    figures = asked.run(asked)
    print(json.dumps({"bench": f"faults {asked.name}", "seconds": round(time.monotonic() - began), **figures}))


if __name__ == "__main__":
    main()
