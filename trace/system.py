"""A running Lotseal: the stores, the keys and the workers that belong to one data folder."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..signing.checkpoint import Checkpoint, sign_checkpoint
from ..signing.keys import Role as KeyRole
from ..signing.tlog_policy import Policy
from ..signing.vkeys import Algorithm, VerifierKey
from . import tables
from .certificates import signatures
from .credentials import service as credentials
from .credentials.issuer import Issuer
from .db import engines, migrate
from .db.engines import Database
from .evidence import service as evidence
from .files.models import StoredFile
from .files.storage import LocalStorage
from .files.sweeping import Sweeper
from .items import service as items
from .jobs.models import JobKind
from .jobs.service import Handler, Worker
from .keys import hsm
from .keys import service as keys
from .keys.ring import KeyRing
from .keys.verifiers import log_keys
from .labels import service as labels
from .labels.models import LabelSheet
from .log.models import LogHead
from .log.sealing import Sign
from .log.sequencer import Sequencer
from .log.shelf import Shelf
from .log.witnesses import load_policy
from .outside import service as outside
from .outside.service import Authority, Rounds
from .passport.service import Desk
from .products.models import Product
from .scans.recorder import Recorder
from .settings import Settings

NAMING_FILES = (StoredFile.sha256, Product.picture, Product.picture_original, LabelSheet.sha256)
"""Columns that name a stored file; its page images stand in `StoredFile.page_images`."""


@dataclass(frozen=True)
class System:
    """Opened once per process; threads share it."""

    settings: Settings
    main: Database
    scans: Database
    ring: KeyRing
    storage: LocalStorage
    recorder: Recorder

    @property
    def databases(self) -> dict[str, Database]:
        return {"main": self.main, "scans": self.scans}

    @property
    def desk(self) -> Desk:
        return Desk(self.main, self.scans, self.recorder, self.ring, self.settings.public_url, self.settings.zone)

    @property
    def issuer(self) -> Issuer:
        return Issuer(self.settings.public_url, self.settings.zone)

    def worker(self) -> Worker:
        """A job worker with every feature's handler."""
        return Worker(self.main, self.handlers())

    def handlers(self) -> dict[JobKind, Handler]:
        """Who does which kind of job."""
        return {
            JobKind.ISSUE_CODES: lambda claimed: items.issue(claimed, self.ring),
            JobKind.PRINT_LABELS: lambda claimed: labels.make(claimed, self.storage),
            JobKind.STAMP_CHECKPOINT: lambda claimed: outside.stamp(claimed, self.authorities()),
            JobKind.CHECK_SIGNATURES: lambda claimed: signatures.check(claimed, self.storage),
            JobKind.CREDENTIALS: lambda claimed: credentials.reconcile(claimed, self.ring, self.issuer),
        }

    def sweeper(self) -> Sweeper:
        """Takes away stored files that no row names."""
        return Sweeper(self.storage, self.named_files)

    def named_files(self) -> set[str]:
        """The SHA-256 of every stored file that a row names; see the test that every such column is here."""
        found: set[str] = set()
        with self.main.read() as session:
            for column in NAMING_FILES:
                found.update(name for name in session.scalars(select(column)) if name)
            for images in session.scalars(select(StoredFile.page_images)):
                found.update(image["sha256"] for image in images)
        return found

    @property
    def shelf(self) -> Shelf:
        """The published files of the log."""
        return Shelf(self.settings.log_folder)

    def sequencer(self) -> Sequencer:
        """Seals and publishes the log; any number of processes may run one."""
        return Sequencer(self.main, self.shelf, self.settings.log_origin, self._log_signer)

    def log_policy(self, session: Session) -> str:
        """A tlog-policy with the log's keys but the revoked ones, and the witnesses that the operator asks."""
        origin = session.scalar(select(LogHead.origin)) or self.settings.log_origin
        address = f"{self.settings.public_url}/log/"
        lines = [f"log {key} {address}\n" for key in log_keys(session, origin)]
        chosen = self.witness_policy()
        return "".join(lines) + (bytes(replace(chosen, logs=())).decode() if chosen else "quorum none\n")

    def witness_policy(self) -> Policy | None:
        """The witnesses that the operator asks, None without any. Raises `Unavailable` for a file that is none."""
        return load_policy(self.settings.data / self.settings.witnesses) if self.settings.witnesses else None

    def authorities(self) -> tuple[Authority, ...]:
        """The time-stamp authorities; none while their addresses or their roots are not set."""
        roots = self.settings.tsa_roots
        return tuple(Authority(url, Path(roots)) for url in self.settings.tsa_urls) if roots else ()

    def rounds(self) -> Rounds:
        """Asks witnesses and orders stamps, beside a sequencer."""
        policy = self.witness_policy()
        return Rounds(self.main, self.shelf, policy.witnesses if policy else (), self.authorities())

    def evidence(self, session: Session) -> evidence.Source:
        """What evidence bundles are collected from, as one transaction sees it."""
        return evidence.Source(session, self.storage, self.shelf, self.log_policy(session))

    def _log_signer(self, session: Session, _at: datetime) -> Sign:
        key = self.ring.log_key(keys.pair_to_sign(session, KeyRole.LOG).kid)

        def sign(checkpoint: Checkpoint) -> str:
            verifier = VerifierKey(checkpoint.origin, Algorithm.ED25519, key.public.raw)
            return bytes(sign_checkpoint(checkpoint, verifier, key.sign)).decode()

        return sign

    def migrate(self) -> None:
        """Bring both stores to today's schema."""
        for store, database in self.databases.items():
            migrate.upgrade(store, database)

    def secret_key(self) -> str:
        """Signs cookies and form tokens: the setting, or a file in the data folder that is made once."""
        if given := self.settings.secret_key.get_secret_value():
            return given
        return _kept_secret(self.settings.data / "secret_key")

    def close(self) -> None:
        self.main.dispose()
        self.scans.dispose()


def open_system(settings: Settings) -> System:
    """Open what the settings name. Makes the data folder (0700) when it is not there; does not migrate."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    scans = engines.open_scans(settings)
    return System(
        settings=settings,
        main=engines.open_main(settings),
        scans=scans,
        ring=KeyRing(settings.keys_folder, settings.key_passphrase.get_secret_value(), _token(settings)),
        storage=LocalStorage(settings.files_folder),
        recorder=Recorder(scans),
    )


def _token(settings: Settings) -> hsm.Access:
    return hsm.Access(settings.pkcs11_library, settings.pkcs11_token, settings.pkcs11_pin.get_secret_value())


def _kept_secret(path: Path) -> str:
    if not path.exists():
        # Written aside and linked whole, so that another process that starts now never reads half of it.
        aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was faster
            os.link(aside, path)
        aside.unlink()
    return path.read_text(encoding="ascii")


assert tables.METADATA
