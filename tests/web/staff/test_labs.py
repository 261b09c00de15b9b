"""Laboratories at the desk: added, changed, searched; certificates pinned after a comparison, and unpinned."""

from __future__ import annotations

import base64
import re
from typing import Any

import makers
import pytest
from signers import laboratory as lab_signer
from signers import laboratory_root, report, sign, stranger, stranger_root
from sqlalchemy import select

from lotseal.trace.batches import service as batches
from lotseal.trace.certificates.models import Certificate
from lotseal.trace.labs import service as labs
from lotseal.trace.labs.models import Laboratory, PinnedRoot
from lotseal.trace.labs.roots import read_root
from lotseal.trace.releases import service as releases
from lotseal.trace.system import System

HOME = "/staff/laboratories"
FACTS = dict(makers.LABORATORY)


@pytest.fixture
def lab(sqlite_system: System) -> str:
    with sqlite_system.main.write() as session:
        return makers.a_laboratory(session).ref


def pinned(system: System, ref: str) -> list[PinnedRoot]:
    with system.main.read() as session:
        return list(labs.get(session, ref).roots)


def pin(system: System, ref: str) -> None:
    root = read_root(laboratory_root().der)
    with system.main.write() as session:
        labs.pin(session, labs.get(session, ref), root, {"sha256": root.sha256}, by=makers.OPERATOR, at=makers.AT)


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_laboratory_is_added_found_and_changed(bob: Any, sqlite_system: System) -> None:
    bob.open(f"{HOME}/new")
    where = bob.send(f"{HOME}/new", FACTS)
    page = bob.open(where)
    assert "The laboratory was added" in page
    assert "CMA 2113 0011 1111" in page
    assert "Minjian" in bob.open(f"{HOME}/?q=2113")
    assert "Nothing fits" in bob.open(f"{HOME}/?q=nowhere")
    bob.open(f"{where}/edit")
    bob.send(f"{where}/edit", FACTS | {"name_en": "Minjian Testing"})
    assert "Minjian Testing" in bob.open(where)


def test_a_refused_form_keeps_what_was_typed_and_names_every_field(bob: Any) -> None:
    bob.open(f"{HOME}/new")
    page = bob.send(f"{HOME}/new", {"name_zh": "某检测", "country": "CN", "valid_until": "x"}, status=422)
    assert 'value="某检测"' in page
    for name in ("name_en", "cma", "valid_until"):
        assert f'id="f-{name}-error"' in page


def test_a_suspended_laboratory_says_why_and_is_resumed(bob: Any, lab: str) -> None:
    bob.open(f"{HOME}/{lab}")
    bob.send(f"{HOME}/{lab}/suspend", {"reason": "accreditation withdrawn"})
    assert "accreditation withdrawn" in bob.open(f"{HOME}/{lab}")
    assert "Minjian" in bob.open(f"{HOME}/?state=suspended")
    bob.send(f"{HOME}/{lab}/resume")
    assert "accreditation withdrawn" not in bob.open(f"{HOME}/{lab}")


def test_auditors_read_and_suppliers_do_not_even_that(erik: Any, chen: Any, lab: str) -> None:
    page = erik.open(f"{HOME}/{lab}")
    assert "Pin a certificate" not in page
    erik.open(f"{HOME}/new", status=403)
    chen.open(f"{HOME}/", status=403)
    chen.open(f"{HOME}/{lab}", status=403)


# --- pinning ----------------------------------------------------------------------------------------------------------


def test_a_certificate_is_pinned_in_two_steps_with_its_fingerprint_shown(
    bob: Any, sqlite_system: System, lab: str
) -> None:
    bob.open(f"{HOME}/{lab}/pin")
    page = bob.send(f"{HOME}/{lab}/pin", {"purpose": "signing"}, status=200, root=(laboratory_root().pem, "root.pem"))
    assert laboratory_root().sha256 in page
    assert "belongs to an authority" in page
    assert pinned(sqlite_system, lab) == []
    der = re.search(r'name="der" value="([^"]+)"', page)
    assert der
    form = {"der": der[1], "sha256": laboratory_root().sha256, "purpose": "signing"}
    again = bob.send(f"{HOME}/{lab}/pin", form, status=422)
    assert "Compare the SHA-256 first" in again
    bob.send(f"{HOME}/{lab}/pin", form | {"compared": "1"})
    (row,) = pinned(sqlite_system, lab)
    assert (row.der, row.added_by) == (laboratory_root().der, "Bob")
    assert laboratory_root().sha256 in bob.open(f"{HOME}/{lab}")


def test_another_certificate_in_the_second_step_is_not_the_one_that_was_compared(
    bob: Any, sqlite_system: System, lab: str
) -> None:
    bob.open(f"{HOME}/{lab}/pin")
    form = {
        "der": base64.b64encode(stranger_root().der).decode(),
        "sha256": laboratory_root().sha256,
        "purpose": "signing",
        "compared": "1",
    }
    assert "another SHA-256" in bob.send(f"{HOME}/{lab}/pin", form, status=422)
    assert pinned(sqlite_system, lab) == []


@pytest.mark.parametrize("der", ["", "!!!!", "AAAA"])
def test_a_second_step_without_a_certificate_is_refused(der: str, bob: Any, lab: str) -> None:
    bob.open(f"{HOME}/{lab}/pin")
    page = bob.send(f"{HOME}/{lab}/pin", {"der": der, "purpose": "signing", "compared": "1"}, status=422)
    assert "This is no certificate" in page


def test_what_is_no_certificate_is_refused_with_its_mend(bob: Any, lab: str) -> None:
    bob.open(f"{HOME}/{lab}/pin")
    page = bob.send(f"{HOME}/{lab}/pin", {"purpose": "signing"}, status=422, root=(b"hello", "root.pem"))
    assert "This is no certificate" in page
    assert "Choose a file" in bob.send(f"{HOME}/{lab}/pin", {"purpose": "signing"}, status=422)


def test_a_certificate_is_unpinned_with_a_reason_and_stays_on_record(bob: Any, sqlite_system: System, lab: str) -> None:
    pin(sqlite_system, lab)
    (row,) = pinned(sqlite_system, lab)
    page = bob.open(f"{HOME}/{lab}/unpin?root={row.ref}")
    assert f'<option value="{row.ref}" selected>' in page
    assert 'id="f-reason-error"' in bob.send(f"{HOME}/{lab}/unpin", {"root": row.ref, "reason": " "}, status=422)
    assert 'id="f-root-error"' in bob.send(f"{HOME}/{lab}/unpin", {"reason": "key lost"}, status=422)
    bob.send(f"{HOME}/{lab}/unpin", {"root": row.ref, "reason": "key lost"})
    page = bob.open(f"{HOME}/{lab}")
    assert "key lost" in page
    assert row.sha256 in page
    assert "There is nothing to unpin" in bob.open(f"{HOME}/{lab}/unpin")


# --- on the report ----------------------------------------------------------------------------------------------------


def sent(system: System, browser: Any, data: bytes, **changed: str) -> str:
    """A supplier's browser uploads this file; gives the reference of the report."""
    from makers import CERTIFICATE, a_batch, a_product

    with system.main.write() as session:
        from lotseal.trace.accounts.models import Account
        from lotseal.trace.suppliers.models import Supplier

        firm = select(Supplier).join(Account, Account.supplier_id == Supplier.id).where(Account.login == "chen")
        batch = a_batch(session, a_product(session, session.scalars(firm).one())).ref
    line = {"parameter": "铅", "limit": "≤ 5.0", "result": "0.9", "unit": "mg/kg"}
    form = {**CERTIFICATE, "number": "YX-1", "batch": batch, **changed}
    form |= {f"lines-0.{name}": value for name, value in line.items()}
    browser.open(f"/staff/certificates/add?batch={batch}")
    return str(browser.send("/staff/certificates/add", form, file=(data, "report.pdf"))).rpartition("/")[2]


def on_sale(system: System, ref: str) -> None:
    from lotseal.trace.certificates import service as certificates

    with system.main.write() as session:
        certificate = certificates.get(session, ref)
        certificates.accept(session, certificate, by=makers.OPERATOR, at=makers.AT)
        batch = batches.get(session, certificate.batch.ref)
        releases.release(session, batch, system.ring, by=makers.OPERATOR, at=makers.AT)


def test_a_signed_report_says_so_to_reviewers_and_to_the_public(
    chen: Any, bob: Any, browser: Any, sqlite_system: System, lab: str
) -> None:
    pin(sqlite_system, lab)
    ref = sent(sqlite_system, chen, sign(report(), lab_signer()))
    page = bob.open(f"/staff/certificates/{ref}")
    assert "Signed by the laboratory" in page
    assert page.count("gate-ok") == 5
    assert f'href="/staff/laboratories/{lab}"' in page
    assert laboratory_root().sha256 in page
    assert "No registered laboratory" not in page
    on_sale(sqlite_system, ref)
    page = browser.open(f"/report/{ref}")
    assert "Signed by the laboratory" in page
    assert lab_signer().sha256 in page
    browser.language = "zh"
    assert "由检验机构签名" in browser.open(f"/report/{ref}")


def test_what_a_stranger_signed_is_never_told_as_the_laboratorys(
    chen: Any, bob: Any, browser: Any, sqlite_system: System, lab: str
) -> None:
    pin(sqlite_system, lab)
    ref = sent(sqlite_system, chen, sign(report(), stranger()))
    on_sale(sqlite_system, ref)
    for page in (bob.open(f"/staff/certificates/{ref}"), browser.open(f"/report/{ref}")):
        assert "Signed by the laboratory" not in page
        assert "Signed, but the signer is not one we pinned" in page
        assert page.count("gate-open") == 1


def test_an_unsigned_report_and_a_picture_say_what_they_are(
    chen: Any, bob: Any, sqlite_system: System, lab: str
) -> None:
    from io import BytesIO

    from PIL import Image

    ref = sent(sqlite_system, chen, report(), accreditation="CMA 999999999999")
    page = bob.open(f"/staff/certificates/{ref}")
    assert "Not signed" in page
    assert "No registered laboratory has this accreditation number." in page
    target = BytesIO()
    Image.new("RGB", (300, 300), "white").save(target, "PNG")
    ref = sent(sqlite_system, chen, target.getvalue(), number="YX-2")
    assert "No signature possible" in bob.open(f"/staff/certificates/{ref}")


def test_a_supplier_sees_the_facts_of_its_report_but_no_way_into_the_office(
    chen: Any, sqlite_system: System, lab: str
) -> None:
    pin(sqlite_system, lab)
    ref = sent(sqlite_system, chen, sign(report(), lab_signer()))
    page = chen.open(f"/staff/certificates/{ref}")
    assert "Signed by the laboratory" in page
    assert "/staff/laboratories" not in page


def test_the_page_of_a_laboratory_lists_its_reports(chen: Any, bob: Any, sqlite_system: System, lab: str) -> None:
    assert "No report has one of its accreditation numbers." in bob.open(f"{HOME}/{lab}")
    ref = sent(sqlite_system, chen, report())
    assert f"/staff/certificates/{ref}" in bob.open(f"{HOME}/{lab}")
    with sqlite_system.main.read() as session:
        row = session.scalars(select(Certificate)).one()
        assert row.registered is session.scalars(select(Laboratory)).one()
