"""A house with an operator moved in, its customers' cards stored at the provider: made once, copied for each run."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from tallywatt.adapters.storage.migrations import upgrade
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import OperatorId
from tallywatt.kernel.money import money
from tallywatt.payments.own_books import TransferFor
from tallywatt.rating.records import Scope
from tallywatt.stations.credentials import hash_key
from tallywatt.stations.station import Current
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tallywatt.workflows.keep_mandate import SetCreditor, SignMandate, set_creditor, sign_mandate
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tallywatt.workflows.keep_own_account import AllowInvoice, OpenBalance, allow_invoice, open_balance
from tallywatt.workflows.keep_reader import AddReader, add_reader
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer
from tallywatt.workflows.take_report import SetReportAccess, set_report_access
from tests.simulation.house import Disk, LivingHouse, Mortality
from tests.simulation.provider import READERS, SimulatedProvider
from tests.simulation.station import STATION_KEY
from tests.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPERATOR = OperatorId("01890000-0000-7000-8000-00000000051e")
STATIONS = (("SIM1", "ocpp1.6"), ("SIM2", "ocpp1.6"), ("SIM3", "ocpp2.0.1"), ("SIM4", "ocpp2.1"))
PLUGS = 2
FILES = ("house.db", "psp.jsonl")

CUSTOMERS = {
    "CARD1": ("C1", "pm_card_visa"),
    "DECLINED": ("C2", "pm_card_chargeCustomerFail"),
    "NOCARD": ("C3", None),
    "ASKS": ("C4", "pm_card_authenticationRequired"),
}
"""Token to customer and the card that the provider keeps."""


OWN_ACCOUNTS = {"BALANCE": "C5", "TERMS": "C6", "FLEET": "C7"}
"""Token to customer: one with a prepaid balance, two who buy on invoice and have signed a mandate. None has a card."""
IBAN = "DE89370400440532013000"


def per_kwh(price: float) -> dict[str, Any]:
    """A tariff of so much a kWh."""
    part = {"type": "ENERGY", "price": price, "vat": 20, "step_size": 1}
    return {
        "id": f"plain {price}",
        "currency": "EUR",
        "tax_included": "YES",
        "elements": [{"price_components": [part]}],
    }


FEES = {"SIM2": (119, 238), "SIM4": (150, 476)}
"""Station to what a reservation costs there, in cents: one that was used, and one to which nobody came."""


def fees(identity: str) -> list[dict[str, Any]]:
    """Elements of a tariff that price reservations."""
    return [
        {
            "price_components": [{"type": "FLAT", "price": minor / 100, "vat": 20, "step_size": 1}],
            "restrictions": {"reservation": word},
        }
        for word, minor in zip(("RESERVATION", "RESERVATION_EXPIRES"), FEES[identity], strict=True)
    ]


WITH_IDLE_FEE = {
    **per_kwh(0.30),
    "id": "idle",
    "elements": [
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.30, "vat": 20, "step_size": 1},
                {"type": "PARKING_TIME", "price": 6, "vat": 20, "step_size": 60},
            ]
        },
        *fees("SIM2"),
    ],
}


WITH_FEES = {**per_kwh(0.30), "id": "kept", "elements": [*per_kwh(0.30)["elements"], *fees("SIM4")]}


def furnish(folder: Path, by: str) -> None:
    """Make the house that all runs with that provider begin with."""
    upgrade(f"sqlite:///{folder / 'house.db'}")
    world = World(0)
    provider = SimulatedProvider(folder / "psp.jsonl", world, by)
    house = LivingHouse(folder, world, Mortality(world), Disk(world), provider.cards, 0)

    def do(workflow: Any, command: Any) -> Any:
        return house.write_now(OPERATOR, workflow, command, actor="person")

    do(add_operator, AddOperator("sim", "Simulated Charging", address="1 Quay", currency="EUR"))
    do(add_location, AddLocation("depot", "Depot", address="1 Quay", city="Dundee", postal_code="DD1 1AA"))
    key_hash = hash_key(STATION_KEY, house.pepper)
    for identity, _ in STATIONS:
        plugs = tuple(NewEvse(number, Current.AC, 22_000) for number in range(1, PLUGS + 1))
        do(add_station, AddStation(identity, "depot", key_hash, plugs))
    dialect = provider.dialect
    asked = AddProviderAccount("main", by, ("EUR",), "env:KEY", ("env:HOOK",), merchant=dialect.merchant)
    account = do(add_provider_account, asked)
    if dialect.report_user is not None:
        do(set_report_access, SetReportAccess(account.account_id, "env:REPORTS", dialect.report_user))
    for token, (reference, card) in CUSTOMERS.items():
        customer = do(add_customer, AddCustomer(reference, name=f"Driver {reference}"))
        do(add_token, AddToken(token, reference))
        if card is not None:
            stored = dialect.leave_card(provider, reference, card)
            do(keep_method, KeepMethod(customer.customer_id, account.account_id, stored))
    do(add_reader, AddReader("main", READERS[0], "Kiosk", "depot"))
    codes = house.ask_now(
        lambda connection: connection.execute(
            "SELECT e.code FROM evses e JOIN stations s ON s.station_id = e.station_id WHERE s.identity IN ('SIM1', 'SIM2')"
        )
    )
    do(add_reader, AddReader("main", READERS[1], "Post", evses=tuple(row[0] for row in codes)))
    _furnish_own_accounts(do)
    for tariff, scope, target in (
        (per_kwh(0.45), Scope.OPERATOR, ""),
        (WITH_IDLE_FEE, Scope.STATION, "SIM2"),
        (WITH_FEES, Scope.STATION, "SIM4"),
    ):
        put = do(put_tariff, PutTariff(tariff))
        do(assign_tariff, AssignTariff(put.version.tariff_version_id, scope, target, valid_from=Instant(0)))
    house.die()
    provider.close()


def _furnish_own_accounts(do: Callable[[Any, Any], Any]) -> None:
    """A balance that is enough for a hold and a bit, and a limit of two holds."""
    for provider in ("prepaid", "invoice"):
        do(add_provider_account, AddProviderAccount(f"own {provider}", provider, ("EUR",), "", ()))
    for token, reference in OWN_ACCOUNTS.items():
        do(add_customer, AddCustomer(reference, name=f"Driver {reference}"))
        do(add_token, AddToken(token, reference))
    do(open_balance, OpenBalance("C5", "EUR"))
    first = ReceiveTransfer("first", money("60.00", "EUR"), "2026-03-01", "C5", target=TransferFor.BALANCE)
    do(receive_transfer, first)
    do(set_creditor, SetCreditor("DE98ZZZ09999999999", "Simulated Charging", IBAN, notice_days=3))
    for reference in ("C6", "C7"):
        do(allow_invoice, AllowInvoice(reference, money("90.00", "EUR"), 14))
        do(sign_mandate, SignMandate(reference, IBAN, "2026-02-27", f"Driver {reference}"))


def move_in(template: Path, folder: Path) -> None:
    """A copy of that house for one run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(template / name, folder / name)
