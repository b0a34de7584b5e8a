"""Let an account's reports be read, and take in a file that a person gives: who gave which is recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.provider import (
    Succeeded,
    Trace,
)  # it travels over the control socket, and its type is read there
from tallywatt.workflows.add_provider_account import SECRET_REFERENCES
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.put_secret import kept_reference
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.take_settlement import payment_of

if TYPE_CHECKING:
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class SetReportAccess:
    """Who may read the reports of an account, and where the secret is. Without a secret nobody may any more."""

    account_id: str
    secret_reference: str | None = None
    user: str | None = None


def set_report_access(work: UnitOfWork, command: SetReportAccess) -> ProviderAccount:
    """The account with its reader. The same again changes nothing."""
    account = work.provider_accounts.lock(command.account_id)
    reference = command.secret_reference
    if reference is not None and not reference.startswith(SECRET_REFERENCES):
        msg = "a secret is given as a reference, env:NAME, file:PATH or vault:NAME, and never itself"
        raise BadInput(msg, code="payment.secret_not_a_reference")
    kept = None if reference is None else kept_reference(work, reference)
    after = replace(account, report_user=command.user if kept is not None else None, report_secret_reference=kept)
    if after == account:
        return account
    named = {"report_user": after.report_user, "reads_reports": kept is not None}
    record_action(work, "provider_account.reports", "provider_account", account.account_id, after=named)
    return work.provider_accounts.put(after)


@dataclass(frozen=True, slots=True)
class NoteReport:
    """A person has given a file of an account: what it is known by, and how much stands in it."""

    account_id: str
    sha256: str
    lines: int
    payments: int


def note_report(work: UnitOfWork, command: NoteReport) -> None:
    """Record who gave it."""
    account = work.provider_accounts.get(command.account_id)
    told = {"sha256": command.sha256, "lines": command.lines, "payments": command.payments}
    record_action(work, "settlement.report", "provider_account", account.account_id, after=told)


@dataclass(frozen=True, slots=True)
class TakeTold:
    """A payment as a file tells it, of a house that has nothing to catch up with."""

    account_id: str
    trace: Trace


def take_told(work: UnitOfWork, command: TakeTold) -> bool:
    """Whether it was news: a notification that never came. What is no payment of this account is left alone."""
    trace = command.trace
    payment = payment_of(work, command.account_id, trace.payment_id, trace.view.provider_ref)
    if payment is None:
        return False
    held = work.payments.lock(payment.payment_id)
    if held.provider_ref not in (None, trace.view.provider_ref):
        return False
    return apply_provider_fact(work, ProviderFact(held.payment_id, Succeeded(trace.view), Source.JANITOR)) != held
