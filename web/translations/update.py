"""Collect every sentence, bring the Chinese catalogue up to date and compile it: `make messages`.

Fails when a sentence has no Chinese yet, and says which. The compiled file is kept in the repository, so that neither
an installation nor the program needs this step; a test compares it with its source.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
PO = HERE / "zh" / "LC_MESSAGES" / "messages.po"
MO = PO.with_suffix(".mo")

KEYWORDS = {"_": None, "gettext": None, "_l": None, "say": None, "ngettext": (1, 2), "_n": (1, 2)}
METHODS = [
    ("signing/**.py", "python"),
    ("trace/**.py", "python"),
    ("web/**.py", "python"),
    ("web/templates/**.html", "jinja2"),
]

HAN = "\u4e00-\u9fff"
FULL_WIDTH = dict(zip(",:;!?", "，：；！？", strict=True))
# Beside Chinese words or a gap; a colon of a web address, an identifier or «!» as a mark of its own is none of these.
HALF_WIDTH = re.compile(
    rf"(?<=[{HAN}）”」》])[,:;!?] ?|(?<=\)[sd])(?:[,;!?] ?|: )(?=[{HAN}%])|(?:[,;?]|(?<![A-Za-z]):) ?(?=[{HAN}（“「《])"
)
BRACKETS = re.compile(r" ?(?<!%)\(((?:[^()]|%\(\w+\)[sd])*)\) ?")


def full_width(text: str) -> str:
    """Chinese words with the punctuation of GB/T 15834: full width, and brackets around Chinese words too. Latin words,
    numbers and web addresses keep theirs."""
    if not re.search(f"[{HAN}]", text):
        return text
    text = BRACKETS.sub(lambda found: f"（{found[1]}）" if re.search(f"[{HAN}]", found[1]) else found[0], text)
    return HALF_WIDTH.sub(lambda mark: FULL_WIDTH[mark[0].strip()], text)


def extracted() -> Catalog:
    """Every sentence of today's tree, without places: those would change the file with every edit."""
    catalog = Catalog(project="lotseal", charset="utf-8")
    for top in ("signing", "trace", "web"):
        methods = [(pattern.removeprefix(f"{top}/"), method) for pattern, method in METHODS if pattern.startswith(top)]
        found = extract_from_dir(
            CHECKOUT / top,
            method_map=methods,
            options_map={"**.html": {"trimmed": "true", "silent": "false"}},
            keywords=KEYWORDS,
        )
        for _file, _line, message, comments, context in found:
            catalog.add(message, None, auto_comments=comments, context=context)
    return catalog


def updated() -> Catalog:
    """The Chinese catalogue with today's sentences; what is no longer used is dropped."""
    with PO.open("rb") as file:
        catalog = read_po(file, locale="zh")
    begun = catalog.creation_date
    catalog.update(extracted(), no_fuzzy_matching=True)
    # Else the file would change with every run.
    catalog.creation_date = begun
    catalog.obsolete.clear()
    for message in catalog:
        if message.id and message.string:
            message.string = _punctuated(message.string)
    return catalog


def _punctuated(string: str | tuple[str, ...] | list[str]) -> str | tuple[str, ...]:
    return full_width(string) if isinstance(string, str) else tuple(full_width(form) for form in string)


def untranslated(catalog: Catalog) -> list[str]:
    missing = []
    for message in catalog:
        strings = message.string if isinstance(message.string, tuple | list) else [message.string]
        if message.id and (message.fuzzy or not all(strings)):
            missing.append(str(message.id))
    return missing


def save(catalog: Catalog) -> None:
    with PO.open("wb") as file:
        write_po(file, catalog, width=120, sort_output=True, omit_header=False, no_location=True)
    with MO.open("wb") as file:
        write_mo(file, catalog)


def main() -> int:
    catalog = updated()
    save(catalog)
    missing = untranslated(catalog)
    for sentence in missing:
        print(f"no Chinese yet: {sentence}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
