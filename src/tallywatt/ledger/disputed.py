"""Pure: what a dispute does to the books: its money waits, comes back when it is won, and is a loss when it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.ledger.chart import clearing, disputed, losses
from tallywatt.ledger.settled import Move
from tallywatt.payments.dispute import DisputeState

if TYPE_CHECKING:
    from tallywatt.payments.dispute import Dispute


def moves_of_dispute(dispute: Dispute) -> tuple[Move, ...]:
    """What a dispute has moved as it stands."""
    gone = losses(dispute.account_id) if dispute.state is DisputeState.LOST else disputed(dispute.account_id)
    move = Move(dispute.currency, gone, clearing(dispute.account_id), dispute.withdrawn_minor)
    return (move,) if move.minor else ()
