"""A driver stops the session that is theirs: whoever paid for it, or whose account owes for it. Nobody else's link can."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict, NotAllowed
from tallywatt.metering.session import PayerKind
from tallywatt.stations.command import Action
from tallywatt.workflows.command_station import CommandStation
from tallywatt.workflows.fulfil_command import open_commands
from tallywatt.workflows.order_station import order_station

if TYPE_CHECKING:
    from tallywatt.kernel.identity import SessionId
    from tallywatt.metering.session import Session
    from tallywatt.stations.command import StationCommand
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class StopOwnSession:
    """What a driver can show: the secret of the payment that started the session, or the customers they act for."""

    session_id: SessionId
    payment_secret: str | None = None
    customers: tuple[str, ...] = ()


def stop_own_session(work: UnitOfWork, command: StopOwnSession) -> StationCommand:
    """Ask the station to stop; while it has been asked and has not answered, the same command again."""
    session = work.sessions.lock(command.session_id)  # pressed twice at the same moment, the second sees the first
    if not is_theirs(work, session, command):
        msg = "this session was started by somebody else, or in another browser"
        raise NotAllowed(
            msg, code="sessions.not_yours", remedy="stop at the vehicle, or with the card that you started with"
        )
    if session.station_id is None or not session.is_open:
        msg = "this session is not running any more"
        raise Conflict(msg, code="sessions.not_running")
    for earlier in open_commands(work, session.station_id, Action.STOP):
        if earlier.session_id == session.session_id:
            return earlier
    return order_station(work, CommandStation(session.station_id, Action.STOP, session_id=session.session_id))


def is_theirs(work: UnitOfWork, session: Session, command: StopOwnSession) -> bool:
    """Whether what they show opens this session."""
    if session.payer is PayerKind.CUSTOMER and session.payer_id is not None and session.payer_id in command.customers:
        return True
    if command.payment_secret is None or session.payment_id is None:
        return False
    secret = work.payments.get(session.payment_id).driver_secret
    return secret is not None and hmac.compare_digest(secret.encode(), command.payment_secret.encode())
