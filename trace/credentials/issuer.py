"""Who issues: the names and addresses that stand in credentials, all made from scheme and host of the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from ...signing.errors import Malformed


@dataclass(frozen=True)
class Issuer:
    """`base` is scheme and host, such as `https://t.example.cn`; the calendar of `zone` decides when a day ends."""

    base: str
    zone: ZoneInfo

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc.lower()

    @property
    def did(self) -> str:
        """`did:web:t.example.cn`; the colon before a port is written %3A (did:web, section 3.2)."""
        return f"did:web:{self.host.replace(':', '%3A')}"

    def key_id(self, kid: str) -> str:
        """The DID URL of a key, as it stands in the header `kid` (VC-JOSE-COSE section 4.2)."""
        return f"{self.did}#{kid}"

    def credential(self, ref: str) -> str:
        return f"{self.base}/credentials/{ref}"

    def status_list(self, number: int) -> str:
        return f"{self.base}/credentials/status/{number}"

    def report(self, ref: str) -> str:
        return f"{self.base}/report/{ref}"

    def product(self, gtin: str) -> str:
        return f"{self.base}/01/{gtin}"

    def batch(self, gtin: str, lot: str) -> str:
        return f"{self.base}/01/{gtin}/10/{quote(lot, safe='')}"

    def end_of(self, day: date) -> datetime:
        """The moment at which a day is over here."""
        return datetime.combine(day + timedelta(days=1), time(), self.zone)


_STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"


def stamp(moment: datetime) -> str:
    """A dateTimeStamp as credentials have it: UTC, whole seconds, such as `2026-11-22T04:00:00Z`."""
    return moment.astimezone(UTC).strftime(_STAMP)


def read_stamp(text: object) -> datetime:
    """Read what `stamp` writes and nothing else. Raises Malformed."""
    try:
        moment = datetime.strptime(str(text), _STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise Malformed("credential.time", "not a moment in UTC with whole seconds") from error
    if stamp(moment) != text:
        raise Malformed("credential.time", "not the one spelling of a moment")
    return moment
