"""Real Chromium over the real server: one demo for all test processes, a copy of it for whoever changes data."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.camera import Before, cameras
from browser.looking import Visitors, Witness
from browser.stage import Site, build_demo, serving
from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if "workshop" in getattr(item, "fixturenames", ()):
                # Stories over one workshop belong to one test process (with --dist loadgroup), or it is built twice.
                item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def demo(shared_folder: Path) -> Path:
    """A finished demo, built once for all test processes. Nobody writes into it."""
    folder = shared_folder / "demo"
    with (shared_folder / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "facts.json").exists():
            build_demo(folder)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "Chromium is missing; run: python tests/install.py"
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def gallery(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site to look at only; this test process shares it."""
    with serving(demo, tmp_path_factory.mktemp("gallery")) as site:
        yield site


@pytest.fixture(scope="module")
def workshop(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of one module, whose stories change its data."""
    with serving(demo, tmp_path_factory.mktemp("workshop")) as site:
        yield site


@pytest.fixture
def site(gallery: Site) -> Site:
    """The site of a story; modules that change data say `workshop` instead."""
    return gallery


@pytest.fixture
def visitors(browser: Browser, site: Site) -> Iterator[Visitors]:
    """Windows on the site. A page that asks another host, breaks its policy or throws fails the story."""
    witness = Witness(site.origin)
    opened = Visitors(browser, site, witness)
    yield opened
    opened.close()
    assert witness.wrongs == []


@pytest.fixture
def before_camera(browser: Browser, site: Site, tmp_path: Path) -> Iterator[Before]:
    """Holds a picture before the camera of a browser of its own; what pages may not do fails the story too."""
    with cameras(browser, ARGUMENTS, site, tmp_path) as hold:
        yield hold
