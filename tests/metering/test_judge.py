"""Registers of every habit: what they show, what they break, and what is proposed instead."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import SessionId, natural_key
from tallywatt.metering.habits import AS_SPECIFIED, Counts, Habits, Registers
from tallywatt.metering.judge import Judged, Reading, Rule, Told, judge
from tallywatt.metering.measure import is_plausible
from tallywatt.metering.session import MeterReading

MINUTE = 60_000
WH = 1000
HOUR = 60


def a_reading(minute: int, register_wh: int, watts: int | None = None) -> MeterReading:
    at, register = Instant(minute * MINUTE), register_wh * WH
    return MeterReading(SessionId("s"), natural_key(at, register), at, register, watts, "Sample.Periodic", at, None)


def a_session(
    start: int | None,
    stop: int | None,
    *values: tuple[int, int] | tuple[int, int, int],
    minutes: int = HOUR,
    max_watts: int | None = 22_000,
    habits: Habits = AS_SPECIFIED,
) -> Judged:
    """Judge a session of which the registers are told in Wh, each value with its minute."""
    registers = Registers(
        None if start is None else start * WH,
        tuple(a_reading(*value) for value in values),
        None if stop is None else stop * WH,
    )
    return judge(Told(Instant(0), Instant(minutes * MINUTE), registers, max_watts), habits)


def wh(judged: Judged) -> tuple[int, int]:
    """What is measured and what is proposed."""
    return judged.measured.milliwatt_hours // WH, judged.proposed.milliwatt_hours // WH


def rules(judged: Judged) -> set[Rule]:
    """Which rules are broken."""
    return {one.rule for one in judged.breaches}


def test_a_session_that_keeps_to_the_rules_is_billed_as_it_is_told() -> None:
    """Nine in ten are like this."""
    judged = a_session(1000, 9000, (20, 3000), (40, 6000))
    assert (wh(judged), judged.by, judged.breaches) == ((8000, 8000), Reading.AS_TOLD, ())


@pytest.mark.parametrize(
    ("judged", "broken", "by", "proposed"),
    [
        pytest.param(
            a_session(1000, 9000, (20, 3_000_000), (40, 6_000_000)),
            Rule.NEVER_FALLS, Reading.VALUES_ARE_WH, 8000, id="Wh called kWh, and the ends right",
        ),
        pytest.param(
            a_session(1_000_000, 9_000_000, (20, 3_000_000)),
            Rule.WITHIN_POWER, Reading.ALL_ARE_WH, 8000, id="everything a thousand times too large",
        ),
        pytest.param(
            a_session(1000, 1008, (0, 1000, 8000), (30, 1004, 8000), (59, 1008, 8000)),
            Rule.AGREES_WITH_POWER, Reading.ALL_ARE_KWH, 8000, id="kWh called Wh, by the power that was told",
        ),
        pytest.param(
            a_session(1000, 0, (20, 3000), (40, 6000), (59, 8900)),
            Rule.NEVER_FALLS, Reading.ZERO_IS_NOTHING, 7900, id="a stop that dropped out to zero",
        ),
        pytest.param(
            a_session(5_000_000, 8000, (20, 2000), (40, 5000)),
            Rule.NEVER_FALLS, Reading.PER_SESSION, 8000, id="the start for life, the rest per session",
        ),
        pytest.param(
            a_session(1000, 9000, (20, 3000), (40, 9_000_000)),
            Rule.NEVER_FALLS, Reading.BEYOND_DOUBT, 2000, id="one figure that nobody can explain",
        ),
        pytest.param(
            a_session(1000, None, (20, 3000)), Rule.IS_MEASURED, Reading.AS_TOLD, 2000, id="no register at the end"
        ),
        pytest.param(a_session(None, None), Rule.IS_MEASURED, Reading.AS_TOLD, 0, id="no register at all"),
        pytest.param(a_session(1000, None), Rule.IS_MEASURED, Reading.AS_TOLD, 0, id="no register but the first"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_comes_with_a_proposal(judged: Judged, broken: Rule, by: Reading, proposed: int) -> None:
    """A person decides in a second, and a rule can decide instead of the person."""
    assert (broken in rules(judged), judged.by, wh(judged)[1]) == (True, by, proposed)


@pytest.mark.parametrize(
    ("judged", "billed"),
    [
        pytest.param(a_session(1000, 9000, (20, 3_000_000), habits=Habits(values_over=1000)), 8000, id="Wh called kWh"),
        pytest.param(a_session(1000, 1008, habits=Habits(ends_times=1000)), 8000, id="kWh called Wh"),
        pytest.param(
            a_session(5_000_000, 8000, (20, 2000), habits=Habits(counts=Counts.SESSION)), 8000, id="per session"
        ),
        pytest.param(
            a_session(1000, 3000, (20, 5000), (40, 500), habits=Habits(counts=Counts.BOOT)), 7000, id="per boot"
        ),
        pytest.param(
            a_session(1_000_000, None, (20, 500), (59, 8000), habits=Habits(values_since_start=True)),
            8000,
            id="values since the start",
        ),
        pytest.param(
            a_session(1000, 0, (20, 3000), (59, 8900), habits=Habits(zero_is_nothing=True)), 7900, id="zero is nothing"
        ),
    ],
)
def test_a_model_whose_habits_are_known_needs_no_person(judged: Judged, billed: int) -> None:
    """What is different from what the meter shows is explained beside the bill."""
    assert (judged.breaches, judged.proposed.milliwatt_hours // WH, judged.by) == ((), billed, Reading.HABITS)


def test_the_habits_of_a_model_excuse_nothing_else() -> None:
    """A known unit is no reason to believe 8 MWh."""
    judged = a_session(1000, 9_000_000, habits=Habits(values_over=1000))
    assert rules(judged) == {Rule.WITHIN_POWER}


@pytest.mark.parametrize("max_watts", [None, 22_000])
def test_an_evse_of_unknown_power_delivers_no_megawatts(max_watts: int | None) -> None:
    """A limit there is always."""
    assert Rule.WITHIN_POWER in rules(a_session(0, 2_000_000, max_watts=max_watts))


STEPS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 300)), min_size=1, max_size=20)


@given(start=st.integers(0, 10**9), steps=STEPS)
def test_the_pieces_add_up_to_the_whole(start: int, steps: list[tuple[int, int]]) -> None:
    """However a register is sampled, what lies between its first and its last value is what is billed."""
    minute, register, values = 0, start, []
    for pause, energy in steps:
        minute, register = minute + pause, register + energy
        values.append((minute, register))
    judged = a_session(start, register, *values, minutes=minute)
    curve = [one.milliwatt_hours for one in judged.proposed.curve]
    assert judged.breaches == ()
    assert sum(after - before for before, after in pairwise(curve)) == (register - start) * WH
    assert wh(judged) == (register - start, register - start)


REGISTERS = st.one_of(st.none(), st.integers(-5, 50_000), st.integers(0, 10**10))
HABITS = st.builds(
    Habits,
    counts=st.sampled_from(Counts),
    values_since_start=st.booleans(),
    values_times=st.sampled_from([1, 1000]),
    values_over=st.sampled_from([1, 1000]),
    ends_times=st.sampled_from([1, 1000]),
    ends_over=st.sampled_from([1, 1000]),
    zero_is_nothing=st.booleans(),
)


@given(
    start=REGISTERS,
    stop=REGISTERS,
    values=st.lists(st.tuples(st.integers(0, 90), st.integers(-5, 10**10), st.integers(0, 50_000)), max_size=8),
    minutes=st.integers(0, 600),
    habits=HABITS,
)
def test_whatever_a_meter_says_there_is_a_curve_that_never_falls_and_a_bill_within_the_power(
    start: int | None, stop: int | None, values: list[tuple[int, int, int]], minutes: int, habits: Habits
) -> None:
    """No register breaks the judge, and nothing is proposed that the EVSE cannot have delivered."""
    judged = a_session(start, stop, *values, minutes=minutes, habits=habits)
    for one in (judged.measured, judged.proposed):
        curve = [point.milliwatt_hours for point in one.curve]
        assert curve == sorted(curve)
        assert one.milliwatt_hours == (curve[-1] if curve else 0)
    if not judged.breaches or judged.by is not Reading.AS_TOLD:
        assert is_plausible(judged.proposed.milliwatt_hours, minutes * MINUTE, 22_000)


RESET = (2, 1733), (4, 2466), (6, 3200), (8, 212), (10, 945), (12, 1679), (14, 2412), (16, 3145)


def test_what_a_register_may_still_take_back_is_in_doubt_until_its_last_value_is_there() -> None:
    """It fell, and counted further: a stop with a value above all others shows less than the longest stretch did."""
    before = a_session(1000, None, *RESET, minutes=16)
    assert (before.by, before.proposed.milliwatt_hours // WH) == (Reading.BEYOND_DOUBT, 2933)
    assert before.undisputed.milliwatt_hours // WH == 2200


def test_a_register_that_counts_after_its_fall_was_reset_however_high_it_comes() -> None:
    """It looks like a dropout when it is above again, and what it had counted before would be given away in silence."""
    judged = a_session(1000, 3512, *RESET, minutes=17)
    assert rules(judged) == {Rule.NEVER_FALLS}
    assert wh(judged) == (2512, 3300)
    assert judged.undisputed.milliwatt_hours // WH == 2512
    for told in ((6, 0), (8, 0)), ((6, 0), (8, 40)), ((6, 1500), (8, 1700)):
        assert a_session(1000, 3512, (2, 1733), (4, 2466), *told, minutes=17).breaches == ()


def test_values_that_are_below_the_start_from_the_beginning_are_no_reset() -> None:
    """Some models count the session in their values, and their life at both ends."""
    judged = a_session(5000, 9000, (15, 1000), (30, 2000), (45, 3000))
    assert (judged.breaches, wh(judged)) == ((), (4000, 4000))


@given(
    start=st.none() | st.integers(0, 5000),
    values=st.lists(st.integers(0, 5000), max_size=8),
    more=st.integers(0, 3000),
)
def test_no_later_end_takes_back_what_was_beyond_doubt(start: int | None, values: list[int], more: int) -> None:
    """Whatever was taken before the end was known is owed in the end, where the register has come to its highest value."""
    told = tuple((2 * place, one) for place, one in enumerate(values, start=1))
    stop = max([start or 0, *values]) + more
    minutes = 2 * len(values) + 1
    before = a_session(start, None, *told, minutes=minutes)
    after = a_session(start, stop, *told, minutes=minutes)
    assert before.undisputed.milliwatt_hours <= after.measured.milliwatt_hours
