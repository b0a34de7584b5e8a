"""What the demonstration's operator has before the day begins: stations, tariffs, customers with tokens and cards."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tallywatt.entrypoints.cli.payments import store_at_provider
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.identity import CustomerId, ProviderAccountId
from tallywatt.rating.records import Scope
from tallywatt.stations.credentials import hash_key
from tallywatt.stations.station import Current
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tallywatt.simulators.site.plan import PlannedDriver, PlannedStation, Provisioning
    from tallywatt.wiring import House
    from tallywatt.workflows.ports import UnitOfWork

SLUG: Final = "dundee"
ACTOR: Final = "cli:demo"
LONG_AGO: Final = parse_instant("2010-01-01T00:00:00Z")
"""From when tariffs hold and stations' clocks are believed: the day that is played lies in 2018."""
PARKING_IS_PRICED_AT: Final = ("Dundee House, Dundee", "Gellatly Street Car Park, Dundee")
GOOD_CARD: Final = "pm_card_visa"
DECLINING_CARD: Final = "pm_card_chargeCustomerFail"
STEPS_AT_ONCE: Final = 25
CARDS_AT_ONCE: Final = 4

Step = tuple["Callable[[Any, Any], Any]", object]


@dataclass(frozen=True, slots=True)
class Account:
    """Where the demonstration's payments go."""

    base_url: str
    secret_reference: str
    webhook_secret_reference: str


def take_steps(work: UnitOfWork, steps: tuple[Step, ...]) -> None:
    """Some workflows in one transaction; what an earlier attempt has done already stays as it is."""
    for workflow, command in steps:
        with suppress(Conflict):
            workflow(work, command)


def move_in(house: House, needs: Provisioning, account: Account) -> str:
    """The operator with everything but the customers' cards; its id."""
    operator_id = operator(house)
    steps = [*_places(house, needs), *_prices(needs), *_customers(needs)]
    steps.append((add_provider_account, _account(account)))
    for first in range(0, len(steps), STEPS_AT_ONCE):
        house.write_now(operator_id, take_steps, tuple(steps[first : first + STEPS_AT_ONCE]), actor=ACTOR)
    return operator_id


def operator(house: House) -> str:
    """The id of the demonstration's operator, which moves in if it is not there yet."""
    known = house.ask_now(house.views.operator_by_slug, SLUG)
    if known is not None:
        found: str = known["id"]
        return found
    operator_id = house.new_id("operator")
    command = AddOperator(
        slug=SLUG,
        name="Dundee Charging",
        country="GB",
        party_code="DCC",
        zone="Europe/London",
        currency="GBP",
        address="1 City Square, Dundee",
        tax_id="GB000000000",
        clock_floor=LONG_AGO,
        # The day is compressed to a minute, so what waits for minutes in life waits for seconds here.
        start_deadline_seconds=25,
        lost_stop_after_seconds=10,
    )
    house.write_now(operator_id, add_operator, command, actor=ACTOR)
    return operator_id


def store_cards(house: House, operator_id: str, drivers: tuple[PlannedDriver, ...]) -> None:
    """Every customer's card, stored with the provider; one of them will be declined when it is charged."""
    [account] = house.ask_now(house.views.provider_accounts, operator_id)
    customers = {row["reference"]: row["id"] for row in house.ask_now(house.views.customers, operator_id)}

    def store(driver: PlannedDriver) -> Step:
        card = DECLINING_CARD if driver.card_declines else GOOD_CARD
        stored = store_at_provider(account, driver.id, card)
        return keep_method, KeepMethod(CustomerId(customers[driver.id]), ProviderAccountId(account["id"]), stored)

    with ThreadPoolExecutor(CARDS_AT_ONCE, "cards") as pool:
        steps = list(pool.map(store, drivers))
    for first in range(0, len(steps), STEPS_AT_ONCE):
        house.write_now(operator_id, take_steps, tuple(steps[first : first + STEPS_AT_ONCE]), actor=ACTOR)


def _places(house: House, needs: Provisioning) -> Iterator[Step]:
    for site in needs.sites:
        command = AddLocation(reference(site.name), site.name, city=site.city, country=site.country, zone=site.zone)
        yield add_location, command
    for station in needs.stations:
        yield add_station, _station(station, house.pepper)


def _station(planned: PlannedStation, pepper: bytes) -> AddStation:
    evses = tuple(NewEvse(one.number, Current(one.current), one.max_kw * 1000, one.code) for one in planned.evses)
    return AddStation(planned.id, reference(planned.site), hash_key(planned.key, pepper), evses)


def _prices(needs: Provisioning) -> Iterator[Step]:
    for name in ("ac", "dc", "ac-parking"):
        yield put_tariff, PutTariff(tariff(name))
    yield assign_tariff, AssignTariff("dundee-ac", valid_from=LONG_AGO)
    for site in sorted({one.name for one in needs.sites} & set(PARKING_IS_PRICED_AT)):
        yield assign_tariff, AssignTariff("dundee-ac-parking", Scope.LOCATION, reference(site), LONG_AGO)
    for station in needs.stations:
        for evse in station.evses:
            if evse.current == "dc":
                yield assign_tariff, AssignTariff("dundee-dc", Scope.EVSE, evse.code, LONG_AGO)


def _customers(needs: Provisioning) -> Iterator[Step]:
    for driver in needs.drivers:
        yield add_customer, AddCustomer(driver.id)
        yield add_token, AddToken(driver.token, driver.id)


def _account(account: Account) -> AddProviderAccount:
    return AddProviderAccount(
        name="simulated",
        provider="stripe",
        currencies=("GBP",),
        secret_reference=account.secret_reference,
        webhook_secret_references=(account.webhook_secret_reference,),
        base_url=account.base_url,
    )


def tariff(name: str) -> dict[str, Any]:
    """One of the demonstration's tariffs, as OCPI writes it."""
    text = files(__package__).joinpath("tariffs").joinpath(f"{name}.json").read_bytes()
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def reference(name: str) -> str:
    """A location's short name."""
    return re.sub(r"[^a-z0-9]+", "-", name.removesuffix(", Dundee").lower()).strip("-")
