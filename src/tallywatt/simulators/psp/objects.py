"""Pure: the provider's objects as its API reference describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call
    from tallywatt.simulators.psp.cards import Card

EXPIRES: Final = (12, 2031)
"""Month and year until when every test card is good."""

_BILLING: Final[dict[str, Any]] = {
    "address": {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None},
    "email": None,
    "name": None,
    "phone": None,
    "tax_id": None,
}


def customer(call: Call) -> Object:
    """A customer."""
    asked = call.params
    return {
        "id": call.new_id("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": call.now,
        "currency": None,
        "delinquent": False,
        "description": asked.get("description"),
        "email": asked.get("email"),
        "invoice_settings": {"default_payment_method": None},
        "livemode": False,
        "metadata": asked.get("metadata", {}),
        "name": asked.get("name"),
        "phone": asked.get("phone"),
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def payment_method(call: Call, card: Card) -> Object:
    """A payment method made of a test card."""
    return {
        "id": call.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": _BILLING,
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": None},
            "country": "GB" if card.token == "pm_card_gb" else "US",
            "display_brand": card.brand,
            "exp_month": EXPIRES[0],
            "exp_year": EXPIRES[1],
            "fingerprint": f"simulated{card.last4}",
            "funding": "debit" if "debit" in card.token else "credit",
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": call.now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_token": card.token,
        "_set_up": False,
    }


def card_present(call: Call, card: Card) -> Object:
    """What a reader has read from a test card that was held to it."""
    read = payment_method(call, card)
    shown = {
        name: read["card"][name]
        for name in ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    }
    more = {"emv_auth_data": None, "network": card.brand, "read_method": "contactless_emv"}
    return read | {"type": "card_present", "card_present": shown | more}


def payment_intent(call: Call, asked: dict[str, Any]) -> Object:
    """A payment intent that nothing was done with yet."""
    id_ = call.new_id("pi")
    return {
        "id": id_,
        "object": "payment_intent",
        "amount": asked["amount"],
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": asked.get("automatic_payment_methods"),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": asked.get("capture_method", "automatic"),
        "client_secret": f"{id_}_secret_{call.new_id('s')[2:]}",
        "confirmation_method": asked.get("confirmation_method", "automatic"),
        "created": call.now,
        "currency": asked["currency"],
        "customer": asked.get("customer"),
        "description": asked.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": asked.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": asked.get("payment_method"),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": asked.get("allowed_payment_method_types", ["card"]),
        "processing": None,
        "receipt_email": asked.get("receipt_email"),
        "review": None,
        "setup_future_usage": asked.get("setup_future_usage"),
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": asked.get("statement_descriptor_suffix"),
        "status": "requires_confirmation" if asked.get("payment_method") else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": asked.get("transfer_group"),
    }


def charge(call: Call, intent: Object, method: Object) -> Object:
    """An attempt to charge the card of an intent, not yet decided."""
    card = method["card"]
    id_ = call.new_id("ch")
    return {
        "id": id_,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": _BILLING,
        "calculated_statement_descriptor": "TALLYWATT",
        "captured": False,
        "created": call.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            method["type"]: {
                "amount_authorized": intent["amount"],
                "authorization_code": id_[-6:],
                "brand": card["brand"],
                "capture_before": None,
                "country": card["country"],
                "exp_month": card["exp_month"],
                "exp_year": card["exp_year"],
                "fingerprint": card["fingerprint"],
                "funding": card["funding"],
                "last4": card["last4"],
                "network": card["brand"],
                "wallet": None,
            },
            "type": method["type"],
        },
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": f"{call.base_url}/receipts/{id_}",
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "pending",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


def balance_transaction(call: Call, source: Object, amount: int, kind: str) -> Object:
    """What a charge or a refund does to the balance: 1.5 per cent and 20 minor units are the fee of a charge."""
    fee = (amount * 15 + 500) // 1000 + 20 if kind == "charge" else 0
    return {
        "id": call.new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": call.now + 2 * 24 * 3600,
        "created": call.now,
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [
            {"amount": fee, "currency": source["currency"], "type": "stripe_fee", "description": "Processing fees"}
        ],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }


def refund(call: Call, of: Object, amount: int) -> Object:
    """Money given back from a charge."""
    return {
        "id": call.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": of["id"],
        "created": call.now,
        "currency": of["currency"],
        "destination_details": {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
        "metadata": call.params.get("metadata", {}),
        "payment_intent": of["payment_intent"],
        "reason": call.params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
