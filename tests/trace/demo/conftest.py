from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from lotseal.trace import demo, settings
from lotseal.trace.demo import DemoFacts
from lotseal.trace.system import System, open_system


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> DemoFacts:
    """One demo for all tests of this folder; they only read it."""
    return demo.build(tmp_path_factory.mktemp("demo") / "data", port=8123)


@pytest.fixture(scope="session")
def system(built: DemoFacts) -> Iterator[System]:
    """The demo opened as any other command would: with nothing but its folder."""
    with closing(open_system(settings.load({}, data=built.data))) as opened:
        yield opened
