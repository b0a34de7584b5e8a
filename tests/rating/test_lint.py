"""Lint: each thing that goes wrong in tariffs is found by its code, at its path; a good tariff is silent."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from tallywatt.rating.examine import examine
from tallywatt.rating.findings import WORDS, Finding, Gravity, finding_data
from tallywatt.rating.freeze import Wanted
from tallywatt.rating.lint import lint
from tallywatt.rating.read import read_tariff
from tallywatt.rating.tariff import to_data
from tests.rating.examples import an_element, tariffs
from tests.rating.test_reductions import LOOKS_WRONG

WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]


def data_of(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A tariff of elements as data."""
    return {"id": "T1", "currency": "EUR", "tax_included": "YES", "elements": list(elements), **more}


def energy(price: str = "0.5", vat: object = 19, step: int = 1, **restrictions: Any) -> dict[str, Any]:
    """An element that prices energy."""
    return an_element(("ENERGY", price, vat, step), **restrictions)


ALWAYS = energy("0.4")
CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a tariff without elements": (data_of(), "lint.refused", "elements"),
    "a price that is no number": (data_of(energy("cheap")), "lint.refused", "elements[0].price_components[0].price"),
    "restriction without its s": (
        data_of({**ALWAYS, "restriction": {"start_time": "22:00"}}), "lint.misspelt_key", "elements[0].restriction",
    ),
    "a bound misspelt": (data_of(energy(max_kw="50")), "lint.misspelt_key", "elements[0].restrictions.max_kw"),
    "a key of our own": (data_of(ALWAYS, colour="blue"), "lint.unknown_key", "colour"),
    "bounds that leave nothing": (
        data_of(energy(min_kwh=20, max_kwh=10), ALWAYS), "lint.never_applies", "elements[0].restrictions.max_kwh",
    ),
    "dates that leave nothing": (
        data_of(energy(start_date="2026-12-24", end_date="2026-12-24"), ALWAYS),
        "lint.never_applies", "elements[0].restrictions.end_date",
    ),
    "an exception after the rule": (
        data_of(ALWAYS, energy(start_time="22:00", end_time="06:00")), "lint.unreachable", "elements[1].price_components[0]",
    ),
    "two halves that cover a third": (
        data_of(energy(start_time="06:00", end_time="22:00"), energy(start_time="22:00", end_time="06:00"), ALWAYS),
        "lint.unreachable", "elements[2].price_components[0]",
    ),
    "windows that cross": (
        data_of(energy(start_time="08:00", end_time="18:00"), energy("0.6", start_time="17:00", end_time="20:00"), ALWAYS),
        "lint.overlap", "elements[1].price_components[0]",
    ),
    "nights without a price": (data_of(energy(start_time="06:00", end_time="22:00")), "lint.gap", "elements"),
    "weekends without a price": (data_of(energy(day_of_week=WEEKDAYS)), "lint.gap", "elements"),
    "no price beyond a bound": (data_of(energy(max_kwh=30)), "lint.gap", "elements"),
    "no price before a bound": (data_of(energy(min_kwh=30)), "lint.gap", "elements"),
    "prices by power alone": (
        data_of(energy(max_power=22), energy(min_power=22)), "lint.no_price_without_signal", "elements",
    ),
    "a window that ends when it begins": (
        data_of(energy(start_time="08:00", end_time="08:00")), "lint.whole_day", "elements[0].restrictions.end_time",
    ),
    "a step of zero": (data_of(energy(step=0)), "lint.zero_step", "elements[0].price_components[0].step_size"),
    "blocks of five kWh": (data_of(energy(step=5000)), "lint.large_step", "elements[0].price_components[0].step_size"),
    "blocks of an hour": (
        data_of(ALWAYS, an_element(("TIME", "3", 19, 3600))), "lint.large_step", "elements[1].price_components[0].step_size",
    ),
    "a point out of place": (
        data_of(energy("4.5", start_time="08:00", end_time="20:00"), ALWAYS),
        "lint.price_jump", "elements[0].price_components[0].price",
    ),
    "cents for euros": (data_of(energy("45")), "lint.price_far_out", "elements[0].price_components[0].price"),
    "money for energy": (data_of(energy("-0.1")), "lint.negative_price", "elements[0].price_components[0].price"),
    "no word on tax": (data_of(ALWAYS, tax_included=None), "lint.tax_basis_not_told", "tax_included"),
    "no tax": (data_of(energy(vat=None)), "lint.tax_missing", "elements[0].price_components[0].vat"),
    "two taxes": (data_of(energy(vat=7, max_kwh=10), energy(vat=19)), "lint.taxes_differ", "elements"),
    "idle since the start": (
        data_of(ALWAYS, an_element(("PARKING_TIME", "6", 19), min_duration=7200)),
        "lint.counts_from_start", "elements[1].restrictions.min_duration",
    ),
    "an end before the beginning": (
        data_of(ALWAYS, start_date_time="2027-01-01T00:00:00Z", end_date_time="2026-01-01T00:00:00Z"),
        "lint.never_valid", "end_date_time",
    ),
    "free nights where nobody pays for idling": (
        data_of(ALWAYS, idle_free={"windows": [{"start_time": "22:00", "end_time": "06:00"}]}),
        "lint.free_without_idle_price", "idle_free",
    ),
    "low power where nothing prices idling": (
        data_of(ALWAYS, idle_below={"watts": 500, "seconds": 600}), "lint.power_without_idle_price", "idle_below",
    ),
    "a market whose absence is free": (
        data_of({"price_components": [{"type": "ENERGY", "price": 0, "vat": 19, "index": {"market": "DE-LU"}}]}),
        "lint.falls_back_to_nothing", "elements[0].price_components[0].price",
    ),
    "a season that is over": (
        data_of(energy("0.5", end_date="2026-01-01"), ALWAYS), "lint.over", "elements[0].restrictions.end_date",
    ),
}  # fmt: skip
TODAY = date.fromisoformat("2026-11-24")


def codes(found: tuple[Finding, ...]) -> list[str]:
    return [one.code for one in found]


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_found_at_its_path(name: str) -> None:
    """A finding without a place is a riddle."""
    data, code, path = CASES[name]
    assert (code, path) in [(one.code, one.path) for one in lint(data, today=TODAY)]


def test_every_code_of_lint_is_told_by_a_case() -> None:
    """What no test finds may never be found."""
    told = {code for _, code, _ in CASES.values()} | {"lint.price_changed", "lint.market_without_prices"}
    told |= {code for _, code in LOOKS_WRONG}
    assert told == {code for code in WORDS if code.startswith("lint.")}


@pytest.mark.parametrize(
    "data",
    [
        data_of(ALWAYS),
        data_of(an_element(("FLAT", "0", None, 0))),
        data_of(energy(start_time="22:00", end_time="06:00"), energy("0.6", start_time="06:00", end_time="22:00")),
        data_of(energy(day_of_week=WEEKDAYS), energy("0.3", day_of_week=["SATURDAY", "SUNDAY"])),
        data_of(energy(max_kwh=20), energy("0.6", min_kwh=20)),
        data_of(energy(start_time="16:00", end_time="19:00", day_of_week=WEEKDAYS), energy("0.3")),
        data_of(energy("0.4", vat=None), tax_included="N/A"),
        data_of(energy(start_date="2026-12-24", end_date="2026-12-27"), ALWAYS),
        data_of(ALWAYS, an_element(("FLAT", "2", 19), reservation="RESERVATION"), an_element(("FLAT", "1", 19))),
    ],
)
def test_a_good_tariff_is_silent(data: dict[str, Any]) -> None:
    """Who warns of everything is read by nobody."""
    assert codes(lint(data, today=TODAY)) == []


def test_a_gap_and_an_overlap_are_told_as_times() -> None:
    """The operator reads when it is, in the words of the driver's page."""
    [gap] = lint(
        data_of(energy(start_time="06:00", end_time="22:00", day_of_week=WEEKDAYS), energy(day_of_week=["SUNDAY"]))
    )
    assert finding_data(gap)["message"] == (
        "No price for energy applies here: Monday to Saturday, 00:00 to 06:00. It is free then."
    )
    [both] = lint(CASES["windows that cross"][0])
    assert finding_data(both, "de")["message"].count("17:00 bis 18:00 Uhr") == 1
    [beyond] = lint(data_of(energy(max_kwh=30, max_duration=3600), energy(max_kwh=30, min_duration=3600)))
    assert "beyond 30 kWh" in finding_data(beyond)["message"]


def test_a_misspelt_key_is_told_with_what_it_looks_like() -> None:
    """`restriction` without its s makes a night price hold all day."""
    [found] = lint(CASES["restriction without its s"][0])
    assert (found.gravity, found.parameters["like"]) == (Gravity.ERROR, "restrictions")


def test_a_price_that_grew_by_half_is_told() -> None:
    """The version before is the best witness of a point out of place."""
    before = read_tariff(data_of(energy("0.40")))
    assert codes(lint(data_of(energy("0.60")), before=before)) == ["lint.price_changed"]
    assert codes(lint(data_of(energy("0.20")), before=before)) == ["lint.price_changed"]
    assert codes(lint(data_of(energy("0.59")), before=before)) == []
    assert codes(lint(data_of(energy("0.60"), currency="CHF"), before=before)) == []


def test_the_worst_is_told_first() -> None:
    """Whoever reads only one line reads the error."""
    found = lint(data_of(energy(vat=7, step=0, max_kwh=10), energy(vat=19), ALWAYS))
    assert [one.gravity for one in found] == sorted((one.gravity for one in found), key=list(Gravity).index)
    assert found[0].code == "lint.unreachable"


@settings(max_examples=40)
@given(tariffs())
def test_whatever_can_be_read_can_be_linted(tariff: Any) -> None:
    """A lint that breaks on a tariff tells nothing about it; what was stored is not blamed for its steps."""
    data = to_data(tariff)
    assert "lint.refused" not in codes(lint(data, today=TODAY))
    assert not {"lint.zero_step", "lint.large_step"} & set(codes(lint(data, stored=True)))


def test_a_market_of_which_nobody_told_a_price_is_found() -> None:
    """The tariff would fall back for ever, and nobody would notice."""
    index = {"market": "DE-LU", "minutes": 15}
    data = data_of({"price_components": [{"type": "ENERGY", "price": "0.4", "vat": 19, "index": index}]})
    [missing] = [one for one in examine(data, (), TODAY, markets=[]) if one.code == "lint.market_without_prices"]
    assert missing.path == "elements[0].price_components[0].index.market"
    known = [Wanted("DE-LU", 15, "EUR")]
    for markets in (known, None):
        assert "lint.market_without_prices" not in codes(examine(data, (), TODAY, markets=markets))


def test_a_tariff_of_very_many_steps_is_not_searched_for_gaps_for_ever() -> None:
    """Thirty steps along three axes are thirty thousand cells; whoever writes such a tariff still gets the other findings."""
    many = [
        energy(min_kwh=step, max_kwh=step + 1, min_duration=step, max_duration=99, min_month_kwh=step, max_month_kwh=99)
        for step in range(1, 31)
    ]

    assert "lint.gap" not in {one.code for one in lint(data_of(*many))}
    assert "lint.gap" in {one.code for one in lint(data_of(*many[:2]))}


def test_windows_of_power_that_cross_are_told_in_kilowatts() -> None:
    """The operator reads the same unit that was written."""
    found = lint(data_of(energy(max_power=50), energy(price="0.9", min_power=22, max_power=150)))
    [crossing] = [one for one in found if one.code == "lint.overlap"]

    assert crossing.parameters["when"] == {"min_power": "22", "max_power": "50"}
