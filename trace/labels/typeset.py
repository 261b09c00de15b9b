"""Breaking and fitting one-line and two-line texts of a label, Chinese and Latin, by measured width."""

from __future__ import annotations

import re

from . import font

# What may not begin a line and what may not end one (the usual rule of Chinese typesetting).
_CLOSING = "，。、；：！？）》」』】〉”’…·,.;:!?)]}%℃°"
_OPENING = "（《「『【〈“‘([{"
# A quantity stays with its unit; a Latin word stays whole; every other character may stand at a line's end.
_PIECE = re.compile(r"\d[\d.,]*\s?[A-Za-zµμ%℃°]{1,3}(?![A-Za-z])|[A-Za-zÀ-ɏ0-9.'’&/_+-]+|\s+|.", re.DOTALL)


def wrap(text: str, size: float, width: float, lines: int) -> list[str]:
    """Break `text` into at most `lines` lines no wider than `width` points; what does not fit ends in an ellipsis."""
    done: list[str] = []
    line = ""
    pieces = _pieces(text)
    for index, piece in enumerate(pieces):
        if font.width(line + piece.rstrip(), size) <= width:
            line += piece if line else piece.lstrip()
            continue
        if len(done) == lines - 1:
            return [*done, cut(line + "".join(pieces[index:]), size, width)]
        if line.strip():
            done.append(line.rstrip())
        line = piece.lstrip()
        while font.width(line, size) > width and len(done) < lines - 1:  # a word longer than a line is broken
            head = _longest(line, size, width)
            done.append(head)
            line = line[len(head) :]
        if font.width(line, size) > width:
            return [*done, cut(line + "".join(pieces[index + 1 :]), size, width)]
    return [*done, line.rstrip()] if line.strip() else done


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for piece in _PIECE.findall(" ".join(text.split())):
        if pieces and (piece in _CLOSING or pieces[-1][-1] in _OPENING):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def cut(text: str, size: float, width: float) -> str:
    """`text`, or as much of its beginning as fits with an ellipsis; never wider than `width` points."""
    if font.width(text, size) <= width:
        return text
    head = _longest(text, size, width - font.width("…", size)).rstrip()
    # The ellipsis of a Chinese font is as wide as a character and sits in the middle, which looks lost after Latin.
    return head + ("..." if head[-1:].isascii() else "…")


def _longest(text: str, size: float, width: float) -> str:
    taken = 0.0
    for index, character in enumerate(text):
        taken += font.width(character, size)
        if taken > width and index:
            return text[:index]
    return text


def fit(text: str, size: float, smallest: float, narrowest: float, width: float) -> tuple[float, float] | None:
    """Font size and horizontal scale (1 = natural) at which the whole of `text` is at most `width` points wide.

    First the size goes down to `smallest`, then the letters get narrower down to `narrowest`; None if that is too wide.
    """
    natural = font.width(text, size)
    if natural <= width:
        return size, 1.0
    fitting = size * width / natural
    if fitting >= smallest:
        return fitting, 1.0
    scale = fitting / smallest
    return (smallest, scale) if scale >= narrowest else None
