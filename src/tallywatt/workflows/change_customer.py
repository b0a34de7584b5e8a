"""Change what is known of a customer: the name and address that invoices show, and the language they are written in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.customer import CustomerDetails
from tallywatt.kernel.errors import NotFound
from tallywatt.kernel.events import Event
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.customers.customer import Customer
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class ChangeCustomer:
    """What is to be as told; None: as it was, empty: none. Invoices that were printed stay as they were printed."""

    reference: str
    name: str | None = None
    email: str | None = None
    address: str | None = None
    language: str | None = None


def change_customer(work: UnitOfWork, command: ChangeCustomer) -> Customer:
    """The customer as it is from now on. The record of the action names the fields and not what is in them: it is personal."""
    customer = lock_customer(work, command.reference)
    known = work.customer_details.find(customer.customer_id)
    details = known or CustomerDetails(customer.customer_id, "", None, None)
    changed = replace(
        details,
        name=details.name if command.name is None else command.name,
        email=details.email if command.email is None else command.email or None,
        address=details.address if command.address is None else command.address or None,
    )
    language = command.language or customer.language
    fields = [name for name in ("name", "email", "address") if getattr(changed, name) != getattr(details, name)]
    fields += ["language"] if language != customer.language else []
    if not fields:
        return customer
    if known is None:
        work.customer_details.add(changed)
    elif changed != details:
        work.customer_details.put(changed)
    work.events.append(Event("customer", customer.customer_id, "CustomerChanged", {"fields": " ".join(sorted(fields))}))
    record_action(work, "customer.change", "customer", customer.customer_id, after={"fields": fields})
    # Written also when only the details changed: its version is what a caller says to have seen.
    return work.customers.put(replace(customer, language=language))


def lock_customer(work: UnitOfWork, reference: str) -> Customer:
    """The customer of that reference, held until the transaction ends, or NotFound."""
    found = work.customers.lock_by(reference=reference)
    if found is None:
        msg = f"there is no customer {reference!r}"
        raise NotFound(msg, code="customers.not_found", remedy="add it first: tallywatt customer add")
    return found
