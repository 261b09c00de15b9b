"""A bundle that was changed on its way is found, and one that was not is found sound."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from fault_tamper import Case, OfTheService, Tamperer, of_the_ledger, outcome
from makers import settings_of
from shells import Shell
from stamps import Authority

from lotseal.trace.system import open_system

LEDGERS, OURS, CHANGES = 80, 4, 25
SEED = 47


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    folder, luck = tmp_path_factory.mktemp("tampering"), random.Random(SEED)
    authority = Authority(tmp_path_factory.mktemp("authority"))
    made = [of_the_ledger(luck, authority) for _ in range(LEDGERS)]
    shell = Shell(folder / "data")
    shell.ok("init")
    system = open_system(settings_of(shell.data))
    ours = OfTheService(system, luck)
    made += [ours.case() for _ in range(OURS)]
    system.close()
    return made


def test_every_story_that_nobody_changed_is_sound(cases: list[Case]) -> None:
    alarms = [(case.story, report.refused) for case in cases if (report := case.check()).exit != 0]
    assert alarms == []
    assert len({case.story for case in cases}) > len(cases) / 2


def test_every_change_is_found_but_in_what_nothing_signs(cases: list[Case]) -> None:
    tamperer, came, kinds = Tamperer(random.Random(SEED)), Counter[str](), Counter[str]()
    for number, case in enumerate(cases):
        clean = case.check()
        for made in tamperer.changes(case, cases[number - 1], CHANGES):
            came[outcome(case, clean, made)] += 1
            kinds[made.kind] += made.repaired
    assert came["found"] > 10 * came["free"] > 0
    assert min(kinds[kind] for kind in kinds if kind != "any byte") > 10
