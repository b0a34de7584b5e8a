"""Pure: what looks wrong in a tariff: gaps, elements that are never reached, windows that overlap, misspelt keys, and more.

It looks at the data as it was written, since much of what is wrong there is not carried any further.
"""

from __future__ import annotations

from decimal import Decimal
from difflib import get_close_matches
from itertools import combinations, pairwise, product
from math import prod
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.errors import TallywattError
from tallywatt.rating import explain
from tallywatt.rating.fields import BadField
from tallywatt.rating.findings import Finding, worst_first
from tallywatt.rating.freeze import Wanted, indexes
from tallywatt.rating.reach import AXES, EVERYWHERE, WEEK, Reach, hole, reach_of
from tallywatt.rating.read import read_tariff, version_of
from tallywatt.rating.records import Dimension
from tallywatt.rating.tariff import clock_text, limit_data, plain, restriction_data

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date

    from tallywatt.rating.tariff import Component, Element, Restrictions, Tariff

KEYS: Final = (
    "country_code", "party_id", "id", "currency", "type", "name", "tariff_alt_text", "tariff_alt_url", "min_price",
    "max_price", "preauthorize_amount", "elements", "tax_included", "start_date_time", "end_date_time", "energy_mix",
    "last_updated", "price_components", "restrictions", "price", "vat", "step_size", "start_time", "end_time", "start_date",
    "end_date", "min_kwh", "max_kwh", "min_current", "max_current", "min_power", "max_power", "min_duration",
    "max_duration", "day_of_week", "reservation", "before_taxes", "after_taxes", "excl_vat", "incl_vat",
    "idle_grace", "idle_free", "idle_below", "caps", "discounts", "min_month_kwh", "max_month_kwh", "per", "dimensions",
    "percent",
)  # fmt: skip
"""What OCPI calls things, and what we say beside it: an unknown key that looks like one of them was meant to be it."""
JUMP: Final = 5
"""Prices of one dimension that differ by more are told."""
LARGE_STEPS: Final = {Dimension.ENERGY: 1000, Dimension.TIME: 900, Dimension.PARKING_TIME: 900}
"""Blocks of more Wh or seconds are told."""
MOST_CELLS: Final = 20_000
"""So many combinations of bounds are looked at for gaps; tariffs of people have a few dozen."""
FAR_OUT: Final = {Dimension.ENERGY: 5, Dimension.TIME: 200, Dimension.PARKING_TIME: 200, Dimension.FLAT: 200}
"""Higher prices in a currency whose unit is worth about a euro are told."""
LIKE_A_EURO: Final = frozenset({"EUR", "GBP", "USD", "CHF", "CAD", "AUD", "NZD"})


def lint(
    data: Mapping[str, Any], *, today: date | None = None, before: Tariff | None = None, stored: bool = False
) -> tuple[Finding, ...]:
    """What is found in a tariff as data; the worst first.

    `before` is the version before it. `stored` data is canonical: it says a step_size even where none was written.
    """
    try:
        tariff = as_meant(data)
    except TallywattError as problem:
        path = problem.path if isinstance(problem, BadField) else ""
        said = {"said": problem.message, "remedy": problem.remedy or "Correct it and look again."}
        return (Finding("lint.refused", path, said),)
    found = [*_keys(tariff), *_validity(data), *_restrictions(tariff, today), *_reach(tariff), *_prices(tariff, before)]
    found += [*_taxes(tariff, data), *_own(tariff), *_caps(tariff), *_discounts(tariff, today)]
    if not stored:
        found += _steps(data)
    return worst_first(found)


def as_meant(data: Mapping[str, Any]) -> Tariff:
    """The tariff of data. Where it does not say whether prices include tax they do not, as before OCPI 2.3.0."""
    return read_tariff(data, version_of(data) if data.get("tax_included") is None else None)


def _keys(tariff: Tariff) -> Iterator[Finding]:
    for path in tariff.unread:
        key = path.rpartition(".")[2]
        like = get_close_matches(key.lower(), KEYS, n=1, cutoff=3 / 4)
        if like:
            yield Finding("lint.misspelt_key", path, {"key": key, "like": like[0]})
        else:
            yield Finding("lint.unknown_key", path, {"key": key})


def _validity(data: Mapping[str, Any]) -> Iterator[Finding]:
    start, end = data.get("start_date_time"), data.get("end_date_time")
    # OCPI writes both in UTC, so they compare as text.
    if isinstance(start, str) and isinstance(end, str) and end <= start:
        yield Finding("lint.never_valid", "end_date_time", {"start": start, "end": end})


def _restrictions(tariff: Tariff, today: date | None) -> Iterator[Finding]:
    for element in tariff.elements:
        path, limits = f"elements[{element.index}].restrictions", element.restrictions
        words = restriction_data(limits)
        for low, high in _impossible(limits):
            yield Finding(
                "lint.never_applies", f"{path}.{high}", {"low": f"{low} {words[low]}", "high": f"{high} {words[high]}"}
            )
        if limits.start_time is not None and limits.start_time == limits.end_time:
            yield Finding("lint.whole_day", f"{path}.end_time", {"time": clock_text(limits.start_time)})
        if today is not None and limits.end_date is not None and limits.end_date <= today:
            yield Finding("lint.over", f"{path}.end_date", {"end": limits.end_date.isoformat()})
        idles = any(one.dimension is Dimension.PARKING_TIME and one.price for one in element.components)
        if idles and limits.min_seconds:
            yield Finding(
                "lint.counts_from_start", f"{path}.min_duration", {"time": explain.duration(limits.min_seconds * 1000)}
            )


def _impossible(limits: Restrictions) -> Iterator[tuple[str, str]]:
    """Pairs of bounds between which there is nothing."""
    pairs: list[tuple[str, str, Any, Any]] = [
        ("min_kwh", "max_kwh", limits.min_milliwatt_hours, limits.max_milliwatt_hours),
        ("min_month_kwh", "max_month_kwh", limits.min_month_milliwatt_hours, limits.max_month_milliwatt_hours),
        ("min_current", "max_current", limits.min_milliamps, limits.max_milliamps),
        ("min_power", "max_power", limits.min_watts, limits.max_watts),
        ("min_duration", "max_duration", limits.min_seconds, limits.max_seconds),
        ("start_date", "end_date", limits.start_date, limits.end_date),
    ]
    for low, high, least, most in pairs:
        if least is not None and most is not None and least >= most:
            yield low, high


def _reach(tariff: Tariff) -> Iterator[Finding]:
    """What is never reached, what overlaps, and where there is a gap: of each dimension by itself."""
    for dimension in Dimension:
        offered = [
            (element, place, one)
            for element in tariff.elements
            if element.restrictions.reservation is None
            for place, one in enumerate(element.components)
            if one.dimension is dimension and not any(_impossible(element.restrictions))
        ]
        reaches = [reach_of(element.restrictions) for element, _, _ in offered]
        yield from _never_reached(dimension, offered, reaches)
        yield from _overlapping(dimension, offered, reaches)
        if dimension is Dimension.ENERGY and offered and any(one.price for _, _, one in offered):
            yield from _gaps(dimension, reaches)


_Offered = list[tuple["Element", int, "Component"]]


def _path(element: Element, place: int) -> str:
    return f"elements[{element.index}].price_components[{place}]"


def _never_reached(dimension: Dimension, offered: _Offered, reaches: list[Reach]) -> Iterator[Finding]:
    for number, (element, place, _) in enumerate(offered):
        covering = [other for other in range(number) if reaches[other].covers_bounds_of(reaches[number])]
        week = 0
        for other in covering:
            week |= reaches[other].week
        if covering and not reaches[number].week & ~week:
            earlier = ", ".join(str(offered[other][0].index) for other in covering)
            yield Finding("lint.unreachable", _path(element, place), {"dimension": dimension.value, "earlier": earlier})


def _overlapping(dimension: Dimension, offered: _Offered, reaches: list[Reach]) -> Iterator[Finding]:
    """Windows that cross. One within the other is how an exception is written: the narrower one first."""
    for (first, one), (second, other) in combinations(enumerate(reaches), 2):
        same_price = offered[first][2].price == offered[second][2].price
        if same_price or not one.meets(other) or one.covers(other) or other.covers(one):
            continue
        element, place, _ = offered[second]
        yield Finding(
            "lint.overlap",
            _path(element, place),
            {"dimension": dimension.value, "first": offered[first][0].index, "when": one.shared_with(other)},
        )


def _gaps(dimension: Dimension, reaches: list[Reach]) -> Iterator[Finding]:
    """The first place where nothing applies: bounds are cut into cells, and each cell's week is looked at."""
    if any(one.is_everywhere for one in reaches):
        return
    if all(one.asks_for_signals for one in reaches):
        yield Finding("lint.no_price_without_signal", "elements", {"dimension": dimension.value})
        return
    told = [one for one in reaches if not one.asks_for_signals]
    edges = [sorted({*EVERYWHERE, *(bound for one in told for bound in one.bounds[axis])}) for axis in range(len(AXES))]
    cells = [list(pairwise(values)) for values in edges]
    if prod(map(len, cells)) > MOST_CELLS:
        return
    for cell in product(*cells):
        week = 0
        for one in told:
            if one.holds_in(cell):
                week |= one.week
        if week != WEEK:
            yield Finding("lint.gap", "elements", {"dimension": dimension.value, "when": hole(cell, WEEK & ~week)})
            return


def _prices(tariff: Tariff, before: Tariff | None) -> Iterator[Finding]:
    code = tariff.currency.code
    for dimension in Dimension:
        prices = [
            (one.price, _path(element, place))
            for element in tariff.elements
            for place, one in enumerate(element.components)
            if one.dimension is dimension and element.restrictions.reservation is None
        ]
        above = sorted((price, path) for price, path in prices if price > 0)
        for price, path in prices:
            if price < 0:
                yield Finding("lint.negative_price", f"{path}.price", {"dimension": dimension.value})
            elif code in LIKE_A_EURO and price > FAR_OUT[dimension]:
                said = {"dimension": dimension.value, "price": _price(price, tariff), "currency": code}
                yield Finding("lint.price_far_out", f"{path}.price", said)
        if above and above[-1][0] > JUMP * above[0][0]:
            (low, _), (high, path) = above[0], above[-1]
            said = {"dimension": dimension.value, "low": _price(low, tariff), "high": _price(high, tariff)}
            yield Finding("lint.price_jump", f"{path}.price", {**said, "times": f"{high / low:.1f}"})
        if before is not None and before.currency is tariff.currency:
            yield from _changed(dimension, above, before, tariff)


def _changed(
    dimension: Dimension, above: list[tuple[Decimal, str]], before: Tariff, tariff: Tariff
) -> Iterator[Finding]:
    """A price that grew by half or more, or fell to half or less, since the version before."""
    was = [one.price for element in before.elements for one in element.components if one.dimension is dimension]
    highest = max(was, default=None)
    if not above or highest is None or highest <= 0:
        return
    now, path = above[-1]
    if now * 2 >= highest * 3 or now * 2 <= highest:
        said = {"dimension": dimension.value, "before": _price(highest, before), "after": _price(now, tariff)}
        yield Finding("lint.price_changed", f"{path}.price", said)


def _price(price: Decimal, tariff: Tariff) -> str:
    return f"{explain.price_text(price, tariff.currency.exponent)} {tariff.currency.code}"


def _taxes(tariff: Tariff, data: Mapping[str, Any]) -> Iterator[Finding]:
    if data.get("tax_included") == "N/A":
        return
    if data.get("tax_included") is None:
        yield Finding("lint.tax_basis_not_told", "tax_included")
    rates: dict[Dimension, set[str]] = {}
    for element in tariff.elements:
        for place, one in enumerate(element.components):
            if one.tax_rate is None and one.price:
                yield Finding("lint.tax_missing", f"{_path(element, place)}.vat", {"dimension": one.dimension.value})
            elif one.tax_rate is not None:
                rates.setdefault(one.dimension, set()).add(plain(one.tax_rate))
    for dimension, found in rates.items():
        if len(found) > 1:
            said = " %, ".join(sorted(found)) + " %"
            yield Finding("lint.taxes_differ", "elements", {"dimension": dimension.value, "rates": said})


def _own(tariff: Tariff) -> Iterator[Finding]:
    """What is odd about fields of our own."""
    dimensions = {one.dimension for element in tariff.elements for one in element.components if one.price}
    if tariff.idle_free is not None and Dimension.PARKING_TIME not in dimensions:
        yield Finding("lint.free_without_idle_price", "idle_free")
    if tariff.idle_below is not None and Dimension.PARKING_TIME not in dimensions:
        yield Finding("lint.power_without_idle_price", "idle_below")
    for element in tariff.elements:
        for place, one in enumerate(element.components):
            if one.index is not None and not one.price:
                yield Finding(
                    "lint.falls_back_to_nothing", f"{_path(element, place)}.price", {"market": one.index.market}
                )


def unknown_markets(tariff: Tariff, known: Collection[Wanted]) -> Iterator[Finding]:
    """Indexes that follow a market of which no price is known."""
    for path, index in indexes(tariff):
        wanted = Wanted(index.market, index.minutes, tariff.currency.code)
        if wanted not in known:
            yield Finding("lint.market_without_prices", f"{path}.market", wanted._asdict())


def _caps(tariff: Tariff) -> Iterator[Finding]:
    """Caps that change nothing, or that leave nothing of what is meant to be the least."""
    for place, cap in enumerate(tariff.caps):
        path = f"caps[{place}]"
        whole = not cap.dimensions
        for name, most in limit_data(cap.limit).items():
            above, least = (getattr(limit, name, None) for limit in (tariff.max_price, tariff.min_price))
            if whole and cap.per == "session" and above is not None and Decimal(most) >= above:
                yield Finding("lint.cap_never_reached", f"{path}.{name}", {"cap": most, "most": plain(above)})
            if whole and least is not None and Decimal(most) < least:
                yield Finding("lint.cap_below_minimum", f"{path}.{name}", {"cap": most, "least": plain(least)})
        priced = {one.dimension for element in tariff.elements for one in element.components if one.price}
        if cap.dimensions and not cap.dimensions & priced:
            names = ", ".join(sorted(cap.dimensions))
            yield Finding("lint.nothing_to_take_off", f"{path}.dimensions", {"dimensions": names})


def _discounts(tariff: Tariff, today: date | None) -> Iterator[Finding]:
    priced = {one.dimension for element in tariff.elements for one in element.components if one.price}
    for place, one in enumerate(tariff.discounts):
        path = f"discounts[{place}]"
        if one.dimensions and not one.dimensions & priced:
            yield Finding(
                "lint.nothing_to_take_off", f"{path}.dimensions", {"dimensions": ", ".join(sorted(one.dimensions))}
            )
        if one.start_date is not None and one.end_date is not None and one.start_date >= one.end_date:
            said = {"low": f"start_date {one.start_date}", "high": f"end_date {one.end_date}"}
            yield Finding("lint.never_applies", f"{path}.end_date", said)
        elif today is not None and one.end_date is not None and one.end_date <= today:
            yield Finding("lint.over", f"{path}.end_date", {"end": one.end_date.isoformat()})
        if one.percent == 100 and not one.dimensions and one.end_date is None:
            yield Finding("lint.all_is_free", f"{path}.percent")


def _steps(data: Mapping[str, Any]) -> Iterator[Finding]:
    for number, element in enumerate(data["elements"]):
        for place, one in enumerate(element["price_components"]):
            path, step = f"elements[{number}].price_components[{place}].step_size", one.get("step_size")
            dimension = Dimension(one["type"])
            is_free = str(one["price"]).strip("0.+-") == ""
            if step == 0 and dimension is not Dimension.FLAT and not is_free:
                yield Finding("lint.zero_step", path)
            elif step is not None and step > LARGE_STEPS.get(dimension, step):
                size = (
                    f"{plain(Decimal(step).scaleb(-3))} kWh"
                    if dimension is Dimension.ENERGY
                    else explain.duration(step * 1000)
                )
                yield Finding("lint.large_step", path, {"size": size})
