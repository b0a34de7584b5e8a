"""Invoices as PDF/A-3 through one warm typst compiler; the document is handed in as data, never as markup."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import msgspec
import typst

from tallywatt.invoicing.words import printed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallywatt.invoicing.paper import InvoiceDocument

_HERE = Path(__file__).parent
FONTS = _HERE / "fonts"
_encoder = msgspec.json.Encoder(order="sorted")


class TypstPapers:
    """Makes PDFs. The same document gives the same bytes: nothing is taken from the machine, neither fonts nor time.

    Fonts of one's own (for scripts beyond Latin, Greek and Cyrillic) are handed in as folders.
    """

    def __init__(self, font_folders: Sequence[Path] = ()) -> None:
        self._compiler = typst.Compiler(
            input=str(_HERE / "invoice.typ"),
            root=str(_HERE),
            font_paths=[str(folder) for folder in (FONTS, *font_folders)],
            ignore_system_fonts=True,
        )
        # The compiler keeps what it has parsed and shaped; two threads must not change that at once.
        self._one_at_a_time = Lock()

    def pdf(self, document: InvoiceDocument) -> bytes:
        """The document as PDF/A-3b, A4."""
        data = _encoder.encode(printed(document)).decode()
        with self._one_at_a_time:
            made = self._compiler.compile(
                format="pdf",
                sys_inputs={"document": data},
                pdf_standards="a-3b",
                timestamp=0,
            )
        assert isinstance(made, bytes), "one PDF was asked for"
        return made
