"""Pure: instants, periods, zones, and the two clocks.

*Business time* is handed to rules (rating, issue dates, validity) and may be frozen, moved or scaled. *Machine time*
(leases, backoff, timeouts) is never moved. Both are instants; only adapters read them from the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NewType, Protocol
from zoneinfo import ZoneInfo

from tallywatt.kernel.errors import BadInput

Instant = NewType("Instant", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# A day inside what the calendar holds, so that every instant that was read can be shown in every zone.
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)


def instant(moment: datetime) -> Instant:
    """The instant of an aware datetime; what is finer than a millisecond is cut off."""
    if moment.tzinfo is None:
        msg = "a time without a zone has no instant"
        raise BadInput(msg, code="time.no_zone")
    return Instant((moment - _EPOCH) // _MILLISECOND)


def parse_instant(text: str) -> Instant:
    """The instant of an RFC 3339 text; a text without an offset is read as UTC, as OCPP and OCPI prescribe."""
    try:
        moment = datetime.fromisoformat(text.strip().upper())
    except ValueError as error:
        msg = f"{text!r} is not an RFC 3339 time"
        raise BadInput(msg, code="time.unreadable") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if not _EARLIEST <= moment <= _LATEST:
        msg = f"{text!r} lies outside the calendar"
        raise BadInput(msg, code="time.out_of_range")
    return instant(moment)


def moment(when: Instant, zone: tzinfo = UTC) -> datetime:
    """The aware datetime of an instant in a zone."""
    return (_EPOCH + timedelta(milliseconds=when)).astimezone(zone)


def rfc3339(when: Instant) -> str:
    """An instant as RFC 3339 text in UTC with milliseconds: 2018-08-24T08:15:00.000Z."""
    return moment(when).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name, or BadInput."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, ModuleNotFoundError) as error:
        msg = f"{name!r} is not an IANA time zone"
        raise BadInput(msg, code="time.unknown_zone") from error


def local_date(when: Instant, zone_name: str) -> date:
    """The calendar date of an instant in a zone."""
    return moment(when, zone(zone_name)).date()


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time: start included, end excluded."""

    start: Instant
    end: Instant

    def __post_init__(self) -> None:
        assert self.start <= self.end, "a period ends before it starts"

    @property
    def milliseconds(self) -> int:
        """Elapsed milliseconds."""
        return self.end - self.start


class Clock(Protocol):
    """A clock that can be read. Only adapters, entrypoints and simulations read one."""

    def now(self) -> Instant:
        """The present instant of this clock."""
        ...


@dataclass(frozen=True, slots=True)
class BusinessAnchor:
    """How business time follows machine time; kept in the database so that restarts and other processes agree.

    `rate_ppm` is business time's speed in millionths of machine time's: 1,000,000 runs along, 0 stands still.
    """

    machine: Instant
    business: Instant
    rate_ppm: int = 1_000_000

    def at(self, machine: Instant) -> Instant:
        """Business time at a machine time."""
        return Instant(self.business + (machine - self.machine) * self.rate_ppm // 1_000_000)


RUNNING_ALONG = BusinessAnchor(Instant(0), Instant(0))
"""Business time that equals machine time: what every operator starts with."""
