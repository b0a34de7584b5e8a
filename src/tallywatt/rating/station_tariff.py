"""Pure: a tariff in the words of OCPP 2.1, by which a station counts for itself; or what of it those words cannot say.

A station that counts by half of a tariff shows a wrong price, so a tariff is said whole or not at all. Prices of OCPP 2.1 are
before tax and per minute, fees apply by the moment of the start, and there are no blocks, no discounts and no market.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tallywatt.rating.policy import STANDARD, FlatScope, Interpolation, Policy, StepSize, UnknownSignal
from tallywatt.rating.records import Dimension, TaxBasis
from tallywatt.rating.tariff import DAYS, MINUTES_PER_DAY, UNRESTRICTED, GraceAfter, Restrictions, clock_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tallywatt.rating.tariff import Component, Element, PriceLimit, Tariff

LONGEST_ID: Final = 40
LONGEST_WORDS: Final = 512
"""Some stations take no longer text, though the schema has room for twice as much."""
_PLACES: Final = Decimal("1e-10")
"""Of a price before tax: a megawatt-hour of it is off by less than a millionth of a minor unit."""
_MINUTES: Final = Decimal(60)
_TAX_TYPE: Final = "VAT"


class Gap(StrEnum):
    """What OCPP 2.1 has no words for: a closed list."""

    MARKET = "market"
    BLOCKS = "blocks"
    MONTH_TIER = "month_tier"
    TAXES_DIFFER = "taxes_differ"
    FEE_LATER = "fee_later"
    FEE_CONDITION = "fee_condition"
    FEES_ADD_UP = "fees_add_up"
    IDLE_GRACE = "idle_grace"
    CAP = "cap"
    DISCOUNT = "discount"
    BOUNDS = "bounds"
    RESERVATION = "reservation"
    TOO_MANY_PRICES = "too_many_prices"
    CONDITIONS = "conditions"


SENTENCES: Final = {
    Gap.MARKET: "a price that follows a market",
    Gap.BLOCKS: "energy or time that is sold in blocks",
    Gap.MONTH_TIER: "a price by what was taken in the month",
    Gap.TAXES_DIFFER: "two rates of tax on the same thing",
    Gap.FEE_LATER: "a session fee that may come to apply after the start",
    Gap.FEE_CONDITION: "a session fee that depends on energy, power, current or duration",
    Gap.FEES_ADD_UP: "several session fees in one session",
    Gap.IDLE_GRACE: "idle time that costs from its first second once it is too long, or a grace that a free window stops",
    Gap.CAP: "a cap per day, or on a part of the price",
    Gap.DISCOUNT: "a discount",
    Gap.BOUNDS: "a least or highest price over several rates of tax",
    Gap.RESERVATION: "a reservation's price that changes with time",
    Gap.TOO_MANY_PRICES: "more prices than this station takes",
    Gap.CONDITIONS: "prices with conditions, which this station does not take",
}


class Doubt(StrEnum):
    """What can be said, and yet come out otherwise at a station than on the bill."""

    POWER = "power"
    """The station measures power and current all the time; the bill has the values that it told."""
    WITHHELD = "withheld"
    """Time in which power is withheld may be idle time to a station; it never is on the bill."""
    BETWEEN_READINGS = "between_readings"
    """The station knows its meter at a change of price; by policy the bill takes the lower price between two readings."""


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A part of a tariff that cannot be said, and where it stands."""

    gap: Gap
    where: str

    @property
    def sentence(self) -> str:
        """For a person."""
        return f"{SENTENCES[self.gap]} ({self.where})"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a station's `TariffCostCtrlr` says of the tariffs that it takes; None: it does not say."""

    most_prices: int | None = None
    takes_conditions: bool | None = None


ANY: Final = Abilities()


@dataclass(frozen=True, slots=True)
class StationTariff:
    """A tariff as a station is told it. With anything unsaid there is none: half a tariff is a wrong price."""

    said: dict[str, Any] | None
    """A TariffType of OCPP 2.1."""
    unsaid: tuple[Unsaid, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def tariff_id(self) -> str | None:
        """By what a station names it: equal content has an equal id."""
        return None if self.said is None else str(self.said["tariffId"])


def say_tariff(
    tariff: Tariff, policy: Policy = STANDARD, able: Abilities = ANY, words: str = "", *, subject: str = ""
) -> StationTariff:
    """Say it whole, or tell what cannot be said. `words`: what a display shows of it.

    `subject`: whom it is for; a station takes no two tariffs of one name, be they equal.
    """
    told = _Told(tariff, policy)
    said: dict[str, Any] = {"currency": tariff.currency.code}
    if words:
        said["description"] = [{"format": "UTF8", "content": words[:LONGEST_WORDS]}]
    said |= told.prices()
    said |= told.bounds()
    told.look_for_what_has_no_words()
    told.measure(said, able)
    if told.unsaid:
        return StationTariff(None, tuple(dict.fromkeys(told.unsaid)), tuple(sorted(told.doubts)))
    return StationTariff(_identified(said, subject), (), tuple(sorted(told.doubts)))


def _identified(said: dict[str, Any], subject: str) -> dict[str, Any]:
    """With a name that is made of the prices: equal prices are known by it again, however they are described."""
    prices = {name: value for name, value in said.items() if name != "description"}
    text = msgspec.json.encode({"subject": subject, **prices}, order="deterministic")
    return {"tariffId": hashlib.sha256(text).hexdigest()[:LONGEST_ID], **said}


def is_our_name(name: str | None) -> bool:
    """Whether a station's word can be one of these names."""
    return name is not None and len(name) == LONGEST_ID and all(one in "0123456789abcdef" for one in name)


_FIELDS: Final = {
    Dimension.ENERGY: ("energy", "priceKwh", Decimal(1)),
    Dimension.TIME: ("chargingTime", "priceMinute", _MINUTES),
    Dimension.PARKING_TIME: ("idleTime", "priceMinute", _MINUTES),
    Dimension.FLAT: ("fixedFee", "priceFixed", Decimal(1)),
}
_OF_RESERVATION: Final = {
    Dimension.TIME: ("reservationTime", "priceMinute", _MINUTES),
    Dimension.FLAT: ("reservationFixed", "priceFixed", Decimal(1)),
}
_WHILE_KEPT: Final = "RESERVATION"
_Entry = tuple["Component", "Restrictions", str]
"""A price, when it applies, and where it stands."""


class _Told:
    """One tariff on its way into words; what is in the way is noted."""

    def __init__(self, tariff: Tariff, policy: Policy) -> None:
        self.tariff = tariff
        self.policy = policy
        self.unsaid: list[Unsaid] = []
        self.doubts: set[Doubt] = set()

    def lacks(self, gap: Gap, where: str) -> None:
        self.unsaid.append(Unsaid(gap, where))

    def prices(self) -> dict[str, Any]:
        """Every dimension with its prices, in the order in which they are tried."""
        said: dict[str, Any] = {}
        for dimension, field in _FIELDS.items():
            entries = _reachable(_entries(self.tariff.elements, dimension, None))
            if dimension is Dimension.FLAT:
                self._look_at_fees(entries)
            if dimension is Dimension.PARKING_TIME and entries:
                self.doubts.add(Doubt.WITHHELD)
                entries = [*self._free_windows(entries[0][0]), *entries]
            said |= self._dimension(dimension, field, entries)
        for dimension, field in _OF_RESERVATION.items():
            entries = _reachable(_entries(self.tariff.elements, dimension, _WHILE_KEPT))
            if any(replace(one, reservation=None) != UNRESTRICTED for _, one, _ in entries):
                self.lacks(Gap.RESERVATION, entries[0][2])
            said |= self._dimension(dimension, field, entries)
        return said

    def _dimension(
        self, dimension: Dimension, field: tuple[str, str, Decimal], entries: list[_Entry]
    ) -> dict[str, Any]:
        if not entries:
            return {}
        name, price_name, divisor = field
        rates = {one.tax_rate for one, _, _ in entries if one.price}
        if len(rates) > 1:
            self.lacks(Gap.TAXES_DIFFER, entries[0][2])
        rate = next(iter(rates), None)
        prices = []
        for component, restrictions, where in entries:
            self._look_at_component(component, where)
            price = {price_name: _number(self._before_tax(component) / divisor)}
            conditions = [self._conditions(one, dimension, component, where) for one in _whole_days(restrictions)]
            prices += [price if not one else {**price, "conditions": one} for one in conditions]
        taxes = {} if rate is None else {"taxRates": [{"type": _TAX_TYPE, "tax": _number(rate)}]}
        return {name: {"prices": prices, **taxes}}

    def _before_tax(self, component: Component) -> Decimal:
        if self.tariff.tax_basis is TaxBasis.NET or component.tax_rate is None:
            return component.price
        return component.price * 100 / (100 + component.tax_rate)

    def _look_at_component(self, component: Component, where: str) -> None:
        if component.index is not None:
            self.lacks(Gap.MARKET, where)
        if component.step_size > 1 and component.price and self.policy.step_size is not StepSize.OFF:
            self.lacks(Gap.BLOCKS, where)

    def _look_at_fees(self, entries: list[_Entry]) -> None:
        """A fee applies by what holds at the start: one that is left open then must be settled then, too."""
        for _, restrictions, where in entries:
            if _without_calendar(restrictions) != UNRESTRICTED:
                self.lacks(Gap.FEE_CONDITION, where)
        if entries and entries[-1][1] != UNRESTRICTED:
            self.lacks(Gap.FEE_LATER, entries[-1][2])
        if len(entries) > 1 and self.policy.flat_scope is not FlatScope.SESSION:
            self.lacks(Gap.FEES_ADD_UP, entries[1][2])

    def _free_windows(self, like: Component) -> list[_Entry]:
        """Windows in which idling costs nothing: prices of nothing, which are tried first."""
        if self.tariff.idle_free is None:
            return []
        grace = self.tariff.idle_grace
        if grace is not None and self.tariff.idle_free.grace is not GraceAfter.RUNS:
            self.lacks(Gap.IDLE_GRACE, "idle_free")
        free = replace(like, price=Decimal(0), index=None, step_size=0)
        return [(free, window, "idle_free") for window in self.tariff.idle_free.windows]

    def _conditions(self, one: Restrictions, dimension: Dimension, component: Component, where: str) -> dict[str, Any]:
        if one.min_month_milliwatt_hours is not None or one.max_month_milliwatt_hours is not None:
            self.lacks(Gap.MONTH_TIER, where)
        asks_power = (one.min_watts, one.max_watts, one.min_milliamps, one.max_milliamps)
        if any(bound is not None for bound in asks_power):
            self.doubts.add(Doubt.POWER)
        if self.policy.interpolation is Interpolation.MEASURED_ONLY and one != UNRESTRICTED:
            self.doubts.add(Doubt.BETWEEN_READINGS)
        said = conditions_of(one)
        grace = self.tariff.idle_grace
        if dimension is Dimension.PARKING_TIME and grace is not None and component.price and grace.seconds:
            said["minIdleTime"] = grace.seconds
        return said

    def bounds(self) -> dict[str, Any]:
        """The least and the most of the whole, where one rate of tax makes both sides of it one bound."""
        least, most = self.tariff.min_price, _least_of(self.tariff)
        if least is None and most is None:
            return {}
        rates = {one.tax_rate for element in self.tariff.elements for one in element.components if one.price}
        if len(rates) > 1:
            self.lacks(Gap.BOUNDS, "min_price" if least is not None else "max_price")
            return {}
        factor = 1 + (next(iter(rates), None) or Decimal(0)) / 100
        low = _after_tax(least, factor, highest=True)
        high = _after_tax(most, factor, highest=False)
        if low is not None and high is not None and low > high:
            self.lacks(Gap.BOUNDS, "min_price")
        said = {"minCost": low, "maxCost": high}
        return {
            name: {"exclTax": _number(bound / factor), "inclTax": _number(bound)}
            for name, bound in said.items()
            if bound is not None
        }

    def look_for_what_has_no_words(self) -> None:
        """What holds for the tariff as a whole."""
        for cap in self.tariff.caps:
            if cap.per != "session" or cap.dimensions:
                self.lacks(Gap.CAP, "caps")
        if self.tariff.discounts:
            self.lacks(Gap.DISCOUNT, "discounts")
        grace = self.tariff.idle_grace
        if grace is not None and grace.is_retroactive:
            self.lacks(Gap.IDLE_GRACE, "idle_grace")
        if Doubt.POWER in self.doubts and self.policy.unknown_signal is UnknownSignal.MATCHES:
            # A station knows its power; what matches because nobody knows it is no part of its words.
            self.doubts.add(Doubt.BETWEEN_READINGS)

    def measure(self, said: dict[str, Any], able: Abilities) -> None:
        """Whether this station takes so much."""
        prices = [one for part in said.values() if isinstance(part, dict) for one in part.get("prices", ())]
        if able.most_prices is not None and len(prices) > able.most_prices:
            self.lacks(Gap.TOO_MANY_PRICES, f"{len(prices)} of {able.most_prices}")
        if able.takes_conditions is False and any("conditions" in one for one in prices):
            self.lacks(Gap.CONDITIONS, "elements")


def _entries(elements: Sequence[Element], dimension: Dimension, reservation: str | None) -> Iterator[_Entry]:
    for element in elements:
        if element.restrictions.reservation == reservation:
            for place, component in enumerate(element.components):
                if component.dimension is dimension:
                    where = f"elements[{element.index}].price_components[{place}]"
                    yield component, element.restrictions, where


def _reachable(entries: Iterable[_Entry]) -> list[_Entry]:
    """Up to the first that always applies: those after it never do."""
    found: list[_Entry] = []
    for entry in entries:
        found.append(entry)
        if conditions_of(entry[1]) == {} and _without_month(entry[1]):
            break
    return found


def _without_month(one: Restrictions) -> bool:
    return one.min_month_milliwatt_hours is None and one.max_month_milliwatt_hours is None


def _without_calendar(one: Restrictions) -> Restrictions:
    return replace(one, start_time=None, end_time=None, start_date=None, end_date=None, days=(), reservation=None)


def _whole_days(one: Restrictions) -> list[Restrictions]:
    """A window over midnight on some days only is said as two: the words leave open to which day its night belongs."""
    start, end = one.start_time or 0, MINUTES_PER_DAY if one.end_time is None else one.end_time
    asks_the_day = one.days or one.start_date is not None or one.end_date is not None
    if not asks_the_day or start <= end or end == 0:
        return [one]
    return [replace(one, start_time=start, end_time=MINUTES_PER_DAY), replace(one, start_time=0, end_time=end)]


def conditions_of(one: Restrictions) -> dict[str, Any]:
    """Restrictions in the words of TariffConditionsType; what it has no words for is left out."""
    said: dict[str, Any] = {}
    start, end = one.start_time or 0, MINUTES_PER_DAY if one.end_time is None else one.end_time
    if start != end and (start, end) != (0, MINUTES_PER_DAY):
        said |= {"startTimeOfDay": clock_text(start), "endTimeOfDay": clock_text(end)}
    if one.days and len(set(one.days)) < len(DAYS):
        said["dayOfWeek"] = [DAYS[day].capitalize() for day in one.days]
    if one.start_date is not None:
        said["validFromDate"] = one.start_date.isoformat()
    if one.end_date is not None:
        said["validToDate"] = one.end_date.isoformat()
    figures = {
        "minEnergy": (one.min_milliwatt_hours, 3),
        "maxEnergy": (one.max_milliwatt_hours, 3),
        "minCurrent": (one.min_milliamps, 3),
        "maxCurrent": (one.max_milliamps, 3),
        "minPower": (one.min_watts, 0),
        "maxPower": (one.max_watts, 0),
    }
    said |= {
        name: _number(Decimal(value).scaleb(-scale)) for name, (value, scale) in figures.items() if value is not None
    }
    times = {"minTime": one.min_seconds, "maxTime": one.max_seconds}
    return said | {name: value for name, value in times.items() if value is not None}


def _least_of(tariff: Tariff) -> PriceLimit | None:
    """The most of a whole session: its highest price, or the one cap that says the same."""
    caps = [cap.limit for cap in tariff.caps if cap.per == "session" and not cap.dimensions]
    every = [one for one in (tariff.max_price, *caps) if one is not None]
    if len(every) <= 1:
        return every[0] if every else None
    lowest = {
        name: min((bound for one in every if (bound := getattr(one, name)) is not None), default=None)
        for name in ("before_taxes", "after_taxes")
    }
    return replace(every[0], **lowest)


def _after_tax(limit: PriceLimit | None, factor: Decimal, *, highest: bool) -> Decimal | None:
    """Both bounds hold, each for itself: the least is the higher of them, the most the lower."""
    if limit is None:
        return None
    before = None if limit.before_taxes is None else limit.before_taxes * factor
    both = [one for one in (before, limit.after_taxes) if one is not None]
    if not both:
        return None
    return max(both) if highest else min(both)


def _number(exact: Decimal) -> Any:
    """A figure as JSON has it: stations read no other."""
    rounded = exact.quantize(_PLACES, ROUND_HALF_EVEN)
    return int(rounded) if rounded == rounded.to_integral_value() else msgspec.json.decode(f"{rounded:f}")
