"""API keys: made, listed, revoked by whoever may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.customers.access import ALL_SCOPES
from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.doors import Admin, TheHouse, actor_of, authorise_scopes
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewApiKey, Rotation
from tallywatt.entrypoints.http.telling import found, told
from tallywatt.workflows.create_api_key import CreateApiKey, RevokeApiKey, create_api_key, revoke_api_key
from tallywatt.workflows.rotate_api_key import GRACE_SECONDS, RotateApiKey, rotate_api_key

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House
    from tallywatt.workflows.create_api_key import NewApiKey as MadeKey

router = APIRouter(tags=["keys"], route_class=Resource)


@router.get("/api-keys")
async def list_keys(
    request: Request, caller: Admin, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Keys by name and prefix, oldest first; never what opens a door."""
    return await listed(request, house, caller, "api_keys", limit, cursor)


@router.post("/api-keys", status_code=201)
async def post_key(request: Request, body: NewApiKey, caller: Admin, house: TheHouse) -> Response:
    """A new key. Its text is in this answer alone; under an Idempotency-Key it may be asked for again, for a day."""
    command = CreateApiKey(body.name, tuple(scope.value for scope in body.scopes), when(body.expires_at))
    _require_own(caller, command)
    return await write_once(request, house, caller, create_api_key, command, _tell, 201, tells_secret=True)


@router.post("/api-keys/{api_key_id}/rotate")
async def post_rotation(request: Request, api_key_id: str, body: Rotation, caller: Admin, house: TheHouse) -> Response:
    """A new secret for a key, in this answer alone. The old one goes on opening for the time of grace.

    Under an Idempotency-Key the answer may be asked for again, for a day.
    """
    await _require_ones_own(house, caller, api_key_id)
    command = RotateApiKey(api_key_id, body.grace_seconds)
    return await write_once(request, house, caller, rotate_api_key, command, _tell, tells_secret=True)


@router.delete("/api-keys/{api_key_id}")
async def delete_key(request: Request, api_key_id: str, caller: Admin, house: TheHouse) -> Response:
    """End a key at once."""
    command = RevokeApiKey(api_key_id)
    return await write_once(request, house, caller, revoke_api_key, command, lambda row: told(row, "api_key_id"))


async def make_key(house: House, caller: Caller, command: CreateApiKey) -> MadeKey:
    """A new key. Nobody gives one more than they may themselves."""
    _require_own(caller, command)
    return await house.write(caller.operator_id, create_api_key, command, actor=actor_of(caller))


async def rotate_key(house: House, caller: Caller, api_key_id: str, grace_seconds: int = GRACE_SECONDS) -> MadeKey:
    """A new secret for a key. Whoever is told it can do what the key can: nobody is told more than they may themselves."""
    await _require_ones_own(house, caller, api_key_id)
    command = RotateApiKey(api_key_id, grace_seconds)
    return await house.write(caller.operator_id, rotate_api_key, command, actor=actor_of(caller))


def _require_own(caller: Caller, command: CreateApiKey) -> None:
    if set(command.scopes) <= set(ALL_SCOPES):
        authorise_scopes(caller, command.scopes)


async def _require_ones_own(house: House, caller: Caller, api_key_id: str) -> None:
    rows = await house.ask(house.views.api_keys, caller.operator_id)
    row = found(next((one for one in rows if one["id"] == api_key_id), None), "key", "api_keys.not_found")
    authorise_scopes(caller, row["scopes"])


def _tell(made: MadeKey) -> dict[str, Any]:
    return {**told(made.key, "api_key_id"), "key": made.text}
