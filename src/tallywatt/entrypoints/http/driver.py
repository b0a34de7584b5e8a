"""The driver's pages: find the post, the price before the start, the way to pay, the live session, the invoice. One link."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from tallywatt.entrypoints.http.api.events import LAST_POSITION, STREAM, STREAM_HEADERS, feed_of
from tallywatt.entrypoints.http.api.metrology import receipt_of
from tallywatt.entrypoints.http.api.money import pdf_of
from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.shown import given_fields
from tallywatt.entrypoints.http.doors import TheHouse, actor_of, csrf_token, signed, signed_in_driver, unsigned
from tallywatt.entrypoints.http.once import fingerprint_of
from tallywatt.entrypoints.http.telling import as_json, found
from tallywatt.entrypoints.pages import evse_page, language, own_account, session_page
from tallywatt.entrypoints.pages.language import _
from tallywatt.entrypoints.pages.render import page
from tallywatt.entrypoints.pages.signed_part import signed_view
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.identity import SessionId
from tallywatt.kernel.money import currency
from tallywatt.payments.payment import REST, TOP_UP
from tallywatt.stations.web_code import LONGEST_CODE
from tallywatt.workflows.answer_once import AnswerOnce, answer_once
from tallywatt.workflows.ask_rest import PayRest, pay_rest
from tallywatt.workflows.offer_and_pay import OfferAndPay, offer_and_pay
from tallywatt.workflows.pay_at_reader import GiveUpAtReader, give_up_at_reader
from tallywatt.workflows.show_web_code import CheckWebCode, check_web_code
from tallywatt.workflows.stop_own_session import StopOwnSession, stop_own_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.customers.access import Caller
    from tallywatt.kernel.events import Event
    from tallywatt.payments.payment import Payment
    from tallywatt.wiring import House

router = APIRouter()

DRIVER = "driver:unknown"
"""Who acts when nobody signs in."""
SHORTEST_KEY: Final = 22
"""Characters of 128 bits, as tightly as they are ever written."""
FEWEST_CHARACTERS: Final = 8
"""Different ones: of what was drawn at random, hardly anything has fewer."""
READING_SECONDS: Final = 10 * 60
"""How long a driver who has scanned a code may read the price before paying."""
_FIGURE: Final = re.compile(r"[0-9]{1,7}(\.[0-9]{1,4})?")
MOST_CHARACTERS: Final = 64
"""Of the code of a coupon, as it is typed."""
PAID_COOKIE: Final = "tallywatt_paid"
"""In the browser that paid: the secret of the payment, sent to the page of its session alone."""
HOLD_COOKIE: Final = "tallywatt_hold"
"""In the browser whose hold waits for a session: the secret of that payment, sent to the pages of EVSEs alone."""
HOLD_SECONDS: Final = 3600
PAID_SECONDS: Final = 14 * 24 * 3600


@router.get("/go")
async def find_post(house: TheHouse, code: Annotated[str, Query(max_length=64)] = "") -> Response:
    """For whoever cannot scan: the number that is printed on the post leads to its page."""
    typed = code.strip()
    rows = await house.ask(house.views.evses_printed, typed) if typed else []
    if len(rows) == 1:
        return RedirectResponse(f"/evse/{quote(rows[0]['code'], safe='*')}", 303)
    return HTMLResponse(page("go.html", typed=typed, rows=rows), 404 if typed and not rows else 200)


@router.get("/evse/{code}")
async def show_evse(
    request: Request,
    code: str,
    house: TheHouse,
    cancelled: bool = False,
    totp: Annotated[str | None, Query(max_length=LONGEST_CODE)] = None,
) -> Response:
    """The price before the start, derived from the tariff that will rate the session.

    `totp`: the code that the station's display has put into the address, where it shows one.
    """
    evse = await _evse(house, code)
    language.rather(evse["operator_country"])
    operator = evse["operator_id"]
    price = await house.ask(house.views.price_at, operator, evse, house.business_now())
    places = await house.ask(house.views.neighbours, operator, evse["station_id"], evse["location_id"])
    view = evse_page.view(evse, price, places, _connected(house))
    view |= await _scanned(house, evse, totp)
    place = (evse["location_id"], evse["evse_id"], evse["currency"])
    there = await house.ask(house.views.readers_at, operator, *place)
    rest = await house.ask(house.views.resting_readers, operator, house.business_now()) if there else frozenset()
    view["readers"] = [{"id": one["id"], "label": one["label"]} for one in there if one["id"] not in rest]
    view["once"] = house.new_id("pay")
    caller = await signed_in_driver(request)
    csrf = csrf_token(house.secret, caller) if caller else ""
    own = await _own_price(house, evse, caller, price) if caller else None
    return HTMLResponse(page("evse.html", view=view, cancelled=cancelled, caller=caller, csrf=csrf, own=own), 200)


async def _own_price(
    house: House, evse: dict[str, Any], caller: Caller, price: dict[str, Any] | None
) -> dict[str, Any] | None:
    """The price of the account with which the driver would start, where it is another one, and why."""
    if caller.operator_id != evse["operator_id"] or caller.customers is None or len(caller.customers) != 1:
        return None
    now, customer = house.business_now(), caller.customers[0]
    own = await house.ask(house.views.price_at, evse["operator_id"], evse, now, customer)
    told = ("tariff_version_id", "discounts", "lines", "examples")
    if own is None or (price is not None and all(own.get(name) == price.get(name) for name in told)):
        return None
    return {**own, "because": evse_page.because(own["choice_reason"], own["circles"])}


async def _scanned(house: House, evse: dict[str, Any], totp: str | None) -> dict[str, Any]:
    """What a code is good for: it lets this reader pay for some minutes, although the display shows the next one by then."""
    if evse["code_generation"] is None:
        return {}
    try:
        window = await house.write(evse["operator_id"], check_web_code, CheckWebCode(evse["code"], totp), actor=DRIVER)
    except BadInput as refused:
        return {"payable": False, "scan": evse_page.scan_hint(refused.code)}
    until = house.machine.now() // 1000 + READING_SECONDS
    return {"scanned": signed(house.secret, f"{evse['code']}/{window}/{until}")}


def _window_of(house: House, code: str, scanned: str | None) -> int | None:
    """The window of a code that was checked a few minutes ago on the page of this very EVSE."""
    told = unsigned(house.secret, scanned) if scanned else None
    place, window, until = told.rsplit("/", 2) if told else ("", "", "0")
    if place != code or int(until) < house.machine.now() // 1000:
        return None
    return int(window)


def _connected(house: House) -> frozenset[str] | None:
    """The stations that are on the line; None where this process has no gateway and cannot know."""
    return frozenset(house.gateway.connected()) if house.gateway is not None else None


@router.post("/evse/{code}/pay")
async def pay(
    request: Request,
    code: str,
    house: TheHouse,
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
    scanned: Annotated[str | None, Query(max_length=255)] = None,
) -> Response:
    """Say yes to the price: a hold is placed on the provider's page or at a card reader, then the station starts.

    `at=reader` in the form, and `reader` where there are several: the card is held to a reader beside the charging point
    (`at=reader/ID` says both). `once` was drawn with that form, so that pressing twice leads to one payment. `scanned`:
    what the page of the EVSE gave for the code on its display, where it shows one.
    """
    evse = await _evse(house, code)
    base = house.settings.base_url
    language.rather(evse["operator_country"])
    _require_unguessable(idempotency_key)
    fingerprint = await fingerprint_of(request)  # before the form: its bytes are read once, and kept by this
    given = await given_fields(request)
    coupon = given.get("coupon", "")[:MOST_CHARACTERS]
    way, _, named = given.get("at", "").partition("/")
    command = OfferAndPay(
        evse["code"],
        f"{base}/pay/{{secret}}?paid=true",
        f"{base}/evse/{evse['code']}?cancelled=true",
        language=language.language(),
        hold_secret=request.cookies.get(HOLD_COOKIE),
        web_window=_window_of(house, evse["code"], scanned),
        coupon=coupon.strip() or None,
        limits=_limits(given, evse["currency"]),
        at_reader=way == "reader",
        reader_id=(given.get("reader") or named)[:MOST_CHARACTERS] or None,
    )
    pressed = given.get("once", "")[:MOST_CHARACTERS] if command.at_reader and idempotency_key is None else ""
    if pressed:
        _require_unguessable(pressed)
        idempotency_key = f"{pressed}/{fingerprint}"  # another wish on the same form is another payment
    once = AnswerOnce(DRIVER, idempotency_key, fingerprint, offer_and_pay, command, _begun, 202)
    answer = await house.write(evse["operator_id"], answer_once, once, actor=DRIVER)
    if "application/json" in request.headers.get("accept", ""):
        return Response(answer.body, 202, media_type="application/json")
    return RedirectResponse(answer.read()["status_url"].removesuffix(".json"), 303)


def _limits(given: Mapping[str, str], code: str) -> dict[str, int]:
    """The most that a driver wants, as it is typed: money, kilowatt-hours, minutes; either mark may part a figure."""
    units = {
        "most_money": ("gross_minor", 10 ** currency(code).exponent),
        "most_kwh": ("milliwatt_hours", 1_000_000),
        "most_minutes": ("seconds", 60),
    }
    found: dict[str, int] = {}
    for name, (limit, unit) in units.items():
        typed = given.get(name, "").strip()[:MOST_CHARACTERS].replace(",", ".")
        if not typed:
            continue
        exact = Decimal(typed) if _FIGURE.fullmatch(typed) else Decimal(0)
        if not exact:
            msg = f"{typed!r} is not a limit of a session"
            remedy = "write a figure above zero, or leave it empty for no limit"
            raise BadInput(msg, code="sessions.bad_limit", remedy=remedy)
        found[limit] = int(exact * unit)
    return found


def _require_unguessable(key: str | None) -> None:
    """Drivers are not signed in, so their keys are in one place: whoever sends somebody else's gets that payment's page."""
    if key is not None and (len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS):
        msg = "nobody is signed in here, so an Idempotency-Key has to be one that nobody else thinks of"
        raise BadInput(msg, code="request.guessable_idempotency_key", remedy="draw a UUID for each wish to pay")


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
            "reason": row["reason"],
            "reader": row["reader"],
            "hosted_page_url": row["hosted_page_url"],
            "session_url": f"/s/{session}" if session else None,
        }
    )


@router.get("/pay/{secret}")
async def show_payment(secret: str, house: TheHouse, paid: bool = False) -> Response:
    """The way from the price to the session: to the provider's page, then to the session's own.

    `paid`: the provider has sent the driver back; its own word may still be on its way.
    """
    row = await _payment(house, secret)
    if row["purpose"] == REST:
        return _show_rest(row, paid=paid)
    if row["session_secret"]:
        onward = RedirectResponse(f"/s/{row['session_secret']}", 303)
        _remember(onward, house, row["session_secret"], secret)
        return onward
    if row["state"] in evse_page.PAYABLE and row["hosted_page_url"] and not paid:
        return RedirectResponse(row["hosted_page_url"], 303)
    if row["purpose"] == TOP_UP:
        operator = await operator_of(house, row["operator_id"])
        language.rather(operator["country"])
        return HTMLResponse(page("top_up.html", view=own_account.top_up_view(row, operator["name"], paid=paid)))
    plug = await house.ask(house.views.plug, row["operator_id"], row["evse_id"])
    start = await house.ask(house.views.start_of, row["operator_id"], row["id"])
    language.rather(plug["country"] if plug else None)
    view = evse_page.payment_view(row, plug, start, paid=paid) | {"give_up": f"/pay/{quote(secret)}/give-up"}
    answer = HTMLResponse(page("pay.html", view=view))
    if row["state"] == "authorised" and row["reader"] is None:
        # The next connector is tried with the same hold, by whoever placed it; at a reader the browser may be a kiosk's,
        # where the next driver would have it.
        answer.set_cookie(
            HOLD_COOKIE,
            secret,
            HOLD_SECONDS,
            path="/evse",
            httponly=True,
            samesite="lax",
            secure=house.settings.base_url.startswith("https://"),
        )
    return answer


def _show_rest(row: dict[str, Any], *, paid: bool) -> Response:
    """On to the provider's page, and afterwards back to the session; while that page is being made, a moment's wait."""
    if row["state"] in evse_page.PAYABLE and not paid:
        if row["hosted_page_url"]:
            return RedirectResponse(row["hosted_page_url"], 303)
        return HTMLResponse(page("rest.html", row=row))
    return RedirectResponse(f"/s/{row['session_secret']}", 303)


@router.post("/pay/{secret}/give-up")
async def give_up(request: Request, secret: str, house: TheHouse) -> Response:
    """Who does not want to pay at the reader any more: it asks no longer, and what it held meanwhile is let go."""
    row = await _payment(house, secret)
    await house.write(row["operator_id"], give_up_at_reader, GiveUpAtReader(secret), actor=DRIVER)
    if "application/json" in request.headers.get("accept", ""):
        return await payment_state(secret, house)
    return RedirectResponse(f"/pay/{quote(secret)}", 303)


def _remember(answer: Response, house: House, session_secret: str, payment_secret: str) -> None:
    """This browser paid, so it may stop. The link alone, which people pass on, only shows."""
    answer.set_cookie(
        PAID_COOKIE,
        payment_secret,
        PAID_SECONDS,
        path=f"/s/{session_secret}",
        httponly=True,
        samesite="lax",
        secure=house.settings.base_url.startswith("https://"),
    )


@router.get("/s/{secret}.json")
async def session_state(secret: str, house: TheHouse) -> Response:
    """The session's page as data."""
    return as_json(await _session_view(house, await _session(house, secret)))


@router.get("/s/{secret}.pdf")
async def session_invoice(secret: str, house: TheHouse) -> Response:
    """The invoice, as it was printed."""
    row = await _session(house, secret)
    if row["invoice"] is None:
        msg = "there is no invoice yet"
        raise NotFound(msg, code="invoices.not_issued_yet")
    return await pdf_of(house, row["operator_id"], row["invoice"])


@router.get("/s/{secret}.xml")
async def session_receipt(secret: str, house: TheHouse) -> Response:
    """What the meter signed, as the file that the official transparency software opens."""
    row = await _session(house, secret)
    signed = await house.ask(house.views.signed_values, row["operator_id"], row["id"])
    return receipt_of(signed, row["invoice"] or row["id"])


@router.get("/s/{secret}")
async def show_session(request: Request, secret: str, house: TheHouse) -> Response:
    """The driver's page of a session: live while it charges, then the invoice and how it was paid."""
    position = feed_of(request).position
    row = await _session(house, secret)
    caller = await signed_in_driver(request)
    view = await _session_view(house, row, may_stop=_may_stop(request, row, caller))
    csrf = csrf_token(house.secret, caller) if caller else ""
    return HTMLResponse(
        page("session.html", view=view, secret=secret, position=position, csrf=csrf, signed_in=caller is not None)
    )


def _may_stop(request: Request, row: dict[str, Any], caller: Caller | None) -> bool:
    """Whether a stop button is of use. The workflow decides when it is pressed."""
    if row["payment_id"] is not None and PAID_COOKIE in request.cookies:
        return True
    return caller is not None and row["payer"] == "customer" and row["payer_id"] in (caller.customers or ())


@router.post("/s/{secret}/stop")
async def stop_session(request: Request, secret: str, house: TheHouse) -> Response:
    """The driver has had enough: ask the station to stop."""
    row = await _session(house, secret)
    # A driver's cookie opens nothing from another site: the caller is found with the token of the form, or not at all.
    caller = await signed_in_driver(request)
    order = StopOwnSession(
        SessionId(row["id"]), request.cookies.get(PAID_COOKIE), (caller.customers if caller else None) or ()
    )
    actor = actor_of(caller) if caller else f"driver:{row['payment_id'] or 'unknown'}"
    await house.write(row["operator_id"], stop_own_session, order, actor=actor)
    return RedirectResponse(f"/s/{secret}", 303)


@router.post("/s/{secret}/rest")
async def pay_what_is_missing(secret: str, house: TheHouse) -> Response:
    """Pay what was charged too little, on a page of the provider's. Whoever has the link may; pressed twice it is one page."""
    row = await _session(house, secret)
    operator, base = await operator_of(house, row["operator_id"]), house.settings.base_url
    language.rather(operator["country"])
    order = PayRest(
        SessionId(row["id"]),
        _("Charging at %(operator)s, what was missing") % {"operator": operator["name"]},
        f"{base}/pay/{{secret}}?paid=true",
        f"{base}/s/{secret}",
        language.language(),
    )
    payment = await house.write(row["operator_id"], pay_rest, order, actor=DRIVER)
    return RedirectResponse(f"/pay/{payment.driver_secret}", 303)


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
    row = await house.ask(house.views.session_by_secret, None, secret, language.language())
    return found(row, "session", "sessions.not_found")


async def _session_view(house: House, row: dict[str, Any], *, may_stop: bool = False) -> dict[str, Any]:
    operator = await operator_of(house, row["operator_id"])
    cost, invoice, stop = None, None, None
    if row["rated"] is None:
        cost = await house.ask(house.views.cost_so_far, row["operator_id"], row["id"], language.language())
    if row["state"] == "active":
        stop = await house.ask(house.views.stop_of, row["operator_id"], row["station_id"], row["id"])
    if row["invoice"] is not None:
        invoice = await house.ask(house.views.invoice, row["operator_id"], row["invoice"])
    view = session_page.view(row, cost, operator, invoice, stop, may_stop=may_stop)
    if row["state"] == "billed":
        asked = await house.ask(house.views.asked_rest, row["operator_id"], row["id"])
        view["rest"] = session_page.rest(row, asked)
    if row["transaction_ended_at"] is not None:
        view["signed"] = signed_view(await house.ask(house.views.signed_values, row["operator_id"], row["id"]))
    return view
