"""Pure: how a simulated provider is started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallywatt.simulators.psp.faults import Fault

HOST: Final = "127.0.0.1"
"""Nothing else is ever listened on: whoever reaches a provider that invents money could use it."""

HOLD_SECONDS: Final = 7 * 24 * 3600
"""How long a hold lives: Visa, cardholder-initiated (stripe.com/docs/payments/place-a-hold-on-a-payment-method)."""

EVENTS: Final = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.refunded",
    "checkout.session.completed",
    "checkout.session.expired",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.automatically_updated",
    "refund.failed",
    "terminal.reader.action_failed",
    "terminal.reader.action_succeeded",
)
"""What the webhook endpoint has subscribed to, as one does on the provider's dashboard."""


@dataclass(frozen=True, slots=True)
class Options:
    """What `tallywatt simulate psp` takes; port 0 takes a free one."""

    port: int
    state: Path
    webhook: str | None = None
    webhook_secret: str = "whsec_simulated"
    adyen_webhook: str | None = None
    """Where notifications of its Adyen accounts go: one address for all, as one sets it on the provider's pages."""
    adyen_hmac_key: str = "5AFE" * 16
    faults: tuple[Fault, ...] = ()
    events: tuple[str, ...] = EVENTS
    hold_seconds: int = HOLD_SECONDS
    retry_seconds: tuple[float, ...] = (0.25, 0.5, 1, 2, 5, 10, 30, 60)
    """Pauses before a webhook that was not answered with 2xx is sent again; the last one repeats."""
