"""What a payment's state asks for next is written down, unless something of it is on its way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.payments.capabilities import Captures, capabilities_of
from tallywatt.payments.limits import PAGE_LIFE_MS
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.workflows.intend_operation import PAGE, intend_operation
from tallywatt.workflows.note_payment import note
from tallywatt.workflows.return_rest import return_rest

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

MOST_OPERATIONS = 20
"""More than that for one payment, and something goes round in circles: a person looks."""
ADJUST_WITHIN_MS = 30 * 60 * 1000
"""So long a capture waits for the word about a hold that was to grow."""
UNANSWERED = "unanswered"
"""The code of an adjustment that nothing was heard of."""


def take_next_step(work: UnitOfWork, payment: Payment) -> Operation | None:
    """Intend what a locked payment's state asks for next, unless something is on its way."""
    returned = return_rest(work, payment)
    if returned is not None:
        return returned
    if not payment.may_go_on:
        return None
    account = work.provider_accounts.get(payment.account_id)
    kind = payment.next_step(account.provider)
    if kind is None:
        return None
    earlier = work.operations.by(payment_id=payment.payment_id)
    underway = next((one for one in earlier if one.is_unresolved), None)
    if underway is not None and not _is_overdue(underway, work.machine_now):
        return None
    if underway is not None:
        # It takes nothing, so nothing is lost by waiting no longer: should the hold have grown, that is let go with the rest.
        ended = replace(underway, state=OperationState.FAILED, code=UNANSWERED, resolved_at=work.machine_now)
        work.operations.put(ended)
    if len(earlier) >= MOST_OPERATIONS:
        note(work, payment, "payment_goes_round", f"{kind} was tried often, and nothing changes", kind.value)
        return None
    asked = _asked(work, payment, kind, earlier)
    if kind in FROM_HOLD:
        asked |= _what_is_left(payment, account, kind)
    return intend_operation(work, payment, kind, _amount(payment, kind), asked)


FROM_HOLD = (OperationKind.CAPTURE, OperationKind.VOID)


def _what_is_left(payment: Payment, account: ProviderAccount, kind: OperationKind) -> dict[str, str | int | None]:
    """What was taken before, and whether this takes only a part of what is left. Of a hold that is taken once: nothing."""
    told: dict[str, str | int | None] = {"taken_minor": payment.taken_minor or None}
    is_part = kind is OperationKind.CAPTURE and payment.capture_minor < payment.open_hold_minor
    never_lets_go = capabilities_of(account.provider).multiple_captures is Captures.BY_ACCOUNT
    if payment.several_captures and is_part and (payment.keeps_hold or never_lets_go):
        told["final"] = False
    return told


def _is_overdue(operation: Operation, now: Instant) -> bool:
    """Whether what is due has waited long enough for a hold that was to grow."""
    return operation.kind is OperationKind.ADJUST and now - operation.created_at >= ADJUST_WITHIN_MS


def _amount(payment: Payment, kind: OperationKind) -> int:
    match kind:
        case OperationKind.CAPTURE:
            return payment.capture_minor
        case OperationKind.VOID:
            return payment.open_hold_minor
        case _:
            return payment.amount_minor


def _asked(
    work: UnitOfWork, payment: Payment, kind: OperationKind, earlier: list[Operation]
) -> dict[str, str | int | None]:
    match kind:
        case OperationKind.PREPARE | OperationKind.PRESENT if payment.reader_id is not None:
            return asked_at_reader(work, payment, earlier)
        case OperationKind.PREPARE | OperationKind.AUTHORISE:
            assert payment.method_id is not None, "a stored payment has a method"
            method = work.payment_methods.get(payment.method_id)
            return {"customer_ref": method.customer_ref, "method_ref": method.method_ref, **_about(work, payment)}
        case OperationKind.CHARGE:
            assert payment.method_id is not None, "a stored payment has a method"
            method = work.payment_methods.get(payment.method_id)
            if payment.provider_ref is not None:
                return {"provider_ref": payment.provider_ref, "method_ref": method.method_ref}
            # A provider without a harmless object hears everything with the charge.
            return {"customer_ref": method.customer_ref, "method_ref": method.method_ref, **_about(work, payment)}
        case OperationKind.HOSTED_PAGE:
            # Only the first one knows where to send the driver back to; a second try asks for the same, from now on.
            page = next(one for one in earlier if one.kind is kind)
            again = {name: value for name, value in page.asked.items() if name in PAGE}
            return {**again, "expires_at": (work.machine_now + PAGE_LIFE_MS) // 1000}
        case _:
            asked = {"provider_ref": payment.provider_ref, "page_ref": payment.page_ref, **_about(work, payment)}
            waits = kind is OperationKind.VOID and payment.waits_at_reader
            return {**asked, **_reader_asked(earlier)} if waits else asked


def _reader_asked(earlier: list[Operation]) -> dict[str, str | int | None]:
    """The reader that is to ask no longer, and the operation that made it ask, if one did."""
    first = next(one for one in earlier if one.kind in FIRST_AT_READER)
    presented = next((one.operation_id for one in earlier if one.kind is OperationKind.PRESENT), None)
    return {"reader_ref": first.asked["reader_ref"], "presented_by": presented}


FIRST_AT_READER = (OperationKind.PREPARE, OperationKind.PRESENT)
AT_READER = ("title", "reader_ref", "present_until")
"""What is asked at a reader besides the sum: what it may show, which it is, and until when anybody is there."""


def asked_at_reader(work: UnitOfWork, payment: Payment, earlier: list[Operation]) -> dict[str, str | int | None]:
    """As it was asked for at first; only that knows which reader it was, and when the driver is gone."""
    first = next(one for one in earlier if one.kind in FIRST_AT_READER)
    again = {name: value for name, value in first.asked.items() if name in AT_READER}
    return {**again, "provider_ref": payment.provider_ref, **_about(work, payment)}


def _about(work: UnitOfWork, payment: Payment) -> dict[str, str | int | None]:
    """What the payment is for. It is kept at the provider, where it survives the loss of this database."""
    invoice = work.invoices.find(payment.invoice_id) if payment.invoice_id is not None else None
    return {"session_id": payment.session_id, "invoice": None if invoice is None else invoice.number}
