"""Rating: what holds for every session and every tariff, whatever stations report."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.metering.metered import MeteredSession, Reading
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.canonical import read_session, session_text
from tallywatt.rating.period import Use
from tallywatt.rating.plan import plan_of
from tallywatt.rating.policy import STANDARD, Interpolation, Policy
from tallywatt.rating.rate import Assumption, Reason, rate
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.records import Dimension
from tallywatt.rating.segment import segment
from tallywatt.rating.tariff import Tariff
from tests.rating.examples import AN_INSTANT, HOUR, MINUTE, a_session, a_tariff, an_element, sessions, tariffs

MEASURED_ONLY = Policy(name="measured", interpolation=Interpolation.MEASURED_ONLY)
ENERGY = st.integers(0, 50_000_000)


@given(first=ENERGY, second=ENERGY)
def test_cutting_a_period_in_two_never_changes_the_price(first: int, second: int) -> None:
    """Stations report in pieces of any size; the driver pays for the whole."""
    tariff = a_tariff(an_element(("ENERGY", "0.3333", 20, 1)))
    pieces = a_session((20 * MINUTE, first), (HOUR, first + second))
    whole = a_session((HOUR, first + second))

    assert fix_amounts(rate(pieces, tariff)) == fix_amounts(rate(whole, tariff))


@given(session=sessions(), tariff=tariffs(), times=st.lists(st.integers(0, 23 * 60 + 59), max_size=3))
def test_cuts_at_moments_that_change_no_price_never_change_the_price(
    session: MeteredSession, tariff: Tariff, times: list[int]
) -> None:
    """A restriction that makes no difference cuts periods at more places; the sum stays the same to the last digit."""
    windows = [f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in times]
    cut = a_tariff(
        *[
            an_element(("ENERGY", one.price, one.tax_rate), start_time=window)
            for one in plan_of(tariff).energy[-1:]
            for window in windows
        ],
        *[an_element(("ENERGY", one.price, one.tax_rate)) for one in plan_of(tariff).energy[-1:]],
        an_element(("TIME", "1.2345", 20)),
    )
    plain = a_tariff(
        *[an_element(("ENERGY", one.price, one.tax_rate)) for one in plan_of(tariff).energy[-1:]],
        an_element(("TIME", "1.2345", 20)),
    )
    assert rate(session, cut).exact_total == rate(session, plain).exact_total


@given(session=sessions(), tariff=tariffs())
def test_energy_telescopes_to_what_the_meter_counted(session: MeteredSession, tariff: Tariff) -> None:
    """However a session is cut, not a milliwatt-hour is lost or made, and periods leave no gap and do not overlap."""
    periods = segment(session, plan_of(tariff), STANDARD)

    assert sum(one.energy_to - one.energy_from for one in periods) == session.milliwatt_hours
    assert (periods[0].start, periods[-1].end) == (session.started_at, session.ended_at)
    for before, after in pairwise(periods):
        assert (before.end, before.energy_to) == (after.start, after.energy_from)
        assert before.start <= before.end
        assert before.energy_from <= before.energy_to


@given(session=sessions(), tariff=tariffs(), policy=st.sampled_from([STANDARD, MEASURED_ONLY]))
def test_priced_energy_is_what_the_energy_lines_measured(
    session: MeteredSession, tariff: Tariff, policy: Policy
) -> None:
    """Metered = billed + explained needs to know exactly which part had a price."""
    rated = rate(session, tariff, policy)
    measured = sum(line.measured for line in rated.lines if line.priced.dimension is Dimension.ENERGY)

    assert rated.milliwatt_hours == session.milliwatt_hours
    assert rated.priced_milliwatt_hours == measured <= session.milliwatt_hours


@given(session=sessions(), tariff=tariffs(), policy=st.sampled_from([STANDARD, MEASURED_ONLY]))
def test_the_stored_input_gives_the_same_price_again(session: MeteredSession, tariff: Tariff, policy: Policy) -> None:
    """Re-rating years later starts from two canonical texts and nothing else."""
    again = rate(read_session(session_text(session)), read_tariff_text(tariff.canonical), policy)

    assert read_session(session_text(session)) == session
    assert again == rate(session, tariff, policy)


@given(session=sessions(), tariff=tariffs(steps=st.just(0)))
def test_measured_only_never_costs_more_than_interpolation_for_energy(session: MeteredSession, tariff: Tariff) -> None:
    """Where no reading tells the split, the driver gets the lower price."""

    def energy_cost(policy: Policy) -> object:
        rated = rate(session, tariff, policy)
        return sum(rated.exact(line) for line in rated.lines if line.priced.dimension is Dimension.ENERGY)

    assert energy_cost(MEASURED_ONLY) <= energy_cost(STANDARD)  # type: ignore[operator]  # both are fractions


@given(session=sessions(), more=st.integers(0, 10_000_000), tariff=tariffs())
def test_more_energy_never_costs_less_under_a_flat_price(session: MeteredSession, more: int, tariff: Tariff) -> None:
    """A price that falls while one charges would be a reason to distrust every bill."""
    energy = plan_of(tariff).energy[-1:]
    flat = a_tariff(
        *[an_element(("ENERGY", one.price, one.tax_rate, one.step // 1000)) for one in energy], an_element(("FLAT", 1))
    )
    readings = (*session.readings, Reading(session.transaction_ended_at, session.milliwatt_hours + more))

    less, greater = fix_amounts(rate(session, flat)), fix_amounts(rate(replace(session, readings=readings), flat))
    assert less.gross_minor <= greater.gross_minor


@given(session=sessions(), tariff=tariffs(), longer=st.integers(0, 5 * HOUR))
def test_a_longer_stay_never_costs_less(session: MeteredSession, tariff: Tariff, longer: int) -> None:
    """Without activities and blocks, every further minute costs something or nothing."""
    bare = replace(session, activities=(), energy_ended_at=None, readings=(), occupancy_ended_at=session.ended_at)
    stayed = replace(bare, occupancy_ended_at=Instant(bare.ended_at + longer))
    simple = a_tariff(
        *[
            an_element((one.dimension.value, one.price))
            for one in (*plan_of(tariff).time[:1], *plan_of(tariff).parking[:1])
        ],
        an_element(("FLAT", "0.5")),
    )
    assert rate(bare, simple).exact_total <= rate(stayed, simple).exact_total


@given(session=sessions(), tariff=tariffs())
def test_the_session_fee_is_charged_at_most_once(session: MeteredSession, tariff: Tariff) -> None:
    """However many elements carry one, and however often they come and go."""
    fees = [line for line in rate(session, tariff).lines if line.priced.dimension is Dimension.FLAT]
    assert len(fees) <= 1


@given(session=sessions(), tariff=tariffs())
def test_time_is_never_charged_as_charging_and_as_parking_at_once(session: MeteredSession, tariff: Tariff) -> None:
    """A minute is the vehicle's, the station's, or nobody's; what is charged is never more than has passed."""
    lines = rate(session, tariff).lines
    measured = sum(one.measured for one in lines if one.priced.dimension in {Dimension.TIME, Dimension.PARKING_TIME})
    assert measured <= session.ended_at - session.started_at


def test_a_running_session_costs_what_is_known_so_far() -> None:
    """The live page asks the same function; at the end it shows the invoice's amount."""
    tariff = a_tariff(an_element(("ENERGY", "0.40", 20), ("FLAT", "0.50", 20)))
    costs = [
        fix_amounts(rate(a_session((at, at * 10), ended=at), tariff)).gross_minor
        for at in range(0, HOUR + 1, 10 * MINUTE)
    ]
    assert costs == sorted(costs)
    assert costs[0] == 50
    assert costs[-1] == 50 + 1440


def test_a_session_without_length_has_one_period() -> None:
    """There must be a place for the session fee."""
    periods = segment(a_session(ended=0), plan_of(a_tariff(an_element(("FLAT", 1)))), STANDARD)
    assert [(one.start, one.end, one.use) for one in periods] == [(AN_INSTANT, AN_INSTANT, Use.CHARGING)]


def test_a_line_says_which_element_applied_and_on_what_it_rests() -> None:
    """A driver who asks why gets the element, its restrictions, the time, and every assumption."""
    tariff = a_tariff(
        an_element(("ENERGY", "0.60", 20), start_time="10:30", end_time="11:00"), an_element(("ENERGY", "0.40", 20))
    )
    cheap, dear = rate(a_session((HOUR, 10_000_000)), tariff).lines

    assert (cheap.priced.element_index, dear.priced.element_index) == (1, 0)
    assert dear.reason is Reason.ENERGY
    assert dear.priced.reason == {"start_time": "10:30", "end_time": "11:00"}
    assert (dear.start, dear.end) == (AN_INSTANT + 30 * MINUTE, AN_INSTANT + HOUR)
    assert dear.assumptions == (Assumption.ENERGY_INTERPOLATED,)
