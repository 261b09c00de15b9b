"""Draws every report and picture and takes them in as uploads, through the same gate as anybody's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..files import service as files
from ..files.inspect import MAX_CHILDREN
from ..files.storage import LocalStorage
from .firms import FIRMS
from .pictures import write_picture
from .plan import BatchPlan, Calendar, ProductPlan, ReportPlan, Story
from .reports import Subject, write_report
from .signing import Authorities


@dataclass(frozen=True)
class Material:
    """Stored files: reports by their number, pictures (small, original) by the GTIN."""

    reports: dict[str, files.TakenIn]
    pictures: dict[str, tuple[str, str]]


def count(stories: Sequence[Story]) -> int:
    return sum(1 for _ in _reports(stories)) + sum(1 for _ in _pictured(stories))


def prepare(
    storage: LocalStorage,
    stories: Sequence[Story],
    calendar: Calendar,
    authorities: Authorities,
    done: Callable[[], None],
) -> Material:
    """Two at a time, as many as the gate lets in. `done` is called after each file, from several threads."""
    with tempfile.TemporaryDirectory(prefix="lotseal-") as name, ThreadPoolExecutor(MAX_CHILDREN) as pool:
        folder = Path(name)

        def take_report(found: tuple[ReportPlan, Subject]) -> tuple[str, files.TakenIn]:
            report, subject = found
            path = folder / f"{report.number}.pdf"
            write_report(path, report, subject, calendar)
            if report.signed:
                authorities.sign(path, report)
            at = calendar.moment(report.sent)
            taken = files.take_in_document(storage, path, path.name, authorities.pinned, at=at)
            done()
            return report.number, taken

        def take_picture(product: ProductPlan) -> tuple[str, tuple[str, str]]:
            path = folder / f"{product.picture}.jpg"
            write_picture(product.picture, path)
            taken = files.take_in_picture(storage, path)
            done()
            return product.gtin, taken

        pictures = pool.map(take_picture, _pictured(stories))
        reports = pool.map(
            take_report, [(report, _subject(stories, batch, calendar)) for batch, report in _reports(stories)]
        )
        return Material(dict(reports), dict(pictures))


def _reports(stories: Sequence[Story]) -> Iterator[tuple[BatchPlan, ReportPlan]]:
    return ((batch, report) for story in stories for batch in story.batches for report in batch.reports)


def _pictured(stories: Sequence[Story]) -> Iterator[ProductPlan]:
    return (product for story in stories for product in story.products if product.picture)


def _subject(stories: Sequence[Story], batch: BatchPlan, calendar: Calendar) -> Subject:
    product = next(product for story in stories for product in story.products if product.gtin == batch.gtin)
    firm = next(firm for firm in FIRMS if firm.key == product.firm)
    return Subject(
        product=f"{product.name_zh} {product.name_en}",
        spec=product.spec,
        lot=batch.lot,
        client=f"{firm.name_zh} {firm.name_en}",
        producer=batch.facts["producer"],
        produced_on=None if batch.produced is None else calendar.date(batch.produced),
    )
