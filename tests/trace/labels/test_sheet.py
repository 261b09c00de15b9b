from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # the package ships no types
import pytest
from PIL import Image, ImageChops

from lotseal.trace.carriers import bulk, qr
from lotseal.trace.errors import Invalid
from lotseal.trace.labels import sheet
from lotseal.trace.labels.compose import EVERYTHING, Composer, Field, usual_fields
from lotseal.trace.labels.layouts import LAYOUTS, room_for
from lotseal.trace.labels.readback import Unreadable, verify_sheet
from lotseal.trace.labels.sheet import A4_3X8, Label, write_sheet

Reader = Callable[[Image.Image], list[str]]

SERIAL_LETTERS = "23456789ACDEFGHJKMNPQRTUVWXY"
SIGNATURE = "".join(random.Random(7).choices("0123456789", k=155))

TEA = Label(
    uri="HTTPS://T.EXAMPLE.CN/01/09521321000018/10/L2611/21/4K7QWAXY2MHTR9C3PDEF",
    name_zh="武夷山大红袍（演示）100 g",
    name_en="Wuyi Da Hong Pao oolong tea (demo) 100 g",
    lot="L2611",
    expiry="2028-10-31",
    serial="4K7QWAXY2MHTR9C3PDEF",
    footer="t.example.cn",
)
LONGEST = Label(
    uri="HTTPS://TRACE.COMPANY.EXAMPLE/01/09521321000018/10/WWWWWWWWWWWWWWWWWWWW/21/WWWWWWWWWWWWWWWWWWWW",
    name_zh="特级有机武夷山正岩大红袍乌龙茶礼盒装" * 10,
    name_en="Extraordinarilylongwordwithoutanyspace " * 10,
    lot="W" * 20,
    expiry="2028-10-31",
    serial="W" * 20,
    footer="trace.a-company-with-a-very-long-name.example.com.cn",
)


def labels(count: int, like: Label = TEA) -> Iterator[Label]:
    chance = random.Random(11)
    for _ in range(count):
        serial = "".join(chance.choices(SERIAL_LETTERS, k=20))
        yield replace(like, uri=like.uri[:-20] + serial, serial=serial)


def signed(label: Label) -> Label:
    return replace(label, uri=f"{label.uri}?s=K{SIGNATURE}")


def written(items: list[Label], start: int = 0, language: sheet.Language = "zh") -> bytes:
    out = BytesIO()
    write_sheet(out, items, A4_3X8, start, language=language)
    return out.getvalue()


def page_image(pdf: bytes, page: int = 0, dpi: int = 300) -> Image.Image:
    with pypdfium2.PdfDocument(pdf) as document:
        image: Image.Image = document[page].render(scale=dpi / 72, grayscale=True).to_pil().copy()
        return image


def page_text(pdf: bytes, page: int = 0) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return str(document[page].get_textpage().get_text_range())


def cell(image: Image.Image, position: int, inset: float = 0.0, dpi: int = 300) -> Image.Image:
    left, top = A4_3X8.corner(position)
    edges = (left + inset, top + inset, left + A4_3X8.label_width - inset, top + A4_3X8.label_height - inset)
    return image.crop(tuple(round(edge / 25.4 * dpi) for edge in edges))  # type: ignore[arg-type]  # four edges


def ink(image: Image.Image) -> tuple[int, int, int, int] | None:
    return ImageChops.invert(image.convert("L")).point([0] * 64 + [255] * 192).getbbox()


@pytest.mark.parametrize("label", [TEA, signed(TEA)])
def test_a_label_is_read_by_a_second_reader_at_office_resolution(label: Label, read_with_zbar: Reader) -> None:
    image = page_image(written([label]))

    assert read_with_zbar(cell(image, 0)) == [label.uri]


@pytest.mark.parametrize(("label", "least_mm"), [(TEA, 15), (LONGEST, 15), (signed(TEA), 20), (signed(LONGEST), 20)])
def test_the_symbol_is_large_enough_and_all_its_modules_are_whole_dots(label: Label, least_mm: float) -> None:
    symbol = qr.make(label.uri)
    placed = sheet.place(symbol)

    assert placed.side == pytest.approx(placed.module * symbol.side)
    assert placed.side >= least_mm
    assert placed.module >= 0.33
    assert placed.module / (25.4 / 300) == pytest.approx(round(placed.module / (25.4 / 300)))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "label", [TEA, LONGEST, signed(TEA), signed(LONGEST), replace(TEA, name_zh=""), replace(TEA, name_en="")]
)
def test_the_symbol_has_its_true_size_and_nothing_in_its_quiet_zone(label: Label, language: sheet.Language) -> None:
    dpi = 600
    image = cell(page_image(written([label], language=language), dpi=dpi), 0, dpi=dpi)
    placed = sheet.place(qr.make(label.uri))
    quiet = placed.module * 4
    dots = dpi / 25.4
    around = (
        round((placed.left - quiet) * dots) + 1,
        round((placed.top - quiet) * dots) + 1,
        round((placed.left + placed.side + quiet) * dots) - 1,
        round((placed.top + placed.side + quiet) * dots) - 1,
    )
    box = ink(image.crop(around))

    assert min(around) >= 0
    assert around[2] <= image.width
    assert around[3] <= image.height
    assert box is not None
    assert (box[2] - box[0], box[3] - box[1]) == pytest.approx((placed.side * dots,) * 2, abs=2)
    assert (box[0], box[1]) == pytest.approx((quiet * dots,) * 2, abs=2)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("label", [TEA, LONGEST, signed(LONGEST)])
def test_no_text_leaves_the_safe_area_of_its_label(label: Label, language: sheet.Language) -> None:
    image = page_image(written([label] * 24, language=language))
    whole = cell(image, 13)
    box = ink(whole)
    # Descenders (g, y, Q) of the last line hang below the safe edge, by less than a millimetre.
    dots = 300 / 25.4
    safe = [
        A4_3X8.safe * dots,
        (A4_3X8.label_width - A4_3X8.safe) * dots,
        (A4_3X8.label_height - A4_3X8.safe + 1) * dots,
    ]

    assert box is not None
    assert box[0] >= safe[0] - 2
    assert box[1] >= safe[0] - 8
    assert box[2] <= safe[1] + 2
    assert box[3] <= safe[2]


def test_a_label_says_names_lot_expiry_serial_in_groups_and_host() -> None:
    text = page_text(written([TEA]))

    for part in ("武夷山大红袍（演示）", "批号 / Lot", "L2611", "有效期至 / Best before", "2028-10-31", "t.example.cn"):
        assert part in text
    squeezed = "".join(text.split())
    assert "4K7QWAXY2M" in squeezed
    assert "HTR9C3PDEF" in squeezed


def test_an_english_label_puts_the_english_name_and_captions_first() -> None:
    text = page_text(written([TEA], language="en"))

    assert text.index("Wuyi Da Hong Pao") < text.index("武夷山")
    assert "Lot / 批号" in text
    assert "Best before / 有效期至" in text


def test_a_lot_and_a_serial_are_never_cut() -> None:
    squeezed = "".join(page_text(written([LONGEST])).split())

    assert LONGEST.lot in squeezed
    assert squeezed.count("W" * 10) >= 4


def test_the_typed_serial_is_at_least_seven_points_high() -> None:
    assert Composer(A4_3X8).serial_size() >= 7


def test_labels_already_used_up_stay_empty() -> None:
    image = page_image(written(list(labels(3)), start=22))

    assert all(ink(cell(image, position, inset=0.5)) is None for position in range(22))
    assert all(ink(cell(image, position)) is not None for position in (22, 23))


@pytest.mark.parametrize(
    ("count", "start", "pages"), [(1, 0, 1), (24, 0, 1), (25, 0, 2), (1, 23, 1), (2, 23, 2), (50, 1, 3)]
)
def test_a_sheet_has_as_many_pages_as_its_labels_need(count: int, start: int, pages: int) -> None:
    told: list[tuple[int, int]] = []
    out = BytesIO()

    assert write_sheet(out, labels(count), A4_3X8, start, lambda page, done: told.append((page, done))) == count
    assert [page for page, _ in told] == list(range(1, pages + 1))
    assert told[-1] == (pages, count)
    with pypdfium2.PdfDocument(out.getvalue()) as document:
        assert len(document) == pages


def test_the_same_labels_give_the_same_bytes() -> None:
    assert written(list(labels(30))) == written(list(labels(30)))


def test_the_file_is_sound_embeds_its_only_font_and_names_no_place_of_this_machine() -> None:
    data = written(list(labels(30)))
    with pikepdf.open(BytesIO(data)) as document:
        assert document.check_pdf_syntax() == []
        assert str(document.docinfo["/Title"]) == "Lotseal labels"
        assert str(document.Root.ViewerPreferences.PrintScaling) == "/None"
        fonts = [font for page in document.pages for font in page.Resources.Font.values()]
        assert fonts
        assert all("LotsealLabel" in str(font.BaseFont) and "/FontFile2" in font.FontDescriptor for font in fonts)
        everything = b"".join(thing.read_bytes() for thing in document.objects if isinstance(thing, pikepdf.Stream))
    for place in (str(Path.home()), str(Path(sheet.__file__).parents[2]), "/tmp"):
        assert place.encode() not in data + everything


def test_memory_does_not_grow_with_the_run() -> None:
    peaks = []
    for count in (3 * 24, 9 * 24):
        with Path("/dev/null").open("wb") as out:
            tracemalloc.start()
            write_sheet(out, labels(count), A4_3X8)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    # 6 more pages: two offsets and numbers for each, nowhere near their 250 kB of drawing.
    assert peaks[1] - peaks[0] < 6 * 6_000


@pytest.mark.parametrize(
    ("field", "value"),
    [("name_zh", "茶🍵"), ("name_en", "شاي"), ("lot", "L\n1"), ("expiry", "2028\u202e"), ("footer", "t\x00")],
)
def test_characters_that_cannot_be_printed_are_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(Invalid, match="cannot print") as refused:
        written([replace(TEA, **{field: value})])
    assert refused.value.problems[0].field == field
    assert refused.value.problems[0].rule == "label.characters"


@pytest.mark.parametrize(("field", "value"), [("lot", "W" * 60), ("expiry", "2028-10-31 " * 5)])
def test_a_value_that_would_have_to_be_cut_is_refused(field: str, value: str) -> None:
    with pytest.raises(Invalid, match="must not be cut") as refused:
        sheet.check(replace(TEA, **{field: value}))
    assert (refused.value.problems[0].field, refused.value.problems[0].rule) == (field, "label.text-length")


def test_a_serial_longer_than_the_label_has_cells_is_refused() -> None:
    with pytest.raises(Invalid, match="at most 20 characters"):
        sheet.check(replace(TEA, serial="A" * 21))


def test_a_code_too_long_for_the_label_is_refused_instead_of_printed_too_fine() -> None:
    with pytest.raises(Invalid, match="too fine to scan") as refused:
        written([replace(TEA, uri="https://t.example.cn/" + "a" * 500)])
    assert refused.value.problems[0].rule == "label.symbol-size"


@pytest.mark.parametrize("start", [-1, 24, 1000])
def test_a_start_outside_the_sheet_is_refused(start: int) -> None:
    with pytest.raises(Invalid, match="position 1 to 24"):
        written([TEA], start=start)


def test_a_sheet_without_labels_is_refused() -> None:
    with pytest.raises(Invalid, match="no labels"):
        written([])


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_full_sheet_of_every_layout_reads_back(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    items = list(labels(layout.per_page + 3))
    path = tmp_path / "labels.pdf"
    with path.open("wb") as file:
        write_sheet(file, items, layout, 1, fields=usual_fields(layout))

    assert verify_sheet(path, [item.uri for item in items], layout, 1) == len(items)


def test_labels_of_several_products_and_tiers_on_one_sheet_each_say_their_own() -> None:
    coffee = replace(TEA, name_zh="咖啡", lot="K1", serial="22222", uri=TEA.uri[:-20] + "22222")
    text = page_text(written([TEA, coffee, signed(TEA), TEA]))

    assert [text.count(word) for word in ("K1", "咖啡", "L2611")] == [1, 1, 3]
    assert "".join(text.split()).count("22222") == 1


def test_each_label_is_printed_as_often_as_asked() -> None:
    items = list(labels(3))

    assert [label.serial for label in sheet.copied(items, 2)] == [item.serial for item in items for _ in range(2)]


@pytest.mark.parametrize("copies", [0, -1, 101])
def test_copies_out_of_reason_are_refused(copies: int) -> None:
    with pytest.raises(Invalid, match="1 to 100 copies") as refused:
        sheet.copied([TEA], copies)
    assert refused.value.problems[0].rule == "label.copies"


def test_only_the_chosen_fields_are_printed() -> None:
    out = BytesIO()
    write_sheet(out, [TEA], fields=frozenset({Field.LOT, Field.SERIAL}))
    text = page_text(out.getvalue())

    assert "L2611" in text
    assert "4K7QW" in "".join(text.split())
    assert not any(part in text for part in ("武夷山", "Wuyi", "2028", "t.example.cn"))


def test_a_label_too_small_for_all_fields_says_so_and_the_usual_ones_fit() -> None:
    small = LAYOUTS["a4-5x13"]

    with pytest.raises(Invalid, match="choose fewer") as refused:
        write_sheet(BytesIO(), [TEA], small)
    assert refused.value.problems[0].rule == "label.fields"
    assert usual_fields(small) == {Field.NAME, Field.LOT, Field.EXPIRY, Field.SERIAL}
    assert usual_fields(A4_3X8) == EVERYTHING


def test_a_signed_code_on_a_low_label_is_refused_with_needed_and_available_millimetres() -> None:
    low = LAYOUTS["letter-3x10"]
    room = room_for(signed(TEA).uri, low)

    with pytest.raises(Invalid, match=f"needs {room.needed:.1f} mm .* has {room.available:.1f} mm"):
        write_sheet(BytesIO(), [signed(TEA)], low)


class TestReadback:
    @pytest.fixture
    def items(self) -> list[Label]:
        return [signed(label) if n % 3 == 0 else label for n, label in enumerate(labels(30))]

    @pytest.fixture
    def path(self, tmp_path: Path, items: list[Label]) -> Path:
        path = tmp_path / "labels.pdf"
        path.write_bytes(written(items, start=5))
        return path

    def test_a_whole_sheet_reads_back(self, path: Path, items: list[Label]) -> None:
        told: list[tuple[int, int]] = []

        read = verify_sheet(path, [item.uri for item in items], A4_3X8, 5, lambda page, done: told.append((page, done)))
        assert read == 30
        assert told == [(1, 19), (2, 30)]

    def test_every_symbol_that_verifies_is_also_read_by_the_second_reader(
        self, path: Path, items: list[Label], read_with_zbar: Reader
    ) -> None:
        images = [page_image(path.read_bytes(), page) for page in (0, 1)]
        places = [divmod(place, 24) for place in range(5, 35)]

        assert [read_with_zbar(cell(images[page], position)) for page, position in places] == [
            [item.uri] for item in items
        ]

    @pytest.mark.parametrize(
        ("place", "row_and_column"), [(0, (1, 2, 3)), (18, (1, 8, 3)), (19, (2, 1, 1)), (29, (2, 4, 2))]
    )
    def test_a_label_that_is_not_the_expected_one_is_named(
        self, path: Path, items: list[Label], place: int, row_and_column: tuple[int, int, int]
    ) -> None:
        expected = [item.uri for item in items]
        expected[place] = TEA.uri

        with pytest.raises(Unreadable, match="page {}, row {}, column {}".format(*row_and_column)) as found:
            verify_sheet(path, expected, A4_3X8, 5)
        assert (found.value.page, found.value.row, found.value.column) == row_and_column

    def test_two_labels_that_changed_places_are_found(self, path: Path, items: list[Label]) -> None:
        expected = [item.uri for item in items]
        expected[7], expected[8] = expected[8], expected[7]

        with pytest.raises(Unreadable, match="page 1, row 5, column 1"):
            verify_sheet(path, expected, A4_3X8, 5)

    def test_a_sheet_that_begins_at_another_place_is_found(self, path: Path, items: list[Label]) -> None:
        with pytest.raises(Unreadable, match="page 1, row 2, column 2"):
            verify_sheet(path, [item.uri for item in items], A4_3X8, 4)

    @pytest.mark.parametrize(("count", "page"), [(29, "page 2, row 4, column 2"), (31, "page 2, row 4, column 3")])
    def test_a_label_too_many_or_too_few_is_found(self, path: Path, items: list[Label], count: int, page: str) -> None:
        expected = [item.uri for item in items] + [TEA.uri]

        with pytest.raises(Unreadable, match=page):
            verify_sheet(path, expected[:count], A4_3X8, 5)

    def test_a_missing_page_is_found(self, path: Path, items: list[Label]) -> None:
        expected = [item.uri for item in items] + [TEA.uri] * 20

        with pikepdf.open(path, allow_overwriting_input=True) as document:
            del document.pages[1]
            document.save(path)
        with pytest.raises(Unreadable, match="page 2, row 1, column 1"):
            verify_sheet(path, expected, A4_3X8, 5)

    def test_a_page_too_many_is_found(self, path: Path, items: list[Label]) -> None:
        with pikepdf.open(path, allow_overwriting_input=True) as document:
            document.pages.append(document.pages[0])
            document.save(path)
        with pytest.raises(Unreadable, match="page 3"):
            verify_sheet(path, [item.uri for item in items], A4_3X8, 5)

    def test_a_page_of_another_size_is_found(self, path: Path, items: list[Label]) -> None:
        with pytest.raises(Unreadable, match="page 1"):
            verify_sheet(path, [item.uri for item in items], replace(A4_3X8, page_height=279.4), 5)

    def test_a_damaged_symbol_is_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = bulk.bitmaps

        def damaged(texts: Iterable[str]) -> Iterator[bulk.Bitmap]:
            for symbol in whole(texts):
                yield replace(symbol, data=bytes(10 * symbol.row_bytes) + symbol.data[10 * symbol.row_bytes :])

        monkeypatch.setattr(bulk, "bitmaps", damaged)
        path = tmp_path / "labels.pdf"
        path.write_bytes(written([TEA]))

        with pytest.raises(Unreadable, match="page 1, row 1, column 1"):
            verify_sheet(path, [TEA.uri], A4_3X8)

    def test_a_file_cut_short_is_found(self, path: Path, items: list[Label]) -> None:
        path.write_bytes(path.read_bytes()[:200])

        with pytest.raises(Unreadable, match="page 1, row 1, column 1"):
            verify_sheet(path, [item.uri for item in items], A4_3X8, 5)
