"""Product pictures: flat drawings with soft light, made here so that no photograph has to be licensed.

Each is drawn at twice its size and made smaller, which gives smooth edges. There are no words on them: nothing that
could be taken for a brand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIDE = 960
_BIG = 2 * SIDE

Colour = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]


def write_picture(name: str, path: Path) -> None:
    """Draw `name` (a key of `DRAWINGS`) as JPEG, 960 by 960. Raises KeyError for another name."""
    scene = DRAWINGS[name]()
    scene.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(path, "JPEG", quality=92)


def _rgb(text: str) -> Colour:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@cache
def _ramp(horizontal: bool) -> Image.Image:
    """Grey from 0 to 255, left to right or top to bottom."""
    ramp = Image.linear_gradient("L")
    return ramp.transpose(Image.Transpose.ROTATE_90) if horizontal else ramp


def _between(first: str, last: str, size: tuple[int, int], *, horizontal: bool = False) -> Image.Image:
    """A gradient from the top (or left) colour to the other."""
    ramp = _ramp(horizontal).resize(size, Image.Resampling.BICUBIC)
    return Image.composite(Image.new("RGB", size, _rgb(last)), Image.new("RGB", size, _rgb(first)), ramp)


def _round(first: str, last: str) -> Image.Image:
    """Light from the upper left: the first colour in its middle, the last one far away."""
    ramp = Image.radial_gradient("L").resize((_BIG * 2, _BIG * 2), Image.Resampling.BICUBIC)
    ramp = ramp.crop((_BIG // 2 + 200, _BIG // 2 + 360, _BIG // 2 + 200 + _BIG, _BIG // 2 + 360 + _BIG))
    size = (_BIG, _BIG)
    return Image.composite(Image.new("RGB", size, _rgb(last)), Image.new("RGB", size, _rgb(first)), ramp)


def _scene(light: str, dark: str, table: str, edge: str, horizon: int = 1330) -> Image.Image:
    """A wall with soft light and a table that fades into it."""
    scene = _round(light, dark)
    top = _between(edge, table, (_BIG, _BIG - horizon))
    mask = Image.new("L", (_BIG, _BIG - horizon), 255)
    ImageDraw.Draw(mask).rectangle((0, 0, _BIG, 3), fill=120)
    scene.paste(top, (0, horizon), mask)
    return scene


Outline = Callable[[ImageDraw.ImageDraw], None]
"""Draws a form in white; a mask is made of it."""


def _ellipse(left: float, top: float, right: float, bottom: float) -> Outline:
    return lambda draw: draw.ellipse((left, top, right, bottom), fill=255)


def _rectangle(left: float, top: float, right: float, bottom: float) -> Outline:
    return lambda draw: draw.rectangle((left, top, right, bottom), fill=255)


def _rounded(left: float, top: float, right: float, bottom: float, *, curve: float) -> Outline:
    return lambda draw: draw.rounded_rectangle((left, top, right, bottom), curve, fill=255)


def _polygon(*corners: Point) -> Outline:
    return lambda draw: draw.polygon(list(corners), fill=255)


def _stroke(start: Point, end: Point, *, width: int) -> Outline:
    return lambda draw: draw.line([start, end], fill=255, width=width)


def _both(*outlines: Outline) -> Outline:
    def together(draw: ImageDraw.ImageDraw) -> None:
        for outline in outlines:
            outline(draw)

    return together


def _mask(outline: Outline) -> Image.Image:
    mask = Image.new("L", (_BIG, _BIG), 0)
    outline(ImageDraw.Draw(mask))
    return mask


def _shadow(scene: Image.Image, box: Box, strength: int = 110, blur: int = 34, colour: str = "#2a2320") -> None:
    """What a thing throws on the table: an ellipse without an edge."""
    _glow(scene, _ellipse(*box), colour, strength / 255, blur)


def _shape(scene: Image.Image, outline: Outline, fill: Image.Image | str, at: tuple[int, int] = (0, 0)) -> None:
    """Fill an outline with a colour, or with a picture whose upper left corner is `at`."""
    mask = _mask(outline)
    if isinstance(fill, str):
        _paint(scene, _rgb(fill), mask)
    else:
        scene.paste(fill, at, mask.crop((*at, at[0] + fill.width, at[1] + fill.height)))


def _glow(
    scene: Image.Image, outline: Outline, colour: str, strength: float, blur: int, inside: Outline | None = None
) -> None:
    """Blurred light or shade of an outline, kept inside another one when given."""
    # A blurred form has no detail: at a quarter of its size it is blurred sixteen times as fast.
    small = _mask(outline).reduce(4) if blur >= 12 else _mask(outline)
    soft = small.filter(ImageFilter.GaussianBlur(blur / 4 if blur >= 12 else blur))
    soft = soft.point([int(value * strength) for value in range(256)])
    mask = soft.resize((_BIG, _BIG), Image.Resampling.BILINEAR) if blur >= 12 else soft
    if inside:
        mask = ImageChops.multiply(mask, _mask(inside))
    _paint(scene, _rgb(colour), mask)


def _paint(scene: Image.Image, colour: Colour, mask: Image.Image) -> None:
    """Only where the mask is not black: most forms cover a small part of the picture."""
    if box := mask.getbbox():
        scene.paste(colour, box, mask.crop(box))


def _can(
    scene: Image.Image, left: int, right: int, top: int, bottom: int, sag: int, colours: tuple[str, str, str]
) -> Outline:
    """The side of a standing can: darker at both edges, lightest left of the middle. Gives its outline."""

    def side(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle((left, top, right, bottom), fill=255)
        draw.ellipse((left, bottom - sag, right, bottom + sag), fill=255)

    dark, light, deep = colours
    width, height = right - left, bottom + sag - top
    third = width * 3 // 10
    skin = Image.new("RGB", (width, height))
    skin.paste(_between(dark, light, (third, height), horizontal=True), (0, 0))
    skin.paste(_between(light, deep, (width - third, height), horizontal=True), (third, 0))
    _shape(scene, side, skin, (left, top))
    return side


def _band(left: int, right: int, top: int, bottom: int, sag: int) -> Outline:
    """A strip around a can, curved as the can's foot is."""

    def strip(draw: ImageDraw.ImageDraw) -> None:
        arc = [(left, top)]
        steps = 60
        for edge, numbers in ((top, range(steps + 1)), (bottom, range(steps, -1, -1))):
            for number in numbers:
                across = number / steps * 2 - 1
                arc.append(
                    (
                        round((left + right) / 2 + across * (right - left) / 2),
                        round(edge + sag * (1 - across**2) ** 0.5),
                    )
                )
        draw.polygon(arc, fill=255)

    return strip


def _leaf(root: Point, tip: Point, belly: float) -> Outline:
    """A pointed oval from root to tip; `belly` is its half width as a share of its length."""
    (x0, y0), (x1, y1) = root, tip
    length_x, length_y = x1 - x0, y1 - y0
    steps = 40
    one, other = [], []
    for number in range(steps + 1):
        along = number / steps
        wide = belly * (4 * along * (1 - along)) ** 0.8 * (1.15 - 0.3 * along)
        x, y = x0 + length_x * along, y0 + length_y * along
        one.append((x - length_y * wide, y + length_x * wide))
        other.append((x + length_y * wide, y - length_x * wide))
    return _polygon(*one, *reversed(other))


def _tea_tin() -> Image.Image:
    scene = _scene("#f6efe2", "#dccdb4", "#b99f7c", "#c9b393")
    _shadow(scene, (560, 1440, 1560, 1660), 150)
    side = _can(scene, 620, 1300, 560, 1500, 84, ("#5a1d17", "#b8483a", "#3f120f"))
    _shape(
        scene, _band(620, 1300, 940, 1270, 84), _between("#d8c08a", "#8d6c34", (680, 460), horizontal=True), (620, 920)
    )
    _shape(
        scene, _band(620, 1300, 952, 1258, 84), _between("#f1e4c6", "#bfa36d", (680, 460), horizontal=True), (620, 920)
    )
    _shape(scene, _leaf((850, 1290), (1090, 1080), 0.2), "#5d6b3a")
    _shape(scene, _stroke((800, 1332), (1050, 1114), width=7), "#e4d3a8")
    _lid(scene, 600, 1320, 470, 640, 88, ("#43140f", "#a33d30", "#320d0b"), "#8f3528", "#6d241b")
    _glow(scene, _rectangle(770, 660, 830, 1500), "#ffe9d8", 0.34, 26, side)
    _dry_leaves(scene)
    return scene


def _lid(
    scene: Image.Image,
    left: int,
    right: int,
    top: int,
    bottom: int,
    sag: int,
    skin: tuple[str, str, str],
    rim: str,
    face: str,
) -> None:
    """A lid over the top of a can, with its upper face."""
    _can(scene, left, right, top, bottom, sag, skin)
    _shape(scene, _ellipse(left, top - sag, right, top + sag), rim)
    _shape(scene, _ellipse(left + 22, top - sag + 12, right - 22, top + sag - 10), face)
    inside = _ellipse(left + 22, top - sag + 12, right - 22, top + sag - 10)
    _glow(scene, _ellipse(left + 60, top - sag, left + 420, top + 20), "#ffffff", 0.16, 40, inside)


def _dry_leaves(scene: Image.Image) -> None:
    """A few dark, twisted leaves beside the tin."""
    for root, tip, colour in (
        ((1400, 1570), (1560, 1530), "#2f2a22"),
        ((1450, 1620), (1640, 1640), "#3b3227"),
        ((1520, 1560), (1690, 1580), "#27231d"),
        ((1380, 1640), (1500, 1680), "#453a2c"),
        ((1560, 1660), (1700, 1690), "#332c23"),
        ((1470, 1590), (1600, 1600), "#4d4130"),
    ):
        _shadow(scene, (root[0] - 8, min(root[1], tip[1]) + 6, tip[0] + 12, max(root[1], tip[1]) + 30), 70, 9)
        _shape(scene, _leaf(root, tip, 0.11), colour)


def _salmon_pack() -> Image.Image:
    scene = _scene("#eef3f5", "#c9d6dc", "#a9bbc4", "#d3dde2", horizon=360)
    _shadow(scene, (300, 1300, 1660, 1530), 150, 46)
    tray = _rounded(320, 640, 1600, 1440, curve=120)
    _shape(scene, tray, _between("#2b3a44", "#18232b", (1280, 800)), (320, 640))
    _glow(scene, _rounded(330, 650, 1590, 700, curve=60), "#8fa3b0", 0.5, 14, tray)
    well = _rounded(385, 705, 1535, 1375, curve=90)
    _shape(scene, well, _between("#f7fafb", "#dfe8ec", (1150, 670)), (385, 705))
    _glow(scene, _rounded(385, 705, 1535, 760, curve=60), "#8b9ca6", 0.55, 24, well)
    for top, left, right in ((790, 470, 1450), (1060, 500, 1420)):
        _fillet(scene, left, top, right, top + 235)
    _dill(scene)
    _film(scene, well)
    return scene


def _fillet(scene: Image.Image, left: int, top: int, right: int, bottom: int) -> None:
    middle = (top + bottom) / 2

    def outline(draw: ImageDraw.ImageDraw) -> None:
        draw.rounded_rectangle((left, top, right - 190, bottom), 92, fill=255)
        draw.polygon(
            [
                (right - 420, top),
                (right - 150, top + 22),
                (right - 30, middle - 20),
                (right, middle + 34),
                (right - 60, bottom - 40),
                (right - 190, bottom - 6),
                (right - 420, bottom),
            ],
            fill=255,
        )

    _glow(scene, _rounded(left + 6, top + 34, right - 20, bottom + 34, curve=90), "#56636b", 0.5, 22)
    _shape(scene, outline, _between("#ff9d77", "#e8663f", (right - left, bottom - top)), (left, top))
    _grain(scene, left, top, right, bottom, outline)
    _glow(scene, _rounded(left, bottom - 26, right, bottom + 20, curve=20), "#a93f22", 0.55, 14, outline)
    _glow(scene, _rounded(left + 60, top + 8, right - 330, top + 40, curve=16), "#ffe2d2", 0.6, 14, outline)


def _grain(scene: Image.Image, left: int, top: int, right: int, bottom: int, inside: Outline) -> None:
    """The pale lines of fat: flat arrows that all point to the tail."""

    def lines(draw: ImageDraw.ImageDraw) -> None:
        middle = (top + bottom) // 2 + 12
        for start in range(left - 60, right + 60, 92):
            draw.line(
                [(start, top - 20), (start + 92, middle), (start - 8, bottom + 20)], fill=255, width=13, joint="curve"
            )
        draw.line([(left, middle), (right, middle + 12)], fill=200, width=9)

    _glow(scene, lines, "#ffd9c2", 0.85, 4, inside)


def _dill(scene: Image.Image) -> None:
    """Two green sprigs on the lower fillet."""
    for root, lean in (((640, 1290), 1.0), ((700, 1296), 0.5)):

        def sprig(draw: ImageDraw.ImageDraw, root: Point = root, lean: float = lean) -> None:
            x, y = root
            tip = (x + 190 * lean, y - 230)
            draw.line([root, tip], fill=255, width=8)
            for number in range(2, 12):
                along = number / 11
                px, py = x + (tip[0] - x) * along, y + (tip[1] - y) * along
                reach = 74 * (1.15 - along)
                for side in (-1, 1):
                    draw.line([(px, py), (px + side * reach + 20 * lean, py - reach * 0.75)], fill=255, width=6)

        _glow(scene, sprig, "#3a2018", 0.3, 12)
        _shape(scene, sprig, "#3f7a45")


def _film(scene: Image.Image, inside: Outline) -> None:
    """Light on the clear film: two slanting strips."""
    _glow(scene, _polygon((1130, 640), (1290, 640), (1010, 1440), (850, 1440)), "#ffffff", 0.3, 20, inside)
    _glow(scene, _polygon((1340, 640), (1390, 640), (1110, 1440), (1060, 1440)), "#ffffff", 0.24, 14, inside)


def _milk_can() -> Image.Image:
    scene = _scene("#f3f5f8", "#cfd8e3", "#aebccb", "#c0ccd8")
    _shadow(scene, (500, 1450, 1600, 1700), 140, 40, "#253040")
    side = _can(scene, 560, 1360, 560, 1540, 96, ("#b9c4d0", "#ffffff", "#9fadbb"))
    _shape(
        scene, _band(560, 1360, 880, 1540, 96), _between("#7fa9cf", "#4c7dab", (800, 800), horizontal=True), (560, 860)
    )
    _shape(
        scene, _band(560, 1360, 850, 884, 96), _between("#e9d9a8", "#b79a56", (800, 200), horizontal=True), (560, 830)
    )
    _shape(scene, _ellipse(800, 1040, 1120, 1360), "#f7fafc")
    drop = _both(_ellipse(880, 1170, 1040, 1330), _polygon((960, 1070), (1032, 1222), (888, 1222)))
    _shape(scene, drop, "#8fb7da")
    _glow(scene, _ellipse(905, 1220, 955, 1300), "#ffffff", 0.7, 8, drop)
    _glow(scene, _rectangle(760, 620, 830, 1560), "#ffffff", 0.4, 30, side)
    _glow(scene, _rectangle(1300, 640, 1360, 1640), "#1f3a57", 0.2, 40, side)
    _can(scene, 540, 1380, 440, 590, 100, ("#c3ccd6", "#fdfefe", "#a7b3c0"))
    _shape(scene, _ellipse(540, 340, 1380, 540), "#e3e9ef")
    face = _ellipse(572, 356, 1348, 522)
    _shape(scene, face, _between("#ffffff", "#ccd6e0", (776, 166)), (572, 356))
    _scoop(scene)
    return scene


def _scoop(scene: Image.Image) -> None:
    """A measuring spoon with powder, lying in front of the can."""
    _shadow(scene, (1370, 1640, 1790, 1740), 110, 20, "#253040")
    _shape(scene, _rounded(1530, 1606, 1800, 1650, curve=22), "#dfe7ee")
    bowl = _rounded(1370, 1590, 1570, 1720, curve=60)
    _shape(scene, bowl, _between("#f7fafc", "#bcc8d4", (200, 130)), (1370, 1590))
    _shape(scene, _ellipse(1366, 1556, 1574, 1628), "#e6ecf2")
    _shape(scene, _ellipse(1386, 1540, 1554, 1616), "#fbf3dd")


def _desk_lamp() -> Image.Image:
    scene = _scene("#4a5568", "#2b3341", "#6b5644", "#7d6651", horizon=1420)
    cone = _polygon((560, 700), (1000, 560), (1560, 1480), (240, 1480))
    _glow(scene, cone, "#ffe6b0", 0.5, 70)
    _glow(scene, _ellipse(260, 1430, 1420, 1650), "#ffdf9f", 0.62, 60)
    _shadow(scene, (1080, 1560, 1660, 1690), 170, 26, "#1c1512")
    _shape(scene, _rounded(1130, 1570, 1570, 1628, curve=29), _between("#f5f6f8", "#a9b1bc", (440, 58)), (1130, 1570))
    _shape(scene, _rounded(1180, 1536, 1520, 1590, curve=27), _between("#ffffff", "#cfd5dc", (340, 54)), (1180, 1536))
    for start, end in (((1350, 1560), (1500, 960)), ((1500, 960), (830, 560))):
        _shape(scene, _stroke(start, end, width=40), "#dde2e8")
        _shape(scene, _stroke((start[0] - 9, start[1] - 9), (end[0] - 9, end[1] - 9), width=12), "#ffffff")
    for x, y, size in ((1500, 960, 46), (1350, 1556, 34)):
        _shape(scene, _ellipse(x - size, y - size, x + size, y + size), "#b5322a")
        _shape(scene, _ellipse(x - 15, y - 15, x + 15, y + 15), "#f4f5f7")
    _lamp_head(scene)
    return scene


def _lamp_head(scene: Image.Image) -> None:
    light = _polygon((520, 742), (1022, 566), (1034, 604), (534, 780))
    _glow(scene, light, "#fff4d6", 1.0, 30)
    head = _polygon((700, 470), (860, 414), (1040, 570), (512, 756))
    _shape(scene, head, _between("#ffffff", "#b9c1cb", (620, 420)), (480, 400))
    _glow(scene, _polygon((980, 480), (1060, 570), (760, 690)), "#5b6675", 0.35, 40, head)
    _shape(scene, _polygon((524, 752), (1030, 574), (1036, 592), (530, 770)), "#fff3cf")


DRAWINGS: Mapping[str, Callable[[], Image.Image]] = {
    "tea-tin": _tea_tin,
    "salmon-pack": _salmon_pack,
    "milk-can": _milk_can,
    "desk-lamp": _desk_lamp,
}
