"""A furnished house on SQLite, behind its real doors: an operator, stations that speak, a provider that says yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from tallywatt.customers.approval import Approval, Holder
from tallywatt.entrypoints.http.app import build_app
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import OperatorId, PaymentId
from tallywatt.kernel.money import Money, currency
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.provider import StoredMethod, Succeeded, View, ViewStatus
from tallywatt.settings import Settings
from tallywatt.stations.credentials import Knocked
from tallywatt.stations.station import Current
from tallywatt.wiring import House
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_person import AddPerson, add_person
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station, knock
from tallywatt.workflows.answer_from_books import answer_from_books
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.ask_refund import AskRefund, ask_refund
from tallywatt.workflows.correct_prices import OpenCorrection, open_correction
from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key
from tallywatt.workflows.give_back import GiveBack
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit
from tallywatt.workflows.sign_in import AddConsoleLink, add_console_link
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tests.entrypoints.conforming import ConformingClient
from tests.workflows.house_of import Wire, yes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from tallywatt.customers.roles import Role
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import Outcome

C = TypeVar("C")
R = TypeVar("R")

TARIFF: dict[str, Any] = {
    "id": "city-day-night",
    "name": "City day and night",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": "0.35", "vat": "20", "step_size": 1}],
            "restrictions": {"start_time": "07:00", "end_time": "20:00"},
        },
        {"price_components": [{"type": "ENERGY", "price": "0.25", "vat": "20", "step_size": 1}]},
        {"price_components": [{"type": "FLAT", "price": "0.38", "vat": "20", "step_size": 1}]},
    ],
}
PLACES = (
    ("queen-street", "Queen Street", "Queen Street Car Park", "DD5 2AJ"),
    ("greenmarket", "Greenmarket", "Greenmarket Car Park", "DD1 4QB"),
)


class Scene:
    """One operator's house, its app, and the wires of its stations."""

    def __init__(self, house: House, app: FastAPI, slug: str = "dundee") -> None:
        self.house = house
        self.app = app
        self.operator = OperatorId(self.house.new_id("operator"))
        self.slug = slug
        self.now = self.house.machine.now()

    @classmethod
    def open(cls, folder: Path, url: str | None = None) -> Scene:
        """A house with its app, and nothing in it yet."""
        house = House(Settings(data_dir=folder, database_url=url, http_port=0))
        house.open()
        return cls(house, build_app(house))

    @classmethod
    def beside(cls, other: Scene, slug: str) -> Scene:
        """Another operator in the same house."""
        return cls(other.house, other.app, slug)

    def do(self, workflow: Callable[[Any, C], R], command: C, actor: str = "test") -> R:
        """Run one workflow, durably."""
        return self.house.write_now(self.operator, workflow, command, actor=actor)

    def later(self, minutes: float) -> Instant:
        """Let the stations' clocks go on."""
        self.now = Instant(self.now + int(minutes * 60_000))
        return self.now

    def furnish(self) -> Scene:
        """Move in: two places, three stations, a price, customers with cards, an account at a provider."""
        name = "Dundee City Charging" if self.slug == "dundee" else self.slug.title()
        address = "City Square\nDundee DD1 3BY"
        code = "TWA" if self.slug == "dundee" else self.slug[:3].upper()
        self.do(add_operator, AddOperator(self.slug, name, party_code=code, address=address, clock_floor=Instant(0)))
        for reference, place, street, postal_code in PLACES:
            self.do(add_location, AddLocation(reference, place, street, "Dundee", postal_code))
        for identity, place, watts, current in (
            ("CP1", "queen-street", 50_000, Current.DC),
            ("CP2", "queen-street", 22_000, Current.AC),
            ("CP3", "greenmarket", 22_000, Current.AC),
        ):
            evses = (NewEvse(1, current, watts), NewEvse(2, current, watts))
            self.do(add_station, AddStation(identity, place, "hash", evses))
        put = self.do(put_tariff, PutTariff(TARIFF))
        self.do(assign_tariff, AssignTariff(put.version.tariff_version_id, valid_from=Instant(0)))
        account = AddProviderAccount("main", "stripe", ("GBP",), "env:KEY", ("env:HOOK",))
        self.account = self.do(add_provider_account, account)
        for number in range(1, 6):
            customer = self.do(add_customer, AddCustomer(f"C{number}", name=f"Driver {number}"))
            self.do(add_token, AddToken(f"CARD{number}", f"C{number}"))
            stored = StoredMethod(f"cus_{self.slug}{number}", f"pm_{self.slug}{number}", "visa", f"424{number}")
            self.do(keep_method, KeepMethod(customer.customer_id, self.account.account_id, stored))
        return self

    def wire(self, identity: str = "CP1", protocol: str = "ocpp1.6") -> Wire:
        """The wire of a station."""
        return Wire(self, self.station(identity)["id"], protocol)  # type: ignore[arg-type]  # it has what a wire needs: `now` and `do`

    def station(self, identity: str) -> dict[str, Any]:
        """A station as the view shows it."""
        row = self.house.ask_now(self.house.views.station, self.operator, identity)
        assert row is not None, f"{identity} was not added"
        return row

    def knock(self, identity: str) -> None:
        """A station that nobody knows connects."""
        self.do(knock, Knocked(identity, "hash", self.now))

    def collect_once(self, outcome: Callable[[Operation], Outcome]) -> None:
        """The provider answers what is on its way now."""
        for operation in self.do(lambda work, _: [one for one in work.operations.by() if one.is_unresolved], None):
            fact = ProviderFact(
                operation.payment_id, outcome(operation), Source.REPLY, operation.operation_id, self.now
            )
            self.do(apply_provider_fact, fact)

    def hold_placed(self) -> None:
        """The driver has shown a good card on the provider's page, which tells us by webhook."""
        for payment in self.do(lambda work, _: work.payments.by(state="requires_action"), None):
            view = View(
                ViewStatus.AUTHORISED, payment.currency, "pi_1", authorised_minor=payment.amount_minor,
                card_brand="visa", card_last4="4242",
            )  # fmt: skip
            self.do(apply_provider_fact, ProviderFact(payment.payment_id, Succeeded(view), Source.WEBHOOK))

    def start_paid(self) -> None:
        """The worker asks the station to start for every hold that stands."""
        for payment in self.do(lambda work, _: work.payments.by(state="authorised", session_id=None), None):
            self.do(start_paid_session, StartPaidSession(payment.payment_id))

    def collect(self, outcome: Callable[[Operation], Outcome] = yes) -> None:
        """The provider answers whatever is on its way, until nothing is."""
        while waiting := self.do(lambda work, _: [one for one in work.operations.by() if one.is_unresolved], None):
            for operation in waiting:
                account = self.do(lambda work, key: work.provider_accounts.get(key), operation.account_id)
                if capabilities_of(account.provider).own_books:
                    answer = self.do(answer_from_books, operation.operation_id)
                else:
                    answer = outcome(operation)
                fact = ProviderFact(operation.payment_id, answer, Source.REPLY, operation.operation_id, self.now)
                self.do(apply_provider_fact, fact)

    def key(self, *scopes: str, made_by: str = "test") -> dict[str, str]:
        """Headers with a key of these scopes; all of them when none is named."""
        chosen = scopes or ("read", "operate", "sell", "collect", "approve", "sessions", "audit", "admin")
        made = self.do(create_api_key, CreateApiKey("test", chosen), actor=made_by)
        return {"Authorization": f"Bearer {made.text}"}

    def somebody(self, role: Role, name: str) -> str:
        """A person of that role, as an actor."""
        email = f"{name.lower()}@{self.slug}.example"
        return f"person:{self.do(add_person, AddPerson(name, email, role)).person_id}"

    def waiting_refund(self, payment_id: str, minor: int, key: str) -> str:
        """A refund that somebody of support asks for, beyond a limit of nothing; its request's id."""
        self.do(set_money_limit, SetMoneyLimit(Holder.SUPPORT, "GBP", 0, None))
        refund = GiveBack(PaymentId(payment_id), Money(minor, currency("GBP")), "cable was stiff", key)
        asked = self.do(ask_refund, AskRefund(refund, Holder.SUPPORT), actor="key:of-somebody")
        assert isinstance(asked, Approval)
        return asked.approval_id

    def correction(self, reason: str) -> str:
        """A correction of all sessions under the tariff of this scene, not priced yet; its id."""
        order = OpenCorrection(TARIFF["id"], Instant(0), Instant(self.now + 24 * 3600 * 1000), reason)
        return self.do(open_correction, order).correction_id

    def link(self, role: Role | None = None, *customers: str) -> str:
        """The path of a fresh link: for a member of that role, bound to customers by reference; else a first-run link."""
        membership = None
        if role is not None:
            email = f"{role.value}.{'.'.join(customers)}@{self.slug}.example"
            membership = self.do(add_person, AddPerson(role.value.title(), email, role, customers)).membership_id
        return f"/console/enter/{self.do(add_console_link, AddConsoleLink(membership_id=membership)).secret}"

    def client(self) -> TestClient:
        """A client that stays outside the lifespan; use it in a `with` for live streams."""
        return ConformingClient(self.app, base_url="http://testserver", follow_redirects=False)

    def signed_in(self, role: Role | None = None, *customers: str) -> TestClient:
        """A client with the cookie of a person of that role; without one, of whoever owns the machine."""
        client = self.client()
        answer = client.post(self.link(role, *customers))
        assert answer.status_code == 303, answer.text
        return client

    def session(self, transaction_id: str = "1", identity: str = "CP1") -> dict[str, Any]:
        """The session of a transaction as the view shows it."""
        rows = self.house.ask_now(self.house.views.sessions, self.operator, 100, station=identity)["items"]
        found = next(row for row in rows if row["transaction_id"] == transaction_id)
        detail = self.house.ask_now(self.house.views.session, self.operator, found["id"])
        assert detail is not None
        return detail

    def close(self) -> None:
        """Let go of everything."""
        self.house.close()
