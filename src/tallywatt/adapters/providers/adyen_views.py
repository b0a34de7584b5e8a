"""Pure: Adyen's answers and notifications, read as views of a payment (docs.adyen.com: Checkout API, Standard webhooks).

A notification tells of one thing that happened, never how the whole payment stands. What is signed in it are its references,
its sum, its code and whether it succeeded; nothing else decides anything here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from tallywatt.kernel.clock import Instant
from tallywatt.payments.capabilities import hold_seconds
from tallywatt.payments.codes import CAPTURE_LOST, DECLINED, Standard, standard
from tallywatt.payments.provider import CaptureView, RefundView, View, ViewStatus

PROVIDER: Final = "adyen"
CHARGE: Final = "/charge"
"""Ends the reference of a payment that is captured by itself: its authorisation is the taking of the money."""
SETUP: Final = "/keep"
"""Ends the reference of a page where a card is left: it tells nothing about a payment."""

REPORT: Final = "REPORT_AVAILABLE"
"""A notification about a file; its report is named where a payment has its number."""

Tree = dict[str, Any]

_LINK: Final = {
    "active": ViewStatus.REQUIRES_ACTION,
    "expired": ViewStatus.ABANDONED,
    "completed": ViewStatus.PROCESSING,
    "paymentPending": ViewStatus.PROCESSING,
}
NEEDS_PERSON: Final = frozenset({"NOTIFICATION_OF_FRAUD", "REFUNDED_REVERSED", "REFUND_FAILED"})
RECEIVED: Final = frozenset({"Authorised", "Received", "Pending"})


def of_link(link: Tree) -> View:
    """A payment link. One that was paid says no more than that: the notification says how much is held."""
    status = _LINK.get(link["status"], ViewStatus.PROCESSING)
    return View(status, link["amount"]["currency"], page_ref=link["id"], page_url=link.get("url"))


def of_charge(answer: Tree, minor: int, code: str) -> View:
    """The answer to a charge without the driver."""
    if answer.get("resultCode") == "Authorised":
        return View(
            ViewStatus.CAPTURED,
            code,
            provider_ref=answer["pspReference"],
            authorised_minor=minor,
            captured_minor=minor,
        )
    if answer.get("resultCode") in RECEIVED:
        return View(ViewStatus.PROCESSING, code, provider_ref=answer["pspReference"])
    why = refusal(answer)
    return View(ViewStatus.DECLINED, code, provider_ref=answer.get("pspReference"), code=why.code)


def refusal(answer: Tree) -> Standard:
    """Why a charge was declined. A bank that wants its cardholder says so by asking for one."""
    if answer.get("resultCode") in ("RedirectShopper", "ChallengeShopper", "IdentifyShopper"):
        return standard(PROVIDER, "38")
    return standard(PROVIDER, answer.get("refusalReasonCode"), _plain(answer.get("refusalReason")))


def _plain(text: Any) -> str | None:
    """A reason as the table has it: some begin with a number and a colon."""
    return str(text).rpartition(":")[2].strip().lower() if text else None


def event_id(item: Tree) -> str:
    """What tells one notification from another: a second delivery has the same."""
    return f"{item['eventCode']}/{item['pspReference']}/{str(item['success']).lower()}"


def said_at(item: Tree) -> Instant:
    """When it happened there; ValueError for no moment."""
    read = datetime.fromisoformat(str(item["eventDate"]))
    return Instant(int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000))


def modification(asked: Tree) -> str:
    """The reference of a change to a payment: the operation, and by what its asker's own key is known again."""
    mark = asked.get("refund_mark")
    return f"{asked['operation_id']}/{mark}" if mark else str(asked["operation_id"])


def modified(reference: str | None) -> tuple[str | None, str | None]:
    """The operation that asked for a change, and its mark."""
    operation, _, mark = (reference or "").partition("/")
    return operation or None, mark or None


def ours(reference: str) -> str | None:
    """One of our payments by its form: another system may take money through the same merchant account."""
    try:
        found = UUID(reference)
    except ValueError:
        return None
    return reference if found.version == 7 and str(found) == reference else None


def payment_of(item: Tree) -> str | None:
    """The payment that an authorisation names; the other notifications name the operation that asked for them."""
    if not item["eventCode"].startswith(("AUTHORISATION", "OFFER_CLOSED")) or item["eventCode"].endswith("ADJUSTMENT"):
        return None
    reference = str(item.get("merchantReference") or "")
    return None if reference.endswith(SETUP) else reference.removesuffix(CHARGE) or None


def of_notification(item: Tree) -> View | None:
    """What a notification tells about a payment; None when it tells nothing about its money."""
    good = str(item["success"]).lower() == "true"
    if str(item.get("merchantReference") or "").endswith(SETUP):
        return None
    match item["eventCode"]:
        case "AUTHORISATION":
            return _authorised(item) if good else _refused(item)
        case "OFFER_CLOSED":
            return View(ViewStatus.ABANDONED)
        case "AUTHORISATION_ADJUSTMENT" | "CAPTURE" | "CANCELLATION" | "TECHNICAL_CANCEL" | "REFUND":
            return _modified(item) if good else _failed(item)
        case "CAPTURE_FAILED" | "REFUND_FAILED":
            return _failed(item)
        case _:
            return None


def _sum_of(item: Tree) -> tuple[int, str]:
    return int(item["amount"]["value"]), str(item["amount"]["currency"])


def _authorised(item: Tree) -> View:
    minor, code = _sum_of(item)
    ref = item["pspReference"]
    if str(item.get("merchantReference")).endswith(CHARGE):
        return View(ViewStatus.CAPTURED, code, provider_ref=ref, authorised_minor=minor, captured_minor=minor)
    more = item.get("additionalData") or {}
    brand = str(item.get("paymentMethod") or "") or None
    return View(
        ViewStatus.AUTHORISED,
        code,
        provider_ref=ref,
        authorised_minor=minor,
        hold_expires_at=Instant(said_at(item) + hold_seconds(PROVIDER, brand) * 1000),
        card_brand={"mc": "mastercard"}.get(brand or "", brand),
        card_last4=str(more["cardSummary"])[-4:] if more.get("cardSummary") else None,
    )


def _refused(item: Tree) -> View:
    """A card was declined. On a page the driver may try another one, so nothing is known of an object yet."""
    found = standard(PROVIDER, _plain(item.get("reason")))
    by_itself = str(item.get("merchantReference")).endswith(CHARGE)
    ref = item["pspReference"] if by_itself else None
    return View(ViewStatus.DECLINED, _sum_of(item)[1], provider_ref=ref, code=found.code)


def _modified(item: Tree) -> View:
    minor, code = _sum_of(item)
    of = item.get("originalReference") or None
    match item["eventCode"]:
        case "AUTHORISATION_ADJUSTMENT":
            return View(ViewStatus.AUTHORISED, code, provider_ref=of, authorised_minor=minor)
        case "CAPTURE":
            asked, _ = modified(item.get("merchantReference"))
            return View(
                ViewStatus.CAPTURED,
                code,
                provider_ref=of,
                authorised_minor=minor,
                captured_minor=minor,
                told_of=asked,
                captures=(CaptureView(item["pspReference"], asked, minor),),
            )
        case "REFUND":
            asked, mark = modified(item.get("merchantReference"))
            one = RefundView(item["pspReference"], asked, minor, "succeeded", mark)
            return View(ViewStatus.PROCESSING, code, provider_ref=of, refunds=(one,))
        case _:
            # The sum of a cancellation is not always told, and its currency then is none of the payment's.
            return View(ViewStatus.VOIDED, provider_ref=of)


def _failed(item: Tree) -> View:
    found = standard(PROVIDER, _plain(item.get("reason")))
    code = found.code if found is not DECLINED else "refused"
    if item["eventCode"] == "CAPTURE_FAILED":
        code = CAPTURE_LOST
    of, asked = item.get("originalReference") or None, modified(item.get("merchantReference"))[0]
    return View(ViewStatus.PROCESSING, provider_ref=of, code=code, failed_operation=asked)
