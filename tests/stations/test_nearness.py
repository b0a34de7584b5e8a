"""How near a session is to a limit: whatever the pace of a station, a reaction is left until it is told to stop."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.stations.nearness import (
    LEAST_WATTS,
    SOON_MS,
    Pace,
    Step,
    cap_for,
    look_again_ms,
    pace_of,
    step_at,
)

PACES = st.builds(Pace, st.integers(0, 15 * 60_000), st.integers(0, 60_000))
LEFT = st.integers(-(10**7), 10**9)
LONGEST = st.integers(SOON_MS, 600_000)


@given(left=LEFT, pace=PACES, may_cap=st.booleans(), longest=LONGEST)
def test_whoever_goes_on_has_time_for_a_stop_at_the_next_look(
    left: int, pace: Pace, may_cap: bool, longest: int
) -> None:
    """All that a look may leave undone can be done at the next one, before the limit is passed at full power."""
    step = step_at(left, pace, may_cap=may_cap)
    if step is not Step.STOP:
        then = left - look_again_ms(left, pace, step, longest)
        assert then >= pace.reaction_ms - SOON_MS


@given(left=LEFT, pace=PACES, may_cap=st.booleans(), longest=LONGEST)
def test_nobody_looks_all_the_time_or_never(left: int, pace: Pace, may_cap: bool, longest: int) -> None:
    """A thousand sessions are watched by one worker, and a session is not forgotten."""
    again = look_again_ms(left, pace, step_at(left, pace, may_cap=may_cap), longest)
    assert SOON_MS <= again <= max(longest, 20_000)


@given(left=LEFT, less=st.integers(0, 10**6), pace=PACES, may_cap=st.booleans())
def test_less_time_never_calls_for_less(left: int, less: int, pace: Pace, may_cap: bool) -> None:
    """The nearer, the more is done."""
    order = list(Step)
    now, later = step_at(left, pace, may_cap=may_cap), step_at(left - less, pace, may_cap=may_cap)
    assert order.index(later) >= order.index(now) or {now, later} == {Step.ASK, Step.CAP}


@given(left=LEFT, pace=PACES)
def test_a_station_that_keeps_the_limit_itself_is_stopped_only_when_it_has_not(left: int, pace: Pace) -> None:
    """It knows its meter to the second: stopping it a minute early would sell less than was paid for."""
    step = step_at(left, pace, may_cap=True, station_stops=True)
    assert step is (Step.STOP if left <= -pace.reaction_ms else Step.GO_ON)


@given(pauses=st.lists(st.integers(0, 10**6)), answers=st.lists(st.integers(0, 10**6)), more=st.integers(0, 10**6))
def test_a_slower_answer_never_makes_a_pace_faster(pauses: list[int], answers: list[int], more: int) -> None:
    """A station that took long once may take as long again."""
    if answers:
        assert pace_of(pauses, [*answers, more]).reaction_ms >= pace_of(pauses, answers).reaction_ms


@given(watts=st.integers(0, 10**6))
def test_a_cap_lets_less_flow_and_never_too_little_to_charge_with(watts: int) -> None:
    """A vehicle that gets less than six amperes ends charging, and the driver thinks that the station is broken."""
    cap = cap_for(watts)
    assert cap is None or LEAST_WATTS <= cap <= watts / 2
