"""The command line: thin twins of what the pages do, for the operator of a data folder."""

from __future__ import annotations

import logging

import click

from ... import __version__
from . import (
    accounts,
    backup,
    batches,
    certificates,
    code,
    codes,
    credentials,
    demo,
    doctor,
    evidence,
    keys,
    labels,
    labs,
    links,
    log,
    products,
    serve,
    setup,
    suppliers,
    witness,
)
from .context import Guarded, remember_debug

COMMANDS: tuple[click.Command, ...] = (
    setup.init,
    setup.migrate,
    doctor.doctor,
    backup.backup,
    demo.demo,
    serve.serve,
    serve.worker,
    accounts.account,
    suppliers.supplier,
    labs.laboratory,
    products.category,
    products.product,
    batches.batch,
    certificates.certificate,
    credentials.credential,
    codes.codes,
    labels.labels,
    links.link,
    keys.key,
    code.code,
    log.log,
    evidence.bundle,
    evidence.verify,
    witness.witness,
)


@click.group(cls=Guarded, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="lotseal")
@click.option(
    "--debug", is_flag=True, expose_value=False, callback=remember_debug, help="Show where a fault comes from."
)
def main() -> None:
    """Lotseal (溯印): traceability with signed QR codes.

    The data folder is LOTSEAL_DATA. Exit codes: 0 done, 1 refused by a rule, 2 wrong usage, 3 not available just now
    (or «certificate inspect» refuses the file), 4 doctor, «migrate --check» or «backup» found something, 70 a fault of
    Lotseal itself, 130 stopped with Ctrl-C.
    """
    # A fault of a job is told by the command itself; its traceback is not for the terminal.
    logging.getLogger("lotseal").addHandler(logging.NullHandler())


for command in COMMANDS:
    main.add_command(command)
