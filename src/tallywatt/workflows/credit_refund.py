"""Money that went back is taken back from its invoice, too: a credit note with a number of its own, booked by line and tax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.invoicing.credit import CREDITS, credited
from tallywatt.invoicing.invoice import Invoice, InvoiceKind, fresh_series, series_year, take_number
from tallywatt.kernel.identity import InvoiceId, RatedId
from tallywatt.ledger.chart import REVENUE, receivable, tax
from tallywatt.ledger.post import Draft, Leg
from tallywatt.rating.results import RatedRows
from tallywatt.rating.tariff import plain
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.post_entry import post

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


CREDIT_REFUND: Final = "credit_refund"
"""Job: take back from the invoice of that id what was given back of its money."""


@dataclass(frozen=True, slots=True)
class CreditRefund:
    """Which invoice."""

    invoice_id: InvoiceId


def credit_refund(work: UnitOfWork, command: CreditRefund) -> bool:
    """Take back from an invoice what was given back and has no paper yet. False while the house may give no numbers.

    More than the invoice asks for can only have been paid by mistake: that much is returned without a paper.
    """
    if work.invoices.find(command.invoice_id) is None:
        return True
    if not_compared(work) is not None:
        # A number of the lost time may be on somebody's paper: see `begin_restoration`.
        work.jobs.add(Job(CREDIT_REFUND, command.invoice_id))
        return False
    invoice = work.invoices.lock(command.invoice_id)
    paid = work.payments.by(invoice_id=invoice.invoice_id)
    corrected = work.corrected_sessions.by(session_id=invoice.session_id)
    # What corrections gave back of an invoice that this one stands for has its paper there.
    before = sum(one.refunded_minor for one in corrected if one.invoice_id != invoice.invoice_id)
    surplus = max(0, sum(one.captured_minor for one in paid) - before - invoice.gross_minor)
    returned = max(0, sum(one.refunded_minor for one in paid) - before - surplus)
    left, earlier = left_of(work, invoice)
    # What a correction takes off a debt was never paid, so nothing of it goes back.
    granted = sum(one.credited_minor for one in corrected if one.invoice_id == invoice.invoice_id)
    granted += sum(one.waived_minor for one in corrected if one.new_invoice_id == invoice.invoice_id)
    part = min(returned + granted, invoice.gross_minor) - (invoice.gross_minor - left)
    if part > 0:
        credit(work, invoice, earlier, part)
    return True


def left_of(work: UnitOfWork, invoice: Invoice) -> tuple[int, list[Invoice]]:
    """What no credit note has taken back of an invoice, and the credit notes."""
    notes = [one for one in work.invoices.by(session_id=invoice.session_id) if one.kind is InvoiceKind.CREDIT_NOTE]
    earlier = [one for one in notes if one.corrects_invoice_id == invoice.invoice_id]
    return invoice.gross_minor - sum(one.gross_minor for one in earlier), earlier


def credit(work: UnitOfWork, invoice: Invoice, earlier: list[Invoice], part: int) -> None:
    """A credit note over so much of a locked invoice, of which `earlier` ones have taken back some."""
    name = f"credit/{invoice.invoice_id}/{len(earlier)}"
    rows = credited(
        _rows(work, invoice), [_rows(work, one) for one in earlier], part, RatedId(work.draw.id(name)), work.now
    )
    work.rated_results.add_new(rows.result)
    work.rated_lines.note(rows.lines)
    work.rated_taxes.note(rows.taxes)
    post(work, _taken_back(work, invoice, rows))
    note = _numbered(work, invoice, rows)
    work.invoices.add_new(note)
    work.jobs.add(Job("print_invoice", note.invoice_id))


def _rows(work: UnitOfWork, paper: Invoice) -> RatedRows:
    return RatedRows(
        work.rated_results.get(paper.rated_id),
        tuple(work.rated_lines.by(rated_id=paper.rated_id)),
        tuple(work.rated_taxes.by(rated_id=paper.rated_id)),
    )


def _taken_back(work: UnitOfWork, invoice: Invoice, rows: RatedRows) -> Draft:
    """What was sold, less what is taken back: revenue and the tax of each rate against what the payer owed."""
    owed = receivable(invoice.payer.value, invoice.payer_id)
    country = work.operators.get().country
    taxes = tuple(
        _leg(tax(country, plain(row.tax_rate) if row.tax_rate is not None else "none"), owed, row.tax_minor)
        for row in rows.taxes
    )
    legs = (_leg(REVENUE, owed, rows.result.net_minor), *taxes)
    return Draft("invoice_credited", "rated", rows.result.rated_id, rows.result.currency, legs)


def _leg(debit: str, credit: str, amount: int) -> Leg:
    return Leg(debit, credit, amount) if amount >= 0 else Leg(credit, debit, -amount)


def _numbered(work: UnitOfWork, invoice: Invoice, rows: RatedRows) -> Invoice:
    """The paper with the next number of its series. The counter's row is the last that is locked."""
    zone = work.operators.get().zone
    year = series_year(work.now, zone)
    work.number_series.add(fresh_series(CREDITS, year))
    taken, after = take_number(work.number_series.lock(CREDITS, year), work.now, zone)
    work.number_series.put(after)
    return Invoice(
        invoice_id=InvoiceId(work.draw.id(f"paper/{rows.result.rated_id}")),
        number=taken.number,
        series=taken.series,
        year=taken.year,
        sequence=taken.sequence,
        kind=InvoiceKind.CREDIT_NOTE,
        session_id=invoice.session_id,
        rated_id=rows.result.rated_id,
        payer=invoice.payer,
        payer_id=invoice.payer_id,
        issue_date=taken.issue_date,
        issued_at=work.now,
        currency=invoice.currency,
        net_minor=rows.result.net_minor,
        tax_minor=rows.result.tax_minor,
        gross_minor=rows.result.gross_minor,
        corrects_invoice_id=invoice.invoice_id,
    )
