from __future__ import annotations

from datetime import timedelta

import pytest
from makers import AT, PASSWORD, a_person, a_supplier, acts, alice, bob, chen, rows, rules
from sqlalchemy.orm import Session

from lotseal.trace.accounts import service as accounts
from lotseal.trace.accounts.models import Account, LoginSession, Role
from lotseal.trace.accounts.service import IDLE, LONGEST, OPERATOR
from lotseal.trace.errors import Conflict, Forbidden, Invalid, NotFound
from lotseal.trace.system import System

FACTS = {"login": "bob", "name": "Bob", "role": "quality", "password": PASSWORD}


def opened(session: Session, account: Account) -> str:
    return accounts.open_session(session, account, browser="Firefox", at=AT)[0]


def test_an_account_keeps_no_password(lasting: Session) -> None:
    account = accounts.add(lasting, accounts.read_account(FACTS), supplier_id=None, by=OPERATOR, at=AT)
    assert account.password_hash.startswith("$argon2id$")
    assert PASSWORD not in account.password_hash
    assert accounts.get(lasting, account.ref) is account
    assert acts(lasting) == ["account:add"]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"login": "b"}, ("login", "login.characters")),
        ({"name": "<b>"}, ("name", "text.markup")),
        ({"role": "boss"}, ("role", "choice.unknown")),
        ({"password": "eleven char"}, ("password", "password.length")),
        ({"supplier": "a\x00b"}, ("supplier", "choice.missing")),
    ],
)
def test_each_wrong_field_is_refused(changed: dict[str, str], problem: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        accounts.read_account({**FACTS, **changed})
    assert rules(error) == [problem]


@pytest.mark.parametrize("role", Role)
def test_a_suppliers_account_has_one_supplier_and_any_other_has_none(lasting: Session, role: Role) -> None:
    draft = accounts.read_account({**FACTS, "role": role})
    wrong = None if role is Role.SUPPLIER else a_supplier(lasting).id
    with pytest.raises(Invalid) as error:
        accounts.add(lasting, draft, supplier_id=wrong, by=OPERATOR, at=AT)
    assert rules(error) == [("supplier", "account.supplier")]
    assert rows(lasting, Account) == 0


def test_one_login_names_one_account(lasting: Session) -> None:
    bob(lasting)
    with pytest.raises(Conflict) as error:
        accounts.add(lasting, accounts.read_account({**FACTS, "login": "BOB"}), supplier_id=None, by=OPERATOR, at=AT)
    assert rules(error) == [("login", "account.login-taken")]
    assert rows(lasting, Account) == 1


def test_random_passwords_are_long_enough_and_differ() -> None:
    made = {accounts.random_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(password) == 19 for password in made)


def test_the_right_password_says_who_it_is(system: System) -> None:
    with system.main.write() as session:
        bob(session)
    assert accounts.check_password(system.main, " BOB ", PASSWORD, at=AT).name == "Bob"
    with system.main.read() as session:
        assert acts(session) == []


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("bob", "wrong"),
        ("bob", ""),
        ("bob", PASSWORD.upper()),
        ("bob", "\ud800"),
        ("nobody", PASSWORD),
        ("b\0", "x"),
        ("", ""),
    ],
)
def test_whatever_is_wrong_the_refusal_is_the_same(system: System, login: str, password: str) -> None:
    with system.main.write() as session:
        bob(session)
    with pytest.raises(Forbidden, match="Login or password is wrong") as error:
        accounts.check_password(system.main, login, password, at=AT)
    assert rules(error) == [(None, "account.sign-in")]
    with system.main.read() as session:
        assert acts(session) == ["account:sign-in-refused"] * (login == "bob")
        assert rows(session, LoginSession) == 0


def test_a_blocked_account_is_refused_like_a_wrong_password(system: System) -> None:
    with system.main.write() as session:
        accounts.set_active(session, bob(session), False, by=OPERATOR, at=AT)
    with pytest.raises(Forbidden) as error:
        accounts.check_password(system.main, "bob", PASSWORD, at=AT)
    assert rules(error) == [(None, "account.sign-in")]


def test_a_session_opens_with_a_token_that_the_store_does_not_hold(lasting: Session) -> None:
    account = bob(lasting)
    token, row = accounts.open_session(lasting, account, browser="x" * 500, at=AT)
    assert token not in (row.token_hash, row.ref)
    assert (len(row.browser), row.account) == (200, account)
    assert accounts.alive(lasting, token, at=AT) is row
    assert accounts.alive(lasting, token + "x", at=AT) is None
    assert accounts.alive(lasting, row.token_hash, at=AT) is None
    assert acts(lasting) == ["account:sign-in"]


def test_a_session_ends_when_it_is_idle(lasting: Session) -> None:
    token = opened(lasting, bob(lasting))
    last = AT + IDLE - timedelta(seconds=1)
    assert accounts.alive(lasting, token, at=last)
    assert accounts.alive(lasting, token, at=AT + IDLE) is None
    accounts.touch(lasting, token, at=last)
    assert accounts.alive(lasting, token, at=AT + IDLE)


def test_a_session_ends_after_half_a_day_however_busy_it_is(lasting: Session) -> None:
    token = opened(lasting, bob(lasting))
    accounts.touch(lasting, token, at=AT + LONGEST - timedelta(minutes=1))
    assert accounts.alive(lasting, token, at=AT + LONGEST - timedelta(seconds=1))
    assert accounts.alive(lasting, token, at=AT + LONGEST) is None


def test_signing_out_ends_the_session_once(lasting: Session) -> None:
    token = opened(lasting, bob(lasting))
    accounts.sign_out(lasting, token, at=AT)
    accounts.sign_out(lasting, token, at=AT)
    accounts.sign_out(lasting, "unknown", at=AT)
    assert accounts.alive(lasting, token, at=AT) is None
    assert acts(lasting) == ["account:sign-in", "account:sign-out"]


def test_all_sessions_of_one_account_are_revoked_but_the_kept_one(lasting: Session) -> None:
    b, a = bob(lasting), alice(lasting)
    first, second, other = opened(lasting, b), opened(lasting, b), opened(lasting, a)
    assert accounts.revoke_sessions(lasting, b, by=a, at=AT, keep=second) == 1
    assert [accounts.alive(lasting, token, at=AT) is not None for token in (first, second, other)] == [
        False,
        True,
        True,
    ]


def test_one_session_is_ended_by_its_owner_only(lasting: Session) -> None:
    b, a = bob(lasting), alice(lasting)
    token = opened(lasting, b)
    [row] = accounts.sessions_of(lasting, b, at=AT)
    with pytest.raises(NotFound) as error:
        accounts.end_session(lasting, a, row.ref, by=a, at=AT)
    assert rules(error) == [(None, "session.unknown")]
    accounts.end_session(lasting, b, row.ref, by=b, at=AT)
    accounts.end_session(lasting, b, row.ref, by=b, at=AT)
    assert accounts.alive(lasting, token, at=AT) is None
    assert acts(lasting) == ["account:sign-in", "account:sessions-revoke"]


def test_only_living_sessions_are_listed_newest_first(lasting: Session) -> None:
    b = bob(lasting)
    tokens = [opened(lasting, b) for _ in range(3)]
    accounts.sign_out(lasting, tokens[1], at=AT)
    listed = accounts.sessions_of(lasting, b, at=AT)
    assert [row.ref for row in listed] == [
        row.ref for row in (accounts.alive(lasting, token, at=AT) for token in (tokens[2], tokens[0])) if row
    ]
    assert accounts.sessions_of(lasting, b, at=AT + IDLE) == []


def test_a_new_password_throws_everybody_out(lasting: Session) -> None:
    b = bob(lasting)
    token = opened(lasting, b)
    before = b.password_hash
    accounts.set_password(lasting, b, "another long word", by=OPERATOR, at=AT)
    assert b.password_hash != before
    assert accounts.alive(lasting, token, at=AT) is None
    assert acts(lasting) == ["account:sign-in", "account:change", "account:sessions-revoke"]


def test_a_short_password_changes_nothing(lasting: Session) -> None:
    b = bob(lasting)
    before = b.password_hash
    with pytest.raises(Invalid) as error:
        accounts.set_password(lasting, b, "short", by=OPERATOR, at=AT)
    assert rules(error) == [("password", "password.length")]
    assert (b.password_hash, acts(lasting)) == (before, [])


def test_a_blocked_account_loses_its_sessions_and_gets_them_back_only_by_signing_in(lasting: Session) -> None:
    b = bob(lasting)
    token = opened(lasting, b)
    accounts.set_active(lasting, b, False, by=OPERATOR, at=AT)
    assert accounts.alive(lasting, token, at=AT) is None
    accounts.set_active(lasting, b, True, by=OPERATOR, at=AT)
    assert accounts.alive(lasting, token, at=AT) is None


def test_the_last_administrator_cannot_be_blocked(lasting: Session) -> None:
    first, second = alice(lasting), a_person(lasting, "Anna", Role.ADMIN)
    accounts.set_active(lasting, second, False, by=OPERATOR, at=AT)
    with pytest.raises(Conflict) as error:
        accounts.set_active(lasting, first, False, by=OPERATOR, at=AT)
    assert rules(error) == [(None, "account.last-admin")]
    assert first.active
    accounts.set_active(lasting, second, True, by=OPERATOR, at=AT)
    accounts.set_active(lasting, first, False, by=OPERATOR, at=AT)


def test_an_account_that_is_not_there_is_not_found(lasting: Session) -> None:
    chen(lasting, a_supplier(lasting))
    with pytest.raises(NotFound) as error:
        accounts.get(lasting, "no-such-ref")
    assert rules(error) == [(None, "account.unknown")]
