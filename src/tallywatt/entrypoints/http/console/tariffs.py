"""Tariffs on the console: what is sold where, each in words and as lines; a new version is priced before it is kept."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.shown import Text, done, given_fields, shown
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse, actor_of
from tallywatt.entrypoints.http.examined import findings_of, sites_for_gate
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.entrypoints.http.telling import found
from tallywatt.entrypoints.pages.tariff_form import EMPTY, data_of, fields_of
from tallywatt.entrypoints.pages.tariff_page import Imagined, costs_of, findings_told, view
from tallywatt.kernel import clock
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.rating.policy import STANDARD, read_policy_text
from tallywatt.rating.read import read_tariff, read_tariff_text
from tallywatt.rating.records import Scope
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.kernel.clock import Instant
    from tallywatt.rating.findings import Finding
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff
    from tallywatt.wiring import House

router = APIRouter()
_exact: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@router.get("/console/tariffs")
async def list_tariffs(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Each tariff's newest version in words, and what holds where."""
    versions = await house.ask(house.views.tariffs, caller.operator_id)
    assignments = await house.ask(house.views.tariff_assignments, caller.operator_id)
    newest = {row["reference"]: row for row in versions}
    many = {name: sum(1 for row in versions if row["reference"] == name) for name in newest}
    policy, zone = await _rules(house, caller)
    rows = [
        {**view(read_tariff_text(row["canonical"]), policy, zone, house.business_now(), Imagined()),
         "id": row["id"], "created_at": row["created_at"], "versions": many[name]}
        for name, row in newest.items()
    ]  # fmt: skip
    holding = [_with_state(one, house.business_now()) for one in reversed(assignments)]
    return await shown(request, house, caller, "tariffs.html", "tariffs", rows=rows, assignments=holding)


@router.get("/console/tariffs/new")
async def show_form(
    request: Request, caller: Seller, house: TheHouse, version: str | None = None, mode: str = "form"
) -> Response:
    """An empty form, or one with what a version says, as fields where fields can say it."""
    fields, text = dict(EMPTY), ""
    if version is not None:
        row = found(await house.ask(house.views.tariff, caller.operator_id, version), "tariff", "tariffs.not_found")
        data = msgspec.json.decode(row["canonical"])
        said = fields_of(data)
        fields, text = said or fields, msgspec.json.format(row["canonical"], indent=2)
        mode = "form" if said and mode == "form" else "json"
    else:
        fields["currency"] = (await operator_of(house, caller.operator_id))["currency"]
    return await _form(request, house, caller, fields, text, mode)


@router.post("/console/tariffs/new")
async def take_form(
    request: Request, caller: Seller, house: TheHouse, mode: Text = "form", step: Text = "look"
) -> Response:
    """Show what the tariff says and what the example costs; keep it only when that was asked for."""
    given = await given_fields(request)
    fields = EMPTY | {name: value for name, value in given.items() if name in EMPTY}
    text = given.get("json", "")
    wrong: dict[str, str] = {}
    try:
        if mode == "json":
            data = _read(text)
        else:
            data, wrong = data_of(fields)
        tariff = None if wrong else read_tariff(data)
        if tariff is not None and step == "keep":
            put = await house.write(caller.operator_id, put_tariff, PutTariff(data), actor=actor_of(caller))
            return done(f"/console/tariffs/{put.version.tariff_version_id}", "saved")
    except TallywattError as problem:
        return await _form(request, house, caller, fields, text, mode, problem=problem)
    found = () if wrong else await findings_of(house, caller.operator_id, data)
    return await _form(request, house, caller, fields, text, mode, wrong=wrong, tariff=tariff, found=found)


@router.get("/console/tariffs/{version}")
async def show_tariff(request: Request, version: str, caller: Reader, house: TheHouse) -> Response:
    """One version: its words, its lines, an example, and where it holds."""
    return await _page(request, house, caller, version)


@router.post("/console/tariffs/{version}/assign")
async def assign(
    request: Request,
    version: str,
    caller: Seller,
    house: TheHouse,
    place: Text = "operator/",
    begins: Text = "",
    ends: Text = "",
    audience: Text = "",
) -> Response:
    """Let a version hold at a place from a time on. Times are those of the operator's zone."""
    scope, _, target = place.partition("/")
    zone = (await operator_of(house, caller.operator_id))["zone"]
    try:
        if scope not in set(Scope):
            msg = "a tariff holds at an EVSE, a station, a location or everywhere"
            raise BadInput(msg, code="tariffs.no_such_place")
        sites = await sites_for_gate(house, caller.operator_id, scope, target)
        times = typed_instant(begins, zone), typed_instant(ends, zone)
        order = AssignTariff(version, Scope(scope), target, *times, audience, sites)
        await house.write(caller.operator_id, assign_tariff, order, actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, version, problem=problem)
    return done(f"/console/tariffs/{version}", "assigned")


async def _page(
    request: Request, house: House, caller: Caller, version: str, problem: TallywattError | None = None
) -> Response:
    row = found(await house.ask(house.views.tariff, caller.operator_id, version), "tariff", "tariffs.not_found")
    policy, zone = await _rules(house, caller)
    tariff = read_tariff_text(row["canonical"])
    every = await house.ask(house.views.tariffs, caller.operator_id)
    assignments = await house.ask(house.views.tariff_assignments, caller.operator_id)
    findings = await findings_of(house, caller.operator_id, msgspec.json.decode(row["canonical"]), stored=True)
    return await shown(
        request, house, caller, "tariff.html", "tariffs", status_of(problem) if problem else 200,
        row=row,
        findings=findings_told(findings),
        costs=costs_of(tariff, policy, zone, house.business_now()),
        view=view(tariff, policy, zone, house.business_now(), Imagined.of(request.query_params)),
        versions=[one for one in reversed(every) if one["reference"] == row["reference"]],
        assignments=[
            _with_state(one, house.business_now()) for one in assignments if one["tariff_version_id"] == version
        ],
        places=await _places(house, caller),
        problem=problem,
    )  # fmt: skip


async def _form(
    request: Request, house: House, caller: Caller, fields: dict[str, str], text: str, mode: str,
    wrong: dict[str, str] | None = None, tariff: Tariff | None = None, problem: TallywattError | None = None,
    found: tuple[Finding, ...] = (),
) -> Response:  # fmt: skip
    policy, zone = await _rules(house, caller)
    imagined = Imagined.of(await given_fields(request) if request.method == "POST" else {})
    refused = wrong or problem
    return await shown(
        request, house, caller, "tariff_new.html", "tariffs", 400 if refused else 200,
        of=request.query_params.get("version", ""),
        fields=fields, text=text, mode=mode, wrong=wrong or {}, problem=problem, imagined=imagined,
        view=view(tariff, policy, zone, house.business_now(), imagined) if tariff is not None else None,
        findings=findings_told(found),
    )  # fmt: skip


async def _rules(house: House, caller: Caller) -> tuple[Policy, str]:
    """The operator's policy for new offers, and its zone."""
    operator = await operator_of(house, caller.operator_id)
    chosen = operator["policy_version_id"]
    if chosen is None:
        return STANDARD, operator["zone"]
    row = await house.ask(house.views.policy, caller.operator_id, chosen)
    assert row is not None, "an operator names a version that is there"
    return read_policy_text(row["canonical"]), operator["zone"]


async def _places(house: House, caller: Caller) -> list[tuple[str, str]]:
    """Where a tariff may hold, from the widest to the narrowest."""
    locations = await house.ask(house.views.locations, caller.operator_id)
    stations = await house.ask(house.views.stations, caller.operator_id)
    return [
        *((f"location/{one['reference']}", one["name"]) for one in locations),
        *((f"station/{one['identity']}", one["identity"]) for one in stations),
        *((f"evse/{evse['code']}", evse["code"]) for one in stations for evse in one["evses"]),
    ]


def _read(text: str) -> dict[str, Any]:
    """The tariff of a text, with every digit of its prices."""
    try:
        storable(text)
        return _exact.decode(text)
    except (ValueError, msgspec.MsgspecError) as error:
        msg = f"this is no JSON object: {error}"
        raise BadInput(msg, code="request.unreadable", remedy="Check commas and quotation marks.") from error


def typed_instant(text: str, zone: str) -> Instant | None:
    """The instant of a field of date and time; None where it is empty."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        msg = "this is no date and time"
        raise BadInput(msg, code="tariffs.bad_validity", remedy="Write it like 2026-01-31T00:00.") from error
    return clock.instant(moment if moment.tzinfo is not None else moment.replace(tzinfo=clock.zone(zone)))


def _with_state(row: dict[str, Any], now: Instant) -> dict[str, Any]:
    """Whether an assignment is to come, holds by its dates, or is over."""
    begins = clock.parse_instant(row["valid_from"])
    over = row["valid_until"] is not None and clock.parse_instant(row["valid_until"]) <= now
    return {**row, "state": "over" if over else "coming" if begins > now else "holds"}
