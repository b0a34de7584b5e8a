"""What happens long after a payment: a capture that the scheme takes back, a card that expires or is replaced by its bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.simulators.psp.cards import CARDS

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

MODIFICATION: Final = "adyen.modification"


def lose_capture(call: Call, payment_intent: str, why: str = "Capture Failed") -> list[Object]:
    """Take the last capture of an intent back: the money never arrived. Told where captures are only received at first."""
    intent = call.find(payment_intent)
    if intent is None or not intent["amount_received"]:
        return []
    changes = [one for one in call.all_of(MODIFICATION) if one["intent"] == payment_intent and not one["failed"]]
    gone = {one["of"] for one in changes if one["kind"] == "CAPTURE_FAILED"}
    lost = next((one for one in changes if one["kind"] == "CAPTURE" and one["id"] not in gone), None)
    charge = call.get("charge", intent["latest_charge"])
    left = 0 if lost is None else max(0, intent["amount_received"] - lost["minor"])
    call.put(charge | {"amount_captured": left, "captured": bool(left) and charge["captured"]})
    after = intent | {"amount_received": left}
    if intent["status"] == "requires_capture":
        after["amount_capturable"] += intent["amount_received"] - left  # it is held still, and can be taken again
    elif not left:
        after["status"] = "canceled"
    call.put(after)
    if lost is not None:
        _take_from_balance(call, charge["id"], lost["minor"])
        told = {**lost, "id": call.new_id("mod"), "kind": "CAPTURE_FAILED", "of": lost["id"], "why": why}
        call.event("modification.CAPTURE_FAILED", call.put(told))
    return [intent]


def _take_from_balance(call: Call, charge: str, minor: int) -> None:
    """What was not sent to the bank yet never will be."""
    for one in call.all_of("balance_transaction"):
        if (one["source"], one["amount"], one.get("_payout")) == (charge, minor, None):
            call.put(one | {"amount": 0, "fee": 0, "net": 0, "_payout": "never"})
            return


def change_card(call: Call, payment_method: str, card: str, last4: str | None = None) -> list[Object]:
    """Let a stored card become another one: `card` is a test card, and an updater of the scheme tells the new number's end."""
    method = call.find(payment_method)
    if method is None or method["object"] != "payment_method":
        return []
    shown = method["card"] | {"last4": last4 or method["card"]["last4"], "brand": CARDS[card].brand}
    changed = call.put(method | {"_token": card, "card": shown})
    if last4 is not None:
        call.event("payment_method.automatically_updated", changed)
    return [changed]
