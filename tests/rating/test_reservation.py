"""Reservations of our own sessions: priced beside the session, and kept with what is stored."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.metering.metered import MeteredSession
from tallywatt.rating.canonical import read_session, session_text
from tallywatt.rating.policy import Policy, StepSize
from tallywatt.rating.rate import Doubt, Reason, rate
from tallywatt.rating.tariff import Tariff
from tests.rating.examples import (
    AN_INSTANT,
    HOUR,
    MINUTE,
    a_session,
    a_tariff,
    an_element,
    reserving,
    sessions,
    tariffs,
)

KEPT = an_element(("TIME", "2.00", 20, 600), ("FLAT", "1.00", 20), reservation="RESERVATION")
EXPIRED = an_element(("FLAT", "4.00", 20), reservation="RESERVATION_EXPIRES")
TARIFF = a_tariff(EXPIRED, KEPT, an_element(("ENERGY", "0.25", 10), ("FLAT", "0.50", 20), ("TIME", "0.10", 20)))


def reserved(session: MeteredSession, minutes: int, *, expired: bool = False) -> MeteredSession:
    """The session after a reservation of so many minutes."""
    since = Instant(session.started_at - minutes * MINUTE)
    return replace(session, reserved_at=since, reservation_expired=expired)


def test_a_reservation_has_its_own_lines() -> None:
    """22 minutes are billed as 30; the fee is the reservation's, beside the session's."""
    lines = rate(reserved(a_session((HOUR, 20_000_000)), 22), TARIFF).lines
    kept = [line for line in lines if line.reason in {Reason.RESERVATION_TIME, Reason.RESERVATION_FEE}]

    assert [(line.reason, line.measured, line.quantity) for line in kept] == [
        (Reason.RESERVATION_TIME, 22 * MINUTE, 30 * MINUTE),
        (Reason.RESERVATION_FEE, 1, 1),
    ]
    assert Reason.SESSION_FEE in {line.reason for line in lines}
    assert kept[0].start == AN_INSTANT - 22 * MINUTE


def test_a_reservation_that_expired_is_all_there_is() -> None:
    """Nobody came: no session fee, no energy; the fee of expiry in place of the reservation's."""
    rated = rate(reserved(a_session(ended=0), 60, expired=True), TARIFF)

    assert [line.reason for line in rated.lines] == [Reason.RESERVATION_TIME, Reason.EXPIRED_RESERVATION_FEE]
    assert rated.exact_total == 6
    assert rated.milliwatt_hours == 0


def test_a_reservation_is_cut_where_its_price_changes() -> None:
    """Evening and night have prices of their own, also for keeping a place; durations count from the reservation."""
    evening = an_element(("TIME", "6.00", 20), reservation="RESERVATION", end_time="09:30")
    late = an_element(("TIME", "3.00", 20), reservation="RESERVATION", min_duration=45 * 60)
    tariff = a_tariff(evening, late, an_element(("TIME", "1.00", 20), reservation="RESERVATION"))
    lines = rate(reserved(a_session(), 60), tariff).lines

    assert [(line.priced.element_index, line.quantity) for line in lines] == [
        (0, 30 * MINUTE),
        (2, 15 * MINUTE),
        (1, 15 * MINUTE),
    ]


def test_a_reservation_without_a_price_costs_nothing() -> None:
    """Most tariffs have none; and one whose price does not apply now has no line either."""
    plain = a_tariff(an_element(("ENERGY", 1)))
    assert rate(reserved(a_session(), 20), plain) == rate(a_session(), plain)
    closed = a_tariff(
        an_element(("TIME", 1), ("FLAT", 1), reservation="RESERVATION", end_time="03:00"), an_element(("FLAT", 1))
    )
    assert [line.reason for line in rate(reserved(a_session(), 20), closed).lines] == [Reason.SESSION_FEE]


def test_a_clock_that_cannot_carry_a_price_charges_no_reservation_time() -> None:
    """As with any other time: the quantity is told, the price is nothing."""
    session = replace(reserved(a_session(), 20), clock_is_usable=False)
    rated = rate(session, a_tariff(KEPT, an_element(("ENERGY", 1))))
    assert Doubt.CLOCK_NOT_USABLE in rated.warnings
    assert {line.reason: line.quantity for line in rated.lines}[Reason.TIME_WITHOUT_CLOCK] == 0


def test_without_blocks_a_reservation_is_billed_as_it_was() -> None:
    """The policy holds for every time."""
    rated = rate(reserved(a_session(), 22), a_tariff(KEPT), Policy(step_size=StepSize.OFF))
    assert rated.lines[0].quantity == 22 * MINUTE


@given(session=sessions(), tariff=tariffs(), minutes=st.integers(0, 300))
def test_a_reservation_changes_nothing_of_the_session(session: MeteredSession, tariff: Tariff, minutes: int) -> None:
    """What is kept for somebody is priced apart from what they charge."""
    without, with_it = rate(session, tariff), rate(reserved(session, minutes), reserving(tariff, KEPT))
    own = [line for line in with_it.lines if line.reason not in {Reason.RESERVATION_TIME, Reason.RESERVATION_FEE}]
    time = [line for line in own if "reservation" not in line.priced.reason]

    assert [(line.reason, line.quantity, with_it.exact(line)) for line in time] == [
        (line.reason, line.quantity, without.exact(line)) for line in without.lines
    ]


@given(session=sessions(), minutes=st.integers(0, 300), expired=st.booleans())
def test_a_reservation_is_kept_with_what_is_stored(session: MeteredSession, minutes: int, expired: bool) -> None:
    """A price must come out the same years later; sessions without one keep the form that they always had."""
    kept = reserved(session, minutes, expired=expired)
    assert read_session(session_text(kept)) == kept
    assert '"form":2' in session_text(kept)
    assert '"form":1' in session_text(session)
