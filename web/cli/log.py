"""`lotseal log`: the transparency log, seen by its operator and by anybody else."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice, starmap
from multiprocessing.pool import AsyncResult
from pathlib import Path
from typing import Any, TypeVar

import click

from ...signing import monitor
from ...signing.checkpoint import Checkpoint
from ...signing.errors import PolicyNotMet, SigningError
from ...signing.monitor import Part, Spread, State
from ...signing.notes import Note
from ...signing.stretch import Stretch
from ...signing.tiles import Fetch
from ...signing.tlog_policy import NOT_OF_THE_LOG, Accepted, Policy
from ...trace import settings
from ...trace.audit import sample as sampling
from ...trace.audit import service as audit
from ...trace.audit.checks import Examiner, Sampled
from ...trace.audit.model import Finding
from ...trace.audit.sample import Kind
from ...trace.errors import Invalid, Message, Problem, invalid, say
from ...trace.log import reading
from ...trace.log.shelf import CHECKPOINT, Shelf
from .context import FOUND, as_json, done, json_option, listing, progress, ready, translated
from .context import reading as reading_store
from .fetching import over_http
from .log_keys import Changed, Kept, changed

R = TypeVar("R")

IN_ONE_PROCESS = 20_000
"""Entries below which starting more processes takes longer than it saves."""
AHEAD = 4
"""Stretches that wait for a process, so that none waits for a stretch."""
MOST_FINDINGS = 100
MOST_TOLD = 200


@click.group()
def log() -> None:
    """The transparency log: what was written down can be proved, and not be rewritten."""


@log.command()
@json_option
def status() -> None:
    """How large the log is, and what waits for its seal."""
    with reading_store() as work:
        newest = reading.newest(work.session)
        published = work.system.shelf.published()
        document = {
            "origin": published.origin if published else work.system.settings.log_origin,
            "size": newest.size if newest else 0,
            "published": published.size if published else 0,
            "waiting": reading.waiting(work.session),
            "sealed_at": newest.at.isoformat() if newest else None,
        }
    done(
        document,
        say(
            "%(size)d entries are sealed, %(published)d published, %(waiting)d wait.",
            size=document["size"],
            published=document["published"],
            waiting=document["waiting"],
        ),
    )


@log.command()
@json_option
def seal() -> None:
    """Seal and publish what waits. A running service does that by itself, once a second."""
    with ready() as system:
        count = system.sequencer().run_once()
    done({"sealed": count}, say("%(count)d entries were sealed.", count=count))


@log.command()
@json_option
def policy() -> None:
    """Print the policy that auditors keep: the keys of the log but the revoked ones, and its witnesses."""
    with reading_store() as work:
        text = work.system.log_policy(work.session)
    if as_json():
        done({"policy": text})
    else:
        click.echo(text, nl=False)


@log.command()
@json_option
@click.option("--url", metavar="URL", help="The log's address, such as https://t.example.cn/log/.")
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Or a data folder.")
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The policy that you kept; without it the log's own word is taken for its keys, and the answer says so.",
)
@click.option(
    "--since",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint that you kept: the log must be a continuation of it.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to keep how far this monitor read; the next run goes on from there.",
)
@click.pass_context
def verify(
    context: click.Context,
    url: str | None,
    data: Path | None,
    policy_file: Path | None,
    since: Path | None,
    state: Path | None,
) -> None:
    """Read the whole log as an outsider and name the first thing that does not fit. With --data, hold every record and
    file against the log, too. Exit code 4 when something does not fit."""
    if (url is None) == (data is None):
        raise invalid("url", "log.where", say("Give either --url or --data."))
    fetch = context.with_resource(over_http(url)) if url else _from_folder(data)  # type: ignore[arg-type]  # one of the two is given
    facts: dict[str, Any] = {"where": url or str(data)}
    try:
        facts |= _followed(fetch, policy_file, since, state)
    except SigningError as error:
        facts |= {"sound": False, "rule": error.rule, "difference": error.message, **error.facts}
        found_key = _changed_key(fetch, since, state) if error.rule == NOT_OF_THE_LOG and policy_file else None
        facts |= {"new_key": found_key.facts()} if found_key else {}
        # Witnesses that are late and keys that were exchanged are no proof of a changed log.
        if error.rule.startswith("policy."):
            wrong = say("NOT AS THE POLICY ASKS: %(difference)s [%(rule)s]", difference=error.message, rule=error.rule)
        else:
            wrong = say("NOT SOUND: %(difference)s [%(rule)s]", difference=error.message, rule=error.rule)
        done(facts, wrong, *(found_key.sentences() if found_key else ()))
        context.exit(FOUND)
    found = _held_against_records(data) if data else None
    if found is None:
        done(facts, *_sentences(facts))
        return
    facts |= {"sound": not found, "records": [finding.document() for finding in found[:MOST_FINDINGS]]}
    facts["more"] = len(found) > MOST_FINDINGS
    done(facts, *_sentences(facts), *_of_records(found))
    if found:
        context.exit(FOUND)


def _held_against_records(data: Path) -> list[Finding]:
    """The first differences between the store and its log; one more than is told, to know whether there are more."""
    with (
        ready(settings.load(data=data)) as system,
        system.main.read() as session,
        progress(say("Holding the records against the log"), None) as tell,
    ):
        differences = audit.check(session, system.shelf, system.storage, tell)
        return list(islice(differences, MOST_FINDINGS + 1))


def _of_records(found: list[Finding]) -> Iterator[Message]:
    if not found:
        yield say("Every record and file is as the log says.")
        return
    first = found[0]
    yield say(
        "NOT AS LOGGED: %(subject)s, %(field)s: the log says %(logged)s, the record says %(recorded)s. "
        "[%(rule)s, history %(chain)s]",
        subject=first.subject,
        field=first.field,
        logged=_told(first.logged),
        recorded=_told(first.recorded),
        rule=first.rule,
        chain=first.chain,
    )
    if len(found) > 1:
        yield say("There are more differences. --json lists up to %(most)d.", most=MOST_FINDINGS)


def _told(value: Any) -> str:
    """A value of a finding on one line."""
    text = "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_TOLD else f"{text[:MOST_TOLD]}…"


@log.command()
@json_option
@click.option("--seed", required=True, metavar="TEXT", help="Publish it before the draw.")
@click.option("--count", default="20", metavar="N", help="How many, at most 200; 20 when nothing is said.")
@click.option("--of", default=Kind.ITEMS.value, type=click.Choice([kind.value for kind in Kind]), help="What is drawn.")
@click.pass_context
def sample(context: click.Context, seed: str, count: str, of: str) -> None:
    """Draw a sample that anybody can draw again, and check each of it. Exit code 4 when something does not fit.

    Of all that is sealed, those are drawn whose SHA-256 over the seed, a line feed and the identifier is the smallest.
    """
    try:
        order = sampling.read_order({"seed": seed, "n": count, "of": of})
    except Invalid as error:
        named = [replace(one, field="count") if one.field == "n" else one for one in error.problems]
        raise Invalid(*named) from error
    with reading_store() as work:
        drawn, total = sampling.draw(work.session, order)
        system = work.system
        examiner = Examiner(work.session, system.shelf, system.storage, system.ring, most_codes=sys.maxsize)
        found = list(examiner.examine(order.of, drawn))
        rows = [_row(one) for one in found]
    if as_json():
        done({"seed": order.seed, "of": order.of.value, "out_of": total, "sample": rows, "total": len(rows)})
    else:
        listing("sample", [{**row, "checks": row["result"]} for row in rows], ("identifier", "name", "index", "checks"))
    if not all(one.fits for one in found):
        context.exit(FOUND)


def _row(one: Sampled) -> dict[str, Any]:
    checks = [
        {"rule": check.rule, "outcome": check.outcome.value, "sentence": translated(check.sentence)}
        for check in one.checks
    ]
    return {
        "identifier": one.drawn.identifier,
        "hash": one.drawn.hash,
        "name": one.name,
        "batch": one.batch,
        "index": one.index,
        "result": " ".join(check["sentence"] for check in checks),
        "checks": checks,
    }


def _followed(fetch: Fetch, policy_file: Path | None, since: Path | None, state_file: Path | None) -> dict[str, Any]:
    own = policy_file is not None
    policy = _own("policy", policy_file, Policy.parse) or Policy.parse(_needed(fetch, "policy"))
    note = _own("since", since, Note.parse)
    kept = _own("state", state_file if state_file and state_file.exists() else None, State.read)
    accepted = policy.verify(Note.parse(_needed(fetch, CHECKPOINT)))
    checkpoint = accepted.checkpoint
    before, signed = _kept_checkpoint(policy, note) if note else (None, None)
    kept = kept or State(checkpoint.origin)
    start = kept.size
    with spreading(checkpoint.size - start) as spread, progress(say("Reading the log"), checkpoint.size) as tell:
        monitor.follow(fetch, kept, checkpoint, since=before, spread=spread, tell=tell)
    if state_file:
        aside = state_file.with_name(f"{state_file.name}.new")
        aside.write_bytes(kept.to_bytes())
        aside.replace(state_file)
    facts = {"sound": True, **_facts(accepted, own), "read_from": start, "chains": len(kept.ends), "keys": kept.keys}
    return facts if signed is None else {**facts, "since_signed": signed}


def _kept_state(path: Path | None) -> State | None:
    return State.read(path.read_bytes()) if path and path.exists() else None


def _kept_checkpoint(policy: Policy, note: Note) -> tuple[Checkpoint, bool]:
    """The checkpoint that was kept, and whether a log key of the policy signed it. The key of back then may have been
    revoked since, and struck from the policy; what an auditor kept still has to be the beginning of the log."""
    try:
        return policy.verify(note).checkpoint, True
    except PolicyNotMet as error:
        if error.rule != NOT_OF_THE_LOG:
            raise
        return Checkpoint.parse(note.text), False


def _changed_key(fetch: Fetch, since: Path | None, state_file: Path | None) -> Changed | None:
    try:
        before = Checkpoint.parse(Note.parse(since.read_bytes()).text) if since else None
        kept = Kept(_kept_state(state_file), before)
    except SigningError:
        return None
    return changed(fetch, kept)


def _own(option: str, file: Path | None, read: Callable[[bytes], R]) -> R | None:
    """What the auditor kept. Raises `Invalid` for a wrong file: that says nothing about the log."""
    try:
        return read(file.read_bytes()) if file else None
    except SigningError as error:
        sentence = say(
            "This file of yours cannot be used, so nothing was checked: %(reason)s.", reason=error.message.rstrip(".")
        )
        raise invalid(option, error.rule, sentence) from error


def _facts(accepted: Accepted, own: bool) -> dict[str, Any]:
    checkpoint = accepted.checkpoint
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "witnesses": [found.witness.name for found in accepted.cosigned],
        "policy": "own" if own else "from the log itself",
    }


def _sentences(facts: dict[str, Any]) -> Iterator[Any]:
    yield say(
        "Sound: %(size)d entries give the signed root, and each of %(chains)d histories is without a gap.",
        size=facts["size"],
        chains=facts["chains"],
    )
    if facts.get("since_signed") is False:
        yield say("The checkpoint that you kept is signed by no key of this policy; it was taken as you kept it.")
    yield say("Witnesses that cosigned this checkpoint: %(count)d.", count=len(facts["witnesses"]))
    if not facts["witnesses"]:
        yield say(
            "Nobody else saw this head: only a checkpoint or state that you kept shows whether the log was rewritten."
        )
    if facts["policy"] != "own":
        yield say("The keys were taken from the log itself. Keep its policy and give it with --policy the next time.")


def _needed(fetch: Fetch, path: str) -> bytes:
    found = fetch(path)
    if found is None:
        raise Invalid(
            Problem(
                None,
                "log.no-file",
                say(
                    "There is no %(path)s in this log. Its address ends in /log/; --data takes the data folder.",
                    path=path,
                ),
            )
        )
    return found


def _from_folder(data: Path) -> Fetch:
    """The published files of a data folder; its policy is told by the store."""
    shelf = Shelf(data / "log")

    def fetch(path: str) -> bytes | None:
        if path != "policy":
            return shelf.read(path)
        with ready(settings.load(data=data)) as system, system.main.read() as session:
            return system.log_policy(session).encode()

    return fetch


@contextmanager
def spreading(size: int) -> Iterator[Spread]:
    """Over as many processes as there are processors, when that is worth it."""
    cores = multiprocessing.cpu_count()
    if size < IN_ONE_PROCESS or cores < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield starmap
        return
    # Forked at once, before anything here starts a thread; a fresh process would read this program again.
    with multiprocessing.get_context("fork").Pool(cores) as pool:

        def spread(read: Callable[..., Stretch], parts: Iterable[Part]) -> Iterator[Stretch]:
            waiting: deque[AsyncResult[Stretch]] = deque()
            for part in parts:
                waiting.append(pool.apply_async(read, part))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().get()
            for one in waiting:
                yield one.get()

        yield spread
