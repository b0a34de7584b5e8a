"""A tariff looked at before it holds: findings of its own, of the markets it follows, and of the law where it may hold."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from tallywatt.rating.examine import examine, is_bad, sites_of
from tallywatt.rating.findings import Gravity, sentences, told
from tallywatt.rating.freeze import Wanted
from tallywatt.rating.law import Site

DAY = date.fromisoformat("2026-11-24")
FAST = (Site("DE", 150_000, "E1"),)
TARIFF = {
    "id": "T", "currency": "EUR", "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "0.5", "vat": "19", "step_size": 1}]}],
}  # fmt: skip


def test_what_cannot_be_read_is_told_alone() -> None:
    """Nothing can be said about the law of a tariff that nobody can read."""
    found = examine({**TARIFF, "elements": []}, FAST, DAY)

    assert [one.code for one in found] == ["lint.refused"]


def test_the_worst_comes_first_and_a_market_without_prices_is_named() -> None:
    """An operator reads from the top."""
    index = {"market": "DE-LU", "minutes": 60}
    component = {"type": "ENERGY", "price": "0.5", "vat": "19", "step_size": 1, "index": index}
    data = {**TARIFF, "elements": [{"price_components": [component, {"type": "FLAT", "price": "1", "vat": "19"}]}]}
    unknown = examine(data, FAST, DAY, markets=())
    known = examine(data, FAST, DAY, markets=(Wanted("DE-LU", 60, "EUR"),))

    gravities = [list(Gravity).index(one.gravity) for one in unknown]
    assert gravities == sorted(gravities)
    assert "law.energy_and_idle_only" in {one.code for one in unknown}
    assert {one.code for one in unknown} - {one.code for one in known} == {"lint.market_without_prices"}


def test_a_price_that_jumps_is_held_against_the_version_before() -> None:
    """A comma in the wrong place is found when it is written, not by drivers."""
    component = {"type": "ENERGY", "price": "0.05", "vat": "19", "step_size": 1}
    before = json.dumps({**TARIFF, "elements": [{"price_components": [component]}]})
    found = examine(TARIFF, FAST, DAY, before=before)

    assert "lint.price_changed" in {one.code for one in found}
    assert "lint.price_changed" not in {one.code for one in examine(TARIFF, FAST, DAY)}


def test_points_of_one_kind_are_one_site_and_no_point_is_one_of_the_country() -> None:
    """A finding for each of a thousand points would be read by nobody."""
    rows: list[dict[str, Any]] = [
        {"country": "DE", "max_watts": 22_000, "code": "E1", "points": 3},
        {"country": "FR", "max_watts": None, "code": "E9", "points": 1},
    ]

    assert sites_of(rows, "DE") == (Site("DE", 22_000, "E1 (+2)"), Site("FR", None, "E9"))
    assert sites_of([], "GB") == (Site("GB", None, "GB"),)


@pytest.mark.parametrize(("worst", "bad"), [(Gravity.ERROR, False), (Gravity.WARNING, True)])
def test_how_bad_is_bad_is_the_asker_s_choice(worst: Gravity, bad: bool) -> None:
    """A pipeline may refuse what a person would let pass."""
    found = [one for one in examine({**TARIFF, "speling": 1}, (), DAY) if one.gravity is Gravity.WARNING]

    assert found
    assert is_bad(found, worst) is bad


def test_everything_that_is_told_can_be_translated() -> None:
    """Each word of a finding that is no figure of the tariff's own is among the sentences of the catalogues."""
    asked: set[str] = set()

    def keep(text: str) -> str:
        asked.add(text)
        return text

    for one in examine({**TARIFF, "speling": 1}, FAST, DAY):
        told(one, translated=keep)

    assert asked
    assert asked <= set(sentences())
