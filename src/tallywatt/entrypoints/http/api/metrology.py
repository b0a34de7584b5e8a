"""Meters' public keys, and what meters signed: the registry, the verdicts, the file that a customer checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.changes import MeterKeyEnd, NewMeterKey
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.errors import NotFound
from tallywatt.metering.signed.receipt import receipt
from tallywatt.metering.signed.registry import fold_serial
from tallywatt.workflows.register_meter_key import EndMeterKey, RegisterMeterKey, end_meter_key, register_meter_key

if TYPE_CHECKING:
    from tallywatt.metering.signed.registry import MeterKey
    from tallywatt.wiring import House

router = APIRouter(tags=["metering"], route_class=Resource)


@router.get("/meter-keys")
async def list_meter_keys(
    request: Request,
    caller: Reader,
    house: TheHouse,
    meter: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The registry of meters' public keys, by serial number. `meter` narrows it to one."""
    serial = None if meter is None else fold_serial(meter)
    return await listed(request, house, caller, "meter_keys", limit, cursor, meter=serial)


@router.post("/meter-keys", status_code=201)
async def post_meter_key(request: Request, body: NewMeterKey, caller: Seller, house: TheHouse) -> Response:
    """Register a meter's key from a source that you trust. Sessions that were held for want of it are billed by themselves."""
    command = RegisterMeterKey(
        body.meter_serial, body.public_key, body.evse, when(body.valid_from), when(body.valid_until)
    )
    return await write_once(request, house, caller, register_meter_key, command, _told, 201)


@router.get("/meter-keys/{key_id}")
async def show_meter_key(key_id: str, caller: Reader, house: TheHouse) -> Response:
    """One key."""
    row = await house.ask(house.views.meter_key, caller.operator_id, key_id)
    return as_json(found(row, "key of a meter", "meter_keys.not_found"))


@router.post("/meter-keys/{key_id}/end")
async def post_meter_key_end(
    request: Request, key_id: str, body: MeterKeyEnd, caller: Seller, house: TheHouse
) -> Response:
    """Let a key hold no longer: its meter was taken out, or it is not to be trusted. What was billed by it stays."""
    return await write_once(request, house, caller, end_meter_key, EndMeterKey(key_id, when(body.at)), _told)


def _told(row: MeterKey) -> dict[str, Any]:
    return {name: value for name, value in told(row, "key_id").items() if name != "serial_folded"}


@router.get("/sessions/{session_id}/signed-values")
async def show_signed_values(session_id: str, caller: Reader, house: TheHouse) -> Response:
    """What the meter of a session signed, to the letter, and every verdict on it with its reasons."""
    row = await _signed(house, caller.operator_id, session_id)
    return as_json({name: row[name] for name in ("values", "verdicts", "public_key")})


@router.get("/sessions/{session_id}/signed-values.xml")
async def show_receipt(session_id: str, caller: Reader, house: TheHouse) -> Response:
    """The SAFE XML container of a session, which the official transparency software opens."""
    return receipt_of(await _signed(house, caller.operator_id, session_id), session_id)


async def _signed(house: House, operator_id: str, session_id: str) -> dict[str, Any]:
    found(await house.ask(house.views.session, operator_id, session_id), "session", "sessions.not_found")
    row: dict[str, Any] = await house.ask(house.views.signed_values, operator_id, session_id)
    return row


def receipt_of(row: dict[str, Any], name: str) -> Response:
    """The file of a session, to be kept."""
    text = receipt((one["data"] for one in row["values"]), row["public_key"], row["transaction_id"])
    if text is None:
        msg = "the meter of this session has signed nothing that could be checked"
        raise NotFound(msg, code="sessions.nothing_signed")
    headers = {"Content-Disposition": f'attachment; filename="signed-values-{name}.xml"'}
    return Response(text, 200, headers, "application/xml")
