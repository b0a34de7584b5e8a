"""A session from elsewhere, told in one piece: by an API caller, by a CSV export. Priced and billed like the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.customers.customer import fold
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import SessionId, natural_key
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import Evidence, MeterReading, PayerKind, Session, SessionState, Source
from tallywatt.stations.station import Role
from tallywatt.workflows.finish import finish_when_ready
from tallywatt.workflows.listen import with_flags
from tallywatt.workflows.name_token import with_safe_token
from tallywatt.workflows.offer_price import new_offer
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.who_pays import find_token, roles_at, who_owes

if TYPE_CHECKING:
    from tallywatt.stations.station import Evse, Station
    from tallywatt.workflows.ports import UnitOfWork

LONGEST_UPSTREAM_ID: Final = 64
LONGEST_SESSION_MS: Final = 31 * 24 * 3600 * 1000
LARGEST_SESSION: Final = 10_000_000_000
"""10 MWh in milliwatt-hours: more is a unit gone wrong."""
AHEAD_MS: Final = 24 * 3600 * 1000
"""How far in the future an end may lie before it is a mistake."""
REPORTED: Final = "Reported"
"""The context of a reading that somebody else worked out."""


@dataclass(frozen=True, slots=True)
class BringSession:
    """What is told. The place is an EVSE's code, or a station with an EVSE's number; the payer a token or a customer."""

    source: Source
    upstream_id: str
    started_at: Instant
    ended_at: Instant
    milliwatt_hours: int
    evse_code: str | None = None
    station: str | None = None
    """The station's identity."""
    evse_number: int = 1
    token_uid: str | None = None
    customer_reference: str | None = None
    energy_ended_at: Instant | None = None
    occupancy_ended_at: Instant | None = None
    """When the vehicle left; None: when the transaction ended."""
    flags: tuple[str, ...] = ()


def bring_session(work: UnitOfWork, command: BringSession) -> Session:
    """The session, billed or held. The same upstream id again is the same session; with another content it is a conflict."""
    command = with_safe_token(work, command)
    _check(work, command)
    station, evse = _place(work, command)
    payer, payer_id, flags = _payer(work, command)
    known = work.sessions.one_by(source=command.source.value, upstream_id=command.upstream_id)
    if known is not None:
        return _same(known, command, evse)
    # A code that was entered today is not for a session of last week.
    begun = command.started_at
    offer = new_offer(work, station, evse, begun, (payer, payer_id), entered_until=begun)
    roles = roles_at(work, evse, command.started_at)
    session = Session(
        session_id=SessionId(work.draw.id("session")),
        source=command.source,
        upstream_id=command.upstream_id,
        start_key=natural_key("brought", command.source.value, command.upstream_id),
        evidence=Evidence.REPORTED,
        station_id=station.station_id,
        evse_id=evse.evse_id,
        connector_number=None,
        transaction_id=None,
        token_uid=fold(command.token_uid) if command.token_uid else None,
        payer=payer,
        payer_id=payer_id,
        payment_id=None,
        merchant_party_id=roles.get(Role.MERCHANT),
        owner_party_id=roles.get(Role.OWNER),
        payee_party_id=roles.get(Role.PAYEE),
        offer_id=offer.offer_id if offer else None,
        state=SessionState.ENDED,
        zone=offer.zone if offer else work.operators.get().zone,
        started_at=command.started_at,
        energy_ended_at=command.energy_ended_at,
        transaction_ended_at=command.ended_at,
        occupancy_ended_at=command.occupancy_ended_at or command.ended_at,
        # What is told is a quantity, not a register: it is kept as a register that began at nothing.
        meter_start=0,
        meter_stop=command.milliwatt_hours,
        milliwatt_hours=command.milliwatt_hours,
        last_register=command.milliwatt_hours,
        last_reading_at=command.ended_at,
        sequence_number=None,
        stop_reason=None,
        stopped_by=None,
        rated_id=None,
        invoice_id=None,
        flags=with_flags(command.flags, *flags),
        driver_secret=work.draw.token("driver", 26),
        start_frame_id=None,
        stop_frame_id=None,
        received_at=work.machine_now,
        booked_at=work.now,
    )
    if not work.sessions.add(session):
        msg = f"session {command.upstream_id!r} is being brought by somebody else at this moment"
        raise Conflict(msg, code="sessions.brought_twice", remedy="send it again")
    _note_end_of_energy(work, session, command)
    data = {"source": session.source.value, "station_id": session.station_id, "evse_id": session.evse_id}
    work.events.append(Event("session", session.session_id, "SessionBrought", data))
    record_action(work, "session.bring", "session", session.session_id, after={"upstream_id": command.upstream_id})
    return finish_when_ready(work, session)


def _check(work: UnitOfWork, command: BringSession) -> None:
    """What cannot be meant is refused: whoever brings it can mend it."""
    if not 0 < len(command.upstream_id) <= LONGEST_UPSTREAM_ID:
        msg = f"the session's id at its source has 1 to {LONGEST_UPSTREAM_ID} characters"
        raise BadInput(msg, code="sessions.bad_upstream_id")
    energy_ended_at = command.energy_ended_at or command.ended_at
    left_at = command.occupancy_ended_at or command.ended_at
    if not command.started_at <= energy_ended_at <= command.ended_at <= left_at:
        msg = "the times are not in order: start, end of energy, end, vehicle left"
        raise BadInput(msg, code="sessions.times_not_in_order")
    if left_at - command.started_at > LONGEST_SESSION_MS or left_at > max(work.now, work.machine_now) + AHEAD_MS:
        msg = "the session is longer than a month, or ends in the future"
        raise BadInput(msg, code="sessions.times_not_credible")
    if not 0 <= command.milliwatt_hours <= LARGEST_SESSION:
        msg = "the energy is below zero, or more than any session takes"
        raise BadInput(msg, code="sessions.energy_not_credible", remedy="give it in watt-hours")


def _place(work: UnitOfWork, command: BringSession) -> tuple[Station, Evse]:
    if command.evse_code is not None:
        evse = work.evses.one_by(code=command.evse_code)
        named = command.evse_code
    elif command.station is not None:
        station = work.stations.one_by(identity=command.station)
        named = f"{command.station}/{command.evse_number}"
        number = command.evse_number
        evse = work.evses.one_by(station_id=station.station_id, number=number) if station is not None else None
    else:
        msg = "say where it was: an EVSE's code, or a station and the EVSE's number"
        raise BadInput(msg, code="sessions.no_place")
    if evse is None:
        msg = f"there is no EVSE {named}"
        raise NotFound(msg, code="evses.not_found")
    return work.stations.get(evse.station_id), evse


def _payer(work: UnitOfWork, command: BringSession) -> tuple[PayerKind, str | None, tuple[Flag, ...]]:
    """Who owes. Nobody known is no reason to refuse energy that has flowed: it is held."""
    if command.customer_reference is not None:
        customer = work.customers.one_by(reference=command.customer_reference)
        if customer is None:
            msg = f"there is no customer {command.customer_reference!r}"
            raise NotFound(msg, code="customers.not_found", remedy="add it first: tallywatt customer add")
        return PayerKind.CUSTOMER, customer.customer_id, ()
    token = find_token(work, fold(command.token_uid) if command.token_uid else None)
    payer, payer_id = who_owes(work, token)
    if payer is PayerKind.AD_HOC:
        # A one-time tag belongs to the start that was paid for, not to a report of it.
        payer, payer_id = PayerKind.UNKNOWN, None
    if token is None:
        return payer, payer_id, (Flag.UNKNOWN_TOKEN,)
    return payer, payer_id, (Flag.REFUSED_TOKEN,) if payer is PayerKind.UNKNOWN else ()


def _same(known: Session, command: BringSession, evse: Evse) -> Session:
    token_uid = fold(command.token_uid) if command.token_uid else None
    told = (command.started_at, command.ended_at, command.milliwatt_hours, evse.evse_id, token_uid)
    if told != (known.started_at, known.transaction_ended_at, known.meter_stop, known.evse_id, known.token_uid):
        msg = f"session {command.upstream_id!r} was brought before, with other values"
        raise Conflict(
            msg, code="sessions.brought_differently", remedy="a correction is a new session or a credit note"
        )
    return known


def _note_end_of_energy(work: UnitOfWork, session: Session, command: BringSession) -> None:
    at = command.energy_ended_at
    if at is None or at == command.ended_at or command.milliwatt_hours == 0:
        return
    register = command.milliwatt_hours
    key = natural_key(at, register, REPORTED)
    work.meter_readings.add(MeterReading(session.session_id, key, at, register, None, REPORTED, work.machine_now, None))
