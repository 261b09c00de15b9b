"""What was done to a batch, its reports and its codes, newest first, out of the audit acts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from ...trace.log import service as log
from ...trace.log.models import AuditAct
from ..words import act_label, field_label, reject_reason


@dataclass(frozen=True)
class Done:
    """One act as people read it."""

    at: datetime
    by: str
    act: str
    text: str
    detail: str


def history(db: Session, subjects: Iterable[str]) -> list[Done]:
    """The acts on these things, newest first."""
    acts = [act for subject in subjects for act in log.of_subject(db, subject)]
    return [_shown(act) for act in sorted(acts, key=lambda act: (act.at, act.id), reverse=True)]


def _shown(act: AuditAct) -> Done:
    return Done(act.at, act.by_name, act.act, str(act_label(act.act)), _detail(act.act, act.facts))


def _detail(act: str, facts: Mapping[str, Any]) -> str:
    if act == "certificate:reject":
        return " — ".join(str(part) for part in (reject_reason(facts["reason"]), facts.get("note")) if part)
    if act == "codes:issue" and "count" in facts:
        count = ngettext("%(num)s code", "%(num)s codes", facts["count"])
        return str(_("%(count)s, kind %(tier)s", count=count, tier=facts["tier"]))
    if changed := facts.get("changed"):
        return str(_(", ")).join(str(field_label(name)) for name in changed)
    reasons = (facts.get(name) for name in ("reason", "reason_zh", "reason_en", "number"))
    return " / ".join(str(reason) for reason in reasons if reason)
