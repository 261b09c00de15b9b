"""The commands of the README inside a bundle, run literally by a shell."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ledger import REPORT, Ledger, a_story, repacked_with
from stamps import Authority

from lotseal.signing.canonical import sha256_hex
from lotseal.signing.verify import read_zip

README = Path(__file__).parents[2] / "static/verify/README.txt"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def story(authority: Authority) -> Ledger:
    ledger = a_story()
    ledger.others["timestamps/one.tsr"] = authority.stamp(ledger.text())
    return ledger


def commands() -> str:
    blocks = re.findall(r"^~~~\n(.*?)^~~~\n", README.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 8
    return "set -euo pipefail\n" + "\n".join(blocks)


def by_hand(bundle: bytes, authority: Authority, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "bundle.zip").write_bytes(bundle)
    (folder / "authority.pem").write_bytes(authority.root)
    (folder / "bin").mkdir()
    (folder / "bin/python3").symlink_to(sys.executable)
    path = f"{folder / 'bin'}:/usr/bin:/bin"
    command = [shutil.which("bash") or "bash", "-c", commands()]
    return subprocess.run(command, cwd=folder, env={"PATH": path}, capture_output=True, text=True, timeout=120)


def test_a_sound_bundle_passes_by_hand(story: Ledger, authority: Authority, tmp_path: Path) -> None:
    done = by_hand(story.bundle(), authority, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert said.count("Signature Verified Successfully") == 3, "the log and two witnesses"
    assert said.count("in the tree:") == len(story.envelopes)
    assert "Verified OK" in said
    assert "Verification: OK" in said


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (f"files/{sha256_hex(REPORT)}", b"other"),
        ("records/release.sig", bytes(64)),
        ("contents/0000000005.json", b"{}"),
        ("checkpoint", b"swap"),
        ("timestamps/one.tsr", b"swap"),
    ],
)
def test_a_tampered_bundle_fails_by_hand(
    story: Ledger, authority: Authority, tmp_path: Path, name: str, change: bytes
) -> None:
    members = read_zip(story.bundle())
    other = {"checkpoint": a_story().checkpoint, "timestamps/one.tsr": lambda: authority.stamp(b"other")}
    data = other[name]() if change == b"swap" else change
    done = by_hand(repacked_with(members, {name: data}), authority, tmp_path)
    assert done.returncode != 0, done.stdout


def test_the_words_are_in_both_languages_and_short() -> None:
    text = README.read_text()
    assert max(len(line) for line in text.splitlines()) <= 120
    assert re.search(r"[\u4e00-\u9fff]", text)
