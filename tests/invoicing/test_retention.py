"""How long the law keeps an invoice."""

from __future__ import annotations

import pytest

from tallywatt.invoicing.retention import LONGEST, kept_through, may_go


@pytest.mark.parametrize(
    ("country", "until"),
    [("DE", "2034-12-31"), ("GB", "2032-12-31"), ("AT", "2033-12-31"), ("XX", f"{2026 + LONGEST}-12-31")],
)
def test_the_term_begins_with_the_end_of_the_year(country: str, until: str) -> None:
    """An invoice of January is kept almost a year longer than the years say."""
    assert kept_through("2026-01-02", country) == until
    assert kept_through("2026-12-31", country) == until
    assert not may_go("2026-01-02", country, until)
    assert may_go("2026-01-02", country, f"{int(until[:4]) + 1}-01-01")
