"""What a batch waits for, said the same way in the list and on its own page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from ...trace.accounts.models import Account, Role
from ...trace.batches import service as batches
from ...trace.batches.models import Batch, BatchState
from ...trace.certificates import service as certificates
from ...trace.certificates.models import Certificate, Conclusion, Status
from ...trace.items import service as items
from ...trace.items.models import CodeRun
from ...trace.releases import service as releases
from ..i18n import sentence
from .rules import may_edit, works


@dataclass(frozen=True)
class Step:
    """One thing to do. `href` is where it is done; `act` names the form on the batch's page that does it at once."""

    text: str
    href: str
    act: str = ""


def next_step(
    batch: Batch, reports: Sequence[Certificate], runs: Sequence[CodeRun], *, by: Account, today: date
) -> Step | None:
    """The next thing that somebody with this account does or waits for; `runs` newest first."""
    here = url_for("batches.show", ref=batch.ref)
    match batch.state:
        case BatchState.DRAFT:
            return _of_draft(batch, here, by)
        case BatchState.AWAITING_TESTS:
            return _of_submitted(batch, reports, here, by, today)
        case BatchState.RELEASED if works(by):
            if not runs:
                return Step(_("Issue codes"), url_for("labels.issue", batch=batch.ref))
            return Step(_("Codes and labels"), url_for("labels.show", ref=runs[0].ref))
        case BatchState.HELD if works(by):
            return Step(_("Decide on the hold"), here)
    return None


def _of_draft(batch: Batch, here: str, by: Account) -> Step | None:
    missing = len(batches.missing_facts(batch))
    if missing:
        where = url_for("batches.edit", ref=batch.ref) if may_edit(by, batch) else f"{here}#gate"
        return Step(ngettext("%(num)s thing missing", "%(num)s things missing", missing), where)
    return Step(_("Submit"), here, act="submit") if may_edit(by, batch) else None


def _of_submitted(batch: Batch, reports: Sequence[Certificate], here: str, by: Account, today: date) -> Step | None:
    waiting = [report for report in reports if report.status == Status.SUBMITTED]
    if waiting:
        text = _("Review report") if works(by) else _("Report in review")
        return Step(text, url_for("certificates.show", ref=waiting[0].ref))
    missing = sum(not line.done for line in releases.requirements(batch, reports, today=today))
    if missing:
        return Step(ngettext("%(num)s thing missing", "%(num)s things missing", missing), f"{here}#gate")
    return Step(_("Release"), here, act="release") if works(by) else None


def next_steps(db: Session, rows: Sequence[Batch], *, by: Account, today: date) -> Mapping[int, Step | None]:
    """The same for a page of the list, by row number, with two queries for all of them."""
    reports: dict[int, list[Certificate]] = defaultdict(list)
    runs: dict[int, list[CodeRun]] = defaultdict(list)
    numbers = [batch.id for batch in rows]
    for report in db.scalars(
        certificates.visible(by).where(Certificate.batch_id.in_(numbers)).order_by(Certificate.id)
    ):
        reports[report.batch_id].append(report)
    for run in db.scalars(items.visible_runs(by).where(CodeRun.batch_id.in_(numbers)).order_by(CodeRun.id.desc())):
        runs[run.batch_id].append(run)
    return {batch.id: next_step(batch, reports[batch.id], runs[batch.id], by=by, today=today) for batch in rows}


def gate_lines(db: Session, batch: Batch, *, by: Account, today: date) -> list[dict[str, object]]:
    """The release gate for the list of what is missing: `ok`, `text`, and where it is mended: `href`, `action`."""
    reports = certificates.of_batch(db, batch)
    lines: list[dict[str, object]] = []
    for line in releases.requirements(batch, reports, today=today):
        href, action = ("", "") if line.done else _mend(line.rule, batch, reports, by)
        lines.append({"ok": line.done, "text": sentence(line.sentence), "href": href, "action": action})
    return lines


def _mend(rule: str, batch: Batch, reports: Sequence[Certificate], by: Account) -> tuple[str, str]:
    """Where an account mends a line of the gate; empty when it cannot."""
    waiting = [report for report in reports if report.status == Status.SUBMITTED]
    counted = [report for report in reports if report.status == Status.ACCEPTED]
    if rule in ("gate.facts", "gate.shelf-life") and may_edit(by, batch):
        return url_for("batches.edit", ref=batch.ref), _("Edit the batch")
    if rule == "gate.supplier" and works(by):
        return url_for("suppliers.index", q=batch.supplier.name_zh), _("Look at the supplier")
    if rule in ("gate.lab-test", "gate.review") and waiting:
        action = _("Review the report") if works(by) else _("Look at the report")
        return url_for("certificates.show", ref=waiting[0].ref), action
    if rule == "gate.lab-test" and by.role != Role.AUDITOR:
        return url_for("certificates.add", batch=batch.ref), _("Upload a report")
    if rule == "gate.no-failure" and counted:
        failed = [report for report in counted if report.conclusion == Conclusion.FAIL]
        return url_for("certificates.show", ref=(failed or counted)[0].ref), _("Look at the report")
    return "", ""
