"""What is held is worked off by rules: each decides about items of one kind, up to a sum of money, and is recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import SessionId
from tallywatt.metering.judge import Rule
from tallywatt.metering.session import InboxState, PayerKind, SessionState
from tallywatt.workflows.finish import judge_session, price_of
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import usable_samples, usable_time
from tallywatt.workflows.park_stop import UNKNOWN_TRANSACTION, parked
from tallywatt.workflows.prove import needs_proof
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.resolve_inbox import HOLDING, Decision, ResolveItem, resolve_item, with_an_end
from tallywatt.workflows.take_readings import as_readings

if TYPE_CHECKING:
    from tallywatt.metering.session import InboxItem, Session
    from tallywatt.workflows.ports import UnitOfWork

AUTOMATIC: Final[dict[str, tuple[Decision, ...]]] = {
    **dict.fromkeys(sorted(HOLDING), (Decision.ACCEPT, Decision.RELEASE, Decision.WRITE_OFF)),
    UNKNOWN_TRANSACTION: (Decision.MATCH,),
}
"""What may be decided without a person, by kind of item."""
MOST_AT_ONCE: Final = 500
"""Items that one transaction puts in line; a job puts the next ones behind them."""
LONGEST_ORDER: Final = 200
"""Of a note: who ordered it is written behind it."""


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
        stake = _stake(work, item, command.decision)
        if stake is not None and stake <= command.most_minor:
            return resolve_item(work, ResolveItem(item.item_id, command.decision, command.note))
        return item
    rules = sorted(work.resolution_rules.by(kind=item.kind), key=lambda one: (one.most_minor, one.rule_id))
    for one in rules:
        stake = _stake(work, item, Decision(one.decision)) if one.is_on else None
        if stake is None or stake > one.most_minor:
            continue
        # Locked before it decides: what somebody has switched off, or given another sum, meanwhile does not count any more.
        rule = work.resolution_rules.lock(one.rule_id)
        if rule == one:
            return resolve_item(work, ResolveItem(item.item_id, Decision(rule.decision), f"by rule {rule.name}"))
    return item


def _stake(work: UnitOfWork, item: InboxItem, decision: Decision) -> int | None:
    """The money that a decision is about: what would be billed, or given up; None where only a person may decide."""
    if decision not in AUTOMATIC.get(item.kind, ()):
        return None
    if decision is Decision.MATCH:
        return _stake_of_match(work, item)
    session = work.sessions.lock(item.session_id) if item.session_id is not None else None
    if session is None or session.state is not SessionState.HELD:
        return None
    if decision is Decision.WRITE_OFF:
        return _given_up(work, session)
    return _billed(work, with_an_end(session), decision)


def _billed(work: UnitOfWork, session: Session, decision: Decision) -> int | None:
    """Not where nobody is known to owe, or at no price, or where a signature is asked for: then a person says, or a key."""
    if session.payer is PayerKind.UNKNOWN or needs_proof(work, session):
        return None
    judged = judge_session(work, session)
    price = price_of(work, session, judged.measured if decision is Decision.RELEASE else judged.proposed)
    return None if price is None else price.minor


def _given_up(work: UnitOfWork, session: Session) -> int | None:
    """What a person might have billed at most: all that the meter shows, unless the EVSE cannot have delivered so much."""
    session = with_an_end(session)
    judged = judge_session(work, session)
    believable = [judged.proposed]
    if all(one.rule is not Rule.WITHIN_POWER for one in judged.breaches):
        believable.append(judged.measured)
    if all(one.milliwatt_hours == 0 for one in believable):
        return 0
    prices = [price_of(work, session, one) for one in believable]
    return max((one.minor for one in prices if one is not None), default=None)


def _stake_of_match(work: UnitOfWork, item: InboxItem) -> int | None:
    """What the session would cost that a stop ends. It must fit that one alone, and leave nothing else to ask."""
    fact, candidates = parked(item), (item.detail or {}).get("candidates", [])
    if fact is None or len(candidates) != 1:
        return None
    session = work.sessions.lock(SessionId(candidates[0]))
    if session.transaction_ended_at is not None or session.state not in {SessionState.ACTIVE, SessionState.HELD}:
        return None
    ended_at, clock_is_set = usable_time(work, fact.at, fact.heard)
    if not clock_is_set or needs_proof(work, session):
        return None
    ended = replace(
        session,
        transaction_ended_at=max(ended_at, session.started_at),
        meter_stop=fact.meter_stop if fact.meter_stop is not None and fact.meter_stop >= 0 else None,
    )
    more = as_readings(session, usable_samples(work, fact.samples, fact.heard), fact.heard.received_at, None)
    judged = judge_session(work, ended, more)
    if judged.breaches or session.payer is PayerKind.UNKNOWN:
        return 0  # it is held as soon as it has ended, and asked about again
    price = price_of(work, ended, judged.proposed)
    return 0 if price is None else price.minor


@dataclass(frozen=True, slots=True)
class WorkOffAll:
    """All open items of a kind: by the rules, or as is ordered here, each within the cap."""

    kind: str
    decision: Decision | None = None
    """None: as the rules say."""
    most_minor: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class WorkOffMore:
    """The items of an order behind the last one that was put in line."""

    kind: str
    order: str
    after: str
    note: str


def work_off_all(work: UnitOfWork, command: WorkOffAll) -> int:
    """Put every open item of a kind in line to be decided on; how many there are. Each is a transaction of its own."""
    if command.decision is not None:
        check_decision(command.kind, command.decision, command.most_minor)
    elif command.kind not in AUTOMATIC:
        msg = f"nothing about {command.kind} is decided without a person"
        raise BadInput(msg, code="rules.bad_decision", remedy=f"kinds: {', '.join(AUTOMATIC)}")
    if len(command.note) > LONGEST_ORDER:
        msg = f"a note has at most {LONGEST_ORDER} characters"
        raise BadInput(msg, code="inbox.note_too_long")
    order = "" if command.decision is None else f"/{command.decision.value}/{command.most_minor}"
    by = f"ordered by {work.actor}"
    note = f"{command.note} ({by})" if command.note else by
    count = work.queries.count_open_items(command.kind)
    work_off_more(work, WorkOffMore(command.kind, order, "", note))
    told = {"kind": command.kind, "items": count, "order": order.strip("/") or "by the rules", "note": command.note}
    record_action(work, "inbox.work_off", "inbox", command.kind, after=told)
    return count


def work_off_more(work: UnitOfWork, command: WorkOffMore) -> int:
    """Put the next items of an order in line, and the rest of it behind them."""
    items = work.queries.open_items(command.kind, command.after, MOST_AT_ONCE)
    for item_id in items:
        work.jobs.add(Job("work_off", f"{item_id}{command.order}", {"note": command.note}))
    if len(items) == MOST_AT_ONCE:
        rest = {"kind": command.kind, "order": command.order, "note": command.note}
        work.jobs.add(Job("work_off_more", items[-1] + command.order, rest))
    return len(items)


def more_asked_by(subject_id: str, payload: dict[str, Any]) -> WorkOffMore:
    """The command of the job that goes on behind an item."""
    return WorkOffMore(payload["kind"], payload["order"], subject_id.partition("/")[0], payload["note"])
