"""A driver with an account starts from the page at the post: as if they had shown their card there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict, NotFound
from tallywatt.stations.command import Action
from tallywatt.workflows.command_station import CommandStation
from tallywatt.workflows.cover_start import may_start
from tallywatt.workflows.fulfil_command import open_commands
from tallywatt.workflows.order_station import order_station

if TYPE_CHECKING:
    from tallywatt.stations.command import StationCommand
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class StartOwnSession:
    """Where the driver stands, and for which customer."""

    evse_code: str
    customer_id: str


def start_own_session(work: UnitOfWork, command: StartOwnSession) -> StationCommand:
    """Ask the station to start with the customer's newest token that is good; pressed twice, the same command."""
    evse = work.evses.one_by(code=command.evse_code)
    if evse is None:
        msg = f"there is no EVSE {command.evse_code}"
        raise NotFound(msg, code="evses.not_found")
    tokens = [one for one in work.tokens.by(customer_id=command.customer_id) if one.may_start(work.now)]
    if not tokens:
        msg = "this account has no card or tag that may start a session"
        raise Conflict(msg, code="tokens.none_good", remedy="pay by card here, or ask the operator for a charging card")
    if not may_start(work, command.customer_id):
        msg = "the balance or the limit of this account does not suffice for a session"
        raise Conflict(
            msg, code="payment.not_covered", remedy="top the balance up, store another way to pay, or pay by card here"
        )
    tag = max(tokens, key=lambda one: one.token_id).uid
    work.stations.lock(evse.station_id)  # pressed twice at the same moment, the second sees the first
    for earlier in open_commands(work, evse.station_id, Action.START):
        if earlier.evse_id == evse.evse_id and earlier.payload.get("tag") == tag:
            return earlier
    return order_station(work, CommandStation(evse.station_id, Action.START, {"tag": tag}, evse_id=evse.evse_id))
