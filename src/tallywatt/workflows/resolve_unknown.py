"""What a worker needs to know before it calls a provider, or asks it what became of an operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.payments.provider import Enquiry
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.present_card import asked_reader

if TYPE_CHECKING:
    from tallywatt.kernel.identity import OperationId
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.operation import Operation
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class Pursuit:
    """An operation of which it is not known what became of it, where to ask, and what to look for."""

    operation: Operation
    account: ProviderAccount
    enquiry: Enquiry
    is_held: bool = False
    """The house came back from a backup and does not know yet what its providers know: nothing may be sent."""


def pursue(work: UnitOfWork, operation_id: OperationId) -> Pursuit | None:
    """The operation and where to ask about it; None when somebody else has found out already. Writes nothing."""
    operation = work.operations.get(operation_id)
    if not operation.is_unresolved:
        return None
    payment = work.payments.get(operation.payment_id)
    reader_ref, presented_by = asked_reader(work, payment)
    enquiry = Enquiry(
        payment_id=payment.payment_id,
        created_at=operation.created_at,
        provider_ref=payment.provider_ref,
        page_ref=payment.page_ref,
        customer_ref=operation.asked.get("customer_ref"),
        reader_ref=reader_ref,
        presented_by=presented_by,
    )
    account = work.provider_accounts.get(operation.account_id)
    return Pursuit(operation, account, enquiry, is_held=not_compared(work) is not None)
