"""Coupons on the console: made, ended, and who used which one when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.circles import with_standing
from tallywatt.entrypoints.http.console.shown import PAGE, Text, done, given_fields, shown
from tallywatt.entrypoints.http.console.tariffs import typed_instant
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.http.telling import found
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.workflows.use_coupon import AddCoupon, EndCoupon, add_coupon, end_coupon

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
KINDS = ("percent", "after_taxes", "before_taxes")


@router.get("/console/coupons")
async def list_coupons(request: Request, caller: Reader, house: TheHouse) -> Response:
    """All coupons, the newest first."""
    return await _list(request, house, caller)


@router.post("/console/coupons")
async def add(request: Request, caller: Seller, house: TheHouse) -> Response:
    """Make a coupon. Times are those of the operator's zone."""
    given = await given_fields(request)
    zone = (await operator_of(house, caller.operator_id))["zone"]
    try:
        kind = given.get("kind", "percent")
        if kind not in KINDS:
            msg = "a coupon takes off a percentage or an amount"
            raise BadInput(msg, code="coupons.bad_terms")
        command = AddCoupon(
            given.get("code", ""),
            {kind: given.get("value", "").strip().replace(",", ".")},
            given.get("title", "")[:200],
            most_uses=_whole(given.get("most", "")),
            uses_per_customer=_whole(given.get("each", "")) or 1,
            valid_from=typed_instant(given.get("begins", ""), zone),
            valid_until=typed_instant(given.get("ends", ""), zone),
        )
        row = await house.write(caller.operator_id, add_coupon, command, actor=actor_of(caller))
    except TallywattError as problem:
        return await _list(request, house, caller, problem, given)
    return done(f"/console/coupons/{row.coupon_id}", "added")


def _whole(text: str) -> int | None:
    """A whole number; None where nothing is typed."""
    if not text.strip():
        return None
    if not text.strip().isdecimal() or len(text.strip()) > 9:
        msg = "this is no whole number"
        raise BadInput(msg, code="coupons.bad_uses")
    return int(text)


@router.get("/console/coupons/{coupon_id}")
async def show_coupon(request: Request, coupon_id: str, caller: Reader, house: TheHouse) -> Response:
    """What it grants, and who used it when."""
    return await _page(request, house, caller, coupon_id)


@router.post("/console/coupons/{coupon_id}/end")
async def end(request: Request, coupon_id: str, caller: Seller, house: TheHouse, at: Text = "") -> Response:
    """Let nobody claim it any more."""
    zone = (await operator_of(house, caller.operator_id))["zone"]
    try:
        await house.write(
            caller.operator_id, end_coupon, EndCoupon(coupon_id, typed_instant(at, zone)), actor=actor_of(caller)
        )
    except TallywattError as problem:
        return await _page(request, house, caller, coupon_id, problem)
    return done(f"/console/coupons/{coupon_id}", "saved")


async def _list(
    request: Request, house: House, caller: Caller, problem: TallywattError | None = None,
    given: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    rows = await house.ask(house.views.coupons, caller.operator_id)
    return await shown(
        request, house, caller, "coupons.html", "coupons", status_of(problem) if problem else 200,
        rows=[with_standing(one, house.business_now()) for one in rows], problem=problem, given=given or {},
    )  # fmt: skip


async def _page(
    request: Request, house: House, caller: Caller, coupon_id: str, problem: TallywattError | None = None
) -> Response:
    row = found(await house.ask(house.views.coupon, caller.operator_id, coupon_id), "coupon", "coupons.not_found")
    uses = await house.ask(house.views.uses_of_coupon, caller.operator_id, coupon_id, PAGE)
    return await shown(
        request, house, caller, "coupon.html", "coupons", status_of(problem) if problem else 200,
        row=with_standing(row, house.business_now()), uses=uses, problem=problem,
    )  # fmt: skip
