"""Pure: a simulated reader as whoever stands before it sees it: what it asks, the cards that can be held to it, the red key."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from tallywatt.simulators.psp import intents, page, readers
from tallywatt.simulators.psp.cards import CARDS

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

PREFIX: Final = "/_reader/"
HELD_TO_IT: Final = (
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_amex",
    "pm_card_visa_chargeDeclined",
    "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_chargeDeclinedExpiredCard",
)
CANCEL: Final = "cancel"


def nobody() -> str:
    """No such reader."""
    said = "<h1>No such reader</h1><p>It is there as soon as it has been asked for a card once.</p>"
    return page.framed("Reader", said)


def act(call: Call, form: dict[str, str]) -> None:
    """A card is held to it, the red key is pressed, or its network cable pulled out or put back."""
    reader = readers.reader_of(call, call.id)
    if form.get("card") in CARDS:
        readers.come(call, reader, form["card"])
    elif form.get("key") == CANCEL:
        readers.come(call, reader, CANCEL)
    elif form.get("status") in ("online", "offline"):
        call.put(reader | {"status": form["status"]})


def show(call: Call) -> str:
    """Its display, and what can be done there."""
    reader = readers.reader_of(call, call.id)
    action = reader["action"] or {}
    intent = _intent(call, action)
    if reader["status"] == "offline":
        said = _display("No connection", "")
    elif intent is not None and action["status"] == "in_progress":
        said = _display(page.sum_of(intent["amount"], intent["currency"]), intent["description"] or "") + _cards()
    elif intent is not None:
        said = _display("Approved" if action["status"] == "succeeded" else "Not approved", "Thank you.")
    elif action.get("type") == "set_reader_display":
        lines = action["set_reader_display"]["cart"]["line_items"]
        said = _display("Your charging point", " ".join(one["description"] for one in lines))
    else:
        said = _display("Welcome", "Choose your charging point first.")
    other, word = ("offline", "Take it off the line") if reader["status"] == "online" else ("online", "Connect it")
    wire = f'<form method="post"><button class="quiet" name="status" value="{other}">{word}</button></form>'
    return page.framed(reader["label"], f"<p>{escape(reader['label'])}</p>{said}{wire}", again=True)


def _intent(call: Call, action: Object) -> Object | None:
    asked = action.get("process_payment_intent") or {}
    found = call.find(asked["payment_intent"]) if asked else None
    return None if found is None else intents.current(call, found["id"])


def _display(title: str, text: str) -> str:
    return f"<h1>{escape(title)}</h1><p>{escape(text)}</p>"


def _cards() -> str:
    cards = "".join(
        f'<button class="quiet" name="card" value="{one}">{escape(CARDS[one].label)} '
        f"&middot;&middot;&middot;&middot; {CARDS[one].last4}</button>"
        for one in HELD_TO_IT
    )
    return (
        f'<form method="post"><fieldset><legend>Hold a test card to it</legend>{cards}</fieldset>'
        f'<button name="key" value="{CANCEL}">Cancel</button></form>'
    )
