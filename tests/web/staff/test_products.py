"""Products and categories at the staff desk."""

from __future__ import annotations

import re
from io import BytesIO

import makers
import pytest
import zxingcpp
from makers import a_category, a_gtin, a_product
from office import Office, fields_in_error
from PIL import Image

from lotseal.trace.products import service as products
from lotseal.trace.products.models import Category, Product
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System

FORM = {"name_zh": "大红袍", "name_en": "Big Red Robe", "spec": "100 g", "category": "tea"}


@pytest.fixture
def office(sqlite_system: System) -> Office:
    office = Office(sqlite_system)
    with sqlite_system.main.write() as db:
        a_category(db)
    return office


def _product_of(office: Office, firm: str, **changed: str) -> str:
    with office.system.main.write() as db:
        return a_product(db, suppliers.get(db, firm), **changed).ref


def _png() -> BytesIO:
    data = BytesIO()
    Image.new("RGB", (40, 30), "maroon").save(data, "PNG")
    data.seek(0)
    return data


def test_quality_adds_a_product_for_a_supplier(office: Office) -> None:
    bob = office.at_desk("bob")
    answer = bob.post("/staff/products/new", FORM | {"gtin": "6901234567892", "supplier": office.tea})
    assert answer.status_code == 303
    page = bob.get(answer.location).text
    assert "06901234567892" in page
    assert "Wuyi Rock Rhyme Tea" in page
    assert "internal, not global" not in page


def test_an_internal_number_is_marked_as_one(office: Office) -> None:
    bob = office.at_desk("bob")
    answer = bob.post("/staff/products/new", FORM | {"gtin": "2000000000008", "supplier": office.tea})
    assert "internal, not global" in bob.get(answer.location).text
    assert "internal, not global" in bob.get("/staff/products/").text


def test_a_wrong_check_digit_is_refused_with_the_right_one_and_keeps_what_was_typed(office: Office) -> None:
    answer = office.at_desk("bob").post("/staff/products/new", FORM | {"gtin": "6901234567891", "supplier": office.tea})
    assert answer.status_code == 422
    assert fields_in_error(answer.text) == ["gtin"]
    assert "would end in 2" in answer.text
    assert 'value="6901234567891"' in answer.text
    assert f'value="{office.tea}" selected' in answer.text
    with office.system.main.read() as db:
        assert makers.rows(db, Product) == 0


def test_staff_have_to_choose_the_supplier(office: Office) -> None:
    answer = office.at_desk("bob").post("/staff/products/new", FORM | {"gtin": a_gtin()})
    assert answer.status_code == 422
    assert fields_in_error(answer.text) == ["supplier"]


def test_a_gtin_in_use_is_a_conflict(office: Office) -> None:
    gtin = a_gtin()
    _product_of(office, office.milk, gtin=gtin)
    answer = office.at_desk("bob").post("/staff/products/new", FORM | {"gtin": gtin, "supplier": office.tea})
    assert answer.status_code == 409
    assert fields_in_error(answer.text) == ["gtin"]


def test_a_supplier_adds_and_changes_its_own_product_whatever_firm_it_names(office: Office) -> None:
    chen = office.at_desk("chen")
    answer = chen.post("/staff/products/new", FORM | {"gtin": a_gtin(), "supplier": office.milk})
    assert answer.status_code == 303
    assert "Wuyi Rock Rhyme Tea" in chen.get(answer.location).text
    changed = chen.post(f"{answer.location}/edit", FORM | {"spec": "200 g"})
    assert changed.status_code == 303
    assert "200 g" in chen.get(answer.location).text


def test_another_suppliers_product_does_not_exist_for_a_supplier(office: Office) -> None:
    foreign = _product_of(office, office.milk)
    chen = office.at_desk("chen")
    assert chen.get(f"/staff/products/{foreign}").status_code == 404
    assert chen.get(f"/staff/products/{foreign}/edit").status_code == 404
    assert chen.post(f"/staff/products/{foreign}/edit", FORM).status_code == 404
    picture = chen.post(f"/staff/products/{foreign}/picture", {"picture": (_png(), "a.png")})
    assert picture.status_code == 404
    assert foreign not in chen.get("/staff/products/").text
    with office.system.main.read() as db:
        assert products.get(db, foreign).picture is None


def test_the_gtin_of_a_product_stays_whatever_the_form_says(office: Office) -> None:
    gtin = a_gtin()
    ref = _product_of(office, office.tea, gtin=gtin)
    bob = office.at_desk("bob")
    assert bob.post(f"/staff/products/{ref}/edit", FORM | {"gtin": a_gtin(), "spec": "250 g"}).status_code == 303
    page = bob.get(f"/staff/products/{ref}").text
    assert gtin in page
    assert "250 g" in page


def test_a_picture_is_drawn_anew_and_shown_on_the_product_page(office: Office) -> None:
    ref = _product_of(office, office.tea)
    bob = office.at_desk("bob")
    assert bob.post(f"/staff/products/{ref}/picture", {"picture": (_png(), "pack.png")}).status_code == 303
    found = re.search(r'src="(/picture/[0-9a-f]{64})"', bob.get(f"/staff/products/{ref}").text)
    assert found
    image = office.browser().get(found[1])
    assert image.mimetype == "image/webp"
    assert image.data[8:12] == b"WEBP"


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7 no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG"]
)
def test_what_is_no_picture_is_refused_beside_its_field(office: Office, data: bytes) -> None:
    ref = _product_of(office, office.tea)
    answer = office.at_desk("bob").post(f"/staff/products/{ref}/picture", {"picture": (BytesIO(data), "a.png")})
    assert answer.status_code == 422
    assert fields_in_error(answer.text) == ["picture"]
    with office.system.main.read() as db:
        assert products.get(db, ref).picture is None


def test_no_picture_at_all_is_said(office: Office) -> None:
    ref = _product_of(office, office.tea)
    answer = office.at_desk("bob").post(f"/staff/products/{ref}/picture")
    assert answer.status_code == 422
    assert "Choose a file." in answer.text


def test_an_auditor_is_offered_no_change(office: Office) -> None:
    ref = _product_of(office, office.tea)
    erik = office.at_desk("erik")
    page = erik.get(f"/staff/products/{ref}").text
    assert "/edit" not in page
    assert 'type="file"' not in page
    assert erik.post(f"/staff/products/{ref}/edit", FORM).status_code == 403
    assert 'href="/staff/products/new"' not in erik.get("/staff/products/").text


def test_the_list_searches_by_name_and_gtin_and_filters_by_category(office: Office) -> None:
    lamp = _product_of(office, office.milk, category="lamp", name_en="Desk lamp")
    tea = _product_of(office, office.tea)
    bob = office.at_desk("bob")
    by_name = bob.get("/staff/products/?q=desk+LAMP").text
    assert lamp in by_name
    assert tea not in by_name
    with office.system.main.read() as db:
        gtin = products.get(db, tea).gtin
    assert tea in bob.get(f"/staff/products/?q={gtin[5:]}").text
    by_category = bob.get("/staff/products/?category=lamp").text
    assert lamp in by_category
    assert tea not in by_category
    for sort in ("name", "-english", "gtin", "-category", "supplier", "added", "nonsense"):
        assert bob.get(f"/staff/products/?sort={sort}").status_code == 200


def test_a_search_takes_wildcards_as_plain_characters(office: Office) -> None:
    _product_of(office, office.tea)
    assert "Nothing fits" in office.at_desk("bob").get("/staff/products/?q=%25_%25").text


def test_empty_lists_say_what_to_do_next(sqlite_system: System) -> None:
    bob = Office(sqlite_system).at_desk("bob")
    assert 'href="/staff/products/new"' in bob.get("/staff/products/").text
    form = bob.get("/staff/products/new").text
    assert "No categories yet" in form
    assert 'href="/staff/products/categories/new"' in form
    assert "No categories yet" in bob.get("/staff/products/categories").text


def test_a_category_is_added_with_its_rule(office: Office) -> None:
    bob = office.at_desk("bob")
    form = {"code": "salmon", "name_zh": "三文鱼", "name_en": "Salmon", "requires_lab_test": "1"}
    assert bob.post("/staff/products/categories/new", form).status_code == 303
    page = bob.get("/staff/products/categories").text
    assert "Salmon" in page
    assert page.count("needs a lab test") == 2
    refused = bob.post("/staff/products/categories/new", form | {"name_en": ""})
    assert fields_in_error(refused.text) == ["name_en"]
    assert bob.post("/staff/products/categories/new", form).status_code == 409


def test_the_rule_of_a_category_changes_and_its_code_does_not(office: Office) -> None:
    with office.system.main.read() as db:
        ref = products.categories(db)[0].ref
    bob, form = office.at_desk("bob"), {"code": "other", "name_zh": "茶", "name_en": "Tea"}
    assert bob.post(f"/staff/products/categories/{ref}", form).status_code == 303
    with office.system.main.read() as db:
        category = products.get_category(db, ref)
        assert (category.code, category.requires_lab_test) == ("tea", False)
        assert makers.acts(db)[-1] == "category:change"
        assert makers.rows(db, Category) == 1
    assert bob.get("/staff/products/categories/abcdefghjkmnpqrs").status_code == 404


def test_a_supplier_reads_the_rules_and_changes_none(office: Office) -> None:
    chen = office.at_desk("chen")
    assert "needs a lab test" in chen.get("/staff/products/categories").text
    assert chen.get("/staff/products/categories/new").status_code == 403


def test_the_symbols_of_a_product_are_downloads_that_say_its_number(office: Office) -> None:
    ref = _product_of(office, office.tea, gtin="09521321000018")
    chen = office.at_desk("chen")
    page = chen.get(f"/staff/products/{ref}").text
    found = re.findall(r'href="(/staff/products/[^"]+/symbol/([a-z0-9-]+)\.png)"', page)
    assert [carrier for _path, carrier in found] == [
        "qr", "gs1-qr", "data-matrix", "gs1-data-matrix", "gs1-128", "ean-13", "itf-14", "databar-expanded",
    ]  # fmt: skip
    for path, _carrier in found:
        answer = chen.get(path)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        [symbol] = zxingcpp.read_barcodes(Image.open(BytesIO(answer.data)).convert("L"))
        assert "9521321000018" in symbol.text
        assert chen.get(path.replace(".png", ".svg")).mimetype == "image/svg+xml"
    assert chen.get(f"/staff/products/{ref}/symbol/upc-a.png").status_code == 404
    assert chen.get(f"/staff/products/{ref}/symbol/nothing.png").status_code == 404
