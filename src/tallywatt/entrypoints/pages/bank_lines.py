"""Pure: what a line of the bank may be, by its sum: offered as one click, decided by nobody but a person."""

from __future__ import annotations

from typing import Any, Final

Row = dict[str, Any]
MOST: Final = 3
"""More of one sum are no help."""


def with_suggestions(lines: list[Row], items: list[Row], batches: list[Row], accounts: list[Row]) -> list[Row]:
    """Lines, each with what has its sum: files of debits, payouts that are told, open items."""
    return [{**line, "suggestions": _fitting(line, items, batches, accounts)[:MOST]} for line in lines]


def _fitting(line: Row, items: list[Row], batches: list[Row], accounts: list[Row]) -> list[Row]:
    if line["amount_minor"] <= 0:
        return []
    sum_ = (line["amount_minor"], line["currency"])
    found: list[Row] = [
        {"kind": "debit", "debit": one["message_id"], "name": one["message_id"]}
        for one in batches
        if (one["total_minor"], one["currency"]) == sum_ and one["state"] in ("given", "ready")
    ]
    found += [
        {"kind": "payout", "account": account["id"], "payout": one["line_ref"], "name": account["name"]}
        for account in accounts
        for one in account["payouts"]
        if (-one["amount_minor"], one["currency"]) == sum_
    ]
    found += [
        {"kind": "transfer", "customer": one["customer"], "invoice": one["invoice"], "name": one["invoice"]}
        for one in items
        if (one["open_minor"], one["currency"]) == sum_ and one["invoice"]
    ]
    return found
