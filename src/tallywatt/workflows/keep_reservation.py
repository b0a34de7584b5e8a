"""A reservation goes on: the station answers, tells its end, or says nothing; a session uses it, or nobody comes.

All of it may come twice, late, or in another order. A start that names a reservation has used it, whatever was thought before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.customers.customer import fold
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.events import Event
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import PayerKind, SessionState
from tallywatt.stations.command import CommandState
from tallywatt.stations.reservation import GRACE_MS, RESERVE, Reservation, ReservationState, covers, kept_from
from tallywatt.workflows.bill_reservation import bill_reservation
from tallywatt.workflows.listen import keep_frame, with_flags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.customers.customer import Token
    from tallywatt.metering.facts import ReservationTold, Sampled, Started
    from tallywatt.metering.session import Session
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.station import Evse
    from tallywatt.workflows.ports import LinkAnswer, UnitOfWork

LATE_MS: Final = 24 * 3600 * 1000
"""How long after its end a station without a line may still tell of a start that used it."""
_STATES: Final = {"Expired": ReservationState.EXPIRED, "Removed": ReservationState.REMOVED}
_GIVEN_UP: Final = frozenset({ReservationState.CANCELLED, ReservationState.REMOVED})
"""A start that names one of these has used it, and keeping it costs nothing."""
EARLY_MS: Final = 30_000
"""How much earlier than agreed a station may say that nobody came: what is earlier was not kept as agreed."""
KNOWS_NONE: Final = "Rejected"
"""A station's answer to CancelReservation: it has no reservation of that number."""
NO_TRANSACTION: Final = "NoTransaction"
"""OCPP 2.1: the driver came, and nothing was started."""


def hear_reservation(work: UnitOfWork, asked: StationCommand, answer: LinkAnswer) -> None:
    """A station has answered ReserveNow or CancelReservation; or its answer is given up, which proves nothing."""
    is_new = asked.name == RESERVE
    named = {"command_id" if is_new else "cancel_command_id": asked.command_id}
    found = work.reservations.one_by(**named)
    if found is None or answer.outcome == "no_answer":
        return
    held = work.reservations.lock(found.reservation_id)
    said = answer.detail or answer.outcome
    if not is_new:
        # Rejected: the station knows no such reservation, so it keeps nothing. An error says that it has not even looked.
        if held.is_open and (answer.outcome == "accepted" or (answer.outcome == "rejected" and said == KNOWS_NONE)):
            reason = None if answer.outcome == "accepted" else said
            _to(work, held, ReservationState.CANCELLED, reason)
    elif answer.outcome == "accepted":
        _accepted(work, held)
    elif held.state is ReservationState.REQUESTED:
        _to(work, held, ReservationState.REFUSED, said)


def _accepted(work: UnitOfWork, held: Reservation) -> None:
    if held.reserved_at is not None:
        return
    held = replace(held, reserved_at=work.machine_now)
    if held.state is ReservationState.REQUESTED:
        _to(work, held, ReservationState.ACTIVE, None)
    else:
        # Its end was told before its beginning: that it was kept at all is proven now, and nobody is charged for it.
        work.reservations.put(held)


def hear_reservation_update(work: UnitOfWork, fact: ReservationTold) -> None:
    """ReservationStatusUpdate: the station tells how a reservation ended. One that nobody asked for is a frame and no more."""
    keep_frame(work, fact.heard)
    found = work.reservations.one_by(station_id=fact.heard.station_id, number=fact.number)
    if found is None:
        return
    held = work.reservations.lock(found.reservation_id)
    if not held.is_open:
        return
    state = _STATES.get(fact.status)
    if state is ReservationState.EXPIRED and _is_early(held, fact.heard.received_at):
        # Its clock differs from ours, and the driver still has time: nobody pays for not having come yet.
        _to(work, held, ReservationState.REMOVED, f"{fact.status}, earlier than agreed")
    elif state is ReservationState.EXPIRED:
        _expire(work, held, fact.status, is_told=True)
    elif state is not None or fact.status == NO_TRANSACTION:
        _to(work, held, ReservationState.REMOVED, fact.status)


def hear_place_is_free(work: UnitOfWork, evse: Evse, told_at: Instant) -> None:
    """A connector that was kept is free again: OCPP 1.6 has no other word for it. Too early, nobody pays for not having come.

    In time it says nothing new: the reservation is ended by our own clock, and a start that used it may still be told.
    """
    for one in work.reservations.by(station_id=evse.station_id, is_watched=1):
        if one.evse_id != evse.evse_id or one.state is not ReservationState.ACTIVE:
            continue
        held = work.reservations.lock(one.reservation_id)
        if held.state is ReservationState.ACTIVE and _is_early(held, told_at):
            _to(work, held, ReservationState.REMOVED, "Available, earlier than agreed")


def _is_early(held: Reservation, told_at: Instant) -> bool:
    return held.cancel_command_id is None and told_at < held.expires_at - EARLY_MS


def _expire(work: UnitOfWork, held: Reservation, reason: str | None, *, is_told: bool) -> Reservation:
    """Nobody came. Who has asked to give it up is not charged for that, although the station has not heard of it."""
    if held.cancel_command_id is not None:
        return _to(work, held, ReservationState.CANCELLED, reason)
    after = _to(work, held, ReservationState.EXPIRED, reason)
    # A station that says so itself holds no start of it back.
    return bill_reservation(work, after) if is_told else after


def _to(work: UnitOfWork, held: Reservation, state: ReservationState, reason: str | None) -> Reservation:
    is_over = state is not ReservationState.ACTIVE
    watched = state in {ReservationState.ACTIVE, ReservationState.EXPIRED, ReservationState.REMOVED}
    after = work.reservations.put(
        replace(
            held,
            state=state,
            reason=reason,
            is_watched=watched,
            ended_at=(held.ended_at or work.machine_now) if is_over else None,
        )
    )
    data: dict[str, Any] = {
        "station_id": held.station_id,
        "evse_id": held.evse_id,
        "reason": reason,
        "session_id": after.session_id,
    }
    name = "Accepted" if state is ReservationState.ACTIVE else state.value.capitalize()
    work.events.append(Event("reservation", held.reservation_id, f"Reservation{name}", data))
    return after


@dataclass(frozen=True, slots=True)
class WatchReservation:
    """The time of a reservation has passed."""

    reservation_id: str


def watch_reservation(work: UnitOfWork, command: WatchReservation) -> int | None:
    """End what the station has not ended, and later what nobody can use any more; in how many seconds to look again."""
    held = work.reservations.lock(command.reservation_id)
    now, over, forgotten = work.machine_now, held.expires_at + GRACE_MS, held.expires_at + LATE_MS
    if not held.is_watched:
        return None
    if now < over:
        return _seconds(over - now)
    if held.is_open:
        held = _expire(work, held, _why(work, held), is_told=False)
        if not held.is_watched:
            return None
    if now < forgotten:
        return _seconds(forgotten - now)
    held = work.reservations.put(replace(held, is_watched=False))
    if held.state is ReservationState.EXPIRED and held.session_id is None:
        bill_reservation(work, held)
    return None


def _seconds(milliseconds: int) -> int:
    return max(1, milliseconds // 1000 + 1)


def _why(work: UnitOfWork, held: Reservation) -> str | None:
    asked = work.station_commands.find(held.command_id)
    is_unknown = held.reserved_at is None and asked is not None and asked.state is CommandState.EXPIRED
    return "the station never answered" if is_unknown else "the station never said so"


def use_reservation(work: UnitOfWork, session: Session, fact: Started | Sampled) -> Session:
    """The session with the reservation that it has used: the one it names, or the one of its token at its EVSE."""
    if session.reservation_id is not None or session.station_id is None:
        return session
    named = None
    if fact.reservation_number is not None:
        named = work.reservations.one_by(station_id=session.station_id, number=fact.reservation_number)
    if named is not None and named.session_id is None:
        return _use(work, session, named)
    watched = work.reservations.by(station_id=session.station_id, is_watched=1)
    if not watched:
        return session
    about = [
        one for one in watched if one.is_for(session.evse_id) and covers(one, session.started_at, session.received_at)
    ]
    own = [one for one in about if one.session_id is None and _is_of(work, one, session.token_uid)]
    if own:
        # One that is still kept first, then the one of exactly this EVSE, then the oldest.
        return _use(work, session, min(own, key=lambda one: (not one.is_open, one.evse_id is None, one.number)))
    others = [one for one in about if one.evse_id is not None and one.state is ReservationState.ACTIVE]
    if others and session.token_uid is not None and session.is_open:
        # The station let it begin: its energy is billed as always, and a person can see why somebody found no place.
        return replace(session, flags=with_flags(session.flags, Flag.RESERVED_FOR_ANOTHER))
    return session


def _use(work: UnitOfWork, session: Session, found: Reservation) -> Session:
    held = work.reservations.lock(found.reservation_id)
    if held.session_id is not None:
        return session
    is_charged = held.state not in _GIVEN_UP and _is_theirs(work, held, session)
    since = kept_from(held, session.started_at, session.received_at) if is_charged else None
    used = replace(held, session_id=session.session_id, kept_from=since)
    _to(work, used, ReservationState.USED, None)
    known = tuple(one for one in session.flags if one != Flag.RESERVED_FOR_ANOTHER)
    return replace(session, reservation_id=held.reservation_id, flags=known)


def _is_theirs(work: UnitOfWork, held: Reservation, session: Session) -> bool:
    """Whether a session that its station says has used it is by whom it was kept for: nobody pays for a stranger's place."""
    is_payer = session.payer is PayerKind.CUSTOMER and session.payer_id == held.customer_id
    return session.token_uid is None or is_payer or _is_of(work, held, session.token_uid)


def _is_of(work: UnitOfWork, held: Reservation, token_uid: str | None) -> bool:
    if token_uid is None:
        return False
    owner = work.tokens.find(held.token_id)
    if owner is None:
        return False
    if owner.uid_folded == token_uid:
        return True
    shown = [one for one in work.tokens.by(uid_folded=token_uid) if one.group_uid is not None]
    return owner.group_uid is not None and any(fold(one.group_uid or "") == fold(owner.group_uid) for one in shown)


def is_reserved_for_others(work: UnitOfWork, station_id: str, token: Token | None, evses: Iterable[str]) -> bool:
    """Whether every EVSE at which this token could start is kept for somebody else at this moment."""
    watched = work.reservations.by(station_id=station_id, is_watched=1)
    active = [
        one for one in watched if one.state is ReservationState.ACTIVE and work.machine_now < Instant(one.expires_at)
    ]
    places = set(evses)
    if not active or token is None or any(_may_come(work, one, token) for one in active):
        return False
    if any(
        one.token_uid == token.uid_folded
        for place in places
        for one in work.sessions.by(evse_id=place, state=SessionState.ACTIVE.value)
    ):
        # Whoever charges there shows the card to stop, too.
        return False
    anywhere = sum(one.evse_id is None for one in active)
    return bool(places) and len(places - {one.evse_id for one in active}) <= anywhere


def _may_come(work: UnitOfWork, held: Reservation, token: Token) -> bool:
    """Whether it is kept for this token, or for its customer: which of their cards is meant is the station's to say."""
    is_customers = held.customer_id is not None and held.customer_id == token.customer_id
    return is_customers or _is_of(work, held, token.uid_folded)
