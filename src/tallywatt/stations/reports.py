"""Pure: what stations tell beyond their sessions: parts of reports, steps of what they were asked for, events of security."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CommandId, FrameId, StationId


@dataclass(frozen=True, slots=True)
class StationReport:
    """One part of what follows the answer to a command."""

    command_id: CommandId
    report_key: str
    """A digest of its content: the same part again changes nothing."""
    message: str
    """NotifyReport, FirmwareStatusNotification …"""
    number: int
    """The part's place among all; 0 where the message counts none."""
    is_last: bool
    status: str | None
    content: dict[str, Any] | None
    """None where it tells about a person: that lies in the sealed frame alone."""
    received_at: Instant
    frame_id: FrameId


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """Something that a station holds for worth knowing about its safety."""

    station_id: StationId
    event_key: str
    kind: str
    """The station's word: FirmwareUpdated, InvalidCentralSystemCertificate …"""
    occurred_at: Instant
    """The station's clock."""
    received_at: Instant
    detail: str | None
    frame_id: FrameId


@dataclass(frozen=True, slots=True)
class Variable:
    """What a station was last known to hold in one place of its configuration.

    OCPP 1.6 knows keys alone: the component is then empty. `evse` 0 is the whole station.
    """

    station_id: StationId
    component: str
    component_instance: str
    evse: int
    connector: int
    name: str
    instance: str
    attribute: str
    """Actual, Target, MinSet, MaxSet."""
    value: str | None
    """None: the station keeps it to itself, or it is one of those that nobody should read."""
    is_writable: bool | None
    """None: it was never told."""
    told_at: Instant
    """Machine time."""
    version: int = 1
