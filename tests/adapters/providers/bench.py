"""A house of payments with one provider in it: the official SDK, the simulated provider in a process, its webhooks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tallywatt.adapters.providers.adyen_cards import AdyenCards
from tallywatt.adapters.providers.mollie_cards import MollieCards
from tallywatt.adapters.providers.stripe_cards import StripeCards
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import OperationId
from tallywatt.payments.provider import Setup, StoredMethod
from tallywatt.workflows.take_webhook import TakeWebhook, take_webhook
from tests.payments.house import HouseOfPayments
from tests.payments.test_payment import a_payment
from tests.simulators.psp.running import KEY, Endpoint, RunningPsp

if TYPE_CHECKING:
    from pathlib import Path

    from tallywatt.payments.operation import Operation, OperationKind
    from tallywatt.payments.payment import Payment

TIMEOUT = httpx.Timeout(2.5, connect=10.0)
KEYS = {"mollie": "test_tallywatt", "adyen": "AQEtallywatt"}
MERCHANT = "TallywattECOM"
HMAC = "5AFE" * 16
REPORT_USER = ("report@Company.Simulated", "report_tallywatt")
STRIPE_SECRET = "whsec_simulated"


@dataclass
class Bench:
    """Everything around one provider. Call `close` at the end."""

    provider: str
    psp: RunningPsp
    endpoint: Endpoint
    cards: Any
    house: HouseOfPayments
    heard: int = field(default=0)

    def close(self) -> None:
        """Let go of all."""
        self.house.close()
        self.psp.stop()
        self.endpoint.close()

    def account(self) -> Any:
        """The operator's account at this provider."""
        return self.house.account(provider=self.provider)

    def opened(self, amount: str = "40.00") -> Payment:
        """A payment whose page is open."""
        self.account()
        payment = self.house.hold(amount)
        self.house.work()
        return self.house.payment(payment.payment_id)

    def pays(self, payment: Payment, card: str = "pm_card_visa", **more: str) -> int:
        """The driver pays on the page; the status of its answer."""
        return httpx.post(payment.hosted_page_url or "", data={"card": card, **more}).status_code

    def held(self, amount: str = "40.00") -> Any:
        """A payment with its hold, as its webhook told."""
        payment = self.opened(amount)
        assert self.pays(payment) == 303
        self.hear(1)
        return payment.payment_id

    def hear(self, more: int) -> None:
        """Take in so many more webhooks, and what else has come meanwhile, as the route for webhooks does."""
        taken = self.endpoint.wait_for(self.heard + more)
        (account,) = self.house.ask(lambda work: work.provider_accounts.by())
        for headers, body in taken[self.heard :]:
            event = self.cards.read_webhook(headers, body)
            self.house.write(take_webhook, TakeWebhook(account.account_id, event, body))
        self.heard = len(taken)

    def hear_until(self, is_so: Callable[[], bool], seconds: float = 5) -> None:
        """Take in webhooks until something is so."""
        end = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < end, "no webhook told it"
            if len(self.endpoint.taken) > self.heard:
                self.hear(1)
            time.sleep(0.01)

    def customer(self, card: str = "pm_card_visa") -> Any:
        """A customer with a stored card."""
        account = self.account()
        return self.house.customer(account.account_id, leave_a_card(self, card))


def leave_a_card(bench: Bench, card: str) -> StoredMethod:
    """A customer leaves a card on the provider's page, and it is stored by the word that came with the page."""
    if not bench.cards.capabilities.stores_by_page:
        kept: StoredMethod = bench.cards.store_method("c1", card, "k")
        return kept
    page = bench.cards.open_setup(Setup("c1", "Keep my card", "GBP", "http://127.0.0.1:1/back", "setup"))
    assert httpx.post(page.url, data={"card": card, "approve": "yes"}).status_code == 303
    if bench.provider == "adyen":
        bench.hear(1)
    found: StoredMethod = bench.cards.store_method("c1", page.token, "k")
    return found


def an_operation_of(
    kind: OperationKind, amount_minor: int = 4000, currency: str = "EUR", **more: str | None
) -> Operation:
    """An operation as it is written down, of a payment that only its provider sees."""
    asked = {
        "amount_minor": amount_minor,
        "currency": currency,
        "operation_id": "o1",
        "payment_id": "p1",
        "reference": "p1",
        "title": "Queen Street",
        "success_url": "http://127.0.0.1:1/ok",
        "cancel_url": "http://127.0.0.1:1/back",
        "expires_at": 2040 + int(time.time()) // 10_000 * 10_000 + 10_000,  # noqa: TID251 - a page's life is counted there
        **more,
    }
    payment = a_payment(payment_id="p1", account_id="a1", currency=currency)
    return payment.operation(OperationId("o1"), kind, amount_minor, asked, Instant(1))


def _mollie(psp: RunningPsp, endpoint: Endpoint) -> MollieCards:
    return MollieCards(
        KEYS["mollie"], base_url=psp.url, webhook_url=endpoint.url, timeout=TIMEOUT, report_token="access_tallywatt"
    )


def _adyen(psp: RunningPsp, endpoint: Endpoint) -> AdyenCards:
    return AdyenCards(
        KEYS["adyen"],
        ("00" * 32, HMAC),
        merchant=MERCHANT,
        base_url=f"{psp.url}/checkout",
        timeout=TIMEOUT,
        report_access=REPORT_USER,
    )


def _stripe(psp: RunningPsp, endpoint: Endpoint) -> StripeCards:
    return StripeCards(KEY, (STRIPE_SECRET,), base_url=psp.url, timeout=TIMEOUT)


SPEAKERS: dict[str, Callable[[RunningPsp, Endpoint], Any]] = {"mollie": _mollie, "adyen": _adyen, "stripe": _stripe}


def open_bench(provider: str, folder: Path, url: str) -> Bench:
    """A bench with everything running."""
    endpoint = Endpoint()
    psp = RunningPsp(folder / "psp.jsonl", webhook=endpoint.url, adyen_webhook=endpoint.url)
    psp.start()
    cards = SPEAKERS[provider](psp, endpoint)
    house = HouseOfPayments(url, cards, now=Instant(int(time.time() * 1000)))  # noqa: TID251 - the provider's clock is the real one
    return Bench(provider, psp, endpoint, cards, house)
