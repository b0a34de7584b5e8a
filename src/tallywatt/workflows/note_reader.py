"""A card reader that cannot be asked is put before a person once, and taken off the list when it works again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.metering.session import InboxState
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.reader import NEVER_ASKED
from tallywatt.workflows.listen import settle, to_inbox

if TYPE_CHECKING:
    from tallywatt.metering.session import InboxItem
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

READER_FAILING: Final = "reader_failing"


def note_reader(work: UnitOfWork, payment: Payment, operation: Operation) -> bool:
    """Whether this was the news of a reader, and no failure of a payment: it was asked, or could not be."""
    if operation.kind is not OperationKind.PRESENT or payment.reader_id is None:
        return False
    if operation.state is OperationState.SUCCEEDED:
        for item in open_items(work, payment.reader_id):
            settle(work, item, "it works again")
        return False
    if operation.state is OperationState.NOT_SENT:
        # The provider could not be reached: who stands there is told so and tries again, and nothing is held.
        return True
    if operation.state is not OperationState.FAILED or operation.code not in NEVER_ASKED:
        return False
    # However many drivers try: it is one reader to look after.
    if not open_items(work, payment.reader_id):
        reader = work.readers.get(payment.reader_id)
        why = "has no connection" if operation.code == "reader_offline" else "serves somebody else"
        detail = {"reader_id": reader.reader_id, "code": operation.code}
        summary = f"the card reader {reader.label} ({reader.reader_ref}) {why}"
        to_inbox(work, READER_FAILING, summary, operation.operation_id, payment_id=payment.payment_id, detail=detail)
    return True


def open_items(work: UnitOfWork, reader_id: str) -> list[InboxItem]:
    """What waits for a person about a reader."""
    waiting = work.inbox.by(kind=READER_FAILING, state=InboxState.OPEN.value)
    return [one for one in waiting if (one.detail or {}).get("reader_id") == reader_id]
