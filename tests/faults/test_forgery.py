"""Codes that nobody issued are never taken for genuine ones."""

from __future__ import annotations

from collections import Counter

from fault_forgery import Forger

from lotseal.trace.system import System

COUNT = 20_000


def test_no_changed_exchanged_or_guessed_code_is_accepted(sqlite_system: System) -> None:
    forger = Forger(sqlite_system, seed=20)
    controls = forger.controls()
    assert {name.rpartition(": ")[2] for name in controls if "made after" not in name} == {"ours"}
    assert {name.rpartition(": ")[2] for name in controls if "made after" in name} == {"forged"}
    passed = []
    changed: Counter[str] = Counter()
    for origin, claim, change in forger.forgeries(COUNT):
        changed[change] += 1
        if door := forger.accepted(origin, claim):
            passed.append((door, origin, claim))
    assert passed == []
    assert min(changed.values()) > COUNT / 100
