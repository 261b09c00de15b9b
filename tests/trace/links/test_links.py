from __future__ import annotations

from typing import Any

import makers
import pytest
from makers import AT, a_batch, a_product, acts, rules
from sqlalchemy.orm import Session

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.errors import Conflict, Invalid, NotFound
from lotseal.trace.links import service
from lotseal.trace.links.choice import Offer, Wish, choose
from lotseal.trace.links.intake import read_anchor, read_link, read_rows
from lotseal.trace.links.models import Link
from lotseal.trace.links.types import TYPES, word_of
from lotseal.trace.passport import offers

GTIN = "09521321000018"


def facts(**changed: str) -> dict[str, str]:
    return {
        "of": GTIN,
        "link_type": "gs1:instructions",
        "href": "https://www.example.cn/manual",
        "title": "Manual",
        **changed,
    }


def add(session: Session, by: Any = OPERATOR, **changed: str) -> Link:
    return service.add(session, read_link(facts(**changed)), by=by, at=AT)


# --- what is typed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("9521321000018", f"/01/{GTIN}"),
        (f"(01){GTIN}(10)A/1", f"/01/{GTIN}/10/A%2F1"),
        (f"https://any.example/stem/01/{GTIN}/21/S1?17=270101", f"/01/{GTIN}/21/S1"),
        (f"/01/{GTIN}/22/V/10/L", f"/01/{GTIN}/22/V/10/L"),
        ("(253)9521321000018DOC1", "/253/9521321000018DOC1"),
        ("(414)9521321000018", "/414/9521321000018"),
        ("(00)395213210000000017", None),
    ],
)
def test_a_link_belongs_to_whatever_a_code_names(text: str, anchor: str | None) -> None:
    if anchor is None:
        with pytest.raises(Invalid):
            read_anchor(text)
    else:
        assert read_anchor(text) == anchor


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Invalid) as error:
        read_link(
            {
                "of": "(01)09521321000017",
                "link_type": "gs1:nonsense",
                "href": "javascript:alert(1)",
                "languages": "zh-Hans",
                "media_type": "pdf",
                "contexts": "<b>",
            }
        )
    assert [field for field, _rule in rules(error)] == [
        "of", "link_type", "href", "title", "languages", "media_type", "contexts",
    ]  # fmt: skip


def test_lists_have_one_spelling() -> None:
    draft = read_link(
        facts(languages="ZH, en-gb；en-GB", contexts="retail，CN", media_type="Text/HTML", is_default="1")
    )
    assert (draft.languages, draft.contexts, draft.media_type) == ("zh,en-GB", "retail,CN", "text/html")
    assert draft.is_default


def test_every_link_type_is_named_in_both_languages_and_read_in_every_spelling() -> None:
    for word, title in TYPES.items():
        assert title.en
        assert title.zh
        assert {word_of(f"{start}{word}") for start in ("", "gs1:", "https://ref.gs1.org/voc/")} == {word}
    assert word_of("gs1:productSustainabilityInfo") is None


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_link_is_added_changed_and_removed_and_each_is_an_act(lasting: Session) -> None:
    link = add(lasting)
    changed = service.change(lasting, link, read_link(facts(title="Guide")), by=OPERATOR, at=AT)
    assert changed == ["title"]
    assert service.change(lasting, link, read_link(facts(title="Guide")), by=OPERATOR, at=AT) == []
    service.remove(lasting, link, by=OPERATOR, at=AT)
    assert acts(lasting) == ["link:add", "link:change", "link:remove"]
    with pytest.raises(NotFound):
        service.get(lasting, link.ref)


def test_the_same_link_twice_and_a_second_default_are_refused(lasting: Session) -> None:
    add(lasting, is_default="1")
    with pytest.raises(Conflict) as error:
        add(lasting)
    assert rules(error) == [("href", "link.taken")]
    with pytest.raises(Conflict) as error:
        add(lasting, href="https://www.example.cn/2", is_default="1")
    assert rules(error) == [("is_default", "link.default-taken")]
    add(lasting, href="https://www.example.cn/zh", languages="zh", is_default="1")


def test_a_supplier_links_its_own_products_only(lasting: Session) -> None:
    mine, other = a_product(lasting), a_product(lasting)
    chen = makers.chen(lasting, mine.supplier)
    link = add(lasting, by=chen, of=f"(01){mine.gtin}(10)A1")
    for foreign in (other.gtin, "(414)9521321000018", f"(8006){other.gtin}0102"):
        with pytest.raises(Invalid) as error:
            add(lasting, by=chen, of=foreign)
        assert rules(error) == [("of", "link.not-yours")]
    strange = add(lasting, of=other.gtin)
    assert list(lasting.scalars(service.visible(chen))) == [link]
    with pytest.raises(NotFound):
        service.get(lasting, strange.ref, account=chen)


def test_a_table_comes_in_whole_or_with_every_wrong_cell_named(lasting: Session) -> None:
    head = "of,link_type,href,title,is_default\n"
    right = f"{GTIN},gs1:pip,https://www.example.cn/1,One,1\n"
    assert len(service.add_all(lasting, read_rows((head + right).encode()), by=OPERATOR, at=AT)) == 1
    wrong = f"{GTIN},gs1:pip,https://127.0.0.1/,,\n123,gs1:pip,https://www.example.cn/2,Two,\n"
    with pytest.raises(Invalid) as error:
        service.add_all(lasting, read_rows((head + wrong).encode()), by=OPERATOR, at=AT)
    assert rules(error) == [
        ("rows-2.href", "link.private"),
        ("rows-2.title", "text.missing"),
        ("rows-3.of", "code.kind"),
    ]
    with pytest.raises(Invalid) as error:
        service.add_all(lasting, read_rows((head + right).encode()), by=OPERATOR, at=AT)
    assert rules(error) == [("rows-2.href", "link.taken")]


@pytest.mark.parametrize(
    "data", [b"", b"a,b\n1,2\n", b"\xff\xfe", b"of,link_type,href,title\n", b"of\0\n", b"of,link_type,href,title,x\n"]
)
def test_a_file_that_is_no_such_table_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as error:
        read_rows(data)
    assert rules(error) == [("table", "link.file")]


def test_trusted_hosts_have_one_spelling_and_are_public(lasting: Session) -> None:
    row = service.allow_host(lasting, " https://WWW.Example.cn/ ", by=OPERATOR, at=AT)
    assert row.host == "www.example.cn"
    assert service.trusted(lasting, "https://www.example.cn/x?y#z")
    for other in ("https://example.cn/", "https://a.www.example.cn/", "https://www.example.cn:8443/"):
        assert not service.trusted(lasting, other)
    with pytest.raises(Conflict):
        service.allow_host(lasting, "www.example.cn", by=OPERATOR, at=AT)
    for wrong in ("localhost", "10.0.0.1", "example.cn/path", "a b", "u@example.cn", "", "example.cn?x"):
        with pytest.raises(Invalid):
            service.allow_host(lasting, wrong, by=OPERATOR, at=AT)
    service.refuse_host(lasting, service.get_host(lasting, "www.example.cn"), by=OPERATOR, at=AT)
    assert not service.hosts(lasting)


# --- the way up -------------------------------------------------------------------------------------------------------


def test_of_each_type_the_links_nearest_to_the_thing_count(lasting: Session) -> None:
    batch = a_batch(lasting)
    gtin = batch.product.gtin
    add(lasting, of=gtin, href="https://www.example.cn/product")
    add(lasting, of=gtin, href="https://www.example.cn/faq", link_type="faqs")
    add(lasting, of=f"(01){gtin}(10){batch.lot}", href="https://www.example.cn/lot")
    found = offers.find(lasting, [("01", gtin), ("10", batch.lot), ("21", "NONE")])
    assert found is not None
    assert found.walked_up
    assert found.anchor == f"/01/{gtin}/10/{batch.lot}"
    assert [one.href for one in found.of_type("instructions")] == ["https://www.example.cn/lot"]
    assert [one.href for one in found.of_type("faqs")] == ["https://www.example.cn/faq"]
    assert found.default.href == f"/01/{gtin}/10/{batch.lot}"


def test_a_default_of_the_product_does_not_take_the_place_of_the_page_of_a_lot(lasting: Session) -> None:
    batch = a_batch(lasting)
    gtin = batch.product.gtin
    add(lasting, of=gtin, href="https://www.example.cn/", link_type="pip", is_default="1")
    whole = offers.find(lasting, [("01", gtin)])
    lot = offers.find(lasting, [("01", gtin), ("10", batch.lot)])
    assert whole is not None
    assert lot is not None
    assert whole.default.href == "https://www.example.cn/"
    assert lot.default.is_page


def test_a_page_is_only_held_up_when_something_could_lead_elsewhere(lasting: Session) -> None:
    batch = a_batch(lasting, lot="OLD")
    gtin = batch.product.gtin
    item = [("01", gtin), ("10", "OLD"), ("21", "S")]

    def elsewhere(elements: list[tuple[str, str]]) -> bool:
        return offers.may_lead_elsewhere(lasting.connection(), elements)

    add(lasting, of=gtin, is_default="1")
    add(lasting, of=f"(01){gtin}(10)OLD")
    assert elsewhere([("01", gtin)])
    assert not elsewhere(item[:2])
    assert not elsewhere(item)
    add(lasting, of=f"(01){gtin}(21)S", is_default="1")
    assert elsewhere(item)
    service.correct_lot(lasting, batch, {"lot": "NEW", "reason": "typo"}, by=OPERATOR, at=AT)
    assert elsewhere(item[:2])
    assert not elsewhere([("01", gtin), ("10", "NEW")])
    other = a_product(lasting)
    before = other.gtin
    service.correct_gtin(lasting, other, {"gtin": makers.a_gtin(), "reason": "typo"}, by=OPERATOR, at=AT)
    assert elsewhere([("01", before)])
    assert not elsewhere([("01", other.gtin)])


def test_other_keys_have_the_links_that_were_set_and_nothing_else(lasting: Session) -> None:
    assert offers.find(lasting, [("414", "9521321000018")]) is None
    add(lasting, of="(414)9521321000018", link_type="locationInfo")
    found = offers.find(lasting, [("414", "9521321000018"), ("254", "X")])
    assert found is not None
    assert found.default.href == "https://www.example.cn/manual"


def test_a_document_number_leads_to_the_report_that_bears_it(lasting: Session, ring: Any) -> None:
    batch = makers.released(lasting, ring)
    report = makers.a_certificate(lasting, batch, number="9521321000018DOC7")
    found = offers.find(lasting, [("253", "9521321000018DOC7")])
    assert found is not None
    assert found.default.href == f"/report/{report.ref}"
    assert offers.find(lasting, [("253", "9521321000018DOC8")]) is None


# --- choosing ---------------------------------------------------------------------------------------------------------


def offer(href: str, **more: Any) -> Offer:
    return Offer("pip", href, href, href, **more)


ZH, EN, GB, ALL = (
    offer("zh", languages=("zh",)),
    offer("en", languages=("en",)),
    offer("gb", languages=("en-GB",)),
    offer("all"),
)


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        ((("zh-CN", 1.0), ("en", 0.8)), "zh"),
        ((("en-GB", 1.0),), "gb"),
        ((("en-US", 1.0),), "en"),
        ((("de", 1.0), ("en", 0.3)), "en"),
        ((("de", 1.0),), "all"),
        ((("en", 0.0), ("de", 1.0)), "all"),
    ],
)
def test_the_language_is_chosen_by_weight_with_the_same_language_of_another_country_as_second_best(
    languages: Any, expected: str
) -> None:
    assert choose([ZH, EN, GB, ALL], Wish(languages=languages))[0].href == expected


def test_context_comes_behind_language_and_media_type_behind_both() -> None:
    retail = offer("retail", languages=("zh",), contexts=("retail",))
    pdf = offer("pdf", languages=("zh",), media_type="application/pdf")
    chinese = (("zh", 1.0),)
    assert choose([ZH, retail, EN], Wish(chinese, context="Retail")) == [retail]
    assert choose([ZH, retail, EN], Wish(chinese)) == [ZH]
    assert choose([ZH, pdf], Wish(chinese, media=(("application/pdf", 1.0), ("*/*", 0.1)))) == [pdf]
    assert (
        choose([pdf, offer("x", languages=("zh",), media_type="text/html")], Wish(chinese, (("text/*", 1.0),)))[0].href
        == "x"
    )


def test_links_that_nothing_tells_apart_come_all() -> None:
    twin = offer("twin", languages=("zh",))
    assert choose([ZH, EN, twin], Wish((("zh", 1.0),))) == [ZH, twin]
    assert choose([EN, ZH], Wish((("fr", 1.0),))) == [EN]
    assert choose([], Wish()) == []


# --- corrected numbers ------------------------------------------------------------------------------------------------


def test_links_move_with_a_corrected_number(lasting: Session) -> None:
    batch = a_batch(lasting, lot="OLD/1")
    before, new = batch.product.gtin, makers.a_gtin()
    for of in (before, f"(01){before}(10)OLD/1", f"(01){before}(10)OLD/1(21)S", f"(01){before}(10)OLD/12"):
        add(lasting, of=of)
    service.correct_lot(lasting, batch, {"lot": "NEW", "reason": "typing mistake"}, by=OPERATOR, at=AT)
    service.correct_gtin(lasting, batch.product, {"gtin": new, "reason": "typing mistake"}, by=OPERATOR, at=AT)
    lasting.expire_all()
    anchors = sorted(link.anchor for link in lasting.scalars(service.visible(None)))
    assert anchors == [
        f"/01/{new}", f"/01/{new}/10/NEW", f"/01/{new}/10/NEW/21/S", f"/01/{new}/10/OLD%2F12",
    ]  # fmt: skip
    late = add(lasting, of=f"(01){before}(10)OLD/1", href="https://www.example.cn/late")
    assert late.anchor == f"/01/{new}/10/NEW"
    found = offers.find(lasting, [("01", before), ("10", "OLD/1")])
    assert found is not None
    assert len(found.of_type("instructions")) == 2
    # Each move is a change of the link, so that its history in the log leads to its address of today.
    moves = ["batch:renumber", *["link:change"] * 2, "product:renumber", *["link:change"] * 4, "link:add"]
    assert acts(lasting)[-9:] == moves
