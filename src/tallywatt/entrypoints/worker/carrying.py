"""The jobs of lines of the bank behind which many payers stand: some of them in each transaction, and others come between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.wiring import TryLater
from tallywatt.workflows.carry_line import CarryLine, carry_line
from tallywatt.workflows.collect_line import CARRY_LINE
from tallywatt.workflows.undo_debits import CARRY_LINE_BACK

if TYPE_CHECKING:
    import threading

    from tallywatt.wiring import Claimed, House

STRETCH: Final = 100
"""Transactions after which the job goes back in line, so that the next line gets its turn."""


class Carrying:
    """Whenever it dies it goes on where it was: how far a line is stands in the transaction of its payers."""

    def __init__(self, house: House, given_up: threading.Event) -> None:
        self._house = house
        self._given_up = given_up
        self.by_kind = {CARRY_LINE: self.collect, CARRY_LINE_BACK: self.ask_again}

    def collect(self, claimed: Claimed) -> None:
        """Their debits have come."""
        self._carry(claimed, CarryLine(claimed.job.subject_id))

    def ask_again(self, claimed: Claimed) -> None:
        """They have not, after all."""
        self._carry(claimed, CarryLine(claimed.job.subject_id, is_back=True))

    def _carry(self, claimed: Claimed, wanted: CarryLine) -> None:
        house, operator, job = self._house, claimed.operator_id, claimed.job
        # Whoever has decided it does it, however long it takes.
        actor = str(job.payload.get("actor") or "worker")
        for _ in range(STRETCH):
            if not house.write_now(operator, carry_line, wanted, actor=actor, cause=job.cause):
                house.end_job(operator, job)
                return
            if self._given_up.is_set():
                break
        msg = "more of its payers wait"
        raise TryLater(msg, 0)
