"""A shell to type commands into, as a person would."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from sqlalchemy import create_engine, inspect, text

from lotseal.trace import settings
from lotseal.web.cli import main

SCRIPT = Path(sys.executable).with_name("lotseal")
GTIN, LOT, LICENCE = "09521321000018", "DHP261012A", "91999999MADEM0011Y"
BATCH = (
    "--gtin", GTIN, "--lot", LOT, "--place", "武夷山", "--country", "CN", "--producer", "武夷",
    "--produced-on", "2026-10-12", "--expires-on", "2046-10-11", "--quantity", "1590",
)  # fmt: skip
REPORT = (
    "--gtin", GTIN, "--lot", LOT, "--number", "YX-1", "--laboratory", "闽检", "--accreditation", "CMA 1",
    "--sample", "Tea", "--issued-on", "2026-10-21", "--conclusion", "pass",
)  # fmt: skip
LINE = ("--line", "铅||≤ 5.0|0.9|mg/kg")


def environment(data: Path, **more: str) -> dict[str, str]:
    """What a person would have set, and nothing of this machine's own settings."""
    return {
        "LOTSEAL_DATA": str(data),
        "LOTSEAL_MODE": "development",
        "LOTSEAL_PUBLIC_URL": "https://t.example.cn",
        "LOTSEAL_KEY_PASSPHRASE": "correct horse battery",
        **more,
    }


@dataclass
class Shell:
    """Runs commands in this process on the folder `data`."""

    data: Path
    more: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, [*words], env=_only(environment(self.data, **self.more)), input=stdin)

    def ok(self, *words: str, stdin: str | None = None) -> Any:
        """The JSON document of a command that must succeed."""
        result = self.run(*words, "--json", stdin=stdin)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def said(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *words: str, code: int = 1, stdin: str | None = None) -> list[dict[str, Any]]:
        """The problems of a command that must be refused; each also stands on stderr with its rule."""
        result = self.run(*words, "--json", stdin=stdin)
        assert result.exit_code == code, result.output
        problems: list[dict[str, Any]] = json.loads(result.stdout)["problems"]
        for problem in problems:
            assert f"{problem['message']} ({problem['rule']})" in result.stderr
        return problems

    def rows(self) -> dict[str, list[Any]]:
        """Every row of the main store."""
        engine = create_engine(f"sqlite:///{self.data / 'lotseal.db'}")
        with engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            found = {
                name: [tuple(row) for row in connection.execute(text(f'SELECT * FROM "{name}"'))] for name in tables
            }
        engine.dispose()
        return found


def _only(wanted: Mapping[str, str]) -> dict[str, str | None]:
    """The runner adds to the environment, so what is not wanted is taken out."""
    ours = [name for name in os.environ if name.removesuffix("_FILE") in settings.names()]
    return {**dict.fromkeys(ours), **wanted}
