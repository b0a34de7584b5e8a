"""Refunds: never more than was captured and has not gone back already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.simulators.psp import objects, payouts
from tallywatt.simulators.psp.forms import INT, MAP, TEXT, Schema
from tallywatt.simulators.psp.refusals import bad_request

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

CREATE: Final[Schema] = {
    "amount": INT,
    "charge": TEXT,
    "expand": [TEXT],
    "metadata": MAP,
    "payment_intent": TEXT,
    "reason": ("duplicate", "fraudulent", "requested_by_customer"),
}


def create(call: Call) -> Object:
    """POST /v1/refunds."""
    of = _charge(call)
    left = of["amount_captured"] - of["amount_refunded"]
    if left == 0:
        message = f"Charge {of['id']} has already been refunded."
        raise bad_request(message, code="charge_already_refunded")
    if of["disputed"] and any(one["charge"] == of["id"] and one["status"] != "won" for one in call.all_of("dispute")):
        message = f"Charge {of['id']} has been charged back; cannot issue a refund."
        raise bad_request(message, code="charge_disputed")
    amount = call.params.get("amount", left)
    if amount < 1:
        msg = "This value must be greater than or equal to 1."
        raise bad_request(msg, code="parameter_invalid_integer", param="amount")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise bad_request(message, param="amount")
    refund = objects.refund(call, of, amount)
    refund["balance_transaction"] = payouts.book(call, refund, -amount, "refund")
    of["amount_refunded"] += amount
    of["refunded"] = of["captured"] and of["amount_refunded"] == of["amount_captured"]
    call.put(of)
    call.put(refund)
    call.event("refund.created", refund)
    call.event("charge.refunded", of)
    return refund


def _charge(call: Call) -> Object:
    asked = call.params
    if ("charge" in asked) == ("payment_intent" in asked):
        msg = "One of the following params should be provided for this request: payment_intent or charge."
        raise bad_request(msg)
    if "charge" in asked:
        of = call.get("charge", asked["charge"], "charge")
    else:
        intent = call.get("payment_intent", asked["payment_intent"], "payment_intent")
        if intent["latest_charge"] is None:
            raise _nothing_to_refund(intent["id"])
        of = call.get("charge", intent["latest_charge"])
    if not of["amount_captured"]:
        raise _nothing_to_refund(of["payment_intent"])
    return of


def _nothing_to_refund(intent_id: str) -> Exception:
    message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
    return bad_request(message, param="payment_intent")
