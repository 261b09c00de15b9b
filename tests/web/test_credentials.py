"""Credentials, status lists, keys and contexts as anybody gets them."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64decode
from typing import Any

import makers
import pytest
from joserfc import jws as jose
from joserfc.jwk import KeySet
from makers import AT, BASE, RECALL, Clock, a_batch, a_certificate, codes, issue_credentials, released
from office import Browser, Office

from lotseal.signing.status_list import decode, get
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch
from lotseal.trace.certificates import service as certificates
from lotseal.trace.credentials import contexts, service
from lotseal.trace.credentials.models import Credential
from lotseal.trace.links import service as links
from lotseal.trace.links.intake import read_link
from lotseal.trace.releases import service as releases
from lotseal.trace.system import System

JWT = {"Accept": "application/vc+jwt"}
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def office(sqlite_system: System, time: Clock) -> Office:
    return Office(sqlite_system)


@pytest.fixture
def anybody(office: Office) -> Browser:
    return office.browser()


@pytest.fixture
def batch(office: Office) -> Batch:
    with office.system.main.write() as session:
        made = released(session, office.system.ring)
    issue_credentials(office.system)
    return made


def credential(system: System, batch: Batch, kind: str = "passport") -> Credential:
    with system.main.read() as session:
        [row] = [one for one in service.of_batch(session, batch) if one.kind == kind and one.revoked_at is None]
    return row


def payload(text: str) -> dict[str, Any]:
    part = text.split(".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def local(url: str) -> str:
    assert url.startswith(f"{BASE}/")
    return url.removeprefix(BASE)


def verified(anybody: Browser, text: str) -> dict[str, Any]:
    """What a stranger learns from a credential with the published keys alone."""
    jwks = json.loads(anybody.get("/.well-known/jwks.json").text)
    read = jose.deserialize_compact(text, KeySet.import_key_set(jwks), algorithms=["ES256"])
    found: dict[str, Any] = json.loads(read.payload or b"")
    return found


def is_revoked(anybody: Browser, said: dict[str, Any]) -> bool:
    """Fetch the list that a credential names, verify it and look at its bit."""
    status = said["credentialStatus"]
    listed = verified(anybody, anybody.get(local(status["statusListCredential"]), headers=JWT).text)
    return get(decode(listed["credentialSubject"]["encodedList"]), int(status["statusListIndex"]))


@pytest.mark.parametrize("kind", ["passport", "inspection"])
def test_a_stranger_fetches_verifies_and_learns_of_the_revocation(
    office: Office, anybody: Browser, batch: Batch, kind: str
) -> None:
    row = credential(office.system, batch, kind)
    answer = anybody.get(f"/credentials/{row.ref}", headers=JWT)
    assert (answer.status_code, answer.text, answer.content_type) == (200, row.jwt, "application/vc+jwt")
    said = verified(anybody, answer.text)
    assert said["id"] == f"{BASE}/credentials/{row.ref}"
    assert not is_revoked(anybody, said)
    with office.system.main.write() as session:
        there = batches.get(session, batch.ref)
        if kind == "passport":
            batches.recall(session, there, RECALL, by=OPERATOR, at=AT)
        else:
            [report] = certificates.of_batch(session, there)
            certificates.withdraw(session, report, "mistake", by=OPERATOR, at=AT)
    issue_credentials(office.system)
    assert is_revoked(anybody, said)
    assert anybody.get(f"/credentials/{row.ref}", headers=JWT).text == row.jwt


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/vc+jwt", "application/vc+jwt"),
        ("application/jwt", "application/jwt"),
        ("application/jose", "application/jose"),
        ("*/*", "application/vc+jwt"),
        ("", "application/vc+jwt"),
        ("application/json", "application/vc+jwt"),
        ("text/html", "text/html; charset=utf-8"),
        (HTML["Accept"], "text/html; charset=utf-8"),
        ("application/vc+jwt, text/html;q=0.5", "application/vc+jwt"),
    ],
)
def test_each_reader_gets_a_credential_in_its_form(
    office: Office, anybody: Browser, batch: Batch, accept: str, kind: str
) -> None:
    answer = anybody.get(f"/credentials/{credential(office.system, batch).ref}", headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (200, kind)
    assert "Accept" in answer.headers["Vary"]


def test_whoever_has_it_already_is_told_so(office: Office, anybody: Browser, batch: Batch) -> None:
    row = credential(office.system, batch)
    answer = anybody.get(f"/credentials/{row.ref}", headers=JWT)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    again = anybody.get(f"/credentials/{row.ref}", headers={**JWT, "If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")


@pytest.mark.parametrize(
    "path",
    ["/credentials/status/1", "/.well-known/did.json", "/.well-known/jwks.json", contexts.PATH, "/credentials/{ref}"],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_pages_of_every_site_may_ask(office: Office, anybody: Browser, batch: Batch, path: str, method: str) -> None:
    where = path.replace("{ref}", credential(office.system, batch).ref)
    answer = anybody.open(method, where, headers={"Origin": "https://verifier.example", **JWT})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers


def test_the_context_is_served_as_it_is_pinned(anybody: Browser) -> None:
    answer = anybody.get(contexts.PATH)
    assert answer.content_type == "application/ld+json"
    assert hashlib.sha256(answer.data).digest() == contexts.hashes(BASE)[BASE + contexts.PATH]


def test_the_did_document_stands_where_did_web_looks_for_it(anybody: Browser) -> None:
    answer = anybody.get("/.well-known/did.json")
    assert answer.content_type == "application/did+json"
    found = json.loads(answer.text)
    assert found["id"] == "did:web:t.example.cn"
    assert {method["controller"] for method in found["verificationMethod"]} == {found["id"]}


@pytest.mark.parametrize("path", ["/credentials/abcdefghjkmnpqrs", "/credentials/status/2", "/credentials/status/0"])
def test_what_is_not_there_is_404(anybody: Browser, batch: Batch, path: str) -> None:
    assert anybody.get(path, headers=JWT).status_code == 404


@pytest.mark.parametrize("headers", [JWT, HTML])
def test_the_credential_of_a_report_is_not_public_before_its_batch_is_released(
    office: Office, anybody: Browser, headers: dict[str, str]
) -> None:
    with office.system.main.write() as session:
        made = a_batch(session)
        a_certificate(session, made)
    issue_credentials(office.system)
    row = credential(office.system, made, "inspection")
    for path in (f"/credentials/{row.ref}", f"/credentials/{row.ref}.jwt"):
        assert anybody.get(path, headers=headers).status_code == 404


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_says_what_it_is_in_both_languages_and_leads_to_the_file(
    office: Office, batch: Batch, language: str
) -> None:
    row = credential(office.system, batch)
    browser = office.browser(language=language)
    page = browser.get(f"/credentials/{row.ref}", headers=HTML).text
    said = {
        "en": ("Signed record of the batch", "It proves the record, not the physical item.", "In force"),
        "zh": ("批次签名记录", "它证明的是记录，而不是实物本身。", "有效"),
    }[language]
    for sentence in (*said, row.sha256, row.kid, f"{BASE}/credentials/status/1"):
        assert sentence in page, sentence
    [path] = re.findall(r'href="(/credentials/[a-z0-9]+\.jwt)"', page)
    answer = browser.get(path, headers=HTML)
    assert answer.text == row.jwt
    assert answer.headers["Content-Disposition"] == f"attachment; filename=passport-{row.ref}.jwt"


def test_the_page_of_a_revoked_one_says_since_when_and_why(office: Office, anybody: Browser, batch: Batch) -> None:
    row = credential(office.system, batch)
    with office.system.main.write() as session:
        batches.recall(session, batches.get(session, batch.ref), RECALL, by=OPERATOR, at=AT)
    issue_credentials(office.system)
    page = anybody.get(f"/credentials/{row.ref}", headers=HTML).text
    assert "This signed record was revoked" in page
    assert "The batch was recalled" in page
    assert "In force" not in page


def test_what_people_typed_into_a_record_runs_nowhere_on_the_page(office: Office, anybody: Browser) -> None:
    with office.system.main.write() as session:
        made = a_batch(session)
        a_certificate(session, made, lines=[{"parameter": "<script>alert(1)</script>"}])
        releases.release(session, made, office.system.ring, by=OPERATOR, at=AT)
    issue_credentials(office.system)
    page = anybody.get(f"/credentials/{credential(office.system, made, 'inspection').ref}", headers=HTML).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_scan_page_report_page_and_batch_page_lead_to_their_credentials(
    office: Office, anybody: Browser, batch: Batch
) -> None:
    code = codes(office.system, batch)[0]
    passport, inspection = (credential(office.system, batch, kind).ref for kind in ("passport", "inspection"))
    with office.system.main.read() as session:
        [report] = certificates.of_batch(session, batch)
    scan = anybody.get(code.link[len(BASE) :]).text
    assert f'href="/credentials/{passport}"' in scan
    assert f'href="/credentials/{inspection}"' in anybody.get(f"/report/{report.ref}").text
    desk = office.at_desk("bob").get(f"/staff/batches/{batch.ref}").text
    assert f'href="/credentials/{passport}"' in desk
    assert f'href="/credentials/{inspection}"' in desk


def test_the_batch_page_says_which_are_revoked(office: Office, batch: Batch) -> None:
    with office.system.main.write() as session:
        batches.recall(session, batches.get(session, batch.ref), RECALL, by=OPERATOR, at=AT)
    issue_credentials(office.system)
    part = office.at_desk("bob").get(f"/staff/batches/{batch.ref}").text.partition('id="credentials"')[2]
    assert (part.count("In force"), part.count("Revoked")) == (1, 1)


def test_the_batch_page_does_not_link_to_what_is_not_public_yet(office: Office) -> None:
    with office.system.main.write() as session:
        made = a_batch(session)
        a_certificate(session, made)
    issue_credentials(office.system)
    page = office.at_desk("bob").get(f"/staff/batches/{made.ref}").text
    assert "Signed record of the report" in page
    assert "/credentials/" not in page


# --- the resolver -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["application/vc+jwt", "application/jwt", "application/jose"])
def test_lot_and_item_give_the_passport_at_their_own_address(
    office: Office, anybody: Browser, batch: Batch, accept: str
) -> None:
    row = credential(office.system, batch)
    code = codes(office.system, batch)[0]
    item = code.link[len(BASE) :]
    short = f"/01/{code.gtin}/21/{code.serial}"
    for path in (item, short, f"/01/{code.gtin}/10/{code.lot}"):
        answer = anybody.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.content_type, answer.text) == (200, accept, row.jwt), path
        assert answer.headers["Content-Location"] == f"{BASE}/credentials/{row.ref}"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_phone_still_gets_the_page(office: Office, anybody: Browser, batch: Batch) -> None:
    path = f"/01/{batch.product.gtin}/10/{batch.lot}"
    for accept in (HTML["Accept"], "*/*", "text/html, application/vc+jwt;q=0.1"):
        assert anybody.get(path, headers={"Accept": accept}).content_type == "text/html; charset=utf-8"


def test_the_linkset_names_the_credential_and_the_link_type_leads_there(
    office: Office, anybody: Browser, batch: Batch
) -> None:
    row = credential(office.system, batch)
    path = f"/01/{batch.product.gtin}/10/{batch.lot}"
    [context] = json.loads(anybody.get(f"{path}?linkType=linkset").text)["linkset"]
    [offer] = context["https://ref.gs1.org/voc/jws"]
    assert (offer["href"], offer["type"]) == (f"{BASE}/credentials/{row.ref}", "application/vc+jwt")
    [report] = context["https://ref.gs1.org/voc/certificationInfo"]
    assert report["href"].startswith(f"{BASE}/report/")
    answer = anybody.get(f"{path}?linkType=gs1:jws")
    assert (answer.status_code, answer.location) == (307, f"{BASE}/credentials/{row.ref}")


def test_a_product_or_an_unreleased_lot_has_no_signed_record(office: Office, anybody: Browser) -> None:
    with office.system.main.write() as session:
        made = a_batch(session)
        a_certificate(session, made)
    issue_credentials(office.system)
    for path in (f"/01/{made.product.gtin}", f"/01/{made.product.gtin}/10/{made.lot}"):
        assert anybody.get(path, headers=JWT).status_code == 404
        assert anybody.get(f"{path}?linkType=gs1:jws").status_code == 404


def test_a_link_that_somebody_set_for_the_item_itself_is_followed_instead(
    office: Office, anybody: Browser, batch: Batch
) -> None:
    code = codes(office.system, batch)[0]
    with office.system.main.write() as session:
        facts = {"of": code.link, "link_type": "gs1:jws", "href": "https://www.example.cn/own.jwt", "title": "Own"}
        links.add(session, read_link(facts), by=OPERATOR, at=AT)
        links.allow_host(session, "www.example.cn", by=OPERATOR, at=AT)
    answer = anybody.get(code.link[len(BASE) :], headers=JWT)
    assert (answer.status_code, answer.location) == (307, "https://www.example.cn/own.jwt")


def test_no_credential_is_made_by_looking(office: Office, anybody: Browser, batch: Batch) -> None:
    with office.system.main.read() as session:
        before = makers.rows(session, Credential)
    anybody.get("/credentials/status/1", headers=JWT)
    anybody.get(f"/credentials/{credential(office.system, batch).ref}", headers=HTML)
    with office.system.main.read() as session:
        assert makers.rows(session, Credential) == before
