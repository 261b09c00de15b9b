"""`lotseal key`: the signing keys."""

from __future__ import annotations

import click

from ...signing.keys import Role
from ...trace.accounts.service import OPERATOR
from ...trace.errors import say
from ...trace.keys import service
from . import shapes
from .context import done, json_option, listing, reading, writing


@click.group()
def key() -> None:
    """Signing keys. Codes of a retired key stay valid."""


@key.command("list")
@json_option
def list_() -> None:
    """List all keys, also the retired ones."""
    with reading() as work:
        facts = [shapes.key(row) for row in service.all_of(work.session)]
    listing("keys", facts, ("kid", "role", "kind", "letter", "added_at", "retired_at"))


@key.command("rotate")
@json_option
@click.argument("role", type=click.Choice([role.value for role in Role]))
def rotate(role: str) -> None:
    """Retire the keys of a role and make new ones."""
    with writing() as work:
        made = [
            shapes.key(row)
            for row in service.rotate(work.session, work.system.ring, Role(role), by=OPERATOR, at=work.at)
        ]
    done(
        {"role": role, "made": made},
        say(
            "%(count)d new keys of role %(role)s sign from now on; back up the key folder.", count=len(made), role=role
        ),
    )
