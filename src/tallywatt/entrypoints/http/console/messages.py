"""What stations are told by name, on the console: any message, what came of it, their configuration, their certificates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from tallywatt.entrypoints.http.api.places import command_for, station_of
from tallywatt.entrypoints.http.console.shown import Text, done, shown
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.shapes import NewCommand
from tallywatt.entrypoints.http.telling import found
from tallywatt.kernel.errors import BadInput
from tallywatt.stations.command import Action
from tallywatt.stations.configuration import reading
from tallywatt.stations.messages import MESSAGES, OLD, PROTOCOLS
from tallywatt.stations.notices import ALARM
from tallywatt.workflows.certify import RevokeCertificate, revoke_certificate
from tallywatt.workflows.order_station import order_station

if TYPE_CHECKING:
    from tallywatt.wiring import House

router = APIRouter()
LONGEST_CONTENT = 100_000
SHOWN_EVENTS = 20
Content = Annotated[str, Form(max_length=LONGEST_CONTENT)]


@router.get("/console/stations/{identity}/messages")
async def show_messages(
    request: Request, identity: str, caller: Reader, house: TheHouse, message: str = ""
) -> Response:
    """A station's own page for who looks after it: what it can be told, how it is configured, who vouches for it."""
    return await _page(request, house, caller, identity, {"message": message})


@router.post("/console/stations/{identity}/messages")
async def send(
    request: Request,
    identity: str,
    caller: Operations,
    house: TheHouse,
    message: Text = "",
    content: Content = "",
) -> Response:
    """Send a message; its page follows it. One that does not fit comes back with what is wrong."""
    row = await station_of(house, caller.operator_id, identity)
    try:
        asked = NewCommand(action=Action.MESSAGE, message=message, content=_object(content))
        command = command_for(row, asked)
        made = await house.write(caller.operator_id, order_station, command, actor=actor_of(caller))
    except BadInput as problem:
        told = {"message": message, "content": content, "problem": problem}
        return await _page(request, house, caller, identity, told, status=422)
    return done(f"/console/commands/{made.command_id}", "commanded")


@router.post("/console/stations/{identity}/configuration")
async def read_all(identity: str, caller: Operations, house: TheHouse) -> Response:
    """Ask the station for all of its configuration."""
    row = await station_of(house, caller.operator_id, identity)
    name, content = reading(row["protocol"] or OLD, ())
    command = command_for(row, NewCommand(action=Action.MESSAGE, message=name, content=content))
    made = await house.write(caller.operator_id, order_station, command, actor=actor_of(caller))
    return done(f"/console/commands/{made.command_id}", "commanded")


@router.post("/console/stations/{identity}/certificates/{certificate_id}/revoke")
async def revoke(identity: str, certificate_id: str, caller: Operations, house: TheHouse) -> Response:
    """End a certificate."""
    await station_of(house, caller.operator_id, identity)
    command = RevokeCertificate(certificate_id)
    await house.write(caller.operator_id, revoke_certificate, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}/messages", "certificate_revoked", "#certificates")


@router.get("/console/commands/{command_id}")
async def show_command(request: Request, command_id: str, caller: Reader, house: TheHouse) -> Response:
    """One command: where it stands, what the station answered, what it told afterwards."""
    row = found(await house.ask(house.views.command, caller.operator_id, command_id), "command", "commands.not_found")
    reports = await house.ask(house.views.reports_of, caller.operator_id, command_id)
    answer = None if row["answer"] is None else _pretty(row["answer"])
    parts = [{**one, "pretty": None if one["content"] is None else _pretty(one["content"])} for one in reports]
    return await shown(request, house, caller, "command.html", "stations", row=row, answer=answer, reports=parts)


async def _page(
    request: Request, house: House, caller: Any, identity: str, asked: dict[str, Any], status: int = 200
) -> Response:
    row = await station_of(house, caller.operator_id, identity)
    protocol = row["protocol"]
    names = [
        one
        for one in MESSAGES.values()
        if one.by_action is None and (protocol not in PROTOCOLS or protocol in one.protocols)
    ]
    groups: dict[str, list[str]] = {}
    for one in names:
        groups.setdefault(one.purpose.value, []).append(one.name)
    events = await house.ask(
        house.views.page, "security_events", caller.operator_id, SHOWN_EVENTS, None, station=identity
    )
    said = await house.ask(house.views.page, "notices", caller.operator_id, SHOWN_EVENTS, None, station=identity)
    return await shown(
        request, house, caller, "station_messages.html", "stations", status,
        row=row,
        groups=groups,
        asked={"message": "", "content": "{}", "problem": None, **asked},
        variables=await house.ask(house.views.variables_of, caller.operator_id, row["id"]),
        certificates=await house.ask(house.views.certificates_of, caller.operator_id, row["id"]),
        events=events["items"],
        notices=[{**one, "is_alarm": one["kind"] == ALARM} for one in said["items"]],
    )  # fmt: skip


def _object(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text or "{}")
    except ValueError as error:
        msg = "the content is not JSON"
        raise BadInput(msg, code="stations.bad_content", remedy="write an object, like {}") from error
    if not isinstance(told, dict):
        msg = "the content is not a JSON object"
        raise BadInput(msg, code="stations.bad_content", remedy="write an object, like {}")
    return told


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
