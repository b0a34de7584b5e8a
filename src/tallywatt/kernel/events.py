"""Pure: events. What has happened, in the past tense, with ids only and never personal data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about one aggregate: `SessionStarted` of a session, `PaymentCaptured` of a payment.

    `data` holds ids, integers and codes: an event is kept for ever, so nothing in it may need erasing.
    """

    aggregate: str
    aggregate_id: str
    type: str
    data: Mapping[str, Scalar] = field(default_factory=dict)
    schema_version: int = 1


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as written down: with its dense version within the aggregate, and its position once it has one."""

    event_id: str
    operator_id: str
    position: int
    event: Event
    version: int
    actor: str
    cause: str
    booked_at: int
    recorded_at: int
