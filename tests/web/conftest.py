"""A browser without JavaScript: Flask's test client that signs in by the real form and reads its tokens from pages."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import makers
import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers import BASE, PASSWORD
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select
from werkzeug.test import TestResponse

from lotseal.trace.accounts.models import Account
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System
from lotseal.web import create_app

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def app(sqlite_system: System, time: Any) -> Flask:
    """The application over a fresh SQLite system; the clock stands at `makers.AT`."""
    made = create_app(sqlite_system)
    made.config["TESTING"] = True
    # An unforeseen error must fail the test with its own traceback, not come back as a page.
    made.config["PROPAGATE_EXCEPTIONS"] = True
    made.error_handler_spec[None][None].pop(Exception, None)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody who is not signed in."""
    return app.test_client()


class Browser:
    """One person's browser. `open` and `send` check the status and give the page's text; `token` is the newest one."""

    def __init__(self, client: FlaskClient, language: str = "en") -> None:
        self.client = client
        self.language = language
        self.token = ""
        self.answer: TestResponse | None = None

    def ask(self, path: str, method: str = "GET", **options: Any) -> TestResponse:
        headers = {"Accept-Language": self.language, "Referer": f"{BASE}/"}
        self.answer = self.client.open(path, method=method, base_url=BASE, headers=headers, buffered=True, **options)
        # A large form lies in a temporary file, which the client leaves open.
        self.answer.request.environ["wsgi.input"].close()
        return self.answer

    def open(self, path: str, status: int = 200) -> str:
        """GET a page. Gives its text with character references resolved."""
        answer = self.ask(path)
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text[:2000]}"
        return self._read(answer)

    def send(self, path: str, fields: Mapping[str, Any] | None = None, status: int = 303, **files: Any) -> str:
        """POST a form with the newest token; `files` are (bytes, name). Gives the page, or where it leads to."""
        data: dict[str, Any] = {"csrf_token": self.token, **(fields or {})}
        data |= {field: (BytesIO(content), name) for field, (content, name) in files.items()}
        answer = self.ask(path, "POST", data=data, content_type="multipart/form-data")
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text[:3000]}"
        return answer.location if status in (302, 303) else self._read(answer)

    def _read(self, answer: TestResponse) -> str:
        if answer.mimetype != "text/html":
            return ""
        if found := TOKEN.search(answer.text):
            self.token = found.group(1)
        return html.unescape(answer.text)

    def sign_in(self, login: str, password: str = PASSWORD) -> Browser:
        self.open("/staff/sign-in")
        self.send("/staff/sign-in", {"login": login, "password": password})
        self.open("/staff/batches")
        return self


@pytest.fixture
def people(sqlite_system: System) -> None:
    """Alice, Bob, Chen (of the first supplier), Dana (of another one) and Erik have accounts."""
    with sqlite_system.main.write() as session:
        mine = makers.a_supplier(session)
        other = makers.a_supplier(session, name_zh="明澈光电", name_en="Mingche Lighting")
        makers.alice(session)
        makers.bob(session)
        makers.chen(session, mine)
        makers.dana(session, other)
        makers.erik(session)


@pytest.fixture
def supplier_of(sqlite_system: System, people: None) -> Callable[[Any, str], Supplier]:
    """The supplier that an account works for."""

    def find(session: Any, login: str) -> Supplier:
        query = select(Supplier).join(Account, Account.supplier_id == Supplier.id).where(Account.login == login)
        return session.scalars(query).one()

    return find


def _signed_in(name: str) -> Any:
    @pytest.fixture(name=name)
    def person(app: Flask, people: None) -> Browser:
        return Browser(app.test_client()).sign_in(name)

    return person


alice = _signed_in("alice")
bob = _signed_in("bob")
chen = _signed_in("chen")
dana = _signed_in("dana")
erik = _signed_in("erik")


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    """A browser of nobody in particular."""
    return Browser(client)


@pytest.fixture
def a_pdf(tmp_path: Path) -> Callable[..., bytes]:
    """Makes a real report with a text layer; another text makes another file."""

    def make(text: str = "Report YX-1: lead 0.9 mg/kg", pages: int = 1, **size: float) -> bytes:
        out = BytesIO()
        canvas = Canvas(out, pagesize=(size.get("width", 595), size.get("height", 842)), invariant=True)
        for number in range(pages):
            canvas.drawString(72, 720, f"{text} page {number + 1}")
            canvas.showPage()
        canvas.save()
        return out.getvalue()

    return make
