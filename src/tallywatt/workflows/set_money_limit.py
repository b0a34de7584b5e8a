"""Set how much whoever has a role may give away alone; beyond it another person approves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.customers.approval import Holder, MoneyLimit
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.events import Event
from tallywatt.kernel.money import currency
from tallywatt.workflows.ask_refund import limit_of
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

MOST_MINOR: Final = 10**12


@dataclass(frozen=True, slots=True)
class SetMoneyLimit:
    """Whose limit, in which currency, and how much. None: no limit; nothing at all is 0."""

    holder: Holder
    currency: str
    payment_minor: int | None
    day_minor: int | None


def set_money_limit(work: UnitOfWork, command: SetMoneyLimit) -> MoneyLimit:
    """The limit as it holds from now on. What waits already goes on waiting."""
    code = currency(command.currency).code
    for minor in (command.payment_minor, command.day_minor):
        if minor is not None and not 0 <= minor <= MOST_MINOR:
            msg = "a limit is a sum of money, or left out"
            raise BadInput(msg, code="approvals.bad_limit")
    before = limit_of(work, command.holder, code)
    if (before.payment_minor, before.day_minor) == (command.payment_minor, command.day_minor):
        return before
    row = MoneyLimit(command.holder, code, command.payment_minor, command.day_minor, work.machine_now)
    if not work.money_limits.add(row):
        known = work.money_limits.lock(command.holder.value, code)
        row = work.money_limits.put(
            replace(
                known,
                payment_minor=command.payment_minor,
                day_minor=command.day_minor,
                changed_at=work.machine_now,
            )
        )
    work.events.append(Event("operator", work.operator, "MoneyLimitSet", {"holder": command.holder.value}))
    record_action(
        work, "money_limit.set", "money_limit", f"{command.holder}/{code}",
        before=_figures(before), after=_figures(row),
    )  # fmt: skip
    return row


def _figures(limit: MoneyLimit) -> dict[str, int | None]:
    return {"payment_minor": limit.payment_minor, "day_minor": limit.day_minor}
