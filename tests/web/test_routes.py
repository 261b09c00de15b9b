"""Every route of the application: marked, guarded, and answered as its mark says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import makers
import pytest
from flask import Flask
from makers import AT, a_batch, a_category, a_certificate, a_product, released
from office import PEOPLE, Office
from sqlalchemy import select
from werkzeug.routing import Rule

from lotseal.trace.accounts.models import Role
from lotseal.trace.files.service import TakenIn
from lotseal.trace.items.models import CodeRun
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System, open_system
from lotseal.web import access

OPEN_TO_STRANGERS = {"accounts.sign_in"}
"""The only views below /staff that take an unsafe request from somebody who is not signed in."""
READ_AN_UPLOAD = {"scan.photo"}
"""Open to all and asked with POST, because a photo fits into no address; they keep and change nothing."""
OF_A_BATCH = {"certificates.add", "labels.issue", "labels.example"}
"""Forms that are opened for a batch, named behind the question mark."""
SAFE = {"GET", "HEAD", "OPTIONS"}
ROLES = {"alice": Role.ADMIN, "bob": Role.QUALITY, "chen": Role.SUPPLIER, "erik": Role.AUDITOR}


class Building(Office):
    """An office with one real thing behind every kind of address."""

    def __init__(self, system: System) -> None:
        super().__init__(system)
        scan = system.settings.data / "report.pdf"
        scan.write_bytes(b"%PDF-1.7 a report")
        stored = system.storage.put(scan)
        file = TakenIn(stored.sha256, stored.size, "pdf", "report.pdf", 1, True, [])
        with system.main.write() as db:
            product = a_product(db, suppliers.get(db, self.tea))
            category = a_category(db)
            batch = a_batch(db, product)
            on_sale = released(db, system.ring, product, lot="SOLD-1")
            report = a_certificate(db, on_sale, file=file)
        code = makers.codes(system, on_sale)[0]
        with system.main.write() as db:
            laboratory = makers.a_laboratory(db)
        system.sequencer().run_once()
        with system.main.read() as db:
            run = db.scalars(select(CodeRun.ref)).one()
        self._refs = {
            "suppliers": self.tea,
            "labs": laboratory.ref,
            "products": product.ref,
            "products.edit_category": category.ref,
            "batches": batch.ref,
            "batches.document": on_sale.ref,
            "certificates": report.ref,
            "evidence.batch": batch.ref,
            "evidence.certificate": report.ref,
            "reports": report.ref,
            "labels": run,
            "accounts": self.people["dana"].ref,
        }
        self._other = {
            "gtin": code.gtin,
            "lot": "SOLD-1",
            "serial": code.serial,
            "number": 1,
            "kind": "svg",
            "index": 0,
        }
        self._other["carrier"] = "itf-14"
        self._other["rest"] = code.gtin

    def path(self, rule: Rule) -> str:
        """The rule's address with a real reference in it, where there is one."""
        blueprint = rule.endpoint.split(".")[0]
        ref = self._refs.get(rule.endpoint) or self._refs.get(blueprint, "abcdefghjkmnpqrs")
        known = {"ref": ref, "session_ref": "abcdefghjkmnpqrs", "sha256": "0" * 64, "digest": "0", "name": "css/x.css"}
        values = {name: (known | self._other)[name] for name in rule.arguments}
        with self.app.test_request_context():
            path = self.app.url_map.bind("t.example.cn").build(rule.endpoint, values)
        return f"{path}?batch={self._refs['batches']}" if rule.endpoint in OF_A_BATCH else path


@pytest.fixture(scope="module")
def building(template: Any, ring: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    """One for the whole module: a walk over all routes changes nothing, for every request of it is refused or reads."""
    data = tmp_path_factory.mktemp("building") / "data"
    shutil.copytree(template.data, data)
    data.chmod(0o700)
    system = replace(open_system(makers.settings_of(data)), ring=ring)
    yield Building(system)
    system.close()


def _rules(app: Flask, *, unsafe: bool) -> list[tuple[Rule, str]]:
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods or ())
        if method not in ("HEAD", "OPTIONS") and (method in SAFE) != unsafe
    ]


def _allowed(app: Flask, rule: Rule) -> frozenset[Role] | None:
    roles: frozenset[Role] | None = app.view_functions[rule.endpoint].__dict__["allowed_roles"]
    return roles


def test_every_view_is_marked(building: Building) -> None:
    assert all("allowed_roles" in view.__dict__ for view in building.app.view_functions.values())


def test_the_application_does_not_start_with_an_unmarked_view() -> None:
    app = Flask("unmarked")
    app.add_url_rule("/", "forgotten", lambda: "")
    with pytest.raises(RuntimeError, match="forgotten"):
        access.refuse_unmarked(app)


def test_everything_under_staff_is_for_accounts_only(building: Building) -> None:
    staff = {rule.endpoint for rule in building.app.url_map.iter_rules() if rule.rule.startswith("/staff")}
    public = {rule.endpoint for rule in building.app.url_map.iter_rules() if _allowed(building.app, rule) is None}
    assert staff & public == OPEN_TO_STRANGERS


def test_public_views_change_nothing(building: Building) -> None:
    taking = {rule.endpoint for rule, _method in _rules(building.app, unsafe=True)}
    public = {name for name in taking if building.app.view_functions[name].__dict__["allowed_roles"] is None}
    assert public == OPEN_TO_STRANGERS | READ_AN_UPLOAD


def test_every_unsafe_request_without_a_form_token_is_refused(building: Building) -> None:
    alice = building.at_desk("alice")
    for rule, method in _rules(building.app, unsafe=True):
        answer = alice.open(method, building.path(rule))
        assert answer.status_code == 400, rule
        assert "This form is too old" in answer.text


def test_every_unsafe_request_of_a_stranger_leads_to_the_sign_in(building: Building) -> None:
    stranger = building.browser()
    form = {"csrf_token": stranger.token()}
    for rule, method in _rules(building.app, unsafe=True):
        if rule.endpoint in OPEN_TO_STRANGERS | READ_AN_UPLOAD:
            continue
        answer = stranger.open(method, building.path(rule), data=form)
        assert (answer.status_code, answer.location) == (302, "/staff/sign-in"), rule


@pytest.mark.parametrize("name", ROLES)
def test_every_unsafe_request_of_the_wrong_role_is_refused(building: Building, name: str) -> None:
    browser = building.at_desk(name)
    form = {"csrf_token": browser.token()}
    for rule, method in _rules(building.app, unsafe=True):
        roles = _allowed(building.app, rule)
        if roles is not None and ROLES[name] not in roles:
            assert browser.open(method, building.path(rule), data=form).status_code == 403, rule


@pytest.mark.parametrize("name", ROLES)
def test_every_page_answers_each_role_as_its_mark_says(building: Building, name: str) -> None:
    browser = building.at_desk(name)
    for rule, method in _rules(building.app, unsafe=False):
        roles = _allowed(building.app, rule)
        status = browser.open(method, building.path(rule)).status_code
        if roles is None:
            assert status in (200, 302, 400, 404, 422), rule
        elif ROLES[name] not in roles:
            assert status == 403, rule
        elif rule.arguments:
            # A view may refuse a thing by its state or owner; a list or an empty form never.
            assert status in (200, 302, 403, 404, 409), rule
        else:
            assert status in (200, 302), rule


def test_every_page_of_a_suppliers_own_things_is_missing_for_another_supplier(building: Building) -> None:
    dana = building.at_desk("dana")
    kinds = ("suppliers", "products", "batches", "certificates")
    for rule, method in _rules(building.app, unsafe=False):
        blueprint = rule.endpoint.split(".")[0]
        if blueprint in kinds and "ref" in rule.arguments and Role.SUPPLIER in (_allowed(building.app, rule) or ()):
            assert dana.open(method, building.path(rule)).status_code == 404, rule


def test_every_unsafe_request_on_another_suppliers_things_is_missing(building: Building) -> None:
    dana = building.at_desk("dana")
    form = {"csrf_token": dana.token()}
    kinds = ("suppliers", "products", "batches", "certificates")
    for rule, method in _rules(building.app, unsafe=True):
        blueprint = rule.endpoint.split(".")[0]
        if blueprint in kinds and "ref" in rule.arguments and Role.SUPPLIER in (_allowed(building.app, rule) or ()):
            assert dana.open(method, building.path(rule), data=form).status_code == 404, rule


@pytest.mark.parametrize("name", PEOPLE)
def test_every_link_of_the_main_menu_opens(building: Building, name: str) -> None:
    browser = building.at_desk(name)
    menu = browser.get("/staff/").text.split('class="places"')[1].split("</nav>")[0]
    links = [part.split('"')[0] for part in menu.split('href="')[1:]]
    assert len(links) >= 5
    for link in links:
        assert browser.get(link, follow_redirects=True).status_code == 200, link


def test_a_session_that_is_over_leads_to_the_sign_in_and_back(building: Building) -> None:
    browser = building.at_desk("bob", at=AT - timedelta(days=2))
    assert browser.get("/staff/products/?q=tea").location == "/staff/sign-in?next=/staff/products/?q%3Dtea"
