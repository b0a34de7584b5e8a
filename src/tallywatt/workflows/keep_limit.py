"""Limits of a session: chosen before it begins or while it runs, and told to a station that can keep them itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.energy import wh
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.identity import (
    SessionId,
)  # commands travel over the control socket, and their types are read there
from tallywatt.kernel.money import currency
from tallywatt.metering.facts import ToldLimit
from tallywatt.metering.limits import Limits, WantedLimit, read_limits
from tallywatt.metering.session import PayerKind
from tallywatt.payments.payment import PaymentState
from tallywatt.stations.messages import NEWEST
from tallywatt.workflows.hold_ends import hold_behind
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.metering.facts import Sampled, Started
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork

WATCH_LIMIT: Final = "watch_limit"
"""Job: see that the session of that id stays within the limit that somebody has chosen."""
FIRST_LOOK_MS: Final = 20 * 1000


def limits_of(work: UnitOfWork, session: Session) -> Limits:
    """The most of a session: what was chosen, and no more than the hold that stands behind it."""
    row = work.wanted_limits.find(session.session_id)
    if row is None or (not row.limits and row.told is None):
        row = work.wanted_limits.find(session.payment_id) if session.payment_id is not None else None
    chosen = Limits() if row is None else read_limits(row.limits)
    held = _held_minor(work, session)
    if held is None:
        return chosen
    return replace(chosen, gross_minor=held if chosen.gross_minor is None else min(held, chosen.gross_minor))


def _held_minor(work: UnitOfWork, session: Session) -> int | None:
    if session.payment_id is None:
        payment = hold_behind(work, session.session_id) if session.payer is PayerKind.CUSTOMER else None
    else:
        payment = work.payments.find(session.payment_id)
    if payment is None or payment.state is not PaymentState.AUTHORISED or payment.due_minor is not None:
        return None
    return None if payment.terminal_until is not None else payment.authorised_minor


def is_confirmed(work: UnitOfWork, session: Session, limits: Limits) -> bool:
    """Whether its station has said that it keeps just these."""
    row = work.wanted_limits.find(session.session_id)
    return row is not None and row.confirmed is not None and row.confirmed == limits.data()


def keep_limits(work: UnitOfWork, subject_id: str, limits: Limits) -> WantedLimit:
    """Write down what was chosen, over what was chosen before."""
    known = work.wanted_limits.find(subject_id)
    if known is None:
        row = WantedLimit(subject_id, dict(limits.data()), work.machine_now)
        work.wanted_limits.add(row)
        return row
    return work.wanted_limits.put(replace(known, limits=dict(limits.data()), chosen_at=work.machine_now))


def begin_limit(work: UnitOfWork, session: Session, told: dict[str, Any] | None) -> None:
    """A session has begun by a remote start that carried a limit."""
    if told:
        keep_limits(work, session.session_id, read_limits(told))
        watch_from_now(work, session)


def watch_from_now(work: UnitOfWork, session: Session) -> None:
    """See that it is kept. Behind a hold that is seen to already."""
    if _held_minor(work, session) is None:
        work.jobs.add(Job(WATCH_LIMIT, session.session_id, not_before=Instant(work.machine_now + FIRST_LOOK_MS)))


@dataclass(frozen=True, slots=True)
class SetLimit:
    """The most of a session that runs: `gross_minor`, `milliwatt_hours`, `seconds`, `percent`; none of them lifts it."""

    session_id: SessionId
    limits: dict[str, Any] = field(default_factory=dict)


def set_limit(work: UnitOfWork, command: SetLimit) -> WantedLimit:
    """Keep it, tell a station that can keep it with the next answer, and watch it until then."""
    session = work.sessions.lock(command.session_id)
    limits = read_limits(command.limits)
    if not session.is_open:
        msg = f"session {command.session_id} is not running"
        raise Conflict(msg, code="sessions.not_running")
    before = work.wanted_limits.find(session.session_id)
    row = keep_limits(work, session.session_id, limits)
    row = work.wanted_limits.put(replace(row, told=_lifted(work, session, before) if limits.is_none else None))
    if not limits.is_none:
        watch_from_now(work, session)
    was = None if before is None else dict(before.limits)
    record_action(work, "session.set_limit", "session", session.session_id, before=was, after=dict(row.limits))
    return row


def _lifted(work: UnitOfWork, session: Session, before: WantedLimit | None) -> dict[str, Any]:
    """What is limited no more: what was chosen for the session, or before it began."""
    if before is not None and (before.limits or before.told):
        return dict(before.limits or before.told or {})
    paid = None if session.payment_id is None else work.wanted_limits.find(session.payment_id)
    return {} if paid is None else dict(paid.limits)


def limit_to_tell(work: UnitOfWork, session: Session, fact: Started | Sampled) -> ToldLimit | None:
    """What the answer to an event of OCPP 2.1 is to limit the transaction to; None: nothing, or what its station keeps."""
    if fact.heard.protocol != NEWEST or not session.is_open:
        return None
    limits = limits_of(work, session)
    offer = work.offers.find(session.offer_id) if session.offer_id is not None else None
    places = 0 if offer is None else currency(offer.currency).exponent
    kept = None if fact.limit is None else _heard(fact.limit, places)
    if kept is not None:
        _confirm(work, session, kept)
    if limits.is_none:
        return _to_forget(work, session, kept)
    if kept is not None:
        if kept == limits:
            return None
    elif is_confirmed(work, session, limits):
        return None
    return _said(limits, places)


def _to_forget(work: UnitOfWork, session: Session, kept: Limits | None) -> ToldLimit | None:
    """A limit without any bound takes the place of the one that was lifted.

    It is said until the station names another limit than that: none, or one that its driver has chosen there.
    """
    row = work.wanted_limits.find(session.session_id)
    if row is None or not row.told:
        return None
    if kept is not None and kept != read_limits(row.told):
        work.wanted_limits.put(replace(row, told={}))
        return None
    return ToldLimit()


def _said(limits: Limits, places: int) -> ToldLimit:
    """In the units of OCPP 2.1: major units of money, watt-hours, seconds."""
    minor, energy = limits.gross_minor, limits.milliwatt_hours
    return ToldLimit(
        None if minor is None else f"{Decimal(minor).scaleb(-places):f}",
        None if energy is None else wh(energy),
        limits.seconds,
        limits.percent,
    )


def _heard(told: ToldLimit, places: int) -> Limits:
    cost = None if told.cost is None else int(Decimal(told.cost).scaleb(places))
    energy = None if told.watt_hours is None else int(Decimal(told.watt_hours).scaleb(3))
    return Limits(cost, energy, told.seconds, told.percent)


def _confirm(work: UnitOfWork, session: Session, kept: Limits) -> None:
    row = work.wanted_limits.find(session.session_id)
    if row is None:
        work.wanted_limits.add(WantedLimit(session.session_id, {}, work.machine_now, dict(kept.data())))
    elif row.confirmed != kept.data():
        work.wanted_limits.put(replace(row, confirmed=dict(kept.data())))
