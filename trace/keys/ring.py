"""All private halves: encrypted files of the key folder, opened once and kept in memory, and keys on a token."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

from ...signing.ed25519 import Ed25519Key
from ...signing.errors import SigningError
from ...signing.keys import PrivateKey, PublicKey, Role, Signer
from ...signing.secret import MacSecret
from ..errors import Message, Problem, Unavailable, say
from . import hsm
from .models import Home, SigningKey

NO_TOKEN: Final = hsm.Access()


class _Named(Protocol):
    @property
    def kid(self) -> str: ...


K = TypeVar("K", bound=_Named)


class KeyRing:
    """Opens keys by key id. `<kid>.pem` is an encrypted key pair, `<kid>.secret` a sealed tag secret, both 0600; keys
    on a token are reached through `token`. Everything raises `Unavailable` when a file is missing, readable by others
    or does not open, without a passphrase, or when the token does not answer."""

    def __init__(self, folder: Path, passphrase: str, token: hsm.Access = NO_TOKEN) -> None:
        self._folder = folder
        self._passphrase = passphrase.encode()
        self._token = token
        self._pairs: dict[str, PrivateKey] = {}
        self._log_keys: dict[str, Ed25519Key] = {}
        self._secrets: dict[str, MacSecret] = {}
        self._opening = threading.Lock()

    def new_pair(self) -> PrivateKey:
        """Make an ES256 key pair and write it."""
        pair = PrivateKey.generate()
        self._write(f"{pair.kid}.pem", pair.to_pem(self._need_passphrase()))
        return pair

    def new_log_key(self) -> Ed25519Key:
        """Make an Ed25519 key pair and write it."""
        key = Ed25519Key.generate()
        self._write(f"{key.kid}.pem", key.to_pem(self._need_passphrase()))
        return key

    def new_secret(self) -> MacSecret:
        """Make a tag secret and write it."""
        secret = MacSecret.generate()
        self._write(f"{secret.kid}.secret", secret.seal(self._need_passphrase(), Role.ITEM))
        return secret

    def new_on_token(self, role: Role) -> hsm.TokenKey:
        """Make an ES256 key pair on the token."""
        return hsm.make(self._token, f"lotseal {role}")

    def adopted(self, number: int) -> hsm.TokenKey:
        """The key pair that is on the token already under this id."""
        return hsm.adopt(self._token, number)

    def signer(self, key: SigningKey) -> Signer:
        """Whoever signs ES256 with this key, wherever it lives."""
        if key.home == Home.PKCS11:
            return hsm.TokenKey(self._token, key.token_uri or "", PublicKey.from_jwk(key.public_jwk or {}))
        return self.pair(key.kid)

    def pair(self, kid: str) -> PrivateKey:
        """An ES256 key pair that lives in a file."""
        return self._opened(self._pairs, kid, "pem", PrivateKey.from_pem)

    def log_key(self, kid: str) -> Ed25519Key:
        """An Ed25519 key pair."""
        return self._opened(self._log_keys, kid, "pem", Ed25519Key.from_pem)

    def secret(self, kid: str) -> MacSecret:
        """The secret behind the tags."""
        return self._opened(self._secrets, kid, "secret", MacSecret.unseal)

    def refuse_readable(self) -> None:
        """Raises `Unavailable` when others may read a key file: a service with such keys must not start."""
        for path in sorted(self._folder.glob("*.pem")) + sorted(self._folder.glob("*.secret")):
            _refuse_mode(path.name, path.stat().st_mode)

    def _opened(self, kept: dict[str, K], kid: str, suffix: str, open_: Callable[[bytes, bytes], K]) -> K:
        # Most look-ups end here: a dictionary read needs no lock.
        if found := kept.get(kid):
            return found
        # Opening costs a deliberately slow key derivation, so it happens once a process, under a lock.
        with self._opening:
            if kid not in kept:
                sealed = self._read(f"{kid}.{suffix}")
                try:
                    key = open_(sealed, self._need_passphrase())
                except SigningError as error:
                    raise _locked(kid) from error
                # A file under a wrong name would sign codes that nobody can check.
                if key.kid != kid:
                    raise _locked(kid)
                kept[kid] = key
            return kept[kid]

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
            mode = path.stat().st_mode
            data = path.read_bytes()
        except OSError as error:
            raise _unavailable(
                "key.missing", say("The key file %(name)s cannot be read. Put it back from a backup.", name=name)
            ) from error
        _refuse_mode(name, mode)
        return data


def _refuse_mode(name: str, mode: int) -> None:
    if stat.S_IMODE(mode) & 0o077:
        raise _unavailable(
            "key.mode", say("Other users may read the key file %(name)s. Run chmod 600 on it.", name=name)
        )


def _locked(kid: str) -> Unavailable:
    return _unavailable(
        "key.locked", say("The key %(kid)s does not open: the passphrase is wrong or its file was changed.", kid=kid)
    )


def _unavailable(rule: str, message: Message) -> Unavailable:
    return Unavailable(Problem(None, rule, message))
