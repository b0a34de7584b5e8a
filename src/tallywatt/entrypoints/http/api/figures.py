"""Figures: revenue by day, and what stands in the books."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.doors import Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed

router = APIRouter(tags=["figures"], route_class=Resource)


@router.get("/revenue")
async def list_revenue(
    request: Request,
    caller: Reader,
    house: TheHouse,
    since: date | None = None,
    until: date | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What was billed, by day of issue in the operator's zone and currency, the newest day first. `until` is left out."""
    span = {"since": since.isoformat() if since else None, "until": until.isoformat() if until else None}
    return await listed(request, house, caller, "revenue", limit, cursor, **span)


@router.get("/ledger/accounts")
async def list_ledger_accounts(
    request: Request, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """The accounts of the books by code: what was posted on either side, and the balance, debits less credits."""
    return await listed(request, house, caller, "ledger_accounts", limit, cursor)
