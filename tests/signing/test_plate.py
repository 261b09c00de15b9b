"""Codes made in bulk are those that are made one by one."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing import item
from lotseal.signing.context import Context
from lotseal.signing.errors import Malformed
from lotseal.signing.keys import PrivateKey
from lotseal.signing.plate import Plate
from lotseal.signing.secret import MacSecret

BASE, GTIN, LOT = "https://t.example.cn", "09521321000018", "L2611/a"
SECRET = MacSecret(bytes(range(32)))
KEY = PrivateKey.generate()


@pytest.mark.parametrize("lot", [LOT, None])
def test_each_serial_of_a_plate_has_its_own_tag(lot: str | None) -> None:
    serials = list(Plate(BASE, GTIN, lot).serials(SECRET, 300))
    assert len(set(serials)) == 300
    for serial in serials:
        item.check_serial(SECRET, BASE, GTIN, lot, serial)


@given(st.text(item.ALPHABET, min_size=20, max_size=20) | st.text("!A/.%a ", max_size=21))
def test_a_link_from_a_plate_is_the_canonical_one(serial: str) -> None:
    plate = Plate(BASE, GTIN, LOT)
    try:
        uri = item.canonical_item_uri(BASE, GTIN, LOT, serial)
    except Malformed:
        with pytest.raises(Malformed):
            plate.uri(serial)
        return
    assert plate.uri(serial) == plate.link(serial) == uri
    signature = KEY.sign(Context.ITEM, uri)
    assert plate.link(serial, "7", signature) == uri + b"?s=" + item.format_signature("7", signature).encode()


def test_each_letter_is_as_likely_as_any_other() -> None:
    letters = Counter("".join(serial[: item.RANDOM_SIZE] for serial in Plate(BASE, GTIN, LOT).serials(SECRET, 28_000)))
    assert set(letters) == set(item.ALPHABET)
    # 10,000 of each are due, with a deviation of 98; a plain remainder of a byte would give 10,925 and 9,832.
    assert all(9_400 < count < 10_600 for count in letters.values())


def test_a_plate_is_made_of_sound_numbers_only() -> None:
    with pytest.raises(Malformed):
        Plate(BASE, "0952", LOT)
    with pytest.raises(Malformed):
        Plate("https://t.example.cn/path", GTIN, LOT)
