"""A stop that never comes: the energy is held with its reason, by rows, and nothing is billed that nobody has looked at."""

from __future__ import annotations

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import Reason, SessionState
from tallywatt.workflows.lose_stop import LoseStop, lose_stop
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tests.workflows.house_of import MINUTE, NINE, HouseOf, kwh


def test_the_next_start_reveals_what_a_lost_transaction_took(house: HouseOf) -> None:
    """Its register is higher than the last value that was heard: that energy was delivered too."""
    wire = house.wire()
    lost = wire.start(meter=0)
    wire.sample(lost, (house.later(10), kwh(2)))
    house.later(60)
    wire.start(meter=kwh(5), token="STRANGER")

    session = house.session(lost)
    assert (session.state, session.milliwatt_hours) == (SessionState.HELD, kwh(5))
    assert Flag.LOST_STOP in session.flags
    assert [(row.reason, row.milliwatt_hours) for row in house.rows.explanations.by()] == [(Reason.LOST_STOP, kwh(5))]
    assert [item.kind for item in house.inbox()] == ["lost_stop"]
    assert house.adds_up()["held"] == 1


def test_after_the_grace_a_free_connector_means_a_lost_stop(house: HouseOf) -> None:
    """The vehicle has left, the stop has not come for a quarter of an hour."""
    wire = house.wire()
    lost = wire.start(meter=0)
    wire.sample(lost, (house.later(10), kwh(2)))
    house.later(10)
    wire.report("Available")
    [job] = house.rows.stored_jobs.by(kind="lose_stop")
    assert job.run_at == house.now + 15 * MINUTE

    house.later(15)
    house.do(lose_stop, LoseStop(house.session(lost).session_id))

    assert house.session(lost).state is SessionState.HELD
    assert house.adds_up()["explained_wh"] == {"lost_stop": "2000"}


def test_what_the_next_start_reveals_after_the_grace_is_explained_too(house: HouseOf) -> None:
    """It was presumed lost before anybody could know how much it took in the end."""
    wire = house.wire()
    lost = wire.start(meter=0)
    wire.sample(lost, (house.later(10), kwh(2)))
    house.do(lose_stop, LoseStop(house.session(lost).session_id))
    house.later(60)
    wire.start(meter=kwh(5), token="STRANGER")

    assert house.session(lost).milliwatt_hours == kwh(5)
    assert house.adds_up()["explained_wh"] == {"lost_stop": "5000"}


def test_losing_it_twice_changes_nothing(house: HouseOf) -> None:
    """The job may run again after a crash."""
    wire = house.wire()
    lost = wire.start(meter=0)
    wire.sample(lost, (house.later(10), kwh(2)))
    for _ in range(2):
        house.do(lose_stop, LoseStop(house.session(lost).session_id))

    assert len(house.rows.explanations.by()) == 1
    assert len(house.rows.inbox.by()) == 1


def test_a_stop_within_the_grace_is_a_good_stop(house: HouseOf) -> None:
    """The connector was free a moment before the stop was told."""
    wire = house.wire()
    transaction = wire.start()
    house.later(30)
    wire.report("Available")
    wire.stop(transaction, kwh(3))
    house.later(15)
    house.do(lose_stop, LoseStop(house.session(transaction).session_id))

    assert house.session(transaction).state is SessionState.BILLED
    house.adds_up()


def test_values_that_come_after_the_presumption_count(house: HouseOf) -> None:
    """The station has a queue; its stop may still be lost, its energy is not."""
    wire = house.wire()
    lost = wire.start(meter=0)
    wire.sample(lost, (house.later(10), kwh(2)))
    house.do(lose_stop, LoseStop(house.session(lost).session_id))
    wire.sample(lost, (Instant(NINE + 30 * MINUTE), kwh(6)))

    assert house.session(lost).milliwatt_hours == kwh(6)
    assert house.adds_up()["explained_wh"] == {"lost_stop": "6000"}


def test_queued_values_below_what_the_next_start_revealed_change_nothing(house: HouseOf) -> None:
    """They tell how it got there, not where it ended."""
    wire = house.wire()
    lost = wire.start(meter=0)
    wire.sample(lost, (house.later(10), kwh(2)))
    house.later(60)
    wire.start(meter=kwh(5), token="STRANGER")
    wire.sample(lost, (Instant(NINE + 30 * MINUTE), kwh(3)), (Instant(NINE + 40 * MINUTE), kwh(4)))

    assert house.session(lost).milliwatt_hours == kwh(5)
    assert house.adds_up()["explained_wh"] == {"lost_stop": "5000"}


def test_a_meter_that_was_changed_in_between_reveals_nothing(house: HouseOf) -> None:
    """A lower register at the next start is another count, not energy."""
    wire = house.wire()
    lost = wire.start(meter=kwh(100))
    wire.sample(lost, (house.later(10), kwh(102)))
    house.later(60)
    wire.start(meter=kwh(1), token="STRANGER")

    assert house.session(lost).milliwatt_hours == kwh(2)
    house.adds_up()


def test_a_lost_transaction_without_any_value_is_still_put_before_a_person(house: HouseOf) -> None:
    """It took nothing that anybody knows of; why it is held can be read."""
    wire = house.wire()
    lost = wire.start(meter=0)
    house.do(lose_stop, LoseStop(house.session(lost).session_id))

    assert house.session(lost).state is SessionState.HELD
    assert [item.kind for item in house.inbox()] == ["lost_stop"]
    house.adds_up()


def test_the_other_evse_of_a_station_is_left_alone(house: HouseOf) -> None:
    """A start at one EVSE says nothing about the vehicle at the other."""
    wire = house.wire()
    one = wire.start(evse=1)
    wire.start(evse=2, token="STRANGER")

    assert house.session(one).state is SessionState.ACTIVE


def test_a_session_without_its_start_tells_nothing_about_the_one_before(house: HouseOf) -> None:
    """OCPP 2.x: what flowed before its first value may have been its own. When its start comes after all, that tells."""
    wire = house.wire(protocol="ocpp2.0.1")
    wire.tell_start(wire.event_started(house.now, "tx-1", 0))
    house.do_all(wire.event_updated(house.later(10), "tx-1", 1, kwh(2)))
    began = house.later(10)
    house.do_all(wire.event_updated(house.later(10), "tx-2", 1, kwh(5), token="CARD1"))
    assert house.session("tx-1").milliwatt_hours == kwh(2)

    wire.tell_start(wire.event_started(began, "tx-2", kwh(3)))
    assert house.session("tx-1").milliwatt_hours == kwh(3)
    assert house.session("tx-2").milliwatt_hours == kwh(2)

    house.do_all(wire.event_ended(house.later(10), "tx-2", 2, kwh(6)))
    house.adds_up()


def decided(house: HouseOf, decision: Decision) -> str:
    """A person decides on the lost session of transaction 1; how it stands."""
    [item] = house.inbox("lost_stop")
    house.do(resolve_item, ResolveItem(item.item_id, decision))
    return house.session(1).state


@pytest.mark.parametrize("decision", [Decision.RELEASE, Decision.WRITE_OFF])
def test_what_the_next_start_shows_after_a_decision_is_explained(house: HouseOf, decision: Decision) -> None:
    """The bill is out, or written off: what the register shows later is explained by rows beside it, and listed."""
    wire = house.wire()
    wire.start(meter=0)
    wire.sample(1, (house.later(10), kwh(2)))
    house.do(lose_stop, LoseStop(house.session(1).session_id))
    state = decided(house, decision)
    house.later(60)
    wire.start(meter=kwh(5), token="STRANGER")

    assert house.session(1).state == state
    assert sum(one.milliwatt_hours for one in house.rows.explanations.by()) == kwh(3 if state == "billed" else 5)
    assert [item.kind for item in house.inbox()] == ["energy_after_decision"]
    house.adds_up()


@pytest.mark.parametrize("decision", [Decision.RELEASE, Decision.WRITE_OFF])
def test_a_stop_that_comes_after_a_decision_is_explained(house: HouseOf, decision: Decision) -> None:
    """The station was offline for a day and tells it all: values first, then its stop."""
    wire = house.wire()
    wire.start(meter=0)
    wire.sample(1, (house.later(10), kwh(2)))
    house.do(lose_stop, LoseStop(house.session(1).session_id))
    state = decided(house, decision)
    wire.sample(1, (house.later(10), kwh(3)))
    house.adds_up()
    wire.stop(1, kwh(4), house.later(10))
    wire.stop(1, kwh(4))

    assert house.session(1).state == state
    assert {item.kind for item in house.inbox()} == {"energy_after_decision", "stop_differs"}
    house.adds_up()
