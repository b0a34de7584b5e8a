"""An EVSE is reserved for a driver, or a reservation is given up: asked for by a person, carried out by the station."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.customers.customer import fold
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import (
    EvseId,  # commands travel over the control socket, and their types are read there
    StationId,
)
from tallywatt.stations.command import Action
from tallywatt.stations.messages import OLD
from tallywatt.stations.reservation import (
    CANCEL,
    GRACE_MS,
    OPEN,
    RESERVE,
    Reservation,
    ReservationState,
    Wanted,
    capability_of,
    fits,
    reserving,
)
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.name_token import safe_uid
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.who_pays import find_token

if TYPE_CHECKING:
    from tallywatt.customers.customer import Token
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.station import Evse, Station
    from tallywatt.workflows.ports import UnitOfWork

WATCH_RESERVATION: Final = "watch_reservation"
"""Job: the time of a reservation has passed."""
SHORTEST_MINUTES: Final = 1
LONGEST_MINUTES: Final = 24 * 60
LONGEST_TYPE: Final = 20


@dataclass(frozen=True, slots=True)
class Reserve:
    """Where, for whom (a token, or a customer's newest one that is good), and for how long."""

    station_id: StationId
    minutes: int
    evse_id: EvseId | None = None
    connector_type: str | None = None
    token_uid: str | None = None
    customer_reference: str | None = None


def reserve(work: UnitOfWork, command: Reserve) -> Reservation:
    """Write the reservation down and ask the station for it; only its answer makes it one."""
    station = work.stations.lock(command.station_id)
    if not SHORTEST_MINUTES <= command.minutes <= LONGEST_MINUTES:
        msg = f"a reservation lasts {SHORTEST_MINUTES} to {LONGEST_MINUTES} minutes"
        raise BadInput(msg, code="reservations.bad_time")
    evse = work.evses.get(command.evse_id) if command.evse_id is not None else None
    if evse is not None and evse.station_id != station.station_id:
        msg = f"EVSE {evse.code} is not of station {station.identity}"
        raise BadInput(msg, code="reservations.other_station")
    token = _token(work, command)
    _check_station(work, station, evse, command, token)
    _check_free(work, station, evse)
    number = work.queries.last_reservation_number(station.station_id) + 1
    expires_at = Instant((work.machine_now // 1000 + command.minutes * 60) * 1000)
    kind = "ISO14443" if token.type == "RFID" else "Central"
    place = evse.number if evse is not None else None
    wanted = Wanted(number, expires_at, token.uid, kind, token.group_uid, place, command.connector_type)
    told = _tell(work, station, RESERVE, reserving(station.protocol, wanted), evse)
    row = Reservation(
        reservation_id=work.draw.id("reservation"),
        station_id=station.station_id,
        number=number,
        evse_id=command.evse_id,
        connector_type=command.connector_type,
        token_id=token.token_id,
        customer_id=token.customer_id,
        state=ReservationState.REQUESTED,
        is_watched=True,
        command_id=told.command_id,
        cancel_command_id=None,
        requested_at=work.machine_now,
        reserved_at=None,
        expires_at=expires_at,
        ended_at=None,
        kept_from=None,
        session_id=None,
        reason=None,
        requested_by=work.actor,
    )
    work.reservations.add(row)
    work.jobs.add(Job(WATCH_RESERVATION, row.reservation_id, not_before=Instant(expires_at + GRACE_MS)))
    noted = {"station_id": row.station_id, "evse_id": row.evse_id, "number": row.number}
    work.events.append(Event("reservation", row.reservation_id, "ReservationRequested", noted))
    record_action(work, "reservation.create", "reservation", row.reservation_id, after=noted)
    return row


def _tell(
    work: UnitOfWork, station: Station, name: str, content: dict[str, object], evse: Evse | None
) -> StationCommand:
    asked = CommandStation(
        station.station_id,
        Action.MESSAGE,
        {"name": name, "content": content},
        evse_id=evse.evse_id if evse is not None else None,
    )
    return command_station(work, asked)


def _token(work: UnitOfWork, command: Reserve) -> Token:
    """For whom: only a token that may start a session later may keep an EVSE from others now."""
    if (command.token_uid is None) == (command.customer_reference is None):
        msg = "say for whom: a token, or a customer"
        raise BadInput(msg, code="reservations.for_whom", remedy="name one of both")
    if command.token_uid is not None:
        found = find_token(work, fold(safe_uid(work, command.token_uid)))
        if found is None:
            msg = "there is no such token"
            raise NotFound(msg, code="tokens.not_found")
        good = [found] if found.may_start(work.now) and found.customer_id is not None else []
    else:
        customer = work.customers.one_by(reference=command.customer_reference)
        if customer is None:
            msg = f"there is no customer {command.customer_reference!r}"
            raise NotFound(msg, code="customers.not_found")
        good = [one for one in work.tokens.by(customer_id=customer.customer_id) if one.may_start(work.now)]
    if not good:
        msg = "nothing of this customer's may start a session"
        raise Conflict(msg, code="tokens.none_good", remedy="add a token, or unblock it")
    return max(good, key=lambda one: one.token_id)


def _check_station(work: UnitOfWork, station: Station, evse: Evse | None, command: Reserve, token: Token) -> None:
    """What a station is known not to do is not asked of it."""
    if station.protocol is None:
        msg = f"station {station.identity} has not told yet in which version it speaks"
        raise Conflict(msg, code="reservations.version_unknown", remedy="wait until it has connected once")
    can = capability_of(station.protocol, work.station_variables.by(station_id=station.station_id))
    if can.is_on is False:
        msg = f"station {station.identity} takes no reservations"
        raise Conflict(msg, code="reservations.not_supported", remedy="switch them on in its configuration")
    if evse is None and can.any_evse is not True:
        msg = f"station {station.identity} has not said that it keeps any of its EVSEs"
        remedy = "name an EVSE, or read its configuration again"
        raise Conflict(msg, code="reservations.needs_evse", remedy=remedy)
    if command.connector_type is not None:
        if station.protocol == OLD or evse is not None:
            msg = "a type of connector is asked for without an EVSE, and in OCPP 2.x"
            raise BadInput(msg, code="reservations.no_types", remedy="name the EVSE alone")
        if not 0 < len(command.connector_type) <= LONGEST_TYPE:
            msg = "this is no type of connector"
            raise BadInput(msg, code="reservations.bad_type", remedy="as in OCPP: cType2, cCCS2, sType2")
    if not fits(station.protocol, token.uid):
        msg = f"{station.protocol} has no room for the number of this token"
        raise Conflict(msg, code="reservations.token_too_long")


def _check_free(work: UnitOfWork, station: Station, evse: Evse | None) -> None:
    """An EVSE is kept for one at a time, and a station keeps as many as it has."""
    held = [
        one
        for one in work.reservations.by(station_id=station.station_id, is_watched=1)
        if one.is_open and one.expires_at > work.machine_now
    ]
    places = len(work.evses.by(station_id=station.station_id))
    if len(held) >= places or (evse is not None and any(one.evse_id == evse.evse_id for one in held)):
        msg = "it is reserved already" if evse is not None else "all EVSEs of this station are reserved already"
        raise Conflict(msg, code="reservations.taken", remedy="cancel the reservation, or choose another EVSE")


@dataclass(frozen=True, slots=True)
class CancelReservation:
    """Which one."""

    reservation_id: str


def cancel_reservation(work: UnitOfWork, command: CancelReservation) -> Reservation:
    """Ask the station to give it up; pressed twice, it is asked once. It holds until the station has answered."""
    held = work.reservations.lock(command.reservation_id)
    if held.state is ReservationState.CANCELLED:
        return held
    if held.state not in OPEN:
        msg = f"the reservation is {held.state.value}"
        raise Conflict(msg, code="reservations.over")
    if held.cancel_command_id is not None:
        asked = work.station_commands.find(held.cancel_command_id)
        if asked is not None and asked.is_open:
            return held
    station = work.stations.get(held.station_id)
    told = _tell(work, station, CANCEL, {"reservationId": held.number}, None)
    after = work.reservations.put(replace(held, cancel_command_id=told.command_id))
    work.events.append(Event("reservation", held.reservation_id, "ReservationCancelAsked"))
    record_action(work, "reservation.cancel", "reservation", held.reservation_id, before={"state": held.state.value})
    return after
