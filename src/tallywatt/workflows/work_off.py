"""What is held is worked off by rules: each decides about items of one kind, up to a sum of money, and is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import BadInput
from tallywatt.metering.session import InboxState, PayerKind, SessionState
from tallywatt.workflows.finish import judge_session, price_of
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.park_stop import UNKNOWN_TRANSACTION, parked
from tallywatt.workflows.prove import needs_proof
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.resolve_inbox import HOLDING, Decision, ResolveItem, resolve_item

if TYPE_CHECKING:
    from tallywatt.metering.session import InboxItem, Session
    from tallywatt.workflows.ports import UnitOfWork

AUTOMATIC: Final = {
    **dict.fromkeys(sorted(HOLDING), (Decision.ACCEPT, Decision.RELEASE, Decision.WRITE_OFF)),
    UNKNOWN_TRANSACTION: (Decision.MATCH,),
}
"""What may be decided without a person, by kind of item."""
MOST_AT_ONCE: Final = 1000
"""Items of one order: what waits beyond them is taken up by the next one."""


def check_decision(kind: str, decision: Decision, most_minor: int) -> None:
    """Whether this may be decided without a person."""
    if decision not in AUTOMATIC.get(kind, ()):
        msg = f"{decision.value} cannot be decided about {kind} without a person"
        raise BadInput(msg, code="rules.bad_decision", remedy=f"kinds: {', '.join(AUTOMATIC)}")
    if not 0 <= most_minor <= 10**9:
        msg = "the sum up to which a rule decides is from 0 to 1,000,000,000 in the smallest unit"
        raise BadInput(msg, code="rules.bad_cap")


@dataclass(frozen=True, slots=True)
class WorkOff:
    """One item, to be decided on by the rules; or as somebody has ordered for all of its kind."""

    item_id: str
    decision: Decision | None = None
    """None: as the rules say."""
    most_minor: int = 0
    note: str = ""


def asked_by(subject_id: str, note: str) -> WorkOff:
    """The command of a job, whose subject is an item, with what was ordered about it behind it if somebody has."""
    item_id, _, order = subject_id.partition("/")
    decision, _, most_minor = order.partition("/")
    return WorkOff(item_id, Decision(decision), int(most_minor), note) if order else WorkOff(item_id)


def work_off(work: UnitOfWork, command: WorkOff) -> InboxItem:
    """Decide about an item if a rule allows it; else leave it to a person, as it is."""
    item = work.inbox.lock(command.item_id)
    if item.state is InboxState.RESOLVED:
        return item
    if command.decision is not None:
        choices = [(command.decision, command.most_minor, command.note)]
    else:
        rules = sorted(work.resolution_rules.by(kind=item.kind), key=lambda one: (one.most_minor, one.rule_id))
        choices = [(Decision(one.decision), one.most_minor, f"by rule {one.name}") for one in rules if one.is_on]
    for decision, most_minor, note in choices:
        if _is_allowed(work, item, decision, most_minor):
            return resolve_item(work, ResolveItem(item.item_id, decision, note))
    return item


def _is_allowed(work: UnitOfWork, item: InboxItem, decision: Decision, most_minor: int) -> bool:
    """Whether so much may be decided on without a person: what it is about has a price, and that is within the cap."""
    if item.kind == UNKNOWN_TRANSACTION:
        return decision is Decision.MATCH and _is_the_only_match(item)
    if decision not in AUTOMATIC.get(item.kind, ()):
        return False
    session = work.sessions.lock(item.session_id) if item.session_id is not None else None
    if session is None or session.state is not SessionState.HELD:
        return False
    if decision is not Decision.WRITE_OFF and not _may_be_billed(work, session):
        return False
    stake = _stake(work, session, decision)
    return stake is not None and stake <= most_minor


def _may_be_billed(work: UnitOfWork, session: Session) -> bool:
    """Not where nobody is known to owe, or at no price, or where a signature is asked for: then a person says, or a key."""
    known = session.payer is not PayerKind.UNKNOWN and session.offer_id is not None
    return known and not needs_proof(work, session)


def _stake(work: UnitOfWork, session: Session, decision: Decision) -> int | None:
    """The money that is decided on: what would be billed, or given up."""
    judged = judge_session(work, session)
    energy = judged.measured if decision is Decision.RELEASE else judged.proposed
    if energy.milliwatt_hours == 0 and decision is Decision.WRITE_OFF:
        return 0
    price = price_of(work, session, energy)
    return None if price is None else price.minor


def _is_the_only_match(item: InboxItem) -> bool:
    """Whether a stop fits one session alone: then who owes, and how much, follows from what the station itself said."""
    return parked(item) is not None and len((item.detail or {}).get("candidates", [])) == 1


@dataclass(frozen=True, slots=True)
class WorkOffAll:
    """All open items of a kind: by the rules, or as is ordered here, each within the cap."""

    kind: str
    decision: Decision | None = None
    """None: as the rules say."""
    most_minor: int = 0
    note: str = ""


def work_off_all(work: UnitOfWork, command: WorkOffAll) -> int:
    """Put every open item of a kind in line to be decided on; how many there are. Each is a transaction of its own."""
    order, note = "", command.note or f"ordered by {work.actor}"
    if command.decision is not None:
        check_decision(command.kind, command.decision, command.most_minor)
        order = f"/{command.decision.value}/{command.most_minor}"
    elif command.kind not in AUTOMATIC:
        msg = f"nothing about {command.kind} is decided without a person"
        raise BadInput(msg, code="rules.bad_decision", remedy=f"kinds: {', '.join(AUTOMATIC)}")
    items = work.inbox.by(kind=command.kind, state=InboxState.OPEN.value)[:MOST_AT_ONCE]
    for item in items:
        work.jobs.add(Job("work_off", f"{item.item_id}{order}", {"note": note}))
    told = {"kind": command.kind, "items": len(items), "order": order or "by the rules"}
    record_action(work, "inbox.work_off", "inbox", command.kind, after=told)
    return len(items)
