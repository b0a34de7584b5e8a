"""Pure: files in which a provider says what it has done: settlements by batch, and every step of every payment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.clock import Instant
    from tallywatt.payments.provider import NotSent, Trace, Unknown
    from tallywatt.payments.settlement import ToldLine


@dataclass(frozen=True, slots=True)
class Report:
    """What one file tells. Read twice it tells the same: its lines have references of their own."""

    lines: tuple[ToldLine, ...]
    """Movements on the balance; none in a file about payments."""
    traces: tuple[Trace, ...]
    """Payments as they stand by this file; none in a file about settlements."""
    first_at: Instant
    last_at: Instant
    zone: str
    """Whose days it counts."""
    is_of_payments: bool
    lost: tuple[Trace, ...] = ()
    """Captures that were taken back, each with the operation that had asked for it."""

    @property
    def told(self) -> tuple[Trace, ...]:
        """All that it says of payments, in the order in which it is taken: how one stands comes last."""
        return (*self.lost, *self.traces)


DAYS: Final = re.compile(r"(\d{4})[_-](\d{2})[_-](\d{2})")


def days_named(name: str) -> tuple[date, date] | None:
    """The first and the last day that a file's name says it is about; None when it says none."""
    try:
        found = sorted(date(*(int(one) for one in told)) for told in DAYS.findall(name))
    except ValueError:
        return None
    return (found[0], found[-1]) if found else None


def days_missing(covered: Iterable[tuple[date, date]], first: date, last: date) -> tuple[date, ...]:
    """The days from the first to the last that none of the files is about."""
    spans = tuple(covered)
    days = (date.fromordinal(one) for one in range(first.toordinal(), last.toordinal() + 1))
    return tuple(day for day in days if not any(start <= day <= end for start, end in spans))


@runtime_checkable
class SettlesByFile(Protocol):
    """A provider that does not list what it has settled, and writes files about it."""

    def read_report(self, content: bytes) -> Report:
        """What a file tells; BadInput for what is none of this account's."""
        ...

    def read_reports(self, contents: tuple[bytes, ...]) -> Report:
        """What several files about payments tell together: a payment is held on one day and taken on another."""
        ...

    def fetch_report(self, place: str) -> bytes | NotSent | Unknown | None:
        """The file that lies there; None: nothing does. BadInput for a place that is none of the provider's."""
        ...

    def reports_to_come(self, payout_refs: tuple[str, ...]) -> tuple[str, ...]:
        """Where files after and between these payouts would lie, whoever has not told of them; none: nobody may fetch one."""
        ...
