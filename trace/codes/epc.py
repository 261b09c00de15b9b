"""EPC URNs that have a Digital Link (GS1 EPC Tag Data Standard, sections 6 and 8).

`urn:epc:id:…` names one thing, `urn:epc:class:lgtin:…` a lot, and `urn:epc:idpat:…` with * for the serial a class.
Only the URN tells where the company prefix ends; a parsed code keeps it, so that the URN can be printed again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, unquote

from ..errors import Invalid, Message, say
from .content import check_contents, problem
from .gtin import check_digit
from .model import Code, Element, Kind


@dataclass(frozen=True, slots=True)
class Scheme:
    """How the URNs of one kind of thing are built: company prefix, reference, then `more` parts.

    `ai` is the key. `digits` counts those of prefix and reference together; 0 means that the reference is text and the
    key has no check digit. `swapped`: in the key the first digit of the reference stands in front of the prefix.
    `joined` parts are appended to the key, and one more part is the value of `serial`. A last part written as `none`
    stands for no value.
    """

    ai: str
    digits: int
    joined: int = 0
    serial: str | None = None
    swapped: bool = False
    lead: str = ""
    none: str | None = None

    @property
    def more(self) -> int:
        return self.joined + (self.serial is not None)


SCHEMES = MappingProxyType(
    {
        "sgtin": Scheme("01", 13, serial="21", swapped=True),
        "upui": Scheme("01", 13, serial="235", swapped=True),
        "lgtin": Scheme("01", 13, serial="10", swapped=True),
        "itip": Scheme("8006", 13, joined=2, serial="21", swapped=True),
        "sscc": Scheme("00", 17, swapped=True),
        "sgln": Scheme("414", 12, serial="254", none="0"),
        "pgln": Scheme("417", 12),
        "grai": Scheme("8003", 12, joined=1, lead="0"),
        "gdti": Scheme("253", 12, joined=1),
        "sgcn": Scheme("255", 12, joined=1),
        "giai": Scheme("8004", 0),
        "ginc": Scheme("401", 0),
        "cpi": Scheme("8010", 0, serial="8011"),
        "gsrn": Scheme("8018", 17),
        "gsrnp": Scheme("8017", 17),
        "gsin": Scheme("402", 16),
    }
)

_LOTS = "lgtin"
_HEAD = re.compile(r"[Uu][Rr][Nn]:[Ee][Pp][Cc]:(id|idpat|class):([a-z]+):")
_PREFIX = re.compile(r"[0-9]{6,12}")
_DIGITS = re.compile(r"[0-9]*")
_PART = re.compile(r"(?:[A-Za-z0-9\-_!'()*+,.:;=]|%[0-9A-Fa-f]{2})*")
_UNESCAPED = "-_!'()*+,.:;="


def is_urn(text: str) -> bool:
    return text[:8].lower() == "urn:epc:"


def parse(text: str) -> Code:
    """Raises `Invalid`."""
    code = split(text)
    check_contents(code.elements)
    return code


def _refused(rule: str, at: int, message: Message) -> Invalid:
    return Invalid(problem(None, rule, at + 1, message))


def split(text: str) -> Code:
    """The elements of a URN; their contents are not looked at. Raises `Invalid`."""
    head = _HEAD.match(text)
    if head is None:
        raise _refused(
            "epc.head",
            0,
            say("An EPC URN begins with urn:epc:id:, urn:epc:idpat: or urn:epc:class: and the name of its scheme."),
        )
    form, name = head.groups()
    scheme = SCHEMES.get(name)
    if scheme is None or (form == "class") != (name == _LOTS) or (form == "idpat" and not _has_classes(scheme)):
        raise _refused(
            "epc.scheme",
            head.start(1),
            say("urn:epc:%(form)s:%(name)s has no Digital Link or does not exist.", form=form, name=name),
        )
    rest = text[head.end() :]
    parts = rest.split(".", 1 + scheme.more)
    if len(parts) != 2 + scheme.more:
        raise _refused(
            "epc.parts",
            len(text),
            say(
                "urn:epc:%(form)s:%(name)s has %(count)d parts with dots between them.",
                form=form,
                name=name,
                count=2 + scheme.more,
            ),
        )
    _check_parts(scheme, parts, head.end())
    pattern = form == "idpat"
    if pattern and parts[-1] != "*":
        raise _refused(
            "epc.pattern",
            len(text) - len(parts[-1]),
            say("Of the patterns only those with * for the last part name a class that has a Digital Link."),
        )
    return Code(Kind.EPC_URN, _elements(scheme, parts, pattern), prefix_size=len(parts[0]))


def _has_classes(scheme: Scheme) -> bool:
    return scheme.more > 0 and scheme.none is None


def _check_parts(scheme: Scheme, parts: Sequence[str], at: int) -> None:
    prefix, reference = parts[:2]
    if _PREFIX.fullmatch(prefix) is None:
        raise _refused("epc.prefix", at, say("The company prefix, up to the first dot, has 6 to 12 digits."))
    begins = at + len(prefix) + 1
    if scheme.digits and (
        _DIGITS.fullmatch(reference) is None
        or len(prefix) + len(reference) != scheme.digits
        or (scheme.swapped and not reference)
    ):
        raise _refused(
            "epc.reference",
            begins,
            say(
                "Company prefix and reference together have %(digits)d digits here; these have %(count)d characters.",
                digits=scheme.digits,
                count=len(prefix) + len(reference),
            ),
        )
    for part in parts[1:]:
        found = _PART.match(part)
        end = found.end() if found else 0
        if end < len(part):
            raise _refused(
                "epc.characters",
                begins + end,
                say("Character %(position)d must be written as %%XX in an EPC URN, or cannot stand in it."),
            )
        begins += len(part) + 1


def _elements(scheme: Scheme, parts: Sequence[str], pattern: bool) -> tuple[Element, ...]:
    prefix, reference, *more = (unquote(part, "latin-1") for part in parts)
    if not scheme.digits:
        key = prefix + reference
    elif scheme.swapped:
        key = reference[0] + prefix + reference[1:]
    else:
        key = scheme.lead + prefix + reference
    if scheme.digits:
        key += check_digit(key)
    if pattern:
        more.pop()
    key += "".join(more[: scheme.joined])
    elements: list[Element] = [(scheme.ai, key)]
    if scheme.serial and len(more) > scheme.joined and more[-1] != scheme.none:
        elements.append((scheme.serial, more[-1]))
    return tuple(elements)


# --- printing ---------------------------------------------------------------------------------------------------------


def print_epc_urn(code: Code, prefix_size: int | None = None) -> str | None:
    """The URN of the thing that a code names, or of its lot or class when it has no serial. What else the code says is
    left out. None when there is no such URN, or when the length of the company prefix is not known."""
    size = prefix_size or code.prefix_size
    if size is None or not 6 <= size <= 12:
        return None
    values = dict(code.elements)
    found = next((pair for pair in SCHEMES.items() if _applies(pair[1], values)), None)
    if found is None:
        return None
    name, scheme = found
    return _printed(name, scheme, values, size)


def _applies(scheme: Scheme, values: dict[str, str]) -> bool:
    if scheme.ai not in values:
        return False
    # A GTIN alone is a class of SGTINs, the last resort.
    return scheme.ai != "01" or scheme.serial in values or not values.keys() & {"21", "235", "10"}


def _printed(name: str, scheme: Scheme, values: dict[str, str], size: int) -> str | None:
    key = values[scheme.ai].removeprefix(scheme.lead)
    body, joined = _split_key(scheme, key)
    if scheme.swapped:
        body = body[1 : size + 1] + body[0] + body[size + 1 :]
    serial = values.get(scheme.serial or "", scheme.none)
    if (scheme.none is not None and values.get(scheme.serial or "") == scheme.none) or not body[:size].isdecimal():
        return None
    parts = [body[:size], body[size:], *joined]
    if scheme.serial:
        parts.append("" if serial is None else serial)
    form = "class" if name == _LOTS else "id"
    if scheme.more and not parts[-1]:
        form = "idpat"
    printed = [quote(part, safe=_UNESCAPED) for part in parts]
    if form == "idpat":
        printed[-1] = "*"
    return f"urn:epc:{form}:{name}:{'.'.join(printed)}"


def _split_key(scheme: Scheme, key: str) -> tuple[str, list[str]]:
    """Prefix with reference, and the joined parts."""
    if not scheme.digits:
        return key, []
    body, rest = key[: scheme.digits], key[scheme.digits + 1 :]
    if scheme.joined == 2:
        half = len(rest) // 2
        return body, [rest[:half], rest[half:]]
    return body, [rest] if scheme.joined else []
