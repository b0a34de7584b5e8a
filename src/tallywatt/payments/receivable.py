"""Pure: the ledger account on which a payer owes. Billing debits it, payments credit it; both take its name here."""

from __future__ import annotations


def customer_receivable(customer_id: str) -> str:
    """What a customer with an account owes."""
    return f"receivable/customer/{customer_id}"


def ad_hoc_receivable(payment_id: str) -> str:
    """What a driver without an account owes, who stands behind one payment."""
    return f"receivable/ad_hoc/{payment_id}"
