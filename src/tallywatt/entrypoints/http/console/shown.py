"""A page of the console, with what they all carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Form
from fastapi.responses import HTMLResponse
from pydantic import AfterValidator

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.doors import csrf_token
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.entrypoints.pages.render import page

if TYPE_CHECKING:
    from fastapi import Request

    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

PAGE: Final = 50
"""Rows of a list."""
Text = Annotated[str, Form(max_length=500), AfterValidator(storable)]


async def shown(request: Request, house: House, caller: Caller, template: str, at: str, **context: Any) -> HTMLResponse:
    """A page of the console, with what they all carry."""
    operator = await operator_of(house, caller.operator_id)
    badges = await house.ask(house.views.badges, caller.operator_id)
    common = {
        "operator": operator,
        "zone": operator["zone"],
        "badges": badges,
        "at": at,
        "position": request.state.position,
        "csrf": csrf_token(house.secret, caller),
        "connected": house.gateway.connected() if house.gateway is not None else frozenset(),
    }
    return HTMLResponse(page(template, **common, **context))
