from __future__ import annotations

import pytest
from makers import AT, PRODUCT, a_category, a_gtin, a_product, a_supplier, acts, chen, dana, rows, rules
from sqlalchemy.orm import Session

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.errors import Conflict, Invalid, NotFound
from lotseal.trace.log.service import of_subject
from lotseal.trace.products import service as products
from lotseal.trace.products.models import Category, Product

TEA = {"code": "tea", "name_zh": "茶", "name_en": "Tea"}


def test_a_category_says_whether_its_goods_need_a_test(lasting: Session) -> None:
    strict = products.add_category(
        lasting, products.read_category({**TEA, "requires_lab_test": "on"}), by=OPERATOR, at=AT
    )
    easy = products.add_category(lasting, products.read_category({**TEA, "code": "cup"}), by=OPERATOR, at=AT)
    assert (strict.requires_lab_test, easy.requires_lab_test) == (True, False)
    assert [category.code for category in products.categories(lasting)] == ["cup", "tea"]
    assert acts(lasting) == ["category:add"] * 2


def test_one_code_names_one_category(lasting: Session) -> None:
    a_category(lasting)
    with pytest.raises(Conflict) as error:
        products.add_category(lasting, products.read_category(TEA), by=OPERATOR, at=AT)
    assert rules(error) == [("code", "category.code-taken")]
    assert (rows(lasting, Category), acts(lasting)) == (1, ["category:add"])


@pytest.mark.parametrize("code", ["T", "t", "Tea", "1tea", "tea_1", "t" * 41, "te a", "茶"])
def test_a_category_code_is_short_and_plain(code: str) -> None:
    with pytest.raises(Invalid) as error:
        products.read_category({**TEA, "code": code})
    assert rules(error) == [("code", "category.code")]


def test_a_product_is_kept_under_fourteen_digits(lasting: Session) -> None:
    gtin = a_gtin()
    product = a_product(lasting, gtin=gtin.removeprefix("0"))
    assert (product.gtin, product.internal, product.category.code) == (gtin, False, "tea")
    assert products.by_gtin(lasting, gtin) is product
    assert acts(lasting)[-1] == "product:add"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"gtin": ""}, ("gtin", "text.missing")),
        ({"gtin": "6901234567893"}, ("gtin", "gtin.check-digit")),
        ({"name_zh": "x" * 61}, ("name_zh", "text.too-long")),
        ({"name_en": "<b>"}, ("name_en", "text.markup")),
        ({"spec": "x" * 61}, ("spec", "text.too-long")),
        ({"category": ""}, ("category", "choice.missing")),
        ({"after_sales_zh": "x" * 1001}, ("after_sales_zh", "text.too-long")),
        ({"after_sales_en": "🍵"}, ("after_sales_en", "text.symbol")),
    ],
)
def test_each_wrong_field_is_refused(changed: dict[str, str], problem: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        products.read_product({**PRODUCT, "gtin": a_gtin(), **changed})
    assert rules(error) == [problem]


def test_one_gtin_names_one_product_whoever_has_it(lasting: Session) -> None:
    product = a_product(lasting)
    with pytest.raises(Conflict) as error:
        a_product(lasting, a_supplier(lasting), gtin=product.gtin)
    assert rules(error) == [("gtin", "product.gtin-taken")]
    assert rows(lasting, Product) == 1
    assert acts(lasting).count("product:add") == 1


def test_a_category_that_is_not_there_is_refused(lasting: Session) -> None:
    draft = products.read_product({**PRODUCT, "gtin": a_gtin(), "category": "none"})
    with pytest.raises(Invalid) as error:
        products.add(lasting, draft, a_supplier(lasting), by=OPERATOR, at=AT)
    assert rules(error) == [("category", "category.unknown")]
    assert rows(lasting, Product) == 0


def test_everything_but_the_gtin_can_change(lasting: Session) -> None:
    product = a_product(lasting)
    a_category(lasting, "cup", lab_test=False)
    draft = products.read_product({**PRODUCT, "gtin": product.gtin, "spec": "200 g", "category": "cup"})
    products.change(lasting, product, draft, by=OPERATOR, at=AT)
    assert (product.spec, product.category.code) == ("200 g", "cup")
    [newest, _] = of_subject(lasting, f"product:{product.ref}")
    assert newest.facts == {"changed": {"spec": ["100 g", "200 g"], "category": ["tea", "cup"]}}


def test_the_gtin_is_printed_and_stays(lasting: Session) -> None:
    product = a_product(lasting)
    with pytest.raises(Conflict) as error:
        products.change(lasting, product, products.read_product({**PRODUCT, "gtin": a_gtin()}), by=OPERATOR, at=AT)
    assert rules(error) == [("gtin", "product.gtin-fixed")]
    assert "product:change" not in acts(lasting)


def test_a_picture_is_set_by_its_hashes(lasting: Session) -> None:
    product = a_product(lasting)
    products.set_picture(lasting, product, picture="a" * 64, original="b" * 64, by=OPERATOR, at=AT)
    assert (product.picture, product.picture_original) == ("a" * 64, "b" * 64)
    assert acts(lasting)[-1] == "product:picture"


def test_chen_sees_the_own_products_only(lasting: Session) -> None:
    ours, theirs = a_product(lasting), a_product(lasting)
    c, d = chen(lasting, ours.supplier), dana(lasting, theirs.supplier)
    assert list(lasting.scalars(products.visible(c))) == [ours]
    assert products.get(lasting, ours.ref, account=c) is ours
    assert products.by_gtin(lasting, ours.gtin, account=c) is ours
    for account, other in ((c, theirs), (d, ours)):
        with pytest.raises(NotFound):
            products.get(lasting, other.ref, account=account)
        with pytest.raises(NotFound):
            products.by_gtin(lasting, other.gtin, account=account)
    assert len(lasting.scalars(products.visible(None)).all()) == 2
