"""Stripe's disputes as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant
from tallywatt.payments.dispute import DisputeState, ToldDispute

if TYPE_CHECKING:
    from collections.abc import Iterator

STATES: Final = {
    "warning_needs_response": DisputeState.WARNING,
    "warning_under_review": DisputeState.WARNING,
    "warning_closed": DisputeState.CLOSED,
    "prevented": DisputeState.CLOSED,
    "needs_response": DisputeState.OPEN,
    "under_review": DisputeState.ANSWERED,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}
"""docs.stripe.com/api/disputes/object, `status`."""
LARGEST: Final = 2**40
GONE: Final = (DisputeState.OPEN, DisputeState.ANSWERED, DisputeState.LOST)
"""The money is taken when a dispute is opened, and comes back when it is won."""


def told_dispute(thing: dict[str, Any], said_at: Instant) -> ToldDispute:
    """A dispute as it stands; ValueError or TypeError for what is none."""
    if not all(isinstance(thing[name], str) for name in ("id", "currency", "status")):
        raise TypeError(thing["object"])
    amount, due = thing["amount"], (thing.get("evidence_details") or {}).get("due_by")
    if not all(type(one) is int and 0 <= one < LARGEST for one in (amount, due or 0)):
        raise ValueError(amount)
    state = STATES.get(thing["status"], DisputeState.OPEN)
    intent = thing.get("payment_intent")
    return ToldDispute(
        dispute_ref=thing["id"],
        state=state,
        amount_minor=amount,
        currency=thing["currency"].upper(),
        withdrawn_minor=amount if state in GONE else 0,
        reason=str(thing.get("reason") or "general"),
        said_at=said_at,
        due_at=None if due is None else Instant(due * 1000),
        provider_ref=intent if isinstance(intent, str) else None,
    )


def disputes_since(client: Any, since: int, said_at: Instant) -> Iterator[ToldDispute]:
    """Every dispute that was opened since a Unix time."""
    for one in client.disputes.list({"created": {"gte": since}, "limit": 100}).auto_paging_iter():
        yield told_dispute(one.to_dict(), said_at)
