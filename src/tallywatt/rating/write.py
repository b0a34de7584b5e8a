"""Pure: tariffs and records as OCPI's objects of a version, with a note of whatever that version cannot say."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tallywatt.kernel.clock import rfc3339
from tallywatt.rating.fields import Version
from tallywatt.rating.pipeline import Split, Wishes, exact_decimal, tax_amounts
from tallywatt.rating.rate_cdr import RatedRecord, costs
from tallywatt.rating.records import Dimension, TaxBasis
from tallywatt.rating.tariff import PriceLimit, Tariff, restriction_data, tax_included

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.rating.tariff import Component, Element

_FOUR_PLACES: Final = Decimal("0.0001")
"""OCPI's numbers have four decimals unless it says otherwise (types, number)."""
_ABOUT_2_1_1: Final = frozenset({"tariff_alt_text", "tariff_alt_url", "energy_mix", "last_updated"})
_NOT_IN_2_1_1: Final = ("min_current", "max_current", "reservation")
_NUMBERS: Final = frozenset(f"{side}_{what}" for side in ("min", "max") for what in ("kwh", "current", "power"))
_REST_2_1_1: Final = {"auth_id", "auth_method", "location", "meter_id", "total_energy", "remark", "last_updated"}
_ONLY_2_1_1: Final = {"auth_id", "location"}


class Written(NamedTuple):
    """An object of OCPI, and the paths of what it cannot carry."""

    data: dict[str, Any]
    lost: tuple[str, ...]


def write_tariff(
    tariff: Tariff,
    version: Version,
    *,
    last_updated: Instant | None = None,
    country_code: str | None = None,
    party_id: str | None = None,
) -> Written:
    """The tariff in a version's shape. Where nothing is lost, it prices every session as the tariff itself does."""
    lost: list[str] = []
    given = {"country_code": country_code, "party_id": party_id}
    if last_updated is not None:
        given["last_updated"] = rfc3339(last_updated)
    about = {**tariff.about, **{key: value for key, value in given.items() if value is not None}}
    if tariff.name != tariff.reference and "tariff_alt_text" not in about:
        about["tariff_alt_text"] = [{"language": "en", "text": tariff.name}]
    if version is Version.OCPI_2_1_1:
        lost += [key for key in ("type", "start_date_time", "end_date_time") if key in about]
        about = {key: value for key, value in about.items() if key in _ABOUT_2_1_1}
    data: dict[str, Any] = {"id": tariff.reference, "currency": tariff.currency.code} | about
    data["elements"] = [
        written
        for element in tariff.elements
        if (written := _element(element, tariff, version, lost, f"elements[{element.index}]")) is not None
    ]
    if tariff.idle_grace is not None:
        lost.append("idle_grace")
    lost += [name for name in ("idle_free", "idle_below") if getattr(tariff, name) is not None]
    lost += [f"discounts[{place}]" for place in range(len(tariff.discounts))]
    for name, limit in (("min_price", tariff.min_price), ("max_price", _most(tariff, version, lost))):
        if limit is not None and version is Version.OCPI_2_1_1:
            lost.append(name)
        elif limit is not None:
            data[name] = _limit(limit, tariff, version, lost, name)
    if version is Version.OCPI_2_3_0:
        data["tax_included"] = tax_included(tariff)
    return Written(data, tuple(lost))


def _most(tariff: Tariff, version: Version, lost: list[str]) -> PriceLimit | None:
    """The tariff's maximum; one cap for whole sessions is the same in other words, where there is no maximum beside it."""
    can_say = version is not Version.OCPI_2_1_1 and tariff.max_price is None
    same = [one for one in tariff.caps if one.per == "session" and not one.dimensions] if can_say else []
    said = same[0] if len(same) == 1 else None
    lost += [f"caps[{place}]" for place, one in enumerate(tariff.caps) if one is not said]
    return said.limit if said is not None else tariff.max_price


def _element(element: Element, tariff: Tariff, version: Version, lost: list[str], path: str) -> dict[str, Any] | None:
    """An element; one whose restrictions a version lacks is left out, since without them it would apply always."""
    restrictions = {
        name: Decimal(value) if name in _NUMBERS else value
        for name, value in restriction_data(element.restrictions).items()
    }
    if version is Version.OCPI_2_1_1:
        missing = [name for name in _NOT_IN_2_1_1 if name in restrictions]
        if missing:
            lost += [f"{path}.restrictions.{name}" for name in missing]
            return None
    tier = [name for name in ("min_month_kwh", "max_month_kwh") if name in restrictions]
    lost += [f"{path}.restrictions.{name}" for name in tier]
    if "min_month_kwh" in tier:
        return None
    # The first tier is the price of whoever had nothing yet, as a partner's customer had.
    restrictions.pop("max_month_kwh", None)
    data: dict[str, Any] = {
        "price_components": [
            _component(one, tariff, version, lost, f"{path}.price_components[{place}]")
            for place, one in enumerate(element.components)
        ]
    }
    if restrictions:
        data["restrictions"] = restrictions
    return data


def _component(one: Component, tariff: Tariff, version: Version, lost: list[str], path: str) -> dict[str, Any]:
    price = one.price
    if version is not Version.OCPI_2_3_0 and tariff.tax_basis is TaxBasis.GROSS and one.tax_rate:
        price = _net(one.price, one.tax_rate)
        if price * (100 + one.tax_rate) != one.price * 100:
            lost.append(f"{path}.price")
    if one.step_size == 0 and one.dimension is not Dimension.FLAT:
        # OCPI asks for a block, and the smallest is a watt-hour or a second.
        lost.append(f"{path}.step_size")
    if one.index is not None:
        # Its own price, which holds where the market's is not known, is all that OCPI can carry.
        lost.append(f"{path}.index")
    data: dict[str, Any] = {"type": one.dimension.value, "price": price, "step_size": one.step_size or 1}
    if one.tax_rate is not None:
        if version is Version.OCPI_2_1_1:
            lost.append(f"{path}.vat")
        else:
            data["vat"] = one.tax_rate
    return data


def _net(gross: Decimal, rate: Decimal) -> Decimal:
    """A price without its tax, to as many places as OCPI's numbers have."""
    exact = exact_decimal(Fraction(gross) * 100 / (100 + Fraction(rate)))
    return exact if exact == exact.quantize(_FOUR_PLACES) else exact.quantize(_FOUR_PLACES, ROUND_HALF_EVEN)


def _limit(limit: PriceLimit, tariff: Tariff, version: Version, lost: list[str], path: str) -> dict[str, Decimal]:
    before, after = limit.before_taxes, limit.after_taxes
    if version is Version.OCPI_2_3_0:
        names = {"before_taxes": before, "after_taxes": after}
    else:
        names = {"excl_vat": before, "incl_vat": after}
        if before is None and after is not None:
            # 2.2.1 must have a bound before tax: that of the highest rate says least.
            rates = (one.tax_rate or Decimal(0) for element in tariff.elements for one in element.components)
            names["excl_vat"] = _net(after, max(rates))
            lost.append(f"{path}.excl_vat")
    return {name: bound for name, bound in names.items() if bound is not None}


# Records


def write_cdr(rated: RatedRecord, version: Version, wishes: Wishes) -> Written:
    """The record with its price, in a version's shape; amounts as `wishes` has them, exact ones to four decimals."""
    record, lost = rated.record, []
    old = version is Version.OCPI_2_1_1
    split = Split(rated, wishes)
    rest = {
        key: value
        for key, value in record.rest.items()
        if not key.startswith("total_") and (key in _REST_2_1_1 if old else key not in _ONLY_2_1_1)
    }
    lost += sorted(key for key in record.rest if key not in rest and not key.startswith("total_"))
    data: dict[str, Any] = {
        "id": record.reference,
        "start_date_time": rfc3339(record.started_at),
        ("stop_date_time" if old else "end_date_time"): rfc3339(record.ended_at),
        "currency": record.currency.code,
        **rest,
    }
    tariffs = [write_tariff(one, version) for one in rated.tariffs]
    lost += [f"tariffs[{place}].{path}" for place, one in enumerate(tariffs) for path in one.lost]
    data["tariffs"] = [one.data for one in tariffs]
    data["charging_periods"] = [
        {
            "start_date_time": rfc3339(one.start),
            "dimensions": [{"type": kind, "volume": volume} for kind, volume in one.dimensions],
            **({"tariff_id": one.tariff_reference} if one.tariff_reference is not None and not old else {}),
        }
        for one in record.periods
    ]
    data |= _totals(rated, version, wishes, split)
    if record.is_credit and old:
        lost.append("credit")
    elif record.is_credit:
        data |= {"credit": True, "credit_reference_id": record.credit_reference}
    return Written(data, tuple(lost))


def _totals(rated: RatedRecord, version: Version, wishes: Wishes, split: Split) -> dict[str, Any]:
    record, parts = rated.record, costs(rated)
    sign = -1 if record.is_credit else 1
    everything = range(len(rated.rated.lines))
    energy = sum(one.milliwatt_hours - one.fed_back for one in record.periods)
    parking = sum(one.parking or 0 for one in record.periods)
    data: dict[str, Any] = {
        "total_cost": _price(everything, rated, version, wishes, split, sign),
        "total_energy": Decimal(energy).scaleb(-6),
        "total_time": _hours(record.ended_at - record.started_at),
        "total_parking_time": _hours(parking),
    }
    if version is not Version.OCPI_2_1_1:
        data |= {
            f"total_{name}_cost": _price(places, rated, version, wishes, split, 1)
            for name, places in parts.items()
            if places
        }
    return data


def _price(
    places: Iterable[int], rated: RatedRecord, version: Version, wishes: Wishes, split: Split, sign: int
) -> Decimal | Mapping[str, Any]:
    lines = list(places)
    before, after = (_amount(sign * one) for one in split.of_lines(lines))
    if version is Version.OCPI_2_1_1:
        return before
    if version is Version.OCPI_2_2_1:
        return {"excl_vat": before, "incl_vat": after}
    taxes = tax_amounts(rated, wishes, split, sign, lines)
    return {"before_taxes": before, "taxes": [one | {"amount": _amount(Fraction(one["amount"]))} for one in taxes]}


def _amount(exact: Fraction) -> Decimal:
    return exact_decimal(exact).quantize(_FOUR_PLACES, ROUND_HALF_EVEN)


def _hours(milliseconds: int) -> Decimal:
    return (Decimal(milliseconds) / 3_600_000).quantize(_FOUR_PLACES, ROUND_HALF_EVEN)
