"""Meter values belong to one session, count once, and lose nothing when they come late, twice or before their start."""

from __future__ import annotations

from tallywatt.kernel.clock import Instant
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import SessionState
from tallywatt.workflows.follow import follow
from tests.workflows.house_of import MINUTE, NINE, HouseOf, kwh


def test_the_running_energy_follows_the_register(house: HouseOf) -> None:
    """The driver's page shows it while it charges."""
    wire = house.wire()
    transaction = wire.start(meter=kwh(100))
    for minutes in (10, 20, 30):
        wire.sample(transaction, (house.later(10), kwh(100) + minutes * 100_000))

    assert house.session(transaction).milliwatt_hours == kwh(3)
    assert house.session(transaction).state is SessionState.ACTIVE


def test_the_same_values_again_add_nothing(house: HouseOf) -> None:
    """A resend has a new message id and the same content."""
    wire = house.wire()
    transaction = wire.start()
    at = house.later(10)
    for _ in range(3):
        wire.sample(transaction, (at, kwh(2)))

    assert len(house.rows.meter_readings.by()) == 1
    assert house.session(transaction).milliwatt_hours == kwh(2)


def test_values_without_transaction_belong_to_whoever_charges_there(house: HouseOf) -> None:
    """Clock-aligned values of OCPP 1.6 carry no transaction id on some stations."""
    wire = house.wire()
    transaction = wire.start()
    wire.sample(None, (house.later(10), kwh(1)))
    house.later(10)
    wire.stop(transaction, kwh(2))

    assert house.session(transaction).milliwatt_hours == kwh(2)
    assert len(house.rows.meter_readings.by()) == 1
    house.adds_up()


def test_values_of_nobody_stay_with_their_frame(house: HouseOf) -> None:
    """An idle station samples too; there is nothing to bill and nothing to ask."""
    house.wire().sample(None, (NINE, kwh(1)))

    assert house.inbox() == []
    assert len(house.rows.frames.by()) == 1


def test_values_of_an_unknown_transaction_go_to_the_inbox(house: HouseOf) -> None:
    """Energy of a transaction that nobody started is a person's matter, once."""
    wire = house.wire()
    wire.sample(77, (NINE, kwh(1)))
    wire.sample(77, (house.later(10), kwh(2)))

    assert [item.kind for item in house.inbox()] == ["unknown_transaction"]
    house.adds_up()


def test_a_value_that_comes_after_the_stop_is_kept_and_flagged(house: HouseOf) -> None:
    """The bill stays as it is; that something came late can be seen."""
    wire = house.wire()
    transaction = wire.charge(kwh(10))
    before = house.session(transaction)
    wire.sample(transaction, (Instant(NINE + 20 * MINUTE), kwh(4)))

    after = house.session(transaction)
    assert Flag.LATE_READING in after.flags
    assert (after.state, after.milliwatt_hours) == (before.state, before.milliwatt_hours)
    house.adds_up()


def test_an_update_before_its_start_opens_the_session(house: HouseOf) -> None:
    """OCPP 2.0.1: messages overtake each other; the energy must not wait."""
    wire = house.wire(protocol="ocpp2.0.1")
    at = house.later(10)
    house.do_all(wire.event_updated(at, "T-1", 1, kwh(3), "CARD1"))
    assert Flag.START_MISSING in house.session("T-1").flags

    house.do_all(wire.event_started(NINE, "T-1", kwh(1)), wire.event_ended(house.later(50), "T-1", 2, kwh(9)))

    session = house.session("T-1")
    assert session.state is SessionState.BILLED
    assert (session.started_at, session.meter_start, session.milliwatt_hours) == (NINE, kwh(1), kwh(8))
    assert Flag.START_MISSING not in session.flags
    assert len(house.rows.sessions.by()) == 1
    house.adds_up()


def test_what_one_without_a_start_took_is_not_the_one_befores(house: HouseOf) -> None:
    """The stop of one and the start of the next are lost: the one after that tells where both were, not where each was."""
    wire = house.wire(protocol="ocpp2.0.1")
    house.do_all(wire.event_started(NINE, "T-1", kwh(1)), wire.event_updated(house.later(10), "T-1", 1, kwh(2)))
    house.do_all(
        wire.event_updated(house.later(20), "T-2", 1, kwh(4), "CARD1"),
        wire.event_ended(house.later(20), "T-2", 2, kwh(7)),
    )
    house.adds_up()
    house.do_all(
        wire.event_started(house.later(10), "T-3", kwh(7)), wire.event_ended(house.later(10), "T-3", 1, kwh(9))
    )

    assert [house.session(one).milliwatt_hours for one in ("T-1", "T-2", "T-3")] == [kwh(1), kwh(3), kwh(2)]
    house.adds_up()


def test_the_sequence_number_only_grows(house: HouseOf) -> None:
    """OCPP 2.0.1: an older event that comes later is taken in, and does not turn the count back."""
    wire = house.wire(protocol="ocpp2.0.1")
    house.do_all(
        wire.event_started(NINE, "T-1"),
        wire.event_updated(house.later(10), "T-1", 5, kwh(2)),
        wire.event_updated(Instant(NINE + 5 * MINUTE), "T-1", 3, kwh(1)),
    )

    assert house.session("T-1").sequence_number == 5
    assert house.session("T-1").milliwatt_hours == kwh(2)


def test_a_register_that_comes_back_was_a_dropout(house: HouseOf) -> None:
    """A zero between two good values is not energy, and not a reset."""
    wire = house.wire()
    transaction = wire.start(meter=kwh(100))
    for register in (kwh(102), 0, kwh(104)):
        wire.sample(transaction, (house.later(10), register))
    house.later(10)
    wire.stop(transaction, kwh(105))

    session = house.session(transaction)
    assert session.state is SessionState.BILLED
    assert session.milliwatt_hours == kwh(5)
    assert Flag.METER_DROPOUT in session.flags
    house.adds_up()


def test_a_dropout_before_a_lost_stop_is_not_energy_either(house: HouseOf) -> None:
    """What is explained is what the meter shows, also when there was no stop."""
    wire = house.wire()
    transaction = wire.start(meter=kwh(100))
    for register in (kwh(102), 0, kwh(104)):
        wire.sample(transaction, (house.later(10), register))
    wire.start(house.later(60), kwh(106))

    assert house.session(transaction).milliwatt_hours == kwh(6)
    assert house.adds_up()["explained_wh"] == {"lost_stop": "6000"}


def test_values_without_time_zone_of_a_dead_clock_get_the_time_of_receipt(house: HouseOf) -> None:
    """1970 cannot carry a price per time; the order of receipt is the best that is known."""
    wire = house.wire()
    transaction = wire.start(Instant(0))
    wire.sample(transaction, (Instant(1000), kwh(1)))

    [reading] = house.rows.meter_readings.by()
    assert reading.occurred_at == house.now


def test_a_negative_register_is_kept_and_never_energy(house: HouseOf) -> None:
    """A broken meter counts backwards; nobody is paid for it."""
    wire = house.wire()
    transaction = wire.start()
    house.do(follow, wire.sampled(transaction, (house.later(10), -kwh(1))))
    house.later(10)
    wire.stop(transaction, kwh(2))

    assert house.session(transaction).milliwatt_hours == kwh(2)
    house.adds_up()
