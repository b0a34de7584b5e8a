"""Pure: what every object of ours carries at a provider, so that a house that lost its last days finds it again."""

from __future__ import annotations

from typing import Any, Final

PAYMENT: Final = "tallywatt_payment"
OPERATION: Final = "tallywatt_operation"
CUSTOMER: Final = "tallywatt_customer"
ACCOUNT: Final = "tallywatt_account"
SESSION: Final = "tallywatt_session"
INVOICE: Final = "tallywatt_invoice"
REFUND: Final = "tallywatt_refund"
"""By what the key of a refund's asker is known again."""


def ours(asked: dict[str, Any]) -> dict[str, str]:
    """Whose it is, and what it is for."""
    return {PAYMENT: asked["payment_id"], OPERATION: asked["operation_id"], **about(asked)}


def about(asked: dict[str, Any]) -> dict[str, str]:
    """What it is for, where that is known."""
    named = {
        ACCOUNT: asked.get("account_id"),
        SESSION: asked.get("session_id"),
        INVOICE: asked.get("invoice"),
        REFUND: asked.get("refund_mark"),
    }
    return {name: value for name, value in named.items() if value}
