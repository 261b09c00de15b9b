from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing import canonical
from lotseal.signing.canonical import canonical_json, parse_canonical, sha256_hex
from lotseal.signing.errors import Malformed

MAX_INT = 2**53 - 1

# RFC 8785 section 3.2.2 (input) and section 3.2.4 (its UTF-8 bytes).
RFC_8785_VALUE = {
    "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
    "literals": [None, True, False],
}
RFC_8785_BYTES = bytes.fromhex(
    "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e"
    "756d62657273223a5b3333333333333333332e333333333333332c31652b3330"
    "2c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac24"
    "5c75303030665c6e4127425c225c5c5c5c5c222f227d"
)

# RFC 8785 appendix B: bits of the IEEE 754 double and its one spelling.
RFC_8785_NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INT, MAX_INT)
    | st.floats(-1e9, 1e9).map(lambda number: number + 0.0)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=12,
)


def test_the_example_of_rfc_8785_is_printed_byte_for_byte() -> None:
    assert canonical_json(RFC_8785_VALUE) == RFC_8785_BYTES


@pytest.mark.parametrize(("bits", "spelling"), RFC_8785_NUMBERS)
def test_a_number_of_rfc_8785_has_its_one_spelling(bits: str, spelling: str) -> None:
    number = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert canonical_json(number) == spelling.encode()


def test_keys_are_ordered_by_utf_16_units() -> None:
    # RFC 8785 section 3.2.3.
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    value = parse_canonical(canonical_json(dict.fromkeys(keys, 0)))
    assert isinstance(value, dict)
    assert list(value) == order


@given(json_values)
def test_what_is_printed_reads_back_to_the_same_bytes(value: object) -> None:
    data = canonical_json(value)
    assert canonical_json(parse_canonical(data)) == data
    assert parse_canonical(data) == value


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b'{"a": 1}', "json.canonical"),
        (b'{"b":1,"a":1}', "json.canonical"),
        (b'{"a":1,"a":1}', "json.canonical"),
        (b'{"a":1}\n', "json.canonical"),
        (b"1.0", "json.canonical"),
        (b"1e2", "json.canonical"),
        (b"-0", "json.canonical"),
        (b'"\\u0041"', "json.canonical"),
        (b'"\\/"', "json.canonical"),
        (b"NaN", "json.value"),
        (b"1e999", "json.value"),
        (b"9007199254740992", "json.value"),
        (b'"\\ud800"', "json.value"),
        (b'{"\\ud800":1}', "json.value"),
        (b"9" * 5000, "json.syntax"),
        (b"", "json.syntax"),
        (b"{", "json.syntax"),
        (b"\xff", "json.syntax"),
        (b"\xef\xbb\xbf1", "json.syntax"),
        (b"1\x00", "json.syntax"),
        ("1".encode("utf-16"), "json.syntax"),
        (b"[" * 200_000, "json.syntax"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "json.depth"),
        (b'"' + b"a" * canonical.MAX_BYTES + b'"', "json.size"),
    ],
)
def test_any_other_spelling_is_refused(data: bytes, rule: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_canonical(data)
    assert refused.value.rule == rule


@pytest.mark.parametrize(
    "value",
    [float("inf"), float("nan"), 2**53, -(2**53), "\ud800", {"\ud800": 1}, {1: 1}, {"a": b"bytes"}, {"a": {1, 2}}],
)
def test_a_value_without_a_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(Malformed) as refused:
        canonical_json(value)
    assert refused.value.rule == "json.value"


def test_a_value_that_contains_itself_is_refused() -> None:
    line: list[object] = []
    line.append(line)
    bush: list[object] = []
    bush.extend([bush] * 1000)
    for value, rule in ((line, "json.depth"), (bush, "json.size")):
        with pytest.raises(Malformed) as refused:
            canonical_json(value)
        assert refused.value.rule == rule


def test_64_levels_are_allowed_and_one_more_is_refused() -> None:
    assert parse_canonical(b"[" * 64 + b"1" + b"]" * 64)
    with pytest.raises(Malformed) as refused:
        parse_canonical(b"[" * 65 + b"]" * 65)
    assert refused.value.rule == "json.depth"


def test_a_value_that_prints_too_long_is_refused() -> None:
    with pytest.raises(Malformed) as refused:
        canonical_json("a" * canonical.MAX_BYTES)
    assert refused.value.rule == "json.size"


def test_the_hash_is_sha_256_in_lower_case() -> None:
    # FIPS 180-2 appendix B.1.
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
