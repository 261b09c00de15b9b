"""The one door: what a text is taken for, what is proposed for a wrong one, and that nothing else ever happens."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lotseal.trace.codes.ais import TABLE
from lotseal.trace.codes.digital_link import print_link
from lotseal.trace.codes.element_string import print_bracketed, print_element_string
from lotseal.trace.codes.epc import print_epc_urn
from lotseal.trace.codes.inspection import inspect
from lotseal.trace.codes.model import MOST_CHARACTERS, Kind
from lotseal.trace.codes.reading import kind_of, read
from lotseal.trace.codes.scan import print_scan_data
from lotseal.trace.errors import Invalid

GTIN = ("01", "09521234543213")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://a/01/09521234543213", Kind.DIGITAL_LINK),
        ("HtTp://a", Kind.DIGITAL_LINK),
        ("(01)09521234543213", Kind.BRACKETED),
        ("^0109521234543213", Kind.ELEMENT_STRING),
        ("\x1d0109521234543213", Kind.ELEMENT_STRING),
        ("]Q30109521234543213", Kind.SCAN_DATA),
        ("9521234543213", Kind.GTIN),
        ("9 521234-543213", Kind.GTIN),
        ("URN:EPC:id:sgtin:9521234.054321.1", Kind.EPC_URN),
        ("hello", None),
        ("", None),
    ],
)
def test_a_text_tells_its_kind(text: str, kind: Kind | None) -> None:
    assert kind_of(text) is kind


def refusal(text: str, kind: Kind | None = None) -> Invalid:
    with pytest.raises(Invalid) as error:
        read(text, kind)
    return error.value


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("https://a/01/9521234543213", "https://a/01/09521234543213"),
        ("https://a/01/614141007349", "https://a/01/00614141007349"),
        ("https://a/01/96385074", "https://a/01/00000096385074"),
        ("https://a/01/09521234543210", "https://a/01/09521234543213"),
        ("https://a/01/O9521234543213", "https://a/01/09521234543213"),
        ("https://a/01/09521234543213/", "https://a/01/09521234543213"),
        ("https://a/01/09521234543213/21/S/10/L", "https://a/01/09521234543213/10/L/21/S"),
        ("https://a/01/09521234543213?10=L", "https://a/01/09521234543213/10/L"),
        ("https://a/gtin/09521234543213/lot/L", "https://a/01/09521234543213/10/L"),
        ("https://a/01/09521234543213/10/ L ", "https://a/01/09521234543213/10/L"),
        ("Https://a/01/09521234543213", "https://a/01/09521234543213"),
        ("https://a/01/9521234543213?x=%41&y&17=270131", "https://a/01/09521234543213?17=270131&x=%41&y"),
        ("(01)9521234543213", "(01)09521234543213"),
        ("(01) 09521234543213 (10) L", "(01)09521234543213(10)L"),
        ("(01)09521234543214(10)L", "(01)09521234543213(10)L"),
        ("（01）０９５２１２３４５４３２１３", "(01)09521234543213"),
        ("(8013)9521Model22", "(8013)9521ModelST"),
        ("0109521234543213", "^0109521234543213"),
        ("010952123454321310L{GS}21S", "^010952123454321310L^21S"),
        ("^01095212345432I3", "^0109521234543213"),
        ("]Q3^010952123454321310L^21S", "]Q3010952123454321310L\x1d21S"),
        ("]E09521234543214", "]E09521234543213"),
        ("]Q1https://a/01/9521234543213", "]Q1https://a/01/09521234543213"),
        ("9521234543214", "9521234543213"),
        ("952123454321O", "9521234543213"),
        ("952I234543213", "9521234543213"),
        ("urn:epc:id:sgtin:9521234.054321.1 ", "urn:epc:id:sgtin:9521234.054321.1"),
        ("hello", None),
        ("(01)09521234543213(37)1", None),
        ("https://a/01/952123454321", None),
    ],
)
def test_a_mend_is_proposed_where_there_is_one(text: str, mend: str | None) -> None:
    first = refusal(text).problems[0]
    assert first.message.values.get("mend") == mend
    if mend is not None:
        assert str(first.message).endswith(f"Perhaps this is meant: {mend}")
        read(mend)


def test_over_long_input_is_refused_at_once() -> None:
    text = "(10)" + "x" * 10_000_000
    began = time.process_time()
    first = refusal(text).problems[0]
    assert time.process_time() - began < 0.1
    assert (first.rule, first.message.values["position"]) == ("code.too-long", MOST_CHARACTERS + 1)


def test_a_text_of_no_kind_is_told_what_kinds_there_are() -> None:
    assert "https://" in str(refusal("hello"))


def test_associations_are_checked_unless_they_are_not_wanted() -> None:
    assert refusal("(10)L").problems[0].rule == "association.requisites"
    assert read("(10)L", associations=False).elements == (("10", "L"),)


def test_a_kind_that_is_given_is_the_only_one_tried() -> None:
    assert refusal("(01)09521234543213", Kind.GTIN).problems[0].rule == "gtin.digits"


def test_a_typed_gtin_has_its_problem_under_its_identifier() -> None:
    assert read("9 521234 543213").elements == (GTIN,)
    problem = refusal("9521234x43213", Kind.GTIN).problems[0]
    assert (problem.field, problem.rule, problem.message.values["position"]) == ("01", "gtin.digits", 8)


def test_only_so_many_problems_are_told() -> None:
    assert len(refusal("(99)" * 60).problems) == 20


def test_inspection_gives_every_form() -> None:
    found = inspect("https://a.example/01/09521234543213/10/L%2F1?99=x&y=1")
    assert found == {
        "input": "https://a.example/01/09521234543213/10/L%2F1?99=x&y=1",
        "ok": True,
        "kind": "digital-link",
        "ai": (GTIN, ("10", "L/1"), ("99", "x")),
        "canonical": "https://id.gs1.org/01/09521234543213/10/L%2F1?99=x",
        "bracketed": "(01)09521234543213(10)L/1(99)x",
        "element_string": "^010952123454321310L/1^99x",
        "scan_data": "]Q3010952123454321310L/1\x1d99x",
        "errors": [],
    }


def test_a_link_keeps_its_row_of_qualifiers_and_an_element_string_gets_the_one_of_gs1s_engine() -> None:
    link = "https://id.gs1.org/01/09521234543213/235/T?10=L"
    assert inspect(link)["canonical"] == link
    assert inspect("(01)09521234543213(235)T(10)L")["canonical"] is None
    assert inspect("(01)09521234543213(235)T")["canonical"] == "https://id.gs1.org/01/09521234543213/235/T"


def test_inspection_of_a_wrong_code_gives_its_errors() -> None:
    found = inspect("(04)1", words=lambda message: message.text)
    assert (found["ok"], found["kind"], found["ai"], found["canonical"]) == (False, "bracketed", [], None)
    (error,) = found["errors"]
    assert (error["ai"], error["rule"], error["position"]) == (None, "ai.unknown", 2)
    assert "%(ai)s" in error["message"]


# --- any text at all --------------------------------------------------------------------------------------------------

fragments = st.sampled_from(
    [
        "https://",
        "a.example",
        "/01/",
        "09521234543213",
        "/10/",
        "(01)",
        "(10)",
        "(8110)",
        "^",
        "\x1d",
        "]Q3",
        "]E0",
        "|]e0",
        "?",
        "&",
        "=",
        "%",
        "%2F",
        "urn:epc:id:",
        "sgtin:",
        ".",
        "9521234",
        "054321",
        "\\(",
        "x" * 100,
        "0",
        "溯",
        "\ud800",
    ]
)
texts = st.one_of(
    st.text(max_size=200),
    st.lists(fragments, max_size=40).map("".join),
    st.builds(
        lambda text, count: (text * count)[:MOST_CHARACTERS], st.text(min_size=1, max_size=20), st.integers(1, 8192)
    ),
)


@settings(max_examples=400)
@given(text=texts, kind=st.sampled_from([None, *Kind]), associations=st.booleans())
@example(text="(10)" + "\\" * 8000, kind=None, associations=True)
@example(text="https://" + "." * 8000, kind=None, associations=True)
@example(text="https://a/" + "01/" * 2700, kind=None, associations=True)
@example(text="https://a/01/09521234543213?" + "&" * 8000, kind=None, associations=True)
@example(text="^" + "99A^" * 2000, kind=None, associations=True)
@example(text="".join(f"({ai})1" for ai in TABLE)[:8192], kind=None, associations=True)
@example(text="urn:epc:id:sgtin:" + "." * 8000, kind=None, associations=True)
def test_any_text_is_understood_or_refused_in_bounded_time(text: str, kind: Kind | None, associations: bool) -> None:
    began = time.process_time()
    try:
        read(text, kind, associations=associations)
    except Invalid as refused:
        for problem in refused.problems:
            position = problem.message.values["position"]
            assert isinstance(position, int)
            assert position >= 1
            assert str(problem.message)
    assert time.process_time() - began < 1


# --- round trips ------------------------------------------------------------------------------------------------------

cset82 = st.text("!\"%&'()*+,-./09:;<=>?AZ_az", min_size=1, max_size=20)
digits = st.text("0123456789", min_size=1, max_size=8)


@st.composite
def items(draw: st.DrawFn) -> list[tuple[str, str]]:
    """A GTIN with what may stand beside it."""
    found = [GTIN]
    for ai, values in (("22", cset82), ("10", cset82), ("21", cset82), ("99", cset82), ("240", cset82)):
        if draw(st.booleans()):
            found.append((ai, draw(values)))
    if draw(st.booleans()):
        found.append(("17", "270131"))
    if draw(st.booleans()):
        found.append(("3103", draw(st.from_regex("[0-9]{6}", fullmatch=True))))
    return draw(st.permutations(found))


@given(items())
def test_every_form_says_the_same_when_it_is_read_again(elements: list[tuple[str, str]]) -> None:
    bracketed = print_bracketed(elements)
    code = read(bracketed)
    assert code.elements == tuple(elements)
    for kind, text in (
        (Kind.BRACKETED, bracketed),
        (Kind.ELEMENT_STRING, print_element_string(elements)),
        (Kind.ELEMENT_STRING, print_element_string(elements, "\x1d")),
        *((Kind.SCAN_DATA, print_scan_data(code, symbology)) for symbology in ("]Q3", "]d2", "]C1", "]e0", "]J1")),
    ):
        assert text is not None
        assert read(text, kind).elements == code.elements
        assert read(text).kind is kind
    link = print_link(elements, "https://t.example.cn")
    assert link is not None
    again = read(link)
    assert sorted(again.elements) == sorted(elements)
    assert print_link(again.elements, "https://t.example.cn") == link
    scanned = print_scan_data(again, "]Q1")
    assert scanned is not None
    assert read(scanned).elements == again.elements


@given(
    st.sampled_from(
        [
            "id:sgtin:{p}.{r6}.{s}",
            "class:lgtin:{p}.{r6}.{s}",
            "id:upui:{p}.{r6}.{s}",
            "id:gdti:{p}.{r5}.{t}",
            "id:grai:{p}.{r5}.{t}",
            "id:sgln:{p}.{r5}.{s}",
            "id:pgln:{p}.{r5}",
            "id:sgcn:{p}.{r5}.{n}",
            "id:gsrn:{p}.{r10}",
            "id:gsrnp:{p}.{r10}",
            "id:gsin:{p}.{r9}",
            "id:sscc:{p}.{r10}",
            "id:itip:{p}.{r6}.01.02.{s}",
            "idpat:sgtin:{p}.{r6}.*",
            "idpat:grai:{p}.{r5}.*",
        ]
    ),
    st.data(),
)
def test_an_epc_urn_says_the_same_when_it_is_printed_and_read_again(form: str, data: st.DataObject) -> None:
    number = data.draw(st.from_regex("[0-9]{17}", fullmatch=True))
    parts = {f"r{size}": number[-size:] for size in (5, 6, 9, 10)}
    plain = st.text("A9a-_'()*+,:;=", min_size=1, max_size=16)
    urn = "urn:epc:" + form.format(p=number[:7], s=data.draw(plain), t=data.draw(plain), n=number[:12], **parts)
    code = read(urn, associations=False)
    assert print_epc_urn(code) == urn
    link = print_link(code.elements)
    assert link is not None
    assert read(link, associations=False).elements == code.elements
