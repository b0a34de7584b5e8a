"""The adapter of the provider, as a worker meets it: it takes its time, and the process may die meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from tallywatt.payments.report import SettlesByFile
from tests.simulation.world import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.kernel.clock import Instant
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import Enquiry, Outcome, PaymentProvider, ProviderEvent, StoredMethod
    from tests.simulation.house import Mortality
    from tests.simulation.world import World

R = TypeVar("R")


class SlowProvider:
    """What every one of them does."""

    def __init__(self, provider: PaymentProvider, world: World, mortality: Mortality) -> None:
        self._provider: Any = provider
        self._world = world
        self._mortality = mortality
        self._luck = world.chance("provider's pace")
        self.capabilities = provider.capabilities

    def send(self, operation: Operation) -> Outcome:
        """Wait, ask, wait."""
        what = f"{operation.kind} {operation.operation_id[-6:]}"
        outcome: Outcome = self._around(lambda: self._provider.send(operation), what)
        self._world.say(f"provider {operation.kind} {operation.operation_id[-6:]}: {type(outcome).__name__}")
        return outcome

    def enquire(self, enquiry: Enquiry) -> Any:
        """The same for a question."""
        return self._around(lambda: self._provider.enquire(enquiry), "enquiry")

    def list_since(self, since: Instant) -> Any:
        """The same for all of its objects."""
        return self._around(lambda: self._provider.list_since(since), "list")

    def read_webhook(self, headers: Any, body: bytes) -> ProviderEvent:
        """At once: nobody is asked."""
        event: ProviderEvent = self._provider.read_webhook(headers, body)
        return event

    def store_method(self, reference: str, token: str, key: str) -> StoredMethod:
        """At once: somebody stands at the counter."""
        kept: StoredMethod = self._provider.store_method(reference, token, key)
        return kept

    def defence_reasons(self, dispute_ref: str) -> Any:
        """Wait, ask, wait."""
        return self._around(lambda: self._provider.defence_reasons(dispute_ref), "grounds of a dispute")

    def defend(self, dispute_ref: str, reason: str, documents: Any) -> None:
        """The same for an answer."""
        self._around(lambda: self._provider.defend(dispute_ref, reason, documents), "answer to a dispute")

    def accept_dispute(self, dispute_ref: str) -> None:
        """The same for one that is let go."""
        self._around(lambda: self._provider.accept_dispute(dispute_ref), "end of a dispute")

    def _around(self, ask: Callable[[], R], what: str) -> R:
        self._mortality.hears(what)
        self._mortality.point(f"before {what}")
        self._wait()
        answer = ask()
        self._wait()
        self._mortality.point(f"after {what}")
        return answer

    def _wait(self) -> None:
        slow = self._luck.random() < 0.05
        self._world.run(self._world.now + self._luck.randrange(5 * SECOND if slow else 200))


class SlowWithReaders(SlowProvider):
    """One that tells which readers it knows."""

    def knows_reader(self, reader_ref: str) -> Any:
        """Wait, ask, wait."""
        return self._around(lambda: self._provider.knows_reader(reader_ref), "reader")


class SlowWithFiles(SlowProvider):
    """One that writes files about what it has settled."""

    def read_report(self, content: bytes) -> Any:
        """At once: nobody is asked."""
        return self._provider.read_report(content)

    def read_reports(self, contents: tuple[bytes, ...]) -> Any:
        """The same."""
        return self._provider.read_reports(contents)

    def fetch_report(self, place: str) -> Any:
        """Wait, ask, wait."""
        return self._around(lambda: self._provider.fetch_report(place), "report")

    def reports_to_come(self, payout_refs: tuple[str, ...]) -> tuple[str, ...]:
        """At once."""
        places: tuple[str, ...] = self._provider.reports_to_come(payout_refs)
        return places


class SlowWithLists(SlowWithReaders):
    """One that lists what it has settled, and what is disputed."""

    def list_settlements(self, since: Instant) -> Any:
        """Wait, ask, wait."""
        return self._around(lambda: self._provider.list_settlements(since), "settlements")

    def list_disputes(self, since: Instant, now: Instant) -> Any:
        """The same."""
        return self._around(lambda: self._provider.list_disputes(since, now), "disputes")


def slowly(provider: PaymentProvider, world: World, mortality: Mortality) -> SlowProvider:
    """The adapter at a worker's pace, and able to do what it can do."""
    kind = SlowWithFiles if isinstance(provider, SettlesByFile) else SlowWithLists
    return kind(provider, world, mortality)
