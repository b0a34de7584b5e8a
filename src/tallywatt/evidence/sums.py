"""Pure: the sums that are kept beside the rows, against the rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tallywatt.evidence.findings import Finding
from tallywatt.ledger.books import MOVING

if TYPE_CHECKING:
    from tallywatt.evidence.held import Held

Sums = Counter[tuple[str, str, str]]
A_PAYER_EACH = ("receivable/", "prepaid/", "on_account/")


def compare_sums(held: Held) -> list[Finding]:
    """Sums that are not those of the rows: a sum was written into, or rows were, by somebody who did not count them."""
    told = _counted(held)
    found = []
    for place in sorted({*told, *held.sums}):
        expected, kept = told[place], held.sums.get(place, 0)
        if expected != kept:
            says = "the sum that is kept is not that of the rows; tallywatt database recount makes it anew"
            name = " ".join(one for one in place if one)
            found.append(Finding("sum.differs", name, says, str(expected), str(kept)))
    return found


def _counted(held: Held) -> Sums:
    sums: Sums = Counter()
    for session in held.sessions:
        sums["sessions.count", session.state.value, ""] += 1
        sums["sessions.milliwatt_hours", session.state.value, ""] += session.milliwatt_hours
    for explanation in held.explanations:
        sums["explanations.count", explanation.reason.value, ""] += 1
        sums["explanations.milliwatt_hours", explanation.reason.value, ""] += explanation.milliwatt_hours
    _papers_and_payments(held, sums)
    places = {row.account_id: _place(row.code) for row in held.accounts}
    for transfer in held.transfers:
        if transfer.phase in MOVING:
            for figure, account in (("debits", transfer.debit_account_id), ("credits", transfer.credit_account_id)):
                sums[f"transfers.{figure}", places.get(account, "?"), transfer.currency] += transfer.amount_minor
    return sums


def _papers_and_payments(held: Held, sums: Sums) -> None:
    for paper in held.invoices:
        place = (paper.kind.value, paper.currency)
        sums["invoices.count", *place] += 1
        sums["invoices.net_minor", *place] += paper.net_minor
        sums["invoices.tax_minor", *place] += paper.tax_minor
        sums["invoices.gross_minor", *place] += paper.gross_minor
    for payment in held.payments:
        # What a customer pays in is for no session yet: it is counted apart.
        place = (payment.purpose if payment.purpose == "top_up" else payment.state.value, payment.currency)
        sums["payments.count", *place] += 1
        sums["payments.authorised_minor", *place] += payment.authorised_minor
        sums["payments.captured_minor", *place] += payment.captured_minor
        sums["payments.refunded_minor", *place] += payment.refunded_minor
        sums["payments.suspense_minor", *place] += payment.suspense_minor
    for one in held.allocations:
        sums["allocations.count", one.target.value, one.currency] += 1
        sums["allocations.amount_minor", one.target.value, one.currency] += one.amount_minor
    for item in held.holds:
        sums["customer_holds.count", item.provider, item.currency] += 1
        sums["customer_holds.taken_minor", item.provider, item.currency] += item.taken_minor
        sums["customer_holds.returned_minor", item.provider, item.currency] += item.returned_minor
        sums["customer_holds.settled_minor", item.provider, item.currency] += item.settled_minor


def _place(code: str) -> str:
    return next((start.rstrip("/") for start in A_PAYER_EACH if code.startswith(start)), code)
