"""Pure: what is ahead of a running session if it goes on as it does: its next minute, the next price, when a limit is reached.

Everything is asked of the price function itself, on a session that is imagined to go on; no rule stands here a second time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from tallywatt.kernel.clock import Instant
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.period import ChargingPeriod, Use
from tallywatt.rating.plan import Plan, Priced, idles_free, pick
from tallywatt.rating.policy import UnknownSignal
from tallywatt.rating.rate import charged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from tallywatt.rating.live import LiveRating

_SHOWN: Final = Decimal("0.0001")
MINUTE: Final = 60_000
HORIZON: Final = 48 * 60 * MINUTE
"""So far ahead changes of price and limits are looked for."""


class PriceFrom(NamedTuple):
    """What holds from a moment on."""

    at: Instant
    milliwatt_hours: int
    """What will have been delivered by then."""
    prices: tuple[Priced, ...]
    """Energy before time; none: nothing is charged."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is ahead of a session if it goes on as it does now."""

    at: Instant
    watts: int
    next_minute: Fraction
    """What the price after taxes changes by within the next minute, in major units."""
    now: PriceFrom
    change: PriceFrom | None
    """The next other price; None: none within the horizon."""

    @property
    def next_minute_rounded(self) -> Decimal:
        """For showing alone: to four decimal places, as finely as prices are quoted."""
        return (Decimal(self.next_minute.numerator) / self.next_minute.denominator).quantize(_SHOWN, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of a session somebody wants; the one that is reached first ends it."""

    gross_minor: int | None = None
    milliwatt_hours: int | None = None
    milliseconds: int | None = None
    """Since the session's start."""


class Reached(NamedTuple):
    """When a limit will be reached, and which one: `gross_minor`, `milliwatt_hours` or `milliseconds`."""

    at: Instant
    limit: str


def outlook(live: LiveRating, at: Instant | None = None, watts: int | None = None) -> Outlook:
    """What is ahead from the last word on, or from a later moment; at the present power if none is given."""
    now, watts = _now(live, at), live.watts if watts is None else watts
    later = Instant(now + MINUTE)
    growth = live.imagined(later, watts)[0].exact_after_taxes - live.imagined(now, watts)[0].exact_after_taxes
    first, *others = _prices(live, now, watts)
    change = next((one for one in others if _said(one.prices) != _said(first.prices)), None)
    return Outlook(now, watts, growth, first, change)


def reaches(live: LiveRating, limit: Limit, at: Instant | None = None, watts: int | None = None) -> Reached | None:
    """When the first of the limits will be reached at that power; None: not within the horizon."""
    now, watts = _now(live, at), live.watts if watts is None else watts
    tests: dict[str, Callable[[Instant], bool]] = {}
    if limit.gross_minor is not None:
        most = limit.gross_minor
        tests["gross_minor"] = lambda then: fix_amounts(live.imagined(then, watts)[0], live.policy).gross_minor >= most
    if limit.milliwatt_hours is not None:
        wanted = limit.milliwatt_hours
        tests["milliwatt_hours"] = lambda then: live.imagined(then, watts)[0].milliwatt_hours >= wanted
    if limit.milliseconds is not None:
        end = live.started_at + limit.milliseconds
        tests["milliseconds"] = lambda then: then >= end
    moments = _moments(live, now, watts)
    found = ((_first(moments, is_reached), name) for name, is_reached in tests.items())
    return min((Reached(when, name) for when, name in found if when is not None), default=None)


def _now(live: LiveRating, at: Instant | None) -> Instant:
    return live.heard_until if at is None else max(at, live.heard_until)


def _moments(live: LiveRating, now: Instant, watts: int) -> list[Instant]:
    """Now, every cut ahead, and the horizon: in between a price only rises, or only falls."""
    end = Instant(now + HORIZON)
    cuts = {one.start for one in charged(live.imagined(end, watts)[1], live.plan) if now < one.start < end}
    return [now, *(Instant(cut) for cut in sorted(cuts)), end]


def _first(moments: list[Instant], is_reached: Callable[[Instant], bool]) -> Instant | None:
    """The first millisecond in which something holds that, between two of the moments, once it holds goes on to hold."""
    low = moments[0]
    for high in moments:
        if is_reached(high):
            while high - low > 1:
                middle = Instant((low + high) // 2)
                low, high = (low, middle) if is_reached(middle) else (middle, high)  # noqa: PLW2901  # it narrows
            return high
        low = high
    return None


def _prices(live: LiveRating, now: Instant, watts: int) -> Iterator[PriceFrom]:
    """What holds now, and what holds after each cut ahead. While a grace lasts nothing is charged, whoever stays longer."""
    plan, unknown = live.plan, live.policy.unknown_signal is UnknownSignal.MATCHES
    if plan.grace is not None:
        plan = replace(plan, grace=replace(plan.grace, is_retroactive=False))
    periods = live.imagined(Instant(now + HORIZON), watts)[1]
    for period, rest in zip(periods, charged(periods, plan), strict=True):
        if period.end <= now:
            continue
        if period.start < rest.start and now < rest.start:
            yield _from(period, max(now, period.start), ())
        if rest.start < period.end:
            yield _from(period, max(now, rest.start), _holding(plan, period, unknown, flows=watts > 0))


def _from(period: ChargingPeriod, at: int, prices: tuple[Priced, ...]) -> PriceFrom:
    grown, passed = period.energy_to - period.energy_from, period.end - period.start
    return PriceFrom(Instant(at), period.energy_from + grown * (at - period.start) // passed, prices)


def _holding(plan: Plan, period: ChargingPeriod, unknown_matches: bool, *, flows: bool) -> tuple[Priced, ...]:
    """The prices that grow in a period; those of nothing are left out."""
    asked = [plan.energy] if flows else []
    if period.use is not Use.NOTHING and not (period.use is Use.PARKING and idles_free(plan, period)):
        asked.append(plan.parking if period.use is Use.PARKING else plan.time)
    found = (pick(candidates, period, unknown_matches) for candidates in asked)
    return tuple(one for one in found if one is not None and one.price)


def _said(prices: tuple[Priced, ...]) -> list[tuple[object, ...]]:
    """What a driver would notice of prices: not which element of the tariff they are of."""
    return [(one.dimension, one.price, one.tax_rate) for one in prices]
