"""List something about a payment in the inbox, for a person to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.workflows.listen import to_inbox

if TYPE_CHECKING:
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


def note(work: UnitOfWork, payment: Payment, kind: str, summary: str, what: str) -> None:
    """List something about a payment in the inbox, once."""
    payment_id, session_id = payment.payment_id, payment.session_id
    to_inbox(work, kind, summary, payment_id, what, session_id=session_id, payment_id=payment_id)
