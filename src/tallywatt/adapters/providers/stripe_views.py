"""Pure: Stripe's objects, read as views of a payment (docs.stripe.com/api)."""

from __future__ import annotations

from typing import Any, Final

from tallywatt.adapters.providers import marks
from tallywatt.kernel.clock import Instant
from tallywatt.payments.capabilities import Initiator, hold_seconds
from tallywatt.payments.codes import standard
from tallywatt.payments.provider import RefundView, StoredMethod, View, ViewStatus

PROVIDER: Final = "stripe"

Tree = dict[str, Any]

_STATUS: Final = {
    "requires_confirmation": ViewStatus.PREPARED,
    "requires_action": ViewStatus.REQUIRES_ACTION,
    "processing": ViewStatus.PROCESSING,
    "requires_capture": ViewStatus.AUTHORISED,
    "succeeded": ViewStatus.CAPTURED,
}
_EXPIRED: Final = ("automatic", "expired")


def of_intent(intent: Tree) -> View:
    """A payment intent, with as much of its charge as the message carries."""
    charge = intent.get("latest_charge")
    charge = charge if isinstance(charge, dict) else {}
    card = _card(charge)
    status = _status(intent)
    held = intent["amount_capturable"] if status is ViewStatus.AUTHORISED else 0
    error = intent.get("last_payment_error") or {}
    return View(
        status=status,
        currency=intent["currency"].upper(),
        provider_ref=intent["id"],
        authorised_minor=held + intent["amount_received"],
        captured_minor=intent["amount_received"],
        refunded_minor=charge.get("amount_refunded"),
        hold_expires_at=_hold_end(intent, card) if held else None,
        refunds=_refunds(charge),
        code=standard(PROVIDER, error.get("decline_code"), error.get("code")).code if error else None,
        card_brand=card.get("brand"),
        card_last4=card.get("last4"),
        several_captures=_several(card),
    )


def _several(card: Tree) -> bool | None:
    """Whether this card's hold can be captured in parts; a message without the charge does not say."""
    told = card.get("multicapture")
    return None if told is None else told.get("status") == "available"


def _status(intent: Tree) -> ViewStatus:
    if intent["status"] == "requires_payment_method":
        return ViewStatus.DECLINED if intent.get("last_payment_error") else ViewStatus.PREPARED
    if intent["status"] == "canceled":
        return ViewStatus.EXPIRED if intent.get("cancellation_reason") in _EXPIRED else ViewStatus.VOIDED
    return _STATUS.get(intent["status"], ViewStatus.PROCESSING)


def _card(charge: Tree) -> Tree:
    details = charge.get("payment_method_details") or {}
    found: Tree = details.get("card") or details.get("card_present") or {}
    return found


def _hold_end(intent: Tree, card: Tree) -> Instant:
    by = Initiator.AT_READER if "card_present" in intent.get("payment_method_types", ()) else Initiator.CARDHOLDER
    lives = hold_seconds(PROVIDER, card.get("brand"), by)
    return Instant((card.get("capture_before") or intent["created"] + lives) * 1000)


def _refunds(charge: Tree) -> tuple[RefundView, ...]:
    listed = (charge.get("refunds") or {}).get("data", [])
    return tuple(of_refund(one) for one in listed)


def can_be_in_parts(charge: Tree) -> bool:
    """Whether a charge may be the sum of several captures."""
    return bool(_several(_card(charge)))


def of_refund(refund: Tree) -> RefundView:
    """A refund, by the operation that asked for it."""
    carried = refund.get("metadata") or {}
    status = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}.get(refund["status"], "pending")
    return RefundView(refund["id"], carried.get(marks.OPERATION), refund["amount"], status, carried.get(marks.REFUND))


def of_charge(charge: Tree) -> View:
    """A charge: how much of it was captured and given back."""
    card = _card(charge)
    captured = charge["amount_captured"]
    # It counts as captured once nothing more can be: of a part that was captured before, the rest is still held.
    status = ViewStatus.CAPTURED if charge["captured"] else ViewStatus.AUTHORISED
    return View(
        status=status if captured else ViewStatus.PROCESSING,
        currency=charge["currency"].upper(),
        provider_ref=charge.get("payment_intent"),
        authorised_minor=captured,
        captured_minor=captured,
        refunded_minor=charge["amount_refunded"],
        refunds=_refunds(charge),
        card_brand=card.get("brand"),
        card_last4=card.get("last4"),
    )


def of_session(session: Tree) -> View:
    """A checkout session. One that is complete says little by itself: its intent says how much is held."""
    intent = session.get("payment_intent")
    page = {"page_ref": session["id"], "page_url": session.get("url"), "currency": (session["currency"] or "").upper()}
    if session["status"] == "open":
        return View(ViewStatus.REQUIRES_ACTION, **page)
    if session["status"] == "expired":
        return View(ViewStatus.ABANDONED, **page)
    if isinstance(intent, dict):
        seen = of_intent(intent)
        return View(
            seen.status,
            **page,
            provider_ref=seen.provider_ref,
            authorised_minor=seen.authorised_minor,
            captured_minor=seen.captured_minor,
            refunded_minor=seen.refunded_minor,
            hold_expires_at=seen.hold_expires_at,
            refunds=seen.refunds,
            code=seen.code,
            card_brand=seen.card_brand,
            card_last4=seen.card_last4,
            several_captures=seen.several_captures,
        )
    return View(ViewStatus.PROCESSING, **page, provider_ref=intent)


def stored_of(method: Tree) -> StoredMethod:
    """A stored card; LookupError or TypeError for what is none."""
    card, customer = method["card"], method["customer"]
    told = customer["id"] if isinstance(customer, dict) else customer
    if not all(isinstance(one, str) for one in (told, method["id"], card["brand"], card["last4"])):
        raise TypeError(method["object"])
    return StoredMethod(told, method["id"], card["brand"], card["last4"])


def payment_of(thing: Tree) -> str | None:
    """The payment that an object carries the id of, if it is one of ours."""
    found: str | None = (thing.get("metadata") or {}).get(marks.PAYMENT)
    return found


def view_of(thing: Tree) -> View | None:
    """Any object of an event, as far as it tells about a payment."""
    match thing.get("object"):
        case "payment_intent":
            return of_intent(thing)
        case "checkout.session":
            return of_session(thing)
        case "charge":
            return of_charge(thing)
        case _:
            return None
