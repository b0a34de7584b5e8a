"""The driver's pages: the price before the start, the way to pay, the live session, the invoice. No account, one link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from tallywatt.entrypoints.http.api.events import LAST_POSITION, STREAM, STREAM_HEADERS, feed_of
from tallywatt.entrypoints.http.api.money import pdf_of
from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.doors import TheHouse
from tallywatt.entrypoints.http.once import fingerprint_of
from tallywatt.entrypoints.http.telling import as_json, found
from tallywatt.entrypoints.pages import evse_page, session_page
from tallywatt.entrypoints.pages.render import page
from tallywatt.kernel.errors import NotFound
from tallywatt.workflows.answer_once import AnswerOnce, answer_once
from tallywatt.workflows.offer_and_pay import OfferAndPay, offer_and_pay

if TYPE_CHECKING:
    from tallywatt.kernel.events import Event
    from tallywatt.payments.payment import Payment
    from tallywatt.wiring import House

router = APIRouter()

DRIVER = "driver:unknown"
"""Who acts when nobody signs in."""


@router.get("/evse/{code}")
async def show_evse(code: str, house: TheHouse, cancelled: bool = False) -> Response:
    """The price before the start, derived from the tariff that will rate the session."""
    evse = await _evse(house, code)
    price = await house.ask(house.views.price_at, evse["operator_id"], evse, house.business_now())
    station = await house.ask(house.views.station, evse["operator_id"], evse["identity"])
    view = evse_page.view(evse, price, station)
    return HTMLResponse(page("evse.html", view=view, cancelled=cancelled), 200)


@router.post("/evse/{code}/pay")
async def pay(
    request: Request, code: str, house: TheHouse, idempotency_key: Annotated[str | None, Header(max_length=255)] = None
) -> Response:
    """Say yes to the price: a hold is placed on the provider's page, then the station starts."""
    evse = await _evse(house, code)
    base = house.settings.base_url
    command = OfferAndPay(evse["code"], f"{base}/pay/{{secret}}", f"{base}/evse/{evse['code']}?cancelled=true")
    once = AnswerOnce(DRIVER, idempotency_key, await fingerprint_of(request), offer_and_pay, command, _begun, 202)
    answer = await house.write(evse["operator_id"], answer_once, once, actor=DRIVER)
    if "application/json" in request.headers.get("accept", ""):
        return Response(answer.body, 202, media_type="application/json")
    return RedirectResponse(answer.read()["status_url"].removesuffix(".json"), 303)


def _begun(payment: Payment) -> dict[str, str]:
    return {"payment": payment.payment_id, "status_url": f"/pay/{payment.driver_secret}.json"}


@router.get("/pay/{secret}.json")
async def payment_state(secret: str, house: TheHouse) -> Response:
    """How the payment stands, for a page or a program that waits."""
    row = await _payment(house, secret)
    session = row["session_secret"]
    return as_json(
        {
            "state": row["state"],
            "hosted_page_url": row["hosted_page_url"],
            "session_url": f"/s/{session}" if session else None,
        }
    )


@router.get("/pay/{secret}")
async def show_payment(secret: str, house: TheHouse) -> Response:
    """The way from the price to the session: to the provider's page, then to the session's own."""
    row = await _payment(house, secret)
    if row["session_secret"]:
        return RedirectResponse(f"/s/{row['session_secret']}", 303)
    if row["state"] in evse_page.PAYABLE and row["hosted_page_url"]:
        return RedirectResponse(row["hosted_page_url"], 303)
    return HTMLResponse(page("pay.html", view=evse_page.payment_view(row)))


@router.get("/s/{secret}.json")
async def session_state(secret: str, house: TheHouse) -> Response:
    """The session's page as data."""
    return as_json(await _session_view(house, secret))


@router.get("/s/{secret}.pdf")
async def session_invoice(secret: str, house: TheHouse) -> Response:
    """The invoice, as it was printed."""
    row = await _session(house, secret)
    if row["invoice"] is None:
        msg = "there is no invoice yet"
        raise NotFound(msg, code="invoices.not_issued_yet")
    return await pdf_of(house, row["operator_id"], row["invoice"])


@router.get("/s/{secret}")
async def show_session(request: Request, secret: str, house: TheHouse) -> Response:
    """The driver's page of a session: live while it charges, then the invoice and how it was paid."""
    position = feed_of(request).position
    view = await _session_view(house, secret)
    return HTMLResponse(page("session.html", view=view, secret=secret, position=position))


@router.get("/s/{secret}/feed")
async def follow_session(
    request: Request,
    secret: str,
    house: TheHouse,
    after: Annotated[int | None, Query(ge=0, le=LAST_POSITION)] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=LAST_POSITION)] = None,
) -> StreamingResponse:
    """News of this session and its payments alone."""
    row = await _session(house, secret)
    watched = {row["id"], row["evse_id"], row["payment_id"], row["invoice_id"], *(one["id"] for one in row["payments"])}

    def wants(event: Event) -> bool:
        if event.data.get("session_id") == row["id"]:
            watched.add(event.aggregate_id)
        return event.aggregate_id in watched

    feed = feed_of(request)
    feed.require_room()
    return StreamingResponse(
        feed.watch(row["operator_id"], wants, after if last_event_id is None else last_event_id),
        media_type=STREAM,
        headers=STREAM_HEADERS,
    )


async def _evse(house: House, code: str) -> dict[str, Any]:
    row = found(await house.ask(house.views.evse_by_code, code), "EVSE", "evses.not_found")
    if row["state"] != "adopted":
        msg = "there is no such EVSE"
        raise NotFound(msg, code="evses.not_found")
    return row


async def _payment(house: House, secret: str) -> dict[str, Any]:
    return found(await house.ask(house.views.payment_by_secret, None, secret), "payment", "payments.not_found")


async def _session(house: House, secret: str) -> dict[str, Any]:
    return found(await house.ask(house.views.session_by_secret, None, secret), "session", "sessions.not_found")


async def _session_view(house: House, secret: str) -> dict[str, Any]:
    row = await _session(house, secret)
    running = row["rated"] is None
    cost = await house.ask(house.views.cost_so_far, row["operator_id"], row["id"]) if running else None
    invoice = None
    if row["invoice"] is not None:
        invoice = await house.ask(house.views.invoice, row["operator_id"], row["invoice"])
    return session_page.view(row, cost, await operator_of(house, row["operator_id"]), invoice)
