"""What each family of symbols carries of a code that was read: a number, its element string or its Digital Link."""

from __future__ import annotations

from ..codes.digital_link import GS1_ROOT, print_link
from ..codes.model import Element
from ..errors import Invalid, invalid, say
from .symbols import FAMILIES, Carrier, Elements

_RETAIL = (Carrier.EAN_8, Carrier.UPC_A, Carrier.EAN_13)
"""The shortest first."""


def content_of(carrier: Carrier, elements: tuple[Element, ...], stem: str = GS1_ROOT) -> str | Elements:
    """What `symbols.draw` takes for these elements; a link begins with `stem`.

    Raises Invalid with rule `carrier.number` when a family of one number cannot hold them, and with `carrier.link` when
    there is no Digital Link of them.
    """
    family = FAMILIES[carrier]
    if family.elements:
        return elements
    if family.digits:
        return _number(elements, family.digits)
    link = print_link(elements, stem)
    if link is None:
        raise invalid(
            "carrier", "carrier.link", say("There is no Digital Link of this code. Take a symbol of the GS1 kind.")
        )
    return link


def _number(elements: tuple[Element, ...], size: int) -> str:
    gtin = elements[0][1] if len(elements) == 1 and elements[0][0] == "01" else ""
    number = gtin[-size:]
    if not gtin or gtin != number.zfill(14):
        raise invalid(
            "carrier",
            "carrier.number",
            say("This symbol carries one GTIN of at most %(size)d digits and nothing else.", size=size),
        )
    return number


def carriers_of(elements: tuple[Element, ...], stem: str = GS1_ROOT) -> tuple[Carrier, ...]:
    """The families that can carry a code. Of the retail symbols only the shortest: the others would say the same number
    with zeros in front."""
    found = [carrier for carrier in Carrier if _fits(carrier, elements, stem)]
    longer = [carrier for carrier in _RETAIL if carrier in found][1:]
    return tuple(carrier for carrier in found if carrier not in longer)


def _fits(carrier: Carrier, elements: tuple[Element, ...], stem: str) -> bool:
    try:
        content_of(carrier, elements, stem)
    except Invalid:
        return False
    return True
