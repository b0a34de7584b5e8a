"""A connector's status may end an occupancy; it never ends a transaction."""

from __future__ import annotations

from tallywatt.kernel.clock import Instant
from tallywatt.metering.session import SessionState
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.boot_station import boot_station
from tests.workflows.house_of import MINUTE, NINE, HouseOf, kwh


def test_available_does_not_end_a_transaction(house: HouseOf) -> None:
    """After a power cut, Available comes before the queued stop: closing here would destroy a good one."""
    wire = house.wire()
    transaction = wire.start()
    house.later(10)
    wire.report("Available")

    assert house.session(transaction).is_open


def test_the_newest_status_is_shown_whatever_comes_last(house: HouseOf) -> None:
    """A queued status is older than the one that is shown; both are kept."""
    wire = house.wire()
    house.later(20)
    wire.report("Charging")
    wire.report("Preparing", Instant(NINE + MINUTE))

    [connector] = house.rows.connectors.by()
    assert connector.status == "Charging"
    assert len(house.rows.connector_states.by()) == 2


def test_the_same_status_again_is_one_change(house: HouseOf) -> None:
    """A resend."""
    wire = house.wire()
    for _ in range(3):
        wire.report("Charging", NINE)

    assert len(house.rows.connector_states.by()) == 1


def test_a_connector_that_nobody_knows_is_kept_in_its_frame_alone(house: HouseOf) -> None:
    """Connector 0 is the station itself."""
    house.wire().report("Available", evse=0)

    assert house.rows.connectors.by() == []
    assert len(house.rows.frames.by()) == 1


def test_leaving_ends_the_occupancy_and_bills_idle_time(idle_house: HouseOf) -> None:
    """The tariff prices parking: the price waits for the vehicle to leave."""
    house = idle_house
    wire = house.wire()
    transaction = wire.start()
    wire.report("Charging")
    house.later(60)
    wire.stop(transaction, kwh(10))
    wire.report("Finishing")
    assert house.session(transaction).state is SessionState.ENDED

    left = house.later(30)
    wire.report("Available")

    session = house.session(transaction)
    assert (session.state, session.occupancy_ended_at) == (SessionState.BILLED, left)
    [invoice] = house.rows.invoices.by()
    assert invoice.gross_minor == 300 + 300, "10 kWh at 0.30, half an hour idle at 6.00"
    house.adds_up()


def driven_off_unseen(house: HouseOf, second: str) -> list[int]:
    """Half an hour after a session another one begins there, and no status told that the place was free; what each costs."""
    wire = house.wire()
    first = wire.start()
    house.later(60)
    wire.stop(first, kwh(10))
    wire.report("Finishing")
    house.later(30)
    other = wire.start(token=second, meter=kwh(10))
    wire.report("Charging")
    house.later(60)
    wire.stop(other, kwh(20))
    wire.report("Finishing")
    house.later(10)
    wire.report("Available")

    house.adds_up()
    rows = house.rows
    assert [house.session(one).state for one in (first, other)] == [SessionState.BILLED] * 2
    papers = [rows.invoices.get(house.session(one).invoice_id or "") for one in (first, other)]
    assert len({one.number for one in papers}) == 2
    return [one.gross_minor for one in papers]


def test_nobody_pays_for_the_time_in_which_the_next_one_charged_there(idle_house: HouseOf) -> None:
    """Its status was lost: one that comes later ends both, and the first driver pays no idle time of the second."""
    idle_house.do(add_customer, AddCustomer("C2", name="Other"))
    idle_house.do(add_token, AddToken("CARD2", "C2"))

    assert driven_off_unseen(idle_house, "CARD2") == [300, 300 + 100]


def test_who_starts_again_without_leaving_pays_for_having_stood_there(idle_house: HouseOf) -> None:
    """A fee for idle time is not got round by another start."""
    assert driven_off_unseen(idle_house, "CARD1") == [300 + 300, 300 + 100]


def test_a_boot_touches_no_session(house: HouseOf) -> None:
    """What it queued while it was offline comes after."""
    wire = house.wire()
    transaction = wire.start()
    answer = house.do(boot_station, wire.booted())

    assert answer.registration == "Accepted"
    assert house.session(transaction).is_open
    assert house.rows.stations.get(wire.station_id).booted_at == house.now
