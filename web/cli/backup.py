"""`lotseal backup`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ...trace import backup as backups
from ...trace import settings
from ...trace.errors import say
from .context import FOUND, done, json_option, ready


@click.command()
@json_option
@click.argument("to", type=click.Path(path_type=Path))
@click.pass_context
def backup(context: click.Context, to: Path) -> None:
    """Copy the whole data folder to a new folder, while the service runs.

    The copy is a data folder itself. Exit code 4 when files that the store names are missing or changed; the rest is
    copied then.
    """
    with ready() as system:
        copied = backups.copy(system, to)
        beside = settings.PASSPHRASE in settings.inside(system.settings.data)
    sentences = [
        say(
            "The copy in %(path)s holds %(entries)d entries of the log and %(files)d files.",
            path=to,
            entries=copied.entries + copied.waiting,
            files=copied.files,
        )
    ]
    if beside:
        sentences.append(say("It holds the passphrase beside the keys: nobody else may read it."))
    sentences += [say("Missing or changed: %(name)s", name=name) for name in copied.missing]
    done({"to": str(to.absolute()), **asdict(copied), "passphrase_inside": beside}, *sentences)
    if copied.missing:
        context.exit(FOUND)
