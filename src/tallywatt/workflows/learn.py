"""A later event names who charges, or where: OCPP 2.x may begin a transaction without a card, and without an EVSE."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.customers.customer import TokenState, fold
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import PayerKind, SessionState
from tallywatt.stations.station import Role
from tallywatt.workflows.cover_start import cover_start
from tallywatt.workflows.fulfil_command import fulfil, remote_start, tag_of
from tallywatt.workflows.keep_reservation import use_reservation
from tallywatt.workflows.listen import with_flags
from tallywatt.workflows.lose_those_before import end_those_before
from tallywatt.workflows.offer_price import offer_at
from tallywatt.workflows.use_coupon import release_uses
from tallywatt.workflows.who_pays import find_token, roles_at, who_pays

if TYPE_CHECKING:
    from tallywatt.customers.customer import Token
    from tallywatt.metering.facts import Sampled, Started
    from tallywatt.metering.session import Session
    from tallywatt.stations.command import StationCommand
    from tallywatt.workflows.ports import UnitOfWork

NOT_DECIDED = frozenset({SessionState.ACTIVE, SessionState.ENDED, SessionState.HELD})
"""What comes late still completes its session: also one that has ended and waits for its vehicle to leave."""


def learn(work: UnitOfWork, session: Session, fact: Started | Sampled) -> Session:
    """The session with what this event is the first to tell: its place, its token, and the price that follows from both."""
    if session.state not in NOT_DECIDED or session.station_id is None:
        return session
    after = _payer(work, _place(work, session, fact), fact)
    if after is session:
        return _reserved(work, session, fact)
    after = use_reservation(work, after, fact)
    station = work.stations.get(session.station_id)
    evse = work.evses.find(after.evse_id) if after.evse_id else None
    if after.payment_id is None:
        # What was claimed for the price without this place is free again, so that the new price may have it.
        release_uses(work, session.offer_id)
    offer = offer_at(work, station, evse, after.started_at, (after.payer, after.payer_id), after.payment_id)
    if offer is not None:
        after = replace(after, offer_id=offer.offer_id, zone=offer.zone)
    after = cover_start(work, work.sessions.put(after))
    if session.evse_id is None and after.evse_id is not None and after.is_open:
        end_those_before(work, after)
    return after


def _reserved(work: UnitOfWork, session: Session, fact: Started | Sampled) -> Session:
    """OCPP 2.x may name the reservation in a later event than the token."""
    if fact.reservation_number is None:
        return session
    after = use_reservation(work, session, fact)
    return session if after is session else work.sessions.put(after)


def _place(work: UnitOfWork, session: Session, fact: Started | Sampled) -> Session:
    if session.evse_id is not None or fact.evse_number is None:
        return session
    evse = work.evses.one_by(station_id=fact.heard.station_id, number=fact.evse_number)
    if evse is None:
        return session
    roles = roles_at(work, evse, session.started_at)
    return replace(
        session,
        evse_id=evse.evse_id,
        connector_number=fact.connector_number,
        merchant_party_id=roles.get(Role.MERCHANT),
        owner_party_id=roles.get(Role.OWNER),
        payee_party_id=roles.get(Role.PAYEE),
        flags=tuple(flag for flag in session.flags if flag != Flag.UNKNOWN_EVSE),
    )


def _payer(work: UnitOfWork, session: Session, fact: Started | Sampled) -> Session:
    """Who was named first owes. Whoever stops a transaction, or shows a card later, does not."""
    if session.token_uid is not None or not fact.names_starter:
        return session
    command = remote_start(work, fact) if fact.token_uid or fact.remote_start_id is not None else None
    token_uid = fold(fact.token_uid) if fact.token_uid else tag_of(command)
    if token_uid is None:
        return session
    token = find_token(work, token_uid)
    payer, payer_id, payment_id = who_pays(work, token, session.session_id)
    odd = {Flag.UNKNOWN_TOKEN: token is None, Flag.REFUSED_TOKEN: token is not None and payer is PayerKind.UNKNOWN}
    known = tuple(flag for flag in session.flags if flag not in odd)
    after = replace(
        session,
        token_uid=token_uid,
        payer=payer,
        payer_id=payer_id,
        payment_id=payment_id,
        flags=with_flags(known, *(flag for flag, holds in odd.items() if holds)),
    )
    settle_start(work, token, command, after)
    return after


def settle_start(work: UnitOfWork, token: Token | None, command: StationCommand | None, session: Session) -> None:
    """A one-time tag has had its one transaction; the command that asked for it has come to its end."""
    if token is not None and token.payment_id is not None and token.state is TokenState.ACTIVE:
        work.tokens.put(replace(token, state=TokenState.USED))
        open_commands = [one for one in work.station_commands.by(payment_id=token.payment_id) if one.is_open]
        command = command or next(iter(open_commands), None)
    if command is not None:
        fulfil(work, command, session)
