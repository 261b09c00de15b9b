"""Digital Link URIs."""

from __future__ import annotations

import pytest

from lotseal.trace.codes import digital_link
from lotseal.trace.codes.digital_link import print_link
from lotseal.trace.errors import Invalid

GTIN = ("01", "09521234543213")
LINK = "https://id.gs1.org/01/09521234543213"


def refusal(text: str) -> tuple[str | None, str, object]:
    with pytest.raises(Invalid) as error:
        digital_link.parse(text)
    first = error.value.problems[0]
    assert str(first.message)
    return first.field, first.rule, first.message.values["position"]


@pytest.mark.parametrize(
    ("stem", "text"),
    [
        ("https://id.gs1.org", LINK),
        ("http://a", "http://a/01/09521234543213"),
        ("HTTPS://A.EXAMPLE:8443", "HTTPS://A.EXAMPLE:8443/01/09521234543213"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x/01/09521234543213"),
        ("https://a.example/some/stem", "https://a.example/some/stem/01/09521234543213"),
        ("https://a.example/01/09521234543213", "https://a.example/01/09521234543213/01/09521234543213"),
        ("https://a.example/%E6%BA%AF", "https://a.example/%E6%BA%AF/01/09521234543213"),
        ("https://a.example", "https://a.example/01/09521234543213?"),
        ("https://a.example", "https://a.example/01/09521234543213#part"),
    ],
)
def test_any_host_and_stem_may_stand_in_front(stem: str, text: str) -> None:
    code = digital_link.parse(text)
    assert (code.stem, code.elements) == (stem, (GTIN,))


def test_qualifiers_attributes_and_escapes_are_read() -> None:
    code = digital_link.parse(f"{LINK}/22/V/10/A%2fB%25/21/%21?17=270131&3103=000195&99=%41%2B")
    assert code.elements == (
        GTIN, ("22", "V"), ("10", "A/B%"), ("21", "!"), ("17", "270131"), ("3103", "000195"), ("99", "A+"),
    )  # fmt: skip


def test_parameters_that_are_no_identifiers_are_ignored_and_kept_as_they_were_written() -> None:
    code = digital_link.parse(f"{LINK}?&&linkType=gs1:pip&99=A&flag&s=%41=&x=")
    assert code.elements == (GTIN, ("99", "A"))
    assert code.extra == (("linkType", "gs1:pip"), ("flag", None), ("s", "%41="), ("x", ""))


@pytest.mark.parametrize(
    ("text", "field", "rule", "position"),
    [
        ("", None, "link.scheme", 1),
        ("ftp://a/01/09521234543213", None, "link.scheme", 1),
        ("HtTps://a/01/09521234543213", None, "link.scheme", 1),
        ("javascript:alert(1)//01/09521234543213", None, "link.scheme", 1),
        ("https://", None, "link.host", 9),
        ("https:///01/09521234543213", None, "link.host", 9),
        ("https://a$b/01/09521234543213", None, "link.host", 9),
        ("https://user@a/01/09521234543213", None, "link.host", 9),
        ("https://:80/01/09521234543213", None, "link.host", 9),
        ("https://a", None, "link.no-key", 10),
        ("https://01/09521234543213", None, "link.no-key", 11),
        ("https://a/", None, "link.no-key", 10),
        ("https://a/about/us", None, "link.no-key", 10),
        ("https://a/gtin/09521234543213", None, "link.no-key", 10),
        ("https://a/ARHKVAdpQg", None, "link.no-key", 10),
        (f"{LINK}/", None, "link.slash", 37),
        (f"{LINK}/10/", "10", "ai.empty", 1),
        (f"{LINK}/05/x", None, "ai.unknown", 38),
        (f"{LINK}/10/a b", None, "link.characters", 42),
        (f"{LINK}/10/a|b", None, "link.characters", 42),
        (f"{LINK}/10/溯", None, "link.characters", 41),
        (f"{LINK}/10/a%2", None, "link.escape", 42),
        (f"{LINK}/10/a%00", "10", "cset82.invalid-cset82-character", 2),
        (f"{LINK}/10/%E6%BA%AF", "10", "cset82.invalid-cset82-character", 1),
        (f"{LINK}/21/a/10/b", "01", "link.path-order", 1),
        (f"{LINK}/10/a/10/b", "01", "link.path", 1),
        (f"{LINK}/22/a/235/b", "01", "link.path", 1),
        (f"{LINK}/17/270131", "01", "link.path", 1),
        ("https://a/8006/095212345432130102/235/x", "8006", "link.path", 1),
        ("https://a/01/9521234543213", "01", "ai.too-short", 14),
        (f"{LINK}?10=a", "10", "link.belongs-in-path", 1),
        (f"{LINK}?22=a", "22", "link.belongs-in-path", 1),
        (f"{LINK}?8011=1", "8011", "link.not-attribute", 1),
        (f"{LINK}?03=09521234543213", "03", "link.not-attribute", 1),
        (f"{LINK}?99=a&99=a", "99", "link.repeated", 1),
        (f"{LINK}?01=09521234543213", "01", "link.repeated", 1),
        (f"{LINK}?99=", "99", "ai.empty", 1),
        (f"{LINK}?99=a+b", None, "link.plus", 42),
        (f"{LINK}?04=a", None, "ai.unknown", 38),
        (f"{LINK}?x=1&1234567=a", None, "ai.unknown", 42),
    ],
)
def test_an_address_is_refused_where_it_goes_wrong(text: str, field: str | None, rule: str, position: int) -> None:
    assert refusal(text) == (field, rule, position)


def test_a_lot_may_stand_in_the_query_where_the_path_has_no_place_for_it() -> None:
    assert digital_link.parse(f"{LINK}/235/T?10=A").elements == (GTIN, ("235", "T"), ("10", "A"))
    assert digital_link.parse("https://a/8010/9521A?10=A").elements == (("8010", "9521A"), ("10", "A"))


def test_the_right_order_is_told() -> None:
    with pytest.raises(Invalid, match="the order /21/10 is wrong; the right one is /10/21"):
        digital_link.parse(f"{LINK}/21/a/10/b")


@pytest.mark.parametrize(
    ("elements", "link"),
    [
        ([GTIN], LINK),
        ([("21", "S"), ("10", "L"), ("22", "V"), GTIN], f"{LINK}/22/V/10/L/21/S"),
        ([GTIN, ("10", "a/b %_.-~+ü")], f"{LINK}/10/a%2Fb%20%25_.-~%2B%C3%BC"),
        ([GTIN, ("235", "T"), ("10", "L")], f"{LINK}/235/T?10=L"),
        ([GTIN, ("99", "x"), ("17", "270131"), ("98", "y")], f"{LINK}?17=270131&99=x&98=y"),
        ([GTIN, ("99", "x"), ("99", "x")], f"{LINK}?99=x"),
        ([("253", "9521234000006"), GTIN], "https://id.gs1.org/253/9521234000006?01=09521234543213"),
        ([GTIN, ("253", "9521234000006")], f"{LINK}?253=9521234000006"),
        ([("414", "9521234000006"), ("7040", "1ABC")], "https://id.gs1.org/414/9521234000006/7040/1ABC"),
        ([("10", "L")], None),
        ([("02", "09521234543213")], None),
        ([GTIN, ("8011", "1")], None),
        ([GTIN, ("22", "V"), ("235", "T")], None),
        ([GTIN, ("10", "A"), ("10", "B")], None),
    ],
)
def test_elements_are_printed_in_the_one_order_or_not_at_all(elements: list[tuple[str, str]], link: str | None) -> None:
    assert print_link(elements) == link


def test_a_link_is_printed_under_ones_own_host_and_stem() -> None:
    assert print_link([GTIN], "https://t.example.cn/x/") == "https://t.example.cn/x/01/09521234543213"
