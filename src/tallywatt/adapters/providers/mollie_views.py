"""Pure: Mollie's documents, read as views of a payment (docs.mollie.com/reference)."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tallywatt.adapters.providers import marks
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.money import currency
from tallywatt.payments.capabilities import Initiator, hold_seconds
from tallywatt.payments.codes import standard
from tallywatt.payments.provider import RefundView, View, ViewStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

PROVIDER: Final = "mollie"

Tree = dict[str, Any]

LOCALES: Final = {
    "cs": "cs_CZ", "da": "da_DK", "de": "de_DE", "el": "el_GR", "en": "en_GB", "es": "es_ES", "fi": "fi_FI",
    "fr": "fr_FR", "hu": "hu_HU", "it": "it_IT", "lt": "lt_LT", "lv": "lv_LV", "nb": "nb_NO", "nl": "nl_NL",
    "no": "nb_NO", "pl": "pl_PL", "pt": "pt_PT", "sk": "sk_SK", "sl": "sl_SI", "sv": "sv_SE",
}  # fmt: skip
"""The locales of its page, by language; for another language it takes the browser's."""

_STATUS: Final = {
    "open": ViewStatus.REQUIRES_ACTION,
    "pending": ViewStatus.PROCESSING,
    "authorized": ViewStatus.AUTHORISED,
    "paid": ViewStatus.CAPTURED,
}
_REFUND: Final = {"refunded": "succeeded", "failed": "failed", "canceled": "failed"}


def amount(minor: int, code: str) -> Tree:
    """A sum as Mollie reads it: a text with as many places as the currency has."""
    exponent = currency(code).exponent
    return {"currency": code, "value": f"{Decimal(minor).scaleb(-exponent):.{exponent}f}"}


def minor_of(given: Tree | None) -> int:
    """The minor units of a sum; nothing is nothing."""
    if not given:
        return 0
    return int(Decimal(given["value"]).scaleb(currency(given["currency"]).exponent))


def moment(text: str | None) -> Instant | None:
    """A moment; a date is its first moment, so that nothing is thought to live longer than it does."""
    if not text:
        return None
    read = datetime.fromisoformat(text)
    return Instant(int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000))


def of_payment(payment: Tree, refunds: Iterable[Tree] = (), captures: Iterable[Tree] = ()) -> View:
    """A payment, with its refunds and captures where they were looked at."""
    status = _status(payment)
    held = minor_of(payment["amount"])
    captured = minor_of(payment.get("amountCaptured") or payment["amount"]) if payment["status"] == "paid" else 0
    listed = tuple(of_refund(one) for one in refunds)
    details = payment.get("details") or {}
    lost = next((one for one in captures if one["status"] == "failed"), None)
    reason = details.get("failureReason") or (payment.get("statusReason") or {}).get("code")
    return View(
        status=status,
        currency=payment["amount"]["currency"],
        provider_ref=payment["id"],
        page_ref=payment["id"] if payment["sequenceType"] != "recurring" else None,
        page_url=(payment["_links"].get("checkout") or {}).get("href"),
        authorised_minor=held if status is ViewStatus.AUTHORISED else max(captured, held if captured else 0),
        captured_minor=captured,
        refunded_minor=sum(one.amount_minor for one in listed if one.status == "succeeded"),
        hold_expires_at=_hold_end(payment) if status is ViewStatus.AUTHORISED else None,
        refunds=listed,
        code=standard(PROVIDER, reason).code if reason else None,
        card_brand=_brand(details.get("cardLabel")),
        card_last4=details.get("cardNumber"),
        failed_operation=(lost.get("metadata") or {}).get(marks.OPERATION) if lost is not None else None,
    )


def _status(payment: Tree) -> ViewStatus:
    by_mandate = payment["sequenceType"] == "recurring"
    match payment["status"]:
        case "failed":
            # A page whose card was declined can be paid no more; a stored card was asked once, and said no.
            return ViewStatus.DECLINED if by_mandate else ViewStatus.ABANDONED
        case "canceled":
            return ViewStatus.VOIDED if payment.get("authorizedAt") else ViewStatus.ABANDONED
        case "expired":
            return ViewStatus.EXPIRED if payment.get("authorizedAt") else ViewStatus.ABANDONED
        case known:
            return _STATUS.get(known, ViewStatus.PROCESSING)


def _hold_end(payment: Tree) -> Instant | None:
    told = moment(payment.get("captureBefore"))
    if told is not None:
        return told
    began = moment(payment.get("authorizedAt") or payment.get("createdAt"))
    who = Initiator.MERCHANT if payment["sequenceType"] == "recurring" else Initiator.CARDHOLDER
    return None if began is None else Instant(began + hold_seconds(PROVIDER, None, who) * 1000)


def _brand(label: str | None) -> str | None:
    return {"American Express": "amex"}.get(label, label.lower().replace(" ", "_")) if label else None


def of_refund(refund: Tree) -> RefundView:
    """A refund, by the operation that asked for it."""
    kept = refund.get("metadata") or {}
    status = _REFUND.get(refund["status"], "pending")
    return RefundView(
        refund["id"], kept.get(marks.OPERATION), minor_of(refund["amount"]), status, kept.get(marks.REFUND)
    )


def carried(payment: Tree) -> Tree:
    """What a payment carries of ours; somebody else's may carry anything."""
    kept = payment.get("metadata")
    return kept if isinstance(kept, dict) else {}


def event_id(payment: Tree, refunds: Iterable[Tree], captures: Iterable[Tree]) -> str:
    """The same state of a payment is the same news: its webhook carries an id, and nothing to tell two of them apart."""
    seen = [payment["status"], payment.get("amountCaptured"), payment.get("amountChargedBack")]
    seen += sorted((one["id"], one.get("status") or str(one.get("reversedAt"))) for one in (*refunds, *captures))
    digest = hashlib.blake2b(json.dumps(seen, sort_keys=True).encode(), digest_size=8).hexdigest()
    return f"{payment['id']}/{digest}"
