"""The worker's side of settlements: read what providers list, hand it over in small parts, ask about what does not agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.adapters.providers.caller import HELD_SECONDS, NOT_COMPARED, TryLater, provider_behind
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.payments.dispute import DefendsDisputes
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.provider import NotSent, Succeeded, Unknown, View
from tallywatt.payments.report import SettlesByFile
from tallywatt.payments.settlement import DAY_MS, Settles, TellsDisputes
from tallywatt.workflows.accept_dispute import NoteAccepted, acceptance_to_tell, note_accepted
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.read_settlements import EndReading, end_reading, payouts_known, plan_reading
from tallywatt.workflows.resolve_difference import compare_again, payment_to_look_at
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute
from tallywatt.workflows.take_file import take_file
from tallywatt.workflows.take_settlement import TakeSettlement, take_settlement

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.adapters.providers.caller import Write
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.provider import PaymentProvider
    from tallywatt.payments.report import Report
    from tallywatt.workflows.accept_dispute import Acceptance
    from tallywatt.workflows.read_settlements import Plan

AT_ONCE: Final = 20
"""Lines in one command: others wait for the writer meanwhile."""
NO_LIST: Final = "this provider lists no settlements"
LATER_SECONDS: Final = 300
MOST_FILES: Final = 20
"""Files read in one round; the next one goes on."""
DISPUTES_MS: Final = 90 * DAY_MS
"""So much earlier a dispute may have been opened that is decided now."""


def take_report(write: Write, account: ProviderAccount, report: Report) -> None:
    """Take in the settlements of a file, and remember how far its account was read by it."""
    for first in range(0, len(report.lines), AT_ONCE):
        some = report.lines[first : first + AT_ONCE]
        write(take_file, TakeSettlement(account.account_id, some))
    if report.lines:
        write(end_reading, EndReading(account.account_id, report.first_at, report.last_at))


class Accountant:
    """Carries out the jobs `read_settlements`, `compare_payment` and `accept_dispute`."""

    def __init__(self, provider_of: Callable[[ProviderAccount], PaymentProvider]) -> None:
        self._provider_of = provider_of

    def read_settlements(self, write: Write, account_id: str) -> None:
        """Take in all that an account lists since the last time. TryLater when it cannot be asked."""
        plan: Plan = write(plan_reading, account_id)
        if plan.is_held:
            raise TryLater(NOT_COMPARED, HELD_SECONDS)
        provider = provider_behind(self._provider_of, write, plan.account)
        if isinstance(provider, SettlesByFile):
            self._look_for_files(write, provider, plan)
            return
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

    def accept_dispute(self, write: Write, dispute_id: str) -> None:
        """Tell a provider that a dispute is let go. Told twice, it refuses the second time, and nothing is lost by that."""
        plan: Acceptance | None = write(acceptance_to_tell, dispute_id)
        if plan is None:
            return
        if plan.is_held:
            raise TryLater(NOT_COMPARED, HELD_SECONDS)
        provider = provider_behind(self._provider_of, write, plan.account)
        assert isinstance(provider, DefendsDisputes), "it was asked for where answers are taken"
        try:
            provider.accept_dispute(plan.dispute.dispute_ref)
        except BadInput as refused:
            write(note_accepted, NoteAccepted(dispute_id, str(refused)))
            return
        write(note_accepted, NoteAccepted(dispute_id))

    def read_report(self, write: Write, account_id: str, place: str) -> None:
        """Take in a file that a provider has told of. TryLater when it cannot be had; BadInput when it is broken."""
        plan: Plan = write(plan_reading, account_id)
        if plan.is_held:
            raise TryLater(NOT_COMPARED, HELD_SECONDS)
        provider = self._provider_of(plan.account)
        if isinstance(provider, SettlesByFile) and not self._take_file(write, provider, plan, place):
            msg = "the report is not there yet"
            raise TryLater(msg, LATER_SECONDS)

    def _look_for_files(self, write: Write, provider: SettlesByFile, plan: Plan) -> None:
        """Read the files after and between those that were read: what tells of them may be lost."""
        account_id = plan.account.account_id
        looked: set[str] = set()
        while len(looked) < MOST_FILES:
            places = provider.reports_to_come(write(payouts_known, account_id))
            place = next((one for one in places if one not in looked), None)
            if place is None:
                break
            looked.add(place)
            self._take_file(write, provider, plan, place)
        # Looked for, whatever was found. What was taken before the first look may be in files that nobody gives us.
        seen = plan.until if plan.is_first else plan.since
        write(end_reading, EndReading(account_id, seen, seen))

    def _take_file(self, write: Write, provider: SettlesByFile, plan: Plan, place: str) -> bool:
        """Whether there was a file to take in."""
        account_id = plan.account.account_id
        try:
            content = provider.fetch_report(place)
            if isinstance(content, NotSent | Unknown):
                write(end_reading, EndReading(account_id, plan.since, plan.until, content.cause))
                raise TryLater(content.cause, LATER_SECONDS)
            if content is None:
                return False
            report = provider.read_report(content)
        except BadInput as error:
            write(end_reading, EndReading(account_id, plan.since, plan.until, error.message))
            raise
        take_report(write, plan.account, report)
        return True

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
        provider = provider_behind(self._provider_of, write, look.account)
        if provider.capabilities.enquiry:
            seen = provider.enquire(look.enquiry)
            if isinstance(seen, NotSent | Unknown):
                raise TryLater(seen.cause, LATER_SECONDS)
            if isinstance(seen, View):
                write(apply_provider_fact, ProviderFact(payment_id, Succeeded(seen), Source.JANITOR))
        # One that tells by notifications alone has told by now what it had to tell.
        write(compare_again, payment_id)
