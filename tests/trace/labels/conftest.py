from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image

Reader = Callable[[Image.Image], list[str]]


@pytest.fixture(scope="session")
def read_with_zbar() -> Reader:
    """A second reader that shares no code with the first one."""
    try:
        from pyzbar import pyzbar  # type: ignore[import-untyped]  # the package ships no types
    except ImportError as error:
        pytest.fail(f"pyzbar needs the shared library zbar: apt-get install libzbar0 ({error})", pytrace=False)

    def read(image: Image.Image) -> list[str]:
        found = pyzbar.decode(image.convert("L"), symbols=[pyzbar.ZBarSymbol.QRCODE])
        return [symbol.data.decode() for symbol in found]

    return read
