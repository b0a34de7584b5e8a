"""Meter values arrive while a session runs, or after it has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.kernel.identity import natural_key
from tallywatt.metering.facts import Started, TransactionAnswer
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import Reason, SessionState
from tallywatt.stations.station import ConnectorState
from tallywatt.workflows.count_events import counted
from tallywatt.workflows.finish import finish_when_ready
from tallywatt.workflows.foresight import foresees, session_of_transaction
from tallywatt.workflows.hear_cost import hear_cost
from tallywatt.workflows.keep_limit import limit_to_tell
from tallywatt.workflows.learn import learn
from tallywatt.workflows.listen import (
    keep_frame,
    remember,
    settle_inbox,
    to_inbox,
    usable_samples,
    usable_time,
    with_flags,
)
from tallywatt.workflows.lose_stop import count_without_stop, note_unseen, was_decided_without_stop
from tallywatt.workflows.name_token import with_safe_token
from tallywatt.workflows.plug_in import open_session, start_key
from tallywatt.workflows.take_readings import take_readings
from tallywatt.workflows.take_signed import take_signed
from tallywatt.workflows.who_pays import answer_for

if TYPE_CHECKING:
    from tallywatt.kernel.identity import FrameId
    from tallywatt.metering.facts import Sampled
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


@foresees(session_of_transaction)
def follow(work: UnitOfWork, fact: Sampled) -> TransactionAnswer | None:
    """Take meter values into the session that they belong to. Those of no session stay with their frame."""
    fact = with_safe_token(work, fact)
    frame_id = keep_frame(work, fact.heard)
    session = _session_of(work, fact, frame_id)
    if session is None:
        return None
    samples = usable_samples(work, fact.samples, fact.heard)
    before = session
    hear_cost(work, session, fact, frame_id)
    session = learn(work, session, fact)
    session = take_readings(work, session, samples, fact.heard.received_at, frame_id)
    take_signed(work, session, fact.signed, fact.heard, frame_id)
    if was_decided_without_stop(session):
        session = note_unseen(work, session, count_without_stop(work, session).milliwatt_hours, frame_id)
    session = _advance(work, session, fact)
    note_charging_state(work, session, fact.charging_state, fact, frame_id)
    if _comes_late(before) and any(sample.register is not None for sample in samples):
        # A late value never reopens a session; that it came is worth knowing.
        if Flag.LATE_READING not in session.flags:
            session = work.sessions.put(replace(session, flags=with_flags(session.flags, Flag.LATE_READING)))
    _go_on(work, before, session)
    answer = answer_for(work, session, fact.token_uid) if fact.token_uid else _taken(session)
    limit = limit_to_tell(work, session, fact)
    return answer if limit is None else replace(answer, limit=limit)


def _taken(session: Session) -> TransactionAnswer:
    return TransactionAnswer(session.transaction_id or "", "Accepted")


def _comes_late(session: Session) -> bool:
    """Whether nothing more was waited for."""
    return not session.is_open and session.missing_events is None and Flag.START_MISSING not in session.flags


def _go_on(work: UnitOfWork, before: Session, session: Session) -> None:
    """The last event that an ended transaction missed has come, or the one that tells who owes for it."""
    if session.transaction_ended_at is None or session.state not in {SessionState.ENDED, SessionState.HELD}:
        return
    if before.missing_events is not None and session.missing_events is None and session.state is SessionState.ENDED:
        finish_when_ready(work, session)
    elif before.payer is not session.payer and session.state is SessionState.HELD:
        settle_inbox(work, Reason.UNKNOWN_PAYER.value, session.session_id, "a later event named who owes")
        finish_when_ready(work, work.sessions.put(replace(session, state=SessionState.ENDED)))


def note_charging_state(
    work: UnitOfWork, session: Session, state: str | None, fact: Sampled | Started, frame_id: FrameId
) -> None:
    """Keep an OCPP 2.x chargingState beside the connector's statuses: both tell when the vehicle asks for no power."""
    if state is None or session.evse_id is None:
        return
    at, _ = usable_time(work, fact.at, fact.heard)
    number = session.connector_number or 1
    told = ConnectorState(session.evse_id, number, at, state, None, fact.heard.received_at, frame_id)
    work.connector_states.note((told,))


def _session_of(work: UnitOfWork, fact: Sampled, frame_id: FrameId) -> Session | None:
    heard = fact.heard
    if fact.transaction_id is not None:
        found = work.sessions.lock_by(station_id=heard.station_id, transaction_id=fact.transaction_id)
        if found is not None:
            return found
        if fact.sequence_number is not None:
            return _open_without_start(work, fact, frame_id)
        to_inbox(
            work,
            "unknown_transaction",
            f"meter values of transaction {fact.transaction_id}, which nobody started",
            heard.station_id,
            fact.transaction_id,
            "values",
            station_id=heard.station_id,
            frame_id=frame_id,
        )
        return None
    evse = work.evses.one_by(station_id=heard.station_id, number=fact.evse_number) if fact.evse_number else None
    if evse is None:
        return None
    running = [
        one for one in work.queries.open_sessions_at(evse.evse_id) if one.started_at <= max(fact.at, one.started_at)
    ]
    return work.sessions.lock(running[-1].session_id) if running else None


def _open_without_start(work: UnitOfWork, fact: Sampled, frame_id: FrameId) -> Session:
    """OCPP 2.x: an Updated whose Started has not come (yet). The energy must not be lost, so the session begins here."""
    counter = work.transaction_counters.lock(fact.heard.station_id)
    assert fact.transaction_id is not None, "only called with a transaction id"
    registers = [sample.register for sample in fact.samples if sample.register is not None]
    start = Started(
        heard=fact.heard,
        at=fact.at,
        evse_number=fact.evse_number,
        connector_number=fact.connector_number,
        token_uid=fact.token_uid if fact.names_starter else None,
        token_type=fact.token_type,
        transaction_id=fact.transaction_id,
        meter_start=min(registers, default=None),
        remote_start_id=fact.remote_start_id,
        sequence_number=fact.sequence_number,
        offline=fact.offline,
        charging_state=fact.charging_state,
    )
    work.transaction_counters.put(counter)
    station = work.stations.get(fact.heard.station_id)
    session = open_session(work, start, station, start_key(start), fact.transaction_id, frame_id, Flag.START_MISSING)
    key = natural_key("start-missing", fact.heard.station_id, fact.transaction_id)
    remember(work, key, "start_missing", fact.heard, fact.at, session.session_id, frame_id, fact.transaction_id)
    return session


def _advance(work: UnitOfWork, session: Session, fact: Sampled) -> Session:
    after = counted(session, fact.sequence_number)
    return session if after is session else work.sessions.put(after)
