"""Every list of the API in pages: its rows, its order, what it may be narrowed by. Each filter has an index behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.tables import (
    approvals as approval_tables,
)
from tallywatt.adapters.storage.tables import (
    banking as banking_tables,
)
from tallywatt.adapters.storage.tables import (
    circles as circle_tables,
)
from tallywatt.adapters.storage.tables import (
    corrections as correction_tables,
)
from tallywatt.adapters.storage.tables import (
    coupons as coupon_tables,
)
from tallywatt.adapters.storage.tables import (
    customers,
    evidence,
    imports,
    invoicing,
    ledger,
    machinery,
    market,
    metering,
    payments,
    rating,
    reports,
    signed,
    stations,
)
from tallywatt.adapters.storage.tables import (
    debits as debit_tables,
)
from tallywatt.adapters.storage.tables import (
    reservations as reservation_tables,
)
from tallywatt.adapters.storage.tables import (
    settlements as settlement_tables,
)
from tallywatt.adapters.storage.views import (
    approvals,
    attention,
    banking,
    charging,
    circles,
    corrections,
    coupons,
    debits,
    equations,
    long_work,
    money,
    people,
    places,
    prices,
    proofs,
    reservations,
    settlements,
    telling,
)
from tallywatt.adapters.storage.views import station_tariffs as told_tariffs
from tallywatt.adapters.storage.views.asking import Question, columns, joined, mine
from tallywatt.adapters.storage.views.listing import Listing
from tallywatt.customers.customer import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Column, ColumnElement, ScalarSelect, Table

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.views.asking import Row

    Filters = dict[str, ColumnElement[bool]]

_customers = customers.CUSTOMERS.table
_details = customers.CUSTOMER_DETAILS.table
_tokens = customers.TOKENS.table
_approvals = approval_tables.APPROVALS.table
_corrections = correction_tables.CORRECTIONS.table
_corrected = correction_tables.CORRECTED_SESSIONS.table
_circles = circle_tables.CIRCLES.table
_belongings = circle_tables.BELONGINGS.table
_coupons = coupon_tables.COUPONS.table
_coupon_uses = coupon_tables.COUPON_USES.table
_mandates = debit_tables.MANDATES.table
_debit_batches = debit_tables.DEBIT_BATCHES.table
_debits = debit_tables.DEBIT_COLLECTIONS.table
_bank_lines = banking_tables.BANK_LINES.table
_disputes = settlement_tables.DISPUTES.table
_keys = customers.API_KEYS.table
_actions = customers.ACTIONS.table
_locations = stations.LOCATIONS.table
_stations = stations.STATIONS.table
_evses = stations.EVSES.table
_commands = stations.STATION_COMMANDS.table
_reservations = reservation_tables.RESERVATIONS.table
_variables = reports.STATION_VARIABLES.table
_security_events = reports.SECURITY_EVENTS.table
_notices = reports.STATION_NOTICES.table
_meter_keys = signed.METER_KEYS.table
_sessions = metering.SESSIONS.table
_inbox = metering.INBOX.table
_frames = metering.FRAMES.table
_explanations = metering.EXPLANATIONS.table
_tariffs = rating.TARIFF_VERSIONS.table
_assignments = rating.TARIFF_ASSIGNMENTS.table
_market = market.MARKET_PRICES.table
_payments = payments.PAYMENTS.table
_invoices = invoicing.INVOICES.table
_jobs = machinery.JOBS.table
_accounts = ledger.ACCOUNTS.table
_revenue = machinery.REVENUE_BY_DAY
_imports = imports.IMPORTS.table
_import_rows = imports.IMPORT_ROWS.table
_audits = evidence.AUDITS.table
_findings = evidence.AUDIT_FINDINGS.table


def _is(column: Column[Any], name: str) -> ColumnElement[bool]:
    return column == bindparam(name)


def _of(column: Column[Any], table: Table, key: str, natural_key: str, name: str) -> ColumnElement[bool]:
    """Equality with the id of a row that is named by its natural key: found first, so that few rows are not sought in all."""
    other = table.alias()
    found: ScalarSelect[Any] = (
        select(other.c[key])
        .where(other.c.operator_id == bindparam("operator"), other.c[natural_key] == bindparam(name))
        .scalar_subquery()
    )
    return column == found


def _within(column: Column[Any]) -> Filters:
    return {"since": column >= bindparam("since"), "until": column < bindparam("until")}


@dataclass(frozen=True, slots=True)
class Pages:
    """How a list is paged. With a span of time its order is that of the time, so that the span is one stretch of an index."""

    newest: Listing
    by_time: Listing | None = None
    finish: Callable[[Connection, str, list[Row]], list[Row]] | None = None

    def of(self, given: dict[str, Any]) -> Listing:
        """The order for these filters."""
        timed = self.by_time is not None and (given.get("since") is not None or given.get("until") is not None)
        return self.by_time if timed and self.by_time is not None else self.newest


def _timed(clause: Any, time: Column[Any], key: Column[Any], filters: Filters) -> dict[str, Listing]:
    both = {**filters, **_within(time)}
    return {
        "newest": Listing(clause, (key,), filters, newest_first=True),
        "by_time": Listing(clause, (time, key), both, newest_first=True),
    }


def _payments_with_parts(connection: Connection, operator_id: str, rows: list[Row]) -> list[Row]:
    return [money.with_parts(connection, operator_id, row) for row in rows]


_SESSION_FILTERS = {
    name: test for name, test in charging.FILTERS.items() if name not in {"flag", "since", "until", "before"}
}
_PAYMENT_FILTERS: Filters = {
    "state": _is(_payments.c.state, "state"),
    "kind": _is(_payments.c.kind, "kind"),
    "session": _is(_payments.c.session_id, "session"),
    "customer": money.PAYMENT_FILTERS["customer"],
}
_INVOICE_FILTERS: Filters = {
    "customer": _of(_invoices.c.payer_id, _customers, "customer_id", "reference", "customer"),
    "session": _is(_invoices.c.session_id, "session"),
}
_ACTION_FILTERS: Filters = {
    "subject": _is(_actions.c.subject_id, "subject"),
    "who": _is(_actions.c.caller_id, "who"),
    "action": _is(_actions.c.action, "action"),
    **_within(_actions.c.recorded_at),
}
_FRAME = select(
    *columns(_frames, "received_at", "protocol", "action", "message_id", "flags", id="frame_id")
).where(mine(_frames))  # fmt: skip
_EXPLANATION = (
    select(
        *columns(
            _explanations, "session_id", "reason", "cause", "created_at", id="explanation_id", energy_wh="milliwatt_hours"
        ),
        *columns(_evses, evse="code"),
    )
    .select_from(_explanations.outerjoin(_evses, joined(_explanations, _evses, "evse_id")))
    .where(mine(_explanations))
)  # fmt: skip
_EVSE = (
    select(
        *columns(_evses, "number", "code", "current", "max_watts", "deployed_on", "metrology", id="evse_id"),
        *columns(_stations, station="identity"),
        *columns(_locations, location="reference"),
    )
    .select_from(
        _evses.join(_stations, joined(_evses, _stations, "station_id")).outerjoin(
            _locations, joined(_stations, _locations, "location_id")
        )
    )
    .where(mine(_evses))
)
_DAY = select(
    *columns(_revenue, "day", "currency", "sessions", "net_minor", "tax_minor", "gross_minor", energy_wh="milliwatt_hours")
).where(mine(_revenue))  # fmt: skip

LISTS: dict[str, Pages] = {
    "sessions": Pages(
        **_timed(charging.SESSION, _sessions.c.started_at, _sessions.c.session_id, _SESSION_FILTERS),
        finish=lambda _, __, rows: [charging.with_money(row) for row in rows],
    ),
    "payments": Pages(
        **_timed(money.PAYMENT, _payments.c.created_at, _payments.c.payment_id, _PAYMENT_FILTERS),
        finish=_payments_with_parts,
    ),
    "invoices": Pages(
        **_timed(money.INVOICE, _invoices.c.issued_at, _invoices.c.invoice_id, _INVOICE_FILTERS),
        finish=lambda _, __, rows: [money.with_owed(row) for row in rows],
    ),
    "locations": Pages(Listing(places.LOCATION, (_locations.c.reference,))),
    "stations": Pages(
        Listing(
            places.STATION,
            (_stations.c.identity,),
            {
                "state": _is(_stations.c.state, "state"),
                "location": _of(_stations.c.location_id, _locations, "location_id", "reference", "location"),
            },
        ),
        finish=places.with_evses,
    ),
    "evses": Pages(
        Listing(
            _EVSE,
            (_evses.c.code,),
            {"station": _of(_evses.c.station_id, _stations, "station_id", "identity", "station")},
        ),
        finish=places.with_connectors,
    ),
    "meter_keys": Pages(
        Listing(
            proofs.METER_KEY,
            (_meter_keys.c.serial_folded, _meter_keys.c.fingerprint),
            {"meter": _is(_meter_keys.c.serial_folded, "meter")},
        )
    ),
    "commands": Pages(
        Listing(
            places.COMMAND,
            (_commands.c.command_id,),
            {
                "state": _is(_commands.c.state, "state"),
                "station": _of(_commands.c.station_id, _stations, "station_id", "identity", "station"),
            },
            newest_first=True,
        )
    ),
    "reservations": Pages(
        Listing(
            reservations.RESERVATION,
            (_reservations.c.reservation_id,),
            {
                "state": _is(_reservations.c.state, "state"),
                "station": _of(_reservations.c.station_id, _stations, "station_id", "identity", "station"),
                "customer": _of(_reservations.c.customer_id, _customers, "customer_id", "reference", "customer"),
            },
            newest_first=True,
        )
    ),
    "counted": Pages(Listing(told_tariffs.COUNTED, told_tariffs.COUNTED_ORDER, newest_first=True)),
    "variables": Pages(
        Listing(
            telling.VARIABLE,
            telling.VARIABLE_ORDER,
            {"station": _of(_variables.c.station_id, _stations, "station_id", "identity", "station")},
        )
    ),
    "security_events": Pages(
        Listing(
            telling.SECURITY_EVENT,
            (_security_events.c.received_at, _security_events.c.event_key),
            {
                "station": _of(_security_events.c.station_id, _stations, "station_id", "identity", "station"),
                **_within(_security_events.c.received_at),
            },
            newest_first=True,
        )
    ),
    "notices": Pages(
        Listing(
            telling.NOTICE,
            (_notices.c.received_at, _notices.c.notice_key),
            {
                "station": _of(_notices.c.station_id, _stations, "station_id", "identity", "station"),
                **_within(_notices.c.received_at),
            },
            newest_first=True,
        )
    ),
    "frames": Pages(
        Listing(
            _FRAME,
            (_frames.c.received_at, _frames.c.frame_id),
            {
                "station": _of(_frames.c.station_id, _stations, "station_id", "identity", "station"),
                **_within(_frames.c.received_at),
            },
            newest_first=True,
        )
    ),
    "tariffs": Pages(
        Listing(
            prices.PUT_DOWN,
            (_tariffs.c.reference, _tariffs.c.created_at, _tariffs.c.tariff_version_id),
            {"reference": _is(_tariffs.c.reference, "reference")},
        )
    ),
    "assignments": Pages(Listing(prices.ASSIGNMENT, (_assignments.c.assignment_id,), newest_first=True)),
    "market_prices": Pages(
        Listing(
            prices.MARKET_PRICE,
            (_market.c.market, _market.c.minutes, _market.c.currency, _market.c.starts_at),
            {"market": _is(_market.c.market, "market")},
        ),
        Listing(
            prices.MARKET_PRICE,
            (_market.c.starts_at, _market.c.market, _market.c.minutes, _market.c.currency),
            {"market": _is(_market.c.market, "market"), **_within(_market.c.starts_at)},
        ),
    ),
    "customers": Pages(
        Listing(
            people.CUSTOMER,
            (_customers.c.reference,),
            {
                "email": _customers.c.customer_id.in_(
                    select(_details.c.customer_id).where(mine(_details), _details.c.email == bindparam("email"))
                )
            },
        )
    ),
    "tokens": Pages(
        Listing(
            people.TOKEN,
            (_tokens.c.token_id,),
            {
                "uid": _is(_tokens.c.uid_folded, "uid"),
                "state": _is(_tokens.c.state, "state"),
                "customer": _of(_tokens.c.customer_id, _customers, "customer_id", "reference", "customer"),
            },
        )
    ),
    "approvals": Pages(
        Listing(
            approvals.APPROVAL,
            (_approvals.c.approval_id,),
            {"state": _is(_approvals.c.state, "state"), "subject": _is(_approvals.c.subject_id, "subject")},
            newest_first=True,
        )
    ),
    "corrections": Pages(Listing(corrections.CORRECTION, (_corrections.c.correction_id,), {}, newest_first=True)),
    "corrected_sessions": Pages(
        Listing(
            corrections.CORRECTED,
            (_corrected.c.session_id,),
            {"correction": _is(_corrected.c.correction_id, "correction")},
        )
    ),
    "circles": Pages(Listing(circles.CIRCLE, (_circles.c.kind, _circles.c.name), {"kind": _is(_circles.c.kind, "kind")})),
    "belongings": Pages(
        Listing(circles.BELONGING, (_belongings.c.belonging_id,), {"circle": _is(_belongings.c.circle_id, "circle")})
    ),
    "coupons": Pages(Listing(coupons.COUPON, (_coupons.c.coupon_id,), newest_first=True)),
    "coupon_uses": Pages(
        Listing(
            coupons.USE,
            (_coupon_uses.c.use_id,),
            {"coupon": _is(_coupon_uses.c.coupon_id, "coupon")},
            newest_first=True,
        )
    ),
    "mandates": Pages(
        Listing(
            debits.MANDATE,
            (_mandates.c.mandate_id,),
            {
                "state": _is(_mandates.c.state, "state"),
                "customer": _of(_mandates.c.customer_id, _customers, "customer_id", "reference", "customer"),
            },
            newest_first=True,
        ),
        finish=lambda _, __, rows: [debits.with_void(row) for row in rows],
    ),
    "debit_batches": Pages(
        Listing(debits.BATCH, (_debit_batches.c.batch_id,), newest_first=True),
        finish=lambda _, __, rows: [debits.with_state(row) for row in rows],
    ),
    "debits": Pages(Listing(debits.DEBIT, (_debits.c.mandate_id,), {"batch": _is(_debits.c.batch_id, "batch")})),
    "bank_lines": Pages(
        Listing(
            banking.LINE,
            (_bank_lines.c.booked_at, _bank_lines.c.line_id),
            {"state": _is(_bank_lines.c.state, "state")},
            newest_first=True,
        )
    ),
    "disputes": Pages(
        Listing(
            settlements.DISPUTE,
            (_disputes.c.dispute_id,),
            {"state": _is(_disputes.c.state, "state"), "payment": _is(_disputes.c.payment_id, "payment")},
            newest_first=True,
        )
    ),
    "api_keys": Pages(Listing(people.KEY, (_keys.c.api_key_id,))),
    "actions": Pages(
        Listing(people.ACTION, (_actions.c.recorded_at, _actions.c.action_id), _ACTION_FILTERS, newest_first=True)
    ),
    "inbox": Pages(
        Listing(
            attention.ITEM,
            (_inbox.c.item_id,),
            {"state": _is(_inbox.c.state, "state"), "kind": _is(_inbox.c.kind, "kind")},
            newest_first=True,
        )
    ),
    "jobs": Pages(
        Listing(
            attention.JOB,
            (_jobs.c.job_id,),
            {"state": _is(_jobs.c.state, "state")},
            newest_first=True,
        )
    ),
    "explanations": Pages(
        Listing(
            _EXPLANATION,
            (_explanations.c.explanation_id,),
            {
                "reason": _is(_explanations.c.reason, "reason"),
                "session": _is(_explanations.c.session_id, "session"),
            },
            newest_first=True,
        )
    ),
    "imports": Pages(
        Listing(
            long_work.IMPORT,
            (_imports.c.import_id,),
            {"state": _is(_imports.c.state, "state"), "kind": _is(_imports.c.kind, "kind")},
            newest_first=True,
        ),
        finish=lambda _, __, rows: [long_work.with_progress(row) for row in rows],
    ),
    "import_rows": Pages(
        Listing(
            long_work.ROW,
            (_import_rows.c.line,),
            {
                "upload": _is(_import_rows.c.import_id, "upload"),
                "outcome": _is(_import_rows.c.outcome, "outcome"),
            },
        )
    ),
    "audits": Pages(
        Listing(
            long_work.AUDIT, (_audits.c.audit_id,), {"state": _is(_audits.c.state, "state")}, newest_first=True
        )
    ),
    "audit_findings": Pages(
        Listing(long_work.FINDING, (_findings.c.number,), {"audit": _is(_findings.c.audit_id, "audit")})
    ),
    "ledger_accounts": Pages(
        Listing(equations.ACCOUNT, (_accounts.c.code, _accounts.c.currency)), finish=equations.with_balances
    ),
    "revenue": Pages(
        Listing(_DAY, (_revenue.c.day, _revenue.c.currency), _within(_revenue.c.day), newest_first=True)
    ),
}  # fmt: skip


def page(
    connection: Connection, name: str, operator_id: str, most: int, cursor: str | None = None, **filters: Any
) -> Row:
    """A page of a list: `items`, and `next`, the cursor of the page behind, None on the last one."""
    pages = LISTS[name]
    for folded in ("token", "uid"):
        if filters.get(folded) is not None:
            filters[folded] = fold(str(filters[folded]))
    found = pages.of(filters).page(connection, operator_id, most, cursor, **filters)
    if pages.finish is not None:
        found["items"] = pages.finish(connection, operator_id, found["items"])
    return found


_EVSE_BY_CODE = Question(_EVSE.where(_evses.c.code == bindparam("of_code")))


def evse(connection: Connection, operator_id: str, code: str) -> Row | None:
    """One EVSE of an operator with its connectors, or None."""
    found = _EVSE_BY_CODE.first(connection, operator=operator_id, of_code=code)
    return None if found is None else places.with_connectors(connection, operator_id, [found])[0]
