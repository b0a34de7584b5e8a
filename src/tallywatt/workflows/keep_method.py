"""Remember a payment method that a customer has stored with a provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import CustomerId, ProviderAccountId
from tallywatt.payments.account import MethodState, PaymentMethod
from tallywatt.payments.provider import StoredMethod
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class KeepMethod:
    """What the provider answered when it stored the method."""

    customer_id: CustomerId
    account_id: ProviderAccountId
    stored: StoredMethod


def keep_method(work: UnitOfWork, command: KeepMethod) -> PaymentMethod:
    """The method as a row; the same method of the same account again is the same row."""
    work.customers.get(command.customer_id)
    work.provider_accounts.get(command.account_id)
    stored = command.stored
    known = work.payment_methods.one_by(account_id=command.account_id, method_ref=stored.method_ref)
    if known is not None:
        return known
    method = PaymentMethod(
        method_id=work.draw.id(f"method/{stored.method_ref}"),
        customer_id=command.customer_id,
        account_id=command.account_id,
        customer_ref=stored.customer_ref,
        method_ref=stored.method_ref,
        brand=stored.brand,
        last4=stored.last4,
        state=MethodState.ACTIVE,
        created_at=work.now,
    )
    work.payment_methods.add(method)
    record_action(work, "payment_method.add", "payment_method", method.method_id, after={"brand": method.brand})
    data = {"method_id": method.method_id, "account_id": command.account_id}
    work.events.append(Event("customer", command.customer_id, "PaymentMethodStored", data))
    return method
