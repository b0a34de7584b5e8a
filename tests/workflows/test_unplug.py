"""Every stop is acknowledged; the first good one is final, and what it says is what is billed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import SessionState
from tallywatt.workflows.unplug import unplug
from tests.workflows.house_of import MINUTE, NINE, kwh

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf


def test_case_39_an_offline_queue_becomes_one_session_with_the_stops_meter_and_time(house: HouseOf) -> None:
    """Boot and Available come first; the queued MeterValues and the stop follow, with the times when they happened."""
    wire = house.wire()
    transaction = wire.start(meter=kwh(10))
    house.later(180)
    house.do_all(wire.booted(), wire.status("Available", house.now))
    stopped_at = Instant(NINE + 55 * MINUTE)
    house.do_all(
        wire.sampled(transaction, (Instant(NINE + 30 * MINUTE), kwh(14))),
        wire.stopped(transaction, stopped_at, kwh(17)),
    )

    session = house.session(transaction)
    assert len(house.rows.sessions.by()) == 1
    assert session.state is SessionState.BILLED
    assert (session.transaction_ended_at, session.meter_stop, session.milliwatt_hours) == (stopped_at, kwh(17), kwh(7))
    assert session.flags == ()
    house.adds_up()


def test_stops_of_transactions_that_never_were_make_three_inbox_items_and_nothing_else(house: HouseOf) -> None:
    """-1, 0 and 999999 are what real stations send after they lost their memory."""
    wire = house.wire()
    running = wire.start()
    before = house.session(running)
    for transaction in (-1, 0, 999_999):
        for _ in range(2):
            assert wire.stop(transaction, kwh(5), at=NINE).authorization == "Accepted"

    assert [item.kind for item in house.inbox()] == ["unknown_transaction"] * 3
    assert house.session(running) == before
    assert len(house.rows.sessions.by()) == 1
    house.adds_up()


def test_the_same_stop_again_gets_the_same_answer_and_one_bill(house: HouseOf) -> None:
    """A resend has a new message id."""
    wire = house.wire()
    transaction = wire.start()
    at = house.later(60)
    answers = [wire.stop(transaction, kwh(5), at=at) for _ in range(4)]

    assert len(set(answers)) == 1
    assert len(house.rows.invoices.by()) == 1
    assert house.inbox() == []
    house.adds_up()


def test_a_second_stop_with_other_values_is_a_persons_matter(house: HouseOf) -> None:
    """The first stop is final: a bill that went out is not changed by a contradiction."""
    wire = house.wire()
    transaction = wire.charge(kwh(5))
    wire.stop(transaction, kwh(6), at=house.later(1))

    session = house.session(transaction)
    assert [item.kind for item in house.inbox()] == ["stop_differs"]
    assert Flag.STOP_DIFFERS in session.flags
    assert session.milliwatt_hours == kwh(5)
    house.adds_up()


def test_a_late_stop_lifts_the_presumption_that_it_was_lost_and_bills(house: HouseOf) -> None:
    """The stop was in a queue all the time; nothing is left for a person to do."""
    wire = house.wire()
    lost = wire.start(meter=0)
    wire.sample(lost, (house.later(10), kwh(2)))
    house.later(60)
    wire.start(meter=kwh(5), token="STRANGER")
    assert house.session(lost).state is SessionState.HELD
    assert house.session(lost).milliwatt_hours == kwh(5)

    wire.stop(lost, kwh(5), at=Instant(NINE + 40 * MINUTE))

    session = house.session(lost)
    assert session.state is SessionState.BILLED
    assert session.milliwatt_hours == kwh(5)
    assert Flag.LOST_STOP not in session.flags
    assert house.inbox("lost_stop") == []
    assert house.adds_up()["explained_wh"] == {}


@pytest.mark.parametrize("nobody", ["-1", "0"])
def test_a_stop_told_before_its_number_was_known_waits_for_nobody_once_it_is_told_well(
    house: HouseOf, nobody: str
) -> None:
    """The answer to the start was lost: the stop leaves as that of transaction -1, and again when the start was answered."""
    wire = house.wire()
    start = wire.started(house.now, kwh(1))
    ended = house.later(30)
    house.do_all(wire.stopped(nobody, ended, kwh(4)))
    other = wire.stopped(nobody, house.later(1), kwh(7))
    house.do_all(other)
    assert len(house.inbox("unknown_transaction")) == 2

    [answer] = house.do_all(start)
    house.do_all(wire.stopped(answer.transaction_id, ended, kwh(4)))

    [left] = house.inbox("unknown_transaction")
    settled = next(one for one in house.rows.inbox.by(kind="unknown_transaction") if one.item_id != left.item_id)
    assert settled.resolution is not None
    assert house.session(answer.transaction_id).milliwatt_hours == kwh(3)
    house.adds_up()


def test_a_stop_whose_clock_lost_its_time_ends_when_it_was_received(house: HouseOf) -> None:
    """The energy is good, the time is not."""
    wire = house.wire()
    transaction = wire.start()
    house.later(30)
    wire.stop(transaction, kwh(2), at=Instant(0))

    session = house.session(transaction)
    assert session.transaction_ended_at == NINE + 30 * MINUTE
    assert Flag.CLOCK_NOT_SET in session.flags
    house.adds_up()


def test_a_stop_by_another_card_is_remembered(house: HouseOf) -> None:
    """The master card of the site or a second card of the household."""
    wire = house.wire()
    transaction = wire.start()
    wire.stop(transaction, kwh(1), at=house.later(30), token="MASTER")

    assert house.session(transaction).stopped_by == "master"


def test_an_ended_without_its_start_is_held_until_the_start_comes(house: HouseOf) -> None:
    """OCPP 2.0.1: what it took before its first value is not known, so nobody is billed for a part of it."""
    wire = house.wire(protocol="ocpp2.0.1")
    house.later(60)
    house.do(unplug, wire.event_ended(house.now, "T-1", 1, kwh(9), "CARD1"))
    session = house.session("T-1")
    assert session.state is SessionState.HELD
    assert Flag.START_MISSING in session.flags
    house.adds_up()

    house.do_all(wire.event_started(NINE, "T-1", kwh(1)))

    session = house.session("T-1")
    assert session.state is SessionState.BILLED
    assert (session.started_at, session.milliwatt_hours) == (NINE, kwh(8))
    assert house.inbox() == []
    assert len(house.rows.sessions.by()) == 1
    house.adds_up()


def test_a_whole_transaction_backwards_is_the_same_session(house: HouseOf) -> None:
    """Ended, then Updated, then Started."""
    wire = house.wire(protocol="ocpp2.0.1")
    facts = [
        wire.event_started(NINE, "T-1", kwh(1)),
        wire.event_updated(house.later(30), "T-1", 1, kwh(5)),
        wire.event_ended(house.later(30), "T-1", 2, kwh(9), "CARD1"),
    ]

    house.do_all(*reversed(facts))

    session = house.session("T-1")
    assert (session.state, session.milliwatt_hours, session.meter_start) == (SessionState.BILLED, kwh(8), kwh(1))
    house.adds_up()


def test_a_start_that_comes_while_its_ended_session_waits_for_the_vehicle_completes_it(idle_house: HouseOf) -> None:
    """Where parking is priced, an ended session has no bill yet. Its start was taken for one that came too late."""
    house = idle_house
    wire = house.wire(protocol="ocpp2.0.1")
    house.later(60)
    house.do(unplug, replace(wire.event_ended(house.now, "T-1", 1, kwh(9), "CARD1"), reason="Local"))
    assert house.session("T-1").state is SessionState.ENDED

    house.do_all(wire.event_started(NINE, "T-1", kwh(1)))
    house.later(10)
    house.do_all(wire.status("Available", house.now))

    session = house.session("T-1")
    assert (session.state, session.started_at, session.milliwatt_hours) == (SessionState.BILLED, NINE, kwh(8))
    assert house.inbox() == []
    house.adds_up()


@pytest.mark.parametrize("meter_stop", [-1_000, None])
@pytest.mark.parametrize(("silent_minutes", "state"), [(4, SessionState.BILLED), (10, SessionState.HELD)])
def test_a_stop_without_a_register_is_billed_by_a_last_value_that_is_fresh(
    house: HouseOf, meter_stop: int | None, silent_minutes: int, state: SessionState
) -> None:
    """Minus one is what some stations say when they do not know; what flowed in a long silence nobody has seen."""
    wire = house.wire()
    transaction = wire.start()
    wire.sample(transaction, (house.later(30), kwh(4)))
    fact = wire.stopped(transaction, house.later(silent_minutes), -1_000)
    house.do(unplug, replace(fact, meter_stop=meter_stop))

    session = house.session(transaction)
    assert (session.state, session.milliwatt_hours, session.meter_stop) == (state, kwh(4), None)
    assert Flag.NO_METER_STOP in session.flags
    house.adds_up()


def test_the_vehicle_had_left_before_a_queued_stop_was_told(idle_house: HouseOf) -> None:
    """The station was offline: it cannot say when the vehicle left, so no idle time runs against the driver."""
    house = idle_house
    wire = house.wire()
    transaction = wire.start()
    house.later(180)
    house.do_all(wire.booted(), wire.status("Available", house.now))
    stopped_at = Instant(NINE + 55 * MINUTE)
    house.do_all(wire.stopped(transaction, stopped_at, kwh(5)))

    session = house.session(transaction)
    assert session.state is SessionState.BILLED
    assert session.occupancy_ended_at == stopped_at
    house.adds_up()
