"""Checkout sessions: a page of the provider's where a driver pays. The intent is made when the driver pays, not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.simulators.psp import objects
from tallywatt.simulators.psp.cards import CARDS, Verdict
from tallywatt.simulators.psp.currencies import check_amount, check_currency
from tallywatt.simulators.psp.forms import BOOL, INT, MAP, TEXT, Schema
from tallywatt.simulators.psp.intents import asks_driver, charge, current, decline
from tallywatt.simulators.psp.refusals import bad_request

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

CREATE: Final[Schema] = {
    "allowed_payment_method_types": [TEXT],
    "cancel_url": TEXT,
    "client_reference_id": TEXT,
    "customer": TEXT,
    "customer_creation": ("always", "if_required"),
    "customer_email": TEXT,
    "expand": [TEXT],
    "expires_at": INT,
    "line_items": [
        {
            "price_data": {
                "currency": TEXT,
                "product_data": {"name": TEXT, "description": TEXT},
                "unit_amount": INT,
            },
            "quantity": INT,
        }
    ],
    "locale": TEXT,
    "metadata": MAP,
    "mode": ("payment",),
    "payment_intent_data": {
        "capture_method": ("automatic", "automatic_async", "manual"),
        "description": TEXT,
        "metadata": MAP,
        "setup_future_usage": ("off_session", "on_session"),
        "statement_descriptor_suffix": TEXT,
    },
    "payment_method_options": {
        "card": {
            "request_incremental_authorization": ("if_available", "never"),
            "request_multicapture": ("if_available", "never"),
        }
    },
    "submit_type": ("auto", "book", "donate", "pay", "subscribe"),
    "success_url": TEXT,
    "wallet_options": {"link": {"display": ("auto", "never")}},
    "adaptive_pricing": {"enabled": BOOL},
}
SHORTEST_LIFE: Final = 30 * 60
LONGEST_LIFE: Final = 24 * 3600


def create(call: Call) -> Object:
    """POST /v1/checkout/sessions."""
    asked = call.params
    amount, currency, title = _sum_of(asked)
    check_amount(amount, currency, call.least, "line_items[0][price_data][unit_amount]")
    expires_at = asked.get("expires_at", call.now + LONGEST_LIFE)
    if not SHORTEST_LIFE <= expires_at - call.now <= LONGEST_LIFE:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise bad_request(message, param="expires_at")
    if "customer" in asked:
        call.get("customer", asked["customer"], "customer")
    return open_session(call, asked, amount, currency, title, expires_at)


def open_session(call: Call, asked: dict[str, Any], amount: int, currency: str, title: str, expires_at: int) -> Object:
    """A page that can be paid."""
    id_ = call.new_id("cs_test")
    session: Object = dict.fromkeys(_NOTHING_IN)
    session |= {
        "id": id_,
        "object": "checkout.session",
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": asked.get("cancel_url"),
        "client_reference_id": asked.get("client_reference_id"),
        "created": call.now,
        "currency": currency,
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "customer": asked.get("customer"),
        "customer_creation": asked.get("customer_creation", "if_required"),
        "customer_email": asked.get("customer_email"),
        "expires_at": expires_at,
        "livemode": False,
        "locale": asked.get("locale"),
        "metadata": asked.get("metadata", {}),
        "mode": "payment",
        "payment_method_options": asked.get("payment_method_options"),
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "submit_type": asked.get("submit_type"),
        "success_url": asked["success_url"],
        "ui_mode": "hosted_page",
        "url": f"{call.base_url}/c/pay/{id_}",
        "_title": title,
        "_intent": asked.get("payment_intent_data", {}),
    }
    return call.put(session)


def _sum_of(asked: dict[str, Any]) -> tuple[int, str, str]:
    items = asked.get("line_items") or []
    if not items:
        msg = "Missing required param: line_items."
        raise bad_request(msg, code="parameter_missing", param="line_items")
    amount, codes = 0, set()
    for place, item in enumerate(items):
        price = item.get("price_data", {})
        for name in ("currency", "unit_amount", "product_data"):
            if name not in price:
                shown = f"line_items[{place}][price_data][{name}]"
                msg = f"Missing required param: {shown}."
                raise bad_request(msg, code="parameter_missing", param=shown)
        codes.add(check_currency(price["currency"]))
        amount += price["unit_amount"] * item.get("quantity", 1)
    if len(codes) != 1:
        msg = "You cannot combine currencies on a single Checkout Session."
        raise bad_request(msg, param="line_items")
    return amount, codes.pop(), items[0]["price_data"]["product_data"].get("name", "")


_NOTHING_IN: Final = (
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "client_secret",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer_details",
    "invoice",
    "invoice_creation",
    "payment_intent",
    "payment_link",
    "payment_method_collection",
    "payment_method_options",
    "phone_number_collection",
    "recovered_from",
    "return_url",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "subscription",
    "tax_id_collection",
    "total_details",
)


def retrieve(call: Call) -> Object:
    """GET /v1/checkout/sessions/{id}."""
    return current_session(call, call.id)


def expire(call: Call) -> Object:
    """POST /v1/checkout/sessions/{id}/expire: the page can be paid no more."""
    session = current_session(call, call.id)
    if session["status"] != "open":
        message = f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {session["status"]}.'
        raise bad_request(message)
    return close(call, session)


def close(call: Call, session: Object) -> Object:
    """End an open session that nobody has paid, and the intent of a payment that was begun on it."""
    begun = session["payment_intent"]
    if begun is not None:
        intent = current(call, begun)
        call.put(intent | {"status": "canceled", "canceled_at": call.now, "cancellation_reason": "automatic"})
    ended = call.put(session | {"status": "expired", "url": None})
    call.event("checkout.session.expired", ended)
    return ended


def current_session(call: Call, id_: str) -> Object:
    """A session as it is now: one whose time has passed is found expired."""
    session = call.get("checkout.session", id_)
    if session["status"] == "open" and session["expires_at"] <= call.now:
        return close(call, session)
    return session


def pay(call: Call, session: Object, token: str, approved: bool | None) -> Object:
    """A driver pays with a test card. A decline raises, and the page stays open; a card may ask the driver to approve.

    The intent of a first attempt serves the next one too, as the provider's own page does it.
    """
    if session["status"] != "open":
        msg = "This page can be paid no more."
        raise bad_request(msg)
    if token not in CARDS:
        msg = "There is no such test card."
        raise bad_request(msg, param="card")
    method = call.put(objects.payment_method(call, CARDS[token]))
    intent = _intent_of(call, session)
    intent["payment_method"] = method["id"]
    session["payment_intent"] = intent["id"]
    call.put(session)
    if asks_driver(method) and not approved:
        if approved is None:
            call.put(intent | {"status": "requires_action"})
            raise Approval
        raise decline(call, intent, method, REJECTED)
    charge(call, intent, method)
    paid = "paid" if intent["capture_method"] != "manual" else "unpaid"
    complete = call.put(session | {"status": "complete", "url": None, "payment_status": paid})
    call.event("checkout.session.completed", complete)
    return complete


def _intent_of(call: Call, session: Object) -> Object:
    if session["payment_intent"] is not None:
        return current(call, session["payment_intent"])
    asked = {"amount": session["amount_total"], "currency": session["currency"], "customer": session["customer"]}
    made = objects.payment_intent(call, asked | session["_intent"])
    made["payment_method_options"]["card"] |= (session["payment_method_options"] or {}).get("card", {})
    return call.put(made)


class Approval(Exception):
    """The bank wants the driver to approve before it decides."""


REJECTED: Final = Verdict(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
