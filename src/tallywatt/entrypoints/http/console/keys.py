"""API keys on the console: made and shown once, given a new secret, ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from tallywatt.customers.access import ALL_SCOPES, Caller, Scope
from tallywatt.entrypoints.http.api.keys import make_key, rotate_key
from tallywatt.entrypoints.http.bearers import client_id_of
from tallywatt.entrypoints.http.console.shown import Text, shown
from tallywatt.entrypoints.http.doors import Admin, TheHouse, actor_of
from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.workflows.create_api_key import CreateApiKey, RevokeApiKey, revoke_api_key
from tallywatt.workflows.rotate_api_key import LONGEST_GRACE_SECONDS

if TYPE_CHECKING:
    from tallywatt.wiring import House
    from tallywatt.workflows.create_api_key import NewApiKey

router = APIRouter()

DAY = 86_400
LONGEST_DAYS = 3650


@router.get("/console/settings/keys")
async def list_keys(request: Request, caller: Admin, house: TheHouse) -> Response:
    """Keys that open, then those that have ended."""
    return await _page(request, house, caller)


@router.post("/console/settings/keys")
async def create(
    request: Request,
    caller: Admin,
    house: TheHouse,
    name: Text = "",
    scope: Annotated[list[Scope] | None, Form(max_length=20)] = None,
    days: Annotated[int | None, Form(ge=1, le=LONGEST_DAYS)] = None,
) -> Response:
    """Make a key. The answer is the only page that ever shows it."""
    until = None if days is None else Instant(house.machine.now() + days * DAY * 1000)
    made = await make_key(house, caller, CreateApiKey(name, tuple(one.value for one in scope or ()), until))
    return await _page(request, house, caller, made)


@router.post("/console/settings/keys/{api_key_id}/rotate")
async def rotate(
    request: Request,
    api_key_id: str,
    caller: Admin,
    house: TheHouse,
    grace_hours: Annotated[int, Form(ge=0, le=LONGEST_GRACE_SECONDS // 3600)] = 24,
) -> Response:
    """Give a key a new secret. The answer is the only page that ever shows it."""
    made = await rotate_key(house, caller, api_key_id, grace_hours * 3600)
    return await _page(request, house, caller, made)


@router.post("/console/settings/keys/{api_key_id}/revoke")
async def revoke(api_key_id: str, caller: Admin, house: TheHouse) -> Response:
    """End a key at once."""
    await house.write(caller.operator_id, revoke_api_key, RevokeApiKey(api_key_id), actor=actor_of(caller))
    return RedirectResponse("/console/settings/keys", 303)


async def _page(request: Request, house: House, caller: Caller, made: NewApiKey | None = None) -> Response:
    rows = await house.ask(house.views.api_keys, caller.operator_id)
    now = house.machine.now()
    good: list[dict[str, Any]] = []
    ended: list[dict[str, Any]] = []
    for row in reversed(rows):
        (ended if _has_ended(row, now) else good).append({**row, "client_id": client_id_of(row["prefix"])})
    scopes = [code for code in ALL_SCOPES if caller.has(Scope(code))]
    new = None if made is None else {"text": made.text, "name": made.key.name, "prefix": made.key.prefix}
    return await shown(
        request,
        house,
        caller,
        "settings_keys.html",
        "settings",
        subject="keys",
        rows=good,
        ended=ended,
        scopes=scopes,
        made=new,
        now_ms=now,
        base_url=house.settings.base_url,
    )


def _has_ended(row: dict[str, Any], now: Instant) -> bool:
    expires = row["expires_at"]
    return row["revoked_at"] is not None or (expires is not None and parse_instant(expires) <= now)
