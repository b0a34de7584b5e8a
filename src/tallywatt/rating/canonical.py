"""Pure: a metered session as canonical text and back, so that a price can be worked out again years later."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import SessionId
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession, Reading
from tallywatt.rating.before import NOTHING, Before, before_data, read_before

_FORM: Final = 1
_WITH_RESERVATION: Final = 2
"""Written only where there was one: an engine that knows form 1 alone must not price such a session without it."""
_WITH_BEFORE: Final = 3
"""Likewise where what the payer had before, or what was granted, may decide the price."""
_encoder = msgspec.json.Encoder(order="sorted")


def session_text(session: MeteredSession, before: Before = NOTHING) -> str:
    """The session as JSON with sorted keys; readings and activities as lists in the order of their fields.

    `before`: what was handed in beside it.
    """
    data: dict[str, Any] = {
        "form": _FORM,
        "session_id": session.session_id,
        "zone": session.zone,
        "started_at": session.started_at,
        "transaction_ended_at": session.transaction_ended_at,
        "energy_ended_at": session.energy_ended_at,
        "occupancy_ended_at": session.occupancy_ended_at,
        "readings": [(one.at, one.milliwatt_hours, one.watts, one.milliamps) for one in session.readings],
        "activities": [(one.at, one.activity) for one in session.activities],
        "clock_is_usable": session.clock_is_usable,
    }
    if session.reserved_at is not None:
        data["form"] = _WITH_RESERVATION
        data["reserved_at"] = session.reserved_at
        data["reservation_expired"] = session.reservation_expired
    if before:
        data["form"] = _WITH_BEFORE
        data["before"] = before_data(before)
    return _encoder.encode(data).decode()


def read_session(text: str) -> MeteredSession:
    """The session of a canonical text, in any form that was ever written."""
    data = _read(text)
    return MeteredSession(
        session_id=SessionId(data["session_id"]),
        zone=data["zone"],
        started_at=Instant(data["started_at"]),
        transaction_ended_at=Instant(data["transaction_ended_at"]),
        energy_ended_at=_instant(data["energy_ended_at"]),
        occupancy_ended_at=_instant(data["occupancy_ended_at"]),
        readings=tuple(Reading(Instant(at), energy, watts, current) for at, energy, watts, current in data["readings"]),
        activities=tuple(ActivityChange(Instant(at), Activity(activity)) for at, activity in data["activities"]),
        clock_is_usable=data["clock_is_usable"],
        reserved_at=_instant(data.get("reserved_at")),
        reservation_expired=data.get("reservation_expired", False),
    )


def read_text_before(text: str) -> Before:
    """What was handed in beside the session of a canonical text."""
    return read_before(_read(text).get("before", {}))


def _read(text: str) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.json.decode(text)
    if data.get("form") not in {_FORM, _WITH_RESERVATION, _WITH_BEFORE}:
        msg = f"a rating input of form {data.get('form')!r} was written by a newer version"
        raise BadInput(msg, code="rating.form_not_known")
    return data


def _instant(value: int | None) -> Instant | None:
    return None if value is None else Instant(value)
