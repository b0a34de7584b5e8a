"""A transaction has ended: the last register comes in, and the session goes on to its price."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.customers.customer import fold
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import natural_key
from tallywatt.metering.facts import Started, TransactionAnswer
from tallywatt.metering.measure import Flag, measure
from tallywatt.metering.session import InboxState, Reason, SessionState
from tallywatt.stations.messages import OLD
from tallywatt.workflows.count_events import counted
from tallywatt.workflows.finish import finish_when_ready
from tallywatt.workflows.follow import note_charging_state
from tallywatt.workflows.foresight import Foreseen, foresees, session_of_transaction
from tallywatt.workflows.fulfil_command import fulfil_stop
from tallywatt.workflows.hear_cost import hear_cost
from tallywatt.workflows.listen import (
    keep_frame,
    remember,
    settle,
    settle_inbox,
    to_inbox,
    usable_samples,
    usable_time,
    with_flags,
)
from tallywatt.workflows.lose_stop import FREE, note_unseen, was_decided_without_stop
from tallywatt.workflows.name_token import with_safe_token
from tallywatt.workflows.park_stop import UNKNOWN_TRANSACTION, candidates_of, park, parked_key
from tallywatt.workflows.plug_in import open_session, start_key
from tallywatt.workflows.show_price import total_of
from tallywatt.workflows.take_readings import take_readings
from tallywatt.workflows.take_signed import take_signed

if TYPE_CHECKING:
    from tallywatt.kernel.identity import FrameId
    from tallywatt.metering.facts import Stopped
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


NO_TRANSACTION = ("-1", "0")
"""What stations of OCPP 1.6 say while they do not know the number of their transaction."""
WHOLE_SESSION = 2
"""So many moments of a register tell a session: its begin and its end."""


def _asked(fact: Stopped) -> list[Foreseen]:
    return [
        *session_of_transaction(fact),
        Foreseen("station_facts", (("fact_key", _stop_key(fact)),)),
        *(Foreseen("inbox", (("natural_key", key),)) for key in _nameless_keys(fact)),
    ]


def _stop_key(fact: Stopped) -> str:
    """The natural key of a stop: its content."""
    return natural_key("stop", fact.heard.station_id, fact.transaction_id, fact.at, fact.meter_stop)


@foresees(_asked)
def unplug(work: UnitOfWork, fact: Stopped) -> TransactionAnswer:
    """End the transaction that a stop names. A stop that matches none goes to the inbox; every stop is acknowledged."""
    fact = with_safe_token(work, fact)
    frame_id = keep_frame(work, fact.heard)
    session = work.sessions.lock_by(station_id=fact.heard.station_id, transaction_id=fact.transaction_id)
    key = _stop_key(fact)
    if session is None and fact.sequence_number is None:
        if work.station_facts.find(key) is not None:
            return TransactionAnswer(fact.transaction_id, "Accepted")  # a session was made of this very stop
        session = _rebuilt(work, fact, frame_id)
        if session is None:
            return TransactionAnswer(fact.transaction_id, "Accepted")
    session = session or _open_without_start(work, fact, frame_id)
    if work.station_facts.find(key) is not None:
        return _answer(work, session, fact)
    remember(work, key, "stop", fact.heard, fact.at, session.session_id, frame_id)
    return end_by(work, session, fact, frame_id)


def match_stop(work: UnitOfWork, session: Session, fact: Stopped, frame_id: FrameId) -> TransactionAnswer:
    """End a session by a stop that named another number, or none; told again with the right one, it is the same stop."""
    own = replace(fact, transaction_id=session.transaction_id or "")
    remember(work, _stop_key(own), "stop", fact.heard, fact.at, session.session_id, frame_id)
    return end_by(work, session, own, frame_id)


def end_by(work: UnitOfWork, session: Session, fact: Stopped, frame_id: FrameId) -> TransactionAnswer:
    """End a session by a stop that is its own, whatever number the stop has."""
    if session.transaction_ended_at is not None or session.state is SessionState.EXPLAINED:
        return _other_stop(work, session, fact, frame_id)
    ended_at, clock_is_set = usable_time(work, fact.at, fact.heard)
    samples = usable_samples(work, fact.samples, fact.heard)
    if not clock_is_set:
        samples = tuple(replace(sample, at=fact.heard.received_at) for sample in samples)
    session = take_readings(work, session, samples, fact.heard.received_at, frame_id)
    take_signed(work, session, fact.signed, fact.heard, frame_id)
    hear_cost(work, session, fact, frame_id, is_final=True)
    was_lost = Flag.LOST_STOP in session.flags
    stopper = fold(fact.token_uid) if fact.token_uid else None
    session = replace(
        session,
        transaction_ended_at=max(ended_at, session.started_at),
        meter_stop=fact.meter_stop if fact.meter_stop is not None and fact.meter_stop >= 0 else None,
        stop_reason=fact.reason,
        stopped_by=stopper if stopper != session.token_uid else None,
        stop_frame_id=frame_id,
        # A stop that comes after all lifts the presumption that it was lost.
        state=SessionState.ENDED if session.state in {SessionState.ACTIVE, SessionState.HELD} else session.state,
        flags=with_flags(
            tuple(flag for flag in session.flags if flag != Flag.LOST_STOP),
            *fact.heard.flags,
            *([] if clock_is_set else [Flag.CLOCK_NOT_SET]),
        ),
    )
    session = counted(_with_vehicle_gone(session, fact), fact.sequence_number)
    session = work.sessions.put(_left_already(work, session))
    if was_lost:
        settle_inbox(work, Reason.LOST_STOP.value, session.session_id, "its stop came")
    _settle_nameless(work, fact)
    fulfil_stop(work, session)
    work.events.append(Event("session", session.session_id, "TransactionEnded", {"reason": fact.reason}))
    if fact.charging_state is not None:
        ended = Started(fact.heard, fact.at, fact.evse_number, None, None, None, fact.transaction_id, None)
        note_charging_state(work, session, fact.charging_state, ended, frame_id)
    return _answer(work, finish_when_ready(work, session), fact)


LEFT = frozenset({"EVDisconnected"})
"""Reasons of a stop that say that the vehicle is gone."""
NOBODY_THERE = "Idle"
"""OCPP 2.x: nothing is plugged in."""


def _with_vehicle_gone(session: Session, fact: Stopped) -> Session:
    """A transaction that ends because the vehicle has left covers the occupancy: no Available has to be waited for."""
    if fact.reason in LEFT or fact.charging_state == NOBODY_THERE:
        return replace(session, occupancy_ended_at=session.transaction_ended_at)
    return session


def _left_already(work: UnitOfWork, session: Session) -> Session:
    """A stop from a queue, told after its connector was reported free: no idle time runs while the station was offline."""
    if session.evse_id is None or session.transaction_ended_at is None or session.occupancy_ended_at is not None:
        return session
    states = work.queries.states_between(session.evse_id, session.transaction_ended_at, work.machine_now)
    if any(one.status == FREE and one.occurred_at >= session.transaction_ended_at for one in states):
        return replace(session, occupancy_ended_at=session.transaction_ended_at)
    return session


def _rebuilt(work: UnitOfWork, fact: Stopped, frame_id: FrameId) -> Session | None:
    """A stop of a transaction that nobody started here. If it tells a whole session that no open one can be, one is made of it.

    Else it waits for a person, with the session that it may belong to.
    """
    candidates = candidates_of(work, fact)
    if candidates or len({sample.at for sample in fact.samples if sample.register is not None}) < WHOLE_SESSION:
        park(work, fact, frame_id, candidates)
        return None
    # The number that the station told may be given to another transaction one day: it gets one of ours.
    counter = work.transaction_counters.lock(fact.heard.station_id)
    number = str(counter.last_transaction_id + 1)
    work.transaction_counters.put(replace(counter, last_transaction_id=counter.last_transaction_id + 1))
    evses = work.evses.by(station_id=fact.heard.station_id)
    place = evses[0].number if len(evses) == 1 else None
    return _open_without_start(work, replace(fact, transaction_id=number, evse_number=place), frame_id)


def _nameless_keys(fact: Stopped) -> list[str]:
    """Under which keys the same stop would wait for a person, had its station told it without its number."""
    if fact.sequence_number is not None:
        return []
    return [natural_key(UNKNOWN_TRANSACTION, *parked_key(fact, nobody)) for nobody in NO_TRANSACTION]


def _settle_nameless(work: UnitOfWork, fact: Stopped) -> None:
    """OCPP 1.6: a station that had no answer to its start told this stop without its number before; now it has told it well."""
    for key in _nameless_keys(fact):
        item = work.inbox.one_by(natural_key=key)
        if item is not None and item.state is InboxState.OPEN:
            settle(work, item, "the station told the same stop again, with its transaction")


def _other_stop(work: UnitOfWork, session: Session, fact: Stopped, frame_id: FrameId) -> TransactionAnswer:
    """The first stop is final; another one with other values is a matter for a person."""
    to_inbox(
        work,
        "stop_differs",
        f"transaction {fact.transaction_id} was stopped again, with another time or register",
        session.session_id,
        fact.at,
        fact.meter_stop,
        station_id=fact.heard.station_id,
        session_id=session.session_id,
        frame_id=frame_id,
    )
    session = work.sessions.put(replace(session, flags=with_flags(session.flags, Flag.STOP_DIFFERS)))
    if was_decided_without_stop(session):
        session = _told_after_all(work, session, fact, frame_id)
    return _answer(work, session, fact)


def _told_after_all(work: UnitOfWork, session: Session, fact: Stopped, frame_id: FrameId) -> Session:
    """The lost stop of a session that a person has decided on: the decision stays, and what it did not know is explained."""
    samples = usable_samples(work, fact.samples, fact.heard)
    take_readings(work, session, samples, fact.heard.received_at, frame_id)
    meter_stop = fact.meter_stop if fact.meter_stop is not None and fact.meter_stop >= 0 else None
    ended_at, _ = usable_time(work, fact.at, fact.heard)
    session = work.sessions.put(
        replace(
            session,
            meter_stop=meter_stop,
            stop_frame_id=frame_id,
            transaction_ended_at=session.transaction_ended_at or max(ended_at, session.started_at),
        )
    )
    readings = work.meter_readings.by(session_id=session.session_id)
    metered = measure(session.started_at, session.meter_start, readings, ended_at, meter_stop)
    return note_unseen(work, session, metered.milliwatt_hours, frame_id)


def _open_without_start(work: UnitOfWork, fact: Stopped, frame_id: FrameId) -> Session:
    """OCPP 2.x: an Ended whose Started never came. Its own samples may tell the whole session."""
    counter = work.transaction_counters.lock(fact.heard.station_id)
    work.transaction_counters.put(counter)
    told = [sample for sample in fact.samples if sample.register is not None]
    first = min(told, key=lambda one: one.at, default=None)
    start = Started(
        heard=fact.heard,
        at=first.at if first else fact.at,
        evse_number=fact.evse_number,
        connector_number=None,
        token_uid=fact.token_uid,
        token_type=None,
        transaction_id=fact.transaction_id,
        meter_start=first.register if first else None,
        sequence_number=fact.sequence_number,
        offline=fact.offline,
    )
    station = work.stations.get(fact.heard.station_id)
    return open_session(work, start, station, start_key(start), fact.transaction_id, frame_id, Flag.START_MISSING)


def _answer(work: UnitOfWork, session: Session, fact: Stopped) -> TransactionAnswer:
    # OCPP 1.6 has no words for it in an answer: there its display is told afterwards.
    cost, words = total_of(work, session) if fact.heard.protocol != OLD else (None, None)
    return TransactionAnswer(session.transaction_id or "", "Accepted", cost, words=words)
