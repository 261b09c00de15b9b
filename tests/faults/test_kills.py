"""A service that is killed at any moment loses nothing that it acknowledged, and its log never forks."""

from __future__ import annotations

from fault_kills import Kills
from fault_service import service

from lotseal.trace.system import System

ROUNDS = 5


def test_nothing_acknowledged_is_lost_and_the_log_never_forks(sqlite_system: System) -> None:
    data = sqlite_system.settings.data
    sqlite_system.close()
    with service(data) as served:
        kills = Kills(served, data, seed=30)
        for _ in range(ROUNDS):
            kills.round()
        figures = kills.finish()
    assert figures["rounds"] == ROUNDS
    assert figures["acknowledged"] > ROUNDS
    assert figures["checkpoints"] > ROUNDS / 2
