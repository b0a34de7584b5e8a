"""After a return from a backup: take in a payment as its provider knows it, also one that is not known here at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.identity import OperationId, PaymentId, ProviderAccountId, SessionId
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.operation import Operation, OperationKind, OperationState
from tallywatt.payments.payment import Payment, PaymentKind, PaymentState
from tallywatt.payments.provider import Succeeded, Trace, View, ViewStatus
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.note_payment import note

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

WITHOUT_EFFECT = (OperationState.DECLINED, OperationState.FAILED, OperationState.NOT_SENT)
NOTHING_MOVED = (
    ViewStatus.PREPARED,
    ViewStatus.DECLINED,
    ViewStatus.VOIDED,
    ViewStatus.EXPIRED,
    ViewStatus.ABANDONED,
)
"""Such an object can stay where it is: nobody here will ever touch it."""


@dataclass(frozen=True, slots=True)
class TakeFound:
    """A payment that was found at an account."""

    account_id: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class Found:
    """What became of it: `news` when the provider knew something better."""

    payment_id: str
    news: bool
    was_unknown: bool = False


def take_found(work: UnitOfWork, command: TakeFound) -> Found:
    """Apply what the provider shows. Taking the same in twice changes nothing."""
    if not_compared(work) is None:
        msg = "nothing was restored that waits for its providers"
        raise Conflict(msg, code="restore.not_waiting")
    trace = command.trace
    if trace.account_id not in (None, command.account_id):
        return Found(trace.payment_id, news=False)
    if trace.view.failed_operation is not None:
        return _of_a_part(work, trace)
    if trace.view.status is ViewStatus.PROCESSING:
        msg = f"the provider has not decided about payment {trace.payment_id} yet"
        raise Conflict(msg, code="restore.not_settled", remedy="run tallywatt reconcile again in a few minutes")
    known = work.payments.find(PaymentId(trace.payment_id))
    if known is None:
        nothing_moved = trace.view.status in NOTHING_MOVED and not trace.view.captured_minor
        if nothing_moved or trace.account_id is None:
            return Found(trace.payment_id, news=False)
        known = _take_up(work, command)
        was_unknown = True
    else:
        was_unknown = False
    held = work.payments.lock(known.payment_id)
    _write_what_was_asked(work, held, trace.view)
    after = apply_provider_fact(work, ProviderFact(held.payment_id, Succeeded(trace.view), Source.JANITOR))
    return Found(trace.payment_id, news=was_unknown or after != held, was_unknown=was_unknown)


def _of_a_part(work: UnitOfWork, trace: Trace) -> Found:
    """News of one operation alone: a capture of which nothing came. Who does not know of it has nothing to take back."""
    if work.payments.find(PaymentId(trace.payment_id)) is None:
        return Found(trace.payment_id, news=False)
    held = work.payments.lock(PaymentId(trace.payment_id))
    after = apply_provider_fact(work, ProviderFact(held.payment_id, Succeeded(trace.view), Source.JANITOR))
    return Found(trace.payment_id, news=after != held)


def _take_up(work: UnitOfWork, command: TakeFound) -> Payment:
    """A payment of the lost time, as far as the provider's objects tell. A person hears of it.

    A hold or a page without a session here is let go: what it was for is not known, and the driver's money is not ours.
    """
    trace, view = command.trace, command.trace.view
    session = work.sessions.find(SessionId(trace.session_id)) if trace.session_id else None
    methods = work.payment_methods.by(account_id=command.account_id, customer_ref=trace.customer_ref)
    method = methods[-1] if trace.customer_ref and methods else None
    money = max(view.authorised_minor, view.captured_minor)
    payment = Payment(
        payment_id=PaymentId(trace.payment_id),
        session_id=None if session is None else session.session_id,
        customer_id=None if method is None else method.customer_id,
        account_id=ProviderAccountId(command.account_id),
        method_id=None if method is None else method.method_id,
        evse_id=None,
        offer_id=None,
        invoice_id=None,
        kind=PaymentKind.AD_HOC if method is None else PaymentKind.STORED,
        reference=trace.payment_id,
        currency=view.currency or work.operators.get().currency,
        amount_minor=money,
        due_minor=view.captured_minor,
        authorised_minor=0,
        captured_minor=0,
        refunded_minor=0,
        suspense_minor=0,
        state=PaymentState.CREATED,
        provider_ref=view.provider_ref,
        page_ref=view.page_ref,
        hosted_page_url=None,
        hold_expires_at=None,
        card_brand=None,
        card_last4=None,
        driver_secret=None,
        reason="found_after_restore",
        created_at=work.now,
    )
    work.payments.add(payment)
    paper = f", invoice {trace.invoice_number}" if trace.invoice_number else ""
    summary = f"the provider knows a payment of the lost time: {view.captured_minor} minor units taken{paper}"
    note(work, payment, "payment_found", summary, "restored")
    return payment


def _write_what_was_asked(work: UnitOfWork, payment: Payment, view: View) -> None:
    """Money that moved was asked for, in rows that are lost; they are written again, so that nothing moved without one."""
    _write_refunds(work, payment, view)
    asked = [one for one in work.operations.by(payment_id=payment.payment_id) if one.state not in WITHOUT_EFFECT]
    take = OperationKind.CHARGE if payment.kind is PaymentKind.STORED else OperationKind.CAPTURE
    takes = (OperationKind.CHARGE, OperationKind.CAPTURE)
    for kind, kinds, moved in (
        (take, takes, view.captured_minor),
        (OperationKind.REFUND, (OperationKind.REFUND,), view.refunded_minor or 0),
    ):
        missing = moved - sum(one.amount_minor for one in asked if one.kind in kinds)
        if missing > 0:
            work.operations.add(_operation(work, payment, kind, missing, view.provider_ref))


def _write_refunds(work: UnitOfWork, payment: Payment, view: View) -> None:
    """Each refund of ours that is lost, with the mark of its asker's key: who asks again for want of an answer gets it."""
    known: set[str | None] = set()
    for one in work.operations.by(payment_id=payment.payment_id):
        known |= {one.operation_id, one.provider_ref}
    for refund in view.refunds:
        lost = refund.operation_id is not None and not known & {refund.operation_id, refund.provider_ref}
        if lost and refund.status != "failed":
            minor, ref = refund.amount_minor, refund.provider_ref
            found = _operation(
                work, payment, OperationKind.REFUND, minor, ref, {"refund": ref, "refund_mark": refund.mark}
            )
            work.operations.add(found)


def _operation(
    work: UnitOfWork,
    payment: Payment,
    kind: OperationKind,
    minor: int,
    provider_ref: str | None,
    more: dict[str, str | int | None] | None = None,
) -> Operation:
    which = f"found/{payment.payment_id}/{kind}/{minor}" + (f"/{provider_ref}" if more else "")
    operation_id = OperationId(work.draw.id(which))
    asked: dict[str, str | int | None] = {
        "found_after_restore": payment.payment_id,
        "amount_minor": minor,
        "currency": payment.currency,
        **(more or {}),
    }
    operation = payment.operation(operation_id, kind, minor, asked, work.machine_now)
    return replace(operation, state=OperationState.SUCCEEDED, provider_ref=provider_ref, resolved_at=work.machine_now)
