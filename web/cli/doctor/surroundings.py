"""What the service stands on: versions, settings, disk, stored files and jobs."""

from __future__ import annotations

import os
import platform
import random
import shutil
import stat
import tempfile
from collections.abc import Iterator
from importlib.metadata import version

from cryptography.hazmat.backends.openssl import backend as openssl
from sqlalchemy import func, select

from .... import __version__
from ....trace import settings
from ....trace.errors import LotsealError, say
from ....trace.files.models import StoredFile
from ....trace.jobs.models import Job, JobState
from ....trace.products.models import Product
from ....trace.settings import Settings
from ....trace.system import System
from .check import Check, bad, ok, warn

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


def versions() -> Iterator[Check]:
    yield ok(
        "version.lotseal",
        say("Lotseal %(version)s on Python %(python)s", version=__version__, python=platform.python_version()),
    )
    found = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield ok("version.libraries", say("%(found)s; %(openssl)s", found=found, openssl=openssl.openssl_version_text()))


def chosen_settings(chosen: Settings) -> Iterator[Check]:
    refusals = settings.refusals(chosen)
    yield from (bad("settings.unsafe", sentence) for sentence in refusals)
    if not chosen.public_url and not refusals:
        yield bad(
            "settings.public-url",
            say("Set LOTSEAL_PUBLIC_URL to scheme and host of the printed codes, such as https://t.example.cn."),
        )
    elif not refusals:
        yield ok("settings", say("The settings are fine for mode «%(mode)s».", mode=chosen.mode))
    if chosen.data.is_dir() and chosen.mode != "production" and stat.S_IMODE(chosen.data.stat().st_mode) & 0o077:
        yield warn(
            "settings.folder",
            say("Run chmod 700 %(path)s: other users may read the data folder now.", path=chosen.data),
        )


def disk(system: System) -> Iterator[Check]:
    folder = system.settings.data
    free = shutil.disk_usage(folder).free
    gib = f"{free / FREE_BYTES:.1f}"
    if free >= FREE_BYTES:
        yield ok("disk.free", say("%(gib)s GiB are free in %(path)s.", gib=gib, path=folder))
    else:
        yield bad(
            "disk.free",
            say("Only %(gib)s GiB are free in %(path)s. Make room for at least 1 GiB.", gib=gib, path=folder),
        )
    try:
        descriptor, path = tempfile.mkstemp(prefix=".doctor-", dir=folder)
        os.close(descriptor)
        os.unlink(path)
    except OSError:
        yield bad("disk.writable", say("%(path)s cannot be written to. Give this user the right to.", path=folder))
    else:
        yield ok("disk.writable", say("%(path)s can be written to.", path=folder))


def files(system: System) -> Iterator[Check]:
    with system.main.read() as session:
        names = list(session.scalars(select(StoredFile.sha256)))
        names += session.scalars(select(Product.picture_original).where(Product.picture_original.is_not(None)))
    sample = random.sample(names, min(SAMPLE, len(names)))
    for name in sample:
        try:
            system.storage.verify(name)
        except LotsealError:
            yield bad(
                "files.changed",
                say("The stored file %(name)s is missing or was changed. Restore it from a backup.", name=name),
            )
            return
    yield ok(
        "files",
        say(
            "%(sample)d of %(count)d stored files were read and are as they were put.",
            sample=len(sample),
            count=len(names),
        ),
    )


def jobs(system: System) -> Iterator[Check]:
    with system.main.read() as session:
        dead = session.scalar(select(func.count()).where(Job.state == JobState.DEAD)) or 0
    if dead:
        yield warn("jobs.dead", say("%(count)d jobs gave up. Look at their runs and order them again.", count=dead))
    else:
        yield ok("jobs", say("No job has given up."))
