"""Pure: the page at an EVSE and the page of a payment, as data."""

from __future__ import annotations

from typing import Any, Final

from tallywatt.entrypoints.pages.language import _, later

Row = dict[str, Any]

PAYABLE: Final = frozenset({"created", "requires_action"})
"""States in which the provider's page still takes a card."""

_STATUS: Final = {
    "Available": (later("Free"), "good"),
    "Preparing": (later("Plugged in, ready"), "good"),
    "Charging": (later("In use"), "busy"),
    "SuspendedEV": (later("In use"), "busy"),
    "SuspendedEVSE": (later("In use"), "busy"),
    "Finishing": (later("In use"), "busy"),
    "Occupied": (later("In use"), "busy"),
    "Reserved": (later("Reserved"), "busy"),
    "Faulted": (later("Out of order"), "bad"),
    "Unavailable": (later("Out of service"), "bad"),
}
_UNHEARD: Final = (later("Not heard of yet"), "quiet")
_OFFLINE: Final = (later("No connection"), "away")
_HINTS: Final = {
    "busy": (
        later("Somebody is charging here"),
        later("Wait until the cable is free, then load this page again. Nothing can be paid while it is in use."),
    ),
    "bad": (
        later("This charging point does not work at the moment"),
        later("Please use another one. The operator sees the fault as well."),
    ),
    "away": (
        later("This station has no connection at the moment"),
        later("It cannot be started from here, so nothing can be paid. A charging card may still work at the station."),
    ),
}
_STATES: Final = {
    "created": (later("One moment"), later("The payment page is being opened."), True),
    "requires_action": (later("One moment"), later("The payment page is being opened."), True),
    "authorised": (
        later("Plug in now"),
        later("Your card is good. The station starts as soon as the cable is in."),
        True,
    ),
    "declined": (
        later("Your card was declined"),
        later("Nothing was taken. You can try again with another card."),
        False,
    ),
    "voided": (later("Nothing was taken"), later("The hold on your card was released."), False),
    "expired": (later("Nothing was taken"), later("The hold on your card was released."), False),
    "abandoned": (
        later("This page is too old"),
        later("The payment was not completed in time. Nothing was taken. Begin again at the charging point."),
        False,
    ),
    "captured": (later("Paid"), later("The session is over."), False),
    "refunded": (later("Given back"), later("All that was taken was given back."), False),
    "owed": (later("Not paid yet"), later("The payment could not be collected."), False),
}
_REASONS: Final = {
    "start_rejected": later("The station did not start, so the hold was released."),
    "start_expired": later("The station did not answer, so the hold was released."),
    "never_plugged_in": later("No vehicle was plugged in, so the hold was released."),
    "station_offline": later("The station cannot be reached, so the hold was released."),
    "cancelled": later("It was cancelled, and the hold was released."),
}
_AT_READER: Final = {
    "created": (later("One moment"), later("The card reader is being asked.")),
    "prepared": (later("One moment"), later("The card reader is being asked.")),
    "requires_action": (
        later("Hold your card to the reader"),
        later("The sum below is held on your card. Nothing is taken yet."),
    ),
}
_NOT_AT_READER: Final = {
    "cancelled_at_reader": later("It was cancelled at the card reader."),
    "never_presented": later("No card was held to the reader in time."),
    "cancelled": later("It was cancelled."),
    "reader_busy": later("The card reader is in use. Wait until it is free, then try again."),
    "reader_offline": later("The card reader has no connection at the moment. Please pay on your phone."),
    "provider_unreachable": later("The card reader could not be asked. Please try again, or pay on your phone."),
}
RELEASED: Final = frozenset({"voided", "expired", "abandoned"})


def status_of(status: str | None, *, away: bool = False) -> tuple[str, str]:
    """What an EVSE's status is called, and its tone: good, busy, bad, away (no connection) or quiet (never heard of)."""
    words, tone = _OFFLINE if away else _STATUS.get(status or "", _UNHEARD)
    return _(words), tone


def view(evse: Row, price: Row | None, places: list[Row], connected: frozenset[str] | None) -> Row:
    """What a driver reads before the start. `connected` are the stations on the line; None: nobody here knows.

    `places` are all EVSEs of the location, this one among them.
    """
    here = [_place(one, connected) for one in places]
    own = next((one for one in here if one["code"] == evse["code"]), None)
    away = connected is not None and evse["station_id"] not in connected
    words, tone = (own["words"], own["tone"]) if own else status_of(evse.get("status"), away=away)
    hint = _HINTS.get(tone)
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
        "payable": tone in {"good", "quiet"},
        "hint": {"title": _(hint[0]), "text": _(hint[1])} if hint else None,
        "others": [one for one in here if one["code"] != evse["code"] and one["tone"] == "good"][:6] if hint else [],
        "scan": None,
        "scanned": None,
        "readers": [],
        "price": price,
        "hold_minor": evse["hold_minor"],
        "hold_currency": evse["currency"],
    }


_SCANS: Final = {
    "evses.code_missing": later("This charging point shows a code"),
    "evses.code_expired": later("This code is too old"),
    "evses.code_used": later("This code was used already"),
}


def scan_hint(code: str) -> Row:
    """Why nothing can be paid before the code on the display is scanned."""
    title = _SCANS.get(code, _SCANS["evses.code_missing"])
    return {
        "title": _(title),
        "text": _("Scan the code on the station's display. It changes all the time, and pays once."),
    }


_BECAUSE: Final = {
    "customer": later("It was agreed with you."),
    "fleet": later("You belong to the fleet %(names)s."),
    "group": later("You belong to the group %(names)s."),
    "member": later("It comes with your membership %(names)s."),
    "payment": later("It holds for everybody with an account."),
}


def because(choice_reason: str, circles: list[Row]) -> str:
    """Why the price of an account is what it is: by what narrowed the choice; nothing where everybody has it."""
    kind = choice_reason.partition(";")[0]
    if kind not in _BECAUSE:
        return ""
    names = ", ".join(one["title"] for one in circles if one["kind"] == kind)
    return _(_BECAUSE[kind]) % {"names": names}


def _place(row: Row, connected: frozenset[str] | None) -> Row:
    words, tone = status_of(row["status"], away=connected is not None and row["station_id"] not in connected)
    return {
        "code": row["code"],
        "current": row["current"],
        "max_watts": row["max_watts"],
        "words": words,
        "tone": tone,
    }


def payment_view(row: Row, plug: Row | None, start: Row | None, *, paid: bool = False) -> Row:
    """What a driver reads while the payment goes its way. `paid`: the driver comes back from the provider's page."""
    headline, detail, waits = _STATES.get(row["state"], (row["state"], "", False))
    if paid and row["state"] in PAYABLE:
        detail = later("Your payment is being confirmed.")
    if row["state"] in RELEASED:
        detail = _REASONS.get(row["reason"] or "", detail)
        headline = later("Nothing was taken") if row["reason"] in _REASONS else headline
    held = row["state"] == "authorised"
    asks = row["reader"] is not None and row["state"] in _AT_READER
    if asks:
        headline, detail = _AT_READER[row["state"]]
    elif row["reader"] is not None and row["state"] in RELEASED and not row["authorised_minor"]:
        headline = later("Nothing was taken")
        detail = _NOT_AT_READER.get(row["reason"] or "", later("No card was held to the reader."))
    return {
        "state": row["state"],
        "headline": _(headline),
        "detail": _(detail),
        "waits": waits or asks,
        "reader": row["reader"] if asks else None,
        "amount_minor": row["amount_minor"],
        "currency": row["currency"],
        "released": row["state"] in RELEASED or row["state"] == "declined",
        "held": held,
        "again": row["state"] in RELEASED or row["state"] == "declined",
        "code": plug["code"] if plug else None,
        "number": plug["number"] if plug else None,
        "place": (plug["location"] or plug["operator"]) if plug else None,
        "operator": plug["operator"] if plug else None,
        "zone": (plug["zone"] or plug["operator_zone"]) if plug else None,
        "until_at": start["deadline_at"] if start and held else None,
        "hold_ends_at": row["hold_expires_at"] if held else None,
    }
