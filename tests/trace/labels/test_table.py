from __future__ import annotations

import csv
from dataclasses import replace
from io import BytesIO, StringIO

import pytest

from lotseal.trace.labels.compose import Label, Language
from lotseal.trace.labels.table import write_csv

TEA = Label(
    "HTTPS://T.EXAMPLE.CN/01/09521321000018/21/4K7Q", "大红袍, “特级”", 'Tea "A"', "L2611", "2028-10-31", "4K7Q", "t.cn"
)


def written(items: list[Label], language: Language = "zh", *, bom: bool = True, guarded: bool = True) -> bytes:
    out = BytesIO()
    assert write_csv(out, items, language, bom=bom, guarded=guarded) == len(items)
    assert not out.closed
    return out.getvalue()


def rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(data.decode("utf-8-sig"), newline="")))


def test_each_label_is_one_line_and_reads_back() -> None:
    found = rows(written([TEA, replace(TEA, lot="L2612")]))

    assert found[1] == ["1", TEA.uri, "4K7Q", "大红袍, “特级”", 'Tea "A"', "L2611", "2028-10-31", "t.cn"]
    assert (found[2][0], found[2][5]) == ("2", "L2612")


@pytest.mark.parametrize(("language", "words"), [("zh", ["二维码内容", "批号"]), ("en", ["Code text", "Lot"])])
def test_the_header_is_in_the_chosen_language(language: Language, words: list[str]) -> None:
    header, line = rows(written([TEA], language))

    assert set(words) <= set(header)
    assert len(header) == len(line)


def test_the_mark_of_utf_8_and_line_ends_are_as_chosen() -> None:
    assert written([TEA]).startswith(b"\xef\xbb\xbf")
    assert written([TEA], bom=False).startswith("序号".encode())
    assert written([TEA]).count(b"\r\n") == 2


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("field", ["name_zh", "name_en", "lot", "expiry", "serial", "footer"])
def test_no_cell_is_a_formula_to_a_spreadsheet(field: str, sign: str) -> None:
    value = f'{sign}HYPERLINK("http://x")'
    line = rows(written([replace(TEA, **{field: value})]))[1]

    assert f"'{value}" in line
    assert not any(cell.startswith(sign) for cell in line)
    assert value in rows(written([replace(TEA, **{field: value})], guarded=False))[1]


def test_no_labels_give_a_header_alone() -> None:
    assert len(rows(written([]))) == 1
