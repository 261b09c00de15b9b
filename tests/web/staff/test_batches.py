"""The list of batches and the page on which a batch is worked through."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import makers
import pytest
from sqlalchemy import update

from lotseal.signing.encoding import unb64url
from lotseal.signing.keys import PublicKey
from lotseal.signing.release import verify_release
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch, BatchCorrection, BatchState, RecallNotice
from lotseal.trace.releases.models import Release
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System

Find = Callable[[Any, str], Supplier]
FACTS = {**makers.BATCH, "region": "", "site": "", "inputs": "", "supplier_lot": "", "latitude": "", "longitude": ""}
WORDS = {
    "reason_zh": "检出铅超标。",
    "reason_en": "Lead above the limit was found.",
    "remedy_zh": "请退货。",
    "remedy_en": "Return it for a refund.",
    "phone": "400 000 0952",
}


@pytest.fixture
def made(sqlite_system: System, supplier_of: Find) -> Callable[..., str]:
    """Makes a batch of Chen's supplier in a state; gives its reference."""

    def make(state: BatchState = BatchState.DRAFT, login: str = "chen", **changed: str) -> str:
        with sqlite_system.main.write() as session:
            product = makers.a_product(session, supplier_of(session, login))
            if changed:
                return makers.a_draft(session, product, **changed).ref
            return makers.a_batch_in(session, state, sqlite_system.ring, product).ref

    return make


def state_of(system: System, ref: str) -> str:
    with system.main.read() as session:
        return batches.get(session, ref).state


def count(system: System, model: type[Any]) -> int:
    with system.main.read() as session:
        return makers.rows(session, model)


# --- the list ---------------------------------------------------------------------------------------------------------


def test_an_empty_list_says_what_to_do_next(chen: Any, erik: Any) -> None:
    page = chen.open("/staff/batches")
    assert "No batches yet" in page
    assert "/staff/batches/add" in page
    assert "/staff/batches/add" not in erik.open("/staff/batches")


@pytest.mark.parametrize(
    ("state", "next_step"),
    [
        (BatchState.DRAFT, "Submit"),
        (BatchState.AWAITING_TESTS, "1 thing missing"),
        (BatchState.RELEASED, "Issue codes"),
        (BatchState.HELD, "Decide on the hold"),
    ],
)
def test_each_row_names_its_next_step(bob: Any, made: Any, state: BatchState, next_step: str) -> None:
    made(state)
    assert f">{next_step}</a>" in bob.open("/staff/batches")


def test_a_waiting_report_and_a_clear_gate_are_next_steps_too(
    bob: Any, chen: Any, sqlite_system: System, made: Any
) -> None:
    ref = made(BatchState.AWAITING_TESTS)
    with sqlite_system.main.write() as session:
        report = makers.a_certificate(session, batches.get(session, ref), accepted=False).ref
    assert f'href="/staff/certificates/{report}">Review report</a>' in bob.open("/staff/batches")
    assert ">Report in review</a>" in chen.open("/staff/batches")
    bob.send(f"/staff/certificates/{report}/accept")
    assert ">Release</a>" in bob.open("/staff/batches")
    assert ">Release</a>" not in chen.open("/staff/batches")


def test_search_state_and_sort_narrow_the_list(bob: Any, made: Any) -> None:
    made(lot="AAA-1")
    made(lot="BBB-2")
    made(BatchState.RELEASED)
    assert "BBB-2" not in bob.open("/staff/batches?q=aaa")
    page = bob.open("/staff/batches?state=draft&sort=-lot")
    assert page.index("BBB-2") < page.index("AAA-1")
    assert makers.BATCH["lot"] not in page
    assert "Nothing found" in bob.open("/staff/batches?q=nothing-has-this")


def test_a_supplier_sees_only_its_own_batches(chen: Any, dana: Any, made: Any) -> None:
    ref = made(BatchState.AWAITING_TESTS)
    assert ref in chen.open("/staff/batches")
    assert ref not in dana.open("/staff/batches")
    for path in ("", "/edit", "/release.json"):
        dana.open(f"/staff/batches/{ref}{path}", status=404)
    dana.send(f"/staff/batches/{ref}/submit", status=404)


# --- add and edit -----------------------------------------------------------------------------------------------------


def test_a_supplier_adds_fills_and_submits_a_batch(chen: Any, sqlite_system: System, supplier_of: Find) -> None:
    with sqlite_system.main.write() as session:
        product = makers.a_product(session, supplier_of(session, "chen")).ref
    assert product in chen.open("/staff/batches/add")
    where = chen.send("/staff/batches/add", {"product": product, "lot": "DHP261012A"})
    page = chen.open(where)
    assert "The batch was added as a draft." in page
    assert "Fill in: Place, Country, Producer" in page
    chen.open(f"{where}/edit")
    assert chen.send(f"{where}/edit", FACTS) == where
    assert "1,590 pieces" in chen.open(where)
    chen.send(f"{where}/submit")
    assert state_of(sqlite_system, where.split("/")[-1]) == "awaiting-tests"
    chen.open(f"{where}/edit", status=403)
    chen.send(f"{where}/edit", FACTS, status=403)


def test_a_product_of_another_supplier_cannot_be_chosen(chen: Any, sqlite_system: System, supplier_of: Find) -> None:
    with sqlite_system.main.write() as session:
        foreign = makers.a_product(session, supplier_of(session, "dana")).ref
    assert foreign not in chen.open("/staff/batches/add")
    page = chen.send("/staff/batches/add", {"product": foreign, "lot": "A-1"}, status=422)
    assert "Choose one of your products from the list." in page
    assert count(sqlite_system, Batch) == 0


BAD = [
    ({"lot": "DHP 261012A"}, "cannot stand in a lot number"),
    ({"lot": "DHP261012A", "produced_on": "2026-10-12", "expires_on": "2026-10-11"}, "before the production date"),
    ({"lot": "DHP261012A", "quantity": "-1"}, "This must be more than 0."),
    ({"lot": "DHP261012A", "place": "<img src=x onerror=alert(1)>"}, "this text takes no markup"),
    ({"lot": "DHP261012A", "place": "茶园🍵"}, "is an emoji or symbol"),
    ({"lot": "DHP261012A", "producer": "مزرعة"}, "right-to-left writing"),
    ({"lot": "DHP261012A", "inputs": "x" * 10_000}, "This has 10000 characters."),
    ({"lot": "DHP261012A", "latitude": "27.7"}, "both latitude and longitude"),
    ({"lot": ""}, "Fill this in."),
]


@pytest.mark.parametrize(("typed", "sentence"), BAD, ids=[sentence for _typed, sentence in BAD])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_bad_facts_come_back_with_their_sentence_and_change_nothing(
    chen: Any, sqlite_system: System, supplier_of: Find, typed: dict[str, str], sentence: str, language: str
) -> None:
    with sqlite_system.main.write() as session:
        product = makers.a_product(session, supplier_of(session, "chen")).ref
    before = count(sqlite_system, Batch)
    chen.language = language
    chen.open("/staff/batches/add")
    page = chen.send("/staff/batches/add", {"product": product, **typed}, status=422)
    # Untranslated text would be a sentence of the other language.
    assert (sentence in page) is (language == "en")
    assert 'class="error-summary"' in page
    for value in typed.values():
        if "<" not in value:
            assert value in page
    assert "<img src=x" not in chen.answer.text
    assert count(sqlite_system, Batch) == before


def test_a_lot_that_is_taken_is_a_conflict_at_its_field(chen: Any, sqlite_system: System, made: Any) -> None:
    ref = made(lot="A-1")
    with sqlite_system.main.read() as session:
        product = batches.get(session, ref).product.ref
    page = chen.send("/staff/batches/add", {"product": product, "lot": "A-1"}, status=409)
    assert 'href="#f-lot"' in page


def test_after_release_a_change_needs_a_reason_and_is_a_correction(bob: Any, sqlite_system: System, made: Any) -> None:
    ref = made(BatchState.RELEASED)
    assert "shown on the public page as a correction" in bob.open(f"/staff/batches/{ref}/edit")
    changed = {**FACTS, "expires_on": "2028-10-10"}
    assert 'href="#f-reason"' in bob.send(f"/staff/batches/{ref}/edit", changed, status=422)
    assert count(sqlite_system, BatchCorrection) == 0
    bob.send(f"/staff/batches/{ref}/edit", {**changed, "reason": "typing mistake"})
    page = bob.open(f"/staff/batches/{ref}")
    assert "typing mistake" in page
    assert "<del>2028-10-11</del>" in page
    assert count(sqlite_system, BatchCorrection) == 1


# --- release ----------------------------------------------------------------------------------------------------------


def test_the_gate_says_what_is_missing_and_where_to_mend_it(bob: Any, sqlite_system: System, made: Any) -> None:
    ref = made(BatchState.AWAITING_TESTS)
    page = bob.open(f"/staff/batches/{ref}")
    assert "An accepted, valid laboratory report that says «pass» is needed." in page
    assert f'href="/staff/certificates/add?batch={ref}">Upload a report</a>' in page
    refused = bob.send(f"/staff/batches/{ref}/release", status=409)
    assert "An accepted, valid laboratory report that says «pass» is needed." in refused
    assert state_of(sqlite_system, ref) == "awaiting-tests"
    assert count(sqlite_system, Release) == 0


def test_a_release_is_signed_shown_and_can_be_checked_outside(bob: Any, sqlite_system: System, made: Any) -> None:
    ref = made(BatchState.AWAITING_TESTS)
    with sqlite_system.main.write() as session:
        makers.a_certificate(session, batches.get(session, ref))
    assert "Ready for release" in bob.open(f"/staff/batches/{ref}")
    bob.send(f"/staff/batches/{ref}/release")
    page = bob.open(f"/staff/batches/{ref}")
    assert "The signature fits the record" in page
    answer = bob.ask(f"/staff/batches/{ref}/release.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    facts = json.loads(answer.data)
    assert facts["sha256"] in page
    signature = unb64url(facts["signature"], 64, "test")
    verify_release(PublicKey.from_jwk(facts["public_jwk"]), facts["document"].encode(), signature)


def test_a_record_that_was_changed_in_the_store_is_noticed(bob: Any, sqlite_system: System, made: Any) -> None:
    ref = made(BatchState.RELEASED)
    with sqlite_system.main.write() as session:
        row = session.query(Release).one()
        forged = row.document.replace('"quantity":"1590"', '"quantity":"9590"')
        session.execute(update(Release).values(document=forged))
    page = bob.open(f"/staff/batches/{ref}")
    assert "The signature does not fit the record" in page
    assert "The signature fits the record" not in page


def test_the_history_says_what_was_done_and_who_did_it_when_asked(
    alice: Any, bob: Any, sqlite_system: System, made: Any
) -> None:
    ref = made(BatchState.AWAITING_TESTS)
    bob.send(f"/staff/batches/{ref}/hold", makers.HOLD)
    alice.send(f"/staff/batches/{ref}/lift", {"reason": "second test was fine"})
    page = bob.open(f"/staff/batches/{ref}")
    history = page[page.index("<h2>History</h2>") :]
    assert history.index("Hold lifted") < history.index("Put on hold") < history.index("Batch submitted")
    assert "second test was fine" in history
    assert "Alice" not in history
    bob.send("/staff/names", {"page": f"/staff/batches/{ref}"})
    assert "Alice" in bob.open(f"/staff/batches/{ref}")


# --- hold, recall, close ----------------------------------------------------------------------------------------------


def test_a_hold_can_be_previewed_in_both_languages_and_lifted(bob: Any, sqlite_system: System, made: Any) -> None:
    ref = made(BatchState.RELEASED)
    page = bob.send(f"/staff/batches/{ref}/hold", {**makers.HOLD, "preview": "1"}, status=200)
    assert '<div lang="zh-Hans">' in page
    assert "On hold. Not for sale." in page[page.index('<div lang="en">') :]
    assert state_of(sqlite_system, ref) == "released"
    bob.send(f"/staff/batches/{ref}/hold", makers.HOLD)
    assert state_of(sqlite_system, ref) == "held"
    assert 'href="#f-reason"' in bob.send(f"/staff/batches/{ref}/lift", {"reason": " "}, status=422)
    bob.send(f"/staff/batches/{ref}/lift", {"reason": "second test was fine"})
    assert state_of(sqlite_system, ref) == "released"


def test_a_recall_is_previewed_then_published_and_stays(bob: Any, sqlite_system: System, made: Any) -> None:
    ref = made(BatchState.RELEASED)
    preview = bob.send(f"/staff/batches/{ref}/recall", {**WORDS, "preview": "1"}, status=200)
    assert "Product recall. Stop using it now." in preview
    assert "Publish the recall" in preview
    assert count(sqlite_system, RecallNotice) == 0
    bob.send(f"/staff/batches/{ref}/recall", WORDS)
    assert state_of(sqlite_system, ref) == "recalled"
    assert "Lead above the limit was found." in bob.open(f"/staff/batches/{ref}")
    bob.send(f"/staff/batches/{ref}/recall", WORDS, status=409)
    assert count(sqlite_system, RecallNotice) == 1


@pytest.mark.parametrize("preview", [{}, {"preview": "1"}], ids=["publish", "preview"])
@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("reason_en", "Taken back as a precaution."),
        ("remedy_en", "A Voluntary  recall."),
        ("reason_zh", "出于谨慎,我们收回。"),
        ("remedy_zh", "自愿召回。"),
    ],
)
def test_a_recall_that_plays_the_danger_down_is_refused(
    bob: Any, sqlite_system: System, made: Any, field: str, text: str, preview: dict[str, str]
) -> None:
    ref = made(BatchState.RELEASED)
    page = bob.send(f"/staff/batches/{ref}/recall", {**WORDS, **preview, field: text}, status=422)
    assert "plays the danger down" in page
    assert f'href="#f-{field}"' in page
    assert text in page
    assert state_of(sqlite_system, ref) == "released"


def test_closing_ends_the_changes(bob: Any, sqlite_system: System, made: Any) -> None:
    ref = made(BatchState.RELEASED)
    bob.send(f"/staff/batches/{ref}/close", {"reason": "sold out"})
    assert state_of(sqlite_system, ref) == "closed"
    assert "/edit" not in bob.open(f"/staff/batches/{ref}")
    bob.open(f"/staff/batches/{ref}/edit", status=403)


# --- roles ------------------------------------------------------------------------------------------------------------

ACTIONS = ["submit", "release", "hold", "recall", "lift", "close", "edit"]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_auditor_reads_everything_and_changes_nothing(
    erik: Any, sqlite_system: System, made: Any, action: str
) -> None:
    ref = made(BatchState.DRAFT if action == "submit" else BatchState.RELEASED)
    before = state_of(sqlite_system, ref)
    page = erik.open(f"/staff/batches/{ref}")
    assert f"/staff/batches/{ref}/{action}" not in page.replace("release.json", "")
    erik.send(f"/staff/batches/{ref}/{action}", {**WORDS, "reason": "r"}, status=403)
    assert state_of(sqlite_system, ref) == before


@pytest.mark.parametrize("action", ["release", "hold", "recall", "lift", "close"])
def test_a_supplier_does_not_decide_on_its_own_batch(chen: Any, sqlite_system: System, made: Any, action: str) -> None:
    ref = made(BatchState.RELEASED)
    assert f"/staff/batches/{ref}/{action}" not in chen.open(f"/staff/batches/{ref}").replace("release.json", "")
    chen.send(f"/staff/batches/{ref}/{action}", {**WORDS, "reason": "r"}, status=403)
    assert state_of(sqlite_system, ref) == "released"


def test_an_action_without_its_token_is_refused(bob: Any, sqlite_system: System, made: Any) -> None:
    ref = made()
    bob.token = ""
    bob.send(f"/staff/batches/{ref}/submit", status=400)
    assert state_of(sqlite_system, ref) == "draft"


def test_nobody_gets_in_unsigned(browser: Any, made: Any) -> None:
    ref = made()
    for path in ("/staff/batches", f"/staff/batches/{ref}", f"/staff/batches/{ref}/recall"):
        assert browser.ask(path).location.startswith("/staff/sign-in")
