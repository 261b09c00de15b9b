"""Codes that nobody issued, made from codes that somebody did: every part changed, exchanged or guessed.

Each goes through four doors. As a question about the record that its serial names. As if its maker had put a record of
his own into the store, with his address, number and lot, without having the keys. As a code without a record. And, for
codes with a signature, as an off-line reader checks it with the published keys.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import makers
from makers import AT
from sqlalchemy import select

from lotseal.signing.errors import SigningError
from lotseal.signing.item import ALPHABET, RANDOM_SIZE, canonical_item_uri, check_signature
from lotseal.signing.keys import ORDER, PublicKey, Role
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.items.models import CodeRun, Item
from lotseal.trace.items.service import link
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.models import SigningKey
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.passport.codes import Code, IssuedWith, check_issued, check_unissued
from lotseal.trace.system import System

LOT_CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-/."
MOST_CHANGES = 3


@dataclass(frozen=True)
class Claim:
    """What a code says of itself. `signature` is the value of `?s=`."""

    base: str
    gtin: str
    lot: str
    serial: str
    signature: str | None


@dataclass(frozen=True)
class Genuine:
    """An issued code and the record behind it."""

    kind: str
    claim: Claim
    made: IssuedWith


class Forger:
    """Has every genuine code in hand, and no key."""

    def __init__(self, system: System, seed: int) -> None:
        self.ring: KeyRing = system.ring
        self._random = random.Random(seed)
        self.genuine = list(_issued(system))
        with system.main.read() as session:
            rows = session.scalars(select(SigningKey).where(SigningKey.role == Role.ITEM)).all()
            self.tag_kids = [row.kid for row in rows if row.public_jwk is None and row.revoked_at is None]
            self.public = {
                str(row.letter): PublicKey.from_jwk(row.public_jwk)
                for row in rows
                if row.public_jwk and row.letter and row.revoked_at is None
            }
        # A signed code that is typed comes without its signature, and is genuine all the same.
        self._claims = {form for one in self.genuine for form in (one.claim, replace(one.claim, signature=None))}
        self._signatures = [one.claim.signature for one in self.genuine if one.claim.signature]
        self._serials = {one.claim.serial for one in self.genuine}
        self._changes: dict[str, Callable[[Claim], Claim]] = {
            "serial": self._serial,
            "random part": self._part,
            "tag": self._tag,
            "gtin": self._gtin,
            "lot": self._lot,
            "host": self._host,
            "digits": self._digits,
            "letter": self._letter,
            "other signature": self._other_signature,
            "twin signature": self._twin,
            "random signature": self._random_signature,
            "other code's part": self._spliced,
        }

    def controls(self) -> Counter[str]:
        """How the genuine codes fare, by kind: what shows that the doors open at all."""
        return Counter(f"{one.kind}: {self._recorded(one.claim, one.made)}" for one in self.genuine)

    def forgeries(self, count: int) -> Iterator[tuple[Genuine, Claim, str]]:
        """Codes that are none of the genuine ones, the code that they began as, and what was changed first."""
        names = list(self._changes)
        while count:
            origin = self._random.choice(self.genuine)
            chosen = self._random.choices(names, k=self._random.randint(1, MOST_CHANGES))
            claim = origin.claim
            for name in chosen:
                claim = self._changes[name](claim)
            if claim not in self._claims:
                count -= 1
                yield origin, claim, chosen[0]

    def accepted(self, origin: Genuine, claim: Claim) -> str | None:
        """The door that let it pass; None when all were shut."""
        # Which host serves the page is known to the service, not told by the code; so the record's own stands there.
        asked = replace(claim, base=origin.claim.base)
        of_record = asked not in self._claims and claim.serial == origin.claim.serial
        if of_record and self._recorded(asked, origin.made) is Code.OURS:
            return "its record"
        invented = replace(origin.made, base=claim.base, gtin=claim.gtin, lot=claim.lot)
        if self._recorded(claim, invented) is Code.OURS:
            return "an invented record"
        unissued = check_unissued(
            self.ring, self.tag_kids, claim.base, gtin=claim.gtin, lot=claim.lot, serial=claim.serial,
            signature=claim.signature,
        )  # fmt: skip
        # Unknown instead of forged would mean that a tag of our keys fits.
        if claim.serial not in self._serials and unissued is not Code.FORGED:
            return "no record"
        return "off-line" if self._off_line(claim) else None

    def _recorded(self, claim: Claim, made: IssuedWith) -> Code:
        return check_issued(
            self.ring, made, gtin=claim.gtin, lot=claim.lot, serial=claim.serial, signature=claim.signature
        )

    def _off_line(self, claim: Claim) -> bool:
        if claim.signature is None:
            return False
        try:
            uri = canonical_item_uri(claim.base, claim.gtin, claim.lot, claim.serial)
            check_signature(self.public, uri, claim.signature)
        except SigningError:
            return False
        return True

    # --- changes ------------------------------------------------------------------------------------------------------

    def _characters(self, text: str, alphabet: str) -> str:
        """One to three places of the text with other characters of the alphabet."""
        letters = list(text)
        for place in self._random.sample(range(len(text)), min(len(text), self._random.randint(1, 3))):
            letters[place] = self._random.choice(alphabet)
        return "".join(letters)

    def _word(self, size: int, alphabet: str = ALPHABET) -> str:
        return "".join(self._random.choices(alphabet, k=size))

    def _serial(self, claim: Claim) -> Claim:
        return replace(claim, serial=self._characters(claim.serial, ALPHABET))

    def _part(self, claim: Claim) -> Claim:
        return replace(claim, serial=self._word(RANDOM_SIZE) + claim.serial[RANDOM_SIZE:])

    def _tag(self, claim: Claim) -> Claim:
        return replace(claim, serial=claim.serial[:RANDOM_SIZE] + self._word(RANDOM_SIZE))

    def _gtin(self, claim: Claim) -> Claim:
        other = self._random.choice(self.genuine).claim.gtin
        return replace(claim, gtin=self._random.choice((other, self._characters(claim.gtin, "0123456789"))))

    def _lot(self, claim: Claim) -> Claim:
        other = self._random.choice(self.genuine).claim.lot
        return replace(claim, lot=self._random.choice((other, self._characters(claim.lot, LOT_CHARACTERS))))

    def _host(self, claim: Claim) -> Claim:
        scheme, _slashes, host = claim.base.partition("://")
        own = self._characters(host.replace(".", "x"), "abcdefghijklmnopqrstuvwxyz")
        return replace(
            claim, base=self._random.choice((f"{scheme}://{own}.cn", f"http://{host}", f"{scheme}://a.{host}"))
        )

    def _digits(self, claim: Claim) -> Claim:
        signature = claim.signature or self._random_text()
        return replace(claim, signature=signature[0] + self._characters(signature[1:], "0123456789"))

    def _letter(self, claim: Claim) -> Claim:
        signature = claim.signature or self._random_text()
        return replace(claim, signature=self._random.choice(ALPHABET) + signature[1:])

    def _other_signature(self, claim: Claim) -> Claim:
        return replace(claim, signature=self._random.choice(self._signatures))

    def _twin(self, claim: Claim) -> Claim:
        """Of every ECDSA signature there is a second one that anyone can make of it: s becomes n - s."""
        text = claim.signature or self._random_text()
        r, s = divmod(int(text[1:]), 1 << 256)
        return replace(claim, signature=f"{text[0]}{(r << 256) + (ORDER - s) % ORDER:0155d}")

    def _random_signature(self, claim: Claim) -> Claim:
        return replace(claim, signature=self._random_text())

    def _random_text(self) -> str:
        number = (self._random.randrange(1, ORDER) << 256) + self._random.randrange(1, ORDER // 2)
        return f"{self._random.choice(list(self.public))}{number:0155d}"

    def _spliced(self, claim: Claim) -> Claim:
        other = self._random.choice(self.genuine).claim
        name = self._random.choice(("gtin", "lot", "serial", "base"))
        return replace(claim, **{name: getattr(other, name)})


# --- genuine codes ----------------------------------------------------------------------------------------------------


def _issued(system: System) -> Iterator[Genuine]:
    """Of both tiers: with keys in use, with retired ones, and with keys that were revoked before and after."""
    yield from _run_of_both(system, "retired keys")
    _rotate(system)
    yield from _run_of_both(system, "revoked keys, made before", revoked=timedelta(seconds=1))
    yield from _run_of_both(system, "revoked keys, made after", revoked=timedelta(seconds=-1))
    _rotate(system)
    yield from _run_of_both(system, "keys in use")


def _rotate(system: System) -> None:
    with system.main.write() as session:
        keys.rotate(session, system.ring, Role.ITEM, by=OPERATOR, at=AT)


def _run_of_both(system: System, kind: str, *, revoked: timedelta | None = None) -> Iterator[Genuine]:
    with system.main.write() as session:
        batch = makers.a_batch(session)
    for tier in ("A", "B"):
        makers.codes(system, batch, count=20, tier=tier)
    with system.main.read() as session:
        runs: Sequence[CodeRun] = session.scalars(select(CodeRun).where(CodeRun.batch_id == batch.id)).all()
        jwks = dict(session.execute(select(SigningKey.kid, SigningKey.public_jwk)).all())
        for run in runs:
            for item in session.scalars(select(Item).where(Item.run_id == run.id)):
                signature = link(run, item).partition("?s=")[2] or None
                moment = item.issued_at + revoked if revoked is not None else None
                made = IssuedWith(
                    run.base, run.lot, run.short, run.letter, jwks.get(run.kid or ""), run.tag_kid, gtin=run.gtin,
                    issued_at=item.issued_at, revoked_at=(moment, moment),
                )  # fmt: skip
                yield Genuine(
                    f"{kind}, tier {run.tier}", Claim(run.base, run.gtin, run.lot, item.serial, signature), made
                )
