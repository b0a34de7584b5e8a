"""Where elements apply, against the pricer's own choice: two ways to the same answer."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.rating.period import Assumed, ChargingPeriod, Use
from tallywatt.rating.plan import pick, plan_of
from tallywatt.rating.reach import WEEK, hole, reach_of
from tallywatt.rating.tariff import MINUTES_PER_DAY, Tariff
from tests.rating.examples import a_tariff, an_element, tariffs

EPOCH_DAY = date(1970, 1, 1).toordinal()


@given(
    tariffs(),
    st.integers(0, 7 * MINUTES_PER_DAY - 1),
    st.integers(0, 360),
    st.integers(0, 45_000_000),
    st.integers(0, 25_000),
    st.integers(0, 160_000),
    st.integers(0, 45_000_000),
)
def test_an_element_reaches_exactly_where_the_pricer_picks_it(
    tariff: Tariff, minute: int, week: int, milliwatt_hours: int, seconds: int, watts: int, month: int
) -> None:
    """If lint thought otherwise than the engine, it would warn of what is well and be silent about what is not."""
    # The first Monday of 2026 was the fifth of January.
    day = date(2026, 1, 5).toordinal() - EPOCH_DAY + week // 7 * 7 + minute // MINUTES_PER_DAY
    at = minute % MINUTES_PER_DAY * 60_000
    period = ChargingPeriod(
        0,
        1,
        milliwatt_hours,
        milliwatt_hours + 1,
        Use.CHARGING,
        Assumed.NOTHING,
        at,
        day,
        seconds * 1000,
        watts,
        0,
        watts,
        0,
    )._replace(month_from=month)
    point = tuple((value, value + 1) for value in (day + EPOCH_DAY, milliwatt_hours, seconds, 0, watts, month))
    reaching = [
        element.index
        for element in tariff.elements
        if any(one.dimension == "ENERGY" for one in element.components)
        and reach_of(element.restrictions).week >> minute & 1
        and reach_of(element.restrictions).holds_in(point)
    ]
    picked = pick(plan_of(tariff).energy, period, False)
    assert (picked.element_index if picked else None) == (reaching[0] if reaching else None)


def test_a_hole_is_told_as_restrictions_that_reach_it() -> None:
    """Days that share the window are named together; all days are none."""
    night = reach_of(
        a_tariff(an_element(("ENERGY", "1"), start_time="22:00", end_time="06:00")).elements[0].restrictions
    )
    assert hole(night.bounds, WEEK & ~night.week) == {"start_time": "06:00", "end_time": "22:00"}
    assert hole(night.bounds, night.week)["start_time"] == "00:00"
    sunday = reach_of(a_tariff(an_element(("ENERGY", "1"), day_of_week=["SUNDAY"])).elements[0].restrictions)
    assert hole(sunday.bounds, sunday.week) == {"day_of_week": ["SUNDAY"]}
    assert hole(sunday.bounds, WEEK) == {}
