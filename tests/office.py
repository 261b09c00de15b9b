"""A service with people at their desks: the application over a fresh system, and browsers that are signed in."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import makers
from flask import Flask
from flask.testing import FlaskClient
from makers import BASE

from lotseal.trace import clock
from lotseal.trace.accounts import service as accounts
from lotseal.trace.accounts.models import Account
from lotseal.trace.system import System
from lotseal.web import create_app

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
PEOPLE = ("alice", "bob", "chen", "dana", "erik")


class Browser:
    """A browser over https with its own cookies. What it sends, it sends as browsers do."""

    def __init__(self, app: Flask, *, language: str = "en", agent: str = PHONE, address: str = "192.0.2.1") -> None:
        self.client: FlaskClient = app.test_client()
        self._headers = {"Accept-Language": language, "User-Agent": agent, "Referer": f"{BASE}/"}
        self._address = address

    def open(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
        return self.client.open(
            path,
            method=method,
            buffered=True,  # reads a file that is sent to its end and closes it
            base_url=BASE,
            headers=self._headers | (headers or {}),
            environ_base={"REMOTE_ADDR": self._address},
            **more,
        )

    def get(self, path: str, **more: Any) -> Any:
        return self.open("GET", path, **more)

    def token(self) -> str:
        """The form token of this browser's session."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/staff/sign-in", follow_redirects=True).text)
        assert found
        return found[1]

    def post(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> Any:
        """Send a form with its token."""
        return self.open("POST", path, data={"csrf_token": self.token(), **(form or {})}, **more)

    def sign_in(self, login: str, password: str = makers.PASSWORD, **form: str) -> Any:
        return self.post("/staff/sign-in", {"login": login, "password": password, **form})

    def take_session(self, token: str) -> None:
        """Come with a session that was opened without the slow password check."""
        with self.client.session_transaction(base_url=BASE) as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True


class Office:
    """Two suppliers and five people: Alice (administrator), Bob (quality), Chen (tea), Dana (milk), Erik (auditor)."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.app = create_app(system)
        with system.main.write() as db:
            tea = makers.a_supplier(db)
            milk = makers.a_supplier(db, name_zh="初禾乳业", name_en="Chuhe Dairy")
            self.tea, self.milk = tea.ref, milk.ref
            self.people: dict[str, Account] = {
                "alice": makers.alice(db),
                "bob": makers.bob(db),
                "chen": makers.chen(db, tea),
                "dana": makers.dana(db, milk),
                "erik": makers.erik(db),
            }

    def browser(self, **more: Any) -> Browser:
        """Somebody who is not signed in."""
        return Browser(self.app, **more)

    def at_desk(self, name: str, *, at: datetime | None = None, **more: Any) -> Browser:
        """The browser of one of the five, signed in."""
        browser = self.browser(**more)
        with self.system.main.write() as db:
            account = accounts.get(db, self.people[name].ref)
            token, _row = accounts.open_session(db, account, browser="Firefox", at=at or clock.now())
        browser.take_session(token)
        return browser


def fields_in_error(page: str) -> list[str]:
    """The fields that a refused form names as wrong."""
    return re.findall(r'id="f-([^"]+)-error"', page)
