"""Pure: charge records and their prices as columns: whole numbers in arrays, a place in them instead of an object.

Only who prices by columns loads this module: NumPy belongs to the extra `batch`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import TariffVersionId
from tallywatt.rating.cdr import ChargeRecord, RecordPeriod
from tallywatt.rating.fields import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tallywatt.kernel.money import Currency
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff

Column = NDArray[np.int64]
Marks = NDArray[np.bool_]

NOT_TOLD: Final = -1
"""A duration that a record does not tell."""
SIGNAL_NOT_TOLD: Final = int(np.iinfo(np.int64).min)
"""A power or a current that a record does not tell."""
SUM_NOT_TOLD: Final = SIGNAL_NOT_TOLD
"""What a record came to, where it does not tell it."""
PARTS: Final = ("energy", "time", "parking", "fixed", "reservation")
"""What a price is made of, as in OCPI's part totals (`rate_cdr.costs`)."""


class Terms(NamedTuple):
    """Under what a record is priced: one set for many records."""

    tariff: Tariff
    policy: Policy
    zone: str | None = None
    """Of the location; needed where the tariff asks for the local time."""


@dataclass(frozen=True, slots=True)
class Records:
    """Charge records. Their periods are one flat list, in which each record's begin at its offset."""

    started_at: Column
    """Milliseconds since 1970-01-01 UTC, one for each record."""
    offsets: Column
    """One more than there are records: the periods of record n are those from offsets[n] to before offsets[n + 1]."""
    start: Column
    """Of each period: milliseconds since 1970-01-01 UTC."""
    milliwatt_hours: Column
    """What the vehicle took; below zero: what it gave."""
    charging: Column
    """Milliseconds; below zero: not told."""
    parking: Column
    """Milliseconds; below zero: not told."""
    reserved: Column | None = None
    """Milliseconds; below zero: not told. None: of no record."""
    least_watts: Column | None = None
    most_watts: Column | None = None
    least_milliamps: Column | None = None
    most_milliamps: Column | None = None

    def __len__(self) -> int:
        return len(self.started_at)

    @property
    def lengths(self) -> Column:
        """How many periods each record has."""
        return np.diff(self.offsets)

    def between(self, first: int, end: int) -> Records:
        """Consecutive records, without copying a period."""
        low, high = int(self.offsets[first]), int(self.offsets[end])
        periods = {name: one[low:high] for name, one in self._periods().items()}
        return Records(self.started_at[first:end], self.offsets[first : end + 1] - low, **periods)

    def at(self, places: Column) -> Records:
        """Records from anywhere, in this order."""
        lengths = self.lengths[places]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        moved = np.arange(offsets[-1]) + np.repeat(self.offsets[places] - offsets[:-1], lengths)
        periods = {name: one[moved] for name, one in self._periods().items()}
        return Records(self.started_at[places], offsets, **periods)

    def record(self, place: int, currency: Currency) -> ChargeRecord:
        """One record as the pricer reads it."""
        low, high = int(self.offsets[place]), int(self.offsets[place + 1])
        columns = {name: one[low:high].tolist() for name, one in self._periods().items()}
        started_at = Instant(int(self.started_at[place]))
        return ChargeRecord(
            reference=str(place),
            version=Version.OCPI_2_3_0,
            started_at=started_at,
            ended_at=started_at,
            currency=currency,
            periods=tuple(_period(columns, number) for number in range(high - low)),
        )

    def _periods(self) -> dict[str, Column]:
        named = {name: getattr(self, name) for name in _OF_PERIODS}
        return {name: one for name, one in named.items() if one is not None}


_SIGNALS: Final = ("least_watts", "most_watts", "least_milliamps", "most_milliamps")
_OF_PERIODS: Final = ("start", "milliwatt_hours", "charging", "parking", "reserved", *_SIGNALS)


def _period(columns: dict[str, list[int]], number: int) -> RecordPeriod:
    def told(name: str) -> int | None:
        value = columns[name][number] if name in columns else NOT_TOLD
        return None if value < 0 else value

    def signal(name: str) -> int | None:
        value = columns[name][number] if name in columns else SIGNAL_NOT_TOLD
        return None if value == SIGNAL_NOT_TOLD else value

    energy = columns["milliwatt_hours"][number]
    return RecordPeriod(
        start=Instant(columns["start"][number]),
        dimensions=(),
        tariff_reference=None,
        milliwatt_hours=max(energy, 0),
        fed_back=max(-energy, 0),
        charging=told("charging"),
        parking=told("parking"),
        reserved=told("reserved"),
        least_watts=signal("least_watts"),
        most_watts=signal("most_watts"),
        least_milliamps=signal("least_milliamps"),
        most_milliamps=signal("most_milliamps"),
    )


def records_of(records: Sequence[ChargeRecord]) -> Records:
    """Records as columns; each is of one tariff (`rate_record` prices those whose periods name several)."""
    periods = [one for record in records for one in record.periods]

    def column(values: Iterable[int]) -> Column:
        return np.fromiter(values, np.int64)

    def signal(values: list[int | None]) -> Column | None:
        if all(one is None for one in values):
            return None
        return column(SIGNAL_NOT_TOLD if one is None else one for one in values)

    def told(values: Iterable[int | None]) -> Column:
        return column(NOT_TOLD if one is None else one for one in values)

    return Records(
        started_at=column(one.started_at for one in records),
        offsets=np.concatenate([[0], np.cumsum([len(one.periods) for one in records], dtype=np.int64)]),
        start=column(one.start for one in periods),
        milliwatt_hours=column(one.milliwatt_hours - one.fed_back for one in periods),
        charging=told(one.charging for one in periods),
        parking=told(one.parking for one in periods),
        reserved=told(one.reserved for one in periods) if any(one.reserved is not None for one in periods) else None,
        **{name: signal([getattr(one, name) for one in periods]) for name in _SIGNALS},
    )


class Amounts(NamedTuple):
    """One record's price in major units, before and after tax."""

    before_taxes: Fraction
    after_taxes: Fraction


class Price(NamedTuple):
    """One record's price: exact, in its parts, and in whole minor units as `fix_amounts` fixes them."""

    total: Amounts
    parts: dict[str, Amounts]
    net_minor: int
    tax_minor: int
    gross_minor: int


EXACT: Final = tuple(
    f"{name}_{side}" for name in ("total", *PARTS) for side in ("before_taxes", "after_taxes")
)  # total_before_taxes, total_after_taxes, energy_before_taxes, ...
FIXED: Final = ("net_minor", "tax_minor", "gross_minor")


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of records, in their order."""

    exact: dict[str, Column]
    """Amounts in parts of `denominator` of a major unit, named as in EXACT."""
    denominator: Column
    """0: this record's price is too long for 64 bits; it is in `beyond`."""
    fixed: dict[str, Column]
    """Whole minor units, named as in FIXED."""
    compiled: Marks
    """Which records were priced by columns; the others went to the pricer, one by one."""
    versions: tuple[TariffVersionId, ...]
    """The tariffs' versions, in the order of the terms."""
    beyond: dict[int, Price] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.denominator)

    @property
    def priced_one_by_one(self) -> int:
        """How many records went to the pricer."""
        return len(self) - int(np.count_nonzero(self.compiled))

    def price(self, place: int) -> Price:
        """One record's price."""
        if place in self.beyond:
            return self.beyond[place]
        whole = int(self.denominator[place])
        named = {name: Fraction(int(one[place]), whole) for name, one in self.exact.items()}
        amounts = {
            name: Amounts(named[f"{name}_before_taxes"], named[f"{name}_after_taxes"]) for name in ("total", *PARTS)
        }
        total = amounts.pop("total")
        return Price(total, amounts, *(int(self.fixed[name][place]) for name in FIXED))


def no_prices(number: int, versions: tuple[Any, ...]) -> Prices:
    """Room for so many prices."""
    return Prices(
        exact={name: np.zeros(number, np.int64) for name in EXACT},
        denominator=np.zeros(number, np.int64),
        fixed={name: np.zeros(number, np.int64) for name in FIXED},
        compiled=np.zeros(number, np.bool_),
        versions=versions,
    )
