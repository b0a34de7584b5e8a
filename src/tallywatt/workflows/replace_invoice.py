"""Another invoice for a session that was priced wrongly: the old one is taken back whole, its money is for the new one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import RatedId
from tallywatt.payments.allocation import Allocation, Target
from tallywatt.rating.canonical import read_session, read_text_before
from tallywatt.rating.policy import read_policy_text
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.results import price, rated_rows
from tallywatt.workflows.credit_refund import credit, left_of
from tallywatt.workflows.finish import earned, number_invoice
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.post_entry import post

if TYPE_CHECKING:
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.kernel.events import Scalar
    from tallywatt.metering.session import Session
    from tallywatt.payments.payment import Payment
    from tallywatt.rating.results import RatedRows
    from tallywatt.workflows.ports import UnitOfWork


def rate_session_again(work: UnitOfWork, session: Session, tariff_version_id: str) -> RatedRows:
    """The price of a session's stored input under another tariff, as rows that stand for those that it has."""
    assert session.rated_id is not None, "only what has a price is priced again"
    before = work.rated_results.get(session.rated_id)
    tariff = read_tariff_text(work.tariff_versions.get(tariff_version_id).canonical)
    policy = read_policy_text(work.policy_versions.get(before.policy_version_id).canonical)
    meter = read_session(before.canonical_input)
    rated, amounts = price(meter, tariff, policy, read_text_before(before.canonical_input))
    return rated_rows(
        RatedId(work.draw.id(f"again/{session.session_id}")),
        meter,
        rated,
        amounts,
        created_at=work.now,
        zone_data_version=work.zone_data_version,
        offer_id=before.offer_id,
        supersedes=before.rated_id,
    )


def replace_invoice(
    work: UnitOfWork, session: Session, invoice: Invoice, rows: RatedRows, payments: list[Payment]
) -> tuple[Invoice, list[Payment]]:
    """The invoice that stands for a locked one from now on, and the locked payments, which belong to it now."""
    left, earlier = left_of(work, invoice)
    if left:
        credit(work, invoice, earlier, left)
    work.rated_results.add_new(rows.result)
    work.rated_lines.note(rows.lines)
    work.rated_taxes.note(rows.taxes)
    made = number_invoice(work, session, rows)
    work.invoices.add_new(made)
    post(work, earned(work, session, rows))
    work.sessions.put(replace(session, rated_id=rows.result.rated_id, invoice_id=made.invoice_id))
    moved = _move(work, payments, invoice, made)
    work.jobs.add(Job("print_invoice", made.invoice_id))
    data: dict[str, Scalar] = {
        "session_id": session.session_id,
        "before_id": invoice.invoice_id,
        "number": made.number,
        "currency": made.currency,
        "net_minor": made.net_minor,
        "tax_minor": made.tax_minor,
        "gross_minor": made.gross_minor,
    }
    work.events.append(Event("invoice", made.invoice_id, "InvoiceReplaced", data))
    return made, moved


def _move(work: UnitOfWork, payments: list[Payment], before: Invoice, after: Invoice) -> list[Payment]:
    """What was collected for the old invoice is for the new one; what that does not ask for is the payer's own."""
    room, moved = after.gross_minor, []
    for payment in payments:
        rows = work.allocations.by(payment_id=payment.payment_id)
        there = sum(
            one.amount_minor
            for one in rows
            if one.target is Target.INVOICE and one.target_id == before.invoice_id
        )  # fmt: skip
        part = min(there, room)
        room -= part
        own = payment.customer_id or payment.payment_id
        for target, target_id, minor in (
            (Target.INVOICE, before.invoice_id, -there),
            (Target.INVOICE, after.invoice_id, part),
            (Target.BALANCE, own, there - part),
        ):
            if minor:
                name = work.draw.id(f"allocation/{payment.payment_id}/{target_id}/moved")
                work.allocations.add(
                    Allocation(name, payment.payment_id, target, target_id, minor, payment.currency, None, work.now)
                )
        moved.append(work.payments.put(replace(payment, invoice_id=after.invoice_id)))
        _move_open_item(work, payment, before, after)
    return moved


def _move_open_item(work: UnitOfWork, payment: Payment, before: Invoice, after: Invoice) -> None:
    """What was bought on invoice is asked for, collected and found by the number on the payer's paper."""
    item = work.customer_holds.find(payment.payment_id)
    if item is None or item.invoice_id != before.invoice_id:
        return
    held = work.customer_holds.lock(item.payment_id)
    work.customer_holds.put(replace(held, invoice_id=after.invoice_id))
