"""A stop that names no transaction of ours waits for a person, with the sessions that it may belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.customers.customer import fold
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import StationId
from tallywatt.metering.facts import Heard, Sample, Stopped
from tallywatt.metering.session import SessionState
from tallywatt.workflows.listen import to_inbox, usable_time

if TYPE_CHECKING:
    from tallywatt.kernel.identity import FrameId
    from tallywatt.metering.session import InboxItem, Session
    from tallywatt.workflows.ports import UnitOfWork

UNKNOWN_TRANSACTION = "unknown_transaction"
MOST_SAMPLES = 500
"""Samples of a parked stop that are kept beside its frame."""
MOST_CANDIDATES = 5


def parked_key(fact: Stopped, transaction_id: str) -> tuple[object, ...]:
    """What is the same when the same stop comes again."""
    return fact.heard.station_id, transaction_id, fact.at, fact.meter_stop


def candidates_of(work: UnitOfWork, fact: Stopped) -> list[Session]:
    """The sessions of its station that it may have ended: open ones that began before, with a register that is not higher.

    A card that stops another one's session is the exception: sessions of its own card come first.
    """
    ended_at, _ = usable_time(work, fact.at, fact.heard)
    evses = work.evses.by(station_id=fact.heard.station_id)
    held = [
        one
        for evse in evses
        for one in work.sessions.by(evse_id=evse.evse_id, state=SessionState.HELD.value)
        if one.transaction_ended_at is None
    ]
    running = [one for evse in evses for one in work.queries.open_sessions_at(evse.evse_id)]
    found = {one.session_id: one for one in (*running, *held) if one.started_at <= ended_at and _fits(one, fact)}
    token = fold(fact.token_uid) if fact.token_uid else None
    # The newest is the likeliest: those before it would have lost their stops.
    ordered = sorted(found.values(), key=lambda one: (one.token_uid != token, -one.started_at, one.session_id))
    own = [one for one in ordered if token is not None and one.token_uid == token]
    return (own or ordered)[:MOST_CANDIDATES]


def _fits(session: Session, fact: Stopped) -> bool:
    if fact.meter_stop is None or fact.meter_stop < 0:
        return True
    return (session.meter_start or 0) <= fact.meter_stop and (session.last_register or 0) <= fact.meter_stop


def park(work: UnitOfWork, fact: Stopped, frame_id: FrameId, candidates: list[Session]) -> None:
    """Put it before a person, with all that is needed to end a session by it."""
    told = [one for one in fact.samples if one.register is not None][:MOST_SAMPLES]
    detail: dict[str, Any] = {
        "candidates": [one.session_id for one in candidates],
        "told": {
            "transaction_id": fact.transaction_id,
            "at": fact.at,
            "received_at": fact.heard.received_at,
            "protocol": fact.heard.protocol,
            "meter_stop": fact.meter_stop,
            "reason": fact.reason,
            "samples": [[one.at, one.register, one.watts, one.context] for one in told],
        },
    }
    to_inbox(
        work,
        UNKNOWN_TRANSACTION,
        f"a stop of transaction {fact.transaction_id}, which nobody started",
        *parked_key(fact, fact.transaction_id),
        station_id=fact.heard.station_id,
        frame_id=frame_id,
        detail=detail,
    )


def parked(item: InboxItem) -> Stopped | None:
    """The stop that an item keeps; None for one that keeps none: values of nobody, or an item of an older version."""
    told = (item.detail or {}).get("told")
    if item.kind != UNKNOWN_TRANSACTION or told is None or item.station_id is None:
        return None
    heard = Heard(
        StationId(item.station_id), told["protocol"], "StopTransaction", "", b"", Instant(told["received_at"])
    )
    samples = tuple(Sample(Instant(at), register, watts, context) for at, register, watts, context in told["samples"])
    return Stopped(
        heard, Instant(told["at"]), told["transaction_id"], told["meter_stop"], None, told["reason"], samples
    )
