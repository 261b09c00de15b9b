"""Keys, their files and their token."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from ....signing.keys import Role
from ....trace.errors import LotsealError, say
from ....trace.keys import root, service
from ....trace.keys.models import Home, SigningKey
from ....trace.system import System
from .check import Check, Level, bad, ok, warn


def keys(system: System) -> Iterator[Check]:
    with system.main.read() as session:
        history = service.all_of(session)
        missing = service.missing(session)
        endorsed = root.covers(system.settings.keys_folder, service.history(session))
    if not history:
        yield bad("key.none", say("There is no signing key yet. Run «lotseal init» in this data folder."))
    elif missing:
        roles = ", ".join(sorted({role.value for role, _pair in missing}))
        yield bad(
            "key.missing-role", say("There is no key for: %(roles)s. Run «lotseal key add-missing».", roles=roles)
        )
    if endorsed is False:
        yield warn(
            "key.endorsement",
            say("The key history changed since the root endorsed it. Run «lotseal key root endorse» with the root."),
        )
    folder = system.settings.keys_folder
    if folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield bad("key.folder", say("Other users may read the key folder. Run chmod 700 %(path)s.", path=folder))
    for key in history:
        if key.home == Home.PKCS11:
            yield _on_token(system, key)
        elif key.home == Home.FILE:
            yield _in_file(system, key)


def _on_token(system: System, key: SigningKey) -> Check:
    if key.retired_at is not None:
        return ok(
            "key.token", say("The key %(kid)s (%(role)s) on the token signs no more.", kid=key.kid, role=key.role)
        )
    try:
        system.ring.signer(key).sign_jws(b"e30.e30")
    except LotsealError as error:
        return bad(error.problems[0].rule, error.problems[0].message)
    return ok("key.token", say("The key %(kid)s (%(role)s) on the token signs.", kid=key.kid, role=key.role))


def _in_file(system: System, key: SigningKey) -> Check:
    name = f"{key.kid}.{'pem' if key.public_jwk else 'secret'}"
    try:
        if key.public_jwk is None:
            system.ring.secret(key.kid)
        elif key.role == Role.LOG:
            system.ring.log_key(key.kid)
        else:
            system.ring.pair(key.kid)
    except LotsealError as error:
        # The demo keeps an old key away on purpose, so that «cannot be checked right now» can be seen.
        away = system.settings.mode == "demo" and key.retired_at is not None
        return Check(error.problems[0].rule, Level.WARNING if away else Level.BAD, error.problems[0].message)
    if stat.S_IMODE((system.settings.keys_folder / name).stat().st_mode) != 0o600:
        return warn("key.mode", say("The key file %(name)s should have mode 0600. Run chmod 600 on it.", name=name))
    return ok("key", say("The key file %(name)s (%(role)s) is there, 0600, and opens.", name=name, role=key.role))
