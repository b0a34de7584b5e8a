"""Commands to stations are followed to their end: accepted is not started, and a hold for nothing goes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.money import Money, currency
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import PayerKind, SessionState
from tallywatt.payments.payment import PaymentState
from tallywatt.stations.command import Action, CommandState
from tallywatt.stations.credentials import Knocked
from tallywatt.workflows.add_station import knock
from tallywatt.workflows.command_station import (
    CommandAnswered,
    CommandStation,
    WatchCommand,
    command_answered,
    command_station,
    watch_command,
)
from tallywatt.workflows.pay_ad_hoc import PayAdHoc, pay_ad_hoc
from tallywatt.workflows.plug_in import plug_in
from tallywatt.workflows.ports import LinkAnswer
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tests.workflows.house_of import NINE, HouseOf, kwh

if TYPE_CHECKING:
    from tallywatt.payments.payment import Payment
    from tallywatt.stations.command import StationCommand


def paid(house: HouseOf) -> tuple[Payment, StationCommand]:
    """A driver without an account has placed a hold of 20.00, and the station is asked to start."""
    [evse] = house.rows.evses.by(code="GB*TWA*ECP1*1")
    asked = PayAdHoc(evse.evse_id, Money(2000, currency("GBP")), "Depot", "http://ok", "http://no")
    payment = house.do(pay_ad_hoc, asked)
    house.collect()
    command = house.do(start_paid_session, StartPaidSession(payment.payment_id))
    assert command is not None
    return payment, command


def answered(house: HouseOf, command: StationCommand, outcome: str, detail: str | None = None) -> CommandState:
    """The station has answered; where the command stands."""
    return house.do(command_answered, CommandAnswered(command.command_id, LinkAnswer(outcome, detail))).state


def test_a_remote_start_without_a_card_uses_its_tag_once(house: HouseOf) -> None:
    """At most 20 characters, drawn, and worth nothing after its one transaction."""
    payment, command = paid(house)
    tag = str(command.payload["tag"])
    assert len(tag) <= 20
    assert answered(house, command, "accepted") is CommandState.ACCEPTED
    wire = house.wire()
    first = wire.tell_start(wire.started(house.now, 0, tag))
    assert first.authorization == "Accepted"
    assert house.rows.station_commands.get(command.command_id).state is CommandState.COMPLETED
    house.later(30)
    wire.stop(first.transaction_id, kwh(2))
    house.collect()

    again = wire.tell_start(wire.started(house.later(1), kwh(2), tag))

    assert again.authorization == "Invalid"
    assert house.session(again.transaction_id).payer is PayerKind.UNKNOWN
    assert Flag.REFUSED_TOKEN in house.session(again.transaction_id).flags
    assert house.rows.payments.get(payment.payment_id).captured_minor == 60
    house.adds_up()


def test_accepted_and_never_started_expires_and_gives_the_hold_back(house: HouseOf) -> None:
    """The driver has paid and never plugged in."""
    payment, command = paid(house)
    answered(house, command, "accepted")
    house.now = Instant(command.deadline_at)

    assert house.do(watch_command, WatchCommand(command.command_id)).state is CommandState.EXPIRED

    house.collect()
    assert house.rows.payments.get(payment.payment_id).state is PaymentState.VOIDED
    assert house.adds_up()["voided"] == 1


def test_a_refused_start_gives_the_hold_back_at_once(house: HouseOf) -> None:
    """Nobody waits for a deadline that will not help."""
    payment, command = paid(house)

    assert answered(house, command, "rejected", "Rejected") is CommandState.REJECTED

    house.collect()
    assert house.rows.payments.get(payment.payment_id).state is PaymentState.VOIDED
    house.adds_up()


def test_the_deadline_of_a_started_session_changes_nothing(house: HouseOf) -> None:
    """The watch comes after the start."""
    payment, command = paid(house)
    answered(house, command, "accepted")
    wire = house.wire()
    transaction = wire.start(token=str(command.payload["tag"]))
    house.now = Instant(command.deadline_at)
    house.do(watch_command, WatchCommand(command.command_id))

    assert house.rows.station_commands.get(command.command_id).state is CommandState.COMPLETED
    assert house.session(transaction).payment_id == payment.payment_id
    assert house.rows.payments.get(payment.payment_id).state is PaymentState.AUTHORISED


def test_a_watch_before_the_deadline_waits(house: HouseOf) -> None:
    """The job may run early by a clock that was set."""
    _, command = paid(house)

    assert house.do(watch_command, WatchCommand(command.command_id)).is_open


def test_a_start_after_the_hold_was_given_back_is_owed_by_nobody_known(house: HouseOf) -> None:
    """The vehicle plugged in too late: the energy is real, and nobody has agreed to pay for it."""
    _, command = paid(house)
    house.now = Instant(command.deadline_at)
    house.do(watch_command, WatchCommand(command.command_id))
    house.collect()
    wire = house.wire()
    transaction = wire.start(token=str(command.payload["tag"]))
    house.later(30)
    wire.stop(transaction, kwh(1))

    session = house.session(transaction)
    assert (session.payer, session.state) == (PayerKind.UNKNOWN, SessionState.HELD)
    house.adds_up()


def test_the_same_paid_start_is_commanded_once(house: HouseOf) -> None:
    """The job may run twice."""
    payment, command = paid(house)

    assert house.do(start_paid_session, StartPaidSession(payment.payment_id)) == command
    assert len(house.rows.station_commands.by()) == 1


def test_a_remote_start_of_ocpp_2_is_known_by_its_number(house: HouseOf) -> None:
    """The station may name nobody: the number leads to the tag, and the tag to who pays."""
    payment, command = paid(house)
    wire = house.wire(protocol="ocpp2.0.1")
    heard, found = wire.event("Started", NINE, "T-9", 0, 0)
    fact = wire.event_started(NINE, "T-9")
    fact = type(fact)(
        heard,
        NINE,
        1,
        1,
        None,
        None,
        "T-9",
        0,
        remote_start_id=command.remote_start_id,
        sequence_number=0,
        samples=found,
    )
    house.do(plug_in, fact)

    assert house.session("T-9").payment_id == payment.payment_id
    assert house.rows.station_commands.get(command.command_id).session_id == house.session("T-9").session_id


def test_a_start_with_a_card_of_ocpp_1_6_is_done_when_its_transaction_has_begun(house: HouseOf) -> None:
    """1.6 names no number of the command: card and EVSE tell. A start at the other EVSE, or of another card, is not it."""
    wire = house.wire()
    evse = house.rows.evses.one_by(station_id=wire.station_id, number=1)
    assert evse is not None, "the station has two"
    asked = CommandStation(wire.station_id, Action.START, {"tag": "card1"}, evse_id=evse.evse_id)
    command = house.do(command_station, asked)
    answered(house, command, "accepted")

    wire.tell_start(replace(wire.started(house.now, 0, "CARD1"), evse_number=2, connector_number=2))
    wire.tell_start(wire.started(house.later(1), kwh(1), "CARD2"))
    assert house.rows.station_commands.get(command.command_id).state is CommandState.ACCEPTED

    transaction = wire.tell_start(wire.started(house.later(1), kwh(2), "CARD1")).transaction_id
    done = house.rows.station_commands.get(command.command_id)
    assert (done.state, done.session_id) == (CommandState.COMPLETED, house.session(transaction).session_id)


def test_a_stop_is_done_when_its_transaction_has_ended(house: HouseOf) -> None:
    """Accepted by the station is one thing, the StopTransaction another."""
    wire = house.wire()
    transaction = wire.start()
    session = house.session(transaction)
    command = house.do(command_station, CommandStation(wire.station_id, Action.STOP, session_id=session.session_id))
    assert command.payload["transaction_id"] == transaction
    assert answered(house, command, "accepted") is CommandState.ACCEPTED
    house.later(0.5)
    wire.stop(transaction, kwh(1))

    assert house.rows.station_commands.get(command.command_id).state is CommandState.COMPLETED


def test_a_stop_that_nothing_came_of_expires(house: HouseOf) -> None:
    """And the session goes on: nobody pretends that it ended."""
    wire = house.wire()
    transaction = wire.start()
    command = house.do(
        command_station, CommandStation(wire.station_id, Action.STOP, session_id=house.session(transaction).session_id)
    )
    answered(house, command, "accepted")
    house.now = Instant(command.deadline_at)

    assert house.do(watch_command, WatchCommand(command.command_id)).state is CommandState.EXPIRED
    assert house.session(transaction).is_open


@pytest.mark.parametrize("action", [Action.RESET, Action.UNLOCK, Action.AVAILABILITY])
def test_other_commands_are_done_when_they_are_accepted(quick_house: HouseOf, action: Action) -> None:
    """There is nothing further to wait for."""
    command = quick_house.do(command_station, CommandStation(quick_house.wire().station_id, action))

    assert answered(quick_house, command, "accepted") is CommandState.COMPLETED
    assert answered(quick_house, command, "rejected") is CommandState.COMPLETED, "a second answer changes nothing"


def test_what_cannot_be_asked_is_said_at_once(quick_house: HouseOf) -> None:
    """A station in quarantine, a start without a tag, a stop of what does not run."""
    house = quick_house
    stranger = house.do(knock, Knocked("NEW", "hash", NINE))
    assert stranger is not None
    transaction = house.wire().charge(kwh(1))
    station_id = house.wire().station_id
    for command, error, code in (
        (CommandStation(stranger.station_id, Action.RESET), Conflict, "stations.not_adopted"),
        (CommandStation(station_id, Action.START), BadInput, "stations.no_tag"),
        (
            CommandStation(station_id, Action.STOP, session_id=house.session(transaction).session_id),
            Conflict,
            "sessions.not_running",
        ),
    ):
        with pytest.raises(error) as caught:
            house.do(command_station, command)
        assert caught.value.code == code


def test_a_command_leaves_a_job_to_send_it_and_one_to_watch_it(quick_house: HouseOf) -> None:
    """Both written with it: no crash can lose the one and keep the other."""
    command = quick_house.do(command_station, CommandStation(quick_house.wire().station_id, Action.RESET))

    jobs = {job.kind: job for job in quick_house.rows.stored_jobs.by(subject_id=command.command_id)}
    assert set(jobs) == {"send_command", "watch_command"}
    assert jobs["watch_command"].run_at == command.deadline_at
