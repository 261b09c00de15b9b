"""Habits of the source: imports follow the arrows, files say what they are, exceptions to a rule give their reason."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

REASON = re.compile(r"#\s*(?:noqa|type:\s*ignore)")
# A code in brackets or after a colon, then a reason in words.
GOOD = re.compile(
    r"#\s*(?:noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*|type: ignore\[[a-z-]+(?:, ?[a-z-]+)*\])\s+(?:#|-)\s+\S+.*\w{2}"
)
ELSEWHERE = re.compile(r"(?:src|href|url|import|fetch)\s*[=(]\s*[\"']?(?:https?:)?//[^\s\"')]+")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


@pytest.fixture(scope="module")
def sources(checkout: Path, tree: list[str]) -> dict[str, str]:
    """Every Python file of the tree."""
    return {name: (checkout / name).read_text() for name in tree if name.endswith(".py")}


def test_imports_follow_the_arrows(checkout: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=checkout, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_file_begins_with_what_it_is(sources: dict[str, str]) -> None:
    """Empty files and tests, whose names are sentences, need none."""
    told = {
        name: text for name, text in sources.items() if text and not Path(name).name.startswith(("test_", "conftest"))
    }
    mute = [name for name, text in told.items() if not ast.get_docstring(ast.parse(text))]
    assert mute == []


def test_every_module_reads_its_annotations_late(sources: dict[str, str]) -> None:
    late = "from __future__ import annotations"
    code = {name: text for name, text in sources.items() if re.search(r"^(?:def|class) ", text, re.MULTILINE)}
    code = {name: text for name, text in code.items() if "/versions/" not in name}
    assert [name for name, text in code.items() if late not in text] == []


def test_each_exception_to_a_rule_names_the_rule_and_the_reason(sources: dict[str, str]) -> None:
    bare = []
    for name, text in sources.items():
        for number, line in enumerate(text.splitlines(), start=1):
            if REASON.search(line) and not GOOD.search(line) and "re.compile" not in line:
                bare.append(f"{name}:{number}: {line.strip()}")
    assert bare == []


def test_nothing_is_left_for_later(sources: dict[str, str]) -> None:
    assert [name for name, text in sources.items() if UNFINISHED.search(text)] == []


def test_inside_the_package_imports_are_relative(sources: dict[str, str]) -> None:
    inside = {name: text for name, text in sources.items() if name.startswith(("signing/", "trace/", "web/"))}
    absolute = [
        f"{name}:{node.lineno}"
        for name, text in inside.items()
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.ImportFrom) and node.level == 0 and str(node.module).startswith("lotseal"))
        or (isinstance(node, ast.Import) and any(alias.name.startswith("lotseal") for alias in node.names))
    ]
    # alembic loads migrations by path, outside of any package.
    assert [place for place in absolute if not place.startswith("trace/db/migrations/")] == []


def test_only_the_clock_asks_the_time_and_only_the_settings_read_the_environment(sources: dict[str, str]) -> None:
    guilty = []
    for name, text in sources.items():
        if not name.startswith(("signing/", "trace/")):
            continue
        asks = re.search(r"datetime\.now\(|date\.today\(|time\.time\(|utcnow\(", text)
        if asks and name != "trace/clock.py":
            guilty.append(f"{name}: {asks.group()}")
        if re.search(r"os\.environ|getenv", text) and name != "trace/settings.py":
            guilty.append(f"{name}: environment")
    assert guilty == []


def test_no_page_names_another_host(checkout: Path, tree: list[str]) -> None:
    """Style sheets, scripts and templates load nothing from elsewhere."""
    guilty = []
    for name in tree:
        if name.startswith(("static/css", "static/js", "web/templates")):
            found = re.findall(
                r"(?:src|href|url|import|fetch)\s*[=(]\s*[\"']?(?:https?:)?//[^\s\"')]+", (checkout / name).read_text()
            )
            guilty += [f"{name}: {place}" for place in found]
    assert guilty == []


def test_no_file_tells_of_the_place_where_it_was_written(checkout: Path, tree: list[str]) -> None:
    places = ["/wo" + "rk/", "sha" + "red/design", "/tm" + "p/zh", "/root" + "/"]
    guilty = []
    for name in tree:
        data = (checkout / name).read_bytes()
        guilty += [f"{name}: {place}" for place in places if place.encode() in data]
    assert guilty == []
