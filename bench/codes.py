"""Read, check and canonicalise Digital Links, beside biip in the same run, and the throughput of `code inspect`.

    python bench/codes.py [--rounds 5] [--links 2000] [--lines 100000]

The links carry a GTIN, and in turns lot, serial, dates and a weight. biip reads less strictly (it takes wrong check
digits and knows few content rules), so it does less work for its time. Rounds alternate and medians are told, in CPU
time of one process; on a busy machine both sides slow down, and the ratio says more than the microseconds.
Correctness: every canonical form is compared with biip's where biip gives one, and every inspected line must be right.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from biip.gs1_digital_link_uris import GS1DigitalLinkURI

from lotseal.trace.codes.digital_link import print_link
from lotseal.trace.codes.gtin import check_digit
from lotseal.trace.codes.reading import read

REFERENCE_RESOLVER_US = 130_000
"""What the reference resolver takes for one look-up at best: it starts a process for it."""


def links(count: int) -> list[str]:
    chance = random.Random(7)
    made = []
    for number in range(count):
        body = f"{chance.randrange(10**13):013}"
        link = f"https://id.gs1.org/01/{body}{check_digit(body)}"
        if number % 4:
            link += f"/10/LOT-{chance.randrange(10**6)}"
        if number % 4 > 1:
            link += f"/21/{chance.randrange(10**12):012}"
        if number % 4 > 2:
            # In the order of the AIs, as biip sorts them; ours keeps the order in which they came.
            link += f"?17=27{chance.randrange(1, 13):02}15&3103={chance.randrange(10**6):06}"
        made.append(link)
    return made


def ours(link: str) -> str | None:
    return print_link(read(link).elements)


def theirs(link: str) -> str:
    return GS1DigitalLinkURI.parse(link).as_canonical_uri()


def microseconds(work: Callable[[str], object], inputs: list[str]) -> float:
    begin = time.process_time()
    for link in inputs:
        work(link)
    return (time.process_time() - begin) / len(inputs) * 1e6


def throughput(inputs: list[str], count: int) -> tuple[float, float]:
    """Lines a second of the real command on one core, without its start: wall clock, then CPU time."""
    lines = [json.dumps(inputs[number % len(inputs)]) for number in range(count)]
    program = (
        "import sys, time\n"
        "from lotseal.web.cli.code import code\n"
        "wall, cpu = time.perf_counter(), time.process_time()\n"
        "code(['inspect', '--jsonl'], standalone_mode=False)\n"
        "print(time.perf_counter() - wall, time.process_time() - cpu, file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], input="\n".join(lines).encode(), capture_output=True, check=True
    )
    answers = ran.stdout.splitlines()
    assert len(answers) == count
    assert all(answer["ok"] and answer["canonical"] == answer["input"] for answer in map(json.loads, answers[:2000]))
    wall, cpu = map(float, ran.stderr.split())
    return count / wall, count / cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--links", type=int, default=2000)
    parser.add_argument("--lines", type=int, default=100_000)
    options = parser.parse_args()
    inputs = links(options.links)
    different = sum(ours(link) != theirs(link) for link in inputs)
    figures: dict[str, list[float]] = {"lotseal": [], "biip": []}
    for _ in range(options.rounds):
        figures["lotseal"].append(microseconds(ours, inputs))
        figures["biip"].append(microseconds(theirs, inputs))
    lotseal, biip = (statistics.median(figures[name]) for name in ("lotseal", "biip"))
    wall, cpu = throughput(inputs, options.lines)
    print(f"{'':34}{'µs per link':>12}")
    print(f"{'lotseal: read, check, canonicalise':34}{lotseal:12.1f}")
    print(f"{'biip: parse, canonicalise':34}{biip:12.1f}")
    print(f"biip / lotseal = {biip / lotseal:.1f}; canonical forms that differ: {different} of {len(inputs)}")
    print(f"reference resolver's process per look-up / lotseal = {REFERENCE_RESOLVER_US / lotseal:,.0f}")
    print(f"code inspect --jsonl: {wall:,.0f} lines/s by the clock, {cpu:,.0f} lines/s of CPU time")
    print(
        json.dumps(
            {
                "bench": "codes",
                "lotseal_us": lotseal,
                "biip_us": biip,
                "ratio": biip / lotseal,
                "inspect_lines_per_s": wall,
                "inspect_lines_per_cpu_s": cpu,
                "different": different,
            }
        )
    )


if __name__ == "__main__":
    main()
