"""A transaction has started: find out whether we know it already, who owes for it, and at what price."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.customers.customer import fold
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import SessionId, natural_key
from tallywatt.metering.facts import DIRECT_PAYMENT, TransactionAnswer
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import Evidence, PayerKind, Reason, Session, SessionState, Source
from tallywatt.stations.display import TARIFF
from tallywatt.stations.messages import OLD
from tallywatt.stations.station import Role, StationState
from tallywatt.workflows.count_events import counted
from tallywatt.workflows.cover_start import cover_start
from tallywatt.workflows.finish import finish_when_ready
from tallywatt.workflows.foresight import THE_OPERATOR, Foreseen, foresees
from tallywatt.workflows.fulfil_command import remote_start, tag_of
from tallywatt.workflows.keep_limit import limit_to_tell
from tallywatt.workflows.keep_reservation import use_reservation
from tallywatt.workflows.keep_tariff import begin_tariff
from tallywatt.workflows.learn import NOT_DECIDED, learn, settle_start
from tallywatt.workflows.listen import (
    keep_frame,
    remember,
    settle_inbox,
    to_inbox,
    usable_samples,
    usable_time,
    with_flags,
)
from tallywatt.workflows.lose_stop import count_without_stop
from tallywatt.workflows.lose_those_before import end_those_before, tell_the_one_before
from tallywatt.workflows.name_token import with_safe_token
from tallywatt.workflows.offer_price import offer_at
from tallywatt.workflows.settle_terminal import terminal_token
from tallywatt.workflows.show_price import begin_showing, is_shown, tariff_words
from tallywatt.workflows.take_readings import take_readings
from tallywatt.workflows.take_signed import take_signed
from tallywatt.workflows.who_pays import answer_for, find_token, roles_at, who_pays

if TYPE_CHECKING:
    from tallywatt.customers.customer import Token
    from tallywatt.kernel.identity import FrameId
    from tallywatt.metering.facts import Started
    from tallywatt.stations.station import Evse, Station
    from tallywatt.workflows.ports import UnitOfWork

MOST_RESTARTS_OF_A_DEAD_CLOCK = 10_000


def _asked(fact: Started) -> list[Foreseen]:
    station_id = fact.heard.station_id
    asked = [
        THE_OPERATOR,
        Foreseen("stations", (("station_id", station_id),)),
        Foreseen("transaction_counters", (("station_id", station_id),), held=True),
        Foreseen("reservations", (("station_id", station_id), ("is_watched", 1))),
        Foreseen("station_facts", (("fact_key", start_key(fact)),)),
    ]
    if fact.evse_number is not None:
        asked.append(Foreseen("evses", (("station_id", station_id), ("number", fact.evse_number))))
    if fact.token_uid:
        asked.append(Foreseen("tokens", (("uid_folded", fold(fact.token_uid)),)))
    return asked


@foresees(_asked)
def plug_in(work: UnitOfWork, fact: Started) -> TransactionAnswer:
    """Open a session for a start, or answer again what the same start was answered before."""
    fact = with_safe_token(work, fact)
    heard = fact.heard
    station = work.stations.get(heard.station_id)
    # The counter is the aggregate that orders the starts of one station.
    counter = work.transaction_counters.lock(heard.station_id)
    frame_id = keep_frame(work, heard)
    key, known = _known_start(work, fact)
    if known is not None:
        return _answer(work, known, fact)
    if fact.transaction_id is not None and (early := _opened_by_a_later_event(work, fact)) is not None:
        completed = _complete(work, early, fact, frame_id)
        remember(work, key, "start", heard, fact.at, completed.session_id, frame_id, fact.transaction_id)
        return _answer(work, completed, fact)
    transaction_id = fact.transaction_id
    if transaction_id is None:
        transaction_id = str(counter.last_transaction_id + 1)
    work.transaction_counters.put(replace(counter, last_transaction_id=counter.last_transaction_id + 1))
    session = open_session(work, fact, station, key, transaction_id, frame_id)
    begin_showing(work, session, station, heard.protocol)
    begin_tariff(work, session, station, fact)
    remember(work, key, "start", heard, fact.at, session.session_id, frame_id, transaction_id)
    return _answer(work, session, fact)


def start_key(fact: Started) -> str:
    """The natural key of a start (RULES §1): its content, never its message id."""
    heard = fact.heard
    if fact.transaction_id is not None:
        return natural_key("start", heard.station_id, fact.transaction_id)
    token = fold(fact.token_uid or "")
    return natural_key("start", heard.station_id, fact.evse_number, token, fact.at, fact.meter_start)


def _known_start(work: UnitOfWork, fact: Started) -> tuple[str, Session | None]:
    """The key for this start, and the session of the same start if there is one.

    A station whose clock is not set tells the same time after every boot: the same key after that transaction's stop is then a
    new start. With a clock that is set it is a late resend.
    """
    first = key = start_key(fact)
    _, clock_is_set = usable_time(work, fact.at, fact.heard)
    for again in range(MOST_RESTARTS_OF_A_DEAD_CLOCK):
        known = work.station_facts.find(key)
        if known is None:
            return key, None
        assert known.session_id is not None, "a start always has a session"
        session = work.sessions.get(known.session_id)
        if clock_is_set or fact.transaction_id is not None or session.transaction_ended_at is None:
            return key, session
        key = natural_key(first, again)
    return key, None


def open_session(
    work: UnitOfWork, fact: Started, station: Station, key: str, transaction_id: str, frame_id: FrameId, *flags: str
) -> Session:
    """Write down a new session with its payer and the price that it was offered."""
    heard = fact.heard
    started_at, clock_is_set = usable_time(work, fact.at, heard)
    evse = _evse(work, fact)
    command = remote_start(work, fact)
    token_uid = fold(fact.token_uid) if fact.token_uid else tag_of(command)
    token = find_token(work, token_uid)
    if token is None and fact.token_type == DIRECT_PAYMENT and fact.token_uid:
        token = terminal_token(work, fact.token_uid, evse.evse_id if evse else None)
    session_id = SessionId(work.draw.id("session"))
    payer, payer_id, payment_id = who_pays(work, token, session_id)
    odd = _oddities(clock_is_set, token, payer, evse, station)
    # Below zero is how some stations say that they do not know.
    meter_start = fact.meter_start if fact.meter_start is not None and fact.meter_start >= 0 else None
    roles = roles_at(work, evse, started_at)
    offer = offer_at(work, station, evse, started_at, (payer, payer_id), payment_id)
    session = Session(
        session_id=session_id,
        source=Source.OCPP,
        upstream_id=None,
        start_key=key,
        evidence=Evidence.METERED,
        station_id=heard.station_id,
        evse_id=evse.evse_id if evse else None,
        connector_number=fact.connector_number,
        transaction_id=transaction_id,
        token_uid=token_uid,
        payer=payer,
        payer_id=payer_id,
        payment_id=payment_id,
        merchant_party_id=roles.get(Role.MERCHANT),
        owner_party_id=roles.get(Role.OWNER),
        payee_party_id=roles.get(Role.PAYEE),
        offer_id=offer.offer_id if offer else None,
        state=SessionState.ACTIVE,
        zone=offer.zone if offer else work.operators.get().zone,
        started_at=started_at,
        energy_ended_at=None,
        transaction_ended_at=None,
        occupancy_ended_at=None,
        meter_start=meter_start,
        meter_stop=None,
        milliwatt_hours=0,
        last_register=meter_start,
        last_reading_at=started_at if meter_start is not None else None,
        sequence_number=None,
        stop_reason=None,
        stopped_by=None,
        rated_id=None,
        invoice_id=None,
        flags=with_flags((*heard.flags, *flags), *odd),
        driver_secret=work.draw.token("driver", 26),
        start_frame_id=frame_id,
        stop_frame_id=None,
        received_at=heard.received_at,
        booked_at=work.now,
    )
    kept = use_reservation(work, session, fact)
    session = counted(kept, fact.sequence_number, is_first=Flag.START_MISSING not in flags)
    if evse is not None:
        end_those_before(work, session)
    work.sessions.add_new(session)
    settle_start(work, token, command, session)
    session = cover_start(work, session)
    _tell(work, session)
    take_signed(work, session, fact.signed, heard, frame_id)
    return take_readings(work, session, usable_samples(work, fact.samples, heard), heard.received_at, frame_id)


def _tell(work: UnitOfWork, session: Session) -> None:
    told = {"station_id": session.station_id, "evse_id": session.evse_id}
    work.events.append(Event("session", session.session_id, "SessionStarted", told))


def _oddities(
    clock_is_set: bool, token: Token | None, payer: PayerKind, evse: Evse | None, station: Station
) -> list[Flag]:
    """What is odd about a start, before anything has flowed."""
    odd = {
        Flag.CLOCK_NOT_SET: not clock_is_set,
        Flag.UNKNOWN_TOKEN: token is None,
        Flag.REFUSED_TOKEN: token is not None and payer is PayerKind.UNKNOWN,
        Flag.UNKNOWN_EVSE: evse is None,
        Flag.STATION_QUARANTINED: station.state is not StationState.ADOPTED,
    }
    return [flag for flag, holds in odd.items() if holds]


def _answer(work: UnitOfWork, session: Session, fact: Started) -> TransactionAnswer:
    assert session.transaction_id is not None, "sessions from stations have a transaction id"
    answer, protocol = answer_for(work, session, None), fact.heard.protocol
    if protocol == OLD or not session.is_open:
        return answer
    words = tariff_words(work, session) if is_shown(work, session.station_id or "", protocol, TARIFF) else None
    return replace(answer, words=words, limit=limit_to_tell(work, session, fact))


def _evse(work: UnitOfWork, fact: Started) -> Evse | None:
    if fact.evse_number is None:
        return None
    return work.evses.one_by(station_id=fact.heard.station_id, number=fact.evse_number)


def _opened_by_a_later_event(work: UnitOfWork, fact: Started) -> Session | None:
    return work.sessions.lock_by(station_id=fact.heard.station_id, transaction_id=fact.transaction_id)


def _complete(work: UnitOfWork, session: Session, fact: Started, frame_id: FrameId) -> Session:
    """The start of a session that a later event has opened: fill in what only the start says, and go on from there."""
    if Flag.START_MISSING not in session.flags or session.state not in NOT_DECIDED:
        to_inbox(
            work,
            "late_start",
            f"the start of transaction {session.transaction_id} came after its bill",
            session.session_id,
            station_id=session.station_id,
            session_id=session.session_id,
            frame_id=frame_id,
        )
        return session
    started_at, _ = usable_time(work, fact.at, fact.heard)
    session = replace(
        session,
        started_at=min(started_at, session.started_at),
        meter_start=fact.meter_start if fact.meter_start is not None else session.meter_start,
        start_frame_id=frame_id,
        flags=tuple(flag for flag in session.flags if flag != Flag.START_MISSING),
    )
    session = counted(session, fact.sequence_number, is_first=True)
    if session.transaction_ended_at is not None:
        session = replace(session, state=SessionState.ENDED)
    session = learn(work, work.sessions.put(_without_the_stopper(session, fact)), fact)
    if session.evse_id is not None:
        tell_the_one_before(work, session)
    samples = usable_samples(work, fact.samples, fact.heard)
    session = take_readings(work, session, samples, fact.heard.received_at, frame_id)
    take_signed(work, session, fact.signed, fact.heard, frame_id)
    settle_inbox(work, Reason.START_MISSING.value, session.session_id, "its start came")
    if session.state is SessionState.ACTIVE:
        return work.sessions.put(count_without_stop(work, session))
    return finish_when_ready(work, session)


def _without_the_stopper(session: Session, fact: Started) -> Session:
    """Where only the end was told, its card stood in for the one that began it. Now the start has named another one."""
    told = fold(fact.token_uid) if fact.token_uid else None
    if told in {None, session.token_uid} or session.payment_id is not None:
        return session
    return replace(session, stopped_by=session.token_uid, token_uid=None, payer=PayerKind.UNKNOWN, payer_id=None)
