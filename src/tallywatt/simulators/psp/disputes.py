"""Disputes: a payer's bank takes a charge back, and decides about it later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.simulators.psp import objects

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

FEE: Final = 1500
ANSWER_SECONDS: Final = 7 * 24 * 3600


def open_dispute(call: Call, payment_intent: str, reason: str = "fraudulent", fee: int = FEE) -> list[Object]:
    """The bank takes the money of an intent back, and the provider its fee."""
    intent = call.find(payment_intent)
    if intent is None or intent["latest_charge"] is None:
        return []
    charge = call.get("charge", intent["latest_charge"])
    amount = charge["amount_captured"] - charge["amount_refunded"]
    dispute: Object = {
        "id": call.new_id("dp"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": call.now + ANSWER_SECONDS,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": payment_intent,
        "reason": reason,
        "status": "needs_response",
    }
    call.put(charge | {"disputed": True})
    _move(call, dispute, -amount, fee)
    call.event("charge.dispute.created", call.put(dispute))
    return [dispute]


def decide(call: Call, dispute: str, status: str) -> list[Object]:
    """The bank decides: `won` brings the money back, `lost` keeps it; `under_review` says that an answer has come."""
    found = call.find(dispute)
    if found is None:
        return []
    found["status"] = status
    if status == "won":
        _move(call, found, found["amount"], 0)
    call.put(found)
    call.event("charge.dispute.updated" if status.endswith("under_review") else "charge.dispute.closed", found)
    return [found]


def _move(call: Call, dispute: Object, amount: int, fee: int) -> None:
    booked = objects.balance_transaction(call, dispute, amount, "adjustment")
    booked |= {
        "fee": fee,
        "net": amount - fee,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
    }
    call.put(booked)
    dispute["balance_transactions"] = [*dispute["balance_transactions"], booked]
