"""A browser verifies credentials by itself: with its own WebCrypto and what any site's page may fetch here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from browser.looking import PHONE, Visitors, shoot
from browser.stage import Site
from playwright.sync_api import Page

VERIFY = """
async (address) => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const read = (part) => JSON.parse(new TextDecoder().decode(bytes(part)));
  const fetched = async (url, accept) => (await fetch(url, {headers: {Accept: accept}})).text();
  const did = JSON.parse(await fetched('/.well-known/did.json', 'application/did+json'));

  const check = async (jwt) => {
    const [head, body, tail] = jwt.split('.');
    const kid = read(head).kid;
    if (!did.assertionMethod.includes(kid)) return null;
    const jwk = {...did.verificationMethod.find((one) => one.id === kid).publicKeyJwk};
    delete jwk.use;
    const key = await crypto.subtle.importKey('jwk', jwk, {name: 'ECDSA', namedCurve: 'P-256'}, false, ['verify']);
    const input = new TextEncoder().encode(`${head}.${body}`);
    const fits = await crypto.subtle.verify({name: 'ECDSA', hash: 'SHA-256'}, key, bytes(tail), input);
    return fits ? read(body) : null;
  };

  const jwt = await fetched(address, 'application/vc+jwt');
  const said = await check(jwt);
  const place = Number(said.credentialStatus.statusListIndex);
  const where = new URL(said.credentialStatus.statusListCredential).pathname;
  const list = await check(await fetched(where, 'application/vc+jwt'));
  const packed = bytes(list.credentialSubject.encodedList.slice(1));
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bits = new Uint8Array(await new Response(plain).arrayBuffer());
  const changed = jwt.slice(0, -2) + (jwt.endsWith('AA') ? 'BA' : 'AA');
  return {
    type: said.type[1],
    issuer: said.issuer.id === did.id,
    revoked: (bits[place >> 3] >> (7 - (place & 7))) & 1,
    changed: await check(changed),
  };
}
"""


@pytest.fixture
def page(visitors: Visitors, site: Site) -> Page:
    page = visitors.page("en", size=PHONE)
    page.goto(site.origin)
    return page


def listed(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(site.lotseal("credential", "list", "--limit", "100", "--json"))[
        "credentials"
    ]
    return found


def test_every_credential_of_the_demo_is_verified_by_the_browser_itself(page: Page, site: Site) -> None:
    kinds = {"passport": "DigitalProductPassport", "inspection": "DigitalConformityCredential"}
    rows = listed(site)
    assert {row["kind"] for row in rows} == set(kinds)
    assert {row["state"] for row in rows} == {"in-force", "revoked"}
    public = 0
    for row in rows:
        answer = page.request.get(f"/credentials/{row['ref']}", headers={"Accept": "application/vc+jwt"})
        if answer.status == 404:  # its batch is not released
            continue
        public += 1
        assert page.evaluate(VERIFY, f"/credentials/{row['ref']}") == {
            "type": kinds[row["kind"]],
            "issuer": True,
            "revoked": int(row["state"] == "revoked"),
            "changed": None,
        }
    assert public >= 5


def test_the_scan_page_leads_to_its_signed_record(page: Page, site: Site) -> None:
    page.goto(site.link("ok-first"))
    page.get_by_text("More facts and technical details").click()
    page.get_by_role("link", name="Signed record (credential)").click()
    page.wait_for_url("**/credentials/*")
    assert page.get_by_role("heading", level=1).inner_text() == "Signed record of the batch"
    page.get_by_text("What the signed record says").click()
    assert '"DigitalProductPassport"' in page.locator("pre").inner_text()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download the signed record").click()
    assert coming.value.suggested_filename.startswith("passport-")
    shoot(page, "credential-en-phone")
