"""Meters on the console: the registry of their keys, and the law of measurement at an EVSE."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.console.shown import Text, done, shown
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse, actor_of
from tallywatt.kernel.clock import Instant, instant
from tallywatt.kernel.errors import NotFound
from tallywatt.stations.metrology import Metrology
from tallywatt.workflows.change_station import ChangeEvse, change_evse
from tallywatt.workflows.register_meter_key import EndMeterKey, RegisterMeterKey, end_meter_key, register_meter_key

router = APIRouter()
PATH = "/console/meter-keys"
Key = Annotated[str, Form(max_length=10_000)]
Day = Annotated[date | None, Form()]


@router.get(PATH)
async def list_meter_keys(request: Request, caller: Reader, house: TheHouse) -> Response:
    """The registry, and a form for the next key."""
    rows = await house.ask(house.views.meter_keys, caller.operator_id)
    stations = await house.ask(house.views.stations, caller.operator_id)
    codes = [evse["code"] for station in stations for evse in station["evses"]]
    return await shown(request, house, caller, "meter_keys.html", "stations", rows=rows, codes=codes)


@router.post(PATH)
async def add_meter_key(
    caller: Seller,
    house: TheHouse,
    meter_serial: Text = "",
    public_key: Key = "",
    evse: Text = "",
    valid_from: Day = None,
) -> Response:
    """Register a key. What waited for it is billed by itself."""
    command = RegisterMeterKey(meter_serial, public_key, evse or None, _at(valid_from))
    await house.write(caller.operator_id, register_meter_key, command, actor=actor_of(caller))
    return done(PATH, "saved")


@router.post(PATH + "/{key_id}/end")
async def end(key_id: str, caller: Seller, house: TheHouse) -> Response:
    """Let a key hold no longer."""
    await house.write(caller.operator_id, end_meter_key, EndMeterKey(key_id), actor=actor_of(caller))
    return done(PATH, "saved")


@router.post("/console/stations/{identity}/law")
async def change_law(
    identity: str,
    caller: Seller,
    house: TheHouse,
    evse: Text = "",
    metrology: Annotated[Metrology, Form()] = Metrology.NONE,
) -> Response:
    """Say which law of measurement holds at an EVSE, for sessions that start from now on."""
    station = await station_of(house, caller.operator_id, identity)
    if evse not in {one["code"] for one in station["evses"]}:
        msg = "there is no such EVSE"
        raise NotFound(msg, code="evses.not_found")
    command = ChangeEvse(evse, metrology=metrology)
    await house.write(caller.operator_id, change_evse, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "saved")


def _at(day: date | None) -> Instant | None:
    return None if day is None else instant(datetime.combine(day, time(), UTC))
