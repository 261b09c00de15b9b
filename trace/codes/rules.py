"""Content rules under the names of the GS1 Barcode Syntax Dictionary."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from ..errors import Invalid, Problem
from . import charsets, checksums, coupons, dates, numbers
from .fault import Fault

Rule = Callable[[str], Fault | None]

RULES: Final = MappingProxyType[str, Rule](
    {
        "couponcode": coupons.couponcode,
        "couponposoffer": coupons.couponposoffer,
        "cset39": charsets.cset39,
        "cset64": charsets.cset64,
        "cset82": charsets.cset82,
        "csetnumeric": charsets.csetnumeric,
        "csum": checksums.csum,
        "csumalpha": checksums.csumalpha,
        "gcppos1": numbers.gcppos1,
        "gcppos2": numbers.gcppos2,
        "hasnondigit": charsets.hasnondigit,
        "hh": dates.hh,
        "hhmi": dates.hhmi,
        "hyphen": numbers.hyphen,
        "iban": checksums.iban,
        "importeridx": charsets.importeridx,
        "iso3166": numbers.iso3166,
        "iso3166999": numbers.iso3166999,
        "iso3166alpha2": numbers.iso3166alpha2,
        "iso4217": numbers.iso4217,
        "iso5218": numbers.iso5218,
        "latitude": numbers.latitude,
        "longitude": numbers.longitude,
        "mediatype": numbers.mediatype,
        "mi": dates.mi,
        "nonzero": numbers.nonzero,
        "nozeroprefix": numbers.nozeroprefix,
        "packagetype": numbers.packagetype,
        "pcenc": charsets.pcenc,
        "pieceoftotal": numbers.pieceoftotal,
        "posinseqslash": numbers.posinseqslash,
        "ss": dates.ss,
        "winding": numbers.winding,
        "yesno": numbers.yesno,
        "yymmd0": dates.yymmd0,
        "yymmdd": dates.yymmdd,
        "yyyymmd0": dates.yyyymmd0,
        "yyyymmdd": dates.yyyymmdd,
        "zero": numbers.zero,
        # Names of earlier dictionaries.
        "hhmm": dates.hhmi,
        "iso3166list": numbers.iso3166list,
        "key": numbers.gcppos1,
        "keyoff1": numbers.gcppos2,
        "mmoptss": dates.mmoptss,
        "yymmddhh": dates.yymmddhh,
    }
)


def check(name: str, data: str) -> None:
    """Check `data` against one rule of the dictionary.

    Raises `Invalid` with one problem: its rule is `name.reason`, both words the dictionary's (`csum` with reason
    GS1_LINTER_INCORRECT_CHECK_DIGIT is `csum.incorrect-check-digit`), and its message has the value `position`, counted
    from 1. Raises `LookupError` when there is no rule of this name.
    """
    if found := RULES[name](data):
        raise Invalid(Problem(None, f"{name}.{found.reason}", found.message))
