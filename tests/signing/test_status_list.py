from __future__ import annotations

import gzip
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing.errors import Malformed
from lotseal.signing.status_list import MAX_SIZE, SIZE, decode, empty, encode, get, with_bit

EXAMPLE = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
"""The empty list of the standard's own example (section 2.2)."""


def text_of(packed: bytes) -> str:
    return "u" + urlsafe_b64encode(packed).rstrip(b"=").decode()


def refused(text: object) -> str:
    with pytest.raises(Malformed) as error:
        decode(text)
    return error.value.rule


def test_the_list_of_the_standards_example_is_read() -> None:
    assert decode(EXAMPLE) == empty()


def test_bit_0_is_the_left_most_one() -> None:
    assert with_bit(empty(), 0)[0] == 0b1000_0000
    assert with_bit(empty(), 9)[1] == 0b0100_0000
    assert with_bit(empty(), SIZE - 1)[-1] == 1


@given(st.sets(st.integers(0, SIZE - 1), max_size=30))
def test_exactly_the_bits_that_were_set_come_back(places: set[int]) -> None:
    bits = empty()
    for place in places:
        bits = with_bit(bits, place)
    read = decode(encode(bits))
    assert read == bits
    assert all(get(read, place) for place in places)
    assert sum(byte.bit_count() for byte in read) == len(places)


def test_others_can_unpack_it() -> None:
    bits = with_bit(empty(), 4711)
    text = encode(bits)
    data = text[1:] + "=" * (-(len(text) - 1) % 4)
    assert gzip.decompress(urlsafe_b64decode(data)) == bits


def test_the_same_bits_give_the_same_text_without_a_time() -> None:
    text = encode(with_bit(empty(), 5))
    assert text == encode(with_bit(empty(), 5))
    assert text.startswith("uH4sIAAAAAAAC_")


@pytest.mark.parametrize("size", [0, 8, SIZE - 8, SIZE + 1, MAX_SIZE + 8])
def test_a_list_of_another_size_is_not_made(size: int) -> None:
    with pytest.raises(Malformed):
        empty(size)


def test_a_short_list_is_refused() -> None:
    assert refused(text_of(gzip.compress(bytes(SIZE // 8 - 1), mtime=0))) == "status-list.size"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    assert refused(text_of(gzip.compress(bytes(1_000_000_000 // 8), mtime=0))) == "status-list.size"
    assert decode(encode(empty(MAX_SIZE))) == empty(MAX_SIZE)


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "u",
        EXAMPLE[1:],
        "z" + EXAMPLE[1:],
        EXAMPLE + "=",
        EXAMPLE + "\n",
        EXAMPLE[:-4],
        EXAMPLE.replace("-", "+"),
        "u" + "A" * 3_000_000,
        text_of(b"no gzip at all"),
        text_of(gzip.compress(empty(), mtime=0) + b"more"),
        text_of(gzip.compress(empty(), mtime=0) + gzip.compress(b"", mtime=0)),
        text_of(gzip.compress(empty(), mtime=0)[:-1]),
    ],
)
def test_what_is_no_list_is_refused(text: object) -> None:
    assert refused(text).startswith("status-list.")


def test_a_changed_bit_of_the_packed_list_is_found() -> None:
    packed = bytearray(gzip.compress(empty(), mtime=0))
    packed[-5] ^= 1
    assert refused(text_of(bytes(packed))) == "status-list.gzip"


@pytest.mark.parametrize("index", [-1, SIZE, 10**30])
def test_a_place_outside_is_refused(index: int) -> None:
    for act in (get, with_bit):
        with pytest.raises(Malformed):
            act(empty(), index)
