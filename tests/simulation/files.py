"""The person who gives the house the files of its provider: what notifications never told stands in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tallywatt.adapters.providers.accountant import take_report
from tallywatt.workflows.read_settlements import OrderReading, order_reading
from tallywatt.workflows.take_report import TakeTold, take_told
from tests.simulation.furnish import OPERATOR
from tests.simulation.ledger import MOVED
from tests.simulation.world import BEGINNING, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from tests.simulation.house import LivingHouse
    from tests.simulation.run import Simulation


def give_files(run: Simulation) -> int:
    """All files about payments that there are so far, of a provider that writes some; how many payments were better known."""
    house, provider = run.house, run.provider
    assert house is not None, "somebody is there to take them"

    def write(workflow: Any, command: Any) -> Any:
        return house.write_now(OPERATOR, workflow, command, actor="person")

    first = provider.dialect.first_batch(provider.cards)
    if first is not None and not run.rows(
        "SELECT line_ref FROM settlement_lines WHERE payout_ref LIKE '%/batch/1' LIMIT 1"
    ):
        # From there on the house looks for the next ones by itself.
        take_report(write, house.provider_account(run.account_id)[1], first)
    traces = provider.dialect.told_by_files(provider.cards, _days(run.world.now))
    return sum(bool(write(take_told, TakeTold(run.account_id, trace))) for trace in traces)


def _days(until: int) -> list[date]:
    first, last = (datetime.fromtimestamp(at / SECOND, UTC).date() for at in (BEGINNING, until))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def read_now(run: Simulation) -> None:
    """A person does not want to wait for the next reading of what the provider has settled."""

    def order(house: LivingHouse) -> None:
        house.write_now(OPERATOR, order_reading, OrderReading(run.account_id), actor="person")

    run.ask_house(order)


def settlements_agree(run: Simulation) -> Iterator[str]:
    """What the provider has settled is known line by line, nothing of it is anybody else's, and what is left lies there."""
    sql = "SELECT payment_id, sum(source_minor) FROM settlement_lines WHERE payment_id IS NOT NULL GROUP BY payment_id"
    listed = dict(run.rows(sql))
    for payment_id, minor in run.books.settled().items():
        if listed.get(payment_id, 0) != minor:
            yield f"payment {payment_id} is settled with {listed.get(payment_id, 0)}, and {minor} by the provider"
    [(cleared,)] = run.rows(MOVED, f"clearing/{run.account_id}")
    if cleared != run.books.balance():
        yield f"{run.books.balance()} lie with the provider, and {cleared} by the ledger"
    for kind, subject, expected, found in run.rows(
        "SELECT kind, subject_ref, expected_minor, found_minor FROM settlement_differences WHERE state = 'open'"
    ):
        yield f"a difference is open: {kind} of {subject}, {expected} expected and {found} found"
