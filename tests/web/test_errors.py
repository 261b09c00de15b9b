"""Every refusal is a page in the reader's language that says what to do, and none that says too much."""

from __future__ import annotations

import errno
import shutil
from typing import Any

import pytest
from office import Browser, Office
from sqlalchemy.exc import OperationalError

from lotseal.trace.errors import Conflict, Problem, Unavailable, say
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System

HEADLINES = {
    400: "This form is too old",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    413: "Too large",
    429: "Too many tries",
    500: "Something went wrong",
    503: "Not available right now",
}


@pytest.fixture
def office(sqlite_system: System) -> Office:
    return Office(sqlite_system)


def _provoke(office: Office, status: int, language: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    bob = office.at_desk("bob", language=language)
    match status:
        case 400:
            return bob.open("POST", "/staff/sign-out")
        case 403:
            return bob.get("/staff/accounts/")
        case 404:
            return bob.get("/nowhere")
        case 405:
            return bob.open("DELETE", "/staff/sign-in")
        case 413:
            said = {"CONTENT_LENGTH": str(65 * 1024 * 1024)}
            return bob.open("POST", "/staff/sign-out", data={"x": "y"}, environ_overrides=said)
        case 429:
            return [bob.get("/find?serial=2") for _ in range(61)][-1]
        case 500:
            monkeypatch.setattr(suppliers, "visible", _broken)
            return bob.get("/staff/suppliers/")
        case _:
            monkeypatch.setattr(suppliers, "visible", _store_down)
            return bob.get("/staff/suppliers/")


def _broken(_account: object) -> None:
    raise ZeroDivisionError("secret detail of the machine")


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 503), (errno.EFBIG, 503), (errno.ENOENT, 500)])
def test_a_disk_that_takes_nothing_is_no_mistake_of_ours(
    office: Office, number: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_account: object) -> None:
        raise OSError(number, "secret detail of the machine")

    monkeypatch.setattr(suppliers, "visible", refused)
    answer = office.at_desk("bob").get("/staff/suppliers/")
    assert (answer.status_code, "secret" in answer.text) == (status, False)


def _store_down(_account: object) -> None:
    raise OperationalError("SELECT secret", {}, Exception("secret detail of the machine"))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("status", HEADLINES)
def test_each_refusal_has_its_page_in_the_readers_language(
    office: Office, status: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = _provoke(office, status, language, monkeypatch)
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}"' in answer.text
    assert 'href="/"' in answer.text.split("<main")[1]
    assert "Traceback" not in answer.text
    assert "secret" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    if language == "en":
        assert HEADLINES[status] in answer.text


def test_a_405_names_what_the_address_takes(office: Office) -> None:
    answer = office.at_desk("bob").open("DELETE", "/staff/sign-in")
    assert {"GET", "POST"} <= {word.strip() for word in answer.headers["Allow"].split(",")}


def test_a_form_with_too_many_fields_is_refused_politely(office: Office) -> None:
    form = [(f"field{number}", "x") for number in range(3000)]
    body = "&".join(f"{name}={value}" for name, value in form)
    answer = office.at_desk("bob").open(
        "POST", "/staff/suppliers/new", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code in (400, 413)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(("error", "status"), [(Conflict, 409), (Unavailable, 503)])
def test_each_kind_of_refusal_of_the_business_has_its_status(
    office: Office, monkeypatch: pytest.MonkeyPatch, error: Any, status: int
) -> None:
    def refuse(_account: object) -> None:
        raise error(Problem(None, "test.rule", say("The kettle is empty. Fill it.")))

    monkeypatch.setattr(suppliers, "visible", refuse)
    answer = office.at_desk("bob").get("/staff/suppliers/")
    assert answer.status_code == status
    assert "The kettle is empty. Fill it." in answer.text


def _take_the_store_away(office: Office) -> None:
    office.system.main.dispose()
    shutil.rmtree(office.system.settings.data)


def test_without_its_store_the_staff_desk_says_so(office: Office) -> None:
    bob = office.at_desk("bob")
    form = {"csrf_token": bob.token()}
    _take_the_store_away(office)
    for answer in (bob.get("/staff/"), bob.open("POST", "/staff/suppliers/new", data=form)):
        assert answer.status_code == 503
        assert "This says nothing about any product." in answer.text


def test_without_its_store_nobody_signs_in_and_it_is_not_called_a_wrong_password(office: Office) -> None:
    stranger = office.browser()
    form = {"csrf_token": stranger.token(), "login": "bob", "password": "x"}
    _take_the_store_away(office)
    answer = stranger.open("POST", "/staff/sign-in", data=form)
    assert answer.status_code == 503
    assert "wrong" not in answer.text


def test_without_its_store_the_scan_page_cannot_verify_and_asks_to_come_back(office: Office) -> None:
    _take_the_store_away(office)
    answer = office.browser().get("/01/09521321000018/10/LOT/21/23456")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert 'data-state="cannot-verify"' in answer.text


def test_without_its_store_pages_that_need_none_still_open_also_for_staff(office: Office) -> None:
    bob = office.at_desk("bob")
    _take_the_store_away(office)
    assert bob.get("/").status_code == 200
    assert bob.get("/nowhere").status_code == 404


def test_a_lost_database_is_not_made_anew_by_looking_at_it(office: Office) -> None:
    office.system.main.dispose()
    (office.system.settings.data / "lotseal.db").unlink()
    answer = office.browser().get("/find?gtin=09521321000018&lot=X")
    assert answer.status_code == 503


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/01/%00",
        "/01/09521321000018/10/%ff%fe",
        "/staff/%0a",
        "/picture/" + "z" * 64,
        "/picture/../../etc/passwd",
        "/report/" + "x" * 5000,
        "/report/../secret_key",
        "/static/0/..%2f..%2fwsgi.py",
        "/find?serial=" + "2" * 5000,
        "/find?gtin=%00&lot=%00",
        "/?lang=xx&theme=<b>",
        "/01/" + "9" * 4000,
        "/staff/sign-in?next=%ff",
    ],
)
def test_strange_addresses_are_refused_and_never_break_the_service(office: Office, path: str) -> None:
    answer = office.browser().get(path)
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "path", ["/staff/suppliers/?page=-1", "/staff/products/?page=x&sort=--", "/staff/acts/?page=0&act=%00"]
)
def test_strange_lists_are_just_lists(office: Office, path: str) -> None:
    assert office.at_desk("alice").get(path).status_code == 200


@pytest.mark.parametrize("kind", ["suppliers", "products", "batches", "certificates", "accounts", "codes"])
def test_a_thing_that_is_not_there_is_not_found(office: Office, kind: str) -> None:
    alice: Browser = office.at_desk("alice")
    for ref in ("abcdefghjkmnpqrs", "1", "x" * 300, "%00"):
        assert alice.get(f"/staff/{kind}/{ref}").status_code == 404


def test_the_log_keeps_what_the_page_does_not_say(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = _provoke(office, 500, "en", monkeypatch)
    assert answer.status_code == 500
    assert "secret detail of the machine" in caplog.text
    assert "secret" not in answer.text
