"""How the console looks for whoever looks: light, dark or as the device; and the page that shows every component."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from tallywatt.entrypoints.http.console.shown import THEME_COOKIE, THEMES, Text, shown
from tallywatt.entrypoints.http.doors import Reader, TheHouse
from tallywatt.entrypoints.pages import specimens

YEAR_SECONDS: Final = 365 * 24 * 3600

router = APIRouter()


@router.post("/console/theme")
async def choose(_: Reader, house: TheHouse, theme: Text = "auto", back: Text = "/console") -> Response:
    """Keep the choice in the browser; it is nobody's business but the viewer's."""
    # Only to a page of the console: an address from outside would make this a way to send people elsewhere.
    answer = RedirectResponse(
        back if back == "/console" or back.startswith(("/console/", "/console?")) else "/console", 303
    )
    if theme in THEMES:
        secure = house.settings.base_url.startswith("https://")
        answer.set_cookie(THEME_COOKIE, theme, YEAR_SECONDS, path="/", httponly=True, samesite="lax", secure=secure)
    else:
        answer.delete_cookie(THEME_COOKIE, path="/")
    return answer


@router.get("/console/design")
async def show_design(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Every component in both themes, from the macros that the pages use."""
    return await shown(request, house, caller, "design.html", "design", specimens=specimens.all_of_them())
