"""A session runs on a hold: before it costs more than is held, the hold grows, or the session is stopped.

What the house knows is always a little old. So it is asked what the session can cost at the EVSE's full power until the next
word of its station, and until a stop has worked: a hold that would not last that long is acted on now.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tallywatt.metering.session import SessionState
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.limits import MOST_HOLDS
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import PaymentState
from tallywatt.rating.outlook import Limit, reaches
from tallywatt.stations.command import Action
from tallywatt.stations.station import StationState
from tallywatt.workflows.adjust_hold import AdjustHold, adjust_hold
from tallywatt.workflows.command_station import ANSWER_SECONDS, CommandStation, command_station
from tallywatt.workflows.live_price import live_price
from tallywatt.workflows.note_payment import note

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.metering.session import MeterReading, Session
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

SOON_SECONDS: Final = 5
"""How soon is looked again while an answer is awaited."""
LATEST_SECONDS: Final = 5 * 60
BLIND_SECONDS: Final = 60
"""How soon is looked again at an EVSE of which nobody has said how much power it has."""
LONGEST_SILENCE_MS: Final = 15 * 60 * 1000
STOP_MS: Final = ANSWER_SECONDS * 1000
"""Within this a stop that is sent has worked, or will not."""
EXPIRY_MS: Final = 30 * 60 * 1000
"""So long before a hold lapses its session is stopped: there has to be time to price it and to take what is due."""
MOST_STOPS: Final = 3


@dataclass(frozen=True, slots=True)
class WatchHold:
    """The payment whose hold is watched."""

    payment_id: PaymentId


def watch_hold(work: UnitOfWork, command: WatchHold) -> int | None:
    """In how many seconds to look again; None: there is nothing to watch any more."""
    payment = work.payments.lock(command.payment_id)
    session = _running(work, payment)
    if session is None:
        return None
    left = _time_left(work, session, payment)
    if left is None:
        return LATEST_SECONDS
    reaction = _reaction(work, session)
    if left <= reaction:
        return _stop(work, session, payment)
    if any(one.is_unresolved for one in work.operations.by(payment_id=payment.payment_id)):
        return SOON_SECONDS
    grows = _may_grow(work, payment)
    if grows and left <= 2 * reaction:
        adjust_hold(work, AdjustHold(payment.payment_id, payment.authorised_minor + payment.amount_minor))
        return SOON_SECONDS
    longest = LATEST_SECONDS if _most_watts(work, session) is not None else BLIND_SECONDS
    return max(SOON_SECONDS, min(longest, (left - (2 if grows else 1) * reaction) // 1000))


def _running(work: UnitOfWork, payment: Payment) -> Session | None:
    """The session that uses the hold up, if one does."""
    if payment.state is not PaymentState.AUTHORISED or payment.due_minor is not None or payment.session_id is None:
        return None
    session = work.sessions.find(payment.session_id)
    return session if session is not None and session.state is SessionState.ACTIVE else None


def _time_left(work: UnitOfWork, session: Session, payment: Payment) -> int | None:
    """Milliseconds until the hold can be used up, or is about to lapse; None: neither is in sight."""
    expires = None if payment.hold_expires_at is None else payment.hold_expires_at - EXPIRY_MS - work.machine_now
    used = _until_used_up(work, session, payment.authorised_minor)
    return min((one for one in (expires, used) if one is not None), default=None)


def _until_used_up(work: UnitOfWork, session: Session, held_minor: int) -> int | None:
    readings = work.meter_readings.by(session_id=session.session_id)
    live = live_price(work, session, readings)
    if live is None:
        return None
    # Whatever costs more: all the power that there is, or what goes on now, which may be to stand there.
    limit, most = Limit(gross_minor=held_minor), _most_watts(work, session)
    found = [reaches(live, limit, watts=watts) for watts in {live.watts, live.watts if most is None else most}]
    soonest = min((one.at for one in found if one is not None), default=None)
    return None if soonest is None else soonest - live.heard_until - _silent_for(work, session, readings)


def _silent_for(work: UnitOfWork, session: Session, readings: list[MeterReading]) -> int:
    """How long ago, by our own clock, its station told the last of it."""
    last = max((one.received_at for one in readings), default=session.received_at)
    return max(0, work.machine_now - last)


def _reaction(work: UnitOfWork, session: Session) -> int:
    """How long it can take until we know better and a stop has worked: one pause between words, and the stop itself."""
    told = sorted({one.received_at for one in work.meter_readings.by(session_id=session.session_id)})
    moments: list[Instant] = [session.received_at, *told]
    pauses = [after - before for before, after in pairwise(moments)]
    return min(LONGEST_SILENCE_MS, max(pauses[-3:], default=0)) + STOP_MS


def _most_watts(work: UnitOfWork, session: Session) -> int | None:
    evse = work.evses.find(session.evse_id) if session.evse_id is not None else None
    return None if evse is None else evse.max_watts


def _may_grow(work: UnitOfWork, payment: Payment) -> bool:
    """Whether more may be held: the provider can, and it was not refused before."""
    account = work.provider_accounts.get(payment.account_id)
    total = payment.authorised_minor + payment.amount_minor
    if not capabilities_of(account.provider).adjusts or total > MOST_HOLDS * payment.amount_minor:
        return False
    tried = [one for one in work.operations.by(payment_id=payment.payment_id) if one.kind is OperationKind.ADJUST]
    return all(one.state is OperationState.SUCCEEDED for one in tried)


def _stop(work: UnitOfWork, session: Session, payment: Payment) -> int | None:
    """Stop the session; what a station delivers that does not stop is owed, and a person is told."""
    stops = [one for one in work.station_commands.by(session_id=session.session_id) if one.action is Action.STOP]
    if any(one.is_open for one in stops):
        return SOON_SECONDS
    station = None if session.station_id is None else work.stations.get(session.station_id)
    if station is None or station.state is not StationState.ADOPTED or len(stops) >= MOST_STOPS:
        summary = (
            f"the station does not stop: what it delivers beyond {payment.authorised_minor} minor units stays owed"
        )
        note(work, payment, "hold_used_up", summary, session.session_id)
        return None
    command_station(work, CommandStation(station.station_id, Action.STOP, session_id=session.session_id))
    return SOON_SECONDS
