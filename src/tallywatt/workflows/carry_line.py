"""A job goes on with the payers behind a line of the bank, some in each transaction, until none is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.payments.bank import Carrying
from tallywatt.workflows.collect_line import collect_some
from tallywatt.workflows.undo_debits import undo_some

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class CarryLine:
    """Which line, and whether its payers are asked again instead of collected."""

    line_id: str
    is_back: bool = False


def carry_line(work: UnitOfWork, command: CarryLine) -> bool:
    """Some more payers; whether others wait. A line that is done, or whose decision is undone meanwhile, stays as it is."""
    line = work.bank_lines.lock(command.line_id)
    if line.under_way is not (Carrying.UNDOING if command.is_back else Carrying.COLLECTING):
        return False
    after = undo_some(work, line) if command.is_back else collect_some(work, line)
    return after.under_way is not None
