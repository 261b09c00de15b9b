"""A loss of power costs at most what was not acknowledged, and never splits the log."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fault_wal import Story

from lotseal.trace.system import System

CUTS = 60


def test_a_damaged_write_ahead_log_gives_back_a_whole_beginning(sqlite_system: System, tmp_path: Path) -> None:
    story = Story(sqlite_system, tmp_path)
    came = Counter(story.open_damaged(*cut) for cut in story.cuts(CUTS, seed=60))
    assert sum(came.values()) == CUTS
    assert came["refused"]
    assert came["goes on"]
