"""The console's search: one box for numbers, names and ids."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import AfterValidator

from tallywatt.entrypoints.http.console.shown import shown
from tallywatt.entrypoints.http.doors import Reader, TheHouse
from tallywatt.entrypoints.http.shapes import storable

router = APIRouter()

PAGES: Final = {
    "session": "/console/sessions/",
    "invoice": "/console/sessions/",
    "station": "/console/stations/",
    "evse": "/console/stations/",
    "customer": "/console/customers/",
    "token": "/console/customers/",
    "payment": "/console/payments/",
}
Words = Annotated[str, Query(max_length=100), AfterValidator(storable)]


@router.get("/console/search")
async def search(request: Request, caller: Reader, house: TheHouse, q: Words = "") -> Response:
    """What a text may mean. The only thing that it can mean is opened at once."""
    hits = await house.ask(house.views.find, caller.operator_id, q)
    for hit in hits:
        hit["href"] = (
            PAGES[hit["kind"]] + quote(hit["id"], safe="") if hit["id"] else "/console/customers?q=" + quote(q)
        )
    if len(hits) == 1:
        return RedirectResponse(hits[0]["href"], 303)
    return await shown(request, house, caller, "search.html", "search", hits=hits, q=q)
