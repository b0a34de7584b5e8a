"""Pure: the driver's page of a session, as data: what happens now, what it costs, the three ends, the invoice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from tallywatt.entrypoints.pages.curve import curve
from tallywatt.kernel import clock

Row = dict[str, Any]

_PAUSED: Final = {
    "SuspendedEV": ("Paused", "Your vehicle asks for no power at the moment."),
    "SuspendedEVSE": ("Paused", "The station gives no power at the moment. That costs you nothing extra."),
    "Faulted": ("Interrupted", "The station reports a fault. No time is counted against you."),
    "Unavailable": ("Interrupted", "The station is out of service. No time is counted against you."),
}
_PAID: Final = {
    "captured": "Paid",
    "authorised": "Held on your card",
    "refunded": "Given back",
    "voided": "Released, nothing was taken",
    "expired": "Released, nothing was taken",
    "declined": "Your card was declined",
    "owed": "To be paid",
    "created": "Being collected",
    "prepared": "Being collected",
    "requires_action": "Waiting for your confirmation",
    "abandoned": "Not paid",
}


def view(row: Row, cost: Row | None, operator: Row, invoice: Row | None = None) -> Row:
    """All that the page shows. `cost` is the price so far, `invoice` what was numbered and printed."""
    headline, detail = _headline(row, operator)
    return {
        "id": row["id"],
        "state": row["state"],
        "live": row["state"] in {"active", "ended"},
        "headline": headline,
        "detail": detail,
        "operator": operator["name"],
        "place": row["location"],
        "address": ", ".join(part for part in (row["address"], row["postal_code"], row["city"]) if part),
        "evse": row["evse"],
        "station": row["station"],
        "zone": row["zone"],
        "energy_wh": row["energy_wh"],
        "watts": _watts(row),
        "started_at": row["started_at"],
        "until_at": _until(row),
        "price": _price(row["offer"]),
        "cost": _cost(row, cost),
        "timeline": _timeline(row),
        "curve": curve(row),
        "invoice": {
            "number": row["invoice"],
            "printed": bool(invoice and invoice["printed"]),
            "issue_date": invoice["issue_date"] if invoice else None,
        }
        if row["invoice"]
        else None,
        "payments": [_payment(one) for one in row["payments"]],
        "owed_minor": row["owed_minor"],
    }


def _headline(row: Row, operator: Row) -> tuple[str, str]:
    match row["state"]:
        case "active":
            last = row["states"][-1]["status"] if row["states"] else ""
            return _PAUSED.get(last, ("Charging", "Stop at the vehicle or with the card that you started with."))
        case "ended":
            return "Charging has ended", "The price is final when the vehicle has left."
        case "billed":
            due = row["owed_minor"]
            return "Thank you", "All is paid." if due == 0 else "Here is what it cost."
        case "held":
            return "Being checked", f"{operator['name']} looks at this session. You pay nothing until that is done."
        case _:
            return "Nothing to pay", "This session is not billed."


def _until(row: Row) -> str | None:
    """The last moment that is known of the session."""
    ends = (row["occupancy_ended_at"], row["transaction_ended_at"], row["last_reading_at"])
    return next((one for one in ends if one is not None), None)


def _watts(row: Row) -> int | None:
    """The power as last reported, or as the last two registers tell it."""
    if row["state"] != "active" or not row["readings"]:
        return None
    last = row["readings"][-1]
    if last["watts"] is not None:
        return int(last["watts"])
    earlier = [(row["started_at"], row["meter_start_wh"])]
    earlier += [(one["occurred_at"], one["register_wh"]) for one in row["readings"][:-1]]
    at, register = earlier[-1]
    if register is None:
        return None
    milliseconds = clock.parse_instant(last["occurred_at"]) - clock.parse_instant(at)
    grown = Decimal(last["register_wh"]) - Decimal(register)
    return int(grown * 3_600_000 / milliseconds) if milliseconds > 0 and grown >= 0 else None


def _price(offer: Row | None) -> Row | None:
    return None if offer is None else offer["shown"]


def _cost(row: Row, cost: Row | None) -> Row | None:
    rated = row["rated"]
    if rated is not None:
        return {
            "final": True,
            "currency": rated["currency"],
            "gross_minor": rated["gross_minor"],
            "net_minor": rated["net_minor"],
            "tax_minor": rated["tax_minor"],
            "as_of_at": None,
            "lines": rated["lines"],
            "taxes": rated["taxes"],
        }
    if cost is None:
        return None
    return {**cost, "final": False, "taxes": []}


def _timeline(row: Row) -> list[Row]:
    """The steps of a session, each with its time once it has come: plugged in, the three ends, the invoice."""
    ended, left = row["transaction_ended_at"], row["occupancy_ended_at"]
    energy_ended = row["energy_ended_at"] if ended else None
    steps = [
        ("start", "Plugged in", row["started_at"]),
        ("energy", "Energy ended", energy_ended),
        ("transaction", "Charging ended", ended),
        ("occupancy", "Vehicle left", left),
        ("invoice", "Invoice", row["rated"]["created_at"] if row["rated"] else None),
    ]
    done = row["state"] in {"billed", "explained"}
    shown = [
        {"key": key, "label": text, "at": at, "done": at is not None}
        for key, text, at in steps
        # An end that nobody asked for and that never came is not part of a finished session.
        if at is not None or not done
    ]
    return [one for one in shown if one["done"] or row["state"] != "held"]


def _payment(row: Row) -> Row:
    return {
        "state": row["state"],
        "words": _PAID.get(row["state"], row["state"]),
        "amount_minor": row["captured_minor"] or row["amount_minor"],
        "held_minor": row["authorised_minor"] if row["state"] == "authorised" else 0,
        "refunded_minor": row["refunded_minor"],
        "currency": row["currency"],
        "card": card_words(row),
    }


def card_words(row: Row) -> str | None:
    """A card as a receipt shows it: Visa •••• 4242."""
    if row["card_last4"] is None:
        return None
    return f"{(row['card_brand'] or 'Card').title()} •••• {row['card_last4']}"
