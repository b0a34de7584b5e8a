"""Audiences: one text for one meaning, and nothing that cannot be read is for everyone."""

from __future__ import annotations

import pytest

from tallywatt.kernel.errors import BadInput
from tallywatt.rating.audience import Audience, Kind, read_audience, stored_audience


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("", "everyone"),
        ("everyone", "everyone"),
        ("group: taxis", "group:taxis"),
        ("group:taxis,couriers,taxis", "group:couriers,taxis"),
        ("speed:dc_fast & customer:C-1", "customer:C-1 & speed:dc_fast"),
        ("payment:ad_hoc", "payment:ad_hoc"),
    ],
)
def test_an_audience_is_stored_as_one_text(written: str, stored: str) -> None:
    """Two spellings of one audience must not be two audiences."""
    assert read_audience(written).text == stored
    assert read_audience(stored) == read_audience(written)


@pytest.mark.parametrize(
    "text",
    ["group", "group:", "friends:all", "group:a & group:b", "payment:shells", "speed:warp", "customer:a b", "&",
     "group:" + ",".join(map(str, range(21)))],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_and_never_for_everyone(text: str) -> None:
    """A typing error in a price for staff would be a price for all."""
    with pytest.raises(BadInput) as refused:
        read_audience(text)
    assert refused.value.code == "tariffs.bad_audience"
    assert stored_audience(text) is None


def test_speed_makes_no_audience_narrower() -> None:
    """It is asked of the charging point."""
    assert read_audience("speed:dc_fast").narrowest is None
    assert read_audience("payment:account & fleet:acme").narrowest is Kind.FLEET
    assert Audience().narrowest is None
