"""Pure: the audit: meters, bills, explanations, papers, payments and books, each against the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.evidence.bills import RUNNING, compare_bills
from tallywatt.evidence.findings import AuditReport
from tallywatt.evidence.metering import meter
from tallywatt.evidence.money import compare_books, compare_payments, money_of
from tallywatt.evidence.sums import compare_sums
from tallywatt.metering.session import SessionState
from tallywatt.payments.payment import PaymentState

if TYPE_CHECKING:
    from tallywatt.evidence.held import Held


def audit(held: Held) -> AuditReport:
    """Compare everything with everything; what does not add up is listed, and nothing is mended."""
    energies, found = meter(held)
    books = compare_books(held)
    findings = [*found, *compare_bills(held, energies), *compare_payments(held), *books, *compare_sums(held)]
    explained: dict[str, int] = {}
    for row in held.explanations:
        explained[row.reason.value] = explained.get(row.reason.value, 0) + row.milliwatt_hours
    results: dict[str, int] = {row.rated_id: row.milliwatt_hours for row in held.results}
    billed = [row.rated_id or "" for row in held.sessions if row.state is SessionState.BILLED]
    return AuditReport(
        findings=tuple(sorted(findings, key=lambda one: (one.code, one.subject, one.says))),
        sessions=len(held.sessions),
        delivered=sum(energies.values()),
        billed=sum(results.get(rated_id, 0) for rated_id in billed),
        explained={reason: amount for reason, amount in explained.items() if amount},
        running=sum(energies[row.session_id] for row in held.sessions if row.state in RUNNING),
        currency=held.currency,
        money=money_of(held),
        invoices=len(held.invoices),
        voided=len([row for row in held.payments if row.state is PaymentState.VOIDED]),
        held=len([row for row in held.sessions if row.state is SessionState.HELD]),
        ledger_balanced=not books,
        frames=len(held.frames),
        erased_frames=len(held.erased),
    )
