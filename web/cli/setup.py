"""`lotseal init` and `lotseal migrate`."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select

from ...trace import clock, settings
from ...trace.accounts import service as accounts
from ...trace.accounts.models import Account, Role
from ...trace.accounts.service import OPERATOR
from ...trace.db import migrate as migrations
from ...trace.errors import Invalid, Message, Problem, Unavailable, say
from ...trace.keys import service as keys
from ...trace.settings import Settings
from ...trace.system import System, open_system
from . import shapes
from .context import FOUND, done, json_option, opened, sealed


def refuse_unsafe(chosen: Settings) -> None:
    """Raises `Invalid` with one problem per setting that production may not have."""
    if found := settings.refusals(chosen):
        raise Invalid(*(Problem(None, "setting.unsafe", sentence) for sentence in found))


@click.command()
@json_option
@click.option(
    "--admin", default=None, metavar="LOGIN", help="Also make an administrator; the password is printed once."
)
def init(admin: str | None) -> None:
    """Make the data folder, the stores and the signing keys. Running it again changes nothing."""
    chosen = settings.load()
    refuse_unsafe(chosen)
    if not chosen.key_passphrase.get_secret_value():
        raise Unavailable(
            Problem(
                "LOTSEAL_KEY_PASSPHRASE",
                "key.no-passphrase",
                say("The signing keys are locked: set LOTSEAL_KEY_PASSPHRASE or LOTSEAL_KEY_PASSPHRASE_FILE."),
            )
        )
    password = accounts.random_password()
    draft = _admin_draft(admin, password) if admin is not None else None
    system = open_system(chosen)
    try:
        facts, sentences = _make(system, draft)
    finally:
        system.close()
    done({"data": str(chosen.data), "changed": bool(sentences), **facts}, *(sentences or [_nothing(chosen)]))


def _admin_draft(login: str, password: str) -> accounts.AccountDraft:
    return accounts.read_account({"login": login, "name": login, "role": Role.ADMIN.value, "password": password})


def _nothing(chosen: Settings) -> Message:
    return say("%(path)s is set up already; nothing is changed.", path=chosen.data)


def _make(system: System, draft: accounts.AccountDraft | None) -> tuple[dict[str, Any], list[Message]]:
    """What was made, and a sentence for each thing."""
    sentences = []
    pending = migrations.pending(system.databases)
    if pending:
        system.migrate()
        sentences.append(say("The stores in %(path)s are at today's schema.", path=system.settings.data))
    system.secret_key()
    with system.main.write() as session:
        made = [shapes.key(row) for row in keys.add_missing(session, system.ring, by=OPERATOR, at=clock.now())]
        account = None
        if draft and not session.scalar(select(Account.id).where(Account.login == draft.login)):
            row = accounts.add(session, draft, supplier_id=None, by=OPERATOR, at=clock.now())
            account = {**shapes.account(row), "password": draft.password}
    sealed(system)
    if made:
        sentences.append(
            say("%(count)d signing keys are made. Back up the key folder and the passphrase.", count=len(made))
        )
    if account:
        sentences += [
            say("Account %(login)s is added.", login=account["login"]),
            say("Password, shown this once: %(password)s", password=account["password"]),
        ]
    return {"migrated": pending, "keys": made, "admin": account}, sentences


@click.command()
@json_option
@click.option("--check", is_flag=True, help="Change nothing; exit with 4 when migrations are pending.")
def migrate(check: bool) -> None:
    """Bring both stores to this version's schema."""
    with opened() as system:
        before = {name: migrations.current(name, database) for name, database in system.databases.items()}
        pending = migrations.pending(system.databases)
        if pending and not check:
            system.migrate()
        after = {name: migrations.current(name, database) for name, database in system.databases.items()}
    document = {
        "pending": pending if check else [],
        "stores": {
            name: {"before": before[name], "now": after[name], "head": migrations.head(name)} for name in before
        },
    }
    if not pending:
        done(document, say("Both stores are at today's schema."))
    elif check:
        done(document, say("Migrations are pending for: %(stores)s. Run «lotseal migrate».", stores=", ".join(pending)))
        click.get_current_context().exit(FOUND)
    else:
        done(document, say("Migrated: %(stores)s.", stores=", ".join(pending)))
