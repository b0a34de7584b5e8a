"""Customers, and the payment methods that they keep for later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.simulators.psp import objects
from tallywatt.simulators.psp.cards import CARDS, GENERIC
from tallywatt.simulators.psp.forms import BOOL, MAP, TEXT, Schema
from tallywatt.simulators.psp.intents import asks_driver, usable_method
from tallywatt.simulators.psp.refusals import Refusal, bad_request

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

CREATE: Final[Schema] = {
    "description": TEXT,
    "email": TEXT,
    "expand": [TEXT],
    "metadata": MAP,
    "name": TEXT,
    "payment_method": TEXT,
    "phone": TEXT,
}
ATTACH: Final[Schema] = {"customer": TEXT, "expand": [TEXT]}
SETUP: Final[Schema] = {
    "automatic_payment_methods": {"enabled": BOOL, "allow_redirects": ("always", "never")},
    "confirm": BOOL,
    "customer": TEXT,
    "description": TEXT,
    "expand": [TEXT],
    "metadata": MAP,
    "payment_method": TEXT,
    "return_url": TEXT,
    "usage": ("off_session", "on_session"),
}
SETUP_CONFIRM: Final[Schema] = {"expand": [TEXT], "payment_method": TEXT, "return_url": TEXT}


def create(call: Call) -> Object:
    """POST /v1/customers."""
    customer = call.put(objects.customer(call))
    call.event("customer.created", customer)
    if "payment_method" in call.params:
        _attach(call, usable_method(call, call.params["payment_method"], None), customer["id"])
    return customer


def retrieve(call: Call) -> Object:
    """GET /v1/customers/{id}."""
    return call.get("customer", call.id)


def retrieve_method(call: Call) -> Object:
    """GET /v1/payment_methods/{id}."""
    return call.get("payment_method", call.id)


def attach(call: Call) -> Object:
    """POST /v1/payment_methods/{id}/attach."""
    customer = call.get("customer", call.params["customer"], "customer")
    method = usable_method(call, call.id, customer["id"])
    return _attach(call, method, customer["id"])


def detach(call: Call) -> Object:
    """POST /v1/payment_methods/{id}/detach."""
    method = call.get("payment_method", call.id)
    if method["customer"] is None:
        msg = "The payment method you provided is not attached to a customer."
        raise bad_request(msg)
    return call.put(method | {"customer": None})


def _attach(call: Call, method: Object, customer_id: str) -> Object:
    card = CARDS[method["_token"]]
    if not card.attaches:
        verdict = card.verdict or GENERIC
        more = {} if verdict.decline_code is None else {"decline_code": verdict.decline_code}
        raise Refusal(402, "card_error", verdict.message, code=verdict.code, **more)
    attached = call.put(method | {"customer": customer_id})
    call.event("payment_method.attached", attached)
    return attached


def create_setup(call: Call) -> Object:
    """POST /v1/setup_intents."""
    asked = call.params
    id_ = call.new_id("seti")
    setup = {
        "id": id_,
        "object": "setup_intent",
        "automatic_payment_methods": asked.get("automatic_payment_methods"),
        "cancellation_reason": None,
        "client_secret": f"{id_}_secret_{call.new_id('s')[2:]}",
        "created": call.now,
        "customer": asked.get("customer"),
        "description": asked.get("description"),
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": asked.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "usage": asked.get("usage", "off_session"),
    }
    if "customer" in asked:
        call.get("customer", asked["customer"], "customer")
    if "payment_method" in asked:
        setup["payment_method"] = usable_method(call, asked["payment_method"], asked.get("customer"))["id"]
        setup["status"] = "requires_confirmation"
    call.put(setup)
    return _confirm_setup(call, setup) if asked.get("confirm") else setup


def confirm_setup(call: Call) -> Object:
    """POST /v1/setup_intents/{id}/confirm."""
    setup = call.get("setup_intent", call.id)
    if setup["status"] in ("succeeded", "canceled"):
        message = f"This SetupIntent could not be confirmed because it has a status of {setup['status']}."
        raise bad_request(message, code="setup_intent_unexpected_state", setup_intent=setup)
    if "payment_method" in call.params:
        setup["payment_method"] = usable_method(call, call.params["payment_method"], setup["customer"])["id"]
    return _confirm_setup(call, setup)


def _confirm_setup(call: Call, setup: Object) -> Object:
    if setup["payment_method"] is None:
        message = "You cannot confirm this SetupIntent because it's missing a payment method."
        raise bad_request(message, code="setup_intent_unexpected_state", setup_intent=setup)
    method = call.get("payment_method", setup["payment_method"])
    if asks_driver(method):
        url = f"{call.base_url}/authenticate/{setup['id']}"
        setup["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": None}}
        return call.put(setup | {"status": "requires_action"})
    if setup["customer"] is not None:
        method = _attach(call, method, setup["customer"])
    call.put(method | {"_set_up": True})
    call.event("setup_intent.succeeded", setup | {"status": "succeeded"})
    return call.put(setup | {"status": "succeeded"})


def retrieve_setup(call: Call) -> Object:
    """GET /v1/setup_intents/{id}."""
    return call.get("setup_intent", call.id)
