"""What both stores' `env.py` do: run the scripts inside the writer's transaction."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from alembic import context

from ..engines import Database


def run(config: Any) -> None:
    database: Database = config.attributes["database"]
    with database.lock.held() if database.lock else nullcontext(), database.write_engine.begin() as connection:
        context.configure(
            connection=connection,
            target_metadata=config.attributes.get("metadata"),
            version_table=config.attributes["version_table"],
            render_as_batch=True,
            compare_type=False,
        )
        context.run_migrations()
