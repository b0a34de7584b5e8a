"""The console's front page: two equations, and what happens at the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.shown import PAGE, shown
from tallywatt.entrypoints.http.doors import Reader, TheHouse
from tallywatt.entrypoints.pages import overview
from tallywatt.kernel.clock import local_date

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()


@router.get("/console")
async def show_overview(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Delivered = billed + explained; billed = captured + owed; and what happens at the moment."""
    operator = await operator_of(house, caller.operator_id)
    today = local_date(house.business_now(), operator["zone"])
    figures = await house.ask(house.views.overview, caller.operator_id, today)
    live = await house.ask(house.views.live_sessions, caller.operator_id, PAGE)
    inbox = await house.ask(house.views.inbox, caller.operator_id, 5, state="open")
    recent = await house.ask(house.views.sessions, caller.operator_id, 8, state="billed")
    return await shown(
        request,
        house,
        caller,
        "overview.html",
        "overview",
        steps=await _first_steps(house, caller) if not figures["invoices"] else (),
        figures=figures,
        energy=overview.energy(figures["energy"]),
        money=[overview.money(one, code) for code, one in figures["money"].items()],
        live=live,
        watts=sum(row["watts"] or 0 for row in live),
        inbox=inbox["items"],
        recent=recent["items"],
        today=today,
    )


@router.get("/console/explained")
async def list_explained(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Energy that was metered and is on no bill, by its reason."""
    figures = await house.ask(house.views.overview, caller.operator_id)
    return await shown(request, house, caller, "explained.html", "sessions", energy=overview.energy(figures["energy"]))


async def _first_steps(house: House, caller: Caller) -> tuple[tuple[str, bool], ...]:
    """What a new operator does before the first invoice, and whether it is done."""
    stations = await house.ask(house.views.stations, caller.operator_id, None, "", 1)
    tariffs = await house.ask(house.views.tariff_assignments, caller.operator_id)
    accounts = await house.ask(house.views.provider_accounts, caller.operator_id)
    sessions = await house.ask(house.views.sessions, caller.operator_id, 1)
    done = (bool(tariffs), bool(accounts), bool(stations), bool(sessions["items"]))
    return tuple(zip(("tariff", "provider", "station", "session"), done, strict=True))
