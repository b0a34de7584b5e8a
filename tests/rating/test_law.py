"""The gate of law: a rule holds where, when and for which power it says, and its findings carry its source's standing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tallywatt.kernel.errors import Conflict
from tallywatt.rating.findings import WORDS, Gravity, finding_data
from tallywatt.rating.law import Site, holding, law, refuse_unlawful, rules
from tests.rating.examples import a_tariff, an_element

DAY = date.fromisoformat("2026-11-24")
ENERGY = ("ENERGY", "0.5", 19)
IDLE = ("PARKING_TIME", "6", 19)
FAST, SLOW = 150_000, 22_000


def found(
    country: str, watts: int | None, *components: tuple[Any, ...], on: date = DAY, currency: str = "EUR", **more: Any
) -> list[tuple[str, str]]:
    """Rules and codes of a tariff with one element, at one charging point."""
    tariff = a_tariff(an_element(*components), currency=currency, **more)
    return [(one.rule, one.code) for one in law(tariff, [Site(country, watts, "E1")], on)]


AFIR_FAST, AFIR_SLOW = "eu.afir.5-4.from_50_kw", "eu.afir.5-4.below_50_kw"


@pytest.mark.parametrize(
    ("country", "watts", "components", "expected"),
    [
        ("FR", FAST, [ENERGY, IDLE], []),
        ("FR", FAST, [ENERGY, ("FLAT", "1", 20)], [(AFIR_FAST, "law.energy_and_idle_only")]),
        ("FR", FAST, [ENERGY, ("FLAT", "0", 20)], []),
        ("FR", FAST, [ENERGY, ("TIME", "3", 20)], [(AFIR_FAST, "law.energy_and_idle_only")]),
        ("FR", 50_000, [ENERGY, ("FLAT", "1")], [(AFIR_FAST, "law.energy_and_idle_only")]),
        ("FR", 49_999, [ENERGY, ("FLAT", "1"), ("TIME", "3")], []),
        ("FR", None, [ENERGY, ("FLAT", "1")], []),
        ("FR", FAST, [ENERGY, ("PARKING_TIME", "5")], [(AFIR_FAST, "law.exact_per_minute")]),
        ("FR", SLOW, [ENERGY, ("PARKING_TIME", "5")], [(AFIR_SLOW, "law.exact_per_minute")]),
        ("FR", SLOW, [ENERGY, ("PARKING_TIME", "0.3")], []),
        ("FR", SLOW, [ENERGY, ("TIME", "4.5")], []),
        ("DE", SLOW, [("TIME", "3")], [("de.pangv.14", "law.energy_priced")]),
        ("DE", SLOW, [("FLAT", "0")], []),
        ("CH", FAST, [("TIME", "5"), ("FLAT", "1")], []),
    ],
)
def test_a_rule_finds_what_it_forbids_and_nothing_else(
    country: str, watts: int | None, components: list[tuple[Any, ...]], expected: list[tuple[str, str]]
) -> None:
    """By country and power: the same tariff may be right at one plug and wrong at the next."""
    assert found(country, watts, *components) == expected


def test_a_rule_holds_from_its_day_on() -> None:
    """What was sold before is not judged by what came later."""
    eve = date.fromisoformat("2024-04-12")
    assert found("FR", FAST, ENERGY, ("FLAT", "1"), on=eve) == []
    assert found("FR", FAST, ENERGY, ("FLAT", "1"), on=date.fromisoformat("2024-04-13")) != []


def test_german_prices_for_consumers_include_tax() -> None:
    """Net prices are for partners, not for a page that a driver reads."""
    assert ("de.pangv.2", "law.taxes_included") in found("DE", SLOW, ENERGY, tax_included="NO")


def test_british_prices_are_in_pence_per_kilowatt_hour() -> None:
    """By the minute alone, or in euros, nobody can compare them."""
    assert found("GB", SLOW, ("TIME", "3"), currency="GBP") == [("gb.pcpr.11", "law.energy_priced")]
    assert found("GB", SLOW, ENERGY) == [("gb.pcpr.11", "law.currency")]
    assert found("GB", SLOW, ENERGY, IDLE, currency="GBP") == []


def test_an_american_price_does_not_change_with_the_clock() -> None:
    """The price at the start holds to the end; tiers of energy are known before it."""
    site = [Site("US", FAST, "E1")]
    by_clock = a_tariff(
        an_element(ENERGY, start_time="08:00", end_time="20:00"), an_element(("ENERGY", "0.3")), currency="USD"
    )
    tiers = a_tariff(an_element(ENERGY, max_kwh=20), an_element(("ENERGY", "0.3")), currency="USD")
    assert [(one.code, one.path, one.gravity) for one in law(by_clock, site, DAY)] == [
        ("law.fixed_at_start", "elements[0].price_components[0]", Gravity.ERROR)
    ]
    assert law(tiers, site, DAY) == ()


def test_what_several_charging_points_share_is_told_once_with_all_of_them() -> None:
    """A finding for each of a thousand plugs would hide the next one."""
    tariff = a_tariff(an_element(ENERGY, ("FLAT", "1")))
    sites = [Site("FR", FAST, "E1"), Site("FR", SLOW, "E2"), Site("NL", FAST, "E3 (+11)")]
    [one] = law(tariff, sites, DAY)
    assert one.places == ("E1", "E3 (+11)")
    assert "from 50 kW on" in finding_data(one)["message"]


def test_a_rule_whose_text_was_not_read_warns_and_never_blocks() -> None:
    """Nobody's business stops for what somebody only heard of."""
    afir, us = a_tariff(an_element(ENERGY, ("FLAT", "1"))), a_tariff(an_element(("TIME", "3")), currency="USD")
    [warning] = law(afir, [Site("FR", FAST, "E1")], DAY)
    assert warning.gravity is Gravity.WARNING
    refuse_unlawful(afir, [Site("FR", FAST, "E1")], DAY)
    with pytest.raises(Conflict, match="23 CFR") as refused:
        refuse_unlawful(us, [Site("US", None, "E1")], DAY)
    assert (refused.value.code, refused.value.remedy is not None) == ("tariffs.unlawful", True)


def test_every_rule_is_dated_cited_and_says_what_it_demands() -> None:
    """A rule without a source cannot be argued about."""
    for rule in rules():
        assert rule.source, rule.code
        assert rule.says.endswith("."), rule.code
        assert rule.begins.year > 2000
        demands = {f"law.{demand.partition(':')[0]}" for demand in rule.demands}
        # The order is a matter of the display, which keeps it whatever the tariff says (test_offer.py).
        assert demands <= {*WORDS, "law.order"}, rule.code
    assert [rule.code for rule in holding([Site("US", None, "x")], DAY)] == ["us.23cfr.680.116"]


def test_what_costs_nothing_is_no_price_and_one_price_may_depend_on_the_clock() -> None:
    """A free flat fee forbids nothing; a window with the only price for energy changes no price within a session."""
    tariff = a_tariff(an_element(ENERGY, ("FLAT", "0", 20)))
    assert law(tariff, [Site("FR", FAST, "E1")], DAY) == ()
    reserved = a_tariff(an_element(ENERGY), an_element(("FLAT", "1", 20), reservation="RESERVATION"))
    assert law(reserved, [Site("FR", FAST, "E1")], DAY) == ()
    window = a_tariff(
        an_element(("ENERGY", "0.5"), ("FLAT", "1"), start_time="08:00", end_time="20:00"), currency="USD"
    )
    assert "law.fixed_at_start" not in {one.code for one in law(window, [Site("US", FAST, "E1")], DAY)}
