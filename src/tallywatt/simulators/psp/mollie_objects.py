"""Pure: Mollie's documents (docs.mollie.com/reference), made from the objects of the common books."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.money import Money, currency
from tallywatt.simulators.psp.refusals import bad_request

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

DOCUMENTS: Final = "https://docs.mollie.com/reference"
PROFILE: Final = "pfl_simulated"


def amount(minor: int, code: str) -> Object:
    """A sum as Mollie writes it: a text with as many places as the currency has."""
    return {"currency": code.upper(), "value": str(Money(minor, currency(code.upper())).decimal)}


def minor_of(given: Object) -> int:
    """The minor units of a sum; a value with other places than its currency's is refused."""
    exponent = currency(given["currency"].upper()).exponent
    value = Decimal(given["value"])
    if -int(value.as_tuple().exponent) != exponent:
        msg = f"The amount contains an invalid value: {given['value']} must have {exponent} decimals."
        raise bad_request(msg, param="amount.value")
    return int(value.scaleb(exponent))


def moment(seconds: int | None) -> str | None:
    """A moment as Mollie writes it."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def link(href: str, kind: str = "application/hal+json") -> Object:
    """A link."""
    return {"href": href, "type": kind}


_INTENT_STATUS: Final = {
    "requires_capture": "authorized",
    "succeeded": "paid",
    "requires_action": "open",
    "processing": "pending",
}


def status_of(payment: Object, session: Object | None, intent: Object | None) -> str:
    """Mollie's word for how a payment stands."""
    if payment["failed_at"] is not None:
        return "failed"
    if session is not None and session["status"] == "open":
        return "open"
    if intent is None or (session is not None and session["status"] == "expired"):
        return "canceled" if payment["canceled_at"] is not None else "expired"
    if intent["status"] == "canceled":
        return "expired" if intent["cancellation_reason"] == "automatic" else "canceled"
    return _INTENT_STATUS.get(intent["status"], "failed")


def payment(
    call: Call, payment: Object, session: Object | None, intent: Object | None, attempt: Object | None
) -> Object:
    """A payment, with the card and the sums as far as they are known."""
    asked, status = payment["asked"], status_of(payment, session, intent)
    code = asked["amount"]["currency"]
    own = f"{call.base_url}/v2/payments/{payment['id']}"
    links = {
        "self": link(own),
        "dashboard": link(f"{call.base_url}/dashboard/payments/{payment['id']}", "text/html"),
        "documentation": link(f"{DOCUMENTS}/get-payment", "text/html"),
    }
    if status == "open" and session is not None:
        links["checkout"] = link(session["url"], "text/html")
    if payment["captures"]:
        links["captures"] = link(f"{own}/captures")
    made: Object = {
        "resource": "payment",
        "id": payment["id"],
        "mode": "test",
        "createdAt": moment(payment["created"]),
        "amount": asked["amount"],
        "description": asked["description"],
        "method": "creditcard",
        "metadata": asked.get("metadata"),
        "status": status,
        "isCancelable": status in ("open", "authorized"),
        "sequenceType": asked.get("sequenceType", "oneoff"),
        "captureMode": asked.get("captureMode", "automatic"),
        "profileId": PROFILE,
        "redirectUrl": asked.get("redirectUrl"),
        "webhookUrl": asked.get("webhookUrl"),
        "_links": links,
    }
    for name in ("cancelUrl", "customerId", "mandateId", "locale"):
        if asked.get(name) is not None:
            made[name] = asked[name]
    return made | _progress(payment, session, intent, attempt, status, code)


def _progress(
    payment: Object, session: Object | None, intent: Object | None, attempt: Object | None, status: str, code: str
) -> Object:
    more: Object = {}
    if status == "open" and session is not None:
        more["expiresAt"] = moment(session["expires_at"])
    if status == "canceled":
        more["canceledAt"] = moment(payment["canceled_at"])
    if attempt is None or intent is None:
        return more
    card = attempt["payment_method_details"]["card"]
    details: Object = {
        "cardNumber": card["last4"],
        "cardLabel": LABELS.get(card["brand"], "Visa"),
        "cardFunding": card["funding"],
        "cardSecurity": "3dsecure",
    }
    if attempt["status"] == "succeeded":
        more["authorizedAt"] = moment(attempt["created"])
        if status == "authorized" and card["capture_before"]:
            more["captureBefore"] = moment(card["capture_before"])
        if status == "paid":
            left = attempt["amount_captured"] - attempt["amount_refunded"]
            more |= {
                "paidAt": moment(attempt["created"]),
                "amountCaptured": amount(attempt["amount_captured"], code),
                "amountRefunded": amount(attempt["amount_refunded"], code),
                "amountRemaining": amount(left, code),
            }
            if attempt.get("disputed"):
                more["amountChargedBack"] = amount(left, code)
    elif status == "failed":
        more["failedAt"] = moment(attempt["created"])
        details["failureReason"] = REASONS.get(attempt["outcome"]["reason"], "unknown_reason")
        details["failureMessage"] = attempt["failure_message"]
    return more | {"details": details}


LABELS: Final = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express"}
REASONS: Final = {
    "authentication_required": "authentication_required",
    "card_velocity_exceeded": "refused_by_issuer",
    "do_not_honor": "refused_by_issuer",
    "expired_card": "card_expired",
    "fraudulent": "possible_fraud",
    "generic_decline": "card_declined",
    "incorrect_cvc": "invalid_cvv",
    "insufficient_funds": "insufficient_funds",
    "lost_card": "inactive_card",
    "stolen_card": "inactive_card",
    "payment_intent_authentication_failure": "authentication_failed",
    "processing_error": "unknown_reason",
}


def capture(call: Call, made: Object) -> Object:
    """A capture."""
    own = f"{call.base_url}/v2/payments/{made['payment']}"
    return {
        "resource": "capture",
        "id": made["id"],
        "mode": "test",
        "createdAt": moment(made["created"]),
        "amount": amount(made["minor"], made["currency"]),
        "status": made["status"],
        "paymentId": made["payment"],
        "description": made["description"],
        "metadata": made["metadata"],
        "_links": {
            "self": link(f"{own}/captures/{made['id']}"),
            "payment": link(own),
            "documentation": link(f"{DOCUMENTS}/get-capture", "text/html"),
        },
    }


def refund(call: Call, payment_id: str, made: Object) -> Object:
    """A refund."""
    own = f"{call.base_url}/v2/payments/{payment_id}"
    return {
        "resource": "refund",
        "id": made["id"],
        "mode": "test",
        "createdAt": moment(made["created"]),
        "amount": amount(made["amount"], made["currency"]),
        "status": "refunded" if made["status"] == "succeeded" else made["status"],
        "paymentId": payment_id,
        "description": made.get("description", ""),
        "metadata": made["metadata"],
        "_links": {
            "self": link(f"{own}/refunds/{made['id']}"),
            "payment": link(own),
            "documentation": link(f"{DOCUMENTS}/get-refund", "text/html"),
        },
    }


def customer(call: Call, made: Object) -> Object:
    """A customer."""
    own = f"{call.base_url}/v2/customers/{made['id']}"
    return {
        "resource": "customer",
        "id": made["id"],
        "mode": "test",
        "name": made["name"],
        "email": made["email"],
        "locale": None,
        "metadata": made["metadata"],
        "createdAt": moment(made["created"]),
        "_links": {
            "self": link(own),
            "dashboard": link(f"{call.base_url}/dashboard/customers/{made['id']}", "text/html"),
            "documentation": link(f"{DOCUMENTS}/get-customer", "text/html"),
        },
    }


def mandate_id(method: Object) -> str:
    """The mandate of a stored card."""
    return "mdt_" + str(method["id"]).removeprefix("pm_")


def mandate(call: Call, method: Object) -> Object:
    """A mandate: that a stored card may be charged without its holder."""
    own = f"{call.base_url}/v2/customers/{method['customer']}"
    card = method["card"]
    return {
        "resource": "mandate",
        "id": mandate_id(method),
        "mode": "test",
        "status": "valid",
        "method": "creditcard",
        "details": {
            "cardNumber": card["last4"],
            "cardLabel": LABELS.get(card["brand"], "Visa"),
            "cardExpiryDate": f"{card['exp_year']}-{card['exp_month']:02d}-28",
        },
        "signatureDate": (moment(method["created"]) or "")[:10],
        "mandateReference": None,
        "customerId": method["customer"],
        "createdAt": moment(method["created"]),
        "_links": {
            "self": link(f"{own}/mandates/{mandate_id(method)}"),
            "customer": link(own),
            "documentation": link(f"{DOCUMENTS}/get-mandate", "text/html"),
        },
    }


def page(call: Call, name: str, rows: list[Object], limit: int) -> Object:
    """A part of a list, with the link to the next."""
    url = f"{call.base_url}/v2/{name}"
    more = rows[limit]["id"] if len(rows) > limit else None
    return {
        "count": min(len(rows), limit),
        "_embedded": {name: rows[:limit]},
        "_links": {
            "self": link(url),
            "previous": None,
            "next": link(f"{url}?from={more}&limit={limit}") if more is not None else None,
            "documentation": link(DOCUMENTS, "text/html"),
        },
    }
