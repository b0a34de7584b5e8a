"""Customers and their tokens on the console: found, added, blocked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.circles import with_standing
from tallywatt.entrypoints.http.console.shown import PAGE, Text, done, given_fields, shown
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.entrypoints.http.telling import found
from tallywatt.entrypoints.pages import own_account
from tallywatt.kernel.clock import local_date
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.block_token import BlockToken, block_token

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
Words = Annotated[str, Query(max_length=100), AfterValidator(storable)]
TYPES: Final = ("RFID", "APP_USER", "OTHER")


@router.get("/console/customers")
async def list_customers(
    request: Request, caller: Reader, house: TheHouse, q: Words = "", cursor: Words = ""
) -> Response:
    """Customers by reference; with `q` those that it may mean."""
    if q.strip():
        rows, after = await house.ask(house.views.customers_like, caller.operator_id, q, PAGE), None
    else:
        rows = await house.ask(house.views.customers, caller.operator_id, cursor, PAGE + 1)
        after = rows[PAGE - 1]["reference"] if len(rows) > PAGE else None
    return await shown(request, house, caller, "customers.html", "customers", rows=rows[:PAGE], next=after, q=q)


@router.get("/console/customers/new")
async def show_form(request: Request, caller: Seller, house: TheHouse) -> Response:
    """An empty form."""
    return await shown(request, house, caller, "customer_new.html", "customers", given={}, problem=None)


@router.post("/console/customers/new")
async def add(request: Request, caller: Seller, house: TheHouse) -> Response:
    """A new customer under the operator's own reference."""
    given = await given_fields(request)
    try:
        command = _customer(given)
        await house.write(caller.operator_id, add_customer, command, actor=actor_of(caller))
    except TallywattError as problem:
        status = status_of(problem)
        return await shown(
            request, house, caller, "customer_new.html", "customers", status, given=given, problem=problem
        )
    return done(customer_path(command.reference), "added")


@router.get("/console/customers/{reference:path}")
async def show_customer(request: Request, reference: str, caller: Reader, house: TheHouse) -> Response:
    """One customer: who it is, its cards, its sessions."""
    return await customer_page(request, house, caller, reference)


@router.post("/console/customers/{reference:path}/tokens")
async def add_card(
    request: Request, reference: str, caller: Seller, house: TheHouse, uid: Text = "", kind: Text = "RFID"
) -> Response:
    """Give a customer a card, a fob or an app's tag."""
    try:
        if kind not in TYPES:
            msg = "a token is a card, an app's tag or something else"
            raise BadInput(msg, code="tokens.bad_type")
        await house.write(caller.operator_id, add_token, AddToken(uid, reference, kind), actor=actor_of(caller))
    except TallywattError as problem:
        return await customer_page(request, house, caller, reference, problem, uid)
    return done(customer_path(reference), "added", "#tokens")


@router.post("/console/customers/{reference:path}/tokens/{token_id}")
async def block(
    request: Request, reference: str, token_id: str, caller: Seller, house: TheHouse, blocked: Text = "yes"
) -> Response:
    """Block a card, or let it start again."""
    order = BlockToken(token_id, blocked != "no")
    try:
        await house.write(caller.operator_id, block_token, order, actor=actor_of(caller))
    except TallywattError as problem:
        return await customer_page(request, house, caller, reference, problem)
    return done(customer_path(reference), "blocked" if order.blocked else "unblocked", "#tokens")


async def customer_page(
    request: Request, house: House, caller: Caller, reference: str, problem: TallywattError | None = None, uid: str = "",
    given: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    """The page of a customer; with what stopped a form of it, and what was typed there."""
    row = await house.ask(house.views.customer, caller.operator_id, reference)
    row = found(row, "customer", "customers.not_found")
    sessions = await house.ask(house.views.sessions, caller.operator_id, 10, customer=reference)
    methods = await house.ask(house.views.payment_methods, caller.operator_id, row["id"])
    belongs = await house.ask(house.views.circles_of_customer, caller.operator_id, row["id"])
    account = await house.ask(house.views.customer_account, caller.operator_id, row["id"], PAGE)
    books = await house.ask(house.views.provider_accounts, caller.operator_id)
    mandates = await house.ask(house.views.mandates, caller.operator_id, row["id"])
    creditor = await house.ask(house.views.creditor, caller.operator_id)
    today = local_date(house.business_now(), (await operator_of(house, caller.operator_id))["zone"]).isoformat()
    return await shown(
        request, house, caller, "customer.html", "customers", status_of(problem) if problem else 200,
        row=row, sessions=sessions["items"], methods=methods, problem=problem, uid=uid, types=TYPES,
        belongs=[with_standing(one, house.business_now()) for one in belongs],
        own=own_account.view(account, methods, books, today), today=today, given=given or {},
        once=house.new_id("transfer"), mandates=mandates, creditor=creditor,
    )  # fmt: skip


def _customer(given: dict[str, Any]) -> AddCustomer:
    reference, email = given.get("reference", "").strip(), given.get("email", "").strip()
    if not 0 < len(reference) <= 64:
        msg = "a customer has a reference of 1 to 64 characters"
        raise BadInput(msg, code="customers.bad_reference")
    if email and not re.fullmatch(r"[^@ ]{1,64}@[^@ ]{1,190}", email):
        msg = "this is no e-mail address"
        raise BadInput(msg, code="customers.bad_email")
    language = given.get("language", "en")
    return AddCustomer(
        reference,
        given.get("name", "").strip()[:200],
        email or None,
        given.get("address", "").strip()[:500] or None,
        language if language in {"en", "de"} else "en",
    )


def customer_path(reference: str) -> str:
    """Where the page of a customer is."""
    return f"/console/customers/{quote(reference, safe='')}"
