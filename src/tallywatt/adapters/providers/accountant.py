"""The worker's side of settlements: read what providers list, hand it over in small parts, ask about what does not agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.adapters.providers.caller import HELD_SECONDS, NOT_COMPARED, TryLater
from tallywatt.kernel.clock import Instant
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.provider import NotSent, Succeeded, Unknown, View
from tallywatt.payments.settlement import DAY_MS, Settles, TellsDisputes
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.read_settlements import EndReading, end_reading, plan_reading
from tallywatt.workflows.resolve_difference import compare_again, payment_to_look_at
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute
from tallywatt.workflows.take_settlement import TakeSettlement, take_settlement

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.adapters.providers.caller import Write
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.provider import PaymentProvider
    from tallywatt.workflows.read_settlements import Plan

AT_ONCE: Final = 20
"""Lines in one command: others wait for the writer meanwhile."""
NO_LIST: Final = "this provider lists no settlements"
LATER_SECONDS: Final = 300
DISPUTES_MS: Final = 90 * DAY_MS
"""So much earlier a dispute may have been opened that is decided now."""


class Accountant:
    """Carries out the jobs `read_settlements` and `compare_payment`."""

    def __init__(self, provider_of: Callable[[ProviderAccount], PaymentProvider]) -> None:
        self._provider_of = provider_of

    def read_settlements(self, write: Write, account_id: str) -> None:
        """Take in all that an account lists since the last time. TryLater when it cannot be asked."""
        plan: Plan = write(plan_reading, account_id)
        if plan.is_held:
            raise TryLater(NOT_COMPARED, HELD_SECONDS)
        provider = self._provider_of(plan.account)
        if not isinstance(provider, Settles):
            write(end_reading, EndReading(account_id, plan.since, plan.until, NO_LIST))
            return
        if isinstance(provider, TellsDisputes):
            # Disputes first: their lines are about something known then.
            self._take_disputes(write, provider, plan)
        lines = provider.list_settlements(plan.since)
        if isinstance(lines, NotSent | Unknown):
            write(end_reading, EndReading(account_id, plan.since, plan.until, lines.cause))
            raise TryLater(lines.cause, LATER_SECONDS)
        for first in range(0, len(lines), AT_ONCE):
            some = lines[first : first + AT_ONCE]
            write(take_settlement, TakeSettlement(plan.account.account_id, some))
        write(end_reading, EndReading(account_id, plan.since, plan.until))

    def _take_disputes(self, write: Write, provider: TellsDisputes, plan: Plan) -> None:
        told = provider.list_disputes(Instant(plan.since - DISPUTES_MS), plan.until)
        if isinstance(told, NotSent | Unknown):
            raise TryLater(told.cause, LATER_SECONDS)
        for one in told:
            write(take_dispute, TakeDispute(plan.account.account_id, one))

    def compare_payment(self, write: Write, payment_id: PaymentId) -> None:
        """Ask the provider how a payment stands, take it in, and compare it with its lines again."""
        look = write(payment_to_look_at, payment_id)
        if look.is_held:
            raise TryLater(NOT_COMPARED, HELD_SECONDS)
        seen = self._provider_of(look.account).enquire(look.enquiry)
        if isinstance(seen, NotSent | Unknown):
            raise TryLater(seen.cause, LATER_SECONDS)
        if isinstance(seen, View):
            write(apply_provider_fact, ProviderFact(payment_id, Succeeded(seen), Source.JANITOR))
        write(compare_again, payment_id)
