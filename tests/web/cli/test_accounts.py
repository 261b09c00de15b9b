from __future__ import annotations

from shells import LICENCE, Shell

from lotseal.trace import clock
from lotseal.trace.accounts import service
from lotseal.trace.db import engines
from lotseal.trace.errors import Forbidden

WORDS = ("account", "add", "--name", "Alice")


def signs_in(shell: Shell, login: str, password: str) -> bool:
    database = engines.open_sqlite(shell.data / "lotseal.db")
    try:
        account = service.check_password(database, login, password, at=clock.now())
        with database.write() as session:
            service.open_session(session, account, browser="test", at=clock.now())
    except Forbidden:
        return False
    finally:
        database.dispose()
    return True


def test_the_printed_password_signs_in(fresh: Shell) -> None:
    made = fresh.ok(*WORDS, "--login", "alice", "--role", "quality")
    assert signs_in(fresh, "alice", made["password"])
    assert "password" not in fresh.ok("account", "list")["accounts"][0]


def test_a_password_may_come_from_standard_input_and_is_not_repeated(fresh: Shell) -> None:
    result = fresh.run(*WORDS, "--login", "alice", "--role", "auditor", "--password-stdin", stdin="three good words\n")
    assert result.exit_code == 0
    assert "three good words" not in result.output
    assert signs_in(fresh, "alice", "three good words")


def test_a_new_password_shuts_the_old_one_out(fresh: Shell) -> None:
    old = fresh.ok(*WORDS, "--login", "alice", "--role", "quality")["password"]
    assert signs_in(fresh, "alice", old)
    new = fresh.ok("account", "password", "alice")["password"]
    assert not signs_in(fresh, "alice", old)
    assert signs_in(fresh, "alice", new)
    assert fresh.ok("account", "sign-out", "alice")["ended"] == 1


def test_a_blocked_account_stays_out_until_it_is_unblocked(fresh: Shell) -> None:
    password = fresh.ok(*WORDS, "--login", "alice", "--role", "quality")["password"]
    assert fresh.ok("account", "block", "alice")["active"] is False
    assert not signs_in(fresh, "alice", password)
    assert "nothing is changed" in fresh.said("account", "block", "alice")
    assert fresh.ok("account", "unblock", "alice")["active"] is True
    assert signs_in(fresh, "alice", password)


def test_the_last_administrator_cannot_be_blocked(fresh: Shell) -> None:
    fresh.ok(*WORDS, "--login", "alice", "--role", "admin")
    assert fresh.refused("account", "block", "alice")[0]["rule"] == "account.last-admin"


def test_a_supplier_account_is_named_by_the_licence_of_its_supplier(shop: Shell) -> None:
    made = shop.ok(*WORDS, "--login", "alice", "--role", "supplier", "--supplier", LICENCE)
    assert made["supplier"] == shop.ok("supplier", "show", LICENCE)["ref"]
