"""Typed settings from the environment; the only module that reads it.

Every setting `NAME` can also be given as `NAME_FILE`, the path of a file that holds the value. The data folder may hold
a file `lotseal.env` with `NAME=value` lines for what the environment does not say; relative `NAME_FILE` paths in it are
meant from the data folder. That is how every command works on a demo with `LOTSEAL_DATA` alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from ..signing.errors import Malformed
from ..signing.item import canonical_item_uri
from .errors import Invalid, Message, Problem, say

ENV_FILE = "lotseal.env"
MOST_AUTHORITIES = 4
"""Time-stamp authorities: one job asks them one after the other, and none may hold up its lease."""


class Settings(BaseModel):
    """Everything that can be set; each field's alias is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=False)

    data: Path = Field(Path("lotseal-data"), alias="LOTSEAL_DATA", description="the data folder")
    mode: Literal["production", "development", "demo"] = Field(
        "production", alias="LOTSEAL_MODE", description="production refuses unsafe settings"
    )
    database_url: str = Field("", alias="DATABASE_URL", description="PostgreSQL; empty: SQLite in the data folder")
    public_url: str = Field(
        "", alias="LOTSEAL_PUBLIC_URL", description="scheme and host of the printed codes, e.g. https://t.example.cn"
    )
    key_passphrase: SecretStr = Field(
        SecretStr(""), alias="LOTSEAL_KEY_PASSPHRASE", description="opens the signing keys"
    )
    pkcs11_library: str = Field(
        "", alias="LOTSEAL_PKCS11_LIBRARY", description="path of the PKCS#11 library, for keys on a token"
    )
    pkcs11_token: str = Field("", alias="LOTSEAL_PKCS11_TOKEN", description="label of the token")
    pkcs11_pin: SecretStr = Field(SecretStr(""), alias="LOTSEAL_PKCS11_PIN", description="the token's user PIN")
    root_passphrase: SecretStr = Field(
        SecretStr(""), alias="LOTSEAL_ROOT_PASSPHRASE", description="opens the file of the off-line root; empty: asked"
    )
    witnesses: str = Field(
        "",
        alias="LOTSEAL_WITNESSES",
        description="path of a tlog-policy file with the addresses of our witnesses, meant from the data folder",
    )
    tsa_url: str = Field(
        "", alias="LOTSEAL_TSA_URL", description="addresses of time-stamp authorities (RFC 3161), blanks between them"
    )
    tsa_roots: str = Field(
        "", alias="LOTSEAL_TSA_ROOTS", description="path of a PEM file with the root certificates of the authorities"
    )
    witness_passphrase: SecretStr = Field(
        SecretStr(""), alias="LOTSEAL_WITNESS_PASSPHRASE", description="opens the key of `lotseal witness`"
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        alias="LOTSEAL_SECRET_KEY",
        description="signs cookies and form tokens; empty: a file in the data folder",
    )
    timezone: str = Field(
        "Asia/Shanghai", alias="LOTSEAL_TIMEZONE", description="zone of times on pages before the browser's own"
    )
    trusted_proxies: int = Field(
        0, alias="LOTSEAL_TRUSTED_PROXIES", ge=0, le=5, description="reverse proxies whose X-Forwarded headers count"
    )
    rate_limit_storage: str = Field(
        "memory://", alias="LOTSEAL_RATE_LIMIT_STORAGE", description="memory:// for one process, redis:// for more"
    )
    processes: int = Field(1, alias="LOTSEAL_PROCESSES", ge=1, le=64, description="web processes that you start")
    threads: int = Field(8, alias="LOTSEAL_THREADS", ge=1, le=256, description="threads of one web process")

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        try:
            return value.expanduser().absolute()
        except RuntimeError:
            raise ValueError("the home folder of this user is not known; give a full path") from None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("not a known time zone; take a name such as Asia/Shanghai or Europe/Oslo")
        return value

    @field_validator("public_url")
    @classmethod
    def _only_scheme_and_host(cls, value: str) -> str:
        value = value.rstrip("/")
        try:
            # Exactly what can stand in a code: the same rule, so that no order fails later.
            if value:
                canonical_item_uri(value, "0" * 14, None, "0")
        except Malformed:
            raise ValueError("give scheme and host only, such as https://t.example.cn") from None
        return value

    @field_validator("tsa_url")
    @classmethod
    def _of_different_authorities(cls, value: str) -> str:
        hosts = [urlsplit(url).netloc.lower() for url in value.split()]
        if len(hosts) > MOST_AUTHORITIES:
            raise ValueError(f"give at most {MOST_AUTHORITIES} addresses")
        # A stamp is kept under the host's name, and two of one host would be one voice that counts twice.
        if len(set(hosts)) != len(hosts):
            raise ValueError("give addresses of different hosts, blanks between them")
        return value

    @property
    def tsa_urls(self) -> tuple[str, ...]:
        return tuple(self.tsa_url.split())

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def public_host(self) -> str:
        return urlsplit(self.public_url).netloc

    @property
    def sqlite(self) -> bool:
        return not self.database_url

    @property
    def keys_folder(self) -> Path:
        return self.data / "keys"

    @property
    def files_folder(self) -> Path:
        return self.data / "files"

    @property
    def log_folder(self) -> Path:
        return self.data / "log"

    @property
    def log_origin(self) -> str:
        """What the log is called in its checkpoints: where it is served, without a scheme."""
        return f"{self.public_host}/log"


def names() -> dict[str, str]:
    """Every setting's name and what it is for; the manual is tested against it."""
    return {str(field.alias): str(field.description) for field in Settings.model_fields.values()}


def load(environ: Mapping[str, str] | None = None, *, data: Path | None = None) -> Settings:
    """Settings from the environment, then from the data folder's `lotseal.env`, then the defaults.

    Raises `Invalid` with a problem per setting that is wrong.
    """
    outside = dict(os.environ if environ is None else environ)
    if data is not None:
        outside["LOTSEAL_DATA"] = str(data)
    values = _with_files(outside, base=Path.cwd())
    try:
        folder = Settings.model_validate({name: values[name] for name in ("LOTSEAL_DATA",) if name in values}).data
        inside = _with_files(_inside(folder), base=folder)
        if inside.get("LOTSEAL_MODE") == "demo":
            # A demo keeps to its own folder; a DATABASE_URL that happens to be set is meant for something real.
            values.pop("DATABASE_URL", None)
        return Settings.model_validate(inside | values)
    except ValidationError as error:
        raise Invalid(
            *(
                Problem(str(detail["loc"][0]), "setting.invalid", say("Set it anew: %(reason)s", reason=detail["msg"]))
                for detail in error.errors()
            )
        ) from None


def _inside(folder: Path) -> dict[str, str]:
    """What the data folder's own file says, word for word: a passphrase may hold `$`."""
    path = folder / ENV_FILE
    try:
        found = dotenv_values(path, interpolate=False)
    except (OSError, ValueError):
        raise Invalid(
            Problem(
                ENV_FILE,
                "setting.file",
                say(
                    "The file %(path)s cannot be read. Give the path of a text file that this user may read.", path=path
                ),
            )
        ) from None
    return {name: value for name, value in found.items() if value is not None}


def _with_files(environ: Mapping[str, str], base: Path) -> dict[str, str]:
    """The settings in `environ`, with `NAME_FILE` read from its file where `NAME` itself is not given."""
    values = {}
    for name in names():
        if name in environ:
            values[name] = environ[name]
        elif path := environ.get(f"{name}_FILE"):
            values[name] = _read_secret(name, base / path)
    return values


def _read_secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise Invalid(
            Problem(
                f"{name}_FILE",
                "setting.file",
                say(
                    "The file %(path)s cannot be read. Give the path of a text file that this user may read.", path=path
                ),
            )
        ) from None


PASSPHRASE = "LOTSEAL_KEY_PASSPHRASE"  # noqa: S105 - the name of a setting


def inside(folder: Path) -> set[str]:
    """The settings that the data folder's own file gives, word for word or as a path. Raises `Invalid`."""
    given = _inside(folder)
    return {name for name in names() if name in given or f"{name}_FILE" in given}


def lend(name: str, value: str) -> None:
    """Set a variable of this process, for a library that takes a setting in no other way."""
    os.environ[name] = value


MIN_PASSPHRASE = 12


def refusals(settings: Settings) -> list[Message]:
    """Why these settings are unsafe for production, each with what to set; empty when they are fine or it is no
    production."""
    if settings.mode != "production":
        return []
    found = []
    parts = urlsplit(settings.public_url)
    if parts.scheme != "https" or parts.hostname in ("localhost", "127.0.0.1", "::1", None):
        found.append(
            say("Set LOTSEAL_PUBLIC_URL to the https address of the printed codes, such as https://t.example.cn.")
        )
    if len(settings.key_passphrase.get_secret_value()) < MIN_PASSPHRASE:
        found.append(
            say(
                "Set LOTSEAL_KEY_PASSPHRASE (or LOTSEAL_KEY_PASSPHRASE_FILE) to at least %(count)d characters: "
                "it protects the signing keys.",
                count=MIN_PASSPHRASE,
            )
        )
    secret = settings.secret_key.get_secret_value()
    if secret and len(secret) < 32:
        found.append(say("Set LOTSEAL_SECRET_KEY to at least 32 random characters, or leave it out."))
    if settings.processes > 1 and settings.rate_limit_storage.startswith("memory"):
        found.append(
            say(
                "Set LOTSEAL_RATE_LIMIT_STORAGE to a redis:// address: with several processes memory:// counts too low."
            )
        )
    if settings.processes > 1 and settings.sqlite:
        found.append(say("Set DATABASE_URL to a PostgreSQL database before you start several processes."))
    if settings.data.exists() and stat.S_IMODE(settings.data.stat().st_mode) & 0o077:
        found.append(say("Run chmod 700 %(path)s: other users may read the data folder now.", path=settings.data))
    return found
