"""Codes on photos: read by the bounded child, under the limits of a product picture."""

from __future__ import annotations

import json
import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from lotseal.trace.carriers import qr
from lotseal.trace.errors import Invalid
from lotseal.trace.files import bounds, inspect
from lotseal.trace.files.inspect import read_symbols

LINK = "https://t.example.cn/01/09521321000018/10/A1/21/23456789ACDEFGHJKMNP"


def upload(tmp_path: Path, picture: Image.Image, kind: str = "JPEG") -> Path:
    path = tmp_path / "upload"
    picture.save(path, kind)
    return path


def code(side: int) -> Image.Image:
    made = Image.open(BytesIO(qr.png(qr.make(LINK)))).convert("L")
    return made.resize((side, side))


def test_a_small_code_on_a_large_photo_is_read(tmp_path: Path) -> None:
    table = Image.new("RGB", (4_000, 3_000), (150, 140, 130))
    table.paste(code(700).rotate(20, fillcolor=255), (2_000, 1_200))
    assert read_symbols(upload(tmp_path, table)) == (f"]Q1{LINK}",)


def test_a_photo_on_its_side_and_one_without_colours_are_read(tmp_path: Path) -> None:
    table = Image.new("L", (900, 600), 255)
    table.paste(code(400), (100, 100))
    assert read_symbols(upload(tmp_path, table.transpose(Image.Transpose.ROTATE_90), "PNG")) == (f"]Q1{LINK}",)
    assert read_symbols(upload(tmp_path, table.convert("1"), "PNG")) == (f"]Q1{LINK}",)
    assert read_symbols(upload(tmp_path, table, "WEBP")) == (f"]Q1{LINK}",)


def test_noise_is_answered_in_time(tmp_path: Path) -> None:
    noise = Image.frombytes("L", (2_400, 2_400), os.urandom(2_400 * 2_400))
    assert read_symbols(upload(tmp_path, noise, "PNG")) == ()


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "file.empty"),
        (b"%PDF-1.7\n", "file.type-photo"),
        (b"\xff\xd8\xff broken", "file.damaged"),
        (b"hello", "file.type"),
    ],
)
def test_what_is_no_photo_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    (tmp_path / "upload").write_bytes(content)
    with pytest.raises(Invalid) as caught:
        read_symbols(tmp_path / "upload")
    assert caught.value.problems[0].rule == rule


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        read_symbols(upload(tmp_path, Image.new("1", (8_000, 8_000)), "PNG"))
    assert caught.value.problems[0].rule == "file.pixels"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"symbols": 1},
        {"symbols": [1]},
        {"symbols": [""]},
        {"symbols": ["x"] * (bounds.MAX_SYMBOLS + 1)},
        {"symbols": ["x" * (bounds.MAX_SYMBOL_CHARACTERS + 1)]},
    ],
)
def test_a_child_that_was_taken_over_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object]
) -> None:
    script = tmp_path / "child"
    script.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{json.dumps(answer)}'\n")
    script.chmod(0o700)
    monkeypatch.setattr(inspect, "child_command", lambda: [str(script)])
    with pytest.raises(Invalid) as caught:
        read_symbols(upload(tmp_path, code(400)))
    assert caught.value.problems[0].rule == "file.too-complex"
