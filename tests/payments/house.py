"""A small house for payments: real storage on either engine, stepped by hand, with a clock that the test moves."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tallywatt.adapters.providers.caller import Caller, TryLater
from tallywatt.adapters.storage.claims import Claim, Ended, claim, end_job
from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.vault import Vault
from tallywatt.adapters.storage.writer import GroupWriter
from tallywatt.customers.customer import Customer
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import CustomerId, Draw, InvoiceId, OperatorId, PaymentId, SessionId
from tallywatt.kernel.money import money
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.provider import StoredMethod, Succeeded
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.collect import Collection, intend_collection
from tallywatt.workflows.intend_operation import ASK_PROVIDER, CALL_PROVIDER
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tallywatt.workflows.keep_reader import CHECK_READER
from tallywatt.workflows.look_at_page import LOOK_AT_PAGE
from tallywatt.workflows.pay_ad_hoc import RELEASE_HOLD, PayAdHoc, pay_ad_hoc, take_up_hold
from tallywatt.workflows.pay_at_reader import END_PRESENTATION, end_presentation
from tallywatt.workflows.void_hold import release_unused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.provider import PaymentProvider, View
    from tallywatt.workflows.ports import UnitOfWork

C = TypeVar("C")
R = TypeVar("R")

START = Instant(1_795_248_000_000)
OPERATOR = OperatorId("dundee")
AT_READERS = (CALL_PROVIDER, ASK_PROVIDER, RELEASE_HOLD, LOOK_AT_PAGE, END_PRESENTATION, CHECK_READER)
KINDS = (CALL_PROVIDER, ASK_PROVIDER, RELEASE_HOLD)
LEASE_SECONDS = 60


class Crash(BaseException):
    """The process dies here."""


class HouseOfPayments:
    """Storage, a worker and a provider. Nothing happens unless the test says so."""

    def __init__(self, url: str, provider: PaymentProvider, *, now: Instant = START, name: str = "house") -> None:
        self.url = url
        self.provider = provider
        self.time = now
        self._name = name
        self._drawn = 0
        self.does: tuple[str, ...] = KINDS
        """The kinds of jobs that its worker does."""
        self._writer = self._open()
        self.caller = Caller(lambda _: self.provider, self)

    def _open(self) -> GroupWriter:
        return GroupWriter(lambda: connect(self.url), self.draw, Vault(b"\1" * 32))

    def now(self) -> Instant:
        """Machine time, as the test has it."""
        return self.time

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.time = Instant(self.time + int(seconds * 1000))

    def draw(self) -> Draw:
        """A draw that no other house and no other command gets, a millisecond after the last one."""
        self.time = Instant(self.time + 1)
        self._drawn += 1
        seed = hashlib.blake2b(f"{self._name}/{self._drawn}".encode(), digest_size=16).digest()
        return Draw(self.time, self.time, seed)

    def restart(self) -> None:
        """The process is gone, and starts again on the same database."""
        self._writer.stop()
        self._writer = self._open()

    def close(self) -> None:
        """Let go of the database."""
        self._writer.stop()

    def write(self, workflow: Callable[[UnitOfWork, C], R], command: C, *, operator: OperatorId = OPERATOR) -> R:
        """Run a workflow and commit, or raise what it raised."""
        results: list[Any] = []
        self._writer.submit(operator, workflow, command, results.append, actor="test")
        self._writer.step()
        result = results[0]
        if isinstance(result, Exception):
            raise result
        found: R = result
        return found

    # The worker

    def work(self, *, operator: OperatorId = OPERATOR, rounds: int = 20) -> int:
        """Run due jobs until none is left; how many ran."""
        count = 0
        for _ in range(rounds):
            claimed = self.write(claim, Claim(self.does, 10, LEASE_SECONDS, "worker"), operator=operator)  # type: ignore[arg-type]  # the worker's own workflow
            if not claimed:
                return count
            for one in claimed:
                self._run(one.operator_id, one.job)
                count += 1
        return count

    def _run(self, operator: OperatorId, job: Any) -> None:
        def write(workflow: Any, command: Any) -> Any:
            return self.write(workflow, command, operator=operator)

        error, after = None, None
        try:
            match job.kind:
                case "call_provider":
                    self.caller.call_provider(write, job.subject_id)
                case "ask_provider":
                    self.caller.ask_provider(write, job.subject_id)
                case "look_at_page":
                    self.caller.look_at_page(write, job.subject_id, job.run_at)
                case "check_reader":
                    self.caller.check_reader(write, job.subject_id)
                case "end_presentation":
                    write(end_presentation, job.subject_id)
                case _:
                    write(release_unused, job.subject_id)
        except TryLater as later:
            error, after = str(later), later.after_seconds
        self.write(end_job, Ended(job, error, after_seconds=after), operator=operator)  # type: ignore[arg-type]  # as above

    def work_until_quiet(self, *, hours: float = 30) -> None:
        """Let time pass until nothing is to be done any more."""
        end = self.time + int(hours * 3600 * 1000)
        while self.time < end:
            self.work()
            waiting = [one for one in self.jobs() if one.state in ("ready", "leased") and one.kind in self.does]
            if not waiting:
                return
            soonest = min(one.lease_until or one.run_at for one in waiting)
            self.time = Instant(max(self.time + 1, soonest))

    def jobs(self) -> list[Any]:
        """All jobs."""
        return self.ask(lambda work: work.stored_jobs.by())

    # What is there

    def ask(self, question: Callable[[UnitOfWork], R], *, operator: OperatorId = OPERATOR) -> R:
        """Look at what is stored."""
        return self.write(lambda work, _: question(work), None, operator=operator)

    def payment(self, payment_id: str) -> Payment:
        """The payment as it is stored."""
        return self.ask(lambda work: work.payments.get(payment_id))

    def operations(self, payment_id: str) -> list[Operation]:
        """The payment's operations, oldest first."""
        return sorted(self.ask(lambda work: work.operations.by(payment_id=payment_id)), key=lambda one: one.created_at)

    def balance(self, code: str, *, operator: OperatorId = OPERATOR) -> int:
        """Debits less credits of the accounts whose code begins so."""

        def question(work: UnitOfWork) -> int:
            accounts = {one.account_id for one in work.accounts.by() if one.code.startswith(code)}
            return sum(
                one.amount_minor * ((one.debit_account_id in accounts) - (one.credit_account_id in accounts))
                for one in work.transfers.by()
            )

        return self.ask(question, operator=operator)

    def allocated(self, payment_id: str) -> dict[str, int]:
        """What the payment's money is for."""
        sums: dict[str, int] = {}
        for one in self.ask(lambda work: work.allocations.by(payment_id=payment_id)):
            sums[one.target.value] = sums.get(one.target.value, 0) + one.amount_minor
        return sums

    def inbox(self) -> list[str]:
        """The kinds of what waits for a person."""
        return [one.kind for one in self.ask(lambda work: work.inbox.by())]

    # What people do

    def account(
        self,
        *,
        operator: OperatorId = OPERATOR,
        base_url: str | None = None,
        name: str = "cards",
        provider: str = "stripe",
        **more: Any,
    ) -> Any:
        """A provider account."""
        asked = AddProviderAccount(
            name,
            provider,
            ("EUR", "GBP", "JPY"),
            "env:TALLYWATT_TEST_KEY",
            ("env:TALLYWATT_TEST_HOOK",),
            base_url=base_url,
            merchant="TallywattECOM" if provider == "adyen" else None,
            **more,
        )
        return self.write(add_provider_account, asked, operator=operator)

    def customer(self, account_id: str, stored: StoredMethod | None = None, name: str = "c1") -> CustomerId:
        """A customer with a stored card."""
        customer_id = CustomerId(f"customer-{name}")
        self.ask(lambda work: work.customers.add(Customer(customer_id, name, "en", self.time)))
        method = stored or StoredMethod("cus_1", f"pm_{name}", "visa", "4242")
        self.write(keep_method, KeepMethod(customer_id, account_id, method))  # type: ignore[arg-type]  # an id is a text
        return customer_id

    def session_priced(self, customer_id: CustomerId, amount: str, currency: str = "GBP", name: str = "s1") -> Payment:
        """A customer's session has its price: the payment that collects it."""
        asked = Collection(SessionId(name), InvoiceId(f"invoice-{name}"), money(amount, currency), customer_id)
        payment = self.write(intend_collection, asked)
        assert payment is not None
        return payment

    def hold(self, amount: str = "40.00", currency: str = "GBP") -> Payment:
        """A driver at an EVSE wants to pay."""
        asked = PayAdHoc(
            evse_id="evse-1",  # type: ignore[arg-type]  # an id is a text
            hold=money(amount, currency),
            title="Queen Street, 0.45 GBP/kWh",
            success_url="http://127.0.0.1:1/pay/{secret}",
            cancel_url="http://127.0.0.1:1/pay/{secret}?cancelled",
        )
        return self.write(pay_ad_hoc, asked)

    def tell(self, payment_id: str, view: View) -> Payment:
        """A webhook says how a payment stands."""
        fact = ProviderFact(payment_id, Succeeded(view), Source.WEBHOOK, said_at=self.time)
        return self.write(apply_provider_fact, fact)

    def session_begins(self, payment_id: str, name: str = "s1") -> bool:
        """The station reports a start with the tag of that payment."""
        return self.ask(lambda work: take_up_hold(work, PaymentId(payment_id), SessionId(name)))

    def held_session_priced(self, payment_id: str, amount: str, currency: str = "GBP", name: str = "s1") -> Payment:
        """The session that stands on a hold has its price."""
        asked = Collection(
            SessionId(name), InvoiceId(f"invoice-{name}"), money(amount, currency), payment_id=PaymentId(payment_id)
        )
        payment = self.write(intend_collection, asked)
        assert payment is not None
        return payment

    def kinds(self, payment_id: str) -> list[tuple[str, str]]:
        """What was asked of the provider, and what became of it."""
        return [(one.kind.value, one.state.value) for one in self.operations(payment_id)]


def crash_when(thing: Any, name: str) -> None:
    """Let the process die when this method has done its work, before anybody hears of it."""
    does = getattr(thing, name)

    def dies(*args: Any, **kwargs: Any) -> Any:
        setattr(thing, name, does)
        does(*args, **kwargs)
        raise Crash

    setattr(thing, name, dies)


def dies(action: Callable[[], Any]) -> None:
    """Run what ends in the death of the process."""
    with suppress(Crash):
        action()
        msg = "it did not die"
        raise AssertionError(msg)
