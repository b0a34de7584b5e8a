"""Customers and the tokens that they show."""

from __future__ import annotations

from dataclasses import dataclass

from tallywatt.customers.customer import Customer, CustomerDetails, Token, TokenState, fold
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import CustomerId, PaymentId, TokenId
from tallywatt.workflows.keep_circle import JoinCircle, join_circle
from tallywatt.workflows.keep_local_list import tokens_changed
from tallywatt.workflows.name_token import safe_uid
from tallywatt.workflows.ports import UnitOfWork
from tallywatt.workflows.record_action import record_action

LONGEST_UID = 36
"""OCPI 2.3.0 Token.uid; OCPP 1.6 carries 20."""


@dataclass(frozen=True, slots=True)
class AddCustomer:
    """An account. What tells who it is may be left out, or erased later."""

    reference: str
    name: str = ""
    email: str | None = None
    address: str | None = None
    language: str = "en"
    circles: tuple[str, ...] = ()
    """To what the customer belongs from now on: `fleet:north`, `group:taxis`."""


def add_customer(work: UnitOfWork, command: AddCustomer) -> Customer:
    """Write down a customer, or Conflict when the reference is taken."""
    row = Customer(
        CustomerId(work.draw.id(f"customer/{command.reference}")), command.reference, command.language, work.now
    )
    if not work.customers.add(row):
        msg = f"there is a customer {command.reference!r} already"
        raise Conflict(msg, code="customers.reference_taken")
    if command.name or command.email or command.address:
        work.customer_details.add(CustomerDetails(row.customer_id, command.name, command.email, command.address))
    work.events.append(Event("customer", row.customer_id, "CustomerAdded"))
    record_action(work, "customer.add", "customer", row.customer_id)
    for circle in command.circles:
        join_circle(work, JoinCircle(circle, command.reference))
    return row


@dataclass(frozen=True, slots=True)
class AddToken:
    """A card, fob or app tag of a customer."""

    uid: str
    customer_reference: str | None = None
    type: str = "RFID"
    valid_until: Instant | None = None
    group: str | None = None
    """Cards of one group may stop what another one of it has started (OCPP parentIdTag, groupIdToken)."""


def add_token(work: UnitOfWork, command: AddToken) -> Token:
    """Write down a token. Its uid is unique per operator and type, in whatever case it is written."""
    uid = safe_uid(work, command.uid.strip())
    folded = fold(uid)
    if not 0 < len(folded) <= LONGEST_UID:
        msg = f"a token's uid has 1 to {LONGEST_UID} characters"
        raise BadInput(msg, code="tokens.bad_uid")
    if command.group is not None and not 0 < len(command.group) <= LONGEST_UID:
        msg = (
            f"the name of a group has 1 to {LONGEST_UID} characters; stations of OCPP 1.6 are told the first 20 at most"
        )
        raise BadInput(msg, code="tokens.bad_group")
    customer_id = None
    if command.customer_reference is not None:
        customer = work.customers.one_by(reference=command.customer_reference)
        if customer is None:
            msg = f"there is no customer {command.customer_reference!r}"
            raise NotFound(msg, code="customers.not_found", remedy="add it first: tallywatt customer add")
        customer_id = customer.customer_id
    row = Token(
        token_id=TokenId(work.draw.id(f"token/{command.type}/{folded}")),
        type=command.type,
        uid=uid,
        uid_folded=folded,
        customer_id=customer_id,
        payment_id=None,
        state=TokenState.ACTIVE,
        created_at=work.now,
        valid_until=command.valid_until,
        group_uid=command.group,
    )
    if not work.tokens.add(row):
        msg = f"there is a token {uid!r} of type {command.type} already"
        raise Conflict(msg, code="tokens.uid_taken")
    tokens_changed(work)
    work.events.append(Event("token", row.token_id, "TokenAdded", {"customer_id": customer_id}))
    record_action(work, "token.add", "token", row.token_id)
    return row


ONE_TIME_CHARACTERS = 20
"""OCPP 1.6 IdToken: CiString20."""


def one_time_tag(work: UnitOfWork, payment_id: PaymentId, valid_until: Instant) -> Token:
    """A tag for one remote start without a card: drawn, never used again."""
    uid = work.draw.token(f"tag/{payment_id}", ONE_TIME_CHARACTERS)
    row = Token(
        TokenId(work.draw.id(f"tag/{payment_id}")),
        "AD_HOC_USER",
        uid,
        fold(uid),
        None,
        payment_id,
        TokenState.ACTIVE,
        work.now,
        valid_until,
    )
    added = work.tokens.add(row)
    assert added, "a drawn tag of a hundred random bits is new"
    return row
