"""Nobody came: what a reservation costs then, if the tariff has a price for it, is billed as a session without energy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import SessionId, natural_key
from tallywatt.metering.metered import MeteredSession
from tallywatt.metering.session import Evidence, PayerKind, Session, SessionState, Source
from tallywatt.rating.choose import choose_tariff
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.results import price
from tallywatt.stations.station import Role
from tallywatt.workflows.finish import finish_when_ready
from tallywatt.workflows.freeze_price import frozen
from tallywatt.workflows.offer_price import assignments_for, new_offer, place_of, policy_of, who_is
from tallywatt.workflows.who_pays import roles_at

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.stations.reservation import Reservation
    from tallywatt.stations.station import Evse, Station
    from tallywatt.workflows.offer_price import Payer
    from tallywatt.workflows.ports import UnitOfWork


def bill_reservation(work: UnitOfWork, held: Reservation) -> Reservation:
    """The reservation, with the session by which it is charged where its tariff says so. Only what was kept is charged."""
    if held.session_id is not None or held.reserved_at is None or held.customer_id is None:
        return held
    station = work.stations.get(held.station_id)
    payer = PayerKind.CUSTOMER, held.customer_id
    begun, over = held.reserved_at, min(held.expires_at, held.ended_at or held.expires_at)
    if over <= begun or work.customers.find(held.customer_id) is None:
        # Its end was told before its beginning: for how long it was kept is not known.
        return held
    named = held.evse_id
    evse = work.evses.find(named) if named is not None else _least_dear(work, station, (begun, over), payer)
    if evse is None:
        return held
    offer = new_offer(work, station, evse, begun, payer, entered_until=begun)
    if offer is None or not _prices_reservations(work, offer.tariff_version_id):
        return held
    roles = roles_at(work, evse, begun)
    session = Session(
        session_id=SessionId(work.draw.id(f"session/{held.reservation_id}")),
        source=Source.API,
        upstream_id=f"reservation/{held.reservation_id}",
        start_key=natural_key("reservation", held.reservation_id),
        evidence=Evidence.REPORTED,
        station_id=station.station_id,
        evse_id=evse.evse_id,
        connector_number=None,
        transaction_id=None,
        token_uid=None,
        payer=PayerKind.CUSTOMER,
        payer_id=held.customer_id,
        payment_id=None,
        merchant_party_id=roles.get(Role.MERCHANT),
        owner_party_id=roles.get(Role.OWNER),
        payee_party_id=roles.get(Role.PAYEE),
        offer_id=offer.offer_id,
        state=SessionState.ENDED,
        zone=offer.zone,
        started_at=over,
        energy_ended_at=over,
        transaction_ended_at=over,
        occupancy_ended_at=over,
        meter_start=0,
        meter_stop=0,
        milliwatt_hours=0,
        last_register=0,
        last_reading_at=over,
        sequence_number=None,
        stop_reason=None,
        stopped_by=None,
        rated_id=None,
        invoice_id=None,
        flags=(),
        driver_secret=work.draw.token("driver", 26),
        start_frame_id=None,
        stop_frame_id=None,
        received_at=work.machine_now,
        booked_at=work.now,
        reservation_id=held.reservation_id,
    )
    if not work.sessions.add(session):
        return held
    after = work.reservations.put(replace(held, session_id=session.session_id, kept_from=held.reserved_at))
    data = {"source": session.source.value, "station_id": session.station_id, "evse_id": session.evse_id}
    work.events.append(Event("session", session.session_id, "SessionBrought", data))
    finish_when_ready(work, session)
    return after


def _least_dear(work: UnitOfWork, station: Station, kept: tuple[Instant, Instant], payer: Payer) -> Evse | None:
    """Any EVSE was kept, and nobody knows which: the one at which a driver who did not come pays least; of equals the first."""
    begun, over = kept
    policy, operator = policy_of(work), work.operators.get()
    location = work.locations.find(station.location_id) if station.location_id else None
    who, zone = who_is(work, payer, begun), location.zone if location else operator.zone
    nobody_came = MeteredSession(
        SessionId(""), zone, over, over, energy_ended_at=over, reserved_at=begun, reservation_expired=True
    )
    found: list[tuple[int, int, Evse]] = []
    for evse in work.evses.by(station_id=station.station_id):  # a handful: those of one station
        place = place_of(station, evse)
        chosen = choose_tariff(assignments_for(work, place), place, begun, who)
        if chosen is None:
            continue
        tariff = read_tariff_text(work.tariff_versions.get(chosen.assignment.tariff_version_id).canonical)
        _, amounts = price(nobody_came, frozen(work, tariff, begun), policy)
        found.append((amounts.gross_minor, evse.number, evse))
    return min(found, key=lambda one: one[:2])[2] if found else None


def _prices_reservations(work: UnitOfWork, tariff_version_id: str) -> bool:
    tariff = read_tariff_text(work.tariff_versions.get(tariff_version_id).canonical)
    return any(one.restrictions.reservation is not None for one in tariff.elements)
