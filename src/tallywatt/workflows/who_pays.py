"""Who owes for a session, by the token that was shown; and which parties play their parts at the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.customers.customer import TokenState, fold
from tallywatt.metering.facts import TransactionAnswer
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import PayerKind
from tallywatt.workflows.pay_ad_hoc import take_up_hold

if TYPE_CHECKING:
    from tallywatt.customers.customer import Token
    from tallywatt.kernel.identity import PaymentId, SessionId
    from tallywatt.metering.session import Session
    from tallywatt.stations.station import Evse, Role
    from tallywatt.workflows.ports import UnitOfWork


NO_CREDIT = "NoCredit"
"""What OCPP 2.x says of a customer whose balance or limit does not suffice; in 1.6 it is `Blocked`."""


def find_token(work: UnitOfWork, token_uid: str | None) -> Token | None:
    """The token of a folded uid. OCPP 1.6 does not name the type: a card is preferred when two types share a uid."""
    if not token_uid:
        return None
    found = work.tokens.by(uid_folded=token_uid)
    return min(found, key=lambda one: (one.type != "RFID", one.token_id), default=None)


def who_owes(work: UnitOfWork, token: Token | None) -> tuple[PayerKind, str | None]:
    """The party behind a token; unknown for none, and for one that may not start."""
    if token is None or not token.may_start(work.now):
        return PayerKind.UNKNOWN, None
    if token.payment_id is not None:
        return PayerKind.AD_HOC, token.payment_id
    if token.customer_id is not None:
        return PayerKind.CUSTOMER, token.customer_id
    return PayerKind.UNKNOWN, None


def who_pays(
    work: UnitOfWork, token: Token | None, session_id: SessionId
) -> tuple[PayerKind, str | None, PaymentId | None]:
    """The party behind a token, and the hold that stands behind it. A hold that is gone, or on its way back, pays nothing."""
    payer, payer_id = who_owes(work, token)
    if token is None or payer is not PayerKind.AD_HOC or token.payment_id is None:
        return payer, payer_id, None
    if take_up_hold(work, token.payment_id, session_id):
        return payer, payer_id, token.payment_id
    return PayerKind.UNKNOWN, None, None


def authorization_of(token: Token | None, *, now: int) -> str:
    """The OCPP AuthorizationStatus of a token."""
    if token is None:
        return "Invalid"
    if token.valid_until is not None and now >= token.valid_until:
        return "Expired"
    return {
        TokenState.ACTIVE: "Accepted",
        TokenState.BLOCKED: "Blocked",
        TokenState.USED: "Invalid",
        TokenState.EXPIRED: "Expired",
    }[token.state]


def roles_at(work: UnitOfWork, evse: Evse | None, at: int) -> dict[Role, str]:
    """Which party plays which part at an EVSE at that instant: frozen on the session at its start."""
    if evse is None:
        return {}
    return {
        row.role: row.party_id
        for row in work.evse_roles.by(evse_id=evse.evse_id)
        if row.valid_from <= at and (row.valid_to is None or at < row.valid_to)
    }


def answer_for(work: UnitOfWork, session: Session, token_uid: str | None) -> TransactionAnswer:
    """What a station is told of a token that it names with a transaction: of the one that began it, whether somebody pays."""
    named = fold(token_uid) if token_uid else session.token_uid
    token = find_token(work, named)
    status = authorization_of(token, now=work.now)
    if named == session.token_uid:
        if Flag.NOT_COVERED in session.flags:
            status = NO_CREDIT
        elif session.payer is not PayerKind.UNKNOWN:
            status = "Accepted"  # its one transaction has used a one-time tag up, and still goes on
        elif status == "Accepted":
            status = "Invalid"
    return TransactionAnswer(session.transaction_id or "", status, group=token.group_uid if token else None)
