"""Pure: a price per kWh that follows a market: how it is worked out of the market's price, slot by slot."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import parse_instant, rfc3339
from tallywatt.rating.fields import BadField, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.kernel.clock import Instant

MINUTES: Final = (15, 60)
MS_PER_MINUTE: Final = 60_000
DEFAULT_PLACES: Final = 4
_KEYS: Final = {"market", "minutes", "factor", "markup", "floor", "cap", "missing", "places", "slots"}


class Missing(StrEnum):
    """What holds in a slot whose price the market had not told when the price was offered."""

    FALLBACK = "fallback"
    """The component's own price."""
    LAST_KNOWN = "last_known"
    """The price of the slot before; the component's own price where there is none before."""
    HOLD = "hold"
    """The component's own price, and a person looks at the session before it is billed."""


@dataclass(frozen=True, slots=True)
class Index:
    """What makes a price per kWh out of a market's. Without `slots` it is a rule; with them it is frozen in an offer."""

    market: str
    """The market's zone, in the words under which its prices are kept: DE-LU, GB, NO1."""
    minutes: int = 60
    factor: Decimal = Decimal(1)
    markup: Decimal = Decimal(0)
    floor: Decimal | None = None
    cap: Decimal | None = None
    missing: Missing = Missing.FALLBACK
    places: int = DEFAULT_PLACES
    """What is shown is what is charged: the price is rounded to so many decimals, half away from zero."""
    slots: tuple[tuple[Instant, Decimal], ...] | None = None
    """When a slot begins, and the market's price per kWh in it; in order of time, gaps are slots without a price."""

    @property
    def milliseconds(self) -> int:
        """How long a slot is."""
        return self.minutes * MS_PER_MINUTE

    def price(self, market_price: Decimal) -> Decimal:
        """The price per kWh at a market's price per kWh."""
        found = self.factor * market_price + self.markup
        if self.floor is not None:
            found = max(found, self.floor)
        if self.cap is not None:
            found = min(found, self.cap)
        return found.quantize(Decimal(1).scaleb(-self.places), ROUND_HALF_UP)


def index_data(index: Index, plain: Any) -> dict[str, Any]:
    """An index as data, in the words in which it was put."""
    data: dict[str, Any] = {
        "market": index.market,
        "minutes": index.minutes,
        "factor": plain(index.factor),
        "markup": plain(index.markup),
        "missing": index.missing.value,
        "places": index.places,
    }
    data |= {name: plain(bound) for name, bound in (("floor", index.floor), ("cap", index.cap)) if bound is not None}
    if index.slots is not None:
        data["slots"] = [[rfc3339(at), plain(price)] for at, price in index.slots]
    return data


def read_index(data: Any, path: str, unread: list[str]) -> Index:
    """The index of JSON-like data, or BadField naming the path."""
    if not isinstance(data, dict):
        raise _bad(path=path, what="not_an_object", says="must be an object with market and minutes")
    unread += [f"{path}.{key}" for key in data if key not in _KEYS]
    market, minutes, places = data.get("market"), data.get("minutes", 60), data.get("places", DEFAULT_PLACES)
    if not isinstance(market, str) or not market.strip():
        raise _bad(path=f"{path}.market", what="missing", says="must name the zone of the market")
    if type(minutes) is not int or minutes not in MINUTES:
        raise _bad(path=f"{path}.minutes", what="not_known", says="must be 15 or 60")
    if type(places) is not int or not 0 <= places <= 6:
        raise _bad(path=f"{path}.places", what="out_of_range", says="must be a whole number from 0 to 6")
    missing = data.get("missing", Missing.FALLBACK.value)
    if missing not in list(Missing):
        raise _bad(path=f"{path}.missing", what="not_known", says=f"must be one of {', '.join(Missing)}")
    floor, cap = _bound(data, "floor", path), _bound(data, "cap", path)
    if floor is not None and cap is not None and cap < floor:
        raise _bad(path=f"{path}.cap", what="limits_contradict", says="must not be below the floor")
    return Index(
        market.strip(),
        minutes,
        number(data.get("factor", 1), f"{path}.factor"),
        number(data.get("markup", 0), f"{path}.markup"),
        floor,
        cap,
        Missing(missing),
        places,
        _slots(data["slots"], f"{path}.slots") if "slots" in data else None,
    )


def _bound(data: Mapping[str, Any], key: str, path: str) -> Decimal | None:
    return None if data.get(key) is None else number(data[key], f"{path}.{key}")


def _slots(data: Any, path: str) -> tuple[tuple[Instant, Decimal], ...]:
    pairs: list[Any] = data if isinstance(data, list) else [None]
    if not all(isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) for one in pairs):
        raise _bad(path=path, what="not_an_object", says="must be a list of pairs of a time and a price")
    return tuple((parse_instant(at), number(price, path)) for at, price in pairs)


def _bad(*, path: str, what: str, says: str) -> BadField:
    return BadField(path, f"tariff.{what}", says)
