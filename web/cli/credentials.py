"""`lotseal credential`: signed records that others verify."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ...signing.errors import SigningError
from ...signing.jws import MAX_CHARACTERS
from ...trace.accounts.service import OPERATOR
from ...trace.credentials import service
from ...trace.credentials.checking import Checked, check
from ...trace.credentials.models import Credential, Kind
from ...trace.errors import conflict, invalid, say
from . import find, shapes
from .context import done, json_option, listing, reading, show, writing
from .options import search_options


@click.group()
def credential() -> None:
    """Signed records of batches and reports, which others can verify."""


@credential.command("list")
@json_option
@search_options
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), default=None, help="Only this kind.")
def list_(search: str, limit: int, kind: str | None) -> None:
    """List credentials, newest first."""
    with reading() as work:
        query = service.matching(search, kind or "").order_by(Credential.id.desc())
        rows, total = find.page(work.session, query, limit)
        facts = [shapes.credential(row) for row in rows]
    columns = ("ref", "kind", "state", "gtin", "lot", "report", "issued_at", "revoked_at", "reason")
    listing("credentials", facts, columns, total=total)


@credential.command("show")
@json_option
@click.argument("ref")
def show_(ref: str) -> None:
    """Show one with the text that was signed."""
    with reading() as work:
        row = service.get(work.session, ref)
        facts = {**shapes.credential(row), "url": work.system.issuer.credential(row.ref), "jwt": row.jwt}
    show(facts)


@credential.command("verify")
@json_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(file: Path) -> None:
    """Check the credential or status list in FILE against the keys, the record and the lists of this data folder."""
    text = _read(file)
    with reading() as work:
        try:
            found = check(work.session, text, at=work.at)
        except SigningError as error:
            raise invalid(
                "file",
                error.rule,
                say("This is no credential of this service, or it was changed: %(reason)s.", reason=error.message),
            ) from error
        _refuse(found)
        facts = _facts(found)
    done(facts, say("Sound: the signature fits, it is on record and in force. It proves the record, not the item."))


@credential.command("renew")
@json_option
def renew() -> None:
    """Let the worker issue what is missing and revoke what must not be in force, for every batch."""
    with writing() as work:
        count = service.renew(work.session, by=OPERATOR, at=work.at)
    done({"batches": count}, say("Ordered for %(count)d batches; the worker does it now.", count=count))


def _read(file: Path) -> str:
    """One line of text. A line feed at its end is from an editor and is left out."""
    with file.open("rb") as source:
        data = source.read(MAX_CHARACTERS + 3)
    try:
        return data.decode("ascii").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise invalid("file", "jws.parts", say("The file holds no credential: it is no plain text.")) from None


def _refuse(found: Checked) -> None:
    """What stands in the way although the signature fits."""
    if not found.is_list and found.row is None:
        raise conflict(
            "credential.not-on-record",
            say("The signature fits, but this credential was never issued by this record. Do not rely on it."),
        )
    if found.revoked and found.is_list:
        raise conflict("status-list.replaced", say("A newer status list was published since. Fetch that one."))
    if found.revoked:
        raise conflict("credential.revoked", say("This credential was revoked. Do not rely on it any more."))
    if found.expired:
        raise conflict("credential.expired", say("This credential has expired: its report is no longer valid."))


def _facts(found: Checked) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "ok": True,
        "type": found.payload["type"],
        "id": found.payload.get("id"),
        "issuer": found.payload["issuer"]["id"],
        "kid": found.kid,
        "sha256": found.sha256,
        "revoked": False,
    }
    return facts if found.row is None else {**facts, "credential": shapes.credential(found.row)}
