"""Prices of a market come in: new ones, the same again, or corrected. No offer that was made is changed by any of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import rfc3339
from tallywatt.market.price import MarketPrice, Told, checked, gaps
from tallywatt.rating.tariff import plain
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

TOLD_IN_FULL = 20
"""So many corrections are recorded with both their prices; of more, how many there were."""


@dataclass(frozen=True, slots=True)
class PutMarketPrices:
    """Prices as somebody tells them."""

    prices: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class MarketPricesPut:
    """What became of them."""

    new: int
    same: int
    corrected: int
    gaps: int
    """Slots between the first and the last that have no price in what was told."""


def put_market_prices(work: UnitOfWork, command: PutMarketPrices) -> MarketPricesPut:
    """Keep the prices; the newest word of each slot counts from now on."""
    told = checked(command.prices)
    known = _known(work, told)
    new, corrected, changes = [], 0, []
    for one in told:
        before = known.get(one[:4])
        if before is None:
            new.append(MarketPrice(*one, created_at=work.now))
        elif before.per_mwh != one.per_mwh:
            corrected += 1
            work.market_prices.put(replace(before, per_mwh=one.per_mwh, changed_at=work.now))
            changes.append({"at": rfc3339(one.starts_at), "from": plain(before.per_mwh), "to": plain(one.per_mwh)})
    for row in new:
        work.market_prices.add(row)
    put = MarketPricesPut(len(new), len(told) - len(new) - corrected, corrected, gaps(told))
    if new or corrected:
        markets = sorted({one.market for one in told})
        after: dict[str, Any] = {"new": put.new, "corrected": corrected, "corrections": changes[:TOLD_IN_FULL]}
        record_action(work, "market_prices.put", "market", ", ".join(markets)[:200], after=after)
    return put


def _known(work: UnitOfWork, told: tuple[Told, ...]) -> dict[tuple[object, ...], MarketPrice]:
    series: dict[tuple[str, int, str], list[Told]] = {}
    for one in told:
        series.setdefault(one[:3], []).append(one)
    rows = (
        row
        for (market, minutes, code), ours in series.items()
        for row in work.queries.market_prices_between(market, minutes, code, ours[0].starts_at, ours[-1].starts_at)
    )
    return {(row.market, row.minutes, row.currency, row.starts_at): row for row in rows}
