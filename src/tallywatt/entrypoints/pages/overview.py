"""Pure: the page of the two equations, as data: each figure with its share and the list that it is the sum of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from tallywatt.entrypoints.pages.language import later

Row = dict[str, Any]

BAR: Final = 1000
"""The bar under an equation is so many units wide."""


def energy(figures: Row) -> Row:
    """Delivered = billed + explained + running: with what is left over, which must be nothing."""
    parts = [
        _part(later("Billed"), figures["billed_wh"], "/console/sessions?state=billed", "billed"),
        _part(later("Explained"), figures["explained_wh"], "/console/explained", "explained"),
        _part(later("Still charging"), figures["running_wh"], "/console/sessions?state=active", "running"),
    ]
    if Decimal(figures["unexplained_wh"]) != 0:
        parts.append(_part(later("Unexplained"), figures["unexplained_wh"], "/console/sessions", "wrong"))
    whole = Decimal(figures["delivered_wh"])
    return {
        "whole": figures["delivered_wh"],
        "parts": _with_shares(parts, whole),
        "adds_up": Decimal(figures["unexplained_wh"]) == 0,
        "off": figures["unexplained_wh"],
        "by_reason": [{"reason": reason, "wh": wh} for reason, wh in figures["explained_by"].items() if Decimal(wh)],
    }


def money(figures: Row, code: str) -> Row:
    """Billed = captured - given back + owed, in one currency."""
    parts = [
        _part(later("Captured"), figures["captured_minor"], "/console/payments?state=captured", "billed"),
        _part(later("Owed"), figures["owed_minor"], "/console/invoices?owed=true", "explained"),
    ]
    if figures["refunded_minor"]:
        parts.insert(
            1, {**_part(later("Given back"), -figures["refunded_minor"], "/console/payments", "running"), "minus": True}
        )
    off = figures["billed_minor"] - figures["captured_minor"] + figures["refunded_minor"] - figures["owed_minor"]
    return {
        "currency": code,
        "whole": figures["billed_minor"],
        "parts": _with_shares(parts, Decimal(figures["billed_minor"])),
        "adds_up": off == 0,
        "off": off,
        "on_account_minor": figures["on_account_minor"],
        "held_minor": figures["held_minor"],
        "suspense_minor": figures["suspense_minor"],
    }


def _part(name: str, amount: str | int, link: str, tone: str) -> Row:
    return {"name": name, "amount": amount, "link": link, "tone": tone, "minus": False}


def _with_shares(parts: list[Row], whole: Decimal) -> list[Row]:
    """Where each part begins in the bar, and how wide it is."""
    at = Decimal(0)
    for part in parts:
        size = abs(Decimal(part["amount"])) * BAR / abs(whole) if whole else Decimal(0)
        part["x"], part["width"] = round(at, 2), round(min(size, BAR - at), 2)
        at += part["width"]
    return parts
