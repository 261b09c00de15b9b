"""What an account may do at the desk just now: the buttons ask here, and so do the views behind them."""

from __future__ import annotations

from datetime import date

from ...trace import clock
from ...trace.accounts.models import Account, Role
from ...trace.batches.models import Batch, BatchState
from ...trace.errors import Forbidden, Problem, say
from ..access import STAFF
from ..system import system


def today() -> date:
    """The day it is in the service's zone."""
    return clock.now().astimezone(system().settings.zone).date()


def works(account: Account) -> bool:
    """Reviews, releases, issues, recalls."""
    return account.role in STAFF


def may_edit(account: Account, batch: Batch) -> bool:
    """A supplier edits drafts; what was submitted is corrected by the quality team."""
    if works(account):
        return batch.state != BatchState.CLOSED
    return account.role == Role.SUPPLIER and batch.state == BatchState.DRAFT


def may_upload(account: Account, batch: Batch) -> bool:
    return account.role != Role.AUDITOR and batch.state != BatchState.CLOSED


def refuse_unless(allowed: bool) -> None:
    """Raises `Forbidden`."""
    if not allowed:
        raise Forbidden(
            Problem(
                None, "account.rights", say("Your account may not do this now. Ask the quality team if it is needed.")
            )
        )
