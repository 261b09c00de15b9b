"""`lotseal account`: who may sign in."""

from __future__ import annotations

import sys

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...trace.accounts import service
from ...trace.accounts.models import Account
from ...trace.accounts.service import OPERATOR
from ...trace.errors import Message, say
from ...trace.suppliers.models import Supplier
from . import find, shapes
from .context import done, json_option, listing, reading, writing
from .options import fields, given, search_options


@click.group()
def account() -> None:
    """Accounts of staff, suppliers and auditors."""


_from_stdin = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; otherwise one is made and printed once.",
)


def _password(from_stdin: bool) -> str:
    """Never from an option: the command lines of all processes are public on a machine."""
    if not from_stdin:
        return service.random_password()
    return sys.stdin.readline().rstrip("\r\n")


@account.command("add")
@json_option
@fields(
    login="The name to sign in with.",
    name="The person's name.",
    role="admin, quality, supplier or auditor.",
    supplier="A supplier account's supplier: reference or licence number.",
)
@_from_stdin
def add(password_stdin: bool, **raw: str | None) -> None:
    """Add an account; its password is printed once."""
    password = _password(password_stdin)
    draft = service.read_account({**given(raw), "password": password})
    with writing() as work:
        supplier = find.supplier(work.session, draft.supplier_ref) if draft.supplier_ref else None
        row = service.add(work.session, draft, supplier_id=supplier.id if supplier else None, by=OPERATOR, at=work.at)
        facts = shapes.account(row, supplier.ref if supplier else None)
    _tell(facts, None if password_stdin else password, say("Account %(login)s is added.", login=facts["login"]))


def _tell(facts: shapes.Facts, password: str | None, sentence: Message) -> None:
    """The password goes out only when it was made here."""
    if password is None:
        done(facts, sentence)
    else:
        done(
            {**facts, "password": password},
            sentence,
            say("Password, shown this once: %(password)s", password=password),
        )


@account.command("list")
@json_option
@search_options
def list_(search: str, limit: int) -> None:
    """List accounts."""
    with reading() as work:
        rows, total = find.page(work.session, service.matching(search).order_by(Account.login), limit)
        facts = [shapes.account(row, _supplier_ref(work.session, row)) for row in rows]
    listing("accounts", facts, ("login", "name", "role", "supplier", "active"), total=total)


def _supplier_ref(session: Session, row: Account) -> str | None:
    return session.scalar(select(Supplier.ref).where(Supplier.id == row.supplier_id)) if row.supplier_id else None


@account.command("password")
@json_option
@click.argument("login")
@_from_stdin
def password(login: str, password_stdin: bool) -> None:
    """Give an account a new password and end its sessions."""
    new = _password(password_stdin)
    with writing() as work:
        row = find.account(work.session, login)
        service.set_password(work.session, row, new, by=OPERATOR, at=work.at)
        facts = shapes.account(row, _supplier_ref(work.session, row))
    sentence = say("%(login)s has a new password; its sessions are ended.", login=facts["login"])
    _tell(facts, None if password_stdin else new, sentence)


@account.command("block")
@json_option
@click.argument("login")
def block(login: str) -> None:
    """Block an account and end its sessions."""
    _set_active(login, False)


@account.command("unblock")
@json_option
@click.argument("login")
def unblock(login: str) -> None:
    """Let a blocked account sign in again."""
    _set_active(login, True)


def _set_active(login: str, active: bool) -> None:
    with writing() as work:
        row = find.account(work.session, login)
        changed = row.active != active
        if changed:
            service.set_active(work.session, row, active, by=OPERATOR, at=work.at)
        facts = shapes.account(row, _supplier_ref(work.session, row))
    if not changed:
        done(facts, say("%(login)s was so already; nothing is changed.", login=facts["login"]))
    elif active:
        done(facts, say("%(login)s may sign in again.", login=facts["login"]))
    else:
        done(facts, say("%(login)s is blocked; its sessions are ended.", login=facts["login"]))


@account.command("sign-out")
@json_option
@click.argument("login")
def sign_out(login: str) -> None:
    """End every session of an account."""
    with writing() as work:
        row = find.account(work.session, login)
        ended = service.revoke_sessions(work.session, row, by=OPERATOR, at=work.at)
        facts = {**shapes.account(row, _supplier_ref(work.session, row)), "ended": ended}
    done(facts, say("%(count)d sessions of %(login)s are ended.", count=ended, login=facts["login"]))
