"""Pure: from a tariff as data (OCPI 2.2.1 or 2.3.0 JSON) to a tariff; what cannot be meant is refused with its path."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tallywatt.rating.fields import BadField, Version, currency_of, filled_list, instant, number, text
from tallywatt.rating.index import read_index
from tallywatt.rating.read_reductions import read_caps, read_discounts
from tallywatt.rating.records import Dimension, TaxBasis
from tallywatt.rating.tariff import (
    DAYS,
    MINUTES_PER_DAY,
    UNRESTRICTED,
    Component,
    Element,
    GraceAfter,
    IdleBelow,
    IdleFree,
    IdleGrace,
    PriceLimit,
    Restrictions,
    Tariff,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ABOUT: Final = (
    "country_code", "party_id", "type", "tariff_alt_text", "tariff_alt_url", "start_date_time", "end_date_time",
    "energy_mix", "preauthorize_amount", "last_updated",
)  # fmt: skip
"""Keys of OCPI that decide no amount: who owns the tariff, when it is valid (assignments say that), and the like."""
_TARIFF_KEYS: Final = {
    "id",
    "name",
    "currency",
    "tax_included",
    "min_price",
    "max_price",
    "idle_grace",
    "idle_free",
    "idle_below",
    "caps",
    "discounts",
    "elements",
}
_BEFORE: Final = ("before_taxes", "excl_vat")
_AFTER: Final = ("after_taxes", "incl_vat")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_TAX_BASIS: Final = {"YES": TaxBasis.GROSS, "NO": TaxBasis.NET, "N/A": TaxBasis.NET}


def version_of(data: Mapping[str, Any]) -> Version:
    """The version of OCPI whose shape a tariff has; what two versions share counts as the older one."""
    limits = [data[key] for key in ("min_price", "max_price") if isinstance(data.get(key), dict)]
    if data.get("tax_included") is not None or any("before_taxes" in one or "after_taxes" in one for one in limits):
        return Version.OCPI_2_3_0
    elements = data.get("elements")
    components = [
        component
        for element in (elements if isinstance(elements, list) else ())
        if isinstance(element, dict) and isinstance(element.get("price_components"), list)
        for component in element["price_components"]
    ]
    names_tax = any(isinstance(one, dict) and "vat" in one for one in components)
    return Version.OCPI_2_2_1 if limits or names_tax or "country_code" in data else Version.OCPI_2_1_1


def read_tariff(data: Mapping[str, Any], version: Version | None = None) -> Tariff:
    """The tariff of JSON-like data, or BadField naming the path. Unknown keys are listed in `unread`.

    Before 2.3.0 prices are without tax. A tariff that is put down here must say what it means: without a version,
    `tax_included` is required.
    """
    unread = [key for key in data if key not in _TARIFF_KEYS and key not in ABOUT]
    reference = text(data, "id")
    basis = _tax_basis(data, version)
    elements = tuple(
        _element(index, element, f"elements[{index}]", unread)
        for index, element in enumerate(filled_list(data, "elements", "elements"))
    )
    taxes_apply = data.get("tax_included") != "N/A"
    if not taxes_apply:
        elements = _without_tax(elements, unread)
    for key in ("start_date_time", "end_date_time"):
        if data.get(key) is not None:
            instant(data[key], key)
    min_price, max_price = _limit(data, "min_price", unread), _limit(data, "max_price", unread)
    _check_limits(min_price, max_price)
    grace = _grace(data.get("idle_grace"), unread)
    caps, discounts = read_caps(data.get("caps"), unread), read_discounts(data.get("discounts"), unread)
    return Tariff(
        reference=reference,
        name=_name(data, reference),
        currency=currency_of(data),
        tax_basis=basis,
        elements=elements,
        min_price=min_price,
        max_price=max_price,
        taxes_apply=taxes_apply,
        tax_is_said=data.get("tax_included") is not None,
        idle_grace=grace,
        idle_free=_idle_free(data.get("idle_free"), unread),
        idle_below=_idle_below(data.get("idle_below"), unread),
        caps=caps,
        discounts=discounts,
        unread=tuple(sorted(unread)),
        about={key: data[key] for key in ABOUT if data.get(key) is not None},
    )


def _without_tax(elements: tuple[Element, ...], unread: list[str]) -> tuple[Element, ...]:
    """Elements of a tariff on which there is no tax: a percentage in them has no effect, and is reported."""
    unread += [
        f"elements[{element.index}].price_components[{place}].vat"
        for element in elements
        for place, component in enumerate(element.components)
        if component.tax_rate is not None
    ]
    return tuple(
        replace(element, components=tuple(replace(component, tax_rate=None) for component in element.components))
        for element in elements
    )


def _limit(data: Mapping[str, Any], key: str, unread: list[str]) -> PriceLimit | None:
    """A price limit: 2.3.0's PriceLimit or 2.2.1's Price."""
    given = data.get(key)
    if given is None:
        return None
    if not isinstance(given, dict):
        raise BadField(key, "tariff.not_an_object", "must be an object with before_taxes and after_taxes")
    unread += [f"{key}.{name}" for name in given if name not in {*_BEFORE, *_AFTER}]
    before, after = (_bound(given, names, key) for names in (_BEFORE, _AFTER))
    if before is None and after is None:
        raise BadField(key, "tariff.missing", "must have before_taxes, after_taxes, or both")
    return PriceLimit(before, after)


def _bound(given: Mapping[str, Any], names: tuple[str, str], key: str) -> Decimal | None:
    found = [name for name in names if given.get(name) is not None]
    return number(given[found[0]], f"{key}.{found[0]}") if found else None


def _grace(given: Any, unread: list[str]) -> IdleGrace | None:
    """Our own field, beside those of OCPI."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise _bad(path="idle_grace", what="not_an_object", says="must be an object with seconds and retroactive")
    unread += [f"idle_grace.{name}" for name in given if name not in {"seconds", "retroactive"}]
    seconds, retroactive = given.get("seconds"), given.get("retroactive", False)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < 10**9:
        raise _bad(path="idle_grace.seconds", what="not_a_number", says="must be a whole number from 1")
    if not isinstance(retroactive, bool):
        raise _bad(path="idle_grace.retroactive", what="not_known", says="must be true or false")
    return IdleGrace(seconds, retroactive)


def _idle_below(given: Any, unread: list[str]) -> IdleBelow | None:
    """Likewise our own."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise _bad(path="idle_below", what="not_an_object", says="must be an object with watts and seconds")
    unread += [f"idle_below.{name}" for name in given if name not in {"watts", "seconds"}]
    for name in ("watts", "seconds"):
        one = given.get(name)
        if not isinstance(one, int) or isinstance(one, bool) or not 0 < one < 10**9:
            raise _bad(path=f"idle_below.{name}", what="not_a_number", says="must be a whole number from 1")
    return IdleBelow(given["watts"], given["seconds"])


def _idle_free(given: Any, unread: list[str]) -> IdleFree | None:
    """Our own field, too: windows as restrictions name them, with times and days alone."""
    if given is None:
        return None
    path = "idle_free"
    if not isinstance(given, dict):
        raise _bad(path=path, what="not_an_object", says="must be an object with windows")
    unread += [f"{path}.{name}" for name in given if name not in {"windows", "grace"}]
    windows = []
    for place, one in enumerate(filled_list(given, "windows", f"{path}.windows")):
        window = _restrictions(one, f"{path}.windows[{place}]", unread)
        if window == UNRESTRICTED or window != replace(
            UNRESTRICTED, start_time=window.start_time, end_time=window.end_time, days=window.days
        ):
            says = "must have start_time, end_time or day_of_week, and nothing else"
            raise _bad(path=f"{path}.windows[{place}]", what="not_known", says=says)
        windows.append(window)
    grace = given.get("grace", GraceAfter.PAUSES.value)
    if grace not in list(GraceAfter):
        raise _bad(path=f"{path}.grace", what="not_known", says=f"must be one of {', '.join(GraceAfter)}")
    return IdleFree(tuple(windows), GraceAfter(grace))


def _check_limits(low: PriceLimit | None, high: PriceLimit | None) -> None:
    if low is None or high is None:
        return
    for least, most in ((low.before_taxes, high.before_taxes), (low.after_taxes, high.after_taxes)):
        if least is not None and most is not None and least > most:
            raise _bad(path="min_price", what="limits_contradict", says="must not be above max_price")


@lru_cache(maxsize=4096)
def read_tariff_text(canonical: str) -> Tariff:
    """The tariff of a stored canonical text; read and compiled once per process."""
    return read_tariff(msgspec.json.decode(canonical))


def _tax_basis(data: Mapping[str, Any], version: Version | None) -> TaxBasis:
    said = data.get("tax_included")
    if said is None and version is not None:
        return TaxBasis.NET
    basis = _TAX_BASIS.get(said) if isinstance(said, str) else None
    if basis is None:
        raise _bad(
            path="tax_included",
            what="missing" if said is None else "not_known",
            says="must say whether prices include tax: YES, NO or N/A",
            remedy='Add "tax_included": "YES" for consumer prices, "NO" for prices to which tax is added.',
        )
    return basis


def _name(data: Mapping[str, Any], reference: str) -> str:
    if isinstance(data.get("name"), str) and data["name"].strip():
        return str(data["name"]).strip()
    texts = data.get("tariff_alt_text")
    if isinstance(texts, list):
        for one in texts:
            if isinstance(one, dict) and isinstance(one.get("text"), str) and one["text"].strip():
                return str(one["text"]).strip()
    return reference


def _element(index: int, data: Any, path: str, unread: list[str]) -> Element:
    if not isinstance(data, dict):
        raise _bad(path=path, what="not_an_object", says="must be an object with price_components")
    unread += [f"{path}.{key}" for key in data if key not in {"price_components", "restrictions"}]
    components: list[Component] = []
    for place, one in enumerate(filled_list(data, "price_components", f"{path}.price_components")):
        component = _component(one, f"{path}.price_components[{place}]", unread)
        if any(component.dimension is earlier.dimension for earlier in components):
            where = f"{path}.price_components[{place}]"
            raise _bad(path=where, what="twice", says=f"{component.dimension} is priced twice in one element")
        components.append(component)
    restrictions = _restrictions(data.get("restrictions"), f"{path}.restrictions", unread)
    if restrictions.reservation is not None:
        _check_reservation(components, path)
    return Element(index, tuple(components), restrictions)


def _check_reservation(components: list[Component], path: str) -> None:
    for component in components:
        if component.dimension not in {Dimension.FLAT, Dimension.TIME}:
            raise _bad(
                path=path,
                what="bad_reservation",
                says=f"a reservation has no {component.dimension}: only FLAT and TIME",
            )


def _component(data: Any, path: str, unread: list[str]) -> Component:
    if not isinstance(data, dict):
        raise _bad(path=path, what="not_an_object", says="must be an object with type and price")
    unread += [f"{path}.{key}" for key in data if key not in {"type", "price", "vat", "step_size", "index"}]
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in set(Dimension):
        raise _bad(path=f"{path}.type", what="not_known", says=f"must be one of {', '.join(Dimension)}")
    tax_rate = None if data.get("vat") is None else number(data["vat"], f"{path}.vat")
    if tax_rate is not None and not 0 <= tax_rate <= 100:
        raise _bad(path=f"{path}.vat", what="out_of_range", says="must be a percentage from 0 to 100")
    if "price" not in data:
        raise _bad(path=f"{path}.price", what="missing", says="must be given")
    step = data.get("step_size", 0)
    if not isinstance(step, int) or isinstance(step, bool) or step < 0:
        raise _bad(path=f"{path}.step_size", what="not_a_number", says="must be a whole number from 0")
    dimension = Dimension(kind)
    index = None if data.get("index") is None else read_index(data["index"], f"{path}.index", unread)
    if index is not None and dimension is not Dimension.ENERGY:
        raise _bad(path=f"{path}.index", what="not_known", says="only a price of ENERGY can follow a market")
    # No step, or one of 0 as it occurs in free tariffs, means no blocks; a flat price has none to begin with.
    return Component(
        dimension, number(data["price"], f"{path}.price"), tax_rate, 0 if dimension is Dimension.FLAT else step, index
    )


def _restrictions(data: Any, path: str, unread: list[str]) -> Restrictions:
    if data is None:
        return UNRESTRICTED
    if not isinstance(data, dict):
        raise _bad(path=path, what="not_an_object", says="must be an object")
    given = {key: value for key, value in data.items() if value is not None}
    unread += [f"{path}.{key}" for key in given if key not in _READERS]
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key in _READERS:
            name, reader = _READERS[key]
            values[name] = reader(value, f"{path}.{key}")
    return Restrictions(**values)


def _start_time(value: Any, path: str) -> int:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _bad(path=path, what="not_a_time", says="must be a local time as HH:MM")
    return int(match[1]) * 60 + int(match[2])


def _end_time(value: Any, path: str) -> int:
    return _start_time(value, path) or MINUTES_PER_DAY


def _date(value: Any, path: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _bad(path=path, what="not_a_date", says="must be a date as YYYY-MM-DD") from error


def _scaled(places: int) -> Any:
    def read(value: Any, path: str) -> int:
        scaled = number(value, path).scaleb(places)
        if scaled != scaled.to_integral_value() or scaled < 0:
            raise _bad(path=path, what="out_of_range", says=f"must be from 0, with at most {places} decimal places")
        return int(scaled)

    return read


def _days(value: Any, path: str) -> tuple[int, ...]:
    if not isinstance(value, list) or any(day not in DAYS for day in value):
        raise _bad(path=path, what="not_known", says=f"must be a list of {', '.join(DAYS)}")
    return tuple(sorted({DAYS.index(day) for day in value}))


def _reservation(value: Any, path: str) -> str:
    if value not in ("RESERVATION", "RESERVATION_EXPIRES"):
        raise _bad(path=path, what="not_known", says="must be RESERVATION or RESERVATION_EXPIRES")
    return str(value)


_READERS: Final[dict[str, tuple[str, Any]]] = {
    "start_time": ("start_time", _start_time),
    "end_time": ("end_time", _end_time),
    "start_date": ("start_date", _date),
    "end_date": ("end_date", _date),
    "min_kwh": ("min_milliwatt_hours", _scaled(6)),
    "max_kwh": ("max_milliwatt_hours", _scaled(6)),
    "min_month_kwh": ("min_month_milliwatt_hours", _scaled(6)),
    "max_month_kwh": ("max_month_milliwatt_hours", _scaled(6)),
    "min_current": ("min_milliamps", _scaled(3)),
    "max_current": ("max_milliamps", _scaled(3)),
    "min_power": ("min_watts", _scaled(3)),
    "max_power": ("max_watts", _scaled(3)),
    "min_duration": ("min_seconds", _scaled(0)),
    "max_duration": ("max_seconds", _scaled(0)),
    "day_of_week": ("days", _days),
    "reservation": ("reservation", _reservation),
}


def _bad(*, path: str, what: str, says: str, remedy: str | None = None) -> BadField:
    return BadField(path, f"tariff.{what}", says, remedy)
