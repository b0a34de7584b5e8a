"""A house as its process has it, stepped by hand: real storage, real workers, and the simulated provider as a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httpx

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.unit import SqlUnitOfWork
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.money import money
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.provider import Enquiry, Succeeded, View
from tallywatt.settings import Settings
from tallywatt.wiring import House, provider_of, upgrade
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tallywatt.workflows.pay_ad_hoc import PayAdHoc, pay_ad_hoc
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tests.simulators.psp.running import KEY, RunningPsp
from tests.workflows.house_of import PER_KWH, Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

MINUTE = 60_000
OPERATOR = "01890000-0000-7000-8000-000000000001"
EVSES = 4


class Town:
    """One installation. Stations speak by `wire`; workers do something only when `work` is called."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self.settings = Settings(data_dir=folder, database_url=database_url)
        self.house: House = cast("House", None)
        self.workers: Workers = cast("Workers", None)
        self.now = Instant(0)
        """The stations' time."""

    def open(self) -> None:
        """The process starts."""
        self.house = House(self.settings)
        self.house.open(following=False)
        self.house.take_over()
        self.workers = Workers(self.house, tuple(LANES.values()))
        self.now = self.now or Instant(self.house.machine.now() - 3 * 24 * 60 * MINUTE)

    def close(self) -> None:
        """The process ends."""
        self.house.close()

    def furnish(self, psp: RunningPsp) -> None:
        """An operator with a station, a price, a customer with a card and a stored method, and an account."""
        upgrade(self.settings.url)
        self.open()
        self.do(add_operator, AddOperator("dundee", "Dundee"))
        self.do(add_station, AddStation("CP1", None, "hash", tuple(NewEvse(number) for number in range(1, EVSES + 1))))
        version = self.do(put_tariff, PutTariff(PER_KWH)).version.tariff_version_id
        self.do(assign_tariff, AssignTariff(version, valid_from=Instant(0)))
        self.do(add_customer, AddCustomer("C1", "Ada Driver", "ada@example.org"))
        self.do(add_token, AddToken("CARD1", "C1"))
        key = self.settings.data_dir / "psp.key"
        key.write_text(KEY, encoding="utf-8")
        account = AddProviderAccount("cards", "stripe", ("GBP",), f"file:{key}", (f"file:{key}",), base_url=psp.url)
        self.do(add_provider_account, account)
        [shown] = self.ask(self.house.views.provider_accounts)
        customer = self.ask(self.house.views.customer, "C1")["id"]
        stored = provider_of(shown).store_method(customer, "pm_card_visa", "store")
        self.do(keep_method, KeepMethod(customer, shown["id"], stored))

    def do(self, workflow: Callable[..., Any], command: object) -> Any:
        """Run a workflow."""
        return self.house.write_now(OPERATOR, workflow, command, actor="test")

    def ask(self, view: Callable[..., Any], *values: Any, **more: Any) -> Any:
        """Ask a view about the operator."""
        return self.house.ask_now(view, OPERATOR, *values, **more)

    def later(self, minutes: float) -> Instant:
        """The stations' time goes by."""
        self.now = Instant(self.now + int(minutes * MINUTE))
        return self.now

    @property
    def wire(self) -> Wire:
        """The station's wire."""
        [station] = self.ask(self.house.views.stations)
        return Wire(cast("Any", self), station["id"])

    def rows(self, question: Callable[[UnitOfWork], Any]) -> Any:
        """Look at rows, on a connection of its own."""
        connection = connect(self.settings.url, read_only=True)
        try:
            unit = SqlUnitOfWork(connection)
            unit.open(OPERATOR, self.house.draws.draw(), "test", "")  # type: ignore[arg-type]  # an id is a text
            return question(cast("UnitOfWork", unit))
        finally:
            connection.close()

    def work(self, *lanes: str) -> int:
        """Do what is due, until nothing is; how many jobs."""
        count = 0
        while found := sum(self.workers.step(LANES[name]) for name in lanes or ("house", "providers")):
            count += found
        return count

    def hold(self, evse: int) -> tuple[Payment, str]:
        """A driver pays on the page; the payment, and the tag that starts the station."""
        row = self.rows(lambda work: next(one for one in work.evses.by() if one.number == evse))
        asked = PayAdHoc(
            row.evse_id, money("40.00", "GBP"), "Square", "http://127.0.0.1:1/{secret}", "http://127.0.0.1:1/"
        )
        payment = self.do(pay_ad_hoc, asked)
        self.work("providers")
        page = self.payment(payment.payment_id).hosted_page_url
        assert httpx.post(page or "", data={"card": "pm_card_visa"}).status_code == 303
        self.look_at(payment.payment_id)
        self.work("house")
        [tag] = self.rows(lambda work: work.tokens.by(payment_id=payment.payment_id))
        return payment, tag.uid

    def look_at(self, payment_id: str) -> None:
        """What a webhook would tell: how a payment stands at its provider."""
        held = self.payment(payment_id)
        account = self.rows(lambda work: work.provider_accounts.get(held.account_id))
        seen = self.house.providers(account).enquire(
            Enquiry(payment_id, held.created_at, held.provider_ref, held.page_ref)
        )
        assert isinstance(seen, View)
        self.do(apply_provider_fact, ProviderFact(payment_id, Succeeded(seen), Source.WEBHOOK))

    def payment(self, payment_id: str) -> Payment:
        """A payment as it is stored."""
        found: Payment = self.rows(lambda work: work.payments.get(payment_id))
        return found

    def numbers(self) -> set[str]:
        """All invoice numbers that were given."""
        return {one.number for one in self.rows(lambda work: work.invoices.by())}

    def audit(self) -> list[str]:
        """What the audit finds."""
        return [f"{one.code} {one.subject}: {one.says}" for one in self.house.audit(OPERATOR).findings]
