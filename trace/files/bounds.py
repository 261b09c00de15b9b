"""How large anything may be that comes from an upload. Both sides of the process border read these numbers."""

from __future__ import annotations

MAX_FILE_BYTES = 20_000_000
MAX_PAGES = 200
MAX_RENDERED_PAGES = 20
MAX_TEXT_CHARACTERS = 100_000

# Of one decoded picture. A WebP is decoded by its library into several full RGBA copies, so that fewer fit.
MAX_PIXELS = 40_000_000
MAX_WEBP_PIXELS = 16_000_000

# PDF units are 1/72 inch. A sheet is from 1 cm to 5 m long; PDF's own old limit, 14,400 units, is 5.08 m.
MM_PER_POINT = 25.4 / 72
MIN_PAGE_MM = 10.0
MAX_PAGE_MM = 5_000.0

# About 150 dots per inch of an A4 sheet. The height is bounded as well, for the sake of long, narrow pages.
PAGE_IMAGE_WIDTH = 1_240
PAGE_IMAGE_HEIGHT = 3_508
PAGE_IMAGE_BYTES = 120_000
MAX_RENDER_DPI = 300
SMALL_PICTURE_SIDE = 480
SMALL_PICTURE_BYTES = 15_000

# A photo of a code: its longer side in pixels, and what is tried next; symbols on it, and characters of each.
SCAN_SIDE = 2_400
SMALLER_SCAN_SIDES = (1_200, 600)
MAX_SYMBOLS = 20
MAX_SYMBOL_CHARACTERS = 8_192

# Values in the dictionaries and arrays of one PDF; to look at so many takes about 4 of the child's 10 seconds.
MAX_PDF_VALUES = 600_000
# Bytes after the last %%EOF that are no white space. Some printers leave a stamp there; more is a second file.
MAX_TRAILING_BYTES = 1_024
# Readers look for the PDF header this far into a file; the gate wants it at the first byte.
HEADER_WINDOW = 1_024

# Signatures in one PDF that are judged, the bytes of one of them, the certificates inside it, and states of the file.
MAX_SIGNATURES = 20
MAX_CMS_BYTES = 256_000
MAX_CMS_CERTIFICATES = 30
MAX_REVISIONS = 100
MAX_NAME_CHARACTERS = 200
# Pinned roots that come with one request, and the bytes of one of them.
MAX_ROOTS = 400
MAX_ROOT_BYTES = 8_192
# A clock may be wrong by so much: a signing time in the future beyond it is not believed.
CLAIMED_TIME_SLACK_HOURS = 24

# Bounds of the child process itself.
MAX_REQUEST_CHARACTERS = 6_000_000
CHILD_ADDRESS_SPACE = 512 << 20
CHILD_CPU_SECONDS = 10
CHILD_WALL_SECONDS = 20
CHILD_FILE_BYTES = 4 << 20
CHILD_OPEN_FILES = 32
CHILD_EXIT_CANNOT_START = 70

# What a PDF may not hold, in the words that a person is told.
ACTIVE_CONTENT = (
    "JavaScript",
    "Launch",
    "EmbeddedFiles",
    "XFA",
    "RichMedia",
    "SubmitForm",
    "ImportData",
    "OpenAction",
)


class Refused(Exception):
    """Raised inside the child: the file breaks the permanent `rule`; `values` go into the gaps of its sentence."""

    def __init__(self, rule: str, **values: object) -> None:
        super().__init__(rule)
        self.rule = rule
        self.values = values
