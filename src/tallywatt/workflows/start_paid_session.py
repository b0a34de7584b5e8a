"""A hold is placed: ask the station to start, with a tag that is good for this one start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant
from tallywatt.payments.payment import PaymentState
from tallywatt.stations.command import Action
from tallywatt.workflows.add_customer import one_time_tag
from tallywatt.workflows.command_station import CommandStation, command_station

if TYPE_CHECKING:
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.stations.command import StationCommand
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class StartPaidSession:
    """The payment whose hold is placed."""

    payment_id: PaymentId


def start_paid_session(work: UnitOfWork, command: StartPaidSession) -> StationCommand | None:
    """The remote start for a held payment; None when there is nothing to start any more. One start a hold and place."""
    payment = work.payments.lock(command.payment_id)
    if payment.state is not PaymentState.AUTHORISED or payment.session_id is not None or payment.due_minor is not None:
        return None
    for earlier in work.station_commands.by(payment_id=payment.payment_id):
        if earlier.evse_id == payment.evse_id:
            return earlier
    assert payment.evse_id is not None, "an ad hoc payment knows its EVSE"
    evse = work.evses.get(payment.evse_id)
    seconds = work.operators.get().start_deadline_seconds
    tag = one_time_tag(work, payment.payment_id, Instant(work.now + 24 * 3600 * 1000))
    return command_station(
        work,
        CommandStation(
            evse.station_id,
            Action.START,
            {"tag": tag.uid},
            evse_id=evse.evse_id,
            payment_id=payment.payment_id,
            deadline_seconds=seconds,
        ),
    )
