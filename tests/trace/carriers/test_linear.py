from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from qrcode import QRCode, base, util  # type: ignore[import-untyped]  # the package ships no types

from lotseal.trace.carriers import bulk, linear, qr
from lotseal.trace.errors import Invalid

SERIAL_LETTERS = "23456789ACDEFGHJKMNPQRTUVWXY"
TIER_A = "HTTPS://T.EXAMPLE.CN/01/09521321000018/10/L2611/21/"
Shape = Callable[[random.Random], str]


def tier_a(chance: random.Random) -> str:
    return TIER_A + "".join(chance.choices(SERIAL_LETTERS, k=20))


def tier_b(chance: random.Random) -> str:
    return tier_a(chance) + "?s=K" + "".join(chance.choices("0123456789", k=155))


def lower_case(chance: random.Random) -> str:
    return "https://t.example.cn/01/09521321000018/21/" + "".join(chance.choices("abcdefghij~_^", k=13))


def digits(chance: random.Random) -> str:
    return "".join(chance.choices("0123456789", k=41))


def odd(chance: random.Random) -> str:
    """A segment of each mode that ends in an incomplete unit."""
    return "A" + "".join(chance.choices("XYZ-$%", k=14)) + "".join(chance.choices("ab", k=5)) + digits(chance)[:29]


SHAPES: list[Shape] = [tier_a, tier_b, lower_case, digits, odd]


def some(shape: Shape, count: int, seed: int = 5) -> list[str]:
    chance = random.Random(seed)
    return [shape(chance) for _ in range(count)]


def summed(layout: linear.Layout, text: str) -> linear.Summed:
    return linear.Summed(layout, bulk.Packed(layout.side, 8), text)


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_summed_symbol_is_the_one_that_qrcode_makes(shape: Shape, level: qr.Level) -> None:
    texts = some(shape, 30)
    layout = linear.layout_of(texts[:12], level)
    if layout is None:
        pytest.skip("too large for a label")
    machine = summed(layout, texts[0])

    for text in texts:
        assert machine(text) == bulk.Packed(layout.side, 8).of(layout.modules(text))


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(
        st.tuples(st.sampled_from(["0123456789", "ABC-/:09", "abcXY?=\x7f\x00"]), st.integers(1, 20)),
        min_size=1,
        max_size=4,
    ),
    level=st.sampled_from(["L", "M", "Q", "H"]),
    seed=st.integers(0, 1 << 32),
)
def test_symbols_of_any_layout_are_those_of_qrcode(
    parts: list[tuple[str, int]], level: qr.Level, seed: int
) -> None:  # fmt: skip
    chance = random.Random(seed)
    texts = ["".join("".join(chance.choices(letters, k=k)) for letters, k in parts) for _ in range(16)]
    layout = linear.layout_of(texts, level)

    assert layout is not None
    machine = summed(layout, texts[0])
    for text in texts:
        assert machine(text) == bulk.Packed(layout.side, 8).of(layout.modules(text))


def drawn(version: int, level: qr.Level, data: list[int]) -> list[int]:
    """`qrcode`'s modules for these data words."""
    buffer = util.BitBuffer()
    for word in data:
        buffer.put(word, 8)
    code: QRCode[Image.Image] = QRCode(version, qr.LEVELS[level], mask_pattern=0)
    code.data_cache = util.create_bytes(buffer, base.rs_blocks(version, qr.LEVELS[level]))
    code.makeImpl(False, 0)
    return [int(module) for row in code.modules for module in row]


@pytest.mark.parametrize("version", range(1, linear.HIGHEST_VERSION + 1))
@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
def test_a_learned_row_is_the_difference_that_its_bit_makes(version: int, level: qr.Level) -> None:
    words = util.BIT_LIMIT_TABLE[qr.LEVELS[level]][version] // 8
    chance = random.Random(version)
    data = [chance.randrange(1, 256) for _ in range(words)]
    rows = linear._Rows(version, level)

    for position in (0, 8 * words - 1, *chance.sample(range(8 * words), 4)):
        flipped = list(data)
        flipped[position // 8] ^= 0x80 >> position % 8
        difference = [a ^ b for a, b in zip(drawn(version, level, data), drawn(version, level, flipped), strict=True)]
        assert list(b"".join(rows[position])) == difference


def test_the_mask_of_a_layout_is_the_one_of_lowest_penalty_for_its_first_texts() -> None:
    texts = some(tier_a, 12)
    layout = linear.layout_of(texts)

    assert layout is not None
    penalties = []
    for mask in range(8):
        symbols = [qr.matrix(layout.version, "M", qr.segments(text), mask) for text in texts[:2]]
        penalties.append(sum(util.lost_point([list(row) for row in symbol]) for symbol in symbols))
    assert penalties[layout.mask] == min(penalties)


@pytest.mark.parametrize(
    "texts",
    [["A" * 20, "A" * 21], ["A" * 20, "é" + "A" * 19], ["a" * 1000] * 3, ["a" * 5000] * 3, [""], []],
    ids=["lengths", "not ASCII", "large", "too long", "empty", "none"],
)
def test_texts_without_a_common_layout_have_none(texts: list[str]) -> None:
    assert linear.layout_of(texts) is None


@pytest.mark.parametrize("wrong", ["a", "\uff11", "é", "0" * 40])
def test_a_text_that_does_not_fit_the_layout_is_not_summed(wrong: str) -> None:
    texts = some(tier_a, 12)
    layout = linear.layout_of(texts)

    assert layout is not None
    machine = summed(layout, texts[0])
    assert machine(texts[0][: -len(wrong)] + wrong) is None
    assert machine(wrong + texts[0][len(wrong) :]) is None
    assert machine(texts[0] + wrong) is None


def modules_of(bitmap: bulk.Bitmap) -> tuple[bytes, ...]:
    rows = []
    for row in range(bitmap.side):
        data = bitmap.data[row * bitmap.row_bytes : (row + 1) * bitmap.row_bytes]
        bits = f"{int.from_bytes(data, 'big'):0{8 * bitmap.row_bytes}b}"
        assert "1" not in bits[bitmap.side :]
        rows.append(bytes(int(bit) for bit in bits[: bitmap.side]))
    return tuple(rows)


def mixed(count: int) -> list[str]:
    """A run as bad as they come: three lengths, letters that the first texts did not have, Chinese, single ones."""
    chance = random.Random(8)
    texts = [chance.choice([tier_a, tier_b, lower_case])(chance) for _ in range(count)]
    texts[count // 2] = "批号：武夷山大红袍"
    texts[count // 3] = texts[count // 3].lower()
    texts[-1] = "A"
    return texts


@pytest.mark.parametrize("texts", [some(tier_a, 60), some(tier_b, 40), mixed(120), ["A1"], [], some(digits, 11)])
def test_each_symbol_of_a_run_reads_as_its_text_in_order(texts: list[str]) -> None:
    bitmaps = list(bulk.bitmaps(texts))

    assert [bitmap.text for bitmap in bitmaps] == texts
    for bitmap in bitmaps:
        expected = bitmap.text if bitmap.text.isascii() else None
        if expected is not None:
            assert linear.read_back(modules_of(bitmap)) == expected


def test_a_run_of_counted_serials_is_still_summed_when_its_higher_digits_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = 0

    def counted(text: str, level: qr.Level = "M") -> qr.Symbol:
        nonlocal slow
        slow += 1
        return made(text, level)

    made = qr.make
    monkeypatch.setattr(qr, "make", counted)
    texts = [f"{TIER_A}{number:012}" for number in range(990, 1300)]

    assert [linear.read_back(modules_of(bitmap)) for bitmap in bulk.bitmaps(texts)] == texts
    assert slow == 0


def test_the_first_symbol_of_a_run_is_compared_with_qrcode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear.Summed, "__call__", _flipped(linear.Summed.__call__))

    with pytest.raises(linear.Differs, match="not qrcode's"):
        list(bulk.bitmaps(some(tier_a, 24)))


def test_later_symbols_are_sampled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr(linear.Summed, "check", lambda _self, text, _picture: checked.append(text))
    texts = some(tier_a, 6 * linear.CHECKED_OF)
    list(bulk.bitmaps(texts))

    assert checked[0] == texts[0]
    assert 1 < len(checked) < 20


def test_a_symbol_that_reads_as_another_text_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "read_back", lambda _modules: "something else")

    with pytest.raises(linear.Differs, match="does not read back"):
        list(bulk.bitmaps(some(tier_a, 24)))


def _flipped(sum_: Callable[[linear.Summed, str], int | None]) -> Callable[[linear.Summed, str], int | None]:
    def wrong(self: linear.Summed, text: str) -> int | None:
        picture = sum_(self, text)
        # While the machine is set up its constant is still zero, and only then is it right.
        return picture ^ 1 if picture is not None and self._constant else picture

    return wrong


@pytest.mark.parametrize(("text", "rule"), [("", "qr.empty"), ("a" * 3000, "qr.too-long")])
def test_a_text_without_a_symbol_is_refused_in_a_run_too(text: str, rule: str) -> None:
    def texts() -> Iterable[str]:
        yield from some(tier_a, 30)
        yield text

    with pytest.raises(Invalid) as refused:
        list(bulk.bitmaps(texts()))
    assert refused.value.problems[0].rule == rule
