"""Pure: a tariff, shaped on OCPI 2.3.0: elements with price components and the restrictions under which they apply."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.identity import TariffVersionId
from tallywatt.kernel.money import Currency
from tallywatt.rating.index import index_data
from tallywatt.rating.records import Dimension, TariffVersion, TaxBasis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.rating.index import Index

MINUTES_PER_DAY: Final = 24 * 60
DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_encoder = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Component:
    """One price: per kWh, per hour, or once; in blocks of `step_size` Wh or seconds, by what was measured if it is 0."""

    dimension: Dimension
    price: Decimal
    tax_rate: Decimal | None
    """In percent; None: no tax is named."""
    step_size: int = 0
    index: Index | None = None
    """What the price follows; `price` is then that of slots without one. OCPI has no such thing."""


@dataclass(frozen=True, slots=True)
class Restrictions:
    """When an element applies; all that are given must hold. Lower bounds are included, upper bounds are not.

    Times and dates are local to the location. `start_time` after `end_time` wraps around midnight; a missing one is
    midnight.
    """

    start_time: int | None = None
    """Minutes since local midnight."""
    end_time: int | None = None
    """Minutes since local midnight; 1440 is the end of the day."""
    start_date: date | None = None
    end_date: date | None = None
    min_milliwatt_hours: int | None = None
    max_milliwatt_hours: int | None = None
    min_month_milliwatt_hours: int | None = None
    """Since the calendar month began in which the session started: a tier. OCPI cannot say it."""
    max_month_milliwatt_hours: int | None = None
    min_milliamps: int | None = None
    max_milliamps: int | None = None
    min_watts: int | None = None
    max_watts: int | None = None
    min_seconds: int | None = None
    """Since the start of the session, not of the parking."""
    max_seconds: int | None = None
    days: tuple[int, ...] = ()
    """Monday is 0; none given means every day."""
    reservation: str | None = None


UNRESTRICTED: Final = Restrictions()


@dataclass(frozen=True, slots=True)
class Element:
    """Price components under the same restrictions. Of each dimension the first element that matches is used."""

    index: int
    components: tuple[Component, ...]
    restrictions: Restrictions = UNRESTRICTED


@dataclass(frozen=True, slots=True)
class PriceLimit:
    """A bound on what a whole session costs. Before and after tax are bounds of their own (OCPI 2.3.0, Tariff object)."""

    before_taxes: Decimal | None = None
    after_taxes: Decimal | None = None


@dataclass(frozen=True, slots=True)
class IdleGrace:
    """So long may a vehicle stay without asking for power before idle time is charged; anew after each charging.

    OCPI cannot say it: its durations count from the session's start (ocpi #225, #368, #543).
    """

    seconds: int
    is_retroactive: bool = False
    """Whether who stays longer pays from the first second on; else the grace is forgiven in any case."""


@dataclass(frozen=True, slots=True)
class IdleBelow:
    """From which power on a vehicle counts as asking for none, and after how long, where no status of the station tells it.

    OCPI leaves it to the operator how idle time is known.
    """

    watts: int
    seconds: int


class GraceAfter(StrEnum):
    """What the grace does while a vehicle idles in a window in which that costs nothing."""

    PAUSES = "pauses"
    """It goes on after the window from where it was."""
    RUNS = "runs"
    """It runs out in the window, too."""
    BEGINS_ANEW = "begins_anew"
    """Whoever wakes up has all of it."""


@dataclass(frozen=True, slots=True)
class IdleFree:
    """Windows of the week, local to the place, in which idle time costs nothing: nights, above all. OCPI has no such thing."""

    windows: tuple[Restrictions, ...]
    """Of each its times and its days; the rest is not used."""
    grace: GraceAfter = GraceAfter.PAUSES


@dataclass(frozen=True, slots=True)
class Cap:
    """The most for a session, or for all that a customer is charged on a local day; of the whole, or of some dimensions.

    OCPI knows it for the whole of a session alone.
    """

    per: str
    """session or day."""
    limit: PriceLimit
    dimensions: frozenset[Dimension] = frozenset()
    """None: the whole."""


@dataclass(frozen=True, slots=True)
class Discount:
    """What is taken off: a percentage or an amount, of the whole or of some dimensions. OCPI cannot say it."""

    name: str
    percent: Decimal | None
    amount: PriceLimit | None
    """One of both, before or after taxes."""
    dimensions: frozenset[Dimension] = frozenset()
    start_date: date | None = None
    end_date: date | None = None
    """The local day on which the session started decides; the last one is not included, as in restrictions."""
    is_coupon: bool = False
    """Whether it was granted to one session by a coupon."""

    def holds_on(self, ordinal: int) -> bool:
        """Whether it is taken off a session that started on that day, counted from the year 1."""
        return (self.start_date is None or self.start_date.toordinal() <= ordinal) and (
            self.end_date is None or ordinal < self.end_date.toordinal()
        )


@dataclass(frozen=True, eq=False)
class Tariff:
    """A tariff. Equal content has an equal `version_id`, whoever wrote it and in whatever order of keys."""

    reference: str
    name: str
    currency: Currency
    tax_basis: TaxBasis
    elements: tuple[Element, ...]
    unread: tuple[str, ...] = ()
    """Paths of what was in the source and is not carried here: reported, never silently dropped."""
    min_price: PriceLimit | None = None
    max_price: PriceLimit | None = None
    taxes_apply: bool = True
    """False: OCPI's `tax_included` N/A, there is no tax on this tariff at all."""
    tax_is_said: bool = True
    """False: the source does not say whether prices include tax, as before OCPI 2.3.0; then they do not."""
    idle_grace: IdleGrace | None = None
    idle_free: IdleFree | None = None
    idle_below: IdleBelow | None = None
    caps: tuple[Cap, ...] = ()
    discounts: tuple[Discount, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    """What OCPI says beside the prices, as it was given (whose it is, when it is valid, alternative texts): it decides no
    amount, is no part of the version, and is written again."""

    @property
    def asks_before(self) -> bool:
        """Whether a price needs to know what the payer had before: a cap per day, tiers per month."""
        return any(cap.per == "day" for cap in self.caps) or any(
            one.restrictions.min_month_milliwatt_hours is not None
            or one.restrictions.max_month_milliwatt_hours is not None
            for one in self.elements
        )

    @cached_property
    def canonical(self) -> str:
        """The one text of this tariff: JSON in OCPI's shape with sorted keys and numbers as plain decimal text."""
        return _encoder.encode(to_data(self)).decode()

    @cached_property
    def version_id(self) -> TariffVersionId:
        """The hash of the canonical text."""
        return TariffVersionId(hashlib.sha256(self.canonical.encode()).hexdigest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tariff) and self.version_id == other.version_id

    def __hash__(self) -> int:
        return hash(self.version_id)

    def is_valid_at(self, at: Instant) -> bool:
        """Whether a session that starts then may have it, by what OCPI says of its validity; the end is excluded."""
        since, until = self.about.get("start_date_time"), self.about.get("end_date_time")
        return (since is None or parse_instant(since) <= at) and (until is None or at < parse_instant(until))

    def row(self, created_at: Instant) -> TariffVersion:
        """The row under which it is kept."""
        return TariffVersion(
            tariff_version_id=self.version_id,
            reference=self.reference,
            name=self.name,
            canonical=self.canonical,
            currency=self.currency.code,
            tax_basis=self.tax_basis,
            created_at=created_at,
        )


def plain(number: Decimal) -> str:
    """A decimal as its canonical text: no exponent, no idle zeros."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def to_data(tariff: Tariff) -> dict[str, Any]:
    """The tariff in OCPI's shape, with `name` beside it."""
    data: dict[str, Any] = {
        "id": tariff.reference,
        "name": tariff.name,
        "currency": tariff.currency.code,
        "tax_included": tax_included(tariff),
        "elements": [element_data(element) for element in tariff.elements],
    }
    if tariff.idle_grace is not None:
        data["idle_grace"] = grace_data(tariff.idle_grace)
    if tariff.idle_free is not None:
        windows = [restriction_data(window) for window in tariff.idle_free.windows]
        data["idle_free"] = {"windows": windows, "grace": tariff.idle_free.grace.value}
    if tariff.idle_below is not None:
        data["idle_below"] = below_data(tariff.idle_below)
    if tariff.caps:
        data["caps"] = [cap_data(one) for one in tariff.caps]
    if tariff.discounts:
        data["discounts"] = [discount_data(one) for one in tariff.discounts]
    limits = {"min_price": tariff.min_price, "max_price": tariff.max_price}
    return data | {name: limit_data(limit) for name, limit in limits.items() if limit is not None}


def grace_data(grace: IdleGrace) -> dict[str, Any]:
    """A grace for idling, in the words in which it was put."""
    return {"seconds": grace.seconds, "retroactive": grace.is_retroactive}


def below_data(below: IdleBelow) -> dict[str, int]:
    """When low power counts as idling, in the words in which it was put."""
    return {"watts": below.watts, "seconds": below.seconds}


def cap_data(cap: Cap) -> dict[str, Any]:
    """A cap, in the words in which it was put."""
    return {"per": cap.per, **limit_data(cap.limit), **_dimensions_data(cap.dimensions)}


def discount_data(discount: Discount) -> dict[str, Any]:
    """A discount, in the words in which it was put."""
    data: dict[str, Any] = {"id": discount.name}
    if discount.percent is not None:
        data["percent"] = plain(discount.percent)
    if discount.amount is not None:
        data |= limit_data(discount.amount)
    dates = {"start_date": discount.start_date, "end_date": discount.end_date}
    data |= {name: day.isoformat() for name, day in dates.items() if day is not None}
    return data | _dimensions_data(discount.dimensions) | ({"coupon": True} if discount.is_coupon else {})


def _dimensions_data(dimensions: frozenset[Dimension]) -> dict[str, list[str]]:
    return {"dimensions": [one.value for one in Dimension if one in dimensions]} if dimensions else {}


def tax_included(tariff: Tariff) -> str:
    """OCPI 2.3.0's word for whether prices include tax."""
    if not tariff.taxes_apply:
        return "N/A"
    return "YES" if tariff.tax_basis is TaxBasis.GROSS else "NO"


def limit_data(limit: PriceLimit) -> dict[str, str]:
    """A price limit in the words of OCPI 2.3.0; only the bounds that are given."""
    bounds = {"before_taxes": limit.before_taxes, "after_taxes": limit.after_taxes}
    return {name: plain(bound) for name, bound in bounds.items() if bound is not None}


def element_data(element: Element) -> dict[str, Any]:
    """An element in OCPI's words, numbers as text."""
    data: dict[str, Any] = {"price_components": [_component_data(one) for one in element.components]}
    if element.restrictions != UNRESTRICTED:
        data["restrictions"] = restriction_data(element.restrictions)
    return data


def _component_data(component: Component) -> dict[str, Any]:
    data: dict[str, Any] = {
        "type": component.dimension.value,
        "price": plain(component.price),
        "step_size": component.step_size,
    }
    if component.tax_rate is not None:
        data["vat"] = plain(component.tax_rate)
    if component.index is not None:
        data["index"] = index_data(component.index, plain)
    return data


def restriction_data(restrictions: Restrictions) -> dict[str, Any]:
    """Restrictions in OCPI's words and units; only those that are given."""
    times = {"start_time": restrictions.start_time, "end_time": restrictions.end_time}
    dates = {"start_date": restrictions.start_date, "end_date": restrictions.end_date}
    scaled = {
        "min_kwh": (restrictions.min_milliwatt_hours, 6),
        "max_kwh": (restrictions.max_milliwatt_hours, 6),
        "min_month_kwh": (restrictions.min_month_milliwatt_hours, 6),
        "max_month_kwh": (restrictions.max_month_milliwatt_hours, 6),
        "min_current": (restrictions.min_milliamps, 3),
        "max_current": (restrictions.max_milliamps, 3),
        "min_power": (restrictions.min_watts, 3),
        "max_power": (restrictions.max_watts, 3),
    }
    seconds = {"min_duration": restrictions.min_seconds, "max_duration": restrictions.max_seconds}
    data: dict[str, Any] = {name: clock_text(minutes) for name, minutes in times.items() if minutes is not None}
    data |= {name: day.isoformat() for name, day in dates.items() if day is not None}
    data |= {
        name: plain(Decimal(value).scaleb(-places)) for name, (value, places) in scaled.items() if value is not None
    }
    data |= {name: value for name, value in seconds.items() if value is not None}
    if restrictions.days:
        data["day_of_week"] = [DAYS[day] for day in restrictions.days]
    if restrictions.reservation is not None:
        data["reservation"] = restrictions.reservation
    return data


def clock_text(minutes: int) -> str:
    """Minutes of the day as HH:MM; the end of the day is 00:00, as OCPI writes it."""
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def named(tariff: Tariff, name: str) -> Tariff:
    """The same prices under another name: another version."""
    return replace(tariff, name=name)
