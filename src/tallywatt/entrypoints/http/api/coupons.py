"""Coupons: codes with a discount behind them, and who used which one when."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.changes import CouponEnd
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewCoupon, NewCouponKept
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.workflows.use_coupon import (
    AddCoupon,
    EndCoupon,
    KeepCouponOf,
    add_coupon,
    end_coupon,
    keep_coupon_of,
)

router = APIRouter(tags=["coupons"], route_class=Resource)


@router.get("/coupons")
async def list_coupons(
    request: Request, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Coupons, the newest first."""
    return await listed(request, house, caller, "coupons", limit, cursor)


@router.post("/coupons", status_code=201)
async def post_coupon(request: Request, body: NewCoupon, caller: Seller, house: TheHouse) -> Response:
    """A new coupon. Customers enter its code before a session, others where they pay."""
    terms = {name: value for name, value in body.terms.model_dump().items() if value}
    command = AddCoupon(
        body.code, terms, body.title, body.currency, body.most_uses, body.uses_per_customer, when(body.valid_from),
        when(body.valid_until),
    )  # fmt: skip
    return await write_once(request, house, caller, add_coupon, command, lambda row: told(row, "coupon_id"), 201)


@router.get("/coupons/{coupon_id}")
async def show_coupon(coupon_id: str, caller: Reader, house: TheHouse) -> Response:
    """One coupon."""
    return as_json(
        found(await house.ask(house.views.coupon, caller.operator_id, coupon_id), "coupon", "coupons.not_found")
    )


@router.get("/coupons/{coupon_id}/uses")
async def list_uses(
    request: Request, coupon_id: str, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Who used it when, the newest first."""
    found(await house.ask(house.views.coupon, caller.operator_id, coupon_id), "coupon", "coupons.not_found")
    return await listed(request, house, caller, "coupon_uses", limit, cursor, coupon=coupon_id)


@router.post("/coupons/{coupon_id}/end")
async def post_end(request: Request, coupon_id: str, body: CouponEnd, caller: Seller, house: TheHouse) -> Response:
    """Let nobody claim it any more, from now on or from a time to come. What is claimed stays."""
    command = EndCoupon(coupon_id, when(body.at))
    return await write_once(request, house, caller, end_coupon, command, lambda row: told(row, "coupon_id"))


@router.post("/customers/{reference}/coupons", status_code=201)
async def post_kept(request: Request, reference: str, body: NewCouponKept, caller: Seller, house: TheHouse) -> Response:
    """Keep a coupon for a customer's next session, as if the customer had entered its code."""
    command = KeepCouponOf(body.code, reference)
    return await write_once(request, house, caller, keep_coupon_of, command, lambda row: told(row, "use_id"), 201)
