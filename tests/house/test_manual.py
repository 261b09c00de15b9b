"""The manual is complete: every setting, command, page and package folder stands in it, and nothing else does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from lotseal.trace import settings
from lotseal.trace.accounts.models import Role
from lotseal.trace.system import System
from lotseal.web import create_app
from lotseal.web.cli import main

SHORT = {"A": Role.ADMIN, "Q": Role.QUALITY, "S": Role.SUPPLIER, "U": Role.AUDITOR}


def rows(page: Path, heading: str = "") -> Iterator[list[str]]:
    """The cells of all tables of a page, or of one section; heads and rules are left out."""
    text = page.read_text()
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            yield [cells[0].strip("`"), *cells[1:]]


# --- settings ---------------------------------------------------------------------------------------------------------


def test_the_manual_has_every_setting_and_no_other(checkout: Path) -> None:
    told = [row[0] for row in rows(checkout / "docs" / "settings.md")]
    assert sorted(told) == sorted(settings.names())


def test_the_manual_tells_the_defaults_in_force(checkout: Path) -> None:
    told = {row[0]: row[1] for row in rows(checkout / "docs" / "settings.md")}
    for field in settings.Settings.model_fields.values():
        default = told[str(field.alias)]
        if default.startswith("`"):
            assert str(field.default) == default.strip("`"), field.alias


# --- commands ---------------------------------------------------------------------------------------------------------


def commands(group: click.Group, path: tuple[str, ...] = ("lotseal",)) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_the_manual_has_every_command_and_no_other(checkout: Path) -> None:
    told = [row[0] for row in rows(checkout / "docs" / "commands.md")]
    assert sorted(told) == sorted(name for name, _command in commands(main))


def test_every_option_that_the_manual_names_is_there(checkout: Path) -> None:
    there = dict(commands(main))
    for name, text in rows(checkout / "docs" / "commands.md"):
        has = {option for one in there[name].params for option in one.opts}
        assert set(re.findall(r"`(--[a-z][a-z0-9-]+)", text)) <= has, name


def test_every_command_says_in_one_line_what_it_does(checkout: Path) -> None:
    for name, command in commands(main):
        assert command.get_short_help_str(200).endswith((".", "…")), name


def test_the_examples_of_the_manual_can_be_typed(checkout: Path) -> None:
    examples = (checkout / "docs" / "commands.md").read_text().partition("## Examples")[2]
    lines = re.findall(r"lotseal [^\n]+", examples)
    assert lines
    known = dict(commands(main))
    for line in lines:
        name = next(name for name in known if line.startswith(name))
        has = {option for one in known[name].params for option in one.opts}
        assert set(re.findall(r"--[a-z][a-z0-9-]+", line)) <= has, line


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def app(sqlite_system: System) -> Flask:
    return create_app(sqlite_system)


def routes(app: Flask, *, public: bool) -> dict[str, frozenset[Role]]:
    """Address and roles of each view; gaps are written as the manual writes them."""
    found = {}
    for rule in app.url_map.iter_rules():
        roles = app.view_functions[rule.endpoint].__dict__["allowed_roles"]
        if (roles is None) == public:
            found[re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"<\1>", rule.rule)] = roles or frozenset()
    return found


def test_the_manual_has_every_public_address_and_no_other(app: Flask, checkout: Path) -> None:
    told = [row[0] for row in rows(checkout / "docs" / "pages.md", "Open to everyone")]
    assert sorted(told) == sorted(routes(app, public=True))


def test_the_manual_has_every_section_of_the_desk_with_its_roles(app: Flask, checkout: Path) -> None:
    told = {
        row[0]: {SHORT[letter] for letter in f"{row[1]} {row[2]}".split()}
        for row in rows(checkout / "docs" / "pages.md", "The staff desk")
    }
    there: dict[str, set[Role]] = {}
    for address, roles in routes(app, public=False).items():
        section = "/".join(address.split("/")[:3])
        there.setdefault(section, set()).update(roles)
    assert told == there


# --- the map and the rest ---------------------------------------------------------------------------------------------


def test_the_map_names_every_room(tree: list[str], checkout: Path) -> None:
    text = (checkout / "docs" / "map.md").read_text()
    packages = {Path(name).parent.parts for name in tree if Path(name).name == "__init__.py"}
    missing = [
        "/".join(parts)
        for parts in packages
        if parts
        and parts[0] in ("signing", "trace", "web")
        and len(parts) <= 2
        and f"{parts[-1]}/" not in text
        and f"## {parts[-1]}:" not in text
    ]
    assert sorted(missing) == []


def test_every_file_that_the_map_names_is_there(tree: list[str], checkout: Path) -> None:
    text = (checkout / "docs" / "map.md").read_text()
    names = set(re.findall(r"`([\w./]+\.(?:py|html|po))`", text))
    assert names
    lost = [name for name in names if not any(f"/{path}".endswith(f"/{name}") for path in tree)]
    # Words for every feature, such as `models.py`, are there many times; none may be there not at all.
    assert sorted(lost) == []


def test_the_makefiles_targets_stand_in_the_readme_where_it_names_them(checkout: Path) -> None:
    makefile = (checkout / "Makefile").read_text()
    for target in re.findall(r"make ([a-z]+)", (checkout / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_each_decision_has_its_number_and_its_day(checkout: Path) -> None:
    pages = sorted((checkout / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        first, _empty, day = page.read_text().splitlines()[:3]
        assert first.startswith(f"# {page.name[:4]} "), page.name
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", day), page.name


def test_links_of_the_manual_lead_to_files(tree: list[str], checkout: Path) -> None:
    broken = []
    for name in tree:
        if name.endswith(".md"):
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (checkout / name).read_text()):
                broken += [] if ((checkout / name).parent / target).exists() else [f"{name}: {target}"]
    assert broken == []


def test_the_changes_begin_with_this_version(checkout: Path) -> None:
    from lotseal import __version__

    headings = re.findall(r"^## (\S+)", (checkout / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == __version__
