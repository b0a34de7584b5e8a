"""Pure: rows as the API tells them, in the same words as the views: Wh as decimal strings, instants as RFC 3339."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import Response

from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.energy import wh
from tallywatt.kernel.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET: Final = frozenset(
    {"secret_hash", "old_secret_hash", "key_hash", "driver_secret", "payload", "request", "request_hash", "canonical"}
)
"""What is never told: what opens something, and what is only of use inside."""
INSIDE: Final = frozenset(
    {"request_key", "frozen_of", "version", "uid_folded", "start_key", "natural_key", "kept_from", "is_watched"}
)
_INSTANTS: Final = ("_at", "_from", "_since", "_until", "clock_floor")


def told(row: Any, key: str) -> dict[str, Any]:
    """A row as data; the column named `key` is told as `id`."""
    assert is_dataclass(row), "rows are dataclasses"
    shown: dict[str, Any] = {"id": getattr(row, key)}
    for field in fields(row):
        if field.name == key or field.name in SECRET or field.name in INSIDE:
            continue
        value = getattr(row, field.name)
        if field.name == "milliwatt_hours":
            shown["energy_wh"] = wh(value)
        elif isinstance(value, int) and field.name.endswith(_INSTANTS):
            shown[field.name] = rfc3339(Instant(value))
        else:
            shown[field.name] = value.value if isinstance(value, Enum) else value
    return shown


class Told(Response):
    """An answer in JSON; `version` is how often the thing that it tells of was written, where that is counted."""

    version: int | None = None


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(msgspec.json.encode(value), status, dict(headers or {}), "application/json")


def as_versioned(row: dict[str, Any]) -> Response:
    """A thing that may be changed: its `version` goes into its ETag, and comes back in If-Match."""
    shown = {name: value for name, value in row.items() if name != "version"}
    answer = Told(msgspec.json.encode(shown), 200, None, "application/json")
    answer.version = row["version"]
    return answer


def found(row: dict[str, Any] | None, what: str, code: str) -> dict[str, Any]:
    """The row, or NotFound. Another operator's thing is not found either: that it exists is told to nobody."""
    if row is None:
        msg = f"there is no such {what}"
        raise NotFound(msg, code=code)
    return row
