"""Payments through a provider that takes 100 ms to answer, while stations talk on; beside the SDK alone on as many threads.

One process holds the gateway, the writer on SQLite and the worker that collects, as `serve` does. The simulated provider and
the stations are processes of their own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvloop

from benchmarks.card_operation import KEY, OPERATIONS_A_SESSION, pay_by_sdk, provider
from benchmarks.figure import Figure
from benchmarks.gateway import OPERATOR, furnished, listening, load_of
from tallywatt.adapters.providers.stripe_cards import StripeCards
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.kernel.identity import SessionId
from tallywatt.kernel.money import money
from tallywatt.payments.operation import OperationState
from tallywatt.settings import Settings
from tallywatt.simulators.psp.faults import Fault
from tallywatt.wiring import House, upgrade
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.collect import Collection, intend_collection
from tallywatt.workflows.keep_method import KeepMethod, keep_method

if TYPE_CHECKING:
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import StoredMethod

LATENCY_MS = 100
PAYMENTS = 200
VALUES_A_SECOND = 500
"""What the stations say meanwhile: as many as 5,000 that charge, each with a value every ten seconds."""
LANE = LANES["providers"]
SLOW = Fault("latency", milliseconds=LATENCY_MS)
BUDGET_MS = 100


def measure() -> list[Figure]:
    """Both ways, one after the other; half a minute."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="tallywatt-bench-") as folder, provider(Path(folder), SLOW) as base_url:
        cards = StripeCards(KEY, (), base_url=base_url)
        stored = cards.store_method("benchmark", "pm_card_visa", "store")
        naive = _sdk_alone(cards, stored)
        os.environ["TALLYWATT_BENCHMARK_KEY"] = KEY
        settings = Settings(data_dir=Path(folder))
        upgrade(settings.url)
        house = House(settings)
        house.open(following=False)
        try:
            elapsed, station_ms = uvloop.run(_with_stations(house, base_url, stored))
            done = house.store.run_now(OPERATOR, _operations, None, actor="bench")
        finally:
            house.close()
    assert all(one.state is OperationState.SUCCEEDED for one in done), "each is taken"
    a_second = len(done) / elapsed
    waits = sorted((one.resolved_at or 0) - (one.first_sent_at or 0) for one in done)
    said = f"at {LATENCY_MS} ms of latency"
    return [
        Figure(f"a card operation {said}, {LANE.threads} threads", 1000 / a_second, "ms", None, _PEER, naive * 1000),
        Figure("the same, operations", a_second, "a second"),
        Figure("an operation from its sending to the books, p50", waits[len(waits) // 2], "ms"),
        Figure("an operation from its sending to the books, p99", waits[len(waits) * 99 // 100], "ms"),
        Figure(f"p99 of MeterValues meanwhile, {VALUES_A_SECOND} a second", station_ms, "ms", BUDGET_MS),
    ]


def _operations(work: Any, _: None) -> list[Operation]:
    found: list[Operation] = work.operations.by()
    return found


_PEER = "as many threads with the SDK alone, no books"


def _sdk_alone(cards: StripeCards, stored: StoredMethod) -> float:
    """Seconds for an operation, when nothing is written down before or after it."""
    client = cards._client  # noqa: SLF001 - the same client, so that the same thing is compared

    def pay(number: int) -> None:
        pay_by_sdk(client, stored, f"alone/{number}")

    began = time.perf_counter()
    with ThreadPoolExecutor(LANE.threads) as threads:
        list(threads.map(pay, range(PAYMENTS)))
    return (time.perf_counter() - began) / (PAYMENTS * OPERATIONS_A_SESSION)


async def _with_stations(house: House, base_url: str, stored: StoredMethod) -> tuple[float, float]:
    """Seconds until everything is collected, and the p99 of what stations were answered in meanwhile."""
    neighbours = furnished(house.store)
    _intend(house, base_url, stored)
    async with listening(house.store.writer, neighbours) as gateway:
        workers = Workers(house, (LANE,))
        calls = VALUES_A_SECOND * _seconds_at_most()
        load = asyncio.create_task(load_of(gateway, calls, "values", "--a-second", str(VALUES_A_SECOND)))
        await asyncio.sleep(1)
        began = time.perf_counter()
        workers.start()
        await asyncio.to_thread(_wait_for_all, house)
        elapsed = time.perf_counter() - began
        await asyncio.to_thread(workers.stop)
        _, seen = await load
    return elapsed, seen["p99_ms"]


def _seconds_at_most() -> int:
    """About so long the payments take, so that the stations talk all the while."""
    return PAYMENTS * OPERATIONS_A_SESSION * LATENCY_MS // 1000 // LANE.threads + 3


def _intend(house: House, base_url: str, stored: StoredMethod) -> None:
    def do(workflow: Any, command: object) -> Any:
        return house.store.write_now(OPERATOR, workflow, command, actor="bench")

    asked = AddProviderAccount("cards", "stripe", ("GBP",), "env:TALLYWATT_BENCHMARK_KEY", (), base_url=base_url)
    account = do(add_provider_account, asked)
    customer = do(lambda work, _: work.customers.one_by(reference="driver"), None)
    do(keep_method, KeepMethod(customer.customer_id, account.account_id, stored))
    numbers = count()
    for _ in range(PAYMENTS):
        session = SessionId(f"session-{next(numbers)}")
        do(intend_collection, Collection(session, None, money("12.40", "GBP"), customer.customer_id))


def _wait_for_all(house: House) -> None:
    left = PAYMENTS
    while left:
        time.sleep(0.05)
        with house.store.reading() as connection:
            [(left,)] = connection.execute("SELECT count(*) FROM payments WHERE state <> 'captured'")
