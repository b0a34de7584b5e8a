"""Pure: the chart of accounts: the code of each account that the house books on."""

from __future__ import annotations

REVENUE = "revenue"
"""What was sold, without tax."""


def receivable(payer: str, payer_id: str | None) -> str:
    """What one payer owes: `receivable/customer/…`, `receivable/ad_hoc/…`."""
    return f"receivable/{payer}/{payer_id or 'unknown'}"


def tax(country: str, rate: str) -> str:
    """Tax collected at one rate in one country: `tax/GB/20`."""
    return f"tax/{country}/{rate}"


def clearing(provider_account_id: str) -> str:
    """Captured by a payment provider and not yet paid out."""
    return f"clearing/{provider_account_id}"


def prepaid(customer_id: str) -> str:
    """What a customer has paid in and not used: the operator owes it."""
    return f"prepaid/customer/{customer_id}"


def on_account(customer_id: str) -> str:
    """What a customer has bought on invoice and not paid."""
    return f"on_account/customer/{customer_id}"


BANK = "bank"
"""What arrived at the operator's own bank: payouts of providers and transfers of customers. Its lines say at which account."""


BANK_FEES = "fees/bank"
"""What banks charge for direct debits that went back."""


def suspense(provider_account_id: str) -> str:
    """Taken by a provider against what our state allows; the inbox says why."""
    return f"suspense/{provider_account_id}"


def fees(provider_account_id: str) -> str:
    """What a payment provider keeps for its work."""
    return f"fees/{provider_account_id}"


def transit(provider_account_id: str) -> str:
    """Paid out by a provider, and not yet seen at the bank."""
    return f"transit/{provider_account_id}"


def exchange(provider_account_id: str) -> str:
    """What a provider has changed from one currency into another: it stands in both, and is worth nothing together."""
    return f"exchange/{provider_account_id}"


def differences(provider_account_id: str) -> str:
    """What a person has booked because a provider settles another sum than we have collected."""
    return f"differences/{provider_account_id}"


def disputed(provider_account_id: str) -> str:
    """Taken back by payers' banks, until it is decided."""
    return f"disputed/{provider_account_id}"


def losses(provider_account_id: str) -> str:
    """Taken back by payers' banks for good."""
    return f"losses/{provider_account_id}"


ONE_A_PAYER = ("receivable", "prepaid", "on_account")
"""Kinds of which every payer has an account: there may be a million of them."""


def place_of(code: str) -> str:
    """What a sum over all accounts puts one under: its own code, or its kind where every payer has one."""
    kind = code.partition("/")[0]
    return kind if kind in ONE_A_PAYER else code
