"""What a session costs while it runs, by the rows: for whoever shows it, and for whoever sees that it stays within a limit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.metering.measure import Flag, measure, metered
from tallywatt.metering.reserved import with_reserved_time
from tallywatt.rating.live import LiveRating
from tallywatt.rating.policy import read_policy_text
from tallywatt.rating.read import read_tariff_text
from tallywatt.workflows.gather_before import before_session
from tallywatt.workflows.use_coupon import granted_to

if TYPE_CHECKING:
    from tallywatt.metering.session import MeterReading, Session
    from tallywatt.workflows.ports import UnitOfWork


def live_price(work: UnitOfWork, session: Session, readings: list[MeterReading]) -> LiveRating | None:
    """The session as its station has told it until now, ready to be priced; None without a price.

    By the price that was frozen at the start, whatever the tariff says by now: the same one that will be asked for.
    """
    offer = work.offers.find(session.offer_id) if session.offer_id is not None else None
    if offer is None:
        return None
    tariff = read_tariff_text(work.tariff_versions.get(offer.tariff_version_id).canonical)
    policy = read_policy_text(work.policy_versions.get(offer.policy_version_id).canonical)
    end = session.occupancy_ended_at or work.machine_now
    states = work.queries.states_between(session.evse_id, session.started_at, end) if session.evse_id else []
    ended_at = session.transaction_ended_at
    measured = measure(session.started_at, session.meter_start, readings, ended_at, session.meter_stop)
    usable = Flag.CLOCK_NOT_SET not in session.flags
    held = work.reservations.find(session.reservation_id) if session.reservation_id is not None else None
    begun = with_reserved_time(metered(session, measured, states, session.started_at, clock_is_usable=usable), held)
    before = before_session(work, tariff, (session.payer, session.payer_id), session.started_at, session.zone)
    live = LiveRating(begun, tariff, policy, replace(before, granted=granted_to(work, offer.offer_id)))
    if ended_at is not None:
        live.end_transaction(ended_at, session.energy_ended_at or measured.energy_ended_at)
    if session.occupancy_ended_at is not None:
        live.end_occupancy(session.occupancy_ended_at)
    return live
