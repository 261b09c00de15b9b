from __future__ import annotations

import pytest
from makers import AT, BASE, Clock, a_batch, acts, chen, codes, dana, rows, rules

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.errors import Conflict, Invalid, NotFound
from lotseal.trace.items import service as items
from lotseal.trace.items.models import CodeRun
from lotseal.trace.jobs.models import Job, JobState
from lotseal.trace.labels import service as labels
from lotseal.trace.labels.models import LabelSheet
from lotseal.trace.system import System


def issued(system: System, count: int = 5, tier: str = "A") -> str:
    with system.main.write() as session:
        batch = a_batch(session)
    codes(system, batch, count, tier)
    with system.main.read() as session:
        return items.runs_of(session, batch)[0].ref


def ordered(system: System, ref: str, **raw: str) -> str:
    with system.main.write() as session:
        run = items.get_run(session, ref)
        return labels.order_sheet(session, run, labels.read_sheet_order(raw, run), by=OPERATOR, at=AT).ref


def test_an_order_without_words_means_everything_from_the_first_place() -> None:
    order = labels.read_sheet_order({}, CodeRun(issued=5))
    assert (order.layout, order.language, order.start, order.first, order.count) == ("a4-3x8", "zh", 0, 0, 5)


def test_a_part_of_a_run_on_a_used_sheet_is_read() -> None:
    order = labels.read_sheet_order({"start": "4", "first": "3", "count": "2", "language": "en"}, CodeRun(issued=5))
    assert (order.language, order.start, order.first, order.count) == ("en", 3, 2, 2)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"layout": "a3"}, ("layout", "choice.unknown")),
        ({"language": "fr"}, ("language", "choice.unknown")),
        ({"start": "0"}, ("start", "number.too-low")),
        ({"start": "25"}, ("start", "number.too-high")),
        ({"first": "6"}, ("first", "number.too-high")),
        ({"first": "5", "count": "2"}, ("count", "number.too-high")),
        ({"count": "0"}, ("count", "number.too-low")),
        ({"count": "1.5"}, ("count", "number.whole")),
        ({"start": "one"}, ("start", "number.format")),
    ],
)
def test_each_wrong_field_is_refused(raw: dict[str, str], problem: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        labels.read_sheet_order(raw, CodeRun(issued=5))
    assert rules(error) == [problem]


def test_one_file_has_at_most_five_hundred_pages() -> None:
    assert labels.read_sheet_order({}, CodeRun(issued=50_000)).count == labels.MOST
    with pytest.raises(Invalid):
        labels.read_sheet_order({"count": str(labels.MOST + 1)}, CodeRun(issued=50_000))


def test_a_run_that_is_not_issued_completely_is_not_printed(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
        order = items.read_order({"count": "3", "tier": "A"})
        ref = items.order_codes(session, batch, order, base=BASE, by=OPERATOR, at=AT).ref
    with pytest.raises(Conflict, match="0 of 3 codes") as error:
        ordered(system, ref)
    assert rules(error) == [(None, "labels.run-unfinished")]
    with system.main.read() as session:
        assert (rows(session, LabelSheet), rows(session, Job), acts(session)[-1]) == (0, 1, "codes:issue")


def test_a_sheet_is_drawn_read_back_and_kept(system: System, time: Clock) -> None:
    ref = ordered(system, issued(system, 3, "B"), start="23")
    assert system.worker().run_all() == 1
    with system.main.read() as session:
        sheet = labels.get(session, ref)
        assert sheet.job is not None
        assert (sheet.job.state, sheet.job.error, sheet.job.done, sheet.job.total) == (JobState.DONE, "", 6, 6)
        assert sheet.sha256 is not None
        with system.storage.open(sheet.sha256) as file:
            assert file.read(5) == b"%PDF-"
        assert acts(session)[-1] == "labels:print"
        assert list(labels.of_run(session, sheet.run)) == [sheet]


def test_chen_sees_the_own_sheets_only(system: System) -> None:
    runs = issued(system), issued(system)
    mine, other = (ordered(system, run) for run in runs)
    with system.main.write() as session:
        c = chen(session, labels.get(session, mine).run.batch.supplier)
        d = dana(session, labels.get(session, other).run.batch.supplier)
    with system.main.read() as session:
        assert [sheet.ref for sheet in session.scalars(labels.visible(c))] == [mine]
        for account, ref in ((c, other), (d, mine)):
            with pytest.raises(NotFound) as error:
                labels.get(session, ref, account=account)
            assert rules(error) == [(None, "labels.unknown")]


def test_a_label_without_text_gives_its_symbol_the_whole_label(sqlite_system: System) -> None:
    measures = {"layout": "own", "output": "zpl", "dpi": "300", "label_width": "22", "label_height": "22"}
    ref = issued(sqlite_system)
    with sqlite_system.main.read() as session:
        run = items.get_run(session, ref)
        label = labels.example(session, run)
        assert label
        alone = labels.read_sheet_order({**measures, "fields": "none"}, run)
        beside = labels.read_sheet_order({**measures, "fields": "serial"}, run)
        assert labels.room_on_label(alone, label).enough
        assert not labels.room_on_label(beside, label).enough
    made = ordered(sqlite_system, ref, **measures, fields="none")
    assert sqlite_system.worker().run_all() == 1
    with sqlite_system.main.read() as session:
        assert labels.get(session, made).sha256


def test_a_label_of_15_mm_says_what_its_symbol_needs(sqlite_system: System) -> None:
    ref = issued(sqlite_system)
    with pytest.raises(Invalid) as error:
        ordered(sqlite_system, ref, layout="own", output="zpl", label_width="15", label_height="15", fields="none")
    assert rules(error) == [("layout", "label.symbol-size")]
    assert "it needs 20" in str(error.value.problems[0].message)


def test_a_choice_of_voided_codes_alone_is_no_order(sqlite_system: System) -> None:
    ref = issued(sqlite_system)
    with sqlite_system.main.write() as session:
        items.void_run(session, items.get_run(session, ref), "spilled", by=OPERATOR, at=AT)
    with pytest.raises(Conflict) as error:
        ordered(sqlite_system, ref)
    assert rules(error) == [("first", "labels.all-void")]
