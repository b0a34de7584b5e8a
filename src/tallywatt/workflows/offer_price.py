"""Offer the price that holds at an EVSE, and freeze it: tariff version, policy version, zone, currency and tax rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.identity import OfferId
from tallywatt.rating.choose import Place, choose_tariff
from tallywatt.rating.offer import make_offer
from tallywatt.rating.policy import STANDARD, read_policy_text
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.records import Scope

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.records import Offer, TariffAssignment
    from tallywatt.stations.station import Evse, Station
    from tallywatt.workflows.ports import UnitOfWork


def offer_at(
    work: UnitOfWork, station: Station, evse: Evse | None, at: Instant, payment_id: PaymentId | None = None
) -> Offer | None:
    """The offer for a session that starts: the one an ad hoc driver has paid for, else a new one. None: no tariff holds."""
    if payment_id is not None:
        payment = work.payments.get(payment_id)
        if payment.offer_id is not None:
            return work.offers.get(payment.offer_id)
    return new_offer(work, station, evse, at, "offer")


def new_offer(work: UnitOfWork, station: Station, evse: Evse | None, at: Instant, name: str) -> Offer | None:
    """A new offer, written down, or None when no tariff holds at this place and time."""
    place = Place(evse.evse_id if evse else None, station.station_id, station.location_id)
    chosen = choose_tariff(assignments_for(work, place), place, at)
    if chosen is None:
        return None
    operator = work.operators.get()
    location = work.locations.find(station.location_id) if station.location_id else None
    offer = make_offer(
        OfferId(work.draw.id(name)),
        read_tariff_text(work.tariff_versions.get(chosen.assignment.tariff_version_id).canonical),
        policy_of(work),
        chosen,
        evse_id=evse.evse_id if evse else None,
        zone=location.zone if location else operator.zone,
        offered_at=at,
    )
    work.offers.add_new(offer)
    return offer


def assignments_for(work: UnitOfWork, place: Place) -> list[TariffAssignment]:
    """The assignments that may hold at a place, from the narrowest scope to the widest."""
    scopes = (
        (Scope.EVSE, place.evse_id),
        (Scope.STATION, place.station_id),
        (Scope.LOCATION, place.location_id),
        (Scope.OPERATOR, ""),
    )
    return [
        one
        for scope, scope_id in scopes
        if scope_id is not None
        for one in work.tariff_assignments.by(scope=scope.value, scope_id=scope_id)
    ]


def policy_of(work: UnitOfWork) -> Policy:
    """The operator's rating policy; its row is written the first time that it is offered."""
    chosen = work.operators.get().policy_version_id
    if chosen is not None:
        return read_policy_text(work.policy_versions.get(chosen).canonical)
    if work.policy_versions.find(STANDARD.version_id) is None:
        work.policy_versions.add(STANDARD.row(work.now))
    return STANDARD
