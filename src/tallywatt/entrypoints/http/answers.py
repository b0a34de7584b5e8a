"""What the API answers, as types: the documentation is made of them, and the tests hold every answer against them.

Nothing is built of these when a request is answered; they are loaded when somebody asks for the documentation.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from tallywatt.customers.approval import ApprovalKind, ApprovalState, Beyond, Holder
from tallywatt.customers.circle import CircleKind
from tallywatt.customers.customer import TokenState
from tallywatt.evidence.run import AuditState
from tallywatt.invoicing.correction import CorrectionState, Outcome
from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.ledger.books import Phase
from tallywatt.metering.session import Evidence, InboxState, PayerKind, Reason, SessionState, Source
from tallywatt.metering.signed.reasons import Signature
from tallywatt.payments.account import MethodState
from tallywatt.payments.allocation import Target
from tallywatt.payments.bank import BankLineState, Carrying
from tallywatt.payments.debit import CollectionState, MandateState, Scheme, Sequence
from tallywatt.payments.dispute import DisputeState
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import PaymentKind, PaymentState
from tallywatt.rating.coupon import UseState
from tallywatt.rating.findings import Gravity
from tallywatt.rating.records import Dimension, TaxBasis, Unit
from tallywatt.rating.records import Scope as Place
from tallywatt.stations.certificates import CertificateState
from tallywatt.stations.command import Action, CommandState
from tallywatt.stations.display import Shows
from tallywatt.stations.key_change import KeyState
from tallywatt.stations.local_list import ListState
from tallywatt.stations.messages import Purpose
from tallywatt.stations.metrology import Metrology
from tallywatt.stations.offline import Starts
from tallywatt.stations.profile_change import ProfileState
from tallywatt.stations.reservation import ReservationState
from tallywatt.stations.station import Current, StationState
from tallywatt.stations.told_tariff import TariffState
from tallywatt.stations.traffic import Direction, Kind
from tallywatt.workflows.imports import ImportKind, ImportState, RowOutcome, UserIs
from tallywatt.workflows.jobs import JobState

T = TypeVar("T")
Wh = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+(\.[0-9]{1,3})?$", description="Watt-hours, exactly.")]
When = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"}, description="RFC 3339, UTC.")]


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """What all have in common: no member is told that is not written down here."""


class Page(Answer, Generic[T]):
    """A page of a list. `next` is the cursor of the page behind; null on the last one."""

    items: list[T]
    next: str | None


class Connector(Answer):
    """The plug or socket of an EVSE, and what it last reported."""

    number: int
    status: str
    error_code: str | None
    occurred_at: When
    received_at: When


class StationEvse(Answer):
    """An EVSE of a station."""

    id: str
    number: int
    code: str
    current: Current
    max_watts: int | None
    deployed_on: str | None
    metrology: Metrology
    connectors: list[Connector]
    status: str | None


class Evse(Answer):
    """One place to charge one vehicle."""

    id: str
    number: int
    code: str
    current: Current
    max_watts: int | None
    deployed_on: str | None
    metrology: Metrology
    station: str
    location: str | None
    connectors: list[Connector]
    status: str | None


class EvseKept(Answer):
    """An EVSE as it was written down."""

    id: str
    station_id: str
    number: int
    code: str
    current: Current
    max_watts: int | None
    deployed_on: str | None
    created_at: When
    metrology: Metrology
    """Which law on measuring holds there."""
    metrology_since: When | None


class MeterKey(Answer):
    """A meter's public key as the registry has it."""

    id: str
    meter_serial: str
    public_key: str
    curve: str | None
    fingerprint: str
    valid_from: When
    valid_until: When | None
    added_at: When
    evse: str | None


class MeterKeyKept(Answer):
    """A key as it was written down."""

    id: str
    meter_serial: str
    public_key: str
    curve: str | None
    fingerprint: str
    evse_id: str | None
    valid_from: When
    valid_until: When | None
    added_at: When


class SignedValue(Answer):
    """A record as its meter signed it."""

    occurred_at: When
    received_at: When
    frame_id: str | None
    context: str | None
    format: str
    data: str
    delivered_key: str | None


class SignatureVerdict(Answer):
    """What the signed values of a session proved when they were judged; the last one counts."""

    number: int
    judged_at: When
    signature: Signature
    energy_is_billable: bool
    time_is_billable: bool
    reasons: list[str]
    warnings: list[str]
    began_at: When | None
    ended_at: When | None
    meter_serial: str | None
    gateway_serial: str | None
    pages: str | None
    curve: str | None
    fingerprint: str | None
    energy_wh: str | None
    register_start_wh: str | None
    register_stop_wh: str | None


class SignedValues(Answer):
    """What the meter of a session signed, and the verdicts on it. `public_key`: the key of the last verdict."""

    values: list[SignedValue]
    verdicts: list[SignatureVerdict]
    public_key: str | None


class PriceLine(Answer):
    """One price component, in the order in which a driver reads them: kWh, time, idle time, session."""

    dimension: Dimension
    element: int
    price: str
    tax_rate: str | None
    conditions: dict[str, Any]
    otherwise: bool
    applies_now: bool


class UsualCharge(Answer):
    """What a usual charge would cost, tax included, if it began now."""

    kilowatt_hours: int
    charging_minutes: int
    idle_minutes: int
    gross_minor: int
    currency: str


class ShownPrice(Answer):
    """The price before a start, as it would be offered at this moment."""

    evse: str
    name: str
    currency: str
    tax_included: bool
    at: When
    lines: list[PriceLine]
    reservation: list[PriceLine]
    min_price: dict[str, str] | None
    max_price: dict[str, str] | None
    caps: list[dict[str, Any]]
    discounts: list[dict[str, Any]]
    examples: list[UsualCharge]
    tariff_version_id: str


class Location(Answer):
    """A place with stations."""

    id: str
    reference: str
    name: str
    address: str
    city: str
    postal_code: str
    country: str
    zone: str
    latitude: str | None
    longitude: str | None
    created_at: When
    stations: int


class LocationKept(Answer):
    """A location as it was written down."""

    id: str
    reference: str
    name: str
    address: str
    city: str
    postal_code: str
    country: str
    zone: str
    latitude: str | None
    longitude: str | None
    created_at: When


class Command(Answer):
    """A command to a station. Accepted is not done: `state` says where it stands."""

    id: str
    station_id: str
    action: Action
    state: CommandState
    evse_id: str | None
    session_id: str | None
    payment_id: str | None
    remote_start_id: int | None
    requested_at: When
    deadline_at: When
    ended_at: When | None
    reason: str | None
    requested_by: str
    name: str | None
    request_number: int | None
    sent_at: When | None
    answered_at: When | None
    answer: dict[str, Any] | None
    station: str
    evse: str | None


class CommandKept(Answer):
    """A command as it was written down."""

    id: str
    station_id: str
    action: Action
    state: CommandState
    evse_id: str | None
    session_id: str | None
    payment_id: str | None
    remote_start_id: int | None
    requested_at: When
    deadline_at: When
    ended_at: When | None
    reason: str | None
    requested_by: str
    name: str | None
    request_number: int | None
    sent_at: When | None
    answered_at: When | None
    answer: dict[str, Any] | None


class StationMessage(Answer):
    """A message that can be sent to a station by its name."""

    name: str
    protocols: list[str]
    purpose: Purpose
    deadline_seconds: int
    followed_by: list[str]
    instead: str | None
    action: str | None
    schemas: dict[str, dict[str, Any]] | None


class StationReport(Answer):
    """A part of what followed the answer to a command. `content` is null where it tells about a person."""

    message: str
    number: int
    is_last: bool
    status: str | None
    content: dict[str, Any] | None
    received_at: When
    frame_id: str


class StationVariable(Answer):
    """One place of a station's configuration. In OCPP 1.6 only `name` is told; `evse` 0 is the whole station."""

    component: str
    component_instance: str
    evse: int
    connector: int
    name: str
    instance: str
    attribute: str
    value: str | None
    is_writable: bool | None
    told_at: When
    station: str


class SecurityEvent(Answer):
    """What a station told about its safety."""

    id: str
    kind: str
    occurred_at: When
    received_at: When
    detail: str | None
    frame_id: str
    station: str


class StationNotice(Answer):
    """Something that a station said on the side. `severity` goes from 0, danger, to 9, debug; null: it did not say."""

    id: str
    message: str
    subject: str
    kind: str | None
    severity: int | None
    is_cleared: bool
    evse: int
    value: str | None
    detail: str | None
    occurred_at: When
    received_at: When
    frame_id: str
    station: str


class Station(Answer):
    """A charging station with its EVSEs."""

    id: str
    last_seen_at: When | None
    identity: str
    state: StationState
    protocol: str | None
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware: str | None
    booted_at: When | None
    created_at: When
    security_profile: int
    preferred_protocol: str | None
    has_key: bool
    location: str | None
    location_name: str | None
    evses: list[StationEvse]


class StationDetail(Station):
    """A station with its last commands."""

    commands: list[Command]


class StationKept(Answer):
    """A station as it was written down."""

    id: str
    identity: str
    location_id: str | None
    state: StationState
    protocol: str | None
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware: str | None
    booted_at: When | None
    created_at: When
    security_profile: int
    preferred_protocol: str | None


class Authority(Answer):
    """A certification authority of the operator, trusted to vouch for its stations."""

    id: str
    name: str
    certificate: str
    fingerprint: str
    holds_from: When
    holds_until: When
    created_at: When


class StationCertificate(Answer):
    """A request of a station for a certificate, and what came of it."""

    id: str
    state: CertificateState
    requested_at: When
    serial: str | None
    fingerprint: str | None
    certificate: str | None
    holds_from: When | None
    holds_until: When | None
    command_id: str | None
    ended_at: When | None
    reason: str | None


class StationCertificateKept(StationCertificate):
    """A certificate as it was written down."""

    station_id: str
    request_number: int | None


class FrameHead(Answer):
    """What a station sent, without the contents."""

    id: str
    received_at: When
    protocol: str
    action: str
    message_id: str
    flags: list[str]


class Frame(Answer):
    """What came over the wire. `text` is null where its key was dropped."""

    id: str
    received_at: When
    protocol: str
    action: str
    message_id: str
    flags: list[str]
    station_id: str
    bytes: int
    text: str | None


class LoggedMessage(Answer):
    """A message between a station and the platform; `at` is when it came or left."""

    id: str
    at: When
    direction: Direction
    kind: Kind
    action: str
    message_id: str
    transaction: str | None
    bytes: int
    text: str


class Tariff(Answer):
    """A version of a tariff; `tariff` is its OCPI object."""

    id: str
    reference: str
    name: str
    currency: str
    tax_basis: TaxBasis
    created_at: When
    tariff: dict[str, Any]


class TariffFinding(Answer):
    """Something found in a tariff: where (a path in its JSON), what, and what to do; `rule` and `places` of a rule broken."""

    code: str
    gravity: Gravity
    path: str
    message: str
    remedy: str
    rule: str | None
    places: list[str]


class TariffKept(Answer):
    """A version as it was written down; `unread` names what was not understood, `warnings` what looks wrong."""

    id: str
    reference: str
    name: str
    currency: str
    tax_basis: TaxBasis
    created_at: When
    unread: list[Any]
    warnings: list[TariffFinding]


class Assignment(Answer):
    """From when which tariff holds where."""

    id: str
    tariff_version_id: str
    scope: Place
    scope_id: str
    audience: str
    valid_from: When
    valid_until: When | None
    created_at: When
    tariff: str
    tariff_name: str
    target: str | None


class AssignmentKept(Answer):
    """An assignment as it was written down."""

    id: str
    tariff_version_id: str
    scope: Place
    scope_id: str
    audience: str
    valid_from: When
    valid_until: When | None
    created_at: When


class Circle(Answer):
    """A fleet, a group or a membership."""

    id: str
    kind: CircleKind
    name: str
    title: str
    created_at: When


class BelongingKept(Answer):
    """From when to when a customer is of a circle, as it was written down."""

    id: str
    circle_id: str
    customer_id: str
    valid_from: When
    valid_until: When | None
    created_at: When


class Belonging(Answer):
    """From when to when a customer is of a circle."""

    id: str
    circle_id: str
    kind: CircleKind
    name: str
    title: str
    customer: str
    valid_from: When
    valid_until: When | None
    created_at: When


class Coupon(Answer):
    """A code with a discount behind it; `uses` counts what is claimed and used."""

    id: str
    code: str
    title: str
    terms: dict[str, Any]
    currency: str | None
    most_uses: int | None
    uses_per_customer: int
    uses: int
    valid_from: When
    valid_until: When | None
    created_at: When


class Balance(Answer):
    """What a customer has paid in and not used, in one currency."""

    currency: str
    balance_minor: int
    held_minor: int
    free_minor: int


class Credit(Answer):
    """The terms on which a customer buys on invoice in a currency, and what is left of the limit."""

    currency: str
    limit_minor: int
    term_days: int
    allowed_at: When
    ended_at: When | None
    open_minor: int
    held_minor: int
    free_minor: int


class OpenItem(Answer):
    """What was bought on invoice and is not paid."""

    payment_id: str
    currency: str
    due_on: str | None
    taken_minor: int
    returned_minor: int
    settled_minor: int
    open_minor: int
    credit_minor: Annotated[int, msgspec.Meta(description="What was paid beyond it: the customer's.")]
    invoice: str | None
    issue_date: str | None
    customer: str


class Movement(Answer):
    """What came to an account in our own books (above nothing), or went from it."""

    booked_at: When
    currency: str
    minor: int
    on: Literal["balance", "account"]
    what: Literal["paid_in", "paid_back", "taken_back", "session", "refund", "transfer", "paid_out", "other"]
    cause_id: str


class CustomerAccount(Answer):
    """A customer's accounts in our own books."""

    balances: list[Balance]
    credit: list[Credit]
    items: list[OpenItem]
    movements: list[Movement]


class OpenItems(Answer):
    """What is open at all customers."""

    items: list[OpenItem]


class BalanceOpened(Answer):
    """The balance as a way to pay."""

    id: str
    account_id: str
    state: Literal["active", "failed", "removed"]


class PageOpened(Answer):
    """A payment whose page is on its way."""

    payment_id: str
    state: str
    status_url: str


class PaidOut(Answer):
    """What is on its way back to cards, what was paid out by bank, and what is left."""

    to_cards_minor: int
    by_bank_minor: int
    left_minor: int
    currency: str
    state: Literal["done", "waiting_for_approval"]
    approval_id: str | None


class CreditKept(Answer):
    """Terms of credit as they were written down; the id is the customer's."""

    id: str
    currency: str
    limit_minor: int
    term_days: int
    allowed_at: When
    ended_at: When | None


class TransferKept(Answer):
    """A transfer that came by bank, as it was written down. `left_minor`: the next open item takes it."""

    id: str
    transfer_key: str
    customer_id: str
    target: Literal["items", "balance"]
    currency: str
    amount_minor: int
    left_minor: int
    reference: str
    received_on: str
    received_at: When
    returned_at: When | None


class CouponKept(Answer):
    """A coupon that a customer keeps for the next session, as it was written down."""

    id: str
    coupon_id: str
    customer_id: str | None
    offer_id: str | None
    state: UseState
    session_id: str | None
    created_at: When
    claimed_at: When | None
    ended_at: When | None


class Creditor(Answer):
    """Who collects by direct debit."""

    creditor_id: str
    name: str
    iban: str
    bic: str | None
    notice_days: int
    currency: str
    changed_at: When


class Mandate(Answer):
    """A customer's word that may be collected from an account. The account is shown by its end."""

    id: str
    reference: str
    customer: str
    account: str
    scheme: Scheme
    signed_on: str
    state: MandateState
    used_on: str | None
    void_from: Annotated[str, msgspec.Meta(description="The day from which it is void when it is not used before.")]
    created_at: When
    ended_at: When | None
    end_reason: str | None


class MandateKept(Answer):
    """A mandate after it was written."""

    id: str
    reference: str
    customer_id: str
    account: str
    scheme: Scheme
    signed_on: str
    state: MandateState
    used_on: str | None
    created_at: When
    ended_at: When | None
    end_reason: str | None


class DebitBatch(Answer):
    """What is collected on one day, in one file."""

    id: str
    message_id: str
    collect_on: str
    currency: str
    count: Annotated[int, msgspec.Meta(description="How many payers are asked.")]
    total_minor: int
    state: Literal["open", "ready", "given", "cancelled"]
    made_at: When
    closed_at: When | None
    given_at: When | None
    cancelled_at: When | None


class Debit(Answer):
    """What one payer is asked for in a batch, and what became of it."""

    id: str
    batch_id: str
    end_to_end: str
    scheme: Scheme
    sequence: Sequence
    amount_minor: int
    currency: str
    remittance: str
    state: CollectionState
    reason: str | None
    fee_minor: int
    told_at: When | None
    line_id: str | None
    return_line_id: str | None
    mandate: str
    account: str
    customer: str


class DueDebit(Answer):
    """What a batch would ask of one payer."""

    reference: Annotated[str, msgspec.Meta(description="Of the mandate.")]
    customer: str
    account: str
    scheme: Scheme
    items: Annotated[int, msgspec.Meta(description="For how many open items.")]
    amount_minor: int


class DebitPreview(Answer):
    """What a batch would ask for at this moment: of how many payers, how much, and the first thousand of them."""

    collect_on: str
    currency: str
    count: int
    total_minor: int
    debits: list[DueDebit]


class ReportTaken(Answer):
    """What a bank's report of direct debits has changed."""

    rejected: int
    unknown: Annotated[int, msgspec.Meta(description="Names that are none of ours, or of what has come already.")]


class StatementTaken(Answer):
    """What was new in a statement."""

    new: int
    known: int
    matched: int


class BankLineKept(Answer):
    """A line of the bank after it was written."""

    id: str
    bank_account: str
    statement_ref: str
    entry_ref: str
    booked_at: When
    amount_minor: Annotated[int, msgspec.Meta(description="Above zero came in.")]
    currency: str
    reference: str | None
    end_to_end: str | None
    remittance: str | None
    counterparty: str | None
    counterparty_account: str | None
    return_code: str | None
    state: BankLineState
    candidates: int
    account_id: str | None
    settlement_ref: str | None
    received_at: When
    decided_at: When | None
    decided_by: str | None
    note: str | None
    transfer_id: str | None
    batch_id: str | None
    revision: Annotated[int, msgspec.Meta(description="How often what was decided was undone.")]
    undone_at: When | None
    undone_by: str | None
    undo_note: Annotated[str | None, msgspec.Meta(description="Why, the last time.")]
    under_way: Annotated[
        Carrying | None, msgspec.Meta(description="Its payers are many, and are carried some at a time; null: all are.")
    ]


class BankLine(BankLineKept):
    """A line of a statement of the operator's bank."""

    account: str | None


class CouponUse(Answer):
    """Who used a coupon when, and for which session; an ad hoc driver is no customer."""

    id: str
    coupon_id: str
    code: str
    customer: str | None
    session_id: str | None
    offer_id: str | None
    state: UseState
    created_at: When
    claimed_at: When | None
    ended_at: When | None


class Token(Answer):
    """A card, a fob, an app's tag."""

    id: str
    uid: str
    type: str
    state: TokenState
    customer_id: str | None
    payment_id: str | None
    created_at: When
    valid_until: When | None
    group_uid: str | None
    customer: str | None


class TokenKept(Answer):
    """A token as it was written down."""

    id: str
    type: str
    uid: str
    customer_id: str | None
    payment_id: str | None
    state: TokenState
    created_at: When
    valid_until: When | None
    group_uid: str | None


class Customer(Answer):
    """An account."""

    id: str
    reference: str
    language: str
    created_at: When
    name: str | None
    email: str | None
    address: str | None


class CustomerDetail(Customer):
    """A customer with tokens."""

    tokens: list[Token]


class CustomerKept(Answer):
    """A customer as it was written down."""

    id: str
    reference: str
    language: str
    created_at: When


class ErasureBegun(Answer):
    """What is forgotten, and how far that is."""

    id: str
    customer_id: str
    state: str


class PaymentMethod(Answer):
    """What a customer has stored with a provider, as a receipt shows it."""

    id: str
    customer_id: str
    account_id: str
    brand: str
    last4: str
    state: MethodState
    created_at: When


class PaymentOperation(Answer):
    """What a provider was asked."""

    id: str
    kind: OperationKind
    state: OperationState
    amount_minor: int
    currency: str
    attempts: int
    provider_ref: str | None
    code: str | None
    advice: str | None
    error: str | None
    created_at: When
    first_sent_at: When | None
    last_sent_at: When | None
    resolved_at: When | None


class OperationKept(Answer):
    """What a provider is to be asked, as it was written down."""

    id: str
    payment_id: str
    account_id: str
    kind: OperationKind
    amount_minor: int
    currency: str
    idempotency_key: str
    state: OperationState
    attempts: int
    first_sent_at: When | None
    last_sent_at: When | None
    provider_ref: str | None
    code: str | None
    advice: str | None
    error: str | None
    created_at: When
    resolved_at: When | None


class RefundKept(Answer):
    """A refund as it was written down: what the provider is to be asked, or the request that waits for another person."""

    id: str | None
    payment_id: str
    account_id: str | None
    kind: OperationKind
    amount_minor: int
    currency: str
    idempotency_key: str | None
    state: Annotated[
        str,
        msgspec.Meta(description="An operation's, or waiting_for_approval, approved, declined, expired of a request."),
    ]
    attempts: int
    first_sent_at: When | None
    last_sent_at: When | None
    provider_ref: str | None
    code: str | None
    advice: str | None
    error: str | None
    created_at: When
    resolved_at: When | None
    approval_id: str | None


class ApprovalKept(Answer):
    """A request for a second pair of eyes, as it was written down."""

    id: str
    kind: ApprovalKind
    subject_id: str
    amount_minor: int
    currency: str
    reason: str
    beyond: list[Beyond]
    asked_by: str
    state: ApprovalState
    created_at: When
    expires_at: When
    decided_at: When | None
    decided_by: str | None
    note: str | None
    result_id: str | None


class Approval(ApprovalKept):
    """A request for a second pair of eyes, with the names of who asked and who decided."""

    asked_by_name: str | None
    decided_by_name: str | None
    customer: Annotated[str | None, msgspec.Meta(description="Of a payout: whose balance it is.")]


class Dispute(Answer):
    """A payer's bank takes a payment back, or asks about it."""

    id: str
    dispute_ref: str
    state: DisputeState
    payment_id: str
    amount_minor: int
    currency: str
    withdrawn_minor: Annotated[int, msgspec.Meta(description="What is gone of the provider's balance at the moment.")]
    reason: str
    due_at: Annotated[When | None, msgspec.Meta(description="Until when an answer is taken.")]
    said_at: When
    opened_at: When
    decided_at: When | None
    account_id: str
    answer: Annotated[str | None, msgspec.Meta(description="`contest` or `accept`, once somebody has answered.")]
    answer_note: Annotated[str | None, msgspec.Meta(description="The ground, or why it was let go.")]
    answered_by: str | None
    answered_at: When | None
    answer_told_at: Annotated[When | None, msgspec.Meta(description="When the provider took the answer.")]
    answer_error: Annotated[str | None, msgspec.Meta(description="Why it did not.")]
    provider: str
    account: str
    session_id: str | None
    card_brand: str | None
    card_last4: str | None
    invoice_id: str | None
    invoice: str | None


class DueDisputes(Answer):
    """Disputes that wait for an answer, the one that is due soonest first."""

    items: list[Dispute]


class HeldEvidence(Answer):
    """A kind of evidence, and whether it is there."""

    kind: str
    is_there: bool


class DisputeDetail(Dispute):
    """A dispute with what is held about its payment."""

    answered_here: Annotated[bool, msgspec.Meta(description="Whether its provider takes answers from here.")]
    approval_id: Annotated[str | None, msgspec.Meta(description="The request to let it go that waits.")]
    evidence: list[HeldEvidence]


class DisputeGround(Answer):
    """On what grounds a dispute can be contested, and which kinds of documents that takes."""

    code: str
    needed: list[str]
    possible: list[str]


class DisputeGrounds(Answer):
    """What the provider takes now."""

    items: list[DisputeGround]


class DisputeLetGo(Answer):
    """A dispute that was let go, or the request that waits for another person."""

    id: str
    state: Annotated[str, msgspec.Meta(description="accepted; waiting_for_approval or what became of the request.")]
    amount_minor: int
    currency: str
    approval_id: str | None


class CorrectionKept(Answer):
    """A price correction as it was written down. `sessions`: how many were priced again."""

    id: str
    tariff_version_id: str
    reason: str
    since_at: When
    until_at: When
    priced_by: str
    state: CorrectionState
    currency: str
    sessions: int
    less_minor: int
    more_minor: int
    largest_minor: int
    others: int
    ask_above_minor: int | None
    asked_by: str
    decided_by: str | None
    created_at: When
    ended_at: When | None


class Correction(CorrectionKept):
    """A price correction with the reference of its tariff."""

    tariff: str


class CorrectedSessionKept(Answer):
    """A session whose price differs: what it cost, what it costs, and what became of the difference."""

    session_id: str
    was_minor: int
    now_minor: int
    was_tax_minor: int | None
    now_tax_minor: int | None
    outcome: Outcome
    credited_minor: int
    refunded_minor: int
    asked_minor: int
    waived_minor: int
    decided_by: str | None
    note: str | None


class CorrectedSession(CorrectedSessionKept):
    """The same with the numbers of its invoices. `new_invoice`: the one that stands for it."""

    currency: str
    invoice: str
    new_invoice: str | None


class RestPage(Answer):
    """The payment of what was missing, and where to ask for the page's address."""

    payment_id: str
    state: PaymentState
    amount_minor: int
    currency: str
    status_url: str


class MoneyLimit(Answer):
    """How much whoever has a role gives away alone. Null: no limit."""

    holder: Holder
    currency: str
    payment_minor: int | None
    day_minor: int | None
    changed_at: When


class PaymentAllocation(Answer):
    """What a minor unit is for."""

    id: str
    target: Target
    target_id: str
    amount_minor: int
    currency: str
    operation_id: str | None
    created_at: When


class Payment(Answer):
    """Money asked for and moved."""

    id: str
    kind: PaymentKind
    state: PaymentState
    session_id: str | None
    invoice_id: str | None
    customer_id: str | None
    evse_id: str | None
    offer_id: str | None
    currency: str
    amount_minor: int
    due_minor: int | None
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    suspense_minor: int
    reference: str
    provider_ref: str | None
    hold_expires_at: When | None
    card_brand: str | None
    card_last4: str | None
    reason: str | None
    due_on: str | None
    """Bought on invoice: until when it is to be paid."""
    open_minor: int | None
    """Bought on invoice: what of it is not paid yet."""
    created_at: When
    account_id: str
    account: str
    provider: str
    invoice: str | None
    customer: str | None
    reader: str | None
    """The label of the card reader, where it was held at one."""
    operations: list[PaymentOperation]
    allocations: list[PaymentAllocation]


class PaymentKept(Answer):
    """A payment as it was written down."""

    id: str
    session_id: str | None
    customer_id: str | None
    account_id: str
    method_id: str | None
    evse_id: str | None
    offer_id: str | None
    invoice_id: str | None
    kind: PaymentKind
    reference: str
    currency: str
    amount_minor: int
    due_minor: int | None
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    suspense_minor: int
    lost_minor: int
    state: PaymentState
    provider_ref: str | None
    hold_expires_at: When | None
    card_brand: str | None
    card_last4: str | None
    reason: str | None
    terminal_until: When | None
    purpose: str | None
    created_at: When
    reader_id: str | None
    several_captures: bool
    """Whether what is held can be captured in parts."""
    keeps_hold: bool
    """Whether what is due is a part, after which the rest stays held."""


class Invoice(Answer):
    """An invoice or a credit note."""

    id: str
    number: str
    series: str
    year: int
    sequence: int
    kind: InvoiceKind
    session_id: str
    rated_id: str
    payer: PayerKind
    payer_id: str | None
    issue_date: str
    issued_at: When
    currency: str
    net_minor: int
    tax_minor: int
    gross_minor: int
    corrects_invoice_id: str | None
    customer: str | None
    captured_minor: int
    owed_minor: int


class PrintedInvoice(Answer):
    """What was printed, and the hash of it."""

    media_type: str
    sha256: str
    printed_at: When


class InvoiceDetail(Invoice):
    """An invoice with what was printed of it."""

    printed: list[PrintedInvoice]


class Session(Answer):
    """A charging session."""

    id: str
    token: str | None
    energy_wh: Wh
    source: Source
    transaction_id: str | None
    payer: PayerKind
    state: SessionState
    started_at: When
    energy_ended_at: When | None
    transaction_ended_at: When | None
    occupancy_ended_at: When | None
    flags: list[str]
    payer_id: str | None
    payment_id: str | None
    upstream_id: str | None
    evidence: Evidence
    zone: str
    received_at: When
    booked_at: When
    invoice_id: str | None
    rated_id: str | None
    offer_id: str | None
    station: str | None
    evse: str | None
    location: str | None
    customer: str | None
    invoice: str | None
    total_minor: int | None
    currency: str | None
    net_minor: int | None
    tax_minor: int | None
    captured_minor: int | None
    owed_minor: int | None


class SessionKept(Answer):
    """A session as it was written down. `meter_start`, `meter_stop` and `last_register` are milliwatt-hours."""

    id: str
    source: Source
    upstream_id: str | None
    evidence: Evidence
    station_id: str | None
    evse_id: str | None
    connector_number: int | None
    transaction_id: str | None
    token_uid: str | None
    payer: PayerKind
    payer_id: str | None
    payment_id: str | None
    merchant_party_id: str | None
    owner_party_id: str | None
    payee_party_id: str | None
    offer_id: str | None
    state: SessionState
    zone: str
    started_at: When
    energy_ended_at: When | None
    transaction_ended_at: When | None
    occupancy_ended_at: When | None
    meter_start: int | None
    meter_stop: int | None
    energy_wh: Wh
    last_register: int | None
    last_reading_at: When | None
    sequence_number: int | None
    stop_reason: str | None
    stopped_by: str | None
    rated_id: str | None
    invoice_id: str | None
    flags: list[str]
    start_frame_id: str | None
    stop_frame_id: str | None
    received_at: When
    booked_at: When
    missing_events: str | None
    reservation_id: str | None


class MeterReading(Answer):
    """What a register showed."""

    register_wh: Wh
    occurred_at: When
    watts: int | None
    context: str
    received_at: When
    frame_id: str | None


class ConnectorState(Answer):
    """A change of a connector while the session went on."""

    number: int
    status: str
    error_code: str | None
    occurred_at: When
    received_at: When
    frame_id: str | None


class SessionFrame(Answer):
    """A frame that told of the session."""

    id: str
    station_id: str
    received_at: When
    protocol: str
    action: str
    message_id: str
    flags: list[str]
    key_id: str


class Offer(Answer):
    """The price that was shown before the start."""

    id: str
    tariff_version_id: str
    policy_version_id: str
    choice_reason: str
    zone: str
    currency: str
    tax_basis: TaxBasis
    tax_rules: dict[str, Any]
    shown: dict[str, Any]
    offered_at: When
    tariff: str
    tariff_name: str


class RatedLine(Answer):
    """A line of the price, with the reason for it."""

    rated_id: str
    line_number: int
    dimension: Dimension
    element_index: int
    unit: Unit
    measured: int
    quantity: int
    unit_price: str
    tax_rate: str | None
    exact_amount: str
    net_minor: int
    tax_minor: int
    gross_minor: int
    reason_code: str
    reason: dict[str, Any]
    assumptions: list[str]
    title: str
    sentence: str
    quantity_text: str
    per: str
    started_at: When
    ended_at: When


class RatedTax(Answer):
    """The sums of one rate of tax."""

    rated_id: str
    tax_rate: str | None
    net_minor: int
    tax_minor: int
    gross_minor: int


class Rated(Answer):
    """What a session costs, line by line."""

    id: str
    energy_wh: Wh
    priced_wh: Wh
    supersedes: str | None
    tariff_version_id: str
    policy_version_id: str
    engine_version: str
    zone_data_version: str
    created_at: When
    currency: str
    tax_basis: TaxBasis
    net_minor: int
    tax_minor: int
    gross_minor: int
    warnings: list[str]
    lines: list[RatedLine]
    taxes: list[RatedTax]
    doubts: list[str]


class SessionExplanation(Answer):
    """Energy of the session that is on no bill."""

    id: str
    energy_wh: Wh
    reason: Reason
    cause: str
    created_at: When


class StationFact(Answer):
    """A start or a stop as it was told."""

    id: str
    kind: str
    answer: str
    occurred_at: When
    received_at: When
    frame_id: str | None


class SessionItem(Answer):
    """What waits for a person about the session."""

    id: str
    kind: str
    summary: str
    state: InboxState
    created_at: When
    resolved_at: When | None
    resolution: str | None


class BookEntry(Answer):
    """A booking."""

    id: str
    kind: str
    cause_kind: str
    cause_id: str
    booked_at: When
    amount_minor: int
    currency: str
    phase: Phase
    debit: str | None
    credit: str | None


class SessionEvent(Answer):
    """What happened, in order."""

    type: str
    data: dict[str, Any]
    actor: str
    booked_at: When
    recorded_at: When
    version: int


class SessionDetail(Session):
    """A session with all that it was made of."""

    meter_start_wh: Wh | None
    meter_stop_wh: Wh | None
    last_register_wh: Wh | None
    last_reading_at: When | None
    station_id: str | None
    evse_id: str | None
    connector_number: int | None
    sequence_number: int | None
    stop_reason: str | None
    stopped_by: str | None
    start_frame_id: str | None
    stop_frame_id: str | None
    merchant_party_id: str | None
    owner_party_id: str | None
    payee_party_id: str | None
    address: str | None
    city: str | None
    postal_code: str | None
    country: str | None
    readings: list[MeterReading]
    states: list[ConnectorState]
    frames: list[SessionFrame]
    offer: Offer | None
    rated: Rated | None
    results: list[Rated]
    payments: list[Payment]
    explanations: list[SessionExplanation]
    facts: list[StationFact]
    inbox: list[SessionItem]
    entries: list[BookEntry]
    events: list[SessionEvent]


class MarketPrice(Answer):
    """What a megawatt-hour costs in a market for one slot."""

    market: str
    minutes: int
    currency: str
    starts_at: When
    per_mwh: str
    created_at: When
    changed_at: When | None
    """When another price was told for it."""


class MarketPricesKept(Answer):
    """What became of prices that were brought."""

    new: int
    same: int
    corrected: int
    gaps: int
    """Slots between the first and the last without a price in what was told."""


class CostLine(Answer):
    """A line of what a session costs, in words and figures."""

    title: str
    sentence: str
    quantity_text: str
    unit_price: str
    dimension: Dimension
    gross_minor: int
    net_minor: int


class PriceAhead(Answer):
    """A price of the tariff: per kWh, or per hour."""

    dimension: Dimension
    price: str
    text: str


class ChangeAhead(Answer):
    """The next other price; no prices: free of charge."""

    at: When
    energy_wh: Wh
    """What will have been delivered by then."""
    prices: list[PriceAhead]


class LimitAhead(Answer):
    """Which limit is reached first, and when."""

    at: When
    reached: Literal["gross_minor", "milliwatt_hours", "milliseconds"]


class CostAhead(Answer):
    """What is ahead of a session if it goes on as it does."""

    watts: int
    next_minute: str
    """What the price with tax changes by within a minute, in major units."""
    next_minute_text: str
    prices: list[PriceAhead]
    change: ChangeAhead | None
    limit: LimitAhead | None


class SessionCost(Answer):
    """What a session costs by what is known of it."""

    currency: str
    net_minor: int
    tax_minor: int
    gross_minor: int
    energy_wh: Wh
    as_of_at: When
    """The last word of the station: nothing is guessed after it."""
    final: bool
    lines: list[CostLine]
    ahead: CostAhead | None


class InboxItem(Answer):
    """What matches nothing, or only a person can decide."""

    id: str
    kind: str
    summary: str
    state: InboxState
    station_id: str | None
    session_id: str | None
    payment_id: str | None
    frame_id: str | None
    created_at: When
    resolved_at: When | None
    resolved_by: str | None
    resolution: str | None
    detail: dict[str, Any] | None
    station: str | None
    energy_wh: Wh | None
    transaction_id: str | None


class InboxItemKept(Answer):
    """An item as it was written down."""

    id: str
    kind: str
    station_id: str | None
    session_id: str | None
    payment_id: str | None
    frame_id: str | None
    summary: str
    state: InboxState
    created_at: When
    resolved_at: When | None
    resolved_by: str | None
    resolution: str | None
    detail: dict[str, Any] | None


class Rule(Answer):
    """What is decided about items of a kind without a person, up to a sum of money."""

    id: str
    name: str
    kind: str
    decision: str
    most_minor: int
    is_on: bool
    created_at: When


class Rules(Answer):
    """All rules."""

    items: list[Rule]


class Profile(Answer):
    """How a model of stations writes its registers."""

    id: str
    name: str
    vendor: str
    model: str
    firmware: str
    habits: dict[str, Any]
    created_at: When


class Profiles(Answer):
    """All profiles."""

    items: list[Profile]


class BillableItem(Answer):
    """One thing that billing needs of a station: how it is, how it should be, and why."""

    code: str
    place: str | None
    told: str
    is_off: bool
    is_needed: bool
    value: str | None
    wanted: str | None
    better: str | None
    why: str


class Billable(Answer):
    """Whether the sessions of a station can be billed; null where nobody knows yet."""

    station: str
    protocol: str | None
    billable: bool | None
    asked_at: When | None
    answered_at: When | None
    set_at: When | None
    next_at: When | None
    """When it is asked again by itself: every night."""
    items: list[BillableItem]
    sets_values: bool


class Commissioning(Answer):
    """All stations, and whether values are written by us wherever nothing else is said."""

    sets_values: bool
    items: list[Billable]


class Checked(Answer):
    """How many questions go out; none where the last ones are still open."""

    questions: int


class LocalList(Answer):
    """A station's list of tokens. `state` is null where nothing was sent yet."""

    station: str
    is_on: bool
    state: ListState | None
    number: int | None
    entries: int | None
    changed_at: When | None
    told_number: int | None
    """The version that the station itself last named."""
    told_at: When | None


class CardReader(Answer):
    """A card reader that is asked through a payment provider."""

    id: str
    account: str
    provider: str
    reader_ref: str
    """The provider's own name of it."""
    label: str
    location: str | None
    """Where it stands."""
    evses: list[str]
    """The EVSEs that are paid for there; empty: all of its location."""
    added_at: When
    removed_at: When | None


class CardReaderKept(Answer):
    """A card reader as it was written down."""

    id: str
    account_id: str
    reader_ref: str
    label: str
    location_id: str | None
    evse_ids: list[str]
    added_at: When
    removed_at: When | None


class Reservation(Answer):
    """An EVSE, or any of a station's (`evse` is null), that is kept for a customer's token."""

    id: str
    station: str
    evse: str | None
    connector_type: str | None
    customer: str | None
    number: int
    """The reservationId that the station was told."""
    state: ReservationState
    requested_at: When
    reserved_at: When | None
    """When the station said yes."""
    expires_at: When
    ended_at: When | None
    session_id: str | None
    """The session that used it, or by which it was charged."""
    reason: str | None
    command_id: str
    cancel_command_id: str | None
    cancel_state: CommandState | None
    """Where the question to give it up stands; `rejected`: the station did not do it, and it can be asked again."""
    cancel_reason: str | None


class ListAsked(Answer):
    """What is to be sent of a station's list; how it stands is told at `/local-lists`."""

    station: str
    whole: bool


class KeyChange(Answer):
    """The last replacement of a station's key, without the key."""

    station: str
    state: KeyState
    command_id: str
    requested_at: When
    changed_at: When
    reason: str | None
    """The station's own word."""
    requested_by: str


class KeyStanding(Answer):
    """A replacement as it was written down; where it stands is told at `GET /stations/{identity}/key`."""

    id: str
    state: KeyState
    command_id: str
    requested_at: When
    changed_at: When
    reason: str | None


class ReservationKept(Answer):
    """A reservation as it was written down; where it stands is told at `/reservations/{id}`."""

    id: str
    station_id: str
    number: int
    evse_id: str | None
    connector_type: str | None
    token_id: str
    customer_id: str | None
    state: ReservationState
    command_id: str
    cancel_command_id: str | None
    requested_at: When
    reserved_at: When | None
    expires_at: When
    ended_at: When | None
    session_id: str | None
    reason: str | None
    requested_by: str


class LocalLists(Answer):
    """Every station's list of tokens, and whether lists are kept where nothing is said of a station."""

    everywhere: bool
    items: list[LocalList]
    next: str | None


class ListSwitchKept(Answer):
    """Where lists of tokens are kept in step. `id` is the station's, or empty for all."""

    id: str
    is_on: bool
    changed_at: When


class SettingRightKept(Answer):
    """Whether values are written: at the station of that id, or (empty) wherever nothing else is said."""

    id: str
    sets_values: bool
    changed_at: When


class DisplayKept(Answer):
    """Whether prices are told: to the display of the station of that id, or (empty) wherever nothing else is said."""

    id: str
    shows: Shows
    every_seconds: int
    changed_at: When
    tolerance_minor: int | None
    """By how much a cost that a station counts may differ from ours before a person is told; null: as usual."""


class ProfileMoveKept(Answer):
    """A station that is moved to a higher security profile. `id` is the station's."""

    id: str
    wanted: int
    state: ProfileState
    url: str | None
    slot: int | None
    interface: str | None
    priority: str | None
    """In which order it tried its connections before."""
    command_id: str
    """The command of the present step."""
    requested_at: When
    changed_at: When
    reason: str | None
    requested_by: str
    shown: int | None
    """With which profile it has connected last since then."""
    shown_at: When | None


class ProfileMove(Answer):
    """Where the last move of a station to another security profile stands."""

    station: str
    least_profile: int
    """With which profile it may connect at least; 0: any."""
    wanted: int
    state: ProfileState
    url: str | None
    slot: int | None
    interface: str | None
    command_id: str
    requested_at: When
    changed_at: When
    reason: str | None
    requested_by: str
    shown: int | None
    shown_at: When | None


class StationTariff(Answer):
    """What one EVSE of a station of OCPP 2.1 counts by, or why it does not."""

    station: str
    evse_number: int
    state: TariffState
    reason: str | None
    tariff_id: str | None
    """What the tariff is called at the station, where it was told one."""
    tariff_version_id: str | None
    """The tariff that bills."""
    changed_at: When
    verified_at: When | None
    """When the station last said that it has it."""
    is_cleared: bool
    """A person has cleared it; it is told none until it is to be told again."""
    older: list[str]
    """Names of earlier tariffs by which it may still count."""
    tariff: str | None
    """The reference of the tariff that bills."""
    strangers: list[str]
    """Tariffs that the station has named for this EVSE, and that are not ours."""


class StationTariffs(Answer):
    """EVSEs of stations that count for themselves."""

    items: list[StationTariff]


class TariffsAsked(Answer):
    """What is to be told; how it stands is told at `/stations/{identity}/tariffs`."""

    station: str
    evses: int


class CountedCost(Answer):
    """A session whose station has counted another cost than ours, or one that cannot be compared with it."""

    session_id: str
    currency: str | None
    before_taxes: str | None
    after_taxes: str | None
    kind: str | None
    failure: str | None
    """Why the station could not count."""
    tariff_id: str | None
    difference_minor: int | None
    """The station's sum less ours; null where they cannot be compared."""
    received_at: When
    charged_currency: str
    net_minor: int
    gross_minor: int
    station: str | None
    evse: str | None
    started_at: When
    state: SessionState


class CountedOf(Answer):
    """What the station of a session has counted last, and the price that is charged, where there is one yet."""

    session_id: str
    currency: str | None
    before_taxes: str | None
    after_taxes: str | None
    kind: str | None
    failure: str | None
    tariff_id: str | None
    parts: dict[str, Any]
    """What it counted of each kind, and how much of it; exact figures as text."""
    is_final: bool
    difference_minor: int | None
    received_at: When
    frame_id: str
    rated_id: str | None
    """The price with which it was compared."""
    charged_currency: str | None
    net_minor: int | None
    gross_minor: int | None


class PowerProfile(Answer):
    """A limit that a station has."""

    number: int
    purpose: str
    evse: Annotated[int, msgspec.Meta(description="0: the station as a whole.")]
    limit: str | None
    """Of the first period, in the unit."""
    unit: str
    periods: int
    until: When | None
    source: Annotated[str | None, msgspec.Meta(description="Who set it, in the station's word; null: this house.")]
    command_id: str | None


class PowerStep(Answer):
    """From a moment on no more than this."""

    at: When
    limit: str | None
    phases: int | None


class PowerSchedule(Answer):
    """What all limits of a place come to, as the station has answered."""

    evse: int
    unit: str
    steps: list[PowerStep]
    at: When
    command_id: str


class PowerLimits(Answer):
    """Limits of a station's power."""

    station: str
    profiles: list[PowerProfile]
    told_at: Annotated[When | None, msgspec.Meta(description="When it has told all of them itself.")]
    schedules: list[PowerSchedule]


class ShownText(Answer):
    """A text that a station's display has."""

    number: int
    text: str
    priority: str
    state: str
    begins: When | None
    ends: When | None
    command_id: str | None


class ShownTexts(Answer):
    """Texts of a station's display."""

    station: str
    texts: list[ShownText]
    told_at: Annotated[When | None, msgspec.Meta(description="When it has told all of them itself.")]


class OfflineTold(Answer):
    """What stations may do without a connection, and what that means."""

    starts: Starts
    refused_wh: int
    words: list[str]
    an_hour: str | None
    """What is lost in an hour at the strongest EVSE while nobody can be asked, in major units."""
    each_time: str | None
    """What is lost with each card that is refused afterwards, in major units."""
    currency: str
    is_set: bool
    """Whether it is written to stations by us; else what is off is listed."""
    changed_at: When | None


class OfflineEverywhere(OfflineTold):
    """What holds wherever nothing else is said."""

    is_said: bool
    """False: nobody has said anything, and it is as usual."""


class OfflineSite(OfflineTold):
    """What holds at a site."""

    location: str
    name: str


class OfflineStation(OfflineTold):
    """What holds at a station that has a rule of its own."""

    station: str


class OfflineOf(OfflineTold):
    """What holds at a station, whoever it was said of."""

    station: str
    said_of: Literal["station", "location", "operator", "nobody"]


class OfflineRules(Answer):
    """All that is said of stations without a connection."""

    everywhere: OfflineEverywhere
    sites: list[OfflineSite]
    stations: list[OfflineStation]


class OfflineKept(Answer):
    """What was said. `id` is the station's or the site's, or empty for all."""

    id: str
    starts: Starts
    refused_wh: int
    changed_at: When
    removed_at: Annotated[When | None, msgspec.Meta(description="It is not said any more: the next wider rule holds.")]
    is_set: bool


class LimitKept(Answer):
    """The most of the session of that id, as it was written down."""

    id: str
    limits: dict[str, int]
    """`gross_minor`, `milliwatt_hours`, `seconds`, `percent`: those that there are."""
    chosen_at: When
    confirmed: dict[str, int] | None
    """What its station has said that it keeps itself: OCPP 2.1."""
    told: dict[str, Any] | None
    """What was lifted, and its station may still keep; empty once it has forgotten it."""


class WorkedOff(Answer):
    """How many items were put in line; each is decided on by itself."""

    count: int


class Job(Answer):
    """What is to be done outside."""

    id: str
    kind: str
    subject_id: str
    state: JobState
    run_at: When
    lease_until: When | None
    leased_by: str | None
    attempts: int
    last_error: str | None
    created_at: When


class JobKept(Answer):
    """A job as it was written down."""

    id: str
    kind: str
    subject_id: str
    state: JobState
    run_at: When
    lease_until: When | None
    leased_by: str | None
    attempts: int
    last_error: str | None
    created_at: When
    wanted_at: When | None
    cut_short: int


class Explanation(Answer):
    """Energy that was metered and is on no bill."""

    id: str
    energy_wh: Wh
    session_id: str | None
    reason: Reason
    cause: str
    created_at: When
    evse: str | None


class ActionTaken(Answer):
    """What a person or a key did."""

    id: str
    caller_kind: str
    caller_id: str
    action: str
    subject_kind: str
    subject_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    recorded_at: When
    booked_at: When


class RevenueDay(Answer):
    """What was billed on a day."""

    energy_wh: Wh
    day: str
    currency: str
    sessions: int
    net_minor: int
    tax_minor: int
    gross_minor: int


class LedgerAccount(Answer):
    """An account of the books."""

    code: str
    currency: str
    debits_minor: int
    credits_minor: int
    balance_minor: int


class ProviderAccount(Answer):
    """An account at a payment provider, and where its secrets are."""

    id: str
    name: str
    provider: str
    live: bool
    base_url: str | None
    currencies: list[str]
    secret_reference: str
    webhook_secret_references: list[str]
    is_default: bool
    created_at: When
    closed_at: When | None
    merchant: str | None
    rank: int
    fee_minor: int | None
    fee_basis_points: int | None
    report_user: str | None
    """Who reads its reports there, where they come as files."""
    report_secret_reference: str | None
    least_minor: int | None
    low_minor: int | None
    several_captures: bool
    """Whether the provider has switched several captures of one hold on, where it does so by account."""
    health: Literal["closed", "open", "probing"]
    """The circuit to it: closed takes new payments, open does not, probing tries one."""
    webhook_url: str


class ProviderAccountKept(Answer):
    """An account as it was written down."""

    id: str
    name: str
    provider: str
    live: bool
    base_url: str | None
    currencies: list[str]
    secret_reference: str
    webhook_secret_references: list[str]
    is_default: bool
    created_at: When
    closed_at: When | None
    merchant: str | None
    rank: int
    fee_minor: int | None
    fee_basis_points: int | None
    report_user: str | None
    report_secret_reference: str | None
    least_minor: int | None
    low_minor: int | None
    several_captures: bool


class OperatorKept(Answer):
    """The operator as it was written down."""

    id: str
    name: str
    country: str
    party_code: str
    zone: str
    currency: str
    address: str
    tax_id: str | None
    policy_version_id: str | None
    hold_minor: int
    start_deadline_seconds: int
    lost_stop_after_seconds: int
    approval_hours: int
    pay_to: str
    created_at: When


class Operator(Answer):
    """The operator whom a credential belongs to."""

    id: str
    name: str
    country: str
    party_code: str
    zone: str
    currency: str
    address: str
    tax_id: str | None
    policy_version_id: str | None
    hold_minor: int
    start_deadline_seconds: int
    lost_stop_after_seconds: int
    approval_hours: int
    pay_to: str
    created_at: When
    slug: str
    clock_trusted_from: When
    scopes: list[str]


class PolicyKept(Answer):
    """The rating policy of new offers."""

    id: str
    name: str
    created_at: When


class ApiKey(Answer):
    """A key for a program, without what opens a door."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: When
    expires_at: When | None
    last_used_at: When | None
    revoked_at: When | None
    rotated_at: When | None
    old_valid_until: When | None


class NewKey(ApiKey):
    """A key with its text, which is told once: a repeated request gets null."""

    key: str | None


class JobPage(Answer):
    """A page of jobs, and how many of all are ready, leased, and failed."""

    items: list[Job]
    next: str | None
    counts: dict[str, int]


class Summary(Answer):
    """Delivered = billed + explained; billed = captured - refunded + owed."""

    energy: dict[str, Any]
    money: dict[str, dict[str, int]]
    sessions: dict[str, int]
    invoices: int
    payments: dict[str, int]
    inbox_open: int
    jobs_failed: int
    stations: dict[str, int]
    connectors: dict[str, int]
    revenue: dict[str, Any] | None
    ledger_balanced: bool


class Health(Answer):
    """How this process is."""

    status: str
    version: str
    position: int


class WebhookTaken(Answer):
    """What became of a provider's word."""

    taken: str


class EventType(Answer):
    """An event that an endpoint may hear of, with the JSON schema of its message."""

    type: str
    schema_version: int
    meaning: str
    schema: dict[str, Any]


class EndpointSecret(Answer):
    """A secret of an endpoint, without what it is."""

    id: str
    created_at: When
    expires_at: When | None


class EndpointKept(Answer):
    """An endpoint as it was written down."""

    id: str
    url: str
    description: str
    event_types: list[str]
    state: str
    disabled_because: str | None
    disabled_at: When | None
    failures: int
    failing_since: When | None
    paused_until: When | None
    last_delivered_at: When | None
    created_at: When


class Endpoint(EndpointKept):
    """An endpoint with what waits for it."""

    waiting: int
    given_up: int
    secrets: list[EndpointSecret]


class NewEndpoint(EndpointKept):
    """An endpoint with its secret, which is told once: a repeated request gets null."""

    secret: str | None


class DeliveryKept(Answer):
    """A delivery as it was written down."""

    id: str
    endpoint_id: str
    message_id: str
    position: int
    type: str
    aggregate: str
    aggregate_id: str
    aggregate_version: int
    state: str
    due_at: When
    attempts: int
    last_status: int | None
    last_error: str | None
    created_at: When
    ended_at: When | None


class Delivery(DeliveryKept):
    """A delivery in the log."""


class DeliveryAttempt(Answer):
    """An attempt, with the beginning of the answer."""

    id: str
    number: int
    outcome: str
    status: int | None
    error: str | None
    answer: str | None
    milliseconds: int
    started_at: When


class DeliveryDetail(Delivery):
    """A delivery with its message as it is sent, and every attempt."""

    body: str
    tries: list[DeliveryAttempt]


class Replayed(msgspec.Struct):
    """One delivery as it was written down, or from where to where (`after`, `until`) everything is told again."""

    id: str


class Readiness(Answer):
    """Whether this process should be sent visitors, and what stands in the way."""

    status: str
    in_the_way: list[str]


class ImportKept(Answer):
    """An upload that was taken; its rows follow."""

    id: str
    kind: ImportKind
    name: str
    user_is: UserIs
    dry_run: bool
    state: ImportState
    bytes: int
    received_at: When


class Import(Answer):
    """An upload, how far it has come, and what became of its rows."""

    id: str
    by: Annotated[str, msgspec.Meta(description="Who uploaded it: `person:…`, `key:…`.")]
    kind: ImportKind
    name: str
    user_is: UserIs
    dry_run: bool
    state: ImportState
    shape: Annotated[str, msgspec.Meta(description="dundee, perth, csv, jsonl.")] | None
    bytes: int
    rows: Annotated[int, msgspec.Meta(description="How many the file has.")] | None
    read: int
    done: Annotated[int, msgspec.Meta(description="How many have an outcome.")]
    taken: int
    already_there: int
    held: int
    refused: int
    code: Annotated[str, msgspec.Meta(description="Why the file cannot be read.")] | None
    message: str | None
    received_at: When
    began_at: When | None
    ended_at: When | None
    report_until: When | None


class ImportedRow(Answer):
    """What became of a row."""

    line: Annotated[int, msgspec.Meta(description="Where it begins in the file; the header is line 1.")]
    outcome: RowOutcome
    code: Annotated[str, msgspec.Meta(description="Why it was refused; or what was repaired, or is odd.")] | None
    message: str | None
    subject_kind: Annotated[str, msgspec.Meta(description="session, customer, token, station.")] | None
    subject_id: Annotated[str, msgspec.Meta(description="What it made, or what was there.")] | None


class AuditKept(Answer):
    """An audit that was asked for."""

    id: str
    state: AuditState
    asked_at: When


class AuditFinding(Answer):
    """Something that does not add up."""

    number: int
    code: str
    subject: Annotated[str, msgspec.Meta(description="The id of what was looked at.")]
    says: str
    expected: str | None
    found: str | None


class AuditFigures(Answer):
    """The two equations, from what was sealed. Money is in the operator's currency."""

    sessions: int
    delivered_wh: Wh
    billed_wh: Wh
    explained_wh: dict[str, Wh]
    running_wh: Wh
    unexplained_wh: Wh | int
    currency: str
    billed_minor: int
    captured_minor: int
    refunded_minor: int
    suspense_minor: int
    owed_minor: int
    other_currencies: dict[str, dict[str, int]]
    invoices: int
    voided: int
    held: int
    ledger_balanced: bool
    frames: int
    erased_frames: int
    on_account_minor: int = 0
    """Of what is owed, bought on invoice; audits of earlier versions did not tell it apart."""


class Audit(Answer):
    """An audit, and its result."""

    id: str
    by: str
    state: AuditState
    asked_at: When
    began_at: When | None
    ended_at: When | None
    is_clean: bool | None
    findings: Annotated[int, msgspec.Meta(description="How much does not add up.")] | None
    figures: AuditFigures | None
    error: str | None


class AuditDetail(Audit):
    """An audit with the first of its findings."""

    first_findings: list[AuditFinding]
