"""A backup that is made while people write holds what was acknowledged before, and never passes for what was lost."""

from __future__ import annotations

from pathlib import Path

from fault_backup import Backups
from fault_service import service
from shells import Shell


def test_a_service_that_was_lost_comes_back_from_its_backup(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Shell(data).ok("init")
    with service(data) as served:
        backups = Backups(served, data, seed=1)
        backups.loop()
        backups.refuses_while_it_serves()
    assert backups.measured.rate[0] > 0
    assert backups.measured.rolled_back[0] > 0
    assert backups.measured.lost[0] > 0, "what came after the backup cannot be in it"
