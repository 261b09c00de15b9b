"""The log: what waits, what is published, and who vouches for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ....signing.tlog_policy import Policy
from ....trace import clock
from ....trace.errors import say
from ....trace.outside.health import PATIENCE, STAMP_PATIENCE, Health, health
from ....trace.system import System
from .check import Check, ok, warn


def log(system: System) -> Iterator[Check]:
    now = clock.now()
    with system.main.read() as session:
        policy = Policy.parse(system.log_policy(session).encode())
        log = health(session, system.shelf, policy, [one.name for one in system.authorities()])
    if log.waiting_since and log.waiting_since + PATIENCE < now:
        yield warn(
            "log.waiting",
            say(
                "%(count)d entries wait for their seal since %(since)s. Start the service, or run «lotseal log seal».",
                count=log.waiting,
                since=log.waiting_since,
            ),
        )
    else:
        yield ok("log.sealed", say("The log has %(size)d entries; %(waiting)d wait.", **_sizes(log)))
    if log.published < log.size:
        yield warn(
            "log.unpublished",
            say("Only %(published)d of %(size)d entries are published. Run «lotseal log seal».", **_sizes(log)),
        )
    yield from _witnessed(log, now)
    yield from _stamped(log, system, now)


def _sizes(log: Health) -> dict[str, int]:
    return {"size": log.size, "published": log.published, "waiting": log.waiting}


def _witnessed(log: Health, now: datetime) -> Iterator[Check]:
    if log.cosigned is None and not log.witnesses:
        yield ok("log.unwitnessed", say("No witness is asked: others have only your word that the log just grew."))
    elif log.cosigned is False and log.published_at and log.published_at + PATIENCE < now:
        found = ", ".join(f"{one.name} ({one.size})" for one in log.witnesses)
        yield warn(
            "log.quorum",
            say(
                "Too few witnesses cosigned the published checkpoint of %(published)d entries. Cosigned so far: "
                "%(found)s. Look at the service's log for why.",
                published=log.published,
                found=found,
            ),
        )
    else:
        yield ok("log.witnessed", say("Witnesses: %(names)s.", names=", ".join(one.name for one in log.witnesses)))


def _stamped(log: Health, system: System, now: datetime) -> Iterator[Check]:
    asked = {one.name for one in system.authorities()}
    if not asked and system.settings.tsa_urls:
        yield warn(
            "log.stamp-roots",
            say("No time-stamp authority is asked: set LOTSEAL_TSA_ROOTS beside LOTSEAL_TSA_URL."),
        )
    elif not asked:
        yield ok("log.unstamped", say("No time-stamp authority is asked: times are by your own clock."))
    for one in log.stamps:
        # One that is not asked any more keeps its stamps, and owes none.
        late = one.size < log.published and (one.at is None or one.at + STAMP_PATIENCE < now)
        if one.name in asked and late:
            yield warn(
                "log.stamp",
                say(
                    "%(authority)s has stamped no checkpoint for two days. Look at the jobs stamp-checkpoint.",
                    authority=one.name,
                ),
            )
        else:
            values = {"authority": one.name, "at": one.at or "–"}
            yield ok("log.stamped", say("Newest time stamp of %(authority)s: %(at)s.", **values))
