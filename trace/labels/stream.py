"""A reportlab document that writes each page to its file when the page is finished.

reportlab keeps the content of all pages, uncompressed, until the document is saved: about 250 kB for a sheet of 24 QR
labels. Here a finished page goes to the file at once, and only its two offsets for the cross-reference table stay.
"""

from __future__ import annotations

from typing import IO, Any

from reportlab.pdfbase import pdfdoc
from reportlab.pdfgen.canvas import Canvas

# Takes the place of an object that is already in the file.
_WRITTEN = pdfdoc.PDFObject()


class StreamedDocument(pdfdoc.PDFDocument):
    """Same file format as reportlab's own document, always compressed and always the same bytes for the same pages.

    `file` is a binary file at its start; it needs `write` only and is not closed.
    """

    Catalog: Any
    Pages: Any

    def __init__(self, file: IO[bytes], lang: str) -> None:
        super().__init__(compression=1, invariant=1, pdfVersion=(1, 4), lang=lang)
        self._out = pdfdoc.PDFFile((1, 4))
        for header in self._out.strings:
            file.write(header)
        self._out.strings.clear()

        def write(data: bytes) -> None:
            file.write(data)

        self._out.write = write

    def addPage(self, page: pdfdoc.PDFPage) -> None:
        # reportlab would add an ASCII85 layer, which makes each stream a quarter larger.
        content = pdfdoc.PDFStream(content=page.stream, filters=[pdfdoc.PDFZCompress])
        name = self.thisPageName()
        page.Contents = self._number(content)
        super().addPage(page)
        self._write(page.Contents.name)
        self._write(name)
        self.Pages.pages[-1] = pdfdoc.PDFObjectReference(name)

    def _number(self, thing: pdfdoc.PDFObject) -> pdfdoc.PDFObjectReference:
        reference: pdfdoc.PDFObjectReference = self.Reference(thing)  # type: ignore[no-untyped-call]  # not in the stubs
        return reference

    def _write(self, name: str) -> None:
        body = pdfdoc.PDFIndirectObject(name, self.idToObject[name]).format(self)
        self.idToOffset[name] = self._out.add(body)
        self.idToObject[name] = _WRITTEN

    def format(self) -> bytes:
        """Write what is left (fonts, page tree, catalogue), then the cross-reference table and the trailer."""
        root, info = self._number(self.Catalog), self._number(self.info)
        number = 1
        while number in self.numberToId:  # formatting an object may add new ones at the end
            name = self.numberToId[number]
            if self.idToObject[name] is not _WRITTEN:
                self._write(name)
            number += 1
        table = pdfdoc.PDFCrossReferenceTable()
        table.addsection(0, [self.numberToId[n] for n in range(1, number)])
        start = self._out.add(table.format(self))
        trailer = pdfdoc.PDFTrailer(startxref=start, Size=number, Root=root, Info=info, ID=self.ID())
        self._out.add(trailer.format(self))
        return b""

    def SaveToFile(self, filename: object, canvas: Canvas) -> None:
        self.GetPDFData(canvas)


def streamed_canvas(file: IO[bytes], page_size_pt: tuple[float, float], lang: str) -> Canvas:
    """A canvas that draws into a StreamedDocument. It names no font of its own, so only embedded fonts occur."""
    canvas: Any = Canvas(file, pagesize=page_size_pt, pageCompression=1, invariant=1)
    canvas._doc = StreamedDocument(file, lang)
    canvas._preamble = "1 0 0 1 0 0 cm"
    streamed: Canvas = canvas
    return streamed
