"""What is installed is what stands in the tree, whole, and it works far from the checkout."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

INSIDE = ("signing/", "trace/", "web/", "static/")
CODE_ONLY = ("web/translations/update.py",)
"""A tool of the checkout inside a package folder that is no package; it is not installed."""
FILES = ("css", "js", "ttf", "txt", "md", "svg", "html", "po", "mo", "mako", "py")


@pytest.fixture(scope="session")
def project(checkout: Path) -> dict[str, Any]:
    return tomllib.loads((checkout / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(checkout: Path, tree: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a clean copy of the tree, made without any index."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in tree:
        target = folder / "copy" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkout / name, target)
    command = [sys.executable, "-m", "pip", "wheel", str(folder / "copy"), "--no-deps", "--no-build-isolation"]
    quiet = ["--no-index", "--disable-pip-version-check", "--quiet", "--wheel-dir", str(folder)]
    done = subprocess.run([*command, *quiet], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_holds_exactly_the_packages_files(wheel: Path, tree: list[str]) -> None:
    wanted = {f"lotseal/{name}" for name in tree if name.startswith(INSIDE) and name not in CODE_ONLY}
    wanted |= {"lotseal/__init__.py", "lotseal/wsgi.py"}
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert sorted(wanted - held) == [], "these files are missing from the wheel"
    assert sorted(held - wanted) == [], "these files do not belong into the wheel"


def test_the_wheel_holds_each_kind_of_file(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        kinds = {name.rpartition(".")[2] for name in archive.namelist() if ".dist-info/" not in name}
    assert set(FILES) <= kinds
    with ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if "/tests/" in name or "/bench/" in name]


def test_the_unpacked_wheel_sets_up_a_service_in_a_folder_of_its_own(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = (
        "import lotseal; from pathlib import Path\n"
        "assert Path(lotseal.__file__).is_relative_to(Path('site').absolute())\n"
        "from lotseal.web.cli import main; main(['init'], standalone_mode=False)\n"
        "from lotseal.wsgi import app; answer = app.test_client().get('/?lang=zh')\n"
        "assert answer.status_code == 200 and '溯印' in answer.text, answer.text\n"
    )
    told = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": "site",
        "LOTSEAL_DATA": "data",
        "LOTSEAL_MODE": "development",
        "LOTSEAL_PUBLIC_URL": "https://t.example.cn",
        "LOTSEAL_KEY_PASSPHRASE": "correct horse battery",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=told, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr


def test_the_list_of_packages_is_the_tree(project: dict[str, Any], tree: list[str]) -> None:
    folders = {Path(name).parent for name in tree if Path(name).name == "__init__.py" and name.startswith(INSIDE)}
    with_migrations = {
        Path(name).parent for name in tree if name.startswith("trace/db/migrations/") and name.endswith(".py")
    }
    named = {".".join(("lotseal", *folder.parts)) for folder in folders | with_migrations} | {"lotseal"}
    assert sorted(project["tool"]["setuptools"]["packages"]) == sorted(named)


# --- the lock file ----------------------------------------------------------------------------------------------------


def locked(checkout: Path) -> list[str]:
    """The requirements of the lock file, each with its hashes in one line."""
    text = (checkout / "requirements.lock").read_text().replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_every_requirement_is_pinned_with_its_hashes_and_no_host(checkout: Path) -> None:
    lines = locked(checkout)
    assert lines
    for line in lines:
        assert re.match(r"[A-Za-z0-9._\[\], -]+==[^ ]+ ", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line
        assert "://" not in line
        assert not line.startswith("-"), "no option, so no index either"


def test_every_dependency_is_locked(project: dict[str, Any], checkout: Path) -> None:
    names = {_plain(line) for line in locked(checkout)}
    asked = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["postgres"]
    wanted = {_plain(one) for one in [*asked, *project["dependency-groups"]["dev"]]}
    assert sorted(wanted - names) == []


def _plain(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def test_no_address_of_a_package_registry_stands_anywhere(checkout: Path, tree: list[str]) -> None:
    # In parts, so that this file does not name one itself.
    places = [host + ".org" for host in ("py" + "pi", "python" + "hosted", "npm" + "js")] + [
        "index" + "-url",
        "mirrors" + ".",
    ]
    places += ["registry" + ".", "artifact" + "ory", "simp" + "le/"]
    guilty = []
    for name in tree:
        data = (checkout / name).read_bytes()
        if b"\0" not in data:
            text = data.decode()
            guilty += [f"{name}: {place}" for place in places if place in text]
    assert guilty == []


def test_the_installer_of_test_tools_needs_the_standard_library_only(checkout: Path) -> None:
    parsed = ast.parse((checkout / "tests" / "install.py").read_text())
    modules = {alias.name for node in ast.walk(parsed) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(parsed) if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} <= sys.stdlib_module_names
