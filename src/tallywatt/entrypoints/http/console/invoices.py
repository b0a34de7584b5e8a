"""Invoices on the console."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.money import pdf_of
from tallywatt.entrypoints.http.console.shown import PAGE, shown
from tallywatt.entrypoints.http.doors import Reader, TheHouse

router = APIRouter()


@router.get("/console/invoices")
async def list_invoices(
    request: Request, caller: Reader, house: TheHouse, owed: bool = False, cursor: str | None = None
) -> Response:
    """Invoices, newest first; `owed=true` those that are not paid in full."""
    if owed:
        rows, after = await house.ask(house.views.owed_invoices, caller.operator_id), None
    else:
        listed = await house.ask(house.views.invoices, caller.operator_id, PAGE, cursor)
        rows, after = listed["items"], listed["next"]
    return await shown(request, house, caller, "invoices.html", "invoices", rows=rows, next=after, owed=owed)


@router.get("/console/invoices/{number}.pdf")
async def show_invoice(number: str, caller: Reader, house: TheHouse) -> Response:
    """The invoice as it was printed."""
    return await pdf_of(house, caller.operator_id, number)
