"""A service that is killed at any moment loses nothing that it acknowledged, and its log never forks."""

from __future__ import annotations

import os
import signal

import pytest
from fault_kills import Kills
from fault_service import ask, service, until
from fault_uploads import UploadKills

from lotseal.trace.system import System

ROUNDS = 15
UPLOAD_ROUNDS = 3
LONGEST_S = 0.8
"""A third of the kills waits for a publication; the others need no longer moment than this."""


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_acknowledged_is_lost_and_the_log_never_forks(sqlite_system: System, seed: int) -> None:
    data = sqlite_system.settings.data
    sqlite_system.close()
    with service(data) as served:
        kills = Kills(served, data, seed=seed)
        kills.longest = LONGEST_S
        for _ in range(ROUNDS):
            kills.round()
        figures = kills.finish()
    assert figures["rounds"] == ROUNDS
    assert figures["acknowledged"] > ROUNDS
    assert figures["checkpoints"] > ROUNDS / 2


def test_uploads_and_codes_survive_kills_whole_and_leave_nothing_over(sqlite_system: System) -> None:
    data = sqlite_system.settings.data
    sqlite_system.close()
    with service(data) as served:
        kills = UploadKills(served, data, seed=3)
        for _ in range(UPLOAD_ROUNDS):
            kills.round()
        figures = kills.finish()
    assert figures["runs"]
    assert figures["missing"] == 0


def test_a_killed_parent_takes_its_web_process_along(sqlite_system: System) -> None:
    """Else it would answer on and hold the port, and the service could not be started again."""
    data = sqlite_system.settings.data
    sqlite_system.close()
    with service(data, real=True) as served:
        served.start()
        processes = served.processes()
        assert len(processes) > 1
        os.kill(min(processes), signal.SIGKILL)
        until(lambda: not served.processes(), "the end of the web process")
        served.kill()
        served.start()
        assert ask(served.port, "/log/policy")[0] == 200
