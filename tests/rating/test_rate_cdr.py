"""Records: a session of ours that is told as a record costs what the session costs; a record is priced as it stands."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.metering.metered import MeteredSession
from tallywatt.rating.cdr import ChargeRecord, read_cdr
from tallywatt.rating.fields import Version
from tallywatt.rating.period import ChargingPeriod, Use
from tallywatt.rating.plan import plan_of
from tallywatt.rating.policy import STANDARD, Policy, StepSize
from tallywatt.rating.rate import rate
from tallywatt.rating.rate_cdr import rate_record
from tallywatt.rating.records import Dimension
from tallywatt.rating.tariff import Tariff
from tests.rating.examples import HOUR, MINUTE, a_session, a_tariff, an_element, limited_tariffs, sessions, tariffs

_TIMES = {Use.CHARGING: "TIME", Use.PARKING: "PARKING_TIME"}


def told(session: MeteredSession, periods: list[ChargingPeriod], currency: str) -> ChargeRecord:
    """A session's periods as a partner would write them: hours with four decimals, energy in kWh."""
    data: dict[str, Any] = {
        "id": session.session_id,
        "currency": currency,
        "start_date_time": rfc3339(session.started_at),
        "end_date_time": rfc3339(session.ended_at),
        "charging_periods": [],
    }
    for period in periods:
        dimensions = [{"type": "ENERGY", "volume": Decimal(period.energy_to - period.energy_from).scaleb(-6)}]
        if period.use in _TIMES:
            hours = (Decimal(period.end - period.start) / HOUR).quantize(Decimal("0.0001"))
            dimensions.append({"type": _TIMES[period.use], "volume": hours})
        if period.watts is not None:
            dimensions.append({"type": "MIN_POWER", "volume": Decimal(period.watts).scaleb(-3)})
        data["charging_periods"].append({"start_date_time": rfc3339(Instant(period.start)), "dimensions": dimensions})
    return read_cdr(data, Version.OCPI_2_3_0)


@given(session=sessions(), tariff=st.one_of(tariffs(), limited_tariffs()), step=st.sampled_from(list(StepSize)))
def test_a_session_that_is_told_as_a_record_costs_the_same(
    session: MeteredSession, tariff: Tariff, step: StepSize
) -> None:
    """The partner's check of our own CDR must find nothing, to the last digit."""
    policy = replace(STANDARD, step_size=step)
    usable = replace(session, clock_is_usable=True)
    rated = rate(usable, tariff, policy)
    again = rate_record(
        told(usable, list(rated.periods), tariff.currency.code), [tariff], policy, zone=session.zone
    ).rated

    assert again.exact_total == rated.exact_total
    assert again.milliwatt_hours == rated.milliwatt_hours
    assert again.priced_milliwatt_hours == rated.priced_milliwatt_hours
    assert [(one.reason, one.measured, one.quantity) for one in again.lines] == [
        (one.reason, one.measured, one.quantity) for one in rated.lines
    ]


@given(session=sessions(), prices=st.tuples(*[st.decimals(0, 9, places=3)] * 3), at=st.lists(st.integers(0, 10**6)))
def test_cutting_periods_differently_never_changes_the_price(
    session: MeteredSession, prices: tuple[Decimal, Decimal, Decimal], at: list[int]
) -> None:
    """A partner may add periods in between wherever it likes; with blocks of one that is no reason for another price."""
    energy, time, parking = prices
    tariff = a_tariff(an_element(("ENERGY", energy, 20, 1), ("TIME", time, 20, 1), ("PARKING_TIME", parking, 20, 1)))
    usable = replace(session, clock_is_usable=True)
    periods = list(rate(usable, tariff).periods)
    finer: list[ChargingPeriod] = []
    for period in periods:
        length = period.end - period.start
        cuts = sorted({length * one // 10**6 for one in at} | {0, length}) if length else [0, 0]
        for low, high in pairwise(cuts):
            part = [
                period.energy_from + (period.energy_to - period.energy_from) * one // (length or 1)
                for one in (low, high)
            ]
            finer.append(
                period._replace(
                    start=period.start + low,
                    end=period.start + high,
                    energy_from=part[0],
                    energy_to=part[1] if length else period.energy_to,
                )
            )
    whole = rate_record(told(usable, periods, "EUR"), [tariff]).rated
    cut = rate_record(told(usable, finer, "EUR"), [tariff]).rated
    # Each piece has four decimals of an hour; what they cannot say is less than a block of a second for each piece.
    slack = sum(one.step * one.weight for one in (*plan_of(tariff).time, *plan_of(tariff).parking))

    assert cut.milliwatt_hours == whole.milliwatt_hours
    assert [line.numerator for line in cut.lines if line.priced.dimension is Dimension.ENERGY] == [
        line.numerator for line in whole.lines if line.priced.dimension is Dimension.ENERGY
    ]
    assert abs(cut.exact_total - whole.exact_total) * whole.denominator <= slack


def test_a_period_may_be_charging_and_then_parking() -> None:
    """A sparse record tells one period with both times."""
    tariff = a_tariff(an_element(("ENERGY", "0.50"), ("TIME", "1.00"), ("PARKING_TIME", "6.00")))
    lines = rate_record(_sparse(), [tariff]).rated.lines
    assert [(line.reason.value, line.measured) for line in lines] == [
        ("energy", 10_000_000),
        ("charging_time", 40 * MINUTE),
        ("idle_time", 20 * MINUTE),
    ]


def _sparse() -> ChargeRecord:
    start = rfc3339(a_session().started_at)
    dimensions = [("ENERGY", 10), ("TIME", "0.666666666666666667"), ("PARKING_TIME", "0.333333333333333333")]
    return read_cdr(
        {
            "id": "C",
            "currency": "EUR",
            "start_date_time": start,
            "end_date_time": rfc3339(Instant(a_session().started_at + HOUR)),
            "charging_periods": [
                {
                    "start_date_time": start,
                    "dimensions": [{"type": kind, "volume": volume} for kind, volume in dimensions],
                }
            ],
        }
    )


def test_policies_of_a_record_are_those_of_sessions() -> None:
    """One policy, one meaning."""
    tariff = a_tariff(an_element(("ENERGY", "0.50", 20, 500)))
    off = rate_record(_sparse(), [tariff], Policy(step_size=StepSize.OFF))
    assert off.rated.policy_version_id == Policy(step_size=StepSize.OFF).version_id
    assert off.tariff_of(off.rated.lines[0].priced) == tariff
