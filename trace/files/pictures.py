"""Inside the child: PNG, JPEG and WebP are decoded in full and drawn anew as WebP, without anything but pixels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from . import bounds
from .bounds import Refused

_FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
_QUALITIES = (80, 50, 30, 20)
# A page of text and lines has few colours and is small and sharp without loss; a scan is neither.
_FEW_COLOURS = 4_096
_WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Drawn:
    """A WebP file in the output folder, by its name, with its width and height in pixels."""

    name: str
    width: int
    height: int


def load(path: Path, kind: str, *, within: tuple[int, int]) -> Image.Image:
    """The picture upright, on white, RGB, and not larger than `within` (width, height). Raises `Refused`."""
    Image.MAX_IMAGE_PIXELS = bounds.MAX_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _load(path, kind, within)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(kind) from None


def _load(path: Path, kind: str, within: tuple[int, int]) -> Image.Image:
    with Image.open(path, formats=[_FORMATS[kind]]) as picture:
        if picture.width * picture.height > _max_pixels(kind):
            raise _too_many_pixels(kind)
        # Telephones write a second picture (a depth or brightness map) behind the first of a JPEG; it is not looked at.
        if kind != "jpeg" and getattr(picture, "n_frames", 1) > 1:
            raise Refused("file.moving")
        # A quarter turn may follow, so the box is taken as a square of its longer side until the picture is upright.
        side = max(within)
        picture.draft("RGB", (side, side))
        picture.load()
        small = _plain(picture)
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        small = ImageOps.exif_transpose(small)
    small.thumbnail(within, Image.Resampling.LANCZOS)
    # Metadata (place, camera, comments, colour profile) rides in `info`: a new picture has none.
    clean = Image.new("RGB", small.size, _WHITE)
    clean.paste(small.convert("RGB"), mask=small.getchannel("A") if small.mode in ("LA", "RGBA") else None)
    return clean


def _plain(picture: Image.Image) -> Image.Image:
    """A mode that can be made smaller with smooth edges, at one full copy at the most."""
    if picture.mode in ("L", "LA", "RGB", "RGBA"):
        return picture
    if picture.mode.startswith("I"):
        # 16-bit greys: converting to eight bits would cut them off, not scale them.
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    transparent = "transparency" in picture.info or picture.mode in ("LA", "La", "PA", "RGBa")
    return picture.convert("RGBA" if transparent else "RGB")


def draw(image: Image.Image, folder: Path, name: str, *, at_most: int) -> Drawn:
    """Write `image` as a WebP of at most that many bytes: first with less quality, then with fewer pixels."""
    while True:
        for data in _encodings(image):
            if len(data) <= at_most:
                (folder / name).write_bytes(data)
                return Drawn(name, image.width, image.height)
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)), Image.Resampling.LANCZOS)


def _encodings(image: Image.Image) -> Iterator[bytes]:
    if image.getcolors(_FEW_COLOURS) is not None:
        yield _webp(image, lossless=True, quality=50, method=1)
    for quality in _QUALITIES:
        yield _webp(image, lossless=False, quality=quality, method=2)


def _webp(image: Image.Image, *, lossless: bool, quality: int, method: int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "WEBP", lossless=lossless, quality=quality, method=method)
    return buffer.getvalue()


def read_document(path: Path, kind: str, folder: Path) -> dict[str, object]:
    """A photographed or scanned report: one page. Raises `Refused`."""
    image = load(path, kind, within=(bounds.PAGE_IMAGE_WIDTH, bounds.PAGE_IMAGE_HEIGHT))
    drawn = draw(image, folder, "page-1.webp", at_most=bounds.PAGE_IMAGE_BYTES)
    return {"pages": 1, "sizes": [], "texts": [], "images": [vars(drawn)]}


def read_picture(path: Path, kind: str, folder: Path) -> dict[str, object]:
    """A product picture: a small one for the scan page, a large one behind it. Raises `Refused`."""
    large = load(path, kind, within=(bounds.PAGE_IMAGE_WIDTH, bounds.PAGE_IMAGE_WIDTH))
    small = large.copy()
    small.thumbnail((bounds.SMALL_PICTURE_SIDE, bounds.SMALL_PICTURE_SIDE), Image.Resampling.LANCZOS)
    drawn = (
        draw(small, folder, "small.webp", at_most=bounds.SMALL_PICTURE_BYTES),
        draw(large, folder, "large.webp", at_most=bounds.PAGE_IMAGE_BYTES),
    )
    return {"images": [vars(image) for image in drawn]}


def _max_pixels(kind: str) -> int:
    return bounds.MAX_WEBP_PIXELS if kind == "webp" else bounds.MAX_PIXELS


def _too_many_pixels(kind: str) -> Refused:
    return Refused("file.pixels", megapixels=_max_pixels(kind) // 1_000_000)
