"""Pure: caps and discounts of a tariff as data: read, and refused with their path."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tallywatt.rating.fields import BadField, number
from tallywatt.rating.records import Dimension
from tallywatt.rating.tariff import Cap, Discount, PriceLimit

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 20
SPANS: Final = ("session", "day")
_BOUNDS: Final = ("before_taxes", "after_taxes")
_CAP_KEYS: Final = frozenset({"per", "dimensions", *_BOUNDS})
_DISCOUNT_KEYS: Final = frozenset({"id", "percent", "dimensions", "start_date", "end_date", "coupon", *_BOUNDS})


def read_caps(given: Any, unread: list[str]) -> tuple[Cap, ...]:
    """The caps of a tariff: the most for a session or a day, of the whole or of some dimensions."""
    return tuple(_cap(one, f"caps[{place}]", unread) for place, one in enumerate(_list(given, "caps")))


def read_discounts(given: Any, unread: list[str]) -> tuple[Discount, ...]:
    """The discounts of a tariff, in the order in which they are taken off."""
    found = [read_discount(one, f"discounts[{place}]", unread) for place, one in enumerate(_list(given, "discounts"))]
    for place, one in enumerate(found):
        if one.is_coupon:
            # A coupon is claimed for one session; one that is in a tariff would be everybody's.
            raise BadField(path=f"discounts[{place}].coupon", code="tariff.not_known", says="is said of coupons alone")
        if any(one.name == other.name for other in found[:place]):
            raise BadField(path=f"discounts[{place}].id", code="tariff.twice", says="must differ from the others")
    return tuple(found)


def _list(given: Any, path: str) -> list[Any]:
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > MOST:
        raise BadField(path, "tariff.not_a_list", f"must be a list of at most {MOST}")
    return given


def _cap(data: Any, path: str, unread: list[str]) -> Cap:
    given = _object(data, path, _CAP_KEYS, unread)
    if given.get("per") not in SPANS:
        raise BadField(path=f"{path}.per", code="tariff.not_known", says="must be session or day")
    limit = _amount(given, path)
    if limit is None:
        raise BadField(path=path, code="tariff.missing", says="must have before_taxes, after_taxes, or both")
    return Cap(given["per"], limit, _dimensions(given, path))


def read_discount(data: Any, path: str, unread: list[str]) -> Discount:
    """One discount, of a tariff or of a coupon."""
    given = _object(data, path, _DISCOUNT_KEYS, unread)
    name = given.get("id")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 64:
        raise BadField(path=f"{path}.id", code="tariff.missing", says="must be given as text of at most 64 characters")
    percent, amount = None, _amount(given, path)
    if given.get("percent") is not None:
        percent = number(given["percent"], f"{path}.percent")
        if not 0 < percent <= 100:
            raise BadField(path=f"{path}.percent", code="tariff.out_of_range", says="must be above 0 and at most 100")
    if (percent is None) is (amount is None):
        raise BadField(path=path, code="tariff.missing", says="must have either percent or an amount")
    if amount is not None and None not in (amount.before_taxes, amount.after_taxes):
        raise BadField(path=path, code="tariff.twice", says="must have one amount, before or after taxes")
    start, end = (_date(given.get(key), f"{path}.{key}") for key in ("start_date", "end_date"))
    coupon = given.get("coupon", False)
    if not isinstance(coupon, bool):
        raise BadField(path=f"{path}.coupon", code="tariff.not_known", says="must be true or false")
    return Discount(name.strip(), percent, amount, _dimensions(given, path), start, end, coupon)


def discount_of(code: str, terms: Mapping[str, Any]) -> Discount:
    """What a coupon grants, by its code and its terms."""
    return read_discount({**terms, "id": code, "coupon": True}, "terms", [])


def _object(data: Any, path: str, known: frozenset[str], unread: list[str]) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise BadField(path, "tariff.not_an_object", "must be an object")
    unread += [f"{path}.{key}" for key in data if key not in known]
    return {key: value for key, value in data.items() if value is not None}


def _amount(given: Mapping[str, Any], path: str) -> PriceLimit | None:
    before, after = (_positive(given.get(key), f"{path}.{key}") for key in _BOUNDS)
    return None if before is None and after is None else PriceLimit(before, after)


def _positive(value: Any, path: str) -> Decimal | None:
    if value is None:
        return None
    found = number(value, path)
    if found < 0:
        raise BadField(path, "tariff.out_of_range", "must not be below zero")
    return found


def _dimensions(given: Mapping[str, Any], path: str) -> frozenset[Dimension]:
    told = given.get("dimensions", [])
    if not isinstance(told, list) or not all(isinstance(one, str) and one in set(Dimension) for one in told):
        says = f"must be a list of {', '.join(Dimension)}"
        raise BadField(path=f"{path}.dimensions", code="tariff.not_known", says=says)
    return frozenset(Dimension(one) for one in told)


def _date(value: Any, path: str) -> date | None:
    try:
        return None if value is None else date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadField(path=path, code="tariff.not_a_date", says="must be a date as YYYY-MM-DD") from error
