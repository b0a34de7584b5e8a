"""The evidence about a disputed payment as a PDF, for a payer's bank; it is handed in as data, never as markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import typst

from tallywatt.adapters.documents.papers import FONTS

_HERE = Path(__file__).parent


def evidence_pdf(told: dict[str, Any]) -> bytes:
    """A PDF, A4. The same evidence gives the same bytes. Disputes are few: nothing is kept warm for them."""
    made = typst.Compiler(
        input=str(_HERE / "evidence.typ"), root=str(_HERE), font_paths=[str(FONTS)], ignore_system_fonts=True
    ).compile(
        format="pdf",
        sys_inputs={"document": msgspec.json.encode(told, order="sorted").decode()},
        pdf_standards="a-2b",
        timestamp=0,
    )
    assert isinstance(made, bytes), "one PDF was asked for"
    return made
