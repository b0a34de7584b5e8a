"""Jobs that go on with many payers, behind a line of the bank or in a file: some in each transaction, others come between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.payments.debit import CollectionState
from tallywatt.wiring import TryLater
from tallywatt.workflows.carry_line import CarryLine, carry_line
from tallywatt.workflows.collect_line import CARRY_LINE
from tallywatt.workflows.end_debits import END_DEBITS, EndDebits, end_debits
from tallywatt.workflows.undo_debits import CARRY_LINE_BACK

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from tallywatt.wiring import Claimed, House
    from tallywatt.workflows.ports import UnitOfWork

STRETCH: Final = 100
"""Transactions after which the job goes back in line, so that the next line gets its turn."""


class Carrying:
    """Whenever it dies it goes on where it was: how far a line is stands in the transaction of its payers."""

    def __init__(self, house: House, given_up: threading.Event) -> None:
        self._house = house
        self._given_up = given_up
        self.by_kind = {CARRY_LINE: self.collect, CARRY_LINE_BACK: self.ask_again, END_DEBITS: self.end}

    def collect(self, claimed: Claimed) -> None:
        """Their debits have come."""
        self._carry(claimed, carry_line, CarryLine(claimed.job.subject_id))

    def ask_again(self, claimed: Claimed) -> None:
        """They have not, after all."""
        self._carry(claimed, carry_line, CarryLine(claimed.job.subject_id, is_back=True))

    def end(self, claimed: Claimed) -> None:
        """They will not."""
        told = claimed.job.payload
        batch_id = claimed.job.subject_id.partition("/")[0]
        wanted = EndDebits(batch_id, CollectionState(told["state"]), told["reason"], told["group"])
        self._carry(claimed, end_debits, wanted)

    def _carry(self, claimed: Claimed, some_more: Callable[[UnitOfWork, Any], bool], wanted: object) -> None:
        house, operator, job = self._house, claimed.operator_id, claimed.job
        # Whoever has decided it does it, however long it takes.
        actor = str(job.payload.get("actor") or "worker")
        for _ in range(STRETCH):
            if not house.write_now(operator, some_more, wanted, actor=actor, cause=job.cause):
                house.end_job(operator, job)
                return
            if self._given_up.is_set():
                break
        msg = "more of its payers wait"
        raise TryLater(msg, 0)
