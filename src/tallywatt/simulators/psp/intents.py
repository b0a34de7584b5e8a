"""Payment intents: made, confirmed, captured, cancelled, refused where the provider refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.simulators.psp import objects, payouts
from tallywatt.simulators.psp.cards import AUTHENTICATION, CARDS, MAGIC_AMOUNTS, Verdict
from tallywatt.simulators.psp.currencies import check_amount, check_currency
from tallywatt.simulators.psp.forms import BOOL, INT, MAP, TEXT, Schema
from tallywatt.simulators.psp.refusals import Refusal, bad_request, missing

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

CREATE: Final[Schema] = {
    "allowed_payment_method_types": [TEXT],
    "amount": INT,
    "automatic_payment_methods": {"enabled": BOOL, "allow_redirects": ("always", "never")},
    "capture_method": ("automatic", "automatic_async", "manual"),
    "confirm": BOOL,
    "confirmation_method": ("automatic", "manual"),
    "currency": TEXT,
    "customer": TEXT,
    "description": TEXT,
    "error_on_requires_action": BOOL,
    "expand": [TEXT],
    "metadata": MAP,
    "off_session": BOOL,
    "payment_method": TEXT,
    "payment_method_options": {
        "card_present": {"request_extended_authorization": BOOL, "request_incremental_authorization_support": BOOL}
    },
    "receipt_email": TEXT,
    "return_url": TEXT,
    "setup_future_usage": ("off_session", "on_session"),
    "statement_descriptor_suffix": TEXT,
    "transfer_group": TEXT,
}
CONFIRM: Final[Schema] = {
    "capture_method": ("automatic", "automatic_async", "manual"),
    "error_on_requires_action": BOOL,
    "expand": [TEXT],
    "off_session": BOOL,
    "payment_method": TEXT,
    "receipt_email": TEXT,
    "return_url": TEXT,
    "setup_future_usage": ("off_session", "on_session"),
}
INCREMENT: Final[Schema] = {"amount": INT, "description": TEXT, "expand": [TEXT], "metadata": MAP}
CAPTURE: Final[Schema] = {"amount_to_capture": INT, "final_capture": BOOL, "metadata": MAP, "expand": [TEXT]}
REASONS: Final = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
CANCEL: Final[Schema] = {"cancellation_reason": REASONS, "expand": [TEXT]}
RETRIEVE: Final[Schema] = {"client_secret": TEXT, "expand": [TEXT]}

CONFIRMABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE: Final = (*CONFIRMABLE, "requires_capture", "processing")


def create(call: Call) -> Object:
    """POST /v1/payment_intents."""
    asked = dict(call.params)
    check_currency(asked["currency"])
    check_amount(asked["amount"], asked["currency"], call.least)
    if "customer" in asked:
        call.get("customer", asked["customer"], "customer")
    if "payment_method" in asked:
        asked["payment_method"] = usable_method(call, asked["payment_method"], asked.get("customer"))["id"]
    if asked.get("off_session") and not asked.get("confirm"):
        msg = "off_session can only be used when confirm is true."
        raise bad_request(msg, param="off_session")
    intent = objects.payment_intent(call, asked)
    grows = (
        asked.get("payment_method_options", {}).get("card_present", {}).get("request_incremental_authorization_support")
    )
    if grows:
        intent["payment_method_options"]["card"]["request_incremental_authorization"] = "if_available"
    call.put(intent)
    call.event("payment_intent.created", intent)
    return _confirm(call, intent) if asked.get("confirm") else intent


def confirm(call: Call) -> Object:
    """POST /v1/payment_intents/{id}/confirm."""
    intent = current(call, call.id)
    if intent["status"] not in CONFIRMABLE:
        raise unexpected(intent, "confirmed")
    if "payment_method" in call.params:
        intent["payment_method"] = usable_method(call, call.params["payment_method"], intent["customer"])["id"]
    if "capture_method" in call.params:
        intent["capture_method"] = call.params["capture_method"]
    return _confirm(call, intent)


def _confirm(call: Call, intent: Object) -> Object:
    if intent["payment_method"] is None:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise bad_request(message, code="payment_intent_unexpected_state", payment_intent=intent)
    method = call.get("payment_method", intent["payment_method"])
    if asks_driver(method):
        if call.params.get("off_session"):
            raise decline(call, intent, method, AUTHENTICATION)
        return ask_driver(call, intent)
    return charge(call, intent, method)


def card_of(attempt: Object) -> Object:
    """What a charge tells about the card, however it came."""
    details = attempt["payment_method_details"]
    found: Object = details[details["type"]]
    return found


def asks_driver(method: Object) -> bool:
    """Whether the issuer wants the cardholder to approve this payment."""
    wish = CARDS[method["_token"]].asks_driver
    return wish == "always" or (wish == "unless_set_up" and not method["_set_up"])


def ask_driver(call: Call, intent: Object) -> Object:
    """Wait for the cardholder to approve with the bank."""
    intent["status"] = "requires_action"
    url = f"{call.base_url}/authenticate/{intent['id']}"
    intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": None}}
    call.put(intent)
    call.event("payment_intent.requires_action", intent)
    return intent


def charge(call: Call, intent: Object, method: Object) -> Object:
    """Ask the issuer: a hold, a charge, or a decline."""
    verdict = MAGIC_AMOUNTS.get(intent["amount"]) or CARDS[method["_token"]].verdict
    if verdict is not None:
        raise decline(call, intent, method, verdict)
    attempt = objects.charge(call, intent, method)
    attempt |= {"status": "succeeded", "paid": True}
    attempt["outcome"] = {"network_status": "approved_by_network", "risk_level": "normal", "type": "authorized"}
    intent |= {"latest_charge": attempt["id"], "next_action": None, "last_payment_error": None}
    if intent["setup_future_usage"] and intent["customer"]:
        call.put(method | {"customer": intent["customer"], "_set_up": True})
    if intent["capture_method"] == "manual":
        card_of(attempt)["capture_before"] = call.now + call.hold_seconds
        asked = intent["payment_method_options"]["card"].get("request_multicapture") == "if_available"
        several = (
            asked and attempt["payment_method_details"]["type"] == "card" and CARDS[method["_token"]].several_captures
        )
        card_of(attempt)["multicapture"] = {"status": "available" if several else "unavailable"}
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        call.put(attempt)
        call.event("payment_intent.amount_capturable_updated", call.put(intent))
        return intent
    return _collect(call, intent, attempt, intent["amount"])


def decline(call: Call, intent: Object, method: Object, verdict: Verdict) -> Refusal:
    """The issuer said no: that is written down as well, and the error says why."""
    attempt = objects.charge(call, intent, method)
    attempt |= {"status": "failed", "failure_code": verdict.code, "failure_message": verdict.message}
    attempt["outcome"] = {
        "network_status": "declined_by_network",
        "reason": verdict.decline_code or verdict.code,
        "risk_level": "normal",
        "type": "issuer_declined",
    }
    refusal = Refusal(402, "card_error", verdict.message, code=verdict.code, charge=attempt["id"])
    if verdict.decline_code is not None:
        refusal.error["decline_code"] = verdict.decline_code
    refusal.error["advice_code"] = _ADVICE.get(verdict.decline_code or verdict.code, "try_again_later")
    refusal.error["payment_method"] = method
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "latest_charge": attempt["id"],
        "last_payment_error": dict(refusal.error),
    }
    refusal.error["payment_intent"] = intent
    call.put(attempt)
    call.put(intent)
    call.event("charge.failed", attempt)
    call.event("payment_intent.payment_failed", intent)
    return refusal


_ADVICE: Final = {
    "lost_card": "do_not_try_again",
    "stolen_card": "do_not_try_again",
    "fraudulent": "do_not_try_again",
    "expired_card": "confirm_card_data",
    "incorrect_cvc": "confirm_card_data",
}


def capture(call: Call) -> Object:
    """POST /v1/payment_intents/{id}/capture: all or a part of the hold; the rest is released, unless more is to come."""
    intent = current(call, call.id)
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "captured")
    held: int = intent["amount_capturable"]
    amount: int = call.params.get("amount_to_capture", held)
    if amount > held:
        message = "The requested capture amount is greater than the authorized amount."
        raise bad_request(message, code="amount_too_large", param="amount_to_capture")
    is_final: bool = call.params.get("final_capture", True)
    if amount or not (is_final and intent["amount_received"]):
        check_amount(amount, intent["currency"], call.least, "amount_to_capture")
    intent["metadata"] = intent["metadata"] | call.params.get("metadata", {})
    attempt = call.get("charge", intent["latest_charge"])
    attempt["metadata"] = intent["metadata"]
    if not is_final and not _can_be_captured_again(attempt):
        message = "final_capture can only be false when multicapture is available for this PaymentIntent."
        raise bad_request(message, param="final_capture", payment_intent=intent)
    if is_final and not intent["amount_received"]:
        return _collect(call, intent, attempt, amount)
    return _collect_part(call, intent, attempt, amount, is_final=is_final)


MOST_CAPTURES: Final = 50


def _can_be_captured_again(attempt: Object) -> bool:
    told = card_of(attempt).get("multicapture") or {}
    return told.get("status") == "available" and attempt.get("_captures", 0) < MOST_CAPTURES


def _collect(call: Call, intent: Object, attempt: Object, amount: int) -> Object:
    booked = payouts.book(call, attempt, amount, "charge")
    attempt |= {"captured": True, "amount_captured": amount, "balance_transaction": booked}
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    call.put(attempt)
    call.event("charge.captured" if intent["capture_method"] == "manual" else "charge.succeeded", attempt)
    call.event("payment_intent.succeeded", call.put(intent))
    return intent


def _collect_part(call: Call, intent: Object, attempt: Object, amount: int, *, is_final: bool) -> Object:
    """One capture of several (docs.stripe.com/payments/multicapture). Each is a movement on the balance of its own."""
    if amount:
        attempt["balance_transaction"] = payouts.book(call, attempt, amount, "charge")
    taken = intent["amount_received"] + amount
    attempt |= {"captured": is_final, "amount_captured": taken, "_captures": attempt.get("_captures", 0) + 1}
    attempt["refunded"] = is_final and attempt["amount_refunded"] == taken
    left = 0 if is_final else intent["amount_capturable"] - amount
    intent |= {"amount_received": taken, "amount_capturable": left}
    intent["status"] = "succeeded" if is_final else "requires_capture"
    call.put(attempt)
    call.event("charge.updated", attempt)
    call.event("payment_intent.amount_capturable_updated", call.put(intent))
    if is_final:
        call.event("charge.captured", attempt)
        call.event("payment_intent.succeeded", intent)
    return intent


def increment(call: Call) -> Object:
    """POST /v1/payment_intents/{id}/increment_authorization: more is held, if the issuer agrees."""
    intent = current(call, call.id)
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "incremented")
    wanted = intent["payment_method_options"]["card"].get("request_incremental_authorization")
    if wanted != "if_available":
        msg = "This PaymentIntent is not eligible for incremental authorization."
        raise bad_request(msg, code="payment_intent_incremental_authorization_not_supported", payment_intent=intent)
    amount: int = call.params["amount"]
    check_amount(amount, intent["currency"], call.least)
    if amount <= intent["amount"]:
        message = "The amount must be greater than the currently authorized amount."
        raise bad_request(message, code="amount_too_small", param="amount")
    verdict = MAGIC_AMOUNTS.get(amount)
    if verdict is not None:
        refusal = Refusal(402, "card_error", verdict.message, code=verdict.code, payment_intent=intent)
        refusal.error["decline_code"] = verdict.decline_code or verdict.code
        raise refusal
    return hold_as_much(call, intent, amount)


def hold_as_much(call: Call, intent: Object, amount: int) -> Object:
    """The hold is of another sum from now on."""
    if intent["amount_received"]:
        raise unexpected(intent, "incremented")
    attempt = call.get("charge", intent["latest_charge"])
    card_of(attempt)["amount_authorized"] = amount
    call.put(attempt | {"amount": amount})
    return call.put(intent | {"amount": amount, "amount_capturable": amount})


def cancel(call: Call) -> Object:
    """POST /v1/payment_intents/{id}/cancel: a hold is released."""
    intent = current(call, call.id)
    if intent["status"] not in CANCELABLE or intent["amount_received"]:
        raise unexpected(intent, "canceled")
    return close(call, intent, call.params.get("cancellation_reason"))


def close(call: Call, intent: Object, reason: str | None) -> Object:
    """Cancel an intent and let go of what it holds. One of which a part was captured has succeeded with that."""
    if intent["amount_received"]:
        attempt = call.get("charge", intent["latest_charge"])
        return _collect_part(call, intent, attempt, 0, is_final=True)
    if intent["latest_charge"] is not None:
        attempt = call.get("charge", intent["latest_charge"])
        if attempt["status"] == "succeeded":
            call.put(attempt | {"refunded": True})
    intent |= {
        "status": "canceled",
        "amount_capturable": 0,
        "canceled_at": call.now,
        "cancellation_reason": reason,
        "next_action": None,
    }
    call.event("payment_intent.canceled", call.put(intent))
    return intent


def retrieve(call: Call) -> Object:
    """GET /v1/payment_intents/{id}."""
    return current(call, call.id)


def current(call: Call, id_: str) -> Object:
    """An intent as it is now: a hold whose time has passed is found released, as its holder finds it."""
    intent = call.get("payment_intent", id_)
    if intent["status"] == "requires_capture":
        attempt = call.get("charge", intent["latest_charge"])
        if card_of(attempt)["capture_before"] <= call.now:
            return close(call, intent, "automatic")
    return intent


def usable_method(call: Call, id_: str, customer: str | None) -> Object:
    """The payment method of that id; a test card's name makes a new one."""
    if id_ in CARDS:
        return call.put(objects.payment_method(call, CARDS[id_]))
    method = call.find(id_)
    if method is None or method["object"] != "payment_method":
        msg = "PaymentMethod"
        raise missing(msg, id_, "payment_method")
    if method["customer"] is not None and method["customer"] != customer:
        message = (
            "The provided PaymentMethod belongs to another Customer; include that Customer in the `customer` parameter "
            "of the request."
        )
        raise bad_request(message, param="payment_method")
    return method


def unexpected(intent: Object, participle: str) -> Refusal:
    """400 payment_intent_unexpected_state, with the intent as it is."""
    message = f"This PaymentIntent could not be {participle} because it has a status of {intent['status']}."
    more: dict[str, Any] = {"payment_intent": intent}
    return bad_request(message, code="payment_intent_unexpected_state", **more)
