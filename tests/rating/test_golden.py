"""Golden results: what this engine and those before it have said is said again, to the last digit and the last reason."""

from __future__ import annotations

import pytest

from tallywatt.rating.rate import ENGINE_VERSION
from tests.rating.golden_results import DIFFERS, computed_again, kept, what_is_said, worth_keeping

KEPT = kept()


@pytest.mark.parametrize("key", KEPT, ids="/".join)
def test_a_price_of_the_past_comes_out_again(key: tuple[str, str]) -> None:
    """An invoice of years ago is explained by the engine of today: it must not say anything else."""
    golden = KEPT[key]
    again = computed_again(golden)
    assert (what_is_said(again) != what_is_said(golden["rows"])) is (key in DIFFERS), DIFFERS.get(
        key, "it came out otherwise"
    )


def test_whatever_is_worth_keeping_is_kept() -> None:
    """`python -m tests.rating.golden_results` writes down what is new."""
    assert {(ENGINE_VERSION, name) for name, _ in worth_keeping()} <= KEPT.keys()


def test_a_change_that_is_meant_belongs_to_a_newer_engine() -> None:
    """Results of the present version are never changed: the version is raised instead."""
    assert all(version != ENGINE_VERSION for version, _ in DIFFERS)
