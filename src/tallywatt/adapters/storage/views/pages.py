"""Views that only pages ask for: the price at an EVSE now, the cost of a session so far, what runs now, one raw frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import approvals, invoicing, machinery, metering, rating, settlements, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine
from tallywatt.adapters.storage.views.billed import before_start, who_of
from tallywatt.adapters.storage.views.circles import circles_at
from tallywatt.adapters.storage.views.money import INVOICE, credited_of_invoice, received_for_invoice
from tallywatt.adapters.storage.views.prices import as_offered
from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.errors import NotFound
from tallywatt.rating.audience import Who
from tallywatt.rating.before import NOTHING
from tallywatt.rating.choose import Place, choose_tariff
from tallywatt.rating.offer import price_shown, shown_data
from tallywatt.rating.policy import STANDARD, read_policy_text
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.usual import usual_data

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, Select

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.vault import Vault

_sessions = metering.SESSIONS.table
_readings = metering.METER_READINGS.table
_frames = metering.FRAMES.table
_states = stations.CONNECTOR_STATES.table
_stations = stations.STATIONS.table
_evses = stations.EVSES.table
_locations = stations.LOCATIONS.table
_assignments = rating.TARIFF_ASSIGNMENTS.table
_tariffs = rating.TARIFF_VERSIONS.table
_policies = rating.POLICY_VERSIONS.table
_offers = rating.OFFERS.table
_events = machinery.EVENTS
_jobs = machinery.JOBS.table
_inbox = metering.INBOX.table
_disputes = settlements.DISPUTES.table
_approvals = approvals.APPROVALS.table
_settlement_differences = settlements.SETTLEMENT_DIFFERENCES.table
_invoices = invoicing.INVOICES.table

ZONE_DATA_OF_A_DRAFT = ""
"""A price that is only shown is stored nowhere, so nobody will ask for the zone data behind it."""


def _all(mapping: Mapping[Any]) -> Select[Any]:
    return select(*[mapping.table.c[name] for name in mapping.names]).where(mine(mapping.table))


def _rows(connection: Connection, clause: Select[Any], mapping: Mapping[Any], **values: Any) -> list[Any]:
    statement = compiled(clause, connection.dialect)
    return [mapping.decode(row) for row in connection.execute(statement.sql, statement.bind(values))]


_ASSIGNMENTS = _all(rating.TARIFF_ASSIGNMENTS)
_TEXT = Question(
    select(_tariffs.c.canonical).where(mine(_tariffs), _tariffs.c.tariff_version_id == bindparam("of_version"))
)
_POLICY = Question(
    select(_policies.c.canonical).where(mine(_policies), _policies.c.policy_version_id == bindparam("of_policy"))
)


def price_at(
    connection: Connection, operator_id: str, evse: Row, at: int, customer_id: str | None = None
) -> Row | None:
    """The price that would be offered at an EVSE (as `evse_by_code` tells it) at an instant; None: no tariff holds there.

    To an ad hoc driver, or to the customer of that id; then with the circles to which the customer belongs.
    """
    place = Place(evse["evse_id"], evse["station_id"], evse["location_id"], evse["current"], evse["max_watts"])
    assignments = _rows(connection, _ASSIGNMENTS, rating.TARIFF_ASSIGNMENTS, operator=operator_id)
    circles = circles_at(connection, operator_id, customer_id, at) if customer_id is not None else []
    who = Who(payment="ad_hoc") if customer_id is None else who_of(connection, operator_id, customer_id, circles)
    chosen = choose_tariff(assignments, place, Instant(at), who)
    if chosen is None:
        return None
    text = _TEXT.first(connection, operator=operator_id, of_version=chosen.assignment.tariff_version_id)
    assert text is not None, "an assignment names a version that is there"
    tariff = as_offered(connection, operator_id, read_tariff_text(text["canonical"]), Instant(at))
    zone = evse["zone"] or evse["operator_zone"]
    policy = _POLICY.first(connection, operator=operator_id, of_policy=evse["policy_version_id"] or "")
    before = NOTHING
    if customer_id is not None:
        before = before_start(connection, operator_id, customer_id, tariff, Instant(at), zone)
    return {
        **shown_data(price_shown(tariff, Instant(at), zone, before)),
        "examples": usual_data(
            tariff,
            read_policy_text(policy["canonical"]) if policy else STANDARD,
            Instant(at),
            zone,
            evse["current"],
            evse["max_watts"],
            before,
        ),
        "tariff_version_id": chosen.assignment.tariff_version_id,
        "choice_reason": chosen.reason,
        **({"circles": circles} if customer_id is not None else {}),
    }


_of: BindParameter[str] = bindparam("of_session")
# The last reading of a session tells the power; where a station reports none, the last two registers do.
_LIVE = Question(
    select(
        *columns(
            _sessions, "transaction_id", "state", "payer", "started_at", "last_reading_at", "flags", "received_at",
            id="session_id", token="token_uid", energy_wh="milliwatt_hours", start="started_at", start_register="meter_start",
        ),
        *columns(_stations, station="identity"),
        *columns(_evses, "max_watts", evse="code"),
        *columns(_locations, location="name"),
    )
    .select_from(
        _sessions.outerjoin(_stations, joined(_sessions, _stations, "station_id"))
        .outerjoin(_evses, joined(_sessions, _evses, "evse_id"))
        .outerjoin(_locations, joined(_stations, _locations, "location_id"))
    )
    .where(mine(_sessions), _sessions.c.state.in_(("active", "ended")))
    # Not by the id: its index would be walked through all that is over to find the few that run.
    .order_by(_sessions.c.received_at.desc(), _sessions.c.session_id.desc())
    .limit(bindparam("most"))
)  # fmt: skip
_LAST_READINGS = Question(
    select(
        _readings.c.occurred_at.label("at"), _readings.c.register.label("register"), _readings.c.watts.label("watts")
    )
    .where(mine(_readings), _readings.c.session_id == _of)
    .order_by(_readings.c.occurred_at.desc(), _readings.c.register.desc())
    .limit(2)
)
_RUNNING = Question(select(func.count().label("running")).where(mine(_sessions), _sessions.c.state == "active"))


def live_sessions(connection: Connection, operator_id: str, most: int = 200) -> list[Row]:
    """Sessions that run or wait for their vehicle to leave, newest first, each with its `watts` as last heard of."""
    found = _LIVE.rows(connection, operator=operator_id, most=most)
    for row in found:
        last = _LAST_READINGS.rows(connection, operator=operator_id, of_session=row["id"])
        start, register = row.pop("start"), row.pop("start_register")
        if len(last) == 1 and register is not None:
            last.append({"at": start, "register": register, "watts": None})
        row["watts"] = watts_of(last) if row["state"] == "active" else 0
    return found


def watts_of(last: list[Row]) -> int | None:
    """The power that the newest readings tell: as reported, else as the mean between the last two."""
    if not last:
        return None
    if last[0]["watts"] is not None:
        return int(last[0]["watts"])
    if len(last) == 2 and last[0]["at"] > last[1]["at"] and last[0]["register"] >= last[1]["register"]:
        grown, milliseconds = last[0]["register"] - last[1]["register"], last[0]["at"] - last[1]["at"]
        return int(grown * 3600 // milliseconds)
    return None


_VERSIONS = Question(
    select(*columns(_sessions, "session_id", "version")).where(mine(_sessions), _sessions.c.state == "active")
)


def running_versions(connection: Connection, operator_id: str) -> dict[str, int]:
    """How often the row of each running session was written: it grows with every reading."""
    return {row["session_id"]: row["version"] for row in _VERSIONS.rows(connection, operator=operator_id)}


def running_count(connection: Connection, operator_id: str) -> int:
    """How many sessions run."""
    found = _RUNNING.first(connection, operator=operator_id)
    return int(found["running"]) if found else 0


_FRAME = _all(metering.FRAMES).where(_frames.c.frame_id == bindparam("of_frame"))
_FRAMES_OF = Question(
    select(*columns(_frames, "received_at", "protocol", "action", "message_id", "flags", id="frame_id"))
    .where(mine(_frames), _frames.c.station_id == bindparam("of_station"))
    .order_by(_frames.c.received_at.desc(), _frames.c.frame_id.desc())
    .limit(bindparam("most"))
)


def frame(connection: Connection, operator_id: str, frame_id: str, vault: Vault) -> Row | None:
    """A frame as it came over the wire, unsealed: `text`, or None there when its key was dropped. None: no such frame."""
    found = _rows(connection, _FRAME, metering.FRAMES, operator=operator_id, of_frame=frame_id)
    if not found:
        return None
    one = found[0]
    try:
        text = vault.open(connection, operator_id, one.key_id, bytes(one.sealed)).decode("utf-8", "replace")
    except NotFound:
        text = None
    return {
        "id": one.frame_id,
        "station_id": one.station_id,
        "received_at": rfc3339(one.received_at),
        "protocol": one.protocol,
        "action": one.action,
        "message_id": one.message_id,
        "flags": list(one.flags),
        "bytes": len(one.sealed),
        "text": text,
    }


def frames_of(connection: Connection, operator_id: str, station_id: str, most: int = 50) -> list[Row]:
    """What a station sent, newest first, without the contents."""
    return _FRAMES_OF.rows(connection, operator=operator_id, of_station=station_id, most=most)


_LAST_POSITION = Question(select(func.coalesce(func.max(_events.c.position), 0).label("last")))


def last_position(connection: Connection) -> int:
    """The position of the last event that has one."""
    found = _LAST_POSITION.first(connection)
    return int(found["last"]) if found else 0


_BADGES = Question(
    select(
        select(func.count()).where(mine(_inbox), _inbox.c.state == "open").scalar_subquery().label("inbox"),
        select(func.count()).where(mine(_jobs), _jobs.c.state == "failed").scalar_subquery().label("jobs"),
        select(func.count())
        .where(mine(_stations), _stations.c.state == "quarantined")
        .scalar_subquery()
        .label("stations"),
        select(func.count()).where(mine(_sessions), _sessions.c.state == "active").scalar_subquery().label("sessions"),
        select(func.count())
        .where(mine(_settlement_differences), _settlement_differences.c.state == "open")
        .scalar_subquery()
        .label("settlements"),
        select(func.count())
        .where(mine(_disputes), _disputes.c.state.in_(("warning", "open")), _disputes.c.answer.is_(None))
        .scalar_subquery()
        .label("disputes"),
        select(func.count())
        .where(mine(_approvals), _approvals.c.state == "waiting")
        .scalar_subquery()
        .label("approvals"),
    )
)


def badges(connection: Connection, operator_id: str) -> Row:
    """How many things wait or run: what the console's navigation shows on every page."""
    return _BADGES.first(connection, operator=operator_id) or {}


_still_owed = (
    _invoices.c.gross_minor
    - received_for_invoice(_invoices.c.operator_id, _invoices.c.invoice_id)
    - func.coalesce(credited_of_invoice(_invoices.c.operator_id, _invoices.c.session_id, _invoices.c.invoice_id), 0)
)
_OWED = Question(
    INVOICE.where(_invoices.c.kind == "invoice", _still_owed != 0)
    .order_by(_invoices.c.invoice_id.desc())
    .limit(bindparam("most"))
)


def owed_invoices(connection: Connection, operator_id: str, most: int = 200) -> list[Row]:
    """Invoices that are not paid in full, newest first."""
    rows = _OWED.rows(connection, operator=operator_id, most=most)
    for row in rows:
        row["owed_minor"] = row["gross_minor"] - row["captured_minor"] - (row.pop("credited_minor") or 0)
    return rows
