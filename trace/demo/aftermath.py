"""What follows once codes exist: jobs are dated back, a sheet printed, and people look codes up."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..items import service as items
from ..items.models import CodeRun, Item
from ..jobs.models import Job
from ..labels import service as labels
from ..scans import service as scans
from ..system import System
from .history import MAKING_TIME, Cast
from .plan import At, Calendar

LABELS = 48
KEPT_AWAY = "kept-away"

_UNTOUCHED = 20
"""The first codes of each run are left alone: `codes` promises things about them."""
_LOOKED_UP = {"tea": 30, "salmon": 24, "formula": 30, "lamp": 16, "past": 10, "formula-recalled": 14}
"""How many codes of a run somebody has looked up."""


def date_back(session: Session, cast: Cast) -> None:
    """Jobs are stamped by the worker with the present; here they get the time of the story."""
    for run in cast.runs.values():
        session.execute(update(Job).where(Job.id == run.job_id).values(ended_at=run.added_at + MAKING_TIME))


def order_labels(session: Session, cast: Cast, calendar: Calendar) -> str:
    """A sheet for the first tins of tea; gives its reference."""
    run = items.get_run(session, cast.runs["tea"].ref)
    order = labels.read_sheet_order({"count": str(LABELS)}, run)
    return labels.order_sheet(session, run, order, by=cast.accounts["wuyi"], at=calendar.moment(At(-31, "11:30"))).ref


def check_labels(system: System, ref: str) -> None:
    """Raises RuntimeError when the sheet was not made; date its job back otherwise."""
    with system.main.write() as session:
        sheet = labels.get(session, ref)
        if sheet.sha256 is None or sheet.job is None:
            raise RuntimeError(f"the demo's label sheet was not made: {sheet.job.error if sheet.job else 'no job'}")
        sheet.job.ended_at = sheet.added_at + MAKING_TIME


def look_up_codes(system: System, cast: Cast, *, until: datetime) -> None:
    """Strangers look codes up: the first of the formula run three times, for «ok-again», and a spread of others."""
    with system.main.read() as session:
        first = session.scalars(items.items_of(cast.runs["formula"]).limit(1)).one()
        again = [(first, cast.runs["formula"].added_at + timedelta(days=days, hours=3)) for days in (6, 19, 33)]
        spread = [look for key, count in _LOOKED_UP.items() for look in _spread(session, cast.runs[key], count, until)]
    secret = system.secret_key().encode()
    for number, (item, at) in enumerate(sorted(again + spread, key=lambda look: look[1])):
        who = scans.visitor(
            secret, cookie=f"demo visitor {number}", network=f"demo network {number}", day=at.date().isoformat()
        )
        found = scans.look(system.scans, system.recorder, item.id, who, at=at, count=True)
        if item is first and not (found and found.counted):
            raise RuntimeError("a look-up of the demo was not stored")


def _spread(session: Session, run: CodeRun, count: int, until: datetime) -> list[tuple[Item, datetime]]:
    """One to three look-ups a code, between its issue and `until`, at hours when people are awake."""
    looks = []
    found = session.scalars(items.items_of(run).offset(_UNTOUCHED).limit(count)).all()
    days = max(1, (until - run.added_at).days - 1)
    for place, item in enumerate(found):
        for visit in range(1 + (place % 5 == 0) + (place % 7 == 0)):
            # Multiplying by numbers without a common factor scatters without chance, the same way each time.
            day, minute = (place * 7 + visit * 11) % days, (place * 197 + visit * 311) % 660
            looks.append((item, run.added_at + timedelta(days=day, minutes=20 + minute)))
    return looks


def take_key_away(folder: Path, keys_folder: Path, cast: Cast) -> None:
    """Move the secret of one old run out of the key folder, so that «cannot verify now» can be seen. On purpose."""
    away = folder / KEPT_AWAY
    away.mkdir(mode=0o700)
    name = f"{cast.runs['key-away'].tag_kid}.secret"
    os.rename(keys_folder / name, away / name)
    (away / "README.txt").write_text(
        "This key is kept away on purpose in this demo: it shows «cannot verify now» for the codes of lot LED2612.\n"
        "Move the file back into the folder «keys» and restart to see those codes verified.\n"
        "本演示有意移走此密钥，用来展示批号 LED2612 的「暂时无法核验」。移回 keys 文件夹并重启即可核验。\n",
        encoding="utf-8",
    )
