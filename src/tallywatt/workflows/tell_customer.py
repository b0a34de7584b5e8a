"""What a customer is told by letter about money: a debit to come, a balance that is low, a sum that was charged too little."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import Conflict
from tallywatt.ledger.chart import prepaid
from tallywatt.ledger.post import account_id
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.debit import CollectionState
from tallywatt.payments.payment import REST, PaymentKind
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.open_rest import on_a_page, open_rest

if TYPE_CHECKING:
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork

TELL_DEBIT: Final = "tell_debit"
"""Job: tell the payer of the collection of that id, before it is collected."""
TELL_LOW: Final = "tell_low_balance"
"""Job: tell the customer of that id that a balance has become low."""


@dataclass(frozen=True, slots=True)
class CustomerLetter:
    """What such a letter is made of."""

    to: str
    name: str
    operator_name: str
    language: str
    minor: int
    currency: str
    on: str = ""
    """The day of the debit."""
    account: str = ""
    """Of the payer, masked."""
    mandate: str = ""
    creditor_id: str = ""
    about: str = ""
    """What the payer will read on the statement."""


def gather_debit(work: UnitOfWork, collection_id: str) -> CustomerLetter | None:
    """The letter before a direct debit; None when it is not collected any more, was told, or nobody knows an address."""
    debit = work.debit_collections.get(collection_id)
    if debit.state is not CollectionState.ASKED or debit.told_at is not None:
        return None
    details = work.customer_details.find(debit.customer_id)
    if details is None or details.email is None:
        return None
    batch, mandate = work.debit_batches.get(debit.batch_id), work.mandates.get(debit.mandate_id)
    return CustomerLetter(
        details.email,
        details.name,
        work.operators.get().name,
        work.customers.get(debit.customer_id).language,
        debit.amount_minor,
        debit.currency,
        batch.collect_on,
        mandate.shown,
        mandate.reference,
        batch.creditor_id,
        debit.remittance,
    )


def debit_told(work: UnitOfWork, collection_id: str) -> None:
    """The letter was handed in."""
    debit = work.debit_collections.lock(collection_id)
    if debit.told_at is None:
        work.debit_collections.put(replace(debit, told_at=work.machine_now))


@dataclass(frozen=True, slots=True)
class RestLetter:
    """What a letter about a sum that was charged too little is made of."""

    to: str
    operator_name: str
    language: str
    secret: str
    """Of the session's page."""
    zone: str
    started_at: Instant
    reason: str
    was_minor: int
    now_minor: int
    open_minor: int
    currency: str
    paid_by: str = ""
    """With what it was collected without the payer: `card`, `prepaid`, `invoice`; empty: they are asked to pay it."""
    card: str = ""
    """Which card that was."""


def gather_rest(work: UnitOfWork, session_id: str) -> RestLetter | None:
    """The letter about what was charged too little; None when there is nothing to say, or nobody to say it to.

    Conflict while it is being collected: nobody is told what a bank has not said yet.
    """
    session = work.sessions.get(session_id)
    details = work.customer_details.find(session.payer_id) if session.payer_id else None
    rows = [one for one in work.corrected_sessions.by(session_id=session_id) if one.asked_minor]
    if details is None or not details.email or session.driver_secret is None or not rows or session.invoice_id is None:
        return None
    row = rows[-1]
    invoice = work.invoices.get(session.invoice_id)
    missing, paid_by, card = _how_it_stands(work, session, invoice)
    if not missing:
        return None
    return RestLetter(
        details.email,
        work.operators.get().name,
        work.customers.get(invoice.payer_id or "").language,
        session.driver_secret,
        session.zone,
        session.started_at,
        work.corrections.get(row.correction_id).reason,
        row.was_minor,
        row.now_minor,
        missing,
        invoice.currency,
        paid_by,
        card,
    )


def _how_it_stands(work: UnitOfWork, session: Session, invoice: Invoice) -> tuple[int, str, str]:
    """What the letter is about, with what it was collected, and with which card; nothing: there is nothing to write."""
    rests = [one for one in work.payments.by(session_id=session.session_id) if one.purpose == REST]
    if any(one.may_go_on or on_its_way(work, one.payment_id) is not None for one in rests):
        msg = "it is being collected just now"
        raise Conflict(msg, code="payment.operation_on_its_way")
    missing = open_rest(work, session, invoice)
    if missing:
        payable = on_a_page(work.provider_accounts.by(closed_at=None), invoice.currency, missing)
        return (missing if payable else 0), "", ""
    # What was collected meanwhile is told, too: nobody was asked before. Who has paid on a page knows.
    last = max((one for one in rests if one.captured_minor), key=lambda one: one.payment_id, default=None)
    if last is None or last.kind is not PaymentKind.STORED:
        return 0, "", ""
    provider = work.provider_accounts.get(last.account_id).provider
    if capabilities_of(provider).own_books:
        return last.captured_minor, provider, ""
    return last.captured_minor, "card", " ".join(part for part in (last.card_brand, last.card_last4) if part)


def gather_low(work: UnitOfWork, subject: str) -> CustomerLetter | None:
    """The letter of a low balance; None when it was filled meanwhile, or nobody knows an address."""
    customer_id, _, code = subject.partition("/")
    details = work.customer_details.find(customer_id)
    balance = work.accounts.find(account_id(prepaid(customer_id), code))
    marks = [one.low_minor for one in work.provider_accounts.by(provider="prepaid") if code in one.currencies]
    low = max((one for one in marks if one is not None), default=None)
    if details is None or details.email is None or balance is None or low is None:
        return None
    left = balance.credits_posted - balance.debits_posted
    if left >= low:
        return None
    operator = work.operators.get()
    return CustomerLetter(
        details.email, details.name, operator.name, work.customers.get(customer_id).language, left, code
    )
