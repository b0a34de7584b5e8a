"""A second pair of eyes: what goes beyond somebody's limit waits for another person, is decided once, and expires."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.customers.approval import LONGEST_CHAIN, Approval, ApprovalKind, ApprovalState, is_same_person
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.events import Event
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.customers.approval import Beyond
    from tallywatt.kernel.money import Money
    from tallywatt.workflows.ports import UnitOfWork

EXPIRE_APPROVAL: Final = "expire_approval"
"""Job: nobody has decided about the approval of that id in time."""
LONGEST_NOTE: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks another person to approve."""

    kind: ApprovalKind
    subject_id: str
    key: str
    amount: Money
    reason: str
    beyond: tuple[Beyond, ...]
    request: dict[str, Any]


def ask_approval(work: UnitOfWork, wanted: Wanted) -> Approval:
    """Write down what is asked, and until when somebody may decide. The same request again is the same approval."""
    known = work.approvals.one_by(kind=wanted.kind.value, request_key=wanted.key)
    if known is not None:
        return known
    until = Instant(work.machine_now + work.operators.get().approval_hours * 3_600_000)
    approval = Approval(
        approval_id=work.draw.id(f"approval/{wanted.kind}/{wanted.key}"),
        kind=wanted.kind,
        subject_id=wanted.subject_id,
        request_key=wanted.key,
        amount_minor=wanted.amount.minor,
        currency=wanted.amount.currency.code,
        reason=wanted.reason,
        beyond=tuple(one.value for one in wanted.beyond),
        request=wanted.request,
        asked_by=work.actor,
        state=ApprovalState.WAITING,
        created_at=work.machine_now,
        expires_at=until,
        decided_at=None,
        decided_by=None,
        note=None,
        result_id=None,
    )
    work.approvals.add_new(approval)
    work.jobs.add(Job(EXPIRE_APPROVAL, approval.approval_id, not_before=until))
    _event(work, approval, "ApprovalAsked")
    after = {"minor": approval.amount_minor, "currency": approval.currency, "beyond": list(approval.beyond)}
    record_action(work, "approval.ask", "approval", approval.approval_id, after={**after, "of": approval.subject_id})
    return approval


@dataclass(frozen=True, slots=True)
class Decide:
    """Which request, whether it is approved, and what is to be said about it."""

    approval_id: str
    approve: bool
    note: str = ""


def decide(work: UnitOfWork, command: Decide, carry_out: Callable[[UnitOfWork, Approval], str | None]) -> Approval:
    """Decide about a request; approved, it is carried out in the same transaction, so once and never without the record."""
    if len(command.note) > LONGEST_NOTE:
        msg = f"a note has at most {LONGEST_NOTE} characters"
        raise BadInput(msg, code="approvals.note_too_long")
    known = work.approvals.lock(command.approval_id)
    state = ApprovalState.APPROVED if command.approve else ApprovalState.DECLINED
    if known.state is state and known.decided_by == work.actor:
        return known
    if known.state is not ApprovalState.WAITING:
        msg = f"somebody has decided already: it is {known.state}"
        raise Conflict(msg, code="approvals.decided")
    if not known.is_open(work.machine_now):
        msg = "nobody has decided in time"
        raise Conflict(msg, code="approvals.expired", remedy="ask for it again")
    deciders = _hands(work, work.actor)
    if is_same_person(_hands(work, known.asked_by), deciders):
        if command.approve:
            msg = "whoever has asked for it does not approve it, and neither does a key of theirs"
            raise Conflict(msg, code="approvals.own_request", remedy="ask somebody else who may approve")
    elif command.approve and not _all_are_known(work, deciders):
        msg = "nobody knows which person this is"
        raise Conflict(msg, code="approvals.nameless", remedy="sign in as yourself: tallywatt person add")
    result = carry_out(work, known) if command.approve else None
    decided = work.approvals.put(
        replace(
            known,
            state=state,
            decided_at=work.machine_now,
            decided_by=work.actor,
            note=command.note.strip() or None,
            result_id=result,
        )
    )
    _event(work, decided, "ApprovalGiven" if command.approve else "ApprovalDeclined")
    action = "approval.approve" if command.approve else "approval.decline"
    after = {"minor": known.amount_minor, "currency": known.currency, "of": known.subject_id}
    record_action(work, action, "approval", known.approval_id, after={**after, "asked_by": known.asked_by})
    return decided


def expire_approval(work: UnitOfWork, approval_id: str) -> Approval:
    """Close a request that nobody has decided about."""
    known = work.approvals.lock(approval_id)
    if known.state is not ApprovalState.WAITING:
        return known
    expired = work.approvals.put(replace(known, state=ApprovalState.EXPIRED, decided_at=work.machine_now))
    _event(work, expired, "ApprovalExpired")
    return expired


def holder_of(work: UnitOfWork, actor: str) -> str:
    """On whose day it counts: a person's, whether in person or through a key that the person has made."""
    people = sorted(one for one in _hands(work, actor) if one.startswith("person:"))
    return actor if actor in people or not people else people[0]


def _hands(work: UnitOfWork, actor: str) -> frozenset[str]:
    """Everybody who stands behind an actor: whoever has made a key or seen a new secret of it can come with it."""
    found: set[str] = set()
    wanted = [actor]
    while wanted and len(found) < LONGEST_CHAIN:
        one = wanted.pop()
        if one in found:
            continue
        found.add(one)
        kind, _, key_id = one.partition(":")
        if kind == "key":
            told = work.actions.by(subject_id=key_id)
            wanted += [f"{row.caller_kind}:{row.caller_id}" for row in told if row.action in _SHOW_A_SECRET]
    return frozenset(found)


_SHOW_A_SECRET: Final = ("api_key.create", "api_key.rotate")


def _all_are_known(work: UnitOfWork, hands: frozenset[str]) -> bool:
    others = [one for one in hands if not one.startswith("key:")]
    return bool(others) and all(
        one.startswith("person:") and work.people.find(one.removeprefix("person:")) is not None for one in others
    )


def _event(work: UnitOfWork, approval: Approval, type_: str) -> None:
    data = {
        "kind": approval.kind.value,
        "subject_id": approval.subject_id,
        "minor": approval.amount_minor,
        "currency": approval.currency,
    }
    work.events.append(Event("approval", approval.approval_id, type_, data))
