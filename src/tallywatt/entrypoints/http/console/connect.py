"""Your own station in five minutes: from an address and a key to the first frame, which shows itself as it comes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator

from tallywatt.entrypoints.http.api.places import key_hash, operator_of, station_of
from tallywatt.entrypoints.http.console.shown import given_fields, shown
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.entrypoints.pages import connect_page
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.stations.station import Current
from tallywatt.workflows.add_station import LONGEST_IDENTITY, AddStation, NewEvse, add_station

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()

KEY_BYTES: Final = 16
"""As hex it is what OCPP 1.6 calls an AuthorizationKey and 2.0.1 a BasicAuthPassword."""
FRAMES: Final = 8
Identity = Annotated[str, Query(max_length=LONGEST_IDENTITY), AfterValidator(storable)]


@router.get("/console/connect")
async def show_way(request: Request, caller: Reader, house: TheHouse, station: Identity = "") -> Response:
    """Where to begin; with `station` its settings, and what was heard of it."""
    return await _page(request, house, caller, station)


@router.post("/console/connect")
async def begin(request: Request, caller: Seller, house: TheHouse) -> Response:
    """Write the station down under a key of its own, and show the key this once."""
    given = await given_fields(request)
    key = hashlib.blake2b(b"station key", key=house.draws.draw().seed, digest_size=KEY_BYTES).hexdigest()
    try:
        order = _station(given, key_hash(house, key))
        await house.write(caller.operator_id, add_station, order, actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, "", given=given, problem=problem)
    return await _page(request, house, caller, order.identity, key=key)


async def _page(
    request: Request, house: House, caller: Caller, identity: str, *,
    key: str | None = None, given: dict[str, Any] | None = None, problem: TallywattError | None = None,
) -> Response:  # fmt: skip
    view, frames = None, []
    if identity:
        operator = await operator_of(house, caller.operator_id)
        station = await station_of(house, caller.operator_id, identity)
        view = connect_page.view(
            host=request.url.hostname or house.settings.ocpp_host, port=house.settings.ocpp_port, slug=operator["slug"],
            identity=identity, key=key, station=station,
        )  # fmt: skip
        frames = await house.ask(house.views.frames_of, caller.operator_id, station["id"], FRAMES)
    locations = await house.ask(house.views.locations, caller.operator_id)
    waiting = await house.ask(house.views.stations, caller.operator_id, "quarantined")
    return await shown(
        request, house, caller, "connect.html", "plug", status_of(problem) if problem else 200,
        view=view, frames=frames, locations=locations, waiting=waiting, given=given or {}, problem=problem,
    )  # fmt: skip


def _station(given: dict[str, str], hashed: str | None) -> AddStation:
    identity = given.get("identity", "").strip()
    if not 0 < len(identity) <= LONGEST_IDENTITY or not identity.isprintable():
        msg = f"a station's identity has 1 to {LONGEST_IDENTITY} characters"
        raise BadInput(msg, code="stations.bad_identity")
    evses = given.get("evses", "1").strip() or "1"
    if not evses.isdecimal() or not 1 <= int(evses) <= 64:
        msg = "a station has 1 to 64 EVSEs"
        raise BadInput(msg, code="stations.bad_evses")
    current = given.get("current", Current.AC.value)
    if current not in set(Current):
        msg = "the current is AC or DC"
        raise BadInput(msg, code="stations.bad_current")
    watts = _watts(given.get("max_kw", ""))
    places = tuple(NewEvse(number, Current(current), watts) for number in range(1, int(evses) + 1))
    return AddStation(identity, given.get("location") or None, hashed, places)


def _watts(text: str) -> int | None:
    plain = text.strip().replace(",", ".")
    if not plain:
        return None
    whole, _, rest = plain.partition(".")
    if not (whole.isdecimal() and (rest.isdecimal() or not rest) and len(plain) <= 8 and 0 < float(plain) <= 10_000):
        msg = "the power is a figure in kW"
        raise BadInput(msg, code="stations.bad_power")
    return round(float(plain) * 1000)
