"""The command line: thin twins of what the pages do, for the operator of a data folder."""

from __future__ import annotations

import logging

import click

from ... import __version__
from .accounts import account
from .batches import batch
from .certificates import certificate
from .codes import codes
from .context import Guarded, remember_debug

from .doctor import doctor
from .keys import key
from .labels import labels
from .products import category, product
from .serve import serve, worker
from .setup import init, migrate
from .suppliers import supplier

COMMANDS: tuple[click.Command, ...] = (
    init, migrate, doctor, serve, worker,
    account, supplier, category, product, batch, certificate, codes, labels, key,
)  # fmt: skip


@click.group(cls=Guarded, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="lotseal")
@click.option(
    "--debug", is_flag=True, expose_value=False, callback=remember_debug, help="Show where a fault comes from."
)
def main() -> None:
    """Lotseal (溯印): traceability with signed QR codes.

    The data folder is LOTSEAL_DATA. Exit codes: 0 done, 1 refused by a rule, 2 wrong usage, 3 not available just now,
    4 doctor or «migrate --check» found something, 130 stopped with Ctrl-C.
    """
    # A fault of a job is told by the command itself; its traceback is not for the terminal.
    logging.getLogger("lotseal").addHandler(logging.NullHandler())


for command in COMMANDS:
    main.add_command(command)
