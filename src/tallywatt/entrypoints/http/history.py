"""The pages of a driver who is signed in: what they charged, and starting with the account at a post."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.shown import Text, given_fields
from tallywatt.entrypoints.http.doors import Driver, TheHouse, actor_of, csrf_token
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.pages import language, own_account
from tallywatt.entrypoints.pages.figures import month
from tallywatt.entrypoints.pages.language import _
from tallywatt.entrypoints.pages.render import page
from tallywatt.kernel.clock import local_date
from tallywatt.kernel.errors import BadInput, NotFound, TallywattError
from tallywatt.kernel.identity import CustomerId
from tallywatt.kernel.money import money
from tallywatt.workflows.answer_once import AnswerOnce, answer_once
from tallywatt.workflows.ask_on_page import TopUp, top_up
from tallywatt.workflows.start_own_session import StartOwnSession, start_own_session
from tallywatt.workflows.use_coupon import KeepCoupon, keep_coupon

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.payments.payment import Payment
    from tallywatt.wiring import House

router = APIRouter()

PAGE: Final = 50
LATEST: Final = 5
"""Movements of a balance."""
MOST_TYPED: Final = 64
RUNNING: Final = frozenset({"active", "ended"})


@router.get("/me")
async def show_history(
    request: Request,
    caller: Driver,
    house: TheHouse,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    started: bool = False,
) -> Response:
    """The driver's sessions, newest first, by month; a fleet's manager sees those of all its customers."""
    return await _page(request, house, caller, cursor, started=started)


async def _page(
    request: Request, house: House, caller: Caller, cursor: str | None = None, *, started: bool = False,
    problem: TallywattError | None = None, typed: str = "", amount: str | None = None,
) -> Response:  # fmt: skip
    rows = await _sessions(house, caller, cursor)
    alone = _alone(caller)
    kept = [] if alone is None else await house.ask(house.views.coupons_of_customer, caller.operator_id, alone)
    operator = await operator_of(house, caller.operator_id)
    language.rather(operator["country"])
    own = None if alone is None else await _own_account(house, caller, alone, operator["zone"])
    many = tuple(caller.customers or ()) if alone is None and cursor is None else ()
    fleet = await house.ask(house.views.fleet_accounts, caller.operator_id, many) if len(many) > 1 else []
    shown = rows[:PAGE]
    past = [row for row in shown if row["state"] not in RUNNING]
    return HTMLResponse(
        page(
            "me.html",
            operator=operator["name"],
            running=[row for row in shown if row["state"] in RUNNING],
            months=[
                (name, list(those)) for name, those in groupby(past, lambda row: month(row["started_at"], row["zone"]))
            ],
            started=started,
            position=request.state.position,
            next=shown[-1]["id"] if len(rows) > PAGE else None,
            coupons=kept,
            may_enter=alone is not None,
            csrf=csrf_token(house.secret, caller) if caller.session_id else "",
            problem=problem,
            typed=typed,
            own=own,
            fleet=fleet,
            zone=operator["zone"],
            amount=amount,
            once=house.new_id("top-up"),
        ),
        status_of(problem) if problem else 200,
    )


def _alone(caller: Caller) -> CustomerId | None:
    """The customer that a driver is; a fleet's manager is several, and enters nothing for them here."""
    customers = caller.customers or ()
    return CustomerId(customers[0]) if len(customers) == 1 and caller.session_id else None


@router.post("/me/coupons")
async def enter_coupon(request: Request, caller: Driver, house: TheHouse, code: Text = "") -> Response:
    """Keep a coupon for the driver's next session."""
    alone = _alone(caller)
    if alone is None:
        msg = "a coupon is entered by the driver of an account"
        raise NotFound(msg, code="customers.not_found")
    try:
        await house.write(caller.operator_id, keep_coupon, KeepCoupon(code, alone), actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, problem=problem, typed=code)
    return RedirectResponse("/me#coupons", 303)


async def _own_account(house: House, caller: Caller, customer: CustomerId, zone: str) -> dict[str, Any]:
    account = await house.ask(house.views.customer_account, caller.operator_id, customer, LATEST)
    methods = await house.ask(house.views.payment_methods, caller.operator_id, customer)
    books = await house.ask(house.views.provider_accounts, caller.operator_id)
    return own_account.view(account, methods, books, local_date(house.business_now(), zone).isoformat())


@router.post("/me/top-ups")
async def pay_in(request: Request, caller: Driver, house: TheHouse) -> Response:
    """Pay in on a card provider's page. `once` was drawn with the form, so that pressing twice opens one page."""
    alone = _alone(caller)
    if alone is None:
        msg = "a balance is topped up by the driver of an account"
        raise NotFound(msg, code="customers.not_found")
    given = await given_fields(request)
    operator, base = await operator_of(house, caller.operator_id), house.settings.base_url
    language.rather(operator["country"])
    amount = given.get("amount", "")[:MOST_TYPED]
    try:
        command = TopUp(
            alone,
            money(amount.strip().replace(",", "."), given.get("currency", "").strip()[:3]),
            _("Balance at %(operator)s") % {"operator": operator["name"]},
            f"{base}/pay/{{secret}}?paid=true",
            f"{base}/me",
            language.language(),
        )
        key = given.get("once", "")[:MOST_TYPED] or None
        asked = f"POST {request.url.path} {command.amount.minor} {command.amount.currency.code}"
        once = AnswerOnce(actor_of(caller), key, asked, top_up, command, _way, 202)
        answer = await house.write(caller.operator_id, answer_once, once, actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, problem=problem, amount=amount)
    return RedirectResponse(answer.read()["page"], 303)


def _way(payment: Payment) -> dict[str, str]:
    return {"page": f"/pay/{payment.driver_secret}"}


async def _sessions(house: House, caller: Caller, before: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for customer in caller.customers or ():
        found += await house.ask(house.views.charged_by, caller.operator_id, customer, before or "~", PAGE + 1)
    return sorted(found, key=lambda row: row["id"], reverse=True)[: PAGE + 1]


@router.post("/evse/{code}/start")
async def start(code: str, caller: Driver, house: TheHouse) -> Response:
    """Start here with the driver's account."""
    customers = caller.customers or ()
    if len(customers) != 1:
        msg = "for which account is not clear: a fleet's manager starts no sessions"
        raise BadInput(msg, code="access.no_single_customer")
    evse = await house.ask(house.views.evse_by_code, code)
    if evse is None or evse["operator_id"] != caller.operator_id:
        msg = "there is no such EVSE"
        raise NotFound(msg, code="evses.not_found", remedy="this account is with another operator: pay by card here")
    await house.write(
        caller.operator_id, start_own_session, StartOwnSession(evse["code"], customers[0]), actor=actor_of(caller)
    )
    return RedirectResponse("/me?started=true", 303)
