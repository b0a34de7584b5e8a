"""Pure: a customer's account in our own books as pages show it: the balance, what is open, what has moved; a top-up."""

from __future__ import annotations

from typing import Any, Final

from tallywatt.entrypoints.pages.evse_page import PAYABLE
from tallywatt.entrypoints.pages.language import _, later

Row = dict[str, Any]

_TOP_UPS: Final = {
    "created": (later("One moment"), later("The payment page is being opened."), True),
    "requires_action": (later("One moment"), later("The payment page is being opened."), True),
    "authorised": (later("One moment"), later("Your payment is being confirmed."), True),
    "captured": (later("Paid in"), later("It is on your balance. You can charge with it at once."), False),
    "refunded": (later("Given back"), later("All that was paid in was given back."), False),
    "declined": (later("Nothing was paid in"), later("Your card was declined. You can try another one."), False),
}
_NOTHING: Final = (
    later("Nothing was paid in"),
    later("The payment was not completed. Your balance is as before."),
    False,
)
UNPAID: Final = frozenset({"declined", "voided", "expired", "abandoned"})


def view(account: Row, methods: list[Row], books: list[Row], today: str) -> Row:
    """What a customer has with the operator, and what may be opened. `books` are the operator's payment accounts."""
    open_books = [one for one in books if one["closed_at"] is None]
    offered = {kind: _currencies(open_books, kind) for kind in ("prepaid", "invoice")}
    kept = {one["account_id"] for one in methods if one["brand"] == "prepaid"}
    balances = {one["currency"]: one for one in account["balances"]}
    for book in open_books:
        if book["id"] in kept:
            for code in book["currencies"]:
                balances.setdefault(code, {"currency": code, "balance_minor": 0, "held_minor": 0, "free_minor": 0})
    allowed = {one["currency"] for one in account["credit"] if one["ended_at"] is None}
    items = [
        {**one, "overdue": bool(one["due_on"]) and one["due_on"] < today and not one["credit_minor"]}
        for one in account["items"]
    ]
    return {
        "balances": sorted(balances.values(), key=lambda one: str(one["currency"])),
        "credit": account["credit"],
        "items": items,
        "movements": account["movements"],
        "openable": [code for code in offered["prepaid"] if code not in balances],
        "allowable": [code for code in offered["invoice"] if code not in allowed],
        "receivable": sorted({*balances, *(one["currency"] for one in account["credit"])}),
        "has_books": bool(offered["prepaid"] or offered["invoice"] or balances or account["credit"]),
    }


def _currencies(books: list[Row], kind: str) -> list[str]:
    return sorted({code for one in books if one["provider"] == kind for code in one["currencies"]})


def top_up_view(row: Row, operator: str, *, paid: bool = False) -> Row:
    """What a driver reads while money goes to the balance. `paid`: the driver comes back from the provider's page."""
    headline, detail, waits = _TOP_UPS.get(row["state"], _NOTHING)
    if paid and row["state"] in PAYABLE:
        detail = later("Your payment is being confirmed.")
    return {
        "headline": _(headline),
        "detail": _(detail),
        "waits": waits,
        "amount_minor": row["amount_minor"],
        "currency": row["currency"],
        "paid_in": row["state"] == "captured",
        "again": row["state"] not in _TOP_UPS or row["state"] in UNPAID,
        "operator": operator,
    }
