"""What is shown before the start: the prices of the tariff that will rate, never written twice."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.identity import EvseId, OfferId, SessionId, TariffVersionId
from tallywatt.metering.metered import MeteredSession, Reading
from tallywatt.rating.choose import Choice
from tallywatt.rating.ends import WaitsFor, is_final, waits_for, waits_until
from tallywatt.rating.offer import make_offer, price_shown, shown_data
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.rate import rate
from tallywatt.rating.records import EVERYONE, Dimension, Scope, TariffAssignment
from tallywatt.rating.tariff import Tariff
from tests.rating.examples import AN_INSTANT, HOUR, LONDON, ZONES, a_tariff, an_element, tariffs

DAY_AND_NIGHT = a_tariff(
    an_element(("ENERGY", "0.60", 20), start_time="08:00", end_time="20:00"),
    an_element(("ENERGY", "0.40", 20), ("PARKING_TIME", "6.00", 20, 300), ("FLAT", "0.50", 20)),
    name="Day and night",
)


def test_the_price_now_follows_the_wall_clock_of_the_location() -> None:
    """07:30 in London is 08:30 in Berlin."""
    at = parse_instant("2026-11-24T07:30:00Z")
    assert [line.unit_price for line in price_shown(DAY_AND_NIGHT, at, LONDON).now] == [
        Decimal(40) / 100,
        6,
        Decimal("0.5"),
    ]
    assert price_shown(DAY_AND_NIGHT, at, "Europe/Berlin").now[0].unit_price == Decimal("0.60")


def test_all_prices_are_shown_in_the_order_of_the_law() -> None:
    """kWh, then time, then idle time, then the session; what applies later is shown too."""
    shown = price_shown(DAY_AND_NIGHT, AN_INSTANT, LONDON)
    assert [line.dimension for line in shown.lines] == [
        Dimension.ENERGY,
        Dimension.ENERGY,
        Dimension.PARKING_TIME,
        Dimension.FLAT,
    ]
    assert [line.applies_now for line in shown.lines] == [True, False, True, True]
    assert not shown.is_free
    assert price_shown(a_tariff(an_element(("FLAT", 0))), AN_INSTANT, LONDON).is_free


@given(tariff=tariffs(), at=st.integers(AN_INSTANT, AN_INSTANT + 400 * 24 * HOUR))
def test_whatever_a_tariff_says_its_prices_are_shown_in_that_order(tariff: Tariff, at: int) -> None:
    """AFIR asks for it, and no tariff may get around it."""
    order = (Dimension.ENERGY, Dimension.TIME, Dimension.PARKING_TIME, Dimension.FLAT)
    shown = [order.index(line.dimension) for line in price_shown(tariff, Instant(at), LONDON).lines]

    assert shown == sorted(shown)


@given(tariff=tariffs(), at=st.integers(AN_INSTANT, AN_INSTANT + 400 * 24 * HOUR), zone=ZONES)
def test_the_energy_price_that_is_shown_is_the_one_that_is_charged_first(tariff: Tariff, at: int, zone: str) -> None:
    """A session that starts at this instant begins with the price that was on the screen."""
    session = MeteredSession(
        SessionId("S1"), zone, Instant(at), Instant(at + 1), readings=(Reading(Instant(at + 1), 1),)
    )
    charged = [line.priced for line in rate(session, tariff).lines if line.priced.dimension is Dimension.ENERGY]
    shown = [line for line in price_shown(tariff, Instant(at), zone).now if line.dimension is Dimension.ENERGY]
    asks_for_power = any(
        "min_power" in line.conditions or "max_power" in line.conditions
        for line in price_shown(tariff, Instant(at), zone).lines
    )

    if not asks_for_power:
        assert [(one.unit_price, one.element_index) for one in shown] == [
            (one.price, one.element_index) for one in charged
        ]


def test_an_offer_freezes_tariff_policy_zone_currency_tax_and_what_was_shown() -> None:
    """Whatever is put down later, this session is priced by what its driver saw."""
    assignment = TariffAssignment(
        "A1", TariffVersionId("T"), Scope.OPERATOR, "", EVERYONE, Instant(0), None, Instant(0)
    )
    offer = make_offer(
        OfferId("O1"),
        DAY_AND_NIGHT,
        STANDARD,
        Choice(assignment, "operator"),
        evse_id=EvseId("E1"),
        zone=LONDON,
        offered_at=AN_INSTANT,
    )
    assert (offer.tariff_version_id, offer.policy_version_id) == (DAY_AND_NIGHT.version_id, STANDARD.version_id)
    assert (offer.assignment_id, offer.choice_reason, offer.zone, offer.currency) == ("A1", "operator", LONDON, "EUR")
    assert offer.tax_rules == {"0/ENERGY": "20", "1/ENERGY": "20", "1/PARKING_TIME": "20", "1/FLAT": "20"}
    assert offer.shown == shown_data(price_shown(DAY_AND_NIGHT, AN_INSTANT, LONDON))
    assert offer.shown["lines"][2] == {
        "dimension": "PARKING_TIME",
        "element": 1,
        "price": "6",
        "tax_rate": "20",
        "conditions": {"step_size": 300},
        "otherwise": False,
        "applies_now": True,
    }


def test_an_offer_without_a_choice_says_nothing_of_one() -> None:
    """A session from elsewhere may bring its tariff with it."""
    offer = make_offer(
        OfferId("O1"),
        a_tariff(an_element(("FLAT", 1))),
        STANDARD,
        None,
        evse_id=None,
        zone=LONDON,
        offered_at=AN_INSTANT,
    )
    assert (offer.assignment_id, offer.choice_reason, offer.tax_rules) == (None, "", {"0/FLAT": None})


def test_only_a_tariff_that_prices_idle_time_waits_for_the_vehicle_to_leave() -> None:
    """Others are final as soon as the transaction has ended: the invoice is there when the driver unplugs."""
    energy = a_tariff(an_element(("ENERGY", 1), ("TIME", 1)))
    free_parking = a_tariff(an_element(("ENERGY", 1), ("PARKING_TIME", 0)))
    assert waits_for(energy) is waits_for(free_parking) is WaitsFor.TRANSACTION
    assert waits_for(DAY_AND_NIGHT) is WaitsFor.OCCUPANCY
    assert waits_until(energy, STANDARD, AN_INSTANT) == AN_INSTANT
    assert waits_until(DAY_AND_NIGHT, STANDARD, AN_INSTANT) == AN_INSTANT + 24 * HOUR


def test_a_price_is_final_when_the_last_end_that_it_needs_has_come_or_the_wait_is_over() -> None:
    """A station that never says that the vehicle left must not keep the bill open for ever."""

    def final(ended: int | None, left: int | None, now: int) -> bool:
        return is_final(
            DAY_AND_NIGHT,
            STANDARD,
            transaction_ended_at=None if ended is None else Instant(ended),
            occupancy_ended_at=None if left is None else Instant(left),
            now=Instant(now),
        )

    assert not final(None, None, 5)
    assert not final(0, None, 24 * HOUR - 1)
    assert final(0, None, 24 * HOUR)
    assert final(0, 5, 6)


def test_limits_and_reservations_are_shown_before_the_start() -> None:
    """Whoever pays at least two euros, or for a place that is kept, reads it before and not on the bill."""
    tariff = a_tariff(
        an_element(("FLAT", "4.00", 20), reservation="RESERVATION_EXPIRES"),
        an_element(("TIME", "2.00", 20, 600), ("FLAT", "1.00", 20), reservation="RESERVATION"),
        an_element(("ENERGY", "0.50", 20)),
        min_price={"after_taxes": "2.40"},
        max_price={"before_taxes": 40, "after_taxes": 48},
    )
    shown = shown_data(price_shown(tariff, AN_INSTANT, LONDON))

    assert [line["dimension"] for line in shown["lines"]] == ["ENERGY"]
    kept = [(line["dimension"], line["price"], line["conditions"]) for line in shown["reservation"]]
    assert kept == [
        ("TIME", "2", {"reservation": "RESERVATION", "step_size": 600}),
        ("FLAT", "1", {"reservation": "RESERVATION"}),
        ("FLAT", "4", {"reservation": "RESERVATION_EXPIRES"}),
    ]
    assert shown["min_price"] == {"after_taxes": "2.4"}
    assert shown["max_price"] == {"before_taxes": "40", "after_taxes": "48"}


def test_a_price_that_is_nothing_with_a_least_price_is_not_free() -> None:
    """Nothing a kWh, and two euros at least."""
    assert not price_shown(a_tariff(an_element(("FLAT", 0)), min_price={"after_taxes": 2}), AN_INSTANT, LONDON).is_free
