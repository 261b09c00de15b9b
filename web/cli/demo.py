"""`lotseal demo`: a living service in one command."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import urlsplit

import click

from ...trace import demo as stories
from ...trace import settings
from ...trace.demo import DemoFacts
from ...trace.errors import Message, Unavailable, say
from . import serve, witness
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
        with _witness(facts.data):
            serve.run(settings.load({}, data=facts.data), host=host, port=port)


@contextmanager
def _witness(data: Path) -> Iterator[None]:
    """The witness of the demo in a process of its own; none when its port is taken, such as by itself."""
    port = stories.witness_port(data)
    if port is None or not _free(port):
        yield
        return
    child = multiprocessing.get_context("spawn").Process(target=witness.run_beside, args=(data / stories.WITNESS, port))
    child.start()
    try:
        _wait_for(child, port)
        yield
    finally:
        child.terminate()
        child.join()


def _wait_for(child: BaseProcess, port: int) -> None:
    """Until the witness listens, so that its first checkpoint is not asked for in vain."""
    for _ in range(100):
        with socket.socket() as probe:
            if not child.is_alive() or probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        child.join(0.1)


def _free(port: int) -> bool:
    try:
        serve.refuse_taken_port("127.0.0.1", port)
    except Unavailable:
        return False
    return True


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
    if port := stories.witness_port(facts.data):
        lines.append(
            say("Witness: http://127.0.0.1:%(port)d/ (on this machine, so nobody's independent word)", port=port)
        )
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
