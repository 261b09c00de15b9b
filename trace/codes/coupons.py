"""North American coupons: AI 8110 (paper coupon) and AI 8112 (positive offer file).

Both are a row of fields, most of them led by one digit that tells their length. The reader walks along and names the
field at which the data stops making sense. Reasons are spelled as the dictionary spells them.
"""

from __future__ import annotations

from ..errors import Message, say
from .charsets import csetnumeric
from .dates import yymmdd
from .fault import Fault, fault

_DIGITS = "0123456789"
_PREFIX_LENGTHS = "0123456"
_REQUIREMENT_CODES = "012349"
_SAVE_VALUE_CODES = "01256"
_OFFER_CODE = say("offer code")
_SERIAL = say("serial number")


class _Stop(Exception):
    """The walk ended at a fault."""

    def __init__(self, found: Fault) -> None:
        super().__init__(found.reason)
        self.found = found


class _Walk:
    """A place in the digits of a coupon."""

    def __init__(self, data: str) -> None:
        self.data = data
        self.at = 0

    def _ended(self, reason: str, part: Message) -> _Stop:
        # With nothing left to point at, the fault lies with the whole.
        position = self.at + 1 if self.at < len(self.data) else 1
        return _Stop(
            fault(reason, position, say("The coupon ends where its %(part)s belongs. Scan it again.", part=part))
        )

    def _wrong(self, reason: str, part: Message, given: str) -> _Stop:
        return _Stop(
            fault(
                reason,
                self.at + 1,
                say(
                    "Character %(position)d (%(given)s) cannot stand for this part of a coupon: %(part)s.",
                    part=part,
                    given=given,
                ),
            )
        )

    def digit(self, allowed: str, missing: str, wrong: str, part: Message) -> int:
        if self.at >= len(self.data):
            raise self._ended(missing, part)
        given = self.data[self.at]
        if given not in allowed:
            raise self._wrong(wrong, part, given)
        self.at += 1
        return int(given)

    def digits(self, count: int, truncated: str, part: Message) -> str:
        found = self.data[self.at : self.at + count]
        if len(found) < count:
            raise self._ended(truncated, part)
        self.at += count
        return found

    def field(self, number: str) -> bool:
        """Whether the optional field with this number comes next."""
        if self.data.startswith(number, self.at):
            self.at += 1
            return True
        return False

    def end(self) -> None:
        if self.at < len(self.data):
            raise _Stop(
                fault(
                    "coupon-excess-data",
                    self.at + 1,
                    say(
                        "From character %(position)d on there is more than a coupon has, or its parts are out of order."
                    ),
                )
            )


def couponcode(data: str) -> Fault | None:
    if found := csetnumeric(data):
        return found
    walk = _Walk(data)
    try:
        _paper_coupon(walk)
    except _Stop as stop:
        return stop.found
    return None


def couponposoffer(data: str) -> Fault | None:
    if found := csetnumeric(data):
        return found
    walk = _Walk(data)
    try:
        _positive_offer(walk)
    except _Stop as stop:
        return stop.found
    return None


def _positive_offer(walk: _Walk) -> None:
    walk.digit("01", "coupon-missing-format-code", "coupon-invalid-format-code", say("coupon format"))
    funder = say("company prefix of the funder")
    size = walk.digit(_PREFIX_LENGTHS, "coupon-missing-funder-vli", "coupon-invalid-funder-length", funder)
    walk.digits(6 + size, "coupon-truncated-funder", funder)
    walk.digits(6, "coupon-truncated-offer-code", _OFFER_CODE)
    _serial(walk)
    walk.end()


def _serial(walk: _Walk) -> None:
    size = walk.digit(_DIGITS, "coupon-missing-serial-number-vli", "coupon-invalid-serial-number-length", _SERIAL)
    walk.digits(6 + size, "coupon-truncated-serial-number", _SERIAL)


def _paper_coupon(walk: _Walk) -> None:
    issuer = say("company prefix of the issuer")
    size = walk.digit(_PREFIX_LENGTHS, "coupon-missing-gcp-vli", "coupon-invalid-gcp-length", issuer)
    walk.digits(6 + size, "coupon-truncated-gcp", issuer)
    walk.digits(6, "coupon-truncated-offer-code", _OFFER_CODE)
    saves = say("save value")
    size = walk.digit("12345", "coupon-missing-save-value-vli", "coupon-invalid-save-value-length", saves)
    walk.digits(size, "coupon-truncated-save-value", saves)
    _purchase(walk, "1st")
    if walk.field("1"):
        rules = say("rules for more purchases")
        walk.digit(
            "0123",
            "coupon-missing-additional-purchase-rules-code",
            "coupon-invalid-additional-purchase-rules-code",
            rules,
        )
        _purchase(walk, "2nd")
        _purchase_prefix(walk, "2nd")
    if walk.field("2"):
        _purchase(walk, "3rd")
        _purchase_prefix(walk, "3rd")
    _dates(walk)
    if walk.field("5"):
        _serial(walk)
    if walk.field("6"):
        retailer = say("retailer's number")
        size = walk.digit(
            "1234567",
            "coupon-missing-retailer-gcp-or-gln-vli",
            "coupon-invalid-retailer-gcp-or-gln-length",
            retailer,
        )
        walk.digits(6 + size, "coupon-truncated-retailer-gcp-or-gln", retailer)
    if walk.field("9"):
        _miscellaneous(walk)
    walk.end()


def _purchase(walk: _Walk, which: str) -> None:
    part = say("purchase requirement")
    size = walk.digit(
        "12345",
        f"coupon-missing-{which}-purchase-requirement-vli",
        f"coupon-invalid-{which}-purchase-requirement-length",
        part,
    )
    walk.digits(size, f"coupon-truncated-{which}-purchase-requirement", part)
    walk.digit(
        _REQUIREMENT_CODES,
        f"coupon-missing-{which}-purchase-requirement-code",
        f"coupon-invalid-{which}-purchase-requirement-code",
        say("code of the purchase requirement"),
    )
    walk.digits(3, f"coupon-truncated-{which}-purchase-family-code", say("family code"))


def _purchase_prefix(walk: _Walk, which: str) -> None:
    part = say("company prefix of another purchase")
    size = walk.digit(
        _PREFIX_LENGTHS + "9",
        f"coupon-missing-{which}-purchase-gcp-vli",
        f"coupon-invalid-{which}-purchase-gcp-length",
        part,
    )
    # 9 means: the same company as the issuer's.
    if size != 9:
        walk.digits(6 + size, f"coupon-truncated-{which}-purchase-gcp", part)


def _dates(walk: _Walk) -> None:
    began = walk.at
    expires = starts = None
    if walk.field("3"):
        # The second word is spelled so in the dictionary's reference, and reasons are for programs to compare.
        expires = _date(
            walk, "coupon-too-short-for-expiration-date", "coupon-invalid-exipiration-date", say("expiry date")
        )
    if walk.field("4"):
        starts = _date(walk, "coupon-too-short-for-start-date", "coupon-invalid-start-date", say("start date"))
    if expires and starts and expires < starts:
        raise _Stop(
            fault(
                "coupon-expiration-before-start", began + 1, say("This coupon expires before it starts. Scan it again.")
            )
        )


def _date(walk: _Walk, truncated: str, wrong: str, part: Message) -> str:
    began = walk.at
    found = walk.digits(6, truncated, part)
    if yymmdd(found):
        raise _Stop(
            fault(
                wrong,
                began + 1,
                say("There is no such day: %(given)s (%(part)s). Scan the coupon again.", given=found, part=part),
            )
        )
    return found


def _miscellaneous(walk: _Walk) -> None:
    walk.digit(
        _SAVE_VALUE_CODES,
        "coupon-missing-save-value-code",
        "coupon-invalid-save-value-code",
        say("code of the save value"),
    )
    walk.digit(
        "012",
        "coupon-missing-save-value-applies-to-item",
        "coupon-invalid-save-value-applies-to-item",
        say("item that the save value applies to"),
    )
    walk.digit(
        _DIGITS,
        "coupon-missing-store-coupon-flag",
        "coupon-invalid-store-coupon-flag",
        say("mark of a store's coupon"),
    )
    walk.digit(
        "01",
        "coupon-missing-dont-multiply-flag",
        "coupon-invalid-dont-multiply-flag",
        say("mark against multiplying"),
    )
