"""From the entries of one chain to what the record must say: each act is done again on plain facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from ..batches.models import BatchState
from ..certificates.models import Status
from ..labs.numbers import numbers_in
from ..labs.service import SCHEMES
from ..log import Act
from ..log.models import LogEntry
from .model import Finding
from .told import ERASED, Told, as_logged

Facts = dict[str, Any]


@dataclass
class History:
    """What a chain says. `things` holds by subject what its row must say, None for a thing that was removed; `voids` by
    serial, `run_voids` by reference of the run, are codes that were taken out of use: when, why, by whom."""

    chain: str
    things: dict[str, Facts | None] = field(default_factory=dict)
    voids: dict[str, Facts] = field(default_factory=dict)
    run_voids: dict[str, list[Facts]] = field(default_factory=dict)
    """With `of_all`: the run was finished then, so that no code of it came later."""
    broken: bool = False
    """An entry is missing or is not the one that was logged: what follows from the rest would mislead."""
    unreadable: list[Finding] = field(default_factory=list)

    def thing(self, subject: str) -> Facts:
        """Raises KeyError for what was never added or is gone."""
        found = self.things[subject]
        if found is None:
            raise KeyError(subject)
        return found


def replay(chain: str, entries: Iterable[LogEntry]) -> History:
    """Do again what the entries say, oldest first."""
    history, due = History(chain), 1
    for entry in entries:
        told = as_logged(entry)
        if told is None or (entry.seq is not None and entry.seq != due):
            history.broken = True
            break
        due += 1
        if do := DOING.get(told.act):
            try:
                do(history, told.whole())
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                where = f"{told.act} {entry.seq or ''}".strip()
                history.unreadable.append(
                    Finding("entry.unreadable", chain, told.subject, where, None, f"{type(error).__name__}: {error}")
                )
    return history


# --- suppliers, categories, products, links ---------------------------------------------------------------------------


def _added(history: History, told: Told, **more: Any) -> None:
    stamps = {"added_at": told.at, "added_by": told.name}
    history.things[told.subject] = {**told.facts, **stamps, **more}


def _changed(history: History, told: Told) -> None:
    changed = told.facts["changed"].items()
    history.thing(told.subject).update({name: ERASED if both is ERASED else both[1] for name, both in changed})


def _add_supplier(history: History, told: Told) -> None:
    _added(history, told, suspended_at=None, suspended_reason="")


def _suspend(history: History, told: Told) -> None:
    history.thing(told.subject).update(suspended_at=told.at, suspended_reason=told.facts["reason"])


def _resume(history: History, told: Told) -> None:
    history.thing(told.subject).update(suspended_at=None, suspended_reason="")


def _add_category(history: History, told: Told) -> None:
    history.things[told.subject] = dict(told.facts)


def _add_product(history: History, told: Told) -> None:
    _added(history, told, picture=None, picture_original=None, former=[])


def _picture(history: History, told: Told) -> None:
    picture = told.facts.get("picture", ERASED)
    history.thing(told.subject).update(picture=picture, picture_original=told.facts["original"])


def _renumber(history: History, told: Told, name: str) -> None:
    thing = history.thing(told.subject)
    before, after = told.facts["changed"][name]
    kept = [row for row in thing["former"] if row[name] != after]
    former = {name: before, "reason": told.facts["reason"], "at": told.at, "by": told.name}
    thing.update({name: after, "former": [*kept, former]})


def _renumber_product(history: History, told: Told) -> None:
    _renumber(history, told, "gtin")


def _removed(history: History, told: Told) -> None:
    history.thing(told.subject)
    history.things[told.subject] = None


# --- batches ----------------------------------------------------------------------------------------------------------


def _add_batch(history: History, told: Told) -> None:
    _added(
        history,
        told,
        state=BatchState.DRAFT.value,
        hold_reason_zh="",
        hold_reason_en="",
        held_from=None,
        steps=[],
        former=[],
        corrections=[],
        notice=None,
        release=None,
    )
    thing = history.thing(told.subject)
    del thing["gtin"]
    _step(thing, told, BatchState.DRAFT, "")


def _step(thing: Facts, told: Told, state: str, reason: str) -> None:
    thing["state"] = str(state)
    thing["steps"].append({"state": str(state), "reason": reason, "at": told.at, "by": told.name})


def _submit(history: History, told: Told) -> None:
    _step(history.thing(told.subject), told, BatchState.AWAITING_TESTS, "")


def _release(history: History, told: Told) -> None:
    thing = history.thing(told.subject)
    _step(thing, told, BatchState.RELEASED, "")
    thing["release"] = {
        "sha256": told.facts["document_sha256"],
        "document": told.facts["document_sha256"],
        "kid": told.facts["kid"],
        "at": told.at,
        "by": told.name,
    }


def _correct(history: History, told: Told) -> None:
    thing = history.thing(told.subject)
    _changed(history, told)
    reason = told.facts.get("reason", ERASED)
    for name, (before, after) in sorted(told.facts["changed"].items()):
        row = {"field": name, "before": before, "after": after, "reason": reason, "at": told.at, "by": told.name}
        thing["corrections"].append(row)


def _hold(history: History, told: Told) -> None:
    thing = history.thing(told.subject)
    words = {f"hold_{name}": told.facts[name] for name in ("reason_zh", "reason_en")}
    thing.update(held_from=thing["state"], **words)
    _step(thing, told, BatchState.HELD, told.facts["reason_zh"])


def _lift(history: History, told: Told) -> None:
    thing = history.thing(told.subject)
    _step(thing, told, thing["held_from"] or BatchState.AWAITING_TESTS, told.facts["reason"])
    thing.update(held_from=None, hold_reason_zh="", hold_reason_en="")


def _recall(history: History, told: Told) -> None:
    thing = history.thing(told.subject)
    _step(thing, told, BatchState.RECALLED, told.facts["reason_zh"])
    thing["notice"] = {**told.facts, "at": told.at, "by": told.name}


def _close(history: History, told: Told) -> None:
    _step(history.thing(told.subject), told, BatchState.CLOSED, told.facts["reason"])


def _renumber_batch(history: History, told: Told) -> None:
    _renumber(history, told, "lot")


# --- certificates and codes -------------------------------------------------------------------------------------------


def _send(history: History, told: Told) -> None:
    history.things[told.subject] = {
        **told.facts,
        "status": Status.SUBMITTED.value,
        "reason": "",
        "note": "",
        "submitted_at": told.at,
        "submitted_by": told.name,
        "submitted_by_ref": ERASED if told.by is None else told.by[0],
        "reviewed_at": None,
        "reviewed_by": "",
        "withdrawn_at": None,
        "withdrawn_by": "",
        "withdrawn_reason": "",
    }


def _reviewed(history: History, told: Told, status: Status, **more: Any) -> None:
    history.thing(told.subject).update(status=status.value, reviewed_at=told.at, reviewed_by=told.name, **more)


def _accept(history: History, told: Told) -> None:
    _reviewed(history, told, Status.ACCEPTED)


def _reject(history: History, told: Told) -> None:
    _reviewed(history, told, Status.REJECTED, reason=told.facts["reason"], note=told.facts["note"])


def _withdraw(history: History, told: Told) -> None:
    history.thing(told.subject).update(
        status=Status.WITHDRAWN.value,
        withdrawn_at=told.at,
        withdrawn_by=told.name,
        withdrawn_reason=told.facts["reason"],
    )


def _own(history: History) -> str:
    """The reference of the batch or laboratory whose chain this is."""
    return history.chain.partition(":")[2]


def _order(history: History, told: Told) -> None:
    """A run that begins. When its job gave up and was ordered again, the run is the one that is there."""
    if "again" in told.facts:
        return
    facts = {**told.facts, "root": None, "batch": _own(history), "added_at": told.at, "added_by": told.name}
    history.things[f"run:{facts.pop('run')}"] = facts


def _commit(history: History, told: Told) -> None:
    facts = {**told.facts, "batch": _own(history)}
    del facts["run"]
    # A run whose order was not logged yet is known from here on.
    ordered = history.things.get(told.subject) or {}
    history.things[told.subject] = {**ordered, **facts}


def _void(history: History, told: Told) -> None:
    kind, _colon, name = told.subject.partition(":")
    void = {"voided_at": told.at, "void_reason": told.facts["reason"], "voided_by": told.name}
    if kind == "item":
        history.voids.setdefault(name, void)
    else:
        finished = finished_run(history, name) is not None
        history.run_voids.setdefault(name, []).append({**void, "of_all": finished})


def finished_run(history: History, ref: str) -> Facts | None:
    """What the codes of this run were made with and their commitment; None before its last code."""
    facts = history.things.get(f"run:{ref}")
    return facts if facts and facts["root"] else None


# --- laboratories -----------------------------------------------------------------------------------------------------


def _add_laboratory(history: History, told: Told) -> None:
    _added(history, told, suspended_at=None, suspended_reason="")
    _number(history.thing(told.subject))


def _change_laboratory(history: History, told: Told) -> None:
    _changed(history, told)
    _number(history.thing(told.subject))


def _number(laboratory: Facts) -> None:
    laboratory["numbers"] = sorted(frozenset().union(*(numbers_in(laboratory[scheme]) for scheme in SCHEMES)))


def _pin(history: History, told: Told) -> None:
    root = {**told.facts, "added_at": told.at, "added_by": told.name}
    root |= {"removed_at": None, "removed_by": "", "removed_reason": ""}
    # The fingerprint of a certificate is the hash of its DER form.
    root |= {"der": root["sha256"], "laboratory": _own(history)}
    history.things[f"root:{root.pop('root')}"] = root


def _unpin(history: History, told: Told) -> None:
    root = history.thing(f"root:{told.facts['root']}")
    root.update(removed_at=told.at, removed_by=told.name, removed_reason=told.facts["reason"])


# --- credentials ------------------------------------------------------------------------------------------------------


def _issue(history: History, told: Told) -> None:
    facts = told.facts
    history.things[f"credential:{facts['credential']}"] = {
        **{name: facts[name] for name in ("kind", "kid", "list", "index")},
        "sha256": facts["jwt_sha256"],
        "jwt": facts["jwt_sha256"],
        "batch": _own(history),
        "certificate": facts.get("certificate"),
        "issued_at": told.at,
        "revoked_at": None,
        "reason": "",
    }


def _revoke(history: History, told: Told) -> None:
    credential = history.thing(f"credential:{told.facts['credential']}")
    credential.update(revoked_at=told.at, reason=told.facts["reason"])


def _publish(history: History, told: Told) -> None:
    """The list goes by its chain. Raises ValueError for an edition of another list, or out of turn."""
    facts = told.facts
    due = (history.things.get(history.chain) or {"seq": 0})["seq"] + 1
    if history.chain != f"status:{facts['list']}" or facts["seq"] != due:
        raise ValueError(f"edition {due} of this list is due here")
    history.things[history.chain] = {
        "seq": due,
        "sha256": facts["jwt_sha256"],
        "jwt": facts["jwt_sha256"],
        "kid": facts["kid"],
        "at": told.at,
    }


# --- keys -------------------------------------------------------------------------------------------------------------


def _add_key(history: History, told: Told) -> None:
    unused = {"retired_at": None, "reason": None, "revoked_at": None, "revoked_reason": None}
    history.things[told.subject] = {**told.facts, **unused, "added_at": told.at}


def _retire_key(history: History, told: Told) -> None:
    history.thing(told.subject).update(retired_at=told.at, reason=told.facts["reason"])


def _revoke_key(history: History, told: Told) -> None:
    key = history.thing(told.subject)
    key.update(revoked_at=told.at, revoked_reason=told.facts["reason"], retired_at=key["retired_at"] or told.at)


DOING: Final[dict[str, Callable[[History, Told], None]]] = {
    Act.SUPPLIER_ADD: _add_supplier,
    Act.SUPPLIER_CHANGE: _changed,
    Act.SUPPLIER_SUSPEND: _suspend,
    Act.SUPPLIER_RESUME: _resume,
    Act.CATEGORY_ADD: _add_category,
    Act.CATEGORY_CHANGE: _changed,
    Act.PRODUCT_ADD: _add_product,
    Act.PRODUCT_CHANGE: _changed,
    Act.PRODUCT_PICTURE: _picture,
    Act.PRODUCT_RENUMBER: _renumber_product,
    Act.LINK_ADD: _added,
    Act.LINK_CHANGE: _changed,
    Act.LINK_REMOVE: _removed,
    Act.LINK_HOST_ALLOW: _added,
    Act.LINK_HOST_REFUSE: _removed,
    Act.BATCH_ADD: _add_batch,
    Act.BATCH_CHANGE: _changed,
    Act.BATCH_SUBMIT: _submit,
    Act.BATCH_RELEASE: _release,
    Act.BATCH_CORRECT: _correct,
    Act.BATCH_RENUMBER: _renumber_batch,
    Act.BATCH_HOLD: _hold,
    Act.BATCH_HOLD_LIFT: _lift,
    Act.BATCH_RECALL: _recall,
    Act.BATCH_CLOSE: _close,
    Act.CERTIFICATE_SUBMIT: _send,
    Act.CERTIFICATE_ACCEPT: _accept,
    Act.CERTIFICATE_REJECT: _reject,
    Act.CERTIFICATE_WITHDRAW: _withdraw,
    Act.LABORATORY_ADD: _add_laboratory,
    Act.LABORATORY_CHANGE: _change_laboratory,
    Act.LABORATORY_SUSPEND: _suspend,
    Act.LABORATORY_RESUME: _resume,
    Act.LABORATORY_PIN: _pin,
    Act.LABORATORY_UNPIN: _unpin,
    Act.CODES_ISSUE: _order,
    Act.CODES_COMMIT: _commit,
    Act.CODES_VOID: _void,
    Act.CREDENTIAL_ISSUE: _issue,
    Act.CREDENTIAL_REVOKE: _revoke,
    Act.STATUS_PUBLISH: _publish,
    Act.KEY_ADD: _add_key,
    Act.KEY_RETIRE: _retire_key,
    Act.KEY_REVOKE: _revoke_key,
}
"""What each logged act does to the record."""
