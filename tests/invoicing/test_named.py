"""Payers write the number of an invoice as they like: it is found where it is plain, and never in another number."""

from __future__ import annotations

import pytest

from tallywatt.invoicing.named import numbers_in

FOUND = {
    "INV-2026-000123": "INV-2026-000123",
    "Rechnung inv 2026 123, danke": "INV-2026-000123",
    "your invoice: INV2026000123.": "INV-2026-000123",
    "RF68 INV2 0260 0012 3": None,
    "INV-2026-0001234": "INV-2026-001234",
    "order 4711": None,
    "AINV-2026-000123X": None,
    "": None,
}


@pytest.mark.parametrize("text", FOUND)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    """A structured reference with wrong check digits names nothing: it was typed wrong."""
    assert numbers_in(text) == ((FOUND[text],) if FOUND[text] else ())


def test_several_numbers_stand_in_the_order_in_which_they_are_named() -> None:
    """The first is paid first; what is named twice is one."""
    assert numbers_in("A1-2026-000002 and A1-2026-000001", None, "A1 2026 2") == ("A1-2026-000002", "A1-2026-000001")
