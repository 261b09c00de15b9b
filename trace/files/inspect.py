"""Every upload is hostile until a bounded child process has parsed it in full.

The first bytes decide only which parser runs; the gate is the parse. The child's answer is hostile as well: each
number, word and image in it is checked here before it is believed.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import Problem, Unavailable, say
from . import bounds
from .refusals import refusal

PictureKind = Literal["png", "jpeg", "webp"]
Kind = Literal["pdf", "png", "jpeg", "webp"]

MAX_CHILDREN = 2
_WAIT_FOR_A_TURN_SECONDS = 60
_turns = threading.BoundedSemaphore(MAX_CHILDREN)

_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "pdf": (".pdf",),
    "png": (".png",),
    "jpeg": (".jpg", ".jpeg"),
    "webp": (".webp",),
}
_NAME_LENGTH = 120


@dataclass(frozen=True)
class PageImage:
    """A WebP of one page or picture: where it is, width and height in pixels, size in bytes."""

    path: Path
    width: int
    height: int
    media_type: str
    size: int


@dataclass(frozen=True)
class DocumentFacts:
    """What a report is, as the parsers found it.

    `original_name` is the sender's file name made harmless, with an ending that fits `kind`. `page_sizes_mm` has
    (width, height) per page as shown, and is empty for pictures, whose pixels have no size on paper. `text` is the
    text layer per page, cut at 100,000 characters in all. `page_images` has at most the first 20 of `pages` pages.
    `signed` says that a signature is in it, and nothing about its worth.
    """

    original_name: str
    kind: Kind
    pages: int
    page_sizes_mm: tuple[tuple[float, float], ...]
    has_text_layer: bool
    text: tuple[str, ...]
    page_images: tuple[PageImage, ...]
    signed: bool


@dataclass(frozen=True)
class PictureFacts:
    """A product picture drawn anew: `small` (480 px, at most 15 kB) and `large` (1,240 px, at most 120 kB)."""

    kind: PictureKind
    small: PageImage
    large: PageImage


def inspect_document(path: Path, out_dir: Path, *, original_name: str) -> DocumentFacts:
    """Parse a report and leave its page images in `out_dir` as `page-<n>.webp`.

    Raises `Invalid` (field `file`, a rule of refusals.py) for whatever is wrong with the file, and `Unavailable` when
    no child can be had just now. The file itself is only read.
    """
    kind = _kind_of(path)
    with tempfile.TemporaryDirectory(prefix="lotseal-") as folder:
        found = ask_child("document", path, kind, Path(folder))
        try:
            pages = _between(found["pages"], 1, bounds.MAX_PAGES)
            sizes = tuple(_size(pair) for pair in found["sizes"])
            text = tuple(_text(page) for page in found["texts"])
            signed = kind == "pdf" and _flag(found["signed"])
            if len(found["images"]) != min(pages, bounds.MAX_RENDERED_PAGES):
                raise ValueError("not every page was drawn")
            images = tuple(
                _take_image(image, Path(folder), out_dir, f"page-{number}.webp", bounds.PAGE_IMAGE_BYTES)
                for number, image in enumerate(found["images"], start=1)
            )
        except (KeyError, TypeError, ValueError):
            raise refusal("file.too-complex") from None
    has_text = any(page.strip() for page in text)
    return DocumentFacts(_harmless_name(original_name, kind), kind, pages, sizes, has_text, text, images, signed)


def type_of(path: Path) -> Kind | None:
    """What the first bytes say that it is, and nothing about its worth; None for a type that is not taken."""
    with path.open("rb") as stream:
        return _sniff(stream.read(bounds.HEADER_WINDOW))


def inspect_picture(path: Path, out_dir: Path) -> PictureFacts:
    """Parse a product picture and leave `small.webp` and `large.webp` in `out_dir`. Raises as `inspect_document`."""
    kind = _kind_of(path)
    if kind == "pdf":
        raise refusal("file.type-picture")
    with tempfile.TemporaryDirectory(prefix="lotseal-") as folder:
        found = ask_child("picture", path, kind, Path(folder))
        try:
            small, large = found["images"]
            return PictureFacts(
                kind,
                _take_image(small, Path(folder), out_dir, "small.webp", bounds.SMALL_PICTURE_BYTES),
                _take_image(large, Path(folder), out_dir, "large.webp", bounds.PAGE_IMAGE_BYTES),
            )
        except (KeyError, TypeError, ValueError):
            raise refusal("file.too-complex") from None


def read_symbols(path: Path) -> tuple[str, ...]:
    """The codes on a photo, each as a scanner sends it (symbology identifier, then the data, GS for FNC1); empty when
    none is found. The limits of a product picture hold. Raises as `inspect_document`."""
    kind = _kind_of(path)
    if kind == "pdf":
        raise refusal("file.type-photo")
    found = ask_child("symbols", path, kind)
    try:
        texts = tuple(found["symbols"])
        if len(texts) > bounds.MAX_SYMBOLS or not all(_is_symbol(text) for text in texts):
            raise ValueError("not what a symbol holds")
    except (KeyError, TypeError, ValueError):
        raise refusal("file.too-complex") from None
    return texts


def _is_symbol(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= bounds.MAX_SYMBOL_CHARACTERS


def _kind_of(path: Path) -> Kind:
    size = path.stat().st_size
    if size == 0:
        raise refusal("file.empty")
    if size > bounds.MAX_FILE_BYTES:
        raise refusal("file.too-large", {"bytes": size})
    with path.open("rb") as stream:
        head = stream.read(bounds.HEADER_WINDOW)
    kind = _sniff(head)
    if kind is not None:
        return kind
    # Lenient readers would accept what stands behind the first bytes, browsers might run what stands before it.
    if any(_sniff(head[start:]) is not None for start in range(1, len(head))):
        raise refusal("file.mixed")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n\0").lower()
    if start.startswith((b"<svg", b"<html", b"<!doctype", b"<?xml", b"<!--", b"<script", b"<head", b"<body")):
        raise refusal("file.type-program")
    raise refusal("file.type")


def _sniff(head: bytes) -> Kind | None:
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return None


def child_command() -> list[str]:
    """How the child is started: isolated from the environment and the working folder, in UTF-8 mode."""
    return [sys.executable, "-I", "-X", "utf8", "-m", "lotseal.trace.files.child"]


def ask_child(task: str, path: Path, kind: Kind, folder: Path | None = None, **more: object) -> dict[str, Any]:
    """The child's facts, with images in `folder` if it draws any. Raises `Invalid` for a refusal and for every way in
    which a child can fail, `Unavailable` when none can be had."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="lotseal-") as name:
            return ask_child(task, path, kind, Path(name), **more)
    if not _turns.acquire(timeout=_WAIT_FOR_A_TURN_SECONDS):
        raise Unavailable(
            Problem("file", "file.busy", say("Many files are being read just now. Upload it again in a minute."))
        )
    try:
        request = json.dumps({"task": task, "path": str(path.absolute()), "kind": kind, **more})
        exit_code, line = _run_child(request, folder)
    finally:
        _turns.release()
    if exit_code == bounds.CHILD_EXIT_CANNOT_START:
        raise _cannot_start()
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise refusal("file.too-complex") from None
    if exit_code != 0 or not isinstance(found, dict):
        raise refusal("file.too-complex")
    if "refused" in found:
        values = found.get("values")
        raise refusal(str(found["refused"]), values if isinstance(values, dict) else {})
    return found


def _run_child(request: str, folder: Path) -> tuple[int, bytes]:
    """The child's exit code and answer. Its answer goes to a file, whose size the child's limits bound."""
    with tempfile.TemporaryFile() as answer:
        try:
            child = subprocess.Popen(  # noqa: S603 - the command is fixed; the file is named in a JSON line
                child_command(),
                stdin=subprocess.PIPE,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={},
                start_new_session=True,
            )
        except OSError as error:
            raise _cannot_start() from error
        try:
            child.communicate(request.encode("ascii") + b"\n", timeout=bounds.CHILD_WALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise refusal("file.too-complex") from None
        finally:
            # As long as it was not waited for, its number cannot belong to another process group.
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        answer.seek(0)
        return child.returncode, answer.read(bounds.CHILD_FILE_BYTES)


def _take_image(image: Mapping[str, object], folder: Path, out_dir: Path, name: str, at_most: int) -> PageImage:
    """Move an image that the child names out of its folder. Raises `ValueError` if it is not what it should be."""
    if image["name"] != name:
        raise ValueError("an image of another name")
    width = _between(image["width"], 1, bounds.PAGE_IMAGE_HEIGHT)
    height = _between(image["height"], 1, bounds.PAGE_IMAGE_HEIGHT)
    data = _read_plain_file(folder / name, at_most)
    if _sniff(data) != "webp":
        raise ValueError("not a WebP")
    path = out_dir / name
    path.write_bytes(data)
    return PageImage(path, width, height, "image/webp", len(data))


def _read_plain_file(path: Path, at_most: int) -> bytes:
    """The bytes of a regular file. A link, a pipe or a file that is too large is a `ValueError`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise ValueError("no such image") from None
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= at_most:
            raise ValueError("no image")
        return stream.read(at_most)


def _between(value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError("a number out of bounds")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither yes nor no")
    return value


def _size(pair: Iterable[float]) -> tuple[float, float]:
    width, height = (float(side) for side in pair)
    if not all(bounds.MIN_PAGE_MM / 2 <= side <= bounds.MAX_PAGE_MM * 2 for side in (width, height)):
        raise ValueError("no size of a page")
    return width, height


def _text(page: object) -> str:
    if not isinstance(page, str) or len(page) > bounds.MAX_TEXT_CHARACTERS:
        raise ValueError("no text of a page")
    return page


def _harmless_name(name: str, kind: Kind) -> str:
    """The sender's name without folders and invisible characters, at most 120 characters, ending as its kind does."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    shown = "".join(character for character in last if character.isprintable()).strip(" .") or "file"
    endings = _ENDINGS[kind]
    stem, dot, ending = shown.rpartition(".")
    if dot and f".{ending.lower()}" in endings:
        return f"{stem[: _NAME_LENGTH - len(ending) - 1]}.{ending.lower()}"
    return shown[: _NAME_LENGTH - len(endings[0])] + endings[0]


def _cannot_start() -> Unavailable:
    return Unavailable(
        Problem(
            "file",
            "file.reader",
            say("The program that reads files cannot start just now. Try again later, or tell the operator."),
        )
    )
