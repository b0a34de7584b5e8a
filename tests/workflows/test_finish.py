"""From the last end to the bill: priced, numbered, booked and intended in one transaction, or held with its reason."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import SessionState
from tallywatt.workflows.finish import FinishSession, finish_session
from tallywatt.workflows.plug_in import plug_in
from tallywatt.workflows.unplug import unplug
from tests.migrated import copy_of
from tests.workflows.house_of import MINUTE, NINE, HouseOf, kwh

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def test_a_session_becomes_price_number_books_and_payment_at_once(house: HouseOf) -> None:
    """All of it in the transaction of the stop."""
    house.keep_a_card()
    transaction = house.wire().charge(kwh(10))

    session = house.session(transaction)
    [invoice], [result], [payment] = house.rows.invoices.by(), house.rows.rated_results.by(), house.rows.payments.by()
    assert session.state is SessionState.BILLED
    assert (invoice.number, invoice.gross_minor, invoice.tax_minor) == ("INV-2026-000001", 300, 50)
    assert result.milliwatt_hours == session.milliwatt_hours == kwh(10)
    assert (payment.due_minor, payment.invoice_id) == (300, invoice.invoice_id)
    assert {job.kind for job in house.rows.stored_jobs.by()} == {"print_invoice", "call_provider"}
    house.collect()
    assert house.adds_up()["captured_minor"] == 300


def test_a_reset_meter_is_held_with_what_both_counts_show(house: HouseOf) -> None:
    """What the reset swallowed is not guessed, and nobody pays before a person has looked."""
    wire = house.wire()
    transaction = wire.start(meter=kwh(100))
    wire.sample(transaction, (house.later(10), kwh(103)), (house.later(10), kwh(1)))
    house.later(10)
    wire.stop(transaction, kwh(2))

    session = house.session(transaction)
    assert (session.state, session.milliwatt_hours) == (SessionState.HELD, kwh(5))
    assert house.adds_up()["explained_wh"] == {"meter_reset": "5000"}
    assert [item.kind for item in house.inbox()] == ["meter_reset"]


def test_a_stop_in_whole_kilowatt_hours_takes_nothing_back(house: HouseOf) -> None:
    """The display of the station rounds down; the samples were finer."""
    wire = house.wire()
    transaction = wire.start()
    wire.sample(transaction, (house.later(30), 89_770_000 // 10))
    house.later(10)
    wire.stop(transaction, kwh(8))

    session = house.session(transaction)
    assert (session.state, session.milliwatt_hours) == (SessionState.BILLED, 8_977_000)
    assert Flag.STOP_ROUNDED in session.flags
    house.adds_up()


def test_more_than_the_evse_can_deliver_is_held(house: HouseOf) -> None:
    """22 kW for a quarter of an hour is not 200 kWh: a unit has gone wrong."""
    wire = house.wire()
    transaction = wire.start()
    house.later(15)
    wire.stop(transaction, kwh(200))

    session = house.session(transaction)
    assert session.state is SessionState.HELD
    assert Flag.IMPLAUSIBLE_ENERGY in session.flags
    assert house.adds_up()["explained_wh"] == {"implausible": "200000"}


def test_the_price_waits_for_the_vehicle_and_no_longer_than_policy_says(idle_house: HouseOf) -> None:
    """A vehicle that stays for days must not keep the bill open for ever."""
    house = idle_house
    wire = house.wire()
    transaction = wire.start()
    house.later(60)
    wire.stop(transaction, kwh(10))
    session = house.session(transaction)
    assert session.state is SessionState.ENDED
    [job] = house.rows.stored_jobs.by(kind="finish_session")
    assert job.run_at > house.now

    house.now = Instant(job.run_at)
    house.do(finish_session, FinishSession(session.session_id))

    session = house.session(transaction)
    assert session.state is SessionState.BILLED
    assert Flag.OCCUPANCY_LIMIT in session.flags
    house.adds_up()


def test_a_tariff_without_idle_price_does_not_wait(house: HouseOf) -> None:
    """Nothing that the vehicle does after the transaction changes the price."""
    transaction = house.wire().charge(kwh(1))

    assert house.session(transaction).state is SessionState.BILLED


def test_numbers_have_no_gap_when_two_processes_bill_at_once(postgresql_house_url: str) -> None:
    """Two writers on connections of their own number from one counter; whoever loses the race runs again."""
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        each = 12
        stations = [house.station(f"S{place}") for place in range(2)]
        house.later(60)
        answers: list[object] = []
        facts = [[wire.started(Instant(NINE + place), kwh(place)) for place in range(each)] for wire in stations]
        for starts in facts:
            for fact in starts:
                house.do(plug_in, fact)
        stops = [[wire.stopped(place + 1, house.now, kwh(place + 1)) for place in range(each)] for wire in stations]

        def bill(mine: int) -> None:
            writer = house.another_writer()
            for fact in stops[mine]:
                writer.submit(house.operator, unplug, fact, answers.append, actor="test")
                writer.step()
            writer.stop()

        threads = [threading.Thread(target=bill, args=(mine,)) for mine in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [one for one in answers if isinstance(one, Exception)] == []
        billed = [session for session in house.rows.sessions.by() if session.state is SessionState.BILLED]
        assert sorted(row.sequence for row in house.rows.invoices.by()) == [*range(1, len(billed) + 1)]
        assert len(billed) == 2 * each, "each stop came after the next start, and lifted the hold"
        house.adds_up()


@settings(max_examples=40)
@given(data=st.data())
def test_the_order_and_number_of_deliveries_changes_nothing(
    data: st.DataObject, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the network does to one station's messages after the start, the session is the same, and adds up."""
    with HouseOf(copy_of(migrated_file, tmp_path_factory.mktemp("order"))) as house:
        house.furnish()
        wire = house.wire()
        registers = [kwh(place) + place * 7000 for place in range(5)]
        times = [Instant(NINE + place * 20 * MINUTE) for place in range(5)]
        transaction = wire.start(times[0], registers[0])
        house.later(100)
        made: list[Callable[[], object]] = [
            partial(wire.sampled, transaction, (times[place], registers[place])) for place in range(1, 4)
        ]
        made.append(partial(wire.stopped, transaction, times[4], registers[4]))
        made.append(partial(wire.started, times[0], registers[0]))
        made.append(partial(wire.status, "Available", Instant(times[4] + MINUTE)))
        order = data.draw(st.permutations(range(len(made))))
        doubled = data.draw(st.lists(st.sampled_from(range(len(made))), max_size=4))
        for place in [*order, *doubled]:
            house.do_all(made[place]())

        session = house.session(transaction)
        assert session.state is SessionState.BILLED
        assert session.milliwatt_hours == registers[4]
        assert len(house.rows.sessions.by()) == len(house.rows.invoices.by()) == 1
        assert house.adds_up()["billed_minor"] == house.rows.invoices.by()[0].gross_minor


@settings(max_examples=40)
@given(data=st.data())
def test_the_order_of_transaction_events_changes_nothing(
    data: st.DataObject, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """OCPP 2.0.1: even the start may come last, and twice."""
    with HouseOf(copy_of(migrated_file, tmp_path_factory.mktemp("events"))) as house:
        house.furnish()
        wire = house.wire(protocol="ocpp2.0.1")
        times = [Instant(NINE + place * 20 * MINUTE) for place in range(4)]
        registers = [kwh(5), kwh(6), kwh(8), kwh(9)]
        house.later(100)
        made: list[Callable[[], object]] = [
            partial(wire.event_started, times[0], "T-1", registers[0]),
            partial(wire.event_updated, times[1], "T-1", 1, registers[1], "CARD1"),
            partial(wire.event_updated, times[2], "T-1", 2, registers[2], "CARD1"),
            partial(wire.event_ended, times[3], "T-1", 3, registers[3], "CARD1"),
        ]
        order = data.draw(st.permutations(range(len(made))))
        doubled = data.draw(st.lists(st.sampled_from(range(len(made))), max_size=3))
        for place in [*order, *doubled]:
            house.do_all(made[place]())

        session = house.session("T-1")
        assert (session.state, session.milliwatt_hours) == (SessionState.BILLED, kwh(4))
        assert (session.started_at, session.transaction_ended_at) == (times[0], times[3])
        assert len(house.rows.sessions.by()) == len(house.rows.invoices.by()) == 1
        house.adds_up()
