"""A station in a street, and behind it a house with one provider: the official SDK, the simulated provider in a process."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from tallywatt.adapters.providers.caller import Caller, TryLater
from tallywatt.kernel.clock import Instant
from tallywatt.payments.operation import OperationState
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.change_operator import ChangeOperator, change_operator
from tallywatt.workflows.offer_and_pay import OfferAndPay, offer_and_pay
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tallywatt.workflows.take_webhook import TakeWebhook, take_webhook
from tallywatt.workflows.watch_hold import WatchHold, watch_hold
from tests.adapters.providers.bench import MERCHANT, SPEAKERS
from tests.simulators.psp.running import Endpoint, RunningPsp
from tests.workflows.house_of import PER_KWH, HouseOf, Wire, kwh

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.stations.command import StationCommand


class Street:
    """Everything from the plug to the bank. Call `close` at the end."""

    def __init__(self, provider: str, folder: Path, url: str) -> None:
        self.provider = provider
        self.endpoint = Endpoint()
        self.psp = RunningPsp(folder / "psp.jsonl", webhook=self.endpoint.url, adyen_webhook=self.endpoint.url)
        self.psp.start()
        self.cards: Any = SPEAKERS[provider](self.psp, self.endpoint)
        self.house = HouseOf(url)
        self.house.now = Instant(int(time.time() * 1000))  # noqa: TID251 - the provider's clock is the real one
        self.caller = Caller(lambda _: self.cards, self)
        self.heard = 0

    def now(self) -> Instant:
        """Machine time, as the house has it."""
        return self.house.now

    def close(self) -> None:
        """Let go of all."""
        self.house.close()
        self.psp.stop()
        self.endpoint.close()

    def furnish(self, *, price: float = 0.30, hold_minor: int = 4500) -> None:
        """An operator whose drivers pay so much a kilowatt-hour, and so much is held before."""
        per_kwh = {**PER_KWH, "elements": [_element(price)]}
        self.house.furnish(per_kwh)
        merchant = MERCHANT if self.provider == "adyen" else None
        account = AddProviderAccount(
            "street", self.provider, ("GBP",), "env:KEY", ("env:HOOK",), merchant=merchant, fee_minor=0
        )
        self.account = self.house.do(add_provider_account, account)
        self.house.do(change_operator, ChangeOperator(hold_minor=hold_minor))

    def reprice(self, price: float) -> None:
        """From now on charging costs something else."""
        self.house.price({**PER_KWH, "id": f"plain-{price}", "elements": [_element(price)]})

    # What the worker does

    def work(self) -> None:
        """Send what is to be sent, and ask about what is not known, once."""
        for one in self.house.rows.operations.by():
            do = {
                OperationState.INTENDED: self.caller.call_provider,
                OperationState.UNKNOWN: self.caller.ask_provider,
            }.get(one.state)
            if do is not None:
                with suppress(TryLater):
                    do(self._write, one.operation_id)

    def _write(self, workflow: Callable[[Any, Any], Any], command: Any) -> Any:
        return self.house.do(workflow, command, actor="worker")

    def hear_until(self, is_so: Callable[[], bool], seconds: float = 5) -> None:
        """Take in webhooks, as the route for them does, until something is so."""
        end = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < end, "no webhook told it"
            for headers, body in self.endpoint.taken[self.heard :]:
                self.heard += 1
                event = self.cards.read_webhook(headers, body)
                self.house.do(take_webhook, TakeWebhook(self.account.account_id, event, body))
            time.sleep(0.01)

    def watch(self) -> int | None:
        """Look whether the hold lasts."""
        return self.house.do(watch_hold, WatchHold(self.payment().payment_id))

    # What is there

    def payment(self) -> Payment:
        """The one payment."""
        [found] = self.house.rows.payments.by()
        return found

    def asked(self, kind: str) -> list[Operation]:
        """What of that kind was asked of the provider."""
        return [one for one in self.house.rows.operations.by() if one.kind == kind]

    def stops(self) -> list[StationCommand]:
        """The stops that the station was sent."""
        return [one for one in self.house.rows.station_commands.by() if one.action == "stop"]

    # What happens in the street

    def plugged_in(self, card: str = "pm_card_visa") -> tuple[Wire, str]:
        """A driver has paid on the page and charges: the station's wire, and its transaction."""
        tag = self.paid(card)
        wire = self.house.wire()
        return wire, wire.start(token=tag)

    def paid(self, card: str = "pm_card_visa") -> str:
        """A driver has paid on the page; the tag with which the station was asked to start."""
        [evse] = [one for one in self.house.rows.evses.by() if one.number == 1]
        urls = ("http://127.0.0.1:1/ok/{secret}", "http://127.0.0.1:1/back")
        self.house.do(offer_and_pay, OfferAndPay(evse.code, *urls))
        self.work()
        assert httpx.post(self.payment().hosted_page_url or "", data={"card": card}).status_code == 303
        self.hear_until(lambda: self.payment().state == "authorised")
        started = self.house.do(start_paid_session, StartPaidSession(self.payment().payment_id))
        assert started is not None
        return str(started.payload["tag"])

    def charged(self, wire: Wire, transaction: str, energy: float, hours: float) -> None:
        """It went on for so long, every ten minutes with a word of the meter, up to so many kilowatt-hours."""
        began = self.house.session(transaction).milliwatt_hours
        steps = max(1, round(hours * 6))
        for step in range(1, steps + 1):
            at = self.house.later(hours * 60 / steps)
            wire.sample(transaction, (at, began + (kwh(energy) - began) * step // steps // 1000 * 1000))
        httpx.post(f"{self.psp.url}/_later", json={"seconds": round(hours * 3600)}).raise_for_status()

    def unplugged(self, wire: Wire, transaction: str, energy: float) -> None:
        """The session ends, and what is due is taken."""
        wire.stop(transaction, kwh(energy))
        wire.report("Available")
        self.work()
        self.hear_until(lambda: self.payment().state in ("captured", "voided"))


def _element(price: float) -> dict[str, Any]:
    return {"price_components": [{"type": "ENERGY", "price": price, "vat": 20, "step_size": 1}]}
