"""What workflows need: a unit of work opened for one operator, and a writer that runs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tallywatt.kernel.errors import TallywattError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.customers.access import ActionRecord, AnsweredRequest, ApiKey, ConsoleLink, ConsoleSession
    from tallywatt.customers.approval import Approval, GivenAway, MoneyLimit
    from tallywatt.customers.circle import Belonging, Circle
    from tallywatt.customers.customer import Customer, CustomerDetails, Token
    from tallywatt.customers.erasure import Erasure
    from tallywatt.customers.identity import IdentityProvider, LinkedIdentity
    from tallywatt.customers.operator import Operator, Party
    from tallywatt.customers.passkey import Challenge, Passkey
    from tallywatt.customers.person import Invitation, Membership, Person
    from tallywatt.evidence.run import Audit, AuditFinding
    from tallywatt.invoicing.correction import CorrectedSession, Correction
    from tallywatt.invoicing.invoice import Invoice, NumberSeries
    from tallywatt.invoicing.printed import PrintedInvoice
    from tallywatt.invoicing.skipped import SkippedNumbers
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.events import Event
    from tallywatt.kernel.identity import Draw, OperatorId, PaymentId, StationId
    from tallywatt.kernel.records import Records
    from tallywatt.ledger.books import Account, Entry, Transfer
    from tallywatt.market.price import MarketPrice
    from tallywatt.metering.counted import ToldCost
    from tallywatt.metering.limits import WantedLimit
    from tallywatt.metering.session import (
        Explanation,
        Frame,
        InboxItem,
        MeterProfile,
        MeterReading,
        PayerKind,
        ResolutionRule,
        Session,
        StationFact,
    )
    from tallywatt.metering.signed.registry import MeterKey, MeterPage, SignatureVerdict, SignedValue
    from tallywatt.partners.delivery import Attempt, Delivery, Message
    from tallywatt.partners.endpoint import Endpoint, EndpointSecret
    from tallywatt.payments.account import PaymentMethod, ProviderAccount
    from tallywatt.payments.allocation import Allocation
    from tallywatt.payments.bank import BankLine
    from tallywatt.payments.debit import Creditor, DebitBatch, DebitCollection, DebitPart, DueItem, Mandate
    from tallywatt.payments.dispute import Dispute
    from tallywatt.payments.health import ProviderHealth
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.own_books import CreditTerms, CustomerHold, ReceivedTransfer, TransferPart
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.reader import Reader
    from tallywatt.payments.restoration import Restoration
    from tallywatt.payments.secret import SealedSecret
    from tallywatt.payments.settlement import (
        SettlementDifference,
        SettlementLine,
        SettlementReading,
        UnevenPayout,
    )
    from tallywatt.payments.webhook import WebhookEvent
    from tallywatt.rating.coupon import Coupon, CouponUse
    from tallywatt.rating.records import (
        Offer,
        PolicyVersion,
        RatedLine,
        RatedResult,
        RatedTax,
        TariffAssignment,
        TariffVersion,
    )
    from tallywatt.stations.certificates import Authority, StationCertificate
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.commissioning import CommissioningRule, StationCheck
    from tallywatt.stations.display import DisplayRule, ToldPrice
    from tallywatt.stations.key_change import KeyChange
    from tallywatt.stations.local_list import ListRule, LocalList
    from tallywatt.stations.notices import StationNotice
    from tallywatt.stations.offline import OfflineRule
    from tallywatt.stations.profile_change import ProfileChange
    from tallywatt.stations.reports import SecurityEvent, StationReport, Variable
    from tallywatt.stations.reservation import Reservation
    from tallywatt.stations.station import (
        Connector,
        ConnectorState,
        Evse,
        EvseRole,
        Location,
        Station,
        TransactionCounter,
    )
    from tallywatt.stations.told_tariff import ToldTariff
    from tallywatt.stations.traffic import MessageChunk
    from tallywatt.stations.web_code import WebCode
    from tallywatt.workflows.imports import Import, ImportPart, ImportRow
    from tallywatt.workflows.jobs import Job, StoredJob


class EventLog(Protocol):
    """Where a workflow writes down what has happened."""

    def append(self, event: Event) -> None:
        """Write an event with the next version of its aggregate, in this transaction."""
        ...


class Outbox(Protocol):
    """Where a workflow writes down what is to be done outside."""

    def add(self, job: Job) -> None:
        """Write a job; the same kind and subject again changes nothing while it is not done."""
        ...


class Vault(Protocol):
    """Where a workflow seals what may have to be erased."""

    def seal(self, kind: str, name: str, plain: bytes, about: str = "") -> tuple[str, bytes]:
        """Key id and sealed bytes. `kind` is the class whose key of this month is used, `name` is unique in the command.

        `about` is bound to them: whoever opens them must say it too, so that they open nowhere else.
        """
        ...

    def name_of(self, kind: str, text: str) -> str:
        """Ten letters that stand for a text, always the same of this operator, from which nobody without its key gets back."""
        ...


class Queries(Protocol):
    """The few questions that equality of columns cannot ask."""

    def open_sessions_at(self, evse_id: str) -> list[Session]:
        """Sessions of an EVSE whose transaction has not ended, oldest first."""
        ...

    def next_session_at(self, evse_id: str, since: Instant, before: Instant, but: str) -> Session | None:
        """The first transaction at an EVSE that began from a time on, and before another; but for the one that is named."""
        ...

    def last_session_at(self, evse_id: str) -> Session | None:
        """The session of an EVSE with the latest start, open or not."""
        ...

    def billed_since(self, customer_id: str, since: Instant) -> list[Session]:
        """A customer's sessions that have a price and began since then, oldest first."""
        ...

    def last_at_reader(self, reader_id: str, since: Instant, most: int) -> list[Payment]:
        """The newest payments that were begun at a reader since then, newest first."""
        ...

    def states_between(self, evse_id: str, start: Instant, end: Instant) -> list[ConnectorState]:
        """The connector's changes within a time, oldest first, with the last one before it."""
        ...

    def market_prices_between(
        self, market: str, minutes: int, currency: str, since: Instant, until: Instant
    ) -> list[MarketPrice]:
        """The prices of slots that begin within a time, both ends included, in order."""
        ...

    def open_commands(self, station_id: str, since: Instant) -> list[StationCommand]:
        """Commands to a station that have not come to their end, asked for since that machine time; oldest first."""
        ...

    def commands_since(self, station_id: str, since: Instant) -> list[StationCommand]:
        """Commands to a station that were asked for since that machine time, whatever became of them; oldest first."""
        ...

    def stations_speaking(self, protocol: str, after: str, most: int) -> list[Station]:
        """Adopted stations of a version, in order, behind the one that is named."""
        ...

    def adopted_stations(self, after: str, most: int) -> list[Station]:
        """Adopted stations in order, behind the one that is named."""
        ...

    def monitor_commands(self, station_id: str, since: Instant, most: int) -> list[StationCommand]:
        """The last commands about a station's monitors that were asked for since that machine time, newest first."""
        ...

    def unplanned_checks(self, now: Instant, most: int) -> list[StationId]:
        """Adopted stations of a known version whose moment to be asked has come, or was never planned."""
        ...

    def last_reservation_number(self, station_id: str) -> int:
        """The highest number of a station's reservations; 0 when it has none."""
        ...

    def quiet_sessions(self, since: Instant, most: int) -> list[Session]:
        """Sessions of stations whose transaction goes on, and of which nothing was heard since that machine time."""
        ...

    def mandates_after(self, after: str, most: int) -> list[Mandate]:
        """Mandates by which may be collected, in order, behind the one that is named; held until the transaction ends."""
        ...

    def due_by_mandate(self, first: str, last: str, collect_on: str, most: int) -> list[DueItem]:
        """What may be asked for with the mandates from one to another, by mandate, first what is due first.

        Left out is what is asked for at the moment, and what a bank's answers to the same mandate forbid to ask again.
        """
        ...

    def asked_with(self, collection_id: str) -> list[CustomerHold]:
        """The open items that a debit asks for, held until the transaction ends."""
        ...

    def asked_sums(self, batch_id: str) -> dict[str, int]:
        """What a file still asks for, by group, in order of groups."""
        ...

    def asked_behind(self, batch_id: str, group: str, after: str, most: int) -> list[DebitCollection]:
        """Debits of a group that stand in the file and have not come, by mandate, behind the one that is named; held."""
        ...

    def asked_counts(self, batch_id: str) -> dict[str, int]:
        """How many debits of a file have neither come nor ended, by group."""
        ...

    def still_asked(self, batch_id: str, group: str, most: int) -> list[DebitCollection]:
        """Debits of a group that have neither come nor ended, also one that is being put together, by mandate; held."""
        ...

    def has_come(self, batch_id: str) -> bool:
        """Whether a debit of a file has come, even if it went back."""
        ...

    def is_ending_debits(self) -> bool:
        """Whether payers of a file that was refused or let go wait to be asked anew."""
        ...

    def collected_with(self, line_id: str, most: int) -> list[DebitCollection]:
        """Debits that have come with a line and are there still, held."""
        ...

    def has_gone_back(self, line_id: str) -> bool:
        """Whether a debit that came with a line is not there any more."""
        ...

    def back_before(self, line_id: str, after: str, most: int) -> list[str]:
        """Ids of lines that wait and take back, by its name or its mandate, what came with a line, behind the one named."""
        ...

    def open_parts_again(self, collection_id: str) -> None:
        """The items of a debit are asked for by it again, but for those that another one asks for."""
        ...

    def close_parts(self, collection_id: str) -> None:
        """None of the items of a debit is asked for by it any more: what another one waits for is that one's again."""
        ...

    def open_items(self, kind: str, after: str, most: int) -> list[str]:
        """Ids of what waits in the inbox of a kind, oldest first, behind the one that is named."""
        ...

    def count_open_items(self, kind: str) -> int:
        """How many wait in the inbox of a kind."""
        ...

    def owed_by(self, customer_id: str, currency: str) -> list[CustomerHold]:
        """A customer's open items, first what is to be paid first."""
        ...

    def used_on_invoice(self, customer_id: str, currency: str) -> int:
        """What is held of a customer's limit, and what is taken and not paid; in minor units."""
        ...

    def unused_transfers(self, customer_id: str, currency: str) -> list[ReceivedTransfer]:
        """What a customer has sent that is for no item yet, oldest first."""
        ...

    def last_position(self) -> int:
        """The position of the newest event that has one."""
        ...

    def told_position(self) -> int:
        """Up to which position partners have been told; held until the transaction ends, so that nobody is told meanwhile."""
        ...

    def position_before(self, machine: Instant) -> int:
        """The position behind which everything lies that this operator recorded at that time or later."""
        ...

    def too_little(self, correction_id: str, above: int | None) -> tuple[int, int]:
        """What open sessions of a correction were charged too little, and the most of one.

        `above`: of those alone that were not charged more than that too little.
        """
        ...

    def unprinted_invoice(self, payer: PayerKind, payer_id: str) -> str | None:
        """The number of an invoice of that payer which is not on paper yet, the oldest; None when all are."""
        ...

    def recount_sums(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Make the sums over all rows anew; those that were wrong, by figure, part and currency: what they were and are."""
        ...

    def has_taken(self, account_id: str, before: Instant) -> bool:
        """Whether money was taken at a provider account in the weeks before that machine time."""
        ...

    def captured_about(
        self, account_id: str, currency: str, minor: int, at: Instant, within_ms: int
    ) -> list[PaymentId]:
        """Payments of exactly that sum that were captured about then and that no settlement line is about."""
        ...

    def unsettled(self, account_id: str, start: Instant, end: Instant, most: int) -> list[PaymentId]:
        """Payments with money moved in that machine time that no settlement line of that kind is about."""
        ...

    def uneven_payouts(self, account_id: str) -> list[UnevenPayout]:
        """Payouts of the last weeks that are not what their lines come to."""
        ...


class UnitOfWork(Protocol):
    """One transaction of one operator. Whatever is random or timed was drawn before it was opened."""

    operator: OperatorId
    draw: Draw
    now: Instant
    """Business time."""
    machine_now: Instant
    zone_data_version: str
    """Of the time zone data in use, kept with each price."""
    actor: str
    """Who does it: `station:…`, `key:…`, `person:…`, `worker`."""

    events: EventLog
    jobs: Outbox
    queries: Queries
    vault: Vault

    operators: Records[Operator]
    parties: Records[Party]
    customers: Records[Customer]
    customer_details: Records[CustomerDetails]
    tokens: Records[Token]
    circles: Records[Circle]
    belongings: Records[Belonging]
    approvals: Records[Approval]
    money_limits: Records[MoneyLimit]
    given_away: Records[GivenAway]
    api_keys: Records[ApiKey]
    console_links: Records[ConsoleLink]
    console_sessions: Records[ConsoleSession]
    people: Records[Person]
    memberships: Records[Membership]
    invitations: Records[Invitation]
    passkeys: Records[Passkey]
    challenges: Records[Challenge]
    identity_providers: Records[IdentityProvider]
    linked_identities: Records[LinkedIdentity]
    actions: Records[ActionRecord]
    answered_requests: Records[AnsweredRequest]
    erasures: Records[Erasure]

    locations: Records[Location]
    stations: Records[Station]
    transaction_counters: Records[TransactionCounter]
    evses: Records[Evse]
    connectors: Records[Connector]
    connector_states: Records[ConnectorState]
    evse_roles: Records[EvseRole]
    web_codes: Records[WebCode]
    station_commands: Records[StationCommand]
    authorities: Records[Authority]
    station_certificates: Records[StationCertificate]
    station_reports: Records[StationReport]
    station_variables: Records[Variable]
    security_events: Records[SecurityEvent]
    station_notices: Records[StationNotice]
    message_chunks: Records[MessageChunk]
    list_rules: Records[ListRule]
    key_changes: Records[KeyChange]
    profile_changes: Records[ProfileChange]
    local_lists: Records[LocalList]
    reservations: Records[Reservation]
    readers: Records[Reader]
    station_checks: Records[StationCheck]
    commissioning_rules: Records[CommissioningRule]
    display_rules: Records[DisplayRule]
    offline_rules: Records[OfflineRule]
    told_prices: Records[ToldPrice]
    wanted_limits: Records[WantedLimit]
    told_tariffs: Records[ToldTariff]
    told_costs: Records[ToldCost]

    frames: Records[Frame]
    sessions: Records[Session]
    meter_readings: Records[MeterReading]
    station_facts: Records[StationFact]
    inbox: Records[InboxItem]
    explanations: Records[Explanation]
    meter_keys: Records[MeterKey]
    signed_values: Records[SignedValue]
    signature_verdicts: Records[SignatureVerdict]
    meter_pages: Records[MeterPage]
    meter_profiles: Records[MeterProfile]
    resolution_rules: Records[ResolutionRule]

    provider_accounts: Records[ProviderAccount]
    provider_health: Records[ProviderHealth]
    sealed_secrets: Records[SealedSecret]
    payment_methods: Records[PaymentMethod]
    payments: Records[Payment]
    operations: Records[Operation]
    allocations: Records[Allocation]
    customer_holds: Records[CustomerHold]
    credit_terms: Records[CreditTerms]
    received_transfers: Records[ReceivedTransfer]
    transfer_parts: Records[TransferPart]
    webhook_events: Records[WebhookEvent]
    restorations: Records[Restoration]
    disputes: Records[Dispute]
    bank_lines: Records[BankLine]
    creditors: Records[Creditor]
    mandates: Records[Mandate]
    debit_batches: Records[DebitBatch]
    debit_collections: Records[DebitCollection]
    debit_parts: Records[DebitPart]
    settlement_lines: Records[SettlementLine]
    settlement_readings: Records[SettlementReading]
    settlement_differences: Records[SettlementDifference]

    market_prices: Records[MarketPrice]

    tariff_versions: Records[TariffVersion]
    tariff_assignments: Records[TariffAssignment]
    policy_versions: Records[PolicyVersion]
    offers: Records[Offer]
    coupons: Records[Coupon]
    coupon_uses: Records[CouponUse]
    rated_results: Records[RatedResult]
    rated_lines: Records[RatedLine]
    rated_taxes: Records[RatedTax]

    accounts: Records[Account]
    entries: Records[Entry]
    transfers: Records[Transfer]

    invoices: Records[Invoice]
    corrections: Records[Correction]
    corrected_sessions: Records[CorrectedSession]
    printed_invoices: Records[PrintedInvoice]
    number_series: Records[NumberSeries]
    skipped_numbers: Records[SkippedNumbers]

    stored_jobs: Records[StoredJob]

    webhook_endpoints: Records[Endpoint]
    webhook_secrets: Records[EndpointSecret]
    webhook_messages: Records[Message]
    webhook_deliveries: Records[Delivery]
    webhook_attempts: Records[Attempt]

    imports: Records[Import]
    import_parts: Records[ImportPart]
    import_rows: Records[ImportRow]
    audits: Records[Audit]
    audit_findings: Records[AuditFinding]


class Writer(Protocol):
    """Runs workflows, each in its own all-or-nothing, and answers only after what they wrote is durable."""

    def submit(
        self,
        operator: str,
        workflow: Callable[[UnitOfWork, Any], Any],
        command: object,
        done: Callable[[Any], None],
        *,
        actor: str,
        cause: str = "",
    ) -> None:
        """Queue a command. `done` gets the result or the exception, after the commit, on the writer's thread.

        Raises Busy when the queue is full: the station or the caller tries again.
        """
        ...


class Undone(TallywattError):
    """A dry run: the command was tried, and raising this undoes it. It carries what would have come of it."""

    code = "imports.dry_run"

    def __init__(self, *, came: Any) -> None:
        super().__init__("a dry run leaves nothing behind")
        self.came = came


class StationLink(Protocol):
    """The way to a connected station; a process without a gateway has none."""

    def connected(self) -> frozenset[str]:
        """Ids of the stations that are connected here at the moment."""
        ...

    def call(self, station_id: str, command: StationCommand, timeout_seconds: float) -> LinkAnswer:
        """Send a command in the station's own dialect and wait for its answer. Blocks; never called on the event loop."""
        ...


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """How a station took a command."""

    outcome: str
    """accepted, rejected, not_connected, no_answer."""
    detail: str | None = None
    """The station's own word: Rejected, Scheduled, NotSupported …"""
    told: dict[str, Any] | None = None
    """What else the answer says, when it says more than a status."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to a person. It lives as long as it takes to hand it in: no table and no log holds one."""

    to: str
    sender_name: str
    subject: str
    text: str


class LetterRefused(TallywattError):
    """The mail server will never take this letter. The reason names no address: jobs and logs keep it."""

    code = "messages.refused"


class LetterDelayed(TallywattError):
    """The mail server did not take this letter now, or did not answer."""

    code = "messages.delayed"


class Post(Protocol):
    """The way to people; an installation without a mail server has none."""

    def send(self, letter: Letter, message_id: str, now: Instant) -> None:
        """Hand in a letter, or raise LetterRefused or LetterDelayed. Blocks; never called on the event loop."""
        ...
