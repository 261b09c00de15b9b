"""A store that stops and comes back costs only the time in which it was away."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_restart import Postgres, Restarts
from fault_service import service
from shells import Shell


# The shared server of the tests is not touched; but its starter must be imported with the settings of that fixture.
@pytest.mark.usefixtures("postgres")
def test_a_stop_of_postgresql_costs_no_acknowledged_act_and_the_service_goes_on(tmp_path: Path) -> None:
    server, data = Postgres(tmp_path / "pg"), tmp_path / "data"
    try:
        more = {"DATABASE_URL": server.uri}
        Shell(data, more).ok("init")
        with service(data, **more) as served:
            restarts = Restarts(served, data, server, seed=1)
            restarts.restart()
            figures = restarts.finish()
    finally:
        server.close()
    assert figures["acknowledged"] > 0
    assert figures["answered with 503"] + figures["without an answer"] > 0, "somebody noticed"
