"""The canonical form that events compare."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.trace.codes.identity import identity

ROOT = "https://id.gs1.org"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("urn:epc:id:sgtin:9521234.054321.A%2F1", "/01/09521234543213/21/A%2F1"),
        ("urn:epc:idpat:sgtin:9521234.054321.*", "/01/09521234543213"),
        ("https://a.example/x/gtin/9521234543213/cpv/V/lot/L/ser/S?17=270131#x", "/01/09521234543213/21/S"),
        ("http://a.example/01/9521234543213/22/V/10/L", "/01/09521234543213/10/L"),
        ("https://a.example/01/96385074", "/01/00000096385074"),
        ("https://a.example/01/614141007349/22/V", "/01/00614141007349"),
        ("https://a.example/01/09521234543213/235/T", "/01/09521234543213/235/T"),
        ("https://a.example/01/09521234543210", "/01/09521234543210"),
        ("https://a.example/gln/9521234000006/glnx/7", "/414/9521234000006/254/7"),
        ("https://a.example/8017/952123400000000017/8019/1", "/8017/952123400000000017"),
        ("https://a.example/itip/095212345432130102/ser/S", "/8006/095212345432130102/21/S"),
    ],
)
def test_what_names_the_same_thing_gets_the_same_form(text: str, canonical: str) -> None:
    assert identity(text) == ROOT + canonical
    assert identity(ROOT + canonical) == ROOT + canonical


@pytest.mark.parametrize(
    "text",
    [
        None,
        42,
        "",
        "42",
        "urn:epc:id:gid:1.2.3",
        "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "https://a.example/about",
        "https://a.example/01/95212345432",
        "https://a.example/01/0952123454321X/",
        "https://a.example/01/09521234543213/21/S/10/L",
        "https://a.example/8006/09521234543213",
        "https://a.example/01/09521234543213/10/%E6",
        "https://a.example/01/" + "9" * 9000,
    ],
)
def test_what_names_nothing_gets_none(text: object) -> None:
    assert identity(text) is None


@given(
    st.text(max_size=100)
    | st.from_regex(r"https://a/(01|gtin|8003)/[0-9]{8,14}(/(10|lot|21)/[ -~]{0,5})?", fullmatch=True)
)
def test_any_text_has_an_identity_or_none(text: str) -> None:
    found = identity(text)
    assert found is None or identity(found) == found
