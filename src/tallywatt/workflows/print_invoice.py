"""Gather what an invoice shows, and keep what was printed. The printing itself is a worker's, outside of any transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.invoicing.paper import (
    InvoiceDocument,
    PaperParty,
    PaperPayment,
    PaperSignature,
    PaperSite,
    PaperTerms,
    session_paper,
)
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.events import Event
from tallywatt.metering.session import Evidence
from tallywatt.payments.debit import EUR, MandateState
from tallywatt.payments.own_books import INVOICE
from tallywatt.payments.payment import TAKEN, PaymentState
from tallywatt.rating.results import RatedRows

if TYPE_CHECKING:
    from tallywatt.customers.operator import Operator
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.invoicing.printed import PrintedInvoice
    from tallywatt.kernel.identity import InvoiceId, PaymentId
    from tallywatt.metering.session import Session
    from tallywatt.payments.own_books import CustomerHold
    from tallywatt.payments.payment import Payment
    from tallywatt.rating.records import RatedResult
    from tallywatt.workflows.ports import UnitOfWork

SETTLED = (
    *TAKEN,
    PaymentState.VOIDED,
    PaymentState.EXPIRED,
    PaymentState.DECLINED,
    PaymentState.ABANDONED,
    PaymentState.OWED,
)
"""States in which nothing is on its way any more: what is printed about the payment stays true."""


def is_settled(work: UnitOfWork, invoice_id: InvoiceId) -> bool:
    """Whether it is known how an invoice was paid, so that the paper can say so."""
    return all(payment.state in SETTLED for payment in _payments(work, work.invoices.get(invoice_id)))


@dataclass(frozen=True, slots=True)
class GatherPaper:
    """Which invoice, and where the pages are that its link leads to."""

    invoice_id: InvoiceId
    base_url: str


def gather_paper(work: UnitOfWork, command: GatherPaper) -> InvoiceDocument:
    """All that the paper shows, from stored integers. Writes nothing."""
    invoice = work.invoices.get(command.invoice_id)
    session = work.sessions.get(invoice.session_id)
    operator = work.operators.get()
    paid = _payments(work, invoice)
    found = [work.customer_holds.find(one.payment_id) for one in paid]
    holds = {one.payment_id: one for one in found if one is not None}
    rated = RatedRows(
        work.rated_results.get(invoice.rated_id),
        tuple(work.rated_lines.by(rated_id=invoice.rated_id)),
        tuple(work.rated_taxes.by(rated_id=invoice.rated_id)),
    )
    customer = work.customers.find(session.payer_id) if session.payer_id else None
    corrected = work.invoices.find(invoice.corrects_invoice_id) if invoice.corrects_invoice_id else None
    before, after = _instead(work, invoice, rated.result, corrected)
    return InvoiceDocument(
        invoice=invoice,
        rated=rated,
        seller=PaperParty(operator.name, _lines(operator.address), operator.tax_id),
        buyer=_buyer(work, session),
        site=_site(work, session),
        session=session_paper(session, signature=_signature(work, session)),
        payments=() if after is not None else _payments_shown(invoice, paid, holds),
        terms=_terms(list(holds.values()), work, operator),
        corrects=corrected.number if corrected else None,
        replaces=before.number if before else None,
        replaced_by=after.number if after else None,
        link=f"{command.base_url}/s/{session.driver_secret}" if session.driver_secret else None,
        locale=customer.language if customer else operator.language,
    )


def _instead(
    work: UnitOfWork, invoice: Invoice, result: RatedResult, corrected: Invoice | None
) -> tuple[Invoice | None, Invoice | None]:
    """The invoice for which this one stands; and the one that stands for what this credit note takes back whole."""
    if corrected is None:
        before = work.invoices.one_by(rated_id=result.supersedes, kind="invoice") if result.supersedes else None
        return before, None
    instead = work.rated_results.one_by(supersedes=corrected.rated_id)
    after = work.invoices.one_by(rated_id=instead.rated_id, kind="invoice") if instead is not None else None
    # A part that was given back before has its own story.
    return None, after if after is not None and after.issued_at == invoice.issued_at else None


def keep_printed(work: UnitOfWork, printed: PrintedInvoice) -> bool:
    """Keep a printed invoice; the first print stays. Pages that wait for it hear of it."""
    kept = work.printed_invoices.add(printed)
    if kept:
        invoice = work.invoices.get(printed.invoice_id)
        data = {"session_id": invoice.session_id, "number": invoice.number}
        work.events.append(Event("invoice", invoice.invoice_id, "InvoicePrinted", data))
    return kept


def _payments(work: UnitOfWork, invoice: Invoice) -> list[Payment]:
    return work.payments.by(session_id=invoice.session_id)


def _terms(holds: list[CustomerHold], work: UnitOfWork, operator: Operator) -> PaperTerms | None:
    """By when, and how, what was bought on invoice is to be paid."""
    item = next((one for one in holds if one.provider == INVOICE and one.due_on is not None), None)
    if item is None or item.due_on is None:
        return None
    mandates = work.mandates.by(customer_id=item.customer_id, state=MandateState.ACTIVE.value)
    collects = mandates[0].reference if mandates and item.currency == EUR else None
    return PaperTerms(item.due_on, operator.pay_to, collects)


def _payments_shown(
    invoice: Invoice, payments: list[Payment], holds: dict[PaymentId, CustomerHold]
) -> tuple[PaperPayment, ...]:
    """What came for an invoice; for a credit note, that its sum went back, and where to."""
    taken = [(one, holds.get(one.payment_id)) for one in payments if one.captured_minor]
    if invoice.kind is InvoiceKind.INVOICE:
        return tuple(shown for one, hold in taken if (shown := _paid(one, hold)) is not None)
    # What was bought on invoice did not come in: a credit note takes it off what is owed.
    back = [(one, hold) for one, hold in taken if one.refunded_minor and not _is_on_terms(hold)]
    return tuple(
        PaperPayment(_method(hold), invoice.issued_at, -invoice.gross_minor, _card(one)) for one, hold in back[:1]
    )


def _is_on_terms(hold: CustomerHold | None) -> bool:
    return hold is not None and hold.provider == INVOICE


def _method(hold: CustomerHold | None) -> str:
    return "card" if hold is None else "balance"


def _card(payment: Payment) -> str:
    return " ".join(part for part in (payment.card_brand, payment.card_last4) if part)


def _paid(payment: Payment, hold: CustomerHold | None) -> PaperPayment | None:
    if hold is not None and _is_on_terms(hold):
        # Of an open item, what a transfer that came before has paid already.
        return PaperPayment("transfer", Instant(payment.created_at), hold.settled_minor) if hold.settled_minor else None
    kept = payment.captured_minor - payment.refunded_minor
    return PaperPayment(_method(hold), Instant(payment.created_at), kept, _card(payment))


def _buyer(work: UnitOfWork, session: Session) -> PaperParty | None:
    if session.payer_id is None:
        return None
    details, customer = work.customer_details.find(session.payer_id), work.customers.find(session.payer_id)
    if details is not None and details.name:
        return PaperParty(details.name, _lines(details.address or ""))
    # Nobody told a name, or it was forgotten: who it is for is said by what there is.
    return PaperParty(customer.reference, _lines(details.address or "") if details else ()) if customer else None


def _site(work: UnitOfWork, session: Session) -> PaperSite:
    evse = work.evses.find(session.evse_id) if session.evse_id else None
    station = work.stations.find(session.station_id) if session.station_id else None
    location = work.locations.find(station.location_id) if station and station.location_id else None
    address = [location.address, f"{location.postal_code} {location.city}".strip()] if location else []
    return PaperSite(
        name=location.name if location else (station.identity if station else ""),
        address=tuple(line for line in address if line),
        evse_id=evse.code if evse else "",
        current=evse.current.value if evse else None,
        max_watts=evse.max_watts if evse else None,
    )


def _signature(work: UnitOfWork, session: Session) -> PaperSignature | None:
    """What it was billed by, where the law asks for signatures."""
    if session.evidence is not Evidence.SIGNED:
        return None
    verdicts = [one for one in work.signature_verdicts.by(session_id=session.session_id) if one.energy_is_billable]
    last = verdicts[-1] if verdicts else None
    if last is None or last.register_start is None or last.register_stop is None:
        return None
    return PaperSignature(
        last.meter_serial or last.gateway_serial or "",
        last.pages or "",
        last.fingerprint or "",
        last.register_start,
        last.register_stop,
    )


def _lines(address: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in address.splitlines() if line.strip())
