"""What stations can be told by name, what they answered, how they are configured, and what they tell about their safety."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import CertificateRequest, Revocation
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.stations.messages import MESSAGES, Message
from tallywatt.wiring import message_schema
from tallywatt.workflows.certify import AskCertificate, RevokeCertificate, ask_certificate, revoke_certificate

router = APIRouter(tags=["places"], route_class=Resource)


@router.get("/messages")
async def list_messages(_: Reader, protocol: str | None = None, name: str | None = None) -> Response:
    """Every message that can be sent to a station; of one that is named, with its official schema in each version."""
    shown = [
        {**shown_message(one), "schemas": schemas_of(one) if name is not None else None}
        for one in MESSAGES.values()
        if (protocol is None or protocol in one.protocols) and name in {None, one.name}
    ]
    return as_json({"items": shown, "next": None})


@router.get("/commands/{command_id}/reports")
async def list_reports(command_id: str, caller: Reader, house: TheHouse) -> Response:
    """What the station told after its answer: the parts of a report, the steps of an update. Oldest first."""
    found(await house.ask(house.views.command, caller.operator_id, command_id), "command", "commands.not_found")
    rows = await house.ask(house.views.reports_of, caller.operator_id, command_id)
    return as_json({"items": rows, "next": None})


@router.get("/stations/{identity}/configuration")
async def list_configuration(
    request: Request, identity: str, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """What a station last told of its configuration: keys in OCPP 1.6, variables of components in 2.x. Keys are hidden."""
    await station_of(house, caller.operator_id, identity)
    return await listed(request, house, caller, "variables", limit, cursor, station=identity)


@router.get("/security-events")
async def list_security_events(
    request: Request,
    caller: Reader,
    house: TheHouse,
    station: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What stations told about their safety, newest first."""
    span = {"since": when(since), "until": when(until)}
    return await listed(request, house, caller, "security_events", limit, cursor, station=station, **span)


@router.get("/notices")
async def list_notices(
    request: Request,
    caller: Reader,
    house: TheHouse,
    station: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What stations said on the side, newest first: events and alarms, data transfers, limits from elsewhere."""
    span = {"since": when(since), "until": when(until)}
    return await listed(request, house, caller, "notices", limit, cursor, station=station, **span)


@router.get("/authorities")
async def list_authorities(caller: Reader, house: TheHouse) -> Response:
    """The authorities that vouch for the operator's stations, newest first; the newest one signs."""
    return as_json({"items": await house.ask(house.views.authorities, caller.operator_id), "next": None})


@router.get("/stations/{identity}/certificates")
async def list_certificates(identity: str, caller: Reader, house: TheHouse) -> Response:
    """A station's certificates, and its requests for them, newest first."""
    station = await station_of(house, caller.operator_id, identity)
    rows = await house.ask(house.views.certificates_of, caller.operator_id, station["id"])
    return as_json({"items": rows, "next": None})


@router.post("/stations/{identity}/certificates", status_code=202)
async def post_certificate(
    request: Request, identity: str, body: CertificateRequest, caller: Operations, house: TheHouse
) -> Response:
    """Have a request signed that a person brings: the certificate is sent to the station, and stands in its list."""
    command = AskCertificate(identity, body.request)
    return await write_once(request, house, caller, ask_certificate, command, _told, 202)


@router.post("/certificates/{certificate_id}/revoke")
async def revoke(
    request: Request, certificate_id: str, body: Revocation, caller: Operations, house: TheHouse
) -> Response:
    """End a certificate: who shows it is not let in any more, and its open socket ends."""
    command = RevokeCertificate(certificate_id, body.reason)
    return await write_once(request, house, caller, revoke_certificate, command, _told)


def _told(row: Any) -> dict[str, Any]:
    return {name: value for name, value in told(row, "certificate_id").items() if name != "request"}


def schemas_of(message: Message) -> dict[str, Any]:
    """The official schemas of a message, by version."""
    return {one: message_schema(one, message.name) for one in message.protocols}


def shown_message(message: Message) -> dict[str, Any]:
    """A message as lists show it."""
    return {
        "name": message.name,
        "protocols": list(message.protocols),
        "purpose": message.purpose.value,
        "deadline_seconds": message.seconds,
        "followed_by": [one for one in (message.report, *(step.message for step in message.progress)) if one],
        "instead": message.instead,
        "action": message.by_action,
    }
