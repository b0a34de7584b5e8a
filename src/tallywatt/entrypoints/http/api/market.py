"""Prices of markets, which tariffs may follow: brought slot by slot, and listed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime

from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.changes import NewMarketPrices
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.kernel.clock import instant
from tallywatt.kernel.money import currency
from tallywatt.market.price import Told
from tallywatt.workflows.put_market_prices import PutMarketPrices, put_market_prices

if TYPE_CHECKING:
    from typing import Any

router = APIRouter(tags=["tariffs"], route_class=Resource)


@router.get("/market-prices")
async def list_market_prices(
    request: Request,
    caller: Reader,
    house: TheHouse,
    market: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Prices of markets, one series after the other; with `since` or `until` those of a time, in its order."""
    filters: dict[str, Any] = {"market": market, "since": when(since), "until": when(until)}
    return await listed(request, house, caller, "market_prices", limit, cursor, **filters)


@router.post("/market-prices")
async def post_market_prices(request: Request, body: NewMarketPrices, caller: Seller, house: TheHouse) -> Response:
    """Bring prices of a market. The same again changes nothing; another price for a slot corrects it.

    A corrected price counts for offers that are still to be made. Each offer carries the prices that were known when it was
    made, and a session is priced by its offer.
    """
    code = currency(body.currency).code
    told = tuple(
        Told(body.market.strip(), body.minutes, code, instant(one.starts_at), one.per_mwh) for one in body.prices
    )
    return await write_once(request, house, caller, put_market_prices, PutMarketPrices(told), asdict)
