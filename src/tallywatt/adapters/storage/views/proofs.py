"""Views of signed meter values: the registry of keys, what a session's meter signed, and the verdict on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.tables import metering, signed, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_keys = signed.METER_KEYS.table
_values = signed.SIGNED_VALUES.table
_verdicts = signed.SIGNATURE_VERDICTS.table
_sessions = metering.SESSIONS.table
_evses = stations.EVSES.table

METER_KEY: Select[Any] = (
    select(
        *columns(
            _keys, "meter_serial", "public_key", "curve", "fingerprint", "valid_from", "valid_until", "added_at", id="key_id"
        ),
        *columns(_evses, evse="code"),
    )
    .select_from(_keys.outerjoin(_evses, joined(_keys, _evses, "evse_id")))
    .where(mine(_keys))
)  # fmt: skip
_BY_SERIAL = Question(METER_KEY.order_by(_keys.c.serial_folded, _keys.c.valid_from, _keys.c.key_id))
_BY_ID = Question(METER_KEY.where(_keys.c.key_id == bindparam("of_key")))
_BY_FINGERPRINT = Question(METER_KEY.where(_keys.c.fingerprint == bindparam("of_fingerprint")))
_VALUES = Question(
    select(
        *columns(_values, "occurred_at", "received_at", "frame_id", "context", "format", "data", "delivered_key"),
    )
    .where(mine(_values), _values.c.session_id == bindparam("of_session"))
    .order_by(_values.c.occurred_at, _values.c.value_key)
)
_VERDICTS = Question(
    select(
        *columns(
            _verdicts, "number", "judged_at", "signature", "energy_is_billable", "time_is_billable", "reasons", "warnings",
            "began_at", "ended_at", "meter_serial", "gateway_serial", "pages", "curve", "fingerprint",
            energy_wh="milliwatt_hours", register_start_wh="register_start", register_stop_wh="register_stop",
        )
    )
    .where(mine(_verdicts), _verdicts.c.session_id == bindparam("of_session"))
    .order_by(_verdicts.c.number)
)  # fmt: skip
_TRANSACTION = Question(
    select(_sessions.c.transaction_id).where(mine(_sessions), _sessions.c.session_id == bindparam("of_session"))
)


def meter_keys(connection: Connection, operator_id: str) -> list[Row]:
    """The keys of an operator's meters, by serial number."""
    return _BY_SERIAL.rows(connection, operator=operator_id)


def meter_key(connection: Connection, operator_id: str, key_id: str) -> Row | None:
    """One key, or None."""
    return _BY_ID.first(connection, operator=operator_id, of_key=key_id)


def signed_values(connection: Connection, operator_id: str, session_id: str) -> Row:
    """What the meter of a session signed, the verdicts on it, and the key that the last one was made with."""
    verdicts = _VERDICTS.rows(connection, operator=operator_id, of_session=session_id)
    print_of_key = verdicts[-1]["fingerprint"] if verdicts else None
    key = (
        None
        if print_of_key is None
        else _BY_FINGERPRINT.first(connection, operator=operator_id, of_fingerprint=print_of_key)
    )
    session = _TRANSACTION.first(connection, operator=operator_id, of_session=session_id)
    return {
        "transaction_id": session["transaction_id"] if session else None,
        "values": _VALUES.rows(connection, operator=operator_id, of_session=session_id),
        "verdicts": verdicts,
        "public_key": key["public_key"] if key else None,
    }
