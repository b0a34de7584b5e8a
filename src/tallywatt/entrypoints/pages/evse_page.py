"""Pure: the page at an EVSE and the page of a payment, as data."""

from __future__ import annotations

from typing import Any, Final

Row = dict[str, Any]

PAYABLE: Final = frozenset({"created", "requires_action"})
"""States in which the provider's page still takes a card."""

_STATUS: Final = {
    "Available": ("Free", "good"),
    "Preparing": ("Plugged in, ready", "good"),
    "Charging": ("In use", "busy"),
    "SuspendedEV": ("In use", "busy"),
    "SuspendedEVSE": ("In use", "busy"),
    "Finishing": ("In use", "busy"),
    "Occupied": ("In use", "busy"),
    "Reserved": ("Reserved", "busy"),
    "Faulted": ("Out of order", "bad"),
    "Unavailable": ("Out of service", "bad"),
}
_STATES: Final = {
    "created": ("One moment", "The payment page is being opened.", True),
    "requires_action": ("One moment", "The payment page is being opened.", True),
    "authorised": ("Plug in now", "Your card is good. The station starts as soon as the cable is in.", True),
    "declined": ("Your card was declined", "Nothing was taken. You can try again with another card.", False),
    "voided": ("Nothing was taken", "The hold on your card was released.", False),
    "expired": ("Nothing was taken", "The hold on your card was released.", False),
    "abandoned": ("Not paid", "The payment was not completed in time. Nothing was taken.", False),
    "captured": ("Paid", "The session is over.", False),
    "refunded": ("Given back", "All that was taken was given back.", False),
    "owed": ("Not paid yet", "The payment could not be collected.", False),
}
_REASONS: Final = {
    "start_rejected": "The station did not start, so the hold was released.",
    "start_expired": "The station did not answer, so the hold was released.",
    "never_plugged_in": "No vehicle was plugged in, so the hold was released.",
    "station_offline": "The station cannot be reached, so the hold was released.",
    "cancelled": "It was cancelled, and the hold was released.",
}


def view(evse: Row, price: Row | None, station: Row | None) -> Row:
    """What a driver reads before the start."""
    place = next((one for one in station["evses"] if one["code"] == evse["code"]), None) if station else None
    status = place["status"] if place else None
    words, tone = _STATUS.get(status or "", ("Not heard of yet", "quiet"))
    return {
        "code": evse["code"],
        "station": evse["identity"],
        "place": evse["location_name"] or evse["operator_name"],
        "address": ", ".join(part for part in (evse["address"], evse["city"]) if part),
        "operator": evse["operator_name"],
        "current": evse["current"],
        "max_watts": evse["max_watts"],
        "status": words,
        "tone": tone,
        "price": price,
        "hold_minor": evse["hold_minor"],
        "hold_currency": evse["currency"],
    }


def payment_view(row: Row) -> Row:
    """What a driver reads while the payment goes its way."""
    headline, detail, waits = _STATES.get(row["state"], (row["state"], "", False))
    if row["state"] in {"voided", "expired", "abandoned"}:
        detail = _REASONS.get(row["reason"] or "", detail)
    return {
        "state": row["state"],
        "headline": headline,
        "detail": detail,
        "waits": waits,
        "amount_minor": row["amount_minor"],
        "currency": row["currency"],
        "released": row["state"] in {"voided", "expired", "abandoned", "declined"},
    }
