"""API keys: made, listed, revoked by whoever may."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.doors import Admin, TheHouse, actor_of
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewApiKey
from tallywatt.entrypoints.http.telling import as_json, told
from tallywatt.workflows.create_api_key import CreateApiKey, RevokeApiKey, create_api_key, revoke_api_key

router = APIRouter(tags=["keys"], route_class=Resource)


@router.get("/api-keys")
async def list_keys(
    request: Request, caller: Admin, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Keys by name and prefix, oldest first; never what opens a door."""
    return await listed(request, house, caller, "api_keys", limit, cursor)


@router.post("/api-keys", status_code=201)
async def post_key(body: NewApiKey, caller: Admin, house: TheHouse) -> Response:
    """A new key. Its text is in this answer and nowhere else, so this write keeps no answer under an Idempotency-Key."""
    command = CreateApiKey(body.name, tuple(scope.value for scope in body.scopes), when(body.expires_at))
    made = await house.write(caller.operator_id, create_api_key, command, actor=actor_of(caller))
    return as_json({**told(made.key, "api_key_id"), "key": made.text}, 201, {"Cache-Control": "no-store"})


@router.delete("/api-keys/{api_key_id}")
async def delete_key(request: Request, api_key_id: str, caller: Admin, house: TheHouse) -> Response:
    """End a key at once."""
    command = RevokeApiKey(api_key_id)
    return await write_once(request, house, caller, revoke_api_key, command, lambda row: told(row, "api_key_id"))
