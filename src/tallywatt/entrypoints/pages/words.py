"""Pure: what codes are called on pages. A code without a word is shown as it is, with spaces."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "session.active": "Charging",
    "session.ended": "Waiting for the vehicle",
    "session.held": "Held",
    "session.billed": "Billed",
    "session.explained": "Explained",
    "payer.ad_hoc": "Card, no account",
    "payer.customer": "Customer",
    "payer.unknown": "Unknown",
    "payer.partner": "Partner",
    "payer.employer": "Employer",
    "payer.operator": "Operator",
    "payment.created": "Begun",
    "payment.prepared": "Being charged",
    "payment.requires_action": "Waiting for the driver",
    "payment.authorised": "Held on the card",
    "payment.captured": "Paid",
    "payment.refunded": "Given back",
    "payment.voided": "Released",
    "payment.expired": "Hold expired",
    "payment.declined": "Declined",
    "payment.abandoned": "Never paid",
    "payment.owed": "Owed",
    "reason.lost_stop": "Stop never came",
    "reason.start_missing": "Start never came",
    "reason.meter_reset": "Meter was reset",
    "reason.implausible": "Not plausible",
    "reason.unknown_payer": "Nobody known to owe",
    "reason.no_tariff": "No tariff held",
    "reason.written_off": "Written off",
    "source.ocpp": "Station",
    "source.ocpp-tap": "Tap",
    "source.ocpi": "Partner",
    "source.api": "API",
    "source.csv": "Import",
    "station.adopted": "In service",
    "station.quarantined": "Unknown, waiting",
    "station.retired": "Retired",
    "inbox.unknown_transaction": "Stop of an unknown transaction",
    "inbox.suggested_duplicate": "Two starts that begin alike",
    "inbox.late_start": "Start came after the bill",
    "inbox.stop_differs": "Stopped twice, differently",
    "inbox.webhook_unmatched": "Webhook without a payment",
    "inbox.payment_surplus": "More was taken than is due",
    "inbox.payment_contradicted": "Provider contradicts us",
    "inbox.payment_goes_round": "Payment does not move on",
    "inbox.operation_failed": "Provider refused",
    "inbox.operation_not_sent": "Provider never reached",
}


def label(code: str | None, kind: str = "") -> str:
    """The word for a code of a kind: what is `active` as a session is Charging."""
    if code is None:
        return "–"
    for name in (f"{kind}.{code}", f"reason.{code}" if kind == "inbox" else ""):
        if name in LABELS:
            return LABELS[name]
    plain = code.replace("_", " ")
    return plain[:1].upper() + plain[1:]
