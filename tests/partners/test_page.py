"""The page of all events is what the catalogue says."""

from __future__ import annotations

from pathlib import Path

from tallywatt.partners.catalogue import NAMES
from tallywatt.partners.page import page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "events.md"


def test_the_page_is_made_from_the_catalogue() -> None:
    """Else: python -m tallywatt.entrypoints.cli.events > docs/reference/events.md"""
    assert PAGE.read_text(encoding="utf-8") == page()
    assert all(f"## `{name}`" in page() for name in NAMES)
