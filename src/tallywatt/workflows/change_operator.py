"""Change what an operator is and decides: its name and address on invoices, its hold and deadlines, its rating policy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.events import Event
from tallywatt.payments.iban import check_ibans
from tallywatt.rating.policy import read_policy
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.customers.operator import Operator
    from tallywatt.rating.records import PolicyVersion
    from tallywatt.workflows.ports import UnitOfWork

SHORTEST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 24 * 3600
MOST_HOLD_MINOR = 10_000_000
MOST_APPROVAL_HOURS = 90 * 24


@dataclass(frozen=True, slots=True)
class ChangeOperator:
    """What is to be as told; None: as it was. Zone and currency stay: books and number series are kept in them."""

    name: str | None = None
    address: str | None = None
    tax_id: str | None = None
    """Empty: none."""
    hold_minor: int | None = None
    start_deadline_seconds: int | None = None
    lost_stop_after_seconds: int | None = None
    approval_hours: int | None = None
    pay_to: str | None = None
    """Where transfers for invoices go to. Empty: nowhere, and invoices do not say it."""


def change_operator(work: UnitOfWork, command: ChangeOperator) -> Operator:
    """The operator as it is from now on. What was printed stays as it was printed."""
    operator = work.operators.lock()
    wanted = {name: value for name, value in asdict(command).items() if value is not None}
    if wanted.get("name", operator.name) == "":
        raise _bad(what="name", says="an operator has a name: it stands on every invoice")
    if not 0 < wanted.get("hold_minor", 1) <= MOST_HOLD_MINOR:
        raise _bad(what="hold", says="what is held on a card is more than nothing, and no fortune")
    for name in ("start_deadline_seconds", "lost_stop_after_seconds"):
        if not SHORTEST_WAIT_SECONDS <= wanted.get(name, SHORTEST_WAIT_SECONDS) <= LONGEST_WAIT_SECONDS:
            raise _bad(what="deadline", says="a deadline lies between five seconds and a day")
    if not 1 <= wanted.get("approval_hours", 1) <= MOST_APPROVAL_HOURS:
        raise _bad(what="deadline", says="a request for approval waits between an hour and ninety days")
    check_ibans(wanted.get("pay_to", ""))
    if "tax_id" in wanted:
        wanted["tax_id"] = wanted["tax_id"] or None
    after = {name: value for name, value in wanted.items() if getattr(operator, name) != value}
    if not after:
        return operator
    before = {name: getattr(operator, name) for name in after}
    work.events.append(Event("operator", work.operator, "OperatorChanged", {"fields": " ".join(sorted(after))}))
    record_action(work, "operator.change", "operator", work.operator, before=before, after=after)
    return work.operators.put(replace(operator, **after))


@dataclass(frozen=True, slots=True)
class ChoosePolicy:
    """The rating policy of new offers: `rating/policy.py` has the choices; what is left out is as in the standard policy."""

    data: dict[str, Any] = field(default_factory=dict)


def choose_policy(work: UnitOfWork, command: ChoosePolicy) -> PolicyVersion:
    """Rate new offers by these choices. Sessions that were offered a price keep the policy they were offered it under."""
    row = read_policy(command.data).row(work.now)
    work.policy_versions.add(row)
    operator = work.operators.lock()
    if operator.policy_version_id != row.policy_version_id:
        before, after = {"policy": operator.policy_version_id}, {"policy": row.policy_version_id}
        work.events.append(Event("operator", work.operator, "PolicyChosen", after))
        record_action(work, "policy.choose", "operator", work.operator, before=before, after=after)
        work.operators.put(replace(operator, policy_version_id=row.policy_version_id))
    return row


def _bad(*, what: str, says: str) -> BadInput:
    return BadInput(says, code=f"operators.bad_{what}")
