from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from lotseal.web.cli import main

LONG_RUNNING = {"serve", "worker", "witness serve"}


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


ALL = list(commands())


def test_the_commands_are_those_of_the_manual() -> None:
    assert set(main.commands) == {
        "init", "migrate", "backup", "doctor", "demo", "serve", "worker", "account", "supplier", "category", "product",
        "batch", "certificate", "code", "codes", "labels", "laboratory", "link", "key", "log",
        "witness", "credential", "bundle", "verify",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_every_command_says_what_it_does(name: str, command: click.Command) -> None:
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_every_command_that_ends_speaks_json(name: str, command: click.Command) -> None:
    speaks = any("--json" in parameter.opts for parameter in command.params)
    assert speaks is (name not in LONG_RUNNING)


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_no_command_takes_a_secret_as_an_option(name: str, command: click.Command) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Option) and "password" in str(parameter.name):
            assert parameter.is_flag
