"""`lotseal doctor`: look at everything that a running service rests on, and say what to do."""

from __future__ import annotations

import os
import platform
import random
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version

import click
from cryptography.hazmat.backends.openssl import backend as openssl
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from ... import __version__
from ...signing.keys import Role
from ...trace import settings
from ...trace.db import engines, migrate
from ...trace.db.engines import Database
from ...trace.errors import LotsealError, Message, say
from ...trace.files.models import StoredFile
from ...trace.jobs.models import Job, JobState
from ...trace.keys import root
from ...trace.keys import service as keys
from ...trace.keys.models import Home, SigningKey
from ...trace.products.models import Product
from ...trace.settings import Settings
from ...trace.system import System
from .context import FOUND, done, json_option, opened, translated

FREE_BYTES = 1 << 30
SAMPLE = 20
LIBRARIES = (
    "cryptography",
    "sqlalchemy",
    "alembic",
    "argon2-cffi",
    "pikepdf",
    "pypdfium2",
    "pillow",
    "zxing-cpp",
    "granian",
)


class Level(StrEnum):
    """How a line ends; only `bad` makes the command exit with 4."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True)
class Check:
    """One line. `name` is a permanent word; the sentence of a line that is not ok says what to do."""

    name: str
    level: Level
    sentence: Message


def _ok(name: str, sentence: Message) -> Check:
    return Check(name, Level.OK, sentence)


def _warn(name: str, sentence: Message) -> Check:
    return Check(name, Level.WARNING, sentence)


def _bad(name: str, sentence: Message) -> Check:
    return Check(name, Level.BAD, sentence)


@click.command()
@json_option
def doctor() -> None:
    """Check versions, guards, migrations, keys, disk, files and settings. Exits with 4 when a line is bad."""
    chosen = settings.load()
    checks = [*_versions(), *_settings(chosen)]
    with opened(chosen) as system:
        for examine in (_stores, _keys, _disk, _files, _jobs):
            checks += _examined(examine, system)
    bad = any(check.level is Level.BAD for check in checks)
    marks = {
        Level.OK: say("✓ ok       %(sentence)s"),
        Level.WARNING: say("! warning  %(sentence)s"),
        Level.BAD: say("✗ bad      %(sentence)s"),
    }
    found = [{"check": c.name, "level": c.level.value, "sentence": translated(c.sentence)} for c in checks]
    done(
        {"ok": not bad, "data": str(chosen.data), "checks": found},
        *(Message(marks[check.level].text, {"sentence": check.sentence}) for check in checks),
    )
    if bad:
        click.get_current_context().exit(FOUND)


def _examined(examine: Callable[[System], Iterator[Check]], system: System) -> Iterator[Check]:
    """A part that cannot even be looked at is a bad line, and the other parts are still looked at."""
    name = examine.__name__.removeprefix("_")
    try:
        yield from examine(system)
    except LotsealError as error:
        yield from (_bad(problem.rule, problem.message) for problem in error.problems)
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        yield _bad(
            name, say("This could not be looked at: %(reason)s. Run «lotseal migrate», then look again.", reason=reason)
        )


# --- versions and settings --------------------------------------------------------------------------------------------


def _versions() -> Iterator[Check]:
    yield _ok(
        "version.lotseal",
        say("Lotseal %(version)s on Python %(python)s", version=__version__, python=platform.python_version()),
    )
    found = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield _ok("version.libraries", say("%(found)s; %(openssl)s", found=found, openssl=openssl.openssl_version_text()))


def _settings(chosen: Settings) -> Iterator[Check]:
    refusals = settings.refusals(chosen)
    yield from (_bad("settings.unsafe", sentence) for sentence in refusals)
    if not chosen.public_url and not refusals:
        yield _bad(
            "settings.public-url",
            say("Set LOTSEAL_PUBLIC_URL to scheme and host of the printed codes, such as https://t.example.cn."),
        )
    elif not refusals:
        yield _ok("settings", say("The settings are fine for mode «%(mode)s».", mode=chosen.mode))
    if chosen.data.is_dir() and chosen.mode != "production" and stat.S_IMODE(chosen.data.stat().st_mode) & 0o077:
        yield _warn(
            "settings.folder",
            say("Run chmod 700 %(path)s: other users may read the data folder now.", path=chosen.data),
        )


# --- stores -----------------------------------------------------------------------------------------------------------

_WANTED = {
    "reader.query_only": "1",
    "reader.wal_autocheckpoint": "0",
    "writer.journal_mode": "wal",
    "writer.synchronous": "2",
    "writer.foreign_keys": "1",
    "writer.lock": "held",
}


def _stores(system: System) -> Iterator[Check]:
    for name, database in system.databases.items():
        yield from _guards(name, database)
        now, head = migrate.current(name, database), migrate.head(name)
        if now == head:
            yield _ok(f"migrations.{name}", say("Store %(name)s is at schema %(head)s.", name=name, head=head))
        else:
            yield _bad(
                f"migrations.{name}",
                say(
                    "Store %(name)s is at schema %(now)s, not at %(head)s. Run «lotseal migrate».",
                    name=name,
                    now=now or "–",
                    head=head,
                ),
            )


def _guards(name: str, database: Database) -> Iterator[Check]:
    facts = engines.guards(database)
    if found := facts.get("server_version"):
        yield _ok(f"version.{name}", say("Store %(name)s: PostgreSQL %(version)s", name=name, version=found))
        return
    for guard, wanted in _WANTED.items():
        value = facts.get(guard, "–")
        if value == wanted:
            yield _ok(
                f"guard.{name}.{guard}",
                say("Store %(name)s: %(guard)s = %(value)s", name=name, guard=guard, value=value),
            )
        else:
            yield _bad(
                f"guard.{name}.{guard}",
                say(
                    "Store %(name)s: %(guard)s is %(value)s and must be %(wanted)s. "
                    "Put the data folder on a local disk.",
                    name=name,
                    guard=guard,
                    value=value,
                    wanted=wanted,
                ),
            )
    yield wal_reset(name, facts["sqlite_version"], lock=facts.get("writer.lock") == "held")


def wal_reset(name: str, found: str, *, lock: bool) -> Check:
    """SQLite 3.7.0 to 3.51.2 can lose a commit while it resets the WAL, but for the repaired 3.44.6 and 3.50.7."""
    release = tuple(int(part) for part in found.split(".")[:3])
    repaired = release >= (3, 51, 3) or (3, 50, 7) <= release < (3, 51) or (3, 44, 6) <= release < (3, 45)
    word = f"version.{name}"
    if repaired:
        return _ok(word, say("Store %(name)s: SQLite %(version)s", name=name, version=found))
    if lock:
        return _ok(
            word,
            say(
                "Store %(name)s: SQLite %(version)s has the WAL-reset bug; the writer lock is held: fine.",
                name=name,
                version=found,
            ),
        )
    return _bad(
        word,
        say(
            "Store %(name)s: SQLite %(version)s has the WAL-reset bug and the writer lock is not held. "
            "Take SQLite 3.51.3 or newer.",
            name=name,
            version=found,
        ),
    )


# --- keys -------------------------------------------------------------------------------------------------------------


def _keys(system: System) -> Iterator[Check]:
    with system.main.read() as session:
        history = keys.all_of(session)
        missing = keys.missing(session)
        endorsed = root.covers(system.settings.keys_folder, keys.history(session))
    if not history:
        yield _bad("key.none", say("There is no signing key yet. Run «lotseal init» in this data folder."))
    elif missing:
        roles = ", ".join(sorted({role.value for role, _pair in missing}))
        yield _bad(
            "key.missing-role", say("There is no key for: %(roles)s. Run «lotseal key add-missing».", roles=roles)
        )
    if endorsed is False:
        yield _warn(
            "key.endorsement",
            say("The key history changed since the root endorsed it. Run «lotseal key root endorse» with the root."),
        )
    folder = system.settings.keys_folder
    if folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield _bad("key.folder", say("Other users may read the key folder. Run chmod 700 %(path)s.", path=folder))
    for key in history:
        if key.home == Home.PKCS11:
            yield _on_token(system, key)
        elif key.home == Home.FILE:
            yield _in_file(system, key)


def _on_token(system: System, key: SigningKey) -> Check:
    if key.retired_at is not None:
        return _ok(
            "key.token", say("The key %(kid)s (%(role)s) on the token signs no more.", kid=key.kid, role=key.role)
        )
    try:
        system.ring.signer(key).sign_jws(b"e30.e30")
    except LotsealError as error:
        return _bad(error.problems[0].rule, error.problems[0].message)
    return _ok("key.token", say("The key %(kid)s (%(role)s) on the token signs.", kid=key.kid, role=key.role))


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
        return _warn("key.mode", say("The key file %(name)s should have mode 0600. Run chmod 600 on it.", name=name))
    return _ok("key", say("The key file %(name)s (%(role)s) is there, 0600, and opens.", name=name, role=key.role))


# --- disk, files, jobs ------------------------------------------------------------------------------------------------


def _disk(system: System) -> Iterator[Check]:
    folder = system.settings.data
    free = shutil.disk_usage(folder).free
    gib = f"{free / FREE_BYTES:.1f}"
    if free >= FREE_BYTES:
        yield _ok("disk.free", say("%(gib)s GiB are free in %(path)s.", gib=gib, path=folder))
    else:
        yield _bad(
            "disk.free",
            say("Only %(gib)s GiB are free in %(path)s. Make room for at least 1 GiB.", gib=gib, path=folder),
        )
    try:
        descriptor, path = tempfile.mkstemp(prefix=".doctor-", dir=folder)
        os.close(descriptor)
        os.unlink(path)
    except OSError:
        yield _bad("disk.writable", say("%(path)s cannot be written to. Give this user the right to.", path=folder))
    else:
        yield _ok("disk.writable", say("%(path)s can be written to.", path=folder))


def _files(system: System) -> Iterator[Check]:
    with system.main.read() as session:
        names = list(session.scalars(select(StoredFile.sha256)))
        names += session.scalars(select(Product.picture_original).where(Product.picture_original.is_not(None)))
    sample = random.sample(names, min(SAMPLE, len(names)))
    for name in sample:
        try:
            system.storage.verify(name)
        except LotsealError:
            yield _bad(
                "files.changed",
                say("The stored file %(name)s is missing or was changed. Restore it from a backup.", name=name),
            )
            return
    yield _ok(
        "files",
        say(
            "%(sample)d of %(count)d stored files were read and are as they were put.",
            sample=len(sample),
            count=len(names),
        ),
    )


def _jobs(system: System) -> Iterator[Check]:
    with system.main.read() as session:
        dead = session.scalar(select(func.count()).where(Job.state == JobState.DEAD)) or 0
    if dead:
        yield _warn("jobs.dead", say("%(count)d jobs gave up. Look at their runs and order them again.", count=dead))
    else:
        yield _ok("jobs", say("No job has given up."))
