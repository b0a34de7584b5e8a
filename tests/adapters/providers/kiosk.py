"""A kiosk with a card reader, and behind it a house of payments: the official SDK, the simulated provider in a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from tallywatt.kernel.identity import EvseId
from tallywatt.kernel.money import money
from tallywatt.payments.reader import Reader
from tallywatt.workflows.pay_at_reader import PayAtReader, pay_at_reader
from tests.adapters.providers.bench import Bench, open_bench
from tests.payments.house import AT_READERS

if TYPE_CHECKING:
    from pathlib import Path

    from tallywatt.payments.payment import Payment

REFS = {"stripe": "tmr_simulated_kiosk", "adyen": "V400m-324688042"}


class Kiosk:
    """One reader beside one EVSE. Call `close` at the end."""

    def __init__(self, provider: str, folder: Path, url: str) -> None:
        self.bench: Bench = open_bench(provider, folder, url)
        self.house = self.bench.house
        self.house.does = AT_READERS
        self.account = self.bench.account()
        self.ref = REFS[provider]
        self.reader = Reader("reader-1", self.account.account_id, self.ref, "Kiosk", None, (), self.house.now())
        self.house.ask(lambda work: work.readers.add(self.reader))
        self.told: dict[str, Any] = {}

    def close(self) -> None:
        """Let go of all."""
        self.bench.close()

    def chosen(self, amount: str = "40.00") -> Payment:
        """A driver has chosen the EVSE and seen the price; nobody has called the provider yet."""
        asked = PayAtReader(EvseId("evse-1"), money(amount, "GBP"), "Queen Street, 0.45 GBP/kWh", None, self.reader)
        return self.house.write(pay_at_reader, asked)

    def asking(self, amount: str = "40.00") -> str:
        """The reader asks for the card: the payment."""
        payment = self.chosen(amount)
        self.house.work()
        return payment.payment_id

    def at_first(self, **what: str) -> None:
        """The reader is there, and is told what comes: `comes`, `status`."""
        answer = httpx.post(f"{self.bench.psp.url}/_readers", json={"reader": self.ref, **what})
        assert answer.json(), "the provider knows no such reader yet"

    def tap(self, comes: str = "pm_card_visa") -> None:
        """Somebody holds a card to it, or presses its red key (`cancel`)."""
        httpx.post(f"{self.bench.psp.url}/_tap", json={"reader": self.ref, "comes": comes}).raise_for_status()

    def look(self, *, seconds: float = 3) -> None:
        """Some seconds later the house has looked how it went."""
        self.house.later(seconds)
        self.house.work()

    def payment(self, payment_id: str) -> Payment:
        """As it is stored."""
        return self.house.payment(payment_id)
