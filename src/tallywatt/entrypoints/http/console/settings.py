"""Settings on the console: who the operator is."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.console.shown import shown
from tallywatt.entrypoints.http.doors import Reader, TheHouse

router = APIRouter()


@router.get("/console/settings")
async def show_settings(request: Request, caller: Reader, house: TheHouse) -> Response:
    """The operator's data as it stands on invoices."""
    return await shown(request, house, caller, "settings_operator.html", "settings", subject="operator")
