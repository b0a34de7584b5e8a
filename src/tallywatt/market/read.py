"""Pure: prices of a market from a file: CSV with a header, or JSON; a row that cannot be meant is refused with its place."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.money import currency
from tallywatt.market.price import Told, checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST: Final = 100_000
"""So many prices in one go: three years of hours, or one of quarters."""
_PRICES: Final = {"per_mwh": Decimal(1), "per_kwh": Decimal(1000)}
_FAR_OUT: Final = 1_000_000
_PLACES: Final = 6
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def read_prices(
    text: str, *, market: str | None = None, minutes: int | None = None, code: str | None = None
) -> tuple[Told, ...]:
    """The prices of a file. What the caller names holds for rows that do not say it themselves.

    A row has `starts_at` and `per_mwh` or `per_kwh`, and may have `market`, `minutes` and `currency`. JSON is a list of such
    objects, or an object with them under `prices` and the rest beside it.
    """
    beside = {"market": market, "minutes": minutes, "currency": code}
    rows = list(_rows(text, beside))
    if not rows or len(rows) > MOST:
        msg = f"there are {len(rows)} prices in it"
        raise BadInput(msg, code="market.no_prices", remedy=f"Bring at least one and at most {MOST:,} at once.")
    return checked(_told(place, row) for place, row in rows)


def _rows(text: str, beside: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if text.lstrip()[:1] in {"[", "{"}:
        try:
            data = _decoder.decode(text)
        except msgspec.DecodeError as error:
            msg = f"it is not JSON: {error}"
            raise BadInput(msg, code="market.unreadable") from error
        if isinstance(data, dict):
            beside = {**beside, **{name: value for name, value in data.items() if name in beside and value is not None}}
            data = data.get("prices")
        for number, row in enumerate(data if isinstance(data, list) else (), 1):
            yield f"price {number}", _filled(row if isinstance(row, dict) else {}, beside)
        return
    lines = csv.DictReader(text.lstrip("\ufeff").splitlines(), delimiter=_delimiter(text))
    for row in lines:
        given = {
            (name or "").strip().lower(): (value or "").strip() for name, value in row.items() if isinstance(value, str)
        }
        yield f"line {lines.line_num}", _filled(given, beside)


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return ";" if header.count(";") > header.count(",") else ","


def _filled(row: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **{name: row.get(name) or value for name, value in beside.items()}}


def _told(place: str, row: Mapping[str, Any]) -> Told:
    given = [name for name in _PRICES if row.get(name) not in (None, "")]
    if len(given) != 1:
        raise _bad(place, "a price has either per_mwh or per_kwh")
    market, minutes, at = row["market"], str(row["minutes"]), row.get("starts_at")
    if not isinstance(market, str) or not 0 < len(market.strip()) <= 40:
        raise _bad(place, "the market is not named")
    if not minutes.isdecimal():
        raise _bad(place, "it is not said how many minutes a slot has")
    if not isinstance(row["currency"], str) or not isinstance(at, str):
        raise _bad(place, "starts_at and currency must be given as text")
    try:
        starts_at, code = parse_instant(at), currency(row["currency"].strip()).code
        price = Decimal(str(row[given[0]]).strip()) * _PRICES[given[0]]
    except (BadInput, InvalidOperation) as error:
        raise _bad(place, "its time, currency or price cannot be read") from error
    if not price.is_finite() or abs(price) >= _FAR_OUT or price != round(price, _PLACES):
        raise _bad(place, f"its price is not below {_FAR_OUT:,} with at most {_PLACES} decimal places")
    return Told(market.strip(), int(minutes), code, Instant(starts_at), price)


def _bad(place: str, says: str) -> BadInput:
    remedy = (
        "Columns: starts_at, per_mwh (or per_kwh), market, minutes, currency; the last three may be said once for all."
    )
    return BadInput(f"{place}: {says}", code="market.unreadable", remedy=remedy)
