"""Real data folders on SQLite, copied from templates that were made by commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas
from shells import BATCH, GTIN, LICENCE, LINE, LOT, REPORT, Shell


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    """Nothing was made yet."""
    return Shell(tmp_path / "data")


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shell = Shell(tmp_path_factory.mktemp("cli") / "fresh")
    shell.ok("init")
    return shell.data


@pytest.fixture
def fresh(initialised: Path, tmp_path: Path) -> Shell:
    """Just after `lotseal init`."""
    return Shell(Path(shutil.copytree(initialised, tmp_path / "data")))


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.pdf"
    canvas = Canvas(str(path))
    canvas.drawString(100, 700, "Report YX-1, lead 0.9 mg/kg")
    canvas.save()
    return path


@pytest.fixture(scope="session")
def traded(initialised: Path, tmp_path_factory: pytest.TempPathFactory, report: Path) -> Path:
    """A released batch with ten codes of tier A and three of tier B, made by commands alone."""
    shell = Shell(Path(shutil.copytree(initialised, tmp_path_factory.mktemp("cli") / "traded")))
    shell.ok("supplier", "add", "--name-zh", "武夷", "--name-en", "Wuyi", "--country", "CN", "--licence", LICENCE)
    shell.ok("category", "add", "--code", "tea", "--name-zh", "茶", "--name-en", "Tea")
    shell.ok(
        "product", "add", "--gtin", GTIN, "--name-zh", "大红袍", "--name-en", "Rock tea",
        "--category", "tea", "--supplier", LICENCE,
    )  # fmt: skip
    shell.ok("batch", "add", *BATCH)
    shell.ok("batch", "submit", GTIN, LOT)
    shell.ok("certificate", "add", str(report), *REPORT, *LINE)
    shell.ok("certificate", "accept", "YX-1")
    shell.ok("batch", "release", GTIN, LOT)
    shell.ok("codes", "issue", GTIN, LOT, "--count", "10")
    shell.ok("codes", "issue", GTIN, LOT, "--count", "3", "--tier", "B")
    return shell.data


@pytest.fixture
def shop(traded: Path, tmp_path: Path) -> Shell:
    """A trading system: see `traded`."""
    return Shell(Path(shutil.copytree(traded, tmp_path / "data")))
