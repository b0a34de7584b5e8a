"""One card operation, from what was written down to the books, beside the official SDK's own call."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any

from benchmarks.figure import Figure
from tallywatt.adapters.machine import MachineClock, WorldDraws
from tallywatt.adapters.providers.caller import Caller
from tallywatt.adapters.providers.stripe_cards import StripeCards
from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.migrations import upgrade
from tallywatt.adapters.storage.writer import GroupWriter
from tallywatt.customers.customer import Customer
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import CustomerId, OperatorId, SessionId
from tallywatt.kernel.money import money
from tallywatt.simulators.psp import Options, run
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.collect import Collection, intend_collection
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.keep_method import KeepMethod, keep_method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tallywatt.payments.provider import StoredMethod
    from tallywatt.simulators.psp.faults import Fault

KEY = "sk_test_benchmark"
OPERATOR = OperatorId("benchmark")
SESSIONS = 100
OPERATIONS_A_SESSION = 2
"""One prepared object and one charge."""
BUDGET_MS = 1.5


class Writing:
    """A writer stepped by hand, so that its CPU is counted here."""

    def __init__(self, url: str) -> None:
        self._writer = GroupWriter(lambda: connect(url), WorldDraws().draw)

    def __call__(self, workflow: Any, command: Any) -> Any:
        """Run a workflow and commit."""
        results: list[Any] = []
        self._writer.submit(OPERATOR, workflow, command, results.append, actor="benchmark")
        self._writer.step()
        if isinstance(results[0], Exception):
            raise results[0]
        return results[0]


def measure() -> list[Figure]:
    """CPU of this process a card operation; the simulated provider runs in another one."""
    with tempfile.TemporaryDirectory() as folder, provider(Path(folder)) as base_url:
        cards = StripeCards(KEY, (), base_url=base_url)
        write = Writing(_database(Path(folder)))
        stored = cards.store_method("benchmark", "pm_card_visa", "store")
        sdk, house = _sdk_alone(cards, stored), _from_intention_to_books(write, cards, stored)
        sdk(), house()
        # By turns: what slows the machine for a while slows both.
        rounds = [(sdk(), house()) for _ in range(SESSIONS)]
    own, whole = (median(one) / OPERATIONS_A_SESSION * 1000 for one in zip(*rounds, strict=True))
    adds = max(whole - own, 0.001)
    return [
        Figure("card operation, what the house adds (CPU)", adds, "ms", BUDGET_MS, "the SDK's call alone", own),
        Figure("card operation, with the SDK's call (CPU)", adds + own, "ms"),
    ]


@contextmanager
def provider(folder: Path, *faults: Fault) -> Iterator[str]:
    """The simulated provider in a process of its own, and where it listens."""
    hear, tell = multiprocessing.Pipe(duplex=False)
    options = Options(port=0, state=folder / "psp.jsonl", faults=faults)
    psp = multiprocessing.get_context("fork").Process(
        target=run, args=(options, lambda started: tell.send(started.base_url)), daemon=True
    )
    psp.start()
    try:
        yield hear.recv()
    finally:
        psp.terminate()
        psp.join()


def _database(folder: Path) -> str:
    url = f"sqlite:///{folder / 'benchmark.db'}"
    upgrade(url)
    return url


def _sdk_alone(cards: StripeCards, stored: StoredMethod) -> Callable[[], float]:
    """What pays one session with the SDK alone, and says the seconds of CPU that it took."""
    client = cards._client  # noqa: SLF001 - the same client, so that the same thing is compared
    run_id, numbers = os.getpid(), count()

    def pay() -> float:
        started = process_time()
        pay_by_sdk(client, stored, f"{run_id}/{next(numbers)}")
        return process_time() - started

    return pay


def pay_by_sdk(client: Any, stored: StoredMethod, name: str) -> None:
    """One session as a program would pay it that writes nothing down."""
    asked = {
        "amount": 1240,
        "currency": "gbp",
        "customer": stored.customer_ref,
        "payment_method": stored.method_ref,
        "allowed_payment_method_types": ["card"],
        "capture_method": "automatic",
        "metadata": {"benchmark": name},
    }
    made = client.payment_intents.create(asked, {"idempotency_key": f"{name}/prepare"})
    taken = {"payment_method": stored.method_ref, "off_session": True, "expand": ["latest_charge"]}
    client.payment_intents.confirm(made.id, taken, {"idempotency_key": f"{name}/charge"})


def _from_intention_to_books(write: Writing, cards: StripeCards, stored: StoredMethod) -> Callable[[], float]:
    """What pays one session from what is written down to the books, likewise."""
    account = write(add_provider_account, AddProviderAccount("cards", "stripe", ("GBP",), "env:KEY", ()))
    customer = CustomerId("customer")
    write(lambda work, _: work.customers.add(Customer(customer, "C-1", "en", Instant(0))), None)
    write(keep_method, KeepMethod(customer, account.account_id, stored))
    caller, numbers = Caller(lambda _: cards, MachineClock()), count()

    def pay() -> float:
        asked = Collection(SessionId(f"session-{next(numbers)}"), None, money("12.40", "GBP"), customer)
        payment = write(intend_collection, asked)
        spent = 0.0
        for _ in range(OPERATIONS_A_SESSION):
            operation = write(on_its_way, payment.payment_id)
            started = process_time()
            caller.call_provider(write, operation.operation_id)
            spent += process_time() - started
        return spent

    return pay
