"""A person works off the inbox: dismisses an item, or decides about the session that is held behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import SessionId
from tallywatt.kernel.money import Money, currency
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import InboxItem, InboxState, PayerKind, Reason, Session, SessionState
from tallywatt.workflows.collect import Collection, intend_collection
from tallywatt.workflows.explain import explain, unexplain
from tallywatt.workflows.finish import bill_or_hold
from tallywatt.workflows.hold_ends import HOLD_ENDS, hold_behind
from tallywatt.workflows.listen import with_flags
from tallywatt.workflows.offer_price import new_offer
from tallywatt.workflows.park_stop import parked
from tallywatt.workflows.prove import needs_proof, prove
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.try_again import TryAgain, try_again
from tallywatt.workflows.unplug import match_stop
from tallywatt.workflows.use_coupon import release_uses

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.rating.records import Offer
    from tallywatt.workflows.ports import UnitOfWork

HOLDING: Final = frozenset(reason.value for reason in Reason)
"""Kinds of items behind which a session is held."""
LONGEST_NOTE: Final = 500


class Decision(StrEnum):
    """What a person decides."""

    DISMISS = "dismiss"
    """Nothing is to be done."""
    RELEASE = "release"
    """Bill the held session as it was measured."""
    WRITE_OFF = "write_off"
    """Never bill the held session: its energy stays explained, a hold on a card goes back."""
    RETRY = "retry"
    """Try the payment again."""
    ACCEPT = "accept"
    """Bill what is proposed for the held session; the rest of what its meter shows is explained."""
    MATCH = "match"
    """The stop that waits ends the session that it is said to belong to."""


@dataclass(frozen=True, slots=True)
class ResolveItem:
    """Which item, what was decided, and why. `customer_reference` names who owes when nobody was known."""

    item_id: str
    decision: Decision
    note: str = ""
    customer_reference: str | None = None
    session_id: SessionId | None = None
    """Which session a stop that waits belongs to; None: the only one that is suggested."""


def resolve_item(work: UnitOfWork, command: ResolveItem) -> InboxItem:
    """Do what was decided and close the item. An item that is closed already is told as it is."""
    item = work.inbox.lock(command.item_id)
    if len(command.note) > LONGEST_NOTE:
        msg = f"a note has at most {LONGEST_NOTE} characters"
        raise BadInput(msg, code="inbox.note_too_long")
    if item.state is InboxState.RESOLVED:
        return item
    if command.decision is Decision.MATCH:
        return _match(work, item, command)
    if command.decision in {Decision.RELEASE, Decision.WRITE_OFF, Decision.ACCEPT}:
        if item.session_id is None:
            msg = "no session stands behind this item"
            raise Conflict(msg, code="inbox.no_session", remedy="dismiss it instead")
        decide_on_session(work, item.session_id, command)
    elif command.decision is Decision.RETRY:
        if item.payment_id is None:
            msg = "no payment stands behind this item"
            raise Conflict(msg, code="inbox.no_payment", remedy="dismiss it instead")
        try_again(work, TryAgain(item.payment_id))
    elif item.kind in HOLDING and _is_held(work, item.session_id):
        msg = "a session is held behind this item: dismissing it would leave its energy undecided"
        raise Conflict(msg, code="inbox.session_held", remedy="release the session, or write it off")
    held = work.inbox.lock(command.item_id)
    return held if held.state is InboxState.RESOLVED else _close(work, held, command)


def _match(work: UnitOfWork, item: InboxItem, command: ResolveItem) -> InboxItem:
    fact = parked(item)
    if fact is None or item.frame_id is None:
        msg = "no stop waits behind this item"
        raise Conflict(msg, code="inbox.no_stop", remedy="dismiss it instead")
    suggested = (item.detail or {}).get("candidates", [])
    chosen = command.session_id or (SessionId(suggested[0]) if len(suggested) == 1 else None)
    if chosen is None:
        msg = "it is not known which session this stop belongs to"
        raise BadInput(msg, code="inbox.no_match", remedy="name the session")
    session = work.sessions.lock(chosen)
    if session.station_id != item.station_id or session.transaction_ended_at is not None:
        msg = "that session is not open, or is another station's"
        raise Conflict(msg, code="inbox.cannot_match", remedy="name a session of this station that has not ended")
    # Closed first: the stop would else be taken for the station's own telling of it.
    closed = _close(work, item, command)
    match_stop(work, session, fact, item.frame_id)
    record_action(work, "session.match", "session", chosen, after={"item": item.item_id})
    return closed


def decide_on_session(work: UnitOfWork, session_id: SessionId, command: ResolveItem) -> Session:
    """Release or write off a held session, and close all items that held it."""
    session = work.sessions.lock(session_id)
    if session.state is not SessionState.HELD:
        msg = f"this session is {session.state.value}, not held"
        raise Conflict(msg, code="sessions.not_held")
    # Those that are open now are decided; billing may find another reason to ask, and that one stays open.
    kinds = {*HOLDING, HOLD_ENDS}
    decided = [one for one in work.inbox.by(session_id=session_id, state=InboxState.OPEN.value) if one.kind in kinds]
    settle = _write_off if command.decision is Decision.WRITE_OFF else _release
    after = settle(work, session, command)
    for item in decided:
        _close(work, item, command)
    action = f"session.{command.decision.value}"
    before, then = {"state": session.state.value}, {"state": after.state.value}
    record_action(work, action, "session", session_id, before=before, after=then)
    return after


def _release(work: UnitOfWork, session: Session, command: ResolveItem) -> Session:
    if needs_proof(work, session) and not _is_proven(work, session):
        msg = "the meter's signature is asked for there, and there is none that holds: it cannot be billed by its registers"
        remedy = "register the meter's public key: the session is billed by itself then; or write it off"
        raise Conflict(msg, code="sessions.not_proven", remedy=remedy)
    session = _with_payer(work, session, command)
    if session.offer_id is None:
        session = replace(session, offer_id=_offer_now(work, session).offer_id)
    session = with_an_end(session)
    decided = Flag.ACCEPTED if command.decision is Decision.ACCEPT else Flag.RELEASED
    session = work.sessions.put(replace(session, flags=with_flags(session.flags, decided)))
    work.events.append(Event("session", session.session_id, "SessionReleased"))
    return bill_or_hold(work, session)


def with_an_end(session: Session) -> Session:
    """A session whose stop was lost ends where the meter was last heard of, with the register that the next start told."""
    if session.transaction_ended_at is not None:
        return session
    ended_at = session.last_reading_at or session.started_at
    return replace(
        session,
        transaction_ended_at=ended_at,
        occupancy_ended_at=session.occupancy_ended_at or ended_at,
        meter_stop=session.last_register,
    )


def _is_proven(work: UnitOfWork, session: Session) -> bool:
    proof = prove(work, session)
    return proof is not None and proof.energy_is_billable


def _with_payer(work: UnitOfWork, session: Session, command: ResolveItem) -> Session:
    if command.customer_reference:
        customer = work.customers.one_by(reference=command.customer_reference)
        if customer is None:
            msg = f"there is no customer {command.customer_reference!r}"
            raise NotFound(msg, code="customers.not_found")
        if session.payer is not PayerKind.UNKNOWN and session.payer_id != customer.customer_id:
            # A hold on somebody's card may stand behind it: two would pay, in books that never meet.
            msg = "it is known who owes for this session"
            raise Conflict(msg, code="sessions.payer_known", remedy="release it without naming a customer")
        return replace(session, payer=PayerKind.CUSTOMER, payer_id=customer.customer_id)
    if session.payer is PayerKind.UNKNOWN:
        msg = "nobody is known to owe for this session"
        raise Conflict(msg, code="sessions.no_payer", remedy="name the customer who owes, or write it off")
    return session


def _offer_now(work: UnitOfWork, session: Session) -> Offer:
    """The price that holds by now for the time of the start: somebody has assigned a tariff since."""
    station = work.stations.get(session.station_id) if session.station_id else None
    evse = work.evses.find(session.evse_id) if session.evse_id else None
    payer = (session.payer, session.payer_id)
    offer = new_offer(work, station, evse, session.started_at, payer) if station is not None else None
    if offer is None:
        msg = "no tariff holds there at the time of its start"
        raise Conflict(
            msg, code="offers.no_tariff", remedy="assign one that is valid from before the start, or write it off"
        )
    return offer


def _write_off(work: UnitOfWork, session: Session, command: ResolveItem) -> Session:
    """Every milliwatt-hour gets its reason anew: a person looked and decided not to bill it."""
    unexplain(work, session, command.item_id)
    release_uses(work, session.offer_id)
    session = work.sessions.put(replace(session, state=SessionState.EXPLAINED))
    explain(work, session, session.milliwatt_hours, Reason.WRITTEN_OFF, command.item_id)
    held = hold_behind(work, session.session_id)
    payment_id = session.payment_id if held is None else held.payment_id
    if payment_id is not None:
        unit = currency(work.payments.get(payment_id).currency)
        intend_collection(work, Collection(session.session_id, None, Money(0, unit), None, payment_id))
    data: dict[str, Scalar] = {"reason": Reason.WRITTEN_OFF.value, "milliwatt_hours": session.milliwatt_hours}
    work.events.append(Event("session", session.session_id, "SessionExplained", data))
    return session


def _is_held(work: UnitOfWork, session_id: SessionId | None) -> bool:
    return session_id is not None and work.sessions.get(session_id).state is SessionState.HELD


def _close(work: UnitOfWork, item: InboxItem, command: ResolveItem) -> InboxItem:
    resolution = command.decision.value if not command.note else f"{command.decision.value}: {command.note}"
    closed = work.inbox.put(
        replace(
            item,
            state=InboxState.RESOLVED,
            resolved_at=work.machine_now,
            resolved_by=work.actor,
            resolution=resolution,
        )
    )
    data: dict[str, Scalar] = {"kind": item.kind, "decision": command.decision.value}
    work.events.append(Event("inbox_item", item.item_id, "InboxItemResolved", data))
    record_action(work, "inbox.resolve", "inbox_item", item.item_id, before={"state": "open"}, after=dict(data))
    return closed
