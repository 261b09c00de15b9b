"""A camera that sees what a test holds before it: Chromium plays a film that is made here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from browser.looking import Visitors, Witness
from browser.stage import Site
from PIL import Image, ImageFilter
from playwright.sync_api import Browser

from lotseal.trace.labels.compose import Composer, Label
from lotseal.trace.labels.picture import png

WIDTH, HEIGHT = 1280, 720

Before = Callable[[Image.Image], Visitors]


def film(picture: Image.Image, path: Path) -> Path:
    """The picture on a grey table, a little turned and not quite sharp, as three frames of YUV4MPEG2."""
    table = Image.new("L", (WIDTH, HEIGHT), 150)
    seen = picture.copy()
    seen.thumbnail((WIDTH * 3 // 4, HEIGHT * 3 // 4))
    table.paste(seen, ((WIDTH - seen.width) // 2, (HEIGHT - seen.height) // 2))
    grey = table.rotate(4, fillcolor=150).filter(ImageFilter.GaussianBlur(1)).tobytes()
    frame = b"FRAME\n" + grey + b"\x80" * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F15:1 Ip A1:1 C420jpeg\n".encode() + frame * 3)
    return path


def label_of(link: str) -> Image.Image:
    """A label with this link as it leaves the printer."""
    label = Label(link, "武夷山大红袍", "Wuyi tea", "L2611", "2028-10-31", "23456789ACDEFGHJKMNP", "t.example.cn")
    return Image.open(BytesIO(png(label, Composer(), 300))).convert("L")


@contextmanager
def cameras(browser: Browser, arguments: tuple[str, ...], site: Site, folder: Path) -> Iterator[Before]:
    """Each call opens a browser of its own, whose camera sees this picture and nothing else."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program
    witness = Witness(site.origin)
    opened: list[tuple[Browser, Visitors]] = []

    def hold(picture: Image.Image) -> Visitors:
        seen = film(picture, folder / f"{len(opened)}.y4m")
        launched = browser.browser_type.launch(
            executable_path=program,
            args=[
                *arguments,
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={seen}",
            ],
        )
        opened.append((launched, Visitors(launched, site, witness)))
        return opened[-1][1]

    yield hold
    for launched, visitors in opened:
        visitors.close()
        launched.close()
    assert witness.wrongs == []
