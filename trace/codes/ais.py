"""The Application Identifiers of GS1: form, content rules, partners, and place in a Digital Link.

The rows below are our own spelling of public facts (GS1 General Specifications section 3 and the GS1 Barcode Syntax
Dictionary). A row gives the AI, or a range of AIs, its title and the form of its value, then by keyword:

`needs`   alternatives, one of which must stand in the same code: `"01 02"` is 01 or 02, `"01+21 03+21"` is 01 with 21
          or 03 with 21. A pattern such as `31nn` is any AI of that length that begins so.
`never`   AIs and patterns that must not stand in the same code; an AI does not exclude itself.
`key`     primary key of a Digital Link; the text lists its qualifiers in order, alternatives after `|`.
`fixed`   the length is known from the AI alone, so no FNC1 ends the value.
`query`   may stand in the query of a Digital Link; nearly all may.

The form of a value is its parts: `N6` six digits, `N..8` one to eight, `X` any of character set 82, `Y` of set 39, `Z`
base64 for file names; brackets when the part may be missing; then after colons the rules of its content.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .rules import RULES, Rule


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a value. `rules` are in the order of checking, the character set first; each has its name."""

    least: int
    most: int
    optional: bool
    rules: tuple[tuple[str, Rule], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one Application Identifier."""

    ai: str
    title: str
    parts: tuple[Part, ...]
    least: int
    most: int
    fixed: bool
    query: bool
    is_key: bool
    paths: frozenset[tuple[str, ...]]
    """The rows of qualifiers that a Digital Link of this key may have, the empty one among them."""
    path_sets: frozenset[frozenset[str]]
    qualifiers: tuple[tuple[str, ...], ...]
    """The alternatives, each in its full order."""
    needs: tuple[tuple[str, ...], ...]
    needs_one: frozenset[str]
    """Those alternatives that are a single AI or pattern."""
    never: frozenset[str]
    answers_to: frozenset[str]
    """Itself and the patterns that it matches."""
    has_form: Callable[[str], object]
    """Whether lengths and characters of a value are right: truthy or None."""
    rules: tuple[tuple[Rule, int, int], ...]
    """The rules beyond characters, each with the place of its piece."""


_CHARACTER_RULES = {"N": "csetnumeric", "X": "cset82", "Y": "cset39", "Z": "cset64"}
_PART = re.compile(r"(\[)?([NXYZ])(\.\.)?([0-9]+)\]?((?::[a-z0-9]+)*)")
_PREFIX_RULES = ("gcppos1", "gcppos2")


def _part(text: str) -> Part:
    found = _PART.fullmatch(text)
    assert found is not None, text
    optional, kind, variable, size, rules = found.groups()
    most = int(size)
    names = [_CHARACTER_RULES[kind], *filter(None, rules.split(":"))]
    if kind == "N" and not variable and most >= 5:
        # That many digits always have room for a company prefix.
        names = [name for name in names if name not in _PREFIX_RULES]
    return Part(1 if variable else most, most, bool(optional), tuple((name, RULES[name]) for name in names))


_CHARACTERS = {
    "csetnumeric": "[0-9]",
    "cset82": '[!"%-?A-Z_a-z]',
    "cset39": "[#\\-/0-9A-Z]",
    "cset64": "[\\-0-9=A-Z_a-z]",
}


def _form(parts: Sequence[Part]) -> Callable[[str], object]:
    """A pattern for the whole value. A part behind an optional one cannot stand without it."""
    pattern = ""
    for part in reversed(parts):
        characters = _CHARACTERS[part.rules[0][0]]
        pattern = f"{characters}{{{part.least},{part.most}}}{pattern}"
        if part.optional:
            pattern = f"(?:{pattern})?"
    return re.compile(pattern).fullmatch


def _placed_rules(parts: Sequence[Part]) -> Iterator[tuple[Rule, int, int]]:
    at = 0
    for part in parts:
        for name, rule in part.rules:
            if name not in _PATTERN_SAYS_ALL:
                yield rule, at, at + part.most
        at += part.most


# Base64 has more to it than its characters.
_PATTERN_SAYS_ALL = ("csetnumeric", "cset82", "cset39")


def _paths(key: str) -> Iterator[tuple[str, ...]]:
    for alternative in key.split("|"):
        rows: list[tuple[str, ...]] = [()]
        for qualifier in alternative.split():
            rows += [(*row, qualifier) for row in rows]
        yield from rows


def _patterns(ai: str) -> frozenset[str]:
    return frozenset((ai, f"{ai[:3]}n", f"{ai[:2]}nn") if len(ai) == 4 else (ai,))


def _range(ais: str) -> Iterable[str]:
    first, _, last = ais.partition("-")
    return [f"{number:0{len(first)}}" for number in range(int(first), int(last or first) + 1)]


_ENTRIES: dict[str, Entry] = {}


def _row(
    ais: str,
    title: str,
    form: str,
    *,
    needs: str = "",
    never: str = "",
    key: str | None = None,
    fixed: bool = False,
    query: bool = True,
) -> None:
    parts = tuple(_part(part) for part in form.split())
    paths = frozenset(_paths(key)) if key is not None else frozenset[tuple[str, ...]]()
    for ai in _range(ais):
        _ENTRIES[ai] = Entry(
            ai=ai,
            title=title,
            parts=parts,
            least=sum(part.least for part in parts if not part.optional),
            most=sum(part.most for part in parts),
            fixed=fixed,
            query=query,
            is_key=key is not None,
            paths=paths,
            path_sets=frozenset(frozenset(path) for path in paths),
            qualifiers=tuple(tuple(row.split()) for row in (key or "").split("|")),
            needs=tuple(tuple(group.split("+")) for group in needs.split()),
            needs_one=frozenset(group for group in needs.split() if "+" not in group),
            never=frozenset(never.split()),
            answers_to=_patterns(ai),
            has_form=_form(parts),
            rules=tuple(_placed_rules(parts)),
        )


# --- forms and partners that many rows share --------------------------------------------------------------------------

_GTIN = "N14:csum:gcppos2"
_GLN = "N13:csum:gcppos1"
_GSRN = "N18:csum:gcppos1"
_PIECE = f"{_GTIN} N4:pieceoftotal"
_DATE = "N6:yymmd0"
_DAY = "N6:yymmdd"
_COUNTRY = "N3:iso3166"
_MORE_COUNTRIES = " ".join([_COUNTRY] + ["[N3]:iso3166"] * 4)
_LINE = "X..70:pcenc"

_UNIT = "01 02"
_LOGISTIC = "00 01"
_ITEM = "01 02 03"
_GOODS = "01 02 03 8006 8026"
_INSTANCE = "01 03 8006"
_PRICED = "30 31nn 32nn 35nn 36nn"
_PATIENT = "8017 8018"

# --- identifiers, dates, attributes -----------------------------------------------------------------------------------

_row("00", "SSCC", "N18:csum:gcppos2", key="", fixed=True)
_row("01", "GTIN", _GTIN, key="22 10 21|235", never="255 37", fixed=True)
_row("02", "CONTENT", _GTIN, needs="37", never="01 03", fixed=True)
_row("03", "MTO GTIN", _GTIN, never="01 02 37 235", fixed=True, query=False)
_row("10", "BATCH/LOT", "X..20", needs=_GOODS)
_row("11", "PROD DATE", _DATE, needs=_GOODS, fixed=True)
_row("12", "DUE DATE", _DATE, needs="8020", fixed=True)
_row("13", "PACK DATE", _DATE, needs=_GOODS, fixed=True)
_row("15", "BEST BEFORE", _DATE, needs=_GOODS, fixed=True)
_row("16", "SELL BY", _DATE, needs=_GOODS, fixed=True)
_row("17", "EXPIRY", _DATE, needs="01 02 03 255 8006 8026", fixed=True)
_row("20", "VARIANT", "N2", needs=_GOODS, fixed=True)
_row("21", "SERIAL", "X..20", needs=_INSTANCE, never="235", query=False)
_row("22", "CPV", "X..20", needs="01", query=False)
_row("235", "TPX", "X..28", needs="01", query=False)
_row("240", "ADDITIONAL ID", "X..30", needs=_GOODS)
_row("241", "CUST. PART No.", "X..30", needs=_GOODS)
_row("242", "MTO VARIANT", "N..6", needs="01 02 8006 8026")
_row("243", "PCN", "X..20", needs="01 03")
_row("250", "SECONDARY SERIAL", "X..30", needs="01+21 03+21 8006+21")
_row("251", "REF. TO SOURCE", "X..30", needs=_INSTANCE)
_row("253", "GDTI", f"{_GLN} [X..17]", key="")
_row("254", "GLN EXTENSION", "X..20", needs="414", query=False)
_row("255", "GCN", f"{_GLN} [N..12]", key="", never="01 02 415 8006 8020 8026")
_row("30", "VAR. COUNT", "N..8", needs=_UNIT)
_row("37", "COUNT", "N..8", needs="00+02 00+8026")

# --- measures: six digits, the AI's last digit tells where the decimal point stands -----------------------------------

_MEASURES = {
    _UNIT: """
        310 NET WEIGHT (kg)     311 LENGTH (m)          312 WIDTH (m)           313 HEIGHT (m)
        314 AREA (m²)           315 NET VOLUME (l)      316 NET VOLUME (m³)     320 NET WEIGHT (lb)
        321 LENGTH (in)         322 LENGTH (ft)         323 LENGTH (yd)         324 WIDTH (in)
        325 WIDTH (ft)          326 WIDTH (yd)          327 HEIGHT (in)         328 HEIGHT (ft)
        329 HEIGHT (yd)         350 AREA (in²)          351 AREA (ft²)          352 AREA (yd²)
        356 NET WEIGHT (tr oz)  357 NET VOLUME (oz)     360 NET VOLUME (qt)     361 NET VOLUME (gal)
        364 NET VOLUME (in³)    365 NET VOLUME (ft³)    366 NET VOLUME (yd³)
    """,
    _LOGISTIC: """
        330 GROSS WEIGHT (kg)   331 LENGTH (m), log     332 WIDTH (m), log      333 HEIGHT (m), log
        334 AREA (m²), log      335 VOLUME (l), log     336 VOLUME (m³), log    340 GROSS WEIGHT (lb)
        341 LENGTH (in), log    342 LENGTH (ft), log    343 LENGTH (yd), log    344 WIDTH (in), log
        345 WIDTH (ft), log     346 WIDTH (yd), log     347 HEIGHT (in), log    348 HEIGHT (ft), log
        349 HEIGHT (yd), log    353 AREA (in²), log     354 AREA (ft²), log     355 AREA (yd²), log
        362 VOLUME (qt), log    363 VOLUME (gal), log   367 VOLUME (in³), log   368 VOLUME (ft³), log
        369 VOLUME (yd³), log
    """,
    "01": "337 KG PER m²",
}
for _needs, _measures in _MEASURES.items():
    for _family, _title in re.findall(r"([0-9]{3}) (\S.*?)(?=\s{2,}|\s*$)", _measures, re.MULTILINE):
        _row(f"{_family}0-{_family}5", _title, "N6", needs=_needs, never=f"{_family}n", fixed=True)

# --- amounts and prices -----------------------------------------------------------------------------------------------

_row("3900-3909", "AMOUNT", "N..15", needs="255 8020", never="390n 391n 394n 8111")
_row("3910-3919", "AMOUNT", "N3:iso4217 N..15", needs="8020", never="391n")
_row("3920-3929", "PRICE", "N..15", needs="01+30 01+31nn 01+32nn 01+35nn 01+36nn", never="392n 393n")
_row("3930-3939", "PRICE", "N3:iso4217 N..15", needs=_PRICED, never="393n")
_row("3940-3943", "PRCNT OFF", "N4", needs="255", never="394n 8111")
_row("3950-3955", "PRICE/UoM", "N6", needs=_PRICED, never="392n 393n 395n 8005")

# --- orders, places, parties ------------------------------------------------------------------------------------------

_row("400", "ORDER NUMBER", "X..30")
_row("401", "GINC", "X..30:gcppos1", key="")
_row("402", "GSIN", "N17:csum:gcppos1", key="")
_row("403", "ROUTE", "X..30", needs="00")
_row("410", "SHIP TO LOC", _GLN, fixed=True)
_row("411", "BILL TO", _GLN, fixed=True)
_row("412", "PURCHASE FROM", _GLN, fixed=True)
_row("413", "SHIP FOR LOC", _GLN, fixed=True)
_row("414", "LOC No.", _GLN, key="254|7040", fixed=True)
_row("415", "PAY TO", _GLN, key="8020", needs="8020", fixed=True)
_row("416", "PROD/SERV LOC", _GLN, fixed=True)
_row("417", "PARTY", _GLN, key="7040", fixed=True)
_row("420", "SHIP TO POST", "X..20", never="421")
_row("421", "SHIP TO POST", f"{_COUNTRY} X..9", never="4307")
_row("422", "ORIGIN", _COUNTRY, needs=_GOODS, never="426")
_row("423", "COUNTRY - INITIAL PROCESS", _MORE_COUNTRIES, needs=_ITEM, never="426")
_row("424", "COUNTRY - PROCESS", _COUNTRY, needs=_ITEM, never="426")
_row("425", "COUNTRY - DISASSEMBLY", _MORE_COUNTRIES, needs=_ITEM, never="426")
_row("426", "COUNTRY - FULL PROCESS", _COUNTRY, needs=_ITEM)
_row("427", "ORIGIN SUBDIVISION", "X..3", needs="01+422 02+422 03+422")

# --- transport --------------------------------------------------------------------------------------------------------

for _first, _way in (("430", "SHIP TO"), ("431", "RTN TO")):
    _row(f"{_first}0", f"{_way} COMP", "X..35:pcenc", needs="00")
    _row(f"{_first}1", f"{_way} NAME", "X..35:pcenc", needs="00")
    _row(f"{_first}2", f"{_way} ADD1", _LINE, needs="00")
    _row(f"{_first}3", f"{_way} ADD2", _LINE, needs=f"{_first}2")
    _row(f"{_first}4", f"{_way} SUB", _LINE, needs="00")
    _row(f"{_first}5", f"{_way} LOC", _LINE, needs="00")
    _row(f"{_first}6", f"{_way} REG", _LINE, needs="00")
    _row(f"{_first}7", f"{_way} COUNTRY", "X2:iso3166alpha2", needs="00")
_row("4308", "SHIP TO PHONE", "X..30", needs="00")
_row("4309", "SHIP TO GEO", "N10:latitude N10:longitude", needs="00")
_row("4318", "RTN TO POST", "X..20", needs="00")
_row("4319", "RTN TO PHONE", "X..30", needs="00")
_row("4320", "SRV DESCRIPTION", "X..35:pcenc", needs="00")
_row("4321", "DANGEROUS GOODS", "N1:yesno", needs="00")
_row("4322", "AUTH TO LEAVE", "N1:yesno", needs="00")
_row("4323", "SIG REQUIRED", "N1:yesno", needs="00")
_row("4324", "NOT BEF DEL DT", f"{_DATE} N4:hhmi", needs="00")
_row("4325", "NOT AFT DEL DT", f"{_DATE} N4:hhmi", needs="00")
_row("4326", "REL DATE", _DAY, needs="00")
for _ai, _title, _other in (
    ("4330", "MAX TEMP F", "4331"),
    ("4331", "MAX TEMP C", "4330"),
    ("4332", "MIN TEMP F", "4333"),
    ("4333", "MIN TEMP C", "4332"),
):
    _row(_ai, _title, "N6 [X1]:hyphen", needs="00", never=_other)

# --- special applications ---------------------------------------------------------------------------------------------

_row("7001", "NSN", "N13", needs="01 02 8006 8026")
_row("7002", "MEAT CUT", "X..30", needs=_UNIT)
_row("7003", "EXPIRY TIME", f"{_DAY} N4:hhmi", needs=_ITEM)
_row("7004", "ACTIVE POTENCY", "N..4", needs="01+10 03+10")
_row("7005", "CATCH AREA", "X..12", needs=_UNIT)
_row("7006", "FIRST FREEZE DATE", _DAY, needs=_UNIT)
_row("7007", "HARVEST DATE", f"{_DAY} [N6]:yymmdd", needs=_UNIT)
_row("7008", "AQUATIC SPECIES", "X..3", needs=_UNIT)
_row("7009", "FISHING GEAR TYPE", "X..10", needs=_UNIT)
_row("7010", "PROD METHOD", "X..2", needs=_ITEM)
_row("7011", "TEST BY DATE", f"{_DAY} [N4]:hhmi", needs=_ITEM)
_row("7020", "REFURB LOT", "X..20", needs="01+416 03+416 8006+416")
_row("7021", "FUNC STAT", "X..20", needs=_INSTANCE)
_row("7022", "REV STAT", "X..20", needs="01+7021 03+7021 8006+7021")
_row("7023", "GIAI - ASSEMBLY", "X..30:gcppos1")
_row("7030-7039", "PROCESSOR", "N3:iso3166999 X..27", needs=_UNIT)
_row("7040", "UIC+EXT", "N1 X1 X1 X1:importeridx", query=False)
_row("7041", "UFRGT UNIT TYPE", "X..4:packagetype", needs="00", query=False)
_row("710", "NHRN PZN", "X..20", needs="01")
_row("711", "NHRN CIP", "X..20", needs="01")
_row("712", "NHRN CN", "X..20", needs="01")
_row("713", "NHRN DRN", "X..20", needs="01")
_row("714", "NHRN AIM", "X..20", needs="01")
_row("715", "NHRN NDC", "X..20", needs="01")
_row("716", "NHRN AIC", "X..20", needs="01")
_row("717", "NHRN SRN", "X..20", needs="01")
_row("7230-7239", "CERT", "X2 X..28", needs="01 8004")
_row("7240", "PROTOCOL", "X..20", needs="01 8006", never="03")
_row("7241", "AIDC MEDIA TYPE", "N2:mediatype", needs=_PATIENT)
_row("7242", "VCN", "X..25", needs=_PATIENT)
_row("7250", "DOB", "N8:yyyymmdd", needs="8018", never="7251")
_row("7251", "DOB TIME", "N8:yyyymmdd N4:hhmi", needs="8018", never="7250")
_row("7252", "BIO SEX", "N1:iso5218", needs="8018")
_row("7253", "FAMILY NAME", "X..40:pcenc", needs=_PATIENT, never="7256 7259")
_row("7254", "GIVEN NAME", "X..40:pcenc", needs=_PATIENT, never="7256 7259")
_row("7255", "SUFFIX", "X..10", needs=_PATIENT, never="7256 7259")
_row("7256", "FULL NAME", "X..90:pcenc", needs=_PATIENT)
_row("7257", "PERSON ADDR", _LINE, needs="8018")
_row("7258", "BIRTH SEQUENCE", "X3:posinseqslash", needs="8018+7259")
_row("7259", "BABY", "X..40:pcenc", needs="8018", never="7256")
_row("8001", "DIMENSIONS", "N4:nonzero N5:nonzero N3:nonzero N1:winding N1", needs="01")
_row("8002", "CMT No.", "X..20")
_row("8003", "GRAI", f"N1:zero {_GLN} [X..16]", key="")
_row("8004", "GIAI", "X..30:gcppos1", key="7040")
_row("8005", "PRICE PER UNIT", "N6", needs=_UNIT)
_row("8006", "ITIP", _PIECE, key="22 10 21", never="01 03 37")
_row("8007", "IBAN", "X..34:iban", needs="415")
_row("8008", "PROD TIME", f"{_DAY} N2:hh [N2]:mi [N2]:ss", needs=_ITEM)
_row("8009", "OPTSEN", "X..50", needs="00 01 03")
_row("8010", "CPID", "Y..30:gcppos1", key="8011")
_row("8011", "CPID SERIAL", "N..12:nozeroprefix", needs="8010", query=False)
_row("8012", "VERSION", "X..20", needs=_INSTANCE)
_row("8013", "GMN", "X..25:csumalpha:gcppos1", key="")
_row("8014", "MUDI", "X..25:csumalpha:gcppos1:hasnondigit", needs="01", query=False)
_row("8017", "GSRN - PROVIDER", _GSRN, key="8019", never="8018")
_row("8018", "GSRN - RECIPIENT", _GSRN, key="8019", never="8017")
_row("8019", "SRIN", "N..10", needs=_PATIENT, query=False)
_row("8020", "REF No.", "X..25", needs="415", query=False)
_row("8026", "ITIP CONTENT", _PIECE, needs="37", never="02 03 8006")
_row("8030", "DIGSIG", "Z..90", needs="00 01+21 03+21 253 255 8003 8004 8006+21 8010+8011 8017 8018")
_row("8040", "IMEI", "N15", needs="01+21", query=False)
_row("8041", "IMEI2", "N15", needs="01+21+8040", query=False)
_row("8042", "ESIM", "N32", needs="01+21+8040", query=False)
_row("8043", "PSIM", "N18 [N..2]", needs="01+21+8040", query=False)
_row("8110", "COUPON", "X..70:couponcode")
_row("8111", "POINTS", "N4", needs="255")
_row("8112", "POSITIVE OFFER", "X..70:couponposoffer")
_row("8200", "PRODUCT URL", "X..70", needs="01", query=False)
_row("90", "INTERNAL", "X..30")
_row("91-99", "INTERNAL", "X..90")

TABLE: Final = MappingProxyType(_ENTRIES)
"""Every Application Identifier by its digits."""

AI_SIZES: Final = MappingProxyType({ai[:2]: len(ai) for ai in _ENTRIES})
"""How many digits an AI has, by its first two. No two lengths share a beginning."""


def leading(text: str, at: int) -> Entry | None:
    """The AI that begins at a place of an element string."""
    size = AI_SIZES.get(text[at : at + 2])
    return TABLE.get(text[at : at + size]) if size else None
