"""`lotseal key`: the signing keys, and the off-line root."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from ...signing import endorsement
from ...signing.ed25519 import Ed25519Public
from ...signing.errors import SigningError
from ...signing.keys import Role
from ...signing.tlog_policy import Policy
from ...signing.vkeys import VerifierKey
from ...trace import clock, settings
from ...trace.accounts.service import OPERATOR
from ...trace.credentials import service as credentials
from ...trace.errors import Message, say
from ...trace.keys import root as roots
from ...trace.keys import service
from ...trace.keys.models import Home
from ...trace.keys.service import Place
from . import shapes
from .context import FOUND, Work, done, json_option, listing, reading, show, translated, writing

_COLUMNS = ("kid", "role", "alg", "letter", "state", "home", "added_at", "retired_at", "revoked_at")

# A key id may begin with a hyphen; it is still no option.
_ANY_KEY_ID = {"ignore_unknown_options": True, "help_option_names": ["--help"]}


@click.group()
def key() -> None:
    """Signing keys. What a retired key signed stays valid."""


@key.command("list")
@json_option
def list_() -> None:
    """List all keys, also the retired and the revoked ones."""
    with reading() as work:
        facts = [shapes.key(row) for row in service.all_of(work.session)]
    listing("keys", facts, _COLUMNS)


@key.command("history")
@json_option
def history() -> None:
    """Print the key history as it is published, in JSON with --json."""
    with reading() as work:
        found = service.history(work.session)
    listing("keys", found, ("kid", "role", "alg", "letter", "added_at", "retired_at", "revoked_at", "reason"))


@key.command("add-missing")
@json_option
def add_missing() -> None:
    """Make the keys that this data folder lacks; the others stay."""
    with writing() as work:
        made = [shapes.key(row) for row in service.add_missing(work.session, work.system.ring, by=OPERATOR, at=work.at)]
    done({"made": made}, _made(len(made)))


def _made(count: int) -> Message:
    if not count:
        return say("No key is missing; nothing is changed.")
    return say("%(count)d signing keys are made. Back up the key folder and the passphrase.", count=count)


_place = click.option(
    "--hsm/--file",
    "on_token",
    default=None,
    help="Where the new key pair lives: on the PKCS#11 token or in the key folder; else where the old one lives.",
)
_token_key = click.option(
    "--token-key",
    type=click.IntRange(0),
    default=None,
    help="Take the key with this id, which is on the token already.",
)


def _placed(on_token: bool | None, token_key: int | None) -> Place | None:
    if token_key is not None and not on_token:
        raise click.UsageError(translated(say("--token-key goes with --hsm.")))
    if on_token is None:
        return None
    return Place(Home.PKCS11 if on_token else Home.FILE, token_key)


def _of_the_log(role: str) -> list[Message]:
    """What a new key of the log asks of others; nobody outside takes it by itself."""
    if role != Role.LOG:
        return []
    return [
        say(
            "Witnesses and auditors refuse the log until they have its new key: send them the line of"
            " «lotseal log policy» another way than through this service."
        )
    ]


@key.command("rotate")
@json_option
@click.argument("role", type=click.Choice([role.value for role in service.ROLES]))
@click.option("--reason", default="", metavar="TEXT", help="Why; it is public.")
@_place
@_token_key
def rotate(role: str, reason: str, on_token: bool | None, token_key: int | None) -> None:
    """Retire the keys of a role and make new ones."""
    place = _placed(on_token, token_key)
    with writing() as work:
        made = service.rotate(
            work.session, work.system.ring, Role(role), by=OPERATOR, at=work.at, place=place, reason=reason
        )
        facts = [shapes.key(row) for row in made]
    done(
        {"role": role, "made": facts},
        say(
            "%(count)d new keys of role %(role)s sign from now on; back up the key folder.", count=len(facts), role=role
        ),
        *_of_the_log(role),
    )


@key.command("revoke", context_settings=_ANY_KEY_ID)
@json_option
@click.argument("kid")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is public.")
@_place
@_token_key
def revoke(kid: str, reason: str, on_token: bool | None, token_key: int | None) -> None:
    """Let nothing count that this key signs from now on, and replace it."""
    place = _placed(on_token, token_key)
    with writing() as work:
        row = service.to_revoke(work.session, kid)
        made = service.revoke(work.session, row, reason, work.system.ring, by=OPERATOR, at=clock.now(), place=place)
        credentials.after_revocation(work.session, row, by=OPERATOR, at=work.at)
        facts: dict[str, Any] = {**shapes.key(row), "made": [shapes.key(new) for new in made]}
    done(
        facts,
        say("The key %(kid)s is revoked: what it signs from now on does not count.", kid=kid),
        *([_made(len(made))] if made else []),
    )


# --- the root ---------------------------------------------------------------------------------------------------------


@key.group("root")
def root() -> None:
    """The root: a key kept off-line that endorses the key history."""


_root_file = click.option(
    "--root",
    "path",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The root's file.",
)


def _passphrase(chosen: settings.Settings, *, new: bool) -> str:
    given = chosen.root_passphrase.get_secret_value()
    return given or click.prompt(
        translated(say("Passphrase of the root")), hide_input=True, confirmation_prompt=new, err=True
    )


@root.command("new")
@json_option
@click.option(
    "--out", "path", required=True, type=click.Path(path_type=Path), help="A new file outside of the data folder."
)
def root_new(path: Path) -> None:
    """Make a root into an encrypted file; needs no data folder."""
    chosen = settings.load()
    made = roots.make(path, _passphrase(chosen, new=True), data=chosen.data)
    done(
        {"kid": made.kid, "jwk": made.public.to_jwk(), "file": str(path)},
        say(
            "The root %(kid)s is in %(path)s. Keep two copies off-line, apart from its passphrase.",
            kid=made.kid,
            path=path,
        ),
    )


@root.command("endorse")
@json_option
@_root_file
def root_endorse(path: Path) -> None:
    """Sign the key history with the root and keep that beside the keys."""
    chosen = settings.load()
    opened = roots.open_root(path, _passphrase(chosen, new=False), data=chosen.data)
    with writing() as work:
        service.add_root(work.session, opened.public, by=OPERATOR, at=work.at)
        found = service.history(work.session)
        document = endorsement.endorse(opened, found)
    where = roots.keep(chosen.keys_folder, document)
    done(
        {"kid": opened.kid, "keys": len(found), "file": str(where)},
        say("The root %(kid)s endorsed %(count)d keys: %(path)s.", kid=opened.kid, count=len(found), path=where),
    )


@root.command("check", context_settings=_ANY_KEY_ID)
@json_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--root", "kid", required=True, metavar="ID", help="The id of the root, as you learned it another way.")
@click.option(
    "--policy",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The policy whose log keys are looked up.",
)
@click.pass_context
def root_check(context: click.Context, file: Path, kid: str, policy: Path) -> None:
    """Look up the log keys of a policy in a key history that the root endorsed (keys/endorsement.json); needs no data
    folder. Exit code 4 when the root did not endorse it, or when a key is unknown to it or revoked."""
    try:
        endorsed = endorsement.read_endorsement(file.read_bytes())
        named = Policy.parse(policy.read_bytes()).log_keys
    except SigningError as error:
        done(
            {"confirmed": False, "rule": error.rule, "difference": error.message},
            say("NOT CONFIRMED: %(difference)s [%(rule)s]", difference=error.message, rule=error.rule),
        )
        context.exit(FOUND)
    found = [{"vkey": str(key), **_in_history(key, endorsed.history)} for key in named]
    own = endorsed.root.kid == kid
    confirmed = own and bool(found) and all(one["state"] in ("present", "retired") for one in found)
    facts = {"confirmed": confirmed, "root": endorsed.root.kid, "keys": len(endorsed.history), "log_keys": found}
    done(facts, *_of_check(own, endorsed.root.kid, found))
    if not confirmed:
        context.exit(FOUND)


def _in_history(key: VerifierKey, history: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a key history says of a log key: `state` is present, retired, revoked, or unknown."""
    kid = Ed25519Public(key.public_key).kid
    one = next((one for one in history if (one.get("role"), one.get("kid")) == (Role.LOG, kid)), {})
    state = "revoked" if one.get("revoked_at") else "retired" if one.get("retired_at") else "present"
    return {"kid": kid, "state": state if one else "unknown", **{name: one.get(name) for name in _TIMES}}


_TIMES = ("added_at", "retired_at", "revoked_at")


def _of_check(own: bool, kid: str, found: Sequence[dict[str, Any]]) -> Iterator[Message]:
    if not own:
        yield say("NOT CONFIRMED: another root signed this history: %(kid)s.", kid=kid)
    for one in found:
        match one["state"]:
            case "present":
                sentence = say("%(vkey)s: in force since %(at)s.", vkey=one["vkey"], at=one["added_at"])
            case "retired":
                sentence = say("%(vkey)s: retired at %(at)s.", vkey=one["vkey"], at=one["retired_at"])
            case "revoked":
                sentence = say(
                    "NOT CONFIRMED: %(vkey)s: revoked at %(at)s. Strike it from the policy.",
                    vkey=one["vkey"],
                    at=one["revoked_at"],
                )
            case _:
                sentence = say("NOT CONFIRMED: %(vkey)s: not in this history.", vkey=one["vkey"])
        yield sentence
    if not found:
        yield say("NOT CONFIRMED: the policy names no log key.")


@root.command("show")
@json_option
def root_show() -> None:
    """Show the root and whether it endorsed the key history as it is now."""
    with reading() as work:
        facts, sentence = _endorsed(work)
    show(facts, sentence)


def _endorsed(work: Work) -> tuple[dict[str, Any], Message]:
    folder = work.system.settings.keys_folder
    found = roots.kept(folder)
    current = roots.covers(folder, service.history(work.session))
    facts = {
        "kid": found.root.kid if found else None,
        "jwk": found.root.to_jwk() if found else None,
        "keys": len(found.history) if found else 0,
        "current": bool(current),
    }
    if found is None:
        return facts, say("No root endorsed the key history yet. See «lotseal key root new».")
    if not current:
        return facts, say(
            "The key history changed since the root endorsed it. Run «lotseal key root endorse» with the root."
        )
    return facts, say("The root endorsed the key history as it is now.")
