"""A page of the console, with what they all carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Form
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import AfterValidator

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.doors import csrf_token
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.entrypoints.pages.render import page
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from fastapi import Request, Response

    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

THEMES: Final = ("light", "dark")
THEME_COOKIE: Final = "tallywatt_theme"
PAGE: Final = 50
"""Rows of a list."""
Text = Annotated[str, Form(max_length=500), AfterValidator(storable)]


async def shown(
    request: Request, house: House, caller: Caller, template: str, at: str, status: int = 200, **context: Any
) -> HTMLResponse:
    """A page of the console, with what they all carry."""
    operator = await operator_of(house, caller.operator_id)
    badges = await house.ask(house.views.badges, caller.operator_id)
    theme = request.cookies.get(THEME_COOKIE, "")
    common = {
        "operator": operator,
        "zone": operator["zone"],
        "badges": badges,
        "at": at,
        "position": request.state.position,
        "csrf": csrf_token(house.secret, caller),
        "connected": house.gateway.connected() if house.gateway is not None else frozenset(),
        "theme": theme if theme in THEMES else "",
        "may": frozenset(caller.scopes),
        "said": request.query_params.get("said", ""),
        "here": _here(request),
    }
    return HTMLResponse(page(template, **common, **context), status)


def _here(request: Request) -> str:
    """The address of this page, for a form that comes back to it; a page that answers a form is gone to by its path."""
    query = urlencode([(name, value) for name, value in request.query_params.multi_items() if name != "said"])
    return f"{request.url.path}?{query}" if query else request.url.path


def done(path: str, said: str, anchor: str = "") -> Response:
    """To the page that shows what was done, which says so once: `said` is a code of the list in `parts.html`."""
    return RedirectResponse(f"{path}{'&' if '?' in path else '?'}said={said}{anchor}", 303)


async def given_fields(request: Request) -> dict[str, str]:
    """The text fields of a form that shows itself again with what was typed, whatever of it was wrong."""
    try:
        return {name: storable(value) for name, value in (await request.form()).items() if isinstance(value, str)}
    except ValueError as error:
        msg = "the form holds text that cannot be stored"
        raise BadInput(msg, code="request.unreadable") from error
