"""Pure: the driver's page of a session, as data: what happens now, what it costs, the three ends, the invoice."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tallywatt.entrypoints.pages.curve import curve, power
from tallywatt.entrypoints.pages.language import _, later
from tallywatt.kernel import clock

if TYPE_CHECKING:
    from datetime import date

Row = dict[str, Any]

_PAUSED: Final = {
    "SuspendedEV": (later("Paused"), later("Your vehicle asks for no power at the moment.")),
    "SuspendedEVSE": (
        later("Paused"),
        later("The station gives no power at the moment. That costs you nothing extra."),
    ),
    "Faulted": (later("Interrupted"), later("The station reports a fault. No time is counted against you.")),
    "Unavailable": (later("Interrupted"), later("The station is out of service. No time is counted against you.")),
}
_STOPPED_HERE: Final = (
    later("Charging"),
    later("You may close this page: charging goes on, and the link stays good."),
)
_STOPPED_THERE: Final = (later("Charging"), later("Stop at the vehicle or with the card that you started with."))
_STOPPING: Final = {
    "requested": later("The station is being asked to stop."),
    "sent": later("The station was asked to stop, and has not answered yet."),
    "accepted": later("The station is stopping."),
    "completed": later("The station is stopping."),
    "rejected": later("The station did not stop. Stop at the vehicle or at the station, then pull the cable."),
    "expired": later("The station did not answer. Stop at the vehicle or at the station, then pull the cable."),
}
_PAID: Final = {
    "captured": later("Paid"),
    "authorised": later("Held on your card"),
    "refunded": later("Given back"),
    "voided": later("Released, nothing was taken"),
    "expired": later("Released, nothing was taken"),
    "declined": later("Your card was declined"),
    "owed": later("To be paid"),
    "created": later("Being collected"),
    "prepared": later("Being collected"),
    "requires_action": later("Waiting for your confirmation"),
    "abandoned": later("Not paid"),
}


def view(
    row: Row,
    cost: Row | None,
    operator: Row,
    invoice: Row | None = None,
    stop: Row | None = None,
    *,
    may_stop: bool = False,
) -> Row:
    """All that the page shows. `cost` is the price so far, `invoice` what was numbered and printed, `stop` the last one asked.

    `may_stop`: whether whoever looks started it.
    """
    headline, detail = _headline(row, operator, may_stop=may_stop)
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
        "ahead": _ahead(row, cost),
        "timeline": _timeline(row),
        "curve": curve(row),
        "power": power(row),
        "charging": row["state"] == "active" and not _is_paused(row),
        "running": row["state"] == "active",
        "may_stop": may_stop and row["state"] == "active",
        "stop": _stop(row, stop),
        "meter": _meter(row),
        "signed": None,
        "rest": None,
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


def _headline(row: Row, operator: Row, *, may_stop: bool) -> tuple[str, str]:
    match row["state"]:
        case "active":
            words = _PAUSED.get(_status(row), _STOPPED_HERE if may_stop else _STOPPED_THERE)
            return _(words[0]), _(words[1])
        case "ended":
            return _("Charging has ended"), _("The price is final when the vehicle has left.")
        case "billed":
            due = row["owed_minor"]
            return _("Thank you"), _("All is paid.") if due == 0 else _("Here is what it cost.")
        case "held":
            text = _("%(operator)s looks at this session. You pay nothing until that is done.")
            if any(one["captured_minor"] for one in row["payments"]):
                text = _(
                    "%(operator)s looks at this session. What is certain of it is paid; no more is taken until that is done."
                )
            return _("Being checked"), text % {"operator": operator["name"]}
        case _unbilled:
            return _("Nothing to pay"), _("This session is not billed.")


def _status(row: Row) -> str:
    """What the station last said of the connector."""
    return str(row["states"][-1]["status"]) if row["states"] else ""


def _is_paused(row: Row) -> bool:
    return _status(row) in _PAUSED


def _stop(row: Row, stop: Row | None) -> Row | None:
    """What became of the driver's wish to stop, while it is of interest."""
    if stop is None or row["state"] != "active":
        return None
    return {
        "words": _(_STOPPING.get(stop["state"], _STOPPING["requested"])),
        "waits": stop["state"] in {"requested", "sent", "accepted", "completed"},
        "failed": stop["state"] in {"rejected", "expired"},
    }


def _meter(row: Row) -> Row | None:
    """The registers of the receipt: the proof behind the energy."""
    if row["meter_start_wh"] is None or row["meter_stop_wh"] is None:
        return None
    return {"start_wh": row["meter_start_wh"], "stop_wh": row["meter_stop_wh"]}


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


def _ahead(row: Row, cost: Row | None) -> Row | None:
    """What the next minute costs, and when another price begins, if all goes on as it does."""
    seen = cost["ahead"] if cost is not None and row["rated"] is None else None
    if cost is None or seen is None:
        return None
    change = seen["change"]
    return {
        "minute": seen["next_minute_text"],
        "prices": [one["text"] for one in seen["prices"]],
        "change_at": change["at"] if change else None,
        "then": [one["text"] for one in change["prices"]] if change else [],
        "is_today": change is not None and _day(change["at"], row) == _day(cost["as_of_at"], row),
    }


def _day(at: str, row: Row) -> date:
    return clock.moment(clock.parse_instant(at), clock.zone(row["zone"])).date()


_BUSY: Final = frozenset({"created", "prepared"})
_OF_A_LINE: Final = ("title", "sentence", "quantity_text", "unit_price", "dimension", "gross_minor", "net_minor")


def final_cost(row: Row) -> Row:
    """The price of a billed session in the shape of one that runs: final, with nothing ahead."""
    rated = row["rated"]
    told = {name: rated[name] for name in ("currency", "net_minor", "tax_minor", "gross_minor")}
    return {
        **told,
        "energy_wh": row["energy_wh"],
        "as_of_at": rated["created_at"],
        "final": True,
        "lines": [{name: line[name] for name in _OF_A_LINE} for line in rated["lines"]],
        "ahead": None,
    }


def _timeline(row: Row) -> list[Row]:
    """The steps of a session, each with its time once it has come: plugged in, the three ends, the invoice."""
    ended, left = row["transaction_ended_at"], row["occupancy_ended_at"]
    energy_ended = row["energy_ended_at"] if ended else None
    steps = [
        ("start", _("Plugged in"), row["started_at"]),
        ("energy", _("Energy ended"), energy_ended),
        ("transaction", _("Charging ended"), ended),
        ("occupancy", _("Vehicle left"), left),
        ("invoice", _("Invoice"), row["rated"]["created_at"] if row["rated"] else None),
    ]
    done = row["state"] in {"billed", "explained"}
    shown = [
        {"key": key, "label": text, "at": at, "done": at is not None}
        for key, text, at in steps
        # An end that nobody asked for and that never came is not part of a finished session.
        if at is not None or not done
    ]
    return [one for one in shown if one["done"] or row["state"] != "held"]


def rest(row: Row, asked: Row | None) -> Row | None:
    """What is still to be paid because too little was charged, and why; None: nothing is."""
    if asked is None:
        return None
    missing = min(asked["asked_minor"] - asked["paid_minor"], row["owed_minor"] or 0)
    busy = any(one["kind"] == "stored" and one["state"] in _BUSY for one in row["payments"])
    least = asked["least_minor"]
    payable = least is not None and missing >= least
    return {**asked, "open_minor": missing, "busy": busy, "payable": payable} if missing > 0 else None


def _payment(row: Row) -> Row:
    is_held, taken = row["state"] == "authorised", row["captured_minor"]
    held = row["authorised_minor"] - taken if is_held else 0
    words = _PAID["captured"] if is_held and taken else _PAID.get(row["state"], str(row["state"]))
    return {
        "state": row["state"],
        "words": _("On invoice") if row["open_minor"] else _(words),
        "due_on": row["due_on"] if row["open_minor"] else None,
        "amount_minor": row["captured_minor"] or row["amount_minor"],
        # A part of the hold may be taken already, while somebody looks at the rest of the session.
        "rest_held_minor": held if taken else 0,
        "is_held": is_held,
        "held_until_at": row["hold_expires_at"] if is_held else None,
        "freed_minor": _freed(row),
        "refunded_minor": row["refunded_minor"],
        "currency": row["currency"],
        "card": card_words(row),
    }


def _freed(row: Row) -> int:
    """What was held and is not taken: it is free again with the capture."""
    if row["kind"] != "ad_hoc" or row["state"] not in {"captured", "refunded"}:
        return 0
    return max(0, int(row["authorised_minor"]) - int(row["captured_minor"]))


def card_words(row: Row) -> str | None:
    """A card as a receipt shows it: Visa •••• 4242."""
    if row["card_last4"] is None:
        return None
    return f"{(row['card_brand'] or _('Card')).title()} •••• {row['card_last4']}"
