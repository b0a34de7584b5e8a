"""List something about a payment in the inbox, for a person to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.identity import natural_key
from tallywatt.metering.session import InboxItem, InboxState

if TYPE_CHECKING:
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


def note(work: UnitOfWork, payment: Payment, kind: str, summary: str, what: str) -> None:
    """List something about a payment in the inbox, once."""
    work.inbox.add(
        InboxItem(
            item_id=work.draw.id(f"inbox/{kind}/{payment.payment_id}/{what}"),
            kind=kind,
            natural_key=natural_key(kind, payment.payment_id, what),
            station_id=None,
            session_id=payment.session_id,
            payment_id=payment.payment_id,
            frame_id=None,
            summary=summary,
            state=InboxState.OPEN,
            created_at=work.now,
            resolved_at=None,
            resolved_by=None,
            resolution=None,
        )
    )
