"""The dispute that stands in the way of giving a payment back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.payments.dispute import Dispute
    from tallywatt.workflows.ports import UnitOfWork


def disputed_now(work: UnitOfWork, payment_id: PaymentId) -> Dispute | None:
    """One that goes on, or that took the money for good; None: the money can be given back."""
    found = work.disputes.by(payment_id=payment_id)
    return next((one for one in found if one.is_undecided or one.withdrawn_minor), None)
