"""The key folder: encrypted key files, opened once with the passphrase and kept in memory."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

from ...signing.errors import SigningError
from ...signing.keys import PrivateKey, Role
from ...signing.secret import MacSecret
from ..errors import Message, Problem, Unavailable, say


class KeyRing:
    """Opens keys by key id. `<kid>.pem` is an encrypted key pair, `<kid>.secret` a sealed tag secret, both 0600."""

    def __init__(self, folder: Path, passphrase: str) -> None:
        self._folder = folder
        self._passphrase = passphrase.encode()
        self._pairs: dict[str, PrivateKey] = {}
        self._secrets: dict[str, MacSecret] = {}
        self._opening = threading.Lock()

    def new_pair(self) -> PrivateKey:
        """Make a key pair and write it. Raises `Unavailable` without a passphrase."""
        pair = PrivateKey.generate()
        self._write(f"{pair.kid}.pem", pair.to_pem(self._need_passphrase()))
        return pair

    def new_secret(self) -> MacSecret:
        """Make a tag secret and write it. Raises `Unavailable` without a passphrase."""
        secret = MacSecret.generate()
        self._write(f"{secret.kid}.secret", secret.seal(self._need_passphrase(), Role.ITEM))
        return secret

    def pair(self, kid: str) -> PrivateKey:
        """Raises `Unavailable` when the file is missing, readable by others, or does not open."""
        # Opening costs a deliberately slow key derivation, so it happens once a process, under a lock.
        with self._opening:
            if kid not in self._pairs:
                sealed = self._read(f"{kid}.pem")
                try:
                    pair = PrivateKey.from_pem(sealed, self._need_passphrase())
                except SigningError as error:
                    raise _locked(kid) from error
                # A file under a wrong name would sign codes that nobody can check.
                if pair.kid != kid:
                    raise _locked(kid)
                self._pairs[kid] = pair
            return self._pairs[kid]

    def secret(self, kid: str) -> MacSecret:
        """Raises `Unavailable` when the file is missing, readable by others, or does not open."""
        # Most look-ups end here: a dictionary read needs no lock.
        if found := self._secrets.get(kid):
            return found
        with self._opening:
            if kid not in self._secrets:
                sealed = self._read(f"{kid}.secret")
                try:
                    secret = MacSecret.unseal(sealed, self._need_passphrase(), Role.ITEM)
                except SigningError as error:
                    raise _locked(kid) from error
                if secret.kid != kid:
                    raise _locked(kid)
                self._secrets[kid] = secret
            return self._secrets[kid]

    def _need_passphrase(self) -> bytes:
        if not self._passphrase:
            raise _unavailable(
                "key.no-passphrase",
                say("The signing keys are locked: set LOTSEAL_KEY_PASSPHRASE or LOTSEAL_KEY_PASSPHRASE_FILE."),
            )
        return self._passphrase

    def _write(self, name: str, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self._folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            data = path.read_bytes()
        except OSError as error:
            raise _unavailable(
                "key.missing", say("The key file %(name)s cannot be read. Put it back from a backup.", name=name)
            ) from error
        if mode & 0o077:
            raise _unavailable(
                "key.mode", say("Other users may read the key file %(name)s. Run chmod 600 on it.", name=name)
            )
        return data


def _locked(kid: str) -> Unavailable:
    return _unavailable(
        "key.locked", say("The key %(kid)s does not open: the passphrase is wrong or its file was changed.", kid=kid)
    )


def _unavailable(rule: str, message: Message) -> Unavailable:
    return Unavailable(Problem(None, rule, message))
