"""What was charged too much is taken off what is owed first; only what was paid goes back."""

from __future__ import annotations

import pytest

from tallywatt.invoicing.correction import Shares, divided


@pytest.mark.parametrize(
    ("less", "collected", "credited", "shares"),
    [
        (300, 1000, 0, Shares(0, 300)),
        (300, 0, 0, Shares(300, 0)),
        (300, 900, 0, Shares(100, 200)),
        (300, 800, 200, Shares(0, 300)),
        (300, 200, 800, Shares(0, 200)),
        (300, 0, 1000, Shares(0, 0)),
    ],
)
def test_debt_goes_first_and_never_more_than_is_left(less: int, collected: int, credited: int, shares: Shares) -> None:
    """An invoice of 10.00; what earlier credit notes have taken back is not taken back again."""
    assert divided(less, 1000, collected, credited) == shares
