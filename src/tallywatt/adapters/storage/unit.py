"""The unit of work on a connection: the rows of one operator, the event log, the outbox; it lives as long as that."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, exists, func, insert, null, or_, select, text

from tallywatt.adapters.storage.debiting import DebitQueries
from tallywatt.adapters.storage.mapping import to_json
from tallywatt.adapters.storage.rows import Rows, Scope
from tallywatt.adapters.storage.sequencer import WEBHOOKS, hold_cursor
from tallywatt.adapters.storage.settling import SettlementQueries
from tallywatt.adapters.storage.statements import Statement, compiled, inserting
from tallywatt.adapters.storage.sums import add_to_sums, recount
from tallywatt.adapters.storage.tables import (
    approvals,
    banking,
    certificates,
    circles,
    commissioning,
    corrections,
    coupons,
    customers,
    debits,
    display,
    evidence,
    imports,
    invoicing,
    key_changes,
    ledger,
    limits,
    local_lists,
    machinery,
    market,
    metering,
    own_books,
    partners,
    payments,
    profile_changes,
    rating,
    readers,
    reports,
    reservations,
    settlements,
    signed,
    station_tariffs,
    stations,
)
from tallywatt.kernel.card_numbers import hide_in_json
from tallywatt.kernel.identity import RANDOM_BYTES, StationId, uuid7
from tallywatt.metering.session import InboxState, SessionState, Source
from tallywatt.stations.command import OPEN_STATES
from tallywatt.stations.station import StationState
from tallywatt.workflows.jobs import CAUSE, JobState

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.mapping import Mapping
    from tallywatt.adapters.storage.vault import UnitVault
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.events import Event
    from tallywatt.kernel.identity import Draw, OperatorId
    from tallywatt.market.price import MarketPrice
    from tallywatt.metering.session import PayerKind, Session
    from tallywatt.payments.debit import DebitCollection, Mandate
    from tallywatt.payments.own_books import CustomerHold, ReceivedTransfer
    from tallywatt.payments.payment import Payment
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.station import ConnectorState, Station
    from tallywatt.workflows.jobs import Job

# The system's own zone data has no version that can be read everywhere; the wheel's is the one that we lock.
ZONE_DATA = f"tzdata {version('tzdata')}"

MAPPINGS: dict[str, Mapping[Any]] = {
    "operators": customers.OPERATORS,
    "parties": customers.PARTIES,
    "customers": customers.CUSTOMERS,
    "customer_details": customers.CUSTOMER_DETAILS,
    "tokens": customers.TOKENS,
    "circles": circles.CIRCLES,
    "belongings": circles.BELONGINGS,
    "approvals": approvals.APPROVALS,
    "corrections": corrections.CORRECTIONS,
    "corrected_sessions": corrections.CORRECTED_SESSIONS,
    "money_limits": approvals.MONEY_LIMITS,
    "given_away": approvals.GIVEN_AWAY,
    "coupons": coupons.COUPONS,
    "coupon_uses": coupons.COUPON_USES,
    "api_keys": customers.API_KEYS,
    "console_links": customers.CONSOLE_LINKS,
    "console_sessions": customers.CONSOLE_SESSIONS,
    "people": customers.PEOPLE,
    "memberships": customers.MEMBERSHIPS,
    "invitations": customers.INVITATIONS,
    "erasures": customers.ERASURES,
    "passkeys": customers.PASSKEYS,
    "challenges": customers.CHALLENGES,
    "identity_providers": customers.IDENTITY_PROVIDERS,
    "linked_identities": customers.LINKED_IDENTITIES,
    "actions": customers.ACTIONS,
    "answered_requests": customers.ANSWERED_REQUESTS,
    "locations": stations.LOCATIONS,
    "stations": stations.STATIONS,
    "transaction_counters": stations.TRANSACTION_COUNTERS,
    "evses": stations.EVSES,
    "connectors": stations.CONNECTORS,
    "connector_states": stations.CONNECTOR_STATES,
    "evse_roles": stations.EVSE_ROLES,
    "web_codes": stations.WEB_CODES,
    "station_commands": stations.STATION_COMMANDS,
    "authorities": certificates.AUTHORITIES,
    "station_certificates": certificates.STATION_CERTIFICATES,
    "station_reports": reports.STATION_REPORTS,
    "station_variables": reports.STATION_VARIABLES,
    "security_events": reports.SECURITY_EVENTS,
    "station_notices": reports.STATION_NOTICES,
    "message_chunks": reports.MESSAGE_CHUNKS,
    "list_rules": local_lists.LIST_RULES,
    "key_changes": key_changes.KEY_CHANGES,
    "profile_changes": profile_changes.PROFILE_CHANGES,
    "local_lists": local_lists.LOCAL_LISTS,
    "reservations": reservations.RESERVATIONS,
    "readers": readers.READERS,
    "frames": metering.FRAMES,
    "sessions": metering.SESSIONS,
    "meter_readings": metering.METER_READINGS,
    "station_facts": metering.STATION_FACTS,
    "inbox": metering.INBOX,
    "explanations": metering.EXPLANATIONS,
    "meter_keys": signed.METER_KEYS,
    "signed_values": signed.SIGNED_VALUES,
    "signature_verdicts": signed.SIGNATURE_VERDICTS,
    "meter_pages": signed.METER_PAGES,
    "market_prices": market.MARKET_PRICES,
    "station_checks": commissioning.STATION_CHECKS,
    "commissioning_rules": commissioning.COMMISSIONING_RULES,
    "offline_rules": commissioning.OFFLINE_RULES,
    "display_rules": display.DISPLAY_RULES,
    "told_prices": display.TOLD_PRICES,
    "wanted_limits": limits.WANTED_LIMITS,
    "told_tariffs": station_tariffs.TOLD_TARIFFS,
    "told_costs": station_tariffs.TOLD_COSTS,
    "meter_profiles": metering.METER_PROFILES,
    "resolution_rules": metering.RESOLUTION_RULES,
    "tariff_versions": rating.TARIFF_VERSIONS,
    "tariff_assignments": rating.TARIFF_ASSIGNMENTS,
    "policy_versions": rating.POLICY_VERSIONS,
    "offers": rating.OFFERS,
    "rated_results": rating.RATED_RESULTS,
    "rated_lines": rating.RATED_LINES,
    "rated_taxes": rating.RATED_TAXES,
    "provider_accounts": payments.PROVIDER_ACCOUNTS,
    "provider_health": payments.PROVIDER_HEALTH,
    "sealed_secrets": payments.SEALED_SECRETS,
    "payment_methods": payments.PAYMENT_METHODS,
    "payments": payments.PAYMENTS,
    "operations": payments.OPERATIONS,
    "allocations": payments.ALLOCATIONS,
    "customer_holds": own_books.CUSTOMER_HOLDS,
    "credit_terms": own_books.CREDIT_TERMS,
    "received_transfers": own_books.RECEIVED_TRANSFERS,
    "transfer_parts": own_books.TRANSFER_PARTS,
    "webhook_events": payments.WEBHOOK_EVENTS,
    "restorations": payments.RESTORATIONS,
    "disputes": settlements.DISPUTES,
    "bank_lines": banking.BANK_LINES,
    "creditors": debits.CREDITORS,
    "mandates": debits.MANDATES,
    "debit_batches": debits.DEBIT_BATCHES,
    "debit_collections": debits.DEBIT_COLLECTIONS,
    "debit_parts": debits.DEBIT_PARTS,
    "settlement_lines": settlements.SETTLEMENT_LINES,
    "settlement_readings": settlements.SETTLEMENT_READINGS,
    "settlement_differences": settlements.SETTLEMENT_DIFFERENCES,
    "accounts": ledger.ACCOUNTS,
    "entries": ledger.ENTRIES,
    "transfers": ledger.TRANSFERS,
    "invoices": invoicing.INVOICES,
    "printed_invoices": invoicing.PRINTED_INVOICES,
    "number_series": invoicing.NUMBER_SERIES,
    "skipped_numbers": invoicing.SKIPPED_NUMBERS,
    "stored_jobs": machinery.JOBS,
    "webhook_endpoints": partners.ENDPOINTS,
    "webhook_secrets": partners.SECRETS,
    "webhook_messages": partners.MESSAGES,
    "webhook_deliveries": partners.DELIVERIES,
    "webhook_attempts": partners.ATTEMPTS,
    "imports": imports.IMPORTS,
    "import_parts": imports.IMPORT_PARTS,
    "import_rows": imports.IMPORT_ROWS,
    "audits": evidence.AUDITS,
    "audit_findings": evidence.AUDIT_FINDINGS,
}
"""Every attribute of `UnitOfWork` that is a set of rows, and its table."""


class SqlUnitOfWork:
    """The unit of work that workflows see as `workflows.ports.UnitOfWork`.

    It is opened for one command at a time; opening it again forgets all of the last one.
    """

    operator: OperatorId
    draw: Draw
    now: Instant
    machine_now: Instant
    zone_data_version: str
    actor: str
    cause: str
    # Two of the sets of rows below, by name: questions of ours tell them what they have read.
    mandates: Rows[Mandate]
    debit_collections: Rows[DebitCollection]
    customer_holds: Rows[CustomerHold]

    def __init__(self, connection: Connection) -> None:
        self.dialect = connection.dialect
        self.scope = Scope(connection)
        for name, mapping in MAPPINGS.items():
            setattr(self, name, Rows(self.scope, mapping))
        self.events = SqlEventLog(self)
        self.jobs = SqlOutbox(self)
        self.queries = SqlQueries(self)
        self.wrote_jobs = False
        self.zone_data_version = ZONE_DATA
        self.vault: UnitVault

    @property
    def connection(self) -> Connection:
        """The connection itself, for machinery: all that was to be written is written, so that its statements see it."""
        self.scope.pending.flush()
        return self.scope.connection

    def open(self, operator: OperatorId, draw: Draw, actor: str, cause: str) -> None:
        """Begin with the next command."""
        self.operator = operator
        self.scope.operator = operator
        self.draw = draw
        self.now = draw.business
        self.machine_now = draw.machine
        self.actor = actor
        self.cause = cause
        self.events.begin()

    def settle_sums(self) -> None:
        """Write everything, and last of all what it adds to the sums of all rows: the end of every transaction."""
        scope = self.scope
        sql = add_to_sums(self.dialect)
        for row in scope.tally.rows():
            scope.pending.later(sql, row)
        scope.pending.flush()
        scope.tally.forget()

    def write_later(self, sql: str, parameters: tuple[Any, ...]) -> None:
        """Run a statement that nobody waits for, after the rows that it may be about."""
        if self.scope.pending.gathers:
            self.scope.pending.later(sql, parameters)
        else:
            self.scope.connection.change(sql, parameters)


_events = machinery.EVENTS
_next_version = (
    select(func.coalesce(func.max(_events.c.version), 0) + 1)
    .where(
        _events.c.operator_id == bindparam("operator"),
        _events.c.aggregate == bindparam("of_aggregate"),
        _events.c.aggregate_id == bindparam("of_id"),
    )
    .scalar_subquery()
)
_EVENT_NAMES = [column.name for column in _events.columns]
ADD_EVENT = insert(_events).from_select(
    _EVENT_NAMES,
    select(
        *[
            _next_version if name == "version" else bindparam(f"new_{name}", type_=column.type)
            for name, column in zip(_EVENT_NAMES, _events.columns, strict=True)
        ]
    ),
)


class SqlEventLog:
    """Events of the present command. On SQLite the one writer gives the positions, in the same transaction."""

    def __init__(self, unit: SqlUnitOfWork) -> None:
        self._unit = unit
        self._count = 0
        self._statement = compiled(ADD_EVENT, unit.dialect)
        self.sequences = unit.dialect == "sqlite"
        self.began_at = 0
        self.position = 0
        """The last position given, as far as this transaction knows."""

    def begin(self) -> None:
        """Count the events of a new command from nothing."""
        self._count = 0

    def append(self, event: Event) -> None:
        """Write an event with the next version of its aggregate."""
        unit = self._unit
        position = None
        if self.sequences:
            self.position += 1
            position = self.position
        values = {
            "new_operator_id": unit.operator,
            "operator": unit.operator,
            "of_aggregate": event.aggregate,
            "of_id": event.aggregate_id,
            "new_event_id": unit.draw.id(f"event/{self._count}"),
            "new_position": position,
            "new_aggregate": event.aggregate,
            "new_aggregate_id": event.aggregate_id,
            "new_type": event.type,
            "new_schema_version": event.schema_version,
            "new_data": hide_in_json(to_json(dict(event.data))),
            "new_actor": unit.actor,
            "new_cause": unit.cause,
            "new_booked_at": unit.now,
            "new_recorded_at": unit.machine_now,
        }
        self._count += 1
        unit.write_later(self._statement.sql, self._statement.bind(values))


_jobs = machinery.JOBS.table


def _add_job(dialect: str) -> Statement:
    statement = inserting(_jobs, dialect)
    # A job that is done may be wanted again: the same row goes back to ready. One that waits stays as it is; one that runs
    # runs on, and it is noted that it is to run once more.
    runs = _jobs.c.state == JobState.LEASED.value
    new = statement.excluded
    anew = {name: case((runs, _jobs.c[name]), else_=new[name]) for name in _OF_A_RUN}
    again = statement.on_conflict_do_update(
        index_elements=["operator_id", "kind", "subject_id"],
        set_={"payload": new.payload, "wanted_at": case((runs, new.run_at), else_=null()), **anew},
        where=_jobs.c.state != JobState.READY.value,
    )
    return Statement(again, dialect)


_OF_A_RUN = ("state", "run_at", "lease_until", "leased_by", "attempts", "last_error", "cut_short")
"""What a job that is asked for again begins anew with, unless it is running."""


class SqlOutbox:
    """Jobs of the present command."""

    def __init__(self, unit: SqlUnitOfWork) -> None:
        self._unit = unit
        self._statement = _add_job(unit.dialect)

    def add(self, job: Job) -> None:
        """Write a job; the same kind and subject again changes nothing while it waits."""
        unit = self._unit
        run_at = unit.machine_now if job.not_before is None else job.not_before
        values = {
            "operator_id": unit.operator,
            "job_id": unit.draw.id(f"job/{job.kind}/{job.subject_id}"),
            "kind": job.kind,
            "subject_id": job.subject_id,
            # What a job does is caused by what caused the job: one id leads from a frame to its invoice.
            "payload": hide_in_json(to_json({**job.payload, CAUSE: unit.cause} if unit.cause else job.payload)),
            "state": JobState.READY.value,
            "run_at": run_at,
            "lease_until": None,
            "leased_by": None,
            "attempts": 0,
            "last_error": None,
            "created_at": unit.machine_now,
            "wanted_at": None,
            "cut_short": 0,
        }
        unit.write_later(self._statement.sql, self._statement.bind(values))
        unit.wrote_jobs = True


_sessions = metering.SESSIONS.table
_payments = payments.PAYMENTS.table
_connector_states = stations.CONNECTOR_STATES.table
_commands = stations.STATION_COMMANDS.table


def _all(mapping: Mapping[Any]) -> Any:
    return select(*[mapping.table.c[name] for name in mapping.names])


_at_evse = (_sessions.c.operator_id == bindparam("operator"), _sessions.c.evse_id == bindparam("evse"))
OPEN_AT = (
    _all(metering.SESSIONS)
    .where(*_at_evse, _sessions.c.transaction_ended_at.is_(None), _sessions.c.state == "active")
    .order_by(_sessions.c.started_at, _sessions.c.session_id)
)
LAST_AT = (
    _all(metering.SESSIONS)
    .where(*_at_evse)
    .order_by(_sessions.c.started_at.desc(), _sessions.c.session_id.desc())
    .limit(1)
)
NEXT_AT = (
    _all(metering.SESSIONS)
    .where(
        *_at_evse,
        _sessions.c.started_at >= bindparam("since"),
        _sessions.c.started_at < bindparam("before"),
        _sessions.c.transaction_id.is_not(None),
    )
    .order_by(_sessions.c.started_at, _sessions.c.session_id)
    .limit(2)
)
BILLED_SINCE = (
    _all(metering.SESSIONS)
    .where(
        _sessions.c.operator_id == bindparam("operator"),
        _sessions.c.payer == "customer",
        _sessions.c.payer_id == bindparam("customer"),
        _sessions.c.started_at >= bindparam("since"),
        _sessions.c.rated_id.is_not(None),
    )
    .order_by(_sessions.c.started_at, _sessions.c.session_id)
)
LAST_AT_READER = (
    _all(payments.PAYMENTS)
    .where(
        _payments.c.operator_id == bindparam("operator"),
        _payments.c.created_at >= bindparam("since"),
        _payments.c.reader_id == bindparam("reader"),
    )
    .order_by(_payments.c.created_at.desc(), _payments.c.payment_id.desc())
    .limit(bindparam("most"))
)
_of_evse = and_(
    _connector_states.c.operator_id == bindparam("operator"), _connector_states.c.evse_id == bindparam("evse")
)
_before = (
    select(func.max(_connector_states.c.occurred_at))
    .where(_of_evse, _connector_states.c.occurred_at <= bindparam("start"))
    .scalar_subquery()
)
STATES_BETWEEN = (
    _all(stations.CONNECTOR_STATES)
    .where(
        _of_evse,
        or_(_connector_states.c.occurred_at == _before, _connector_states.c.occurred_at > bindparam("start")),
        _connector_states.c.occurred_at <= bindparam("end"),
    )
    .order_by(_connector_states.c.occurred_at, _connector_states.c.received_at)
)
_prices = market.MARKET_PRICES.table
MARKET_PRICES_BETWEEN = (
    _all(market.MARKET_PRICES)
    .where(
        _prices.c.operator_id == bindparam("operator"),
        _prices.c.market == bindparam("market"),
        _prices.c.minutes == bindparam("minutes"),
        _prices.c.currency == bindparam("currency"),
        _prices.c.starts_at >= bindparam("since"),
        _prices.c.starts_at <= bindparam("until"),
    )
    .order_by(_prices.c.starts_at)
)
_open_command = _commands.c.state.in_([state.value for state in OPEN_STATES])
_readings = metering.METER_READINGS.table
QUIET = (
    _all(metering.SESSIONS)
    .where(
        _sessions.c.operator_id == bindparam("operator"),
        _sessions.c.state == SessionState.ACTIVE.value,
        _sessions.c.transaction_ended_at.is_(None),
        _sessions.c.source == Source.OCPP.value,
        _sessions.c.station_id.is_not(None),
        _sessions.c.received_at < bindparam("since"),
        ~exists().where(
            _readings.c.operator_id == _sessions.c.operator_id,
            _readings.c.session_id == _sessions.c.session_id,
            _readings.c.received_at >= bindparam("since"),
        ),
    )
    .order_by(_sessions.c.session_id)
    .limit(bindparam("most"))
)
COMMANDS_SINCE = (
    _all(stations.STATION_COMMANDS)
    .where(
        _commands.c.operator_id == bindparam("operator"),
        _commands.c.station_id == bindparam("station"),
        _commands.c.requested_at >= bindparam("since"),
    )
    .order_by(_commands.c.requested_at, _commands.c.command_id)
)
STATIONS_SPEAKING = (
    _all(stations.STATIONS)
    .where(
        stations.STATIONS.table.c.operator_id == bindparam("operator"),
        stations.STATIONS.table.c.station_id > bindparam("after"),
        stations.STATIONS.table.c.state == StationState.ADOPTED.value,
        stations.STATIONS.table.c.protocol == bindparam("spoken"),
    )
    .order_by(stations.STATIONS.table.c.station_id)
    .limit(bindparam("most"))
)
ADOPTED_STATIONS = (
    _all(stations.STATIONS)
    .where(
        stations.STATIONS.table.c.operator_id == bindparam("operator"),
        stations.STATIONS.table.c.station_id > bindparam("after"),
        stations.STATIONS.table.c.state == StationState.ADOPTED.value,
    )
    .order_by(stations.STATIONS.table.c.station_id)
    .limit(bindparam("most"))
)
MONITOR_COMMANDS = (
    _all(stations.STATION_COMMANDS)
    .where(
        _commands.c.operator_id == bindparam("operator"),
        _commands.c.station_id == bindparam("station"),
        _commands.c.requested_at >= bindparam("since"),
        text(stations.ABOUT_MONITORS),
    )
    .order_by(_commands.c.requested_at.desc())
    .limit(bindparam("most"))
)
_stations, _checks = stations.STATIONS.table, commissioning.STATION_CHECKS.table
UNPLANNED_CHECKS = (
    select(_stations.c.station_id)
    .select_from(
        _stations.outerjoin(
            _checks,
            and_(_checks.c.operator_id == _stations.c.operator_id, _checks.c.station_id == _stations.c.station_id),
        )
    )
    .where(
        _stations.c.operator_id == bindparam("operator"),
        _stations.c.state == StationState.ADOPTED.value,
        _stations.c.protocol.is_not(None),
        or_(_checks.c.next_at.is_(None), _checks.c.next_at <= bindparam("now")),
    )
    # One that was never asked waits behind all others: what keeps it from being asked must not keep them.
    .order_by(_checks.c.station_id.is_(None), _checks.c.next_at, _stations.c.station_id)
    .limit(bindparam("most"))
)
LAST_RESERVATION = select(func.max(reservations.RESERVATIONS.table.c.number)).where(
    reservations.RESERVATIONS.table.c.operator_id == bindparam("operator"),
    reservations.RESERVATIONS.table.c.station_id == bindparam("station"),
)
OPEN_COMMANDS = (
    _all(stations.STATION_COMMANDS)
    .where(
        _commands.c.operator_id == bindparam("operator"),
        _commands.c.station_id == bindparam("station"),
        _commands.c.requested_at >= bindparam("since"),
        _open_command,
    )
    .order_by(_commands.c.requested_at)
)

_inbox = metering.INBOX.table
_open_of_kind = (
    _inbox.c.operator_id == bindparam("operator"),
    _inbox.c.state == InboxState.OPEN.value,
    _inbox.c.kind == bindparam("of_kind"),
)
OPEN_ITEMS = (
    select(_inbox.c.item_id)
    .where(*_open_of_kind, _inbox.c.item_id > bindparam("after"))
    .order_by(_inbox.c.item_id)
    .limit(bindparam("most"))
)
COUNT_OPEN_ITEMS = select(func.count()).where(*_open_of_kind)
_invoices = invoicing.INVOICES.table
_printed = invoicing.PRINTED_INVOICES.table
UNPRINTED = (
    select(_invoices.c.number)
    .where(
        _invoices.c.operator_id == bindparam("operator"),
        _invoices.c.payer == bindparam("payer"),
        _invoices.c.payer_id == bindparam("of_payer"),
        ~exists().where(
            _printed.c.operator_id == _invoices.c.operator_id, _printed.c.invoice_id == _invoices.c.invoice_id
        ),
    )
    .order_by(_invoices.c.issued_at)
    .limit(1)
)
_holds = own_books.CUSTOMER_HOLDS.table
_live_of_customer = (
    _holds.c.operator_id == bindparam("operator"),
    _holds.c.customer_id == bindparam("customer"),
    _holds.c.currency == bindparam("of_currency"),
    # Written out, as in the index: a planner does not see that a parameter is what the index is about.
    text(own_books.IS_LIVE),
)
_open_minor = _holds.c.taken_minor - _holds.c.returned_minor - _holds.c.settled_minor
OWED = (
    _all(own_books.CUSTOMER_HOLDS)
    .where(*_live_of_customer, _open_minor > 0)
    .order_by(_holds.c.due_on, _holds.c.payment_id)
)
USED_ON_INVOICE = select(
    func.sum(case((_holds.c.pending_id.is_not(None), _holds.c.held_minor), else_=_open_minor))
).where(*_live_of_customer)
_transfers = own_books.RECEIVED_TRANSFERS.table
UNUSED = (
    _all(own_books.RECEIVED_TRANSFERS)
    .where(
        _transfers.c.operator_id == bindparam("operator"),
        _transfers.c.customer_id == bindparam("customer"),
        _transfers.c.currency == bindparam("of_currency"),
        text(own_books.IS_LEFT),
    )
    .order_by(_transfers.c.transfer_id)
)
LAST_POSITION = select(func.max(_events.c.position))
# An event's id begins with the time at which it was recorded.
FIRST_SINCE = select(func.min(_events.c.position)).where(
    _events.c.operator_id == bindparam("operator"), _events.c.event_id >= bindparam("floor")
)


_corrected = corrections.CORRECTED_SESSIONS.table
_too_little = _corrected.c.now_minor - _corrected.c.was_minor
TOO_LITTLE = select(func.sum(_too_little), func.max(_too_little)).where(
    _corrected.c.operator_id == bindparam("operator"),
    _corrected.c.correction_id == bindparam("of_correction"),
    _corrected.c.outcome == "open",
    _too_little > 0,
    _too_little <= bindparam("above"),
)


class SqlQueries(SettlementQueries, DebitQueries):
    """The questions that equality of columns cannot ask."""

    _unit: SqlUnitOfWork

    def __init__(self, unit: SqlUnitOfWork) -> None:
        self._unit = unit

    def open_sessions_at(self, evse_id: str) -> list[Session]:
        """Sessions of an EVSE whose transaction has not ended, oldest first."""
        return self._rows(OPEN_AT, metering.SESSIONS, {"evse_id": evse_id}, evse=evse_id)

    def last_session_at(self, evse_id: str) -> Session | None:
        """The session of an EVSE with the latest start, open or not."""
        found = self._rows(LAST_AT, metering.SESSIONS, {"evse_id": evse_id}, evse=evse_id)
        return found[0] if found else None

    def next_session_at(self, evse_id: str, since: Instant, before: Instant, but: str) -> Session | None:
        """The first transaction at an EVSE that began from a time on, and before another; but for the one that is named."""
        about = {"evse_id": evse_id}
        found = self._rows(NEXT_AT, metering.SESSIONS, about, evse=evse_id, since=since, before=before)
        return next((one for one in found if one.session_id != but), None)

    def billed_since(self, customer_id: str, since: Instant) -> list[Session]:
        """A customer's sessions that have a price and began since then, oldest first."""
        return self._rows(BILLED_SINCE, metering.SESSIONS, {"payer_id": customer_id}, customer=customer_id, since=since)

    def last_at_reader(self, reader_id: str, since: Instant, most: int) -> list[Payment]:
        """The newest payments that were begun at a reader since then, newest first."""
        about = {"reader_id": reader_id}
        return self._rows(LAST_AT_READER, payments.PAYMENTS, about, reader=reader_id, since=since, most=most)

    def states_between(self, evse_id: str, start: Instant, end: Instant) -> list[ConnectorState]:
        """The connector's changes within a time, oldest first, with the last one before it."""
        about = {"evse_id": evse_id}
        return self._rows(STATES_BETWEEN, stations.CONNECTOR_STATES, about, evse=evse_id, start=start, end=end)

    def market_prices_between(
        self, market_name: str, minutes: int, currency: str, since: Instant, until: Instant
    ) -> list[MarketPrice]:
        """The prices of slots that begin within a time, both ends included, in order."""
        about = {"market": market_name}
        series = {**about, "minutes": minutes, "currency": currency}
        return self._rows(MARKET_PRICES_BETWEEN, market.MARKET_PRICES, about, **series, since=since, until=until)

    def open_commands(self, station_id: str, since: Instant) -> list[StationCommand]:
        """Commands to a station that have not come to their end, oldest first."""
        about = {"station_id": station_id}
        return self._rows(OPEN_COMMANDS, stations.STATION_COMMANDS, about, station=station_id, since=since)

    def commands_since(self, station_id: str, since: Instant) -> list[StationCommand]:
        """Commands to a station that were asked for since then, oldest first."""
        about = {"station_id": station_id}
        return self._rows(COMMANDS_SINCE, stations.STATION_COMMANDS, about, station=station_id, since=since)

    def stations_speaking(self, protocol: str, after: str, most: int) -> list[Station]:
        """Adopted stations of a version, in order, behind the one that is named."""
        return self._rows(STATIONS_SPEAKING, stations.STATIONS, {}, spoken=protocol, after=after, most=most)

    def adopted_stations(self, after: str, most: int) -> list[Station]:
        """Adopted stations in order, behind the one that is named."""
        return self._rows(ADOPTED_STATIONS, stations.STATIONS, {}, after=after, most=most)

    def monitor_commands(self, station_id: str, since: Instant, most: int) -> list[StationCommand]:
        """The last commands about a station's monitors that were asked for since then, newest first."""
        about = {"station_id": station_id}
        asked = {"station": station_id, "since": since, "most": most}
        return self._rows(MONITOR_COMMANDS, stations.STATION_COMMANDS, about, **asked)

    def unplanned_checks(self, now: Instant, most: int) -> list[StationId]:
        """Adopted stations of a known version whose moment to be asked has come, or was never planned."""
        scope = self._unit.scope
        for mapping in (stations.STATIONS, commissioning.STATION_CHECKS):
            scope.pending.before_asking(mapping.table.name, scope.operator, {})
        statement = compiled(UNPLANNED_CHECKS, scope.connection.dialect)
        asked = {"operator": scope.operator, "now": now, "most": most}
        return [StationId(row[0]) for row in scope.connection.execute(statement.sql, statement.bind(asked))]

    def too_little(self, correction_id: str, above: int | None) -> tuple[int, int]:
        """What open sessions of a correction were charged too little, and the most of one.

        `above`: of those alone that were not charged more than that too little.
        """
        scope = self._unit.scope
        scope.pending.before_asking(corrections.CORRECTED_SESSIONS.table.name, scope.operator, {})
        statement = compiled(TOO_LITTLE, scope.connection.dialect)
        asked = {
            "operator": scope.operator,
            "of_correction": correction_id,
            "above": 1 << 62 if above is None else above,
        }
        total, most = next(iter(scope.connection.execute(statement.sql, statement.bind(asked))))
        return int(total or 0), int(most or 0)

    def last_reservation_number(self, station_id: str) -> int:
        """The highest number of a station's reservations; 0 when it has none."""
        return self._number(LAST_RESERVATION, operator=self._unit.operator, station=station_id)

    def quiet_sessions(self, since: Instant, most: int) -> list[Session]:
        """Sessions of stations whose transaction goes on, and of which nothing was heard since then."""
        about = {"state": SessionState.ACTIVE.value}
        return self._rows(QUIET, metering.SESSIONS, about, since=since, most=most)

    def open_items(self, kind: str, after: str, most: int) -> list[str]:
        """Ids of what waits in the inbox of a kind, oldest first, behind the one that is named."""
        connection = self._unit.connection
        statement = compiled(OPEN_ITEMS, connection.dialect)
        asked = {"operator": self._unit.operator, "of_kind": kind, "after": after, "most": most}
        return [str(row[0]) for row in connection.execute(statement.sql, statement.bind(asked))]

    def count_open_items(self, kind: str) -> int:
        """How many wait in the inbox of a kind."""
        return self._number(COUNT_OPEN_ITEMS, operator=self._unit.operator, of_kind=kind)

    def owed_by(self, customer_id: str, currency: str) -> list[CustomerHold]:
        """A customer's open items, first what is to be paid first."""
        about = {"customer_id": customer_id}
        return self._rows(OWED, own_books.CUSTOMER_HOLDS, about, customer=customer_id, of_currency=currency)

    def used_on_invoice(self, customer_id: str, currency: str) -> int:
        """What is held of a customer's limit, and what is taken and not paid."""
        scope, about = self._unit.scope, {"customer_id": customer_id}
        scope.pending.before_asking(_holds.name, scope.operator, about)
        return self._number(USED_ON_INVOICE, operator=scope.operator, customer=customer_id, of_currency=currency)

    def unused_transfers(self, customer_id: str, currency: str) -> list[ReceivedTransfer]:
        """What a customer has sent that is for no item yet, oldest first."""
        about = {"customer_id": customer_id}
        return self._rows(UNUSED, own_books.RECEIVED_TRANSFERS, about, customer=customer_id, of_currency=currency)

    def last_position(self) -> int:
        """The position of the newest event that has one."""
        return self._number(LAST_POSITION)

    def told_position(self) -> int:
        """Up to which position partners have been told, held."""
        return hold_cursor(self._unit.connection, WEBHOOKS)

    def position_before(self, machine: Instant) -> int:
        """The position behind which everything lies that this operator recorded at that time or later."""
        floor = uuid7(machine, bytes(RANDOM_BYTES))
        first = self._number(FIRST_SINCE, operator=self._unit.operator, floor=floor)
        return first - 1 if first else self.last_position()

    def unprinted_invoice(self, payer: PayerKind, payer_id: str) -> str | None:
        """The number of an invoice of that payer which is not on paper yet, the oldest; None when all are."""
        connection = self._unit.connection
        statement = compiled(UNPRINTED, connection.dialect)
        asked = {"operator": self._unit.operator, "payer": payer.value, "of_payer": payer_id}
        rows = connection.execute(statement.sql, statement.bind(asked))
        return str(rows[0][0]) if rows else None

    def recount_sums(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Make the sums of all rows anew; those that were wrong, as they were and as they are."""
        # What this transaction has counted belongs to rows that are about to be read.
        self._unit.settle_sums()
        return recount(self._unit.connection, self._unit.operator)

    def _number(self, clause: Any, **values: Any) -> int:
        statement = compiled(clause, self._unit.connection.dialect)
        rows = self._unit.connection.execute(statement.sql, statement.bind(values))
        return int(rows[0][0] or 0)

    def _rows(self, clause: Any, mapping: Mapping[Any], about: dict[str, str], **values: Any) -> list[Any]:
        scope = self._unit.scope
        scope.pending.before_asking(mapping.table.name, scope.operator, about)
        statement = compiled(clause, scope.connection.dialect)
        rows = scope.connection.execute(statement.sql, statement.bind({**values, "operator": scope.operator}))
        return [mapping.decode(row) for row in rows]
