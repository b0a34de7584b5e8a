"""A start is known by its content, gets a number above 0 whatever it says, and opens one session."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import PayerKind, SessionState
from tallywatt.stations.credentials import Knocked
from tallywatt.stations.station import StationState
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_station import knock
from tallywatt.workflows.plug_in import plug_in
from tests.workflows.house_of import MINUTE, NINE, HouseOf, Wire, kwh

if TYPE_CHECKING:
    from tallywatt.metering.facts import Started

NINETEEN_SEVENTY = Instant(3 * MINUTE)


def test_a_start_resent_five_times_after_a_crash_is_one_session(house: HouseOf) -> None:
    """The socket dropped before the reply and the server was killed; the station sends it again with new message ids."""
    wire = house.wire()
    told = [wire.started(NINE, kwh(1)) for _ in range(6)]
    first = house.do(plug_in, told[0])
    house.kill()

    again = [house.do(plug_in, fact).transaction_id for fact in told[1:]]

    assert int(first.transaction_id) > 0
    assert again == [first.transaction_id] * 5
    assert len(house.rows.sessions.by()) == 1
    assert len(house.rows.frames.by(action="StartTransaction")) == 6
    assert len(house.rows.station_facts.by(kind="start")) == 1


def test_a_start_in_one_group_with_its_resends_is_one_session(house: HouseOf) -> None:
    """All copies wait in the queue at once; the group must not see itself as new five times."""
    wire = house.wire()
    answers: list[object] = []
    for _ in range(5):
        house.writer.submit(house.operator, plug_in, wire.started(NINE), answers.append, actor="test")
    house.writer.step()

    assert [getattr(answer, "transaction_id", answer) for answer in answers] == ["1"] * 5
    assert len(house.rows.sessions.by()) == 1


def test_a_resend_after_the_stop_is_still_the_same_start(house: HouseOf) -> None:
    """With a clock that is set, the same content at the same second is the same start for ever."""
    wire = house.wire()
    transaction = wire.charge(kwh(2))

    assert wire.start(NINE) == transaction
    assert len(house.rows.sessions.by()) == 1
    house.adds_up()


def test_two_sessions_of_a_clock_frozen_in_1970_are_two(house: HouseOf) -> None:
    """The meter starts from 0 each time, so both starts have the same content; a resend of the second is the second."""
    wire = house.wire()
    first = wire.start(NINETEEN_SEVENTY)
    house.later(30)
    wire.stop(first, kwh(3), at=NINETEEN_SEVENTY)
    second = wire.start(NINETEEN_SEVENTY)
    resent = wire.start(NINETEEN_SEVENTY)
    house.later(30)
    wire.stop(second, kwh(3), at=NINETEEN_SEVENTY)
    third = wire.start(NINETEEN_SEVENTY)

    assert resent == second
    assert len({first, second, third}) == 3
    sessions = house.rows.sessions.by()
    assert len(sessions) == 3
    assert all(Flag.CLOCK_NOT_SET in session.flags for session in sessions)
    assert house.session(second).started_at == NINE + 30 * MINUTE, "the time of receipt stands in for a dead clock"
    house.adds_up()


def test_an_unknown_token_charges_on_nobodys_account_and_is_reported(house: HouseOf) -> None:
    """Energy that flows is never refused on form: it is stored, explained, and put before a person."""
    wire = house.wire()
    answer = wire.tell_start(wire.started(NINE, 0, "STRANGER"))
    house.later(30)
    wire.stop(answer.transaction_id, kwh(4))

    session = house.session(answer.transaction_id)
    assert answer.authorization == "Invalid"
    assert int(answer.transaction_id) > 0
    assert (session.payer, session.state) == (PayerKind.UNKNOWN, SessionState.HELD)
    assert Flag.UNKNOWN_TOKEN in session.flags
    assert [item.kind for item in house.inbox()] == ["unknown_payer"]
    assert house.adds_up()["explained_wh"] == {"unknown_payer": "4000"}


def test_a_token_is_known_in_whatever_case_the_reader_reports_it(house: HouseOf) -> None:
    """Readers report the same card in either case (OCPI Tokens: CiString)."""
    answer = house.wire().tell_start(house.wire().started(NINE, 0, " card1 "))

    assert answer.authorization == "Accepted"
    assert house.session(answer.transaction_id).payer is PayerKind.CUSTOMER


@pytest.mark.parametrize("change", ["token", "meter", "evse", "time"])
def test_a_start_that_differs_in_one_thing_is_another_start(quick_house: HouseOf, change: str) -> None:
    """The content is the key: each part of it counts."""
    wire = quick_house.wire()
    first = wire.started(NINE, 0)
    other: dict[str, Started] = {
        "token": wire.started(NINE, 0, "CARD2"),
        "meter": wire.started(NINE, kwh(1)),
        "evse": wire.started(NINE, 0, evse=2),
        "time": wire.started(Instant(NINE + 1000), 0),
    }

    one, two = quick_house.do_all(first, other[change])

    assert one.transaction_id != two.transaction_id


def test_a_start_whose_time_was_corrected_is_a_suggested_duplicate(house: HouseOf) -> None:
    """Same card, same register, nothing between, another time: a station that got its clock back and sent it again."""
    wire = house.wire()
    wire.start(NINE, kwh(5))
    wire.start(Instant(NINE + 7000), kwh(5))

    [item] = house.inbox("suggested_duplicate")
    assert item.session_id == house.session(1).session_id
    house.adds_up()


def test_transaction_ids_go_on_where_they_ended(house: HouseOf) -> None:
    """A number is never given twice, whatever dies in between."""
    wire = house.wire()
    first = wire.charge(kwh(1))
    house.kill()
    second = wire.start()

    assert int(second) == int(first) + 1


def test_each_station_has_numbers_of_its_own(house: HouseOf) -> None:
    """Two stations may use the same number, and their stops must not meet."""
    one, two = house.wire(), house.station("CP2")
    numbers = one.start(), two.start(token="STRANGER")
    house.later(30)
    two.stop(numbers[1], kwh(2))

    assert numbers == ("1", "1")
    states = {row.station_id: row.is_open for row in house.rows.sessions.by(transaction_id="1")}
    assert states == {one.station_id: True, two.station_id: False}


def test_a_start_without_tariff_is_held_and_not_billed(house_url: str) -> None:
    """A price that nobody offered is not charged afterwards."""
    with HouseOf(house_url) as house:
        house.furnish(tariff=None)
        transaction = house.wire().charge(kwh(2))

        assert house.session(transaction).state is SessionState.HELD
        assert Flag.NO_TARIFF in house.session(transaction).flags
        assert house.adds_up()["explained_wh"] == {"no_tariff": "2000"}


def test_a_station_in_quarantine_may_report_energy(house: HouseOf) -> None:
    """Nobody has adopted it yet, and its energy is real: a number above 0, a flag, and a person decides."""
    station = house.do(knock, Knocked("NEW", "hash", NINE))
    assert station is not None
    wire = Wire(house, station.station_id)
    answer = wire.tell_start(wire.started(NINE))

    assert station.state is StationState.QUARANTINED
    assert int(answer.transaction_id) > 0
    assert {Flag.STATION_QUARANTINED, Flag.UNKNOWN_EVSE} <= set(house.session(answer.transaction_id).flags)


def test_a_blocked_token_is_told_so_and_its_energy_is_owed_by_nobody_known(house: HouseOf) -> None:
    """Some stations charge all the same."""
    house.do(add_customer, AddCustomer("C9"))
    house.do(add_token, AddToken("OLD", "C9", valid_until=NINE))
    answer = house.wire().tell_start(house.wire().started(NINE, 0, "OLD"))

    assert answer.authorization == "Expired"
    assert Flag.REFUSED_TOKEN in house.session(answer.transaction_id).flags


def test_the_frame_is_kept_sealed(house: HouseOf) -> None:
    """What the station sent can be read again by whoever has the installation's key, and by nobody else."""
    fact = house.wire().started(NINE)
    house.do(plug_in, fact)

    [frame] = house.rows.frames.by(action="StartTransaction")

    assert b"CARD1" not in frame.sealed
    opened = house.vault.open(house.reader, house.operator, frame.key_id, frame.sealed)
    assert json.loads(opened)[3]["idTag"] == "CARD1"


def test_what_the_adapter_noticed_stays_with_the_session(house: HouseOf) -> None:
    """A message that broke its schema is flagged, never refused."""
    fact = house.wire().started(NINE)
    house.do(plug_in, replace(fact, heard=replace(fact.heard, flags=("schema",))))

    assert "schema" in house.session(1).flags


def test_a_start_of_a_dead_clock_has_its_reading_where_the_session_begins(house: HouseOf) -> None:
    """OCPP 2.x: the first register comes with the start. Kept at 1970 it was no reading of its frame for the audit."""
    wire = house.wire(protocol="ocpp2.0.1")
    wire.tell_start(wire.event_started(Instant(60_000), "tx-1", kwh(1)))
    house.later(30)
    house.do_all(wire.event_updated(house.now, "tx-1", 1, kwh(3)))
    house.later(30)
    house.do_all(wire.event_ended(house.now, "tx-1", 2, kwh(5)))

    session = house.session("tx-1")
    assert session.milliwatt_hours == kwh(4)
    first = min(house.rows.meter_readings.by(session_id=session.session_id), key=lambda one: one.occurred_at)
    assert first.occurred_at == session.started_at
    house.adds_up()
