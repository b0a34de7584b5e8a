"""The examples of a page of the documentation: what stands in its fences, by language."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language, in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [body for found, body in _FENCE.findall(text) if found == language]
