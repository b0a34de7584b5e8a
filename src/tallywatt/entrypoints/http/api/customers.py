"""Customers and their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from tallywatt.customers.customer import TokenState
from tallywatt.customers.erasure import Erasure
from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.changes import CustomerChange
from tallywatt.entrypoints.http.doors import Admin, Reader, Seller, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewCustomer, NewToken
from tallywatt.entrypoints.http.telling import as_json, as_versioned, found, told
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.block_token import BlockToken, block_token
from tallywatt.workflows.change_customer import ChangeCustomer, change_customer, lock_customer
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter(tags=["customers"], route_class=Resource)


@router.get("/customers")
async def list_customers(
    request: Request,
    caller: Reader,
    house: TheHouse,
    email: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Customers by reference."""
    return await listed(request, house, caller, "customers", limit, cursor, email=email)


@router.post("/customers", status_code=201)
async def post_customer(request: Request, body: NewCustomer, caller: Seller, house: TheHouse) -> Response:
    """A new customer under your own reference."""
    command = AddCustomer(body.reference, body.name, body.email, body.address, body.language, tuple(body.circles))
    return await write_once(request, house, caller, add_customer, command, lambda row: told(row, "customer_id"), 201)


@router.get("/customers/{reference}")
async def show_customer(reference: str, caller: Reader, house: TheHouse) -> Response:
    """One customer, with tokens."""
    row = await house.ask(house.views.customer, caller.operator_id, reference, versioned=True)
    return as_versioned(found(row, "customer", "customers.not_found"))


@router.patch("/customers/{reference}")
async def patch_customer(
    request: Request, reference: str, body: CustomerChange, caller: Seller, house: TheHouse
) -> Response:
    """Change what is known of a customer. Invoices that were printed stay as they are."""
    command = ChangeCustomer(reference, **body.model_dump())
    return await write_once(
        request, house, caller, change_customer, command, lambda row: told(row, "customer_id"),
        version_of=lambda work: lock_customer(work, reference).version,
    )  # fmt: skip


@router.get("/customers/{reference}/payment-methods")
async def list_methods(reference: str, caller: Reader, house: TheHouse) -> Response:
    """What a customer has stored with providers, as a receipt shows it."""
    row = await house.ask(house.views.customer, caller.operator_id, reference)
    customer = found(row, "customer", "customers.not_found")
    methods = await house.ask(house.views.payment_methods, caller.operator_id, customer["id"])
    return as_json({"items": methods, "next": None})


@router.delete("/customers/{reference}", status_code=202)
async def erase_customer_(request: Request, reference: str, caller: Admin, house: TheHouse) -> Response:
    """Forget a customer: the account at once, frames and messages soon after, invoices when the law lets them go."""
    command = EraseCustomer(reference)
    return await write_once(request, house, caller, erase_customer, command, _told_erasure, 202)


def _told_erasure(row: Erasure) -> dict[str, str]:
    return {"id": row.erasure_id, "customer_id": row.customer_id, "state": row.state.value}


@router.get("/tokens")
async def list_tokens(
    request: Request,
    caller: Reader,
    house: TheHouse,
    uid: str | None = None,
    customer: str | None = None,
    state: TokenState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Tokens; with `uid` those of that number, in whatever case."""
    return await listed(request, house, caller, "tokens", limit, cursor, uid=uid, customer=customer, state=state)


@router.get("/tokens/{token_id}")
async def show_token(token_id: str, caller: Reader, house: TheHouse) -> Response:
    """One token."""
    row = await house.ask(house.views.token, caller.operator_id, token_id)
    return as_versioned(found(row, "token", "tokens.not_found"))


@router.post("/tokens/{token_id}/block")
async def block(request: Request, token_id: str, caller: Seller, house: TheHouse) -> Response:
    """Let a token start nothing any more. A session that runs goes on: its energy is owed either way."""
    return await _block(request, token_id, caller, house, blocked=True)


@router.post("/tokens/{token_id}/unblock")
async def unblock(request: Request, token_id: str, caller: Seller, house: TheHouse) -> Response:
    """Let a token start again."""
    return await _block(request, token_id, caller, house, blocked=False)


async def _block(request: Request, token_id: str, caller: Caller, house: House, *, blocked: bool) -> Response:
    return await write_once(
        request, house, caller, block_token, BlockToken(token_id, blocked), lambda row: told(row, "token_id"),
        version_of=lambda work: work.tokens.lock(token_id).version,
    )  # fmt: skip


@router.post("/tokens", status_code=201)
async def post_token(request: Request, body: NewToken, caller: Seller, house: TheHouse) -> Response:
    """A new card, fob or app tag."""
    command = AddToken(body.uid, body.customer, body.type, when(body.valid_until), body.group)
    return await write_once(request, house, caller, add_token, command, lambda row: told(row, "token_id"), 201)
