"""The providers that a house in the simulation may have: each with its official SDK and our adapter as they are, on a wire of
ours, and with its own way of telling, of keeping a card, and of naming what can go wrong.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import stripe

from tallywatt.adapters.machine import MachineClock
from tallywatt.adapters.providers.adyen_cards import AdyenCards
from tallywatt.adapters.providers.stripe_cards import StripeCards
from tallywatt.payments.provider import Setup
from tallywatt.simulators.psp.delivery import signature
from tests.simulation.their_books import AdyenBooks, StripeBooks
from tests.simulation.world import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from tallywatt.payments.provider import PaymentProvider, StoredMethod, Trace
    from tallywatt.payments.report import Report
    from tests.simulation.provider import SimulatedProvider
    from tests.simulation.their_books import Objects, TheirBooks

PORT = 1
"""Nobody listens there, and nobody has to."""
HOOK = "whsec_simulation"
HMAC = "5AFE" * 16
MERCHANT = "SimulatedECOM"
REPORTS = f"http://127.0.0.1:{PORT}/reports/download/MerchantAccount/{MERCHANT}"
REPORT_USER = ("report@Company.Simulated", "report_simulation")


class Dialect(Protocol):
    """One provider, as the simulation deals with it."""

    name: str
    merchant: str | None
    report_user: str | None
    """Who may read its report files, where it writes some."""
    least_cents: int
    """What it takes at least."""

    def cards(self, wire: httpx.BaseTransport) -> PaymentProvider:
        """The adapter, on a wire."""
        ...

    def letter(self, event: dict[str, Any]) -> tuple[dict[str, str], bytes]:
        """Headers and body of the webhook that tells of an event."""
        ...

    def leave_card(self, provider: SimulatedProvider, reference: str, card: str) -> StoredMethod:
        """A customer leaves a card with the provider."""
        ...

    def struck(self, path: str, *, by_webhook: bool) -> str:
        """What a fault about a kind of request strikes here, or about a kind of webhook."""
        ...

    def books(self, objects: Objects) -> TheirBooks:
        """What it has written down itself."""
        ...

    def told_by_files(self, cards: Any, days: list[date]) -> Sequence[Trace]:
        """What its files about payments say of these days."""
        ...

    def first_batch(self, cards: Any) -> Report | None:
        """The first of its files about settlements; None: there is none."""
        ...


class CardsOnTheWire(StripeCards):
    """The adapter as it is, on a wire of ours."""

    def __init__(self, wire: httpx.BaseTransport) -> None:
        self._webhook_secrets = (HOOK,)
        self._live = False
        client = stripe.HTTPXClient(allow_sync_methods=True)
        client._client = httpx.Client(transport=wire, trust_env=False)
        base = {"api": f"http://127.0.0.1:{PORT}", "files": f"http://127.0.0.1:{PORT}"}
        key = "sk_test_simulation"
        self._client = stripe.StripeClient(key, base_addresses=base, http_client=client, max_network_retries=0).v1  # type: ignore[arg-type]  # one of its addresses is enough
        self._hasty = self._client


class Stripe:
    """Everything can be asked about, and most is answered at once."""

    name = "stripe"
    merchant: str | None = None
    report_user: str | None = None
    least_cents = 50

    def cards(self, wire: httpx.BaseTransport) -> PaymentProvider:
        """The adapter, on a wire."""
        return CardsOnTheWire(wire)

    def letter(self, event: dict[str, Any]) -> tuple[dict[str, str], bytes]:
        """The event as it is."""
        body = json.dumps(event, indent=2).encode()
        # Freshness of a signature is judged by the real clock.
        return {"stripe-signature": signature(body.decode(), HOOK, MachineClock().now() // SECOND)}, body

    def leave_card(self, provider: SimulatedProvider, reference: str, card: str) -> StoredMethod:
        """By its token."""
        return provider.cards.store_method(reference, card, reference)

    def struck(self, path: str, *, by_webhook: bool) -> str:  # noqa: ARG002  # both are named alike
        """As it is: plans are written in its words."""
        return path

    def books(self, objects: Objects) -> TheirBooks:
        """By metadata."""
        return StripeBooks(objects)

    def told_by_files(self, cards: Any, days: list[date]) -> Sequence[Trace]:  # noqa: ARG002  # it can be asked
        """It writes none."""
        return ()

    def first_batch(self, cards: Any) -> Report | None:  # noqa: ARG002  # it lists them
        """It writes none."""
        return None


class AdyenOnTheWire(AdyenCards):
    """The adapter as it is, on a wire of ours."""

    def __init__(self, wire: httpx.BaseTransport) -> None:
        super().__init__(
            "AQEsimulation",
            (HMAC,),
            merchant=MERCHANT,
            base_url=f"http://127.0.0.1:{PORT}/checkout",
            report_access=REPORT_USER,
        )
        for client in (self._terminals._client, self._terminals._hasty()):
            client.http_client._wire._transport = wire
        self._files._transport = wire


REQUESTS = {
    "payment_intent": "/payments",
    "capture": "/captures",
    "/capture": "/captures",
    "confirm": "/payments",
    "sessions": "/paymentLinks",
    "cancel": "/cancels",
    "process_payment_intent": "/async",
    "cancel_action": "/sync",
    "terminal": "/device/",
    "disputes": "/DisputeService/",
    "increment": "/amountUpdates",
}
NOTIFICATIONS = {
    "payment_intent": "AUTHORISATION",
    "capture": "CAPTURE",
    "/capture": "CAPTURE",
    "cancel": "CANCELLATION",
    "process_payment_intent": "AUTHORISATION",
    "dispute": "CHARGEBACK",
    "capture_failed": "CAPTURE_FAILED",
    "increment": "AUTHORISATION_ADJUSTMENT",
}


class Adyen:
    """Everything is received first and decided in a notification; hardly anything can be asked about."""

    name = "adyen"
    merchant: str | None = MERCHANT
    report_user: str | None = REPORT_USER[0]
    least_cents = 1

    def cards(self, wire: httpx.BaseTransport) -> PaymentProvider:
        """The adapter, on a wire."""
        return AdyenOnTheWire(wire)

    def letter(self, event: dict[str, Any]) -> tuple[dict[str, str], bytes]:
        """As the simulated provider has written and signed it."""
        return {"content-type": event["_send"]["content_type"]}, event["_send"]["body"].encode()

    def leave_card(self, provider: SimulatedProvider, reference: str, card: str) -> StoredMethod:
        """On a page of its, where it is good; what becomes of it there comes later."""
        cards: Any = provider.cards
        page = cards.open_setup(Setup(reference, "Keep my card", "EUR", "http://sim/back", f"setup {reference}"))
        assert provider.pay(page.url, "pm_card_visa") == httpx.codes.SEE_OTHER, "the card is taken"
        kept: StoredMethod = cards.store_method(reference, page.token, reference)
        provider.switch("/_change_card", payment_method=kept.method_ref, card=card)
        return kept

    def struck(self, path: str, *, by_webhook: bool) -> str:
        """Its own words for it; a webhook of which it has no word is any."""
        return (NOTIFICATIONS if by_webhook else REQUESTS).get(path, "")

    def books(self, objects: Objects) -> TheirBooks:
        """By reference."""
        return AdyenBooks(objects)

    def told_by_files(self, cards: Any, days: list[date]) -> Sequence[Trace]:
        """One file a day."""
        contents = [cards.fetch_report(f"{REPORTS}/payments_accounting_report_{day:%Y_%m_%d}.csv") for day in days]
        written = tuple(one for one in contents if one.count(b"\n") > 1)
        told: Sequence[Trace] = cards.read_reports(written).told if written else ()
        return told

    def first_batch(self, cards: Any) -> Report | None:
        """Where the first one lies."""
        content = cards.fetch_report(f"{REPORTS}/settlement_detail_report_batch_1.csv")
        report: Report | None = None if content is None else cards.read_report(content)
        return report


DIALECTS: dict[str, Dialect] = {one.name: one for one in (Stripe(), Adyen())}


@cache
def cards_of(name: str, wire: httpx.BaseTransport) -> PaymentProvider:
    """The adapter of a provider: its SDK's client costs much to make, and is made once a process."""
    return DIALECTS[name].cards(wire)
