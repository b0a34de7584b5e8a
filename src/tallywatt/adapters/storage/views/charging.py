"""Views of sessions: the list, and one session with all that it was made of, down to the frames."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, union

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import (
    customers,
    invoicing,
    ledger,
    machinery,
    metering,
    payments,
    rating,
    stations,
)
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine
from tallywatt.adapters.storage.views.money import credited_of_invoice, payments_of_session, received_for_invoice
from tallywatt.customers.customer import fold
from tallywatt.rating.explain import doubt, per, quantity, sentence, title

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, ColumnElement, ScalarSelect, Select, Table

    from tallywatt.adapters.storage.connections import Connection

_sessions = metering.SESSIONS.table
_stations = stations.STATIONS.table
_locations = stations.LOCATIONS.table
_evses = stations.EVSES.table
_invoices = invoicing.INVOICES.table
_customers = customers.CUSTOMERS.table
_operators = customers.OPERATORS.table
_readings = metering.METER_READINGS.table
_frames = metering.FRAMES.table
_facts = metering.STATION_FACTS.table
_explanations = metering.EXPLANATIONS.table
_inbox = metering.INBOX.table
_states = stations.CONNECTOR_STATES.table
_offers = rating.OFFERS.table
_tariffs = rating.TARIFF_VERSIONS.table
_results = rating.RATED_RESULTS.table
_lines = rating.RATED_LINES.table
_taxes = rating.RATED_TAXES.table
_entries = ledger.ENTRIES.table
_transfers = ledger.TRANSFERS.table
_accounts = ledger.ACCOUNTS.table
_events = machinery.EVENTS
_payments = payments.PAYMENTS.table

_payer = (_sessions.c.operator_id == _customers.c.operator_id) & (_sessions.c.payer_id == _customers.c.customer_id)

SESSION: Select[Any] = (
    select(
        *columns(
            _sessions, "source", "transaction_id", "payer", "state", "started_at", "energy_ended_at",
            "transaction_ended_at", "occupancy_ended_at", "flags", "payer_id", "payment_id", "upstream_id", "evidence", "zone",
            "received_at", "booked_at", "invoice_id", "rated_id", "offer_id",
            id="session_id", token="token_uid", energy_wh="milliwatt_hours",
        ),
        *columns(_stations, station="identity"),
        *columns(_evses, evse="code"),
        *columns(_locations, location="name"),
        *columns(_customers, customer="reference"),
        *columns(_invoices, "currency", "net_minor", "tax_minor", invoice="number", total_minor="gross_minor"),
        received_for_invoice(_sessions.c.operator_id, _sessions.c.invoice_id).label("captured_minor"),
        credited_of_invoice(_sessions.c.operator_id, _sessions.c.session_id, _sessions.c.invoice_id).label(
            "credited_minor"
        ),
    )
    .select_from(
        _sessions.outerjoin(_stations, joined(_sessions, _stations, "station_id"))
        .outerjoin(_evses, joined(_sessions, _evses, "evse_id"))
        .outerjoin(_locations, joined(_stations, _locations, "location_id"))
        .outerjoin(_customers, _payer)
        .outerjoin(_invoices, joined(_sessions, _invoices, "invoice_id"))
    )
    .where(mine(_sessions))
)  # fmt: skip


def _id_of(table: Table, key: str, natural_key: str, name: str) -> ScalarSelect[Any]:
    """The id of a row that is named by its natural key."""
    other = table.alias()
    return (
        select(other.c[key])
        .where(other.c.operator_id == bindparam("operator"), other.c[natural_key] == bindparam(name))
        .scalar_subquery()
    )


FILTERS: dict[str, ColumnElement[bool]] = {
    "state": _sessions.c.state == bindparam("state"),
    "source": _sessions.c.source == bindparam("source"),
    "payer": _sessions.c.payer == bindparam("payer"),
    # The id is found first, so that a place or a person with few sessions is not looked for among all.
    "station": _sessions.c.station_id == _id_of(stations.STATIONS.table, "station_id", "identity", "station"),
    "evse": _sessions.c.evse_id == _id_of(stations.EVSES.table, "evse_id", "code", "evse"),
    "customer": _sessions.c.payer_id == _id_of(customers.CUSTOMERS.table, "customer_id", "reference", "customer"),
    "token": _sessions.c.token_uid == bindparam("token"),
    "flag": _sessions.c.flags.like(bindparam("flag")),
    "reason": _sessions.c.session_id.in_(
        select(_explanations.c.session_id).where(mine(_explanations), _explanations.c.reason == bindparam("reason"))
    ),
    "since": _sessions.c.started_at >= bindparam("since"),
    "until": _sessions.c.started_at < bindparam("until"),
    "before": _sessions.c.session_id < bindparam("before"),
}
"""What a list of sessions can be narrowed by. `since` and `until` are instants, `before` is the cursor."""


@lru_cache(maxsize=256)
def _listed(names: tuple[str, ...]) -> Question:
    # The newest id first: ids are made in order of time, and the primary key finds the page without sorting.
    page = SESSION.where(*(FILTERS[name] for name in names)).order_by(_sessions.c.session_id.desc())
    return Question(page.limit(bindparam("most")))


def sessions(connection: Connection, operator_id: str, most: int = 50, **filters: str | int | None) -> Row:
    """A page of sessions, newest first: `items`, and `next`: the cursor to hand in as `before`, None on the last page."""
    given = {name: value for name, value in filters.items() if value is not None}
    if "token" in given:
        given["token"] = fold(str(given["token"]))
    if "flag" in given:
        given["flag"] = f'%"{given["flag"]}"%'
    question = _listed(tuple(sorted(given)))
    found = [with_money(row) for row in question.rows(connection, operator=operator_id, most=most + 1, **given)]
    return {"items": found[:most], "next": found[most - 1]["id"] if len(found) > most else None}


def with_money(row: Row) -> Row:
    """A session with what was captured of its invoice, and what is owed."""
    credited = row.pop("credited_minor") or 0
    if row["invoice"] is None:
        row["captured_minor"] = row["owed_minor"] = None
    else:
        row["owed_minor"] = row["total_minor"] - credited - row["captured_minor"]
    return row


_of: BindParameter[Any] = bindparam("of_session")
_is_price = _results.c.credits.is_(None)
_DETAIL = Question(
    SESSION.add_columns(
        *columns(
            _sessions, "station_id", "evse_id", "connector_number", "sequence_number", "stop_reason", "stopped_by",
            "driver_secret", "start_frame_id", "stop_frame_id", "merchant_party_id", "owner_party_id", "payee_party_id",
            meter_start_wh="meter_start", meter_stop_wh="meter_stop", last_register_wh="last_register",
            last_reading_at="last_reading_at",
        ),
        *columns(_locations, "address", "city", "postal_code", "country"),
    ).where(_sessions.c.session_id == _of)
)  # fmt: skip
_READINGS = Question(
    select(*columns(_readings, "occurred_at", "watts", "context", "received_at", "frame_id", register_wh="register"))
    .where(mine(_readings), _readings.c.session_id == _of)
    .order_by(_readings.c.occurred_at, _readings.c.register)
)
_STATES = Question(
    select(*columns(_states, "number", "status", "error_code", "occurred_at", "received_at", "frame_id"))
    .join(_sessions, joined(_states, _sessions, "evse_id"))
    .where(
        mine(_states),
        _sessions.c.session_id == _of,
        _states.c.occurred_at >= _sessions.c.started_at,
        _states.c.occurred_at <= func.coalesce(_sessions.c.occupancy_ended_at, _sessions.c.transaction_ended_at, 2**62),
    )
    .order_by(_states.c.occurred_at, _states.c.received_at)
)
_frame_ids = union(
    select(_facts.c.frame_id).where(mine(_facts), _facts.c.session_id == _of),
    select(_readings.c.frame_id).where(mine(_readings), _readings.c.session_id == _of),
    select(_sessions.c.start_frame_id).where(mine(_sessions), _sessions.c.session_id == _of),
    select(_sessions.c.stop_frame_id).where(mine(_sessions), _sessions.c.session_id == _of),
)
_FRAMES = Question(
    select(
        *columns(
            _frames, "station_id", "received_at", "protocol", "action", "message_id", "key_id", "flags", id="frame_id"
        )
    )
    .where(mine(_frames), _frames.c.frame_id.in_(_frame_ids))
    .order_by(_frames.c.received_at, _frames.c.frame_id)
)
_OFFER = Question(
    select(
        *columns(
            _offers, "tariff_version_id", "policy_version_id", "choice_reason", "zone", "currency", "tax_basis", "tax_rules",
            "shown", "offered_at", id="offer_id",
        ),
        *columns(_tariffs, tariff="reference", tariff_name="name"),
    )
    .join(_tariffs, joined(_offers, _tariffs, "tariff_version_id"))
    .where(mine(_offers), _offers.c.offer_id == bindparam("of_offer"))
)  # fmt: skip
_RATED = Question(
    select(
        *columns(
            _results, "supersedes", "tariff_version_id", "policy_version_id", "engine_version", "zone_data_version",
            "created_at", "currency", "tax_basis", "net_minor", "tax_minor", "gross_minor", "warnings",
            id="rated_id", energy_wh="milliwatt_hours", priced_wh="priced_milliwatt_hours",
        )
    )
    .where(mine(_results), _results.c.session_id == _of, _is_price)
    .order_by(_results.c.created_at, _results.c.rated_id)
)  # fmt: skip
_RATED_TAXES = Question(
    select(*columns(_taxes, "rated_id", "tax_rate", "net_minor", "tax_minor", "gross_minor"))
    .join(_results, joined(_taxes, _results, "rated_id"))
    .where(mine(_taxes), _results.c.session_id == _of, _is_price)
    .order_by(_taxes.c.rated_id, _taxes.c.tax_number)
)
_LINES_SELECT: Select[Any] = (
    select(*[_lines.c[name] for name in rating.RATED_LINES.names])
    .join(_results, joined(_lines, _results, "rated_id"))
    .where(mine(_lines), _results.c.session_id == _of, _is_price)
    .order_by(_lines.c.rated_id, _lines.c.line_number)
)
_EXPLAINED = Question(
    select(*columns(_explanations, "reason", "cause", "created_at", id="explanation_id", energy_wh="milliwatt_hours"))
    .where(mine(_explanations), _explanations.c.session_id == _of)
    .order_by(_explanations.c.created_at, _explanations.c.explanation_id)
)
_FACTS = Question(
    select(*columns(_facts, "kind", "answer", "occurred_at", "received_at", "frame_id", id="fact_key"))
    .where(mine(_facts), _facts.c.session_id == _of)
    .order_by(_facts.c.received_at, _facts.c.fact_key)
)
_INBOX = Question(
    select(*columns(_inbox, "kind", "summary", "state", "created_at", "resolved_at", "resolution", id="item_id"))
    .where(mine(_inbox), _inbox.c.session_id == _of)
    .order_by(_inbox.c.created_at, _inbox.c.item_id)
)
_EVENTS = Question(
    select(*columns(_events, "version", "type", "data", "actor", "booked_at", "recorded_at"))
    .where(mine(_events), _events.c.aggregate == "session", _events.c.aggregate_id == _of)
    .order_by(_events.c.version)
)
_debited, _credited = _accounts.alias("debited"), _accounts.alias("credited")
_ENTRIES = Question(
    select(
        *columns(_entries, "kind", "cause_kind", "cause_id", "booked_at", id="entry_id"),
        *columns(_transfers, "amount_minor", "currency", "phase"),
        _debited.c.code.label("debit"),
        _credited.c.code.label("credit"),
    )
    .join(_transfers, joined(_entries, _transfers, "entry_id"))
    .join(
        _debited,
        (_debited.c.operator_id == _transfers.c.operator_id) & (_debited.c.account_id == _transfers.c.debit_account_id),
    )
    .join(
        _credited,
        (_credited.c.operator_id == _transfers.c.operator_id)
        & (_credited.c.account_id == _transfers.c.credit_account_id),
    )
    .where(
        mine(_entries),
        _entries.c.cause_kind == "rated",
        _entries.c.cause_id.in_(select(_results.c.rated_id).where(mine(_results), _results.c.session_id == _of)),
    )
    .order_by(_entries.c.booked_at, _transfers.c.transfer_id)
)
_LINES = Question(_LINES_SELECT)


def session(connection: Connection, operator_id: str, session_id: str, locale: str = "en") -> Row | None:
    """One session with all that it was made of, or None.

    Besides the keys of the list: `readings`, `states`, `frames`, `offer`, `rated` (the present result, with `lines` and
    `taxes`), `results` (all, oldest first), `payments`, `explanations`, `facts`, `inbox`, `entries`, `events`. What is said
    of the price is said in the language of `locale`.
    """
    place: dict[str, Any] = {"operator": operator_id, "of_session": session_id}
    found = _DETAIL.first(connection, **place)
    if found is None:
        return None
    results = _results_of(connection, found, place, locale)
    return {
        **with_money(found),
        "readings": _READINGS.rows(connection, **place),
        "states": _STATES.rows(connection, **place),
        "frames": _FRAMES.rows(connection, **place),
        "offer": _OFFER.first(connection, operator=operator_id, of_offer=found["offer_id"]),
        "rated": next((one for one in results if one["id"] == found["rated_id"]), None),
        "results": results,
        "payments": payments_of_session(connection, operator_id, session_id, found["payment_id"]),
        "explanations": _EXPLAINED.rows(connection, **place),
        "facts": _FACTS.rows(connection, **place),
        "inbox": _INBOX.rows(connection, **place),
        "entries": _ENTRIES.rows(connection, **place),
        "events": _EVENTS.rows(connection, **place),
    }


def _results_of(connection: Connection, found: Row, place: dict[str, Any], locale: str) -> list[Row]:
    results = _RATED.rows(connection, **place)
    if not results:
        return []
    lines = lines_of(connection, found["zone"], place, locale)
    taxes = _RATED_TAXES.rows(connection, **place)
    for one in results:
        one["lines"] = [line for line in lines if line["rated_id"] == one["id"]]
        one["taxes"] = [tax for tax in taxes if tax["rated_id"] == one["id"]]
        one["doubts"] = [doubt(warning, locale) for warning in one["warnings"]]
    return results


def lines_of(connection: Connection, zone: str, place: dict[str, Any], locale: str = "en") -> list[Row]:
    """The lines of a session's results, with their titles and sentences, which are made when they are read."""
    statement = compiled(_LINES_SELECT, connection.dialect)
    stored = [rating.RATED_LINES.decode(row) for row in connection.execute(statement.sql, statement.bind(place))]
    shown = _LINES.rows(connection, **place)
    for line, row in zip(shown, stored, strict=True):
        line.update(
            title=title(row.reason_code, locale),
            sentence=sentence(row, zone, locale),
            quantity_text=quantity(row, locale),
            per=per(row.dimension, locale),
            started_at=line.pop("period_start"),
            ended_at=line.pop("period_end"),
        )
    return shown


_BY_SECRET = Question(
    select(*columns(_sessions, "operator_id", "session_id")).where(
        mine(_sessions), _sessions.c.driver_secret == bindparam("secret")
    )
)
_OPERATOR_IDS = Question(select(_operators.c.operator_id).order_by(_operators.c.operator_id))


def session_by_secret(connection: Connection, operator_id: str | None, secret: str, locale: str = "en") -> Row | None:
    """The session behind a driver's link, in detail and with its `operator_id`; None: of whichever operator."""
    for one in [operator_id] if operator_id else [row["operator_id"] for row in _OPERATOR_IDS.rows(connection)]:
        found = _BY_SECRET.first(connection, operator=one, secret=secret)
        if found is not None:
            detail = session(connection, found["operator_id"], found["session_id"], locale)
            return {**(detail or {}), "operator_id": found["operator_id"]}
    return None
