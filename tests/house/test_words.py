"""Words: every sentence has its Chinese, gaps agree, and nothing promises more than the record holds."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

GAP = re.compile(r"%\((\w+)\)([sd])|%%")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
STAY = ("SHA-256", "GTIN", "kg", "ml", "KB", "MB", "Lotseal", "Python")
LEFT_OUT = ("of", "by", "on")
"""Small words that a sign stands for in Chinese."""
NEVER = (
    "正品", "100 %", "100%", "百分之百", "绝对", "权威认证", "保真", "假一赔", "区块链", "最安全", "放心购买",
    "guaranteed", "genuine", "authentic", "blockchain", "tamper-proof", "unforgeable", "perfectly",
)  # fmt: skip
SAFE = re.compile(r"\bsafe\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def update(checkout: Path) -> ModuleType:
    """The tool behind `make messages`."""
    spec = importlib.util.spec_from_file_location("update", checkout / "web" / "translations" / "update.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def chinese(update: ModuleType) -> Catalog:
    with update.PO.open("rb") as file:
        return read_po(file, locale="zh")


def strings(message: Message) -> tuple[list[str], list[str]]:
    """English and Chinese forms of a sentence; plurals have several."""
    english = [message.id] if isinstance(message.id, str) else list(message.id)
    translated = [message.string] if isinstance(message.string, str) else list(message.string)
    return english, translated


def sentences(catalog: Catalog) -> Iterator[tuple[list[str], list[str]]]:
    """All that has its Chinese; what has none yet fails a test of its own."""
    for message in catalog:
        if message.id and all(strings(message)[1]):
            yield strings(message)


def test_every_sentence_has_its_chinese(update: ModuleType) -> None:
    assert update.untranslated(update.updated()) == []


def test_the_catalogue_holds_the_sentences_of_today_and_no_others(update: ModuleType, chinese: Catalog) -> None:
    today = {message.id if isinstance(message.id, str) else tuple(message.id) for message in update.extracted()}
    kept = {message.id if isinstance(message.id, str) else tuple(message.id) for message in chinese}
    assert sorted(map(str, today - kept)) == [], "run make messages"
    assert sorted(map(str, kept - today - {""})) == [], "no longer used"
    assert not chinese.obsolete
    assert not [message.id for message in chinese if message.fuzzy and message.id]


def test_the_compiled_catalogue_says_the_same(update: ModuleType, chinese: Catalog) -> None:
    compiled = read_mo(BytesIO(update.MO.read_bytes()))
    for message in chinese:
        if message.id and all(strings(message)[1]):
            # A plural is found under its first form.
            key = message.id if isinstance(message.id, str) else message.id[0]
            found = compiled.get(key) or compiled.get(message.id)
            assert found, key
            assert strings(message)[1] == strings(found)[1], key


def test_gaps_are_the_same_in_both_languages(chinese: Catalog) -> None:
    wrong = []
    for english, translated in sentences(chinese):
        asked = set(GAP.findall(english[-1]))  # of the plural: «the first one» needs no number
        given = {gap for form in translated for gap in GAP.findall(form)}
        if asked != given:
            wrong.append((english[0], translated[0]))
    assert wrong == []


def test_a_lonely_percent_sign_breaks_no_sentence(chinese: Catalog) -> None:
    """Sentences with gaps are filled with %; a sign that begins no gap has to be doubled."""
    for english, translated in sentences(chinese):
        for form in (*english, *translated):
            if GAP.search(form):
                assert "%" not in GAP.sub("", form), form


def test_chinese_sentences_are_chinese(chinese: Catalog) -> None:
    odd = [
        (english[0], form)
        for english, translated in sentences(chinese)
        for form in translated
        if not CHINESE.search(form) and not _same(english[0], form)
    ]
    assert odd == []


def _same(english: str, form: str) -> bool:
    """Signs, numbers, units, abbreviations and names stay as they are."""
    words = set(re.findall(r"[A-Za-z0-9-]{2,}", GAP.sub("", english)))
    return words <= {*re.findall(r"[A-Za-z0-9-]{2,}", GAP.sub("", form)), *LEFT_OUT} and words <= {*STAY, *LEFT_OUT}


def test_chinese_punctuation_is_full_width(update: ModuleType, chinese: Catalog) -> None:
    """GB/T 15834; `make messages` writes it so."""
    wrong = [form for _en, forms in sentences(chinese) for form in forms if update.full_width(form) != form]
    assert wrong == []


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("已保存,请核对:%(lot)s(演示)。", "已保存，请核对：%(lot)s（演示）。"),
        ("%(count)s 个,%(name)s: %(value)s;完成", "%(count)s 个，%(name)s：%(value)s；完成"),
        ("网址 https://t.example.cn:8000/?s=1,000", "网址 https://t.example.cn:8000/?s=1,000"),
        ("条码 (GTIN) 与 urn:epc:id: 相同", "条码 (GTIN) 与 urn:epc:id: 相同"),
        ("plain, English: text", "plain, English: text"),
    ],
)
def test_only_chinese_words_take_it(update: ModuleType, typed: str, printed: str) -> None:
    assert update.full_width(typed) == printed


def test_english_sentences_are_english(chinese: Catalog) -> None:
    quoted = re.compile(r"«[^»]*»|批号|溯印|中文")
    said = [form for english, _zh in sentences(chinese) for form in english]
    assert [form for form in said if CHINESE.search(quoted.sub("", form))] == []


def test_sentences_end_alike_in_both_languages(chinese: Catalog) -> None:
    wrong = []
    for english, translated in sentences(chinese):
        if (english[0][-1] == "?") != (translated[0][-1] in "?？"):
            wrong.append((english[0], translated[0]))
    assert wrong == []


@pytest.mark.parametrize("word", NEVER)
def test_no_sentence_promises_too_much(chinese: Catalog, word: str) -> None:
    said = [form for english, translated in sentences(chinese) for form in (*english, *translated)]
    assert [form for form in said if word.lower() in form.lower()] == []


def test_nothing_is_called_safe(chinese: Catalog) -> None:
    assert [form for english, _zh in sentences(chinese) for form in english if SAFE.search(form)] == []


def test_templates_and_styles_keep_the_same_promise(checkout: Path, tree: list[str]) -> None:
    guilty = []
    for name in tree:
        if name.startswith(("web/templates/", "trace/demo/")) or name in ("README.md", "docs/pages.md"):
            text = (checkout / name).read_text().lower()
            text = text.replace("100%", "") if name.endswith((".css", ".html")) else text
            guilty += [f"{name}: {word}" for word in NEVER if word.lower() in text]
    assert guilty == []
