"""Others put their names and times to the log: witnesses at each checkpoint, an authority once a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from authority import NOON
from authority import Authority as Stamper
from cryptography.hazmat.primitives.serialization import Encoding
from makers import AT, Clock, rules, run_job
from serving import served
from witness_makers import a_witness

from lotseal.signing.ed25519 import Ed25519Public
from lotseal.signing.keys import Role
from lotseal.signing.notes import Note
from lotseal.signing.timestamp import verify_token
from lotseal.signing.tlog_policy import Policy, Witness
from lotseal.signing.vkeys import Algorithm, VerifierKey
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.errors import Unavailable
from lotseal.trace.jobs.models import Job, JobState
from lotseal.trace.keys import service as keys
from lotseal.trace.log import Act, reading, record
from lotseal.trace.log.models import LogCheckpoint, LogCosignature, LogTimestamp
from lotseal.trace.outside import service as outside
from lotseal.trace.outside.health import Health, health
from lotseal.trace.outside.service import Authority, Rounds
from lotseal.trace.system import System
from lotseal.web.witness.app import application


def grow(system: System) -> None:
    with system.main.write() as session:
        record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject="link:tea")
    system.sequencer().run_once()


@pytest.fixture
def witness(system: System, tmp_path: Path) -> Iterator[Witness]:
    """A witness that follows this system's log, at an address of its own."""
    with system.main.read() as session:
        [key] = keys.all_of(session, Role.LOG)
        raw = Ed25519Public.from_jwk(key.public_jwk or {}).raw
    log = VerifierKey("t.example.cn/log", Algorithm.ED25519, raw)
    there = a_witness(tmp_path / "witness", log)
    with served(application(there)) as address:
        yield Witness("w1", there.vkey, address)


def published(system: System) -> Note:
    return Note.parse(system.shelf.read("checkpoint") or b"")


def test_a_checkpoint_is_shown_with_the_name_of_its_witness(system: System, witness: Witness) -> None:
    grow(system)
    rounds = Rounds(system.main, system.shelf, (witness,), ())
    assert rounds.run_once() == 1
    with system.main.read() as session:
        logs = Policy.parse(system.log_policy(session).encode()).logs
    accepted = Policy(logs, (witness,), (), "w1").verify(published(system))
    assert [one.witness for one in accepted.cosigned] == [witness]
    assert rounds.run_once() == 0, "once is enough"


def test_each_later_checkpoint_is_cosigned_from_where_the_witness_stands(system: System, witness: Witness) -> None:
    for _ in range(3):
        grow(system)
        assert outside.cosign(system.main, system.shelf, witness)
    grow(system)
    grow(system)
    assert outside.cosign(system.main, system.shelf, witness)
    with system.main.read() as session:
        assert [row.size for row in session.query(LogCosignature).order_by(LogCosignature.size)] == [1, 2, 3, 5]


def test_since_when_is_what_the_first_witness_says(system: System, witness: Witness) -> None:
    grow(system)
    grow(system)
    outside.cosign(system.main, system.shelf, witness)
    grow(system)
    outside.cosign(system.main, system.shelf, witness)
    with system.main.read() as session:
        for index in (0, 1):
            seen = reading.seen(session, index)
            assert seen is not None
            assert (seen.size, seen.witnesses) == (2, 1)
        own = session.get(LogCosignature, (2, witness.key.name))
        assert own is not None
        assert seen.at == own.at


def test_a_witness_that_is_away_keeps_neither_the_log_nor_the_others(
    system: System, witness: Witness, time: Clock
) -> None:
    away = Witness("away", VerifierKey("away", Algorithm.COSIGNATURE_V1, bytes(32)), "http://127.0.0.1:9")
    grow(system)
    rounds = Rounds(system.main, system.shelf, (away, witness), ())
    assert rounds.run_once() == 1
    grow(system)
    assert rounds.run_once() == 1
    assert rounds._patience["away"].failures == 1, "it is not asked again at once"
    time.on(minutes=1)
    rounds.run_once()
    assert rounds._patience["away"].failures == 2


# --- health -----------------------------------------------------------------------------------------------------------


def log_health(system: System, *witnesses: Witness) -> Health:
    with system.main.read() as session:
        logs = Policy.parse(system.log_policy(session).encode()).logs
        policy = Policy(logs, witnesses, (), witnesses[0].name if witnesses else "none")
        return health(session, system.shelf, policy)


def test_the_health_of_a_log_says_how_far_each_witness_went_along(system: System, witness: Witness) -> None:
    asleep = Witness("asleep", VerifierKey("asleep", Algorithm.COSIGNATURE_V1, bytes(32)), "http://127.0.0.1:9")
    grow(system)
    outside.cosign(system.main, system.shelf, witness)
    grow(system)
    found = log_health(system, witness, asleep)
    assert [(one.name, one.size) for one in found.witnesses] == [(witness.key.name, 1), ("asleep", 0)]
    assert (found.size, found.published, found.waiting, found.cosigned) == (2, 2, 0, False)
    outside.cosign(system.main, system.shelf, witness)
    assert log_health(system, witness).cosigned is True
    assert log_health(system).cosigned is None, "nobody is asked"
    assert log_health(system).witnesses[0].size == 2, "but what was cosigned is told"


def test_what_waits_for_its_seal_is_counted_from_when_it_was_written(system: System) -> None:
    with system.main.write() as session:
        record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject="link:tea")
    found = log_health(system)
    assert (found.size, found.published, found.waiting, found.waiting_since) == (0, 0, 1, AT)


def test_a_checkpoint_that_the_log_did_not_sign_is_not_healthy(system: System) -> None:
    grow(system)
    path = system.settings.log_folder / "checkpoint"
    text, _blank, line = path.read_text().rpartition("\n\n")
    path.write_text(f"{text}\n\n{line[:-9]}AAAA{line[-5:]}")
    with pytest.raises(Unavailable) as refused:
        log_health(system)
    assert rules(refused) == [(None, "log.signature")]
    path.unlink()
    system.sequencer().run_once()
    assert log_health(system).published == 1, "the way out that the sentence names"


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[tuple[Stamper, Authority]]:
    made = Stamper()
    roots = tmp_path / "roots.pem"
    roots.write_bytes(made.root.public_bytes(Encoding.PEM))
    with served(made.app) as address:
        yield made, Authority(address, roots)


def stamps(system: System) -> list[LogTimestamp]:
    with system.main.read() as session:
        return list(session.query(LogTimestamp).order_by(LogTimestamp.size))


def test_a_checkpoint_is_stamped_once_a_day_by_a_job(
    system: System, authority: tuple[Stamper, Authority], time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, address = authority
    monkeypatch.setattr(System, "authorities", lambda _system: (address,))
    time.at = NOON
    rounds = Rounds(system.main, system.shelf, (), (address,))
    for hours in (0, 1, 10, 14):
        time.on(hours=hours)
        made.at = time.at
        grow(system)
        rounds.run_once()
        system.worker().run_all()
    found = stamps(system)
    assert [stamp.size for stamp in found] == [1, 4], "the second only when the first is a day old"
    note = reading_note(system, 1)
    assert verify_token(found[0].token, note.text.encode(), [made.root]) == NOON


def reading_note(system: System, size: int) -> Note:
    with system.main.read() as session:
        return Note.parse(session.get_one(LogCheckpoint, size).note.encode())


def test_nothing_new_is_nothing_to_stamp(system: System, authority: tuple[Stamper, Authority], time: Clock) -> None:
    time.at = NOON
    asked = (authority[1],)
    with system.main.write() as session:
        assert outside.order_stamp(session, asked, at=time.at) is None, "an empty log"
    grow(system)
    with system.main.write() as session:
        assert outside.order_stamp(session, (), at=time.at) is None, "nobody is asked"
        assert outside.order_stamp(session, asked, at=time.at) is not None
        assert outside.order_stamp(session, asked, at=time.at) is None, "one job at a time"


def test_without_an_authority_the_job_says_what_to_set(
    system: System, authority: tuple[Stamper, Authority], time: Clock
) -> None:
    grow(system)
    with system.main.write() as session:
        outside.order_stamp(session, authority[1:], at=time.at)
    with pytest.raises(Unavailable) as refused:
        outside.stamp(_claimed(system), ())
    assert rules(refused) == [("LOTSEAL_TSA_URL", "timestamp.none")]


def _claimed(system: System) -> outside.jobs.Claimed:
    job = outside.jobs.claim(system.main, "w", at=AT + timedelta(days=9000))
    assert isinstance(job, Job)
    return outside.jobs.Claimed(job, system.main)


def test_a_stamp_of_another_root_is_not_kept(
    system: System, authority: tuple[Stamper, Authority], time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made, address = authority
    address.roots.write_bytes(Stamper().root.public_bytes(Encoding.PEM))
    monkeypatch.setattr(System, "authorities", lambda _system: (address,))
    grow(system)
    with system.main.write() as session:
        outside.order_stamp(session, (address,), at=time.at)
    with pytest.raises(Unavailable):
        run_job(system, at=AT + timedelta(days=9000))
    assert stamps(system) == []


# --- more than one authority ------------------------------------------------------------------------------------------


class Pair:
    """Two authorities at addresses of their own, with their roots in one file, and a service that asks both."""

    def __init__(self, system: System, time: Clock, first: str, second: str, roots: Path) -> None:
        self.system, self.time = system, time
        self.made = Stamper(common="First"), Stamper(common="Second")
        roots.write_bytes(b"".join(one.root.public_bytes(Encoding.PEM) for one in self.made))
        self.asked = Authority(first, roots), Authority(second, roots)
        self.rounds = Rounds(system.main, system.shelf, (), self.asked)

    def look(self, **later: float) -> None:
        """The rounds and the worker, some time later."""
        self.time.on(**later)
        for one in self.made:
            one.at = self.time.at
        self.rounds.run_once()
        self.system.worker().run_all()

    def stamps(self) -> list[tuple[int, str]]:
        names = {one.name: made.common for one, made in zip(self.asked, self.made, strict=True)}
        return sorted((row.size, names[row.authority]) for row in stamps(self.system))

    def calls(self) -> list[int]:
        return [len(one.asked) for one in self.made]


@pytest.fixture
def pair(system: System, time: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    time.at = NOON
    waiting: list[Pair] = []

    def answering(place: int) -> Any:
        return lambda environ, start: waiting[0].made[place].app(environ, start)

    with served(answering(0)) as first, served(answering(1)) as second:
        waiting.append(Pair(system, time, first, second, tmp_path / "roots.pem"))
        monkeypatch.setattr(System, "authorities", lambda _system: waiting[0].asked)
        yield waiting[0]


def test_all_authorities_stamp_the_same_checkpoint(pair: Pair) -> None:
    grow(pair.system)
    pair.look()
    grow(pair.system)
    pair.look(hours=2)
    assert pair.stamps() == [(1, "First"), (1, "Second")]
    pair.look(hours=23)
    assert pair.stamps() == [(1, "First"), (1, "Second"), (2, "First"), (2, "Second")]
    text = reading_note(pair.system, 2).text.encode()
    tokens = [row.token for row in stamps(pair.system) if row.size == 2]
    assert {verify_token(token, text, [one.root for one in pair.made]) for token in tokens} == {pair.time.at}


@pytest.mark.parametrize("away", [0, 1])
def test_an_authority_that_is_away_keeps_no_other_and_is_asked_alone_later(pair: Pair, away: int) -> None:
    here = 1 - away
    pair.made[away].status = 2
    grow(pair.system)
    pair.look()
    assert pair.stamps() == [(1, pair.made[here].common)]
    for _ in range(4):
        pair.look(minutes=1)
    assert pair.calls()[here] == 1, "it gave its stamp"
    assert pair.calls()[away] == 5, "each attempt of the job"
    grow(pair.system)
    pair.made[away].status = 0
    pair.look(hours=1)
    assert pair.stamps() == [(1, "First"), (1, "Second")], "the checkpoint that it missed, and no other"
    assert pair.calls()[here] == 1


def test_an_authority_that_stays_away_does_not_make_the_others_stamp_more_often(pair: Pair) -> None:
    pair.made[0].status = 2
    for _ in range(25):
        grow(pair.system)
        for _ in range(5):
            pair.look(minutes=12)
    assert pair.stamps() == [(1, "Second"), (25, "Second")]


def test_a_fault_with_one_authority_is_told_after_the_others_stamped(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = outside.timestamps.stamp

    def stamp(text: bytes, url: str, roots: Any) -> Any:
        if url == pair.asked[0].url:
            raise RuntimeError("a fault")
        return right(text, url, roots)

    monkeypatch.setattr(outside.timestamps, "stamp", stamp)
    grow(pair.system)
    pair.look()
    assert pair.stamps() == [(1, "Second")]
    with pair.system.main.read() as session:
        job = session.query(Job).one()
        assert (job.state, job.error) == (JobState.QUEUED, "internal error (RuntimeError)")
        assert (job.done, job.total) == (1, 2)


def test_the_health_of_a_log_names_each_authority_that_is_asked(pair: Pair) -> None:
    pair.made[1].status = 2
    grow(pair.system)
    pair.look()
    names = [one.name for one in pair.asked]
    with pair.system.main.read() as session:
        policy = Policy.parse(pair.system.log_policy(session).encode())
        found = health(session, pair.system.shelf, policy, names).stamps
    assert [(one.name, one.size) for one in found] == [(names[0], 1), (names[1], 0)]
