"""Throw nearly right codes at every parser and look for anything but `Invalid`.

    python bench/fuzz_codes.py [--count 1000000] [--seed 1]

Seeds are valid codes of every kind. Each input is up to four changes away from one of them: characters taken out, put
in, replaced, doubled, parts of two seeds joined, percent escapes, separators, other scripts, now and then blown up to
the limit of 8 kB. Each goes through the door that finds out the kind and, in turns, through one parser by name.
A code that was understood must be the same after it was printed and read again in every form that it has.
Prints the share understood, the slowest input, and as its last line JSON; ends with 1 when anything went wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from collections import Counter

from lotseal.trace.codes.digital_link import print_link
from lotseal.trace.codes.element_string import print_bracketed, print_element_string
from lotseal.trace.codes.epc import print_epc_urn
from lotseal.trace.codes.identity import identity
from lotseal.trace.codes.model import MOST_CHARACTERS, Code, Kind
from lotseal.trace.codes.reading import read
from lotseal.trace.codes.rules import RULES, check
from lotseal.trace.codes.scan import print_scan_data, transmitted
from lotseal.trace.errors import Invalid

SEEDS = (
    "https://id.gs1.org/01/09521234543213/10/LOT%2F1/21/A-1?17=270131&3103=000195&s=x",
    "https://example.com/some/stem/8010/952123ABC%23/8011/12?99=A&foo&bar=1#frag",
    "http://[2001:db8::1]:8080/414/9521234000006/254/X?99=1ABC",
    "HTTPS://A.EXAMPLE/00/195212345678900006",
    "(01)09521234543213(10)AB\\(1)(21)xyz(11)260101",
    "(8110)1061414165432131501101201211014092110256100126663101231",
    "(01)09521234543213(30)12(3922)1250(8008)260131235959",
    "(8013)1987654Ad4X4bL5ttr2310c2K",
    "^010952123454321310AB^21xyz^4218261AB",
    "\x1d8006095212345432130102\x1d21A\x1d8030QUJD",
    "^00195212345678900006430001%20A^430909000000001800000001",
    "]Q3010952123454321310AB\x1d21xyz",
    "]C10109521234543213310300019510AB",
    "]E09521234543213|]e010AB\x1d21C",
    "]E496385074",
    "]Q1https://id.gs1.org/253/9521234000006X",
    "]d1just text",
    "]J1011952123454321010AB",
    "9521234543213",
    "96385074",
    "614141007349",
    "urn:epc:id:sgtin:9521234.054321.A%2F1",
    "urn:epc:class:lgtin:9521234.054321.LOT",
    "urn:epc:idpat:grai:9521234.00000.*",
    "urn:epc:id:itip:9521234.054321.01.02.S",
    "urn:epc:id:cpi:9521234.AB%23C.12",
    "urn:epc:id:sgln:9521234.00000.0",
    "urn:epc:id:giai:9521234.A.B",
)
ALPHABET = (
    "0123456789" * 3
    + "ABCXYZabcxyz!\"%&'()*+,-./:;<=>?_^|]\\#@[]{}~`$ "
    + "\x00\x1b\x1c\x1d\x1e\x7f\x85\xa0²٣７Ａ溯印\u200b\u2028\ud800\udfff\U0001f600"
)
PIECES = (
    "%00",
    "%",
    "%2",
    "%5E",
    "^",
    "\x1d",
    "]e0",
    "|]e0",
    "(01)",
    "/01/",
    "/21/",
    "?",
    "&",
    "=",
    "://",
    "..",
    "//",
    "\\(",
)
KINDS = (None, *Kind)
SYMBOLS = ("QR", "DM", "DotCode", "GS1_128_CCC", "DataBarExpanded", "DataBarLimited", "EAN13", "EAN8", "UPCE", "other")
NAMES = tuple(RULES)


def mutated(chance: random.Random) -> str:
    text = chance.choice(SEEDS)
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(9):
            case 0:
                text = text[:at] + text[at + chance.randrange(1, 4) :]
            case 1:
                text = text[:at] + chance.choice(ALPHABET) + text[at:]
            case 2 | 3:
                text = text[:at] + chance.choice(ALPHABET) + text[at + 1 :]
            case 4:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            case 5:
                other = chance.choice(SEEDS)
                text = text[:at] + other[chance.randrange(len(other)) :]
            case 6:
                text = text[:at] + text[at : at + chance.randrange(1, 30)] + text[at:]
            case 7:
                text = text[:at] + chance.choice("0123456789") + text[at + 1 :]
            case _:
                if chance.randrange(400) == 0:
                    text = (text[:at] + (text[at:] or "x") * (MOST_CHARACTERS // (len(text) - at + 1)))[
                        :MOST_CHARACTERS
                    ]
    return text


def check_round_trip(code: Code) -> None:
    """The same elements come back from every form."""
    if not code.elements:
        return
    forms = {
        Kind.BRACKETED: print_bracketed(code.elements),
        Kind.ELEMENT_STRING: print_element_string(code.elements),
        Kind.SCAN_DATA: print_scan_data(code, "]Q3"),
    }
    for kind, printed in forms.items():
        if printed is not None and len(printed) <= MOST_CHARACTERS:
            assert read(printed, kind, associations=False).elements == code.elements, printed
    link = print_link(code.elements)
    if link is not None and len(link) <= MOST_CHARACTERS:
        again = read(link, Kind.DIGITAL_LINK, associations=False)
        assert set(again.elements) == set(code.elements), link
        assert print_link(again.elements) == link, link
    urn = print_epc_urn(code)
    if urn is not None and code.kind is Kind.EPC_URN:
        assert read(urn).elements == code.elements, urn


def one(text: str, number: int, chance: random.Random) -> bool:
    """Whether the code was understood. Raises what must not be raised."""
    kind = KINDS[number % len(KINDS)] if number % 3 == 0 else None
    identity(text)
    if number % 5 == 0:
        transmitted(SYMBOLS[number % len(SYMBOLS)], text)
        try:
            check(NAMES[number % len(NAMES)], text[: chance.randrange(1, 30)])
        except Invalid as refusal:
            str(refusal)
    try:
        code = read(text, kind, associations=bool(number % 2))
    except Invalid as refusal:
        for problem in refusal.problems:
            str(problem.message)
            assert problem.rule
            position = problem.message.values["position"]
            assert isinstance(position, int)
            assert position >= 1
        return False
    check_round_trip(code)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    outcome: Counter[str] = Counter()
    slowest, slowest_text = 0.0, ""
    begin = time.perf_counter()
    for number in range(options.count):
        text = mutated(chance)
        started = time.process_time()
        try:
            outcome["understood" if one(text, number, chance) else "refused"] += 1
        # Anything at all is a finding here, and the run must go on to the next.
        except Exception:
            outcome["failed"] += 1
            if outcome["failed"] <= 10:
                print(f"input {number}: {text!r}", file=sys.stderr)
                traceback.print_exc()
        took = time.process_time() - started
        if took > slowest:
            slowest, slowest_text = took, text
    seconds = time.perf_counter() - begin
    print(f"{options.count} inputs in {seconds:.0f} s: {dict(outcome)}")
    print(f"slowest: {slowest * 1000:.2f} ms of CPU time for {len(slowest_text)} characters: {slowest_text[:100]!r}")
    print(
        json.dumps(
            {
                "bench": "fuzz_codes",
                "inputs": options.count,
                **{name: outcome[name] for name in ("understood", "refused", "failed")},
                "slowest_ms": slowest * 1000,
            }
        )
    )
    if outcome["failed"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
