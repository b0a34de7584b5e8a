"""Pure: invoices, credit notes, and the number series from which they are numbered without a gap."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import local_date
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import InvoiceId, RatedId, SessionId
    from tallywatt.metering.session import PayerKind

INVOICES = "INV"
"""The series of invoices when nobody chose another."""
DIGITS = 6
_SERIES = re.compile(r"[A-Z0-9]{1,12}")


class InvoiceKind(StrEnum):
    """What a paper does to what is owed."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    """Takes back an invoice, in whole or in part; its amounts are positive, as on the invoice that it corrects."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """A numbered paper: who owes how much for which rated result. Never edited; a correction is a credit note.

    Whether it is paid is not told here: payments and their allocations know that.
    """

    invoice_id: InvoiceId
    number: str
    """As printed: INV-2026-000123."""
    series: str
    year: int
    sequence: int
    """Its place in the series and year: dense from 1."""
    kind: InvoiceKind
    session_id: SessionId
    rated_id: RatedId
    payer: PayerKind
    payer_id: str | None
    issue_date: str
    """The calendar day in the operator's zone: 2026-11-21."""
    issued_at: Instant
    currency: str
    net_minor: int
    tax_minor: int
    gross_minor: int
    corrects_invoice_id: InvoiceId | None


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """The counter of one series in one year of the operator's zone."""

    series: str
    year: int
    next_number: int
    last_issue_date: str
    """The issue date of the number taken last; empty before the first."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class TakenNumber:
    """A number that was taken, and the day that goes with it."""

    number: str
    series: str
    year: int
    sequence: int
    issue_date: str


def fresh_series(series: str, year: int) -> NumberSeries:
    """The counter of a series in a year in which nothing was numbered yet."""
    if _SERIES.fullmatch(series) is None:
        msg = f"{series!r} is not a name of a number series: use up to 12 capital letters and digits"
        raise BadInput(msg, code="invoice.bad_series")
    return NumberSeries(series, year, 1, "")


def series_year(now: Instant, operator_zone: str) -> int:
    """The year whose counter is to be locked for a paper of this instant."""
    return local_date(now, operator_zone).year


def take_number(counter: NumberSeries, now: Instant, operator_zone: str) -> tuple[TakenNumber, NumberSeries]:
    """The next number and the counter after it: the last thing that a transaction takes, so that none is lost.

    The issue date is the operator's day of `now`, but never before the date of the previous number: when business time
    was set back, the paper carries the previous number's day instead.
    """
    today = local_date(now, operator_zone)
    assert today.year == counter.year, "the counter of another year was locked"
    issue_date = max(today.isoformat(), counter.last_issue_date)
    sequence = counter.next_number
    number = f"{counter.series}-{counter.year}-{sequence:0{DIGITS}d}"
    after = replace(counter, next_number=sequence + 1, last_issue_date=issue_date)
    return TakenNumber(number, counter.series, counter.year, sequence, issue_date), after
