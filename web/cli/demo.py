"""`lotseal demo`: a living service in one command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from ...trace import demo as stories
from ...trace import settings
from ...trace.demo import DemoFacts
from ...trace.errors import Message, say
from . import serve
from .context import done, json_option, note, progress

DATA = Path("demo-data")
SIGN_IN = "/staff/sign-in"


@click.command()
@json_option
@click.option("--data", type=click.Path(path_type=Path), default=DATA, show_default=True, help="Folder of the demo.")
@click.option("--no-serve", is_flag=True, help="Only build it and print its facts.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen on.")
def demo(data: Path, no_serve: bool, host: str, port: int) -> None:
    """Build a demo of four product stories and serve it. A second run changes nothing and serves what is there."""
    facts = stories.load(data)
    built = facts is None
    if facts is None:
        facts = _build(data, port)
    else:
        note(say("The demo in %(path)s is there already; nothing is changed.", path=facts.data))
    if not no_serve:
        serve.refuse_taken_port(host, port)
        facts = _served_at(facts, host, port)
    done({**facts.as_json(), "built": built}, *_where_to_click(facts, built))
    if not no_serve:
        serve.forget_environment()
        serve.run(settings.load({}, data=facts.data), host=host, port=port)


def _build(data: Path, port: int) -> DemoFacts:
    with progress(say("Building the demo"), 1) as tell:
        return stories.build(data, port=port, on_progress=tell)


def _served_at(facts: DemoFacts, host: str, port: int) -> DemoFacts:
    """The links as this server answers them: codes carry the address that they were made for."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  # compared, not bound
    origin = f"{serve.in_address(shown)}:{port}"
    codes = tuple(replace(code, url=urlsplit(code.url)._replace(netloc=origin).geturl()) for code in facts.codes)
    return replace(facts, codes=codes)


def _where_to_click(facts: DemoFacts, built: bool) -> list[Message]:
    parts = urlsplit(facts.codes[0].url)
    base = f"{parts.scheme.lower()}://{parts.netloc}"
    lines = [
        say("Pages: %(base)s/", base=base),
        say("Staff: %(base)s%(path)s", base=base, path=SIGN_IN),
        *(Message("  %(state)-20s %(url)s", {"state": code.state, "url": code.url}) for code in facts.codes),
    ]
    for account in facts.accounts:
        secret = account.password or "…"
        values = {"role": account.role, "login": account.login, "password": secret}
        lines.append(Message("  %(role)-20s %(login)s  %(password)s", values))
    if built:
        lines.append(say("The passwords are shown this once."))
    else:
        lines.append(
            say("The passwords were shown when the demo was built; «lotseal account password LOGIN» makes a new one.")
        )
    lines.append(say("Other commands work on it with LOTSEAL_DATA=%(path)s", path=facts.data))
    return lines
