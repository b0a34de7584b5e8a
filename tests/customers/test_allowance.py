"""How often somebody may ask: the bucket empties, fills with time, and forgets who is quiet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.customers.allowance import Buckets, Policy, read_policy
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput

TEN = Policy("ten", 10, 60)
START = Instant(1_000_000)


def test_a_full_bucket_gives_its_quota_at_once_and_then_no_more() -> None:
    """A page that loads ten things at once is no attack."""
    buckets = Buckets()
    given_out = [buckets.ask(TEN, "a", START) for _ in range(11)]
    assert [one.allowed for one in given_out] == [True] * 10 + [False]
    assert [one.remaining for one in given_out] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert (given_out[-1].retry_seconds, given_out[-1].reset_seconds) == (6, 60)


def test_who_waits_as_long_as_was_said_is_let_in() -> None:
    """Retry-After is a promise."""
    buckets = Buckets()
    for _ in range(10):
        buckets.ask(TEN, "a", START)
    told = buckets.ask(TEN, "a", START)
    assert not told.allowed
    assert buckets.ask(TEN, "a", Instant(START + told.retry_seconds * 1000)).allowed


def test_one_who_is_greedy_takes_nothing_from_another() -> None:
    """Nor from itself where another limit holds."""
    buckets = Buckets()
    for _ in range(20):
        buckets.ask(TEN, "a", START)
    assert buckets.ask(TEN, "b", START).remaining == 9
    assert buckets.ask(Policy("other", 10, 60), "a", START).remaining == 9


def test_a_clock_that_was_set_back_fills_nothing() -> None:
    """And the time that has to be made up is not counted twice."""
    buckets = Buckets()
    for _ in range(10):
        buckets.ask(TEN, "a", START)
    assert not buckets.ask(TEN, "a", Instant(START - 60_000)).allowed
    assert not buckets.ask(TEN, "a", Instant(START + 5_000)).allowed
    assert buckets.ask(TEN, "a", Instant(START + 6_000)).allowed


def test_memory_is_bounded_and_whoever_was_quiet_is_forgotten_first() -> None:
    """Somebody with a million addresses fills no memory."""
    buckets = Buckets(most=3)
    for who in "abc":
        buckets.ask(TEN, who, START)
    buckets.ask(TEN, "a", START)
    buckets.ask(TEN, "d", START)
    assert len(buckets) == 3
    assert buckets.ask(TEN, "a", START).remaining == 7
    assert buckets.ask(TEN, "b", START).remaining == 9


@given(st.lists(st.integers(min_value=0, max_value=20_000), max_size=60))
def test_nobody_ever_gets_more_than_the_quota_and_what_time_has_given_back(pauses: list[int]) -> None:
    """Whatever the rhythm in which somebody asks."""
    buckets = Buckets()
    now, let_in = int(START), 0
    for pause in pauses:
        now += pause
        let_in += buckets.ask(TEN, "a", Instant(now)).allowed
    assert let_in * TEN.request <= TEN.full + (now - START) * TEN.quota


@pytest.mark.parametrize("text", ["", "10", "10/", "/60", "ten/60", "-1/60", "0/60", "10/0", "1.5/60"])
def test_a_limit_that_cannot_be_meant_is_told(text: str) -> None:
    """When the server starts, and not with the first request."""
    with pytest.raises(BadInput) as caught:
        read_policy("x", text)
    assert caught.value.remedy is not None


def test_a_limit_is_read_as_it_is_written() -> None:
    """Six hundred in a minute: one comes back every tenth of a second."""
    assert read_policy("x", " 600 / 60 ") == Policy("x", 600, 60)
    assert read_policy("x", "600/60").request == 600 * 100
