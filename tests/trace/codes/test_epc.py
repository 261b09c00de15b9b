"""EPC URNs: read, printed again, and refused."""

from __future__ import annotations

import pytest

from lotseal.trace.codes import epc
from lotseal.trace.codes.model import Code, Kind
from lotseal.trace.errors import Invalid

URNS = [
    ("urn:epc:id:sgtin:9521234.054321.A%2F1", [("01", "09521234543213"), ("21", "A/1")]),
    ("urn:epc:id:sgtin:952123454321.9.a.b", [("01", "99521234543216"), ("21", "a.b")]),
    ("urn:epc:idpat:sgtin:9521234.054321.*", [("01", "09521234543213")]),
    ("urn:epc:class:lgtin:9521234.054321.L-1", [("01", "09521234543213"), ("10", "L-1")]),
    ("urn:epc:id:upui:9521234.054321.%25x", [("01", "09521234543213"), ("235", "%x")]),
    ("urn:epc:id:itip:9521234.054321.01.02.S", [("8006", "095212345432130102"), ("21", "S")]),
    ("urn:epc:idpat:itip:9521234.054321.01.02.*", [("8006", "095212345432130102")]),
    ("urn:epc:id:sscc:952123.41234567890", [("00", "495212312345678903")]),
    ("urn:epc:id:sgln:9521234.00000.0", [("414", "9521234000006")]),
    ("urn:epc:id:sgln:9521234.00000.12", [("414", "9521234000006"), ("254", "12")]),
    ("urn:epc:id:sgln:952123400000..0", [("414", "9521234000006")]),
    ("urn:epc:id:pgln:9521234.00000", [("417", "9521234000006")]),
    ("urn:epc:id:grai:9521234.00000.X1", [("8003", "09521234000006X1")]),
    ("urn:epc:idpat:grai:9521234.00000.*", [("8003", "09521234000006")]),
    ("urn:epc:id:gdti:9521234.00000.D-1", [("253", "9521234000006D-1")]),
    ("urn:epc:idpat:gdti:9521234.00000.*", [("253", "9521234000006")]),
    ("urn:epc:id:sgcn:9521234.00000.12", [("255", "952123400000612")]),
    ("urn:epc:idpat:sgcn:9521234.00000.*", [("255", "9521234000006")]),
    ("urn:epc:id:giai:9521234.A.1%22", [("8004", '9521234A.1"')]),
    ("urn:epc:id:ginc:9521234.ship", [("401", "9521234ship")]),
    ("urn:epc:id:gsin:9521234.000000000", [("402", "95212340000000006")]),
    ("urn:epc:id:gsrn:9521234.0000000001", [("8018", "952123400000000017")]),
    ("urn:epc:id:gsrnp:9521234.0000000001", [("8017", "952123400000000017")]),
    ("urn:epc:id:cpi:9521234.AB%23%2FC.12", [("8010", "9521234AB#/C"), ("8011", "12")]),
    ("urn:epc:idpat:cpi:9521234.AB.*", [("8010", "9521234AB")]),
]


@pytest.mark.parametrize(("urn", "elements"), URNS)
def test_a_urn_is_read_and_printed_again(urn: str, elements: list[tuple[str, str]]) -> None:
    code = epc.parse(urn)
    assert code.elements == tuple(elements)
    assert epc.print_epc_urn(code) == urn


def test_every_scheme_is_tried() -> None:
    assert {urn.split(":")[3] for urn, _ in URNS} == set(epc.SCHEMES)


@pytest.mark.parametrize(
    ("urn", "rule", "position"),
    [
        ("urn:epc:tag:sgtin-96:1.9521234.054321.1", "epc.head", 1),
        ("urn:epc:", "epc.head", 1),
        ("urn:epc:id:gid:1.2.3", "epc.scheme", 9),
        ("urn:epc:id:lgtin:9521234.054321.L", "epc.scheme", 9),
        ("urn:epc:class:sgtin:9521234.054321.1", "epc.scheme", 9),
        ("urn:epc:idpat:sscc:952123.*", "epc.scheme", 9),
        ("urn:epc:idpat:sgln:9521234.00000.*", "epc.scheme", 9),
        ("urn:epc:id:sgtin:9521234.054321", "epc.parts", 32),
        ("urn:epc:id:pgln:9521234.0000.0", "epc.reference", 25),
        ("urn:epc:id:sgtin:95212.0054321.1", "epc.prefix", 18),
        ("urn:epc:id:sgtin:9521234567890.1.1", "epc.prefix", 18),
        ("urn:epc:id:sgtin:9521234.05432.1", "epc.reference", 26),
        ("urn:epc:id:sgtin:9521234.05432X.1", "epc.reference", 26),
        ("urn:epc:id:sgtin:9521234.054321.a/b", "epc.characters", 34),
        ("urn:epc:id:sgtin:9521234.054321.a%2", "epc.characters", 34),
        ("urn:epc:idpat:sgtin:9521234.054321.12", "epc.pattern", 36),
        ("urn:epc:idpat:sgtin:9521234.*.*", "epc.reference", 29),
        ("urn:epc:id:sgtin:9521234.054321.", "ai.empty", 1),
        ("urn:epc:id:sgtin:9521234.054321.%20", "cset82.invalid-cset82-character", 1),
        ("urn:epc:id:sgcn:9521234.00000.X", "csetnumeric.non-digit-character", 14),
        ("urn:epc:id:cpi:9521234.AB.012", "nozeroprefix.illegal-zero-prefix", 1),
    ],
)
def test_a_urn_is_refused_where_it_goes_wrong(urn: str, rule: str, position: int) -> None:
    with pytest.raises(Invalid) as error:
        epc.parse(urn)
    first = error.value.problems[0]
    assert str(first.message)
    assert (first.rule, first.message.values["position"]) == (rule, position)


def test_without_the_length_of_the_company_prefix_there_is_no_urn() -> None:
    code = Code(Kind.BRACKETED, (("01", "09521234543213"), ("21", "S")))
    assert epc.print_epc_urn(code) is None
    assert epc.print_epc_urn(code, 7) == "urn:epc:id:sgtin:9521234.054321.S"
    assert epc.print_epc_urn(code, 5) is None


def test_a_serial_comes_before_a_lot() -> None:
    code = Code(Kind.BRACKETED, (("01", "09521234543213"), ("10", "L"), ("21", "S")))
    assert epc.print_epc_urn(code, 7) == "urn:epc:id:sgtin:9521234.054321.S"


def test_what_has_no_urn_gives_none() -> None:
    assert epc.print_epc_urn(Code(Kind.BRACKETED, (("02", "09521234543213"), ("37", "1"))), 7) is None
    assert epc.print_epc_urn(Code(Kind.BRACKETED, (("414", "9521234000006"), ("254", "0"))), 7) is None
    assert epc.print_epc_urn(Code(Kind.BRACKETED, (("8004", "9521X"),)), 7) is None
