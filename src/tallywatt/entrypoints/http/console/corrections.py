"""Price corrections on the console: which sessions, what differs, and putting it right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.corrections import correction_of
from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.shown import PAGE, done, given_fields, shown
from tallywatt.entrypoints.http.console.tariffs import typed_instant
from tallywatt.entrypoints.http.doors import Collector, Reader, TheHouse, actor_of, limit_holder
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.invoicing.correction import CorrectionState
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.kernel.identity import SessionId
from tallywatt.kernel.money import money
from tallywatt.workflows.ask_rest import WaiveRest, waive_rest
from tallywatt.workflows.correct_prices import (
    DiscardCorrection,
    OpenCorrection,
    OrderCorrection,
    discard_correction,
    open_correction,
    order_correction,
)

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
AT = "/console/corrections"


@router.get(AT)
async def list_corrections(request: Request, caller: Reader, house: TheHouse, cursor: str | None = None) -> Response:
    """All corrections, and a form for a new one."""
    return await _list(request, house, caller, cursor)


@router.post(AT)
async def open_one(request: Request, caller: Collector, house: TheHouse) -> Response:
    """Have sessions priced again. Times are those of the operator's zone."""
    given = await given_fields(request)
    try:
        zone = (await operator_of(house, caller.operator_id))["zone"]
        since, until = typed_instant(given.get("since", ""), zone), typed_instant(given.get("until", ""), zone)
        if since is None or until is None:
            msg = "a correction is of a range of sessions"
            raise BadInput(msg, code="corrections.bad_range")
        order = OpenCorrection(given.get("tariff", "").strip(), since, until, given.get("reason", ""))
        row = await house.write(caller.operator_id, open_correction, order, actor=actor_of(caller))
    except TallywattError as problem:
        return await _list(request, house, caller, problem=problem, given=given)
    return done(f"{AT}/{row.correction_id}", "pricing")


@router.get(f"{AT}/{{correction_id}}")
async def show_one(request: Request, correction_id: str, caller: Reader, house: TheHouse, cursor: str = "") -> Response:
    """What differs, session by session."""
    return await _page(request, house, caller, correction_id, cursor)


@router.post(f"{AT}/{{correction_id}}")
async def decide(request: Request, correction_id: str, caller: Collector, house: TheHouse) -> Response:
    """Carry it out, discard it, or give up what one session's payer was asked for."""
    given = await given_fields(request)
    decision = given.get("decision", "")
    operator, actor = caller.operator_id, actor_of(caller)
    try:
        if decision == "discard":
            await house.write(operator, discard_correction, DiscardCorrection(correction_id), actor=actor)
            return done(f"{AT}/{correction_id}", "discarded")
        if decision == "waive":
            waiver = WaiveRest(correction_id, SessionId(given.get("session", "")), limit_holder(caller))
            await house.write(operator, waive_rest, waiver, actor=actor)
            return done(f"{AT}/{correction_id}", "waived")
        shown_now = await correction_of(house, operator, correction_id)
        order = OrderCorrection(correction_id, limit_holder(caller), _above(given, shown_now["currency"]))
        row = await house.write(operator, order_correction, order, actor=actor)
    except TallywattError as problem:
        return await _page(request, house, caller, correction_id, problem=problem, given=given)
    return done(f"{AT}/{correction_id}", "asked_approval" if row.state is CorrectionState.WAITING else "correcting")


def _above(given: dict[str, str], code: str) -> int | None:
    """From which sum on what was charged too little is asked for; None: all of it is given up."""
    if given.get("too_little") != "ask":
        return None
    return money(given.get("ask_above", "").strip()[:40].replace(",", ".") or "0", code).minor


async def _list(
    request: Request, house: House, caller: Caller, cursor: str | None = None, problem: TallywattError | None = None,
    given: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    rows = await house.ask(house.views.corrections, caller.operator_id, PAGE, cursor)
    tariffs = await house.ask(house.views.tariffs, caller.operator_id)
    return await shown(
        request, house, caller, "corrections.html", "corrections", status_of(problem) if problem else 200,
        rows=rows["items"], next=rows["next"], tariffs=tariffs, problem=problem, given=given or {},
    )  # fmt: skip


async def _page(
    request: Request, house: House, caller: Caller, correction_id: str, cursor: str = "",
    problem: TallywattError | None = None, given: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    row = await correction_of(house, caller.operator_id, correction_id)
    rows = await house.ask(house.views.corrected_sessions, caller.operator_id, correction_id, cursor, PAGE + 1)
    return await shown(
        request, house, caller, "correction.html", "corrections", status_of(problem) if problem else 200,
        row=row, rows=rows[:PAGE], next=rows[PAGE - 1]["session_id"] if len(rows) > PAGE else None, problem=problem,
        given=given or {},
    )  # fmt: skip
