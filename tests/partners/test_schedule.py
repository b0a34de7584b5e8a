"""Pauses grow, are spread, and end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.partners import schedule
from tallywatt.partners.schedule import DAY, HOUR, RETRY_SECONDS, next_probe, next_try

NOW = Instant(1_800_000_000_000)
CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(failures=st.integers(1, len(RETRY_SECONDS)), chance=CHANCES)
def test_a_pause_is_spread_by_an_eighth_to_each_side(failures: int, chance: float) -> None:
    """What failed together must not come back together."""
    again = next_try(failures, NOW, chance)
    assert again is not None
    assert 7 * RETRY_SECONDS[failures - 1] * 125 <= again - NOW <= 9 * RETRY_SECONDS[failures - 1] * 125


def test_tries_go_on_for_three_days_and_then_end() -> None:
    """A weekend's outage is survived without anybody doing anything."""
    assert 3 * DAY <= sum(RETRY_SECONDS) <= 4 * DAY
    assert list(RETRY_SECONDS) == sorted(RETRY_SECONDS)
    assert next_try(len(RETRY_SECONDS) + 1, NOW, 0.5) is None
    assert sum(RETRY_SECONDS) < schedule.DISABLE_AFTER_SECONDS


def test_a_receiver_may_ask_for_more_patience_but_not_for_ever() -> None:
    """Retry-After is a wish."""
    assert next_try(1, NOW, 0.5, wait_seconds=HOUR) == NOW + HOUR * 1000
    assert next_try(1, NOW, 0.5, wait_seconds=10**9) == NOW + DAY * 1000
    assert next_try(6, NOW, 0.5, wait_seconds=1) == NOW + RETRY_SECONDS[5] * 1000


def test_an_endpoint_is_left_alone_after_failures_in_a_row() -> None:
    """A thousand messages must not knock at a door where nobody is."""
    assert next_probe(schedule.PROBE_AFTER_FAILURES - 1, NOW, 0.5) is None
    pauses = [next_probe(schedule.PROBE_AFTER_FAILURES + one, NOW, 0.5) for one in range(20)]
    assert all(pause is not None for pause in pauses)
    assert pauses == sorted(pauses, key=lambda pause: pause or 0)
    assert pauses[-1] == NOW + schedule.PROBE_SECONDS[-1] * 1000


def test_a_lease_outlasts_a_send() -> None:
    """Else a second sender would begin while the first still waits for its answer."""
    assert schedule.LEASE_SECONDS > 2 * schedule.SEND_SECONDS
