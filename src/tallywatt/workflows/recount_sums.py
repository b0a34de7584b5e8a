"""Make the figures over all rows anew, where the audit says that they are not those of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class RecountSums:
    """Every row of the operator is to be read, while nobody writes."""


@dataclass(frozen=True, slots=True)
class WrongSum:
    """A sum that was not that of its rows."""

    figure: str
    """What is summed, of which rows: `sessions.milliwatt_hours billed`."""
    was: int
    now: int


def recount_sums(work: UnitOfWork, command: RecountSums) -> tuple[WrongSum, ...]:
    """Count all rows, and keep what comes out; the sums that were wrong. None: nothing is changed."""
    del command
    wrong = tuple(
        WrongSum(" ".join(one for one in place if one), was, now)
        for place, (was, now) in work.queries.recount_sums().items()
    )
    if wrong:
        before, after = {one.figure: one.was for one in wrong}, {one.figure: one.now for one in wrong}
        record_action(work, "sums.recount", "operator", work.operator, before=before, after=after)
    return wrong
