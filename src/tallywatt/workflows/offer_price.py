"""Offer the price that holds at an EVSE, and freeze it: tariff version, policy version, zone, currency and tax rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.customers.circle import CircleKind
from tallywatt.kernel.identity import OfferId
from tallywatt.metering.session import PayerKind
from tallywatt.rating.audience import ANYBODY, Who
from tallywatt.rating.choose import Place, choose_tariff
from tallywatt.rating.offer import make_offer
from tallywatt.rating.policy import STANDARD, read_policy_text
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.records import EVERYONE, Scope
from tallywatt.workflows.freeze_price import frozen
from tallywatt.workflows.gather_before import before_session
from tallywatt.workflows.keep_circle import circles_of
from tallywatt.workflows.use_coupon import claim_for

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.records import Offer, TariffAssignment
    from tallywatt.stations.station import Evse, Station
    from tallywatt.workflows.ports import UnitOfWork

Payer = tuple[PayerKind, str | None]
"""Who owes, and which one of them."""


def offer_at(
    work: UnitOfWork,
    station: Station,
    evse: Evse | None,
    at: Instant,
    payer: Payer,
    payment_id: PaymentId | None = None,
) -> Offer | None:
    """The offer for a session that starts: the one an ad hoc driver has paid for, else a new one. None: no tariff holds."""
    if payment_id is not None:
        payment = work.payments.get(payment_id)
        if payment.offer_id is not None:
            return work.offers.get(payment.offer_id)
    return new_offer(work, station, evse, at, payer)


def new_offer(
    work: UnitOfWork,
    station: Station,
    evse: Evse | None,
    at: Instant,
    payer: Payer,
    coupon: str | None = None,
    entered_until: Instant | None = None,
) -> Offer | None:
    """A new offer, written down, or None when no tariff holds at this place and time for whoever owes.

    `coupon` is a code that an ad hoc driver typed; a customer's is the one that was entered before, at the latest at
    `entered_until` where that is given.
    """
    place = place_of(station, evse)
    assignments = assignments_for(work, place)
    # Most operators have one price for everyone: then nobody is looked up.
    who = ANYBODY if all(one.audience == EVERYONE for one in assignments) else who_is(work, payer, at)
    chosen = choose_tariff(assignments, place, at, who)
    if chosen is None:
        return None
    operator = work.operators.get()
    location = work.locations.find(station.location_id) if station.location_id else None
    tariff = read_tariff_text(work.tariff_versions.get(chosen.assignment.tariff_version_id).canonical)
    zone = location.zone if location else operator.zone
    tariff = frozen(work, tariff, at)
    offer_id = OfferId(work.draw.id("offer"))
    granted = claim_for(work, payer, at, tariff.currency.code, offer_id, coupon, entered_until)
    offer = make_offer(
        offer_id,
        tariff,
        policy_of(work),
        chosen,
        evse_id=evse.evse_id if evse else None,
        zone=zone,
        offered_at=at,
        before=replace(before_session(work, tariff, payer, at, zone), granted=granted),
    )
    work.offers.add_new(offer)
    return offer


def place_of(station: Station, evse: Evse | None) -> Place:
    """What a choice asks of a place."""
    if evse is None:
        return Place(None, station.station_id, station.location_id)
    return Place(evse.evse_id, station.station_id, station.location_id, evse.current.value, evse.max_watts)


def who_is(work: UnitOfWork, payer: Payer, at: Instant) -> Who:
    """What a choice asks of whoever owes: also to which fleets, groups and memberships they belong at that instant."""
    kind, payer_id = payer
    if kind is PayerKind.AD_HOC:
        return Who(payment="ad_hoc")
    customer = work.customers.find(payer_id) if kind is PayerKind.CUSTOMER and payer_id is not None else None
    if customer is None:
        return ANYBODY
    of = circles_of(work, customer.customer_id, at)
    return Who(customer.reference, of[CircleKind.FLEET], of[CircleKind.GROUP], of[CircleKind.MEMBER], payment="account")


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
