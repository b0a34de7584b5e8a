"""Pure: what a payer had before a session, and what was granted for it: handed in as plain values, frozen with the price.

A tariff may ask for it (a cap per day, tiers per month); a coupon brings a discount of its own. All of it stands in the
canonical input of a rated result, so that the price comes out the same years later, whatever was billed since.

The rule by which it is gathered: what counts are the sessions of the same customer under the same tariff, in whatever version,
that were *billed* before this one. A session belongs to the month in which it started, and what is used to the day on which
it was used, both in the zone of its place. So a session that comes late counts where it belongs, takes what is left there, and
changes nothing that was billed; of two at once, the one that is billed first goes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tallywatt.kernel.clock import local_date
from tallywatt.rating.read_reductions import read_discount
from tallywatt.rating.tariff import Discount, discount_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from tallywatt.kernel.clock import Instant
    from tallywatt.rating.records import RatedLine

EPOCH_DAY: Final = 719_163
"""1970-01-01 as a day since the year 1."""
_USAGE: Final = frozenset({"energy", "charging_time", "idle_time", "session_fee"})
ALL: Final[frozenset[str]] = frozenset()
"""The dimensions of what is not of one of them: a price limit, a reservation, energy fed back."""


class Paid(NamedTuple):
    """What was charged before for some dimensions on a local day. No dimension: for the whole."""

    day: int
    """Local days since 1970-01-01."""
    dimensions: frozenset[str]
    net_minor: int
    gross_minor: int


@dataclass(frozen=True, slots=True)
class Before:
    """What the payer had before, and what was granted to this session."""

    month_milliwatt_hours: int = 0
    """In the calendar month in which this session started."""
    paid: tuple[Paid, ...] = ()
    granted: tuple[Discount, ...] = ()
    """By coupons, in the order in which they were claimed."""

    def __bool__(self) -> bool:
        """Whether there is anything of it."""
        return self != NOTHING


NOTHING: Final = Before()


def day_of(at: Instant, zone: str) -> int:
    """The local day of an instant, counted from 1970-01-01."""
    return local_date(at, zone).toordinal() - EPOCH_DAY


def first_of_month(at: Instant, zone: str) -> date:
    """The day on which the local month of an instant began."""
    return local_date(at, zone).replace(day=1)


def concerns(reason_code: str, dimension: str, reason: Mapping[str, Any]) -> frozenset[str]:
    """The dimensions of a line; none for one that is of the whole."""
    if reason_code in _USAGE:
        return frozenset({dimension})
    told = reason.get("cap") or reason.get("discount") or {}
    return frozenset(told.get("dimensions", ()))


def counts_to(line: frozenset[str], wanted: frozenset[str]) -> bool:
    """Whether what is charged for `line` is part of what `wanted` is about; no dimension wanted: everything is."""
    return not wanted or (bool(line) and line <= wanted)


class Billed(NamedTuple):
    """A session that was billed before, as far as it counts."""

    started_at: Instant
    zone: str
    milliwatt_hours: int
    lines: tuple[RatedLine, ...]


def gather(billed: Iterable[Billed], started_at: Instant, zone: str, granted: tuple[Discount, ...] = ()) -> Before:
    """What stands before a session that starts then and there."""
    month, first_day = first_of_month(started_at, zone), day_of(started_at, zone)
    taken = 0
    sums: dict[tuple[int, frozenset[str]], tuple[int, int]] = {}
    for one in billed:
        if first_of_month(one.started_at, one.zone) == month:
            taken += one.milliwatt_hours
        for line in one.lines:
            day = day_of(line.period_start, one.zone)
            if day >= first_day:
                place = day, concerns(line.reason_code, line.dimension, line.reason)
                net, gross = sums.get(place, (0, 0))
                sums[place] = net + line.net_minor, gross + line.gross_minor
    paid = (Paid(day, of, *amounts) for (day, of), amounts in sorted(sums.items(), key=lambda one: _order(one[0])))
    return Before(taken, tuple(paid), granted)


def _order(place: tuple[int, frozenset[str]]) -> tuple[int, list[str]]:
    return place[0], sorted(place[1])


def before_data(before: Before) -> dict[str, Any]:
    """As it is written into the canonical input; only what there is."""
    data: dict[str, Any] = {}
    if before.month_milliwatt_hours:
        data["month_milliwatt_hours"] = before.month_milliwatt_hours
    if before.paid:
        data["paid"] = [(one.day, sorted(one.dimensions), one.net_minor, one.gross_minor) for one in before.paid]
    if before.granted:
        data["granted"] = [discount_data(one) for one in before.granted]
    return data


def read_before(data: Mapping[str, Any]) -> Before:
    """As it was written."""
    return Before(
        data.get("month_milliwatt_hours", 0),
        tuple(Paid(day, frozenset(of), net, gross) for day, of, net, gross in data.get("paid", ())),
        tuple(read_discount(one, f"granted[{place}]", []) for place, one in enumerate(data.get("granted", ()))),
    )
