"""The house itself under test: the tree, its packages, its words, its manual."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def tree() -> list[str]:
    """Every file that is or would be under version control, as paths from the checkout."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(asked, cwd=CHECKOUT, capture_output=True, check=True).stdout.decode().split("\0")
    return sorted({name for name in listed if name and (CHECKOUT / name).is_file()})
